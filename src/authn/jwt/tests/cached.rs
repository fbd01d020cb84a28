//! A cache of verified tokens changes no answer.

use super::*;

fn hits(verifier: &JwtVerifier) -> u64 {
    verifier.cache_stats().unwrap().hits
}

#[test]
fn a_cache_of_none_is_none() {
    let issuer = issuer(Algorithm::Es256);
    assert_eq!(issuer.verifier("staff").cache_stats(), None);
    assert_eq!(issuer.verifier("staff").cache(8).cache(0).cache_stats(), None);
}

#[test]
fn attack_cached_token_after_its_end() {
    let issuer = issuer(Algorithm::Es256);
    let verifier = issuer.verifier("staff").cache(8);
    let token = issuer.token("alice").claim("exp", 1_700_000_300).sign(NOW);
    let at = |secs| verifier.verify_token(&token, UnixTime::from_secs(secs));
    assert!(at(1_700_000_000).is_ok() && at(1_700_000_299).is_ok());
    assert_eq!(at(1_700_000_300).unwrap_err().kind(), AuthnErrorKind::Expired);
    assert_eq!(at(1_600_000_000).unwrap_err().kind(), AuthnErrorKind::NotYetValid);
    assert_eq!(hits(&verifier), 3, "each of them found");
}

#[test]
fn attack_cached_token_of_a_withdrawn_key() {
    let (old, new) = (issuer(Algorithm::Es256), issuer(Algorithm::EdDsa));
    let keys = Snapshot::new(old.keys());
    let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys.clone()).cache(8);
    let token = old.token("alice").sign(NOW);
    assert!(verifier.verify_token(&token, NOW).is_ok());
    keys.replace(new.keys());
    assert_eq!(refusal(&verifier, &token), "no key has the token's `kid`");
    keys.replace(old.keys());
    assert!(verifier.verify_token(&token, NOW).is_ok());
    assert_eq!(hits(&verifier), 0);
}

#[test]
fn attack_cached_token_under_other_rules() {
    let issuer = issuer(Algorithm::Es256);
    let wide = issuer.verifier("staff").also_for("billing").cache(8);
    let token = issuer.token("alice").claim("aud", "billing").sign(NOW);
    assert!(wide.verify_token(&token, NOW).is_ok());
    let narrow = issuer.verifier("staff").cache(8);
    assert_eq!(narrow.verify_token(&token, NOW).unwrap_err().kind(), AuthnErrorKind::WrongAudience);
    // Each way to change the rules of a clone leaves what the other has proven behind.
    for other in [
        wide.clone().roles(RoleMap::claim("roles").only(["clerk"])),
        wide.clone().attributes(["department"]),
        wide.clone().kind(crate::Kind::Service),
        wide.clone().leeway(Duration::from_secs(1)),
        wide.clone().max_lifetime(Duration::from_secs(1)),
        wide.clone().max_bytes(16),
        wide.clone().also_for("x"),
    ] {
        assert_eq!(other.cache_stats().unwrap().entries, 0);
    }
    assert_eq!(wide.clone().cache_stats().unwrap().entries, 1, "a clone as it is shares them");
}

#[test]
fn attack_forged_copy_of_a_cached_token() {
    let verifier = hs256().cache(8);
    let token = sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256"}"#, CLAIMS);
    assert!(verifier.verify_token(&token, NOW).is_ok());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = CLAIMS.replace("alice", "admin");
    let (header, _) = signed.split_once('.').unwrap();
    let forged = format!("{header}.{}.{signature}", encode(other));
    assert_eq!(refusal(&verifier, &forged), "the signature is not the key's");
    assert_eq!(refusal(&verifier, &format!("{token}A")), refusal(&hs256(), &format!("{token}A")));
    assert_eq!(verifier.cache_stats().unwrap().entries, 1, "nothing refused is kept");
}

