//! One buffer of text and ranges into it.

/// A growing buffer whose pieces are handed back as ranges.
#[derive(Default)]
pub(super) struct Text(String);

/// A range of a [`Text`], in bytes.
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
        let end = start.saturating_add(piece.len());
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => {
                self.0.push_str(piece);
                Span { start, end }
            }
            _ => Span { start: 0, end: 0 },
        }
    }

    pub(super) fn get(&self, span: Span) -> &str {
        self.0.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

impl Span {
    /// From the start of `self` to the end of `last`.
    pub(super) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}
