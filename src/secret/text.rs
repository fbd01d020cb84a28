//! Text that is shown once and kept nowhere.

use std::fmt;

use zeroize::Zeroizing;

/// Text with a secret in it, to be shown once: redacted in `Debug`, wiped on drop, with no
/// `Display`, no `PartialEq` and no `Serialize`.
///
/// ```
/// use portcullis::SecretText;
///
/// let text = SecretText::new("correct horse".to_owned());
/// assert_eq!(format!("{text:?}"), "SecretText(13 bytes)");
/// assert_eq!(text.expose(), "correct horse");
/// ```
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over. A `String` that grew while it was put together left copies behind;
    /// start from a capacity that is enough where that matters.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretText({} bytes)", self.0.len())
    }
}
