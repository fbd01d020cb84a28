//! What the servers of the tests have in common: real sockets, one request each.

use std::{
    io::{self, BufRead, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Lets `serve` answer each connection to the address that is returned, until `state` is dropped
/// and a last connection comes.
pub(crate) fn listen<S: Send + Sync + 'static>(
    state: &Arc<S>,
    serve: fn(TcpStream, &S) -> io::Result<()>,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = Arc::downgrade(state);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Some(state) = serving.upgrade() else { return };
            // Whoever hung up has no answer.
            thread::spawn(move || drop(serve(connection.unwrap(), &state)));
        }
    });
    address
}

/// A request's first line and its fields.
pub(crate) fn head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

pub(crate) fn answer(
    stream: &mut TcpStream,
    status: &str,
    headers: &str,
    body: &str,
) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// More than anybody should read.
pub(crate) fn giant(stream: &mut TcpStream) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")?;
    (0..100).try_for_each(|_| stream.write_all(&[b' '; 1_000_000]))
}
