//! Values from a thread that computes to a future that waits: the one place where the two meet.
//!
//! The thread blocks while the mailbox is full. The future registers to be woken and does nothing else.

use kinglet::Cancel;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// A thread that waits for room looks this often whether it was cancelled.
const LOOK: Duration = Duration::from_millis(10);

struct Shared<T> {
    state: Mutex<State<T>>,
    room: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    /// Nothing follows.
    over: bool,
    /// Nobody takes anything any more.
    left: bool,
    /// All who wait. A waker whose future was dropped must not be the only one to be told.
    waiting: Vec<Waker>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what those who wait are waiting for. They are woken without the lock, for they may run at once.
    fn tell(&self, change: impl FnOnce(&mut State<T>)) {
        let mut state = self.lock();
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Puts values in. When it is dropped, nothing follows.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// Takes values out. When it is dropped, what is sent goes nowhere.
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

/// A mailbox for so many values.
pub(crate) fn mailbox<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { items: VecDeque::new(), over: false, left: false, waiting: Vec::new() };
    let shared = Arc::new(Shared { state: Mutex::new(state), room: Condvar::new(), capacity });
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Sender<T> {
    /// Sends a value once there is room, or at once after `cancel`; false where nobody takes it.
    pub(crate) fn send(&self, item: T, cancel: &Cancel) -> bool {
        let mut state = self.0.lock();
        while state.items.len() >= self.0.capacity && !state.left && !cancel.is_cancelled() {
            state = self.0.room.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        let taken = !state.left;
        drop(state);
        if taken {
            self.0.tell(|state| state.items.push_back(item));
        }
        taken
    }

    /// Sends a value at once; the oldest goes where there is no room. False where nobody takes it.
    #[cfg(not(target_os = "android"))] // The system's log takes all lines there.
    pub(crate) fn offer(&self, item: T) -> bool {
        let capacity = self.0.capacity;
        let mut taken = false;
        self.0.tell(|state| {
            taken = !state.left;
            if taken {
                if state.items.len() >= capacity {
                    state.items.pop_front();
                }
                state.items.push_back(item);
            }
        });
        taken
    }

    /// Sends the last value, whether there is room or not.
    pub(crate) fn end(self, item: T) {
        self.0.tell(|state| state.items.push_back(item));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.tell(|state| state.over = true);
    }
}

impl<T> Receiver<T> {
    /// The next value; none once nothing follows.
    pub(crate) async fn take(&self) -> Option<T> {
        poll_fn(|context| {
            let mut state = self.0.lock();
            if let Some(item) = state.items.pop_front() {
                self.0.room.notify_one();
                return Poll::Ready(Some(item));
            }
            if state.over {
                return Poll::Ready(None);
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.left = true;
        let items = std::mem::take(&mut state.items);
        drop(state);
        self.0.room.notify_one();
        drop(items);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pollster::block_on;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};
    use std::time::Instant;

    #[test]
    fn values_come_in_order_and_end() {
        let (sender, receiver) = mailbox(2);
        let thread = std::thread::spawn(move || {
            for i in 0..100 {
                assert!(sender.send(i, &Cancel::default()));
            }
            sender.end(100);
        });
        for i in 0..=100 {
            assert_eq!(block_on(receiver.take()), Some(i));
        }
        assert_eq!((block_on(receiver.take()), block_on(receiver.take())), (None, None));
        thread.join().unwrap();
    }

    #[test]
    fn a_full_mailbox_holds_its_sender_up_until_it_is_read_cancelled_or_left() {
        let blocked = |release: fn(Receiver<u8>, &Cancel) -> Option<Receiver<u8>>| {
            let (sender, receiver) = mailbox(1);
            let cancel = Cancel::default();
            let waits = cancel.clone();
            assert!(sender.send(1, &cancel));
            let thread = std::thread::spawn(move || {
                let started = Instant::now();
                (sender.send(2, &waits), started.elapsed())
            });
            std::thread::sleep(Duration::from_millis(50));
            let kept = release(receiver, &cancel);
            let (sent, time) = thread.join().unwrap();
            assert!(time >= Duration::from_millis(40), "it did not wait");
            drop(kept);
            sent
        };
        assert!(blocked(|receiver, _| {
            assert_eq!(block_on(receiver.take()), Some(1));
            Some(receiver)
        }));
        assert!(blocked(|receiver, cancel| {
            cancel.cancel();
            Some(receiver)
        }));
        assert!(!blocked(|receiver, _| {
            drop(receiver);
            None
        }));
    }

    #[test]
    fn what_is_offered_does_not_wait() {
        let (sender, receiver) = mailbox(2);
        for i in 0..5 {
            assert!(sender.offer(i));
        }
        assert_eq!((block_on(receiver.take()), block_on(receiver.take())), (Some(3), Some(4)));
        drop(receiver);
        assert!(!sender.offer(5));
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A future that was dropped must not swallow the news for one that still waits.
    #[test]
    fn all_who_wait_are_woken() {
        let (sender, receiver) = mailbox(1);
        let counts = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let mut first = Box::pin(receiver.take());
        let mut second = Box::pin(receiver.take());
        for (future, count) in [&mut first, &mut second].into_iter().zip(&counts) {
            let waker = Waker::from(count.clone());
            for _ in 0..2 {
                assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
        }
        drop(first);
        assert!(sender.send(5, &Cancel::default()));
        assert_eq!(counts.each_ref().map(|count| count.0.load(Ordering::Relaxed)), [1, 1]);
        assert_eq!(block_on(second), Some(5));
    }

    #[test]
    fn a_sender_that_is_gone_ends_the_waiting() {
        let (sender, receiver) = mailbox::<u8>(1);
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(sender);
        });
        assert_eq!(block_on(receiver.take()), None);
        thread.join().unwrap();
    }
}
