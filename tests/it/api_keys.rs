//! API keys through the gate and the layer: where they may stand, and what a caller can tell.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    ApiKeys, Caller, Document, Gate, KeyGrant, MemoryKeys, Mono, Now, PolicySet, Routes, UnixTime,
    authn::{
        Answer, StoreError,
        api_key::{KeyId, KeyRecord, KeyStore, NewKey},
    },
    testing::{Issuer, Recorder, RequestBuilder, request},
    tower::GateLayer,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::kit::{block_on, only, reason};

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn grant() -> KeyGrant {
    KeyGrant::until("acme", noon().wall.saturating_add(Duration::from_secs(60)))
}

/// A table that answers after a wait, or cannot be reached.
#[derive(Clone, Debug)]
enum Remote {
    Up(MemoryKeys),
    Down,
}

impl KeyStore for Remote {
    fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>> {
        let remote = self.clone();
        Answer::wait(async move {
            tokio::task::yield_now().await;
            match remote {
                Self::Up(table) => Ok(table.find(id)),
                Self::Down => Err(StoreError),
            }
        })
    }
}

/// A service that takes tokens, and keys from both of their places.
struct Service {
    issuer: Issuer,
    keys: ApiKeys,
    log: Recorder,
    gate: Gate,
}

impl Service {
    fn new(store: impl KeyStore) -> Self {
        let issuer = Issuer::new("https://id.example");
        let keys = ApiKeys::new("keys", "orders_live", store).header("x-api-key");
        let log = Recorder::default();
        let gate = Gate::builder()
            .authenticate(issuer.verifier("staff"))
            .authenticate(keys.clone())
            .routes(Routes::new().authenticated("GET", "/me"))
            .insecure_allow_cleartext()
            .audit(log.clone())
            .build()
            .unwrap();
        Self { issuer, keys, log, gate }
    }

    fn issue(&self, table: &MemoryKeys) -> NewKey {
        let new = self.keys.issue(grant(), noon().wall).unwrap();
        table.insert(new.record().clone()).unwrap();
        new
    }

    /// Status, headers and body.
    fn answer(&self, request: RequestBuilder) -> (StatusCode, HeaderMap, String) {
        let inner = service_fn(|request: Request<Empty<Bytes>>| async move {
            let caller: &Caller = request.extensions().get().unwrap();
            let id = caller.principal().unwrap().id().to_owned();
            Ok::<_, std::convert::Infallible>(Response::new(Full::from(id)))
        });
        let layer = GateLayer::new(self.gate.clone()).now(|ext| ext.get::<Now>().copied());
        let service = ServiceBuilder::new().layer(layer).service(inner);
        block_on(async {
            let response = service.oneshot(request.at(noon()).build()).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
        })
    }

    /// Status, and the reason of the event's refusal or the body.
    fn check(&self, request: RequestBuilder) -> (u16, String) {
        let (status, _, body) = self.answer(request);
        let event = only(&self.log);
        (status.as_u16(), reason(&event).map_or(body, str::to_owned))
    }
}

fn me() -> RequestBuilder {
    request("GET", "/me")
}

#[test]
fn a_key_stands_in_one_of_two_places() {
    let table = MemoryKeys::new(10);
    for service in [Service::new(table.clone()), Service::new(Remote::Up(table.clone()))] {
        let new = service.issue(&table);
        let (key, token) = (new.expose(), service.issuer.token("alice").sign(noon().wall));
        let served = (200, "keys/acme".to_owned());
        let refused = |status, reason: &str| (status, reason.to_owned());
        assert_eq!(service.check(me().bearer(key)), served);
        assert_eq!(service.check(me().header("x-api-key", key)), served);
        assert_eq!(service.check(me().bearer(&token)), (200, "staff/alice".to_owned()));

        let both = me().bearer(&token).header("x-api-key", key);
        assert_eq!(service.check(both), refused(400, "credential_ambiguous"));
        let twice = me().header("x-api-key", key).header("x-api-key", key);
        assert_eq!(service.check(twice), refused(400, "credential_ambiguous"));
        let other = me().header("x-other-key", key);
        assert_eq!(service.check(other), refused(401, "credential_missing"));
        let foreign = me().header("x-api-key", "sk_live_0123456789");
        assert_eq!(service.check(foreign), refused(401, "credential_unsupported"));
        let token = me().header("x-api-key", &token);
        assert_eq!(service.check(token), refused(401, "credential_unsupported"));
        let short = me().bearer("orders_live_0123456789");
        assert_eq!(service.check(short), refused(401, "malformed"));

        table.revoke(new.record().id(), noon().wall).unwrap();
        assert_eq!(service.check(me().bearer(key)), refused(401, "revoked"));
    }
}

