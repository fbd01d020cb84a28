//! From what an issuer calls roles to the roles of this service.

use super::{invalid, json::Value};
use crate::authn::AuthnError;

/// Which claim names roles, and which of its names grant which role here.
///
/// An issuer serves many services, and its names are its own: what is not named here grants
/// nothing.
///
/// ```
/// use portcullis::authn::jwt::RoleMap;
///
/// let same_names = RoleMap::claim("roles").only(["clerk", "manager"]);
/// let translated = RoleMap::claim("realm_access.roles").map("ORDERS_MGR", "manager");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a role map grants nothing until a verifier has it"]
pub struct RoleMap {
    pub(super) paths: Vec<Vec<String>>,
    pub(super) grants: Vec<Grant>,
}

/// That whoever has the role `external` in the claim `paths[path]` has `role` here.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) path: usize,
    pub(super) external: String,
    pub(super) role: String,
}

impl RoleMap {
    /// Roles from the claim `name`: an array of strings, or one string with spaces between roles.
    ///
    /// A dot in the name leads into an object, as in `realm_access.roles`; in a name with `://`,
    /// as in `https://orders.example/roles`, it does not.
    pub fn claim(name: impl Into<String>) -> Self {
        let claim = name.into();
        if claim.contains("://") { Self::path([claim]) } else { Self::path(claim.split('.')) }
    }

    /// Roles from the claim that these names lead to, one object after the other, whatever is in
    /// them: for names with dots.
    pub fn path(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { paths: vec![names.into_iter().map(Into::into).collect()], grants: Vec::new() }
    }

    /// Grants these roles to who has them by the same name, and no others.
    pub fn only(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let same = |map: Self, role: String| map.map(role.clone(), role);
        roles.into_iter().map(Into::into).fold(self, same)
    }

    /// Grants `role` to who has the issuer's role `external`. May be called for each of several;
    /// after [`and`](Self::and), it is about the claim that came last.
    pub fn map(mut self, external: impl Into<String>, role: impl Into<String>) -> Self {
        let path = self.paths.len().saturating_sub(1);
        self.grants.push(Grant { path, external: external.into(), role: role.into() });
        self
    }

    /// Every role the map can grant.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.grants.iter().map(|grant| grant.role.as_str())
    }

    /// The roles that `claims` grant, in the order of the map. A claim of an unexpected type
    /// refuses the token: a role lost in silence could be one that forbids.
    pub(super) fn granted<'a>(
        &'a self,
        claims: Value<'a>,
    ) -> Result<impl Iterator<Item = &'a str>, AuthnError> {
        self.paths.iter().try_for_each(|path| names_at(path, claims).map(drop))?;
        let holds = move |grant: &Grant| {
            let names = self.paths.get(grant.path).and_then(|path| names_at(path, claims).ok()?);
            let words = names.and_then(Value::words);
            words.is_some_and(|mut words| words.any(|name| name == grant.external))
        };
        let granted = self.grants.iter().enumerate().filter(move |(at, grant)| {
            let mut before = self.grants.iter().take(*at).filter(|it| it.role == grant.role);
            holds(grant) && !before.any(holds)
        });
        Ok(granted.map(|(_, grant)| grant.role.as_str()))
    }
}

