//! The one thread that owns a model, and the bounded queue in front of it.

use crate::error::caught;
use crate::mailbox::{Receiver, Sender, mailbox};
use crate::stream::{Events, Stats, StreamEvent, StreamResult};
use crate::work::Work;
use crate::{KingletError, Result};
use kinglet::Cancel;
use kinglet::text::Classifier;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Calls that may wait. An app that has more of them has lost count.
pub(crate) const MOST_WAITING: usize = 64;
/// How far a stream may be ahead of its reader.
const MOST_UNREAD: usize = 64;

/// What the thread owns.
pub(crate) struct Model {
    pub(crate) engine: kinglet::Engine,
    sessions: HashMap<u64, Slot>,
    /// Names given to sessions so far.
    named: u64,
    /// For the text tasks, one after another, so that instructions are computed once.
    pub(crate) tasks: Option<kinglet::Session>,
    /// The last labels that were asked for; calibrating them takes a run.
    pub(crate) labels: Option<(Vec<String>, bool, Classifier)>,
}

/// A session, and what its owner may see of it at any time.
struct Slot {
    session: kinglet::Session,
    held: Arc<AtomicU32>,
}

impl Model {
    /// Keeps a session; returns its name.
    pub(crate) fn keep(&mut self, session: kinglet::Session, held: Arc<AtomicU32>) -> u64 {
        self.named += 1;
        held.store(session.ids().len() as u32, Ordering::Relaxed);
        self.sessions.insert(self.named, Slot { session, held });
        self.named
    }

    /// Does something with a session.
    pub(crate) fn with<T>(&mut self, name: u64, work: impl FnOnce(&mut kinglet::Session) -> Result<T>) -> Result<T> {
        let slot = self.sessions.get_mut(&name).ok_or_else(KingletError::closed)?;
        let result = work(&mut slot.session);
        slot.held.store(slot.session.ids().len() as u32, Ordering::Relaxed);
        result
    }
}

/// Something to be done; with no model where it was shut down before.
struct Job {
    cancel: Cancel,
    run: Box<dyn FnOnce(Option<&mut Model>) + Send>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Sessions that nobody holds any more. They take no place in the queue, for they must not be refused.
    freed: Vec<u64>,
    running: Option<Cancel>,
    closing: bool,
    /// Dropped when the thread has let go of the model, which ends the waiting of whoever shut it down.
    hopeful: Vec<Sender<()>>,
    over: bool,
    /// For what needs no run of the model, and so need not wait.
    engine: Option<kinglet::Engine>,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        if let Some(cancel) = &state.running {
            cancel.cancel();
        }
        let engine = state.engine.take();
        drop(state);
        self.changed.notify_all();
        drop(engine);
    }

    /// What the thread does, and then leaves behind: nobody waits for it in vain, whatever happened.
    fn work(&self, model: Model) {
        if let Err(error) = caught(|| {
            self.serve(model);
            Ok(())
        }) {
            log::error!("{error}");
        }
        let mut state = self.lock();
        state.closing = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(|job| (job.run)(None));
        let mut state = self.lock();
        state.over = true;
        state.hopeful.clear();
    }

    /// One job after the other, until it is closed.
    fn serve(&self, mut model: Model) {
        let mut state = self.lock();
        loop {
            for name in std::mem::take(&mut state.freed) {
                model.sessions.remove(&name);
            }
            if state.closing {
                return;
            }
            let Some(job) = state.waiting.pop_front() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.running = Some(job.cancel);
            drop(state);
            (job.run)(Some(&mut model));
            state = self.lock();
            state.running = None;
        }
    }
}

/// The way to the thread. It ends when this is dropped, after what it does was cancelled.
pub(crate) struct Worker(Arc<Queue>);

impl Worker {
    /// Starts a thread that makes an engine and then works for whoever has the worker.
    pub(crate) fn start(
        work: &Arc<Work>,
        open: impl FnOnce(&Work) -> Result<kinglet::Engine> + Send + 'static,
    ) -> Result<Answer<(Self, kinglet::Engine)>> {
        let (sender, receiver) = mailbox(1);
        let answer = Answer { receiver, work: work.clone(), given: false };
        let work = work.clone();
        spawn(move || {
            let engine = match caught(|| open(&work)) {
                Ok(engine) => engine,
                Err(error) => return sender.end(Err(error)),
            };
            let state = State { engine: Some(engine.clone()), ..State::default() };
            let queue = Arc::new(Queue { state: Mutex::new(state), changed: Condvar::new() });
            // Where nobody waits any more, this drops the worker and so ends the thread.
            sender.end(Ok((Self(queue.clone()), engine.clone())));
            let model = Model { engine, sessions: HashMap::new(), named: 0, tasks: None, labels: None };
            queue.work(model);
        })?;
        Ok(answer)
    }

