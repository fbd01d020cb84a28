//! For those who write policies: what is wrong with a file, and what it decides and why.
//!
//! ```text
//! cargo run --example policy -- check examples/orders.policy.toml
//! cargo run --example policy -- explain examples/orders.policy.toml --request request.json
//! cargo run --example policy -- matrix examples/orders.policy.toml
//! cargo run --example policy -- graph examples/orders.policy.toml
//! ```
//!
//! A file that ends in `.cedar` is Cedar's policy text, any other a role document in TOML. Ends with
//! 0 if all is well, 1 if a file is wrong or a request is denied, 2 if it is called wrongly.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command answers by printing")]

mod ask;
mod graph;
mod matrix;
mod render;

use std::{error::Error, fs, process::ExitCode};

use portcullis::authz::{Document, PolicyErrors, PolicySet};

const USAGE: &str = "\
usage: policy check FILE...
       policy matrix FILE
       policy graph FILE
       policy decide FILE [request]
       policy explain FILE [--json] [request]

request: --request FILE      JSON with the members below
         --principal ID      as staff/alice; or TYPE::ID
         --roles A,B         roles of the principal
         --scopes A,B        scopes of the credential; no limit unless said
         --action NAME
         --resource TYPE::ID
         --context JSON      as in Cedar
         --entities FILE     attributes of principal and resource, Cedar's JSON
         --now SECONDS       since 1970; the present unless said";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok((text, well)) => {
            print!("{text}");
            if well { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// What to print, and whether all is well.
fn run(arguments: &[String]) -> Result<(String, bool), Box<dyn Error>> {
    let [command, file, rest @ ..] = arguments else { return Err(USAGE.into()) };
    match (&**command, rest) {
        ("check", _) => check(arguments.get(1..).unwrap_or_default()),
        ("matrix", []) => with(file, |policies| Ok((matrix::matrix(policies)?, true))),
        ("graph", []) => with(file, |policies| Ok((graph::mermaid(policies), true))),
        ("decide", _) => with(file, |policies| ask::decide(policies, rest)),
        ("explain", _) => with(file, |policies| ask::explain(policies, rest)),
        _ => Err(USAGE.into()),
    }
}

fn check(files: &[String]) -> Result<(String, bool), Box<dyn Error>> {
    let (mut text, mut well) = (String::new(), true);
    for file in files {
        let source = read(file)?;
        match load(file, &source) {
            Ok(policies) => {
                let (actions, roles) = (policies.actions().count(), policies.roles().count());
                text.push_str(&format!("{file}: no errors; actions: {actions}, roles: {roles}\n"));
            }
            Err(errors) => {
                text.push_str(&render::errors(file, &source, &errors));
                well = false;
            }
        }
    }
    Ok((text, well))
}

/// Does something with the policies of a file, if it has no errors.
fn with(
    file: &str,
    then: impl FnOnce(&PolicySet) -> Result<(String, bool), Box<dyn Error>>,
) -> Result<(String, bool), Box<dyn Error>> {
    let source = read(file)?;
    match load(file, &source) {
        Ok(policies) => then(&policies),
        Err(errors) => Ok((render::errors(file, &source, &errors), false)),
    }
}

fn read(file: &str) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))
}

fn load(file: &str, source: &str) -> Result<PolicySet, PolicyErrors> {
    if file.ends_with(".cedar") {
        PolicySet::from_cedar(source)
    } else {
        PolicySet::from_document(Document::from_toml(source)?)
    }
}
