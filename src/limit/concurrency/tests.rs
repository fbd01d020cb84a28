use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
};

use proptest::prelude::*;

use super::*;

#[test]
fn so_many_at_once_and_no_more() {
    let limit = ConcurrencyLimit::<str>::new(2, 64).unwrap();
    let (one, two) = (limit.enter("a").unwrap(), limit.enter("a").unwrap());
    assert_eq!(limit.enter("a").unwrap_err(), Busy::AtOnce { most: 2 });
    assert!(limit.enter("b").is_ok());
    drop(one);
    let three = limit.enter("a").unwrap();
    assert_eq!((limit.under_way("a"), limit.under_way("b"), limit.most()), (2, 0, 2));
    drop((two, three));
    assert_eq!(limit.under_way("a"), 0);
}

#[test]
fn set_ups_that_cannot_stand() {
    let error = |most, slots| ConcurrencyLimit::<str>::new(most, slots).unwrap_err();
    assert_eq!(error(0, 64), LimitError::NoneAtOnce);
    assert_eq!(error(0, 64).to_string(), "`0` at once admits nobody");
    assert_eq!(error(1, 0), LimitError::Slots { slots: 0 });
    assert_eq!(error(1, usize::MAX), LimitError::Slots { slots: usize::MAX });
}

#[test]
fn a_guard_outlives_its_limit_and_goes_to_other_threads() {
    let limit = ConcurrencyLimit::<str>::new(1, 64).unwrap();
    let call = limit.enter("a").unwrap();
    thread::spawn(move || drop(call)).join().unwrap();
    let call = limit.enter("a").unwrap();
    drop(limit);
    drop(call);
}

#[test]
fn attack_more_keys_than_slots_displace_nobody() {
    let limit = ConcurrencyLimit::<u32>::new(3, WAYS).unwrap();
    let calls: Vec<_> = (0..8).map(|key| limit.enter(&key).unwrap()).collect();
    for key in 8..10_000 {
        assert_eq!(limit.enter(&key).unwrap_err(), Busy::TableFull);
    }
    assert!((0..8).all(|key| limit.under_way(&key) == 1));
    assert!(limit.enter(&3).is_ok());
    drop(calls);
    assert!((8..16).map(|key| limit.enter(&key).map(std::mem::forget)).all(|it| it.is_ok()));
}

#[test]
fn racing_threads_never_have_more_under_way() {
    let limit = ConcurrencyLimit::<u32>::new(2, 64).unwrap();
    let (under_way, entered) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let Ok(call) = limit.enter(&7) else { continue };
                    assert!(under_way.fetch_add(1, SeqCst) < 2);
                    entered.fetch_add(1, SeqCst);
                    under_way.fetch_sub(1, SeqCst);
                    drop(call);
                }
            });
        }
    });
    assert!(entered.load(SeqCst) >= 2);
    assert_eq!(limit.under_way(&7), 0);
}

proptest! {
    #[test]
    fn with_room_for_every_key_it_decides_like_a_map_of_counts(
        most in 1..4_u32, calls in prop::collection::vec((0..6_u32, any::<bool>()), 0..200),
    ) {
        let limit = ConcurrencyLimit::<u32>::new(most, WAYS).unwrap();
        let mut open: HashMap<u32, Vec<InFlight>> = HashMap::new();
        for (key, ends) in calls {
            let open = open.entry(key).or_default();
            if ends {
                open.pop();
            } else {
                match limit.enter(&key) {
                    Ok(call) => open.push(call),
                    Err(busy) => prop_assert_eq!(busy, Busy::AtOnce { most }),
                }
            }
            prop_assert!(open.len() as u32 <= most);
            prop_assert_eq!(limit.under_way(&key), open.len() as u32);
        }
    }
}
