//! The questions under way: one for each token, and so many callers who wait.

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use super::flight::{Flight, Task};
use crate::authn::kept::Code;

pub(super) struct Flights<T> {
    table: Mutex<Table<T>>,
    /// So many callers may wait.
    most: usize,
}

struct Table<T> {
    open: HashMap<Code, Open<T>>,
    waiting: usize,
    begun: u64,
    joined: u64,
}

struct Open<T> {
    flight: Arc<Flight<T>>,
    waiting: usize,
}

/// What comes of asking to wait.
pub(super) enum Join<T: Clone> {
    /// It was found out meanwhile.
    Known(T),
    /// Too many wait already.
    Full,
    Waiting(Waiter<T>),
}

/// One caller who waits; resolves to nothing when the work panicked. Dropped, it waits no more,
/// and the last one to go ends the work.
pub(super) struct Waiter<T: Clone> {
    flights: Arc<Flights<T>>,
    flight: Arc<Flight<T>>,
    code: Code,
    number: u64,
}

impl<T: Clone> Flights<T> {
    pub(super) fn new(most: usize) -> Self {
        let table = Table { open: HashMap::new(), waiting: 0, begun: 0, joined: 0 };
        Self { table: Mutex::new(table), most }
    }

    /// Waits for the work under `code` that is under way, or for `work`, unless it is `known` by
    /// now: what has just been found out is known before its work is gone from here.
    pub(super) fn join(
        self: &Arc<Self>,
        code: Code,
        known: impl FnOnce() -> Option<T>,
        work: impl FnOnce() -> Task<T>,
    ) -> Join<T> {
        let mut table = self.lock();
        if let Some(value) = known() {
            return Join::Known(value);
        }
        if table.waiting >= self.most {
            return Join::Full;
        }
        let Table { open, waiting, begun, joined } = &mut *table;
        *waiting += 1;
        *joined += 1;
        let open = match open.entry(code) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => {
                *begun += 1;
                free.insert(Open { flight: Arc::new(Flight::new(work())), waiting: 0 })
            }
        };
        open.waiting += 1;
        let (flights, flight) = (Arc::clone(self), Arc::clone(&open.flight));
        Join::Waiting(Waiter { flights, flight, code, number: *joined })
    }

    /// How many callers wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// How many questions were begun.
    pub(super) fn begun(&self) -> u64 {
        self.lock().begun
    }

    /// Who comes from now on asks anew: a waiter who is not polled must not hold up an old answer.
    fn finish(&self, code: &Code, flight: &Arc<Flight<T>>) {
        let mut table = self.lock();
        if table.open.get(code).is_some_and(|open| Arc::ptr_eq(&open.flight, flight)) {
            table.open.remove(code);
        }
    }

    /// One waiter less; whether it was the last of work that is not finished.
    fn leave(&self, code: &Code, flight: &Arc<Flight<T>>) -> bool {
        let mut table = self.lock();
        table.waiting = table.waiting.saturating_sub(1);
        let Some(open) = table.open.get_mut(code) else { return false };
        if !Arc::ptr_eq(&open.flight, flight) {
            return false;
        }
        open.waiting = open.waiting.saturating_sub(1);
        let last = open.waiting == 0;
        if last {
            table.open.remove(code);
        }
        last
    }

    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        // Nothing panics under the lock but for want of memory.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Future for Waiter<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let polled = self.flight.poll(self.number, cx);
        if polled.is_ready() {
            self.flights.finish(&self.code, &self.flight);
        }
        polled
    }
}

