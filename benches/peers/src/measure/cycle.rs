//! The same questions over and over.

use std::cell::Cell;

/// Hands out its items one after another, and starts again.
pub(crate) struct Cycle<T> {
    items: Vec<T>,
    next: Cell<usize>,
}

impl<T> Cycle<T> {
    pub(crate) fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self { items: items.into_iter().collect(), next: Cell::new(0) }
    }

    /// What `ask` says about the next item; false if there is none at all.
    pub(crate) fn ask(&self, ask: impl FnOnce(&T) -> bool) -> bool {
        let at = self.next.get();
        self.next.set(if at + 1 < self.items.len() { at + 1 } else { 0 });
        self.items.get(at).is_some_and(ask)
    }

    /// What `ask` says about each item.
    pub(crate) fn answers(&self, ask: impl FnMut(&T) -> bool) -> Vec<bool> {
        self.items.iter().map(ask).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_item_comes_after_the_last() {
        let cycle = Cycle::new([false, true, true]);
        let asked: Vec<_> = (0..4).map(|_| cycle.ask(|item| *item)).collect();
        assert_eq!(asked, [false, true, true, false]);
        assert_eq!(cycle.answers(|item| !item), [true, false, false]);
        assert!(!Cycle::<bool>::new([]).ask(|_| true));
    }
}
