//! Random tokens: their headers, claims and signatures, mostly good, and what damages them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use portcullis::clock;
use portcullis_differential::Choices;
use serde_json::Value;

/// Makes tokens of one algorithm, signed with the test kit's key.
pub(crate) struct Cases {
    algorithm: Algorithm,
    signing: EncodingKey,
}

impl Cases {
    pub(crate) fn new(algorithm: Algorithm, jwk: &Value) -> Self {
        Self { algorithm, signing: signing_key(algorithm, jwk) }
    }

    /// A token, mostly whole and well signed.
    pub(crate) fn token(&self, choices: &mut Choices) -> String {
        let (header, claims) = (self.header(choices), claims(choices));
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let mut signature = self.sign(message.as_bytes());
        if choices.chance(5) {
            let at = choices.below(signature.len().min(256));
            signature[at] ^= 1 << choices.below(8);
        } else if choices.chance(3) {
            signature.truncate(choices.below(64));
        }
        let token = format!("{message}.{}", encode(&signature));
        if choices.chance(25) { damaged(choices, token) } else { token }
    }

    fn header(&self, choices: &mut Choices) -> String {
        let alg = format!(r#""{:?}""#, self.algorithm);
        let others = [r#""none""#, r#""HS256""#, r#""RS256""#, r#""PS256""#, r#""es256""#, "null"];
        let kid = format!(r#""test-{}""#, format!("{:?}", self.algorithm).to_ascii_lowercase());
        let alg = if choices.chance(5) { choices.pick(&others) } else { &alg };
        let mut members = vec![format!(r#""alg":{alg}"#)];
        if choices.chance(60) {
            let kid =
                if choices.chance(10) { choices.pick(&[r#""x""#, r#""""#, "1"]) } else { &kid };
            members.push(format!(r#""kid":{kid}"#));
        }
        if choices.chance(60) {
            let good = [r#""JWT""#, r#""at+jwt""#, r#""application/at+jwt""#, r#""jwt""#];
            let typ: &[&str] = if choices.chance(5) { &[r#""logout+jwt""#, "1"] } else { &good };
            members.push(format!(r#""typ":{}"#, choices.pick(typ)));
        }
        // jsonwebtoken reads the types of members that do not concern it; ours are left alone.
        let more = [
            r#""cty":"json""#,
            r#""x5t":"x""#,
            r#""more":[1,{"a":null}]"#,
            r#""crit":["exp"]"#,
            r#""b64":false"#,
            r#""alg":"HS256""#,
        ];
        members.extend(choices.some(&more, 4).into_iter().map(str::to_owned));
        object(choices, members)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let provider = portcullis::jsonwebtoken::ring_provider();
        let signer = (provider.signer_factory)(&self.algorithm, &self.signing).unwrap();
        signer.sign(message)
    }
}

/// The claims, each mostly good. Times keep away from where they begin and end to count.
fn claims(choices: &mut Choices) -> String {
    let now = i64::try_from(clock::now().wall.as_secs()).unwrap();
    let mut members = Vec::new();
    let mut member = |choices: &mut Choices, name: &str, good: &[&str], odd: &[&str]| {
        let all = if choices.chance(4) { odd } else { good };
        if choices.chance(98) {
            members.push(format!("\"{name}\":{}", choices.pick(all)));
        }
    };
    let scalars = ["null", "1", "true", "[]", "{}", r#""""#, r#""other""#];
    let iss = [r#""https://id.example""#, r#""https:\/\/id.example""#];
    let odd_iss =
        [&scalars[..], &[r#"["https://id.example"]"#, r#""https://id.example/""#]].concat();
    member(choices, "iss", &iss, &odd_iss);
    let aud = [r#""orders""#, r#"["orders"]"#, r#"["other","orders"]"#, r#"["orders","orders"]"#];
    let odd_aud = [&scalars[..], &[r#"["other"]"#, r#"[1,"orders"]"#, r#""Orders""#]].concat();
    member(choices, "aud", &aud, &odd_aud);
    let sub = [r#""alice""#, r#""al\u0069ce""#, r#""Alice B.""#, r#""\u00e9""#];
    member(choices, "sub", &sub, &scalars);
    let at = |offset: i64| (now + offset).to_string();
    let odd = ["-1", "1e300", "null", r#""9999999999""#, "[9999999999]", "253402300800", "01"];
    let coming = [at(3600), at(3600), at(10), at(-15), format!("{}.5", at(60)), "1e10".to_owned()];
    let over = [at(-60), at(-3600), "0".to_owned()];
    let coming: Vec<&str> = coming.iter().map(String::as_str).collect();
    let odd_exp: Vec<&str> = over.iter().map(String::as_str).chain(odd).collect();
    member(choices, "exp", &coming, &odd_exp);
    let begun = [at(-3600), at(-1), at(15), format!("{}.25", at(-60))];
    let early = [at(60), at(3600), at(86_400)];
    for name in ["nbf", "iat"] {
        if choices.chance(40) {
            let begun: Vec<&str> = begun.iter().map(String::as_str).collect();
            let odd: Vec<&str> = early.iter().map(String::as_str).chain(odd).collect();
            member(choices, name, &begun, &odd);
        }
    }
    let more = [
        r#""sub":"bob""#,
        r#""exp":9999999999"#,
        r#""cnf":{"jkt":"x"}"#,
        r#""roles":["clerk",1]"#,
        r#""scope":"orders.read""#,
        r#""scope":["a"]"#,
        r#""deep":[[[[{"a":[1.5,-0,1e5,"\ud83d\ude00"]}]]]]"#,
        r#""\u0073ub":"eve""#,
        r#""lone":"\ud800""#,
        r#""amr":"pwd""#,
    ];
    members.extend(choices.some(&more, 4).into_iter().map(str::to_owned));
    object(choices, members)
}

/// The members, with or without space, in their order or turned round.
fn object(choices: &mut Choices, mut members: Vec<String>) -> String {
    if choices.chance(20) {
        members.reverse();
    }
    let (comma, ends) =
        choices.pick(&[(",", ("{", "}")), (", ", ("{ ", " }")), (",\n", ("{", "}\n"))]);
    let text = format!("{}{}{}", ends.0, members.join(comma), ends.1);
    if choices.chance(2) {
        choices.pick(&["[]", "null", "", "{", "{}{}", "\u{feff}{}"]).into()
    } else {
        text
    }
}

/// The token with one thing wrong in its text.
fn damaged(choices: &mut Choices, mut token: String) -> String {
    let place = choices.below(256) * 256 + choices.below(256);
    let at = place % token.len();
    let symbol = choices.pick(&['A', 'B', 'z', '_', '-', '+', '/', '=', '.', ' ', '\n', 'é']);
    match choices.below(8) {
        // The bits behind the last byte of a part.
        0 | 1 => {
            let parts: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
            let end = choices.pick(&[parts[0], parts[1], token.len()]);
            token.replace_range(end.saturating_sub(1)..end, &symbol.to_string());
        }
        2 => token.replace_range(at..=at, &symbol.to_string()),
        3 => token.insert(at, symbol),
        4 => token.push(symbol),
        5 => {
            token.remove(at);
        }
        6 => token.truncate(at),
        _ => token = format!("{symbol}{token}"),
    }
    token
}

/// The test kit's own keys, so that any header and any claims can be signed.
fn signing_key(algorithm: Algorithm, jwk: &Value) -> EncodingKey {
    let read = |name: &str| {
        let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/testing/keys");
        std::fs::read(format!("{keys}/issuer-{name}.der")).unwrap()
    };
    match algorithm {
        Algorithm::EdDSA => EncodingKey::from_ed_der(&read("eddsa")),
        Algorithm::ES256 => EncodingKey::from_ec_der(&read("es256")),
        Algorithm::ES384 => EncodingKey::from_ec_der(&read("es384")),
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            let secret = URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap());
            EncodingKey::from_secret(&secret.unwrap())
        }
        _ => EncodingKey::from_rsa_der(&read("rs256")),
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
