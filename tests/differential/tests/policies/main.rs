//! Random role documents and requests, decided here and by Cedar.

mod conditions;
mod documents;
mod world;

use std::{collections::BTreeSet, str::FromStr};

use cedar_policy::{AuthorizationError, Authorizer, Effect, Entities, PolicyId};
use portcullis::{
    Facts, Principal, UnixTime,
    authz::{AccessRequest, CedarError, CedarRequest, Context, Decision, PolicySet, Why},
};
use portcullis_differential::Choices;
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestError, TestRunner},
};

use crate::{
    documents::{ACTIONS, Written},
    world::{Thing, World, net},
};

const DOCUMENTS: u32 = 1_500;
const QUESTIONS: usize = 12;
const SCOPES: &str = "portcullis:scopes";

/// How often what was met.
#[derive(Debug, Default)]
struct Met {
    questions: u32,
    allows: u32,
    defaults: u32,
    forbids: u32,
    scopes: u32,
    wrong_resources: u32,
    errors: u32,
    /// Denied here because a forbid failed, allowed by Cedar.
    closed: u32,
    untold: u32,
    /// Documents that do not load because a rule has too many tests.
    too_long: u32,
    words: [u32; WORDS.len()],
}

/// What conditions are made of.
const WORDS: [&str; 30] = [
    "during ",
    "outside ",
    "if ",
    " like ",
    ".contains(",
    ".containsAll(",
    ".containsAny(",
    ".isEmpty()",
    " is ",
    "is Folder in",
    " + ",
    " - ",
    " * ",
    "-(",
    "{a: ",
    " in [",
    " && ",
    " || ",
    "!(",
    " == ",
    " != ",
    " < ",
    " <= ",
    " > ",
    " >= ",
    " in ",
    " has ",
    "isInRange",
    "in Role::",
    "note",
];

#[test]
fn cedar_decides_as_we_do() {
    let mut runner = TestRunner::new(Config {
        cases: DOCUMENTS,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    });
    let met = std::cell::RefCell::new(Met::default());
    let bytes = (vec(any::<u8>(), 0..500), vec(vec(any::<u8>(), 100..250), QUESTIONS));
    let result = runner.run(&bytes, |(document, questions)| {
        compare(document, questions, &mut met.borrow_mut());
        Ok(())
    });
    let met = met.into_inner();
    println!("{met:?}");
    if let Err(TestError::Fail(reason, _) | TestError::Abort(reason)) = result {
        panic!("{reason}");
    }
    met.check();
}