#[test]
fn attack_a_key_in_the_query_string() {
    let table = MemoryKeys::new(1);
    let service = Service::new(table.clone());
    let new = service.issue(&table);
    let path = format!("/me?api_key={0}&access_token={0}", new.expose());
    let (status, _, body) = service.answer(request("GET", &path));
    assert_eq!(status, 401);
    let event = only(&service.log);
    let seen = format!("{:?} {body}", event.event());
    assert!(!seen.contains(new.expose()), "a query string is not recorded");
}

#[test]
fn attack_telling_unknown_ids_from_wrong_secrets_by_the_answer() {
    let table = MemoryKeys::new(10);
    let service = Service::new(table.clone());
    let known = service.issue(&table);
    let unknown = service.keys.issue(grant(), noon().wall).unwrap();
    // Its id is in the table; its secret no longer is.
    let replaced = service.keys.rotate(known.record(), noon().wall).unwrap();
    let replaced = service.keys.rotate(replaced.record(), noon().wall).unwrap();
    table.replace(replaced.record().clone()).unwrap();

    let answer = |key: &str| {
        let (status, headers, body) = service.answer(me().bearer(key));
        let event = only(&service.log);
        let id = event.event().correlation.to_string();
        (status, headers, body.replace(&id, "*"), reason(&event))
    };
    let (unknown, wrong) = (answer(unknown.expose()), answer(known.expose()));
    assert_eq!(unknown, wrong);
    assert_eq!((unknown.0.as_u16(), unknown.3), (401, Some("invalid")));
    let challenges: Vec<_> = unknown.1.get_all("www-authenticate").iter().cloned().collect();
    let expected =
        ["staff", "keys"].map(|realm| format!(r#"Bearer realm="{realm}", error="invalid_token""#));
    assert_eq!(challenges, expected);
    assert!(unknown.2.contains("*"), "{}", unknown.2);
}

#[test]
fn a_store_that_is_down_says_come_back_later() {
    let service = Service::new(Remote::Down);
    let new = service.keys.issue(grant(), noon().wall).unwrap();
    let (status, headers, _) = service.answer(me().bearer(new.expose()));
    assert_eq!((status.as_u16(), reason(&only(&service.log))), (503, Some("unavailable")));
    assert!(!headers.contains_key("www-authenticate"), "nothing is said of the credential");
}

#[test]
fn a_role_that_no_policy_knows_is_found_when_the_gate_is_built() {
    let build = |role: &str| {
        let text = "[resources.Order]\nactions = [\"order:read\"]\n[roles]\nclerk = {}\n";
        let document = Document::from_toml(text).unwrap();
        let policies = PolicySet::from_document(document).unwrap();
        let keys = ApiKeys::new("keys", "orders_live", MemoryKeys::new(1)).roles([role]);
        let gate = Gate::builder().authenticate(keys).policies(policies);
        gate.routes(Routes::new().authenticated("GET", "/me")).build()
    };
    assert!(build("clerk").is_ok());
    let told = build("clark").unwrap_err().to_string();
    let expected = "realm `keys`: no role `clark` in the policies; did you mean `clerk`?";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn scanners_find_keys_and_nothing_else() {
    let keys = ApiKeys::new("keys", "orders_live", MemoryKeys::new(1));
    let key = |keys: &ApiKeys| keys.issue(grant(), noon().wall).unwrap().expose().to_owned();
    let found = [key(&keys), key(&keys), key(&keys)];
    let test = ApiKeys::new("keys", "orders_test", MemoryKeys::new(1));
    let text = format!(
        "ORDERS_KEY={}\nlet key = \"{}\"; // orders_live_short {}\ncurl -H 'x-api-key: {}'\n",
        found[0],
        found[1],
        key(&test),
        found[2]
    );
    let mut grep = Command::new("grep")
        .args(["-E", "-o", &keys.scanner_pattern()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    grep.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = String::from_utf8(grep.wait_with_output().unwrap().stdout).unwrap();
    assert!(output.lines().eq(found.iter()), "{output}");
    assert!(output.lines().all(|line| keys.key_id(line).is_some()));
}
