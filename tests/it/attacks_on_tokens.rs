//! Which test holds off which attack on a token or a key.

use std::{collections::BTreeSet, fs};

use crate::architecture::{root, rust_files};

/// What is tried, and the tests named after it.
const ATTACKS: &[(&str, &[&str])] = &[
    ("`alg` is none, absent or spelled another way", &["alg_none", "alg_spelled_another_way"]),
    ("a public key as the secret of HMAC", &["public_key_as_hmac_secret"]),
    ("another algorithm of the same family", &["alg_confused_in_every_pair"]),
    ("`jwk`, `jku`, `x5u`, `x5c` in the header", &["key_that_comes_with_the_token"]),
    (
        "`kid` as path, query, null, number, or huge",
        &["kid_as_path_or_query", "kid_null_number_or_huge"],
    ),
    (
        "signatures of zeros, of the order, of another length",
        &["psychic_signature", "signature_of_another_length"],
    ),
    ("registered and other claims twice, escaped or nested", &["duplicate_claims"]),
    ("header names twice", &["duplicate_header_names"]),
    ("`iss` missing, of another type, in an array", &["issuer_missing_or_of_another_type"]),
    ("`aud` missing or of another type", &["audience_missing_or_of_another_type"]),
    ("claims as an array", &["claims_as_an_array"]),
    ("`exp` of another type, or absurd", &["times_of_another_type_or_absurd"]),
    ("`exp` is now", &["expiry_at_this_very_second"]),
    ("`nbf` or `iat` in the future", &["token_from_the_future"]),
    (
        "a token of another type, or for a client",
        &["token_of_another_type", "id_token_as_access_token"],
    ),
    ("`crit` and `b64`", &["crit_and_b64"]),
    (
        "encrypted or nested tokens",
        &["header_that_looks_encrypted_or_nested", "wrong_number_of_parts"],
    ),
    ("padding, white space, other alphabets, bits left over", &["loose_base64url"]),
    ("deep nesting", &["header_with_half_a_million_items", "deep_or_giant_payload"]),
    ("a giant token", &["giant_token", "giant_token_costs_nothing"]),
    ("an empty or short secret", &["hmac_secret_empty_or_short", "short_secret_in_a_jwk"]),
    ("RSA below 2048 bits, exponent 1", &["rsa_below_2048_bits_or_exponent_one"]),
    (
        "a JWK for another use, algorithm or curve",
        &[
            "jwk_for_another_use",
            "jwk_whose_alg_contradicts_its_type",
            "jwk_on_another_curve_or_with_odd_coordinates",
        ],
    ),
    (
        "points off the curve or of small order",
        &["point_off_the_curve", "ed25519_point_of_small_order"],
    ),
    (
        "sets with two keys of one `kid`, or with a secret",
        &["duplicate_kid", "secret_among_public_keys", "secret_in_a_public_document"],
    ),
    ("a private key in a set", &["private_key_in_the_open"]),
    ("a thumbprint of members within a member", &["thumbprint_of_members_within_a_member"]),
    ("a leeway larger than the time", &["leeway_beyond_the_clock"]),
    ("a header that a forger has others learn", &["header_taught_by_a_forger"]),
    ("a key that was withdrawn", &["token_of_a_withdrawn_key"]),
    (
        "a bound token as a bearer's, and proofs of every kind",
        &["bound_token_as_bearer", "33_tokens_bound_to_a_key_that_nobody_asks_for"],
    ),
];

#[test]
fn every_attack_has_its_tests() {
    let folders =
        ["src/authn/jwt", "src/crypto", "tests/it/standards"].map(|folder| root().join(folder));
    let found: BTreeSet<String> = folders
        .iter()
        .flat_map(|folder| rust_files(folder))
        .flat_map(|path| tests(&fs::read_to_string(path).unwrap()))
        .collect();
    let missing: Vec<_> = ATTACKS
        .iter()
        .flat_map(|(attack, tests)| tests.iter().map(move |test| (attack, test)))
        .filter(|(_, test)| !found.contains(**test))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// What follows `fn attack_` right after `#[test]`.
fn tests(source: &str) -> Vec<String> {
    let tests = source.split("#[test]").skip(1);
    let names = tests.filter_map(|test| test.trim_start().strip_prefix("fn attack_"));
    names.filter_map(|test| Some(test.split_once('(')?.0.to_owned())).collect()
}

#[test]
fn only_tests_count() {
    let source = "fn attack_a() {}\n#[test]\nfn attack_b() {}\n    #[test]\n    fn c() {}";
    assert_eq!(tests(source), ["b"]);
}
