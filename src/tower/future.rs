//! One future behind every layer: refused at once, waiting for a lookup, or in the handler.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    thread::panicking,
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{GateBody, exchange::Exchange};
use crate::{Caller, Refusal, gate::Outcome};

type Lookup = Pin<Box<dyn Future<Output = Result<Caller, Refusal>> + Send>>;

pin_project! {
    /// The response of a [`Gated`](super::Gated) service.
    pub struct ResponseFuture<S: Service<Request<B>>, B> {
        exchange: Exchange,
        #[pin]
        state: State<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        Inner { #[pin] future: F, pending: Pending },
        Refused { refusal: Option<Refusal> },
        Wait { lookup: Lookup, next: Option<(S, Request<B>)> },
    }
}

/// A caller whose answer is awaited. Dropped before the answer, the request was abandoned, or
/// its handler panicked.
pub(super) struct Pending {
    caller: Caller,
    is_answered: bool,
}

impl Pending {
    pub(super) fn new(caller: Caller) -> Self {
        Self { caller, is_answered: false }
    }
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn inner(exchange: Exchange, future: S::Future, pending: Pending) -> Self {
        Self { exchange, state: State::Inner { future, pending } }
    }

    pub(super) fn refused(exchange: Exchange, refusal: Refusal) -> Self {
        Self { exchange, state: State::Refused { refusal: Some(refusal) } }
    }

    pub(super) fn waiting(
        exchange: Exchange,
        lookup: Lookup,
        ready: S,
        request: Request<B>,
    ) -> Self {
        Self { exchange, state: State::Wait { lookup, next: Some((ready, request)) } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<GateBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Inner { future, pending } => {
                    let answer = ready!(future.poll(cx));
                    pending.is_answered = true;
                    return Poll::Ready(match answer {
                        Ok(response) => Ok(this.exchange.conclude(&pending.caller, response)),
                        Err(error) => {
                            let _ = pending.caller.conclude(&Outcome::Failed);
                            Err(error)
                        }
                    });
                }
                StateProjection::Refused { refusal } => match refusal.take() {
                    Some(refusal) => return Poll::Ready(Ok(this.exchange.refuse(refusal))),
                    None => return Poll::Pending,
                },
                StateProjection::Wait { lookup, next } => {
                    match (ready!(lookup.as_mut().poll(cx)), next.take()) {
                        (Ok(caller), Some((mut service, mut request))) => {
                            this.exchange.edge.introduce(&caller, &mut request);
                            let pending = Pending::new(caller);
                            State::Inner { future: service.call(request), pending }
                        }
                        (Ok(_), None) => return Poll::Pending,
                        (Err(refusal), _) => State::Refused { refusal: Some(refusal) },
                    }
                }
            };
            this.state.set(next);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_answered {
            let outcome = if panicking() { Outcome::Failed } else { Outcome::Abandoned };
            // Nobody waits for an answer that could be replaced.
            let _ = self.caller.conclude(&outcome);
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
