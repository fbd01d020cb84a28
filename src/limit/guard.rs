//! What stands before every check of a secret that people can remember or type.

mod builder;
mod reservation;
mod state;

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use builder::{GuardError, LoginGuardBuilder};
pub use reservation::Reservation;
use {
    reservation::{Counted, Dropped},
    state::{Pace, State},
};

use super::client_key;
use crate::{
    IpNet, Mono,
    crypto::{MacKey, random},
};

/// Slows guessing down: by account, by network, and by the pair of both.
///
/// An attempt is charged *before* it is checked, and given back when it was right. So parallel
/// guesses find no more room than one after the other: as long as no outcome is known, no more
/// than the free attempts are under way. From then on every failure doubles the delay, up to a
/// cap; one failure is forgotten after every so much time. A network, which many people share,
/// forgets as much faster as it has more free attempts.
///
/// - A success forgives what the same network did wrong on the same account, to the pair and to
///   the account, and nothing else: so nobody clears a network by logging in to an own account.
/// - Accounts are counted by the name that was given, whether or not there is such a user.
/// - A device that once logged in holds a cookie ([`device_cookie`](Self::device_cookie)) and is
///   counted by itself, so that a stranger's guesses cannot lock the owner out.
///
/// It has a fixed number of entries, an eighth of them for devices alone, each share behind one
/// lock that is held for the look-up of at most three: exact, and cheap beside any password hash.
/// When a share is full of entries that are not forgotten yet, whoever is not in it is denied:
/// forgetting a failure would be forgiving it. So strangers from however many networks fill their
/// own share and no more. An account's devices have sixteen entries at most, chosen by the
/// cookie, so that nobody fills the other share by logging in again and again; should it be full
/// all the same, a device that is not in it is counted like anybody. It counts for one process.
///
/// ```
/// use portcullis::{Mono, limit::{Login, LoginGuard, Verdict}};
///
/// let guard = LoginGuard::builder().attempts(2).start()?;
/// let (login, now) = (Login::new("alice").client("192.0.2.7".parse()?), Mono::from_nanos(0));
/// for _ in 0..2 {
///     let Verdict::Allow(attempt) = guard.reserve(&login, now) else { panic!("denied") };
///     attempt.failed();
/// }
/// let Verdict::Deny { retry_after } = guard.reserve(&login, now) else { panic!("allowed") };
/// assert_eq!(retry_after.as_secs(), 1);
/// assert!(matches!(guard.reserve(&login, now.saturating_add(retry_after)), Verdict::Allow(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a guard counts only the attempts it is asked about"]
pub struct LoginGuard(Arc<Inner>);

struct Inner {
    limits: Limits,
    key: MacKey,
    hashing: RandomState,
    strangers: Mutex<Table>,
    devices: Mutex<Table>,
}

/// How much is free, and how fast it comes back.
#[derive(Clone, Copy, Debug)]
struct Limits {
    pair: Pace,
    account: Pace,
    network: Pace,
    challenge: Option<u32>,
    entries: usize,
}

struct Table {
    states: HashMap<u64, State>,
    entries: usize,
    /// Until when it makes no sense to look for entries that are forgotten.
    full_until: Option<Mono>,
}

/// Somebody about to prove who they are.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    account: &'a str,
    client: Option<IpAddr>,
    device: Option<&'a str>,
    challenge: Challenged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenged {
    Not,
    Solved,
}

/// Whether an attempt may be made. There is no fourth answer.
#[derive(Debug)]
#[must_use = "an attempt is allowed, or it is not made"]
pub enum Verdict {
    /// It may; say how it ended.
    Allow(Reservation),
    /// It may once a challenge has been solved ([`Login::solved`]).
    Challenge {
        /// When it may without.
        retry_after: Duration,
    },
    /// It may not.
    Deny {
        /// When it may.
        retry_after: Duration,
    },
}

/// Of so many entries, one is for known devices.
const DEVICES_SHARE: usize = 8;

/// What a device's cookie is made of.
const DEVICE: &[u8] = b"portcullis device";

impl LoginGuard {
    /// A guard with usual numbers: see [`LoginGuardBuilder`].
    pub fn builder() -> LoginGuardBuilder {
        LoginGuardBuilder::default()
    }

    /// Charges an attempt, or says why it may not be made. What is denied is not charged.
    pub fn reserve(&self, login: &Login<'_>, now: Mono) -> Verdict {
        let counted = self.counted(login);
        let limits @ Limits { pair, challenge, .. } = &self.0.limits;
        let mut table = self.table(counted);
        let mut wait: Option<Duration> = None;
        let mut failures = 0;
        let mut newcomers = 0;
        for (key, pace) in counted.all(limits) {
            match table.states.get(&key) {
                Some(state) => {
                    wait = wait.max(state.wait(pace, now));
                    failures = failures.max(state.failures(pace, now));
                }
                None => newcomers += 1,
            }
        }
        if let Some(retry_after) = wait {
            return Verdict::Deny { retry_after };
        }
        let asked = challenge.is_some_and(|after| failures >= after);
        if asked && login.challenge == Challenged::Not {
            return Verdict::Challenge { retry_after: pair.forget };
        }
        if !table.has_room(newcomers, *pair, now) {
            if counted.known {
                drop(table);
                // Nobody is shut out for a cookie that others get without.
                return self.reserve(&Login { device: None, ..*login }, now);
            }
            return Verdict::Deny { retry_after: Duration::from_secs(1) };
        }
        for (key, _) in counted.all(limits) {
            table.states.entry(key).or_default().begin();
        }
        drop(table);
        let (guard, dropped) = (self.clone(), Dropped::Failed);
        Verdict::Allow(Reservation { guard, counted, now, dropped })
    }

