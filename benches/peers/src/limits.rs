//! Limits by key, all keys known and in debt, every call admitted.
//!
//! The reference is governor with its default store, a sharded map. In `keyed` each side reads its
//! own clock: governor and the bound the processor's counter by way of quanta, ours the system's
//! monotonic clock. In `keyed-given-now` the time is given: governor asks a clock that stands
//! still. Keys are asked for in a random order that is the same for all.

use std::{error::Error, hint::black_box, num::NonZero};

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock, Reference as _},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use portcullis::{Mono, Quota, clock, limit::Limiter};

use crate::{
    buckets::Buckets,
    measure::{Engine, Session, Workload},
    versions::peer,
};

/// One call a second, so that a key stays in debt; the burst is never used up.
const INTERVAL: u64 = 1_000_000_000;
const BURST: u32 = 400_000_000;

/// A limiter with a burst of two admits two of three calls.
const EXPECTED: [bool; 3] = [true, true, false];

/// The moment that is given, in nanoseconds.
const GIVEN: u64 = 1_000_000_000_000;

/// How many calls come before the order of the keys repeats itself; a power of two.
const CALLS: usize = 1 << 20;

pub(crate) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let governor = peer("governor")?;
    let own = Sources { governor: DefaultClock::default(), ours: clock::mono };
    let given = Sources { governor: Stopped, ours: || Mono::from_nanos(black_box(GIVEN)) };
    for keys in [1, 1_000, 1_000_000] {
        for threads in [1, 2] {
            let name = |kind: &str| format!("limit/{kind}/{keys}/{threads}-threads");
            own.measure(session, &name("keyed"), &governor, keys, threads)?;
            given.measure(session, &name("keyed-given-now"), &governor, keys, threads)?;
        }
    }
    Ok(())
}

/// Where each side takes the time from.
struct Sources<C> {
    governor: C,
    ours: fn() -> Mono,
}

impl<C: Clock<Instant: Sync> + Clone + Sync> Sources<C> {
    fn measure(
        &self,
        session: &mut Session,
        name: &str,
        governor: &str,
        keys: u64,
        threads: usize,
    ) -> Result<(), Box<dyn Error>> {
        if !session.wants(name) {
            return Ok(());
        }
        let (now, order) = (self.ours, Order::of(keys));
        let start = self.governor.now();
        let elapsed = || self.governor.now().duration_since(start).as_u64();
        let peer = self.governor(BURST);
        let ours = ours(BURST, keys)?;
        let by_hand = Buckets::new(INTERVAL, BURST.into(), slots(keys));
        for key in (0..keys).map(spread) {
            let admitted = peer.check_key(&key).is_ok() && ours.check_at(&key, now()).is_ok();
            if !(admitted && by_hand.check(&key, elapsed())) {
                return Err("a call was refused".into());
            }
        }
        let two = (self.governor(2), self::ours(2, 1)?, Buckets::new(INTERVAL, 2, 1));
        let workload = Workload::new(name, EXPECTED)
            .reference(Engine::on_threads(
                governor,
                EXPECTED.map(|_| two.0.check_key(&7).is_ok()),
                threads,
                |thread, call| peer.check_key(order.key(thread, call)).is_ok(),
            ))
            .engine(Engine::on_threads(
                "portcullis",
                EXPECTED.map(|_| two.1.check_at(&7, now()).is_ok()),
                threads,
                |thread, call| ours.check_at(order.key(thread, call), now()).is_ok(),
            ))
            .engine(Engine::on_threads(
                "bound: one atomic word a hash",
                EXPECTED.map(|_| two.2.check(&7, elapsed())),
                threads,
                |thread, call| by_hand.check(order.key(thread, call), elapsed()),
            ));
        session.measure(workload)
    }

    fn governor(
        &self,
        burst: u32,
    ) -> RateLimiter<u64, DashMapStateStore<u64>, C, NoOpMiddleware<C::Instant>> {
        let burst = burst.try_into().unwrap_or(NonZero::<u32>::MIN);
        let quota = governor::Quota::per_second(NonZero::<u32>::MIN).allow_burst(burst);
        RateLimiter::dashmap_with_clock(quota, self.governor.clone())
    }
}

fn ours(burst: u32, keys: u64) -> Result<Limiter<u64>, Box<dyn Error>> {
    Ok(Limiter::new(Quota::per_second(1).burst(burst), slots(keys))?)
}

/// As the documentation says: four for every key that is live.
fn slots(keys: u64) -> usize {
    usize::try_from(keys).unwrap_or(usize::MAX).saturating_mul(4)
}

/// The keys in the order in which they are asked for.
struct Order(Vec<u64>);

impl Order {
    fn of(keys: u64) -> Self {
        let calls = 0..CALLS as u64;
        Self(calls.map(|call| spread(spread(call ^ GIVEN) % keys)).collect())
    }

    /// Each thread starts somewhere else.
    fn key(&self, thread: usize, call: u64) -> &u64 {
        let at = (call as usize + thread * (CALLS / 2)) % CALLS;
        self.0.get(at).unwrap_or(&0)
    }
}

/// Spreads small numbers over all numbers (splitmix64), like the ids of clients.
fn spread(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A clock that stands still, and costs nothing to read.
#[derive(Clone, Debug)]
struct Stopped;

impl Clock for Stopped {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        black_box(GIVEN).into()
    }
}
