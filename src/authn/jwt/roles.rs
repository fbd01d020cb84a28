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
    path: Vec<String>,
    grants: Vec<(String, String)>,
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
        Self { path: names.into_iter().map(Into::into).collect(), grants: Vec::new() }
    }

    /// Grants these roles to who has them by the same name, and no others.
    pub fn only(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        roles
            .into_iter()
            .map(Into::into)
            .fold(self, |map, role: String| map.map(role.clone(), role))
    }

    /// Grants `role` to who has the issuer's role `external`. May be called for each of several.
    pub fn map(mut self, external: impl Into<String>, role: impl Into<String>) -> Self {
        self.grants.push((external.into(), role.into()));
        self
    }

    /// Every role the map can grant.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.grants.iter().map(|(_, role)| role.as_str())
    }

    /// What is wrong with the map.
    pub(super) fn problem(&self) -> Option<String> {
        let claim = self.path.join(".");
        if self.path.is_empty() || self.path.iter().any(String::is_empty) {
            return Some(format!("the role claim `{claim}` has an empty name in it"));
        }
        if self.grants.is_empty() {
            return Some(format!(
                "the role claim `{claim}` grants nothing; name roles with `only`"
            ));
        }
        let empty = |(external, role): &(String, String)| external.is_empty() || role.is_empty();
        let nameless = self.grants.iter().any(empty);
        nameless.then(|| format!("the role claim `{claim}` maps an empty name"))
    }

    /// The roles that `claims` grant, in the order of the map. A claim of an unexpected type refuses the token: a role lost
    /// in silence could be one that forbids.
    pub(super) fn granted<'a>(
        &'a self,
        claims: Value<'a>,
    ) -> Result<impl Iterator<Item = &'a str>, AuthnError> {
        let wrong = invalid("the role claim is of another type");
        let mut value = Some(claims);
        for name in &self.path {
            let Some(outer) = value else { break };
            value = outer.members().ok_or(wrong)?.find_map(|it| (it.0 == name).then_some(it.1));
        }
        let names = value.map(|value| value.words().ok_or(wrong)).transpose()?;
        let holds = move |(external, _): &(String, String)| {
            names.clone().into_iter().flatten().any(|name| name == external)
        };
        let granted = self.grants.iter().enumerate().filter(move |(at, grant)| {
            let mut earlier = self.grants.iter().take(*at).filter(|earlier| earlier.1 == grant.1);
            holds(grant) && !earlier.any(&holds)
        });
        Ok(granted.map(|(_, (_, role))| role.as_str()))
    }
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
