//! The answer, in a form that is copied and compared; its words come from the policy set.

/// The answer to "may you?". A denial is a value, not an error.
///
/// Numbers stand for rules: [`PolicySet::rule_name`](super::PolicySet::rule_name) names them,
/// [`PolicySet::explain`](super::PolicySet::explain) tells the whole story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody looks at allows everything"]
pub enum Decision {
    /// Permitted.
    Allow {
        /// The first of the rules and role grants that permit.
        rule: RuleId,
    },
    /// Not permitted.
    Deny(Why),
}

const _: () = assert!(size_of::<Decision>() <= 16);

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// A rule forbids it; of several, the first.
    Forbidden(RuleId),
    /// No rule forbids it for certain, but this one could not be evaluated.
    ErrorInForbid(RuleId, EvalError),
    /// It is permitted, but the credential's scopes do not cover it.
    InsufficientScope,
    /// Nothing permits it.
    NoRule {
        /// How many permits did not apply because they could not be evaluated.
        permit_errors: u16,
    },
    /// The resource is not of the type that the action belongs to.
    WrongResource,
    /// The action or the subject was made by another policy set.
    Stale,
}

/// The number of a rule, or of a role's grants, within one policy set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) u32);

/// What a rule does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allows, unless something forbids.
    Permit,
    /// Denies, whatever permits.
    Forbid,
}

/// The answer to "could anything be permitted?", asked where there is no resource yet, and no
/// context of the application's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody looks at allows everything"]
#[non_exhaustive]
pub enum Coarse {
    /// No resource of the action's type is permitted in any context. Always a denial.
    No(Decision),
    /// Every resource of the action's type is permitted in any context. Always an allow.
    Yes(Decision),
    /// It depends on the resource, or on the application's own context: ask [`PolicySet::decide`](super::PolicySet::decide).
    Resource,
}

impl Decision {
    /// Whether it is an allow.
    #[must_use]
    pub const fn is_allow(self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    /// The rule that decided, where one did.
    #[must_use]
    pub const fn rule(self) -> Option<RuleId> {
        match self {
            Self::Allow { rule } => Some(rule),
            Self::Deny(Why::Forbidden(rule) | Why::ErrorInForbid(rule, _)) => Some(rule),
            Self::Deny(
                Why::InsufficientScope | Why::NoRule { .. } | Why::Stale | Why::WrongResource,
            ) => None,
        }
    }
}

impl Why {
    /// A stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ErrorInForbid(..) => "error_in_forbid",
            Self::Forbidden(_) => "forbidden_by_rule",
            Self::InsufficientScope => "insufficient_scope",
            Self::NoRule { .. } => "no_rule",
            Self::Stale => "stale_handle",
            Self::WrongResource => "wrong_resource",
        }
    }
}

impl Effect {
    /// The word for it in a document.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        }
    }
}

/// Why a condition has no answer. An error in a permit means that it does not apply; an error
/// in a forbid denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// An attribute or context member that was read is absent.
    #[error("a value is missing")]
    Missing,
    /// A value is not of its declared type, or not of the type that the operator needs.
    #[error("a value is of the wrong type")]
    WrongType,
    /// An entity is known by name only, and the condition asks for an attribute of it or what it
    /// lies in.
    #[error("an entity is known by name only")]
    NameOnly,
    /// The application could not supply the value.
    #[error("a value is unavailable")]
    Unavailable,
    /// The result of a calculation is no 64-bit number.
    #[error("a number is out of range")]
    Overflow,
    /// A text is no address, decimal, moment or span of time.
    #[error("a text cannot be read as what it is used for")]
    NotReadable,
}
