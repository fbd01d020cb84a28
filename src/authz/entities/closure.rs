//! What every entity lies in, at any distance.

use std::collections::BTreeSet;

use super::{ByName, Entities, EntitiesError, Name, Stored, Uid};

/// More pairs of an entity and one that it lies in are refused.
const MAX_PAIRS: usize = 16 * 1024 * 1024;

/// Puts all ancestors where the parents are.
///
/// # Errors
/// When an entity lies in itself, or when there are too many pairs.
pub(super) fn close(entities: &mut Entities) -> Result<(), EntitiesError> {
    let mut pairs = 0_usize;
    let mut closed = Vec::new();
    for stored in entities.iter() {
        let above = ancestors(entities, stored)?;
        pairs += above.len();
        if pairs > MAX_PAIRS {
            return Err(EntitiesError::TooMany(
                "pairs of an entity and what it lies in",
                MAX_PAIRS,
            ));
        }
        closed.push(ByName::new(above));
    }
    for (stored, above) in entities.all.iter_mut().zip(closed) {
        stored.parents = Box::default();
        stored.ancestors = above;
    }
    Ok(())
}

fn ancestors(entities: &Entities, stored: &Stored) -> Result<Vec<Name>, EntitiesError> {
    let mut above: BTreeSet<&Name> = BTreeSet::new();
    let mut open: Vec<&Name> = stored.parents.iter().collect();
    while let Some(name) = open.pop() {
        if *name == stored.name {
            return Err(EntitiesError::Cycle(name.1.as_ref().into()));
        }
        if above.insert(name)
            && let Some(parent) = entities.find(Uid { type_name: name.0, id: &name.1 })
        {
            open.extend(&parent.parents);
        }
    }
    Ok(above.into_iter().cloned().collect())
}
