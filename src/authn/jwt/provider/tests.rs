//! Tokens as the providers issue them: taken with all that is wanted of them, and refused where
//! one of their other tokens, or a neighbour's, would do harm.

use serde_json::{Value, json};

use crate::{
    Algorithm, JwtVerifier, KeySet, Principal, RoleMap, UnixTime,
    authn::jwt::profile::{Expected, IdTokens},
    testing::{Issuer, TokenBuilder},
};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const TENANT: &str = "9122040d-6c67-4c5b-b112-36a304b66dad";
const OTHER_TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const SERVICE: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

/// All of them sign with RS256.
fn keys() -> KeySet {
    Issuer::new("").with_algorithm(Algorithm::Rs256).keys()
}

/// A token of exactly these claims, besides the times, under the header `typ`.
fn token(typ: Option<&str>, claims: &Value) -> TokenBuilder {
    let token = Issuer::new("").with_algorithm(Algorithm::Rs256).token("");
    let members = claims.as_object().unwrap();
    let token = members.iter().fold(token, |token, (name, value)| token.claim(name, value.clone()));
    let usual =
        ["iss", "aud", "sub", "jti"].into_iter().filter(|name| !members.contains_key(*name));
    let token = usual.fold(token, TokenBuilder::without_claim);
    match typ {
        Some(typ) => token.header("typ", typ),
        None => token.without_header("typ"),
    }
}

fn taken(verifier: &JwtVerifier, token: TokenBuilder) -> Principal {
    verifier.verify_token(&token.sign(NOW), NOW).unwrap()
}

fn refused(verifier: &JwtVerifier, token: TokenBuilder, expected: &str) {
    let answer = verifier.verify_token(&token.sign(NOW), NOW);
    assert_eq!(answer.err().map(|error| error.detail()), Some(expected));
}

fn roles(who: &Principal) -> Vec<&str> {
    who.roles().collect()
}

fn scopes(who: &Principal) -> Vec<&str> {
    who.scopes().unwrap().collect()
}

#[test]
fn keycloak() {
    let verifier =
        || JwtVerifier::keycloak("staff", "https://sso.example/realms/shop", "orders", keys());
    let access = || {
        token(
            Some("JWT"),
            &json!({
                "iss": "https://sso.example/realms/shop",
                "aud": ["orders", "account"],
                "sub": "f1888f4d-5172-4359-be0c-af338505d86c",
                "jti": "onrtac:8a3d7b3e-1d2b-4f4e-a7f5-7f9b7cb46c26",
                "typ": "Bearer",
                "azp": "shop-frontend",
                "sid": "0c2d5f0a-2a0c-4fd1-8f9a-7c2f6d1c5b2e",
                "acr": "1",
                "allowed-origins": ["https://shop.example"],
                "realm_access": { "roles": ["offline_access", "clerk"] },
                "resource_access": {
                    "orders.v2": { "roles": ["manager"] },
                    "account": { "roles": ["manage-account"] },
                },
                "scope": "openid orders.read",
                "email_verified": true,
                "preferred_username": "alice",
            }),
        )
    };
    let alice =
        taken(&verifier().roles(RoleMap::keycloak_realm().only(["clerk", "manager"])), access());
    assert_eq!((alice.client(), alice.acr()), (Some("shop-frontend"), Some("1")));
    assert_eq!((roles(&alice), scopes(&alice)), (vec!["clerk"], vec!["openid", "orders.read"]));
    let of_client = RoleMap::keycloak_client("orders.v2").only(["clerk", "manager"]);
    assert_eq!(roles(&taken(&verifier().roles(of_client), access())), ["manager"]);
    let realm = RoleMap::keycloak_realm().only(["clerk"]);
    let both = realm.and(RoleMap::keycloak_client("orders.v2").only(["manager"]));
    assert_eq!(roles(&taken(&verifier().roles(both), access())), ["clerk", "manager"]);
    assert!(taken(&verifier(), access().header("typ", "at+jwt")).scopes().is_some());
    let of_another = RoleMap::keycloak_client("billing").only(["manage-account"]);
    assert!(roles(&taken(&verifier().roles(of_another), access())).is_empty());

    let wrong = "`typ` of the payload is not `Bearer`";
    for typ in ["ID", "Refresh", "Offline", "Logout", "DPoP", "bearer"] {
        refused(&verifier(), access().claim("typ", typ), wrong);
    }
    refused(&verifier(), access().without_claim("typ"), wrong);
    refused(&verifier(), access().claim("aud", "account"), "`aud` names another audience");
    let other = access().issued_by("https://sso.example/realms/partners");
    refused(&verifier(), other, "`iss` is another issuer");
    let for_old_adapters = access().claim("nonce", "n");
    refused(&verifier(), for_old_adapters, "`nonce`, `at_hash` and `c_hash` are of ID tokens");
}

