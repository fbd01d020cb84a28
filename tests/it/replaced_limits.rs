//! Limits that are replaced while their gate serves.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

use portcullis::{
    Attribute, Gate, Outcomes, Quota,
    gate::{Limit, Outcome},
    limit::Inheritance::{self, KeepDebt, KeepTokens, Reset},
    testing::Recorder,
};

use crate::{
    kit::only,
    listed_limits::{REFUSED, admit, builder, gate, noon, told},
};

/// How many more requests the caller gets, by asking.
fn room(gate: &Gate, who: &str) -> usize {
    (0..1_000).take_while(|_| told(gate, who, "/me") == "ok").count()
}

fn tenants(quota: Quota) -> Limit {
    Limit::by_attribute("tenant", quota)
}

fn replace(gate: &Gate, limit: Limit, inheritance: Inheritance) {
    gate.replace_limit(limit, inheritance, noon()).unwrap();
}

#[test]
fn callers_bring_along_what_the_inheritance_says() {
    // Of 40 left of 100 per minute, as in the table of `Inheritance`.
    for (inheritance, expected) in [(KeepDebt, 80), (KeepTokens, 40), (Reset, 200)] {
        let (gate, _) = gate([tenants(Quota::per_minute(100))]);
        for _ in 0..60 {
            assert_eq!(told(&gate, "acme:alice:", "/me"), "ok");
        }
        replace(&gate, tenants(Quota::per_minute(200)), inheritance);
        assert_eq!(room(&gate, "acme:bob:"), expected, "{inheritance:?}");
        assert_eq!(room(&gate, "corp:carol:"), 200, "{inheritance:?}");
        let in_force: Vec<_> = gate.limits().map(|(it, _)| it.quotas().to_vec()).collect();
        assert_eq!(in_force, [[Quota::per_minute(200)]]);
    }
}

#[test]
fn limits_that_were_written_short_are_replaced_by_their_names() {
    let log = Recorder::default();
    let gate = builder(&log).limit_clients(Quota::per_hour(9)).limit_principals(Quota::per_hour(2));
    let gate = gate.build().unwrap();
    assert_eq!(room(&gate, ":alice:"), 2);
    replace(&gate, Limit::by_principal(Quota::per_hour(4)), Reset);
    assert_eq!(room(&gate, ":alice:"), 4);
    assert_eq!(log.take().last().unwrap().event().limit, Some("principal"));
    // Three of nine are left: the refused ones burnt nothing.
    replace(&gate, Limit::by_client(Quota::per_hour(10)), KeepTokens);
    assert_eq!(room(&gate, ":bob:"), 3);
    assert_eq!(log.take().last().unwrap().event().limit, Some("client"));
}

#[test]
fn a_request_under_way_is_given_back_where_its_charge_is_still_counted() {
    let limit = |quota| tenants(quota).count(Outcomes::Failed);
    for (inheritance, expected) in [(KeepDebt, 4), (KeepTokens, 1), (Reset, 4)] {
        let (gate, _) = gate([limit(Quota::per_hour(2))]);
        let caller = admit(&gate, "acme:alice:", "/me", noon()).unwrap();
        replace(&gate, limit(Quota::per_hour(4)), inheritance);
        caller.conclude(&Outcome::Served).unwrap();
        // All of these fail, and count.
        let calls = (0..9).map_while(|_| admit(&gate, "acme:alice:", "/me", noon()).ok());
        let failed = calls.map(|caller| caller.conclude(&Outcome::Failed).unwrap()).count();
        assert_eq!(failed, expected, "{inheritance:?}");
    }
}

#[test]
fn what_turns_out_dear_is_owed_by_the_terms_in_force() {
    for inheritance in [KeepDebt, KeepTokens, Reset] {
        let (gate, _) = gate([tenants(Quota::per_hour(10))]);
        let caller = admit(&gate, "acme:alice:", "/me", noon()).unwrap();
        replace(&gate, tenants(Quota::per_hour(20)), inheritance);
        assert_eq!(caller.owe(6, noon()), 0);
        let used = match inheritance {
            // One of ten is two of twenty.
            KeepDebt => 2,
            KeepTokens => 11,
            _ => 0,
        };
        assert_eq!(room(&gate, "acme:bob:"), 20 - used - 6, "{inheritance:?}");
    }
}

#[test]
fn what_is_left_is_told_by_the_terms_that_count_the_request() {
    let left = |inheritance| {
        let (gate, _) = gate([tenants(Quota::per_hour(10))]);
        let caller = admit(&gate, "acme:alice:", "/me", noon()).unwrap();
        assert_eq!(caller.allowance().unwrap().remaining(), 9);
        replace(&gate, tenants(Quota::per_hour(20)), inheritance);
        caller.allowance().map(|it| (it.quota(), it.remaining()))
    };
    assert_eq!(left(KeepDebt), Some((Quota::per_hour(20), 18)));
    // Another table counts, which has not charged it.
    assert_eq!([left(KeepTokens), left(Reset)], [None; 2]);
}

#[test]
fn how_many_may_be_under_way_changes_beside_those_that_are() {
    let limit = |most| Limit::by_principal([]).at_once(most);
    let (gate, _) = gate([limit(2)]);
    let begin = || admit(&gate, ":alice:", "/me", noon());
    let two = [begin().unwrap(), begin().unwrap()];
    replace(&gate, limit(3), KeepDebt);
    let third = begin().unwrap();
    assert_eq!(begin().unwrap_err().reason().as_str(), REFUSED);
    replace(&gate, limit(1), KeepDebt);
    drop(two);
    assert_eq!(begin().unwrap_err().reason().as_str(), REFUSED);
    drop(third);
    assert!(begin().is_ok());
}

