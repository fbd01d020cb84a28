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

impl crate::Headers for http::HeaderMap {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for value in self.get_all(name) {
            each(value.as_bytes());
        }
    }
}
