//! Whole sets against the plainest decision: every rule, one by one, in the order of names.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    super::{
        AccessRequest, Coarse, Context, Decision, Document, Effect, EvalError, Policy, PolicySet,
        Why, load::expr::parse,
    },
    oracle::{answer, is_within},
    world::{Data, ROLES, Scene, Thing},
};
use crate::{Principal, UnixTime};

pub(super) const HEAD: &str = r#"
    [resources.Doc]
    attributes = { owner = "User", level = "long", label = "string?", folder = "Folder", open = "bool", tags = "strings" }
    actions = ["doc:read", "doc:write"]
    [resources.Folder]
    attributes = { owner = "User" }
    actions = ["list"]
    [principal]
    attributes = { level = "long", team = "string?" }
    [context]
    tenant = "string?"
    limit = "long"
    [scopes]
    read = ["doc:read"]
    docs = ["doc:*"]
    [roles]
    r0 = { may = ["doc:read"] }
    r1 = { inherits = ["r0"] }
    r2 = { inherits = ["r1"], may = ["doc:write"] }
"#;

const CONDITIONS: [&str; 26] = [
    "true",
    "resource.owner == principal",
    "resource.open",
    "!resource.open && principal.level >= resource.level",
    "resource has label && resource.label == \"x\"",
    "principal has team && resource has label && principal.team == resource.label",
    "principal in Role::\"r1\"",
    "principal in Role::\"r0\" && resource.level < context.limit",
    "resource in Folder::\"f\"",
    "resource in resource.folder || resource.folder.owner == principal",
    "context has tenant && context.tenant == \"x\"",
    "context.limit > 0",
    "context.secure || principal.level != 0",
    "(resource.open == (principal.level > 0)) || context.limit == 1",
    "principal == User::\"s/a\"",
    "resource.folder has owner && resource.folder.owner != User::\"s/b\"",
    "resource.tags.contains(\"x\")",
    "principal has team && [principal.team, \"y\"].containsAll(resource.tags)",
    "resource.tags.containsAny([\"x\", \"z\"]) && resource.tags != []",
    "resource.tags == [\"y\", \"x\"]",
    "resource has label && resource.label like \"x*\"",
    "resource is Doc && resource.owner is User in User::\"s/a\"",
    "resource is Folder && resource.level > 1",
    "if resource.open then principal.level > 0 else resource.level == 1",
    "resource.level * 2 - principal.level + 1 > context.limit",
    "{a: resource.level, b: resource.tags} == {a: 1, b: [\"x\"]} || principal in [Role::\"r1\", User::\"s/b\"]",
];

#[derive(Clone, Debug)]
pub(super) struct Written {
    id: String,
    effect: Effect,
    actions: Vec<&'static str>,
    roles: Option<Vec<String>>,
    when: Option<&'static str>,
    unless: Option<&'static str>,
    during: Option<&'static str>,
    outside: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) scene: Scene,
    scopes: Option<Vec<&'static str>>,
    pub(super) now: u64,
}

/// From here on nobody knows what zones do.
const HORIZON: u64 = 7_258_118_400;

const WINDOWS: [&str; 4] = [
    "Mon-Fri 09:00-18:00 Europe/Berlin",
    "Fri-Sun 22:00-06:00 America/New_York",
    "00:00-12:00 Asia/Kolkata",
    "Sat,Sun UTC",
];

impl Written {
    fn policy(&self) -> Policy {
        let mut policy = match self.effect {
            Effect::Permit => Policy::permit(&self.id),
            Effect::Forbid => Policy::forbid(&self.id),
        };
        policy = policy.actions(self.actions.iter().copied());
        if let Some(roles) = &self.roles {
            policy = policy.roles(roles.iter().map(String::as_str));
        }
        policy = self.when.into_iter().fold(policy, Policy::when);
        policy = self.during.into_iter().fold(policy, Policy::during);
        policy = self.outside.into_iter().fold(policy, Policy::outside);
        self.unless.into_iter().fold(policy, Policy::unless)
    }

