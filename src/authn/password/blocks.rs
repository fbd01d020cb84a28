//! The memory that hashes are made in.

use argon2::Block;

/// What one hash is filled into, taken once and used again.
pub(super) struct Blocks(pub(super) Vec<Block>);

impl Blocks {
    /// `memory_kib` KiB of them; `None` when there is no such memory.
    pub(super) fn new(memory_kib: u32) -> Option<Self> {
        let count = usize::try_from(memory_kib).ok()?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).ok()?;
        blocks.resize(count, Block::new());
        Some(Self(blocks))
    }
}
