//! What may be said to a verifier besides whose tokens it takes.

use std::time::Duration;

use super::{JwtVerifier, RoleMap, roles::Grant, rules::Demand};
use crate::{Kind, is_realm};

impl JwtVerifier {
    /// One more name that this service is meant by in `aud`.
    pub fn also_for(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self.settle()
    }

    /// Makes these top-level claims the principal's attributes, where the token has them.
    ///
    /// Each is a boolean, a string, an array of strings, or a whole number of 64 bits written
    /// without fraction and exponent. A token with one of them in another form, `null` among
    /// these, is refused as [`Invalid`](crate::AuthnErrorKind::Invalid): left out in silence, it could
    /// switch off a policy that forbids.
    pub fn attributes(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.mapping.attributes = claims.into_iter().map(Into::into).collect();
        self.settle()
    }

    /// What the callers are; [`Kind::User`] unless said otherwise.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.mapping.kind = kind;
        self.settle()
    }

    /// How far the issuer's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self.settle()
    }

    /// The longest time for which a token may have been issued, from `iat` to `exp`: any unless
    /// said. A token without `iat` is refused then.
    pub fn max_lifetime(mut self, most: Duration) -> Self {
        self.rules.max_lifetime = Some(most);
        self.settle()
    }

    /// How long ago a token may have been issued, by its `iat`, which it must have then; any time
    /// unless said. The leeway is granted here too.
    pub fn max_age(mut self, most: Duration) -> Self {
        self.rules.max_age = Some(most);
        self.settle()
    }

    /// The longest token that is looked at, in bytes: 8 KiB unless said otherwise.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.envelope.max_bytes = max_bytes;
        self.settle()
    }

    /// With these rules besides.
    pub(super) fn demanding(mut self, demands: impl IntoIterator<Item = Demand>) -> Self {
        self.rules.demands.extend(demands);
        self.settle()
    }

    /// With callers who are named by this claim instead of by `sub`.
    pub(in crate::authn) fn subject_in(mut self, claim: &str) -> Self {
        self.mapping.subject = Some(claim.to_owned());
        self.settle()
    }

    /// With a client that is named by this claim.
    pub(super) fn client_in(mut self, claim: &'static str) -> Self {
        self.mapping.client = Some(claim);
        self.settle()
    }

    /// What is wrong with the set-up.
    pub(super) fn faults(&self) -> Vec<String> {
        let Self { envelope, rules, mapping, .. } = self;
        let nameless = mapping.attributes.iter().any(String::is_empty);
        let wrong = [
            (!is_realm(&mapping.realm), "a realm is a letter and up to 31 of a-z, 0-9 and `-`"),
            (envelope.max_bytes == 0, "with `max_bytes` 0 no token is taken"),
            (nameless, "an attribute's name is empty"),
        ];
        let mut problems = rules.problems();
        problems.extend(wrong.into_iter().filter_map(|(wrong, why)| wrong.then_some(why)));
        let mut problems: Vec<_> = problems.into_iter().map(str::to_owned).collect();
        problems.extend(mapping.roles.as_ref().and_then(RoleMap::problem));
        problems
    }
}

impl RoleMap {
    /// Grants what this map grants, and what `other` does from its own claim.
    ///
    /// ```
    /// use portcullis::authn::jwt::RoleMap;
    ///
    /// let realm = RoleMap::keycloak_realm().map("staff", "clerk");
    /// let both = realm.and(RoleMap::keycloak_client("orders").only(["manager"]));
    /// ```
    pub fn and(mut self, other: Self) -> Self {
        let before = self.paths.len();
        self.paths.extend(other.paths);
        let moved = |grant: Grant| Grant { path: before + grant.path, ..grant };
        self.grants.extend(other.grants.into_iter().map(moved));
        self
    }

    /// What is wrong with the map.
    pub(super) fn problem(&self) -> Option<String> {
        let claims: Vec<String> = self.paths.iter().map(|path| path.join(".")).collect();
        let claim = claims.join("`, `");
        if self.paths.iter().any(|path| path.is_empty() || path.iter().any(String::is_empty)) {
            return Some(format!("the role claim `{claim}` has an empty name in it"));
        }
        if self.grants.is_empty() {
            return Some(format!(
                "the role claim `{claim}` grants nothing; name roles with `only`"
            ));
        }
        let empty = |grant: &Grant| grant.external.is_empty() || grant.role.is_empty();
        let nameless = self.grants.iter().any(empty);
        nameless.then(|| format!("the role claim `{claim}` maps an empty name"))
    }
}