fn entra_v2() -> TokenBuilder {
    token(
        Some("JWT"),
        &json!({
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            "aud": SERVICE,
            "sub": "8vbxwF6gxqu6nGXZmTSTXHBKXVGN7V3yoTiMhBVRbVM",
            "oid": "c2e3a1d4-7a55-4a19-9a3f-8f44a6b0e1aa",
            "tid": TENANT,
            "azp": "9b8a4a6f-0d2d-4b53-8c8e-ff2f6c6a7a01",
            "azpacr": "1",
            "name": "Alice Example",
            "roles": ["Orders.Clerk"],
            "groups": ["0b6ad3ea-8c3c-4a63-a7c9-2a7f9f6c6a55"],
            "scp": "orders.read orders.write",
            "uti": "5bYyqXGmskyZ",
            "ver": "2.0",
            "rh": "0.AQ",
        }),
    )
}

#[test]
fn entra() {
    let verifier = || JwtVerifier::entra("staff", TENANT, SERVICE, keys());
    let clerk = RoleMap::entra_roles().map("Orders.Clerk", "clerk");
    let alice = taken(&verifier().roles(clerk), entra_v2());
    assert_eq!(alice.subject(), "8vbxwF6gxqu6nGXZmTSTXHBKXVGN7V3yoTiMhBVRbVM");
    assert_eq!(alice.client(), Some("9b8a4a6f-0d2d-4b53-8c8e-ff2f6c6a7a01"));
    assert_eq!(
        (roles(&alice), scopes(&alice)),
        (vec!["clerk"], vec!["orders.read", "orders.write"])
    );
    let group = RoleMap::entra_groups().map("0b6ad3ea-8c3c-4a63-a7c9-2a7f9f6c6a55", "manager");
    assert_eq!(roles(&taken(&verifier().roles(group), entra_v2())), ["manager"]);
    let alice = taken(&verifier().entra_object_id(), entra_v2());
    assert_eq!(alice.subject(), "c2e3a1d4-7a55-4a19-9a3f-8f44a6b0e1aa");
    let program = entra_v2().without_claim("scp").claim("idtyp", "app");
    assert!(taken(&verifier(), program).scopes().is_none());

    refused(&verifier(), entra_v2().claim("tid", OTHER_TENANT), "`tid` is not the tenant");
    refused(&verifier(), entra_v2().claim("tid", Value::Null), "`tid` is not the tenant");
    assert!(taken(&verifier(), entra_v2().without_claim("tid")).client().is_some());
    refused(&verifier(), entra_v2().claim("ver", "1.0"), "`ver` is not the version asked for");
    let common = entra_v2().issued_by("https://login.microsoftonline.com/common/v2.0");
    refused(&verifier(), common, "`iss` is another issuer");
    let graph = entra_v2().for_audience("00000003-0000-0000-c000-000000000000");
    refused(&verifier(), graph, "`aud` names another audience");
    let object = verifier().entra_object_id();
    refused(&object, entra_v2().without_claim("oid"), "the token has no claim for its subject");
}

#[test]
fn attack_groups_that_were_too_many_to_be_told() {
    let verifier = JwtVerifier::entra("staff", TENANT, SERVICE, keys());
    let elsewhere = "the token's groups are elsewhere, since they are too many";
    let overage =
        entra_v2().without_claim("groups").claim("_claim_names", json!({ "groups": "src1" }));
    refused(&verifier, overage, elsewhere);
    refused(&verifier, entra_v2().claim("hasgroups", true), elsewhere);
}

