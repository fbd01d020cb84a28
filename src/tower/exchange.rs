//! One request at the edge: how its answer is written.

use std::sync::Arc;

use http::{HeaderMap, Request, Response};

use super::{
    GateBody,
    edge::{Dialects, Edge},
};
use crate::{
    Caller, Refusal,
    gate::Outcome,
    http::{Dialect, RateLimitFields},
    limit::Allowance,
};

/// What is kept of a request to answer it by.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) edge: Arc<Edge>,
    dialect: Dialect,
}

impl Exchange {
    pub(super) fn new<B>(edge: &Arc<Edge>, request: &Request<B>) -> Self {
        let dialect = match edge.dialects {
            Dialects::Http => Dialect::Http,
            Dialects::Grpc => Dialect::of(request.headers()),
        };
        Self { edge: Arc::clone(edge), dialect }
    }

    pub(super) fn refuse<R>(&self, refusal: Refusal) -> Response<GateBody<R>> {
        let allowance = refusal.allowance().filter(|_| self.tells_limits());
        let mut response = self.dialect.refuse(refusal, &*self.edge.respond);
        self.tell(allowance, response.headers_mut());
        response.map(GateBody::refusal)
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
        // Once the request is closed, what it was charged is settled and gone.
        let allowance = if self.tells_limits() { caller.allowance() } else { None };
        let failed = self.dialect.failed(&response);
        let outcome = if failed { Outcome::Failed } else { Outcome::Served };
        match caller.conclude(&outcome) {
            Ok(()) => {
                self.tell(allowance, response.headers_mut());
                response.map(GateBody::inner)
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// An answer to a gRPC call may be all trailers, where the fields have no place.
    fn tells_limits(&self) -> bool {
        self.edge.rate_limit_fields != RateLimitFields::Off && self.dialect == Dialect::Http
    }

    fn tell(&self, allowance: Option<Allowance>, headers: &mut HeaderMap) {
        if let Some(allowance) = allowance {
            self.edge.rate_limit_fields.append(&allowance, headers);
        }
    }
}