    /// Whether the rule applies to reading a document.
    fn applies(&self, Asked { scene, now, .. }: &Asked) -> Result<bool, EvalError> {
        let about = self.actions.iter().any(|action| ["doc:read", "doc:*", "*"].contains(action));
        let role = self.roles.as_ref().is_none_or(|r| r.iter().any(|r| scene.roles.contains(r)));
        let truth = |text: &str| answer(&parse(text).unwrap(), scene);
        let open = |window: &str| match *now < HORIZON {
            true => Ok(is_within(window, *now)),
            false => Err(EvalError::Unavailable),
        };
        Ok(about
            && role
            && self.during.map_or(Ok(true), open)?
            && !self.outside.map_or(Ok(false), open)?
            && self.when.map_or(Ok(true), truth)?
            && !self.unless.map_or(Ok(false), truth)?)
    }
}

/// The decision and the name of its rule, by going through all rules.
fn expected(rules: &[Written], asked: &Asked, skips_errors: bool) -> (&'static str, String) {
    let mut rules = rules.to_vec();
    rules.sort_by(|one, other| one.id.cmp(&other.id));
    let first = |effect, result: fn(&Result<bool, EvalError>) -> bool| {
        let such = |rule: &&Written| rule.effect == effect && result(&rule.applies(asked));
        rules.iter().find(such).map(|rule| rule.id.clone())
    };
    if let Some(id) = first(Effect::Forbid, |applies| *applies == Ok(true)) {
        return ("forbid", id);
    }
    if let Some(id) = first(Effect::Forbid, Result::is_err).filter(|_| !skips_errors) {
        return ("failed", id);
    }
    let granted = asked.scene.roles.contains(&"r0".to_owned()).then(|| "role:r0".to_owned());
    match granted.or_else(|| first(Effect::Permit, |applies| *applies == Ok(true))) {
        None => ("no rule", String::new()),
        Some(_) if asked.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(covers)) => {
            ("scope", String::new())
        }
        Some(id) => ("allow", id),
    }
}

fn covers(scope: &&'static str) -> bool {
    ["read", "docs"].contains(scope)
}

