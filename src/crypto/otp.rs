//! HMAC for one-time codes.

use ring::hmac;

/// Which hash the codes are made with (RFC 6238 section 1.2).
#[derive(Clone, Copy, Debug)]
pub(crate) enum OtpMac {
    Sha1,
    Sha256,
    Sha512,
}

/// The HMAC of `counter` as eight bytes, most significant first (RFC 4226 section 5.2).
pub(crate) fn otp_mac(mac: OtpMac, secret: &[u8], counter: u64) -> hmac::Tag {
    let algorithm = match mac {
        // Collisions of SHA-1 do not touch its HMAC (RFC 4226 appendix B.2), and it is the one
        // hash that every authenticator app computes.
        OtpMac::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        OtpMac::Sha256 => hmac::HMAC_SHA256,
        OtpMac::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, secret), &counter.to_be_bytes())
}
