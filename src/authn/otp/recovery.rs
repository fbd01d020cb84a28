//! Codes for the day on which the app is lost.

mod memory;

use std::{fmt, sync::Arc};

pub use memory::MemoryRecovery;

use super::{UNAVAILABLE, account, base32, unavailable};
use crate::{
    SecretText,
    authn::{Answer, AuthnError, AuthnErrorKind},
    crypto::{random, sha256},
};

/// Issues recovery codes and takes each once.
///
/// A code has 120 random bits, so its SHA-256 is enough to store and one look-up to check
/// (a slow hash would be asked once per stored code, and be a way to keep the service busy).
///
/// ```
/// use portcullis::authn::otp::{MemoryRecovery, Recovery};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::AuthnError> {
/// let recovery = Recovery::new(MemoryRecovery::new(10_000));
/// let codes = recovery.issue("staff/alice").await?; // shown once
/// assert_eq!(codes.len(), 10);
///
/// let typed = codes[0].expose().to_lowercase();
/// assert_eq!(recovery.redeem("staff/alice", &typed).await?, 9);
/// assert!(recovery.redeem("staff/alice", &typed).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recovery {
    store: Arc<dyn RecoveryStore>,
}

/// Keeps what is left of every account's codes, as hashes.
pub trait RecoveryStore: fmt::Debug + Send + Sync + 'static {
    /// Makes `hashes` the codes of `account`; those it had count no longer.
    fn replace(&self, account: &str, hashes: Vec<RecoveryHash>) -> Answer<()>;

    /// Removes `hash` from the codes of `account`, in **one** atomic operation: of two calls with
    /// the same one, one finds it. Hands back how many are left if it was there.
    fn take(&self, account: &str, hash: &RecoveryHash) -> Answer<Option<usize>>;

    /// How many codes of `account` are left.
    fn left(&self, account: &str) -> Answer<usize>;
}

/// The SHA-256 of a recovery code: what a store keeps instead of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecoveryHash([u8; 32]);

impl Recovery {
    /// Keeps hashes in `store`.
    #[must_use]
    pub fn new(store: impl RecoveryStore) -> Self {
        Self { store: Arc::new(store) }
    }

    /// Ten new codes for `account` (a principal's id), to be shown once. Its old ones count no
    /// longer.
    ///
    /// # Errors
    /// `Unavailable` when the store fails or the system has no random bytes.
    pub async fn issue(&self, account: &str) -> Result<Vec<SecretText>, AuthnError> {
        let name = self::account(account)?;
        let codes: Vec<_> = (0..CODES).map(|_| new_code()).collect::<Result<_, _>>()?;
        let hashes = codes.iter().map(RecoveryHash::of).collect();
        self.store.replace(name, hashes).await.map_err(unavailable)?;
        Ok(codes.iter().map(shown).collect())
    }

    /// Takes `code` for `account` and says how many are left: tell the user, and urge for new
    /// ones when they run out. Hyphens, spaces and case do not matter.
    ///
    /// # Errors
    /// `Malformed` for what is no code, `Invalid` for one that is not, or no longer, the
    /// account's, `Unavailable` when the store cannot say.
    pub async fn redeem(&self, account: &str, code: &str) -> Result<usize, AuthnError> {
        let name = self::account(account)?;
        let malformed = AuthnError::new(AuthnErrorKind::Malformed, "that is no recovery code");
        let hash = read(code).ok_or(malformed)?;
        let left = self.store.take(name, &hash).await.map_err(unavailable)?;
        left.ok_or(AuthnError::new(AuthnErrorKind::Invalid, "no such recovery code is left"))
    }

    /// How many codes of `account` are left.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot say.
    pub async fn left(&self, account: &str) -> Result<usize, AuthnError> {
        self.store.left(self::account(account)?).await.map_err(unavailable)
    }
}

impl RecoveryHash {
    /// From what a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of a code in capitals without hyphens.
    fn of(code: &SecretText) -> Self {
        Self(sha256(code.expose().as_bytes()))
    }
}

impl fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryHash(***)")
    }
}

fn new_code() -> Result<SecretText, AuthnError> {
    let bytes = zeroize::Zeroizing::new(random::<15>().ok_or(UNAVAILABLE)?);
    Ok(SecretText::new(base32::encode(&*bytes)))
}

/// In six groups of four.
fn shown(code: &SecretText) -> SecretText {
    let mut text = String::with_capacity(LETTERS + LETTERS / 4);
    for (index, letter) in code.expose().chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    SecretText::new(text)
}

