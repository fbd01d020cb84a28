//! A hospital, as SAPL publishes it: of every department 32 permits and one forbid, and five permits
//! for emergencies, which nobody has a role for; so 38 policies with one department and 9,905 with
//! 300. Which role may do what is our own list of the published sizes. 64 random requests, four of
//! five about the caller's own department.
//!
//! Ours reads the policies from the same text as Cedar does; the entities are types of the
//! application. `flat` has ours alone, each size beside 170 policies, and no larger ones than 9,905.

mod by_hand;
mod cedar;
mod flat;
mod load;
mod ours;

use std::{error::Error, fmt::Write as _};

use super::random::Random;
use crate::measure::{Session, Workload};

const TYPES: [&str; 9] = [
    "PatientRecord",
    "LabResult",
    "CareNote",
    "Prescription",
    "Appointment",
    "Invoice",
    "AuditLog",
    "Study",
    "Roster",
];
const ACTIONS: [&str; 9] =
    ["read", "write", "create", "delete", "sign", "share", "prescribe", "archive", "export"];
/// Roles, how many permits each has in a department, and the clearance.
const ROLES: [(&str, usize, i64); 9] = [
    ("attending", 6, 4),
    ("resident", 6, 3),
    ("nurse", 5, 3),
    ("labTech", 2, 2),
    ("pharmacist", 2, 3),
    ("admin", 3, 2),
    ("billing", 2, 2),
    ("auditor", 3, 4),
    ("researcher", 3, 1),
];
const REQUESTS: usize = 64;

/// What a role may do in its department: the type, and one action or several.
struct Permit {
    role: &'static str,
    kind: &'static str,
    actions: Vec<&'static str>,
}

/// Somebody who works there.
struct Staff {
    id: String,
    role: &'static str,
    clearance: i64,
    departments: Vec<String>,
}

/// Something that belongs to a department.
struct Item {
    kind: &'static str,
    department: String,
    sensitivity: i64,
}

struct Asked {
    staff: Staff,
    action: &'static str,
    item: Item,
}

struct Hospital {
    policies: String,
    asked: Vec<Asked>,
}

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    for departments in [1, 5, 50, 300] {
        let name = format!("policy/hospital/{}", 33 * departments + 5);
        if session.wants(&name) {
            let hospital = Hospital::new(departments);
            let bound = by_hand::Bound::new();
            let expected = hospital.asked.iter().map(|asked| bound.allows(asked));
            let workload = Workload::new(name, expected);
            let workload = cedar::add(workload, &hospital)?;
            let workload = ours::add(workload, &hospital)?;
            session.measure(by_hand::add(workload, &hospital, &bound))?;
        }
    }
    flat::measure(session)?;
    load::measure(session)
}

/// Of each role the permits of one department.
fn permits() -> impl Iterator<Item = Permit> {
    let all = ROLES
        .iter()
        .enumerate()
        .flat_map(|(nth, (role, count, _))| (0..*count).map(move |at| (nth, *role, at)));
    all.map(|(nth, role, at)| {
        let pick = |from: &[&'static str], at: usize| from.get(at % 9).copied().unwrap_or_default();
        let several = if at % 2 == 0 { 3 } else { 1 };
        let actions = (0..several).map(|next| pick(&ACTIONS, at / 2 + 2 * next)).collect();
        Permit { role, kind: pick(&TYPES, (nth + at) / 2), actions }
    })
}

impl Hospital {
    fn new(departments: usize) -> Self {
        let mut random = Random::new(1);
        let asked = (0..REQUESTS).map(|nth| asked(&mut random, departments, nth)).collect();
        Self { policies: policies(departments), asked }
    }
}

fn asked(random: &mut Random, departments: usize, nth: usize) -> Asked {
    let (role, _, clearance) = ROLES.get(random.below(9)).copied().unwrap_or_default();
    let home = random.below(departments);
    let mut memberships = vec![department(home)];
    if random.percent(5) {
        memberships.push(department(random.below(departments)));
    }
    let at = if random.percent(80) { home } else { random.below(departments) };
    let sensitivity = if random.percent(70) { 1 } else { 1 + random.below(4) as i64 };
    // The first types and actions are asked for more often.
    let (kind, action) = (random.below(13) * 9 / 13 % 9, random.below(18).saturating_sub(9));
    Asked {
        staff: Staff { id: format!("staff{nth}"), role, clearance, departments: memberships },
        action: ACTIONS.get(action).copied().unwrap_or_default(),
        item: Item {
            kind: TYPES.get(kind).copied().unwrap_or_default(),
            department: department(at),
            sensitivity,
        },
    }
}

fn department(nth: usize) -> String {
    format!("dept{nth}")
}

fn policies(departments: usize) -> String {
    let mut text = String::new();
    let among = |actions: &[&str]| {
        let actions: Vec<_> = actions.iter().map(|one| format!("Action::\"{one}\"")).collect();
        match &*actions {
            [one] => format!("== {one}"),
            several => format!("in [{}]", several.join(", ")),
        }
    };
    for department in (0..departments).map(department) {
        for Permit { role, kind, actions } in permits() {
            // A string takes what is written to it.
            let _ = writeln!(
                text,
                "permit (principal, action {}, resource is {kind}) when {{ \
                 principal.role == \"{role}\" && resource.department == \"{department}\" && \
                 principal in Department::\"{department}\" }};",
                among(&actions)
            );
        }
        let _ = writeln!(
            text,
            "forbid (principal, action, resource) when {{ resource.department == \"{department}\" \
             && resource.sensitivity > principal.clearance }};"
        );
    }
    for kind in TYPES.iter().take(5) {
        let _ = writeln!(
            text,
            "permit (principal, action {}, resource is {kind}) when {{ \
             principal.role == \"emergency\" }};",
            among(&["read", "write", "prescribe", "override"])
        );
    }
    text
}
