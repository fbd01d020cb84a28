//! What a 401 tells the caller to come back with.

use std::fmt;

/// One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1).
///
/// ```
/// use portcullis::Challenge;
///
/// let challenge = Challenge::new("Bearer", "staff").with("error", "invalid_token");
/// assert_eq!(challenge.to_string(), r#"Bearer realm="staff", error="invalid_token""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl Challenge {
    /// The challenge of `scheme` for `realm`.
    #[must_use]
    pub fn new(scheme: &'static str, realm: &str) -> Self {
        Self { scheme, parameters: Vec::new() }.with("realm", realm)
    }

    /// The scheme's name, such as `Bearer`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.scheme
    }

    /// With one more parameter. What may not stand in a quoted value (RFC 6750 section 3:
    /// printable ASCII without `"` and `\`) is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let printable = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        self.parameters.push((name, value.chars().filter(printable).collect()));
        self
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme)?;
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            write!(f, "{separator}{name}=\"{value}\"")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let challenge = Challenge::new("Bearer", "a\"b\\c\r\nd\u{e9}");
        assert_eq!(challenge.to_string(), r#"Bearer realm="abcd""#);
    }
}
