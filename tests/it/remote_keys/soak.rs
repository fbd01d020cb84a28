//! Keys that rotate every second, from a server that fails half of the time.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    thread,
};

use portcullis::Mono;

use super::*;

/// How long the soak runs, in seconds, where the variable does not say otherwise.
const SECS: u64 = 60;
const VARIABLE: &str = "PORTCULLIS_SOAK_SECS";

const ROUND: Duration = Duration::from_secs(1);
/// A withdrawn key counts no longer than this, and each is away for twice a round.
const BOUND: Duration = Duration::from_millis(1_500);

/// One of the keys, which come and go in turn.
struct Turn {
    issuer: Issuer,
    /// How often it was published, and how often withdrawn.
    published: AtomicU64,
    withdrawn: AtomicU64,
    /// When it was withdrawn last; never while it is being withdrawn.
    withdrawn_at: AtomicU64,
    /// The last publication in which it was taken.
    known: AtomicU64,
}

/// What an observer knows of a key before and after looking at a token of it.
struct Seen {
    published: u64,
    withdrawn: u64,
    known: bool,
}

impl Turn {
    fn new(algorithm: Algorithm) -> Self {
        Self {
            issuer: Issuer::new(ISSUER).with_algorithm(algorithm),
            published: AtomicU64::new(0),
            withdrawn: AtomicU64::new(0),
            withdrawn_at: AtomicU64::new(0),
            known: AtomicU64::new(0),
        }
    }

    fn seen(&self) -> Seen {
        // Withdrawals first: one that is missed is then one that came later.
        let withdrawn = self.withdrawn.load(SeqCst);
        let published = self.published.load(SeqCst);
        Seen { published, withdrawn, known: self.known.load(SeqCst) == published }
    }

    /// Looks at one token; says whether it was taken.
    fn look(&self, verifier: &JwtVerifier) -> bool {
        let (before, begun) = (self.seen(), clock::mono());
        let refused = kind(verifier, &self.issuer);
        let after = self.seen();
        if (before.published, before.withdrawn) != (after.published, after.withdrawn) {
            return refused.is_none();
        }
        if before.published > before.withdrawn {
            assert!(!before.known || refused.is_none(), "a known key is refused: {refused:?}");
            if refused.is_none() {
                self.known.fetch_max(before.published, SeqCst);
            }
        } else if before.withdrawn > 0 {
            let since = Mono::from_nanos(self.withdrawn_at.load(SeqCst));
            let over = begun > since.saturating_add(BOUND);
            assert!(!over || refused.is_some(), "withdrawn, and taken past the bound");
        }
        refused.is_none()
    }
}

#[test]
#[ignore = "runs for a minute: cargo test --all-features --test it -- --ignored soak"]
fn soak_keys_rotate_every_second_while_half_of_the_fetches_fail() {
    let secs = env::var(VARIABLE).map_or(SECS, |secs| secs.parse().unwrap());
    let turns = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es384, Algorithm::Ps256];
    let turns = turns.map(Turn::new);
    let at = |round: u64| &turns[(round % 4) as usize];
    // The key that signs in this round, and the one of the next.
    let set = |round: u64| server::union(&at(round).issuer.jwks(), &at(round + 1).issuer.jwks());
    let server = Server::start(Behaviour::Flaky(set(0)));
    at(0).published.store(1, SeqCst);
    at(1).published.store(1, SeqCst);
    let remote = hurried(RemoteSet::at(server.url("/keys"))).every(millis(100)).max_stale(BOUND);
    let keys = RemoteKeys::new(remote.retry(millis(10))).unwrap();
    let _refresher = Refresher::start(&keys).unwrap();
    keys.ready(LONG).unwrap();
    let verifier = verifier(&keys);
    let end = clock::mono().saturating_add(Duration::from_secs(secs));
    let (taken, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while clock::mono() < end {
                    for turn in &turns {
                        let count = if turn.look(&verifier) { &taken } else { &refused };
                        count.fetch_add(1, SeqCst);
                    }
                }
            });
        }
        for round in 1..secs {
            thread::sleep(ROUND);
            let (gone, new) = (at(round - 1), at(round + 1));
            assert!(at(round).seen().known, "a key comes a second before it signs");
            // First what observers then no longer count on, last what they count on from then on.
            gone.withdrawn_at.store(u64::MAX, SeqCst);
            gone.withdrawn.fetch_add(1, SeqCst);
            new.published.fetch_add(1, SeqCst);
            server.behave(Behaviour::Flaky(set(round)));
            gone.withdrawn_at.store(clock::mono().as_nanos(), SeqCst);
        }
    });
    let count = |of: &AtomicU64| of.load(SeqCst);
    println!("{} taken, {} refused, {} fetches", count(&taken), count(&refused), server.requests());
}
