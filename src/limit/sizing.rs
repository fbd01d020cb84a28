//! How many slots a table needs.

/// Slots for so many keys that are live at once, all of them perhaps in debt for as long as they
/// like: about one newcomer in a thousand finds its part of the table full of them.
///
/// A part holds four keys. With ten slots a key, the live keys of a part are Poisson distributed
/// with mean 0.4, and in 0.08 % of all parts there are four or more. Take fewer slots where the
/// keys wish no harm; see the [module](super#how-many-slots).
///
/// What was denied of 50,000 calls by 1,000 keys that kept to their quota (10 a second, burst 20),
/// among 100,000 strangers who were live at any moment: a flood of keys that call once, and a crowd
/// that calls at twice the quota for ever. The attacker beside them got what the quota allows, in
/// every row.
///
/// | slots for each live key | 10,000,000 keys that call once | 100,000 that stay |
/// |---:|---:|---:|
/// | 1.25 | up to 0.2 % | |
/// | 1.5 | 0.002 % | |
/// | 2.5 | none | 6.1 % |
/// | 4 | | 2.3 % |
/// | 10 | | none |
///
/// `BENCHMARKS.md` says how to make the table again.
///
/// ```
/// assert_eq!(portcullis::limit::slots_for(10_000), 100_000);
/// ```
#[must_use]
pub const fn slots_for(live_keys: usize) -> usize {
    live_keys.saturating_mul(10)
}
