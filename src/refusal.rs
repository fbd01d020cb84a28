//! The one "no". The only file that knows a status number or a gRPC code.

mod correlation;
mod reason;

use std::{fmt, time::Duration};

pub use correlation::CorrelationId;
pub use reason::Reason;

use crate::{
    authn::{AuthnError, Challenge},
    limit::Allowance,
};

/// Why a request goes no further: a coarse class for the caller, an exact reason for the record.
///
/// One word wide. Outside sees [`status`](Self::status), [`problem`](Self::problem) and the
/// challenges; the [`reason`](Self::reason) is for events and for layers further out.
///
/// ```
/// use portcullis::{Class, Reason, Refusal};
///
/// let refusal = Refusal::new(Reason::RouteUnlisted);
/// assert_eq!(refusal.class(), Class::NotFound);
/// assert_eq!((refusal.status(), refusal.grpc_code()), (404, 5));
/// assert!(!refusal.problem().contains("unlisted"));
/// ```
#[derive(Clone, Debug)]
pub struct Refusal(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    reason: Reason,
    correlation: Option<CorrelationId>,
    challenges: Vec<Challenge>,
    retry_after: Option<u64>,
    allowance: Option<Allowance>,
    hidden: bool,
}

/// What the caller may know of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The request breaks a rule of its own syntax or transport.
    Malformed,
    /// A credential is longer than what is looked at.
    TooLarge,
    /// Nobody has been proven to be calling.
    Unauthenticated,
    /// The caller is known and may not.
    Forbidden,
    /// There is no such thing here.
    NotFound,
    /// Not now, but later.
    Throttled,
    /// The service is set up wrongly.
    Misconfigured,
    /// Something needed for the answer cannot be reached.
    Unavailable,
}

impl Refusal {
    /// A refusal for `reason`.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self(Box::new(Inner {
            reason,
            correlation: None,
            challenges: Vec::new(),
            retry_after: None,
            allowance: None,
            hidden: false,
        }))
    }

    /// With the request's id, so that the answer leads to the event.
    #[must_use]
    pub fn correlated(mut self, id: CorrelationId) -> Self {
        self.0.correlation = Some(id);
        self
    }

    /// With what the caller is to come back with.
    #[must_use]
    pub fn challenged(mut self, challenges: impl IntoIterator<Item = Challenge>) -> Self {
        self.0.challenges.extend(challenges);
        self
    }

    /// With the time to wait, told in whole seconds: rounded up, at least 1.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        let round_up = u64::from(wait.subsec_nanos() > 0);
        self.0.retry_after = Some(wait.as_secs().saturating_add(round_up).max(1));
        self
    }

    /// With the quota that was spent.
    pub(crate) fn limited(mut self, allowance: Allowance) -> Self {
        self.0.allowance = Some(allowance);
        self
    }

    /// Told outside as if there were no such thing: nothing that a caller can see tells the
    /// answer from that to [`Reason::ResourceUnknown`]. The reason stays what it is.
    ///
    /// ```
    /// use portcullis::{Class, Reason, Refusal};
    ///
    /// let refusal = Refusal::new(Reason::RoleMissing).hidden();
    /// assert_eq!((refusal.status(), refusal.class()), (404, Class::NotFound));
    /// assert_eq!(refusal.reason().class(), Class::Forbidden);
    /// ```
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.0.hidden = true;
        self.0.challenges.clear();
        self.0.retry_after = None;
        self.0.allowance = None;
        self
    }

    /// What the caller may know. The record has the class of the [`reason`](Self::reason), which
    /// is another one where the refusal is [`hidden`](Self::hidden).
    #[must_use]
    pub fn class(&self) -> Class {
        if self.0.hidden { Class::NotFound } else { self.0.reason.class() }
    }

    /// The exact reason, for the record.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The request's id, once the gate has given one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<CorrelationId> {
        self.0.correlation
    }

    /// The challenges of a `WWW-Authenticate` header (RFC 9110 section 11.6.1).
    #[must_use]
    pub fn challenges(&self) -> &[Challenge] {
        &self.0.challenges
    }

    /// Whole seconds to wait, for `Retry-After` (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// What is left of the quota that was spent, where a limit of the gate refused: nothing, or
    /// less than the request costs.
    #[must_use]
    pub fn allowance(&self) -> Option<Allowance> {
        self.0.allowance
    }

    /// The HTTP status code (RFC 9110 section 15, RFC 6585).
    #[must_use]
    pub fn status(&self) -> u16 {
        self.class().answer().0
    }

    /// The gRPC status code. What is not listed, not there or hidden is one and the same
    /// `NOT_FOUND`, so that none can be told from the others.
    #[must_use]
    pub fn grpc_code(&self) -> i32 {
        self.class().answer().1
    }

    /// The body of the answer: a problem document (RFC 9457) with class and correlation id, and
    /// never the reason.
    #[must_use]
    pub fn problem(&self) -> String {
        let class = self.class();
        let (status, _, title) = class.answer();
        let mut text = format!(r#"{{"title":"{title}","status":{status},"class":"{class}""#);
        if let Some(id) = self.0.correlation {
            text.push_str(&format!(r#","correlation_id":"{id}""#));
        }
        text.push('}');
        text
    }
}

impl Class {
    /// HTTP status, gRPC code, title.
    const fn answer(self) -> (u16, i32, &'static str) {
        match self {
            Self::Malformed => (400, 3, "Bad Request"),
            Self::TooLarge => (431, 3, "Request Header Fields Too Large"),
            Self::Unauthenticated => (401, 16, "Unauthorized"),
            Self::Forbidden => (403, 7, "Forbidden"),
            Self::NotFound => (404, 5, "Not Found"),
            Self::Throttled => (429, 8, "Too Many Requests"),
            Self::Misconfigured => (500, 13, "Internal Server Error"),
            Self::Unavailable => (503, 14, "Service Unavailable"),
        }
    }

    /// A stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Throttled => "throttled",
            Self::Misconfigured => "misconfigured",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.reason.class(), self.0.reason.as_str())
    }
}

