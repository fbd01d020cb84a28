//! What a decision knows besides who, what and which.

use std::net::IpAddr;

use super::{Attr, KnownEntities, Record, Value, ValueSet};
use crate::{Facts, Principal, UnixTime};

pub(super) const BUILT_IN: [&str; 4] = ["client", "secure", "auth_time", "amr"];

/// The circumstances of a request, as `context.…` in a condition.
///
/// Four members are built in and cannot be overridden: `client` (ip, may be absent), `secure`
/// (bool, false unless known), `auth_time` (datetime, may be absent) and `amr` (strings). All
/// others come from the application's own record. `auth_time` is that of the latest method: how
/// old a certain one may be is for [`StepUp`](crate::StepUp) to ask.
///
/// ```
/// use portcullis::{Facts, UnixTime, authz::{Attr, Context, Record, Value}};
///
/// let mut facts = Facts::default();
/// facts.client = Some("10.0.0.7".parse()?);
/// let own = [("tenant", Value::from("acme")), ("secure", Value::from(true))];
/// let context = Context::new(UnixTime::from_secs(0)).facts(&facts).members(&own);
///
/// assert!(matches!(context.field(&Attr::new("tenant")), Value::Str("acme")));
/// assert!(matches!(context.field(&Attr::new("secure")), Value::Bool(false)));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct Context<'a> {
    pub(super) now: UnixTime,
    pub(super) client: Option<IpAddr>,
    pub(super) secure: bool,
    auth_time: Option<UnixTime>,
    amr: Amr<'a>,
    pub(super) members: Option<&'a dyn Record>,
    pub(super) has_built_in: bool,
    pub(super) entities: Option<KnownEntities<'a>>,
}

impl<'a> Context<'a> {
    /// Nothing is known but the time.
    pub const fn new(now: UnixTime) -> Self {
        Self {
            now,
            client: None,
            secure: false,
            auth_time: None,
            amr: Amr { principal: None },
            members: None,
            has_built_in: true,
            entities: None,
        }
    }

    /// Takes `client` and `secure` from what the edge knows.
    #[inline]
    pub fn facts(mut self, facts: &Facts<'_>) -> Self {
        self.client = facts.client_address();
        self.secure = facts.secure;
        self
    }

    /// Takes `auth_time` and `amr` from the caller.
    pub fn principal(mut self, principal: &'a Principal) -> Self {
        self.auth_time = principal.auth_time();
        self.amr = Amr { principal: Some(principal) };
        self
    }

    /// Adds the application's own members.
    pub const fn members(mut self, members: &'a dyn Record) -> Self {
        self.members = Some(members);
        self
    }

    /// Whether the gate itself supplies the member, so that it is known before a handler runs.
    pub(super) fn supplies(&self, name: &str) -> bool {
        self.has_built_in && BUILT_IN.contains(&name)
    }

    /// The time of the request.
    #[must_use]
    pub const fn now(&self) -> UnixTime {
        self.now
    }
}

impl Record for Context<'_> {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        match attr.name() {
            "client" if self.has_built_in => self.client.map_or(Value::Missing, Value::from),
            "secure" if self.has_built_in => Value::Bool(self.secure),
            "auth_time" if self.has_built_in => self.auth_time.map_or(Value::Missing, Value::from),
            "amr" if self.has_built_in => Value::Set(&self.amr),
            _ => self.members.map_or(Value::Missing, |members| members.field(attr)),
        }
    }

    fn try_each_field(&self, each: &mut dyn FnMut(&str, Value<'_>) -> bool) -> Option<bool> {
        self.list(each)
    }
}

/// The factors a caller proved; nobody has proved none.
#[derive(Clone, Copy)]
struct Amr<'a> {
    principal: Option<&'a Principal>,
}

impl Amr<'_> {
    fn each(&self) -> impl Iterator<Item = &str> {
        self.principal.into_iter().flat_map(Principal::amr)
    }
}

impl ValueSet for Amr<'_> {
    fn holds(&self, value: Value<'_>) -> bool {
        matches!(value, Value::Str(text) if self.each().any(|method| method == text))
    }

    fn try_each(&self, each: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.each().all(|method| each(Value::Str(method)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_hides_members_of_its_name_unless_the_context_is_plain() {
        let own = ["client", "secure", "auth_time", "amr", "mine"].map(|name| (name, 7.into()));
        let (plain, gate) =
            (Context::plain(UnixTime::from_secs(1), &own), Context::new(UnixTime::from_secs(1)));
        let gate = gate.members(&own);
        let is_own =
            |context: &Context<'_>, name| matches!(context.field(&Attr::new(name)), Value::Long(7));
        for (name, _) in own {
            assert!(is_own(&plain, name), "{name}");
            assert_eq!(is_own(&gate, name), name == "mine", "{name}");
        }
        let listed = |context: &Context<'_>, most: usize| {
            let mut names = Vec::new();
            let ended = context.try_each_field(&mut |name, _| {
                names.push(name.to_owned());
                names.len() < most
            });
            (ended, names.join(" "))
        };
        assert_eq!(listed(&plain, 9), (Some(true), "client secure auth_time amr mine".into()));
        assert_eq!(listed(&gate, 9), (Some(true), "secure amr mine".into()));
        assert_eq!(listed(&plain, 2), (Some(false), "client secure".into()));
    }
}
