//! A refusal as an HTTP response.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use http_body::{Body, Frame, SizeHint};

use crate::{Reason, Refusal};

/// What a handler returns to refuse: `?` turns a [`Refusal`] or a [`Reason`] into it.
///
/// ```
/// use portcullis::{Reason, http::Refused};
///
/// fn find(id: u64) -> Result<&'static str, Refused> {
///     Ok((id == 7).then_some("seven").ok_or(Reason::ResourceUnknown)?)
/// }
/// assert_eq!(find(8).unwrap_err().status(), 404);
/// ```
pub type Refused = Response<RefusalBody>;

/// The body of a refusal: one word, read once.
pub struct RefusalBody(Option<Box<Bytes>>);

/// Writes the bodies of refusals. Status, challenges and `Retry-After` are not its business.
pub trait Respond: fmt::Debug + Send + Sync + 'static {
    /// The body for `refusal`. `headers` arrives with the content type of a problem document;
    /// set another one with another body.
    fn body(&self, refusal: &Refusal, headers: &mut HeaderMap) -> Bytes;
}

/// Answers with problem documents (RFC 9457): class and correlation id, never the reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem;

impl Respond for Problem {
    fn body(&self, refusal: &Refusal, _: &mut HeaderMap) -> Bytes {
        refusal.problem().into()
    }
}

/// The whole response. The refusal itself is left in its extensions, for layers further out.
#[must_use]
pub fn refuse(refusal: Refusal, respond: &dyn Respond) -> Refused {
    let mut response = Response::new(RefusalBody::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let body = respond.body(&refusal, headers);
    tell(&refusal, headers);
    let status = StatusCode::from_u16(refusal.status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.body_mut() = RefusalBody(Some(Box::new(body)));
    response.extensions_mut().insert(refusal);
    response
}

/// The headers that are nobody else's business.
pub(super) fn tell(refusal: &Refusal, headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(WWW_AUTHENTICATE);
    for challenge in refusal.challenges() {
        if let Ok(value) = HeaderValue::try_from(challenge.to_string()) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
    headers.remove(RETRY_AFTER);
    if let Some(secs) = refusal.retry_after_secs() {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
}

impl From<Refusal> for Response<RefusalBody> {
    fn from(refusal: Refusal) -> Self {
        refuse(refusal, &Problem)
    }
}

impl From<Reason> for Response<RefusalBody> {
    fn from(reason: Reason) -> Self {
        Refusal::new(reason).into()
    }
}

impl RefusalBody {
    pub(super) const fn empty() -> Self {
        Self(None)
    }
}

impl Body for RefusalBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(*bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl fmt::Debug for RefusalBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefusalBody({} bytes)", self.0.as_ref().map_or(0, |bytes| bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Challenge;

    #[derive(Debug)]
    struct Plain;

    impl Respond for Plain {
        fn body(&self, refusal: &Refusal, headers: &mut HeaderMap) -> Bytes {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            headers.insert(RETRY_AFTER, HeaderValue::from_static("never"));
            refusal.class().as_str().into()
        }
    }

    #[test]
    fn a_result_with_it_stays_small() {
        assert!(size_of::<Refused>() <= 128, "{}", size_of::<Refused>());
        assert_eq!(size_of::<RefusalBody>(), size_of::<usize>());
    }

    #[test]
    fn bodies_are_replaced_and_the_rest_is_not() {
        let refusal = Refusal::new(Reason::CredentialMissing)
            .challenged([Challenge::new("Bearer", "staff"), Challenge::new("Basic", "staff")])
            .retry_after(Duration::from_millis(1500));
        let response = refuse(refusal, &Plain);
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain");
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers().get_all(WWW_AUTHENTICATE).iter().count(), 2);
        let reason = response.extensions().get::<Refusal>().map(Refusal::reason);
        assert_eq!(reason, Some(Reason::CredentialMissing));
    }
}
