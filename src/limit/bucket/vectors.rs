//! `tests/limit-vectors.json`: what a bucket answers, for whoever steps one in another language.
//!
//! All numbers are whole and lie below 2^53, which a double holds exactly. What is expected comes
//! from other arithmetic than the step's: from a debt that drains, in 128 bits.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/limit-vectors.json");

/// The file as it should be.
fn generated() -> String {
    let mut steps = Vec::new();
    for (interval, burst) in [(1, 1), (10, 3), (20_000_000, 100), (86_400_000_000_000, 7)] {
        for now in [0, 1_000, 1_790_000_000_000_000] {
            for (cost, debt) in [(1, 0), (2, 0), (7, 0), (1, 2), (9, 5)] {
                let full = interval * burst;
                for owed in [-1, 0, 1, full - interval, full - interval + 1, full, full + interval]
                {
                    steps.push(step([(now + owed).max(0), now, interval, burst, cost, debt]));
                }
            }
        }
    }
    let mut text = String::new();
    let about = "times in nanoseconds; a step of `cost` calls at `now` moves the bucket from \
        `state` to `until`, or is refused: spent (for `wait`) or too_costly; `debt` is how many \
        calls beyond `burst` it may leave";
    write!(text, "{{\n\"about\": \"{about}\",\n\"steps\": [\n{}\n]\n}}\n", steps.join(",\n"))
        .unwrap();
    text
}

fn step([state, now, interval, burst, cost, debt]: [i128; 6]) -> String {
    let room = interval * (burst + debt);
    let wanted = (state - now).max(0) + interval * cost;
    let answer = if interval * cost > room {
        "\"refused\": \"too_costly\"".to_owned()
    } else if wanted > room {
        format!("\"refused\": \"spent\", \"wait\": {}", wanted - room)
    } else {
        format!("\"until\": {}", now + wanted)
    };
    format!(
        "{{\"state\": {state}, \"now\": {now}, \"interval\": {interval}, \"burst\": {burst}, \
         \"cost\": {cost}, \"debt\": {debt}, {answer}}}"
    )
}

#[test]
fn the_vectors_are_those_that_are_generated() {
    assert_eq!(fs::read_to_string(FILE).unwrap(), generated());
}

#[test]
#[ignore = "writes the file that the other tests read"]
fn write_the_vectors() {
    fs::write(FILE, generated()).unwrap();
}

#[test]
fn a_bucket_answers_as_the_vectors_say() {
    let file: Value = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let steps = file["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for vector in steps {
        let number = |name: &str| vector[name].as_u64().unwrap();
        let small = |name: &str| u32::try_from(number(name)).unwrap();
        let pace = Pace::new(number("interval"), small("burst")).unwrap();
        let (state, now) = (number("state"), number("now"));
        let answer = pace.beyond(small("debt")).times(small("cost")).map(|it| it.step(state, now));
        match vector["refused"].as_str() {
            None => assert_eq!(answer, Some(Ok(number("until"))), "{vector}"),
            Some("spent") => {
                let denied = Denied { kind: ExceededKind::Spent, wait: number("wait") };
                assert_eq!(answer, Some(Err(denied)), "{vector}");
            }
            Some(_) => assert_eq!(answer, None, "{vector}"),
        }
        assert!([state, now + (1 << 50)].into_iter().all(|it| it < 1 << 53), "{vector}");
    }
}
