//! One question under way, and all who wait for its answer.
//!
//! Nothing drives it but those who wait: whoever is polled polls the work, and when the work calls,
//! all of them are woken. So it goes on when the one who began it goes away.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

pub(super) type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) struct Flight<T> {
    work: Mutex<Work<T>>,
    bell: Arc<Bell>,
}

enum Work<T> {
    Underway(Task<T>),
    /// With nothing, where the work panicked or was given up.
    Done(Option<T>),
}

/// Wakes all who wait. It knows nothing of the work: that knows the bell, and would never be freed.
#[derive(Default)]
struct Bell(Mutex<Vec<(u64, Waker)>>);

impl<T: Clone> Flight<T> {
    /// Work that starts when it is first polled.
    pub(super) fn new(work: Task<T>) -> Self {
        Self { work: Mutex::new(Work::Underway(work)), bell: Arc::default() }
    }

    /// What it came to, for the waiter of this number; nothing where the work panicked.
    pub(super) fn poll(&self, number: u64, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // Before the work is looked at: it may be done by another in between.
        self.bell.register(number, cx.waker());
        let mut held = lock(&self.work);
        // If the work panics, this is what stays.
        let mut work = match mem::replace(&mut *held, Work::Done(None)) {
            Work::Underway(work) => work,
            Work::Done(value) => {
                *held = Work::Done(value.clone());
                return Poll::Ready(value);
            }
        };
        let waker = Waker::from(Arc::clone(&self.bell));
        let polled =
            catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(&waker))));
        let value = match polled {
            Ok(Poll::Pending) => {
                *held = Work::Underway(work);
                return Poll::Pending;
            }
            Ok(Poll::Ready(value)) => Some(value),
            Err(_) => None,
        };
        *held = Work::Done(value.clone());
        drop(held);
        Arc::clone(&self.bell).wake();
        Poll::Ready(value)
    }

    /// Forgets the waiter of this number.
    pub(super) fn leave(&self, number: u64) {
        let mut waiting = lock(&self.bell.0);
        let left = waiting.iter().position(|(other, _)| *other == number);
        let left = left.map(|at| waiting.swap_remove(at));
        // A waker may run anything when it is dropped.
        drop(waiting);
        drop(left);
    }

    /// Ends the work where it stands.
    pub(super) fn give_up(&self) {
        let work = mem::replace(&mut *lock(&self.work), Work::Done(None));
        drop(work);
    }
}

impl Bell {
    fn register(&self, number: u64, waker: &Waker) {
        let mut waiting = lock(&self.0);
        let known = waiting.iter_mut().find(|(other, _)| *other == number);
        let before = match known {
            Some((_, known)) => Some(mem::replace(known, waker.clone())),
            None => {
                waiting.push((number, waker.clone()));
                None
            }
        };
        drop(waiting);
        drop(before);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // Outside the lock: a waker may run anything.
        let waiting = mem::take(&mut *lock(&self.0));
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing of ours panics under these locks, and work that does is caught.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;
    use crate::authn::introspection::tests::Gate;

    fn poll<T: Clone>(flight: &Flight<T>, number: u64) -> Poll<Option<T>> {
        flight.poll(number, &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn all_who_wait_get_what_one_of_them_worked_out() {
        let (gate, begun) = (Gate::default(), Arc::new(AtomicU32::new(0)));
        let (open, counted) = (gate.opened(), Arc::clone(&begun));
        let flight = Flight::new(Box::pin(async move {
            counted.fetch_add(1, Relaxed);
            open.await;
            7
        }));
        assert_eq!(begun.load(Relaxed), 0, "not before somebody waits");
        assert!(poll(&flight, 1).is_pending() && poll(&flight, 2).is_pending());
        flight.leave(1);
        gate.open();
        assert_eq!(poll(&flight, 2), Poll::Ready(Some(7)));
        assert_eq!(poll(&flight, 3), Poll::Ready(Some(7)), "and who comes late");
        assert_eq!(begun.load(Relaxed), 1);
    }

    #[test]
    fn everybody_is_woken_and_nobody_who_left() {
        struct Count(AtomicU32);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Relaxed);
            }
        }
        let gate = Gate::default();
        let flight = Flight::new(Box::pin(gate.opened()));
        let counts: Vec<_> = (0..3).map(|_| Arc::new(Count(AtomicU32::new(0)))).collect();
        for (number, count) in (0..).zip(&counts) {
            let waker = Waker::from(Arc::clone(count));
            for _ in 0..2 {
                assert!(flight.poll(number, &mut Context::from_waker(&waker)).is_pending());
            }
        }
        flight.leave(1);
        gate.open();
        let woken: Vec<_> = counts.iter().map(|count| count.0.load(Relaxed)).collect();
        assert_eq!(woken, [1, 0, 1]);
    }

    #[test]
    fn attack_work_that_panics_leaves_nobody_waiting() {
        let flight = Flight::<u8>::new(Box::pin(async { panic!("on purpose") }));
        assert_eq!(poll(&flight, 1), Poll::Ready(None));
        assert_eq!(poll(&flight, 2), Poll::Ready(None), "and nobody polls it again");
    }

    #[test]
    fn work_that_nobody_waits_for_is_freed() {
        let (gate, alive) = (Gate::default(), Arc::new(()));
        let (open, held) = (gate.opened(), Arc::clone(&alive));
        // The gate keeps the waker, as a socket or a channel would.
        let flight = Flight::new(Box::pin(async move {
            open.await;
            drop(held);
        }));
        assert!(poll(&flight, 1).is_pending());
        flight.leave(1);
        flight.give_up();
        drop(flight);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
