//! Whole requests over loopback, on connections that are kept.

use std::{
    cell::RefCell,
    error::Error,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::Router;
use http::HeaderValue;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
};

use super::{EXPECTED, bearers, by_hand, guarded, ours, router};
use crate::{
    access_token::{Algorithm, Keys},
    measure::{Engine, Session, Workload},
};

/// Connections that are open at once.
const CONNECTIONS: u64 = 16;

/// A batch is no shorter than this, so that opening and closing of it do not count.
const LEAST: Duration = Duration::from_millis(2);

/// A server, its clients, and the thread's runtime that both run on.
struct Loopback {
    runtime: Runtime,
    idle: RefCell<Vec<TcpStream>>,
    request: Box<[u8]>,
}

pub(super) fn measure_bare(session: &mut Session, name: &str) -> Result<(), Box<dyn Error>> {
    if !session.wants("http/none") {
        return Ok(());
    }
    let loopback = Loopback::start(router(), &HeaderValue::from_static(""))?;
    let workload = Workload::new("http/none", [true]);
    session.measure(workload.reference(loopback.engine(name, [loopback.answer()])))
}

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let bearers = bearers(algorithm, keys)?;
    let mut all = Vec::new();
    let cached = [
        ("portcullis+cached".to_owned(), ours::guard(router(), algorithm, keys, 64)?),
        (
            "bound: one layer by hand, tokens in a map".to_owned(),
            by_hand::guard(router(), algorithm, keys, true)?,
        ),
    ];
    for (name, router) in guarded(algorithm, keys, 0)?.into_iter().chain(cached) {
        let start = |bearer| Loopback::start(router.clone(), bearer);
        let asked: Vec<_> = bearers.iter().map(start).collect::<Result<_, _>>()?;
        let answers: Vec<bool> = asked.iter().map(Loopback::answer).collect();
        all.push((name, answers, asked));
    }
    let mut workload = Workload::new(name, EXPECTED);
    for (at, (name, answers, asked)) in all.iter().enumerate() {
        let Some(good) = asked.first() else { continue };
        let engine = good.engine(name, answers.iter().copied());
        workload = if at == 0 { workload.reference(engine) } else { workload.engine(engine) };
    }
    session.measure(workload)
}

impl Loopback {
    /// A server of `router`, and clients that send this `Authorization`.
    fn start(router: Router, bearer: &HeaderValue) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async { axum::serve(listener, service).await });
        let connect = async || {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true).map(|()| stream)
        };
        let streams = (0..CONNECTIONS).map(|_| runtime.block_on(connect()));
        let streams = streams.collect::<Result<_, _>>()?;
        let request = format!(
            "GET /api/orders/42 HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
             authorization: {}\r\n\r\n",
            bearer.to_str()?
        );
        Ok(Self { runtime, idle: RefCell::new(streams), request: request.into_bytes().into() })
    }

    /// Whether the request gets through.
    fn answer(&self) -> bool {
        let stream = self.idle.borrow_mut().pop();
        let Some(mut stream) = stream else { return false };
        let exchanged = self.runtime.block_on(exchange(&mut stream, &self.request));
        self.idle.borrow_mut().push(stream);
        exchanged.is_ok_and(|is_ok| is_ok)
    }

    fn engine<'a>(&'a self, name: &str, answers: impl IntoIterator<Item = bool>) -> Engine<'a> {
        // What goes wrong counts as endless, so that the figure cannot look good.
        let run = |requests| self.batch(requests).unwrap_or(Duration::MAX);
        Engine::timed(name, answers, LEAST, run)
    }

    /// So many requests, shared out among the connections.
    fn batch(&self, requests: u64) -> Result<Duration, Box<dyn Error>> {
        let start = Instant::now();
        let streams = self.idle.take();
        let streams = self.runtime.block_on(async {
            let mut clients = JoinSet::new();
            for (nth, stream) in (0..CONNECTIONS).zip(streams) {
                let share = requests / CONNECTIONS + u64::from(nth < requests % CONNECTIONS);
                clients.spawn(client(stream, self.request.clone(), share));
            }
            clients.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()
        })?;
        self.idle.replace(streams);
        Ok(start.elapsed())
    }
}

async fn client(
    mut stream: TcpStream,
    request: Box<[u8]>,
    requests: u64,
) -> Result<TcpStream, io::Error> {
    for _ in 0..requests {
        if !exchange(&mut stream, &request).await? {
            return Err(io::Error::other("a request was refused"));
        }
    }
    Ok(stream)
}

/// One request and its response; whether that is 200.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<bool, io::Error> {
    stream.write_all(request).await?;
    let mut response = [0; 2048];
    let mut read = 0;
    loop {
        let room = response.get_mut(read..).unwrap_or_default();
        match stream.read(room).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
        let text = response.get(..read).unwrap_or_default();
        if is_whole(text) {
            return Ok(text.starts_with(b"HTTP/1.1 200 "));
        }
    }
}

/// Whether head and body are there.
fn is_whole(response: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(response) else { return false };
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).is_none_or(|length: usize| body.len() >= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_when_its_body_is_there() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";
        let check =
            |text: &str, whole: bool| assert_eq!(is_whole(text.as_bytes()), whole, "{text}");
        check("HTTP/1.1 200 OK\r\n", false);
        check(&format!("{head}ab"), false);
        check(&format!("{head}abc"), true);
        check("HTTP/1.1 403 Forbidden\r\n\r\n", true);
    }
}
