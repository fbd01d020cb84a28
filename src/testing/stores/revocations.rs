//! What lists of revocations promise.

use std::time::Duration;

use super::{BrokenPromises, Findings, StoreChecks, every_time, fresh};
use crate::{
    AuthnErrorKind, UnixTime,
    authn::{
        StoreError,
        revocation::{Presented, Revocation, Revocations},
    },
};

/// Far from any moment that an application tells, so that nothing of its own ends.
const NOW: UnixTime = UnixTime::from_secs(1_000);
const END: UnixTime = UnixTime::from_secs(2_000);

impl StoreChecks {
    /// Checks that what is revoked is refused from then on until it ends, and nothing else.
    ///
    /// # Errors
    /// The promises that `list` breaks.
    pub fn revocations(&self, list: &impl Revocations) -> Result<(), BrokenPromises> {
        let mut findings = Findings::default();
        let asked = Asked { list };
        findings.promise("others-count", "it refuses what nobody revoked", || {
            let names = Names::fresh()?;
            Ok(!asked.refuses(&names.presented(), NOW)?)
        });
        findings.promise("each-is-refused", "something that was revoked counts", || {
            let names = Names::fresh()?;
            names.each_alone().try_fold(true, |all, (revocation, presented)| {
                asked.revoke(&revocation, NOW)?;
                Ok(all && asked.refuses(&presented, NOW)?)
            })
        });
        findings.promise("issuers-apart", "it refuses the namesake of another issuer", || {
            let (names, other) = (Names::fresh()?, fresh()?);
            names.each_alone().try_fold(true, |all, (revocation, presented)| {
                asked.revoke(&revocation, NOW)?;
                let namesake = Presented { issuer: &other, ..presented };
                Ok(all && !asked.refuses(&namesake, NOW)?)
            })
        });
        let confused = "it confuses tokens issued before and after";
        findings.promise("issued-by", confused, || asked.tells_before_from_after());
        findings.promise("ends", "a revocation stands longer than it says", || {
            let names = Names::fresh()?;
            asked.revoke(&names.subject(), NOW)?;
            Ok(!asked.refuses(&names.presented(), END)?)
        });
        let undone = "a later revocation undoes a part of an earlier one";
        findings.promise("later-holds", undone, || asked.keeps_the_later());
        findings.promise("new-once", "it says twice that a revocation is new, or never", || {
            let names = Names::fresh()?;
            Ok(asked.revoke(&names.subject(), NOW)? && !asked.revoke(&names.subject(), NOW)?)
        });
        findings.promise("new-once-at-once", "it is new to several at once", || {
            every_time(|_| {
                let names = Names::fresh()?;
                let new = self.race(|_| asked.revoke(&names.subject(), NOW))?;
                Ok(new.iter().filter(|new| **new).count() == 1)
            })
        });
        findings.end()
    }
}

fn later(at: UnixTime) -> UnixTime {
    at.saturating_add(Duration::from_secs(1))
}

struct Asked<'a, R> {
    list: &'a R,
}

impl<R: Revocations> Asked<'_, R> {
    fn revoke(&self, revocation: &Revocation<'_>, now: UnixTime) -> Result<bool, StoreError> {
        self.list.revoke(revocation, now).map_err(|_| StoreError)
    }

    fn refuses(&self, presented: &Presented<'_>, now: UnixTime) -> Result<bool, StoreError> {
        match self.list.check(presented, now).map_err(|error| error.kind()) {
            Ok(()) => Ok(false),
            Err(AuthnErrorKind::Revoked) => Ok(true),
            Err(_) => Err(StoreError),
        }
    }

    fn tells_before_from_after(&self) -> Result<bool, StoreError> {
        let names = Names::fresh()?;
        self.revoke(&names.subject().issued_by(NOW), NOW)?;
        let issued = |issued_at| Presented { issued_at, ..names.presented() };
        let refused = self.refuses(&issued(Some(NOW)), NOW)? && self.refuses(&issued(None), NOW)?;
        Ok(refused && !self.refuses(&issued(Some(later(NOW))), later(NOW))?)
    }

    fn keeps_the_later(&self) -> Result<bool, StoreError> {
        let names = Names::fresh()?;
        self.revoke(&names.subject(), NOW)?;
        let less = Revocation { until: later(NOW), ..names.subject().issued_by(NOW) };
        self.revoke(&less, NOW)?;
        let after = later(later(NOW));
        self.refuses(&Presented { issued_at: Some(after), ..names.presented() }, after)
    }
}

/// What no list has heard of.
struct Names {
    issuer: String,
    name: String,
}

impl Names {
    fn fresh() -> Result<Self, StoreError> {
        Ok(Self { issuer: fresh()?, name: fresh()? })
    }

    fn subject(&self) -> Revocation<'_> {
        Revocation::subject(&self.issuer, &self.name, END)
    }

    /// A token that has the same name for all it says.
    fn presented(&self) -> Presented<'_> {
        let name = Some(&*self.name);
        let mut presented = Presented::new(&self.issuer);
        (presented.token, presented.session) = (name, name);
        (presented.subject, presented.client) = (name, name);
        presented.issued_at = Some(NOW);
        presented
    }

    /// Each way to revoke, with a token that it alone refuses.
    fn each_alone(&self) -> impl Iterator<Item = (Revocation<'_>, Presented<'_>)> {
        let (issuer, name, bare) = (&*self.issuer, &*self.name, Presented::new(&self.issuer));
        let said = Some(name);
        let each = [
            (Revocation::token(issuer, name, END), Presented { token: said, ..bare }),
            (Revocation::session(issuer, name, END), Presented { session: said, ..bare }),
            (Revocation::subject(issuer, name, END), Presented { subject: said, ..bare }),
            (Revocation::client(issuer, name, END), Presented { client: said, ..bare }),
            (Revocation::issuer(issuer, END), bare),
        ];
        each.into_iter()
    }
}
