//! Whether a token was revoked, while a million others are.
//!
//! The reference is one look-up of the token's id in an unbounded map that nobody writes to. Ours
//! is asked while only ids were ever revoked, which is one look-up too, and while sessions,
//! subjects, clients and issuers were as well, which is five. Bytes of each revocation go to
//! standard error.

use std::{error::Error, hint::black_box};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use portcullis::{
    UnixTime,
    authn::revocation::{Denylist, Presented, Revocation, Revocations},
};

use crate::{
    access_token::ISSUER,
    measure::{Cycle, Engine, Session, Workload},
};

/// How many ids are revoked.
const REVOKED: u64 = 1_000_000;

/// How many tokens are asked about before one is repeated; one in ten is revoked.
const ASKED: u64 = 100_000;

/// A token that is revoked, one that is not, and one whose revocation has ended.
const EXPECTED: [bool; 3] = [true, false, false];

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const LATER: UnixTime = UnixTime::from_secs(1_800_003_600);

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "token/revocations/1000000";
    if !session.wants(name) {
        return Ok(());
    }
    let mut by_hand: HashMap<String, u64, RandomState> = HashMap::default();
    by_hand.extend((0..REVOKED).map(|number| (id(number), LATER.as_secs())));
    by_hand.insert("ended".to_owned(), NOW.as_secs());
    let look_up = |id: &str| by_hand.get(id).is_some_and(|until| *until > NOW.as_secs());

    let mut ids = None;
    let heap = allocation_counter::measure(|| ids = list([]).ok());
    eprintln!(
        "{name}: portcullis keeps {} bytes a revocation",
        heap.bytes_current as u64 / REVOKED
    );
    let kinds = [
        Revocation::session(ISSUER, "other", LATER),
        Revocation::subject(ISSUER, "other", LATER),
        Revocation::client(ISSUER, "other", LATER),
        Revocation::issuer("https://other.example", LATER),
    ];
    let (ids, all) = (ids.ok_or("the list is full")?, list(kinds)?);

    // In an order in which none is near the one before: 7919 has no part in common with a power
    // of ten.
    let asked = |at: u64| id(at * 7919 % ASKED * (REVOKED / ASKED) * 10);
    let order = Cycle::new((0..ASKED).map(asked));
    let questions = Cycle::new([id(0), "unknown".to_owned(), "ended".to_owned()]);
    let by_hand = Engine::new("bound: hash of the id", questions.answers(|id| look_up(id)), || {
        order.ask(|id| look_up(black_box(id)))
    });
    let answers = questions.answers(|id| is_revoked(&ids, id));
    let by_id = Engine::new("portcullis+ids alone", answers, || {
        order.ask(|id| is_revoked(&ids, black_box(id)))
    });
    let answers = questions.answers(|id| is_revoked(&all, id));
    let by_all =
        Engine::new("portcullis", answers, || order.ask(|id| is_revoked(&all, black_box(id))));
    session.measure(Workload::new(name, EXPECTED).reference(by_hand).engine(by_id).engine(by_all))
}

/// As long as a UUID.
fn id(number: u64) -> String {
    format!("{:036x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn list<'a>(besides: impl IntoIterator<Item = Revocation<'a>>) -> Result<Denylist, Box<dyn Error>> {
    let list = Denylist::new(REVOKED as usize + 100);
    let before = UnixTime::from_secs(0);
    list.revoke(&Revocation::token(ISSUER, "ended", NOW), before)?;
    for number in 0..REVOKED {
        list.revoke(&Revocation::token(ISSUER, &id(number), LATER), before)?;
    }
    for revocation in besides {
        list.revoke(&revocation, before)?;
    }
    Ok(list)
}

fn is_revoked(list: &Denylist, id: &str) -> bool {
    let mut token = Presented::new(ISSUER);
    token.token = Some(id);
    token.session = Some("8f14e45f-ceea-467f-a0e6-1b5c9d2f7a30");
    token.subject = Some("c9f0f895-fb98-4b91-99f5-1fd0297e236d");
    token.client = Some("web-shop");
    token.issued_at = Some(NOW);
    list.check(&token, NOW).is_err()
}
