//! RFC 9449 (DPoP), which is not supported: whoever presents a token bound to a key is refused,
//! whatever proof comes with it, and no bound token is ever taken as a bearer's.

use portcullis::{
    Algorithm, JwtVerifier, Mono, Now, UnixTime,
    testing::{Issuer, TokenBuilder, request},
};
use serde_json::{Value, json};

use super::{Answer, ISSUER, ask};

const NOON: UnixTime = UnixTime::from_secs(1_800_000_000);
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn issuer() -> Issuer {
    Issuer::new(ISSUER)
}

fn verifiers() -> [JwtVerifier; 2] {
    let strict = JwtVerifier::access_token("staff", ISSUER, "orders", issuer().keys());
    [issuer().verifier("staff"), strict]
}

fn good() -> TokenBuilder {
    issuer().token("alice").claim("client_id", "shop")
}

/// A proof for `GET /me`, signed with a key that it brings along (section 4.2).
fn proof(algorithm: Algorithm) -> String {
    let client = Issuer::new("").with_algorithm(algorithm);
    let set: Value = serde_json::from_str(&client.jwks()).unwrap();
    let proof = client.token("").header("typ", "dpop+jwt").header("jwk", set["keys"][0].clone());
    let proof =
        proof.without_header("kid").claim("htm", "GET").claim("htu", "https://api.example/me");
    proof.without_claim("iss").without_claim("aud").without_claim("sub").sign(NOON)
}

fn with(verifier: &JwtVerifier, authorization: &str, proofs: &[&str]) -> Answer {
    let start = request("GET", "/me").header("authorization", authorization);
    let request = proofs.iter().fold(start, |request, proof| request.header("dpop", proof));
    ask(verifier.clone(), request, Now::new(NOON, Mono::from_nanos(1 << 40)))
}

#[test]
fn attack_33_tokens_bound_to_a_key_that_nobody_asks_for() {
    let plain = good().sign(NOON);
    let bound = good().claim("cnf", json!({ "jkt": JKT })).sign(NOON);
    let (proof, hmac) = (proof(Algorithm::Es256), proof(Algorithm::Hs256));
    for verifier in verifiers() {
        let refused = |authorization: String, proofs: &[&str], reason: &str| {
            for _replayed in 0..2 {
                let answer = with(&verifier, &authorization, proofs);
                assert_eq!((answer.status, answer.reason), (401, Some(reason)), "{authorization}");
            }
        };
        // With or without proofs, of whatever kind, the scheme is nobody's.
        for proofs in [&[][..], &[&*proof], &[&*proof, &*proof], &[&*hmac], &["a.b.c"]] {
            for token in [&plain, &bound] {
                for scheme in ["DPoP", "dpop", "DPOP"] {
                    refused(format!("{scheme} {token}"), proofs, "credential_unsupported");
                }
            }
            // Section 7.2: bound, it is no bearer's.
            refused(format!("Bearer {bound}"), proofs, "invalid");
        }
        // A proof is no token, with whatever key it was made.
        for proof in [&proof, &hmac] {
            refused(format!("Bearer {proof}"), &[], "invalid");
            refused(format!("DPoP {proof}"), &[], "credential_unsupported");
        }
        // Whatever `cnf` says, it is not read past.
        for cnf in [json!({}), json!(null), json!("x"), json!({ "x5t#S256": JKT }), json!([JKT])] {
            let token = good().claim("cnf", cnf).sign(NOON);
            refused(format!("Bearer {token}"), &[&proof], "invalid");
        }
        // Two credentials are one too many, of whatever schemes.
        let start = request("GET", "/me").header("authorization", &format!("DPoP {bound}"));
        let both = start.bearer(&plain);
        let answer = ask(verifier.clone(), both, Now::new(NOON, Mono::from_nanos(1 << 40)));
        assert_eq!((answer.status, answer.reason), (400, Some("credential_ambiguous")));
        assert_eq!(with(&verifier, &format!("Bearer {plain}"), &[]).status, 200);
    }
}

/// Section 7.1: a challenge for a scheme that is not taken would ask for what is refused.
#[test]
fn no_challenge_asks_for_a_proof() {
    let [lenient, _] = verifiers();
    let answer = with(&lenient, &format!("DPoP {}", good().sign(NOON)), &[]);
    assert!(answer.challenges.iter().all(|one| one.starts_with("Bearer ")), "{answer:?}");
}