impl std::error::Error for Refusal {}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl From<AuthnError> for Refusal {
    fn from(error: AuthnError) -> Self {
        let refusal = Self::new(Reason::Credential(error));
        match error.retry_after() {
            Some(wait) => refusal.retry_after(wait),
            None => refusal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::AuthnErrorKind;

    #[test]
    fn a_refusal_is_one_word() {
        assert_eq!(size_of::<Refusal>(), size_of::<usize>());
    }

    #[test]
    fn retry_after_is_rounded_up_and_at_least_one() {
        let check = |millis, expected| {
            let refusal =
                Refusal::new(Reason::ClientThrottled).retry_after(Duration::from_millis(millis));
            assert_eq!(refusal.retry_after_secs(), Some(expected), "{millis} ms");
        };
        check(0, 1);
        check(1, 1);
        check(999, 1);
        check(1000, 1);
        check(1001, 2);
    }

    #[test]
    fn the_problem_never_names_the_reason() {
        let error = AuthnError::new(AuthnErrorKind::Expired, "exp is over");
        let refusal = Refusal::from(error).correlated(CorrelationId::from_bytes([0xab; 16]));
        let problem: serde_json::Value = serde_json::from_str(&refusal.problem()).unwrap();
        assert_eq!(
            problem,
            serde_json::json!({
                "title": "Unauthorized",
                "status": 401,
                "class": "unauthenticated",
                "correlation_id": "abababababababababababababababab",
            })
        );
    }

    #[test]
    fn a_store_that_fails_is_unavailable_and_never_a_wrong_credential() {
        let class = |kind| Refusal::from(AuthnError::new(kind, "")).class();
        assert_eq!(class(AuthnErrorKind::Unavailable), Class::Unavailable);
        assert_eq!(class(AuthnErrorKind::PasswordTooLong), Class::Malformed);
        assert_eq!(class(AuthnErrorKind::TooLarge), Class::TooLarge);
        assert_eq!(class(AuthnErrorKind::Invalid), Class::Unauthenticated);
    }
}