#[test]
fn attack_malformed_token_while_there_are_no_keys() {
    let keys = RemoteKeys::new(RemoteSet::at("https://id.example/jwks.json")).unwrap();
    let plain = JwtVerifier::new("staff", ISSUER, "orders", keys);
    let cached = plain.clone().cache(8);
    let long = "x".repeat(10_000);
    let good = issuer(Algorithm::Es256).token("alice").sign(NOW);
    for token in ["", "a.b", "a.b.c", "a..c", &*long, &*good] {
        let answer = |verifier: &JwtVerifier| verifier.verify_token(token, NOW).unwrap_err();
        assert_eq!(answer(&cached), answer(&plain), "{token}");
    }
}

#[test]
fn a_hit_allocates_nothing() {
    let issuer = issuer(Algorithm::Es256);
    let fetched = RemoteKeys::new(RemoteSet::at("https://id.example/jwks.json")).unwrap();
    let now = Now::new(NOW, Mono::from_nanos(0));
    let request = fetched.need_fetch(now).unwrap();
    let body = issuer.jwks().into_bytes();
    fetched.apply(now, &request, FetchOutcome::Document { body, etag: None, max_age: None });
    let token = issuer.token("alice").roles(["clerk"]).scope("a b").sign(NOW);
    for keys in [Keys::from(issuer.keys()), Keys::from(fetched)] {
        let roles = RoleMap::claim("roles").only(["clerk"]);
        let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys).roles(roles).cache(8);
        let verify = || assert!(verifier.verify_token(&token, NOW).is_ok());
        verify();
        verify();
        assert_eq!(allocation_counter::measure(verify).count_total, 0);
        assert_eq!(hits(&verifier), 2);
    }
}

#[test]
fn what_is_refused_is_not_kept() {
    let verifier = hs256().cache(8);
    let token = sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256"}"#, CLAIMS);
    let late = UnixTime::from_secs(1_800_000_000);
    assert!(verifier.verify_token(&token, late).is_err());
    assert_eq!(verifier.cache_stats().unwrap().entries, 0);
}

#[test]
fn what_an_entry_takes_is_as_stated() {
    let taken = allocation_counter::measure(|| {
        std::mem::forget(hs256().cache(8_000));
    });
    let bare = allocation_counter::measure(|| std::mem::forget(hs256()));
    let place = (taken.bytes_total - bare.bytes_total) / 8_000;
    assert_eq!(place, 82, "bytes a place");

    let (verifier, token) =
        (hs256().cache(8), sign(Algorithm::Hs256, SECRET, r#"{"alg":"HS256"}"#, CLAIMS));
    let kept = allocation_counter::measure(|| drop(verifier.verify_token(&token, NOW)));
    let without = hs256();
    let verified = allocation_counter::measure(|| drop(without.verify_token(&token, NOW)));
    let entry = kept.bytes_current - verified.bytes_current;
    let principal = i64::try_from(verified.bytes_total).unwrap();
    let length = i64::try_from(token.len()).unwrap();
    assert!((length..=length + principal + 200).contains(&entry), "{entry} bytes an entry");
}

proptest! {
    #[test]
    fn a_cache_changes_no_answer(
        steps in prop::collection::vec((0..12_usize, 0..4_u64, 0..20_u8), 1..80)
    ) {
        let issuers = [issuer(Algorithm::Es256), issuer(Algorithm::Hs256)];
        let tokens: Vec<String> = (0..12_u64).map(|number| {
            let issuer = &issuers[number as usize % 2];
            let exp = NOW.as_secs() + number % 4;
            issuer.token(&format!("user-{number}")).claim("exp", exp).sign(NOW)
        }).collect();
        let keys = Snapshot::new(issuers[0].keys());
        let plain = JwtVerifier::new("staff", ISSUER, "orders", keys.clone());
        let cached = plain.clone().cache(8);
        for (which, later, replace) in steps {
            if replace < 2 {
                keys.replace(issuers[replace as usize].keys());
            }
            let now = UnixTime::from_secs(NOW.as_secs() + later);
            let who = |verifier: &JwtVerifier| {
                let answer = verifier.verify_token(&tokens[which], now);
                answer.map(|who| who.id().to_owned()).map_err(AuthnError::detail)
            };
            prop_assert_eq!(who(&cached), who(&plain));
        }
    }
}
