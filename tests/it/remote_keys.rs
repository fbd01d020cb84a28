//! Key sets fetched from real servers on this machine: what they may do, and what comes of it.

mod server;
mod soak;

use std::time::Duration;

use portcullis::{
    Admission, Algorithm, AuthnErrorKind, Credential, Facts, Gate, JwtIssuers, JwtVerifier,
    Refusal, Routes,
    authn::{
        Outbound,
        jwt::{
            Discovery, FetchError, KeyError, KeysHealth, RemoteKeys, RemoteSet, profile::JwtSvids,
        },
    },
    clock,
    fetch::Refresher,
    testing::Issuer,
};
use server::{Behaviour, Server};

const ISSUER: &str = "https://id.example";
/// A time that no test waits for to its end.
const LONG: Duration = Duration::from_secs(20);

fn old() -> Issuer {
    Issuer::new(ISSUER).with_algorithm(Algorithm::Es256)
}

fn new() -> Issuer {
    Issuer::new(ISSUER).with_algorithm(Algorithm::EdDsa)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A set at this address, in a hurry.
fn hurried(set: RemoteSet) -> RemoteSet {
    set.outbound(Outbound::default().allow_loopback())
        .every(millis(200))
        .cooldown(millis(50))
        .retry(millis(20))
        .timeout(millis(300))
}

fn remote(url: String) -> (RemoteKeys, Refresher) {
    let keys = RemoteKeys::new(hurried(RemoteSet::at(url))).unwrap();
    let refresher = Refresher::start(&keys).unwrap();
    (keys, refresher)
}

/// Waits until the set is as `wanted`.
fn until(keys: &RemoteKeys, wanted: impl Fn(KeysHealth) -> bool) -> KeysHealth {
    let begun = clock::mono();
    loop {
        let now = clock::now();
        let health = keys.health(now);
        if wanted(health) {
            return health;
        }
        assert!(now.mono < begun.saturating_add(LONG), "{health:?}");
        std::thread::sleep(millis(5));
    }
}

fn kind(verifier: &JwtVerifier, issuer: &Issuer) -> Option<AuthnErrorKind> {
    let now = clock::now().wall;
    verifier.verify_token(&issuer.token("alice").sign(now), now).err().map(|error| error.kind())
}

fn verifier(keys: &RemoteKeys) -> JwtVerifier {
    JwtVerifier::new("staff", ISSUER, old_audience(), keys.clone())
}

/// The audience that the kit's tokens are for.
fn old_audience() -> &'static str {
    "orders"
}

#[test]
fn a_service_starts_before_its_issuer() {
    let server = Server::start(Behaviour::Status(500));
    let (keys, _refresher) = remote(server.url("/keys"));
    assert!(keys.ready(millis(50)).is_err());
    let held = Issuer::new("https://other.example").with_audience("orders");
    let gate = Gate::builder()
        .authenticate(JwtIssuers::new([verifier(&keys), held.verifier("other")]))
        .routes(Routes::new().authenticated("GET", "/me"))
        .build()
        .unwrap();
    let ask = |issuer: &Issuer| -> Result<(), Refusal> {
        let now = clock::now();
        let token = issuer.token("alice").sign(now.wall);
        let mut facts = Facts::default();
        (facts.method, facts.path, facts.secure) = (Some("GET"), Some("/me"), true);
        let admission = gate.admit(Credential::Bearer(&token), &facts, now);
        let Admission::Done(result) = admission else { panic!("{admission:?}") };
        result.map(drop)
    };
    let refused = ask(&old()).unwrap_err();
    assert_eq!((refused.status(), refused.retry_after_secs()), (503, Some(1)));
    assert!(ask(&held).is_ok(), "other issuers' tokens work");
    server.behave(Behaviour::Keys(old().jwks()));
    keys.ready(LONG).unwrap();
    assert!(ask(&old()).is_ok());
}

