//! What the fuzz targets start from.

use portcullis::{
    Principal, Secret, UnixTime,
    authn::{
        jwt::Algorithm,
        password::{Cost, Hasher},
        session::{Factor, MemorySessions, Sessions},
    },
    testing::{Issuer, TokenBuilder},
};

use super::fuzz::{NOW, PASSWORD, api_key_record};
use crate::kit::block_on;

/// The seeds of the target called `name`.
pub(super) fn of(name: &str) -> Vec<Vec<u8>> {
    let texts = match name {
        "api_key" => api_keys(),
        "authorization" => owned(&AUTHORIZATION),
        "cookies" => cookies(),
        "cedar_condition" => owned(&CEDAR_CONDITIONS),
        "cedar_text" => owned(&CEDAR_TEXTS),
        "discovery" => owned(&DISCOVERY),
        "document" => documents(),
        "expression" => owned(&EXPRESSIONS),
        "forwarded" => owned(&FORWARDED),
        "introspection" => owned(&INTROSPECTION),
        "jwks" => key_sets(),
        "jwt" => tokens(),
        "phc" => stored_hashes(),
        _ => panic!("no seeds for `{name}`"),
    };
    texts.into_iter().map(String::into_bytes).collect()
}

const AUTHORIZATION: [&str; 16] = [
    "Bearer a.b-c_d~e+f/0==",
    "bearer   x",
    "Bearer a b",
    "Bearer a\nBearer a",
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "BASIC dGVzdDoxMjPCow==",
    "Basic dGVzdA==",
    "Basic =",
    "Hmac id=\"1\", mac=\"2\"",
    "B(r x",
    "x-api-key: orders_live_0",
    "x-api-key: a b",
    "cookie: a=1; __Host-session=x.y; b=2",
    "cookie: __Host-session=1; __Host-session=2",
    "cookie: idx=1; __Host-sessions=2\ncookie: __Host-session=",
    "cookie: __Host-session=1\nBearer x\nx-api-key: k",
];

const DISCOVERY: [&str; 12] = [
    r#"{"issuer":"https://id.example","jwks_uri":"https://keys.example:8443/k?a=b","x":[{}]}"#,
    r#"{"issuer":"https://id.example/","jwks_uri":"https://keys.example/"}"#,
    r#"{"issuer":"https://id.example","issuer":"x","jwks_uri":"https://keys.example/"}"#,
    r#"{"issuer":"https:\/\/id.example","jwks_uri":"https://[2606::1]/"}"#,
    r#"{"issuer":"https://id.example","jwks_uri":"http://keys.example/"}"#,
    r#"{"issuer":"https://id.example","jwks_uri":"https://10.0.0.1/"}"#,
    r#"{"issuer":"https://id.example","jwks_uri":"https://a@b.example/"}"#,
    r#"{"issuer":"https://id.example","jwks_uri":["https://keys.example/"]}"#,
    r#"{"issuer":["https://id.example"],"jwks_uri":"https://keys.example/"}"#,
    r#"{"issuer":"https://id.example"}"#,
    r#"{"keys":[]}"#,
    "[",
];

const INTROSPECTION: [&str; 17] = [
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000600}"#,
    r#"{"active":true,"aud":["x","orders"],"sub":"alice","exp":1700000600.5,"nbf":1700000000,
        "iss":"https://id.example","iat":1,"client_id":"shop","token_type":"bearer",
        "token_use":"access","scope":"a b","scp":["b"],"roles":["clerk","root"],"level":7}"#,
    r#"{"active":false}"#,
    r#"{"active":false,"aud":"orders","sub":"alice","exp":1700000600}"#,
    r#"{"active":"true","aud":"orders","sub":"alice","exp":1700000600}"#,
    r#"{"active":true,"active":false,"aud":"orders","sub":"alice","exp":1700000600}"#,
    r#"{"\u0061ctive":true,"aud":"orders","sub":"alice","exp":1700000600}"#,
    r#"{"active":true,"aud":"billing","sub":"alice","exp":1700000600}"#,
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000000}"#,
    r#"{"active":true,"aud":"orders","sub":"alice"}"#,
    r#"{"active":true,"aud":"orders","exp":1700000600}"#,
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000600,"iss":null}"#,
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000600,"nbf":1700000001}"#,
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000600,"token_type":"DPoP"}"#,
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000600,"token_use":"refresh"}"#,
    r#"{"active":true,"aud":"orders","sub":"alice","exp":1700000600,"cnf":{"jkt":"x"}}"#,
    r#"{"error":"invalid_client"}"#,
];

