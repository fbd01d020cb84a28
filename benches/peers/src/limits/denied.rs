//! All keys spent, every call refused, at a time that is given: what a limit costs when it is
//! needed.
//!
//! `scaling` has ours alone: what a call takes on each of two threads at once, beside one alone.

use std::{error::Error, hint::black_box, sync::Arc, time::Instant};

use portcullis::Mono;

use super::{
    EXPECTED, GIVEN, INTERVAL,
    order::{Order, keys},
    ours,
    peers::{AxumGcra, Stopped, governor},
    slots,
};
use crate::{
    buckets::Buckets,
    measure::{Engine, Session, Workload},
    versions::peer,
};

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    for keys in [1, 1_000] {
        let order = Arc::new(Order::of(keys));
        let spent = |threads| Spent { keys, threads, order: Arc::clone(&order) };
        for threads in [1, 2] {
            let name = format!("limit/denied/{keys}/{threads}-threads");
            if session.wants(&name) {
                session.measure(spent(threads).beside_peers(name)?)?;
            }
        }
        let name = format!("limit/denied/{keys}/scaling");
        if session.wants(&name) {
            let one = spent(1).portcullis("portcullis+1 thread")?;
            let two = spent(2).portcullis("portcullis+2 threads")?;
            session.measure(Workload::new(name, EXPECTED).reference(one).engine(two))?;
        }
    }
    Ok(())
}

/// Which keys are spent, and asked for by how many threads.
struct Spent {
    keys: u64,
    threads: usize,
    order: Arc<Order>,
}

impl Spent {
    fn beside_peers(&self, name: String) -> Result<Workload<'static>, Box<dyn Error>> {
        let start = Instant::now();
        let (governor, axum_gcra) = (governor(Stopped, 2), AxumGcra::new(2));
        let by_hand = Buckets::new(INTERVAL, 2, slots(self.keys) * 16);
        let governor = self.engine(peer("governor")?, move |key| governor.check_key(key).is_ok());
        let axum_gcra = move |key: &u64| axum_gcra.check(*key, black_box(start));
        let by_hand = move |key: &u64| by_hand.check(key, black_box(GIVEN));
        Ok(Workload::new(name, EXPECTED)
            .reference(governor)
            .engine(self.engine(peer("axum_gcra")?, axum_gcra))
            .engine(self.portcullis("portcullis")?)
            .engine(self.engine("bound: one atomic word a hash", by_hand)))
    }

    fn portcullis(&self, name: &str) -> Result<Engine<'static>, Box<dyn Error>> {
        let limiter = ours(2, self.keys)?;
        let now = || Mono::from_nanos(black_box(GIVEN));
        Ok(self.engine(name, move |key| limiter.check_at(key, now()).is_ok()))
    }

    /// An engine whose keys are spent; its answers are those to the first of them.
    fn engine(
        &self,
        name: impl Into<String>,
        check: impl Fn(&u64) -> bool + Sync + 'static,
    ) -> Engine<'static> {
        let spend = |key| EXPECTED.map(|_| check(&key));
        let mut answers = keys(self.keys).map(spend).collect::<Vec<_>>().into_iter();
        let answers = answers.next().unwrap_or_default();
        let order = Arc::clone(&self.order);
        Engine::on_threads(name, answers, self.threads, move |thread, call| {
            check(order.key(thread, call))
        })
    }
}
