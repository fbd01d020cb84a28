//! The command for policy authors, as a process.

use std::process::{Command, Output};

use crate::examples::built;

const ORDERS: &str = "examples/orders.policy.toml";

fn policy(arguments: &[&str]) -> (i32, String) {
    let directory = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(built("policy")).args(arguments).current_dir(directory).output();
    let Output { status, stdout, stderr } = output.unwrap();
    let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code().unwrap(), text)
}

fn check(arguments: &[&str], code: i32, expected: &str) {
    assert_eq!(policy(arguments), (code, expected.to_owned()), "{arguments:?}");
}

#[test]
fn errors_are_shown_where_they_are() {
    check(&["check", ORDERS], 0, "examples/orders.policy.toml: 3 actions, 3 roles, no errors\n");
    check(&["check", "examples/policy/orders.cedar", "examples/policy/broken.cedar"], 1, "");
    check(&["matrix", "examples/policy/broken.toml"], 1, "");
}

#[test]
fn a_request_is_decided_and_explained() {
    let request = ["--request", "examples/policy/refund.json"];
    let ask = |command, more: &[&'static str]| [&[command, ORDERS], more, &request].concat();
    check(&ask("decide", &[]), 1, "deny forbidden_by_rule `large-refunds-from-the-office-only`\n");
    check(&ask("explain", &[]), 1, "");
    let own = [
        &ask("decide", &[])[..],
        &["--context", "{\"client\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"127.0.0.1\"}}}"],
    ]
    .concat();
    check(&own, 0, "allow `role:manager`\n");
    let read = ["decide", ORDERS, "--principal", "staff/alice", "--action", "order:read"];
    let none = [&read[..], &["--resource", "Order::7", "--roles", "customer"]].concat();
    check(&none, 1, "deny no_rule\n");
    let clerk = [&read[..], &["--resource", "Order::7", "--roles", "clerk"]].concat();
    check(&clerk, 0, "allow `role:clerk`\n");
    let (code, json) = policy(&ask("explain", &["--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["why"].as_str()), (1, Some("forbidden_by_rule")));
    let cedar = ["explain", "examples/policy/orders.cedar", request[0], request[1]];
    check(&cedar, 1, "");
}

#[test]
fn the_matrix_and_the_graph_show_roles_by_actions() {
    check(&["matrix", ORDERS], 0, "");
    check(&["graph", ORDERS], 0, "");
}

#[test]
fn what_is_called_wrongly_is_told_apart() {
    let (code, text) = policy(&["decide"]);
    assert!(code == 2 && text.starts_with("error: usage: policy check FILE...\n"), "{text}");
    check(
        &["decide", ORDERS, "--principal", "a", "--resource", "Order::7", "--action", "order:raed"],
        2,
        "error: no action `order:raed`; did you mean `order:read`?\n",
    );
    let (code, text) = policy(&["check", "no-such-file"]);
    assert!(code == 2 && text.starts_with("error: cannot read no-such-file: "), "{text}");
}
