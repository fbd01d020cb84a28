//! A gate around a tonic server, and a client that shows what it says.
//!
//! `cargo run --example tonic --features tower,testing`
//!
//! The service is the health check that comes with tonic. `TONIC_ADDR` sets another address to
//! listen on than a free port.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use portcullis::{Gate, Quota, Routes, clock, testing::Issuer, tower::GateLayer};
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    transport::{
        Channel, Endpoint, Server,
        server::{TcpConnectInfo, TcpIncoming},
    },
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

fn layer(issuer: &Issuer) -> Result<GateLayer, Box<dyn Error>> {
    // gRPC's paths are service and method, so they need no templates.
    let routes = Routes::new().authenticated("POST", "/grpc.health.v1.Health/Check").scope(
        "POST",
        "/grpc.health.v1.Health/Watch",
        "health.watch",
    );
    let gate = Gate::builder()
        .authenticate(issuer.verifier("staff"))
        .routes(routes)
        .limit_principals(Quota::per_minute(60).burst(3))
        .build()?;
    Ok(GateLayer::new(gate).grpc().peer(|extensions| {
        let info = extensions.get::<TcpConnectInfo>()?;
        info.remote_addr().map(|address| address.ip())
    }))
}

/// A question about the whole server, with a token or without.
fn question(token: Option<&str>) -> Result<Request<HealthCheckRequest>, Box<dyn Error>> {
    let mut request = Request::new(HealthCheckRequest { service: String::new() });
    if let Some(token) = token {
        let value = MetadataValue::try_from(format!("Bearer {token}"))?;
        request.metadata_mut().insert("authorization", value);
    }
    Ok(request)
}

/// What a caller learns of a refusal.
fn told(status: &Status) -> String {
    let metadata = |name| status.metadata().get(name).and_then(|value| value.to_str().ok());
    let (code, message) = (status.code(), status.message());
    let id = if metadata("correlation-id").is_some() { "with an id" } else { "without an id" };
    match metadata("www-authenticate") {
        Some(challenge) => format!("{code:?}, {message}, {id}, {challenge}"),
        None => format!("{code:?}, {message}, {id}"),
    }
}

async fn check(
    client: &mut HealthClient<Channel>,
    token: Option<&str>,
) -> Result<String, Box<dyn Error>> {
    let answer = client.check(question(token)?).await;
    Ok(answer.map_or_else(|no| told(&no), |yes| format!("{:?}", yes.get_ref().status())))
}

async fn ask(issuer: &Issuer, channel: Channel) -> Result<(), Box<dyn Error>> {
    let now = clock::now().wall;
    let mut client = HealthClient::new(channel);
    let alice = issuer.token("alice").sign(now);
    let expired = issuer.token("alice").expired().sign(now);
    println!("alice: {}", check(&mut client, Some(&alice)).await?);
    println!("no token: {}", check(&mut client, None).await?);
    println!("expired: {}", check(&mut client, Some(&expired)).await?);
    let watch = client.watch(question(Some(&alice))?).await;
    println!("alice watches: {}", watch.map_or_else(|no| told(&no), |_| "watching".to_owned()));
    println!("alice: {}", check(&mut client, Some(&alice)).await?);
    println!("alice once more: {}", check(&mut client, Some(&alice)).await?);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer::new("https://id.example");
    let address = env::var("TONIC_ADDR").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let incoming = TcpIncoming::bind(address.parse()?)?;
    let server = format!("http://{}", incoming.local_addr()?);
    let (_, health) = tonic_health::server::health_reporter();
    let serving =
        Server::builder().layer(layer(&issuer)?).add_service(health).serve_with_incoming(incoming);
    tokio::spawn(serving);
    ask(&issuer, Endpoint::from_shared(server)?.connect().await?).await
}
