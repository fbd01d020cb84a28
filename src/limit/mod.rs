//! How often? A [`Quota`] says how much, a [`Limiter`] counts, an [`Exceeded`] says when to come
//! back. A [`LimitSet`] counts by several quotas at once and takes back what is not to count. How
//! many at the same time? A [`ConcurrencyLimit`].
//!
//! A limiter is a table of fixed size, taken at start: a flood of new keys costs no memory and
//! forgives nobody. It counts for one process; several processes each count for themselves.
//!
//! # How many slots
//!
//! A key is *live* from its first admitted call until its bucket has refilled, which takes at
//! most `burst` times the interval of the quota. Take 2.5 to 4 slots (16 bytes each) for every
//! key that is live at the same moment at the worst hour. With 4, about 0.4 % of the live keys
//! find their part of the table full; with 2.5, about 2 %. [`WhenFull`] says what becomes of
//! them; too small a table never admits more than the quota. [`slots_for`] takes more than that,
//! for crowds that are there to do harm.
//!
//! # One quota, one table
//!
//! A newcomer to a full part of the table takes over another key's debt. That is fair only among
//! keys under the same quota: the debt of a daily quota would shut out a caller who is counted by
//! the second. So every window of a set has a table of its own, and every plan a set.

mod allowance;
mod bucket;
mod calendar;
mod client;
mod concurrency;
mod error;
mod guard;
mod hashing;
mod limiter;
mod moment;
mod permit;
mod quota;
mod set;
mod sizing;
mod stats;
mod successor;
mod sync;
mod table;
mod window;

pub use allowance::Allowance;
pub use client::client_key;
pub use concurrency::{Busy, ConcurrencyLimit, InFlight};
pub use error::{Exceeded, ExceededKind, LimitError};
pub use guard::{GuardError, Login, LoginGuard, LoginGuardBuilder, Reservation, Verdict};
pub use limiter::Limiter;
pub use moment::Moment;
pub use permit::{OnDrop, Permit};
pub use quota::Quota;
pub use set::{Charge, LimitSet};
pub use sizing::slots_for;
pub use stats::Stats;
pub use successor::Inheritance;
pub use table::WhenFull;
