//! Attacks on the whole path, from text to principal. Those on one part stand with that part.

mod cached;
mod learnt;
mod revoked;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    AuthnErrorKind, Credential, Facts, Mono, Now, Secret, Snapshot, UnixTime, Verifier,
    crypto::{Material, SigningKey},
    testing::Issuer,
};

const ISSUER: &str = "https://id.example";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SECRET: &[u8] = b"thirty-two bytes, or a few more!";
const CLAIMS: &str =
    r#"{"iss":"https://id.example","aud":"orders","sub":"alice","exp":1700000300}"#;
const ES256: &[u8] = include_bytes!("../../testing/keys/issuer-es256.der");
const STRANGER: &[u8] = include_bytes!("../../testing/keys/stranger-es256.der");
const RS256: &[u8] = include_bytes!("../../testing/keys/issuer-rs256.der");

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn issuer(algorithm: Algorithm) -> Issuer {
    Issuer::new(ISSUER).with_algorithm(algorithm)
}

/// Signs any header and payload, sound or not.
fn sign(algorithm: Algorithm, key: &[u8], header: &str, payload: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = SigningKey::new(algorithm, key).unwrap().sign(message.as_bytes()).unwrap();
    format!("{message}.{}", encode(signature))
}

fn hs256() -> JwtVerifier {
    let key = Key::from_secret(Algorithm::Hs256, &Secret::new(SECRET)).unwrap();
    JwtVerifier::new("staff", ISSUER, "orders", KeySet::from(key))
}

fn refusal(verifier: &JwtVerifier, token: &str) -> &'static str {
    verifier
        .verify_token(token, NOW)
        .map(|principal| principal.id().to_owned())
        .unwrap_err()
        .detail()
}

#[test]
fn the_header_may_only_agree_with_the_key() {
    let good = sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256"}"#, CLAIMS);
    assert_eq!(hs256().verify_token(&good, NOW).unwrap().id(), "staff/alice");
}

