//! Plain threads, each with a buffer of its own, behind one bounded queue.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use argon2::Block;

use super::{
    HasherError,
    answer::{Answer, answer},
};

/// Runs work on threads that each own their blocks of memory. What has been taken on is run to
/// its end, whether or not anybody still waits for it: so a caller who goes away frees nothing
/// early, and never are there more hashes under way than threads. Work that panics has no answer,
/// and its thread goes on.
pub(super) struct Pool(SyncSender<Job>);

/// The queue is full.
#[derive(Debug)]
pub(super) struct Busy;

struct Job(Box<dyn FnOnce(&mut Blocks) + Send>);

/// What one hash is filled into, taken once and used again.
pub(super) struct Blocks(pub(super) Vec<Block>);

impl Pool {
    /// One thread for each of `buffers`, and a queue of `places`.
    pub(super) fn start(buffers: Vec<Blocks>, places: usize) -> Result<Self, HasherError> {
        let (sender, receiver) = sync_channel(places);
        let receiver = Arc::new(Mutex::new(receiver));
        for mut blocks in buffers {
            let receiver = Arc::clone(&receiver);
            let run = move || {
                while let Some(Job(work)) = next(&receiver) {
                    // The job's answer is closed, and the next one fills the blocks anew.
                    let _ = catch_unwind(AssertUnwindSafe(|| work(&mut blocks)));
                }
            };
            let thread = thread::Builder::new().name("portcullis-hash".to_owned());
            thread.spawn(run).map_err(|_| HasherError::Spawn)?;
        }
        Ok(Self(sender))
    }

    /// Takes `work` on, or says at once that it cannot.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Blocks) -> T + Send + 'static,
    ) -> Result<Answer<T>, Busy> {
        let (reply, answer) = answer();
        let job = Job(Box::new(move |blocks| reply.give(work(blocks))));
        self.0.try_send(job).map_err(|_| Busy)?;
        Ok(answer)
    }
}

/// The next job; `None` once the pool is gone and its queue is empty.
fn next(receiver: &Mutex<Receiver<Job>>) -> Option<Job> {
    // The idle threads wait in line here; no job runs while the lock is held.
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn wait<T>(answer: Answer<T>) -> Option<T> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
    }

    /// Work that says when it started and runs until it is told to end.
    fn held() -> (impl FnOnce(&mut Blocks) + Send, Receiver<()>, mpsc::Sender<()>) {
        let (started, starts) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let work = move |_: &mut Blocks| {
            started.send(()).unwrap();
            let _ = ends.recv();
        };
        (work, starts, end)
    }

    #[test]
    fn trap_a_caller_who_goes_away_frees_no_slot_while_the_hash_runs() {
        let pool = Pool::start(vec![Blocks::new(8).unwrap()], 1).unwrap();
        let (work, starts, end) = held();
        let running = pool.submit(work).unwrap();
        starts.recv().unwrap();
        let queued = pool.submit(|_| "ran all the same").unwrap();
        assert!(pool.submit(|_| ()).is_err(), "one runs, one waits, and that is all");
        drop(running);
        assert!(pool.submit(|_| ()).is_err(), "nobody waits for the first, but it still runs");
        end.send(()).unwrap();
        assert_eq!(wait(queued), Some("ran all the same"));
    }

    #[test]
    fn as_many_at_a_time_as_threads_and_each_has_its_own_buffer() {
        let pool = Pool::start(vec![Blocks::new(8).unwrap(), Blocks::new(16).unwrap()], 4).unwrap();
        let (work, starts, end) = held();
        let first = pool.submit(work).unwrap();
        starts.recv().unwrap();
        // The other thread serves everyone else.
        let sizes: Vec<_> =
            (0..4).map(|_| wait(pool.submit(|blocks| blocks.0.len()).unwrap()).unwrap()).collect();
        assert!(sizes == [8; 4] || sizes == [16; 4], "{sizes:?}");
        end.send(()).unwrap();
        assert_eq!(wait(first), Some(()));
    }

    #[test]
    fn attack_work_that_panics_takes_no_thread_with_it() {
        let pool = Pool::start(vec![Blocks::new(8).unwrap(), Blocks::new(8).unwrap()], 16).unwrap();
        for _ in 0..8 {
            let broken = pool.submit(|_| if true { panic!("on purpose") } else { 7 });
            assert_eq!(wait(broken.unwrap()), None, "closed, not left waiting");
        }
        // Both threads are there: one is held, the other still serves.
        let (work, starts, end) = held();
        let first = pool.submit(work).unwrap();
        starts.recv().unwrap();
        assert_eq!(wait(pool.submit(|blocks| blocks.0.len()).unwrap()), Some(8));
        end.send(()).unwrap();
        assert_eq!(wait(first), Some(()));
    }

    #[test]
    fn what_is_queued_when_the_pool_goes_is_still_answered() {
        let pool = Pool::start(vec![Blocks::new(8).unwrap()], 2).unwrap();
        let (work, starts, end) = held();
        let first = pool.submit(work).unwrap();
        starts.recv().unwrap();
        let second = pool.submit(|_| 2).unwrap();
        drop(pool);
        end.send(()).unwrap();
        assert_eq!((wait(first), wait(second)), (Some(()), Some(2)));
    }
}
