//! Limits of a gate while it serves.

use super::{
    GateError, Limits,
    terms::{Heritage, Terms},
};
use crate::{
    Now,
    gate::{Gate, GateErrors, Limit},
    limit::Inheritance,
};

impl Gate {
    /// The limits as they are in force, and how many requests each would have refused in shadow.
    pub fn limits(&self) -> impl Iterator<Item = (Limit, u64)> {
        self.0.limits.told()
    }

    /// Puts `limit` in force in the place of the one of its
    /// [name](Limit::name), from now on. Those of
    /// [`limit_clients`](crate::GateBuilder::limit_clients) and
    /// [`limit_principals`](crate::GateBuilder::limit_principals) are called `client` and
    /// `principal`.
    ///
    /// Where quotas change, `inheritance` says what each caller brings along; where they stay,
    /// nobody notices. Quotas inherit by their place, plans by their names; all plans in force must
    /// be among the new ones. It must count by the same.
    ///
    /// Requests under way are not interrupted. One that does not count in the end is given back
    /// what it was charged, and one that turns out dearer owes the rest, by the limit that is in
    /// force then; where no debt was kept, there is nothing to give back.
    ///
    /// ```
    /// use portcullis::{
    ///     Admission, Facts, Gate, Quota, Routes, clock, gate::Limit, limit::Inheritance,
    /// };
    ///
    /// let gate = Gate::builder()
    ///     .routes(Routes::new().public("GET", "/"))
    ///     .limit_clients(Quota::per_hour(2))
    ///     .build()?;
    /// let mut facts = Facts::default();
    /// (facts.method, facts.path) = (Some("GET"), Some("/"));
    /// facts.peer = Some([192, 0, 2, 7].into());
    /// let now = clock::now();
    /// let asked = || match gate.admit(None, &facts, now) {
    ///     Admission::Done(answer) => answer.is_ok(),
    ///     Admission::Wait(_) => unreachable!(),
    /// };
    /// assert_eq!([asked(), asked(), asked()], [true, true, false]);
    ///
    /// let wider = Limit::by_client(Quota::per_hour(4));
    /// gate.replace_limit(wider, Inheritance::KeepTokens, now)?;
    /// assert!(!asked());
    /// let anew = Limit::by_client(Quota::per_hour(3));
    /// gate.replace_limit(anew, Inheritance::Reset, now)?;
    /// assert_eq!([asked(), asked(), asked(), asked()], [true, true, true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such limit, or several, or the new one cannot be kept or cannot inherit;
    /// the one in force then stays.
    pub fn replace_limit(
        &self,
        limit: Limit,
        inheritance: Inheritance,
        now: Now,
    ) -> Result<(), GateErrors> {
        self.0.limits.replace(limit, inheritance, now).map_err(GateErrors)
    }
}

impl Limits {
    fn replace(
        &self,
        limit: Limit,
        inheritance: Inheritance,
        now: Now,
    ) -> Result<(), Vec<GateError>> {
        let unfit = |problem| vec![GateError::Replacement { name: limit.name.clone(), problem }];
        let mut named = self.listed.iter().filter(|listed| listed.name == limit.name);
        let listed = named.next().ok_or_else(|| unfit("no limit of the gate is called so"))?;
        if named.next().is_some() {
            return Err(unfit("several are called so; tell them apart with `.named(…)`"));
        }
        if listed.by != limit.by {
            return Err(unfit("it counts by something else"));
        }
        let mut errors = Vec::new();
        listed.terms.update(|terms| {
            errors.clear();
            let limit = limit.clone().after(&terms.limit).or_else(|| {
                errors.extend(unfit("a plan in force is not among its plans"));
                None
            })?;
            let before = Heritage { terms, inheritance, now };
            let terms = Terms::new(limit, self.room, Some(before), &mut errors);
            Some(terms).filter(|_| errors.is_empty())
        });
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

impl Limit {
    /// With the plans of `before` first, as a request under way knows its plan by the place; `None`
    /// where one is missing.
    fn after(mut self, before: &Self) -> Option<Self> {
        let names = |it: &Self| it.plans.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let known = names(before);
        let place = |name: &String| known.iter().position(|it| it == name);
        self.plans.sort_by_key(|(name, _)| place(name).unwrap_or(known.len()));
        names(&self).starts_with(&known).then_some(self)
    }
}