pub(super) fn set(rules: &[Written]) -> PolicySet {
    let head = Document::from_toml(HEAD).unwrap();
    let document = rules.iter().fold(head, |document, rule| document.rule(rule.policy()));
    PolicySet::from_document(document).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn principal(asked: &Asked) -> Principal {
    let mut assertion = Principal::assertion("s", "a");
    if let Some(scopes) = &asked.scopes {
        assertion = assertion.scopes(scopes.iter().copied());
    }
    // What is inherited follows from the highest.
    assertion.roles(asked.scene.roles.last().map(String::as_str)).finish().unwrap()
}

fn ask(set: &PolicySet, asked: &Asked, resource: &Thing) -> Decision {
    set.decide(&AccessRequest {
        subject: &set.subject(&principal(asked)),
        principal: &asked.scene.principal,
        action: set.action("doc:read").unwrap(),
        resource,
        context: &Context::new(UnixTime::from_secs(asked.now)).members(&asked.scene.context),
    })
}

fn named(set: &PolicySet, decision: Decision) -> (&'static str, String) {
    let name = |rule| set.rule_name(rule).unwrap().to_owned();
    match decision {
        Decision::Allow { rule } => ("allow", name(rule)),
        Decision::Deny(Why::Forbidden(rule)) => ("forbid", name(rule)),
        Decision::Deny(Why::ErrorInForbid(rule, _)) => ("failed", name(rule)),
        Decision::Deny(Why::NoRule { .. }) => ("no rule", String::new()),
        Decision::Deny(Why::InsufficientScope) => ("scope", String::new()),
        Decision::Deny(Why::WrongResource) => ("wrong resource", String::new()),
        Decision::Deny(Why::Stale) => ("stale", String::new()),
    }
}

prop_compose! {
    pub(super) fn rules()(
        ids in prop::collection::btree_set("[a-z]{2}", 0..6),
    )(
        rules in ids.into_iter().map(rule).collect::<Vec<_>>(),
    ) -> Vec<Written> {
        rules
    }
}

fn rule(id: String) -> impl Strategy<Value = Written> {
    let actions = prop::sample::select(vec![
        vec!["doc:read"],
        vec!["doc:write"],
        vec!["doc:*"],
        vec!["doc:write", "doc:read"],
    ]);
    let effects = prop_oneof![2 => Just(Effect::Permit), 1 => Just(Effect::Forbid)];
    let roles = prop::sample::subsequence(ROLES.map(str::to_owned).to_vec(), 1..=2);
    let condition = || prop::option::of(prop::sample::select(CONDITIONS.to_vec()));
    let window = || prop::option::weighted(0.2, prop::sample::select(WINDOWS.to_vec()));
    let roles = prop::option::weighted(0.2, roles);
    (effects, actions, roles, condition(), condition(), window(), window()).prop_map(
        move |(effect, actions, roles, when, unless, during, outside)| Written {
            id: id.clone(),
            effect,
            actions,
            roles,
            when,
            unless,
            during,
            outside,
        },
    )
}

/// Mostly there and of its type; sometimes missing, sometimes something else.
fn mostly(data: impl Strategy<Value = Data> + 'static) -> impl Strategy<Value = Option<Data>> {
    prop_oneof![
        12 => data.prop_map(Some),
        1 => Just(None),
        1 => Just(Some(Data::Failed)),
        1 => Just(Some(Data::Str("other".into()))),
    ]
}

/// There or not; sometimes nobody can say.
fn perhaps(data: impl Strategy<Value = Data> + 'static) -> BoxedStrategy<Option<Data>> {
    prop_oneof![6 => prop::option::of(data), 1 => Just(Some(Data::Failed))].boxed()
}

fn user() -> impl Strategy<Value = Data> {
    prop::sample::select(vec!["s/a", "s/b"]).prop_map(|id| Data::Name("User", id.into()))
}

fn long() -> impl Strategy<Value = Data> {
    (0_i64..3).prop_map(Data::Long)
}

fn tags() -> impl Strategy<Value = Data> {
    let tags = prop::sample::subsequence(vec!["x", "y", "z"], 0..3);
    tags.prop_map(|tags| Data::Strings(tags.into_iter().map(str::to_owned).collect()))
}

fn text() -> impl Strategy<Value = Data> {
    prop::sample::select(vec!["x", "y"]).prop_map(|text| Data::Str(text.into()))
}

fn thing(
    kind: &'static str,
    id: &'static str,
    attributes: Vec<(&'static str, BoxedStrategy<Option<Data>>)>,
) -> impl Strategy<Value = Thing> {
    let (names, values): (Vec<_>, Vec<_>) = attributes.into_iter().unzip();
    values.prop_map(move |values| {
        let there = names.iter().zip(values).filter_map(|(name, value)| Some((name, value?)));
        there.fold(Thing::new(kind, id), |thing, (name, value)| thing.with(name, value))
    })
}

fn docs() -> impl Strategy<Value = Thing> {
    let folder = prop_oneof![
        Just(Data::Name("Folder", "f".into())),
        thing("Folder", "f", vec![("owner", mostly(user()).boxed())]).prop_map(Data::Thing),
    ];
    let doc = thing(
        "Doc",
        "d",
        vec![
            ("owner", mostly(user()).boxed()),
            ("level", mostly(long()).boxed()),
            ("label", perhaps(text())),
            ("folder", mostly(folder).boxed()),
            ("open", mostly(any::<bool>().prop_map(Data::Bool)).boxed()),
            ("tags", mostly(tags()).boxed()),
        ],
    );
    (doc, any::<bool>()).prop_map(|(mut doc, filed)| {
        doc.parents.extend(filed.then(|| ("Folder", "f".to_owned())));
        doc
    })
}

fn contexts() -> impl Strategy<Value = Thing> {
    let tenant = ("tenant", perhaps(text()));
    thing("Context", "", vec![tenant, ("limit", mostly(long()).boxed())])
}

prop_compose! {
    pub(super) fn questions()(
        principal in thing("User", "s/a", vec![
            ("level", mostly(long()).boxed()),
            ("team", perhaps(text())),
        ]),
        resource in docs(),
        context in contexts(),
        roles in 0_usize..4,
        now in prop_oneof![9 => 0..HORIZON, 1 => HORIZON..u64::MAX / 1000],
        scopes in prop::option::weighted(0.4, prop::sample::subsequence(vec!["read", "docs", "x"], 0..3)),
    ) -> Asked {
        // Each role inherits the one before it.
        let roles = ROLES.iter().take(roles.saturating_sub(1)).map(|role| (*role).to_owned()).collect();
        Asked { scene: Scene { principal, resource, context, roles }, scopes, now }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_set_decides_as_going_through_all_rules_does(
        rules in rules(),
        questions in prop::collection::vec(questions(), 8),
    ) {
        let set = set(&rules);
        let backwards = rules.iter().rev().cloned().collect::<Vec<_>>();
        let turned = self::set(&backwards);
        let compat = self::set(&rules).cedar_compat();
        for asked in questions {
            let decision = named(&set, ask(&set, &asked, &asked.scene.resource));
            prop_assert_eq!(&decision, &expected(&rules, &asked, false), "{:?}", asked);
            let skipping = named(&compat, ask(&compat, &asked, &asked.scene.resource));
            prop_assert_eq!(&skipping, &expected(&rules, &asked, true), "{:?}", asked);
            let other = named(&turned, ask(&turned, &asked, &asked.scene.resource));
            prop_assert_eq!(&decision, &other, "the order of rules says nothing");
        }
    }

    #[test]
    fn the_coarse_answer_holds_for_every_resource_and_all_own_members(
        rules in rules(),
        asked in questions(),
        unknown in prop::collection::vec((docs(), contexts()), 8),
        skips_errors in any::<bool>(),
    ) {
        let set = set(&rules);
        let set = if skips_errors { set.cedar_compat() } else { set };
        let coarse = set.could(
            &set.subject(&principal(&asked)),
            &asked.scene.principal,
            set.action("doc:read").unwrap(),
            &Context::new(UnixTime::from_secs(asked.now)).members(&asked.scene.context),
        );
        for (resource, context) in unknown {
            let mut asked = asked.clone();
            asked.scene.context = context;
            let decision = ask(&set, &asked, &resource);
            match coarse {
                Coarse::No(no) => {
                    prop_assert!(!no.is_allow());
                    prop_assert!(!decision.is_allow(), "{:?}", decision);
                }
                Coarse::Yes(yes) => {
                    prop_assert!(yes.is_allow());
                    prop_assert!(decision.is_allow(), "{:?}", decision);
                }
                Coarse::Resource => {}
            }
        }
    }
}

#[test]
fn the_conditions_of_these_tests_all_load_and_reach_every_kind_of_answer() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    let mut windows_seen = BTreeMap::new();
    for _ in 0..2_000 {
        let tree = (rules(), questions()).new_tree(&mut runner).unwrap();
        let (rules, asked) = proptest::strategy::ValueTree::current(&tree);
        for rule in &rules {
            let windows = [("during", rule.during), ("outside", rule.outside)];
            for (field, window) in windows.into_iter().filter_map(|(f, w)| Some((f, w?))) {
                let open = (asked.now < HORIZON).then(|| is_within(window, asked.now));
                *windows_seen.entry((field, open)).or_insert(0) += 1;
            }
        }
        seen.insert(expected(&rules, &asked, false).0);
    }
    assert!(seen.iter().copied().eq(["allow", "failed", "forbid", "no rule", "scope"]), "{seen:?}");
    assert!(
        windows_seen.len() == 6 && windows_seen.values().all(|count| *count > 50),
        "{windows_seen:?}"
    );
    for condition in CONDITIONS {
        let rule = Policy::permit("x").actions(["doc:read"]).when(condition);
        let loaded = PolicySet::from_document(Document::from_toml(HEAD).unwrap().rule(rule));
        assert!(loaded.is_ok(), "{condition}: {loaded:?}");
    }
}
