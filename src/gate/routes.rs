//! The security model on one page: method and path template to what it takes.

mod path;
mod table;
mod template;

use std::fmt;

pub(super) use path::{MAX_PATH, is_ambiguous};
pub(super) use table::{Found, Table};

/// What a route takes of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Anybody. A credential that is there is checked all the same, and a wrong one refused; only
    /// the cookie of a session that is over counts as none, for no caller sends it on purpose.
    Public,
    /// Any proven caller.
    Authenticated,
    /// A caller whose credential carries this scope.
    Scope(String),
    /// A caller who holds this role, directly or by inheritance.
    Role(String),
    /// A caller whom the policies permit this action.
    Action(String),
}

/// Every route of a service and what it takes. What matches no line is refused.
///
/// Templates use the router's spelling: `/orders/{id}` for one segment, `/admin/{*rest}` for
/// all the rest. A literal goes before a parameter, a parameter before `{*rest}`. `*` as method
/// covers every method that has no line of its own, and `GET` covers `HEAD` likewise.
///
/// ```
/// use portcullis::Routes;
///
/// let routes = Routes::new()
///     .public("GET", "/health")
///     .action("GET", "/orders/{id}", "order:read")
///     .role("*", "/admin/{*rest}", "manager");
/// assert_eq!(routes.to_string(), "\
/// GET  /health         public
/// GET  /orders/{id}    action order:read
/// *    /admin/{*rest}  role manager
/// ");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Routes {
    lines: Vec<Line>,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) method: String,
    pub(super) template: String,
    pub(super) access: Access,
}

/// A line of the route table that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The method is no token of upper-case letters and hyphens, and not `*`.
    #[error("route `{method} {template}`: `{method}` is no method; write it in capitals, or `*`")]
    Method {
        /// The method as written.
        method: String,
        /// The template as written.
        template: String,
    },
    /// The template cannot be read.
    #[error("route `{method} {template}`: {problem}")]
    Template {
        /// The method as written.
        method: String,
        /// The template as written.
        template: String,
        /// What is wrong, and what to write.
        problem: &'static str,
    },
    /// One method and template, parameter names aside, stand twice.
    #[error("route `{method} {template}` stands twice: as {first} and as {second}")]
    Twice {
        /// The method as written.
        method: String,
        /// The template as written the second time.
        template: String,
        /// What the first line takes.
        first: Access,
        /// What the second line takes.
        second: Access,
    },
}

impl Routes {
    /// A table without lines, which refuses everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// A route for anybody.
    pub fn public(self, method: &str, template: &str) -> Self {
        self.line(method, template, Access::Public)
    }

    /// A route for any proven caller.
    pub fn authenticated(self, method: &str, template: &str) -> Self {
        self.line(method, template, Access::Authenticated)
    }

    /// A route for callers whose credential carries `scope`.
    pub fn scope(self, method: &str, template: &str, scope: &str) -> Self {
        self.line(method, template, Access::Scope(scope.to_owned()))
    }

    /// A route for callers who hold `role`.
    pub fn role(self, method: &str, template: &str, role: &str) -> Self {
        self.line(method, template, Access::Role(role.to_owned()))
    }

    /// A route for callers whom the policies permit `action`. Where that depends on the
    /// resource, the handler asks with `Caller::may`.
    pub fn action(self, method: &str, template: &str, action: &str) -> Self {
        self.line(method, template, Access::Action(action.to_owned()))
    }

    fn line(mut self, method: &str, template: &str, access: Access) -> Self {
        self.lines.push(Line { method: method.to_owned(), template: template.to_owned(), access });
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }
}

/// The table as aligned text, a line each, in the order written.
impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |width: fn(&Line) -> usize| self.lines.iter().map(width).max().unwrap_or(0);
        let (method, template) = (widest(|l| l.method.len()), widest(|l| l.template.len()));
        for line in &self.lines {
            writeln!(f, "{:method$}  {:template$}  {}", line.method, line.template, line.access)?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Authenticated => f.write_str("authenticated"),
            Self::Scope(scope) => write!(f, "scope {scope}"),
            Self::Role(role) => write!(f, "role {role}"),
            Self::Action(action) => write!(f, "action {action}"),
        }
    }
}
