use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::authn::{StoreError, store::at_once};

fn check(policy: &PasswordPolicy, text: &str, about: &[&str]) -> Option<PasswordProblem> {
    policy.check(&Secret::new(text.as_bytes()), about).err()
}

#[test]
fn asvs_6_2_1_length_counts_code_points() {
    let least = |least| Some(PasswordProblem::TooShort { least });
    let (alone, second) = (PasswordPolicy::single_factor(), PasswordPolicy::with_second_factor());
    assert_eq!(check(&alone, "mild winter tea", &[]), None);
    assert_eq!(check(&alone, "mild winter te", &[]), least(15));
    assert_eq!(check(&alone, "ßüñéßüñéøæåœłðþ", &[]), None);
    assert_eq!(check(&alone, "ßüñéßüñéøæåœłð", &[]), least(15), "27 bytes, 14 characters");
    assert_eq!(check(&second, "mild tea", &[]), None);
    assert_eq!(check(&second, "mild te", &[]), least(8));
    assert_eq!(check(&second.clone().at_least(10), "mild tea", &[]), least(10));
    assert_eq!(check(&second.at_least(1), "mild te", &[]), least(8), "never fewer");
}

#[test]
fn asvs_6_2_9_long_passwords_are_taken() {
    let policy = PasswordPolicy::single_factor();
    let long = |text: &str, count| text.chars().cycle().take(count).collect::<String>();
    for count in [64, 128, 1_024] {
        let text =
            long("mild winter tea with too much lemon ", count / 2) + &long("yes sir ", count / 2);
        assert_eq!(check(&policy, &text, &[]), None, "{count}");
    }
    assert_eq!(check(&policy, &"é".repeat(513), &[]), Some(PasswordProblem::TooLong));
}

#[test]
fn asvs_6_2_5_nothing_is_asked_about_the_kind_of_characters() {
    let policy = PasswordPolicy::single_factor();
    for text in [
        "three short words here",
        "7294 1183 5520 94",
        "☕🌧🌙☕🫖🌧🪟📚🐈🕯🎻🍪🧣🍋🛋",
        "               x",
    ] {
        assert_eq!(check(&policy, text, &[]), None, "{text}");
    }
    assert_eq!(check(&policy, "three short\nwords here", &[]), Some(PasswordProblem::NotText));
    let latin = Secret::new(*b"three short words h\xe9re");
    assert_eq!(policy.check(&latin, &[]), Err(PasswordProblem::NotText));
}

#[test]
fn asvs_6_2_4_every_listed_password_is_refused_in_any_case() {
    let policy = PasswordPolicy::with_second_factor().block(["Mild Winter Tea"]);
    for listed in include_str!("common.txt").lines() {
        assert!(listed.chars().count() >= 8, "{listed} could never be chosen");
        assert_eq!(listed, listed.to_lowercase());
        for text in [listed.to_owned(), listed.to_uppercase(), listed.repeat(2)] {
            assert_eq!(check(&policy, &text, &[]), Some(PasswordProblem::Common), "{text}");
        }
    }
    assert_eq!(check(&policy, "mild winter TEA", &[]), Some(PasswordProblem::Common));
}

#[test]
fn what_only_looks_long_is_common() {
    let policy = PasswordPolicy::single_factor();
    for text in [
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "ponmlkjihgfedcba",
        "1234567890123456",
        "0987654321098765",
        "abababababababab",
        "abcabcabcabcabcab",
        "1a2b1a2b1a2b1a2b",
        "passwordpassword",
        "PasswordPasswordPass",
        "ééééééééééééééé",
    ] {
        assert_eq!(check(&policy, text, &[]), Some(PasswordProblem::Common), "{text}");
    }
    for text in ["abcdefghijklmnoq", "mildwintertea-mildwintertea", "aaaaaaaaaaaaaaab"] {
        assert_eq!(check(&policy, text, &[]), None, "{text}");
    }
}

#[test]
fn asvs_6_2_11_names_of_the_user_and_the_service_are_refused() {
    let policy = PasswordPolicy::single_factor().context(["Orders", "ab"]);
    let about = &["j.wintersmith@example.org", "Ann-Lee"][..];
    let context = Some(PasswordProblem::Context);
    assert_eq!(check(&policy, "my WinterSmith and I", about), context);
    assert_eq!(check(&policy, "this is an example of it", about), context);
    assert_eq!(check(&policy, "no more orders, please", about), context);
    assert_eq!(check(&policy, "winter and smith met ann", about), None);
    assert_eq!(check(&policy, "a tab and a grab j.", about), None, "short words are no names");
}

/// A list of one password, which remembers what it was asked.
#[derive(Clone, Debug)]
struct List(Result<String, StoreError>, Arc<Mutex<Vec<String>>>);

impl BreachCheck for List {
    fn range(&self, prefix: &str) -> Answer<String> {
        self.1.lock().unwrap().push(prefix.to_owned());
        self.0.clone().map_or_else(Answer::failed, Answer::done)
    }
}

#[test]
fn asvs_6_2_12_a_list_of_breaches_learns_five_digits() {
    let hash = sha1_hex(b"mild winter tea");
    let rest = hash.get(5..).unwrap();
    let ask = |answer| {
        let list = List(answer, Arc::default());
        let found = PasswordPolicy::check_breaches(&Secret::new(*b"mild winter tea"), &list);
        let found = at_once(found).err();
        assert_eq!(*list.1.lock().unwrap(), [hash.get(..5).unwrap()]);
        found
    };
    let other = "0018A45C4D1DEF81644B54AB7F969B88D65:21";
    assert_eq!(ask(Ok(format!("{other}\r\n{rest}:3\r\n"))), Some(PasswordProblem::Breached));
    assert_eq!(ask(Ok(format!("{}:10", rest.to_lowercase()))), Some(PasswordProblem::Breached));
    assert_eq!(ask(Ok(format!("{other}\r\n{rest}:0\r\n"))), None, "padding");
    assert_eq!(ask(Ok(other.to_owned())), None);
    assert_eq!(ask(Ok(String::new())), None);
    assert_eq!(ask(Err(StoreError)), Some(PasswordProblem::BreachesUnknown));
}

#[test]
fn the_default_list_is_small() {
    assert!(include_str!("common.txt").len() < 64 * 1024);
}

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..1100)) {
        let found = PasswordPolicy::single_factor().check(&Secret::new(bytes.clone()), &[]);
        prop_assert_eq!(found == Err(PasswordProblem::TooLong), bytes.len() > MAX_PASSWORD);
    }

    #[test]
    fn a_unit_makes_up_its_text(text in "\\PC{0,40}") {
        let unit = repeated(&text);
        prop_assert!(unit.repeat(text.len() + 1).starts_with(&text));
    }
}
