//! By which clocks.

use crate::{Mono, Now, UnixTime};

/// The readings that a [`LimitSet`](super::LimitSet) counts by: made from a [`Mono`], or from a
/// [`Now`], which quotas by the calendar need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub(super) mono: Mono,
    /// Of a [`Mono`] alone, the end of time: no calendar goes that far.
    pub(super) wall: UnixTime,
}

impl From<Mono> for Moment {
    fn from(mono: Mono) -> Self {
        Self { mono, wall: UnixTime::from_millis(u64::MAX) }
    }
}

impl From<Now> for Moment {
    fn from(now: Now) -> Self {
        Self { mono: now.mono, wall: now.wall }
    }
}
