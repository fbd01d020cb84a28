//! The exact reasons and the class each is told as.

use super::Class;
use crate::{
    authn::{AuthnError, AuthnErrorKind},
    authz::Why,
};

/// Exactly why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A header that may stand once stands twice, or two credentials were sent.
    CredentialAmbiguous,
    /// A credential's header is not of the form its grammar demands.
    CredentialMalformed,
    /// A secret came in the clear; it must be considered exposed.
    Cleartext,
    /// A trusted proxy names the client in no way that can be read.
    ForwardedMalformed,
    /// Routers would read the path differently.
    PathAmbiguous,
    /// A credential is longer than what is looked at.
    CredentialTooLarge,
    /// The route needs a caller and no credential was sent.
    CredentialMissing,
    /// No authenticator takes this kind of credential.
    CredentialUnsupported,
    /// An authenticator refused the credential.
    Credential(AuthnError),
    /// The policies deny the action.
    Denied(Why),
    /// The caller does not hold the route's role.
    RoleMissing,
    /// The caller's credential is not good for the route's scope.
    ScopeMissing,
    /// The caller may, but has to authenticate again first: fresher, or by another factor.
    StepUpNeeded,
    /// No route of the table matches.
    RouteUnlisted,
    /// A handler found nothing under that name.
    ResourceUnknown,
    /// The client's address made too many requests.
    ClientThrottled,
    /// The principal made too many requests.
    PrincipalThrottled,
    /// The route was asked for too often, by whomever.
    RouteThrottled,
    /// A limit cannot count this request: its table is full, or the clock beyond its range.
    LimitUnavailable,
    /// The principal's plan is none that the gate has.
    PlanUnknown,
    /// A limit counts by address and the request has none: tell the edge how to read the peer.
    AddressUnknown,
    /// An authenticator vouched for somebody outside its realm.
    RealmForeign,
    /// The handler of an action's route answered without asking about its resource.
    CheckOmitted,
    /// A handler asked about an action that the policies do not declare.
    ActionUnknown,
}

impl Reason {
    /// The class this reason is told as.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::CredentialAmbiguous
            | Self::CredentialMalformed
            | Self::Cleartext
            | Self::ForwardedMalformed
            | Self::PathAmbiguous => Class::Malformed,
            Self::CredentialTooLarge => Class::TooLarge,
            Self::CredentialMissing | Self::CredentialUnsupported | Self::StepUpNeeded => {
                Class::Unauthenticated
            }
            Self::Credential(error) => match error.kind() {
                AuthnErrorKind::ChallengeRequired | AuthnErrorKind::Throttled => Class::Throttled,
                AuthnErrorKind::PasswordTooLong => Class::Malformed,
                AuthnErrorKind::TooLarge => Class::TooLarge,
                AuthnErrorKind::Unavailable => Class::Unavailable,
                AuthnErrorKind::Encrypted
                | AuthnErrorKind::Expired
                | AuthnErrorKind::Invalid
                | AuthnErrorKind::Malformed
                | AuthnErrorKind::NotYetValid
                | AuthnErrorKind::Revoked
                | AuthnErrorKind::SessionOver
                | AuthnErrorKind::WrongAudience
                | AuthnErrorKind::WrongIssuer => Class::Unauthenticated,
            },
            Self::Denied(_) | Self::RoleMissing | Self::ScopeMissing => Class::Forbidden,
            Self::RouteUnlisted | Self::ResourceUnknown => Class::NotFound,
            Self::ClientThrottled | Self::PrincipalThrottled | Self::RouteThrottled => {
                Class::Throttled
            }
            Self::LimitUnavailable => Class::Unavailable,
            Self::AddressUnknown
            | Self::PlanUnknown
            | Self::RealmForeign
            | Self::CheckOmitted
            | Self::ActionUnknown => Class::Misconfigured,
        }
    }

    /// A stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialAmbiguous => "credential_ambiguous",
            Self::CredentialMalformed => "credential_malformed",
            Self::Cleartext => "cleartext",
            Self::ForwardedMalformed => "forwarded_malformed",
            Self::PathAmbiguous => "path_ambiguous",
            Self::CredentialTooLarge => "credential_too_large",
            Self::CredentialMissing => "credential_missing",
            Self::CredentialUnsupported => "credential_unsupported",
            Self::Credential(error) => error.kind().as_str(),
            Self::Denied(why) => why.as_str(),
            Self::RoleMissing => "role_missing",
            Self::ScopeMissing => "scope_missing",
            Self::StepUpNeeded => "step_up_needed",
            Self::RouteUnlisted => "route_unlisted",
            Self::ResourceUnknown => "resource_unknown",
            Self::ClientThrottled => "client_throttled",
            Self::PrincipalThrottled => "principal_throttled",
            Self::RouteThrottled => "route_throttled",
            Self::LimitUnavailable => "limit_unavailable",
            Self::PlanUnknown => "plan_unknown",
            Self::AddressUnknown => "address_unknown",
            Self::RealmForeign => "realm_foreign",
            Self::CheckOmitted => "check_omitted",
            Self::ActionUnknown => "action_unknown",
        }
    }

    /// What to do about it, or what exactly failed; for the record only.
    #[must_use]
    pub const fn detail(self) -> Option<&'static str> {
        match self {
            Self::Credential(error) => Some(error.detail()),
            Self::Cleartext => Some("the secret must be considered exposed"),
            Self::ForwardedMalformed => Some("a trusted proxy named no address that can be read"),
            Self::PlanUnknown => Some("add the plan: gate::Limit::plan"),
            Self::AddressUnknown => Some("say where the peer's address is: GateLayer::peer"),
            Self::RealmForeign => Some("an authenticator vouched for another realm"),
            Self::CheckOmitted => Some("the handler owes a call of Caller::may"),
            Self::ActionUnknown => Some("the policies declare no such action"),
            Self::CredentialAmbiguous
            | Self::CredentialMalformed
            | Self::PathAmbiguous
            | Self::CredentialTooLarge
            | Self::CredentialMissing
            | Self::CredentialUnsupported
            | Self::Denied(_)
            | Self::RoleMissing
            | Self::ScopeMissing
            | Self::StepUpNeeded
            | Self::RouteUnlisted
            | Self::ResourceUnknown
            | Self::ClientThrottled
            | Self::PrincipalThrottled
            | Self::RouteThrottled
            | Self::LimitUnavailable => None,
        }
    }
}
