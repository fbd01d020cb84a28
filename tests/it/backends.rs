//! ring and AWS-LC say the same of every token, side by side in one process.

use portcullis::{
    Algorithm, AuthnErrorKind, JwtVerifier, Key, KeySet, Secret, UnixTime,
    authn::jwt::{Backend, Loader},
    testing::Issuer,
};
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn issuer(algorithm: Algorithm) -> Issuer {
    Issuer::new("https://id.example").with_algorithm(algorithm)
}

fn verifier(algorithm: Algorithm, backend: Backend) -> JwtVerifier {
    let keys = Loader::new().backend(backend).jwks(issuer(algorithm).jwks()).unwrap();
    JwtVerifier::new("staff", "https://id.example", "orders", keys)
}

#[test]
fn tokens_of_every_algorithm_and_forged_ones() {
    for &algorithm in Algorithm::ALL {
        for backend in [Backend::Ring, Backend::AwsLcRs] {
            let verifier = verifier(algorithm, backend);
            let token = issuer(algorithm).token("alice").sign(NOW);
            let alice = verifier.verify_token(&token, NOW).unwrap();
            assert_eq!(alice.id(), "staff/alice", "{algorithm} {backend:?}");
            let forged = issuer(algorithm).token("alice").signed_by_stranger().sign(NOW);
            let refused = verifier.verify_token(&forged, NOW).unwrap_err();
            assert_eq!(refused.kind(), AuthnErrorKind::Invalid, "{algorithm} {backend:?}");
        }
    }
}

#[test]
fn attack_keys_that_ring_would_not_take() {
    let loader = Loader::new().backend(Backend::AwsLcRs);
    let short = Secret::new([7; 31]);
    assert!(loader.secret(Algorithm::Hs256, &short).is_err());
    assert!(loader.secret(Algorithm::Es256, &Secret::new([7; 65])).is_err());
    for jwk in [
        // Small order; a modulus of 1024 bits; an exponent of 1; a point off the curve.
        r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#.to_owned(),
        format!(r#"{{"kty":"RSA","alg":"RS256","e":"AQAB","n":"{}"}}"#, "_".repeat(171)),
        format!(r#"{{"kty":"RSA","alg":"RS256","e":"AQ","n":"{}8"}}"#, "_".repeat(341)),
        format!(r#"{{"kty":"EC","crv":"P-256","alg":"ES256","x":"{0}E","y":"{0}E"}}"#, "A".repeat(42)),
    ] {
        let (ours, theirs) = (loader.jwk(&jwk), Loader::new().jwk(&jwk));
        assert_eq!(ours.map(|key| key.kid().map(str::to_owned)).unwrap_err(), theirs.unwrap_err());
    }
}

#[test]
fn keys_of_both_stand_in_one_set() {
    let set = [(Algorithm::Es256, Backend::Ring), (Algorithm::Rs256, Backend::AwsLcRs)].map(
        |(algorithm, backend)| {
            let loaded = Loader::new().backend(backend).jwks(issuer(algorithm).jwks()).unwrap();
            loaded.keys()[0].clone()
        },
    );
    let kids: Vec<_> = set.iter().map(Key::kid).collect();
    assert_ne!(kids[0], kids[1]);
    let keys = KeySet::new(set).unwrap();
    let verifier = JwtVerifier::new("staff", "https://id.example", "orders", keys);
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        let token = issuer(algorithm).token("alice").sign(NOW);
        assert!(verifier.verify_token(&token, NOW).is_ok(), "{algorithm}");
    }
}

proptest! {
    #[test]
    fn a_changed_token_gets_the_same_answer(
        algorithm in prop::sample::select(Algorithm::ALL),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut token = issuer(algorithm).token("alice").sign(NOW).into_bytes();
        let at = at.index(token.len());
        token[at] = byte;
        let Ok(token) = String::from_utf8(token) else { return Ok(()) };
        let answer = |backend| {
            let answer = verifier(algorithm, backend).verify_token(&token, NOW);
            answer.map(|principal| principal.id().to_string()).map_err(|e| (e.kind(), e.detail()))
        };
        prop_assert_eq!(answer(Backend::Ring), answer(Backend::AwsLcRs));
    }
}
