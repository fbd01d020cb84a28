//! May you?
//!
//! There are two ways to write policies, and they become the same compiled form:
//!
//! - A [`Document`] says who may do what: roles, scopes, and rules with conditions in a subset of
//!   Cedar's expressions, checked against declared types. [`PolicySet::from_document`] checks it
//!   whole and compiles it.
//! - [`PolicySet::from_cedar`] reads [Cedar's policy text](https://docs.cedarpolicy.com/policies/syntax-policy.html)
//!   in full; no types are declared there. [`CedarPolicies`] is for templates, groups of actions,
//!   ids of one's own and several texts. [`PolicySet::to_cedar`] prints any set as such text.
//!
//! A decision reads the application's own types through [`Entity`], which [`entity!`](crate::entity)
//! implements, and allocates nothing. What the request is done under is a [`Context`], with the
//! application's own members as a [`Record`]. Entities that are kept as data, with parents,
//! attributes and tags, are an [`Entities`] store: [`PolicySet::know`] holds it against a set, and
//! [`Context::entities`] lets conditions look names up in it; a gate does both, with
//! [`GateBuilder::entities`](crate::GateBuilder::entities). Where all of a request is Cedar's,
//! the context is [`KnownEntities::members`] of its JSON, given by [`Context::plain`].
//!
//! Nothing is allowed that nothing permits; a forbid overrides every permit; the order of rules
//! says nothing. An error in a permit means that it does not apply, an error in a forbid denies
//! (the set fails closed) or, where [`PolicySet::cedar_compat`] was chosen, means the same. A value
//! that is not of its declared type is such an error.
//!
//! # Conditions
//!
//! `when` and `unless` hold one expression, in the words and with the meaning of Cedar. It is
//! checked against the declared types when the document is loaded.
//!
//! | | what it is |
//! |---|---|
//! | `principal`, `resource`, `context` | the variables; `.name` or `["name"]` reads an attribute |
//! | `true`, `12`, `"text"`, `ip("10.0.0.0/8")`, `User::"staff/alice"` | values |
//! | `decimal("1.5")`, `datetime("2024-10-15T09:00:00Z")`, `duration("1d12h")` | values with at most four decimal places, moments, spans of time |
//! | `[a, b]`, `{name: a}` | a set, whose elements are of one type; a record |
//! | `if a then b else c` | one of two values of one type, or one of two conditions |
//! | `a && b`, <code>a &#124;&#124; b</code>, `!a` | from left to right, no further than needed |
//! | `a == b`, `a != b` | of values that can be equal; of sets neither order nor repetition counts |
//! | `<`, `<=`, `>`, `>=` | of two of long, datetime or duration |
//! | `+`, `-`, `*` | of two of long; a result beyond 64 bits is an error |
//! | `a has name`, `a has "name"`, `a has b.c` | is the attribute there? What may be absent needs it first |
//! | `a in b`, `a in [b, c]` | is the entity the other, or below it? `principal in Role::"clerk"` asks for a role |
//! | `a is Order`, `a is User in b` | is the entity of that type, and below the other? |
//! | `a like "x*"` | text with anything for each `*`; `\*` is a star |
//! | `s.contains(a)`, `s.containsAll(t)`, `s.containsAny(t)`, `s.isEmpty()` | of sets |
//! | `a.isInRange(b)`, `a.isIpv4()`, `a.isIpv6()`, `a.isLoopback()`, `a.isMulticast()` | of ip |
//! | `a.lessThan(b)`, `a.lessThanOrEqual(b)`, `a.greaterThan(b)`, `a.greaterThanOrEqual(b)` | of two of decimal |
//! | `t.offset(d)`, `t.durationSince(u)`, `t.toDate()`, `t.toTime()` | of datetime: later by a duration, the duration between two, the day, the time of the day as a duration; beyond what can be said is an error |
//! | `d.toDays()`, `toHours`, `toMinutes`, `toSeconds`, `toMilliseconds` | of duration: as a whole number |
//!
//! `*` binds tighter than `+` and `-`, these than comparisons, which do not chain, these than
//! `&&`, and that than <code>&#124;&#124;</code>. All values of one comparison are evaluated, and an
//! error in one is an error of it. What types alone make false, as `resource is Order` for another
//! type, needs nothing behind it to fit that type.
//!
//! ```
//! use portcullis::authz::{Document, Policy, PolicySet};
//!
//! let document = Document::from_toml(r#"
//!     [resources.Order]
//!     attributes = { owner = "User", total = "long", tags = "strings", note = "string?" }
//!     actions = ["order:refund"]
//! "#)?;
//! let load = |when: &str| {
//!     let rule = Policy::permit("refunds").actions(["order:refund"]).when(when);
//!     PolicySet::from_document(document.clone().rule(rule)).map_err(|errors| errors.to_string())
//! };
//! assert!(load(r#"resource.total * 100 < 5000 && !resource.tags.containsAny(["paid", "sent"])"#).is_ok());
//! assert!(load(r#"(if resource has note then resource.note else "") like "refund*""#).is_ok());
//! assert_eq!(
//!     load("resource.tags.contains(7)").unwrap_err(),
//!     "rule[0].when (column 24): `7` is long and `resource.tags` is strings: it holds none of it",
//! );
//! # Ok::<(), portcullis::authz::PolicyErrors>(())
//! ```
//!
//! A condition has at most 8 KiB, 64 levels of nesting, 16 attributes one of the other, and 64 of
//! `+`, `-`, `*` and methods of the extension types (ip, decimal, datetime, duration); a rule has at most 1,024 tests, elements of sets and operators, where each `if`
//! within a comparison doubles what it stands in, and every 64 bytes of one text count as one more.
//!
//! Besides them, `during` and `outside` of a rule hold a window of the week in a time zone, as
//! `"Mon-Fri 09:00-18:00 Europe/Berlin"`; see [`Policy::during`].
//!
//! # Costs
//!
//! What a decision costs: rules about other actions cost nothing, and the roles that grant the
//! action are one comparison of bits. Up to six forbids or permits of the action are run one after
//! another. More are divided by what they compare with a constant (a role, an attribute, an
//! entity), so that only those are run whose constant is the request's. A rule is divided by a
//! comparison if all that stands before it in its condition is of the kind that fails only where
//! an attribute is missing; write such comparisons first. Where an attribute that divides is
//! missing, all rules of the action are run, so that no error is overlooked: that costs as much as
//! there are rules. Questions about one value cost as much as one where they follow each other, as
//! `context has hour && context.hour >= 9 && context.hour < 18` does.

