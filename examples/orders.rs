//! A small order service behind a gate. At start it prints a curl line for every case.
//!
//! `cargo run --example orders --features password,testing,tower`
//!
//! The lines go to standard output, one audit event per request to standard error. `ORDERS_ADDR`
//! sets another address to listen on than `127.0.0.1:3000`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    collections::BTreeMap, env, error::Error, io, net::SocketAddr, sync::Arc, time::Duration,
};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, MatchedPath, Path, State},
    http::StatusCode,
    routing::{get, post},
};
use portcullis::{
    ApiKeys, Caller, Document, Gate, KeyGrant, MemoryKeys, PolicySet, Quota, Reason, RoleMap,
    Routes, Secret,
    audit::JsonLines,
    authn::password::{Hasher, MemoryPasswords, PasswordRecord, Passwords},
    clock, entity,
    gate::GuardedPasswords,
    http::Refused,
    limit::LoginGuard,
    testing::Issuer,
    tower::GateLayer,
};
use tokio::{net::TcpListener, sync::Mutex};

struct Order {
    id: String,
    owner: String,
    total: i64,
}

entity! {
    Order as "Order" by id { owner: "User", total: long }
}

type Orders = Arc<Mutex<BTreeMap<String, Order>>>;

async fn show(
    Extension(caller): Extension<Caller>,
    State(orders): State<Orders>,
    Path(id): Path<String>,
) -> Result<Json<i64>, Refused> {
    let orders = orders.lock().await;
    let order = orders.get(&id).ok_or(Reason::ResourceUnknown)?;
    caller.may("order:read", order)?;
    Ok(Json(order.total))
}

async fn create(
    Extension(caller): Extension<Caller>,
    State(orders): State<Orders>,
    Json(total): Json<i64>,
) -> Result<(StatusCode, Json<String>), Refused> {
    let mut orders = orders.lock().await;
    let id = (orders.len() + 1).to_string();
    let owner = caller.principal().ok_or(Reason::CredentialMissing)?.id().to_owned();
    orders.insert(id.clone(), Order { id: id.clone(), owner, total });
    Ok((StatusCode::CREATED, Json(id)))
}

async fn refund(
    Extension(caller): Extension<Caller>,
    State(orders): State<Orders>,
    Path(id): Path<String>,
) -> Result<Json<i64>, Refused> {
    let mut orders = orders.lock().await;
    let order = orders.get_mut(&id).ok_or(Reason::ResourceUnknown)?;
    caller.may("order:refund", order)?;
    Ok(Json(std::mem::take(&mut order.total)))
}

/// The keys of partners: one that counts, a revoked one, and two that are not in the table, of
/// which one is for tests. A service would show a key once and keep the table.
fn partner_keys() -> Result<(ApiKeys, [String; 4]), Box<dyn Error>> {
    let now = clock::now().wall;
    let grant = || {
        let ninety_days = Duration::from_secs(90 * 86_400);
        KeyGrant::until("acme", now.saturating_add(ninety_days)).roles(["clerk"])
    };
    let table = MemoryKeys::new(1_000);
    let keys = ApiKeys::new("keys", "orders_live", table.clone()).roles(["clerk"]);
    let (good, revoked) = (keys.issue(grant(), now)?, keys.issue(grant(), now)?);
    table.insert(good.record().clone())?;
    table.insert(revoked.record().clone())?;
    table.revoke(revoked.record().id(), now)?;
    let unknown = keys.issue(grant(), now)?;
    let test = ApiKeys::new("keys", "orders_test", MemoryKeys::new(1)).issue(grant(), now)?;
    Ok((keys, [good, revoked, unknown, test].map(|key| key.expose().to_owned())))
}

/// One back-office user, `paula`, by HTTP Basic. Guesses at her password are slowed down.
async fn back_office() -> Result<GuardedPasswords, Box<dyn Error>> {
    let (hasher, users) = (Hasher::with_threads(1).start()?, MemoryPasswords::default());
    let stored = hasher.hash(&Secret::new(PASSWORD.as_bytes())).await?;
    users.insert(PasswordRecord::new("paula", "paula", stored).roles(["manager"]))?;
    let passwords = Passwords::new("office", users, hasher).roles(["manager"]);
    Ok(GuardedPasswords::new(passwords, LoginGuard::builder().start()?))
}

const PASSWORD: &str = "correct horse battery staple";

