//! One event as one line of JSON that its texts cannot break out of.

use std::fmt::Write;

use super::{Event, rfc3339::Rfc3339};

/// Texts are cut to this many bytes. A principal's id is bounded by itself and is never cut, so
/// no two callers share a record.
const MAX_TEXT: usize = 256;

/// The event as a JSON object, without the closing brace, so that members can be added.
pub(super) fn open_line(event: &Event<'_>) -> String {
    let mut line = String::with_capacity(512);
    // Writing to a `String` cannot fail.
    let _ = write!(
        line,
        r#"{{"at":"{}","event":"{}","correlation_id":"{}""#,
        Rfc3339(event.at),
        event.name.as_str(),
        event.correlation,
    );
    if let Some(principal) = event.principal {
        member(&mut line, "principal", principal.id());
    }
    if let Some(client) = event.client {
        let _ = write!(line, r#","client":"{client}""#);
    }
    let texts = [
        ("method", event.method),
        ("path", event.path),
        ("template", event.template),
        ("action", event.action),
        ("rule", event.rule),
        ("limit", event.limit),
        ("limit_shadowed", event.shadowed),
        ("limit_nearing", event.nearing),
        ("class", event.refusal.map(|refusal| refusal.reason().class().as_str())),
        ("reason", event.refusal.map(|refusal| refusal.reason().as_str())),
        ("detail", event.refusal.and_then(|refusal| refusal.reason().detail())),
        ("shadow", event.shadow.map(|shadow| shadow.answer)),
        ("shadow_action", event.shadow.and_then(|shadow| shadow.action)),
        ("shadow_rule", event.shadow.and_then(|shadow| shadow.rule)),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            cut_member(&mut line, name, text);
        }
    }
    line
}

