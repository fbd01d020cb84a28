//! Where an issuer says that its keys are (RFC 8414, OpenID Connect Discovery 1.0).

use super::FetchError;
use crate::authn::{
    jwt::json::{Document, Value},
    outbound::{Outbound, Target},
};

/// A discovery document may hold this many bytes and values.
pub(super) const MAX_BYTES: usize = 64 * 1024;
const MAX_VALUES: usize = 4096;

/// Which of the two well-known places an issuer's document stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discovery {
    /// `/.well-known/oauth-authorization-server` between host and path (RFC 8414 section 3).
    OAuth,
    /// `/.well-known/openid-configuration` after the path (OpenID Connect Discovery 1.0 section 4).
    OpenId,
}

impl Discovery {
    /// Where the document of `issuer` stands; `None` where `issuer` is no such URL.
    pub(super) fn url(self, issuer: &str) -> Option<String> {
        let target = Target::parse(issuer).filter(|_| !issuer.contains('?'))?;
        let (origin, path) = (target.origin(), target.path.trim_end_matches('/'));
        Some(match self {
            Self::OAuth => format!("{origin}/.well-known/oauth-authorization-server{path}"),
            Self::OpenId => format!("{origin}{path}/.well-known/openid-configuration"),
        })
    }
}

/// The address of the keys. The document must be about `issuer`, byte by byte (RFC 8414 section
/// 3.3): otherwise one issuer could answer with another's keys.
pub(super) fn keys_of(
    issuer: &str,
    document: &[u8],
    outbound: &Outbound,
) -> Result<String, FetchError> {
    let mut room = Document::default();
    let root = (document.len() <= MAX_BYTES).then(|| room.read(document, MAX_VALUES).ok());
    let root = root.flatten().ok_or(FetchError::Garbage)?;
    if root.member("issuer").and_then(Value::text) != Some(issuer) {
        return Err(FetchError::OtherIssuer);
    }
    let keys = root.member("jwks_uri").and_then(Value::text).ok_or(FetchError::Garbage)?;
    outbound.permits_url(keys).then(|| keys.to_owned()).ok_or(FetchError::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_places() {
        let check = |issuer: &str, oauth: Option<&str>, openid: Option<&str>| {
            assert_eq!(Discovery::OAuth.url(issuer).as_deref(), oauth, "{issuer}");
            assert_eq!(Discovery::OpenId.url(issuer).as_deref(), openid, "{issuer}");
        };
        check(
            "https://id.example",
            Some("https://id.example/.well-known/oauth-authorization-server"),
            Some("https://id.example/.well-known/openid-configuration"),
        );
        check(
            "https://id.example:8443/t/1/",
            Some("https://id.example:8443/.well-known/oauth-authorization-server/t/1"),
            Some("https://id.example:8443/t/1/.well-known/openid-configuration"),
        );
        check("https://id.example/?a", None, None);
        check("id.example", None, None);
    }

    #[test]
    fn attack_document_of_another_issuer() {
        let check = |document: &str, expected: Result<&str, FetchError>| {
            let found = keys_of("https://id.example", document.as_bytes(), &Outbound::default());
            assert_eq!(found, expected.map(str::to_owned), "{document}");
        };
        let good =
            r#"{"issuer":"https://id.example","jwks_uri":"https://keys.example/k","x":[{}]}"#;
        check(good, Ok("https://keys.example/k"));
        check(&good.replace("id.example", "id.example/"), Err(FetchError::OtherIssuer));
        check(&good.replace("id.example", "ID.example"), Err(FetchError::OtherIssuer));
        check(&good.replace("\"issuer\"", "\"issuer\":\"x\",\"issuer\""), Err(FetchError::Garbage));
        check(&good.replace("https://keys", "http://keys"), Err(FetchError::Forbidden));
        check(&good.replace("keys.example", "169.254.169.254"), Err(FetchError::Forbidden));
        check(r#"{"issuer":["https://id.example"]}"#, Err(FetchError::OtherIssuer));
        check(r#"{"issuer":"https://id.example"}"#, Err(FetchError::Garbage));
        check("[]", Err(FetchError::OtherIssuer));
        check("{", Err(FetchError::Garbage));
        check(&format!("{good}{}", " ".repeat(MAX_BYTES)), Err(FetchError::Garbage));
    }
}