    /// The value of a cookie to give to a device on which `account` has just logged in. Give it a
    /// long life, `HttpOnly`, `Secure`, and a name that starts with `__Host-`. It proves nobody;
    /// it keeps strangers from locking its account out. `None` when the system has no random
    /// bytes.
    #[must_use]
    pub fn device_cookie(&self, account: &str) -> Option<String> {
        let device = hex(&random::<16>()?);
        let code = hex(&self.0.key.sign(&[DEVICE, account.as_bytes(), device.as_bytes()]));
        Some(format!("{device}.{code}"))
    }

    /// Whether it ever asks for a challenge.
    #[cfg(feature = "password")]
    pub(crate) fn asks_for_challenges(&self) -> bool {
        self.0.limits.challenge.is_some()
    }

    /// Whether the cookie is one of this account's.
    fn knows(&self, account: &str, cookie: &str) -> bool {
        let Some((device, code)) = cookie.split_once('.') else { return false };
        // Its length is checked before anything is computed.
        let fits = device.len() == 32 && code.len() == 64;
        let parts: [&[u8]; 3] = [DEVICE, account.as_bytes(), device.as_bytes()];
        fits && same(hex(&self.0.key.sign(&parts)).as_bytes(), code.as_bytes())
    }

    fn counted(&self, login: &Login<'_>) -> Counted {
        let name = login.account;
        let hash = |kind: u8, net: Option<IpNet>, device: Option<&str>| {
            self.0.hashing.hash_one((kind, name, net, device))
        };
        if let Some(cookie) = login.device.filter(|cookie| self.knows(name, cookie)) {
            // The first digit of sixteen.
            let own = hash(0, None, cookie.get(..1));
            return Counted { known: true, own, account: None, network: None };
        }
        let net = login.client.map(client_key);
        let own = hash(1, net, None);
        let whole = self.0.hashing.hash_one((3_u8, net));
        Counted {
            known: false,
            own,
            account: Some(hash(2, None, None)),
            network: net.map(|_| whole),
        }
    }

    /// The share that has the entries of an attempt.
    fn table(&self, counted: Counted) -> MutexGuard<'_, Table> {
        let share = if counted.known { &self.0.devices } else { &self.0.strangers };
        // Nothing panics while it is held.
        share.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Login<'a> {
    /// At this account: the name under which its store knows it, so that no other spelling is
    /// another account. Where one guard counts several secrets of an account, such as passwords
    /// and codes, say which: a success with one would forgive the failures with another.
    #[must_use]
    pub const fn new(account: &'a str) -> Self {
        Self { account, client: None, device: None, challenge: Challenged::Not }
    }

    /// From this address. Without one, all who have none are one network to the account.
    #[must_use]
    pub const fn client(mut self, address: IpAddr) -> Self {
        self.client = Some(address);
        self
    }

    /// With this [device cookie](LoginGuard::device_cookie). One that is not this account's does
    /// not matter.
    #[must_use]
    pub const fn device(mut self, cookie: &'a str) -> Self {
        self.device = Some(cookie);
        self
    }

    /// By somebody who has just solved a challenge. Delays hold all the same.
    #[must_use]
    pub const fn solved(mut self) -> Self {
        self.challenge = Challenged::Solved;
        self
    }
}

impl Table {
    fn of(entries: usize) -> Mutex<Self> {
        Mutex::new(Self { states: HashMap::new(), entries, full_until: None })
    }

    /// Whether so many more entries fit, without forgetting what is not to be forgotten: none is
    /// forgotten later than by this pace.
    fn has_room(&mut self, newcomers: usize, slowest: Pace, now: Mono) -> bool {
        let fits = |table: &Self| table.states.len().saturating_add(newcomers) <= table.entries;
        if fits(self) {
            return true;
        }
        // Looking through all of it, for every attempt of a flood, would be a flood's wish.
        if self.full_until.is_some_and(|until| now < until) {
            return false;
        }
        self.states.retain(|_, state| !state.is_blank(slowest, now));
        self.full_until = Some(now.saturating_add(Duration::from_secs(1)));
        fits(self)
    }
}

/// Whether two codes are the same, in a time that does not say where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    bool::from(subtle::ConstantTimeEq::ct_eq(one, other))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Without the cookie: who holds it is counted as its device.
impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("account", &self.account)
            .field("client", &self.client)
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LoginGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginGuard").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
