//! Which library does the work.

#[cfg(feature = "aws-lc-rs")]
use super::aws_lc;
use super::{Algorithm, Material, Unfit, VerifyingKey};

/// The library that verifies signatures. A value, given where keys are loaded
/// ([`Loader::backend`](crate::authn::jwt::Loader::backend)): keys of both may stand in one set,
/// and nothing is installed for the process.
///
/// Whichever it is, a key is checked by the same rules when it is loaded, and what is hashed
/// elsewhere, such as passwords and API keys, is ring's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// ring.
    #[default]
    Ring,
    /// AWS-LC (feature `aws-lc-rs`): parses each key once, where ring parses it with every
    /// signature. A service that needs the validated module depends on `aws-lc-rs` itself, with its
    /// feature `fips`, and that module does this work.
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
}

impl Backend {
    /// Checks `material`, binds it to `algorithm` and prepares it.
    pub(crate) fn load(
        self,
        algorithm: Algorithm,
        material: &Material<'_>,
    ) -> Result<VerifyingKey, Unfit> {
        let key = VerifyingKey::new(algorithm, material)?;
        match self {
            Self::Ring => Ok(key),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => aws_lc::Prepared::new(algorithm, material).map(VerifyingKey::AwsLc),
        }
    }
}
