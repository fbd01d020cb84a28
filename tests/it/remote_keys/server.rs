//! An HTTP server that does what no server should.

use std::{
    io::{BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use crate::kit::http;

#[derive(Clone, Debug)]
pub(super) enum Behaviour {
    /// A key set with a tag, and 304 to who has it.
    Keys(String),
    /// A key set, but 500 to every second request.
    Flaky(String),
    /// A document about the issuer `/t`, and this key set at `/keys`.
    Discovery(String),
    Body(String),
    Giant,
    Hang,
    Redirect(String),
    Status(u16),
}

#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    requests: u64,
    unchanged: u64,
}

impl Server {
    pub(super) fn start(behaviour: Behaviour) -> Self {
        let state = Arc::new(Mutex::new(State { behaviour, requests: 0, unchanged: 0 }));
        Self { address: http::listen(&state, serve), state }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    pub(super) fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    pub(super) fn unchanged(&self) -> u64 {
        self.state.lock().unwrap().unchanged
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let address = stream.local_addr()?;
    let head = http::head(&mut BufReader::new(stream.try_clone()?))?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let tagged = |tag: &str| head.to_ascii_lowercase().contains(&format!("if-none-match: {tag}"));
    let (behaviour, odd) = {
        let mut state = state.lock().unwrap();
        state.requests += 1;
        (state.behaviour.clone(), state.requests % 2 == 1)
    };
    match behaviour {
        Behaviour::Keys(jwks) => {
            let tag = format!("\"{}\"", jwks.len());
            if tagged(&tag) {
                state.lock().unwrap().unchanged += 1;
                return write!(stream, "HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n");
            }
            answer(&mut stream, &format!("ETag: {tag}\r\nCache-Control: max-age=60\r\n"), &jwks)
        }
        Behaviour::Flaky(_) if odd => status(&mut stream, 500),
        Behaviour::Flaky(body) | Behaviour::Body(body) => answer(&mut stream, "", &body),
        Behaviour::Discovery(jwks) if path == "/keys" => answer(&mut stream, "", &jwks),
        Behaviour::Discovery(_) => {
            let issuer = format!("http://{address}/t");
            let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"http://{address}/keys"}}"#);
            let asked = path == "/t/.well-known/openid-configuration";
            if asked { answer(&mut stream, "", &document) } else { status(&mut stream, 404) }
        }
        Behaviour::Giant => http::giant(&mut stream),
        Behaviour::Hang => {
            thread::sleep(Duration::from_secs(2));
            Ok(())
        }
        Behaviour::Redirect(to) => {
            http::answer(&mut stream, "302 Found", &format!("Location: {to}\r\n"), "")
        }
        Behaviour::Status(code) => status(&mut stream, code),
    }
}

fn answer(stream: &mut TcpStream, headers: &str, body: &str) -> std::io::Result<()> {
    http::answer(stream, "200 OK", headers, body)
}

fn status(stream: &mut TcpStream, code: u16) -> std::io::Result<()> {
    http::answer(stream, &format!("{code} X"), "", "")
}

/// One set of the keys of both.
pub(super) fn union(one: &str, other: &str) -> String {
    let keys = |text: &str| -> Vec<serde_json::Value> {
        let mut set: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::from_value(set["keys"].take()).unwrap()
    };
    let keys = [keys(one), keys(other)].concat();
    serde_json::json!({ "keys": keys }).to_string()
}
