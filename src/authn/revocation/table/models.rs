//! Every interleaving of a reader and a writer.

use std::sync::Arc;

use loom::{model, thread};

use super::*;

/// Four places, of which every key may be in each pair.
fn table() -> Arc<Table> {
    Arc::new(Table::new(2))
}

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

fn term(until: u64) -> Term {
    Term::new(None, at(until))
}

/// Two keys for the first set alone, and a third.
const OVER: u64 = 1;
const STANDS: u64 = 2;
const NEW: u64 = 3;

/// One key that has ended at 20 and one that stands, in a set that is full with them.
fn full() -> Arc<Table> {
    let table = table();
    table.put(OVER, term(10), at(0)).unwrap();
    table.put(STANDS, term(99), at(0)).unwrap();
    table
}

#[test]
fn loom_what_stands_is_found_while_others_come() {
    model(|| {
        let table = full();
        let writing = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.put(NEW, term(50), at(20)))
        };
        assert_eq!(table.get(STANDS), Some(term(99)));
        assert_eq!(writing.join().unwrap(), Ok(true));
        assert_eq!((table.get(STANDS), table.get(NEW)), (Some(term(99)), Some(term(50))));
    });
}

#[test]
fn loom_no_key_is_given_the_term_of_its_successor() {
    model(|| {
        let table = full();
        let writing = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.put(NEW, term(50), at(20)))
        };
        let old = table.get(OVER);
        assert!(old.is_none_or(|old| old == term(10)), "{old:?}");
        // What it is itself given is its own, or that of who has ended, which is none at all.
        let new = table.get(NEW);
        assert!(new.is_none_or(|new| new == term(50) || !new.stands(at(20))), "{new:?}");
        writing.join().unwrap().unwrap();
        assert_eq!(table.get(NEW), Some(term(50)));
    });
}

#[test]
fn loom_of_two_who_revoke_at_once_one_is_told_it_is_new() {
    model(|| {
        let table = full();
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.put(NEW, term(60), at(20)))
        };
        let mine = table.put(NEW, term(50), at(20)).unwrap();
        assert!(mine != other.join().unwrap().unwrap());
        assert_eq!(table.get(NEW), Some(term(60)), "the later end of the two");
    });
}
