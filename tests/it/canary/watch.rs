//! Everything that leaves the service, kept by the way it took.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt::{Debug, Write as _},
    io,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{Arc, Mutex, Once},
};

use portcullis::{
    audit::{Event, JsonLines, Sink},
    tracing::Tracing,
};
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

use super::needle::Needle;

/// A way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    Head,
    Body,
    Debug,
    Event,
    Json,
    Tracing,
    Panic,
}

/// Hears all that is said, on whatever channel. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<BTreeMap<Channel, Vec<u8>>>>);

/// All sinks at once.
#[derive(Debug)]
pub(super) struct Sinks {
    watch: Watch,
    json: JsonLines,
}

thread_local! {
    static LISTENING: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

impl Watch {
    pub(super) fn hear(&self, channel: Channel, what: impl AsRef<[u8]>) {
        let mut heard = self.0.lock().unwrap();
        let text = heard.entry(channel).or_default();
        text.extend_from_slice(what.as_ref());
        if channel != Channel::Json {
            text.push(b'\n');
        }
    }

    /// Hears what `Debug` prints, both ways.
    pub(super) fn look_at(&self, value: &dyn Debug) {
        self.hear(Channel::Debug, format!("{value:?}\n{value:#?}"));
    }

    pub(super) fn sinks(&self) -> Arc<Sinks> {
        let json = JsonLines::new(self.clone(), 4_096).unwrap();
        Arc::new(Sinks { watch: self.clone(), json })
    }

    /// Runs `work` with `tracing` and panics heard; `None` when it panicked.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        hook();
        LISTENING.set(Some(self.clone()));
        let result = with_default(self.clone(), || catch_unwind(AssertUnwindSafe(work)));
        LISTENING.set(None);
        result.ok()
    }

    /// Where which secret was heard, in which form.
    pub(super) fn found(&self, needles: &[Needle]) -> Vec<(Channel, &'static str, &'static str)> {
        let heard = self.0.lock().unwrap();
        let mut found = Vec::new();
        for (channel, text) in &*heard {
            let text = String::from_utf8_lossy(text);
            for needle in needles {
                found.extend(needle.found_in(&text).map(|form| (*channel, needle.name, form)));
            }
        }
        found
    }

    /// All of a channel.
    pub(super) fn text(&self, channel: Channel) -> String {
        let heard = self.0.lock().unwrap();
        heard.get(&channel).map_or_else(String::new, |text| String::from_utf8_lossy(text).into())
    }
}

impl Sinks {
    /// Waits until all lines are written.
    pub(super) fn flush(&self) {
        self.json.flush();
    }
}

impl Sink for Sinks {
    fn record(&self, event: &Event<'_>) {
        self.watch.hear(Channel::Event, format!("{event:?}\n{event:#?}"));
        self.json.record(event);
        Tracing.record(event);
    }
}

/// Only messages of panics while somebody listens on this thread; others go their usual way.
fn hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            LISTENING.with_borrow(|listening| match listening {
                Some(watch) => watch.hear(Channel::Panic, info.to_string()),
                None => usual(info),
            });
        }));
    });
}

impl io::Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hear(Channel::Json, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

/// Every span and event of every target and level, with all fields.
impl Subscriber for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        self.hear(Channel::Tracing, line.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.hear(Channel::Tracing, line.0);
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.hear(Channel::Tracing, line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