#[test]
fn the_bundle_of_a_trust_domain_rotates_and_withdraws_all() {
    let bundle = |issuers: &[Issuer], sequence: u64| {
        let keys = issuers.iter().map(|issuer| {
            let mut set: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
            set["keys"][0]["use"] = "jwt-svid".into();
            set["keys"][0].take()
        });
        let keys: Vec<_> = keys.collect();
        Behaviour::Body(
            serde_json::json!({ "keys": keys, "spiffe_sequence": sequence }).to_string(),
        )
    };
    let second = || Issuer::new(ISSUER).with_algorithm(Algorithm::Es384);
    let server = Server::start(bundle(&[old()], 5));
    let set = hurried(RemoteSet::spiffe_bundle(server.url("/bundle")));
    let keys = RemoteKeys::new(set.every(LONG)).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    keys.ready(LONG).unwrap();
    let svids = JwtSvids::new("workloads", "prod.example", "orders", keys.clone());
    let kind = |issuer: &Issuer| {
        let now = clock::now().wall;
        let token = issuer.token("spiffe://prod.example/a").header("typ", "JWT");
        let token = token.without_claim("iss").sign(now);
        svids.verify_token(&token, now).err().map(|error| error.kind())
    };
    assert_eq!(kind(&old()), None);

    // Nothing is due for long: the first token of the new key brings the fetch forward.
    server.behave(bundle(&[old(), second()], 6));
    assert_eq!(kind(&second()), Some(AuthnErrorKind::Unavailable));
    until(&keys, |health| health.keys == 2);
    assert_eq!((kind(&old()), kind(&second())), (None, None));

    let set = hurried(RemoteSet::spiffe_bundle(server.url("/bundle")));
    let keys = RemoteKeys::new(set).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    until(&keys, |health| health.keys == 2);
    server.behave(bundle(&[old()], 5));
    until(&keys, |health| health.error == Some(FetchError::Outdated));
    assert_eq!(keys.health(clock::now()).keys, 2, "what was in force before is not heard");
    server.behave(bundle(&[], 7));
    until(&keys, |health| health.keys == 0 && health.error.is_none());
}

#[test]
fn rotation_and_withdrawal() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let (keys, _refresher) = remote(server.url("/keys"));
    keys.ready(LONG).unwrap();
    let verifier = verifier(&keys);
    assert_eq!(kind(&verifier, &old()), None);
    server.behave(Behaviour::Keys(new().jwks()));
    // The first token with the new key brings the fetch forward; meanwhile it is no 401.
    while let Some(kind) = kind(&verifier, &new()) {
        assert_eq!(kind, AuthnErrorKind::Unavailable);
        std::thread::sleep(millis(5));
    }
    assert!(kind(&verifier, &old()).is_some(), "withdrawn");
    while kind(&verifier, &old()) != Some(AuthnErrorKind::Invalid) {
        std::thread::sleep(millis(5));
    }
}

#[test]
fn an_unchanged_set_is_asked_for_by_its_tag() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let (keys, _refresher) = remote(server.url("/keys"));
    keys.ready(LONG).unwrap();
    while server.unchanged() < 2 {
        assert_eq!(kind(&verifier(&keys), &old()), None);
        std::thread::sleep(millis(5));
    }
    assert_eq!(keys.health(clock::now()).failures, 0);
}

#[test]
fn attack_server_that_misbehaves_while_keys_are_held() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let (keys, _refresher) = remote(server.url("/keys"));
    keys.ready(LONG).unwrap();
    let verifier = verifier(&keys);
    for (behaviour, expected) in [
        (Behaviour::Status(500), FetchError::Status),
        (Behaviour::Hang, FetchError::TimedOut),
        (Behaviour::Body("<html>".to_owned()), FetchError::Garbage),
        (Behaviour::Body(r#"{"keys":[]}"#.to_owned()), FetchError::Garbage),
        (
            Behaviour::Body(Issuer::new(ISSUER).with_algorithm(Algorithm::Hs256).jwks()),
            FetchError::SharedSecret,
        ),
        (Behaviour::Giant, FetchError::TooLarge),
        (Behaviour::Redirect("https://127.0.0.1:1/keys".to_owned()), FetchError::Forbidden),
        (Behaviour::Redirect("http://10.0.0.1/keys".to_owned()), FetchError::Forbidden),
        (Behaviour::Redirect("http://169.254.169.254/keys".to_owned()), FetchError::Forbidden),
        (Behaviour::Redirect("/keys".to_owned()), FetchError::Forbidden),
    ] {
        server.behave(behaviour.clone());
        let health = until(&keys, |health| health.error == Some(expected));
        assert_eq!(health.keys, 1, "{behaviour:?}");
        assert_eq!(kind(&verifier, &old()), None, "{behaviour:?}: the old keys go on");
    }
    server.behave(Behaviour::Keys(old().jwks()));
    until(&keys, |health| health.failures == 0);
}

#[test]
fn a_redirect_of_the_same_scheme_is_followed() {
    let keeper = Server::start(Behaviour::Keys(old().jwks()));
    let server = Server::start(Behaviour::Redirect(keeper.url("/keys")));
    let (keys, _refresher) = remote(server.url("/keys"));
    keys.ready(LONG).unwrap();
}

#[test]
fn attack_name_that_is_this_machine() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let url = server.url("/keys").replace("127.0.0.1", "localhost").replace("http:", "https:");
    let keys = RemoteKeys::new(RemoteSet::at(url).retry(millis(20))).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    until(&keys, |health| health.error == Some(FetchError::Forbidden));
    assert_eq!(server.requests(), 0, "not even a connection");
    assert!(RemoteKeys::new(RemoteSet::at(server.url("/keys"))).is_err(), "in the clear");
}

