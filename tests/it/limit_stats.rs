//! What a table tells of itself is what became of the keys.

use portcullis::{
    Mono, Quota,
    limit::{ExceededKind, LimitSet, Limiter, Stats, WhenFull},
};

const SECOND: u64 = 1_000_000_000;
const QUOTA: Quota = Quota::per_second(2);

fn at(nanos: u64) -> Mono {
    Mono::from_nanos(nanos)
}

/// Live, entered, reused, inherited, turned away.
fn keys(it: Stats) -> (usize, [u64; 4]) {
    (it.live, [it.entered, it.reused, it.inherited, it.turned_away])
}

/// A table of one part, full of keys that owe a call each.
fn full(when_full: WhenFull) -> Limiter<u64> {
    let limiter = Limiter::new(QUOTA, 4).unwrap().when_full(when_full);
    for key in 0..4 {
        limiter.check_at(&key, at(SECOND)).unwrap();
    }
    assert_eq!(keys(limiter.stats_at(at(SECOND))), (4, [4, 0, 0, 0]));
    limiter
}

#[test]
fn a_slot_is_entered_reused_or_inherited() {
    let limiter = full(WhenFull::Inherit);
    // The newcomer owes two now, and the next finds three that owe one.
    for key in 10..14 {
        limiter.check_at(&key, at(SECOND)).unwrap();
    }
    assert_eq!(keys(limiter.stats_at(at(SECOND))), (4, [4, 0, 4, 0]));
    let no = limiter.check_at(&20, at(SECOND)).unwrap_err();
    assert_eq!(no.kind(), ExceededKind::Spent);
    assert_eq!(keys(limiter.stats_at(at(SECOND))), (4, [4, 0, 4, 1]));
    assert_eq!(limiter.stats_at(at(2 * SECOND)).live, 0);
    limiter.check_at(&20, at(2 * SECOND)).unwrap();
    assert_eq!(keys(limiter.stats_at(at(2 * SECOND))), (1, [4, 1, 4, 1]));
}

#[test]
fn a_table_that_denies_says_whom_it_turned_away() {
    let limiter = full(WhenFull::Deny);
    for key in 10..13 {
        let no = limiter.check_at(&key, at(SECOND)).unwrap_err();
        assert_eq!(no.kind(), ExceededKind::TableFull);
    }
    assert_eq!(keys(limiter.stats_at(at(SECOND))), (4, [4, 0, 0, 3]));
}

#[test]
fn what_a_key_that_is_there_is_told_is_not_counted() {
    let limiter = Limiter::<u64>::new(QUOTA, 64).unwrap();
    for _ in 0..1_000 {
        let _ = limiter.check_at(&7, at(SECOND));
    }
    assert!(limiter.check_at(&8, at(u64::MAX)).is_err());
    let it = limiter.stats_at(at(SECOND));
    assert_eq!((it.slots, keys(it)), (64, (1, [1, 0, 0, 0])));
}

#[test]
fn refunds_and_resets_are_counted_where_they_find_their_key() {
    let quotas = [QUOTA, Quota::per_day(5)];
    let set = LimitSet::<u64>::new(quotas, 64).unwrap();
    for _ in 0..3 {
        let charge = set.charge_at(&7, 1, at(SECOND)).unwrap();
        set.refund(charge);
    }
    set.charge_at(&7, 1, at(SECOND)).unwrap();
    set.reset(&7);
    set.reset(&9);
    let told: Vec<(Quota, Stats)> = set.stats_at(at(SECOND)).collect();
    assert_eq!(told.len(), 2);
    for ((told, it), quota) in told.into_iter().zip(quotas) {
        assert_eq!(told, quota);
        assert_eq!((it.refunded, it.forgiven, it.live, it.entered), (3, 1, 0, 1));
    }
}
