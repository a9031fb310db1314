//! The threads that compute, and their queue, in which accounts take turns and none fills it. A job is not interrupted;
//! it checks by itself, at each step, whether it should go on. Threads of its own and not tokio's blocking ones: those
//! are as many as there are callers, and would take the cores from whoever answers requests.

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use entity::id::AccountId;

use crate::error::{Error, Result};

/// Work that waits for a thread.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Most waiting jobs of all accounts; beyond that a caller hears `Busy` at once instead of waiting out its deadline.
const MOST_WAITING: usize = 256;

/// Most waiting jobs of one account: a quarter, so that no one account fills the queue.
const MOST_WAITING_OF_ONE: usize = 64;

/// The account of a job; none for the command line.
type JobOwner = Option<AccountId>;

pub(super) struct ComputePool {
    shared: Arc<SharedJobQueue>,
}

struct SharedJobQueue {
    queue: Mutex<JobQueue>,
    job_ready: Condvar,
}

/// The waiting jobs by account. An account is in `turns` exactly while a job of it waits.
#[derive(Default)]
struct JobQueue {
    jobs: HashMap<JobOwner, VecDeque<Job>>,
    turns: VecDeque<JobOwner>,
    waiting: usize,
    running: HashMap<JobOwner, usize>,
    /// Most threads of one account at the same time.
    at_once: usize,
}

/// One thread fewer than there are cores, so that whoever answers requests has one; at least one.
pub(super) fn thread_count() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).max(1)
}

impl ComputePool {
    /// Starts a pool of this many threads.
    pub(super) fn start(threads: usize) -> Self {
        let shared = Arc::new(SharedJobQueue {
            queue: Mutex::new(JobQueue {
                // Where there are several, one is left to the others.
                at_once: threads.saturating_sub(1).max(1),
                ..JobQueue::default()
            }),
            job_ready: Condvar::new(),
        });
        for at in 0..threads {
            let worker = Arc::clone(&shared);
            let started = thread::Builder::new()
                .name(format!("compute-{at}"))
                .spawn(move || worker.run_jobs());
            if let Err(error) = started {
                // The pool goes on with the threads that it has: a slower server is better than none.
                tracing::error!(%error, "a thread that computes could not be started");
            }
        }
        Self { shared }
    }

    /// Puts a job in its account's queue.
    ///
    /// # Errors
    ///
    /// `Busy` where the queue, or the account's share of it, is full.
    pub(super) fn submit(&self, owner: JobOwner, job: Job) -> Result<()> {
        let mut queue = self.shared.lock_queue();
        if queue.waiting >= MOST_WAITING {
            return Err(Error::Busy);
        }
        let own = queue.jobs.entry(owner).or_default();
        if own.len() >= MOST_WAITING_OF_ONE {
            return Err(Error::Busy);
        }
        own.push_back(job);
        // It was empty before, and so not in the turns; a second entry would give the account two turns a round.
        if own.len() == 1 {
            queue.turns.push_back(owner);
        }
        queue.waiting += 1;
        drop(queue);
        self.shared.job_ready.notify_one();
        Ok(())
    }
}

impl SharedJobQueue {
    /// Locks the queue. Jobs, which may panic, run without the lock, so a poisoned one guards a whole queue.
    fn lock_queue(&self) -> MutexGuard<'_, JobQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_jobs(&self) {
        loop {
            let (owner, job) = self.wait_for_job();
            // A panic must not take one of the few threads along: nobody would start it anew.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("work on the pool panicked");
            }
            let mut queue = self.lock_queue();
            queue.finish_job(owner);
            drop(queue);
            // What could not run beside it may run now.
            self.job_ready.notify_one();
        }
    }

    fn wait_for_job(&self) -> (JobOwner, Job) {
        let mut queue = self.lock_queue();
        loop {
            if let Some(next) = queue.next_job() {
                return next;
            }
            let woken = self.job_ready.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl JobQueue {
    /// The next job, of the first account in turn that has not all its threads; the account goes to the end of the
    /// turns.
    fn next_job(&mut self) -> Option<(JobOwner, Job)> {
        let free =
            |owner: &JobOwner| self.running.get(owner).copied().unwrap_or_default() < self.at_once;
        // Not always the first in turn: an account that has all its threads waits, and those behind it do not.
        let at = self.turns.iter().position(free)?;
        let owner = self.turns.remove(at)?;
        let own = self.jobs.get_mut(&owner)?;
        let job = own.pop_front()?;
        match own.is_empty() {
            true => drop(self.jobs.remove(&owner)),
            false => self.turns.push_back(owner),
        }
        self.waiting -= 1;
        *self.running.entry(owner).or_default() += 1;
        Some((owner, job))
    }

    fn finish_job(&mut self, owner: JobOwner) {
        if let Some(running) = self.running.get_mut(&owner) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(&owner);
            }
        }
    }
}