#[test]
fn attack_storm_of_unknown_kids() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let set = hurried(RemoteSet::at(server.url("/keys"))).every(LONG).cooldown(LONG / 2);
    let keys = RemoteKeys::new(set).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    keys.ready(LONG).unwrap();
    let verifier = verifier(&keys);
    let now = clock::now().wall;
    let token = new().token("alice").sign(now);
    let (_, rest) = token.split_once('.').unwrap();
    for n in 0..1000 {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{n}"}}"#);
        let header = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, header);
        let refused = verifier.verify_token(&format!("{header}.{rest}"), now).unwrap_err();
        assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
        assert_eq!(kind(&verifier, &old()), None, "known keys are never held up");
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn attack_known_kid_under_another_algorithm_is_not_looked_for() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let (keys, _refresher) = remote(server.url("/keys"));
    keys.ready(LONG).unwrap();
    let now = clock::now().wall;
    let token = new().token("alice").header("kid", "test-es256").sign(now);
    let refused = verifier(&keys).verify_token(&token, now).unwrap_err();
    assert_eq!(refused.detail(), "the key with the token's `kid` is not for its `alg`");
    assert_eq!(refused.kind(), AuthnErrorKind::Invalid);
}

#[test]
fn attack_storm_of_tokens_without_kid() {
    let server = Server::start(Behaviour::Keys(old().jwks()));
    let set = hurried(RemoteSet::at(server.url("/keys"))).every(LONG).cooldown(millis(1));
    let keys = RemoteKeys::new(set).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    keys.ready(LONG).unwrap();
    let verifier = verifier(&keys);
    let now = clock::now().wall;
    let token = |issuer: &Issuer| issuer.token("alice").without_header("kid");
    let judge = |token: &str| verifier.verify_token(token, now).map_err(|error| error.kind());
    assert!(judge(&token(&old()).sign(now)).is_ok(), "the one key of its algorithm");
    for _ in 0..1000 {
        let forged = token(&old()).signed_by_stranger().sign(now);
        assert_eq!(judge(&forged).map(drop), Err(AuthnErrorKind::Invalid));
        assert_eq!(judge(&token(&new()).sign(now)).map(drop), Err(AuthnErrorKind::Invalid));
    }
    std::thread::sleep(millis(50));
    assert_eq!(server.requests(), 1);
}

#[test]
fn attack_secret_among_fetched_keys() {
    let secret = Issuer::new(ISSUER).with_algorithm(Algorithm::Hs256);
    let server = Server::start(Behaviour::Keys(server::union(&secret.jwks(), &old().jwks())));
    let (keys, _refresher) = remote(server.url("/keys"));
    keys.ready(LONG).unwrap();
    let health = keys.health(clock::now());
    assert_eq!((health.keys, health.skipped, health.secrets, health.error), (1, 1, 1, None));
    assert_eq!(keys.skipped()[0].reason, KeyError::SecretAmongPublic);
    let verifier = verifier(&keys);
    assert_eq!(kind(&verifier, &old()), None, "the good key is not taken away");
    while let Some(refused) = kind(&verifier, &secret) {
        if refused == AuthnErrorKind::Invalid {
            return;
        }
        // Its `kid` is looked for once.
        assert_eq!(refused, AuthnErrorKind::Unavailable);
        std::thread::sleep(millis(5));
    }
    panic!("anybody can sign with this secret");
}

#[test]
fn discovery_leads_to_the_keys() {
    let server = Server::start(Behaviour::Discovery(old().jwks()));
    let set = RemoteSet::discovered(server.url("/t"), Discovery::OpenId);
    let keys = RemoteKeys::new(hurried(set)).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    keys.ready(LONG).unwrap();
    // The document says `/t`, byte by byte.
    let other = RemoteSet::discovered(server.url("/t/"), Discovery::OpenId);
    let other = RemoteKeys::new(hurried(other)).unwrap();
    let _refresher = Refresher::start(&other).unwrap();
    until(&other, |health| health.error == Some(FetchError::OtherIssuer));
}
