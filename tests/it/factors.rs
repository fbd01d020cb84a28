//! Which factor, and how fresh: each by its own time, however factors follow each other.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use portcullis::{
    Admission, Caller, Claim, Facts, Gate, Mono, Now, Principal, Refusal, Routes, StepUp, UnixTime,
    authn::{
        otp::{MemorySteps, OtpKey, Totp},
        session::{Factor, MemorySessions, NewSession, SessionKey, Sessions},
    },
    limit::{Login, LoginGuard, Verdict},
    testing::Recorder,
};

use crate::kit::block_on;

const START: u64 = 1_800_000_000;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

fn sessions() -> Sessions {
    let day = Duration::from_secs(24 * 60 * 60);
    Sessions::new("staff", MemorySessions::new(100)).idle(day).absolute(day)
}

/// Routes that ask for a fresh password, code, both, or whatever is fresh.
fn gate(sessions: &Sessions, log: &Recorder) -> Gate {
    let five_minutes = || StepUp::within(Duration::from_secs(300));
    let routes = Routes::new()
        .authenticated("GET", "/me")
        .authenticated("GET", "/any")
        .step_up(five_minutes())
        .authenticated("GET", "/pwd")
        .step_up(five_minutes().method("pwd"))
        .authenticated("GET", "/otp")
        .step_up(five_minutes().method("otp"))
        .authenticated("GET", "/both")
        .step_up(five_minutes().method("pwd").method("otp"))
        .authenticated("GET", "/gold")
        .step_up(StepUp::classes(["gold"]).and_within(Duration::from_secs(300)));
    let builder = Gate::builder().authenticate(sessions.clone()).routes(routes);
    builder.audit(log.clone()).build().unwrap()
}

fn ask(gate: &Gate, path: &str, cookie: &str, secs: u64) -> Result<Caller, Refusal> {
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some(path);
    facts.secure = true;
    let claim = Claim::from_cookies([cookie.as_bytes()].into_iter(), "__Host-session");
    let now = Now::new(at(secs), Mono::from_nanos(1 << 40));
    let Admission::Done(result) = gate.admit(claim, &facts, now) else { panic!("it waits") };
    result
}

/// What the challenge of a refusal says after `error`.
fn asked_for(refusal: &Refusal) -> String {
    assert_eq!((refusal.status(), refusal.reason().as_str()), (401, "step_up_needed"));
    let [challenge] = refusal.challenges() else { panic!("{:?}", refusal.challenges()) };
    let challenge = challenge.to_string();
    let (_, rest) = challenge.split_once("error=\"insufficient_user_authentication\", ").unwrap();
    rest.to_owned()
}

fn cookie_of(opened: &NewSession) -> String {
    opened.set_cookie().expose().split(';').next().unwrap().to_owned()
}

fn alice() -> Principal {
    Principal::assertion("staff", "alice").finish().unwrap()
}

/// The session goes on under a new cookie, its user having authenticated by `factor` besides.
fn prove(sessions: &Sessions, who: &Principal, factor: Factor, secs: u64) -> String {
    let key = SessionKey::of(who).unwrap();
    cookie_of(&block_on(sessions.renew(&key, who, [factor], at(secs))).unwrap())
}

#[test]
fn attack_a_fresh_password_over_an_old_code() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let both = [Factor::new("pwd", at(0)), Factor::new("otp", at(0))];
    let cookie = cookie_of(&block_on(sessions.open(&alice(), both, at(0))).unwrap());
    let who = ask(&gate, "/both", &cookie, 300).unwrap().principal().unwrap().clone();

    // Whoever has found the browser open, and knows the password, has no code.
    let cookie = prove(&sessions, &who, Factor::new("pwd", at(400)), 400);
    assert!(ask(&gate, "/pwd", &cookie, 400).is_ok() && ask(&gate, "/any", &cookie, 400).is_ok());
    for path in ["/otp", "/both"] {
        let refusal = ask(&gate, path, &cookie, 400).unwrap_err();
        assert_eq!(asked_for(&refusal), "amr_values=\"otp\", max_age=\"300\"", "{path}");
    }
    let who = ask(&gate, "/me", &cookie, 400).unwrap().principal().unwrap().clone();
    let cookie = prove(&sessions, &who, Factor::new("otp", at(500)), 500);
    assert!(ask(&gate, "/both", &cookie, 700).is_ok());
    let refusal = ask(&gate, "/both", &cookie, 701).unwrap_err();
    assert_eq!(asked_for(&refusal), "amr_values=\"pwd\", max_age=\"300\"");
}

#[test]
fn attack_a_fresh_password_over_an_old_class() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let gold = |secs| {
        let who = Principal::assertion("staff", "alice").acr("gold").auth_time(at(secs));
        who.finish().unwrap()
    };
    let opened = block_on(sessions.open(&gold(0), [Factor::new("fed", at(0))], at(0))).unwrap();
    let who = ask(&gate, "/gold", &cookie_of(&opened), 300).unwrap().principal().unwrap().clone();

    let cookie = prove(&sessions, &who, Factor::new("pwd", at(400)), 400);
    let refusal = ask(&gate, "/gold", &cookie, 400).unwrap_err();
    assert_eq!(asked_for(&refusal), "acr_values=\"gold\", max_age=\"300\"");

    // The class reached once more, as a new log-in elsewhere says.
    let who = ask(&gate, "/me", &cookie, 400).unwrap().principal().unwrap().clone();
    let key = SessionKey::of(&who).unwrap();
    let again = block_on(sessions.renew(&key, &gold(500), [], at(500))).unwrap();
    assert!(ask(&gate, "/gold", &cookie_of(&again), 800).is_ok());
}