fn read(text: &str) -> Option<RecoveryHash> {
    if text.len() > 2 * LETTERS {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let letters = text.chars().filter(|letter| !matches!(letter, '-' | ' '));
    plain.extend(letters.map(|letter| letter.to_ascii_uppercase()));
    let plain = SecretText::new(plain);
    let fits = plain.expose().len() == LETTERS && base32::decode(plain.expose()).is_some();
    fits.then(|| RecoveryHash::of(&plain))
}

const CODES: usize = 10;

/// Of base32, for 120 bits. From 112 bits on a fast hash is enough.
const LETTERS: usize = 24;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::authn::{StoreError, store::at_once};

    fn recovery() -> Recovery {
        Recovery::new(MemoryRecovery::new(10))
    }

    fn redeem(recovery: &Recovery, account: &str, code: &str) -> Result<usize, AuthnErrorKind> {
        at_once(recovery.redeem(account, code)).map_err(AuthnError::kind)
    }

    #[test]
    fn ten_codes_of_120_bits_each_taken_once_and_counted() {
        let recovery = recovery();
        let codes = at_once(recovery.issue("a")).unwrap();
        let texts: BTreeSet<_> = codes.iter().map(|code| code.expose()).collect();
        assert_eq!(texts.len(), 10);
        for (index, code) in codes.iter().enumerate() {
            assert_eq!((code.expose().len(), code.expose().split('-').count()), (29, 6));
            assert_eq!(redeem(&recovery, "b", code.expose()), Err(AuthnErrorKind::Invalid));
            assert_eq!(redeem(&recovery, "a", code.expose()), Ok(9 - index));
            assert_eq!(redeem(&recovery, "a", code.expose()), Err(AuthnErrorKind::Invalid));
            assert_eq!(at_once(recovery.left("a")), Ok(9 - index));
        }
    }

    #[test]
    fn new_codes_end_the_old_ones() {
        let recovery = recovery();
        let old = at_once(recovery.issue("a")).unwrap();
        let new = at_once(recovery.issue("a")).unwrap();
        assert_eq!(redeem(&recovery, "a", old[0].expose()), Err(AuthnErrorKind::Invalid));
        assert_eq!(redeem(&recovery, "a", new[0].expose()), Ok(9));
    }

    #[test]
    fn codes_are_read_as_people_type_them_and_no_other_way() {
        let recovery = recovery();
        let codes = at_once(recovery.issue("a")).unwrap();
        let typed = codes[0].expose().to_lowercase().replace('-', " ");
        assert_eq!(redeem(&recovery, "a", &typed), Ok(9));
        assert_eq!(redeem(&recovery, "a", &codes[1].expose().replace('-', "")), Ok(8));
        let cut = codes[2].expose().strip_suffix(|_: char| true).unwrap();
        let long = codes[2].expose().repeat(1000);
        for text in ["", cut, &long, "1111-1111-1111-1111-1111-1111", &"Ü".repeat(24)] {
            assert_eq!(redeem(&recovery, "a", text), Err(AuthnErrorKind::Malformed), "{text}");
        }
    }

    #[test]
    fn attack_64_threads_race_one_code() {
        let recovery = recovery();
        let codes = at_once(recovery.issue("a")).unwrap();
        for (round, code) in codes.iter().enumerate() {
            let start = std::sync::Barrier::new(64);
            let race = || {
                start.wait();
                redeem(&recovery, "a", code.expose())
            };
            let results: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..64).map(|_| scope.spawn(race)).collect();
                threads.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let won: Vec<_> = results.into_iter().flatten().collect();
            assert_eq!(won, [9 - round]);
        }
    }

    #[test]
    fn a_store_that_fails_is_unavailable_and_shows_no_codes() {
        #[derive(Debug)]
        struct Down;
        impl RecoveryStore for Down {
            fn replace(&self, _: &str, _: Vec<RecoveryHash>) -> Answer<()> {
                Answer::failed(StoreError)
            }
            fn take(&self, _: &str, _: &RecoveryHash) -> Answer<Option<usize>> {
                Answer::failed(StoreError)
            }
            fn left(&self, _: &str) -> Answer<usize> {
                Answer::failed(StoreError)
            }
        }
        let down = Recovery::new(Down);
        assert_eq!(at_once(down.issue("a")).unwrap_err().kind(), AuthnErrorKind::Unavailable);
        let code = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
        assert_eq!(redeem(&down, "a", code), Err(AuthnErrorKind::Unavailable));
    }

    #[test]
    fn debug_shows_no_code_and_no_hash() {
        let recovery = recovery();
        let codes = at_once(recovery.issue("a")).unwrap();
        assert_eq!(format!("{:?}", codes[0]), "SecretText(29 bytes)");
        assert_eq!(format!("{:?}", read(codes[0].expose()).unwrap()), "RecoveryHash(***)");
        assert_eq!(format!("{recovery:?}"), "Recovery { store: MemoryRecovery { .. } }");
    }
}
