//! Counting what decides.

use super::{
    super::{AccessRequest, Context, Hits, PolicySet},
    semantics::{order, policies, rule, with_roles},
    world::Data,
};
use crate::UnixTime;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

fn ask(hits: &Hits, set: &PolicySet, roles: &[&str], total: i64) {
    let principal = with_roles(roles.iter().copied());
    let action = set.action("order:read").unwrap();
    hits.count(
        action,
        set.decide(&AccessRequest {
            subject: &set.subject(&principal),
            principal: &principal,
            action,
            resource: &order().with("total", Data::Long(total)),
            context: &Context::new(at(0)),
        }),
    );
}

fn counted(hits: &Hits, set: &PolicySet) -> Vec<(String, u64, u64)> {
    let name = |name: &str, action: Option<&str>| match action {
        Some(action) => format!("{name} {action}"),
        None => name.to_owned(),
    };
    let usage = hits.usage(set);
    usage
        .iter()
        .map(|one| (name(&one.name, one.action.as_deref()), one.hits, one.since.as_secs()))
        .collect()
}

fn row(name: &str, hits: u64, since: u64) -> (String, u64, u64) {
    (name.to_owned(), hits, since)
}

const ROLES: &str = "[roles]\nboss = { may = ['order:read'] }\nclerk = {}\n";

fn written(forbid: &str) -> String {
    [
        ROLES.to_owned(),
        rule("f", "forbid", &format!("when = 'resource.total > {forbid}'")),
        rule("p", "permit", "roles = ['clerk']"),
        rule("unused", "permit", "when = 'resource.total > 5'"),
    ]
    .concat()
}

#[test]
fn each_decision_counts_for_the_rule_or_the_grant_that_made_it() {
    let set = policies(&written("100"));
    let hits = Hits::new(&set, at(7));
    ask(&hits, &set, &["boss"], 1);
    ask(&hits, &set, &["boss"], 1);
    ask(&hits, &set, &["clerk"], 1);
    ask(&hits, &set, &["boss"], 101);
    ask(&hits, &set, &[], 1);
    let expected =
        [row("f", 1, 7), row("p", 1, 7), row("unused", 0, 7), row("boss order:read", 2, 7)];
    assert_eq!(counted(&hits, &set), expected);
    assert_eq!(hits.usage(&set).to_string(), "rule `unused` never decided since 7");
    // The decisions of one set say nothing about another.
    let other = policies(&written("100"));
    ask(&hits, &other, &["boss"], 1);
    assert_eq!(counted(&hits, &set), expected);
    assert_eq!(counted(&hits, &other), []);
}

#[test]
fn what_stays_the_same_goes_on_counting_over_a_reload() {
    let before = policies(&written("100"));
    let hits = Hits::new(&before, at(7));
    for (roles, total) in [(["boss"], 1), (["clerk"], 1), (["boss"], 101)] {
        ask(&hits, &before, &roles, total);
    }
    let after = policies(&written("200"));
    let carried = hits.carried(&before, &after, at(9));
    ask(&carried, &after, &["clerk"], 1);
    let expected =
        [row("f", 0, 9), row("p", 2, 7), row("unused", 0, 7), row("boss order:read", 1, 7)];
    assert_eq!(counted(&carried, &after), expected);
    // Counters of neither.
    let strange = carried.carried(&before, &after, at(11));
    assert!(counted(&strange, &after).iter().all(|(_, hits, since)| (*hits, *since) == (0, 11)));
}
