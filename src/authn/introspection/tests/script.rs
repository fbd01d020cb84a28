//! An endpoint that answers what it was told to, and gates that hold answers back.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{
    Mono, Now, Principal, Secret, UnixTime,
    authn::{
        AuthnError,
        introspection::{Endpoint, Request, RequestError, Transport},
    },
};

/// Members of a good answer besides `active`, audience and expiry.
pub(super) const GOOD: &str = r#""sub":"alice""#;

/// An answer with these members; audience and expiry unless they are among them.
pub(super) fn good(members: &str) -> String {
    let mut answer = format!(r#"{{"active":true,{members}"#);
    for (name, value) in [("aud", r#""orders""#), ("exp", "1700000600")] {
        if !members.contains(&format!("\"{name}\"")) {
            answer = format!("{answer},\"{name}\":{value}");
        }
    }
    answer + "}"
}

pub(super) fn at(secs: u64) -> Now {
    Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0))
        .later(Duration::from_secs(secs))
}

pub(super) fn detail(judged: &Result<Principal, AuthnError>) -> Option<&'static str> {
    judged.as_ref().err().map(|error| error.detail())
}

/// Polls once.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The result of a future that has nothing to wait for.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    match poll(&mut Box::pin(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the script does not wait"),
    }
}

/// Shut until it is opened, and open from then on.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    pub(crate) fn open(&self) {
        let wakers = {
            let mut held = self.0.lock().unwrap();
            held.0 = true;
            std::mem::take(&mut held.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.lock().unwrap().0
    }

    pub(crate) fn opened(&self) -> impl Future<Output = ()> + Send + use<> {
        let gate = self.clone();
        poll_fn(move |cx| {
            let mut held = gate.0.lock().unwrap();
            if held.0 {
                return Poll::Ready(());
            }
            if !held.1.iter().any(|waker| waker.will_wake(cx.waker())) {
                held.1.push(cx.waker().clone());
            }
            Poll::Pending
        })
    }
}

/// Knows no token but those it was told about: all others are not active.
#[derive(Clone)]
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    /// Answers wait for it; open unless said.
    gate: Gate,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Result<String, RequestError>>,
    asked: Vec<Request>,
}

impl Default for Server {
    fn default() -> Self {
        let server = Self::held();
        server.gate.open();
        server
    }
}

impl Server {
    /// One that answers nothing until it is let.
    pub(super) fn held() -> Self {
        Self { state: Arc::default(), gate: Gate::default() }
    }

    pub(super) fn answer(&self) {
        self.gate.open();
    }

    pub(super) fn say(&self, token: &str, answer: &str) {
        self.set(token, Ok(answer.to_owned()));
    }

    pub(super) fn fail(&self, token: &str, error: RequestError) {
        self.set(token, Err(error));
    }

    fn set(&self, token: &str, answer: Result<String, RequestError>) {
        let body = format!("token={token}&token_type_hint=access_token");
        self.state.lock().unwrap().answers.insert(body, answer);
    }

    pub(super) fn transport(&self) -> impl Transport + use<> {
        let Self { state, gate } = self.clone();
        move |request: Request| {
            let opened = gate.opened();
            let mut held = state.lock().unwrap();
            let body = request.body().to_owned();
            held.asked.push(request);
            drop(held);
            let state = Arc::clone(&state);
            async move {
                opened.await;
                let answer = state.lock().unwrap().answers.get(&body).cloned();
                answer.unwrap_or(Ok(r#"{"active":false}"#.to_owned())).map(String::into_bytes)
            }
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::new("https://id.example/introspect", self.transport())
            .client("orders", &Secret::new(*b"s:cret"))
    }

    pub(super) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }

    /// The last request.
    pub(super) fn last(&self) -> Request {
        self.state.lock().unwrap().asked.pop().unwrap()
    }
}
