//! How many at once.

use std::{
    fmt,
    hash::Hash,
    marker::PhantomData,
    sync::{Arc, PoisonError},
};

use super::{
    LimitError,
    hashing::Hashing,
    sync::{Mutex, MutexGuard},
};

/// At most so many calls of a key under way at once.
///
/// A call that is let in holds an [`InFlight`] for as long as it lasts; dropped, by whatever way
/// the call ends, it makes room for the next. Exact under threads. There is no queue: who finds no
/// room is told so.
///
/// Memory is taken once. A key takes a slot while it has a call under way, and none of its slot's
/// neighbours is ever counted with it. Where all slots that it could take are taken by others, it
/// is refused; with eight slots for each call that the server has under way at once, that happens
/// to about one newcomer in 100,000.
///
/// With quotas, it goes first, and needs no taking back:
///
/// ```
/// use portcullis::{Mono, Quota, limit::{Busy, ConcurrencyLimit, InFlight, LimitSet}};
///
/// let at_once = ConcurrencyLimit::<str>::new(2, 4096)?;
/// let quotas = LimitSet::<str>::new(Quota::per_hour(3), 4096)?;
/// let begin = |who: &str| -> Result<InFlight, Box<dyn std::error::Error>> {
///     let call = at_once.enter(who)?;
///     quotas.charge_at(who, 1, Mono::from_nanos(0))?; // When it refuses, `call` goes.
///     Ok(call)
/// };
/// let (one, two) = (begin("alice")?, begin("alice")?);
/// assert_eq!(at_once.enter("alice").unwrap_err(), Busy::AtOnce { most: 2 });
/// drop(one);
/// begin("alice")?;
/// assert!(begin("alice").is_err_and(|no| no.to_string().starts_with("exceeded `3 per hour`")));
/// assert_eq!(at_once.under_way("alice"), 1);
/// # drop(two);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a limit counts only the calls it is asked about"]
pub struct ConcurrencyLimit<K: ?Sized> {
    sets: Arc<[Mutex<Set>]>,
    most: u32,
    hashing: Hashing,
    keys: PhantomData<fn(&K)>,
}

/// A call that is under way; dropped, it has ended.
#[must_use = "dropped at once, the call has ended at once"]
pub struct InFlight {
    sets: Arc<[Mutex<Set>]>,
    hash: u64,
}

/// A call that found no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Busy {
    /// The caller has as many calls under way as it may.
    #[error("`{most}` at once are under way")]
    AtOnce {
        /// How many it may have.
        most: u32,
    },
    /// Others have all slots that the key could take. The caller is not at fault.
    #[error("table_full")]
    TableFull,
}

/// The keys of one lock.
#[derive(Default)]
struct Set([Slot; WAYS]);

/// A key and its calls that are under way; without any, the slot is free.
#[derive(Default)]
struct Slot {
    key: u64,
    calls: u32,
}

impl Set {
    fn own(&mut self, key: u64) -> Option<&mut Slot> {
        self.0.iter_mut().find(|slot| slot.calls > 0 && slot.key == key)
    }
}

impl<K: Hash + ?Sized> ConcurrencyLimit<K> {
    /// A limit with room for at least `slots` keys that have calls under way, 16 bytes each and a
    /// lock for eight of them.
    ///
    /// # Errors
    /// When `most` is 0, which admits nobody, or there cannot be that many slots.
    pub fn new(most: u32, slots: usize) -> Result<Self, LimitError> {
        if most == 0 {
            return Err(LimitError::NoneAtOnce);
        }
        if slots == 0 || slots > MOST_SLOTS {
            return Err(LimitError::Slots { slots });
        }
        let count = slots.div_ceil(WAYS);
        let memory = Vec::<Mutex<Set>>::new().try_reserve_exact(count);
        memory.map_err(|_| LimitError::Slots { slots })?;
        let sets = (0..count).map(|_| Mutex::default()).collect();
        Ok(Self { sets, most, hashing: Hashing::default(), keys: PhantomData })
    }

    /// The limit that is to take the place of this one, with another number: both count the same
    /// calls, those that are under way too.
    ///
    /// # Errors
    /// When `most` is 0.
    pub fn successor(&self, most: u32) -> Result<Self, LimitError> {
        if most == 0 {
            return Err(LimitError::NoneAtOnce);
        }
        let (sets, hashing) = (Arc::clone(&self.sets), self.hashing.clone());
        Ok(Self { sets, most, hashing, keys: PhantomData })
    }

    /// Lets a call by `key` begin.
    ///
    /// # Errors
    /// When there is no room.
    pub fn enter(&self, key: &K) -> Result<InFlight, Busy> {
        self.enter_by(key)
    }

    /// Counts by a key of another type. A limit that is asked so is asked by that type only.
    pub(crate) fn enter_by<Q: Hash + ?Sized>(&self, key: &Q) -> Result<InFlight, Busy> {
        let hash = self.hashing.hash(key);
        let mut set = set(&self.sets, hash).ok_or(Busy::TableFull)?;
        let slot = match set.own(hash) {
            Some(slot) if slot.calls >= self.most => {
                return Err(Busy::AtOnce { most: self.most });
            }
            Some(slot) => slot,
            None => set.0.iter_mut().find(|slot| slot.calls == 0).ok_or(Busy::TableFull)?,
        };
        *slot = Slot { key: hash, calls: slot.calls + 1 };
        drop(set);
        Ok(InFlight { sets: Arc::clone(&self.sets), hash })
    }

    /// The calls of `key` that are under way.
    #[must_use]
    pub fn under_way(&self, key: &K) -> u32 {
        let hash = self.hashing.hash(key);
        let set = set(&self.sets, hash);
        set.and_then(|mut set| set.own(hash).map(|slot| slot.calls)).unwrap_or(0)
    }
}

impl<K: ?Sized> ConcurrencyLimit<K> {
    /// How many calls of a key may be under way.
    #[must_use]
    pub const fn most(&self) -> u32 {
        self.most
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let Some(mut set) = set(&self.sets, self.hash) else { return };
        set.own(self.hash).into_iter().for_each(|slot| slot.calls -= 1);
    }
}

/// Where the key of this hash is counted.
fn set(sets: &[Mutex<Set>], hash: u64) -> Option<MutexGuard<'_, Set>> {
    let place = (u128::from(hash) * sets.len() as u128) >> 64;
    // A count is never half-written.
    Some(sets.get(place as usize)?.lock().unwrap_or_else(PoisonError::into_inner))
}

impl<K: ?Sized> fmt::Debug for ConcurrencyLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrencyLimit")
            .field("most", &self.most)
            .field("slots", &(self.sets.len() * WAYS))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InFlight")
    }
}

const WAYS: usize = 8;
const MOST_SLOTS: usize = 1 << 28;

#[cfg(test)]
#[cfg(loom)]
mod models;
#[cfg(test)]
mod tests;
