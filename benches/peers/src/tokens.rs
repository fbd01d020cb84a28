//! Verifying an access token.
//!
//! The reference of `miss` is jsonwebtoken on aws-lc-rs into typed claims, which is what most
//! services run. The bound does what any verifier must do, by hand, on the faster of the two
//! backends; ours is on ring.
//!
//! `besides-signature` is everything but the cryptography: for ours, what a verification takes
//! beyond ring's check of the same signature in the same round. Its reference is the bound.
//!
//! `hit` is a look-up in a cache of verified tokens, beside what looking a token up by all its
//! bytes costs at least. The peer has no cache.

mod besides;
mod hit;
mod miss;

use std::error::Error;

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
    Ok(())
}

/// Our verifier, set up as for a service that takes roles from its tokens.
fn ours(algorithm: Algorithm, keys: &Keys) -> Result<portcullis::JwtVerifier, Box<dyn Error>> {
    let roles = portcullis::RoleMap::claim("roles").only(["editor", "billing-viewer"]);
    let keys = portcullis::KeySet::from_jwks(keys.jwks(algorithm))?;
    Ok(portcullis::JwtVerifier::new("staff", ISSUER, AUDIENCE, keys).roles(roles))
}
