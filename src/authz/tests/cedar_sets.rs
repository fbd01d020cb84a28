//! Whole sets in Cedar's policy text: against going through their policies one by one, and
//! against what must not change, whatever they say.

use proptest::prelude::*;
use serde_json::json;

use super::super::{
    AccessRequest, CedarPolicies, Context, Decision, Effect, Entities, EvalError, PolicySet,
};
use crate::UnixTime;

/// One policy: id, effect, scopes, and clauses of which some are `unless`.
#[derive(Clone, Debug)]
struct Written {
    id: String,
    effect: Effect,
    scopes: [&'static str; 3],
    clauses: Vec<(bool, String)>,
}

const PRINCIPALS: [&str; 7] = [
    "",
    "",
    "",
    " == User::\"ann\"",
    " in Team::\"crew\"",
    " is User",
    " is User in Team::\"crew\"",
];
const ACTIONS: [&str; 5] =
    ["", " == Action::\"read\"", " == Action::\"read\"", " in [Action::\"group\"]", " in []"];
const RESOURCES: [&str; 7] =
    ["", "", "", " == Page::\"p\"", " in Folder::\"f\"", " is Page", " is Page in Folder::\"f\""];

/// Most divide policies; the others may fail, so that what stands behind them must not.
const ATOMS: [&str; 30] = [
    "resource.rank == 0",
    "resource.rank == 1",
    "1 == resource.rank",
    "resource.rank == 2",
    "resource.owner == User::\"ann\"",
    "User::\"bob\" == resource.owner",
    "resource has label && resource.label == \"x\"",
    "resource.label == \"y\"",
    "resource.label like \"x*\"",
    "resource.owner == principal",
    "resource.rank != 1",
    "resource.rank + 1 == 2",
    "resource.rank < context.most",
    "resource.rank * 9223372036854775807 > 1",
    "resource.open",
    "resource == Page::\"p\"",
    "resource in Folder::\"f\"",
    "resource in [Folder::\"g\", Folder::\"f\"]",
    "principal in Team::\"crew\"",
    "principal.rank == 1",
    "principal has rank && principal.rank >= resource.rank",
    "resource.marks.contains(\"x\")",
    "resource.marks.containsAny([\"x\", \"z\"])",
    "resource.owner in Team::\"crew\"",
    "resource.owner has rank",
    "resource.hasTag(\"x\") && resource.getTag(\"x\") == \"y\"",
    "action == Action::\"read\"",
    "context.most == 1",
    "context has from && context.from.isInRange(ip(\"10.0.0.0/8\"))",
    "decimal(\"1.5\").lessThan(context.price)",
];

impl Written {
    fn text(&self) -> String {
        let [principal, action, resource] = self.scopes;
        let (id, effect) = (&self.id, self.effect.word());
        let mut text = format!(
            "@id(\"{id}\") {effect} (principal{principal}, action{action}, resource{resource})"
        );
        for (unless, clause) in &self.clauses {
            let word = if *unless { "unless" } else { "when" };
            text.push_str(&format!("\n{word} {{ {clause} }}"));
        }
        text + ";\n"
    }
}

fn clause() -> impl Strategy<Value = String> {
    let atoms = || prop::sample::select(ATOMS.to_vec()).prop_map(str::to_owned);
    let several = prop::collection::vec(atoms(), 1..4);
    prop_oneof![
        6 => several.prop_map(|atoms| atoms.join(" && ")),
        1 => (atoms(), atoms()).prop_map(|(one, other)| format!("({one}) || ({other})")),
        1 => atoms().prop_map(|atom| format!("!({atom})")),
        1 => (atoms(), atoms(), atoms())
            .prop_map(|(a, b, c)| format!("if {a} then {b} else {c}")),
    ]
}

prop_compose! {
    fn policy()(
        effect in prop_oneof![2 => Just(Effect::Permit), 1 => Just(Effect::Forbid)],
        principal in prop::sample::select(PRINCIPALS.to_vec()),
        action in prop::sample::select(ACTIONS.to_vec()),
        resource in prop::sample::select(RESOURCES.to_vec()),
        clauses in prop::collection::vec((prop::bool::weighted(0.2), clause()), 0..3),
    ) -> Written {
        Written { id: String::new(), effect, scopes: [principal, action, resource], clauses }
    }
}

fn policies() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec(policy(), 1..24).prop_map(|mut all| {
        for (number, policy) in all.iter_mut().enumerate() {
            policy.id = format!("p{number:02}");
        }
        all
    })
}

/// Entities and context as JSON, and who asks for what.
#[derive(Clone, Debug)]
struct Asked {
    entities: String,
    context: String,
    action: &'static str,
    user: &'static str,
    page: &'static str,
}

