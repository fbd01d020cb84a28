//! Opaque tokens of a real authorization server, the npm package `oidc-provider`, on this machine.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis::{
    AuthnError, AuthnErrorKind, Now, Principal, RoleMap, Secret,
    authn::{
        Outbound,
        introspection::{Endpoint, Introspection},
    },
    clock,
    fetch::Introspector,
};
use serde_json::Value;

use crate::{architecture::root, kit::block_on};

const INSTALL: &str = "npm ci --prefix tests/oidc_provider --ignore-scripts --no-audit --no-fund";

/// The server, which ends when it is dropped.
struct Provider {
    process: Child,
    issuer: String,
    /// Tokens of alice.
    access: String,
    refresh: String,
}

impl Provider {
    fn start() -> Self {
        let folder = root().join("tests/oidc_provider");
        let mut command = Command::new("node");
        command.arg("server.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let spawned = command.stderr(Stdio::null()).spawn();
        let mut process = spawned.unwrap_or_else(|error| panic!("node: {error}; see tests/run"));
        let output = BufReader::new(process.stdout.take().unwrap());
        let line = output.lines().map(Result::unwrap).find(|line| line.starts_with('{'));
        let line = line.unwrap_or_else(|| panic!("no oidc-provider; type\n    {INSTALL}\n"));
        let told: Value = serde_json::from_str(&line).unwrap();
        let told = |name: &str| told[name].as_str().unwrap().to_owned();
        Self { process, issuer: told("issuer"), access: told("access"), refresh: told("refresh") }
    }

    /// POSTs a form as the client `shop`.
    fn post(&self, path: &str, form: &str) -> String {
        let host = self.issuer.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let (client, length) = (STANDARD.encode("shop:shop-secret"), form.len());
        write!(
            stream,
            "POST {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Basic {client}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n\
             {form}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// A token for the program `shop` itself, to be used at `resource`.
    fn token(&self, resource: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&scope=orders%3Aread&resource=urn%3Aexample%3A{resource}"
        );
        let granted: Value = serde_json::from_str(&self.post("/token", &form)).unwrap();
        granted["access_token"].as_str().unwrap().to_owned()
    }

    fn revoke(&self, token: &str) {
        self.post("/token/revocation", &format!("token={token}"));
    }

    fn verifier(&self, realm: &str, secret: &str) -> Introspection {
        let url = format!("{}/token/introspection", self.issuer);
        let endpoint = Endpoint::new(url, Introspector::start(2).unwrap())
            .client("orders service", &Secret::new(secret.as_bytes()))
            .outbound(Outbound::default().allow_loopback());
        Introspection::new(realm, &self.issuer, "orders", endpoint)
            .roles(RoleMap::claim("roles").only(["clerk"]))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const SECRET: &str = "p%a+s:s w/ord";

fn judge(verifier: &Introspection, token: &str, now: Now) -> Result<Principal, AuthnError> {
    block_on(verifier.verify_token(token, now))
}

#[test]
fn tokens_of_a_real_authorization_server() {
    let provider = Provider::start();
    let users = provider.verifier("staff", SECRET);
    // Each token is asked about after it was issued, so the clock is read anew each time.
    let now = clock::now;
    let alice = judge(&users, &provider.access, now()).unwrap();
    assert_eq!((alice.id(), alice.client()), ("staff/alice", Some("shop")));
    assert_eq!(alice.issuer(), Some(provider.issuer.as_str()));
    assert!(alice.roles().eq(["clerk"]) && alice.scopes().unwrap().eq(["orders:read"]));

    let why = |token: &str| {
        let error = judge(&users, token, now()).unwrap_err();
        (error.kind(), error.detail())
    };
    use AuthnErrorKind::{Invalid, WrongAudience};
    assert_eq!(why("guess"), (Invalid, "the issuer says that the token is not active"));
    assert_eq!(why(&provider.refresh), (WrongAudience, "the token has no `aud`"));
    let billing = provider.token("billing");
    assert_eq!(why(&billing), (WrongAudience, "`aud` names another audience"));
    let program = provider.token("orders");
    assert_eq!(why(&program), (Invalid, "the token has no `sub`"));

    let programs = provider.verifier("programs", SECRET).subject("client_id");
    assert_eq!(judge(&programs, &program, now()).unwrap().id(), "programs/shop");
}

#[test]
fn a_revoked_token_is_refused_after_the_time_of_the_cache() {
    let provider = Provider::start();
    let programs = provider.verifier("programs", SECRET).subject("client_id");
    let (token, now) = (provider.token("orders"), clock::now());
    assert!(judge(&programs, &token, now).is_ok());
    provider.revoke(&token);
    let after = |secs| judge(&programs, &token, now.later(Duration::from_secs(secs)));
    assert!(after(29).is_ok(), "known for 30 s");
    let refused = after(30).unwrap_err();
    assert_eq!(refused.detail(), "the issuer says that the token is not active");
    assert_eq!(programs.stats().asked, 2);
}

#[test]
fn a_real_server_does_not_take_a_wrong_secret() {
    let provider = Provider::start();
    let users = provider.verifier("staff", "guess");
    let refused = judge(&users, &provider.access, clock::now()).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    let expected = "the introspection endpoint does not take this service's credentials";
    assert_eq!(refused.detail(), expected);
}
