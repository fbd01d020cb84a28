//! Rules that are found through the index against going through all of them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    super::{
        AccessRequest, Coarse, Context, Decision, Document, Effect, EvalError, Policy, PolicySet,
        RuleId, Value, Why,
        index::{Builder, Memo},
        program::Outcomes,
        world::World,
    },
    sets::{Asked, HEAD, principal, questions},
    world::ROLES,
};
use crate::{Attribute, Principal, UnixTime};

/// Most divide rules; the others may fail, so that what stands behind them must not.
const ATOMS: [&str; 23] = [
    "resource.level == 0",
    "resource.level == 1",
    "resource.level == 2",
    "resource.owner == User::\"s/a\"",
    "User::\"s/b\" == resource.owner",
    "resource has label",
    "resource has label && resource.label == \"x\"",
    "resource has label && resource.label == \"y\"",
    "resource has label && resource.label like \"x*\"",
    "resource.owner == principal",
    "resource.level != 1",
    "resource.level + 1 == 2",
    "resource.level < context.limit",
    "resource.open",
    "!resource.open",
    "resource == Doc::\"d\"",
    "resource == Doc::\"e\"",
    "resource in Folder::\"f\"",
    "resource.tags.contains(\"x\")",
    "principal.level == 1",
    "principal has team && principal.team == \"x\"",
    "principal in Role::\"r1\"",
    "context.limit == 1",
];

#[derive(Clone, Debug)]
pub(super) struct Written {
    effect: Effect,
    roles: Vec<&'static str>,
    when: Vec<&'static str>,
    unless: bool,
}

prop_compose! {
    pub(super) fn rule()(
        effect in prop_oneof![2 => Just(Effect::Permit), 1 => Just(Effect::Forbid)],
        roles in prop_oneof![
            3 => Just(Vec::new()),
            3 => prop::sample::subsequence(ROLES.to_vec(), 1),
            1 => prop::sample::subsequence(ROLES.to_vec(), 2),
        ],
        first in prop::option::weighted(0.7, prop::sample::select(ATOMS[..5].to_vec())),
        others in prop::collection::vec(prop::sample::select(ATOMS.to_vec()), 1..4),
        unless in prop::bool::weighted(0.1),
    ) -> Written {
        Written { effect, roles, when: first.into_iter().chain(others).collect(), unless }
    }
}

/// `few` rules are run one after another; more are divided.
pub(super) fn set(rules: &[Written], few: usize) -> PolicySet {
    let mut document = Document::from_toml(HEAD).unwrap();
    for (number, rule) in rules.iter().enumerate() {
        let id = format!("{number:02}");
        let policy = match rule.effect {
            Effect::Permit => Policy::permit(&id),
            Effect::Forbid => Policy::forbid(&id),
        };
        let mut policy = policy.actions(["doc:read"]).when(&rule.when.join(" && "));
        if !rule.roles.is_empty() {
            policy = policy.roles(rule.roles.iter().copied());
        }
        if rule.unless {
            policy = policy.unless("resource.level == 2");
        }
        document = document.rule(policy);
    }
    PolicySet::build(&document, Builder::new(few)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What rules answer that may apply or fail: now, and before the resource is known.
type Answers = (BTreeMap<RuleId, Result<bool, EvalError>>, BTreeMap<RuleId, Outcomes>);

fn answers(set: &PolicySet, asked: &Asked, effect: Effect, all: bool) -> Answers {
    let action = set.action("doc:read").unwrap();
    let cell = set.cell(action).unwrap();
    let section = if effect == Effect::Forbid { cell.forbids } else { cell.permits };
    let subject = set.subject(&principal(asked));
    let scene = &asked.scene;
    let context = Context::new(UnixTime::from_secs(asked.now)).members(&scene.context);
    let world = |resource| World {
        set,
        roles: &subject.roles,
        action,
        principal: &scene.principal,
        resource,
        context: &context,
    };
    let section = if all { section.undivided() } else { section };
    let (mut now, mut before) = (BTreeMap::new(), BTreeMap::new());
    let known = world(Some(&scene.resource));
    set.index.visit(section, &known, &mut Memo::default(), &mut |run| {
        for rule in set.rules.of(run) {
            let answer = rule.run(&known).map_err(|stop| stop.error());
            assert!(now.insert(rule.id, answer).is_none(), "{rule:?} is visited twice");
        }
    });
    now.retain(|_, answer| *answer != Ok(false));
    let unknown = world(None);
    set.index.visit(section, &unknown, &mut Memo::default(), &mut |run| {
        for rule in set.rules.of(run) {
            assert!(before.insert(rule.id, rule.outcomes(&unknown)).is_none());
        }
    });
    before.retain(|_, outcomes| !outcomes.is_only_no());
    (now, before)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_rule_is_passed_over_that_applies_or_fails(
        rules in prop::collection::vec(rule(), 1..30),
        questions in prop::collection::vec(questions(), 8),
        few in 0_usize..4,
    ) {
        let (divided, plain) = (set(&rules, few), set(&rules, usize::MAX));
        for asked in questions {
            for effect in [Effect::Forbid, Effect::Permit] {
                let expected = answers(&plain, &asked, effect, true);
                prop_assert_eq!(&answers(&divided, &asked, effect, false), &expected);
                prop_assert_eq!(&answers(&divided, &asked, effect, true), &expected);
            }
        }
    }
}

/// The tests above would say nothing if nothing was ever passed over.
#[test]
fn many_rules_are_passed_over() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut visited, mut all) = (0, 0);
    for _ in 0..300 {
        let tree = (prop::collection::vec(rule(), 20), questions()).new_tree(&mut runner).unwrap();
        let (rules, asked) = proptest::strategy::ValueTree::current(&tree);
        let set = set(&rules, 2);
        let subject = set.subject(&principal(&asked));
        let action = set.action("doc:read").unwrap();
        let cell = set.cell(action).unwrap();
        let context = Context::new(UnixTime::from_secs(0)).members(&asked.scene.context);
        let world = World {
            set: &set,
            roles: &subject.roles,
            action,
            principal: &asked.scene.principal,
            resource: Some(&asked.scene.resource),
            context: &context,
        };
        all += cell.permits.all.count;
        set.index
            .visit(cell.permits, &world, &mut Memo::default(), &mut |run| visited += run.count);
    }
    assert!(visited * 5 < all * 4, "{visited} of {all}");
}

