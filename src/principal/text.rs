//! One buffer of text and ranges into it.

use std::ops::Range;

/// A growing buffer whose pieces are handed back as ranges.
#[derive(Default)]
pub(super) struct Text(String);

/// A range: of a [`Text`] in bytes, or of a list.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Text {
    /// An empty buffer with room for `bytes` bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Appends `piece`. A buffer beyond 4 GiB keeps the piece out and hands back an empty
    /// range; every way in is bounded far below that.
    pub(super) fn push(&mut self, piece: &str) -> Span {
        let start = self.0.len();
        let span = Span::new(start, start.saturating_add(piece.len())).unwrap_or_default();
        self.0.push_str(if span.end == 0 { "" } else { piece });
        span
    }

    pub(super) fn get(&self, span: Span) -> &str {
        self.0.get(span.range()).unwrap_or_default()
    }
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Option<Self> {
        Some(Self { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// From the start of `self` to the end of `last`.
    pub(super) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}
