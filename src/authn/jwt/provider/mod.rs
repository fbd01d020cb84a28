//! What providers write where, and what takes the place of what they leave out.
//!
//! Each has a constructor of [`JwtVerifier`](super::JwtVerifier), which knows the rules that tell
//! its access tokens from its other tokens, and constructors of [`RoleMap`](super::RoleMap), which
//! know where its roles and groups stand. Which roles are granted is said with
//! [`RoleMap::only`](super::RoleMap::only) and [`map`](super::RoleMap::map), here as everywhere.

mod auth0;
mod cognito;
mod entra;
mod keycloak;
mod okta;
#[cfg(test)]
mod tests;
