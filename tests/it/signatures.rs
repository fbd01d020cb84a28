//! Signatures made elsewhere: the examples of RFC 7515, RFC 7520 and RFC 8037, and for the other
//! algorithms OpenSSL's, made with the keys of the test kit.

use portcullis::{
    Algorithm, JwtVerifier, Key, KeySet, Secret, UnixTime, authn::jwt::KeyError, testing::Issuer,
};
use serde_json::json;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// What every other check says of an RFC's example once its signature holds.
const NOT_JSON: &str = "not JSON";
const NO_AUDIENCE: &str = "the token has no `aud`";

/// RFC 7515 appendix A.1.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
     cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7520 section 4, figure 8.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IH\
     lvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBk\
     b24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm\
     UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

/// RFC 7520 section 3.3.
const BILBO: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRoj\
     dNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrH\
     qkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCu\
     EHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhu\
     axwUkRz5iaiQkqgc5gHdrNP5zw";

/// The header, payload and signature of an example are taken with this key and no other bytes.
fn check(jwk: serde_json::Value, assumed: Algorithm, parts: [&str; 3], expected: &str) {
    let key = Key::from_jwk_assuming(jwk.to_string(), assumed).unwrap();
    let verifier = JwtVerifier::new("staff", "joe", "orders", KeySet::from(key));
    let refused = |token: &str| verifier.verify_token(token, NOW).unwrap_err().detail();
    assert_eq!(refused(&parts.join(".")), expected, "{assumed}");

    let mut payload = parts[1].to_owned();
    payload.replace_range(..1, "a");
    let changed = [parts[0], &payload, parts[2]].join(".");
    assert_eq!(refused(&changed), "the signature is not the key's", "{assumed}");
}

#[test]
fn rfc_7515_appendix_a() {
    let k =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let parts = [
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        JOE,
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ];
    check(json!({"kty": "oct", "k": k}), Algorithm::Hs256, parts, NO_AUDIENCE);

    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ\
         PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-\
         bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qC\
         o5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h\
         4FRWyuXpoQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5\
         YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6x\
         BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6Bf\
         I7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypG\
         lUPQGe77Rw";
    let parts = ["eyJhbGciOiJSUzI1NiJ9", JOE, signature];
    check(json!({"kty": "RSA", "n": n, "e": "AQAB"}), Algorithm::Rs256, parts, NO_AUDIENCE);

    let key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    check(key, Algorithm::Es256, ["eyJhbGciOiJFUzI1NiJ9", JOE, signature], NO_AUDIENCE);
}

#[test]
fn rfc_8037_appendix_a_4() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let parts = [
        "eyJhbGciOiJFZERTQSJ9",
        "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ];
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    check(key, Algorithm::EdDsa, parts, NOT_JSON);
}

