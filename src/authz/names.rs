//! Names as small numbers, and the name that was probably meant.

use super::slots::{Slots, fold_text, same};

/// So many names are compared one after another: most differ in length already.
const FEW: usize = 6;

/// A list of different names in order; a name's number is its place.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Box<[Box<str>]>,
    slots: Slots,
}

impl Names {
    /// Sorts `names`; the same name twice is one name.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        names.sort_unstable();
        names.dedup();
        let hash = |seed, at: usize| names.get(at).map_or(0, |name| fold_text(seed, name));
        Self { slots: Slots::new(names.len(), hash), names: names.into() }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    #[inline]
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        if self.names.len() <= FEW {
            return (0..).zip(&self.names).find(|(_, known)| same(known, name)).map(|(at, _)| at);
        }
        self.looked_up(name)
    }

    fn looked_up(&self, name: &str) -> Option<u32> {
        let hash = fold_text(self.slots.seed(), name);
        self.slots.find(hash, |number| self.name(number) == Some(name))
    }

    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.names.get(number as usize).map(|name| &**name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The numbers of the names that start with `stem`: they stand side by side.
    pub(super) fn starting(&self, stem: &str) -> std::ops::Range<u32> {
        let first = self.names.partition_point(|name| **name < *stem);
        let rest = self.names.get(first..).unwrap_or_default();
        let count = rest.partition_point(|name| name.starts_with(stem));
        let number = |at| u32::try_from(at).unwrap_or(u32::MAX);
        number(first)..number(first + count)
    }

    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.iter())
    }
}

/// The candidate that `name` was probably meant to be: at most a third of it differs. Of very many
/// candidates it is one of the first.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.len() > MAX_LENGTH {
        return None;
    }
    let allowed = name.chars().count() / 3;
    // In bytes, a letter more or less makes a difference of four at most.
    let close = |candidate: &&str| candidate.len().abs_diff(name.len()) <= 4 * allowed;
    let mut left = MAX_COMPARED;
    let affordable = |candidate: &&str| {
        let rest = left.checked_sub(name.len() * candidate.len());
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len() <= MAX_LENGTH)
        .filter(close)
        .take_while(affordable)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be put in, taken out, replaced or swapped with their neighbour;
/// upper and lower case count as one.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().flat_map(char::to_lowercase).collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut before = None;
    for (line, letter) in from.chars().flat_map(char::to_lowercase).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = line + 1;
        next.push(left);
        for (at, target) in to.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = cell(&row, at) + usize::from(*target != letter);
            let swaps = at > 0 && before == Some(*target) && to.get(at - 1) == Some(&letter);
            let swapped = if swaps { cell(&above, at - 1) + 1 } else { usize::MAX };
            left = replaced.min(swapped).min(left + 1).min(cell(&row, at + 1) + 1);
            next.push(left);
        }
        before = Some(letter);
        above = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

/// Longer names are not compared letter by letter.
const MAX_LENGTH: usize = 64;
/// More pairs of letters are not compared for one name: some ten thousand names of twelve.
const MAX_COMPARED: usize = 1 << 21;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let check = |from, to, expected| assert_eq!(distance(from, to), expected, "{from} {to}");
        check("", "", 0);
        check("", "abc", 3);
        check("abc", "", 3);
        check("owner", "owner", 0);
        check("ownr", "owner", 1);
        check("onwer", "owner", 1);
        check("Owner", "owner", 0);
        check("order:raed", "order:read", 1);
        check("kitten", "sitting", 3);
    }

    #[test]
    fn names_that_start_alike() {
        let names = ["a", "a-b", "a:", "a:x", "a:y", "a;x", "b:x", "é:x"];
        let all = Names::new(names);
        for stem in ["", "a", "a:", "a:x", "a:z", "b:", "c:", "é:", "zz"] {
            let found = all.starting(stem).map(|at| all.name(at).unwrap());
            assert!(found.eq(names.into_iter().filter(|name| name.starts_with(stem))), "{stem}");
        }
    }

    #[test]
    fn what_was_meant_is_not_looked_for_among_millions() {
        let name = "x".repeat(64);
        let meant = "x".repeat(63) + "y";
        let others: Vec<String> = (0..600).map(|number| format!("{number:064}")).collect();
        let find = |count: usize| {
            nearest(&name, others.iter().take(count).map(String::as_str).chain([&*meant]))
        };
        assert_eq!((find(511), find(512)), (Some(&*meant), None));
        // Those that are too long to be meant cost nothing.
        let long = "x".repeat(65);
        let all = std::iter::repeat_n(&*long, 100_000).chain([&*meant]);
        assert_eq!(nearest(&name, all), Some(&*meant));
    }

    #[test]
    fn nearest_names() {
        let names = Names::new(["order:read", "order:create", "order:refund"]);
        assert_eq!(names.nearest("order:raed"), Some("order:read"));
        assert_eq!(names.nearest("order:refunds"), Some("order:refund"));
        assert_eq!(names.nearest("invoice"), None);
        assert_eq!(names.nearest(""), None);
        assert_eq!((nearest("z", ["a"]), nearest("A", ["a"])), (None, Some("a")));
        assert_eq!(names.nearest(&"o".repeat(65)), None);
        assert_eq!((names.number("order:read"), names.name(1)), (Some(1), Some("order:read")));
        assert_eq!((names.number("order"), names.name(3)), (None, None));
    }
}
