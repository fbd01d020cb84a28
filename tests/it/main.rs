//! Every promise of the crate, one module each, in one binary.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the cases it is about")]

#[cfg(test)]
mod architecture;
#[cfg(test)]
#[cfg(feature = "testing")]
mod callers;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod examples;
#[cfg(test)]
#[cfg(feature = "testing")]
mod gate;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "jsonwebtoken"))]
mod jsonwebtoken;
#[cfg(test)]
#[cfg(feature = "testing")]
mod kit;
#[cfg(test)]
mod limit_sets;
#[cfg(test)]
mod limits;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod proxies;
#[cfg(test)]
#[cfg(feature = "testing")]
mod quotas;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod routes;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod tower;
