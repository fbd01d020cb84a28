//! No secret leaves the service: every kind of secret in every flow that touches it, looked for
//! in every form on every way out.

mod needle;
mod service;
mod stores;
mod watch;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis::{
    Algorithm, Claim, Credential, IpNet, KeyGrant, KeySet, Principal, Secret,
    audit::{Event, EventName, Sink as _},
    authn::{
        api_key::NewKey,
        jwt::Key,
        otp::{Digits, Hotp, OtpKey, Recovery, Totp},
        password::Attempt,
        session::Factor,
    },
    limit::Login,
    testing::{Issuer, TokenBuilder},
};

use crate::kit::block_on;
use needle::Needle;
use service::{DEVICE_KEY, HMAC, Leak, PASSWORD, PEER, Service, hasher, later, noon, over_tls};
use watch::Channel;

/// What every place answers to who is let in, and to who is not.
const LET_IN: [u16; 7] = [200, 200, 403, 404, 400, 0, 400];
const REFUSED: [u16; 7] = [401, 401, 401, 404, 400, 401, 400];

#[track_caller]
fn unheard(service: &Service, needles: &[Needle]) {
    let found = service.watch.found(needles);
    assert!(found.is_empty(), "{found:?}");
    // What was looked through is what the flows left.
    for channel in [Channel::Head, Channel::Body, Channel::Event, Channel::Json, Channel::Tracing] {
        assert!(!service.watch.text(channel).is_empty(), "{channel:?}");
    }
}

/// A token, and its signature by itself.
fn of_token(token: &str) -> [Needle; 2] {
    let signature = token.rsplit('.').next().unwrap();
    [Needle::new("token", token), Needle::new("signature", signature)]
}

#[test]
fn tokens() {
    let service = Service::new();
    let shop = Issuer::new("https://shop.example").with_algorithm(Algorithm::Hs256);
    let token = || service.issuer.token("alice");
    let sign = |token: TokenBuilder| {
        service.watch.look_at(&token);
        token.sign(noon().wall)
    };
    let good = sign(token());
    let refused = [
        sign(token().expired()),
        sign(token().for_audience("shipping")),
        sign(token().issued_by("https://evil.example")),
        sign(token().not_before(later(60))),
        sign(token().signed_by_stranger()),
        sign(token().without_claim("exp")),
        sign(token().header("crit", vec!["x"])),
        sign(token().header("alg", "none")),
        sign(shop.token("alice")),
        good.get(..good.len() - 4).unwrap().to_owned(),
    ];
    assert_eq!(service.everywhere(|request| request.bearer(&good)), LET_IN);
    for token in &refused {
        assert_eq!(service.everywhere(|request| request.bearer(token)), REFUSED, "{token}");
    }
    astray(&service, &good);
    let needles: Vec<_> = refused.iter().chain([&good]).flat_map(|text| of_token(text)).collect();
    unheard(&service, &needles);
}

/// A secret where it does not belong, or twice.
fn astray(service: &Service, secret: &str) {
    let ambiguous = over_tls("/me").bearer(secret).bearer(secret);
    assert_eq!(service.send(ambiguous), 400);
    assert_eq!(service.send(over_tls("/me").bearer(&format!("{secret} {secret}"))), 400);
    assert_eq!(service.send(over_tls("/me").header("authorization", secret)), 400);
    for scheme in ["Basic", "Token", "Bearer:"] {
        let status =
            service.send(over_tls("/me").header("authorization", &format!("{scheme} {secret}")));
        assert!(matches!(status, 400 | 401), "{scheme} {status}");
    }
    let status = service.send(over_tls("/me").header("authorization", &format!("{secret} x")));
    assert!(matches!(status, 400 | 401), "{status}");
    assert_eq!(service.send(over_tls(&format!("/me?access_token={secret}"))), 401);
    assert_eq!(service.send(over_tls("/me").header("cookie", &format!("token={secret}"))), 401);
    let status = service.send(over_tls("/me").header("x-api-key", secret));
    assert!(matches!(status, 200 | 401), "{status}");
    let huge = secret.repeat(16 * 1024 / secret.len() + 1);
    assert!(matches!(service.send(over_tls("/me").bearer(&huge)), 400 | 401 | 431));
    for claim in
        [Credential::Bearer(secret), Credential::ApiKey(secret), Credential::Session(secret)]
    {
        service.watch.look_at(&(claim, Claim::from(claim)));
    }
    let bytes = [secret.as_bytes()];
    service.watch.look_at(&Claim::from_authorization(bytes.into_iter()));
    service.watch.look_at(&Secret::new(secret.as_bytes()));
}