    /// Something that needs no run of the model.
    pub(crate) fn engine(&self) -> Result<kinglet::Engine> {
        self.0.lock().engine.clone().ok_or_else(KingletError::closed)
    }

    /// Asks for a value.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        work: &Arc<Work>,
        job: impl FnOnce(&mut Model, &Work) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        let (sender, receiver) = mailbox(1);
        let answer = Answer { receiver, work: work.clone(), given: false };
        let work = work.clone();
        let cancel = work.token().clone();
        self.put(cancel, move |model| {
            sender.end(caught(|| {
                work.token().check()?;
                job(model.ok_or_else(KingletError::closed)?, &work)
            }));
        })?;
        Ok(answer)
    }

    /// Asks for a stream, whose last event is what the job returns.
    pub(crate) fn stream(
        &self,
        job: impl FnOnce(&mut Model, &Events) -> Result<StreamResult> + Send + 'static,
    ) -> Result<Stream> {
        let (sender, receiver) = mailbox(MOST_UNREAD);
        let (cancel, stats) = (Cancel::default(), Arc::default());
        let events = Events::new(sender, cancel.clone(), Arc::clone(&stats));
        self.put(cancel.clone(), move |model| {
            let result = caught(|| {
                let Some(model) = model else {
                    events.cancel().check()?;
                    return Err(KingletError::closed());
                };
                job(model, &events)
            });
            events.end(result);
        })?;
        Ok(Stream { receiver, cancel, stats })
    }

    fn put(&self, cancel: Cancel, run: impl FnOnce(Option<&mut Model>) + Send + 'static) -> Result<()> {
        let mut state = self.0.lock();
        if state.closing {
            return Err(KingletError::closed());
        }
        // Whoever was cancelled makes room, even while the thread is at something long.
        let mut cancelled = VecDeque::new();
        if state.waiting.len() >= MOST_WAITING {
            let waiting = std::mem::take(&mut state.waiting);
            (cancelled, state.waiting) = waiting.into_iter().partition(|job| job.cancel.is_cancelled());
        }
        let full = state.waiting.len() >= MOST_WAITING;
        if !full {
            state.waiting.push_back(Job { cancel, run: Box::new(run) });
        }
        drop(state);
        self.0.changed.notify_all();
        cancelled.into_iter().for_each(|job| (job.run)(None));
        if full {
            let what = format!("{MOST_WAITING} calls wait for the engine already; await or cancel some of them first");
            return Err(KingletError::Busy(what));
        }
        Ok(())
    }

    /// Lets go of a session once the thread has time.
    pub(crate) fn free(&self, session: u64) {
        self.0.lock().freed.push(session);
        self.0.changed.notify_all();
    }

    /// Cancels what runs, refuses what waits, and returns once the model's memory is free.
    pub(crate) async fn shut_down(&self) {
        self.0.close();
        let (sender, receiver) = mailbox(1);
        {
            let mut state = self.0.lock();
            if state.over {
                return;
            }
            state.hopeful.push(sender);
        }
        receiver.take().await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The reader's end of a stream.
pub(crate) struct Stream {
    pub(crate) receiver: Receiver<Result<StreamEvent>>,
    pub(crate) cancel: Cancel,
    pub(crate) stats: Arc<Mutex<Option<Stats>>>,
}

/// A value that a thread will give. Whoever drops it before does not want it any more.
pub(crate) struct Answer<T> {
    receiver: Receiver<Result<T>>,
    work: Arc<Work>,
    given: bool,
}

impl<T> Answer<T> {
    pub(crate) async fn get(mut self) -> Result<T> {
        let answer = self.receiver.take().await;
        self.given = true;
        answer.unwrap_or_else(|| Err(KingletError::internal("a call ended without an answer")))
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if !self.given {
            self.work.cancel();
        }
    }
}

/// Does something on a thread of its own, which needs no engine.
pub(crate) fn aside<T: Send + 'static>(
    work: &Arc<Work>,
    job: impl FnOnce(&Work) -> Result<T> + Send + 'static,
) -> Result<Answer<T>> {
    let (sender, receiver) = mailbox(1);
    let answer = Answer { receiver, work: work.clone(), given: false };
    let work = work.clone();
    spawn(move || sender.end(caught(|| job(&work))))?;
    Ok(answer)
}

