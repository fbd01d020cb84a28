//! What a caller claims.

use std::fmt;

/// A claim of identity as presented: borrowed, untrusted, redacted in `Debug`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    Bearer(&'a str),
    /// Any other scheme of the `Authorization` header, for verifiers of the application's own.
    Other {
        /// The scheme's name as written; compare it without regard to case (RFC 9110 section 11.1).
        scheme: &'a str,
        /// What followed the scheme.
        value: &'a str,
    },
}

impl Credential<'_> {
    /// The scheme's name, for events and challenges.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Self::Bearer(_) => "Bearer",
            Self::Other { scheme, .. } => scheme,
        }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} ***)", self.scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_value() {
        let other = Credential::Other { scheme: "Hmac", value: "s3cret" };
        assert_eq!(format!("{:?}", Credential::Bearer("s3cret")), "Credential(Bearer ***)");
        assert_eq!(format!("{other:?}"), "Credential(Hmac ***)");
    }
}
