//! Events as JSON lines, written by a thread of their own.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
};

use super::{Event, Sink, json};

/// Writes each event as one line of JSON.
///
/// Recording renders the line and puts it into a bounded queue; one plain thread writes. When
/// the queue is full the event is lost and counted, and the next line written says how many are
/// missing: `"lost":3`. A request never waits and never fails because of its record.
///
/// A line is ASCII, at most 16 KiB, and whatever a caller sends cannot end it or add a member to
/// it. Texts are cut to 256 bytes; `"path_cut":40` says that 40 bytes of the path are missing.
///
/// Dropping the sink writes what is queued, and so waits for the output. An output that panics
/// takes the queue with it; from then on every event is lost, and counted.
///
/// ```
/// use std::sync::Arc;
///
/// use portcullis::{CorrelationId, UnixTime, audit::{Event, EventName, JsonLines, Sink}};
///
/// let sink = Arc::new(JsonLines::new(std::io::stdout(), 1_024)?);
/// let id = CorrelationId::from_bytes([7; 16]);
/// let mut event = Event::new(EventName::AuthzFail, UnixTime::from_secs(1_700_000_000), id);
/// event.path = Some("/orders/7\n{\"event\":\"authz_allow\"}");
/// // {"at":"2023-11-14T22:13:20.000Z","event":"authz_fail",…"path":"/orders/7\u000a{\"event\":…
/// sink.record(&event);
/// sink.flush();
/// assert_eq!((sink.lost(), sink.failed()), (0, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct JsonLines {
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl JsonLines {
    /// Writes to `output`, behind a queue of `queue` lines (at least 1, at most 65,536).
    ///
    /// # Errors
    /// When the system refuses to start a thread.
    pub fn new(output: impl Write + Send + 'static, queue: usize) -> io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(queue.clamp(1, MAX_QUEUE));
        let counts = Arc::new(Counts::default());
        let writer = Writer { output, counts: Arc::clone(&counts), told: 0, torn: false };
        let writer = thread::Builder::new()
            .name("portcullis-audit".to_owned())
            .spawn(move || writer.run(&receiver))?;
        Ok(Self { queue: Some(sender), writer: Some(writer), counts })
    }

    /// How many events have no line: the queue was full, or the output failed.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.counts.lost.load(Relaxed)
    }

    /// How often the output failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.counts.failed.load(Relaxed)
    }

    /// Waits until everything recorded before is written. Not for the path of a request.
    pub fn flush(&self) {
        let (done, written) = mpsc::sync_channel(1);
        if let Some(queue) = &self.queue
            && queue.send(Message::Flush(done)).is_ok()
        {
            // An error says that the writer is gone; there is nothing left to wait for.
            let _ = written.recv();
        }
    }
}

impl Sink for JsonLines {
    fn record(&self, event: &Event<'_>) {
        let line = Message::Line(json::open_line(event));
        let queued = self.queue.as_ref().is_some_and(|queue| queue.try_send(line).is_ok());
        if !queued {
            self.counts.lost.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        // Without a sender the writer ends when it has written what is queued.
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // An error says that the output panicked; a drop must not panic too.
            let _ = writer.join();
        }
    }
}

#[derive(Debug)]
enum Message {
    Line(String),
    Flush(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Counts {
    lost: AtomicU64,
    failed: AtomicU64,
}

struct Writer<W> {
    output: W,
    counts: Arc<Counts>,
    /// How many of the lost events a line has told of.
    told: u64,
    /// Whether a failed write may have left a part of a line behind.
    torn: bool,
}

impl<W: Write> Writer<W> {
    fn run(mut self, queue: &Receiver<Message>) {
        while let Ok(message) = queue.recv() {
            self.take(message);
            // Flushed when the queue runs dry, so that a quiet service's last line is seen.
            while let Ok(message) = queue.try_recv() {
                self.take(message);
            }
            self.flush();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Line(line) => self.write(line),
            Message::Flush(done) => {
                self.flush();
                // An error says that nobody waits any more.
                let _ = done.send(());
            }
        }
    }

    /// One call of the output for one line, so that other writers of the same file do not cut in.
    fn write(&mut self, mut line: String) {
        let lost = self.counts.lost.load(Relaxed);
        if lost > self.told {
            line.push_str(&format!(r#","lost":{}"#, lost - self.told));
        }
        line.push_str("}\n");
        if self.torn {
            line.insert(0, '\n');
        }
        self.torn = self.output.write_all(line.as_bytes()).is_err();
        if self.torn {
            self.counts.failed.fetch_add(1, Relaxed);
            self.counts.lost.fetch_add(1, Relaxed);
        } else {
            self.told = lost;
        }
    }

    fn flush(&mut self) {
        if self.output.flush().is_err() {
            self.counts.failed.fetch_add(1, Relaxed);
        }
    }
}

const MAX_QUEUE: usize = 65_536;

#[cfg(test)]
mod tests;