const FORWARDED: [&str; 18] = [
    "192.0.2.7",
    "8.8.8.8, 192.0.2.7, 10.0.0.2",
    "203.0.113.60:4711, 10.0.0.2:_proxy",
    "2001:db8::7, [2001:db8:ffff::1]:443",
    "::ffff:192.0.2.7",
    "192.0.2.7\n10.0.0.2",
    "10.0.0.2, 10.0.0.3",
    "192.0.2.7, nonsense",
    "unknown",
    ", ,",
    "for=192.0.2.7",
    "for=8.8.8.8, for=192.0.2.7;by=10.0.0.1;proto=https;host=\"a.example\"",
    "For=\"[2001:db8::7]:4711\"",
    "for=_hidden, for=\"_gazonk\"",
    "for=\"192.0.2.7\nfor=10.0.0.2",
    "for=\"a\\\",for=8.8.8.8\"",
    "for=1.2.3.4;for=5.6.7.8",
    "for=192.0.2.43; , ;proto=http",
];

const EXPRESSIONS: [&str; 31] = [
    "true",
    "resource.owner == principal",
    "resource.owner != User::\"staff/alice\"",
    "resource.size > -3",
    "-9223372036854775808 <= resource.size",
    "resource.made < resource.made",
    "resource.title == \"a\"",
    "resource has shared && resource.shared",
    "resource.shared",
    "context has tenant && context.tenant != \"acme\"",
    "context has client && context.client.isInRange(ip(\"10.0.0.0/8\"))",
    "resource.from == ip(\"::ffff:10.0.0.7\")",
    "resource.from.isInRange(ip(\"::/0\"))",
    "context.secure || principal in Role::\"clerk\"",
    "principal in Role::\"manager\" // a role\n && true",
    "resource in Folder::\"f\"",
    "resource.folder.name == \"it\" && resource.folder.open",
    "principal has department && principal.department == resource.folder.name",
    "!(resource.folder.open == true) || false && !context.secure",
    "resource.title == \"\\n\\t\\\\\\\"\\x41\\u{e9}\\0'\"",
    "((((true))))",
    "!(resource.size == 0)",
    "true || (false && context.secure) || !(context.secure && true)",
    "1 == 1 == 1",
    "if true then true else true",
    "resource.owner.department == \"it\"",
    "context has auth_time && context.auth_time > resource.made",
    "resource.owner",
    "resource.made.offset(duration(\"-1d2h\")).toDate() < datetime(\"2024-02-29\")",
    "resource.made.durationSince(datetime(\"1969-12-31T23:59:59.999+0100\")).toDays() > 1 == resource.from.isIpv4()",
    "decimal(\"1.5\").lessThan(decimal(\"-0.0001\")) || resource.made.toTime().toHours() * 2 > 3",
];

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn api_keys() -> Vec<String> {
    let body = "orders_live_4hG7kQ0pZx2B0123456789ABCDEFGHIJKLMNOPQRST";
    let record = api_key_record();
    let with = |name: &str, value: serde_json::Value| {
        let mut record = record.clone();
        record[name] = value;
        record.to_string()
    };
    vec![
        format!("+{body}"),
        format!("+{}", body.replace('T', "U")),
        format!("{body}000000"),
        body.replace("live", "test"),
        "orders_live_".to_owned(),
        "4hG7kQ0pZx2B".to_owned(),
        record.to_string(),
        with("allowed_from", serde_json::json!(["192.0.2.0/24", "::1"])),
        with("allowed_from", serde_json::json!(["10.0.0.0/33"])),
        with("revoked_at_ms", 5.into()),
        with("expires_at_ms", 5.into()),
        with("version", 2.into()),
        with(
            "previous",
            serde_json::json!({
                "secret_sha256": record["secret_sha256"], "until_ms": (NOW + 60) * 1000,
            }),
        ),
    ]
}

fn cookies() -> Vec<String> {
    let now = UnixTime::from_secs(NOW);
    let alice = Principal::assertion("staff", "alice").roles(["clerk"]).scopes(["orders.read"]);
    let alice = alice.acr("mfa").finish().unwrap();
    let sessions = Sessions::new("staff", MemorySessions::new(10));
    let opened = block_on(sessions.open(&alice, [Factor::new("pwd", now)], now)).unwrap();
    let record = opened.record().encode().unwrap();
    vec![
        "theme=dark; __Host-session={id}".to_owned(),
        "__Host-session={id}\n__Host-session={id}".to_owned(),
        "__Host-session={key}".to_owned(),
        "__Host-session={id}A; __Host-device={device}".to_owned(),
        "__Host-device={device}".to_owned(),
        "__Host-device=0.{device}".to_owned(),
        format!("__Host-device={}.{}", "0".repeat(32), "0".repeat(64)),
        format!("__Host-session={}", "A".repeat(43)),
        "__Host-session=\"a\"; __Host-device=".to_owned(),
        "__host-session={id};__Host-sessionx=1; ;=;__Host-session".to_owned(),
        record.replace("\"format\":2", "\"format\":1"),
        record.replace("\"format\":2", "\"format\":3"),
        record.replace("staff", "kings"),
        record.replace("\"scopes\":[\"orders.read\"]", "\"scopes\":null"),
        record,
    ]
}

