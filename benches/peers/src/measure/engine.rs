//! One of the things that are compared.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Operations whose allocations are counted.
const COUNTED: u64 = 64;

/// One way to do the work of a workload: ours, a peer's, or a bound.
pub(crate) struct Engine<'a> {
    pub(super) name: String,
    /// What it says to the workload's questions.
    pub(super) answers: Vec<bool>,
    pub(super) heap: Heap,
    /// Whether its figures are what it takes beyond the workload's base.
    pub(super) beyond_base: bool,
    /// The shortest batch whose time says something.
    least: Duration,
    /// How many operations a batch has.
    operations: u64,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
}

/// What one operation asks of the allocator.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heap {
    pub(super) allocs: f64,
    pub(super) bytes: f64,
}

impl<'a> Engine<'a> {
    /// Does `operation` again and again on one thread. `answers` are what it says to the
    /// questions of the workload, in their order.
    #[cfg(any(feature = "tokens", feature = "policies", feature = "stack", test))]
    pub(crate) fn new(
        name: impl Into<String>,
        answers: impl IntoIterator<Item = bool>,
        mut operation: impl FnMut() -> bool + 'a,
    ) -> Self {
        operation();
        let heap = Heap::of(&mut operation);
        let run = move |operations| {
            let start = Instant::now();
            for _ in 0..operations {
                black_box(operation());
            }
            start.elapsed()
        };
        Self::from_parts(name, answers, heap, Duration::from_micros(20), run)
    }

    /// Does `operation(thread, count)` on several threads at once. The time is that of the last
    /// thread to finish, and an operation is one on each of them.
    #[cfg(any(feature = "limits", feature = "tokens", test))]
    pub(crate) fn on_threads(
        name: impl Into<String>,
        answers: impl IntoIterator<Item = bool>,
        threads: usize,
        operation: impl Fn(usize, u64) -> bool + Sync + 'a,
    ) -> Self {
        let mut count = 0;
        let heap = Heap::of(&mut || {
            count += 1;
            operation(0, count)
        });
        let mut done = 0;
        let run = move |operations| {
            let from = done;
            done += operations;
            let work = |thread| {
                let start = Instant::now();
                for count in from..from + operations {
                    black_box(operation(thread, count));
                }
                start.elapsed()
            };
            if threads == 1 { work(0) } else { at_once(threads, &work) }
        };
        let least = if threads == 1 { 20 } else { 500 };
        Self::from_parts(name, answers, heap, Duration::from_micros(least), run)
    }

    /// Runs batches that time themselves, none of them shorter than `least`.
    #[cfg(any(feature = "stack", test))]
    pub(crate) fn timed(
        name: impl Into<String>,
        answers: impl IntoIterator<Item = bool>,
        least: Duration,
        mut run: impl FnMut(u64) -> Duration + 'a,
    ) -> Self {
        let heap = Heap::per(COUNTED, || {
            run(COUNTED);
        });
        Self::from_parts(name, answers, heap, least, run)
    }

    /// Counts only what it takes beyond the workload's base in the same round.
    #[cfg(any(feature = "tokens", feature = "stack", test))]
    pub(crate) fn beyond_base(mut self) -> Self {
        self.beyond_base = true;
        self
    }

    fn from_parts(
        name: impl Into<String>,
        answers: impl IntoIterator<Item = bool>,
        heap: Heap,
        least: Duration,
        run: impl FnMut(u64) -> Duration + 'a,
    ) -> Self {
        let answers = answers.into_iter().collect();
        let (name, run) = (name.into(), Box::new(run));
        Self { name, answers, heap, beyond_base: false, least, operations: 1, run }
    }

    /// Finds how many operations take at least the shortest time that says something. Of three
    /// batches the fastest counts: on a busy machine one may take long for nothing.
    pub(super) fn calibrate(&mut self) {
        while self.operations < 1 << 24 {
            let fastest = (0..3).map(|_| (self.run)(self.operations)).min();
            if fastest.unwrap_or_default() >= self.least {
                break;
            }
            self.operations *= 2;
        }
    }

    /// One turn: nanoseconds per operation of each batch that fits, and of one at least.
    pub(super) fn turn(&mut self, slice: Duration) -> Vec<f64> {
        let start = Instant::now();
        let mut samples = Vec::new();
        while samples.is_empty() || start.elapsed() < slice {
            let took = (self.run)(self.operations);
            samples.push(took.as_nanos() as f64 / self.operations as f64);
        }
        samples
    }
}

impl Heap {
    fn of(operation: &mut dyn FnMut() -> bool) -> Self {
        Self::per(COUNTED, || {
            for _ in 0..COUNTED {
                black_box(operation());
            }
        })
    }

    fn per(operations: u64, run: impl FnOnce()) -> Self {
        let counted = allocation_counter::measure(run);
        let each = |total: u64| total as f64 / operations as f64;
        Self { allocs: each(counted.count_total), bytes: each(counted.bytes_total) }
    }

    pub(super) fn beyond(self, base: Self) -> Self {
        Self { allocs: self.allocs - base.allocs, bytes: self.bytes - base.bytes }
    }
}

/// Runs `work` on each of the threads, all starting together; the time of the slowest.
#[cfg(any(feature = "limits", feature = "tokens", test))]
fn at_once(threads: usize, work: &(dyn Fn(usize) -> Duration + Sync)) -> Duration {
    let barrier = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    work(thread)
                })
            })
            .collect();
        // A thread that panicked counts as endless, so that the figure cannot look good.
        spawned.into_iter().map(|thread| thread.join().unwrap_or(Duration::MAX)).max()
    })
    .unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_are_counted_per_operation() {
        let engine = Engine::new("boxes", [], || *black_box(Box::new(true)));
        assert_eq!(engine.heap.allocs, 1.0);
        assert_eq!(engine.heap.bytes, 1.0);
        let engine = Engine::new("nothing", [], || black_box(true));
        assert_eq!(engine.heap.allocs, 0.0);
    }

    #[test]
    fn threads_do_the_same_operations_at_once() {
        let seen = std::sync::Mutex::new(Vec::new());
        let mut engine = Engine::on_threads("two", [], 2, |thread, count| {
            seen.lock().unwrap().push((thread, count));
            true
        });
        engine.operations = 3;
        engine.turn(Duration::ZERO);
        drop(engine);
        let mut seen = seen.into_inner().unwrap().split_off(COUNTED as usize);
        seen.sort_unstable();
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    }
}
