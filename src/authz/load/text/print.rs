//! Policies as text that reads back as the same.

use std::fmt;

use super::{
    super::expr::Quoted,
    policy::{Actions, Scope, Slot, Written},
};
use crate::authz::load::expr::Literal;

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for annotation in &self.annotations {
            match &annotation.value {
                Some(value) => writeln!(f, "@{}({})", annotation.key, Quoted(value))?,
                None => writeln!(f, "@{}", annotation.key)?,
            }
        }
        writeln!(f, "{} (", self.effect.word())?;
        writeln!(f, "    principal{},", Of(&self.principal, "?principal"))?;
        writeln!(f, "    action{},", self.actions)?;
        write!(f, "    resource{}\n)", Of(&self.resource, "?resource"))?;
        for clause in &self.conditions {
            let word = if clause.unless { "unless" } else { "when" };
            write!(f, "\n{word} {{ {} }}", clause.expr)?;
        }
        f.write_str(";")
    }
}

/// A constraint, and the name of the slot in it.
struct Of<'a>(&'a Scope, &'a str);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = |f: &mut fmt::Formatter<'_>, slot: &Slot| match slot {
            Slot::Filled(entity) => write!(f, "{}", Literal::Entity(entity.clone())),
            Slot::Open => f.write_str(self.1),
        };
        match self.0 {
            Scope::Any => return Ok(()),
            Scope::Is(word) => return write!(f, " is {word}"),
            Scope::Equal(_) => f.write_str(" == ")?,
            Scope::In(_) => f.write_str(" in ")?,
            Scope::IsIn(word, _) => write!(f, " is {word} in ")?,
        }
        self.0.slot().map_or(Ok(()), |held| slot(f, held))
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Equal(action) => write!(f, " == {}", Literal::Entity(action.clone())),
            Self::In(actions) => {
                let all = actions.iter().map(|one| Literal::Entity(one.clone()).to_string());
                write!(f, " in [{}]", all.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
