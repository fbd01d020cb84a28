//! Discovery documents of the issuer `https://id.example`, as they lead to its keys or do not.

use std::net::IpAddr;

use http::Uri;
use portcullis::authn::{
    Outbound,
    jwt::{Discovery, FetchError, FetchOutcome, RemoteKeys, RemoteSet},
};

use super::plain;

const ISSUER: &str = "https://id.example";
const MAX_BYTES: usize = 64 * 1024;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let set = RemoteSet::discovered(ISSUER, Discovery::OpenId);
    let keys = RemoteKeys::new(set).expect("a good description");
    let now = plain::now();
    let request = keys.need_fetch(now).expect("nothing is known yet");
    assert_eq!(request.url(), "https://id.example/.well-known/openid-configuration");
    let body = input.to_vec();
    keys.apply(now, &request, FetchOutcome::Document { body, etag: None, max_age: None });

    let health = keys.health(now);
    assert_eq!(health.keys, 0, "a document is no key");
    let document = plain::strict_json(input).filter(|_| input.len() <= MAX_BYTES);
    let Some(next) = keys.need_fetch(now) else {
        let told = document.unwrap_or_default();
        match health.error.expect("a reason") {
            FetchError::OtherIssuer => assert_ne!(told["issuer"], ISSUER),
            FetchError::Forbidden => assert!(told["jwks_uri"].is_string()),
            FetchError::Garbage => {}
            other => panic!("{other:?} for a document that came"),
        }
        return false;
    };
    let document = document.expect("an object with every name once");
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["jwks_uri"], next.url());
    assert!(Outbound::default().permits_url(next.url()) && health.error.is_none());
    is_public(next.url());
    true
}

/// Holds an address against another parser.
fn is_public(url: &str) {
    let uri: Uri = url.parse().expect("an address");
    assert_eq!(uri.scheme_str(), Some("https"));
    assert!(!uri.authority().is_some_and(|authority| authority.as_str().contains('@')));
    let host = uri.host().expect("a host").trim_matches(['[', ']']);
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(four)) => {
            assert!(!four.is_private() && !four.is_loopback() && !four.is_link_local());
        }
        Ok(IpAddr::V6(six)) => assert_eq!(six.segments()[0] & 0xe000, 0x2000),
        // What a name resolves to is held against the rules when it is looked up.
        Err(_) => {}
    }
}
