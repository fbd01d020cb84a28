//! Roles by actions.

use std::error::Error;

use portcullis::{
    Principal,
    authz::{Coarse, Context, PolicySet},
    clock,
};

/// What each role may do, as far as that is the same for all resources: `allow`, `-` for a denial,
/// or `conditional` where it depends on the resource or the request. Windows of time are asked at
/// present.
pub(crate) fn matrix(policies: &PolicySet) -> Result<String, Box<dyn Error>> {
    let mut rows = vec![std::iter::once("").chain(policies.actions()).collect::<Vec<_>>()];
    for role in std::iter::once(None).chain(policies.roles().map(Some)) {
        let principal = Principal::assertion("policy", "anybody").roles(role).finish()?;
        let subject = policies.subject(&principal);
        let mut row = vec![role.unwrap_or("(no role)")];
        for action in policies.actions().filter_map(|action| policies.action(action)) {
            let context = Context::new(clock::now().wall).principal(&principal);
            row.push(match policies.could(&subject, &principal, action, &context) {
                Coarse::No(_) => "-",
                Coarse::Yes(_) => "allow",
                Coarse::Resource | _ => "conditional",
            });
        }
        rows.push(row);
    }
    Ok(table(&rows))
}

/// A table that is readable as it is, and as Markdown.
fn table(rows: &[Vec<&str>]) -> String {
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len))
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|c| c.chars().count()).max())
        .map(|width| width.unwrap_or(0).max(3))
        .collect();
    let line = |cells: &mut dyn Iterator<Item = String>| {
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths);
        text.push_str(&line(&mut cells.map(|(cell, width)| format!("{cell:width$}"))));
        if number == 0 {
            text.push_str(&line(&mut widths.iter().map(|width| "-".repeat(*width))));
        }
    }
    text
}