#[test]
fn attack_alg_none() {
    for alg in [r#""none""#, r#""NONE""#, r#""noNE""#, r#""hs256""#, r#""""#] {
        let header = format!(r#"{{"alg":{alg}}}"#);
        let unsigned = format!("{}.{}.", encode(&header), encode(CLAIMS));
        assert_eq!(refusal(&hs256(), &unsigned), "a part of the token is empty");
        let signed = sign(Algorithm::Hs256, SECRET, &header, CLAIMS);
        assert_eq!(refusal(&hs256(), &signed), "no key is for the token's `alg`");
    }
    let absent = sign(Algorithm::Hs256, SECRET, "{}", CLAIMS);
    assert_eq!(refusal(&hs256(), &absent), "the header has no `alg`");
    let null = sign(Algorithm::Hs256, SECRET, r#"{"alg":null}"#, CLAIMS);
    assert_eq!(refusal(&hs256(), &null), "`alg` is not a string");
}

#[test]
fn attack_public_key_as_hmac_secret() {
    for (algorithm, pem) in [
        (Algorithm::Rs256, include_str!("../../testing/keys/issuer-rs256.pub.pem")),
        (Algorithm::Es256, include_str!("../../testing/keys/issuer-es256.pub.pem")),
    ] {
        let key = Key::from_pem(algorithm, pem).unwrap();
        let verifier = JwtVerifier::new("staff", ISSUER, "orders", KeySet::from(key));
        let der = pem::public_key(pem.as_bytes()).unwrap();
        for secret in [pem.as_bytes(), pem.trim_end().as_bytes(), &der] {
            for alg in ["HS256", algorithm.name()] {
                let header = format!(r#"{{"alg":"{alg}"}}"#);
                let token = sign(Algorithm::Hs256, secret, &header, CLAIMS);
                let expected = if alg == "HS256" {
                    "no key is for the token's `alg`"
                } else {
                    "the signature is not the key's"
                };
                assert_eq!(refusal(&verifier, &token), expected, "{algorithm} {alg}");
            }
        }
    }
}

#[test]
fn attack_alg_spelled_another_way() {
    let verifier = issuer(Algorithm::Rs256).verifier("staff");
    for alg in ["rs256", "RS256 ", "RS-256", "RSA256", "ES512", "ES256K", "Ed448"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"test-rs256"}}"#);
        let token = sign(Algorithm::Rs256, RS256, &header, CLAIMS);
        let expected = "the key with the token's `kid` is not for its `alg`";
        assert_eq!(refusal(&verifier, &token), expected, "{alg}");
    }
}

/// One key of each family: the six RSA algorithms of the test kit share theirs, the three HMAC
/// ones too, so that only the binding of a key to its algorithm can refuse.
#[test]
fn attack_alg_confused_in_every_pair() {
    for ours in Algorithm::ALL.iter().copied() {
        let verifier = issuer(ours).verifier("staff");
        for theirs in Algorithm::ALL.iter().copied() {
            let kid = format!("test-{}", ours.name().to_ascii_lowercase());
            let token = |alg: &str| {
                issuer(theirs).token("alice").header("alg", alg).header("kid", &*kid).sign(NOW)
            };
            let honest = verifier.verify_token(&token(theirs.name()), NOW);
            let lying = verifier.verify_token(&token(ours.name()), NOW);
            if ours == theirs {
                assert!(honest.is_ok() && lying.is_ok(), "{ours}");
                continue;
            }
            let expected = "the key with the token's `kid` is not for its `alg`";
            assert_eq!(honest.unwrap_err().detail(), expected, "{ours} key, {theirs} token");
            let expected = "the signature is not the key's";
            assert_eq!(lying.unwrap_err().detail(), expected, "{ours} key, {theirs} signature");
        }
    }
}

#[test]
fn attack_key_that_comes_with_the_token() {
    let stranger = SigningKey::new(Algorithm::Es256, STRANGER).unwrap();
    let (x, y) = stranger.public(|material| {
        let Material::Ec(_, point) = material else { panic!("not a point") };
        (encode(&point[1..33]), encode(&point[33..]))
    });
    let verifier = issuer(Algorithm::Es256).verifier("staff");
    for header in [
        json!({"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": x, "y": y}}),
        json!({"alg": "ES256", "jku": "https://evil.example/jwks.json"}),
        json!({"alg": "ES256", "x5u": "https://evil.example/cert.pem"}),
        json!({"alg": "ES256", "x5c": ["MIIB"]}),
    ] {
        let forged = sign(Algorithm::Es256, STRANGER, &header.to_string(), CLAIMS);
        assert_eq!(refusal(&verifier, &forged), "the signature is not the key's");
        let real = sign(Algorithm::Es256, ES256, &header.to_string(), CLAIMS);
        assert!(verifier.verify_token(&real, NOW).is_ok(), "looked at nothing but its own key");
    }
}

#[test]
fn attack_kid_as_path_or_query() {
    let verifier = issuer(Algorithm::Es256).verifier("staff");
    for kid in ["../../dev/null", "' OR 1=1 --", "test-es256\0", "TEST-ES256", "", "*"] {
        let header = json!({"alg": "ES256", "kid": kid}).to_string();
        let token = sign(Algorithm::Es256, ES256, &header, CLAIMS);
        assert_eq!(refusal(&verifier, &token), "no key has the token's `kid`", "{kid}");
    }
}

#[test]
fn attack_psychic_signature() {
    // The orders of P-256 and P-384 (SEC 2 sections 2.4.2 and 2.5.1).
    let p256 = [
        0xffff_ffff_0000_0000_u64,
        0xffff_ffff_ffff_ffff,
        0xbce6_faad_a717_9e84,
        0xf3b9_cac2_fc63_2551,
    ];
    let p384 = [
        u64::MAX,
        u64::MAX,
        u64::MAX,
        0xc763_4d81_f437_2ddf,
        0x581a_0db2_48b0_a77a,
        0xecec_196a_ccc5_2973,
    ];
    psychic(Algorithm::Es256, &p256);
    psychic(Algorithm::Es384, &p384);
}