/// The secret in a key, without prefix and id, and its hash's text.
fn of_key(key: &NewKey) -> Needle {
    let digits = key.expose().strip_prefix("orders_live_").unwrap();
    Needle::new("API key", digits.get(12..42).unwrap())
}

#[test]
fn api_keys() {
    let service = Service::new();
    let table = &service.stores.keys;
    let issue = |grant: KeyGrant| {
        let new = service.keys.issue(grant, noon().wall).unwrap();
        service.watch.look_at(&(&new, new.record()));
        new
    };
    let grant = || KeyGrant::until("acme", later(60));
    let elsewhere: IpNet = "198.51.100.0/24".parse().unwrap();
    let (good, revoked, unknown) = (issue(grant()), issue(grant()), issue(grant()));
    let (abroad, expired) = (issue(grant().allowed_from([elsewhere])), issue(grant()));
    let rotated = service.keys.rotate(expired.record(), noon().wall).unwrap();
    service.watch.look_at(&rotated);
    for new in [&good, &revoked, &abroad, &rotated] {
        table.insert(new.record().clone()).unwrap();
        service.watch.hear(Channel::Debug, new.record().to_json());
    }
    table.revoke(revoked.record().id(), noon().wall).unwrap();
    let mistyped = format!("{}x", good.expose());

    let both = |key: &str, expected: [u16; 7]| {
        assert_eq!(service.everywhere(|request| request.bearer(key)), expected);
        assert_eq!(service.everywhere(|request| request.header("x-api-key", key)), expected);
    };
    both(good.expose(), LET_IN);
    for key in [&revoked, &unknown, &abroad, &expired] {
        both(key.expose(), REFUSED);
    }
    both(&mistyped, REFUSED);
    service.without_stores(|| both(good.expose(), [503, 503, 503, 404, 400, 503, 400]));
    astray(&service, good.expose());
    let all = [&good, &revoked, &unknown, &abroad, &expired, &rotated];
    unheard(&service, &all.map(of_key));
}

#[test]
fn basic_passwords() {
    let wrong = "wrong-Canary-c0ffee12";
    for (user, password, expected) in [
        ("alice", PASSWORD, LET_IN),
        // After three guesses the guard looks at no more.
        ("alice", wrong, [401, 401, 401, 404, 400, 429, 400]),
        ("nobody", wrong, [401, 401, 401, 404, 400, 429, 400]),
        ("al\u{7}ice", PASSWORD, REFUSED),
    ] {
        let service = Service::new();
        let said = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let carry =
            |request: portcullis::testing::RequestBuilder| request.header("authorization", &said);
        assert_eq!(service.everywhere(carry), expected, "{user}");
        let down = service.without_stores(|| service.everywhere(carry));
        assert!(down.iter().all(|status| *status >= 400), "{down:?}");
        service.watch.look_at(&Credential::Basic(&said));
        let colonless = format!("Basic {}", STANDARD.encode(password));
        assert_eq!(service.send(over_tls("/me").header("authorization", &colonless)), 401);
        astray(&service, password);
        unheard(&service, &[Needle::new("password", password)]);
    }
}

#[test]
fn login_forms_and_device_cookies() {
    let service = Service::new();
    let (right, wrong) = (Secret::new(PASSWORD.as_bytes()), Secret::new(*b"wrong-Canary-99fa"));
    let cookie = service.logins.device_cookie("alice").unwrap();
    let forged = cookie.replace('.', ".0").get(..cookie.len()).unwrap().to_owned();
    let (long, stored) = ("u".repeat(2_000), block_on(hasher().hash(&right)).unwrap());
    let mut ended = Vec::new();
    let mut attempt = |user: &str, password: &Secret, device: &str| {
        let attempt = Attempt::new(user, password).client(PEER).device(device);
        let login = Login::new(user).client(PEER).device(device);
        let verdict = service.guard.reserve(&login, noon().mono);
        service.watch.look_at(&(attempt, login, &verdict));
        if let portcullis::limit::Verdict::Allow(reservation) = verdict {
            reservation.released();
        }
        let result = service.watch.during(|| {
            let result = block_on(service.logins.verify_password(&attempt, noon()));
            result.inspect_err(|error| {
                service.watch.hear(Channel::Debug, error.to_string());
            })
        });
        service.watch.look_at(&result);
        ended.push(result.unwrap().map_or_else(|error| error.kind().as_str(), |_| "let in"));
    };
    attempt("alice", &right, &cookie);
    attempt("alice", &wrong, &cookie);
    attempt("alice", &wrong, &forged);
    attempt("nobody", &wrong, &cookie);
    attempt(&long, &wrong, &cookie);
    (0..6).for_each(|_| attempt("alice", &wrong, &cookie));
    service.without_stores(|| attempt("bob", &right, &cookie));
    let kinds = ["let in", "invalid", "malformed", "login_throttled", "unavailable"];
    assert!(kinds.iter().all(|kind| ended.contains(kind)), "{ended:?}");
    // The cookie as browsers send it, on requests the gate sees.
    let carried = |request: portcullis::testing::RequestBuilder| {
        request.header("cookie", &format!("__Host-device={cookie}"))
    };
    service.everywhere(carried);
    let code = cookie.split('.').nth(1).unwrap();
    let needles = [
        Needle::new("password", right.expose()),
        Needle::new("wrong password", wrong.expose()),
        Needle::new("device cookie", code),
        Needle::new("device key", DEVICE_KEY),
        Needle::new("stored hash", stored.rsplit('$').next().unwrap()),
    ];
    unheard(&service, &needles);
}

