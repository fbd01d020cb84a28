//! Tokens that were verified before: what is asked of the cache, and what of every token anew.

use std::sync::Arc;

use super::{
    JwtVerifier,
    cache::{Cache, CacheStats},
    verifier::Proven,
};
use crate::{Principal, UnixTime, authn::AuthnError};

impl JwtVerifier {
    /// Remembers up to `entries` tokens that were verified, so that the signature of each is checked
    /// once and not with every request; off unless said. At most 2^24 entries, rounded up to eights.
    ///
    /// What the token says of time is asked again with every request, and replacing the keys ends
    /// all entries at once. A token is found by all its bytes, for this verifier alone: clones share
    /// the cache, and whatever is set after a clone was made starts that one with an empty cache.
    /// Tokens that come once, however many, do not drive out those that come often. Tokens are wiped
    /// from memory when they are displaced.
    ///
    /// An entry takes the token's length, what the principal takes, and 200 bytes or less; for every
    /// entry that there is room for, 82 bytes are taken at once, and 2 KiB besides.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use portcullis::{UnixTime, testing::Issuer};
    ///
    /// let issuer = Issuer::new("https://id.example");
    /// let verifier = issuer.verifier("staff").cache(10_000);
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let token = issuer.token("alice").sign(now);
    /// assert!(verifier.verify_token(&token, now).is_ok());
    /// assert!(verifier.verify_token(&token, now).is_ok());
    ///
    /// let stats = verifier.cache_stats().ok_or("there is a cache")?;
    /// assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
    /// // Whatever is cached, a token that is over is refused.
    /// let later = UnixTime::from_secs(1_700_100_000);
    /// assert!(verifier.verify_token(&token, later).is_err());
    /// # }
    /// # Ok::<(), &str>(())
    /// ```
    pub fn cache(mut self, entries: usize) -> Self {
        self.cache = (entries > 0).then(|| Arc::new(Cache::new(entries)));
        self
    }

    /// How the cache fares; nothing where there is none.
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.cache.as_ref().map(|cache| cache.stats())
    }

    /// What `token` comes to if it was verified before; nothing where that is not known, or the
    /// keys are not at hand.
    pub(super) fn recall(
        &self,
        token: &str,
        now: UnixTime,
    ) -> Option<Result<Principal, AuthnError>> {
        let cache = self.cache.as_ref()?;
        let admit = |proven: &Proven| self.admit(proven, now).map(|()| proven.principal.clone());
        self.envelope.keys.show(now, |keys| cache.find(token.as_bytes(), keys, admit))?
    }

    /// Verifies `token`, and keeps what it has proven where there is a cache.
    pub(super) fn verify_anew(&self, token: &str, now: UnixTime) -> Result<Principal, AuthnError> {
        let Some(cache) = &self.cache else { return Ok(self.judge(token, now)?.principal) };
        cache.missed(token.as_bytes());
        // Before the token is proven: if they are replaced meanwhile, the entry is of no use.
        let keys = self.envelope.keys.load(now);
        let proven = self.judge(token, now)?;
        let (principal, until) = (proven.principal.clone(), proven.times.exp);
        if let Ok(keys) = keys {
            cache.put(token.as_bytes(), &keys, proven, until, now);
        }
        Ok(principal)
    }
}
