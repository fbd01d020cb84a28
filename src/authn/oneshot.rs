//! One value from a thread to a future, without a runtime.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The receiving end: resolves to the value, or to `None` when its sender is gone without one.
pub(crate) struct Receiver<T>(Arc<Mutex<State<T>>>);

/// The sending end. Dropped unused, it closes the channel.
pub(crate) struct Sender<T>(Arc<Mutex<State<T>>>);

enum State<T> {
    Open(Option<Waker>),
    Given(T),
    Closed,
}

pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = Arc::new(Mutex::new(State::Open(None)));
    (Sender(Arc::clone(&state)), Receiver(state))
}

impl<T> Sender<T> {
    /// Gives the value. That nobody waits for it any more does not matter.
    pub(crate) fn give(self, value: T) {
        settle(&self.0, State::Given(value));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        settle(&self.0, State::Closed);
    }
}

impl<T> Future for Receiver<T> {
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

    fn wait<T>(receiver: Receiver<T>) -> Option<T> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(receiver)
    }

    #[test]
    fn a_value_crosses_threads_before_and_after_it_is_awaited() {
        let (sender, receiver) = channel();
        sender.give(7);
        assert_eq!(wait(receiver), Some(7));
        let (sender, receiver) = channel();
        let giver = std::thread::spawn(move || {
            std::thread::yield_now();
            sender.give(8);
        });
        assert_eq!(wait(receiver), Some(8));
        giver.join().unwrap();
    }

    #[test]
    fn a_sender_that_is_gone_leaves_nobody_waiting() {
        let (sender, receiver) = channel::<u8>();
        let dropper = std::thread::spawn(move || drop(sender));
        assert_eq!(wait(receiver), None);
        dropper.join().unwrap();
    }

    #[test]
    fn nobody_need_listen() {
        let (sender, receiver) = channel();
        drop(receiver);
        sender.give(7);
    }
}