prop_compose! {
    fn questions()(
        rank in prop_oneof![6 => (0..3).prop_map(|n| Some(json!(n))), 1 => Just(Some(json!("1"))), 1 => Just(None)],
        own in prop::option::of(0..3),
        owner in prop::sample::select(vec!["ann", "bob", "eve"]),
        label in prop::option::of(prop::sample::select(vec!["x", "y"])),
        marks in prop::sample::subsequence(vec!["x", "y", "z"], 0..3),
        open in prop::option::weighted(0.9, any::<bool>()),
        tag in prop::option::of(Just("y")),
        (crew, filed) in (any::<bool>(), any::<bool>()),
        (most, price, from) in (0..3, prop::option::of(Just("1.75")), prop::option::of(Just("10.0.0.7"))),
        action in prop_oneof![3 => Just("read"), 1 => Just("write")],
        user in prop_oneof![3 => Just("ann"), 1 => Just("bob")],
        page in prop_oneof![4 => Just("p"), 1 => Just("q")],
    ) -> Asked {
        let uid = |kind: &str, id: &str| json!({ "type": kind, "id": id });
        let mut attributes = json!({ "owner": { "__entity": uid("User", owner) }, "marks": marks });
        let mut set = |name: &str, value: Option<serde_json::Value>| {
            value.into_iter().for_each(|value| attributes[name] = value);
        };
        set("rank", rank);
        set("label", label.map(Into::into));
        set("open", open.map(Into::into));
        let tags = tag.map_or(json!({}), |tag| json!({ "x": tag }));
        let folder = if filed { vec![uid("Folder", "f")] } else { Vec::new() };
        let team = if crew { vec![uid("Team", "crew")] } else { Vec::new() };
        let own = own.map_or(json!({}), |own| json!({ "rank": own }));
        let entities = json!([
            { "uid": uid("Page", "p"), "attrs": attributes, "tags": tags, "parents": folder },
            { "uid": uid("User", "ann"), "attrs": own, "parents": team },
            { "uid": uid("User", "bob"), "attrs": { "rank": 1 }, "parents": [] },
        ]);
        let extension = |name: &str, text: &str| json!({ "__extn": { "fn": name, "arg": text } });
        let mut context = json!({ "most": most });
        price.into_iter().for_each(|price| context["price"] = extension("decimal", price));
        from.into_iter().for_each(|from| context["from"] = extension("ip", from));
        Asked { entities: entities.to_string(), context: context.to_string(), action, user, page }
    }
}

fn load(text: &str) -> PolicySet {
    load_as(text, str::to_owned)
}

