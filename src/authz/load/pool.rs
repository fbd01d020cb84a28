//! Compiles what many rules have in common once.

use std::{collections::HashMap, sync::Arc};

use super::{
    emit::{Emitted, Target, TooLong, emit},
    settled::settled,
};
use crate::authz::{
    explain::Part, index::Builder, program::MAX_STEPS, rules::Condition, schema::Ty,
};

/// All conditions of a set.
pub(in crate::authz) struct Pool {
    pub(in crate::authz) builder: Builder,
    /// By part and by the type of the resource.
    known: HashMap<(Arc<Part>, Ty), Compiled>,
}

#[derive(Clone, Copy)]
struct Compiled {
    number: u32,
    weight: usize,
    cost: usize,
}

impl Pool {
    pub(super) fn new(builder: Builder) -> Self {
        Self { builder, known: HashMap::new() }
    }

    /// The numbers of a rule's conditions, and what they take of the work that is allowed.
    ///
    /// # Errors
    /// When they get too long together.
    pub(super) fn conditions(
        &mut self,
        parts: &[Arc<Part>],
        target: Target<'_>,
    ) -> Result<(Vec<u32>, usize), TooLong> {
        let mut numbers = Vec::new();
        let (mut weight, mut cost) = (0, 0);
        for part in reached_parts(parts, target) {
            let compiled = self.condition(part, target)?;
            numbers.push(compiled.number);
            weight += compiled.weight;
            cost += compiled.cost;
            if weight > MAX_STEPS {
                return Err(TooLong);
            }
        }
        Ok((numbers, cost))
    }

    fn condition(&mut self, part: &Arc<Part>, target: Target<'_>) -> Result<Compiled, TooLong> {
        let key = (Arc::clone(part), target.resource);
        if let Some(compiled) = self.known.get(&key) {
            return Ok(*compiled);
        }
        let Emitted { program, weight, cost } = emit(part, target)?;
        let number = self.builder.condition(Condition { program, part: Arc::clone(part) });
        let compiled = Compiled { number, weight, cost };
        self.known.insert(key, compiled);
        Ok(compiled)
    }
}

/// The parts up to the first that is false whatever the request: what stands behind it may not
/// even be about resources of this type.
fn reached_parts<'p>(parts: &'p [Arc<Part>], target: Target<'_>) -> &'p [Arc<Part>] {
    let settled = |expr| settled(expr, target.schema, target.resource);
    let last = parts.iter().position(|part| match &**part {
        Part::Roles(_) | Part::During(_) | Part::Outside(_) => false,
        Part::When(expr) => settled(expr) == Some(false),
        Part::Unless(expr) => settled(expr) == Some(true),
    });
    last.and_then(|last| parts.get(..=last)).unwrap_or(parts)
}
