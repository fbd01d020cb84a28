//! The examples do what they say, the service over a real socket.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Builds an example, a no-op where all targets were built, and hands back its program.
pub(crate) fn built(name: &str) -> PathBuf {
    let arguments = ["build", "--quiet", "--locked", "--all-features", "--example", name];
    let status = Command::new(env!("CARGO")).args(arguments).status().unwrap();
    assert!(status.success(), "`cargo build --example {name}` fails");
    // target/debug/deps/it-… → target/debug/examples/…
    let profile = env::current_exe().unwrap();
    profile.ancestors().nth(2).unwrap().join("examples").join(name)
}

/// Ends the service with the test, however that ends.
pub(crate) struct Service(pub(crate) Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn direct() {
    let output = Command::new(built("direct")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = [
        "nightly: accepted from batch/olga",
        "urgent: refused, forbidden: no_rule",
        "nightly: refused, forbidden: no_rule",
        "nightly: accepted from batch/olga",
        "nightly: refused, throttled: principal_throttled",
    ];
    assert!(text.lines().eq(expected), "{text}");
}

#[test]
fn hyper_answers_every_printed_line_as_it_says() {
    let mut hyper = Command::new(built("hyper"));
    hyper.env("HYPER_ADDR", "127.0.0.1:0").stdout(Stdio::piped());
    let mut service = Service(hyper.spawn().unwrap());
    let stdout = BufReader::new(service.0.stdout.take().unwrap());
    let statuses: Vec<_> = stdout
        .lines()
        .map(Result::unwrap)
        .take(7)
        .map(|line| {
            let output = Command::new("bash").args(["-c", &line]).output().unwrap();
            let status = String::from_utf8(output.stdout).unwrap().trim().to_owned();
            let (_, expect) = line.split_once("# expect ").unwrap();
            assert_eq!(Some(&*status), expect.get(..3), "{line}");
            status
        })
        .collect();
    assert_eq!(statuses, ["200", "200", "401", "401", "403", "400", "404"]);
}

#[test]
fn tonic_refuses_in_words_that_a_client_understands() {
    let output = Command::new(built("tonic")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = [
        "alice: Serving",
        r#"no token: Unauthenticated, unauthenticated, with an id, Bearer realm="staff""#,
        r#"expired: Unauthenticated, unauthenticated, with an id, Bearer realm="staff", error="invalid_token""#,
        r#"alice watches: PermissionDenied, forbidden, with an id, Bearer realm="staff", error="insufficient_scope", scope="health.watch""#,
        "alice: Serving",
        "alice once more: ResourceExhausted, throttled, with an id",
    ];
    assert!(text.lines().eq(expected), "{text}");
}

#[test]
fn orders_answers_every_printed_line_as_it_says() {
    let mut orders = Command::new(built("orders"));
    orders.env("ORDERS_ADDR", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut service = Service(orders.spawn().unwrap());
    let audit = BufReader::new(service.0.stderr.take().unwrap());
    let stdout = BufReader::new(service.0.stdout.take().unwrap());

    let mut expected = Vec::new();
    for line in stdout.lines().map(Result::unwrap) {
        let (_, expect) = line.split_once("# expect ").unwrap();
        let last = expect.starts_with("429");
        let output = Command::new("bash").args(["-c", &line]).output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        assert_eq!(Some(status.trim()), expect.get(..3), "{line}");
        expected.push(expect.to_owned());
        if last {
            break;
        }
    }
    let all = ["200", "201", "401", "403", "404", "429"];
    for status in all {
        assert!(expected.iter().any(|expect| expect.starts_with(status)), "no case for {status}");
    }

    // One event for each request, of which the last line makes thirty.
    let event = |line: Result<String, _>| serde_json::from_str(&line.unwrap()).unwrap();
    let events: Vec<serde_json::Value> =
        audit.lines().take(expected.len() - 1 + 30).map(event).collect();
    for reason in [
        "expired",
        "revoked",
        "credential_unsupported",
        "no_rule",
        "role_missing",
        "route_unlisted",
        "principal_throttled",
    ] {
        assert!(events.iter().any(|event| event["reason"] == reason), "no event for {reason}");
    }
}
