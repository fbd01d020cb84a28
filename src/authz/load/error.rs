//! What is wrong with a document: everything at once, each with its place.

use std::fmt;

use super::locate::locate;

/// All that is wrong with a policy document. Never empty.
///
/// ```
/// use portcullis::authz::{Document, PolicySet};
///
/// let document = Document::from_toml(r#"
/// [resources.Order]
/// attributes = { owner = "User" }
/// actions = ["order:read"]
/// [[rule]]
/// id = "owner-reads-own"
/// effect = "permit"
/// actions = ["order:raed"]
/// when = "resource.ownr == principal"
/// "#)?;
/// let errors = PolicySet::from_document(document).unwrap_err();
/// assert_eq!(errors.to_string(), "\
/// rule[0].actions[0] (line 8, column 12): no action `order:raed`; did you mean `order:read`?
/// rule[0].when (line 9, column 9): `Order` has no attribute `ownr`; did you mean `owner`?");
/// # Ok::<(), portcullis::authz::PolicyErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(Box<[PolicyError]>);

/// One thing that is wrong with a policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    pub(in crate::authz) place: Place,
    pub(in crate::authz) line: Option<usize>,
    pub(in crate::authz) column: Option<usize>,
    pub(in crate::authz) message: String,
}

/// Where in a document: a path of keys and positions, and an offset in the text found there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::authz) struct Place {
    pub(in crate::authz) steps: Vec<Step>,
    /// In bytes.
    pub(in crate::authz) offset: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::authz) enum Step {
    Key(Box<str>),
    Position(usize),
}

impl PolicyErrors {
    /// One after the other, in the order of the document's parts.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyError> {
        self.0.iter()
    }
}

impl From<PolicyError> for PolicyErrors {
    fn from(error: PolicyError) -> Self {
        Self([error].into())
    }
}

impl PolicyError {
    /// The path in the document: `rule[1].when`; empty where the whole document is meant.
    #[must_use]
    pub fn path(&self) -> String {
        self.place.to_string()
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line of the text, from 1; only known for TOML and for Cedar's policy text.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The column, from 1, in characters: of the line where that is known, otherwise of the
    /// condition's text.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.column
    }
}

impl std::error::Error for PolicyErrors {}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.unwrap_or(1);
        let position = match (self.line, self.column) {
            (Some(line), _) => format!("line {line}, column {column}"),
            (None, Some(column)) => format!("column {column}"),
            (None, None) => String::new(),
        };
        let path = self.place.to_string();
        match (path.is_empty(), position.is_empty()) {
            (true, true) => f.write_str(&self.message),
            (true, false) => write!(f, "{position}: {}", self.message),
            (false, true) => write!(f, "{path}: {}", self.message),
            (false, false) => write!(f, "{path} ({position}): {}", self.message),
        }
    }
}

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(in crate::authz) struct Problems(Vec<PolicyError>);

impl Problems {
    pub(in crate::authz) fn add(&mut self, place: &Place, message: impl FnOnce() -> String) {
        self.push(place.clone(), None, message);
    }

    /// As [`add`](Self::add), at a byte of the text that is found at the place.
    pub(in crate::authz) fn add_in(
        &mut self,
        place: &Place,
        text: &str,
        at: usize,
        message: String,
    ) {
        let place = Place { steps: place.steps.clone(), offset: Some(at) };
        let column = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
        self.push(place, Some(column), || message);
    }

    /// At a line and a column of the whole text.
    pub(in crate::authz) fn add_at(&mut self, (line, column): (usize, usize), message: String) {
        let before = self.0.len();
        self.push(Place::default(), Some(column), || message);
        if let Some(error) = self.0.get_mut(before) {
            error.line = Some(line);
        }
    }

    pub(in crate::authz) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no more are listed, so that looking for more is in vain.
    pub(in crate::authz) fn is_full(&self) -> bool {
        self.0.len() > MAX_LISTED
    }

    /// # Errors
    /// If anything was wrong; with lines if the TOML is given.
    pub(in crate::authz) fn finish(mut self, source: Option<&str>) -> Result<(), PolicyErrors> {
        if self.0.is_empty() {
            return Ok(());
        }
        if let Some(source) = source {
            locate(source, &mut self.0);
            self.0.sort_by_key(|error| (error.line.unwrap_or(usize::MAX), error.column));
        }
        Err(PolicyErrors(self.0.into()))
    }

    /// A hundred are enough to start with; looking for what was meant in a thousand takes long.
    fn push(&mut self, place: Place, column: Option<usize>, message: impl FnOnce() -> String) {
        let message = match self.0.len() {
            0..MAX_LISTED => message(),
            MAX_LISTED => "there are more errors".to_owned(),
            _ => return,
        };
        self.0.push(PolicyError { place, line: None, column, message });
    }
}

/// `; did you mean …?` if there is a name that may have been meant.
pub(in crate::authz) fn hint(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

impl Place {
    pub(in crate::authz) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.into()))
    }

    pub(in crate::authz) fn position(&self, position: usize) -> Self {
        self.with(Step::Position(position))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { steps, offset: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Position(position) => write!(f, "[{position}]")?,
                Step::Key(key) => {
                    if number > 0 {
                        f.write_str(".")?;
                    }
                    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    match !key.is_empty() && key.chars().all(bare) {
                        true => f.write_str(key)?,
                        false => write!(f, "{key:?}")?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// How many errors are told apart.
pub(in crate::authz) const MAX_LISTED: usize = 100;
