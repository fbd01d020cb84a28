//! What may be said to an introspection besides whom it asks.

use std::{sync::Arc, time::Duration};

use super::{Introspection, desk::Bounds};
use crate::{JwtVerifier, Kind, RoleMap, authn::revocation::Revocations};

const MOST_ENTRIES: usize = 1 << 20;
const MOST_WAITING: usize = 1 << 16;
const LONGEST_KEEP: Duration = Duration::from_secs(3_600);

impl Default for Bounds {
    fn default() -> Self {
        Self {
            entries: 10_000,
            keep_active: Duration::from_secs(30),
            keep_refused: Duration::from_secs(10),
            waiting: 1_024,
        }
    }
}

impl Bounds {
    pub(super) fn problems(self) -> Vec<String> {
        let keeps = [self.keep_active, self.keep_refused];
        [
            (
                !(1..=MOST_ENTRIES).contains(&self.entries),
                "an introspection keeps 1 to 1,048,576 answers",
            ),
            (
                keeps.iter().any(|keep| *keep > LONGEST_KEEP),
                "an introspection keeps answers for an hour at most",
            ),
            (
                !(1..=MOST_WAITING).contains(&self.waiting),
                "1 to 65,536 callers wait for introspections",
            ),
        ]
        .into_iter()
        .filter_map(|(wrong, problem)| wrong.then_some(problem))
        .map(str::to_owned)
        .collect()
    }
}

impl Introspection {
    /// Grants roles by this map. Without one, a token grants none.
    pub fn roles(self, roles: RoleMap) -> Self {
        self.with(|claims| claims.roles(roles))
    }

    /// As [`JwtVerifier::attributes`], of the answer's members.
    pub fn attributes(self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with(|verifier| verifier.attributes(claims))
    }

    /// What the callers are; [`Kind::User`] unless said otherwise.
    pub fn kind(self, kind: Kind) -> Self {
        self.with(|claims| claims.kind(kind))
    }

    /// One more name that this service is meant by in `aud`.
    pub fn also_for(self, audience: impl Into<String>) -> Self {
        self.with(|claims| claims.also_for(audience))
    }

    /// Names callers by this member of the answer instead of by `sub`, such as `client_id` where
    /// tokens are for programs and no user is involved.
    ///
    /// Give such callers a realm of their own: a user may be called what a program is.
    pub fn subject(self, member: &str) -> Self {
        self.with(|claims| claims.subject_in(member))
    }

    /// As [`JwtVerifier::revocations`], asked with every request: what is revoked there counts no
    /// more at once, whatever the issuer has said lately.
    pub fn revocations(self, list: Arc<impl Revocations>) -> Self {
        self.with(|claims| claims.revocations(list))
    }

    /// How far the issuer's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|claims| claims.leeway(leeway))
    }

    /// As [`JwtVerifier::max_lifetime`].
    pub fn max_lifetime(self, most: Duration) -> Self {
        self.with(|claims| claims.max_lifetime(most))
    }

    /// The longest token that is asked about, in bytes: 8 KiB unless said otherwise.
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        self.with(|claims| claims.max_bytes(max_bytes))
    }

    /// Takes every `Bearer`, also those with a dot, which are left to a
    /// [`JwtVerifier`] otherwise: for issuers whose opaque tokens have dots, and where every token
    /// is to be asked about.
    pub fn all_tokens(mut self) -> Self {
        self.all = true;
        self.settle()
    }

    /// How long a good token is not asked about again: 30 s unless said otherwise, at most an
    /// hour, and never beyond its `exp`. For so long a token that was withdrawn may still count;
    /// with 0 every request asks.
    pub fn keep_active(mut self, keep: Duration) -> Self {
        self.bounds.keep_active = keep;
        self.settle()
    }

    /// How long a token that was refused is not asked about again: 10 s unless said otherwise, at
    /// most an hour; with 0 every request asks.
    pub fn keep_refused(mut self, keep: Duration) -> Self {
        self.bounds.keep_refused = keep;
        self.settle()
    }

    /// How many good tokens are known at a time, and as many refused ones: 10,000 unless said
    /// otherwise, at most 1,048,576. A good one takes what its principal takes and 200 bytes or
    /// less, a refused one 200 bytes or less.
    pub fn entries(mut self, entries: usize) -> Self {
        self.bounds.entries = entries;
        self.settle()
    }

    /// How many callers may wait for answers at a time: 1,024 unless said otherwise, at most
    /// 65,536. The next one is refused as
    /// [`Unavailable`](crate::AuthnErrorKind::Unavailable), at once.
    pub fn waiting(mut self, callers: usize) -> Self {
        self.bounds.waiting = callers;
        self.settle()
    }

    fn with(mut self, change: impl FnOnce(JwtVerifier) -> JwtVerifier) -> Self {
        self.claims = change(self.claims);
        self.settle()
    }
}