/// The claim at `path`, which holds what the issuer calls the roles, if there is such a claim.
fn names_at<'a>(path: &[String], claims: Value<'a>) -> Result<Option<Value<'a>>, AuthnError> {
    let wrong = invalid("the role claim is of another type");
    let mut value = Some(claims);
    for name in path {
        let Some(outer) = value else { break };
        value = outer.members().ok_or(wrong)?.find_map(|it| (it.0 == name).then_some(it.1));
    }
    value.is_none_or(|names| names.words().is_some()).then_some(value).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::{super::json::Document, *};

    fn granted(map: &RoleMap, claims: &str) -> Option<String> {
        let mut document = Document::default();
        map.granted(document.read(claims.as_bytes(), 64).unwrap())
            .ok()
            .map(|roles| roles.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn only_what_is_named_is_granted() {
        let map = RoleMap::claim("roles").only(["clerk", "manager"]).map("BOSS", "manager");
        let check = |claims: &str, expected: &str| {
            assert_eq!(granted(&map, claims).as_deref(), Some(expected), "{claims}");
        };
        check(r#"{"roles":["clerk","admin"]}"#, "clerk");
        check(r#"{"roles":["BOSS","manager","clerk","clerk"]}"#, "clerk,manager");
        check(r#"{"roles":"manager  clerk Clerk"}"#, "clerk,manager");
        check(r#"{"roles":["Clerk","boss","manager "]}"#, "");
        check(r#"{"roles":[]}"#, "");
        check(r#"{"roles":""}"#, "");
        check(r#"{"role":["clerk"]}"#, "");
    }

    #[test]
    fn attack_role_claim_of_another_type() {
        let map = RoleMap::claim("realm_access.roles").only(["clerk"]);
        for claims in [
            r#"{"realm_access":{"roles":7}}"#,
            r#"{"realm_access":{"roles":null}}"#,
            r#"{"realm_access":{"roles":["clerk",7]}}"#,
            r#"{"realm_access":{"roles":{"clerk":true}}}"#,
            r#"{"realm_access":["clerk"]}"#,
            r#"{"realm_access":"clerk"}"#,
        ] {
            assert_eq!(granted(&map, claims), None, "{claims}");
        }
    }

    #[test]
    fn a_dot_descends_except_in_a_url() {
        let nested = RoleMap::claim("realm_access.roles").only(["clerk"]);
        let claims = r#"{"realm_access":{"roles":["clerk"]},"realm_access.roles":["manager"]}"#;
        assert_eq!(granted(&nested, claims).as_deref(), Some("clerk"));
        assert_eq!(granted(&nested, r#"{"realm_access.roles":["clerk"]}"#).as_deref(), Some(""));
        let url = RoleMap::claim("https://orders.example/roles").only(["clerk"]);
        let claims = r#"{"https://orders.example/roles":["clerk"]}"#;
        assert_eq!(granted(&url, claims).as_deref(), Some("clerk"));
    }

    #[test]
    fn roles_of_two_claims_are_granted_together() {
        let realm = RoleMap::claim("realm.roles").only(["clerk"]).map("BOSS", "manager");
        let map =
            realm.and(RoleMap::claim("client.roles").map("boss", "manager").only(["auditor"]));
        let check = |claims: &str, expected: Option<&str>| {
            assert_eq!(granted(&map, claims).as_deref(), expected, "{claims}");
        };
        check(
            r#"{"realm":{"roles":["clerk"]},"client":{"roles":["auditor"]}}"#,
            Some("clerk,auditor"),
        );
        check(r#"{"realm":{"roles":["BOSS"]},"client":{"roles":["boss"]}}"#, Some("manager"));
        check(r#"{"client":{"roles":["boss"]}}"#, Some("manager"));
        // What one claim calls a role, the other need not.
        check(
            r#"{"realm":{"roles":["boss","auditor"]},"client":{"roles":["BOSS","clerk"]}}"#,
            Some(""),
        );
        check(r#"{"realm":{"roles":["clerk"]},"client":{"roles":7}}"#, None);
        check(r#"{"realm":[],"client":{"roles":["boss"]}}"#, None);
        check("{}", Some(""));
        let three = map.and(RoleMap::claim("more").only(["guest"]));
        let claims = r#"{"more":"guest","client":{"roles":["boss"]}}"#;
        assert_eq!(granted(&three, claims).as_deref(), Some("manager,guest"));
        assert!(RoleMap::claim("a").only(["x"]).and(RoleMap::claim("")).problem().is_some());
    }

    #[test]
    fn a_map_that_can_only_be_a_mistake() {
        assert!(RoleMap::claim("roles").problem().is_some());
        assert!(RoleMap::claim("a..b").only(["clerk"]).problem().is_some());
        assert!(RoleMap::claim("").only(["clerk"]).problem().is_some());
        assert!(RoleMap::claim("roles").only([""]).problem().is_some());
        assert!(RoleMap::claim("roles").map("", "clerk").problem().is_some());
        assert!(RoleMap::claim("roles").map("CLERK", "").problem().is_some());
        assert_eq!(RoleMap::claim("roles").only(["clerk"]).problem(), None);
    }
}
