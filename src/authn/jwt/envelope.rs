//! The first half of every verification: size, form, header, key and signature.

use super::{
    compact::{Buffer, Compact},
    header::{Header, Types},
    invalid,
    json::Document,
    source::Keys,
    unverified::Unverified,
};
use crate::{UnixTime, authn::AuthnError, crypto::Algorithm};

/// A token longer than this is not looked at, unless said otherwise.
const DEFAULT_MAX_BYTES: usize = 8 * 1024;

/// What is demanded of a token before its payload is read.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) types: Types,
    pub(super) keys: Keys,
    pub(super) max_bytes: usize,
}

impl Envelope {
    pub(super) fn new(types: Types, keys: Keys) -> Self {
        Self { types, keys, max_bytes: DEFAULT_MAX_BYTES }
    }

    /// Takes `token` apart, and believes nothing of it.
    pub(super) fn open<'t>(
        &self,
        token: &'t str,
        buffer: &'t mut Buffer,
    ) -> Result<Compact<'t>, AuthnError> {
        Compact::parse(token, self.max_bytes, buffer)
    }

    /// Checks header and signature; hands back what it was signed with. From then on the payload
    /// is what the owner of the key has signed as a token of one of these types.
    /// Where its key is not at hand, keys that are fetched are looked for again, if it says that
    /// it is from `issuer`, or names none and `issuer` is empty.
    pub(super) fn verify(
        &self,
        token: &Compact<'_>,
        issuer: &str,
        now: UnixTime,
    ) -> Result<Algorithm, AuthnError> {
        let keys = self.keys.load(now)?;
        let mut document;
        let (key, typ, known) = match keys.known(token.header_sent) {
            Some((key, typ)) => (key, typ, true),
            None => {
                document = Document::default();
                let header = Header::read(token.header, &mut document)?;
                let ours = || Unverified::read(token.payload).iss.unwrap_or_default() == issuer;
                let key = keys.find(header.kid, header.alg).map_err(|error| match header.kid {
                    Some(kid) if ours() => self.keys.missed(&keys, kid, now, error),
                    _ => error,
                })?;
                (key, header.typ, false)
            }
        };
        self.types.check(typ)?;
        let forged = invalid("the signature is not the key's");
        key.verify(token.signed, token.signature).map_err(|_| forged)?;
        if !known {
            keys.learn(key, token.header_sent, typ);
        }
        Ok(key.algorithm())
    }
}