#[test]
fn a_limit_comes_out_of_the_shadow_with_what_it_has_counted() {
    let (gate, log) = gate([tenants(Quota::per_hour(2)).shadow()]);
    assert_eq!([(); 3].map(|()| told(&gate, "acme:alice:", "/me")), ["ok"; 3]);
    assert_eq!(log.take().last().unwrap().event().shadowed, Some("tenant"));
    replace(&gate, tenants(Quota::per_hour(2)), Reset);
    assert_eq!(told(&gate, "acme:alice:", "/me"), REFUSED);
    assert_eq!(only(&log).event().limit, Some("tenant"));
    assert_eq!(gate.limits().map(|(_, refused)| refused).collect::<Vec<_>>(), [1]);
}

/// Plans by the attribute `tenant`.
fn plans(own: Quota, plans: &[(&str, Quota)]) -> Limit {
    let limit = Limit::by_principal(own).plan_by(|caller| match caller.attribute("tenant") {
        Some(Attribute::Str(plan)) => Some(plan),
        _ => None,
    });
    plans.iter().fold(limit, |limit, (name, quota)| limit.plan(name, *quota))
}

#[test]
fn one_plan_changes_and_nobody_else_notices() {
    let (two, five) = (Quota::per_hour(2), Quota::per_hour(5));
    let (gate, _) = gate([plans(two, &[("paying", two), ("trial", two)])]);
    let ask = |who| told(&gate, who, "/me");
    let all = [":alice:", "paying:bob:", "trial:carol:"];
    assert_eq!(all.map(ask), ["ok"; 3]);
    // In another order, and with one more.
    replace(&gate, plans(two, &[("new", five), ("trial", two), ("paying", five)]), Reset);
    assert_eq!(all.map(|who| room(&gate, who)), [1, 5, 1]);
    assert_eq!(room(&gate, "new:dave:"), 5);
    assert_eq!(told(&gate, "old:erin:", "/me"), "plan_unknown");
}

#[test]
fn a_request_under_way_keeps_its_plan() {
    let (two, five) = (Quota::per_hour(2), Quota::per_hour(5));
    let before = plans(two, &[("a", two), ("b", five)]).count(Outcomes::Refused);
    let after = plans(two, &[("b", five), ("a", two)]).count(Outcomes::Refused);
    let (gate, _) = gate([before]);
    let caller = admit(&gate, "a:alice:", "/me", noon()).unwrap();
    replace(&gate, after, KeepDebt);
    caller.conclude(&Outcome::Refused(&portcullis::Reason::ResourceUnknown.into())).unwrap();
    assert_eq!(caller.owe(1, noon()), 0);
    assert_eq!(told(&gate, "a:alice:", "/me"), REFUSED);
}

#[test]
fn a_replacement_that_does_not_fit_changes_nothing() {
    let one = Quota::per_hour(1);
    let (gate, _) = gate([
        plans(one, &[("paying", one)]),
        Limit::by_route(one),
        Limit::by_route(one),
        tenants(Quota::per_calendar_day(5, "Europe/Vienna").unwrap()),
    ]);
    let check = |limit: Limit, expected: &str| {
        let errors = gate.replace_limit(limit, KeepDebt, noon()).unwrap_err();
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(told, [expected]);
    };
    let two = Quota::per_hour(2);
    check(
        Limit::by_client(two),
        "replacement of the limit `client`: no limit of the gate is called so",
    );
    check(
        Limit::by_route(two),
        "replacement of the limit `route`: several are called so; tell them apart with `.named(…)`",
    );
    check(
        Limit::by_credential(two).named("principal"),
        "replacement of the limit `principal`: it counts by something else",
    );
    check(
        plans(two, &[("new", two)]),
        "replacement of the limit `principal`: a plan in force is not among its plans",
    );
    check(
        plans(two, &[("paying", Quota::per_hour(0))]),
        "limit by principal: the quota `0 per hour` admits nobody",
    );
    let calendar = gate.replace_limit(tenants(two), KeepTokens, noon()).unwrap_err().to_string();
    assert!(calendar.contains("limit by attribute"), "{calendar}");
    assert_eq!([":alice:", "paying:bob:"].map(|who| room(&gate, who)), [1, 0]);
}

#[test]
fn no_caller_gains_by_replacements_beside_requests() {
    // While the quota swings between 50 and 100 per hour, nobody gets more than 100.
    let (gate, _) = gate([tenants(Quota::per_hour(50))]);
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let callers = [(); 2].map(|()| {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let served_one = told(&gate, "acme:alice:", "/me") == "ok";
                    served.fetch_add(usize::from(served_one), Relaxed);
                }
            })
        });
        scope.spawn(|| {
            for calls in [100, 50].into_iter().cycle() {
                replace(&gate, tenants(Quota::per_hour(calls)), KeepDebt);
                if done.load(Relaxed) {
                    break;
                }
            }
        });
        for caller in callers {
            caller.join().unwrap();
        }
        done.store(true, Relaxed);
    });
    let served = served.load(Relaxed);
    assert!((50..=100).contains(&served), "{served}");
    let later = noon().later(Duration::from_secs(3_600));
    assert!(admit(&gate, "acme:alice:", "/me", later).is_ok());
}
