//! When to fetch, and what a fetch changes: no clock, no lock, no I/O.

use std::{collections::VecDeque, mem, sync::Arc, time::Duration};

use super::{
    FetchError, FetchRequest, RemoteSet, RemoteSetError,
    config::At,
    request::{Asked, Reading},
};
use crate::{KeySet, Mono, Now, UnixTime};

/// So many unknown `kid`s are remembered until the next fetch, and so many afterwards.
const MAX_ASKED: usize = 16;
const MAX_ABSENT: usize = 64;
/// A longer `kid` is nobody's.
const MAX_KID: usize = 128;
/// A fetch that was never answered counts as lost after so many time-outs.
const LOST: u32 = 4;

/// What is known of a `kid` that a verifier did not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// The set was asked for since it was first seen, and lacks it.
    Absent,
    /// A fetch will tell, after about this time.
    Pending(Duration),
}

#[derive(Debug)]
pub(super) struct Machine {
    config: RemoteSet,
    held: Option<Held>,
    /// Where discovery found the keys, and when.
    located: Option<(String, Mono)>,
    flight: Option<Flight>,
    flights: u64,
    /// When the last fetch was begun.
    begun: Option<Now>,
    /// When the next one is to be, unknown `kid`s aside.
    due: Mono,
    asked: Vec<Box<str>>,
    absent: VecDeque<Box<str>>,
    pub(super) failures: u32,
    pub(super) error: Option<FetchError>,
    random: u64,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) keys: Arc<KeySet>,
    digest: [u8; 32],
    etag: Option<Box<str>>,
    sequence: Option<u64>,
    /// When the server was asked that answered with it, or that it had not changed.
    pub(super) asked: Now,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    begun: Now,
    lost: Mono,
    asked: Vec<Box<str>>,
}

impl Machine {
    /// Fetches at once at first; `random` spreads the later fetches.
    pub(super) fn new(config: RemoteSet, random: u64) -> Result<Self, RemoteSetError> {
        config.check()?;
        Ok(Self {
            config,
            held: None,
            located: None,
            flight: None,
            flights: 0,
            begun: None,
            due: Mono::from_nanos(0),
            asked: Vec::new(),
            absent: VecDeque::new(),
            failures: 0,
            error: None,
            random: random | 1,
        })
    }

    /// What there is, of whatever age.
    pub(super) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// The keys that count at `now`, and until when they do: by the clock that nobody can step,
    /// and by the one that verifiers have.
    pub(super) fn valid(&self, now: Mono) -> Option<(Arc<KeySet>, UnixTime)> {
        let max_stale = self.config.max_stale;
        let held = self.held.as_ref().filter(|held| since(now, held.asked.mono) < max_stale)?;
        Some((Arc::clone(&held.keys), held.asked.wall.saturating_add(max_stale)))
    }

    /// The fetch to make now; none while one is under way.
    pub(super) fn need_fetch(&mut self, now: Now) -> Option<FetchRequest> {
        if !self.wait(now.mono).is_zero() {
            return None;
        }
        // What a lost fetch was to answer is asked again.
        if let Some(lost) = self.flight.take() {
            self.ask_again(lost.asked);
        }
        self.flights += 1;
        self.begun = Some(now);
        self.flight = Some(Flight {
            number: self.flights,
            begun: now,
            lost: now.mono.saturating_add(self.config.timeout.saturating_mul(LOST)),
            asked: mem::take(&mut self.asked),
        });
        Some(self.request(now.mono))
    }

    fn request(&self, now: Mono) -> FetchRequest {
        let known = |(url, found): &(String, Mono)| {
            (since(now, *found) < self.config.max_stale).then(|| url.clone())
        };
        let (url, about) = match &self.config.at {
            At::Address(url) => (url.clone(), Asked::Keys),
            At::Issuer(issuer, discovery) => match self.located.as_ref().and_then(known) {
                Some(url) => (url, Asked::Keys),
                None => {
                    (discovery.url(issuer).unwrap_or_default(), Asked::Location(issuer.clone()))
                }
            },
        };
        let held = self.held.as_ref().filter(|_| matches!(about, Asked::Keys));
        FetchRequest {
            number: self.flights,
            url,
            about,
            etag: held.and_then(|held| held.etag.clone()),
            timeout: self.config.timeout,
            outbound: self.config.outbound.clone(),
            loader: self.config.loader,
        }
    }

    /// How long until [`need_fetch`](Self::need_fetch) has something to do, if nothing happens.
    pub(super) fn wait(&self, now: Mono) -> Duration {
        if let Some(flight) = &self.flight {
            return since(flight.lost, now);
        }
        let cooled = self.begun.map(|begun| begun.mono.saturating_add(self.config.cooldown));
        let wanted = cooled.filter(|_| !self.asked.is_empty() && self.held.is_some());
        since(wanted.map_or(self.due, |wanted| wanted.min(self.due)), now)
    }

