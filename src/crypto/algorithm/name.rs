//! From the names in key documents to algorithms.

use std::str::FromStr;

use super::Algorithm;

/// A name that is no algorithm verified here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is none of EdDSA, ES256, ES384, HS256, HS384, HS512, PS256, PS384, PS512, RS256, \
     RS384, RS512{hint}"
)]
pub struct UnknownAlgorithm {
    name: String,
    hint: String,
}

impl Algorithm {
    /// Every algorithm there is here, by name.
    pub const ALL: &'static [Self] = &[
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let mut all = Self::ALL.iter().copied();
        if let Some(found) = all.clone().find(|algorithm| algorithm.is_named(name)) {
            return Ok(found);
        }
        let near = all.find(|near| near.name().eq_ignore_ascii_case(name));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(UnknownAlgorithm { name: name.chars().take(64).collect(), hint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
        assert!(Algorithm::ALL.is_sorted_by_key(|algorithm| algorithm.name().to_lowercase()));
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
        for name in ["", "none", "NONE", "noNE", "hs256", "ES512", "ES256K", "HS256 "] {
            assert!(name.parse::<Algorithm>().is_err(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let names: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
        let expected = format!("`ES512` is none of {}", names.join(", "));
        assert_eq!("ES512".parse::<Algorithm>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_endless_name_is_cut_short() {
        let error = "x".repeat(100_000).parse::<Algorithm>().unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