fn spawn(run: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name("kinglet".into()).spawn(run);
    thread.map(|_| ()).map_err(|error| {
        KingletError::OutOfMemory(format!("the system refused a thread: {error}; end others, or free memory"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::Session;
    use pollster::block_on;
    use std::task::{Context, Waker};

    fn worker() -> Worker {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/data/tiny/tiny-llama-q4_0.gguf");
        let options =
            kinglet::Options { device: kinglet::DeviceChoice::Cpu, threads: Some(1), ..kinglet::Options::default() };
        let open = move |_: &Work| Ok(kinglet::Engine::open(path, &options)?);
        block_on(Worker::start(&Work::new(), open).unwrap().get()).unwrap().0
    }

    fn is_internal(error: &KingletError) -> bool {
        matches!(error, KingletError::Internal(text) if text.contains("inside: a bug; load"))
    }

    #[test]
    fn cancelled_calls_make_room_for_others() {
        let worker = worker();
        let (free, busy) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = std::sync::mpsc::channel();
        let long = worker.ask(&Work::new(), move |_, _| Ok((begun.send(()).is_ok(), busy.recv().is_err())));
        begins.recv().unwrap();
        let ask = || worker.ask(&Work::new(), |model, _| Ok(model.engine.vocab()));
        let stream = worker.stream(|_, _| Err(KingletError::closed())).unwrap();
        let mut waiting: Vec<_> = (1..MOST_WAITING).map(|_| ask().unwrap()).collect();
        assert!(matches!(ask().err(), Some(KingletError::Busy(_))));
        stream.cancel.cancel();
        waiting.truncate(10);
        let mut more: Vec<_> = (10..MOST_WAITING).map(|_| ask().unwrap()).collect();
        assert!(matches!(ask().err(), Some(KingletError::Busy(_))));
        // They end without the thread.
        assert!(matches!(block_on(stream.receiver.take()), Some(Err(KingletError::Cancelled(_)))));
        drop(free);
        assert!(block_on(long.unwrap().get()).unwrap().1);
        assert!(waiting.drain(..).chain(more.drain(..)).all(|answer| block_on(answer.get()).unwrap() > 0));
    }

    #[test]
    fn a_panic_ends_its_job_and_nothing_else() {
        let worker = worker();
        let panics = worker.ask::<u8>(&Work::new(), |_, _| panic!("a bug")).unwrap();
        let stream = worker.stream(|_, _| panic!("a bug")).unwrap();
        let works = worker.ask(&Work::new(), |model, _| Ok(model.engine.vocab())).unwrap();
        assert!(is_internal(&block_on(panics.get()).unwrap_err()));
        assert!(is_internal(&block_on(stream.receiver.take()).unwrap().unwrap_err()));
        assert!(block_on(stream.receiver.take()).is_none());
        assert!(block_on(works.get()).unwrap() > 0);
        let loading = Worker::start(&Work::new(), |_| panic!("a bug")).unwrap();
        assert!(is_internal(&block_on(loading.get()).err().unwrap()));
        assert!(is_internal(&block_on(aside::<u8>(&Work::new(), |_| panic!("a bug")).unwrap().get()).unwrap_err()));
    }

    /// Jobs that wait must not hold up one who wants the memory.
    #[test]
    fn what_waits_is_refused_when_it_is_shut_down() {
        let worker = worker();
        let (began, begun) = std::sync::mpsc::channel();
        let running = worker.ask(&Work::new(), move |_, work| {
            began.send(()).unwrap();
            while !work.is_cancelled() {
                std::thread::yield_now();
            }
            Ok(1)
        });
        begun.recv().unwrap();
        let waiting = worker.ask(&Work::new(), |_, _| Ok(2)).unwrap();
        block_on(worker.shut_down());
        assert_eq!(block_on(running.unwrap().get()), Ok(1));
        assert_eq!(block_on(waiting.get()), Err(KingletError::closed()));
        assert!(matches!(worker.ask(&Work::new(), |_, _| Ok(3)).err(), Some(KingletError::Closed(_))));
        assert!(worker.engine().is_err());
    }

    /// Its future may be dropped after the thread has made it.
    #[test]
    fn a_session_that_nobody_takes_is_freed() {
        let worker = Arc::new(worker());
        let sessions = || {
            let count = worker.ask(&Work::new(), |model, _| Ok(model.sessions.len())).unwrap();
            block_on(count.get()).unwrap()
        };
        // The thread is busy until the future has been asked, and found not to be ready.
        let (free, busy) = std::sync::mpsc::channel::<()>();
        let before = worker.ask(&Work::new(), move |_, _| Ok(busy.recv().is_err())).unwrap();
        let work = Work::new();
        let made = Session::create(&worker, &work, |model, _| Ok(model.engine.session()?));
        {
            let mut made = std::pin::pin!(made);
            let mut context = Context::from_waker(Waker::noop());
            assert!(made.as_mut().poll(&mut context).is_pending());
            drop(free);
            assert_eq!(block_on(before.get()), Ok(true));
            assert_eq!(sessions(), 1);
        }
        assert_eq!(sessions(), 0);
    }
}
