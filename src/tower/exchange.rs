//! One request at the edge: how its answer is written.

use std::sync::Arc;

use http::{Request, Response};

use super::{GateBody, edge::Edge};
use crate::{Caller, Refusal, gate::Outcome, http::Dialect};

/// What is kept of a request to answer it by.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) edge: Arc<Edge>,
    dialect: Dialect,
}

impl Exchange {
    pub(super) fn new<B>(edge: &Arc<Edge>, request: &Request<B>) -> Self {
        Self { edge: Arc::clone(edge), dialect: Dialect::of(request.headers()) }
    }

    pub(super) fn refuse<R>(&self, refusal: Refusal) -> Response<GateBody<R>> {
        self.dialect.refuse(refusal, &*self.edge.respond).map(GateBody::refusal)
    }

    /// Closes the request with the head of its response, which a refusal may replace.
    pub(super) fn conclude<R>(
        &self,
        caller: &Caller,
        mut response: Response<R>,
    ) -> Response<GateBody<R>> {
        if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
            let refusal = caller.complete(refusal);
            let replaced = caller.conclude(&Outcome::Refused(&refusal));
            return self.refuse(replaced.err().unwrap_or(refusal));
        }
        let failed = self.dialect.failed(&response);
        let outcome = if failed { Outcome::Failed } else { Outcome::Served };
        match caller.conclude(&outcome) {
            Ok(()) => response.map(GateBody::inner),
            Err(refusal) => self.refuse(refusal),
        }
    }
}