/// A member whose text may be cut; how many bytes are missing is a member of its own, which no
/// text can imitate.
fn cut_member(line: &mut String, name: &str, text: &str) {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    member(line, name, text.get(..end).unwrap_or_default());
    if end < text.len() {
        let _ = write!(line, r#","{name}_cut":{}"#, text.len() - end);
    }
}

/// RFC 8259 section 7: what is not printable ASCII is written as UTF-16 escapes. So the line
/// holds no line end of any script, no terminal escape and nothing that reverses the text.
fn member(line: &mut String, name: &str, text: &str) {
    let _ = write!(line, r#","{name}":""#);
    for c in text.chars() {
        match c {
            '"' => line.push_str(r#"\""#),
            '\\' => line.push_str(r"\\"),
            ' '..='~' => line.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, r"\u{unit:04x}");
                }
            }
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        AuthnError, AuthnErrorKind, CorrelationId, Principal, Refusal, UnixTime,
        audit::{Disagreement, EventName},
    };

    fn event<'a>(name: EventName) -> Event<'a> {
        Event::new(name, UnixTime::from_millis(1), CorrelationId::from_bytes([0xab; 16]))
    }

    fn line(event: &Event<'_>) -> String {
        open_line(event) + "}"
    }

    fn parsed(event: &Event<'_>) -> Value {
        serde_json::from_str(&line(event)).unwrap()
    }

    #[test]
    fn a_full_event_and_an_empty_one() {
        let alice = Principal::assertion("staff", "alice").finish().unwrap();
        let refusal = Refusal::from(AuthnError::new(AuthnErrorKind::Expired, "exp is over"));
        let mut full = event(EventName::AuthnLoginFail);
        full.principal = Some(&alice);
        full.client = Some("2001:db8::1".parse().unwrap());
        full.method = Some("GET");
        full.path = Some("/orders/7");
        full.template = Some("/orders/{id}");
        full.action = Some("order:read");
        full.rule = Some("owner-reads-own");
        full.refusal = Some(&refusal);
        let (action, rule) = (Some("order:read"), Some("nobody-reads"));
        full.shadow = Some(Disagreement { action, answer: "forbidden_by_rule", rule });
        assert_eq!(
            parsed(&full),
            json!({
                "at": "1970-01-01T00:00:00.001Z",
                "event": "authn_login_fail",
                "correlation_id": "abababababababababababababababab",
                "principal": "staff/alice",
                "client": "2001:db8::1",
                "method": "GET",
                "path": "/orders/7",
                "template": "/orders/{id}",
                "action": "order:read",
                "rule": "owner-reads-own",
                "class": "unauthenticated",
                "reason": "expired",
                "detail": "exp is over",
                "shadow": "forbidden_by_rule",
                "shadow_action": "order:read",
                "shadow_rule": "nobody-reads",
            })
        );
        assert_eq!(
            line(&event(EventName::AuthzAllow)),
            r#"{"at":"1970-01-01T00:00:00.001Z","event":"authz_allow","correlation_id":"abababababababababababababababab"}"#
        );
    }

    #[test]
    fn attack_line_forged_through_the_path() {
        let check = |path: &str, expected: &str| {
            let mut forged = event(EventName::AuthzFail);
            forged.path = Some(path);
            let line = line(&forged);
            assert!(line.ends_with(&format!(r#","path":"{expected}"}}"#)), "{line}");
        };
        check("/\r\n{\"event\":\"authz_allow\"}", r#"/\u000d\u000a{\"event\":\"authz_allow\"}"#);
        check(r#"/","event":"authz_allow"#, r#"/\",\"event\":\"authz_allow"#);
        check(r"/\", r"/\\");
        check("\0\x1b[2J\x7f", r"\u0000\u001b[2J\u007f");
        check("\u{85}\u{9b}\u{2028}\u{2029}", r"\u0085\u009b\u2028\u2029");
        check("\u{202e}\u{feff}\u{e9}", r"\u202e\ufeff\u00e9");
        check("\u{1f600}", r"\ud83d\ude00");
    }

    #[test]
    fn attack_cut_mark_imitated() {
        let check = |path: &str, kept: usize, cut: Option<u64>| {
            let mut long = event(EventName::AuthzFail);
            long.path = Some(path);
            let value = parsed(&long);
            assert_eq!(value["path"].as_str(), path.get(..kept));
            assert_eq!(value.get("path_cut").and_then(Value::as_u64), cut);
        };
        check(&"a".repeat(256), 256, None);
        check(&"a".repeat(257), 256, Some(1));
        check(&format!("{}\u{e9}", "a".repeat(255)), 255, Some(2));
        check(&"a".repeat(100_000), 256, Some(99_744));
        check(r#"/","path_cut":7,"x":""#, 21, None);
    }

    #[test]
    fn attack_caller_hidden_behind_a_long_name() {
        let caller = |last: char| {
            let subject = "a".repeat(1_023) + &last.to_string();
            Principal::assertion("staff", &subject).finish().unwrap()
        };
        let (one, other) = (caller('b'), caller('c'));
        let mut event = event(EventName::AuthzAllow);
        event.principal = Some(&one);
        let first = parsed(&event);
        event.principal = Some(&other);
        assert_ne!(first, parsed(&event));
    }

    #[test]
    fn the_longest_line_stays_under_sixteen_kibibytes() {
        let caller = Principal::assertion(&"r".repeat(32), &"\u{e9}".repeat(512)).finish().unwrap();
        let worst = "\0".repeat(10_000);
        let mut event = event(EventName::ExcessRateLimitExceeded);
        event.principal = Some(&caller);
        event.client = Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap());
        event.method = Some(&worst);
        event.path = Some(&worst);
        event.template = Some(&worst);
        event.action = Some(&worst);
        event.rule = Some(&worst);
        event.shadow = Some(Disagreement {
            action: Some(&worst),
            answer: "forbidden_by_rule",
            rule: Some(&worst),
        });
        assert!(line(&event).len() < 16 * 1024 - 1_536, "room for a detail and the losses");
    }

    fn any_text() -> impl Strategy<Value = String> {
        collection::vec(any::<char>(), 0..300).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn any_text_gives_one_ascii_line_that_says_the_same(
            path in any_text(),
            rule in any_text(),
        ) {
            let mut event = event(EventName::AuthzFail);
            event.path = Some(&path);
            event.rule = Some(&rule);
            let line = line(&event);
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let value: Value = serde_json::from_str(&line).unwrap();
            for (text, name) in [(&path, "path"), (&rule, "rule")] {
                let said = value[name].as_str().unwrap();
                prop_assert!(text.starts_with(said));
                let missing = text.len() - said.len();
                let mark = (missing > 0).then(|| json!(missing));
                prop_assert_eq!(value.get(format!("{name}_cut")), mark.as_ref());
                prop_assert!(missing == 0 || (253..=256).contains(&said.len()));
            }
        }
    }
}
