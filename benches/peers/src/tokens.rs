//! Verifying an access token.
//!
//! The reference of `miss` is jsonwebtoken on aws-lc-rs into typed claims, which is what most
//! services run. The bounds do what any verifier must do, by hand, on each of the two backends; so
//! do ours.
//!
//! `besides-signature` is everything but the cryptography: for ours, what a verification takes
//! beyond ring's check of the same signature in the same round. Its reference is the bound.
//!
//! `hit` is a look-up in a cache of verified tokens, beside what looking a token up by all its
//! bytes costs at least. The peer has no cache.
//!
//! `hits` is the same on one thread and on two at once, with 1,000 and with 10,000 tokens: figures
//! are to one thread's.
//!
//! `hostile-1mb` is a token of a million bytes, which nobody needs to read.
//!
//! `revocations` is what each presentation of a token pays while a million things are revoked.

mod besides;
mod hit;
mod hits;
mod hostile;
mod kept;
mod miss;
mod peers;
mod revocations;
mod ring;

use std::error::Error;

use portcullis::authn::jwt::{Backend, JwtVerifier, Loader, RoleMap};

use crate::{
    access_token::{AUDIENCE, Algorithm, ISSUER, Keys},
    measure::Session,
};

const ALGORITHMS: [(&str, Algorithm); 4] = [
    ("hs256", Algorithm::Hs256),
    ("rs256", Algorithm::Rs256),
    ("es256", Algorithm::Es256),
    ("eddsa", Algorithm::EdDsa),
];

pub(crate) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let keys = Keys::generate()?;
    for (name, algorithm) in ALGORITHMS {
        miss::measure(session, &format!("token/{name}/miss"), algorithm, &keys)?;
        hit::measure(session, &format!("token/{name}/hit"), algorithm, &keys)?;
        besides::measure(session, &format!("token/{name}/besides-signature"), algorithm, &keys)?;
    }
    for kept in [1_000, 10_000] {
        hits::measure(session, &format!("token/hs256/hits/{kept}"), kept, &keys)?;
    }
    hostile::measure(session, "token/hostile-1mb", &keys)?;
    revocations::measure(session)
}

/// Our verifier, set up as for a service that takes roles from its tokens.
fn ours(algorithm: Algorithm, keys: &Keys) -> Result<JwtVerifier, Box<dyn Error>> {
    ours_on(Backend::Ring, algorithm, keys)
}

fn ours_on(
    backend: Backend,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<JwtVerifier, Box<dyn Error>> {
    let roles = RoleMap::claim("roles").only(["editor", "billing-viewer"]);
    let keys = Loader::new().backend(backend).jwks(keys.jwks(algorithm))?;
    Ok(JwtVerifier::new("staff", ISSUER, AUDIENCE, keys).roles(roles))
}