#[test]
fn rfc_7520_section_4() {
    let bilbo = json!({
        "kty": "RSA", "kid": "bilbo.baggins@hobbiton.example", "use": "sig",
        "n": BILBO, "e": "AQAB",
    });
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let signature = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJd\
         Qx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_q\
         HRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyI\
         rDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ip\
         H84ogoree7vjbU5y18kDquDg";
    check(bilbo.clone(), Algorithm::Rs256, [header, FRODO, signature], NOT_JSON);

    let header = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let signature = "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsG\
         qDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8Zny\
         PEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5a\
         wDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD\
         4ifKo8DYM-X72Eaw";
    check(bilbo, Algorithm::Ps384, [header, FRODO, signature], NOT_JSON);

    let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9";
    let parts = [header, FRODO, "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"];
    let key = json!({
        "kty": "oct", "kid": "018c0ae5-4d9b-471b-bfd6-eef314bc7037", "use": "sig",
        "alg": "HS256", "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    });
    check(key, Algorithm::Hs256, parts, NOT_JSON);
}

/// ES512 (RFC 7520 section 4.3) is not verified here: neither its name nor its curve is taken.
#[test]
fn es512_is_refused() {
    let mut key = json!({
        "kty": "EC", "kid": "bilbo.baggins@hobbiton.example", "use": "sig", "crv": "P-521",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
    });
    for algorithm in Algorithm::ALL.iter().copied() {
        let refused = Key::from_jwk_assuming(key.to_string(), algorithm).unwrap_err();
        let curve = "`crv` is none of P-256, P-384 (EC), Ed25519 (OKP)";
        assert_eq!(refused, KeyError::NotAKey(curve), "{algorithm}");
    }
    key["alg"] = "ES512".into();
    let refused = Key::from_jwk(key.to_string()).unwrap_err();
    assert!(matches!(refused, KeyError::AlgorithmUnknown(_)));
}

/// `{"iss":"https://id.example","aud":"orders","sub":"alice","exp":1700000300}`.
const ALICE: &str = "eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJvcmRlcnMiLCJzdWIiOiJhbGlj\
     ZSIsImV4cCI6MTcwMDAwMDMwMH0";

/// Signatures by OpenSSL 3 over `{"alg":"…"}` and [`ALICE`].
const OPENSSL: [(Algorithm, &str, &str); 8] = [
    (
        Algorithm::Es384,
        "eyJhbGciOiJFUzM4NCJ9",
        "bLTC0v5cVDbSSymkTToJfIoTOTmaYmwsYMQKPNRljFhrxHJP_XRWV7EbKC-XqYldJtDBDv0wKDPL-MFuT2a4\
         uNhWH2iCqp28S6n5ElC8VmbYlF85G1ncOMBMY0-6OUL-",
    ),
    (
        Algorithm::Hs384,
        "eyJhbGciOiJIUzM4NCJ9",
        "X6EnvNP6eX9bKLCpxd2v4eenLizHDPxT52icfJncmryVTX6eTB_NTDrkrT1Otrwe",
    ),
    (
        Algorithm::Hs512,
        "eyJhbGciOiJIUzUxMiJ9",
        "KlFxJGUcQbkp0wbfAdyfQgHJU_2fg2mF1zvkeMrWMppAiD9f5JW1PIlfI_4z678DiqD0mdPyQEtoiGAB97l-\
         iA",
    ),
    (
        Algorithm::Ps256,
        "eyJhbGciOiJQUzI1NiJ9",
        "Je-dH0Lor62xrsuDNNJ8vewM5xqlEf1HM9fEK143rI-CpCx67BWCfTcL8Tlv3_Z9nYG_FHFZjfuucrBZBJ22\
         Qc7ELnGKiLR0YAmFKudbSFpYaNWOs6USTzQtyJJqWw6tQC2FlYhqDuHa8zyZYSZB6yvZxFB-xw1BzDjwNpZP\
         O0hGxCjL-3oBeo_QLb5bV-BXSomoxNtXoLgVOsQqMK4C7kaNkvZoRScm40n67g84-4l-brT55yrdWGoVZV84\
         _VrSMw_TlbYUEhLmtaYfNPZ_JPIl6m4vWkwNn6ktIXRovWOV1eztvve-fSxrLUODpYJtCuUwS9rIKFNR2PBN\
         hFkezQ",
    ),
    (
        Algorithm::Ps384,
        "eyJhbGciOiJQUzM4NCJ9",
        "nlB0kjruKU9XXrNrykbf0OkkSjDhRK44pnUJ3-ExurXJ_2fOdYCWWgjSOdyK6X_AJlAGJ5l2YqrYTXeHDYo0\
         toInPafVsLvZ1sCnml7pkcM5t6X0VR9qOWhZ1J86VeQUR6WJiRdWlM8ns1XaHhzAdgOhHsfaEQ_-AeYL9dho\
         P2twZjbEOmUcRG3mibTH8Tb2geHuQS5oK9I7B_5X3jImuBsreOIeVE0Z7WMArDp5wlRg-U3351qLxQkO_7FZ\
         yzOaAqol3QN4Jaos3OiYiKS26hcliLa-yrqVH8klzjjVcbqhVL0ss4vmD5q5fC7Dut-W9XsvpVkYrXRBhSTY\
         JUUl1A",
    ),
    (
        Algorithm::Ps512,
        "eyJhbGciOiJQUzUxMiJ9",
        "a8ltsBUZ79WkMgJlocO9yzjz7qeUoU5WE23xSEBM435prJrH82YQGd8msS0jzvVN0He_ri6a9E0-sdElx5hQ\
         haHa9TPutICfAvdQysutmVhsUvzO-DF04H2hKBTJPr4qrE-OZrO2VklZwQ6xWcGVi_0lOwySjxRl26tE-DcI\
         c41lMD-NkSAHsUi6WsL9SJ5v3f-l4On0ii-NMQDO0ZTx9Cdpnkx-R_oixxKiz_tEwe-eSeXdm09ihGg5bHhC\
         1r9CDZeqrDOXJvgxN4jBS8b6betOrmZ-4UJvOJ9eBu9VO1SFsIscHSuRol86mrgmx-K0jCjU2IRl-1YsMmQw\
         8TzRfg",
    ),
    (
        Algorithm::Rs384,
        "eyJhbGciOiJSUzM4NCJ9",
        "ee9jQ99WtpU0MosbC9Pz2LldXXLunqUp3cPkpf_9KKDkUCiokELzANqKA-_69oKtB9dTge6UD5lQVNsngnmq\
         RF0Y-qEN6rzjDVJLk_50QHzxw-DgPcOhOKnbW_mELE0GuJ8_YhT4OHXOKHMuk9GQvUCzPCeVbe-XiEFnRK4q\
         52A9j4mUubpIWpPHii1GbMptx-Z0218LTUW5szOs8l4p5vbclvUCPAjO7P3NP0lNFYr1_bzUJ8K20S9C9L9-\
         IxLfe3z0zs7zsKZ2FNQlBKvl-P9v4HibIaYY6k-stvGVc21voXyfZpBUqK65bh9sXKMguUDheV3jzIaY53nu\
         sQsLEA",
    ),
    (
        Algorithm::Rs512,
        "eyJhbGciOiJSUzUxMiJ9",
        "tMVgo_GowC5hdgb3tj0MNTuQvHE24fFWTPyfke4hq_fSA61zSjyg0Dj_RDs9V1sfJgsiDIgWQRFddMxM_X1N\
         Q4iphMpsaBIhwn1vmfBJ4IIYJKuOi0PqQPsKzaH18rOaOnB1Z6GUFlL6fa54YBDwm5E8mSvelxOPwot2Xj-5\
         7hBWLxviS3vRhRevpYXwRAszS8bLu5OVVAc6tXbXBe8jfxoTV6x76bNZvd8MLXtH3cHFrb8kSdLaw8Ih4vu3\
         h-EvYJgx7lnGDx95yoyCmDs405dTx06l2A9jy4z-_akFNslnpExip-WyiOyZjvGoKeJgbxxWw9-NTwwMtBx3\
         015utw",
    ),
];

/// A signature like that of PS256, but with a salt of 20 bytes instead of 32.
const SHORT_SALT: &str = "B6iaZkfjp2NJBNf3udNzB09rvrThY1BHfBjH0vpiRcu7irjpnLy5WzmDU3IJLcIESMm5AfPvwLxQEGclBYc7\
         AFJpxwSfOzV9wHrlVAsLJZvp_VI8cJfLHIfVDLBOa5iHFUGfe86CNvlAU528W9uwn7MN2FGEPAIWZs-nKSoZ\
         71baeyulpNECin4xaPosfO41Qm4OqRnPN-lMDQtm2RYfF8fnrumdvk-UQlI1gbBXve3Rv52kjw7Zn7JRCJn-\
         _DSN1wY0luJADAxu25GG2HU4iM8OB9nIfSsAa0EvhJe7Ntc2lcA4ocMTXrQoqnlw_LBvqurWPo3Kij2TX8MG\
         _LUskA";

fn openssl_key(algorithm: Algorithm) -> Key {
    match algorithm.name() {
        "HS384" | "HS512" => {
            let secret: Vec<u8> = (0..64).collect();
            Key::from_secret(algorithm, &Secret::new(secret)).unwrap()
        }
        "ES384" => {
            let pem = include_bytes!("../../src/testing/keys/issuer-es384.pub.pem");
            Key::from_pem(algorithm, pem).unwrap()
        }
        _ => {
            let pem = include_bytes!("../../src/testing/keys/issuer-rs256.pub.pem");
            Key::from_pem(algorithm, pem).unwrap()
        }
    }
}

#[test]
fn what_openssl_signs_is_verified() {
    for (algorithm, header, signature) in OPENSSL {
        let keys = KeySet::from(openssl_key(algorithm));
        let verifier = JwtVerifier::new("staff", "https://id.example", "orders", keys);
        let token = format!("{header}.{ALICE}.{signature}");
        assert_eq!(verifier.verify_token(&token, NOW).unwrap().id(), "staff/alice", "{algorithm}");
    }
}

#[test]
fn attack_pss_with_a_salt_of_another_length() {
    let (algorithm, header, _) = OPENSSL[3];
    let keys = KeySet::from(openssl_key(algorithm));
    let verifier = JwtVerifier::new("staff", "https://id.example", "orders", keys);
    let refused =
        verifier.verify_token(&format!("{header}.{ALICE}.{SHORT_SALT}"), NOW).unwrap_err();
    assert_eq!(refused.detail(), "the signature is not the key's");
}

/// Two keys of one issuer, one modulus, two algorithms: each takes its own tokens only.
#[test]
fn one_modulus_in_two_keys_is_two_keys() {
    let issuer = |algorithm| Issuer::new("https://id.example").with_algorithm(algorithm);
    let (rs, ps) = (issuer(Algorithm::Rs256), issuer(Algorithm::Ps256));
    let keys =
        [rs.keys(), ps.keys()].iter().flat_map(|set| set.keys().to_vec()).collect::<Vec<_>>();
    let verifier =
        JwtVerifier::new("staff", "https://id.example", "orders", KeySet::new(keys).unwrap());
    assert!(verifier.verify_token(&rs.token("alice").sign(NOW), NOW).is_ok());
    assert!(verifier.verify_token(&ps.token("alice").sign(NOW), NOW).is_ok());
    for token in [
        rs.token("alice").header("kid", "test-ps256"),
        ps.token("alice").header("kid", "test-rs256"),
    ] {
        let refused = verifier.verify_token(&token.sign(NOW), NOW).unwrap_err();
        assert_eq!(refused.detail(), "the key with the token's `kid` is not for its `alg`");
    }
}