#[test]
fn sessions() {
    let service = Service::new();
    let alice = Principal::assertion("visits", "alice").finish().unwrap();
    let mut ids = Vec::new();
    let mut open = || {
        let factors = [Factor::new("pwd", noon().wall)];
        let opened = block_on(service.sessions.open(&alice, factors, noon().wall)).unwrap();
        service.watch.look_at(&(&opened, opened.record()));
        service.watch.hear(Channel::Debug, opened.record().encode().unwrap());
        let id = opened.set_cookie().expose().split(['=', ';']).nth(1).unwrap().to_owned();
        ids.push(id.clone());
        (id, *opened.record().key())
    };
    let ((good, key), (ended, dead)) = (open(), open());
    assert_eq!(block_on(service.sessions.end("visits/alice", &dead)), Ok(true));
    let ask = |id: &str| {
        let cookie = format!("theme=dark; __Host-session={id}");
        service.everywhere(|request| request.header("cookie", &cookie))
    };
    assert_eq!(ask(&good), LET_IN);
    // Over, it counts as none where none is needed.
    assert_eq!(ask(&ended), [200, 401, 401, 404, 400, 401, 400]);
    assert_eq!(ask(&format!("{good}x")).get(1), Some(&401));
    service.without_stores(|| assert_eq!(ask(&good).get(1), Some(&503)));
    let renewed = block_on(service.sessions.renew(&key, &alice, [], noon().wall)).unwrap();
    service.watch.look_at(&renewed);
    let id = renewed.set_cookie().expose().split(['=', ';']).nth(1).unwrap();
    assert_eq!(ask(&good).get(1), Some(&401));
    assert_eq!(ask(id), LET_IN);
    service.watch.look_at(&block_on(service.sessions.list("visits/alice", noon().wall)));
    astray(&service, id);
    ids.push(id.to_owned());
    let needles: Vec<_> = ids.iter().map(|id| Needle::new("session", id)).collect();
    unheard(&service, &needles);
}

#[test]
fn second_factors() {
    let service = Service::new();
    let secret = *b"otp-Canary-2b7e1516";
    let key = OtpKey::new(Secret::new(secret)).unwrap().digits(Digits::Eight);
    let totp = Totp::new(service.stores.clone());
    let hotp = Hotp::new(service.stores.clone());
    let recovery = Recovery::new(service.stores.clone());
    let codes = block_on(recovery.issue("office/alice")).unwrap();
    let (base32, uri) = (key.to_base32(), key.totp_uri("Orders", "alice"));
    service.watch.look_at(&(&key, &totp, &hotp, &recovery, &codes, &base32, &uri));
    let typed = codes.first().unwrap().expose();
    let (now, step) = (noon().wall, noon().wall.as_secs() / 30);
    let (code, other, count) = (key.code(step), key.code(step + 100), key.code(2));
    let ask = |taken: usize| {
        let given = [&*code, &*code, &*other, "12", &format!("{code}7")];
        let answers: Vec<_> = given
            .iter()
            .map(|code| block_on(totp.verify("office/alice", &key, code, now)))
            .collect();
        let counted = block_on(hotp.verify("office/bob", &key, &count, None));
        let redeemed = [typed, typed, "AAAA-BBBB", &typed.replace('-', "").repeat(2)]
            .map(|code| block_on(recovery.redeem("office/alice", code)));
        let right = answers.iter().filter(|answer| answer.is_ok()).count();
        let right = right + redeemed.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(right + usize::from(counted.is_ok()), taken, "{answers:?} {redeemed:?}");
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            service.watch.hear(Channel::Debug, error.to_string());
        }
        service.watch.look_at(&(answers, counted, redeemed));
    };
    service.without_stores(|| service.watch.during(|| ask(0)).unwrap());
    service.watch.during(|| ask(3)).unwrap();
    service.watch.during(|| ask(0)).unwrap();
    for wrong in ["otp-canary", base32.expose().to_lowercase().as_str()] {
        let error = OtpKey::from_base32(wrong).unwrap_err();
        service.watch.hear(Channel::Debug, format!("{error:?} {error}"));
    }
    service.everywhere(|request| request.bearer(&code));
    astray(&service, typed);
    let mut needles = vec![
        Needle::new("shared secret", secret),
        Needle::new("shared secret in base32", base32.expose()),
    ];
    needles.extend([&code, &other, &count].map(|code| Needle::new("code", code)));
    for code in &codes {
        needles.push(Needle::new("recovery code", code.expose()));
        needles.push(Needle::new("recovery code", code.expose().replace('-', "")));
    }
    unheard(&service, &needles);
}

