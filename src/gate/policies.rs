//! The policies of a gate while it serves: replaced, tried in the shadow, counted.

use std::sync::Arc;

use super::{
    Gate, GateErrors,
    editions::{Editions, Shadow, ShadowCounts},
    rules::Rules,
};
use crate::{
    UnixTime,
    authz::{Entities, EntitiesError, PolicySet, Usage},
};

/// The policies of a gate: the set in force, a shadow that is tried beside it, and the set that
/// was in force before. See [`Gate::policies`].
///
/// Every change is one swap. A request goes by the policies that it came in under, to its end.
///
/// A shadow is asked what the set in force is asked, about the same values, and decides nothing;
/// if it fails, that changes no answer either. Where the two differ, that is counted, and told in
/// the event of the request ([`Event::shadow`](crate::audit::Event::shadow)).
///
/// ```
/// use portcullis::{
///     Access, Document, Facts, Gate, PolicySet, Principal, Routes, UnixTime, clock,
/// };
///
/// let load = |may: &str| {
///     PolicySet::from_document(Document::from_toml(&format!(r#"
///         [resources.Order]
///         actions = ["order:read", "order:refund"]
///         [roles]
///         clerk = {{ may = [{may}] }}
///     "#))?)
/// };
/// let gate = Gate::builder()
///     .policies(load(r#""order:read", "order:refund""#)?)
///     .routes(Routes::new().action("POST", "/refunds", "order:refund"))
///     .proven_elsewhere()
///     .count_hits(clock::now().wall)
///     .build()?;
///
/// // A set that gives clerks less is tried first; each disagreement is told.
/// gate.policies().shadow(load(r#""order:read""#)?, 1)?;
///
/// let mut facts = Facts::default();
/// (facts.method, facts.path) = (Some("POST"), Some("/refunds"));
/// let ask = || {
///     let clerk = Principal::assertion("staff", "alice").roles(["clerk"]).finish()?;
///     Ok::<_, Box<dyn std::error::Error>>(gate.admit_proven(Some(clerk), &facts, clock::now()))
/// };
/// assert!(ask()?.is_ok());
/// let counts = gate.policies().shadow_counts().ok_or("no shadow")?;
/// assert_eq!((counts.compared, counts.would_deny), (1, 1));
///
/// assert!(gate.policies().promote(clock::now().wall));
/// assert_eq!(ask()?.unwrap_err().status(), 403);
/// assert!(gate.policies().roll_back(clock::now().wall));
/// assert!(ask()?.is_ok());
///
/// // What is in force is counted on; what was never used can go.
/// let usage = gate.policies().usage().ok_or("nobody counts")?;
/// assert!(usage.never().any(|one| one.action.as_deref() == Some("order:read")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policies(Gate);

impl Gate {
    /// The policies in force, to replace them, to try others beside them, and to see what was
    /// used of them.
    #[must_use]
    pub fn policies(&self) -> Policies {
        Policies(self.clone())
    }
}

impl Policies {
    /// Puts `policies` in force from now on. The shadow stays, and its counts start anew.
    ///
    /// Hits go on for what is the same in both sets; those of requests under way are not carried.
    ///
    /// # Errors
    /// When the route table names a role or an action that they do not declare, or an
    /// authenticator a role or an attribute; when the entities in force are none for them. The
    /// policies in force then stay.
    pub fn replace(&self, policies: PolicySet, now: UnixTime) -> Result<(), GateErrors> {
        let rules = self.resolve(policies)?;
        self.try_swap(|editions| editions.replaced(&rules, now))
    }

    /// Puts `entities` in force from now on, instead of those that the gate was
    /// [built with](super::GateBuilder::entities), if any. Policies, shadow and counts stay, and
    /// nothing is compiled.
    ///
    /// # Errors
    /// When the policies in force, their shadow, or those that they displaced cannot tell two
    /// types apart ([`PolicySet::know`]), or the entities mention roles; those in force then stay.
    pub fn replace_entities(&self, entities: impl Into<Arc<Entities>>) -> Result<(), GateErrors> {
        let entities = entities.into();
        self.try_swap(|editions| editions.knowing(&entities))
    }

    /// Tries `policies` beside those in force, instead of any shadow there was. Of so many
    /// disagreements as `one_in` says, the event of the request tells one, the first among them;
    /// 0 for none.
    ///
    /// # Errors
    /// As [`replace`](Self::replace), so that what is tried can be promoted.
    pub fn shadow(&self, policies: PolicySet, one_in: u32) -> Result<(), GateErrors> {
        let rules = self.resolve(policies)?;
        self.try_swap(|editions| editions.shadowed(&rules, one_in))
    }

    /// Ends the shadow, if there is one.
    pub fn end_shadow(&self) {
        self.swap(|editions| Some(editions.beside(None)));
    }

    /// Puts the shadow in force, and keeps what it displaces for [`roll_back`](Self::roll_back).
    /// False where there is no shadow.
    #[must_use = "false says that there was nothing to promote"]
    pub fn promote(&self, now: UnixTime) -> bool {
        self.swap(|editions| editions.promoted(now))
    }

    /// Puts the policies in force again that were displaced last, by [`replace`](Self::replace),
    /// [`promote`](Self::promote) or this; so that doing it twice changes nothing. False where
    /// none were displaced.
    #[must_use = "false says that nothing was displaced"]
    pub fn roll_back(&self, now: UnixTime) -> bool {
        self.swap(|editions| editions.rolled_back(now))
    }

    /// What the shadow answered so far; `None` where there is none.
    #[must_use]
    pub fn shadow_counts(&self) -> Option<ShadowCounts> {
        self.0.0.editions.load().shadow.as_ref().map(Shadow::counts)
    }

    /// What was used of the policies in force, and what never; `None` unless the gate
    /// [counts](super::GateBuilder::count_hits).
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        let editions = self.0.0.editions.load();
        editions.hits.as_ref().map(|hits| hits.usage(editions.policies()))
    }

    fn resolve(&self, policies: PolicySet) -> Result<Rules, GateErrors> {
        Rules::resolve(policies, &self.0.0.table, &self.0.0.authenticators)
    }

    /// Whether `edit` had something to put in their place.
    fn swap(&self, edit: impl FnMut(&Editions) -> Option<Editions>) -> bool {
        self.0.0.editions.update(edit)
    }

    fn try_swap(
        &self,
        edit: impl Fn(&Editions) -> Result<Editions, EntitiesError>,
    ) -> Result<(), GateErrors> {
        let mut outcome = Ok(());
        self.swap(|editions| match edit(editions) {
            Ok(edited) => {
                outcome = Ok(());
                Some(edited)
            }
            Err(error) => {
                outcome = Err(error.into());
                None
            }
        });
        outcome
    }
}
