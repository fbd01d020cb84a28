//! An introspection endpoint that does what none should, over real HTTP.

use std::{
    io::{BufReader, Read as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use crate::kit::http::{self, answer};

#[derive(Clone, Debug)]
pub(super) enum Behaviour {
    /// The token `good` is alice's, and no other is active; to whoever is `orders`.
    Honest,
    /// The same after this many milliseconds.
    Slow(u64),
    Body(&'static str),
    Giant,
    Redirect(String),
    Status(u16),
}

/// Ends when it is dropped and a last connection comes.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    /// Heads and bodies.
    requests: Vec<(String, String)>,
}

impl Server {
    pub(super) fn start(behaviour: Behaviour) -> Self {
        let state = Arc::new(Mutex::new(State { behaviour, requests: Vec::new() }));
        Self { address: http::listen(&state, serve), state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/introspect", self.address)
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    /// What was asked since the last call.
    pub(super) fn requests(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let head = http::head(&mut reader)?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let behaviour = {
        let mut state = state.lock().unwrap();
        state.requests.push((head.clone(), body.clone()));
        state.behaviour.clone()
    };
    match behaviour {
        Behaviour::Honest => honest(&mut stream, &head, &body),
        Behaviour::Slow(millis) => {
            thread::sleep(Duration::from_millis(millis));
            honest(&mut stream, &head, &body)
        }
        Behaviour::Body(body) => answer(&mut stream, "200 OK", "", body),
        Behaviour::Giant => http::giant(&mut stream),
        Behaviour::Redirect(to) => answer(&mut stream, "307 X", &format!("Location: {to}\r\n"), ""),
        Behaviour::Status(code) => answer(&mut stream, &format!("{code} X"), "", ""),
    }
}

fn honest(stream: &mut TcpStream, head: &str, body: &str) -> std::io::Result<()> {
    // `orders` and `s:cret`, in lower case as the rest of the head is here.
    if !head.contains("authorization: basic b3jkzxjzonmlm0fjcmv0") {
        return answer(stream, "401 Unauthorized", "", "");
    }
    let exp = portcullis::clock::now().wall.as_secs() + 600;
    let json = match body {
        "token=good&token_type_hint=access_token" => {
            format!(r#"{{"active":true,"sub":"alice","aud":"orders","exp":{exp}}}"#)
        }
        _ => r#"{"active":false}"#.to_owned(),
    };
    answer(stream, "200 OK", "Content-Type: application/json\r\n", &json)
}
