//! What a caller claims.

use std::fmt;

/// A claim of identity as presented: borrowed, untrusted, redacted in `Debug`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// An API key in a header of its own.
    ApiKey(&'a str),
    /// `Authorization: Basic …` (RFC 7617 section 2): user and password, still in base64.
    Basic(&'a str),
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    Bearer(&'a str),
    /// The TLS client certificate, DER; counts only where nothing else is presented.
    Certificate(&'a [u8]),
    /// A session's id from its cookie.
    Session(&'a str),
    /// Any other scheme of the `Authorization` header, for verifiers of the application's own.
    Other {
        /// The scheme's name as written; compare it without regard to case (RFC 9110 section 11.1).
        scheme: &'a str,
        /// What followed the scheme.
        value: &'a str,
    },
}

/// Where a credential may stand besides the `Authorization` header. Places that no authenticator
/// of a gate names are not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The header of this name holds an API key.
    ApiKeyHeader(&'static str),
    /// The TLS client certificate counts as a credential.
    Certificate,
    /// The cookie of this name holds a session's id.
    SessionCookie(&'static str),
}

impl Credential<'_> {
    /// The scheme's name, for events and challenges.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Self::ApiKey(_) => "ApiKey",
            Self::Basic(_) => "Basic",
            Self::Bearer(_) => "Bearer",
            Self::Certificate(_) => "Certificate",
            Self::Session(_) => "Session",
            Self::Other { scheme, .. } => scheme,
        }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A scheme as the caller wrote it may be the secret, its own scheme forgotten.
        let known = !matches!(self, Self::Other { .. });
        write!(f, "Credential({} ***)", if known { self.scheme() } else { "other" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_value() {
        let other = Credential::Other { scheme: "Hmac", value: "s3cret" };
        assert_eq!(format!("{:?}", Credential::Bearer("s3cret")), "Credential(Bearer ***)");
        assert_eq!(format!("{:?}", Credential::ApiKey("s3cret")), "Credential(ApiKey ***)");
        assert_eq!(format!("{other:?}"), "Credential(other ***)");
    }
}