fn psychic(algorithm: Algorithm, order: &[u64]) {
    let order: Vec<u8> = order.iter().flat_map(|limb| limb.to_be_bytes()).collect();
    let size = order.len();
    let zero = vec![0; size];
    let one = [&zero[1..], &[1]].concat();
    let mut below = order.clone();
    below[size - 1] -= 1;
    let verifier = issuer(algorithm).verifier("staff");
    let good = issuer(algorithm).token("alice").sign(NOW);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let real = URL_SAFE_NO_PAD.decode(signature).unwrap();

    let numbers = [zero, one, order, below];
    let mut signatures: Vec<Vec<u8>> =
        numbers.iter().flat_map(|r| numbers.iter().map(|s| [&**r, s].concat())).collect();
    signatures.push(real[..2 * size - 1].to_vec());
    signatures.push([&*real, &[0]].concat());
    signatures.push([&[0], &*real].concat());
    let (r, s, len) = (&real[..size], &real[size..], size as u8);
    signatures.push([&[0x30, 2 * len + 4, 2, len], r, &[2, len], s].concat());
    for signature in signatures {
        let token = format!("{message}.{}", encode(&signature));
        assert_eq!(refusal(&verifier, &token), "the signature is not the key's");
    }
}

#[test]
fn attack_key_that_one_signature_fits_for_every_token() {
    let jwks = |x: [u8; 32]| {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(x)});
        KeySet::from_jwks(json!({ "keys": [jwk] }).to_string())
    };
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let refused = jwks(neutral).unwrap_err().to_string();
    assert!(
        refused.ends_with("the point is of small order or its number is too large"),
        "{refused}"
    );
    let spki = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &neutral].concat();
    let pem = base64::engine::general_purpose::STANDARD.encode(spki);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n");
    assert!(matches!(Key::from_pem(Algorithm::EdDsa, pem), Err(KeyError::Unfit(_))));

    // No point has this y. Nothing verifies with it.
    let keys = jwks([2; 32]).unwrap();
    let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys);
    let forged = format!("{}.{}", encode(r#"{"alg":"EdDSA"}"#), encode(CLAIMS));
    let forged = format!("{forged}.{}", encode([&neutral[..], &[0; 32]].concat()));
    assert_eq!(refusal(&verifier, &forged), "the signature is not the key's");
}

#[test]
fn attack_signature_of_another_length() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let verifier = issuer(algorithm).verifier("staff");
        let good = issuer(algorithm).token("alice").sign(NOW);
        let (message, signature) = good.rsplit_once('.').unwrap();
        let real = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for signature in [&real[1..], &real[..real.len() - 1], &real[..1], &[&*real, &[0]].concat()]
        {
            let token = format!("{message}.{}", encode(signature));
            assert_eq!(refusal(&verifier, &token), "the signature is not the key's", "{algorithm}");
        }
    }
}

#[test]
fn attack_each_byte_changed() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let verifier = issuer(algorithm).verifier("staff");
        let good = issuer(algorithm).token("alice").sign(NOW);
        for at in 0..good.len() {
            let mut token = good.clone().into_bytes();
            token[at] ^= 1;
            let token = String::from_utf8(token).unwrap();
            assert!(verifier.verify_token(&token, NOW).is_err(), "{algorithm} {at}");
        }
    }
}

