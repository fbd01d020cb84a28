//! Repositories of organisations, with roles that users and teams have.

use serde_json::{Map, Value, json};

use super::{
    App, REQUESTS,
    store::{Store, one, reference, some, some_before, uid, uids},
};
use crate::policies::random::Random;

const POLICIES: &str = r#"
    permit (principal, action == Action::"pull", resource) when { principal in resource.readers };
    permit (principal, action in [Action::"pull", Action::"triage"], resource)
    when { principal in resource.triagers };
    permit (principal, action in [Action::"pull", Action::"triage", Action::"push"], resource)
    when { principal in resource.writers };
    permit (principal,
        action in [Action::"pull", Action::"triage", Action::"push", Action::"maintain"], resource)
    when { principal in resource.maintainers };
    permit (principal,
        action in [Action::"pull", Action::"triage", Action::"push", Action::"maintain", Action::"admin"],
        resource)
    when { principal in resource.admins };
    permit (principal, action == Action::"pull", resource)
    when { principal in resource.owner.readers };
    permit (principal, action in [Action::"pull", Action::"triage", Action::"push"], resource)
    when { principal in resource.owner.writers };
    permit (principal,
        action in [Action::"pull", Action::"triage", Action::"push", Action::"maintain", Action::"admin"],
        resource)
    when { principal in resource.owner.admins };
"#;

const ACTIONS: [&str; 5] = ["pull", "triage", "push", "maintain", "admin"];
const OF_REPOSITORIES: [&str; 5] = ["readers", "triagers", "writers", "maintainers", "admins"];
const OF_ORGANISATIONS: [&str; 3] = ["readers", "writers", "admins"];

pub(super) fn app(n: usize, random: &mut Random) -> App {
    let [users, teams] = ["User", "Team"].map(|kind| uids(kind, &kind.to_lowercase(), n));
    let [repositories, organisations] =
        ["Repo", "Org"].map(|kind| uids(kind, &kind.to_lowercase(), n));
    let mut entities = Store::default();
    let mut repository_roles = Vec::new();
    let mut organisation_roles = Vec::new();
    for (nth, organisation) in organisations.iter().enumerate() {
        let roles = roles(&mut entities, "OrgRole", nth, &OF_ORGANISATIONS);
        organisation_roles.extend(roles.values().cloned());
        entities.add(organisation, references(&roles), &[]);
    }
    for (nth, repository) in repositories.iter().enumerate() {
        let roles = roles(&mut entities, "RepoRole", nth, &OF_REPOSITORIES);
        repository_roles.extend(roles.values().cloned());
        let mut attributes = references(&roles);
        if let Some(attributes) = attributes.as_object_mut() {
            let owner = reference(&one(random, &organisations));
            attributes.insert("owner".to_owned(), owner);
        }
        entities.add(repository, attributes, &[]);
    }
    for (nth, team) in teams.iter().enumerate() {
        let above = [some_before(random, &teams, nth), some(random, &repository_roles)].concat();
        entities.add(team, json!({}), &above);
    }
    for user in &users {
        let above = [&teams, &repository_roles, &organisation_roles];
        let above = above.map(|all| some(random, all)).concat();
        entities.add(user, json!({}), &above);
    }
    let asked = (0..REQUESTS).map(|nth| {
        let action = ACTIONS.get(nth % ACTIONS.len()).copied().unwrap_or_default();
        (format!("user{}", random.below(n)), action, ("Repo", format!("repo{}", random.below(n))))
    });
    let asked = asked.collect();
    App { policies: POLICIES, entities, asked }
}

/// The roles that may be had of the `nth`.
fn roles(entities: &mut Store, kind: &str, nth: usize, names: &[&str]) -> Map<String, Value> {
    let roles = names.iter().map(|name| {
        let role = uid(kind, &format!("{nth}-{name}"));
        entities.add(&role, json!({}), &[]);
        ((*name).to_owned(), role)
    });
    roles.collect()
}

fn references(roles: &Map<String, Value>) -> Value {
    roles.iter().map(|(name, role)| (name.clone(), reference(role))).collect()
}
