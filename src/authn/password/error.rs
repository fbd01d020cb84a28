//! Why there is no hasher.

/// Why a hasher cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HasherError {
    /// Its memory is not to be had.
    #[error("no memory for {threads} threads of {memory_kib} KiB each")]
    Memory {
        /// How many threads were asked for.
        threads: usize,
        /// What each one takes.
        memory_kib: u32,
    },
    /// There is nothing to hash on, or too much.
    #[error("a hasher has 1 to 256 threads, not {threads}")]
    Threads {
        /// How many threads were asked for.
        threads: usize,
    },
    /// Nothing could wait, or too much.
    #[error("a hasher's queue has 1 to 65,536 places, not {places}")]
    Queue {
        /// How many places were asked for.
        places: usize,
    },
    /// The system refuses to start a thread.
    #[error("the system starts no more threads")]
    Spawn,
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    Random,
}