#[test]
fn entra_of_version_1() {
    let verifier = JwtVerifier::entra_v1("staff", TENANT, "api://orders", keys());
    let access = || {
        entra_v2()
            .issued_by(&format!("https://sts.windows.net/{TENANT}/"))
            .for_audience("api://orders")
            .claim("ver", "1.0")
            .claim("appid", "76a4f4b1-95d3-4f7b-8f23-0a1a4c2d1e11")
            .without_claim("azp")
    };
    assert_eq!(taken(&verifier, access()).client(), Some("76a4f4b1-95d3-4f7b-8f23-0a1a4c2d1e11"));
    refused(&verifier, entra_v2(), "`iss` is another issuer");
    refused(&verifier, access().claim("ver", "2.0"), "`ver` is not the version asked for");
    refused(&verifier, access().claim("appid", 7), "the client's claim is not a string");
}

#[test]
fn auth0() {
    let verifier =
        || JwtVerifier::auth0("staff", "shop.eu.auth0.com", "https://orders.example/api", keys());
    let access = || {
        token(
            Some("JWT"),
            &json!({
                "iss": "https://shop.eu.auth0.com/",
                "sub": "auth0|6553da60a54af58e29493993",
                "aud": ["https://orders.example/api", "https://shop.eu.auth0.com/userinfo"],
                "azp": "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja",
                "scope": "openid profile orders:read",
                "permissions": ["orders:read", "orders:refund"],
                "https://orders.example/roles": ["clerk"],
            }),
        )
    };
    let refunds = RoleMap::auth0_permissions().map("orders:refund", "manager");
    let alice = taken(&verifier().roles(refunds), access());
    assert_eq!(alice.subject(), "auth0|6553da60a54af58e29493993");
    assert_eq!(alice.client(), Some("K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja"));
    assert_eq!((roles(&alice), scopes(&alice).len()), (vec!["manager"], 3));
    let own = RoleMap::auth0_namespaced("https://orders.example/roles").only(["clerk"]);
    assert_eq!(roles(&taken(&verifier().roles(own), access())), ["clerk"]);
    let rfc9068 = access().header("typ", "at+jwt").claim("client_id", "cli").without_claim("azp");
    assert_eq!(taken(&verifier(), rfc9068).client(), Some("cli"));

    let no_slash = access().issued_by("https://shop.eu.auth0.com");
    refused(&verifier(), no_slash, "`iss` is another issuer");
    let management = access().for_audience("https://shop.eu.auth0.com/api/v2/");
    refused(&verifier(), management, "`aud` names another audience");
    let id_token = access().for_audience("K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja");
    refused(&verifier(), id_token, "`aud` names another audience");
}

#[test]
fn okta() {
    let issuer = "https://shop.okta.com/oauth2/aus9o8wzkhckw9TLa0h7z";
    let verifier = || JwtVerifier::okta("staff", issuer, "api://orders", keys());
    let access = || {
        token(
            None,
            &json!({
                "ver": 1,
                "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
                "iss": issuer,
                "aud": "api://orders",
                "sub": "alice@shop.example",
                "cid": "nmdP1fcyvdVO11AL7ECm",
                "uid": "00ujmkLgagxeRrAg20g3",
                "scp": ["openid", "orders.read"],
                "groups": ["Everyone", "Orders Clerks"],
                "auth_time": 1_699_999_990,
            }),
        )
    };
    let clerks = RoleMap::okta_groups().map("Orders Clerks", "clerk");
    let alice = taken(&verifier().roles(clerks), access());
    assert_eq!(
        (alice.subject(), alice.client()),
        ("alice@shop.example", Some("nmdP1fcyvdVO11AL7ECm"))
    );
    assert_eq!((roles(&alice), scopes(&alice)), (vec!["clerk"], vec!["openid", "orders.read"]));
    assert_eq!(taken(&verifier().okta_user_id(), access()).subject(), "00ujmkLgagxeRrAg20g3");

    refused(&verifier(), access().without_claim("cid"), "the token has no `cid`");
    refused(&verifier(), access().claim("cid", 7), "the client's claim is not a string");
    let org = access().issued_by("https://shop.okta.com").for_audience("https://shop.okta.com");
    refused(&verifier(), org, "`iss` is another issuer");
    let program = access().without_claim("uid").claim("sub", "nmdP1fcyvdVO11AL7ECm");
    assert_eq!(taken(&verifier(), program.clone()).subject(), "nmdP1fcyvdVO11AL7ECm");
    refused(&verifier().okta_user_id(), program, "the token has no claim for its subject");
}