    /// What came of fetch `number`. An answer that comes too late, when another fetch was begun,
    /// is not heard.
    pub(super) fn apply(&mut self, now: Now, number: u64, reading: Reading) {
        let Some(flight) = self.flight.take_if(|flight| flight.number == number) else { return };
        match reading {
            Reading::Located(url) => {
                self.located = Some((url, flight.begun.mono));
                self.due = now.mono;
                self.ask_again(flight.asked);
            }
            Reading::Keys { sequence, .. } if self.outdates(now.mono, sequence) => {
                self.fail(now, flight, FetchError::Outdated);
            }
            Reading::Keys { keys, digest, etag, max_age, sequence } => {
                let same = self.held.take().filter(|held| held.digest == digest);
                if same.is_none() {
                    self.absent.clear();
                }
                let keys = same.map_or_else(|| Arc::new(keys), |held| held.keys);
                self.held = Some(Held { keys, digest, etag, sequence, asked: flight.begun });
                self.succeed(flight, max_age);
            }
            Reading::Unchanged { max_age } => match &mut self.held {
                Some(held) if held.etag.is_some() => {
                    held.asked = flight.begun;
                    self.succeed(flight, max_age);
                }
                _ => self.fail(now, flight, FetchError::Garbage),
            },
            Reading::Failed(error) => self.fail(now, flight, error),
        }
    }

    /// Whether what is held counts still, and is newer than what has this number.
    fn outdates(&self, now: Mono, sequence: Option<u64>) -> bool {
        let held = self.held.as_ref().filter(|_| self.valid(now).is_some());
        held.and_then(|held| held.sequence).is_some_and(|ours| sequence.is_some_and(|it| it < ours))
    }

    fn succeed(&mut self, flight: Flight, max_age: Option<Duration>) {
        self.failures = 0;
        self.error = None;
        let most = self.config.every;
        let fresh = max_age.map_or(most, |age| age.max(self.config.cooldown).min(most));
        let ahead = (fresh / 5).mul_f64(self.fraction());
        self.due = flight.begun.mono.saturating_add(fresh.saturating_sub(ahead));
        for kid in flight.asked {
            if self.has(&kid) {
                continue;
            }
            if self.absent.len() == MAX_ABSENT {
                self.absent.pop_front();
            }
            self.absent.push_back(kid);
        }
    }

    fn fail(&mut self, now: Now, flight: Flight, error: FetchError) {
        let doubled = self.config.retry.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error);
        self.located = None;
        let most = self.config.cooldown.max(self.config.retry).min(self.config.every);
        let wait = doubled.min(most);
        let wait = wait.saturating_sub((wait / 5).mul_f64(self.fraction()));
        self.due = now.mono.saturating_add(wait);
        self.ask_again(flight.asked);
    }

    /// A verifier found no key of this name. Only a `kid` that is news brings a fetch forward.
    pub(super) fn miss(&mut self, kid: &str, now: UnixTime) -> Missed {
        if self.has(kid) {
            // It has come since the verifier looked.
            return Missed::Pending(Duration::ZERO);
        }
        if kid.len() > MAX_KID || self.absent.iter().any(|absent| **absent == *kid) {
            return Missed::Absent;
        }
        let flying =
            self.flight.as_ref().is_some_and(|flight| flight.asked.iter().any(|k| **k == *kid));
        if !flying
            && !self.asked.iter().any(|asked| **asked == *kid)
            && self.asked.len() < MAX_ASKED
        {
            self.asked.push(kid.into());
        }
        let cooled = self.begun.map(|begun| begun.wall.saturating_add(self.config.cooldown));
        let left = cooled.map_or(0, |cooled| cooled.as_millis().saturating_sub(now.as_millis()));
        Missed::Pending(Duration::from_millis(left).min(self.config.cooldown))
    }

    fn ask_again(&mut self, kids: Vec<Box<str>>) {
        for kid in kids {
            if self.asked.len() < MAX_ASKED && !self.asked.contains(&kid) {
                self.asked.push(kid);
            }
        }
    }

    fn has(&self, kid: &str) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| held.keys.keys().iter().any(|key| key.kid() == Some(kid)))
    }

    /// From 0 to 1. Spreads fetches; nothing depends on nobody guessing it (xorshift64).
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// From `earlier` to `later`; nothing when it is the other way round.
pub(super) fn since(later: Mono, earlier: Mono) -> Duration {
    Duration::from_nanos(later.as_nanos().saturating_sub(earlier.as_nanos()))
}

#[cfg(test)]
mod tests;
