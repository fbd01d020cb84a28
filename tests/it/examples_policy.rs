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
    check(&["check", ORDERS], 0, "examples/orders.policy.toml: no errors; actions: 3, roles: 3\n");
    check(
        &["check", "examples/policy/orders.cedar", "examples/policy/broken.cedar"],
        1,
        r#"examples/policy/orders.cedar: no errors; actions: 2, roles: 1
error: unexpected `=`; equality is `==`
 --> examples/policy/broken.cedar:2:23
  |
2 | when { resource.owner = principal };
  |                       ^

examples/policy/broken.cedar: 1 error
"#,
    );
    check(
        &["matrix", "examples/policy/broken.toml"],
        1,
        r#"error: no action `order:raed`
 --> examples/policy/broken.toml:8:18
  |
8 | clerk = { may = ["order:raed"] }
  |                  ^^^^^^^^^^^^
  = help: did you mean `order:read`?
  = note: in `roles.clerk.may[0]`

error: `Order` has no attribute `ownr`
  --> examples/policy/broken.toml:14:9
   |
14 | when = "resource.ownr == principal"
   |         ^^^^^^^^^^^^^
   = help: did you mean `owner`?
   = note: in `rule[0].when`

error: unexpected `'`; text is in double quotes
  --> examples/policy/broken.toml:21:26
   |
21 | when = "resource.total < 'ten'"
   |                          ^^^^^
   = note: in `rule[1].when`

examples/policy/broken.toml: 3 errors
"#,
    );
}

#[test]
fn a_request_is_decided_and_explained() {
    let request = ["--request", "examples/policy/refund.json"];
    let ask = |command, more: &[&'static str]| [&[command, ORDERS], more, &request].concat();
    check(&ask("decide", &[]), 1, "deny forbidden_by_rule `large-refunds-from-the-office-only`\n");
    check(
        &ask("explain", &[]),
        1,
        r#"`order:refund` is forbidden by `large-refunds-from-the-office-only`
  rule `large-refunds-from-the-office-only`
    `resource.total > 10000` is true
      `resource.total` is 20000
    its `unless`, `context.client.isInRange(ip("127.0.0.0/8"))`, is false
      `context.client` is 203.0.113.9
"#,
    );
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
    check(
        &cedar,
        1,
        r#"`order:refund` is forbidden by `policy2`
  rule `policy2`
    `resource is Order` is true
      `resource` is Order::"7"
    `resource.total > 10000` is true
      `resource.total` is 20000
    its `unless`, `context.client.isInRange(ip("127.0.0.0/8"))`, is false
      `context.client` is 203.0.113.9
"#,
    );
}

#[test]
fn the_matrix_and_the_graph_show_roles_by_actions() {
    check(
        &["matrix", ORDERS],
        0,
        r#"|           | order:create | order:read  | order:refund |
| --------- | ------------ | ----------- | ------------ |
| (no role) | -            | conditional | -            |
| clerk     | allow        | allow       | -            |
| customer  | allow        | conditional | -            |
| manager   | allow        | allow       | conditional  |
"#,
    );
    check(
        &["graph", ORDERS],
        0,
        r#"flowchart LR
  r0(["clerk"])
  r1(["customer"])
  r2(["manager"])
  r0 -.->|inherits| r1
  r2 -.->|inherits| r0
  a0["order:create"]
  r1 --> a0
  a1["order:read"]
  r0 --> a1
  p0{{"owner-reads-own"}}
  p0 -->|permit| a1
  a2["order:refund"]
  r2 --> a2
  p1{{"large-refunds-from-the-office-only"}}
  p1 --x|forbid| a2
  p2{{"no-refund-of-own-orders"}}
  p2 --x|forbid| a2
"#,
    );
    check(
        &["graph", "examples/policy/orders.cedar"],
        0,
        r#"flowchart LR
  r0(["manager"])
  a0["order:read"]
  p0{{"policy0"}}
  p0 -->|permit| a0
  a1["order:refund"]
  p1{{"policy2"}}
  p1 --x|forbid| a1
  p2{{"policy1"}}
  r0 --- p2
  p2 -->|permit| a1
"#,
    );
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
    for call in [
        &["check", "no-such-file"][..],
        &["decide", ORDERS, "--request", "no-such-file"],
        &["explain", ORDERS, "--entities", "no-such-file"],
    ] {
        let (code, text) = policy(call);
        assert!(code == 2 && text.starts_with("error: cannot read no-such-file: "), "{text}");
    }
    let (code, text) = policy(&["decide", ORDERS, "--context", "{"]);
    assert!(code == 2 && text.starts_with("error: --context: no JSON: "), "{text}");
    // A real caller may have roles that decide nothing here; whoever tries one is told.
    let ask = ["--principal", "a", "--resource", "Order::7", "--action", "order:read"];
    check(
        &[&["decide", ORDERS, "--roles", "clerc,clerk"], &ask[..]].concat(),
        0,
        "allow `role:clerk`\nnote: the policies know no role `clerc`; did you mean `clerk`?\n",
    );
}

#[test]
fn of_a_long_line_that_part_is_shown_which_is_wrong() {
    let file = std::env::temp_dir().join(format!("portcullis-long-{}.cedar", std::process::id()));
    let many = "context.a == 1 || ".repeat(50);
    let text = format!(
        "permit (principal, action, resource) when {{ {many}context.b = 2 || {many}true }};"
    );
    std::fs::write(&file, text).unwrap();
    let (code, text) = policy(&["check", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let [_, _, _, shown, carets, ..] = &*lines else { panic!("{text}") };
    assert!(code == 1 && shown.len() < 140 && shown.starts_with("1 | ..."), "{text}");
    assert_eq!(shown.get(carets.find('^').unwrap()..).unwrap().get(..3), Some("= 2"), "{text}");
}
