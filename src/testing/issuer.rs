//! An issuer with fixed keys.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::json;

use super::TokenBuilder;
use crate::{
    authn::jwt::{Algorithm, JwtVerifier, KeySet},
    crypto::{Curve, Material, SigningKey},
};

/// Issues tokens in tests, always with the same keys.
///
/// ```
/// use portcullis::{AuthnErrorKind, UnixTime, testing::Issuer};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example");
/// let verifier = issuer.verifier("staff");
///
/// let token = issuer.token("alice").sign(now);
/// assert_eq!(verifier.verify_token(&token, now)?.id(), "staff/alice");
///
/// let forged = issuer.token("alice").signed_by_stranger().sign(now);
/// let refused = verifier.verify_token(&forged, now).unwrap_err();
/// assert_eq!(refused.kind(), AuthnErrorKind::Invalid);
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Issuer {
    url: String,
    audience: String,
    algorithm: Algorithm,
}

/// Long enough for HS512.
const ISSUER_SECRET: &[u8] = b"the issuer's secret, for tests only; HS512 takes 64 bytes or more";
const STRANGER_SECRET: &[u8] = b"a stranger's secret, for tests only; HS512 takes 64 bytes or more";

/// Whose key signs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signer {
    Issuer,
    Stranger,
}

impl Issuer {
    /// An issuer of this name, whose tokens are for `orders`, signed with ES256.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), audience: "orders".to_owned(), algorithm: Algorithm::Es256 }
    }

    /// With the audience that its tokens are for.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// With the algorithm it signs with; it has one key for each family.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// A token for `subject`: good for five minutes unless the builder says otherwise.
    pub fn token(&self, subject: &str) -> TokenBuilder {
        TokenBuilder::new(self.algorithm, &self.url, &self.audience, subject)
    }

    /// The JWKS document with the key it signs with. With HMAC, that is the secret itself.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({ "keys": [jwk(self.algorithm)] }).to_string()
    }

    /// The set of keys made from [`jwks`](Self::jwks).
    ///
    /// # Panics
    /// Never: the keys are fixed.
    #[must_use]
    #[expect(clippy::expect_used, reason = "invariant: the fixed keys are good ones")]
    pub fn keys(&self) -> KeySet {
        KeySet::from_jwks(self.jwks()).expect("the fixed keys are good ones")
    }

    /// A verifier of its tokens, which vouches in `realm` and grants no roles yet.
    pub fn verifier(&self, realm: &str) -> JwtVerifier {
        JwtVerifier::new(realm, self.url.as_str(), self.audience.as_str(), self.keys())
    }
}

/// The id of the fixed key for `algorithm`.
pub(super) fn kid(algorithm: Algorithm) -> String {
    format!("test-{}", algorithm.name().to_ascii_lowercase())
}

/// The signature of `message` with the signer's fixed key.
#[expect(clippy::expect_used, reason = "invariant: the fixed keys are good ones")]
pub(super) fn sign(signer: Signer, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    signing_key(signer, algorithm).sign(message).expect("the system has random bytes")
}

#[expect(clippy::expect_used, reason = "invariant: the fixed keys are good ones")]
pub(super) fn signing_key(signer: Signer, algorithm: Algorithm) -> SigningKey {
    use Signer::{Issuer, Stranger};
    let key: &[u8] = match (signer, algorithm) {
        (Issuer, Algorithm::EdDsa) => include_bytes!("keys/issuer-eddsa.der"),
        (Issuer, Algorithm::Es256) => include_bytes!("keys/issuer-es256.der"),
        (Issuer, Algorithm::Es384) => include_bytes!("keys/issuer-es384.der"),
        (Stranger, Algorithm::EdDsa) => include_bytes!("keys/stranger-eddsa.der"),
        (Stranger, Algorithm::Es256) => include_bytes!("keys/stranger-es256.der"),
        (Stranger, Algorithm::Es384) => include_bytes!("keys/stranger-es384.der"),
        (Issuer, Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512) => ISSUER_SECRET,
        (Stranger, Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512) => STRANGER_SECRET,
        // RSA: one pair of keys for all six, so that nothing but the algorithm is different.
        (Issuer, _) => include_bytes!("keys/issuer-rs256.der"),
        (Stranger, _) => include_bytes!("keys/stranger-rs256.der"),
    };
    SigningKey::new(algorithm, key).expect("the fixed keys are good ones")
}

fn jwk(algorithm: Algorithm) -> serde_json::Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let mut jwk = signing_key(Signer::Issuer, algorithm).public(|material| match material {
        Material::Ed25519(x) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(x) }),
        Material::Ec(curve, point) => {
            // Uncompressed: one byte that says so, then the coordinates.
            let coordinates = point.get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at_checked(coordinates.len() / 2).unwrap_or_default();
            let crv = match curve {
                Curve::P256 => "P-256",
                Curve::P384 => "P-384",
            };
            json!({ "kty": "EC", "crv": crv, "x": encode(x), "y": encode(y) })
        }
        Material::Rsa { modulus, exponent } => {
            json!({ "kty": "RSA", "n": encode(modulus), "e": encode(exponent) })
        }
        Material::Secret(secret) => json!({ "kty": "oct", "k": encode(secret) }),
    });
    if let Some(members) = jwk.as_object_mut() {
        members.insert("alg".to_owned(), algorithm.name().into());
        members.insert("kid".to_owned(), kid(algorithm).into());
        members.insert("use".to_owned(), "sig".into());
    }
    jwk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthnErrorKind, UnixTime};

    #[test]
    fn tokens_of_every_algorithm_verify_and_forgeries_do_not() {
        let now = UnixTime::from_secs(1_700_000_000);
        for algorithm in Algorithm::ALL.iter().copied() {
            let issuer = Issuer::new("https://id.example").with_algorithm(algorithm);
            let verifier = issuer.verifier("staff");
            let good = issuer.token("alice").sign(now);
            assert_eq!(verifier.verify_token(&good, now).unwrap().id(), "staff/alice");
            let forged = issuer.token("alice").signed_by_stranger().sign(now);
            let refused = verifier.verify_token(&forged, now).unwrap_err();
            assert_eq!(refused.detail(), "the signature is not the key's", "{algorithm}");
        }
    }

    #[test]
    fn each_word_of_the_builder_is_refused_for_its_own_reason() {
        let now = UnixTime::from_secs(1_700_000_000);
        let issuer = Issuer::new("https://id.example");
        let verifier = issuer.verifier("staff");
        let check = |token: TokenBuilder, expected: AuthnErrorKind| {
            let refused = verifier.verify_token(&token.sign(now), now).unwrap_err();
            assert_eq!(refused.kind(), expected, "{}", refused.detail());
        };
        let token = || issuer.token("alice");
        check(token().expired(), AuthnErrorKind::Expired);
        check(token().for_audience("shipping"), AuthnErrorKind::WrongAudience);
        check(token().issued_by("https://evil.example"), AuthnErrorKind::WrongIssuer);
        check(token().not_before(UnixTime::from_secs(1_700_000_001)), AuthnErrorKind::NotYetValid);
        check(token().signed_by_stranger(), AuthnErrorKind::Invalid);
        check(token().claim("exp", "soon"), AuthnErrorKind::Invalid);
        check(token().without_claim("exp"), AuthnErrorKind::Invalid);
        check(token().header("crit", json!(["x"])), AuthnErrorKind::Malformed);
    }
}
