//! SHA-2, for the hashes in ID tokens and the provider offered to `jsonwebtoken`.

use ring::digest;

pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The digest of `data` (FIPS 180-4).
pub(crate) fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, data).as_ref().to_vec()
}