fn app(
    issuer: &Issuer,
    keys: ApiKeys,
    passwords: GuardedPasswords,
) -> Result<Router, Box<dyn Error>> {
    let policies =
        PolicySet::from_document(Document::from_toml(include_str!("orders.policy.toml"))?)?;
    policies.check::<Order>()?;

    let routes = Routes::new()
        .public("GET", "/health")
        .action("POST", "/orders", "order:create")
        .action("GET", "/orders/{id}", "order:read")
        .action("POST", "/orders/{id}/refund", "order:refund")
        .role("*", "/admin/{*rest}", "manager");

    let roles = RoleMap::claim("roles").only(["customer", "clerk", "manager"]);
    let gate = Gate::builder()
        .authenticate(issuer.verifier("staff").roles(roles))
        .authenticate(keys)
        .authenticate(passwords)
        .policies(policies)
        .routes(routes)
        .limit_clients(Quota::per_second(200))
        .limit_principals(Quota::per_minute(60).burst(20))
        .audit(JsonLines::new(io::stderr(), 1024)?)
        .build()?;

    let layer = GateLayer::new(gate)
        .peer(|ext| ext.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
        .template(|ext| ext.get::<MatchedPath>().map(MatchedPath::as_str));

    let order = |id: &str, owner: &str, total| {
        (id.to_owned(), Order { id: id.to_owned(), owner: owner.to_owned(), total })
    };
    let orders = BTreeMap::from([order("1", "staff/alice", 1200), order("2", "staff/bob", 800)]);
    Ok(Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/orders", post(create))
        .route("/orders/{id}", get(show))
        .route("/orders/{id}/refund", post(refund))
        .route("/admin/{*rest}", get(|| async { "the books" }))
        .layer(layer)
        .with_state(Arc::new(Mutex::new(orders))))
}

/// A line to paste for every case, with the answer to expect.
fn lines(issuer: &Issuer, keys: [String; 4], address: SocketAddr) -> Vec<String> {
    let now = clock::now().wall;
    let customer = |name| issuer.token(name).roles(["customer"]);
    let alice = customer("alice").sign(now);
    let clerk = issuer.token("clara").roles(["clerk"]).sign(now);
    let manager = issuer.token("mara").roles(["manager"]).sign(now);
    let [key, revoked, unknown, test] = keys.map(Some);
    let cases = [
        (Some(alice.clone()), "GET", "/orders/1", "200: her own order"),
        (Some(clerk.clone()), "GET", "/orders/1", "200: a clerk reads every order"),
        (Some(clerk.clone()), "POST", "/orders", "201: a clerk creates one"),
        (Some(manager.clone()), "POST", "/orders/2/refund", "200: a manager refunds"),
        (Some(manager), "GET", "/admin/books", "200: a manager in the back office"),
        (key, "GET", "/orders/2", "200: a partner's API key"),
        (None, "GET", "/health", "200: public"),
        (Some(alice.clone()), "GET", "/orders/2", "403: someone else's order"),
        (Some(alice), "POST", "/orders/1/refund", "403: wrong role"),
        (Some(clerk), "GET", "/admin/books", "403: wrong role"),
        (Some(customer("alice").expired().sign(now)), "GET", "/orders/1", "401: expired"),
        (Some(customer("alice").signed_by_stranger().sign(now)), "GET", "/orders/1", "401: forged"),
        (
            Some(customer("alice").for_audience("billing").sign(now)),
            "GET",
            "/orders/1",
            "401: meant for another service",
        ),
        (revoked, "GET", "/orders/2", "401: a revoked key"),
        (unknown, "GET", "/orders/2", "401: a key that is not in the table"),
        (test, "GET", "/orders/2", "401: a key for tests"),
        (None, "GET", "/orders/1", "401: no credential"),
        (None, "GET", "/secrets", "404: unlisted route"),
    ];
    let line = |(token, method, path, expect): (Option<String>, &str, &str, &str)| {
        let token =
            token.map(|token| format!(" -H 'Authorization: Bearer {token}'")).unwrap_or_default();
        let body = if (method, path) == ("POST", "/orders") { " --json 250" } else { "" };
        format!(
            "curl -s -o /dev/null -w '%{{http_code}}\\n' -X {method}{body}{token} http://{address}{path} # expect {expect}"
        )
    };
    let mut lines: Vec<_> = cases.into_iter().map(line).collect();
    for (password, expect) in [(PASSWORD, "200: a user's password"), ("guess", "401: a wrong one")]
    {
        lines.push(format!(
            "curl -s -o /dev/null -w '%{{http_code}}\\n' -u 'paula:{password}' http://{address}/admin/books # expect {expect}"
        ));
    }
    let robot = customer("robot").sign(now);
    lines.push(format!(
        "curl -s -o /dev/null -w '%{{http_code}}\\n' -H 'Authorization: Bearer {robot}' \
         'http://{address}/admin/books?try=[1-30]' | tail -n 1 # expect 429: too many requests"
    ));
    lines
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer::new("https://id.example");
    let address = env::var("ORDERS_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let (keys, texts) = partner_keys()?;
    for line in lines(&issuer, texts, listener.local_addr()?) {
        println!("{line}");
    }
    let service = app(&issuer, keys, back_office().await?)?
        .into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}
