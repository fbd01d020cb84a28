//! HTTP's types at the edge: headers to a claim, a refusal to a response.

mod respond;

pub use respond::{Problem, RefusalBody, Refused, Respond, refuse};

use crate::Claim;

/// What a request's headers carry in the way of credentials.
#[must_use]
pub fn claim(headers: &http::HeaderMap) -> Claim<'_> {
    let values = headers.get_all(http::header::AUTHORIZATION);
    Claim::from_authorization(values.iter().map(http::HeaderValue::as_bytes))
}