impl<T: Clone> Drop for Waiter<T> {
    fn drop(&mut self) {
        let last = self.flights.leave(&self.code, &self.flight);
        self.flight.leave(self.number);
        if last {
            self.flight.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::authn::introspection::tests::{Gate, poll};

    fn code(of: u8) -> Code {
        [of; 32]
    }

    fn join(flights: &Arc<Flights<u8>>, of: u8, gate: &Gate) -> Option<Waiter<u8>> {
        let work = || -> Task<u8> {
            let open = gate.opened();
            Box::pin(async move {
                open.await;
                of
            })
        };
        match flights.join(code(of), || None, work) {
            Join::Known(_) => panic!("nothing is known"),
            Join::Full => None,
            Join::Waiting(waiter) => Some(waiter),
        }
    }

    #[test]
    fn attack_callers_without_end() {
        let (flights, gate) = (Arc::new(Flights::new(3)), Gate::default());
        let mut waiting: Vec<_> = (0..3).map(|of| join(&flights, of, &gate).unwrap()).collect();
        assert!(join(&flights, 9, &gate).is_none());
        assert!(join(&flights, 0, &gate).is_none(), "nor for an answer that comes anyway");
        waiting.pop();
        waiting.push(join(&flights, 9, &gate).unwrap());
        assert_eq!((flights.waiting(), flights.begun()), (3, 4));
    }

    #[test]
    fn what_was_found_out_meanwhile_is_not_asked_again() {
        let flights = Arc::new(Flights::new(3));
        let joined = flights.join(code(1), || Some(7), || panic!("not asked"));
        assert!(matches!(joined, Join::Known(7)));
        assert_eq!(flights.waiting(), 0);
    }

    #[test]
    fn attack_waiter_who_is_never_polled_holds_up_an_old_answer() {
        let (flights, gate) = (Arc::new(Flights::new(3)), Gate::default());
        let asleep = join(&flights, 1, &gate).unwrap();
        let mut awake = join(&flights, 1, &gate).unwrap();
        gate.open();
        assert_eq!(poll(&mut awake), Poll::Ready(Some(1)));
        let _new = join(&flights, 1, &gate).unwrap();
        assert_eq!(flights.begun(), 2, "asked anew");
        drop(asleep);
        assert_eq!((flights.waiting(), flights.lock().open.len()), (2, 1));
    }

    #[derive(Clone, Debug)]
    enum Act {
        Join(u8),
        Poll(prop::sample::Index),
        Leave(prop::sample::Index),
        Open,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0_u8..3).prop_map(Act::Join),
            4 => any::<prop::sample::Index>().prop_map(Act::Poll),
            2 => any::<prop::sample::Index>().prop_map(Act::Leave),
            1 => Just(Act::Open),
        ]
    }

    proptest! {
        /// Whoever joins, polls and goes away in whatever order.
        #[test]
        fn nobody_is_lost_and_nothing_is_left(acts in prop::collection::vec(act(), 1..80)) {
            let (flights, gate) = (Arc::new(Flights::new(8)), Gate::default());
            let mut waiting: Vec<(u8, Waiter<u8>)> = Vec::new();
            for act in acts {
                match act {
                    Act::Join(of) => waiting.extend(join(&flights, of, &gate).map(|one| (of, one))),
                    Act::Poll(at) if !waiting.is_empty() => {
                        let at = at.index(waiting.len());
                        let polled = poll(&mut waiting[at].1);
                        prop_assert_eq!(polled.is_ready(), gate.is_open());
                        if let Poll::Ready(value) = polled {
                            prop_assert_eq!(value, Some(waiting.remove(at).0));
                        }
                    }
                    Act::Leave(at) if !waiting.is_empty() => {
                        drop(waiting.remove(at.index(waiting.len())));
                    }
                    Act::Open => gate.open(),
                    Act::Poll(_) | Act::Leave(_) => {}
                }
                prop_assert_eq!(flights.waiting(), waiting.len());
                prop_assert!(flights.lock().open.len() <= waiting.len().min(3));
            }
            gate.open();
            for (of, mut waiter) in waiting {
                prop_assert_eq!(poll(&mut waiter), Poll::Ready(Some(of)));
            }
            prop_assert_eq!((flights.waiting(), flights.lock().open.len()), (0, 0));
        }
    }
}
