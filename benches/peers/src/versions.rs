//! Names of peers with the versions that are measured, out of the lock file.

use std::{cmp::Reverse, error::Error};

use serde::Deserialize;

const LOCK: &str = include_str!("../Cargo.lock");

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// The crate's name and version; of several versions, the newest.
#[cfg_attr(
    not(any(
        test,
        feature = "tokens",
        feature = "policies",
        feature = "limits",
        feature = "stack"
    )),
    expect(dead_code, reason = "without a group there is no peer")
)]
pub(crate) fn peer(name: &str) -> Result<String, Box<dyn Error>> {
    let lock: Lock = toml::from_str(LOCK)?;
    let mut versions: Vec<_> =
        lock.package.into_iter().filter(|p| p.name == name).map(|p| p.version).collect();
    versions.sort_by_key(|version| Reverse(numbers(version)));
    let newest = versions.first().ok_or(format!("`{name}` is not in Cargo.lock"))?;
    Ok(format!("{name} {newest}"))
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_the_lock_file_is_named() {
        assert!(peer("jsonwebtoken").unwrap().starts_with("jsonwebtoken 11."));
        assert_eq!(peer("portcullis").unwrap(), concat!("portcullis ", "0.1.0"));
        assert_eq!(peer("nothing").unwrap_err().to_string(), "`nothing` is not in Cargo.lock");
        assert!(numbers("10.0.0") > numbers("9.3.1"));
    }
}