#[test]
fn attack_payload_read_before_its_signature() {
    let bad = sign(Algorithm::Hs256, &[9; 32], r#"{"alg":"HS256"}"#, "not JSON at all");
    assert_eq!(refusal(&hs256(), &bad), "the signature is not the key's");
    let signed = sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256"}"#, "not JSON at all");
    assert_eq!(refusal(&hs256(), &signed), "not JSON");
}

#[test]
fn attack_id_token_as_access_token() {
    let issuer = issuer(Algorithm::Es256);
    let id_token = issuer.token("alice").for_audience("web-client").header("typ", "JWT");
    let id_token = id_token.claim("nonce", "n").claim("azp", "web-client").sign(NOW);
    let expected = "`aud` names another audience";
    assert_eq!(refusal(&issuer.verifier("staff"), &id_token), expected);
}

#[test]
fn attack_giant_token() {
    let verifier = issuer(Algorithm::Es256).verifier("staff");
    let padded = |pad: usize| issuer(Algorithm::Es256).token("alice").claim("pad", "x".repeat(pad));
    // Three characters of the payload are four of the token.
    let nearly = padded((8192 - padded(0).sign(NOW).len()) / 4 * 3 - 3).sign(NOW);
    assert!((8180..=8192).contains(&nearly.len()) && verifier.verify_token(&nearly, NOW).is_ok());
    let token = padded(8192).sign(NOW);
    let refused = verifier.verify_token(&token, NOW).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::TooLarge);
    assert!(verifier.max_bytes(16 * 1024).verify_token(&token, NOW).is_ok());
}

#[test]
fn attack_token_of_a_withdrawn_key() {
    let (old, new) = (issuer(Algorithm::Es256), issuer(Algorithm::EdDsa));
    let keys = Snapshot::new(old.keys());
    let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys.clone());
    let token = old.token("alice").sign(NOW);
    assert!(verifier.verify_token(&token, NOW).is_ok());
    keys.replace(new.keys());
    assert_eq!(refusal(&verifier, &token), "no key has the token's `kid`");
    assert!(verifier.verify_token(&new.token("alice").sign(NOW), NOW).is_ok());
}

#[test]
fn attack_leeway_beyond_the_clock() {
    let issuer = issuer(Algorithm::Es256);
    let verifier = issuer.verifier("staff").leeway(Duration::from_secs(300));
    let epoch = UnixTime::from_secs(0);
    assert!(verifier.verify_token(&issuer.token("alice").sign(epoch), epoch).is_ok());
    let end = UnixTime::from_millis(u64::MAX);
    let token = issuer.token("alice").claim("exp", 253_402_300_799_u64).sign(NOW);
    let refused = verifier.verify_token(&token, end).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Expired);
}

#[test]
fn attack_lax_set_up() {
    let good = || issuer(Algorithm::Es256).verifier("staff");
    let keys = || issuer(Algorithm::Es256).keys();
    let check = |verifier: JwtVerifier, expected: &str| {
        let problems = verifier.problems();
        assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
        let token = issuer(Algorithm::Es256).token("alice").sign(NOW);
        let refused = verifier.verify_token(&token, NOW).unwrap_err();
        assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    };
    assert_eq!(good().problems(), Vec::<String>::new());
    check(good().leeway(Duration::from_secs(301)), "leeway");
    check(good().also_for(""), "audience");
    check(good().max_bytes(0), "max_bytes");
    check(good().attributes([""]), "attribute");
    check(good().roles(RoleMap::claim("roles")), "grants nothing");
    check(JwtVerifier::new("Staff", ISSUER, "orders", keys()), "realm");
    check(JwtVerifier::new("staff", "", "orders", keys()), "issuer");
    let mended = good().leeway(Duration::from_secs(301)).leeway(Duration::from_secs(60));
    assert_eq!(mended.problems(), Vec::<String>::new());
}