#[test]
fn cognito() {
    let verifier = || {
        JwtVerifier::cognito(
            "staff",
            "eu-central-1",
            "eu-central-1_aBc",
            "57cbishk4j24pabc1234567890",
            keys(),
        )
    };
    let claims = || {
        json!({
                "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
                "cognito:groups": ["clerks", "testers"],
                "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aBc",
                "client_id": "57cbishk4j24pabc1234567890",
                "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-ffffffffffff",
                "token_use": "access",
                "scope": "aws.cognito.signin.user.admin orders/read",
                "auth_time": 1_699_999_990,
                "jti": "aaaaaaaa-bbbb-cccc-dddd-000000000000",
                "username": "alice",
        })
    };
    let access = || token(None, &claims());
    let clerks = RoleMap::cognito_groups().map("clerks", "clerk");
    let alice = taken(&verifier().roles(clerks), access());
    assert_eq!(alice.client(), Some("57cbishk4j24pabc1234567890"));
    assert_eq!((roles(&alice), scopes(&alice).len()), (vec!["clerk"], 2));
    let second = verifier().also_for("1example23456789");
    assert!(taken(&second, access().claim("client_id", "1example23456789")).client().is_some());

    refused(&verifier(), access().claim("token_use", "id"), "`token_use` is not `access`");
    refused(&verifier(), access().without_claim("token_use"), "`token_use` is not `access`");
    refused(&verifier(), access().claim("client_id", "other"), "`client_id` names another client");
    refused(&verifier(), access().without_claim("client_id"), "the token has no `client_id`");
    refused(&verifier(), access().claim("client_id", json!(["a"])), "`client_id` is not a string");
    let mut bound = claims();
    bound["aud"] = json!("57cbishk4j24pabc1234567890");
    let bound = token(None, &bound);
    refused(&verifier(), bound, "`aud` is there, and none was expected");
    let pool =
        access().issued_by("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_xYz");
    refused(&verifier(), pool, "`iss` is another issuer");
}

#[test]
fn google() {
    let client = "1234987819200.apps.googleusercontent.com";
    let tokens = || IdTokens::google(client, keys()).hosted_domain("shop.example");
    let id_token = || {
        token(
            Some("JWT"),
            &json!({
                "iss": "https://accounts.google.com",
                "azp": client,
                "aud": client,
                "sub": "10769150350006150715113082367",
                "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
                "hd": "shop.example",
                "email": "alice@shop.example",
                "email_verified": true,
                "nonce": "0394852-3190485-2490358",
            }),
        )
    };
    let expected = Expected::nonce("0394852-3190485-2490358");
    let expected = expected.access_token("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        let alice =
            tokens().verify(&id_token().issued_by(issuer).sign(NOW), &expected, NOW).unwrap();
        assert_eq!(alice.issuer(), "https://accounts.google.com", "one user, one name");
        assert_eq!(alice.subject(), "10769150350006150715113082367");
        assert_eq!(alice.verified_email(), Some("alice@shop.example"));
    }
    let refused = |token: TokenBuilder, why: &str| {
        let answer = tokens().verify(&token.sign(NOW), &expected, NOW);
        assert_eq!(answer.err().map(|error| error.detail()), Some(why));
    };
    refused(id_token().issued_by("http://accounts.google.com"), "`iss` is another issuer");
    refused(id_token().issued_by("accounts.google.com.evil"), "`iss` is another issuer");
    let outside = "`hd` is not the organization's domain";
    refused(id_token().without_claim("hd"), outside);
    refused(id_token().claim("hd", "evil.example"), outside);
    let android = "1234987819200-android.apps.googleusercontent.com";
    refused(id_token().claim("azp", android), "`azp` is not trusted");
    let both = tokens().also_trusted(android);
    assert!(both.verify(&id_token().claim("azp", android).sign(NOW), &expected, NOW).is_ok());
}
