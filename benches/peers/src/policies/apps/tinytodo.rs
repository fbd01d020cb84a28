//! Lists of tasks that are shared with teams.

use serde_json::json;

use super::{
    App, REQUESTS,
    store::{Store, one, reference, some, some_before, uid, uids},
};
use crate::policies::random::Random;

const POLICIES: &str = r#"
    permit (principal, action in [Action::"CreateList", Action::"GetLists"],
        resource == Application::"TinyTodo");
    permit (principal, action, resource) when { resource has owner && resource.owner == principal };
    permit (principal, action == Action::"GetList", resource)
    when { principal in resource.readers || principal in resource.editors };
    permit (principal,
        action in [Action::"UpdateList", Action::"CreateTask", Action::"UpdateTask", Action::"DeleteTask"],
        resource)
    when { principal in resource.editors };
"#;

const OF_LISTS: [&str; 7] =
    ["GetList", "UpdateList", "DeleteList", "CreateTask", "UpdateTask", "DeleteTask", "EditShares"];

pub(super) fn app(n: usize, random: &mut Random) -> App {
    let [users, teams] = ["User", "Team"].map(|kind| uids(kind, &kind.to_lowercase(), n));
    let lists = uids("List", "list", n);
    let mut entities = Store::default();
    entities.add(&uid("Application", "TinyTodo"), json!({}), &[]);
    for (nth, team) in teams.iter().enumerate() {
        entities.add(team, json!({}), &some_before(random, &teams, nth));
    }
    for user in &users {
        entities.add(user, json!({}), &some(random, &teams));
    }
    for list in &lists {
        let tasks: Vec<_> = (0..random.below(51))
            .map(|id| json!({ "id": id, "name": format!("task{id}"), "state": "open" }))
            .collect();
        let attributes = json!({
            "owner": reference(&one(random, &users)),
            "readers": reference(&one(random, &teams)),
            "editors": reference(&one(random, &teams)),
            "tasks": tasks,
        });
        entities.add(list, attributes, &[]);
    }
    let asked = (0..REQUESTS).map(|nth| {
        let user = format!("user{}", random.below(n));
        match nth % 9 {
            7 => (user, "CreateList", ("Application", "TinyTodo".to_owned())),
            8 => (user, "GetLists", ("Application", "TinyTodo".to_owned())),
            at => {
                let action = OF_LISTS.get(at).copied().unwrap_or_default();
                (user, action, ("List", format!("list{}", random.below(n))))
            }
        }
    });
    let asked = asked.collect();
    App { policies: POLICIES, entities, asked }
}
