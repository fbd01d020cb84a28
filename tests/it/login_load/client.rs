//! As much of an HTTP client as 10,000 of them need.

use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// One connection from an address of its own; all of 127.0.0.0/8 is this machine.
pub(super) struct Client(TcpStream);

impl Client {
    pub(super) async fn connect(port: u16, from: [u8; 4]) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        let stream = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(super) async fn page(&mut self, path: &str, cookies: &str) -> u16 {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n");
        self.exchange(&request).await.0
    }

    /// Hands back the cookies, too.
    pub(super) async fn log_in(
        &mut self,
        user: &str,
        password: &str,
        cookies: &str,
    ) -> (u16, String) {
        let form = format!("user={user}&password={}", password.replace(' ', "+"));
        let request = format!(
            "POST /login HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        );
        let (status, head) = self.exchange(&request).await;
        let cookies = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let pairs: Vec<_> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        (status, pairs.join("; "))
    }

    /// The status and the head of the answer.
    async fn exchange(&mut self, request: &str) -> (u16, String) {
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        loop {
            assert_ne!(self.0.read_buf(&mut answer).await.unwrap(), 0, "closed");
            let text = String::from_utf8_lossy(&answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return (head.get(9..12).unwrap().parse().unwrap(), head.to_owned());
            }
        }
    }
}

/// Lets this process and those that it starts have so many connections.
pub(super) fn raise_open_files(wanted: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum };
        setrlimit(Resource::Nofile, raised).unwrap_or_else(|error| {
            panic!("{wanted} open files are needed, of {maximum:?} at the most: {error}")
        });
    }
}
