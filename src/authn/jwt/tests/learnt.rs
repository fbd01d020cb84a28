//! The header that a key's tokens share is read once, and that costs no strictness.

use super::*;

#[test]
fn attack_header_taught_by_a_forger() {
    let header = r#"{"alg":"HS256","x":1}"#;
    let (good, other) = ([SECRET, b"another secret of 32 bytes or so"], r#"{"alg":"HS256"}"#);
    let sent = |header: &str| encode(header).into_bytes();
    let keys = Snapshot::new(hs256().envelope.keys.load(NOW).unwrap().as_ref().clone());
    let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys.clone());
    let seen = |header: &str| keys.load().known(&sent(header)).is_some();

    let forged = sign(Algorithm::Hs256, good[1], header, CLAIMS);
    assert_eq!(refusal(&verifier, &forged), "the signature is not the key's");
    assert!(!seen(header), "nothing is learnt from a forgery");
    assert!(verifier.verify_token(&sign(Algorithm::Hs256, good[0], header, CLAIMS), NOW).is_ok());
    assert!(seen(header) && !seen(other));
    assert_eq!(
        refusal(&verifier, &forged),
        "the signature is not the key's",
        "a header proves nothing"
    );
    for (header, expected) in [
        (r#"{"alg":"HS256","x":1,"crit":["x"]}"#, "`crit` asks for an unknown extension"),
        (r#"{"alg":"HS256","x":1,"typ":"dpop+jwt"}"#, "`typ` is that of another kind of token"),
        (r#"{"alg":"none","x":1}"#, "no key is for the token's `alg`"),
    ] {
        assert_eq!(refusal(&verifier, &sign(Algorithm::Hs256, good[0], header, CLAIMS)), expected);
    }
    keys.replace(KeySet::from(Key::from_secret(Algorithm::Hs256, &Secret::new(good[1])).unwrap()));
    assert!(!seen(header), "a new set has seen nothing");
}

#[test]
fn a_long_header_is_read_every_time() {
    let header = format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(1024));
    let verifier = hs256();
    let token = sign(Algorithm::Hs256, SECRET, &header, CLAIMS);
    assert!(verifier.verify_token(&token, NOW).is_ok());
    assert!(verifier.envelope.keys.load(NOW).unwrap().known(encode(&header).as_bytes()).is_none());
    assert!(verifier.verify_token(&token, NOW).is_ok());
}

#[test]
fn a_token_costs_three_allocations() {
    let claims = r#"{"iss":"https://id.example","aud":"orders","sub":"alice","exp":1700000300,
        "jti":"1","client_id":"cli","scope":"a b c d","roles":["clerk","other","manager"]}"#;
    let roles = RoleMap::claim("roles").only(["clerk", "manager"]);
    let verifier = hs256().roles(roles);
    let token = sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256","typ":"at+jwt"}"#, claims);
    assert!(verifier.verify_token(&token, NOW).is_ok(), "the header is learnt");
    let verify = || drop(verifier.verify_token(&token, NOW));
    assert_eq!(allocation_counter::measure(verify).count_total, 3);
}
