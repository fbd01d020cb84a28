//! Layers for one stage: the same service, alone or one inside the other.

use std::{convert::Infallible, net::IpAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use portcullis::{
    Caller, Document, Gate, GateBuilder, PolicySet, Principal, Quota, Routes,
    audit::EventName,
    entity,
    http::Refused,
    testing::{Recorder, assert_refused},
    tower::{AuthenticateLayer, AuthorizeLayer, GateLayer, Gated, RateLimitLayer},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{
    kit::{Word, block_on, only, reason},
    tower::{Strict, request, text},
};

const POLICY: &str = r#"
    [resources.Order]
    attributes = { owner = "User" }
    actions = ["order:read"]
    [[rule]]
    id = "owner-reads-own"
    effect = "permit"
    actions = ["order:read"]
    when = "resource.owner == principal"
"#;

struct Order {
    id: &'static str,
    owner: &'static str,
}

entity! {
    Order as "Order" by id { owner: "User" }
}

fn words() -> GateBuilder {
    Gate::builder().authenticate(Word).insecure_allow_cleartext()
}

fn orders() -> GateBuilder {
    let routes = Routes::new().action("GET", "/{owner}", "order:read").public("GET", "/a/b");
    let policies = PolicySet::from_document(Document::from_toml(POLICY).unwrap()).unwrap();
    Gate::builder().routes(routes).policies(policies)
}

fn here(_: &http::Extensions) -> Option<IpAddr> {
    Some([127, 0, 0, 1].into())
}

fn merlin() -> Principal {
    Principal::assertion("wizards", "merlin").finish().unwrap()
}

/// Asks about the order of the wizard whom the path names.
async fn show(request: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let caller: &Caller = request.extensions().get().unwrap();
    let own = request.uri().path() == "/merlin";
    let owner = if own { "wizards/merlin" } else { "wizards/morgana" };
    let answer = caller.may("order:read", &Order { id: "7", owner }).map_err(Refused::from);
    let id = caller.correlation_id().to_string();
    Ok(answer.map_or_else(|no| no.map(|_| Full::default()), |()| Response::new(Full::from(id))))
}

#[test]
fn every_layer_calls_the_service_that_was_ready() {
    let authenticate = AuthenticateLayer::new(words()).unwrap();
    let limit = Gate::builder().limit_clients(Quota::per_minute(60));
    let limit = RateLimitLayer::new(limit).unwrap().peer(here);
    let authorize = Gate::builder().routes(Routes::new().authenticated("GET", "/{*rest}"));
    let authorize = AuthorizeLayer::new(authorize).unwrap();
    let check = |mut service: Gated<Strict>| {
        block_on(async {
            for word in ["xyzzy", "slow", "slow", "xyzzy"] {
                let mut request = request("/a", word);
                request.extensions_mut().insert(merlin());
                let ready = service.ready().await.unwrap();
                assert_eq!(text(ready.call(request).await.unwrap()).await, "wizards/merlin");
            }
        });
    };
    check(authenticate.layer(Strict::default()));
    check(limit.layer(Strict::default()));
    check(authorize.layer(Strict::default()));

    let mut nested = limit.layer(authenticate.layer(authorize.layer(Strict::default())));
    block_on(async {
        for word in ["xyzzy", "slow", "wrong", "slow"] {
            let response = nested.ready().await.unwrap().call(request("/a", word)).await.unwrap();
            assert_eq!(response.status().is_success(), word != "wrong", "{word}");
        }
    });
}

#[test]
fn one_inside_the_other_they_are_one_gate() {
    let (log, inner) = (Recorder::default(), Recorder::default());
    let limit = |builder| RateLimitLayer::new(builder).unwrap().peer(here);
    let service = ServiceBuilder::new()
        .layer(limit(Gate::builder().limit_clients(Quota::per_minute(6)).audit(log.clone())))
        .layer(AuthenticateLayer::new(words()).unwrap())
        .layer(AuthorizeLayer::new(orders().audit(inner.clone())).unwrap())
        .layer(limit(Gate::builder().limit_principals(Quota::per_minute(3))))
        .service(service_fn(show));
    let ask = |path, word| block_on(service.clone().oneshot(request(path, word))).unwrap();

    // The handler's caller is the one that knows the policies, with the outermost layer's id.
    let served = ask("/merlin", "xyzzy");
    assert_eq!(served.status(), 200);
    let event = only(&log);
    assert_eq!(block_on(text(served)), event.event().correlation.to_string());
    assert_eq!(event.event().name, EventName::AuthzAllow);
    assert_eq!(only(&inner).event().rule, Some("owner-reads-own"));

    let check = |path, word, status, why| {
        let response = ask(path, word);
        assert_refused(&response, status, why);
        let event = only(&log);
        assert_eq!(reason(&event), Some(why));
        let id = event.event().correlation.to_string();
        assert!(block_on(text(response)).contains(&id), "{why}");
    };
    check("/morgana", "slow", 403, "no_rule");
    check("/merlin", "wrong", 401, "invalid");
    check("/no/where", "xyzzy", 404, "route_unlisted");
    assert_eq!(ask("/merlin", "xyzzy").status(), 200);
    assert_eq!(reason(&only(&log)), None);
    check("/merlin", "xyzzy", 429, "principal_throttled");
    check("/merlin", "xyzzy", 429, "client_throttled");
}

#[test]
fn a_layer_for_authorization_looks_at_no_credential() {
    let layer = AuthorizeLayer::new(orders().authenticate(Word)).unwrap();
    let service = layer.layer(service_fn(show));
    let ask = |request| block_on(service.clone().oneshot(request)).unwrap();
    let anonymous = ask(request("/merlin", "xyzzy"));
    assert_refused(&anonymous, 401, "credential_missing");
    assert_eq!(anonymous.headers()["www-authenticate"], r#"Word realm="wizards""#);
    let mut proven = request("/merlin", "wrong");
    proven.extensions_mut().insert(merlin());
    assert_eq!(ask(proven).status(), 200);

    // Nor does it help where credentials are what counts.
    let gate = orders().proven_elsewhere().insecure_allow_cleartext().build().unwrap();
    let service = GateLayer::new(gate).layer(service_fn(show));
    let mut unproven = request("/merlin", "xyzzy");
    unproven.extensions_mut().insert(merlin());
    let refused = block_on(service.oneshot(unproven)).unwrap();
    assert_refused(&refused, 401, "credential_unsupported");
}

#[test]
fn a_request_without_a_credential_passes_where_that_is_optional() {
    let who = |layer: AuthenticateLayer, request: Request<Empty<Bytes>>| {
        let response = block_on(layer.layer(Strict::default()).oneshot(request)).unwrap();
        (response.status().as_u16(), block_on(text(response)))
    };
    let bare = || Request::get("//any;path").body(Empty::new()).unwrap();
    let optional = || AuthenticateLayer::optional(words()).unwrap();
    assert_eq!(who(optional(), bare()), (200, String::new()));
    assert_eq!(who(optional(), request("/", "xyzzy")), (200, "wizards/merlin".to_owned()));
    assert_eq!(who(optional(), request("/", "wrong")).0, 401);
    assert_eq!(who(AuthenticateLayer::new(words()).unwrap(), bare()).0, 401);
}

#[test]
fn what_a_layer_would_not_look_at_is_an_error() {
    let routes = || Routes::new().public("GET", "/");
    let error = AuthenticateLayer::new(words().routes(routes())).unwrap_err();
    assert!(error.to_string().contains("give them to `AuthorizeLayer`"), "{error}");
    let error = RateLimitLayer::new(Gate::builder().routes(routes())).unwrap_err();
    assert!(error.to_string().contains("give them to `AuthorizeLayer`"), "{error}");
    let error = AuthenticateLayer::new(Gate::builder()).unwrap_err();
    assert!(error.to_string().contains("add an authenticator"), "{error}");
    let error = AuthorizeLayer::new(Gate::builder()).unwrap_err();
    assert!(error.to_string().contains("no routes"), "{error}");
}
