//! One request's outcome, as told to the record.

use std::net::IpAddr;

use crate::{CorrelationId, Principal, Refusal, UnixTime};

/// The one record of a request: borrowed from it, written once, when its outcome is known.
///
/// Texts that come from the caller (`method`, `path`) are as received; a sink escapes them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What happened, in the words of the OWASP logging vocabulary.
    pub name: EventName,
    /// When the request arrived.
    pub at: UnixTime,
    /// The id that the answer carries too.
    pub correlation: CorrelationId,
    /// Who was proven to be calling, or has logged in by this request. Nobody where a log-in
    /// failed: what somebody claims to be called, or types in the wrong field, is not recorded.
    pub principal: Option<&'a Principal>,
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The HTTP method, as received.
    pub method: Option<&'a str>,
    /// The path, as received, without the query.
    pub path: Option<&'a str>,
    /// The route's template.
    pub template: Option<&'a str>,
    /// The action that was asked about last.
    pub action: Option<&'a str>,
    /// The policy rule that decided, where one did.
    pub rule: Option<&'a str>,
    /// The name of the limit that refused, where it was one of
    /// [`GateBuilder::limit`](crate::GateBuilder::limit).
    pub limit: Option<&'a str>,
    /// The name of a limit in shadow that would have refused.
    pub shadowed: Option<&'a str>,
    /// The name of a limit of which more is used than it is to warn at.
    pub nearing: Option<&'a str>,
    /// The refusal, where there was one: its class, exact reason and detail.
    pub refusal: Option<&'a Refusal>,
    /// What a shadow set of policies would have answered otherwise, if this request is in the
    /// sample of those that are told; see [`gate::Policies`](crate::gate::Policies).
    pub shadow: Option<Disagreement<'a>>,
}

/// What a shadow set answered that the set in force did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disagreement<'a> {
    /// The action that was asked about; `None` where the route asked for a role.
    pub action: Option<&'a str>,
    /// `allow`, or the label of the reason to deny.
    pub answer: &'static str,
    /// The shadow's rule that decided, where one did.
    pub rule: Option<&'a str>,
}

/// What happened. Names are those of the OWASP logging vocabulary where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventName {
    /// The request went through.
    AuthzAllow,
    /// No credential, or one that proves nothing.
    AuthnLoginFail,
    /// The request went through, and somebody logged in by it.
    AuthnLoginSuccess,
    /// A known caller was denied, or asked for a route that is not listed.
    AuthzFail,
    /// The request, or its transport, breaks a rule.
    InputValidationFail,
    /// Too many requests.
    ExcessRateLimitExceeded,
    /// The service is set up wrongly; somebody must act.
    SysMisconfigured,
    /// Something needed for the answer cannot be reached.
    SysUnavailable,
    /// The caller went away before the answer.
    RequestAbandoned,
}

impl<'a> Event<'a> {
    /// An event with nothing but its name, time and id.
    #[must_use]
    pub const fn new(name: EventName, at: UnixTime, correlation: CorrelationId) -> Self {
        Self {
            name,
            at,
            correlation,
            principal: None,
            client: None,
            method: None,
            path: None,
            template: None,
            action: None,
            rule: None,
            limit: None,
            shadowed: None,
            nearing: None,
            refusal: None,
            shadow: None,
        }
    }
}

impl EventName {
    /// The name as written to the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthzAllow => "authz_allow",
            Self::AuthnLoginFail => "authn_login_fail",
            Self::AuthnLoginSuccess => "authn_login_success",
            Self::AuthzFail => "authz_fail",
            Self::InputValidationFail => "input_validation_fail",
            Self::ExcessRateLimitExceeded => "excess_rate_limit_exceeded",
            Self::SysMisconfigured => "sys_misconfigured",
            Self::SysUnavailable => "sys_unavailable",
            Self::RequestAbandoned => "request_abandoned",
        }
    }
}
