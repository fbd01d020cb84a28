//! HTTP's types at the edge: headers to a claim, a refusal to a response.

mod credentials;
mod dialect;
mod rate_limit;
mod respond;

pub use credentials::{mark_sensitive, strip_credentials};
pub use dialect::Dialect;
pub use rate_limit::RateLimitFields;
pub use respond::{Problem, RefusalBody, Refused, Respond, refuse};

use http::{
    HeaderValue,
    header::{AUTHORIZATION, COOKIE, GetAll},
};

use crate::{Claim, Source};

/// What a request's headers carry in the way of credentials: in `Authorization`, and in the
/// other places that `sources` names.
#[must_use]
pub fn claim<'a>(headers: &'a http::HeaderMap, sources: &[Source]) -> Claim<'a> {
    let authorization = Claim::from_authorization(bytes(headers.get_all(AUTHORIZATION)));
    sources.iter().fold(authorization, |claim, source| match source {
        Source::ApiKeyHeader(name) => claim.and(Claim::from_api_key(bytes(headers.get_all(*name)))),
        Source::SessionCookie(name) => {
            claim.and(Claim::from_cookies(bytes(headers.get_all(COOKIE)), name))
        }
        Source::Certificate => claim,
    })
}

fn bytes(values: GetAll<'_, HeaderValue>) -> impl Iterator<Item = &[u8]> {
    values.into_iter().map(HeaderValue::as_bytes)
}

impl crate::Headers for http::HeaderMap {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for value in self.get_all(name) {
            each(value.as_bytes());
        }
    }
}
