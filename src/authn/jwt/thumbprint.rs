//! The name that a key has by what it is made of (RFC 7638).

use super::compact::to_base64url;
use crate::crypto::{Curve, Material, sha256};

/// SHA-256 over the required members of the key's JWK, in base64url. The members are written anew
/// from the key's numbers, which have one form each, so that no two keys share a thumbprint by
/// how a document spells them. None for a secret, whose digest would let one guess it.
pub(super) fn thumbprint(material: &Material<'_>) -> Option<String> {
    let members = match material {
        Material::Ec(curve, point) => {
            let coordinates = point.get(1..)?;
            let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
            let crv = match curve {
                Curve::P256 => "P-256",
                Curve::P384 => "P-384",
            };
            let (x, y) = (to_base64url(x), to_base64url(y));
            format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        Material::Ed25519(x) => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, to_base64url(x))
        }
        Material::Rsa { modulus, exponent } => {
            let (e, n) = (to_base64url(exponent), to_base64url(modulus));
            format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
        }
        Material::Secret(_) => return None,
    };
    Some(to_base64url(&sha256(members.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use crate::{Algorithm, testing::Issuer};

    #[test]
    fn rfc_7638_section_3_1() {
        let key = Key::from_jwk(
            r#"{"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
                "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}"#,
        );
        let expected = Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(key.unwrap().thumbprint(), expected);
    }

    #[test]
    fn rfc_8037_appendix_a_3() {
        let key = Key::from_jwk(
            r#"{"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "kid": "of any name",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        );
        let expected = Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.unwrap().thumbprint(), expected);
    }

    #[test]
    fn rfc_9449_section_6_1() {
        let key = Key::from_jwk(
            r#"{"kty": "EC", "crv": "P-256", "alg": "ES256",
                "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
                "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#,
        );
        let expected = Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(key.unwrap().thumbprint(), expected);
    }

    /// What `jsonwebtoken` and others are open to: text of one member that reads as two.
    #[test]
    fn attack_thumbprint_of_members_within_a_member() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for x in [format!(r#"{x}\",\"y\":\""#), format!("{x}="), x.replace('_', "/")] {
            let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"{x}"}}"#);
            assert!(Key::from_jwk(&jwk).is_err(), "{jwk}");
        }
    }

    #[test]
    fn a_key_has_one_thumbprint_in_every_document_and_a_secret_none() {
        for (algorithm, pem) in [
            (Algorithm::EdDsa, include_str!("../../testing/keys/issuer-eddsa.pub.pem")),
            (Algorithm::Es256, include_str!("../../testing/keys/issuer-es256.pub.pem")),
            (Algorithm::Es384, include_str!("../../testing/keys/issuer-es384.pub.pem")),
            (Algorithm::Ps512, include_str!("../../testing/keys/issuer-rs256.pub.pem")),
        ] {
            let set = Issuer::new("i").with_algorithm(algorithm).keys();
            let from_jwk = set.keys()[0].thumbprint();
            assert_eq!(from_jwk.map(str::len), Some(43), "{algorithm}");
            assert_eq!(Key::from_pem(algorithm, pem).unwrap().thumbprint(), from_jwk);
        }
        let secret = Issuer::new("i").with_algorithm(Algorithm::Hs256).keys();
        assert_eq!(secret.keys()[0].thumbprint(), None);
    }
}
