//! Stored hashes of passwords: what is run of them, and what a no costs. The input is the stored
//! text; the password is always the same.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use portcullis::{
    AuthnErrorKind, Secret,
    authn::password::{Cost, Hasher, Match},
};

use super::plain;

/// The password that is tried.
pub const PASSWORD: &[u8] = b"correct horse battery staple";

/// The dearest stored hash that is verified: 32 KiB and 3 passes.
const MEMORY: u32 = 32;
const WORK: u64 = 96;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let known = read(text).filter(|stored| stored.memory <= MEMORY && stored.work() <= WORK);
    let before = (HASHER.hashes(), HASHER.work());
    let found = plain::block_on(HASHER.verify(&Secret::new(PASSWORD), Some(text)));
    let (hashes, work) = (HASHER.hashes() - before.0, HASHER.work() - before.1);

    let right = known.as_ref().is_some_and(|stored| stored.of(PASSWORD) == stored.hash);
    let found = match found {
        Ok(Match::Current) => Ok(None),
        Ok(Match::Renewed(text)) => Ok(Some(text)),
        Err(error) => Err((error.kind(), error.detail())),
    };
    let detail = match &known {
        Some(_) => "the password is wrong",
        None => "the stored hash cannot be used",
    };
    match (&known, found) {
        (Some(stored), Ok(renewed)) => {
            assert!(right, "a wrong password");
            assert_eq!(renewed.is_some(), stored.is_weak());
            assert!(renewed.is_none_or(|text: String| {
                read(&text).is_some_and(|new| !new.is_weak() && new.of(PASSWORD) == new.hash)
            }));
        }
        (_, found) => {
            assert_eq!(found.err(), Some((AuthnErrorKind::Invalid, detail)));
            assert!(!right, "the right password is refused");
            // The bounds hold for all that was run, and a no always costs the same.
            assert!((1..=2).contains(&hashes) && (WORK - 8..=WORK).contains(&work), "{work}");
        }
    }
    known.is_some()
}

/// A stored hash, read plainly.
struct Stored {
    algorithm: Algorithm,
    version: Version,
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

fn read(text: &str) -> Option<Stored> {
    let mut parts: Vec<&str> = text.split('$').collect();
    if text.len() > 256 || parts.first() != Some(&"") {
        return None;
    }
    if parts.len() == 5 {
        parts.insert(2, "v=16");
    }
    let [_, algorithm, version, costs, salt, hash] = parts[..] else { return None };
    let costs: Vec<&str> = costs.split(',').collect();
    let [memory, passes, lanes] = costs[..] else { return None };
    let stored = Stored {
        algorithm: [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id]
            .into_iter()
            .find(|known| known.as_str() == algorithm)?,
        version: match version {
            "v=16" => Version::V0x10,
            "v=19" => Version::V0x13,
            _ => return None,
        },
        memory: number(memory, "m=")?,
        passes: number(passes, "t=")?,
        lanes: number(lanes, "p=")?,
        salt: STANDARD_NO_PAD.decode(salt).ok()?,
        hash: STANDARD_NO_PAD.decode(hash).ok()?,
    };
    let fits = (8..=1 << 20).contains(&stored.memory)
        && (1..=10).contains(&stored.passes)
        && (1..=16).contains(&stored.lanes)
        && stored.memory >= 8 * stored.lanes
        && (8..=48).contains(&stored.salt.len())
        && (16..=64).contains(&stored.hash.len());
    fits.then_some(stored)
}

fn number(text: &str, name: &str) -> Option<u32> {
    let number: u32 = text.strip_prefix(name)?.parse().ok()?;
    (text == format!("{name}{number}")).then_some(number)
}

impl Stored {
    fn work(&self) -> u64 {
        u64::from(self.memory) * u64::from(self.passes)
    }

    /// Whether new hashes, of 8 KiB and 1 pass, are stronger in some way.
    fn is_weak(&self) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.salt.len() < 16
            || self.hash.len() < 32
    }

    fn of(&self, password: &[u8]) -> Vec<u8> {
        let mut hash = vec![0; self.hash.len()];
        let params = Params::new(self.memory, self.passes, self.lanes, Some(hash.len()));
        let argon2 = Argon2::new(self.algorithm, self.version, params.expect("within bounds"));
        argon2.hash_password_into(password, &self.salt, &mut hash).expect("within bounds");
        hash
    }
}

static HASHER: LazyLock<Hasher> = LazyLock::new(|| {
    let cost = |memory, passes| Cost::insecure_new(memory, passes, 1).expect("cheap");
    let hasher = Hasher::with_threads(1).cost(cost(8, 1)).stored_up_to(cost(MEMORY, 3));
    hasher.start().expect("a thread and 32 KiB")
});