fn compare(document: Vec<u8>, questions: Vec<Vec<u8>>, met: &mut Met) {
    let written = Written::new(&mut Choices::new(document));
    let load = || match PolicySet::from_document(written.document()) {
        Ok(policies) => Some(policies),
        Err(errors) if errors.to_string().contains("at most") => None,
        Err(errors) => panic!("{errors}\n{}", written.conditions()),
    };
    let Some((closed, compat)) = load().zip(load()) else {
        met.too_long += 1;
        return;
    };
    let compat = compat.cedar_compat();
    let conditions = written.conditions();
    for (word, count) in WORDS.iter().zip(&mut met.words) {
        *count += u32::from(conditions.contains(word));
    }
    let text = compat.to_cedar();
    assert_eq!(text, closed.to_cedar());
    let cedar = Cedar::new(&text);
    assert_eq!(cedar.names(), written.names(), "{text}");
    for bytes in questions {
        let asked = Asked::new(&mut Choices::new(bytes), &written);
        let told = asked.ask(&compat, |request| {
            let told = compat.to_cedar_request(request);
            (told, compat.decide(request), compat.explain(request))
        });
        let (told, decision, explained) = told;
        let told = match told {
            Ok(told) => told,
            Err(CedarError::Value(..) | CedarError::NameOnly(_)) => {
                met.untold += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        asked.check(&written, &told);
        let answer = cedar.answer(&told);
        let context = || format!("{text}\n{told:#?}\n{explained}\n{answer:?}");

        assert_eq!(decision, explained.decision());
        assert_eq!(decision.is_allow(), answer.allows, "{}", context());
        let name = |rule| compat.rule_name(rule).unwrap().to_owned();
        let errors: BTreeSet<String> = explained.errors().map(|(rule, _)| name(rule)).collect();
        assert_eq!(errors, answer.errors, "{}", context());

        let mut reasons = answer.reasons.clone();
        let covered = asked.covered(&written);
        assert_eq!(reasons.remove(SCOPES), !covered, "{}", context());
        let rules: BTreeSet<String> = explained.rules().map(name).collect();
        match decision {
            Decision::Deny(Why::InsufficientScope) => {
                assert!(!covered && reasons.is_empty());
                let unlimited = cedar.without_scopes().answer(&told);
                assert!(unlimited.allows, "{}", context());
                assert_eq!(rules, unlimited.reasons, "{}", context());
            }
            _ => assert_eq!(rules, reasons, "{}", context()),
        }

        let strict = asked.ask(&closed, |request| closed.decide(request));
        let failed_forbid = answer.errors.iter().any(|id| cedar.forbids(id));
        assert_eq!(strict.is_allow(), answer.allows && !failed_forbid, "{}", context());
        met.count(decision, strict, &answer);
    }
}

impl Met {
    fn count(&mut self, decision: Decision, strict: Decision, answer: &Answer) {
        self.questions += 1;
        self.errors += u32::from(!answer.errors.is_empty());
        self.closed += u32::from(decision.is_allow() && !strict.is_allow());
        match decision {
            Decision::Allow { .. } => self.allows += 1,
            Decision::Deny(Why::NoRule { .. }) => self.defaults += 1,
            Decision::Deny(Why::Forbidden(_)) => self.forbids += 1,
            Decision::Deny(Why::InsufficientScope) => self.scopes += 1,
            Decision::Deny(Why::WrongResource) => self.wrong_resources += 1,
            Decision::Deny(other) => panic!("{other:?}"),
        }
    }

    /// Enough of everything, so that agreeing says something.
    fn check(&self) {
        let enough = |name: &str, count: u32, percent: u32| {
            assert!(count * 100 >= self.questions * percent, "{name}: {self:?}");
        };
        enough("allows", self.allows, 15);
        enough("defaults", self.defaults, 15);
        enough("forbids", self.forbids, 5);
        enough("scopes", self.scopes, 1);
        enough("wrong resources", self.wrong_resources, 1);
        enough("errors", self.errors, 10);
        enough("closed", self.closed, 1);
        assert!(self.untold < self.questions / 5, "{self:?}");
        assert!(self.too_long < DOCUMENTS / 20, "{self:?}");
        assert!(self.questions > 10_000, "{self:?}");
        for (word, count) in WORDS.iter().zip(self.words) {
            assert!(count > DOCUMENTS / 50, "{word}: {count}");
        }
    }
}

/// One question, with all that it is about.
struct Asked {
    world: World,
    principal: Principal,
    roles: Vec<usize>,
    scopes: Option<Vec<&'static str>>,
    action: &'static str,
    resource: Thing,
    facts: Facts<'static>,
    now: UnixTime,
}

impl Asked {
    fn new(choices: &mut Choices, written: &Written) -> Self {
        let all: Vec<usize> = (0..written.roles.len()).collect();
        let roles = choices.some(&all, 30);
        let names = ["read", "docs", "doc:read", "\"all\u{301}\"", "list", "doc:write"];
        let scopes = choices.chance(25).then(|| choices.some(&names, 50));
        let (action, kind) = choices.pick(&ACTIONS);
        let wrong = choices.chance(3);
        // Hours of 1970, which began on a Thursday; sometimes more than anybody knows of a zone.
        let secs = if choices.chance(2) { u64::MAX } else { choices.below(256) as u64 * 3_600 };
        let now = UnixTime::from_secs(secs);
        let mut facts = Facts::default();
        facts.client = choices.chance(90).then(|| net(choices).address());
        facts.secure = choices.chance(50);
        let mut principal = Principal::assertion("s", "a");
        let held = roles.iter().map(|role| written.roles[*role].name.as_str());
        principal = principal.roles(held.chain(["ghost"]));
        if let Some(scopes) = &scopes {
            principal = principal.scopes(scopes.iter().copied());
        }
        if choices.chance(80) {
            principal = principal.auth_time(UnixTime::from_millis(1));
        }
        let principal = principal.finish().unwrap();
        let world = World::new(choices);
        let folder = choices.pick(&[0, 1, 2]);
        let doc = (kind == "Doc") != wrong;
        let resource = if doc { &world.doc } else { &world.folders[folder] }.clone();
        Self { world, principal, roles, scopes, action, resource, facts, now }
    }

    fn ask<T>(&self, set: &PolicySet, ask: impl FnOnce(&AccessRequest<'_>) -> T) -> T {
        let context = Context::new(self.now).facts(&self.facts);
        let context = context.principal(&self.principal).members(&self.world.context);
        ask(&AccessRequest {
            subject: &set.subject(&self.principal),
            principal: &self.world.principal,
            action: set.action(self.action).unwrap(),
            resource: &self.resource,
            context: &context,
        })
    }

    fn covered(&self, written: &Written) -> bool {
        let covers = |scope: &&str| written.covers(scope, self.action);
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(covers))
    }

    /// Whether the principal lies in all roles that it has, and in no other.
    fn check(&self, written: &Written, told: &CedarRequest) {
        let held: BTreeSet<_> = self.roles.iter().flat_map(|at| written.closure(*at)).collect();
        let held: BTreeSet<&str> = held.iter().map(|at| written.roles[*at].name.as_str()).collect();
        let entities = Entities::from_json_str(told.entities(), None).unwrap();
        let principal = told.principal().parse().unwrap();
        let above = entities.ancestors(&principal).unwrap();
        let roles = above.filter(|uid| uid.type_name().to_string() == "Role");
        let roles: BTreeSet<&str> = roles.map(|uid| uid.id().unescaped()).collect();
        assert_eq!(roles, held);
    }
}

/// Cedar, with the policies under their own names.
struct Cedar {
    policies: cedar_policy::PolicySet,
}

#[derive(Debug)]
struct Answer {
    allows: bool,
    reasons: BTreeSet<String>,
    errors: BTreeSet<String>,
}

impl Cedar {
    fn new(text: &str) -> Self {
        let parsed = cedar_policy::PolicySet::from_str(text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        let mut policies = cedar_policy::PolicySet::new();
        for policy in parsed.policies() {
            let id = policy.annotation("id").unwrap();
            policies.add(policy.new_id(PolicyId::new(id))).unwrap();
        }
        Self { policies }
    }

    fn without_scopes(&self) -> Self {
        let mut policies = self.policies.clone();
        policies.remove_static(PolicyId::new(SCOPES)).unwrap();
        Self { policies }
    }

    fn names(&self) -> BTreeSet<String> {
        self.policies.policies().map(|policy| text(policy.id())).collect()
    }

    fn forbids(&self, id: &str) -> bool {
        self.policies.policy(&PolicyId::new(id)).unwrap().effect() == Effect::Forbid
    }

    fn answer(&self, told: &CedarRequest) -> Answer {
        let context = cedar_policy::Context::from_json_str(told.context(), None).unwrap();
        let entities = Entities::from_json_str(told.entities(), None);
        let entities = entities.unwrap_or_else(|error| panic!("{error:?}\n{told:#?}"));
        let request = cedar_policy::Request::new(
            told.principal().parse().unwrap(),
            told.action().parse().unwrap(),
            told.resource().parse().unwrap(),
            context,
            None,
        );
        let answer = Authorizer::new().is_authorized(&request.unwrap(), &self.policies, &entities);
        Answer {
            allows: answer.decision() == cedar_policy::Decision::Allow,
            reasons: answer.diagnostics().reason().map(text).collect(),
            errors: answer.diagnostics().errors().map(failed).collect(),
        }
    }
}

fn failed(error: &AuthorizationError) -> String {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => text(error.policy_id()),
    }
}

/// As it is; printing escapes.
fn text(id: &PolicyId) -> String {
    let id: &str = id.as_ref();
    id.to_owned()
}
