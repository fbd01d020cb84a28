//! Every interleaving of calls that begin and end at once.

use loom::{model, thread};

use super::*;

const ALICE: &str = "alice";

fn limit(most: u32) -> Arc<ConcurrencyLimit<str>> {
    Arc::new(ConcurrencyLimit::new(most, 1).unwrap())
}

#[test]
fn loom_no_more_than_so_many_are_ever_under_way() {
    model(|| {
        let limit = limit(1);
        let first = limit.enter(ALICE).unwrap();
        let ending = thread::spawn(move || drop(first));
        let entering = {
            let limit = Arc::clone(&limit);
            thread::spawn(move || limit.enter(ALICE).ok())
        };
        let mine = limit.enter(ALICE).ok();
        ending.join().unwrap();
        let theirs = entering.join().unwrap();
        let both = u32::from(mine.is_some()) + u32::from(theirs.is_some());
        assert!(both <= 1);
        assert_eq!(limit.under_way(ALICE), both);
        drop((mine, theirs));
        assert_eq!(limit.under_way(ALICE), 0);
        assert!(limit.enter(ALICE).is_ok());
    });
}

#[test]
fn loom_a_slot_that_is_left_is_taken_by_one_key_whole() {
    model(|| {
        let limit = limit(1);
        let others: Vec<_> = (0..7).map(|it| limit.enter(&format!("{it}")).unwrap()).collect();
        let first = limit.enter(ALICE).unwrap();
        let ending = thread::spawn(move || drop(first));
        let bob = {
            let limit = Arc::clone(&limit);
            thread::spawn(move || limit.enter("bob").ok())
        };
        let again = limit.enter(ALICE).ok();
        ending.join().unwrap();
        let bob = bob.join().unwrap();
        // There is one slot for both.
        assert!(again.is_none() || bob.is_none());
        assert_eq!(limit.under_way(ALICE), u32::from(again.is_some()));
        assert_eq!(limit.under_way("bob"), u32::from(bob.is_some()));
        drop((others, again, bob));
        assert!(limit.enter("carol").is_ok());
    });
}
