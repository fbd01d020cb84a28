//! All keys known and in debt, every call admitted.
//!
//! In `keyed` each side reads its own clock: governor and the bound the processor's counter by way
//! of quanta, ours and `std clock` the system's monotonic one, and `coarse clock` that one as it
//! stood at the last tick. In `keyed-given-now` the time is given: governor asks a clock that
//! stands still.

use std::{error::Error, hint::black_box, sync::Arc, time::Instant};

use governor::clock::{Clock, DefaultClock, MonotonicClock, Reference as _};
use portcullis::{Mono, clock};

use super::{
    BURST, EXPECTED, GIVEN, INTERVAL,
    order::{Order, keys},
    ours,
    peers::{AxumGcra, Limitador, Stopped, governor, leaky_bucket},
    slots,
};
use crate::{
    buckets::Buckets,
    measure::{Engine, Session, Workload},
    versions::peer,
};

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let own = Clocks { governor: DefaultClock::default(), ours: clock::mono, std: Instant::now };
    let given = Clocks { governor: Stopped, ours: given, std: move || black_box(start) };
    for keys in [1, 1_000, 1_000_000] {
        let order = Arc::new(Order::of(keys));
        for threads in [1, 2] {
            let asked = Asked { keys, threads, order: Arc::clone(&order) };
            let name = |kind: &str| format!("limit/{kind}/{keys}/{threads}-threads");
            let (own_clock, given_now) = (name("keyed"), name("keyed-given-now"));
            if session.wants(&own_clock) {
                let workload = asked.by_clocks(Workload::new(own_clock, EXPECTED), &own)?;
                session.measure(asked.by_own_clocks(workload)?)?;
            }
            if session.wants(&given_now) {
                let workload = Workload::new(given_now, EXPECTED);
                session.measure(asked.by_clocks(workload, &given)?)?;
            }
        }
    }
    Ok(())
}

fn given() -> Mono {
    Mono::from_nanos(black_box(GIVEN))
}

/// Where each side takes the time from; by type, so that none pays for a call.
struct Clocks<C, O, S> {
    governor: C,
    ours: O,
    std: S,
}

/// Which keys are asked for, and by how many threads.
struct Asked {
    keys: u64,
    threads: usize,
    order: Arc<Order>,
}

impl Asked {
    /// The engines that ask whatever clock they are given.
    fn by_clocks<'a, C, O, S>(
        &self,
        workload: Workload<'a>,
        clocks: &Clocks<C, O, S>,
    ) -> Result<Workload<'a>, Box<dyn Error>>
    where
        C: Clock<Instant: Send + Sync> + Clone + Send + Sync + 'a,
        O: Fn() -> Mono + Clone + Send + Sync + 'a,
        S: Fn() -> Instant + Clone + Send + Sync + 'a,
    {
        let governor = |burst| {
            let limiter = governor(clocks.governor.clone(), burst);
            Ok(move |key: &u64| limiter.check_key(key).is_ok())
        };
        let axum_gcra = |burst| {
            let (limiter, now) = (AxumGcra::new(burst), clocks.std.clone());
            Ok(move |key: &u64| limiter.check(*key, now()))
        };
        let portcullis = |burst| {
            let (limiter, now) = (ours(burst, self.keys)?, clocks.ours.clone());
            Ok(move |key: &u64| limiter.check_at(key, now()).is_ok())
        };
        let by_hand = |burst: u32| {
            let (clock, start) = (clocks.governor.clone(), clocks.governor.now());
            let buckets = Buckets::new(INTERVAL, burst.into(), slots(self.keys));
            Ok(move |key: &u64| buckets.check(key, clock.now().duration_since(start).as_u64()))
        };
        Ok(workload
            .reference(self.engine(peer("governor")?, governor)?)
            .engine(self.engine(peer("axum_gcra")?, axum_gcra)?)
            .engine(self.engine("portcullis", portcullis)?)
            .engine(self.engine("bound: one atomic word a hash", by_hand)?))
    }

    /// With the engines that read a clock of their own.
    fn by_own_clocks<'a>(&self, workload: Workload<'a>) -> Result<Workload<'a>, Box<dyn Error>> {
        let std_clock = |burst| {
            let limiter = governor(MonotonicClock, burst);
            Ok(move |key: &u64| limiter.check_key(key).is_ok())
        };
        let limitador = |burst| {
            let limiter = Limitador::new(burst, self.keys)?;
            Ok(move |key: &u64| limiter.check(*key))
        };
        let coarse = |burst| {
            let limiter = ours(burst, self.keys)?;
            Ok(move |key: &u64| limiter.check_at(key, clock::coarse()).is_ok())
        };
        let workload = workload
            .engine(self.engine("portcullis+coarse clock", coarse)?)
            .engine(self.engine(format!("{} std clock", peer("governor")?), std_clock)?)
            .engine(self.engine(format!("{} in memory", peer("limitador")?), limitador)?);
        if self.keys > 1 {
            return Ok(workload);
        }
        let leaky_bucket = |burst| {
            let bucket = leaky_bucket(burst);
            Ok(move |_: &u64| bucket.try_acquire(1))
        };
        let name = format!("{} without a key", peer("leaky-bucket")?);
        Ok(workload.engine(self.engine(name, leaky_bucket)?))
    }

    /// An engine whose keys are known, by limiters of a burst each.
    fn engine<'a, F: Fn(&u64) -> bool + Sync + 'a>(
        &self,
        name: impl Into<String>,
        limiter: impl Fn(u32) -> Result<F, Box<dyn Error>>,
    ) -> Result<Engine<'a>, Box<dyn Error>> {
        let (two, most) = (limiter(2)?, limiter(BURST)?);
        if !keys(self.keys).all(|key| most(&key)) {
            return Err("a call was refused".into());
        }
        let order = Arc::clone(&self.order);
        let ask = move |thread, call| most(order.key(thread, call));
        Ok(Engine::on_threads(name, EXPECTED.map(|_| two(&7)), self.threads, ask))
    }
}