#[test]
fn rules_about_all_actions_are_filed_once() {
    let filed = |actions: usize| {
        let own = (0..actions)
            .map(|at| format!("permit (principal, action == Action::\"a{at}\", resource);"));
        let all = (0..50).map(|at| {
            format!("forbid (principal, action, resource) when {{ resource.level == {at} }};")
        });
        let text: String = own.chain(all).collect();
        PolicySet::from_cedar(&text).unwrap().rules.filed.len()
    };
    // Each action has one permit more.
    assert_eq!(filed(9), filed(1) + 8);
}

/// Seven rules for one role each, and before them in the order of names one for all, which the
/// index visits after them.
fn later_first(effect: &str, when: &str) -> PolicySet {
    let rule = |id: String, roles: &str| {
        format!(
            "[[rule]]\nid = {id:?}\neffect = {effect:?}\nactions = [\"read\"]\n{roles}\n\
             when = {when:?}\n"
        )
    };
    let roles = (1..8).map(|role| rule(format!("role-{role}"), &format!("roles = [\"r{role}\"]")));
    let rules: String = roles.chain([rule("any".to_owned(), "")]).collect();
    let roles: String = (1..8).map(|role| format!("r{role} = {{}}\n")).collect();
    let head = "resources.Doc.actions = [\"read\"]\n[principal.attributes]\nlevel = \"long\"";
    let text = format!("{head}\n[roles]\n{roles}{rules}");
    PolicySet::from_document(Document::from_toml(&text).unwrap()).unwrap()
}

struct Doc {
    id: &'static str,
}

crate::entity! {
    Doc as "Doc" by id {}
}

#[test]
fn of_several_rules_the_first_by_name_is_named_whichever_is_visited_first() {
    let asked = |effect: &str, when: &str| {
        let set = later_first(effect, when);
        let caller = Principal::assertion("s", "a").roles(["r4"]);
        let caller = caller.attributes([("level", Attribute::Long(1))]);
        let (caller, action) = (caller.finish().unwrap(), set.action("read").unwrap());
        let (subject, context) = (&set.subject(&caller), &Context::new(UnixTime::from_secs(0)));
        let request = AccessRequest {
            subject,
            principal: &caller,
            action,
            resource: &Doc { id: "d" },
            context,
        };
        let mut visited = Vec::new();
        let cell = set.cell(action).unwrap();
        let section = if effect == "permit" { cell.permits } else { cell.forbids };
        set.index.visit(section, &set.world(&request), &mut Memo::default(), &mut |run| {
            visited.extend(set.rules.of(run).map(|rule| set.rule_name(rule.id).unwrap()));
        });
        assert_eq!(visited, ["role-4", "any"], "the order that this test is about");
        let decision = set.decide(&request);
        let coarse = set.could(subject, &caller, action, context);
        let (Coarse::Yes(early) | Coarse::No(early)) = coarse else { panic!("{coarse:?}") };
        assert_eq!(early, decision);
        let named = decision.rule().map(|rule| set.rule_name(rule).unwrap().to_owned());
        (decision.is_allow(), named)
    };
    let (applies, fails) = ("principal.level > 0", "principal.level + 9223372036854775807 > 0");
    assert_eq!(asked("permit", applies), (true, Some("any".to_owned())));
    assert_eq!(asked("forbid", applies), (false, Some("any".to_owned())));
    assert_eq!(asked("forbid", fails), (false, Some("any".to_owned())));
    assert_eq!(asked("permit", fails), (false, None));
}

/// In Cedar's text nobody declares types, so what stands before a comparison that divides may fail
/// by the type of a value.
#[test]
fn no_error_of_a_type_is_passed_over_where_none_is_declared() {
    let asked = |before: &str, level: Value<'_>| {
        let rules = (0..9).map(|at| {
            format!(
                "forbid (principal, action == Action::\"a\", resource) \
                 when {{ {before} && context.name == \"n{at}\" }};"
            )
        });
        let set = PolicySet::from_cedar(&rules.collect::<String>()).unwrap();
        let alice = Principal::assertion("staff", "alice").finish().unwrap();
        let members = [("level", level), ("name", Value::from("other")), ("two", Value::Long(2))];
        set.decide(&AccessRequest {
            subject: &set.subject(&alice),
            principal: &alice,
            action: set.action("a").unwrap(),
            resource: &alice,
            context: &Context::new(UnixTime::from_secs(0)).members(&members),
        })
    };
    let none = Decision::Deny(Why::NoRule { permit_errors: 0 });
    for (before, right, wrong) in [
        ("context.level > 1", Value::Long(2), Value::from("2")),
        ("context.level > context.two", Value::Long(2), Value::from("2")),
        ("context.level like \"2*\"", Value::from("2"), Value::Long(2)),
        ("context.level", Value::from(true), Value::Long(2)),
    ] {
        assert_eq!(asked(before, right), none, "{before}");
        let Decision::Deny(Why::ErrorInForbid(rule, EvalError::WrongType)) = asked(before, wrong)
        else {
            panic!("{before}");
        };
        assert_eq!(rule, RuleId(0), "{before}");
    }
}