const CEDAR_CONDITIONS: [&str; 16] = [
    "resource.owner == principal && resource.size > 7",
    "principal in [Team::\"all\", Team::\"crew\"] || resource in Folder::\"f\"",
    "resource has in_it.a.b && resource.in_it.a.b == 1",
    "resource.hasTag(\"a\") && resource.getTag(\"a\") == \"b\"",
    "resource.size + 1 > 0 || context.size * -1 == 0",
    "principal.name like \"a*\\*\" && !(principal is User in Team::\"crew\")",
    "resource.price.lessThan(decimal(\"1.6\")) == resource.open",
    "resource.made.offset(duration(\"1d\")).toDate() >= datetime(\"2024-03-01\")",
    "resource.made.durationSince(datetime(\"1970-01-01\")).toDays() > 19000",
    "principal.home.isInRange(ip(\"10.0.0.0/8\")) && ip(\"::1\").isLoopback()",
    "resource.tags.containsAll([\"a\"]) && [].containsAny(resource.tags) == [].isEmpty()",
    "if context has who then context.who == User::\"bob\" else action == Action::\"ask\"",
    "context.a.b || resource.in_it.c.contains([true])",
    "1",
    "resource.size = 1",
    "principal.isIpv4(1, 2)",
];

const CEDAR_TEXTS: [&str; 12] = [
    "permit (principal == User::\"alice\", action == Action::\"read\", resource in Folder::\"f\");",
    "@id(\"a\") @note forbid (principal, action in [Action::\"read\", Action::\"write\"], resource is Doc in Folder::\"f\")\nwhen { resource.open } unless { context has who } when { true };",
    "permit (principal in ?principal, action, resource == ?resource) when { principal.level > 1 };\npermit (principal, action == A::B::Action::\"x\\0\", resource);",
    "permit (principal is User, action == Action::\"read\", resource) when { {a: [1, -2], \"b c\": \"\\u{e9}\"}[\"b c\"] like \"*\\*\" };",
    "permit (principal, action == Action::\"read\", resource)\nwhen { if principal has level then principal.level * 2 - 1 < 9 else !!resource.open };",
    "permit (principal, action == Action::\"read\", resource) when { [1] == [1, 1] && {} != {a: 1} };\n// the end",
    "forbid (principal in Team::\"all\", action == Action::\"read\", resource) unless { resource.owner == principal };\npermit (principal, action, resource);",
    "permit (principal, action == Action::\"read\", resource) when { ip(\"::1\").isInRange(principal.home) || decimal(\"0.1\") == decimal(\"0.10\") };",
    "permit (principal, action in [], resource);",
    "permit (principal, action, resource",
    "allow (principal, action, resource);",
    "permit (principal, action == User::\"x\", resource);",
];

fn documents() -> Vec<String> {
    let orders = r#"[resources.Order]
attributes = { owner = "User", total = "long", placed = "datetime?" }
actions = ["order:read", "order:create", "order:refund"]
[principal]
attributes = { department = "string?" }
[context]
tenant = "string?"
[roles]
clerk = { may = ["order:read", "order:create"] }
manager = { inherits = ["clerk"], may = ["order:*"] }
[scopes]
"orders.read" = ["order:read"]
[[rule]]
id = "owner-reads-own"
effect = "permit"
actions = ["order:read"]
when = "resource.owner == principal"
[[rule]]
id = "no-large-refunds"
effect = "forbid"
actions = ["order:refund"]
roles = ["clerk"]
unless = 'resource.total < 1000 && context has tenant'
"#;
    let json = r#"{"resources":{"Doc":{"actions":["doc:read","doc:write"]}},
"roles":{"editor":{"may":["*"]}},
"rule":[{"id":"open","effect":"permit","actions":["doc:read"]}]}"#;
    vec![
        orders.to_owned(),
        orders.replace("[\"clerk\"], may", "[\"manager\"], may"),
        orders.replace("order:read\"]", "order:raed\"]"),
        orders.replace("resource.owner", "resource.ownr"),
        orders.replace("\"permit\"", "\"allow\""),
        orders.replace("[scopes]", "[scope]"),
        orders.replace("owner-reads-own", "no-large-refunds"),
        "[resources.A]\nactions = [\"a\"]\n[roles]\nr = { may = [\"a\"] }\n".to_owned(),
        "[resources.A]\nactions = [\"a\"]\n[resources.A]\n".to_owned(),
        "resources = 1".to_owned(),
        json.to_owned(),
        json.replace("\"*\"", "\"doc:*\",\"docs:*\""),
        json.replace("\"roles\"", "\"resources\""),
        json.replace("\"editor\":{", "\"editor\":{},\"editor\":{"),
    ]
}

