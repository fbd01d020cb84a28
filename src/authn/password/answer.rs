//! One value from a thread to a future, without a runtime.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The receiving end: resolves to the value, or to `None` when its sender is gone without one.
pub(super) struct Answer<T>(Arc<Mutex<State<T>>>);

/// The sending end. Dropped unused, it closes the answer.
pub(super) struct Reply<T>(Arc<Mutex<State<T>>>);

enum State<T> {
    Open(Option<Waker>),
    Given(T),
    Closed,
}

pub(super) fn answer<T>() -> (Reply<T>, Answer<T>) {
    let state = Arc::new(Mutex::new(State::Open(None)));
    (Reply(Arc::clone(&state)), Answer(state))
}

impl<T> Reply<T> {
    /// Gives the value. That nobody waits for it any more does not matter.
    pub(super) fn give(self, value: T) {
        settle(&self.0, State::Given(value));
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        settle(&self.0, State::Closed);
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        if let State::Open(waker) = &mut *state {
            *waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Closed) {
            State::Given(value) => Poll::Ready(Some(value)),
            State::Open(_) | State::Closed => Poll::Ready(None),
        }
    }
}

/// Ends what is open; what has been given stays.
fn settle<T>(state: &Mutex<State<T>>, end: State<T>) {
    let mut held = lock(state);
    if let State::Open(waker) = &mut *held {
        let waker = waker.take();
        *held = end;
        drop(held);
        // Outside the lock: a waker may run anything.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    // Every change under the lock is one assignment, so a poisoned state is still whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T>(answer: Answer<T>) -> Option<T> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
    }

    #[test]
    fn a_value_crosses_threads_before_and_after_it_is_awaited() {
        let (reply, answer) = answer();
        reply.give(7);
        assert_eq!(wait(answer), Some(7));
        let (reply, answer) = super::answer();
        let sender = std::thread::spawn(move || {
            std::thread::yield_now();
            reply.give(8);
        });
        assert_eq!(wait(answer), Some(8));
        sender.join().unwrap();
    }

    #[test]
    fn a_sender_that_is_gone_leaves_nobody_waiting() {
        let (reply, answer) = answer::<u8>();
        let dropper = std::thread::spawn(move || drop(reply));
        assert_eq!(wait(answer), None);
        dropper.join().unwrap();
    }

    #[test]
    fn nobody_need_listen() {
        let (reply, answer) = answer();
        drop(answer);
        reply.give(7);
    }
}
