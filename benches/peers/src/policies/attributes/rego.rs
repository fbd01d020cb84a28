//! regorus: its bytecode with the input made beforehand, and with the input made in each call.

use std::{cell::RefCell, error::Error, hint::black_box};

use regorus::{Engine as Rego, Rc, Value, languages::rego::compiler::Compiler, rvm::vm::RegoVM};

use super::Asked;
use crate::{
    measure::{Cycle, Engine, Workload},
    versions::peer,
};

const POLICY: &str = r#"
package authz
import rego.v1
default allow := false
allow if {
    input.act == "read"
    some role in input.user.roles
    role in {"editor", "admin"}
    input.user.department == input.doc.department
    input.env.hour >= 9
    input.env.hour < 18
    net.cidr_contains("10.0.0.0/8", input.env.ip)
}
"#;

pub(super) fn add<'a>(
    workload: Workload<'a>,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("regorus")?;
    let vm = RefCell::new(machine()?);
    let may = move |input: Value| {
        let mut vm = vm.borrow_mut();
        vm.set_input(input);
        vm.execute().is_ok_and(|answer| answer == Value::from(true))
    };
    let inputs: Vec<Value> = asked.iter().map(input).collect::<Result<_, _>>()?;
    let made = Cycle::new(inputs);
    let answers = made.answers(|input| may(input.clone()));
    let workload =
        workload.engine(Engine::new(format!("{name} input made beforehand"), answers, move || {
            made.ask(|input| may(black_box(input).clone()))
        }));

    let vm = RefCell::new(machine()?);
    let may = move |asked: &Asked| {
        let mut vm = vm.borrow_mut();
        let Ok(input) = input(asked) else { return false };
        vm.set_input(input);
        vm.execute().is_ok_and(|answer| answer == Value::from(true))
    };
    let new = Cycle::new(asked);
    let answers = new.answers(|asked| may(asked));
    Ok(workload.engine(Engine::new(name, answers, move || new.ask(|one| may(black_box(one))))))
}

fn machine() -> Result<RegoVM, Box<dyn Error>> {
    let mut engine = Rego::new();
    engine.add_policy("authz.rego".to_owned(), POLICY.to_owned())?;
    let rule: Rc<str> = "data.authz.allow".into();
    let compiled = engine.compile_with_entrypoint(&rule)?;
    let program = Compiler::compile_from_policy(&compiled, &["data.authz.allow"])?;
    let mut vm = RegoVM::new_with_policy(compiled);
    vm.load_program(program);
    Ok(vm)
}

fn input(asked: &Asked) -> Result<Value, Box<dyn Error>> {
    Ok(Value::from_json_str(&serde_json::to_string(asked)?)?)
}
