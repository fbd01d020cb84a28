//! Times of the week in a time zone, by numbers alone.

use std::sync::Arc;

use crate::UnixTime;

/// A week in seconds; one begins on Monday at 00:00 of the clock on the wall.
pub(super) const WEEK: u64 = 7 * 24 * 60 * 60;

/// When, by the clock on the wall of some place.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Window {
    pub(super) zone: Arc<Zone>,
    /// From which second of the week on, and up to which.
    pub(super) spans: Box<[(u64, u64)]>,
}

/// From which second since 1970 on, ascending, how many seconds have to be added to those since
/// 1970 to get those of whole weeks and of the week. `None`: nobody knows.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Zone(pub(super) Box<[(u64, Option<i64>)]>);

impl Window {
    /// Whether the moment is in the window; `None` if it is beyond what is known of the zone.
    pub(super) fn covers(&self, now: UnixTime) -> Option<bool> {
        let now = now.as_secs();
        let known = self.zone.0.partition_point(|(from, _)| *from <= now);
        let (_, ahead) = self.zone.0.get(known.checked_sub(1)?)?;
        let wall = now.checked_add_signed((*ahead)?)? % WEEK;
        Some(self.spans.iter().any(|(from, to)| (*from..*to).contains(&wall)))
    }
}
