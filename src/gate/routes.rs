//! The security model on one page: method and path template to what it takes.

mod path;
mod table;
mod template;

use std::fmt;

pub(super) use path::{MAX_PATH, is_ambiguous};
pub(super) use table::{Found, Table};

use super::StepUp;

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
    /// Whether something was to be hidden before there was a line.
    stray: bool,
    /// Step-ups that have no line of their own.
    stray_step_ups: Vec<String>,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) method: String,
    pub(super) template: String,
    pub(super) access: Access,
    /// Whether denials are told as 404.
    pub(super) hidden: bool,
    pub(super) step_up: Option<StepUp>,
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
    /// Something was to be hidden before there was a line.
    #[error("`.hidden()` stands before the first route; it is for the line before it")]
    HiddenNothing,
    /// A step-up cannot stand where it does.
    #[error("{route}: {problem}")]
    StepUp {
        /// The route's line, or what stands for one.
        route: String,
        /// What is wrong.
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

    /// A route for any proven caller, whatever the scopes of its credential.
    pub fn authenticated(self, method: &str, template: &str) -> Self {
        self.line(method, template, Access::Authenticated)
    }

    /// A route for callers whose credential carries `scope`.
    pub fn scope(self, method: &str, template: &str, scope: &str) -> Self {
        self.line(method, template, Access::Scope(scope.to_owned()))
    }

    /// A route for callers who hold `role`. Scopes cover actions, never roles: a credential that
    /// carries scopes is refused here, so let such callers in by an action.
    pub fn role(self, method: &str, template: &str, role: &str) -> Self {
        self.line(method, template, Access::Role(role.to_owned()))
    }

    /// A route for callers whom the policies permit `action`. Where that depends on the
    /// resource, the handler asks with `Caller::may`.
    pub fn action(self, method: &str, template: &str, action: &str) -> Self {
        self.line(method, template, Access::Action(action.to_owned()))
    }

    /// Hides the line before: whoever may not gets the 404 of a thing that is not there, at the
    /// gate and from `Caller::may`, while the event keeps the reason. Whoever brings no
    /// credential to a line that needs one is still asked for it.
    ///
    /// The answers are the same byte for byte, correlation id aside, when the handler refuses
    /// what it cannot find with [`Reason::ResourceUnknown`](crate::Reason::ResourceUnknown).
    ///
    /// ```
    /// use portcullis::Routes;
    ///
    /// let routes = Routes::new().action("GET", "/orders/{id}", "order:read").hidden();
    /// assert_eq!(routes.to_string(), "GET  /orders/{id}  action order:read, hidden\n");
    /// ```
    pub fn hidden(mut self) -> Self {
        match self.lines.last_mut() {
            Some(line) => line.hidden = true,
            None => self.stray = true,
        }
        self
    }

    /// Takes more of the caller of the line before than a log-in: a certain factor, or a fresh
    /// one. Asked of whoever may; they are told to authenticate again (401) and how.
    ///
    /// ```
    /// use std::time::Duration;
    /// use portcullis::{Routes, StepUp};
    ///
    /// let routes = Routes::new()
    ///     .role("POST", "/admin/{*rest}", "manager")
    ///     .step_up(StepUp::within(Duration::from_secs(300)).method("otp"));
    /// let line = "POST  /admin/{*rest}  role manager, step-up otp within 300 s\n";
    /// assert_eq!(routes.to_string(), line);
    /// ```
    pub fn step_up(mut self, step_up: StepUp) -> Self {
        match self.lines.last_mut() {
            Some(line) if line.step_up.is_none() => line.step_up = Some(step_up),
            Some(line) => self.stray_step_ups.push(line.to_string()),
            None => self.stray_step_ups.push(String::new()),
        }
        self
    }

    /// A route for whomever `access` lets in.
    pub fn route(self, method: &str, template: &str, access: Access) -> Self {
        self.line(method, template, access)
    }

    /// All the lines of another table, after those of this one.
    pub fn merge(mut self, other: Self) -> Self {
        self.lines.extend(other.lines);
        self.stray |= other.stray;
        self.stray_step_ups.extend(other.stray_step_ups);
        self
    }

    /// The template of [`everywhere`](Self::everywhere)'s one line.
    #[cfg(feature = "tower")]
    pub(crate) const EVERYWHERE: &'static str = "/{*rest}";

    /// One line for every request; found by its template, so that no path is read.
    #[cfg(feature = "tower")]
    pub(super) fn everywhere(access: Access) -> Self {
        Self::new().line("*", Self::EVERYWHERE, access)
    }

    /// Every step-up that cannot stand.
    fn step_up_errors(&self) -> impl Iterator<Item = RouteError> {
        let error = |route: &str, problem| RouteError::StepUp { route: route.to_owned(), problem };
        let stray = self.stray_step_ups.iter().map(move |line| match line.as_str() {
            "" => error("`.step_up(…)`", "it stands before the first route"),
            line => error(&format!("route `{line}`"), "a route has one step-up"),
        });
        let wrong = self.lines.iter().filter_map(move |line| {
            let public = line.access == Access::Public;
            let problem = line.step_up.as_ref()?.problem();
            let problem = problem.or(public.then_some("a step-up needs a route with a caller"))?;
            Some(error(&format!("route `{line}`"), problem))
        });
        stray.chain(wrong)
    }

    fn line(mut self, method: &str, template: &str, access: Access) -> Self {
        let (method, template) = (method.to_owned(), template.to_owned());
        self.lines.push(Line { method, template, access, hidden: false, step_up: None });
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
            let hidden = if line.hidden { ", hidden" } else { "" };
            let Line { method: name, template: path, access, .. } = line;
            write!(f, "{name:method$}  {path:template$}  {access}{hidden}")?;
            match &line.step_up {
                Some(step_up) => writeln!(f, ", {step_up}")?,
                None => writeln!(f)?,
            }
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
