//! Outcomes as events of the `tracing` crate, for services that already log with it.
//!
//! Neither the events nor the span hold a credential. They do hold who called, from where, and
//! the path, so the log is personal data. What a caller sent (`method`, `path`) is passed on as
//! received, as a field's value: the subscriber escapes it, as `tracing-subscriber` does.
//!
//! A log may lose lines and be rewritten. Where the record must hold, give the gate
//! [`JsonLines`](crate::audit::JsonLines).

use tracing::{Level, Span};

use crate::{
    Caller, Principal,
    audit::{Event, EventName, Sink},
};

/// Turns the outcome of each request into one `tracing` event with the target `portcullis`.
///
/// What went through is `DEBUG`, what was refused `INFO`, what somebody must look after (a wrong
/// set-up, something out of reach) `ERROR`.
///
/// ```
/// use portcullis::{Gate, Routes, tracing::Tracing};
///
/// let gate = Gate::builder().routes(Routes::new().public("GET", "/")).audit(Tracing).build()?;
/// # Ok::<(), portcullis::GateErrors>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracing;

/// A span that names the request as its answer and its event do, for what its handler does.
///
/// ```
/// use portcullis::Caller;
///
/// fn handle(caller: &Caller) {
///     let _entered = portcullis::tracing::span(caller).entered();
///     // Every event in here carries the correlation id and the principal.
/// }
/// ```
#[must_use]
pub fn span(caller: &Caller) -> Span {
    tracing::span!(
        target: TARGET,
        Level::INFO,
        "request",
        correlation_id = %caller.correlation_id(),
        principal = caller.principal().map(Principal::id),
    )
}

/// One event at a level, which `tracing` wants to know at compile time.
macro_rules! emit {
    ($level:expr, $event:expr) => {{
        let event = $event;
        tracing::event!(
            target: TARGET,
            $level,
            event = event.name.as_str(),
            correlation_id = %event.correlation,
            at = event.at.as_millis(),
            principal = event.principal.map(Principal::id),
            client = event.client.map(tracing::field::display),
            method = event.method,
            path = event.path,
            route = event.template,
            action = event.action,
            rule = event.rule,
            limit = event.limit,
            limit_shadowed = event.shadowed,
            limit_nearing = event.nearing,
            class = event.refusal.map(|refusal| refusal.reason().class().as_str()),
            reason = event.refusal.map(|refusal| refusal.reason().as_str()),
            detail = event.refusal.and_then(|refusal| refusal.reason().detail()),
            shadow = event.shadow.map(|shadow| shadow.answer),
            shadow_action = event.shadow.and_then(|shadow| shadow.action),
            shadow_rule = event.shadow.and_then(|shadow| shadow.rule),
        )
    }};
}

impl Sink for Tracing {
    fn record(&self, event: &Event<'_>) {
        match event.name {
            EventName::AuthzAllow => emit!(Level::DEBUG, event),
            EventName::AuthnLoginFail
            | EventName::AuthnLoginSuccess
            | EventName::AuthzFail
            | EventName::InputValidationFail
            | EventName::ExcessRateLimitExceeded
            | EventName::RequestAbandoned => emit!(Level::INFO, event),
            EventName::SysMisconfigured | EventName::SysUnavailable => emit!(Level::ERROR, event),
        }
    }
}

const TARGET: &str = "portcullis";

#[cfg(test)]
mod tests {
    use std::{
        fmt::Debug,
        sync::{Arc, Mutex},
    };

    use tracing::{
        Metadata, Subscriber,
        field::{Field, Visit},
        span::{Attributes, Id, Record},
        subscriber::with_default,
    };

    use super::*;
    use crate::{
        Admission, Credential, Facts, Gate, Mono, Now, Reason, Refusal, Routes, UnixTime,
        testing::Issuer,
    };

    /// Keeps all that `tracing` is told, a line each.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    /// One line: level, then each field that has a value.
    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.push_str(&format!(" {field}={value:?}"));
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "portcullis"
        }

        fn new_span(&self, attributes: &Attributes<'_>) -> Id {
            let mut line = Line("span".to_owned());
            attributes.record(&mut line);
            self.0.lock().unwrap().push(line.0);
            Id::from_u64(1)
        }

        fn event(&self, event: &tracing::Event<'_>) {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    /// All that is told while `work` runs.
    fn told(work: impl FnOnce()) -> Vec<String> {
        let log = Log::default();
        with_default(log.clone(), work);
        log.0.lock().unwrap().clone()
    }

    #[test]
    fn each_outcome_is_one_event_at_its_level() {
        let check = |name, reason: Option<Reason>, level: &str, fields: &[&str]| {
            let refusal = reason.map(Refusal::new);
            let id = crate::CorrelationId::from_bytes([7; 16]);
            let mut event = Event::new(name, UnixTime::from_secs(1), id);
            event.refusal = refusal.as_ref();
            event.path = Some("/a\nb");
            let lines = told(|| Tracing.record(&event));
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].starts_with(level), "{lines:?}");
            for field in fields {
                assert!(lines[0].contains(field), "{field} in {lines:?}");
            }
            // What has no value is not there.
            assert!(!lines[0].contains("principal"), "{lines:?}");
        };
        let id = "correlation_id=07070707070707070707070707070707";
        check(EventName::AuthzAllow, None, "DEBUG", &[r#"event="authz_allow""#, id]);
        let forbidden = [r#"class="forbidden""#, r#"reason="role_missing""#, r#"path="/a\nb""#];
        check(EventName::AuthzFail, Some(Reason::RoleMissing), "INFO", &forbidden);
        let detail = [r#"detail="say where the peer's address is: GateLayer::peer""#];
        check(EventName::SysMisconfigured, Some(Reason::AddressUnknown), "ERROR", &detail);
    }

    #[test]
    fn neither_events_nor_spans_tell_a_secret() {
        let now = Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(0));
        let issuer = Issuer::new("https://id.example");
        let gate = Gate::builder()
            .authenticate(issuer.verifier("staff"))
            .routes(Routes::new().authenticated("GET", "/me"))
            .audit(Tracing)
            .insecure_allow_cleartext()
            .build()
            .unwrap();
        let facts = Facts { method: Some("GET"), path: Some("/me"), ..Facts::default() };
        let good = issuer.token("alice").sign(now.wall);
        let wrong = issuer.token("alice").signed_by_stranger().sign(now.wall);
        let lines = told(|| {
            for token in [&good, &wrong] {
                let claim = Credential::Bearer(token);
                if let Admission::Done(Ok(caller)) = gate.admit(claim, &facts, now) {
                    let _span = span(&caller);
                }
            }
        });
        let starts: Vec<_> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(starts, ["span", "DEBUG", "INFO"]);
        assert!(lines[0].contains(r#"principal="staff/alice""#), "{lines:?}");
        for part in good.split('.').chain(wrong.split('.')) {
            assert!(!lines.iter().any(|line| line.contains(part)), "{lines:?}");
        }
    }
}