#[test]
fn keys_that_sign() {
    let service = Service::new();
    let mut needles = vec![Needle::new("HMAC key", HMAC)];
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256, Algorithm::Rs256] {
        let issuer = Issuer::new("https://id.example").with_algorithm(algorithm);
        let (token, keys) = (issuer.token("alice"), issuer.keys());
        service.watch.look_at(&(&issuer, &token, &keys, issuer.verifier("staff")));
        service.everywhere(|request| request.bearer(&token.clone().sign(noon().wall)));
    }
    needles.push(Needle::new("test kit's secret", "the issuer's secret, for tests only"));
    // The private parts: what comes after the head of PKCS #8, and before a public part.
    for (der, private) in [
        (&include_bytes!("../../src/testing/keys/issuer-eddsa.der")[..], 16..48),
        (include_bytes!("../../src/testing/keys/issuer-es256.der"), 36..68),
        (include_bytes!("../../src/testing/keys/issuer-rs256.der"), 330..580),
    ] {
        needles.push(Needle::new("private key", der.get(private).unwrap()));
    }
    // Documents that are refused for what stands beside the secret.
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(HMAC);
    for rest in [
        r#","alg":"RS256""#,
        r#","alg":"nonsense""#,
        r#","use":"enc""#,
        r#","key_ops":7"#,
        r#","k":"""#,
        "",
        "!",
    ] {
        let jwk = format!(r#"{{"kty":"oct","k":"{encoded}"{rest}}}"#);
        let jwks = format!(r#"{{"keys":[{jwk}]}}"#);
        for shown in
            [format!("{:?}", Key::from_jwk(&jwk)), format!("{:?}", KeySet::from_jwks(&jwks))]
        {
            service.watch.hear(Channel::Debug, shown);
        }
        let told = Key::from_jwk(&jwk).err().map(|error| error.to_string());
        service.watch.hear(Channel::Debug, told.unwrap_or_default());
    }
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(HMAC)
    );
    let refused = Key::from_pem(Algorithm::Es256, pem).unwrap_err();
    service.watch.hear(Channel::Debug, format!("{refused:?} {refused}"));
    unheard(&service, &needles);
}

/// The canary sings: what is said on purpose is found, on every channel and in every form.
#[test]
fn a_leak_on_any_channel_is_found() {
    let needle = Needle::new("leaked", "leaked-Canary-b5d4045c");
    for (form, text) in needle.forms() {
        for channel in [
            Channel::Head,
            Channel::Body,
            Channel::Debug,
            Channel::Event,
            Channel::Json,
            Channel::Tracing,
            Channel::Panic,
        ] {
            let service = Service::new();
            if matches!(channel, Channel::Event | Channel::Json) {
                let id = portcullis::CorrelationId::from_bytes([7; 16]);
                let mut event = Event::new(EventName::AuthzAllow, noon().wall, id);
                event.path = Some(text);
                service.sinks.record(&event);
            }
            let leak = over_tls("/").extension(Leak(channel, text.clone()));
            let status = if channel == Channel::Panic { 0 } else { 200 };
            assert_eq!(service.send(leak), status);
            let found = service.watch.found(std::slice::from_ref(&needle));
            assert!(found.contains(&(channel, "leaked", form)), "{channel:?} {form}: {found:?}");
            let elsewhere = |found: &Channel| match channel {
                Channel::Event | Channel::Json => !matches!(found, Channel::Event | Channel::Json),
                _ => *found != channel,
            };
            assert!(!found.iter().any(|(found, _, _)| elsewhere(found)), "{channel:?}: {found:?}");
        }
    }
}