// What must be right for an allow to be right.
mod bits;
mod context;
mod decision;
mod entity;
mod index;
mod program;
mod rules;
mod set;
mod slots;
mod subject;
mod value;
mod window;
mod world;

// What must be right as well where sets, Cedar's policy text, or a store of entities is used.
mod entities;
mod general;
mod many;
mod types;

// From text to a program. Wrong text does not load.
mod load;
mod names;
mod schema;

// On the cold path.
mod cedar;
mod conform;
mod contents;
mod describe;
mod explain;
mod hits;
mod labels;
mod report;
mod texts;

#[cfg(test)]
mod tests;

pub use cedar::{CedarError, CedarRequest};
pub use contents::Bearing;
pub use context::Context;
pub use decision::{Coarse, Decision, Effect, EvalError, RuleId, Why};
pub use describe::{Describe, Type};
pub(crate) use entities::Knowing;
pub use entities::{Entities, EntitiesError, KnownEntities, KnownEntity, Members};
pub use entity::{Entity, Record, ValueSet};
pub use explain::{Clause, ClauseKind, Explanation, Finding, Looked};
pub use hits::{Hits, Usage, Used};
pub use load::{CedarPolicies, Document, Policy, PolicyError, PolicyErrors, Slots};
pub use report::Report;
pub use set::{AccessRequest, PolicySet};
pub use subject::{Action, Role, Subject};
pub use value::{Attr, TypeName, Uid, Value};
