//! The keys of a trust domain, as it publishes them (SPIFFE Trust Domain and Bundle section 4).

use std::time::Duration;

use crate::{
    KeySet,
    authn::jwt::{
        KeySetError,
        json::{Document, Value},
        jwks::MAX_VALUES,
    },
};

/// The bundle of a trust domain: the keys of its JWT-SVIDs, and what it says of the next bundle.
///
/// Read by [`Loader::spiffe_bundle`](crate::authn::jwt::Loader::spiffe_bundle), and for
/// [`RemoteSet::spiffe_bundle`](crate::authn::jwt::RemoteSet::spiffe_bundle) by itself.
///
/// ```
/// use portcullis::authn::jwt::{Loader, profile::JwtSvids};
///
/// let bundle = Loader::new().spiffe_bundle(r#"{
///     "spiffe_sequence": 7, "spiffe_refresh_hint": 300, "keys": [
///     {"use": "x509-svid", "kty": "EC", "crv": "P-256", "x": "", "y": "", "x5c": ["MIIB"]},
///     {"use": "jwt-svid", "kty": "EC", "kid": "k1", "crv": "P-256",
///      "x": "fK-wKTnKL7KFLM27lqq5DC-bxrVaH6rDV-IcCSEOeL4",
///      "y": "wq-g3TQWxYlV51TCPH030yXsRxvujD4hUUaIQrXk4KI"}]}"#)?;
/// assert_eq!((bundle.sequence(), bundle.refresh_hint().map(|hint| hint.as_secs())),
///     (Some(7), Some(300)));
/// assert_eq!((bundle.keys().keys().len(), bundle.keys().skipped().len()), (1, 0));
///
/// let workloads = JwtSvids::new("workloads", "prod.example", "orders", bundle.into_keys());
/// # Ok::<(), portcullis::authn::jwt::KeySetError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpiffeBundle {
    keys: KeySet,
    sequence: Option<u64>,
    refresh_hint: Option<Duration>,
}

/// Of a set that says no more than its keys.
impl From<KeySet> for SpiffeBundle {
    fn from(keys: KeySet) -> Self {
        Self { keys, sequence: None, refresh_hint: None }
    }
}

impl SpiffeBundle {
    /// What `document` says besides the keys, which were read from it.
    pub(in crate::authn::jwt) fn new(document: &[u8], keys: KeySet) -> Result<Self, KeySetError> {
        let mut room = Document::default();
        let root = room.read(document, MAX_VALUES).map_err(KeySetError::NotAKeySet)?;
        let number = |name, otherwise| match root.member(name).map(Value::integer) {
            None => Ok(None),
            Some(number) => match number.map(u64::try_from) {
                Some(Ok(number)) => Ok(Some(number)),
                Some(Err(_)) | None => Err(KeySetError::NotAKeySet(otherwise)),
            },
        };
        let sequence = number("spiffe_sequence", "`spiffe_sequence` is not a whole number")?;
        let hint = number("spiffe_refresh_hint", "`spiffe_refresh_hint` is not a whole number")?;
        Ok(Self { keys, sequence, refresh_hint: hint.map(Duration::from_secs) })
    }

    /// The keys of its JWT-SVIDs. There may be none: then the trust domain has withdrawn all, or
    /// issues no JWT-SVIDs, and every one is refused.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The keys, to verify with.
    #[must_use]
    pub fn into_keys(self) -> KeySet {
        self.keys
    }

    /// A number that grows with every change of the bundle: of two, the one with the lower number
    /// is out of date.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// How often to ask for the bundle again; every five minutes are a good measure where it does
    /// not say.
    #[must_use]
    pub fn refresh_hint(&self) -> Option<Duration> {
        self.refresh_hint
    }
}