fn key_sets() -> Vec<String> {
    let jwks = |algorithm| Issuer::new("https://id.example").with_algorithm(algorithm).jwks();
    let all = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256].map(jwks);
    let keys =
        all.each_ref().map(|one| one.trim_start_matches("{\"keys\":[").trim_end_matches("]}"));
    let secret = jwks(Algorithm::Hs256);
    let mut seeds = vec![
        format!("{{\"keys\":[{}]}}", keys.join(",")),
        format!("{{\"keys\":[{},{}]}}", keys[0], keys[0]),
        secret.replace("]}", &format!(",{}]}}", keys[0])),
        secret.replace("\"sig\"", "\"enc\""),
        all[2].replace("\"alg\":\"RS256\",", ""),
        all[2].replace("\"e\":\"AQAB\"", "\"e\":\"AQAB\",\"d\":\"AQAB\""),
        all[1].replace("P-256", "P-521"),
        "{\"keys\":[]}".to_owned(),
        "[]".to_owned(),
        PEM.to_owned(),
        PEM.replace("PUBLIC KEY", "CERTIFICATE"),
    ];
    seeds.push(secret);
    seeds.extend(all);
    seeds
}

/// The Ed25519 key of RFC 8410 section 10.1.
const PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

fn tokens() -> Vec<String> {
    let now = UnixTime::from_secs(NOW);
    let issuer = |algorithm| Issuer::new("https://id.example").with_algorithm(algorithm);
    let secret = issuer(Algorithm::Hs256);
    let changes: [fn(TokenBuilder) -> TokenBuilder; 15] = [
        |token| token,
        |token| token.roles(["clerk", "root"]).scope("orders.read orders.write"),
        |token| token.claim("scp", vec!["orders.read"]).claim("scope", "a orders.read"),
        |token| token.claim("department", "it").claim("level", 7).claim("amr", vec!["pwd"]),
        |token| token.claim("aud", vec!["shipping", "orders"]).claim("auth_time", NOW - 5),
        |token| token.claim("exp", 1_700_000_000.5).claim("client_id", "web").claim("acr", "1"),
        |token| token.expired(),
        |token| token.without_claim("exp"),
        |token| token.issued_by("https://evil.example"),
        |token| token.claim("nbf", NOW + 1),
        |token| token.claim("cnf", serde_json::json!({ "jkt": "x" })),
        |token| token.claim("sub", serde_json::json!(["alice"])),
        |token| token.header("crit", serde_json::json!(["exp"])),
        |token| token.header("typ", "application/AT+JWT").header("cty", "json"),
        |token| token.header("alg", "none"),
    ];
    let mut seeds: Vec<String> =
        changes.iter().map(|change| opened(&change(secret.token("alice")).sign(now))).collect();
    seeds.push("{\"alg\":\"HS256\"}\n{\"iss\":1,\"iss\":2}".to_owned());
    // Another's, by an `iss` that can be read although the rest is no text.
    seeds.push("{\"alg\":\"HS257\"}\n{\"iss\":\"x\",\"y\":\"\\ud800\"}".to_owned());
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256, Algorithm::Rs256] {
        seeds.push(issuer(algorithm).token("alice").sign(now));
    }
    seeds.push(secret.token("alice").signed_by_stranger().sign(now));
    seeds.push("a.b.c.d.e".to_owned());
    seeds
}

/// Header and payload of a token, as two lines.
fn opened(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let parts = token.split('.').take(2).map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    parts.map(|part| String::from_utf8(part).unwrap()).collect::<Vec<_>>().join("\n")
}

fn stored_hashes() -> Vec<String> {
    let hash = |memory, passes, password: &[u8]| {
        let cost = Cost::insecure_new(memory, passes, 1).unwrap();
        let hasher = Hasher::with_threads(1).cost(cost).start().unwrap();
        block_on(hasher.hash(&Secret::new(password))).unwrap()
    };
    let good = hash(8, 1, PASSWORD);
    vec![
        good.replace("argon2id", "argon2i"),
        good.replace("$v=19", ""),
        good.replace("m=8", "m=1048577"),
        good.replace("m=8", "m=08"),
        good.replace("t=1", "t=10"),
        good.replace("p=1", "p=17"),
        good.replace("p=1", "p=1,keyid=8PDw8A"),
        format!("{good}$"),
        good.replace("$v=19", "$v=16"),
        hash(32, 3, PASSWORD),
        hash(16, 2, b"another password"),
        "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        good,
    ]
}
