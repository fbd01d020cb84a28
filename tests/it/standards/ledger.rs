//! Each line that a standard asks for, and the tests that would fail without it.

use std::{collections::BTreeSet, fs};

use crate::architecture::{root, rust_files};

/// A line, and tests as the end of a file's path and the test's name.
type Line = (&'static str, &'static [&'static str]);

const TRANSPORT: &[Line] = &[
    (
        "RFC 9110 11.4: the scheme in any case, spaces, one token68, nothing behind",
        &[
            "authn/header bearer_tokens",
            "authn/header malformed",
            "authn/header token68_is_its_definition",
            "standards/rfc6750 the_scheme_is_read_in_any_case",
        ],
    ),
    (
        "RFC 6750 2: two headers, or a header and another place, are 400",
        &[
            "authn/header attack_two_headers_even_if_equal",
            "authn/header two_credentials_are_one_too_many",
            "it/answers the_table",
        ],
    ),
    (
        "RFC 6750 2.2, 2.3: none in query or body",
        &["standards/rfc6750 a_token_in_the_query_is_none"],
    ),
    ("RFC 6750 3.1: no token, no error", &["it/answers the_table"]),
    (
        "RFC 6750 3.1: invalid_token, insufficient_scope with scope, invalid_request",
        &["it/answers the_table", "standards/rfc6750 errors_are_those_of_the_standard"],
    ),
    (
        "RFC 6750 3: parameters once each, of printable characters, nothing repeated",
        &[
            "authn/challenge a_value_cannot_leave_its_quotes",
            "standards/rfc6750 nothing_presented_is_repeated",
        ],
    ),
    (
        "RFC 6750 5.3: no token in a log, no answer kept",
        &["it/canary tokens", "it/answers the_table"],
    ),
];

const JOSE: &[Line] = &[
    (
        "RFC 7515 7.1: two dots, three parts",
        &[
            "jwt/compact attack_wrong_number_of_parts",
            "jwt/compact parts_are_those_between_all_dots",
            "standards/rfc7515 the_json_forms_are_none",
        ],
    ),
    (
        "RFC 7515 2: base64url, no padding, no bits left over",
        &["jwt/compact attack_loose_base64url"],
    ),
    (
        "RFC 7515 4: the header one UTF-8 object, names once",
        &[
            "standards/rfc7515 a_header_is_one_object_and_nothing_else",
            "standards/rfc7515 a_name_stands_once",
            "jwt/header attack_duplicate_header_names",
        ],
    ),
    (
        "RFC 7515 4.1.1: `alg` there, text, case-sensitive",
        &["jwt/tests attack_alg_none", "jwt/tests attack_alg_spelled_another_way"],
    ),
    (
        "RFC 7515 4.1.11: `crit` understood or refused",
        &[
            "jwt/header attack_crit_and_b64",
            "standards/rfc7515 whatever_must_be_understood_refuses",
        ],
    ),
    (
        "RFC 7515 4.1.9: `typ` a media type",
        &["jwt/header accepted", "standards/rfc7515 a_type_is_a_media_type"],
    ),
    (
        "RFC 7515 10: keys that come along are not used",
        &["jwt/tests attack_key_that_comes_with_the_token"],
    ),
    ("RFC 7797 7: no `b64`", &["standards/rfc7515 a_payload_is_encoded"]),
    (
        "RFC 7516 9: encrypted tokens told apart",
        &[
            "jwt/header attack_header_that_looks_encrypted_or_nested",
            "standards/rfc7515 an_encrypted_token_is_told_apart",
        ],
    ),
];

const KEYS: &[Line] = &[
    (
        "RFC 7517 5: unknown or broken keys are passed over",
        &[
            "jwt/key_set one_bad_key_leaves_the_good_ones",
            "standards/rfc7517 one_key_never_takes_the_set_away",
        ],
    ),
    ("RFC 7517 4.2, 4.3: `use` and `key_ops`", &["jwt/jwk attack_jwk_for_another_use"]),
    (
        "RFC 7517 4.5: of two with one `kid` neither",
        &["jwt/key_set attack_duplicate_kid", "standards/rfc7517 one_kid_for_two_keys"],
    ),
    (
        "RFC 7517 9: private members refuse, and are told",
        &["jwt/jwk attack_private_key_in_the_open"],
    ),
    (
        "no secret in a fetched or mixed set",
        &[
            "jwt/key_set attack_secret_among_public_keys",
            "jwt/loader attack_secret_in_a_public_document",
            "it/remote_keys attack_secret_among_fetched_keys",
        ],
    ),
    (
        "RFC 7518 3.2: secrets as long as the hash",
        &[
            "crypto/verify attack_hmac_secret_empty_or_short",
            "jwt/jwk attack_short_secret_in_a_jwk",
        ],
    ),
    (
        "RFC 7518 3.3, 6.3: RSA of 2048 to 8192 bits, odd exponent, minimal",
        &["crypto/verify attack_rsa_below_2048_bits_or_exponent_one"],
    ),
    (
        "CVE-2017-15361: no RSA key that can be factored",
        &[
            "crypto/roca attack_modulus_of_the_generator_of_roca",
            "jwt/loader attack_modulus_that_can_be_factored",
        ],
    ),
    (
        "RFC 7518 6.2: points of full size, on the curve of their `alg`",
        &[
            "jwt/jwk attack_jwk_on_another_curve_or_with_odd_coordinates",
            "jwt/jwk attack_jwk_whose_alg_contradicts_its_type",
            "crypto/verify attack_point_off_the_curve",
        ],
    ),
    (
        "RFC 8037 2: Ed25519 of 32 bytes, of full order",
        &[
            "crypto/verify material_goes_with_one_family_only",
            "crypto/verify attack_ed25519_point_of_small_order",
        ],
    ),
    (
        "RFC 7518 3.3 to 3.5: signatures of their one length",
        &["jwt/tests attack_signature_of_another_length", "jwt/tests attack_psychic_signature"],
    ),
    (
        "RFC 7518 3.5: salt as long as the hash",
        &["it/signatures attack_pss_with_a_salt_of_another_length"],
    ),
    ("RFC 9864: `EdDSA` and `Ed25519` are one", &["standards/rfc7517 eddsa_and_ed25519_are_one"]),
    (
        "P-521, Ed448, ES256K are called unsupported",
        &["standards/rfc7517 what_is_not_supported_is_called_so", "it/signatures es512_is_refused"],
    ),
    (
        "RFC 7638: thumbprints of canonical members",
        &[
            "jwt/thumbprint rfc_7638_section_3_1",
            "jwt/thumbprint attack_thumbprint_of_members_within_a_member",
        ],
    ),
];

const CLAIMS: &[Line] = &[
    (
        "RFC 7519 7.2: the payload one object",
        &[
            "jwt/rules attack_claims_as_an_array",
            "standards/rfc8725 a_payload_is_one_object_and_nothing_else",
        ],
    ),
    ("RFC 7519 4: names once", &["jwt/rules attack_duplicate_claims"]),
    (
        "RFC 7519 2: times are numbers, finite, before the year 10000",
        &["jwt/rules attack_times_of_another_type_or_absurd"],
    ),
    (
        "RFC 7519 4.1.4, 4.1.5: where times begin and end",
        &[
            "jwt/rules attack_expiry_at_this_very_second",
            "standards/rfc8725 times_begin_and_end_where_they_say",
        ],
    ),
    ("RFC 7519 4.1.6: not issued in the future", &["jwt/rules attack_token_from_the_future"]),
    (
        "RFC 7519 4.1.1, 4.1.2, 4.1.7: texts",
        &[
            "jwt/rules attack_issuer_missing_or_of_another_type",
            "jwt/mapping attack_claim_of_another_type",
            "standards/rfc8725 claims_are_of_their_types",
        ],
    ),
    (
        "RFC 7519 4.1.3: one audience is ours, byte by byte",
        &[
            "jwt/rules attack_audience_missing_or_of_another_type",
            "standards/rfc8725 an_audience_is_asked_for",
        ],
    ),
];

const PRACTICES: &[Line] = &[
    (
        "RFC 8725 3.1: algorithms of the keys alone, one for each",
        &[
            "jwt/tests attack_alg_confused_in_every_pair",
            "jwt/tests attack_public_key_as_hmac_secret",
            "standards/rfc8725 the_algorithm_is_that_of_the_key",
        ],
    ),
    (
        "RFC 8725 3.8: the issuer's own key",
        &[
            "jwt/issuers attack_key_of_one_issuer_under_the_name_of_another",
            "standards/rfc8725 a_key_speaks_for_its_issuer_alone",
        ],
    ),
    ("RFC 8725 3.9: an audience", &["standards/rfc8725 an_audience_is_asked_for"]),
    (
        "RFC 8725 3.10: `kid`, `jku`, `x5u` lead nowhere",
        &[
            "jwt/tests attack_kid_as_path_or_query",
            "standards/rfc8725 nothing_in_a_header_leads_anywhere",
        ],
    ),
    (
        "draft: what is resolved is public",
        &[
            "authn/outbound attack_name_that_resolves_inside",
            "it/remote_keys attack_name_that_is_this_machine",
        ],
    ),
    (
        "RFC 8725 3.11: explicit types",
        &[
            "jwt/header attack_token_of_another_type",
            "profile/tests attack_token_retyped_as_every_other",
        ],
    ),
    (
        "RFC 8725 3.12: rules that exclude each other",
        &[
            "profile/tests every_kind_is_refused_as_every_other",
            "profile/tests no_token_is_of_two_kinds",
        ],
    ),
    (
        "draft: no byte that no token has",
        &["standards/rfc8725 of_all_bytes_only_those_of_a_token_are_taken"],
    ),
    (
        "draft: nothing is inflated, no password stretched",
        &["standards/rfc7515 an_encrypted_token_is_told_apart"],
    ),
];

const OAUTH: &[Line] = &[
    (
        "RFC 9068 2.1, 2.2, 4: type and claims",
        &["profile/tests access_token_of_rfc_9068", "standards/rfc9068 what_must_be_there"],
    ),
    (
        "RFC 9068 2.2: scopes, groups, roles, how and when",
        &["standards/rfc9068 what_may_be_there_is_read"],
    ),
    ("RFC 8414 3, Discovery 4: where the document is", &["remote/discovery well_known_places"]),
    ("RFC 8414 3.3: of that very issuer", &["remote/discovery attack_document_of_another_issuer"]),
    (
        "RFC 8414 6: https, redirects, sizes, times",
        &[
            "authn/outbound attack_redirect_to_the_clear_or_inside",
            "authn/outbound loopback_is_for_who_asks_and_for_nothing_else",
            "it/remote_keys attack_server_that_misbehaves_while_keys_are_held",
        ],
    ),
    (
        "RFC 7662 2.1: what is asked, and as whom",
        &[
            "introspection/tests what_is_asked_and_what_becomes_of_the_answer",
            "introspection/tests attack_token_that_adds_to_the_request",
            "it/introspection our_own_credentials_are_wrong",
        ],
    ),
    (
        "RFC 7662 2.2: `active` true and nothing like it",
        &["introspection/tests attack_answer_that_is_nearly_active"],
    ),
    (
        "RFC 7662 4: the rules of claims hold",
        &["introspection/tests attack_answer_about_a_token_for_somebody_else"],
    ),
    (
        "RFC 7662 4: kept no longer than `exp` and than said",
        &[
            "tests/known attack_cached_answer_outlives_the_token",
            "tests/known attack_withdrawn_token_counts_no_longer_than_said",
        ],
    ),
    (
        "RFC 7662: what fails is 503, one question at a time",
        &[
            "introspection/tests attack_garbage_is_never_a_no",
            "tests/known attack_slow_server_is_asked_once_for_one_token",
        ],
    ),
    ("Back-Channel Logout 2.4, 2.6: the token", &["profile/tests logout_token_of_openid_connect"]),
    ("Back-Channel Logout 2.6: once each", &["tests/logouts attack_logout_token_sent_again"]),
    (
        "Back-Channel Logout 2.7: what ends",
        &[
            "tests/logouts a_session_is_over_and_others_of_its_subject_are_not",
            "tests/logouts without_a_session_all_that_the_subject_had_is_over",
            "tests/logouts attack_logout_of_another_issuer",
        ],
    ),
    (
        "RFC 9449: refused in each form",
        &["standards/rfc9449 attack_33_tokens_bound_to_a_key_that_nobody_asks_for"],
    ),
];

const SPIFFE: &[Line] = &[
    (
        "JWT-SVID 2: `alg`, `kid`, `typ` and nothing else",
        &["tests/svids attack_header_that_says_more_than_a_svid_may"],
    ),
    ("JWT-SVID 2.1, 2.3, 3: algorithms, types, claims", &["tests/svids jwt_svid_of_spiffe"]),
    (
        "SPIFFE-ID 2: one way to write one",
        &[
            "profile/spiffe_id workloads_and_others",
            "profile/spiffe_id what_is_a_workload_is_a_plain_path",
        ],
    ),
    (
        "JWT-SVID 6: `use`, `kid`, and no other entry",
        &[
            "tests/svids attack_key_of_a_bundle_that_is_for_something_else",
            "tests/svids a_bundle_has_the_keys_of_its_svids",
        ],
    ),
    (
        "Bundle 4.1.3: no key, no token",
        &[
            "tests/svids a_bundle_without_keys_withdraws_all",
            "it/remote_keys the_bundle_of_a_trust_domain_rotates_and_withdraws_all",
        ],
    ),
    (
        "Bundle 4.1.1, 4.1.2: whole numbers, and what is older",
        &[
            "tests/svids documents_that_are_no_bundle",
            "machine/tests attack_bundle_that_was_in_force_before",
        ],
    ),
];

#[test]
fn every_line_has_its_tests() {
    let found: BTreeSet<String> = ["src", "tests/it"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .flat_map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let file = path.with_extension("").to_string_lossy().replace('\\', "/");
            names(&text).into_iter().map(move |name| format!("{file} {name}")).collect::<Vec<_>>()
        })
        .collect();
    let lines = [TRANSPORT, JOSE, KEYS, CLAIMS, PRACTICES, OAUTH, SPIFFE].concat();
    let missing: Vec<_> = lines
        .iter()
        .flat_map(|(line, tests)| tests.iter().map(move |test| (line, test)))
        .filter(|(_, test)| !found.iter().any(|found| found.ends_with(&format!("/{test}"))))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The functions that follow a `#[test]`.
fn names(source: &str) -> Vec<&str> {
    let tests = source.split("#[test]").skip(1);
    tests.filter_map(|test| test.split_once("fn ")?.1.split_once('(').map(|it| it.0)).collect()
}

#[test]
fn only_what_is_tested_counts() {
    let source =
        "fn a() {}\n#[test]\n#[ignore]\nfn b() {}\n    #[test]\n    fn c(x: u8) {}\nfn d() {}";
    assert_eq!(names(source), ["b", "c"]);
}
