//! A snapshot under real threads: whole values, never an older one again, each dropped once.
//!
//! The swap itself is arc-swap's, and a model checker cannot look into that; nothing of our own
//! happens between its steps.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
};

use portcullis::Snapshot;

const WRITES: usize = 20_000;

/// Two halves that are only ever written together, and that count how many are alive.
struct Pair<'a>(usize, usize, &'a AtomicUsize);

impl<'a> Pair<'a> {
    fn new(number: usize, alive: &'a AtomicUsize) -> Self {
        alive.fetch_add(1, Relaxed);
        Self(number, !number, alive)
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        assert_eq!(self.0, !self.1);
        self.1 = self.0;
        self.2.fetch_sub(1, Relaxed);
    }
}

#[test]
fn readers_see_whole_values_that_never_go_back() {
    let (alive, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let snapshot = Snapshot::new(Pair::new(0, &alive));
    thread::scope(|scope| {
        let reader = || {
            let (mut seen, mut loads) = (0, 0);
            while !done.load(Relaxed) || loads == 0 {
                let pair = snapshot.load();
                assert_eq!(pair.0, !pair.1);
                assert!(pair.0 >= seen, "{} after {seen}", pair.0);
                (seen, loads) = (pair.0, loads + 1);
            }
        };
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(reader)).collect();
        for number in 1..=WRITES {
            let displaced = snapshot.replace(Pair::new(number, &alive));
            assert_eq!(displaced.0, number - 1);
        }
        done.store(true, Relaxed);
        readers.into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(snapshot.load().0, WRITES);
    assert_eq!(alive.load(Relaxed), 1);
    drop(snapshot);
    assert_eq!(alive.load(Relaxed), 0);
}

#[test]
fn every_value_is_displaced_by_exactly_one_of_several_writers() {
    let snapshot = Snapshot::new(0);
    let mut displaced: Vec<usize> = thread::scope(|scope| {
        let writer = |writer: usize| {
            let snapshot = snapshot.clone();
            move || {
                let numbers = (0..WRITES).map(move |it| 1 + it * 4 + writer);
                numbers.map(|number| *snapshot.replace(number)).collect::<Vec<_>>()
            }
        };
        let running: Vec<_> = (0..4).map(|it| scope.spawn(writer(it))).collect();
        running.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    displaced.push(*snapshot.load());
    displaced.sort_unstable();
    assert!(displaced.into_iter().eq(0..=4 * WRITES));
}
