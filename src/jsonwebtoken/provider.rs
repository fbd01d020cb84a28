//! ring as the cryptography of `jsonwebtoken`.

use ::jsonwebtoken::{
    Algorithm as Theirs, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result, new_error},
    jwk::{EllipticCurve, ThumbprintHash},
    signature::{Error, Signer, Verifier},
};

use crate::{
    authn::jwt::{Algorithm, Key, rsa_public_key},
    crypto::{Curve, Hash, Material, SigningKey, digest},
};

/// A provider that signs and verifies all of its [`Algorithm`](Theirs)s with ring, and refuses
/// unfit keys with an error.
///
/// Only an application should install it, once, before its first use of `jsonwebtoken`:
///
/// ```no_run
/// use jsonwebtoken::crypto::CryptoProvider;
///
/// static PROVIDER: CryptoProvider = portcullis::jsonwebtoken::ring_provider();
/// assert!(PROVIDER.install_default().is_ok(), "another provider is there already");
/// ```
#[must_use]
pub const fn ring_provider() -> CryptoProvider {
    CryptoProvider {
        signer_factory: signer,
        verifier_factory: verifier,
        key_utils: KeyUtils {
            rsa_pub_components_from_private_key: rsa_components_of_private_key,
            rsa_pub_components_from_public_key: rsa_components_of_public_key,
            ec_pub_components_from_private_key: ec_components_of_private_key,
            ed_pub_components_from_private_key: ed_component_of_private_key,
            compute_digest,
        },
    }
}

struct RingSigner {
    algorithm: Theirs,
    key: SigningKey,
}

struct RingVerifier {
    algorithm: Theirs,
    key: Key,
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        self.key.sign(message).map_err(|_| Error::new())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Theirs {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.key.verify(message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Theirs {
        self.algorithm
    }
}

fn signer(algorithm: &Theirs, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if algorithm.family() != key.family() {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    let key = signing_key(*algorithm, key.as_bytes())?;
    Ok(Box::new(RingSigner { algorithm: *algorithm, key }))
}

fn verifier(algorithm: &Theirs, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let key =
        Key::try_from((*algorithm, key)).map_err(|_| new_error(ErrorKind::InvalidKeyFormat))?;
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key }))
}

fn signing_key(algorithm: Theirs, key: &[u8]) -> Result<SigningKey> {
    let algorithm =
        Algorithm::try_from(algorithm).map_err(|_| new_error(ErrorKind::UnsupportedAlgorithm))?;
    SigningKey::new(algorithm, key).map_err(|_| new_error(ErrorKind::InvalidKeyFormat))
}

fn rsa_components_of_private_key(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    signing_key(Theirs::RS256, der)?.public(rsa_components)
}

fn rsa_components_of_public_key(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    rsa_components(&rsa_public_key(der).ok_or(new_error(ErrorKind::InvalidKeyFormat))?)
}

fn rsa_components(material: &Material<'_>) -> Result<(Vec<u8>, Vec<u8>)> {
    let Material::Rsa { modulus, exponent } = material else {
        return Err(new_error(ErrorKind::InvalidKeyFormat));
    };
    Ok((modulus.to_vec(), exponent.to_vec()))
}

fn ec_components_of_private_key(
    der: &[u8],
    algorithm: Theirs,
) -> Result<(EllipticCurve, Vec<u8>, Vec<u8>)> {
    signing_key(algorithm, der)?.public(|material| match material {
        // Uncompressed: one byte that says so, then the coordinates.
        Material::Ec(curve, [_, coordinates @ ..]) => {
            let half = coordinates.len() / 2;
            let (x, y) = coordinates.split_at_checked(half).unwrap_or_default();
            let curve = match curve {
                Curve::P256 => EllipticCurve::P256,
                Curve::P384 => EllipticCurve::P384,
            };
            Ok((curve, x.to_vec(), y.to_vec()))
        }
        Material::Ec(..) | Material::Ed25519(_) | Material::Rsa { .. } | Material::Secret(_) => {
            Err(new_error(ErrorKind::InvalidEcdsaKey))
        }
    })
}

fn ed_component_of_private_key(der: &[u8], curve: &EllipticCurve) -> Result<Vec<u8>> {
    if *curve != EllipticCurve::Ed25519 {
        return Err(new_error(ErrorKind::InvalidEddsaKey));
    }
    signing_key(Theirs::EdDSA, der)?.public(|material| match material {
        Material::Ed25519(x) => Ok(x.to_vec()),
        Material::Ec(..) | Material::Rsa { .. } | Material::Secret(_) => {
            Err(new_error(ErrorKind::InvalidEddsaKey))
        }
    })
}

fn compute_digest(data: &[u8], hash: ThumbprintHash) -> Result<Vec<u8>> {
    let hash = match hash {
        ThumbprintHash::SHA256 => Hash::Sha256,
        ThumbprintHash::SHA384 => Hash::Sha384,
        ThumbprintHash::SHA512 => Hash::Sha512,
        _ => return Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    };
    Ok(digest(hash, data))
}
