//! Decimals, moments and spans of time, as Cedar writes them.
//!
//! <https://docs.cedarpolicy.com/policies/syntax-datatypes.html>

pub(super) const SECOND: i64 = 1000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// The start of the day, in milliseconds.
pub(super) fn day(at: i64) -> Option<i64> {
    at.checked_sub(at.rem_euclid(DAY))
}

/// `-1.25` in ten-thousandths: one to four digits behind the point.
pub(super) fn decimal(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    let (whole, rest) = digits.split_once('.')?;
    if !(is_digits(whole) && is_digits(rest) && rest.len() <= 4) {
        return None;
    }
    let scale = 10_i128.pow(4_u32.saturating_sub(u32::try_from(rest.len()).ok()?));
    let places = rest.parse::<i128>().ok()?.checked_mul(scale)?;
    let whole: i128 = whole.parse().ok()?;
    let all = whole.checked_mul(10_000)?.checked_add(places)?;
    i64::try_from(all.checked_mul(sign)?).ok()
}

/// `1d2h3m4s5ms`, with any of these and a sign, in milliseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = signed(text);
    let mut all = 0_i128;
    if rest.is_empty() {
        return None;
    }
    for (unit, millis) in [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)] {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at_checked(end)?;
        let Some(tail) = behind.strip_prefix(unit).filter(|_| !digits.is_empty()) else {
            continue;
        };
        if unit == "m" && tail.starts_with('s') {
            continue;
        }
        let number: u64 = digits.parse().ok()?;
        all = all.checked_add(i128::from(number).checked_mul(millis.into())?)?;
        rest = tail;
    }
    if !rest.is_empty() {
        return None;
    }
    i64::try_from(all.checked_mul(sign)?).ok()
}

/// `2024-10-15`, and with a time `2024-10-15T11:35:00Z`, `….000Z`, `…+0100` or `….000+0100`, in
/// milliseconds since 1970.
pub(super) fn datetime(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let days = date_of(date)?;
    if time.is_empty() {
        return days.checked_mul(DAY);
    }
    let (clock, behind) = time.split_at_checked(9)?;
    let clock = clock.strip_prefix('T')?.as_bytes();
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else { return None };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (millis, zone) = match behind.strip_prefix('.') {
        Some(fraction) => {
            let (digits, zone) = fraction.split_at_checked(3)?;
            (is_digits(digits).then(|| digits.parse().ok())??, zone)
        }
        None => (0, behind),
    };
    let of_day = hour * HOUR + minute * MINUTE + second * SECOND + millis;
    days.checked_mul(DAY)?.checked_add(of_day)?.checked_sub(offset(zone)?)
}

/// What a zone's clocks are ahead.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let [sign @ (b'+' | b'-'), h1, h2, m1, m2] = *zone.as_bytes() else { return None };
    let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = hours * HOUR + minutes * MINUTE;
    Some(if sign == b'+' { ahead } else { -ahead })
}

/// Days since 1970; the year has four digits, and the Gregorian calendar holds for all.
fn date_of(text: &str) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 16 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years are counted from March, so that a leap day is the last of one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(4 * 100);
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| char::from(byte).to_digit(10).map(i64::from);
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn signed(text: &str) -> (i128, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    }
}
