//! How many slots a table needs.

/// Slots for so many keys that are live at once, all of them perhaps in debt for as long as they
/// like: about one newcomer in a thousand finds its part of the table full of them.
///
/// A part holds four keys. With ten slots a key, the live keys of a part are Poisson distributed
/// with mean 0.4, and in 0.08 % of all parts there are four or more. Take fewer slots where the
/// keys wish no harm; see the [module](super#how-many-slots).
///
/// ```
/// assert_eq!(portcullis::limit::slots_for(10_000), 100_000);
/// ```
#[must_use]
pub const fn slots_for(live_keys: usize) -> usize {
    live_keys.saturating_mul(10)
}
