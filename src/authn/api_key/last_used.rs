//! When a key was last used, to the minute.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::UnixTime;

/// Uses within so long of the last one that was noted are not noted.
const COALESCED: Duration = Duration::from_secs(60);

/// Clones share it, so a use that is noted while a record is being replaced is not lost.
#[derive(Clone, Debug)]
pub(super) struct LastUsed(Arc<AtomicU64>);

impl LastUsed {
    pub(super) fn new(at: Option<UnixTime>) -> Self {
        Self(Arc::new(AtomicU64::new(at.map_or(NEVER, UnixTime::as_millis))))
    }

    pub(super) fn at(&self) -> Option<UnixTime> {
        let millis = self.0.load(Ordering::Relaxed);
        (millis != NEVER).then(|| UnixTime::from_millis(millis))
    }

    /// Whether this use is one to write down; true for one of all threads that see the same
    /// minute pass. A clock that was set back makes no use older.
    pub(super) fn note(&self, now: UnixTime) -> bool {
        let noted = self.0.load(Ordering::Relaxed);
        let due = UnixTime::from_millis(noted).saturating_add(COALESCED);
        (noted == NEVER || now >= due)
            && self
                .0
                .compare_exchange(noted, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

const NEVER: u64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_use_a_minute_is_noted() {
        let used = LastUsed::new(None);
        let check = |secs: u64, noted: bool, last: u64| {
            assert_eq!(used.note(UnixTime::from_secs(secs)), noted, "{secs} s");
            assert_eq!(used.at(), Some(UnixTime::from_secs(last)), "{secs} s");
        };
        assert_eq!(used.at(), None);
        check(1_000, true, 1_000);
        check(1_000, false, 1_000);
        check(1_059, false, 1_000);
        check(900, false, 1_000);
        check(1_060, true, 1_060);
        check(1_119, false, 1_060);
    }

    #[test]
    fn one_of_many_threads_notes_a_minute() {
        let used = LastUsed::new(Some(UnixTime::from_secs(1_000)));
        let now = UnixTime::from_secs(2_000);
        let noted = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..100).filter(|_| used.note(now)).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(noted, 1);
    }
}
