use std::{
    sync::{Mutex, mpsc::channel},
    time::Duration,
};

use serde_json::Value;

use super::*;
use crate::{CorrelationId, UnixTime, audit::EventName};

/// An output that keeps what is written and does, call by call, what the test says.
struct Output<F> {
    kept: Arc<Mutex<Vec<u8>>>,
    act: F,
    calls: usize,
}

impl<F: FnMut(usize, &[u8]) -> io::Result<usize>> Write for Output<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        let written = (self.act)(self.calls, bytes)?;
        self.kept.lock().unwrap().extend(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sink(
    queue: usize,
    act: impl FnMut(usize, &[u8]) -> io::Result<usize> + Send + 'static,
) -> (JsonLines, Arc<Mutex<Vec<u8>>>) {
    let kept = Arc::default();
    let output = Output { kept: Arc::clone(&kept), act, calls: 0 };
    (JsonLines::new(output, queue).unwrap(), kept)
}

fn record(sink: &impl Sink, path: &str) {
    let id = CorrelationId::from_bytes([1; 16]);
    let mut event = Event::new(EventName::AuthzAllow, UnixTime::from_secs(0), id);
    event.path = Some(path);
    sink.record(&event);
}

/// `(path, lost)` of every line that is an event.
fn told(kept: &Mutex<Vec<u8>>) -> Vec<(String, Option<u64>)> {
    let text = String::from_utf8(kept.lock().unwrap().clone()).unwrap();
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .map(|event| {
            (event["path"].as_str().unwrap().to_owned(), event.get("lost").and_then(Value::as_u64))
        })
        .collect()
}

fn line(path: &str, lost: Option<u64>) -> (String, Option<u64>) {
    (path.to_owned(), lost)
}

#[test]
fn a_drop_writes_what_is_queued() {
    let (sink, kept) = sink(100, |_, bytes| Ok(bytes.len()));
    for index in 0..50 {
        record(&sink, &format!("/{index}"));
    }
    drop(sink);
    let expected: Vec<_> = (0..50).map(|index| line(&format!("/{index}"), None)).collect();
    assert_eq!(told(&kept), expected);
}

#[test]
fn a_flush_returns_when_everything_before_it_is_written() {
    let (sink, kept) = sink(1, |_, bytes| Ok(bytes.len()));
    record(&sink, "/a");
    sink.flush();
    assert_eq!(told(&kept), [line("/a", None)]);
}

#[test]
fn a_full_queue_never_blocks_and_the_next_line_says_what_was_lost() {
    let (entered, has_entered) = channel();
    let (release, released) = channel::<()>();
    let (sink, kept) = sink(2, move |call, bytes| {
        if call == 1 {
            entered.send(()).unwrap();
            released.recv().unwrap();
        }
        Ok(bytes.len())
    });
    let sink = Arc::new(sink);
    record(&sink, "/writing");
    has_entered.recv().unwrap();
    let (recorded, has_recorded) = channel();
    let handle = Arc::clone(&sink);
    thread::spawn(move || {
        for path in ["/queued", "/queued too", "/lost", "/lost", "/lost"] {
            record(&handle, path);
        }
        drop(handle);
        recorded.send(()).unwrap();
    });
    has_recorded.recv_timeout(Duration::from_secs(20)).expect("recording does not wait");
    assert_eq!(sink.lost(), 3);
    release.send(()).unwrap();
    sink.flush();
    record(&sink, "/later");
    drop(sink);
    assert_eq!(
        told(&kept),
        [
            line("/writing", None),
            line("/queued", Some(3)),
            line("/queued too", None),
            line("/later", None)
        ]
    );
}

#[test]
fn a_failed_write_is_counted_and_its_fragment_spoils_no_other_line() {
    let (sink, kept) = sink(8, |call, bytes| match call {
        2 => Ok(bytes.len() / 2),
        3 => Err(io::Error::other("disk full")),
        _ => Ok(bytes.len()),
    });
    for path in ["/one", "/torn", "/three", "/four"] {
        record(&sink, path);
        sink.flush();
    }
    assert_eq!((sink.lost(), sink.failed()), (1, 1));
    assert_eq!(told(&kept), [line("/one", None), line("/three", Some(1)), line("/four", None)]);
    let text = String::from_utf8(kept.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 4, "three events and one fragment: {text}");
}

#[test]
fn an_output_that_panics_costs_its_events_and_nothing_else() {
    let (sink, _) = sink(2, |_, _| panic!("an output of the application's own"));
    record(&sink, "/first");
    sink.flush();
    while sink.lost() == 0 {
        record(&sink, "/after");
    }
    sink.flush();
}

#[test]
fn an_absurd_queue_is_clamped() {
    for queue in [0, usize::MAX] {
        let (sink, kept) = sink(queue, |_, bytes| Ok(bytes.len()));
        record(&sink, "/a");
        drop(sink);
        assert_eq!(told(&kept), [line("/a", None)]);
    }
}

#[test]
fn a_shared_handle_records_too() {
    let (sink, kept) = sink(4, |_, bytes| Ok(bytes.len()));
    let sink: Arc<dyn Sink> = Arc::new(sink);
    record(&sink, "/a");
    drop(sink);
    assert_eq!(told(&kept), [line("/a", None)]);
}
