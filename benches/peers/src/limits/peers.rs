//! The peers, each asked by key in its own way.

use std::{
    collections::HashMap,
    error::Error,
    hash::RandomState,
    hint::black_box,
    num::NonZero,
    time::{Duration, Instant},
};

use axum_gcra::gcra;
use governor::{
    RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use limitador::limit::{Context, Expression, Limit, Namespace};

use super::{GIVEN, INTERVAL, slots};

pub(super) type Governor<C> =
    RateLimiter<u64, DashMapStateStore<u64>, C, NoOpMiddleware<<C as Clock>::Instant>>;

pub(super) fn governor<C: Clock>(clock: C, burst: u32) -> Governor<C> {
    let burst = burst.try_into().unwrap_or(NonZero::<u32>::MIN);
    let quota = governor::Quota::per_second(NonZero::<u32>::MIN).allow_burst(burst);
    RateLimiter::dashmap_with_clock(quota, clock)
}

/// A clock that stands still, and costs nothing to read.
#[derive(Clone, Debug)]
pub(super) struct Stopped;

impl Clock for Stopped {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        black_box(GIVEN).into()
    }
}

/// axum_gcra's limiter behind its layer, which takes the time and the quota with every call.
pub(super) struct AxumGcra {
    limiter: gcra::RateLimiter<u64, RandomState>,
    quota: gcra::Quota,
}

impl AxumGcra {
    pub(super) fn new(burst: u32) -> Self {
        let burst = NonZero::<u64>::new(burst.into()).unwrap_or(NonZero::<u64>::MIN);
        Self {
            // Never looks for keys to remove.
            limiter: gcra::RateLimiter::new(u64::MAX, RandomState::new()),
            quota: gcra::Quota::new(Duration::from_nanos(INTERVAL), burst),
        }
    }

    pub(super) fn check(&self, key: u64, now: Instant) -> bool {
        self.limiter.req_sync(key, self.quota, now).is_ok()
    }
}

/// limitador's store in memory. Its windows are fixed and a minute long here, its keys are text.
pub(super) struct Limitador {
    limiter: limitador::RateLimiter,
    namespace: Namespace,
}

impl Limitador {
    pub(super) fn new(burst: u32, keys: u64) -> Result<Self, Box<dyn Error>> {
        let namespace = Namespace::from("calls");
        let limiter = limitador::RateLimiter::new(slots(keys) as u64);
        let by_key = Expression::parse("key").map_err(|error| error.to_string())?;
        limiter.add_limit(Limit::new("calls", burst.into(), 60, [], [by_key]));
        Ok(Self { limiter, namespace })
    }

    pub(super) fn check(&self, key: u64) -> bool {
        let values = HashMap::from([("key".to_owned(), key.to_string())]);
        let answer =
            self.limiter.check_rate_limited_and_update(&self.namespace, &Context::from(values), 1);
        answer.is_ok_and(|answer| !answer.limited)
    }
}

/// leaky-bucket's only bucket: it has no keys.
pub(super) fn leaky_bucket(burst: u32) -> leaky_bucket::RateLimiter {
    let mut builder = leaky_bucket::RateLimiter::builder();
    let (burst, interval) = (burst as usize, Duration::from_nanos(INTERVAL));
    builder.max(burst).initial(burst).refill(1).interval(interval).build()
}
