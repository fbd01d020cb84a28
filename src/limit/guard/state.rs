//! What is known of one account, network, pair or device: pure arithmetic over the time.

use std::time::Duration;

use crate::Mono;

/// The numbers that one kind of entry goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Attempts without a delay.
    pub(super) free: u32,
    pub(super) first_delay: Duration,
    pub(super) longest_delay: Duration,
    pub(super) forget: Duration,
}

/// Failures, and attempts whose outcome is not known yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    failures: u32,
    pending: u32,
    /// When the failures were counted; one is forgotten after every `forget` since.
    counted: u64,
    /// Until when nothing is let through.
    until: u64,
}

impl State {
    /// How long one more attempt has to wait; `None` when it may be made now. While nothing is
    /// known, the free attempts may be under way; afterwards one at a time.
    pub(super) fn wait(&self, pace: Pace, now: Mono) -> Option<Duration> {
        let now_nanos = now.as_nanos();
        if now_nanos < self.until {
            return Some(Duration::from_nanos(self.until - now_nanos));
        }
        let room = pace.free.saturating_sub(self.failures(pace, now)).max(1);
        // Those under way are a matter of moments.
        (self.pending >= room).then_some(Duration::from_secs(1))
    }

    /// Failures that are not forgotten yet.
    pub(super) fn failures(&self, pace: Pace, now: Mono) -> u32 {
        let since = now.as_nanos().saturating_sub(self.counted);
        let forget = nanos(pace.forget).max(1);
        self.failures.saturating_sub(u32::try_from(since / forget).unwrap_or(u32::MAX))
    }

    pub(super) fn begin(&mut self) {
        self.pending = self.pending.saturating_add(1);
    }

    /// Takes back what [`begin`](Self::begin) did.
    pub(super) fn end(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// Counts a failure; from the last free one on, each one doubles the delay.
    pub(super) fn fail(&mut self, pace: Pace, now: Mono) {
        self.settle(pace, now);
        self.failures = self.failures.saturating_add(1);
        let Some(doublings) = self.failures.checked_sub(pace.free) else { return };
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let delay = nanos(pace.first_delay).saturating_mul(factor);
        let delay = delay.min(nanos(pace.longest_delay));
        self.until = self.until.max(now.as_nanos().saturating_add(delay));
    }

    /// Forgives so many failures, and the delay that goes with them.
    pub(super) fn forgive(&mut self, failures: u32, pace: Pace, now: Mono) {
        self.settle(pace, now);
        self.failures = self.failures.saturating_sub(failures);
        if self.failures < pace.free {
            self.until = 0;
        }
    }

    /// Whether this is the same as never having been seen.
    pub(super) fn is_blank(&self, pace: Pace, now: Mono) -> bool {
        self.pending == 0 && now.as_nanos() >= self.until && self.failures(pace, now) == 0
    }

    /// Writes down what has been forgotten; the time towards the next one is kept.
    fn settle(&mut self, pace: Pace, now: Mono) {
        let left = self.failures(pace, now);
        let forgotten = u64::from(self.failures - left);
        self.counted = match left {
            0 => self.counted.max(now.as_nanos()),
            _ => self.counted.saturating_add(nanos(pace.forget).saturating_mul(forgotten)),
        };
        self.failures = left;
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        free: 3,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(60),
        forget: Duration::from_secs(600),
    };

    fn at(secs: u64) -> Mono {
        Mono::from_nanos(0).saturating_add(Duration::from_secs(secs))
    }

    fn waits(state: &State, now: u64) -> u64 {
        state.wait(PACE, at(now)).map_or(0, |wait| wait.as_secs())
    }

    #[test]
    fn the_delay_doubles_to_its_cap() {
        let mut state = State::default();
        let mut now = 0;
        let mut delays = Vec::new();
        for _ in 0..12 {
            state.fail(PACE, at(now));
            delays.push(waits(&state, now));
            now += waits(&state, now);
            assert_eq!(waits(&state, now), 0, "over when it is over");
        }
        assert_eq!(delays, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        let mut state = State::default();
        for _ in 0..5 {
            state.fail(PACE, at(0));
        }
        let failures = |now| state.failures(PACE, at(now));
        let found = [failures(0), failures(599), failures(600), failures(1_200), failures(3_000)];
        assert_eq!(found, [5, 5, 4, 3, 0]);
        assert!(!state.is_blank(PACE, at(2_999)));
        assert!(state.is_blank(PACE, at(3_000)));
        // Counting one more does not start the time towards the next anew.
        state.fail(PACE, at(900));
        assert_eq!((state.failures(PACE, at(900)), state.failures(PACE, at(1_200))), (5, 4));
    }

    #[test]
    fn trap_parallel_guesses_find_no_more_room_than_sequential_ones() {
        let mut state = State::default();
        for _ in 0..3 {
            assert_eq!(waits(&state, 0), 0);
            state.begin();
        }
        assert_eq!(waits(&state, 0), 1);
        state.end();
        state.fail(PACE, at(0));
        assert_eq!(waits(&state, 0), 1, "two failures are left to make, and two are under way");
        state.end();
        assert_eq!(waits(&state, 0), 0);
    }

    #[test]
    fn after_a_delay_one_at_a_time() {
        let mut state = State::default();
        (0..3).for_each(|_| state.fail(PACE, at(0)));
        assert_eq!(waits(&state, 1), 0);
        state.begin();
        assert_eq!(waits(&state, 1), 1);
    }

    #[test]
    fn the_delay_is_forgiven_with_the_failure_that_it_is_for() {
        let after = |forgiven: u32| {
            let mut state = State::default();
            (0..5).for_each(|_| state.fail(PACE, at(0)));
            state.forgive(forgiven, PACE, at(0));
            (state.failures(PACE, at(0)), waits(&state, 0))
        };
        assert_eq!([1, 2, 3, 5].map(after), [(4, 4), (3, 4), (2, 0), (0, 0)]);
    }

    #[test]
    fn clocks_that_differ_forgive_nothing() {
        let mut state = State::default();
        (0..3).for_each(|_| state.fail(PACE, at(1_000)));
        state.fail(PACE, at(0));
        assert_eq!(state.failures(PACE, at(0)), 4);
        assert!(waits(&state, 0) > 1_000);
        for _ in 0..100 {
            state.fail(PACE, Mono::from_nanos(u64::MAX));
        }
        assert!(!state.is_blank(PACE, at(0)));
    }
}
