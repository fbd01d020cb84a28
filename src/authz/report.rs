//! Which rules decide, and which could not be evaluated: all of them.

use super::{AccessRequest, Decision, EvalError, PolicySet, RuleId, Why, world::Stop};

/// A decision with everything that bears on it.
///
/// ```
/// use portcullis::{UnixTime, authz::{AccessRequest, Context, Entities, PolicySet}};
///
/// let policies = PolicySet::from_cedar(r#"
///     permit (principal, action == Action::"read", resource);
///     permit (principal, action == Action::"read", resource) when { resource.public };
///     forbid (principal == User::"eve", action, resource);
/// "#)?.cedar_compat();
/// let entities = Entities::default();
/// let known = policies.know(&entities)?;
/// let members = known.members("{}")?;
/// let ask = |user: &str| -> Result<String, Box<dyn std::error::Error>> {
///     let report = policies.report(&AccessRequest {
///         subject: &policies.without_roles(),
///         principal: &known.entity("User", user)?,
///         action: policies.action("read").ok_or("no such action")?,
///         resource: &known.entity("Page", "1")?,
///         context: &Context::plain(UnixTime::from_secs(0), &members).entities(known),
///     });
///     let name = |rule| policies.rule_name(rule).unwrap_or_default();
///     let rules: Vec<_> = report.rules().map(name).collect();
///     let errors: Vec<_> = report.errors().map(|(rule, _)| name(rule)).collect();
///     Ok(format!("{} {rules:?} {errors:?}", report.decision().is_allow()))
/// };
/// // The page's attribute is missing.
/// assert_eq!(ask("alice")?, r#"true ["policy0"] ["policy1"]"#);
/// assert_eq!(ask("eve")?, r#"false ["policy2"] ["policy1"]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Report {
    decision: Decision,
    rules: Vec<RuleId>,
    errors: Vec<(RuleId, EvalError)>,
}

impl Report {
    /// The decision, as [`PolicySet::decide`] makes it.
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// The rules that determine it, in order: all permits that apply where it is allowed, all
    /// forbids that apply, or that fail, where it is forbidden; none where nothing permits.
    pub fn rules(&self) -> impl Iterator<Item = RuleId> {
        self.rules.iter().copied()
    }

    /// All rules of the action that could not be evaluated, in order, and why; whether or not that
    /// made a difference.
    pub fn errors(&self) -> impl Iterator<Item = (RuleId, EvalError)> {
        self.errors.iter().copied()
    }
}

impl PolicySet {
    /// Decides, and looks at every rule of the action.
    pub fn report(&self, request: &AccessRequest<'_>) -> Report {
        let decision = self.decide(request);
        let cell = self.cell_for(request.subject, request.action);
        let Some(cell) = cell.filter(|_| !matches!(decision, Decision::Deny(Why::Stale))) else {
            return Report { decision, rules: Vec::new(), errors: Vec::new() };
        };
        let world = self.world(request);
        let answers = |branch| {
            let answers = self.rules_of(branch).map(|rule| (rule.id, rule.run(&world)));
            answers.collect::<Vec<_>>()
        };
        let (forbids, permits) = (answers(cell.forbids), answers(cell.permits));
        let applying = |answers: &[(RuleId, Result<bool, Stop>)]| {
            let applying = answers.iter().filter(|(_, answer)| *answer == Ok(true));
            applying.map(|(rule, _)| *rule).collect::<Vec<_>>()
        };
        let failed = |(rule, answer): &(RuleId, Result<bool, Stop>)| {
            answer.err().map(|stop| (*rule, stop.error()))
        };
        let held = cell.grants.iter().filter(|role| world.roles.holds(*role)).map(RuleId);
        let rules = match decision {
            Decision::Allow { .. } => held.chain(applying(&permits)).collect(),
            Decision::Deny(Why::Forbidden(_)) => applying(&forbids),
            Decision::Deny(Why::ErrorInForbid(..)) => {
                forbids.iter().filter_map(failed).map(|(rule, _)| rule).collect()
            }
            Decision::Deny(_) => Vec::new(),
        };
        let mut errors: Vec<_> = forbids.iter().chain(&permits).filter_map(failed).collect();
        errors.sort_unstable_by_key(|(rule, _)| *rule);
        Report { decision, rules, errors }
    }
}
