//! Opaque tokens, by asking the issuer about them (RFC 7662).
//!
//! An [`Introspection`] takes every `Bearer` without a dot, and asks an [`Endpoint`] what it is.
//! Put it after other takers of such values, API keys for one: what it takes it sends to the
//! issuer. It checks, in this order:
//!
//! 1. the size, before anything else is looked at;
//! 2. what is known: an answer is kept for [30 s](Introspection::keep_active) if the token is
//!    good, and for [10 s](Introspection::keep_refused) if not;
//! 3. how many callers wait. Those who bring the same token wait for one question;
//! 4. the answer: status 200 and a JSON object with a boolean `active`. Anything else, or none in
//!    time, is 503 and never *inactive*: nothing is known about the token then;
//! 5. `active`, which must be `true`; `token_type`, which is `Bearer` if it is there; `token_use`,
//!    which is that of an access token if it is there, since endpoints know refresh tokens too;
//! 6. `iss`, if it is there; `aud`, `sub` and `exp`, which are mandatory; no `cnf`; and what else
//!    a [`JwtVerifier`](crate::JwtVerifier) demands of the claims of a token, to the letter;
//! 7. the times, again with every request: no answer outlives the token's `exp`.
//!
//! Tokens are sent in the body of a POST, form-encoded, over `https` alone; no redirect takes them
//! elsewhere. None is kept: an answer is found by a code under a key of this process, made of all
//! bytes of the token, and a question's text is wiped.
//!
//! # Withdrawn tokens
//!
//! A token that the issuer has withdrawn is refused after `keep_active` and one question at most.
//! RFC 7662 section 4 leaves that time to the service: the shorter, the more questions.
//!
//! # A caller who goes away
//!
//! Nothing is spawned. Those who wait for an answer drive the question together, so it goes on when
//! the one who began it is gone. When the last one is, the transport's future is dropped: a
//! question that no thread has begun is not asked then, and the answer to one that is under way
//! is not heard.

mod desk;
mod endpoint;
mod flight;
mod flights;
mod form;
mod options;
mod request;
#[cfg(test)]
mod tests;
mod verifier;

pub use endpoint::Endpoint;
pub use request::{Answered, Request, RequestError, Transport};
pub use verifier::{Introspection, Stats};
