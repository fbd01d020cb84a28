//! Why there is no key, or no set of them. Only the start of a service meets these.

use std::fmt;

use crate::crypto::{Algorithm, Unfit, UnknownAlgorithm};

/// Why something is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key says it is for one algorithm and the caller says another.
    #[error("the key says it is for `{found}`, not for `{expected}`")]
    AlgorithmContradicted {
        /// What was asked for.
        expected: Algorithm,
        /// What the key's `alg` says.
        found: Algorithm,
    },
    /// A JWK without `alg`, and nobody says which algorithm it is for.
    #[error("the key has no `alg`; say which algorithm it is for")]
    AlgorithmMissing,
    /// A JWK's `alg` is not one of ours.
    #[error("`alg`: {0}")]
    AlgorithmUnknown(#[from] UnknownAlgorithm),
    /// A certificate where a public key is wanted.
    #[error("this is a certificate; take its key out: `openssl x509 -pubkey -noout`")]
    Certificate,
    /// Another key of the set has the same `kid` and algorithm, so neither can be told by it.
    #[error("another key has the same `kid` and algorithm")]
    Duplicate,
    /// The key is of another type or curve than the algorithm needs.
    #[error("this type of key or curve does not go with `{0}`")]
    Mismatch(Algorithm),
    /// The document is not of the form of a key.
    #[error("not a key: {0}")]
    NotAKey(&'static str),
    /// The key is not meant to verify signatures.
    #[error("not for verifying signatures: {0}")]
    OtherPurpose(&'static str),
    /// A private key where a public one is wanted. Whoever can read it can sign.
    #[error("this is a private key, to be kept by the issuer; use `openssl pkey -pubout`")]
    Private,
    /// A shared secret among public keys.
    #[error("a shared secret does not belong among public keys")]
    SecretAmongPublic,
    /// The key's numbers are wrong.
    #[error("unfit key: {0}")]
    Unfit(&'static str),
}

impl KeyError {
    pub(super) fn of(unfit: Unfit, algorithm: Algorithm) -> Self {
        match unfit {
            Unfit::Mismatch => Self::Mismatch(algorithm),
            Unfit::Numbers(problem) => Self::Unfit(problem),
        }
    }
}

/// A key of a document that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its id, if it has a readable one; at most 64 characters of it.
    pub kid: Option<String>,
    /// What is wrong with it.
    pub reason: KeyError,
}

/// Why there is no set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JWKS document.
    #[error("not a JWKS document: {0}")]
    NotAKeySet(&'static str),
    /// A key given by the program itself cannot be used.
    #[error("the key cannot be used: {0}")]
    KeyRefused(SkippedKey),
    /// No key can be used.
    #[error("no usable key{}", list(.0))]
    NoUsableKey(Vec<SkippedKey>),
    /// There are too many keys.
    #[error("{0} keys, where a set holds at most 64")]
    TooManyKeys(usize),
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]", self.index)?;
        if let Some(kid) = &self.kid {
            write!(f, " (`{}`)", kid.escape_debug())?;
        }
        write!(f, ": {}", self.reason)
    }
}

fn list(skipped: &[SkippedKey]) -> String {
    skipped.iter().map(|key| format!("; {key}")).collect()
}
