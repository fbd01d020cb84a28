//! Documents and folders, owned by users and seen through views of users and groups.

use serde_json::json;

use super::{
    App, REQUESTS,
    store::{Store, reference, references, some, some_before, uids},
};
use crate::policies::random::Random;

const POLICIES: &str = r#"
    permit (principal, action == Action::"readDocument", resource)
    when { resource in principal.viewAccess };
    permit (principal, action == Action::"readDocument", resource)
    when { resource.isPublic };
    permit (principal,
        action in [Action::"readDocument", Action::"writeDocument", Action::"shareDocument"], resource)
    when { resource in principal.ownedDocuments || resource in principal.ownedFolders };
    permit (principal, action == Action::"changeDocumentOwner", resource)
    when { principal.ownedDocuments.contains(resource) };
    permit (principal, action == Action::"createDocument", resource)
    when { principal.ownedFolders.contains(resource) };
"#;

const ACTIONS: [&str; 5] =
    ["readDocument", "writeDocument", "shareDocument", "changeDocumentOwner", "createDocument"];

pub(super) fn app(n: usize, random: &mut Random) -> App {
    let [users, groups] = ["User", "Group"].map(|kind| uids(kind, &kind.to_lowercase(), n));
    let [documents, folders] =
        ["Document", "Folder"].map(|kind| uids(kind, &kind.to_lowercase(), n));
    let [user_views, group_views] = ["user", "group"].map(|prefix| uids("View", prefix, n));
    let mut entities = Store::default();
    for (nth, group) in groups.iter().enumerate() {
        entities.add(group, json!({}), &some_before(random, &groups, nth));
    }
    for (user, view) in users.iter().zip(&user_views) {
        let attributes = json!({
            "viewAccess": reference(view),
            "ownedDocuments": references(&some(random, &documents)),
            "ownedFolders": references(&some(random, &folders)),
        });
        entities.add(user, attributes, &some(random, &groups));
    }
    // A user's view lies in those of some groups.
    for view in &group_views {
        entities.add(view, json!({}), &[]);
    }
    for view in &user_views {
        entities.add(view, json!({}), &some(random, &group_views));
    }
    let views = [user_views, group_views].concat();
    for (nth, folder) in folders.iter().enumerate() {
        let above = [some_before(random, &folders, nth), some(random, &views)].concat();
        entities.add(folder, json!({}), &above);
    }
    for document in &documents {
        let above = [some(random, &folders), some(random, &views)].concat();
        entities.add(document, json!({ "isPublic": random.percent(50) }), &above);
    }
    let asked = (0..REQUESTS).map(|nth| {
        let action = ACTIONS.get(nth % ACTIONS.len()).copied().unwrap_or_default();
        let kind = if action == "createDocument" { "Folder" } else { "Document" };
        let id = format!("{}{}", kind.to_lowercase(), random.below(n));
        (format!("user{}", random.below(n)), action, (kind, id))
    });
    let asked = asked.collect();
    App { policies: POLICIES, entities, asked }
}
