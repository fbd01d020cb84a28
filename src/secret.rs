//! Bytes that must not be printed, compared in the open, or left in memory.

mod text;

use std::fmt;

pub use text::SecretText;
use zeroize::Zeroizing;

/// Secret bytes: redacted in `Debug`, wiped on drop, with no `PartialEq` and no `Serialize`.
///
/// ```
/// use portcullis::Secret;
///
/// let secret = Secret::new(*b"0123456789abcdef0123456789abcdef");
/// assert_eq!(format!("{secret:?}"), "Secret(32 bytes)");
/// assert_eq!(secret.expose().len(), 32);
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes the bytes over. A `Vec` whose capacity exceeds its length is copied by the
    /// allocator on the way; hand over an exact one where that matters.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves: the one name to search for when asking where secrets are read.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}
