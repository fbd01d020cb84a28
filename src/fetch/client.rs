//! One request, held to its limits.

use std::{sync::Arc, time::Duration};

use rustls::crypto;
use ureq::{
    Agent, Body, Error,
    config::Config,
    http::{HeaderMap, Response, StatusCode, Uri, header},
    tls::{TlsConfig, TlsProvider},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::Roots;
use crate::{
    authn::{
        Outbound,
        jwt::{FetchError, FetchOutcome, FetchRequest, freshness},
    },
    clock,
};

/// So many redirects are followed.
const MAX_REDIRECTS: usize = 3;

/// A client that connects only where `outbound` permits, to whom `roots` certify.
pub(super) fn agent(outbound: &Outbound, roots: &Roots) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots.certs())
        .unversioned_rustls_crypto_provider(Arc::new(crypto::ring::default_provider()));
    let config = Config::builder()
        .tls_config(tls.build())
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        // A connection that was kept would be to an address looked up long ago.
        .max_idle_connections(0)
        .user_agent("portcullis")
        .build();
    let resolver = Permitted { outbound: outbound.clone(), resolver: DefaultResolver::default() };
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

/// Makes the fetch.
pub(super) fn fetch(agent: &Agent, request: &FetchRequest) -> FetchOutcome {
    attempt(agent, request).unwrap_or_else(FetchOutcome::Failed)
}

fn attempt(agent: &Agent, request: &FetchRequest) -> Result<FetchOutcome, FetchError> {
    let begun = clock::mono();
    let mut url = request.url().to_owned();
    for _ in 0..=MAX_REDIRECTS {
        if !request.outbound().permits_url(&url) {
            return Err(FetchError::Forbidden);
        }
        let spent = clock::mono().as_nanos().saturating_sub(begun.as_nanos());
        let left = request.timeout().checked_sub(Duration::from_nanos(spent));
        let left = left.filter(|left| !left.is_zero()).ok_or(FetchError::TimedOut)?;
        let get = agent.get(&url).config().timeout_global(Some(left)).build();
        let get = get.header(header::ACCEPT, "application/json");
        let get = match request.etag() {
            Some(etag) => get.header(header::IF_NONE_MATCH, etag),
            None => get,
        };
        let response = get.call().map_err(|error| kind(&error))?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let location = text(response.headers(), &header::LOCATION);
            let next = location.and_then(|location| request.outbound().redirect(&url, location));
            url = next.ok_or(FetchError::Forbidden)?;
            continue;
        }
        return outcome(request, response);
    }
    Err(FetchError::Forbidden)
}

fn outcome(
    request: &FetchRequest,
    mut response: Response<Body>,
) -> Result<FetchOutcome, FetchError> {
    let headers = response.headers();
    let control = text(headers, &header::CACHE_CONTROL);
    let max_age = freshness(control, text(headers, &header::AGE));
    let etag = text(headers, &header::ETAG).map(str::to_owned);
    match response.status() {
        StatusCode::NOT_MODIFIED => Ok(FetchOutcome::NotModified { max_age }),
        StatusCode::OK => {
            let limit = u64::try_from(request.max_bytes()).unwrap_or(u64::MAX);
            let body = response.body_mut().with_config().limit(limit).read_to_vec();
            let body = body.map_err(|error| kind(&error))?;
            Ok(FetchOutcome::Document { body, etag, max_age })
        }
        _ => Err(FetchError::Status),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// What went wrong.
pub(super) fn kind(error: &Error) -> FetchError {
    if matches!(error, Error::Timeout(_)) {
        FetchError::TimedOut
    } else if matches!(error, Error::BodyExceedsLimit(_)) {
        FetchError::TooLarge
    } else if matches!(error, Error::Other(other) if other.is::<FetchError>()) {
        FetchError::Forbidden
    } else {
        FetchError::Unreachable
    }
}

/// Looks names up, and hands over only addresses that are permitted.
#[derive(Debug)]
struct Permitted {
    outbound: Outbound,
    resolver: DefaultResolver,
}

impl Resolver for Permitted {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let url = uri.to_string();
        let mut permitted = self.empty();
        for address in found.iter().filter(|one| self.outbound.permits_address(&url, one.ip())) {
            permitted.push(*address);
        }
        if permitted.is_empty() {
            return Err(Error::Other(Box::new(FetchError::Forbidden)));
        }
        Ok(permitted)
    }
}
