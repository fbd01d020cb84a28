//! A gate around a plain hyper service. At start it prints a curl line for every case.
//!
//! `cargo run --example hyper --features tower,testing`
//!
//! `HYPER_ADDR` sets another address to listen on than `127.0.0.1:3000`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{convert::Infallible, env, error::Error, net::SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use portcullis::{
    Caller, Gate, Principal, Quota, Routes, clock, testing::Issuer, tower::GateLayer,
};
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

/// Tells callers who they are. The gate has let them through.
async fn whoami(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let caller = request.extensions().get::<Caller>().and_then(Caller::principal);
    let text = format!("{}\n", caller.map_or("nobody", Principal::id));
    Ok(Response::new(Full::from(text)))
}

fn layer(issuer: &Issuer) -> Result<GateLayer, Box<dyn Error>> {
    let routes = Routes::new().public("GET", "/health").authenticated("GET", "/whoami").scope(
        "GET",
        "/reports",
        "reports.read",
    );
    let gate = Gate::builder()
        .authenticate(issuer.verifier("staff"))
        .routes(routes)
        .limit_clients(Quota::per_second(50))
        .build()?;
    Ok(GateLayer::new(gate)
        .peer(|extensions| extensions.get::<SocketAddr>().map(SocketAddr::ip))
        .strip_credentials())
}

fn print_lines(issuer: &Issuer, address: SocketAddr) {
    let now = clock::now().wall;
    let alice = issuer.token("alice").sign(now);
    let expired = issuer.token("alice").expired().sign(now);
    let bearer = |token: &str| format!(" -H 'Authorization: Bearer {token}'");
    let cases = [
        (String::new(), "/health", "200: public"),
        (bearer(&alice), "/whoami", "200: staff/alice"),
        (String::new(), "/whoami", "401: no credential"),
        (bearer(&expired), "/whoami", "401: expired"),
        (bearer(&alice), "/reports", "403: the token has no such scope"),
        (" -H 'Authorization: Bearer'".to_owned(), "/whoami", "400: no token"),
        (String::new(), "/secrets", "404: unlisted route"),
    ];
    for (credential, path, expect) in cases {
        println!(
            "curl -s -o /dev/null -w '%{{http_code}}\\n'{credential} http://{address}{path} # expect {expect}"
        );
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer::new("https://id.example");
    let layer = layer(&issuer)?;
    let address = env::var("HYPER_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    print_lines(&issuer, listener.local_addr()?);
    loop {
        let (stream, peer) = listener.accept().await?;
        let gated = layer.layer(service_fn(whoami));
        // The gate's layer reads the address out of the request's extensions.
        let service = tower::util::MapRequest::new(gated, move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            request
        });
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::spawn(async move {
            // A connection that breaks off is the other side's business.
            let _ = connection.await;
        });
    }
}
