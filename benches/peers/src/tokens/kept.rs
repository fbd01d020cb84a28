//! Tokens that have been verified before, in our cache and in a map by hand.

use std::{error::Error, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use portcullis::{authn::jwt::JwtVerifier, clock};

use crate::access_token::{Algorithm, Claims, Keys, unix_seconds};

/// A token that is kept, one that is not, and one that has expired since.
pub(super) const EXPECTED: [bool; 3] = [true, false, false];

pub(super) struct Kept {
    /// Copies, as a request brings its own; every 7919th, so that none is near the one before.
    pub(super) order: Vec<String>,
    expired: String,
    map: HashMap<String, Arc<Claims>, RandomState>,
    ours: JwtVerifier,
}

impl Kept {
    /// So many; ours has four places for each, so that none is without one.
    pub(super) fn new(
        count: usize,
        algorithm: Algorithm,
        keys: &Keys,
    ) -> Result<Self, Box<dyn Error>> {
        let tokens = (0..count as u64).map(|user| keys.sign(algorithm, &Claims::of(user)));
        let tokens: Vec<String> = tokens.collect::<Result<_, _>>()?;
        let order = (0..count).filter_map(|at| tokens.get(at * 7919 % count)).cloned().collect();
        let expired = keys.sign(algorithm, &Claims::of(0).expired())?;
        let mut map = HashMap::default();
        map.insert(expired.clone(), Arc::new(Claims::of(0).expired()));
        map.extend(tokens.into_iter().map(|token| (token, Arc::new(Claims::of(0)))));
        let ours = super::ours(algorithm, keys)?.cache(4 * count);
        let kept = Self { order, expired, map, ours };
        if !kept.order.iter().all(|token| kept.verify(token)) {
            return Err("a good token is refused".into());
        }
        Ok(kept)
    }

    /// Asks about the tokens of [`EXPECTED`].
    pub(super) fn answers(&self, verify: impl Fn(&str) -> bool) -> [bool; 3] {
        let kept = self.order.first().map_or("", String::as_str);
        [kept, "unknown", &self.expired].map(verify)
    }

    /// What looking a token up by all its bytes costs at least.
    pub(super) fn look_up(&self, token: &str) -> bool {
        let good = |claims: &&Arc<Claims>| claims.exp > unix_seconds();
        self.map.get(token).filter(good).map(Arc::clone).is_some()
    }

    pub(super) fn verify(&self, token: &str) -> bool {
        self.ours.verify_token(token, clock::now().wall).is_ok()
    }
}
