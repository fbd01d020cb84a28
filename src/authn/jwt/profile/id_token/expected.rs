//! What the client knows of the request that an ID token answers.

use std::{fmt, time::Duration};

use base64_simd::URL_SAFE_NO_PAD;

use crate::{
    Algorithm, UnixTime,
    authn::{
        AuthnError, AuthnErrorKind,
        jwt::{claims::Claims, invalid, json::Value, rules::Times},
    },
    crypto::{Hash, digest},
};

/// What an ID token has to fit: the request that it answers, and what came with it.
///
/// ```
/// use std::time::Duration;
/// use portcullis::authn::jwt::profile::Expected;
///
/// let expected = Expected::nonce("n-0S6_WzA2Mj")
///     .access_token("SlAV32hkKG")
///     .max_age(Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, Default)]
#[must_use = "nothing is expected until a token is verified"]
pub struct Expected<'a> {
    nonce: Option<&'a str>,
    access_token: Option<&'a str>,
    code: Option<&'a str>,
    max_age: Option<Duration>,
    subject: Option<&'a str>,
}

impl<'a> Expected<'a> {
    /// The answer to a request with this `nonce`. An empty one fits no token.
    pub const fn nonce(nonce: &'a str) -> Self {
        Self { nonce: Some(nonce), access_token: None, code: None, max_age: None, subject: None }
    }

    /// An answer of which nobody knows to which request: whoever holds an ID token for this client
    /// can pass it off as theirs. After a refresh, where issuers leave `nonce` out (OpenID Connect
    /// Core section 12.2), say whose it is with [`subject`](Self::subject).
    pub fn insecure_without_nonce() -> Self {
        Self::default()
    }

    /// Came with this access token, which `at_hash` must fit (OpenID Connect Core section
    /// 3.1.3.8). A token without `at_hash` is refused then.
    pub const fn access_token(mut self, token: &'a str) -> Self {
        self.access_token = Some(token);
        self
    }

    /// Came with this authorization code, which `c_hash` must fit (OpenID Connect Core section
    /// 3.3.2.11). A token without `c_hash` is refused then.
    pub const fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// The user has logged in no longer ago, by `auth_time`, which must be there then.
    pub const fn max_age(mut self, most: Duration) -> Self {
        self.max_age = Some(most);
        self
    }

    /// Is about this subject, as after a refresh.
    pub const fn subject(mut self, subject: &'a str) -> Self {
        self.subject = Some(subject);
        self
    }

    pub(super) fn check(
        &self,
        claims: &Claims<'_>,
        algorithm: Algorithm,
    ) -> Result<(), AuthnError> {
        let text = |name| claims.get(name).and_then(Value::text);
        if self.nonce.is_some_and(|nonce| nonce.is_empty() || text("nonce") != Some(nonce)) {
            return Err(invalid("`nonce` is not that of the request"));
        }
        if self.subject.is_some() && self.subject != text("sub") {
            return Err(invalid("`sub` is not who was expected"));
        }
        let fits = |name, sent: Option<&str>| {
            sent.is_none_or(|sent| {
                text(name).is_some_and(|hash| hash == half_hash(algorithm, sent))
            })
        };
        if !fits("at_hash", self.access_token) {
            return Err(invalid("`at_hash` does not fit the access token"));
        }
        if !fits("c_hash", self.code) {
            return Err(invalid("`c_hash` does not fit the code"));
        }
        Ok(())
    }

    pub(super) fn check_age(
        &self,
        times: &Times,
        now: UnixTime,
        leeway: Duration,
    ) -> Result<(), AuthnError> {
        let Some(most) = self.max_age else { return Ok(()) };
        let at = times.auth_time.ok_or(invalid("the token has no `auth_time`"))?;
        if now > at.saturating_add(most).saturating_add(leeway) {
            return Err(AuthnError::new(AuthnErrorKind::Expired, "`auth_time` is too long ago"));
        }
        Ok(())
    }
}

/// Tokens, codes and nonces are secrets of somebody.
impl fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("max_age", &self.max_age).finish_non_exhaustive()
    }
}

/// The left half of the hash that goes with `algorithm`, of `text`, in base64url.
fn half_hash(algorithm: Algorithm, text: &str) -> String {
    use Algorithm::{
        EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512,
    };
    let hash = match algorithm {
        Es256 | Hs256 | Ps256 | Rs256 => Hash::Sha256,
        Es384 | Hs384 | Ps384 | Rs384 => Hash::Sha384,
        // Ed25519 signs with SHA-512 (RFC 8032 section 5.1).
        EdDsa | Hs512 | Ps512 | Rs512 => Hash::Sha512,
    };
    let digest = digest(hash, text.as_bytes());
    URL_SAFE_NO_PAD.encode_to_string(digest.get(..digest.len() / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of OpenID Connect Core, appendix A.3, A.4 and A.6.
    #[test]
    fn hashes_of_the_standard() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(Algorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(half_hash(Algorithm::Rs256, code), "LDktKdoQak3Pk0cnXxCltA");
        assert_eq!(half_hash(Algorithm::Es384, code).len(), 32);
        assert_eq!(half_hash(Algorithm::EdDsa, code).len(), 43);
    }

    #[test]
    fn debug_shows_no_secret() {
        let expected = Expected::nonce("n0nce").access_token("t0ken").code("c0de").subject("s0b");
        let text = format!("{expected:?}");
        assert!(
            ["n0nce", "t0ken", "c0de", "s0b"].iter().all(|part| !text.contains(part)),
            "{text}"
        );
    }
}
