//! Revocations in the memory of one process.

use std::{
    fmt,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    sync::atomic::{
        AtomicU8,
        Ordering::{Acquire, Release},
    },
};

use super::{
    Presented, Revocation, Revocations, RevokeError, Target,
    table::{Full, Table, Term},
};
use crate::{
    UnixTime,
    authn::{AuthnError, AuthnErrorKind},
};

/// A list of what is revoked in this process, in memory of a fixed size: 32 bytes for each
/// revocation that there is room for, taken at once.
///
/// It can be asked while it is told something: whoever asks waits for nobody and allocates nothing.
/// When it is full, [`revoke`](Revocations::revoke) says so; what has ended makes room by itself.
///
/// Of each revocation 64 bits are kept, made under secrets of this list. A token that nobody revoked
/// is refused all the same if one of its own five is one of them: with a million held, fewer than
/// one token in 3 x 10^12. A token that was revoked is always refused.
///
/// What has ended goes by the time that is handed over. If that runs ahead by mistake, what ends
/// meanwhile may be gone when it is set right.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use std::{sync::Arc, time::Duration};
/// use portcullis::{AuthnErrorKind, UnixTime, testing::Issuer};
/// use portcullis::authn::revocation::{Denylist, Revocation, Revocations};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example");
/// let revoked = Arc::new(Denylist::new(100_000));
/// let verifier = issuer.verifier("staff").cache(10_000).revocations(Arc::clone(&revoked));
///
/// let token = issuer.token("alice").claim("jti", "t1").sign(now);
/// assert!(verifier.verify_token(&token, now).is_ok());
///
/// let hour = now.saturating_add(Duration::from_secs(3600));
/// revoked.revoke(&Revocation::token("https://id.example", "t1", hour), now)?;
/// let refused = verifier.verify_token(&token, now).unwrap_err();
/// assert_eq!(refused.kind(), AuthnErrorKind::Revoked);
///
/// // Everything that alice has by now; what she is given later counts.
/// let hers = Revocation::subject("https://id.example", "alice", hour).issued_by(now);
/// revoked.revoke(&hers, now)?;
/// let later = now.saturating_add(Duration::from_secs(1));
/// let old = issuer.token("alice").claim("jti", "t2").sign(now);
/// let new = issuer.token("alice").claim("jti", "t3").sign(later);
/// assert!(verifier.verify_token(&old, later).is_err());
/// assert!(verifier.verify_token(&new, later).is_ok());
/// # }
/// # Ok::<(), portcullis::authn::revocation::RevokeError>(())
/// ```
pub struct Denylist {
    table: Table,
    secrets: RandomState,
    /// One bit for each kind of target that ever was in the table.
    kinds: AtomicU8,
}

impl Denylist {
    /// Room for `entries` revocations, at most 2^24; those that have ended do not count.
    #[must_use]
    pub fn new(entries: usize) -> Self {
        let kinds = AtomicU8::new(0);
        Self { table: Table::new(entries), secrets: RandomState::new(), kinds }
    }

    /// How many stand at `now`. It looks at all of them: for a metric, not for every request.
    #[must_use]
    pub fn entries(&self, now: UnixTime) -> usize {
        self.table.len(now)
    }

    /// How many there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.table.capacity()
    }
}

impl Revocations for Denylist {
    fn check(&self, presented: &Presented<'_>, now: UnixTime) -> Result<(), AuthnError> {
        let kinds = self.kinds.load(Acquire);
        if kinds == 0 {
            return Ok(());
        }
        let issuer = begin(&self.secrets, presented.issuer);
        let mut targets = presented.targets().filter(|target| kinds & kind(*target) != 0);
        let refused = targets.find(|target| {
            let term = self.table.get(finish(&issuer, *target));
            term.is_some_and(|term| term.refuses(presented.issued_at, now))
        });
        refused.map_or(Ok(()), |target| {
            Err(AuthnError::new(AuthnErrorKind::Revoked, target.refusal()))
        })
    }

    fn revoke(&self, revocation: &Revocation<'_>, now: UnixTime) -> Result<bool, RevokeError> {
        let Revocation { issuer, target, issued_by, until } = *revocation;
        if until <= now {
            return Err(RevokeError::Over);
        }
        self.kinds.fetch_or(kind(target), Release);
        let key = finish(&begin(&self.secrets, issuer), target);
        let entered = self.table.put(key, Term::new(issued_by, until), now);
        entered.map_err(|Full| RevokeError::Full)
    }
}

/// The part of a key that all of an issuer's share.
fn begin(secrets: &RandomState, issuer: &str) -> DefaultHasher {
    let mut hasher = secrets.build_hasher();
    issuer.hash(&mut hasher);
    hasher
}

/// The key; 0 is that of places with none.
fn finish(issuer: &DefaultHasher, target: Target<'_>) -> u64 {
    let mut hasher = issuer.clone();
    target.hash(&mut hasher);
    hasher.finish().max(1)
}

const fn kind(target: Target<'_>) -> u8 {
    match target {
        Target::Token(_) => 1,
        Target::Session(_) => 2,
        Target::Subject(_) => 4,
        Target::Client(_) => 8,
        Target::Issuer => 16,
        Target::Logout(_) => 32,
    }
}

impl fmt::Debug for Denylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denylist").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
