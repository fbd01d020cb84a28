//! Three limits on one request beside one, with one reading of the clock for all of them.
//!
//! `keys` counts by client, account and route, all or nothing; `quotas` one key by the second, the
//! hour and the day. Governor's three limiters burn the first where the second refuses, and each
//! reads the clock.

use std::error::Error;

use governor::clock::DefaultClock;
use portcullis::{Mono, Quota, clock, limit::LimitSet};

use super::{
    BURST, EXPECTED,
    order::{Order, keys},
    peers::{Governor, governor},
    slots,
};
use crate::{
    measure::{Engine, Session, Workload},
    versions::peer,
};

/// Clients and accounts; there are fewer routes.
const KEYS: u64 = 1_000;
const ROUTES: u64 = 16;

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "limit/three";
    if !session.wants(name) {
        return Ok(());
    }
    let order = Order::of(KEYS);
    let (one, three, quotas) = (ours(BURST, 1)?, Three::new(BURST)?, ours(BURST, 3)?);
    let (two_one, two_three, two_quotas) = (ours(2, 1)?, Three::new(2)?, ours(2, 3)?);
    let (peers, two_peers) = (Peers::new(BURST), Peers::new(2));
    for key in keys(KEYS) {
        let now = clock::mono();
        let ours = one.charge_at(&key, 1, now).is_ok()
            && three.check(key, now)
            && quotas.charge_at(&key, 1, now).is_ok();
        if !(ours && peers.check(key)) {
            return Err("a call was refused".into());
        }
    }
    let governor = peer("governor")?;
    let workload = Workload::new(name, EXPECTED)
        .reference(Engine::on_threads(
            "portcullis+one limit",
            EXPECTED.map(|_| two_one.charge_at(&7, 1, clock::mono()).is_ok()),
            1,
            |thread, call| one.charge_at(order.key(thread, call), 1, clock::mono()).is_ok(),
        ))
        .engine(Engine::on_threads(
            "portcullis+three keys",
            EXPECTED.map(|_| two_three.check(7, clock::mono())),
            1,
            |thread, call| three.check(*order.key(thread, call), clock::mono()),
        ))
        .engine(Engine::on_threads(
            "portcullis+three quotas",
            EXPECTED.map(|_| two_quotas.charge_at(&7, 1, clock::mono()).is_ok()),
            1,
            |thread, call| quotas.charge_at(order.key(thread, call), 1, clock::mono()).is_ok(),
        ))
        .engine(Engine::on_threads(
            format!("{governor} one limit"),
            EXPECTED.map(|_| two_peers.by_client.check_key(&9).is_ok()),
            1,
            |thread, call| peers.by_client.check_key(order.key(thread, call)).is_ok(),
        ))
        .engine(Engine::on_threads(
            format!("{governor} three limits"),
            EXPECTED.map(|_| two_peers.check(7)),
            1,
            |thread, call| peers.check(*order.key(thread, call)),
        ));
    session.measure(workload)
}

/// The first so many of three quotas.
fn ours(burst: u32, quotas: usize) -> Result<LimitSet<u64>, Box<dyn Error>> {
    let all = [Quota::per_second(1), Quota::per_hour(3_000), Quota::per_day(100_000)];
    let chosen = all.into_iter().map(|quota| quota.burst(burst)).take(quotas);
    Ok(LimitSet::new(chosen, slots(KEYS))?)
}

/// Limits by three keys.
struct Three {
    by_client: LimitSet<u64>,
    by_account: LimitSet<u64>,
    by_route: LimitSet<u64>,
}

impl Three {
    fn new(burst: u32) -> Result<Self, Box<dyn Error>> {
        let set = || ours(burst, 1);
        Ok(Self { by_client: set()?, by_account: set()?, by_route: set()? })
    }

    fn check(&self, key: u64, now: Mono) -> bool {
        let Ok(client) = self.by_client.charge_at(&key, 1, now) else { return false };
        let Ok(account) = self.by_account.charge_at(&account(key), 1, now) else {
            self.by_client.refund(client);
            return false;
        };
        let counted = self.by_route.charge_at(&(key % ROUTES), 1, now).is_ok();
        if !counted {
            self.by_account.refund(account);
            self.by_client.refund(client);
        }
        counted
    }
}

/// Governor's limiters for the same keys.
struct Peers {
    by_client: Governor<DefaultClock>,
    by_account: Governor<DefaultClock>,
    by_route: Governor<DefaultClock>,
}

impl Peers {
    fn new(burst: u32) -> Self {
        let limiter = || governor(DefaultClock::default(), burst);
        Self { by_client: limiter(), by_account: limiter(), by_route: limiter() }
    }

    fn check(&self, key: u64) -> bool {
        self.by_client.check_key(&key).is_ok()
            && self.by_account.check_key(&account(key)).is_ok()
            && self.by_route.check_key(&(key % ROUTES)).is_ok()
    }
}

/// Another key of the same request.
const fn account(key: u64) -> u64 {
    key.rotate_left(32)
}
