//! How stores answer: at once from memory, or after waiting for another machine.

use std::{
    fmt,
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use serde::{Deserialize, Deserializer};

/// What a store answers. Await it; an answer from memory is there at once and was never boxed.
///
/// Whether a store of your own keeps what its trait promises, `testing::StoreChecks` finds out
/// (feature `testing`).
///
/// ```
/// use portcullis::authn::{Answer, StoreError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(Answer::done(7).await, Ok(7));
/// let lost: Answer<u8> = Answer::wait(async { Err(StoreError) });
/// assert_eq!(lost.await, Err(StoreError));
/// # }
/// ```
#[must_use = "a store is only asked when its answer is awaited"]
pub struct Answer<T>(Kind<T>);

enum Kind<T> {
    Done(Ready<Result<T, StoreError>>),
    Wait(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>),
}

/// A store cannot be reached, or has no room. Nothing is known about what was asked: a caller is
/// told to come back later, never that a credential is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be reached or is full")]
pub struct StoreError;

impl<T> Answer<T> {
    /// Known at once.
    pub fn done(value: T) -> Self {
        Self(Kind::Done(ready(Ok(value))))
    }

    /// Refused at once.
    pub fn failed(error: StoreError) -> Self {
        Self(Kind::Done(ready(Err(error))))
    }

    /// What is known at once, or what to wait for.
    pub(super) fn known(self) -> Result<Result<T, StoreError>, Self> {
        match self.0 {
            Kind::Done(value) => Ok(value.into_inner()),
            Kind::Wait(_) => Err(self),
        }
    }

    /// Known when `answer` is.
    pub fn wait(answer: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Self {
        Self(Kind::Wait(Box::pin(answer)))
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Kind::Done(value) => Pin::new(value).poll(cx),
            Kind::Wait(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// An option in a record whose member must be there, if only as `null`.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// The result of a future that never waits.
#[cfg(test)]
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}
