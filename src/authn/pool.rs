//! Plain threads, each with something of its own to work with, behind one bounded queue.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::oneshot;

/// Runs work on threads that each own a tool. What has been taken on is run to its end, whether
/// or not anybody still waits for it: so a caller who goes away frees nothing early, and never is
/// there more work under way than threads. Work that panics has no answer, and its thread goes on.
pub(crate) struct Pool<T>(SyncSender<Job<T>>);

/// The queue is full.
#[derive(Debug)]
pub(crate) struct Busy;

/// The system starts no more threads.
#[derive(Debug)]
pub(crate) struct NoThread;

struct Job<T>(Box<dyn FnOnce(&mut T) + Send>);

impl<T: Send + 'static> Pool<T> {
    /// One thread called `name` for each of `tools`, and a queue of `places`.
    pub(crate) fn start(name: &str, tools: Vec<T>, places: usize) -> Result<Self, NoThread> {
        let (sender, receiver) = sync_channel(places);
        let receiver = Arc::new(Mutex::new(receiver));
        for mut tool in tools {
            let receiver = Arc::clone(&receiver);
            let run = move || {
                while let Some(Job(work)) = next(&receiver) {
                    // The job's answer is closed; work leaves its tool fit for any other.
                    let _ = catch_unwind(AssertUnwindSafe(|| work(&mut tool)));
                }
            };
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(run).map_err(|_| NoThread)?;
        }
        Ok(Self(sender))
    }

    /// Takes `work` on, or says at once that it cannot.
    pub(crate) fn submit<A: Send + 'static>(
        &self,
        work: impl FnOnce(&mut T) -> A + Send + 'static,
    ) -> Result<oneshot::Receiver<A>, Busy> {
        let (sender, receiver) = oneshot::channel();
        let job = Job(Box::new(move |tool| sender.give(work(tool))));
        self.0.try_send(job).map_err(|_| Busy)?;
        Ok(receiver)
    }
}

/// The next job; `None` once the pool is gone and its queue is empty.
fn next<T>(receiver: &Mutex<Receiver<Job<T>>>) -> Option<Job<T>> {
    // The idle threads wait in line here; no job runs while the lock is held.
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn wait<T>(answer: oneshot::Receiver<T>) -> Option<T> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
    }

    /// Work that says when it started and runs until it is told to end.
    fn held() -> (impl FnOnce(&mut u8) + Send, Receiver<()>, mpsc::Sender<()>) {
        let (started, starts) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let work = move |_: &mut u8| {
            started.send(()).unwrap();
            let _ = ends.recv();
        };
        (work, starts, end)
    }

    #[test]
    fn trap_a_caller_who_goes_away_frees_no_slot_while_the_work_runs() {
        let pool = Pool::start("test", vec![8_u8], 1).unwrap();
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
    fn as_many_at_a_time_as_threads_and_each_has_its_own_tool() {
        let pool = Pool::start("test", vec![8_u8, 16], 4).unwrap();
        let (work, starts, end) = held();
        let first = pool.submit(work).unwrap();
        starts.recv().unwrap();
        // The other thread serves everyone else.
        let tools: Vec<_> =
            (0..4).map(|_| wait(pool.submit(|tool| *tool).unwrap()).unwrap()).collect();
        assert!(tools == [8; 4] || tools == [16; 4], "{tools:?}");
        end.send(()).unwrap();
        assert_eq!(wait(first), Some(()));
    }

    #[test]
    fn attack_work_that_panics_takes_no_thread_with_it() {
        let pool = Pool::start("test", vec![8_u8, 8], 16).unwrap();
        for _ in 0..8 {
            let broken = pool.submit(|_| if true { panic!("on purpose") } else { 7 });
            assert_eq!(wait(broken.unwrap()), None, "closed, not left waiting");
        }
        // Both threads are there: one is held, the other still serves.
        let (work, starts, end) = held();
        let first = pool.submit(work).unwrap();
        starts.recv().unwrap();
        assert_eq!(wait(pool.submit(|tool| *tool).unwrap()), Some(8));
        end.send(()).unwrap();
        assert_eq!(wait(first), Some(()));
    }

    #[test]
    fn what_is_queued_when_the_pool_goes_is_still_answered() {
        let pool = Pool::start("test", vec![8_u8], 2).unwrap();
        let (work, starts, end) = held();
        let first = pool.submit(work).unwrap();
        starts.recv().unwrap();
        let second = pool.submit(|_| 2).unwrap();
        drop(pool);
        end.send(()).unwrap();
        assert_eq!((wait(first), wait(second)), (Some(()), Some(2)));
    }
}