#[test]
fn a_bearer_without_dots_is_for_others() {
    let verifier = issuer(Algorithm::Es256).verifier("staff");
    let now = Now::new(NOW, Mono::from_nanos(0));
    let ask = |credential| verifier.verify(&credential, &Facts::default(), now);
    assert!(ask(Credential::Bearer("key_0123456789")).is_none());
    assert!(ask(Credential::Bearer("")).is_none());
    assert!(ask(Credential::Other { scheme: "DPoP", value: "a.b.c" }).is_none());
    assert!(ask(Credential::Bearer("a.b")).unwrap().is_err());
    let token = issuer(Algorithm::Es256).token("alice").sign(NOW);
    assert_eq!(ask(Credential::Bearer(&token)).unwrap().unwrap().id(), "staff/alice");
    assert_eq!(verifier.challenge().unwrap().to_string(), r#"Bearer realm="staff""#);
}

#[test]
fn a_verifier_tells_what_it_can_grant() {
    let verifier = hs256().roles(RoleMap::claim("roles").only(["clerk"]).map("boss", "manager"));
    let verifier = verifier.attributes(["department", "level"]);
    assert_eq!(Verifier::roles(&verifier), ["clerk", "manager"]);
    assert_eq!(Verifier::attributes(&verifier), ["department", "level"]);
    assert!(Verifier::roles(&hs256()).is_empty() && Verifier::attributes(&hs256()).is_empty());
}

/// Whatever issuer the token of another names: no key is tried for it elsewhere.
#[test]
fn a_token_of_another_issuer_is_refused_and_not_passed_on() {
    let theirs = CLAIMS.replace("id.example", "b.example");
    let check = |header: &str, claims: &str, expected: &str| {
        let token = sign(Algorithm::Hs256, SECRET, header, claims);
        let now = Now::new(NOW, Mono::from_nanos(0));
        let answer = hs256().verify(&Credential::Bearer(&token), &Facts::default(), now).unwrap();
        assert_eq!(answer.unwrap_err().detail(), expected, "{header} {claims}");
    };
    check(r#"{"alg":"HS256"}"#, &theirs, "`iss` is another issuer");
    check(r#"{"alg":"HS256","kid":"z"}"#, &theirs, "no key has the token's `kid`");
    let bound = CLAIMS.replace("\"aud\"", "\"cnf\":{},\"aud\"");
    let expected = "`cnf` binds the token to a proof that is not checked here";
    check(r#"{"alg":"HS256"}"#, &bound, expected);
}

#[test]
fn one_subject_in_two_realms_is_two_principals() {
    let issuer = issuer(Algorithm::Es256);
    let token = issuer.token("alice").sign(NOW);
    let staff = issuer.verifier("staff").verify_token(&token, NOW).unwrap();
    let partner = issuer.verifier("partners").verify_token(&token, NOW).unwrap();
    assert_ne!(staff, partner);
}

#[test]
fn debug_shows_no_key() {
    let text = format!("{:?}", hs256());
    assert!(!text.contains("thirty-two") && !text.contains(&format!("{:?}", SECRET)), "{text}");
}

proptest! {
    #[test]
    fn any_text_is_refused(text in "\\PC{0,200}") {
        prop_assert!(hs256().verify_token(&text, NOW).is_err());
    }

    #[test]
    fn any_three_parts_are_refused(text in "[A-Za-z0-9_-]{1,80}\\.[A-Za-z0-9_-]{1,80}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert!(hs256().verify_token(&text, NOW).is_err());
    }

    #[test]
    fn any_header_with_a_good_signature_is_judged(header in prop::collection::vec(any::<u8>(), 1..80)) {
        let header = String::from_utf8_lossy(&header).into_owned();
        prop_assert!(hs256().verify_token(&sign(Algorithm::Hs256, SECRET, &header, CLAIMS), NOW).is_err());
    }

    #[test]
    fn any_payload_with_a_good_signature_is_judged(
        payload in r#"\{("(iss|aud|sub|exp|nbf|scope)":("https://id.example"|"orders"|"a"|1700000300|1e400|null|\[|\]|\{|\})|,){0,9}\}?"#,
    ) {
        let token = sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256"}"#, &payload);
        if let Ok(principal) = hs256().verify_token(&token, NOW) {
            prop_assert_eq!(principal.issuer(), Some(ISSUER));
            prop_assert!(principal.expires_at().is_some_and(|at| at > NOW));
        }
    }

    #[test]
    fn a_changed_byte_is_refused(
        algorithm in prop::sample::select(Algorithm::ALL.to_vec()),
        at in any::<prop::sample::Index>(),
        to in 0..128_u8,
    ) {
        let issuer = issuer(algorithm);
        let mut token = issuer.token("alice").roles(["clerk"]).sign(NOW).into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != to);
        token[at] = to;
        let token = String::from_utf8(token).unwrap();
        prop_assert!(issuer.verifier("staff").verify_token(&token, NOW).is_err());
    }
}
