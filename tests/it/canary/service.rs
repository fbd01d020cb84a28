//! A service that takes every kind of credential, watched from all sides.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    ApiKeys, Caller, Document, Gate, Mono, Now, PolicySet, Routes, Secret, UnixTime,
    authn::{
        jwt::{Algorithm, JwtIssuers, JwtVerifier, Key, KeySet},
        password::{Cost, Hasher, PasswordRecord, Passwords},
        session::Sessions,
    },
    gate::GuardedPasswords,
    limit::LoginGuard,
    testing::{Issuer, RequestBuilder, request},
    tower::GateLayer,
};
use tower::{Layer, ServiceExt, service_fn};

use super::{
    stores::Stores,
    watch::{Channel, Sinks, Watch},
};
use crate::kit::block_on;

/// Shared with the issuer of HS256 tokens.
pub(super) const HMAC: &str = "hmac-Canary-8e0c5b7a91d24f63-hmac";
/// Signs device cookies.
pub(super) const DEVICE_KEY: &str = "device-Canary-51f09c3e7ab24d86-key";
pub(super) const PASSWORD: &str = "password-Canary-7d31c9";

pub(super) struct Service {
    pub(super) watch: Watch,
    pub(super) stores: Stores,
    pub(super) issuer: Issuer,
    pub(super) keys: ApiKeys,
    pub(super) logins: GuardedPasswords,
    pub(super) guard: LoginGuard,
    pub(super) sessions: Sessions,
    pub(super) down: Arc<AtomicBool>,
    pub(super) sinks: Arc<Sinks>,
    layer: GateLayer,
}

/// In a request's extensions: it came encrypted.
#[derive(Clone)]
pub(super) struct Tls;

pub(super) fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

impl Service {
    pub(super) fn new() -> Self {
        let (watch, down) = (Watch::default(), Arc::new(AtomicBool::new(false)));
        let (stores, sinks) = (Stores::new(&down), watch.sinks());
        let issuer = Issuer::new("https://id.example");
        let shared = Secret::new(HMAC.as_bytes());
        let key = Key::from_secret(Algorithm::Hs256, &shared).unwrap();
        let set = KeySet::new([key.clone()]).unwrap();
        let shop = JwtVerifier::new("shop", "https://shop.example", "orders", set.clone());
        let keys = ApiKeys::new("keys", "orders_live", stores.clone()).header("x-api-key");
        let hasher = hasher();
        let stored = block_on(hasher.hash(&Secret::new(PASSWORD.as_bytes()))).unwrap();
        let record = PasswordRecord::new("alice", "alice", stored);
        stores.users.insert(record.clone()).unwrap();
        let passwords = Passwords::new("office", stores.clone(), hasher.clone());
        let builder = LoginGuard::builder().device_key(Secret::new(DEVICE_KEY.as_bytes()));
        watch.look_at(&builder);
        let guard = builder.attempts(3).start().unwrap();
        let logins = GuardedPasswords::new(passwords.clone(), guard.clone());
        let sessions = Sessions::new("visits", stores.clone());
        watch.look_at(&(&issuer, shared, key, set, &shop, &keys, &hasher, record));
        watch.look_at(&(passwords, &guard, &logins, &sessions, &stores));
        let gate = Gate::builder()
            .authenticate(JwtIssuers::new([issuer.verifier("staff"), shop]))
            .authenticate(keys.clone())
            .authenticate(logins.clone())
            .authenticate(sessions.clone())
            .policies(policies())
            .routes(routes())
            .audit(Arc::clone(&sinks));
        watch.look_at(&gate);
        let gate = gate.build().unwrap();
        watch.look_at(&gate);
        let layer = GateLayer::new(gate)
            .grpc()
            .now(|ext| ext.get::<Now>().copied())
            .secure(|ext| ext.get::<Tls>().is_some())
            .peer(|ext| ext.get::<IpAddr>().copied());
        watch.look_at(&layer);
        Self { watch, stores, issuer, keys, logins, guard, sessions, down, sinks, layer }
    }

