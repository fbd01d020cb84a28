//! What counts no more although it would: tokens taken back before their time.
//!
//! A [`JwtVerifier`](crate::JwtVerifier::revocations) asks a list of [`Revocations`] about **every**
//! presentation of a token, also where the token itself comes from its cache: what is revoked is
//! refused from the next request on. It is asked last, once signature, rules and times hold.
//!
//! | revoked | refuses the issuer's tokens that say |
//! |---|---|
//! | [`Revocation::token`] | this `jti` |
//! | [`Revocation::session`] | this `sid` |
//! | [`Revocation::subject`] | this `sub` |
//! | [`Revocation::client`] | this `client_id`, or `azp` where there is none |
//! | [`Revocation::issuer`] | anything |
//!
//! Each can be narrowed to the tokens [issued by](Revocation::issued_by) some time. Nothing of it
//! reaches tokens of another issuer. A token is reached by what it says of itself and no further:
//! one without `jti` or `sid` only by its subject, client and issuer.
//!
//! [`Denylist`] keeps them in memory of a fixed size. It is of one process: where several serve,
//! each must be told, or given a list of your own that they share. Logout tokens of OpenID Connect
//! are fed to it by [`LogoutToken::revoke`](crate::authn::jwt::profile::LogoutToken::revoke).

mod denylist;
mod logout;
mod store;
mod sync;
mod table;
#[cfg(test)]
mod tests;

pub use denylist::Denylist;
pub use store::{Presented, Revocation, Revocations, RevokeError, Target};
