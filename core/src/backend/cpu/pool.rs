//! Threads that wait for work: they spin briefly, then sleep. One wake-up runs a whole step; inside it, threads meet at
//! barriers and share out tasks by counters, so that a thread that the system takes away holds up no more than its task.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Turns of the spin loop before a thread sleeps: some tens of microseconds.
const SPINS: usize = 4000;

/// A pool of threads; the caller's is one of them.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Jobs so far.
    jobs: usize,
    /// Threads that do the next job.
    used: usize,
}

/// A job as the workers see it: a pointer to a closure on the caller's stack, which outlives the job.
#[derive(Clone, Copy)]
struct Job {
    work: *const (dyn Fn(&Team) + Sync),
    /// Counts jobs, from 1.
    number: usize,
    /// Threads that do it: the first of the pool.
    threads: usize,
}

#[allow(unsafe_code)]
// SAFETY: the closure is `Sync`, and `Pool::run` does not return before every worker is done with it.
unsafe impl Send for Job {}

struct Shared {
    job: Mutex<Option<Job>>,
    /// Counts jobs; workers wait for it to change.
    started: Event,
    /// Counts finished rounds of the barrier.
    round: Event,
    arrived: AtomicUsize,
    /// How many tasks of its share of the current phase each thread has given out.
    given: Vec<Given>,
    quit: AtomicBool,
}

/// On a cache line (or pair of lines) of its own, since each thread mostly counts its own.
#[derive(Default)]
#[repr(align(128))]
struct Given(AtomicUsize);

impl Shared {
    fn new(threads: usize) -> Self {
        Self {
            job: Mutex::new(None),
            started: Event::default(),
            round: Event::default(),
            arrived: AtomicUsize::new(0),
            given: (0..threads).map(|_| Given::default()).collect(),
            quit: AtomicBool::new(false),
        }
    }
}

/// A counter that threads can wait on.
#[derive(Default)]
struct Event {
    count: AtomicUsize,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Event {
    fn advance(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_all();
        }
    }

    /// Waits until the count is no longer `seen`.
    fn wait(&self, seen: usize) {
        for _ in 0..SPINS {
            if self.count.load(Ordering::Acquire) != seen {
                return;
            }
            std::hint::spin_loop();
        }
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.count.load(Ordering::SeqCst) == seen {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One thread's view of the threads that run a job together.
pub struct Team<'a> {
    shared: &'a Shared,
    threads: usize,
    /// This thread, from 0; 0 is the caller's.
    pub index: usize,
}

impl Team<'_> {
    /// How many threads do the job.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `task(0..count)` over all threads and returns once all are done; every thread must make the same call.
    ///
    /// A thread begins with its own share, neighbours in order, so that it finds in its cache what it wrote in the phase
    /// before and reads on where it stopped. Then it helps the others.
    pub fn each(&self, count: usize, task: impl Fn(usize)) {
        let threads = self.threads();
        for owner in (0..threads).map(|i| (self.index + i) % threads) {
            let (first, end) = (owner * count / threads, (owner + 1) * count / threads);
            loop {
                let at = first + self.shared.given[owner].0.fetch_add(1, Ordering::Relaxed);
                if at >= end {
                    break;
                }
                task(at);
            }
        }
        self.barrier();
    }

    /// Waits for all threads; the last to come resets the task counter.
    fn barrier(&self) {
        let shared = self.shared;
        let round = shared.round.count.load(Ordering::Acquire);
        if shared.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            shared.arrived.store(0, Ordering::Relaxed);
            for given in &shared.given {
                given.0.store(0, Ordering::Relaxed);
            }
            shared.round.advance();
        } else {
            shared.round.wait(round);
        }
    }
}

impl Pool {
    /// A pool of `threads` threads in all (at least one), `threads - 1` of them new.
    ///
    /// Where the system refuses a thread, the pool makes do with the caller's alone.
    pub fn new(threads: usize) -> Self {
        let of = |threads: usize| Self {
            shared: Arc::new(Shared::new(threads)),
            workers: Vec::new(),
            jobs: 0,
            used: threads,
        };
        let mut pool = of(threads.max(1));
        for index in 1..threads {
            let shared = pool.shared.clone();
            let worker =
                std::thread::Builder::new().name(format!("kinglet-{index}")).spawn(move || work(&shared, index));
            match worker {
                Ok(worker) => pool.workers.push(worker),
                Err(error) => {
                    log::warn!("thread {index} of {threads} was refused ({error}); using one");
                    return of(1);
                }
            }
        }
        pool
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Has the next jobs done by so many of the threads, at least one; the others sleep.
    pub fn use_threads(&mut self, threads: usize) {
        self.used = threads.clamp(1, self.threads());
    }

    /// Runs `job` on every thread that is used at once and returns when all are done.
    pub fn run(&mut self, job: impl Fn(&Team) + Sync) {
        let team = Team { shared: &self.shared, threads: self.used, index: 0 };
        if self.used == 1 {
            return job(&team);
        }
        self.jobs += 1;
        let job: &(dyn Fn(&Team) + Sync) = &job;
        // SAFETY: only the lifetime is erased. The workers' last use of the job is before the barrier below, and
        // nothing between here and there can unwind past it but the job itself, which then aborts (see `Finish`).
        #[allow(unsafe_code)]
        let work = unsafe { std::mem::transmute::<*const (dyn Fn(&Team) + Sync), *const (dyn Fn(&Team) + Sync)>(job) };
        let job_of_all = Job { work, number: self.jobs, threads: self.used };
        *self.shared.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job_of_all);
        self.shared.started.advance();
        let finish = Finish;
        job(&team);
        team.barrier();
        std::mem::forget(finish);
    }
}

/// Ends the process when a job panics: other threads would wait at a barrier for ever, on a stack that is gone.
struct Finish;

impl Drop for Finish {
    fn drop(&mut self) {
        std::process::abort();
    }
}

fn work(shared: &Shared, index: usize) {
    // Jobs that this thread has done or left to others. It may miss some of these, and none of those that it does.
    let mut seen = 0;
    loop {
        shared.started.wait(seen);
        if shared.quit.load(Ordering::Acquire) {
            return;
        }
        let job = *shared.job.lock().unwrap_or_else(PoisonError::into_inner);
        // The next one may be there already, before it is counted as started.
        let Some(job) = job.filter(|job| job.number != seen) else { continue };
        seen = job.number;
        if index >= job.threads {
            continue;
        }
        let finish = Finish;
        // SAFETY: `Pool::run` keeps the closure alive until this thread, which is one of those, reaches the barrier.
        #[allow(unsafe_code)]
        let work = unsafe { &*job.work };
        let team = Team { shared, threads: job.threads, index };
        work(&team);
        std::mem::forget(finish);
        team.barrier();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::Release);
        self.shared.started.advance();
        for worker in self.workers.drain(..) {
            // A worker that panicked has ended the process already.
            let _ = worker.join();
        }
    }
}
