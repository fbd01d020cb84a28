//! One clause of a rule, and what it looked at.

use std::fmt;

use crate::authz::{EvalError, RuleId};

/// A rule, and those of its clauses that say why it counts, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(super) rule: RuleId,
    pub(super) name: Box<str>,
    pub(super) clauses: Vec<Clause>,
}

/// One of the clauses of a rule, all of which must hold: a condition is divided at its outermost
/// `&&`, but questions about one value that follow each other are one clause, as
/// `context.hour >= 9 && context.hour < 18`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    pub(super) kind: ClauseKind,
    pub(super) text: String,
    pub(super) answer: Result<bool, EvalError>,
    pub(super) values: Vec<Looked>,
}

/// Which part of a rule a clause is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClauseKind {
    /// Any of its roles is held.
    Roles,
    /// A condition, or what the scope of a Cedar policy asks for.
    When,
    /// A condition that must be false.
    Unless,
    /// A window of time.
    During,
    /// A window of time to be outside of.
    Outside,
}

/// What a clause looked at, and the value that was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    pub(super) path: String,
    pub(super) value: Result<String, EvalError>,
}

impl Finding {
    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        self.rule
    }

    /// What the rule is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its clauses, in the order written.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter()
    }
}

impl Clause {
    /// Which part of its rule it is of.
    #[must_use]
    pub const fn kind(&self) -> ClauseKind {
        self.kind
    }

    /// How it is written; of roles, their names.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the clause holds; for [`Unless`](ClauseKind::Unless), whether its condition is
    /// false.
    ///
    /// # Errors
    /// Why it could not be evaluated.
    pub const fn answer(&self) -> Result<bool, EvalError> {
        self.answer
    }

    /// What it looked at, at most eight values.
    pub fn values(&self) -> impl Iterator<Item = &Looked> {
        self.values.iter()
    }

    /// The clause and its answer in words.
    pub(super) fn verdict(&self) -> String {
        let text = &self.text;
        let named = match self.kind {
            ClauseKind::Roles if self.answer == Ok(true) => {
                return format!("the principal has a role of {text}");
            }
            ClauseKind::Roles => return format!("the principal has no role of {text}"),
            ClauseKind::When => format!("`{text}`"),
            ClauseKind::Unless => format!("its `unless`, `{text}`,"),
            ClauseKind::During => format!("`during`, `{text}`,"),
            ClauseKind::Outside => format!("`outside`, `{text}`,"),
        };
        match self.answer {
            Ok(holds) => format!("{named} is {}", holds != (self.kind == ClauseKind::Unless)),
            Err(error) => format!("{named} failed because {error}"),
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.verdict())?;
        for (number, value) in self.values.iter().enumerate() {
            write!(f, "{}{value}", if number == 0 { " (" } else { ", " })?;
        }
        if self.values.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl ClauseKind {
    /// The word for it in a document.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::When => "when",
            Self::Unless => "unless",
            Self::During => "during",
            Self::Outside => "outside",
        }
    }
}

impl Looked {
    /// How it is written in the clause.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value in Cedar's words, cut to 64 characters.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(&self) -> Result<&str, EvalError> {
        self.value.as_deref().map_err(|error| *error)
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.value {
            Ok(value) => write!(f, "`{path}` is {value}"),
            Err(EvalError::Missing) => write!(f, "`{path}` is missing"),
            Err(error) => write!(f, "`{path}` has no value because {error}"),
        }
    }
}
