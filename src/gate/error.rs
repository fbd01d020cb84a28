//! What is wrong with a gate's set-up.

use std::fmt;

use super::RouteError;
use crate::{
    authz::EntitiesError,
    limit::{LimitError, Quota},
};

/// Everything that is wrong with a gate's set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateErrors(pub(super) Vec<GateError>);

/// One thing that is wrong with a gate's set-up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// No route table was given, or an empty one.
    #[error("no routes: a gate without them refuses everything; list them with `.routes(…)`")]
    NoRoutes,
    /// Routes were given to a layer that takes every request alike.
    #[error("routes stand where every request is taken alike; give them to `AuthorizeLayer`")]
    RoutesUnused,
    /// A route needs a caller and nothing can prove one.
    #[error("route `{route}` needs a caller: add an authenticator with `.authenticate(…)`")]
    NoAuthenticator {
        /// The route's line.
        route: String,
    },
    /// An authenticator's own set-up is wrong.
    #[error("authenticator of realm `{realm}`: {problem}")]
    Authenticator {
        /// Its realm.
        realm: String,
        /// What is wrong.
        problem: String,
    },
    /// Two authenticators vouch for one realm.
    #[error(
        "two authenticators have the realm `{realm}`; say `.share_realm(\"{realm}\")` if they know the same callers"
    )]
    RealmTwice {
        /// The realm.
        realm: String,
    },
    /// Two authenticators take every credential of one kind.
    #[error(
        "the authenticator of realm `{second}` would never be asked: that of realm `{first}` takes every {kind}; {}",
        remedy(kind)
    )]
    NeverAsked {
        /// The realm of the one that is asked.
        first: String,
        /// The realm of the one that is not.
        second: String,
        /// What the first takes every one of, such as `JWT`.
        kind: String,
    },
    /// A line of the route table cannot stand.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A line of the route table names what the policies do not declare.
    #[error("route `{route}`: no {what} `{name}` in the policies{}", hint(.nearest.as_deref()))]
    Undeclared {
        /// The route's line.
        route: String,
        /// `role` or `action`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// The nearest name that is declared.
        nearest: Option<String>,
    },
    /// An authenticator hands out what the policies do not declare.
    #[error("authenticator of realm `{realm}`: no {what} `{name}` in the policies{}", hint(.nearest.as_deref()))]
    Stranger {
        /// Its realm.
        realm: String,
        /// `role` or `attribute of principals`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// The nearest name that is declared.
        nearest: Option<String>,
    },
    /// The entities cannot be made known to the policies.
    #[error("entities: {error}")]
    Entities {
        /// What is wrong.
        error: EntitiesError,
    },
    /// A limit cannot be kept.
    #[error("limit by {by}: {error}")]
    Limit {
        /// `client`, `principal`, `credential`, `attribute` or `route`.
        by: &'static str,
        /// What is wrong.
        error: LimitError,
    },
    /// A route costs more than a limit ever holds: it would be refused for ever.
    #[error("limit by {by}: a route costs {cost}, which `{quota}` never holds")]
    Cost {
        /// As of [`Limit`](Self::Limit).
        by: &'static str,
        /// The quota that is too small.
        quota: Quota,
        /// The cost of the dearest route.
        cost: u32,
    },
    /// A cost is given for a line that the route table does not have.
    #[error("cost of `{route}`: no line of the routes reads so")]
    CostUnlisted {
        /// The line as written.
        route: String,
    },
    /// Plans of a limit that nobody can choose among.
    #[error("plans of the limit by {by}: {problem}")]
    Plans {
        /// As of [`Limit`](Self::Limit).
        by: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A limit cannot take the place of one in force.
    #[error("replacement of the limit `{name}`: {problem}")]
    Replacement {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The trusted proxies are nobody or everybody.
    #[error("trusted proxies: {problem}")]
    Proxies {
        /// What is wrong.
        problem: &'static str,
    },
}

impl From<EntitiesError> for GateErrors {
    fn from(error: EntitiesError) -> Self {
        Self(vec![GateError::Entities { error }])
    }
}

impl GateErrors {
    pub(super) fn unless_empty(errors: Vec<GateError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// Each error, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &GateError> {
        self.0.iter()
    }
}

/// One line for each error.
impl fmt::Display for GateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "error" } else { "errors" };
        write!(f, "the gate cannot be built, {} {plural}", self.0.len())?;
        for error in &self.0 {
            write!(f, "\n- {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for GateErrors {}

fn remedy(kind: &str) -> &'static str {
    if kind == "JWT" {
        "put what takes some of them first, or make them one, as `JwtIssuers` does for issuers"
    } else {
        "make them one"
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
