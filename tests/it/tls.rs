//! Servers that are certified, and servers that are not, at both who fetch.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use portcullis::{
    Secret,
    authn::{
        Outbound,
        introspection::{Endpoint, Introspection},
        jwt::{FetchError, RemoteKeys, RemoteSet},
    },
    clock,
    fetch::{Introspector, Refresher, Roots, RootsError},
    testing::Issuer,
};
use rustls::{
    ServerConfig, ServerConnection, Stream, crypto,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::kit::block_on;

const AUTHORITY: &str = include_str!("tls/authority.pem");
/// Certified for `localhost`, for another name, and by nobody but itself; each with its key.
const CERTIFIED: &str = include_str!("tls/localhost.pem");
const OTHER: &str = include_str!("tls/other.pem");
const ITSELF: &str = include_str!("tls/self.pem");

const LONG: Duration = Duration::from_secs(20);

/// Answers every request with `body`, and says so on the channel. The URL is its own.
fn serve(pem: &str, body: String) -> (String, mpsc::Receiver<()>) {
    let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let (told, asked) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut socket, mut tls) =
                (connection.unwrap(), ServerConnection::new(Arc::clone(&config)).unwrap());
            let mut stream = Stream::new(&mut tls, &mut socket);
            // Who refuses the certificate says nothing more.
            let Ok(1..) = stream.read(&mut [0; 8192]) else { continue };
            if told.send(()).is_err() {
                return;
            }
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    (url, asked)
}

/// What comes of fetching keys from a server with this certificate.
fn fetched(pem: &str, roots: Roots) -> Option<FetchError> {
    let (url, asked) = serve(pem, Issuer::new("https://id.example").jwks());
    let set = RemoteSet::at(url).outbound(Outbound::default().allow_loopback());
    let keys = RemoteKeys::new(set).unwrap();
    let _refresher = Refresher::trusting(roots, &keys).unwrap();
    let begun = clock::mono();
    loop {
        let now = clock::now();
        let health = keys.health(now);
        if health.keys > 0 {
            asked.recv().unwrap();
            return None;
        }
        if health.error.is_some() {
            assert!(asked.try_recv().is_err(), "it was told nothing");
            return health.error;
        }
        assert!(now.mono < begun.saturating_add(LONG));
        thread::sleep(Duration::from_millis(5));
    }
}

fn own() -> Roots {
    Roots::from_pem(AUTHORITY).unwrap()
}

#[test]
fn keys_come_from_servers_that_are_certified() {
    assert_eq!(fetched(CERTIFIED, own()), None);
}

#[test]
fn attack_server_that_nobody_certifies() {
    let refused = Some(FetchError::Unreachable);
    assert_eq!(fetched(CERTIFIED, Roots::default()), refused, "an authority nobody has named");
    assert_eq!(fetched(ITSELF, Roots::default()), refused);
    assert_eq!(fetched(ITSELF, own()), refused);
    assert_eq!(fetched(OTHER, own()), refused, "certified by another name");
}

#[test]
fn attack_introspection_at_a_server_that_nobody_certifies() {
    let judge = |pem: &str, roots: Roots| {
        let exp = clock::now().wall.as_secs() + 600;
        let body = format!(r#"{{"active":true,"sub":"alice","aud":"orders","exp":{exp}}}"#);
        let (url, asked) = serve(pem, body);
        let endpoint = Endpoint::new(url, Introspector::trusting(roots, 1).unwrap())
            .client("orders", &Secret::new(*b"s:cret"))
            .outbound(Outbound::default().allow_loopback());
        let verifier = Introspection::new("staff", "https://id.example", "orders", endpoint);
        let judged = block_on(verifier.verify_token("good", clock::now()));
        assert_eq!(asked.try_recv().is_ok(), judged.is_ok(), "who is refused sees no token");
        judged.map(drop).map_err(|error| error.detail())
    };
    let refused = Err("the introspection endpoint cannot be reached");
    assert_eq!(judge(CERTIFIED, own()), Ok(()));
    assert_eq!(judge(CERTIFIED, Roots::default()), refused);
    assert_eq!(judge(ITSELF, own()), refused);
    assert_eq!(judge(OTHER, own()), refused);
}

#[test]
fn roots_are_certificates_and_nothing_else() {
    assert_eq!(format!("{:?}", own()), "Roots(1 of its own)");
    let refused = |pem: &str| Roots::from_pem(pem).unwrap_err();
    assert_eq!(refused(""), RootsError::Missing);
    assert_eq!(refused(AUTHORITY.get(..200).unwrap()), RootsError::NotCertificates);
    assert_eq!(refused(CERTIFIED), RootsError::NotCertificates, "a private key");
    let unfit = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(refused(unfit), RootsError::Unfit);
}