/// The text, and the actions as they are called.
fn load_as(text: &str, rename: impl Fn(&str) -> String) -> PolicySet {
    let read = CedarPolicies::parse(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let read = read.named_by_id().unwrap();
    let [read_it, write_it, group] =
        ["read", "write", "group"].map(|id| format!("Action::\"{}\"", rename(id)));
    let grouped = read.action(&read_it, [&*group]).unwrap();
    let all = grouped.action(&write_it, []).unwrap();
    PolicySet::from_policies(all).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn set(policies: &[Written]) -> PolicySet {
    load(&policies.iter().map(Written::text).collect::<String>())
}

/// Decision and the rule that it names; all that determine it, and all that failed.
#[derive(Debug, PartialEq)]
struct Answer {
    decision: (&'static str, Option<String>),
    rules: Vec<String>,
    errors: Vec<(String, EvalError)>,
}

impl Answer {
    fn is_allow(&self) -> bool {
        self.decision.0 == "allow"
    }
}

fn ask(set: &PolicySet, asked: &Asked, rename: impl Fn(&str) -> String) -> Answer {
    let entities = Entities::from_json(&rename(&asked.entities)).unwrap();
    let known = set.know(&entities).unwrap();
    let members = known.members(&rename(&asked.context)).unwrap();
    let (user, page) = (rename(asked.user), rename(asked.page));
    let request = AccessRequest {
        subject: &set.without_roles(),
        principal: &known.entity(&rename("User"), &user).unwrap(),
        action: set.action(&rename(asked.action)).unwrap(),
        resource: &known.entity(&rename("Page"), &page).unwrap(),
        context: &Context::plain(UnixTime::from_secs(0), &members).entities(known),
    };
    let report = set.report(&request);
    assert_eq!(report.decision(), set.decide(&request));
    assert_eq!(set.explain(&request).decision(), report.decision());
    let name = |rule| set.rule_name(rule).unwrap().to_owned();
    let label = match report.decision() {
        Decision::Allow { .. } => "allow",
        Decision::Deny(why) => why.as_str(),
    };
    Answer {
        decision: (label, report.decision().rule().map(name)),
        rules: report.rules().map(name).collect(),
        errors: report.errors().map(|(rule, error)| (name(rule), error)).collect(),
    }
}

fn plain(set: &PolicySet, asked: &Asked) -> Answer {
    ask(set, asked, str::to_owned)
}

/// By asking each policy alone, as a permit: nothing is shared, and nothing is indexed.
fn expected(policies: &[Written], asked: &Asked, skips_errors: bool) -> Answer {
    let (mut applying, mut errors) = ([Vec::new(), Vec::new()], Vec::new());
    for policy in policies {
        let alone = Written { effect: Effect::Permit, ..policy.clone() };
        let set = set(&[alone]);
        let answer = plain(&set, asked);
        if answer.is_allow() {
            applying[usize::from(policy.effect == Effect::Forbid)].push(policy.id.clone());
        }
        errors.extend(answer.errors);
    }
    let [permits, forbids] = applying;
    let is_forbid = |id: &str| policies.iter().any(|p| p.id == id && p.effect == Effect::Forbid);
    let failed: Vec<String> = errors
        .iter()
        .map(|(id, _)| id.clone())
        .filter(|id| is_forbid(id) && !skips_errors)
        .collect();
    let (label, rules) = if !forbids.is_empty() {
        ("forbidden_by_rule", forbids)
    } else if !failed.is_empty() {
        ("error_in_forbid", failed)
    } else if !permits.is_empty() {
        ("allow", permits)
    } else {
        ("no_rule", Vec::new())
    };
    Answer { decision: (label, rules.first().cloned()), rules, errors }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn a_set_decides_as_its_policies_one_by_one_do(
        policies in policies(),
        questions in prop::collection::vec(questions(), 2),
    ) {
        let (closed, compat) = (set(&policies), set(&policies).cedar_compat());
        for asked in questions {
            prop_assert_eq!(plain(&closed, &asked), expected(&policies, &asked, false));
            prop_assert_eq!(plain(&compat, &asked), expected(&policies, &asked, true));
        }
    }

    #[test]
    fn one_more_forbid_allows_nothing_and_one_more_permit_denies_nothing(
        policies in policies(),
        more in policy(),
        questions in prop::collection::vec(questions(), 8),
        skips_errors in any::<bool>(),
    ) {
        let load = |policies: &[Written]| match skips_errors {
            true => set(policies).cedar_compat(),
            false => set(policies),
        };
        let with = |effect, id: &str| {
            let more = Written { effect, id: id.to_owned(), ..more.clone() };
            [&policies[..], &[more]].concat()
        };
        let before = load(&policies);
        // Before and behind all others in the order of names.
        let stricter = ["a", "z"].map(|id| load(&with(Effect::Forbid, id)));
        let wider = ["a", "z"].map(|id| load(&with(Effect::Permit, id)));
        for asked in questions {
            let allowed = plain(&before, &asked).is_allow();
            for set in &stricter {
                prop_assert!(allowed || !plain(set, &asked).is_allow());
            }
            for set in &wider {
                prop_assert!(!allowed || plain(set, &asked).is_allow());
            }
        }
    }

    #[test]
    fn neither_order_nor_names_nor_printing_say_anything(
        policies in policies(),
        questions in prop::collection::vec(questions(), 8),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut turned = policies.clone();
        turned.rotate_left(seed.index(policies.len()));
        let middle = turned.len() / 2;
        turned[..middle].reverse();
        let text: String = policies.iter().map(Written::text).collect();
        let before = set(&policies);
        let others = [
            set(&turned),
            load(&CedarPolicies::parse(&text).unwrap().to_string()),
            // What a set prints names its policies by their ids.
            load(&before.to_cedar()),
        ];
        let renamed = load_as(&renamed(&text), renamed);
        for asked in questions {
            let answer = plain(&before, &asked);
            for other in &others {
                prop_assert_eq!(&plain(other, &asked), &answer);
            }
            prop_assert_eq!(&ask(&renamed, &asked, self::renamed), &answer);
        }
    }
}

/// Every name is another one, of another length and in another order.
fn renamed(text: &str) -> String {
    const NAMES: [(&str, &str); 18] = [
        ("User", "Zoo::Person"),
        ("Team", "Any"),
        ("Page", "A::B::C"),
        ("Folder", "D"),
        ("ann", "zacharias of the north"),
        ("bob", "a"),
        ("eve", "m"),
        ("crew", "b\u{e9}"),
        ("rank", "a"),
        ("owner", "zz"),
        ("label", "m1"),
        ("open", "b2"),
        ("marks", "l3"),
        ("most", "k4"),
        ("price", "j5"),
        ("from", "i6"),
        ("group", "0"),
        ("read", "9"),
    ];
    // Whole words only, each once: what came in by one name is not renamed again.
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        out.push_str(before);
        let new = NAMES.iter().find(|(old, _)| *old == word);
        out.push_str(new.map_or(word, |(_, new)| new));
        rest = after;
    }
    out + rest
}

/// The tests above would say nothing if everything was denied alike.
#[test]
fn the_policies_of_these_tests_reach_every_kind_of_answer() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..400 {
        let tree = (policies(), questions()).new_tree(&mut runner).unwrap();
        let (policies, asked) = proptest::strategy::ValueTree::current(&tree);
        let answer = plain(&set(&policies), &asked);
        *seen.entry(answer.decision.0).or_default() += 1;
        *seen.entry("errors").or_default() += u32::from(!answer.errors.is_empty());
    }
    for kind in ["allow", "forbidden_by_rule", "error_in_forbid", "no_rule", "errors"] {
        assert!(seen.get(kind).is_some_and(|count| *count > 20), "{seen:?}");
    }
}