#[test]
fn attack_factors_without_end_in_one_session() {
    let sessions = sessions();
    let many = |count: u64| (0..count).map(|index| Factor::new(format!("m{index}"), at(0)));
    assert!(block_on(sessions.open(&alice(), many(17), at(0))).is_err());
    let opened = block_on(sessions.open(&alice(), many(16), at(0))).unwrap();
    let (key, who) = (opened.record().key(), opened.record().principal().clone());
    let refused = block_on(sessions.renew(key, &who, [Factor::new("pwd", at(1))], at(1)));
    assert!(refused.unwrap_err().detail().contains("16 methods"));
    let known = block_on(sessions.renew(key, &who, many(16), at(1))).unwrap();
    assert_eq!(known.record().factors().len(), 16, "the session went on");
}

/// Whoever knows the password guesses codes, a hundred at a time, as often as the guard lets them.
#[test]
fn attack_guessing_codes_for_a_day() {
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
    let guard = LoginGuard::builder().attempts(5).account_attempts(5);
    let guard = guard.delays(minute, hour).forget(hour).start().unwrap();
    let (totp, key) = (Totp::new(MemorySteps::new(10)), OtpKey::generate().unwrap());
    let other = OtpKey::generate().unwrap();
    let (mut looked_at, mut waited) = (Vec::new(), Duration::ZERO);
    while waited < 24 * hour {
        let now = Mono::from_nanos(0).saturating_add(waited);
        let attempts = (0..100).map(|_| guard.reserve(&Login::new("staff/alice"), now));
        let mut wait = Duration::MAX;
        // All are charged before the first is answered.
        for (guess, verdict) in (0..).zip(attempts.collect::<Vec<_>>()) {
            match verdict {
                Verdict::Allow(attempt) => {
                    looked_at.push(waited);
                    let code = other.code(waited.as_secs() + guess);
                    if block_on(totp.verify("staff/alice", &key, &code, at(waited.as_secs())))
                        .is_ok()
                    {
                        return attempt.succeeded(); // A lucky day, one in ten thousand.
                    }
                    attempt.failed();
                }
                Verdict::Deny { retry_after } | Verdict::Challenge { retry_after } => {
                    wait = wait.min(retry_after);
                }
            }
        }
        waited += wait;
    }
    let in_the_hour_from = |start: &Duration| {
        looked_at.iter().filter(|at| (*start..*start + hour).contains(*at)).count()
    };
    assert!(looked_at.iter().all(|start| in_the_hour_from(start) <= 10), "{looked_at:?}");
    assert!((10..=40).contains(&looked_at.len()), "{}", looked_at.len());
}

/// Something that happens to a session, some seconds after what happened before.
#[derive(Clone, Debug)]
enum Act {
    /// By that method, so many seconds before it is told, or after (clocks differ).
    Prove(&'static str, i64),
    /// Logs in anew, by a password.
    Open,
    Pass,
}

fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    let methods = proptest::sample::select(vec!["pwd", "otp", "hwk"]);
    let act = prop_oneof![
        4 => (methods, -100..400_i64).prop_map(|(method, ago)| Act::Prove(method, ago)),
        1 => Just(Act::Open),
        3 => Just(Act::Pass),
    ];
    prop::collection::vec((0..400_u64, act), 0..16)
}

/// The last time of every method, and nothing else.
type Model = BTreeMap<&'static str, u64>;

fn fresh(time: Option<&u64>, now: u64) -> bool {
    time.is_some_and(|time| *time <= now + 60 && now <= *time + 300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn each_factor_is_as_fresh_as_itself(acts in acts()) {
        let (log, sessions) = (Recorder::default(), sessions());
        let gate = gate(&sessions, &log);
        let open = |now| {
            let opened = block_on(sessions.open(&alice(), [Factor::new("pwd", at(now))], at(now)));
            cookie_of(&opened.unwrap())
        };
        let mut now = 1_000;
        let (mut cookie, mut model) = (open(now), Model::from([("pwd", now)]));
        for (wait, act) in acts {
            now += wait;
            match act {
                Act::Open => (cookie, model) = (open(now), Model::from([("pwd", now)])),
                Act::Prove(method, ago) => {
                    let time = now.checked_add_signed(-ago).unwrap();
                    let who = ask(&gate, "/me", &cookie, now).unwrap().principal().unwrap().clone();
                    cookie = prove(&sessions, &who, Factor::new(method, at(time)), now);
                    let last = model.entry(method).or_insert(time);
                    *last = time.max(*last);
                }
                Act::Pass => {}
            }
            let caller = ask(&gate, "/me", &cookie, now).unwrap();
            let who = caller.principal().unwrap();
            let told: BTreeMap<_, _> = who.factors().collect();
            let known = model.iter().map(|(method, time)| (*method, Some(at(*time)))).collect();
            prop_assert_eq!(told, known);
            prop_assert_eq!(who.auth_time(), model.values().max().map(|time| at(*time)));
            for (path, methods) in
                [("/pwd", &["pwd"][..]), ("/otp", &["otp"]), ("/both", &["pwd", "otp"])]
            {
                let lacks = |method: &&str| !fresh(model.get(method), now);
                let missing: Vec<_> = methods.iter().copied().filter(lacks).collect();
                match ask(&gate, path, &cookie, now) {
                    Ok(_) => prop_assert!(missing.is_empty(), "{path} {missing:?}"),
                    Err(refusal) => {
                        let missing = format!("amr_values=\"{}\", max_age=\"300\"", missing.join(" "));
                        prop_assert_eq!(asked_for(&refusal), missing);
                    }
                }
            }
            let any = ask(&gate, "/any", &cookie, now).is_ok();
            prop_assert_eq!(any, fresh(model.values().max(), now));
        }
    }
}