    /// While the stores cannot be reached.
    pub(super) fn without_stores<T>(&self, work: impl FnOnce() -> T) -> T {
        self.down.store(true, Ordering::Relaxed);
        let result = work();
        self.down.store(false, Ordering::Relaxed);
        result
    }

    /// Sends a request and hears the answer: its status, or 0 when the handler panicked.
    pub(super) fn send(&self, request: RequestBuilder) -> u16 {
        self.watch.look_at(&request);
        let watch = self.watch.clone();
        let inner =
            service_fn(move |request: Request<Empty<Bytes>>| handle(watch.clone(), request));
        let service = self.layer.layer(inner);
        let response = self.watch.during(|| {
            block_on(async {
                let response = service.oneshot(request.at(noon()).build()).await.unwrap();
                self.watch.look_at(&response.extensions().get::<portcullis::Refusal>());
                let (parts, body) = response.into_parts();
                self.watch.hear(Channel::Head, format!("{:?}", parts.headers));
                for value in parts.headers.values() {
                    self.watch.hear(Channel::Head, value.as_bytes());
                }
                self.watch.hear(Channel::Body, body.collect().await.unwrap().to_bytes());
                parts.status.as_u16()
            })
        });
        self.sinks.flush();
        response.unwrap_or(0)
    }

    /// Sends what `carry` makes of a request to every place where it may end differently: open,
    /// closed, forbidden, unknown, ambiguous path, panicking; last, in the clear.
    pub(super) fn everywhere(&self, carry: impl Fn(RequestBuilder) -> RequestBuilder) -> Vec<u16> {
        let paths = ["/", "/me", "/admin", "/nowhere", "/a//me", "/panic"];
        let mut statuses: Vec<_> =
            paths.iter().map(|path| self.send(carry(over_tls(path)))).collect();
        statuses.push(self.send(carry(request("GET", "/me").extension(PEER))));
        statuses
    }
}

pub(super) const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

pub(super) fn over_tls(path: &str) -> RequestBuilder {
    request("GET", path).extension(PEER).extension(Tls)
}

/// Says on purpose on one channel what it should not.
#[derive(Clone, Debug)]
pub(super) struct Leak(pub(super) Channel, pub(super) String);

async fn handle(
    watch: Watch,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let caller: &Caller = request.extensions().get().unwrap();
    watch.look_at(caller);
    watch.look_at(&(request.headers(), caller.principal()));
    let _span = portcullis::tracing::span(caller).entered();
    let mut response = Response::new(Full::default());
    match (request.uri().path(), request.extensions().get::<Leak>()) {
        ("/panic", _) => panic!("the handler of {caller:?} gave up on {:?}", request.headers()),
        (_, Some(Leak(Channel::Panic, text))) => panic!("{text}"),
        (_, Some(Leak(Channel::Head, text))) => {
            response.headers_mut().insert("x-leak", text.parse().unwrap());
        }
        (_, Some(Leak(Channel::Body, text))) => {
            *response.body_mut() = Full::from(text.clone());
        }
        (_, Some(leak @ Leak(Channel::Debug, _))) => watch.look_at(leak),
        (_, Some(Leak(Channel::Tracing, text))) => tracing::trace!(text = text.as_str(), "leak"),
        (_, _) => {}
    }
    Ok(response)
}

pub(super) fn hasher() -> Hasher {
    let cost = Cost::insecure_new(64, 1, 1).unwrap();
    Hasher::with_threads(1).cost(cost).start().unwrap()
}

pub(super) fn later(secs: u64) -> UnixTime {
    noon().wall.saturating_add(Duration::from_secs(secs))
}

fn policies() -> PolicySet {
    let text = "[resources.Order]\nactions = [\"order:read\"]\n[roles]\nmanager = {}\n";
    PolicySet::from_document(Document::from_toml(text).unwrap()).unwrap()
}

fn routes() -> Routes {
    Routes::new()
        .public("GET", "/")
        .authenticated("GET", "/me")
        .authenticated("GET", "/panic")
        .role("GET", "/admin", "manager")
}
