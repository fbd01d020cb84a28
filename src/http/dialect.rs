//! What the other side reads: HTTP's answers, or gRPC's.

use http::{HeaderMap, HeaderName, HeaderValue, Response, header::CONTENT_TYPE};

use super::{RefusalBody, Respond, refuse, respond::tell};
use crate::Refusal;

/// How a caller reads an answer, as the request's content type tells.
///
/// gRPC calls are answered in gRPC's own words: HTTP 200 and nothing but headers
/// ("trailers-only"), with code, message and metadata.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
/// use portcullis::{Reason, Refusal, http::{Dialect, Problem}};
///
/// let mut headers = HeaderMap::new();
/// let refuse = |headers: &HeaderMap| {
///     Dialect::of(headers).refuse(Refusal::new(Reason::RoleMissing), &Problem)
/// };
/// assert_eq!(refuse(&headers).status(), 403);
///
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
/// let refused = refuse(&headers);
/// assert_eq!(refused.status(), 200);
/// assert_eq!(refused.headers()["grpc-status"], "7");
/// assert_eq!(refused.headers()["grpc-message"], "forbidden");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Status, headers and a body.
    #[default]
    Http,
    /// gRPC over HTTP/2.
    Grpc,
    /// gRPC as browsers speak it.
    GrpcWeb,
    /// The same in base64.
    GrpcWebText,
}

impl Dialect {
    /// The dialect of a request with these headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Http };
        let speaks = |dialect: &Self| dialect.content_type().is_some_and(|of| is_type(value, of));
        let known = [Self::Grpc, Self::GrpcWeb, Self::GrpcWebText];
        known.into_iter().find(speaks).unwrap_or_default()
    }

    /// The whole response. `respond` writes bodies, so in gRPC it is not asked.
    #[must_use]
    pub fn refuse(self, refusal: Refusal, respond: &dyn Respond) -> Response<RefusalBody> {
        let Some(content_type) = self.content_type() else { return refuse(refusal, respond) };
        let mut response = Response::new(RefusalBody::empty());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(STATUS, HeaderValue::from(refusal.grpc_code()));
        headers.insert(MESSAGE, HeaderValue::from_static(refusal.class().as_str()));
        if let Some(id) = refusal.correlation_id()
            && let Ok(id) = HeaderValue::try_from(id.to_string())
        {
            headers.insert(CORRELATION_ID, id);
        }
        tell(&refusal, headers);
        response.extensions_mut().insert(refusal);
        response
    }

    /// Whether a response's head says that the request failed; for edges other than the tower
    /// layer.
    #[must_use]
    pub fn failed<B>(self, response: &Response<B>) -> bool {
        let status = response.status();
        let code = response.headers().get(STATUS).filter(|_| self != Self::Http);
        status.is_client_error() || status.is_server_error() || code.is_some_and(|code| code != "0")
    }

    const fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Http => None,
            Self::Grpc => Some("application/grpc"),
            Self::GrpcWeb => Some("application/grpc-web"),
            Self::GrpcWebText => Some("application/grpc-web-text"),
        }
    }
}

/// Whether `value` is the media type `name`, with a message format (`+proto`) or without.
fn is_type(value: &HeaderValue, name: &str) -> bool {
    let bytes = value.as_bytes();
    let Some((start, rest)) = bytes.split_at_checked(name.len()) else { return false };
    start.eq_ignore_ascii_case(name.as_bytes())
        && matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t'))
}

const CORRELATION_ID: HeaderName = HeaderName::from_static("correlation-id");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Challenge, Class, Reason, http::Problem};

    fn of(content_type: &'static str) -> Dialect {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Dialect::of(&headers)
    }

    #[test]
    fn the_content_type_tells() {
        let check = |content_type, expected| assert_eq!(of(content_type), expected);
        check("application/grpc", Dialect::Grpc);
        check("application/grpc+proto", Dialect::Grpc);
        check("Application/gRPC; charset=utf-8", Dialect::Grpc);
        check("application/grpc-web", Dialect::GrpcWeb);
        check("application/grpc-web+proto", Dialect::GrpcWeb);
        check("application/grpc-web-text+proto", Dialect::GrpcWebText);
        check("application/grpcx", Dialect::Http);
        check("application/grp", Dialect::Http);
        check("application/json", Dialect::Http);
        check("text/plain; application/grpc", Dialect::Http);
        check("", Dialect::Http);
        assert_eq!(Dialect::of(&HeaderMap::new()), Dialect::Http);
    }

    #[test]
    fn the_answer_is_trailers_only() {
        let refusal = Refusal::new(Reason::CredentialMissing)
            .challenged([Challenge::new("Bearer", "staff")])
            .retry_after(std::time::Duration::from_secs(7))
            .correlated(crate::CorrelationId::from_bytes([0xab; 16]));
        let refused = Dialect::GrpcWeb.refuse(refusal, &Problem);
        assert_eq!(refused.status(), 200);
        let expected = [
            ("content-type", "application/grpc-web"),
            ("grpc-status", "16"),
            ("grpc-message", "unauthenticated"),
            ("correlation-id", "abababababababababababababababab"),
            ("www-authenticate", "Bearer realm=\"staff\""),
            ("retry-after", "7"),
            ("cache-control", "no-store"),
        ];
        for (name, value) in expected {
            assert_eq!(refused.headers()[name], value, "{name}");
        }
        assert_eq!(refused.headers().len(), expected.len());
        // Else the server would send an empty body, and the headers were not the trailers.
        assert!(http_body::Body::is_end_stream(refused.body()));
        assert!(refused.extensions().get::<Refusal>().is_some());
    }

    #[test]
    fn messages_need_no_percent_encoding() {
        let classes = [
            Class::Malformed,
            Class::TooLarge,
            Class::Unauthenticated,
            Class::Forbidden,
            Class::NotFound,
            Class::Throttled,
            Class::Misconfigured,
            Class::Unavailable,
        ];
        for class in classes {
            let plain = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b'%';
            assert!(class.as_str().bytes().all(plain), "{class}");
        }
    }

    #[test]
    fn failures_are_seen_in_either_dialect() {
        let check = |dialect: Dialect, status: u16, code: Option<&'static str>, expected| {
            let mut response = Response::new(());
            *response.status_mut() = status.try_into().unwrap();
            if let Some(code) = code {
                response.headers_mut().insert(STATUS, HeaderValue::from_static(code));
            }
            assert_eq!(dialect.failed(&response), expected, "{dialect:?} {status} {code:?}");
        };
        check(Dialect::Http, 200, None, false);
        check(Dialect::Http, 200, Some("5"), false);
        check(Dialect::Http, 404, None, true);
        check(Dialect::Grpc, 200, None, false);
        check(Dialect::Grpc, 200, Some("0"), false);
        check(Dialect::Grpc, 200, Some("5"), true);
        check(Dialect::Grpc, 503, None, true);
    }
}
