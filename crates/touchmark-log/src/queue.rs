//! Group commit: threads that add at the same time share one batch.
//!
//! Whoever finds nobody committing commits for all who wait; the others sleep until their answer is there. While a
//! batch is being synced, the next one gathers; its committer gives those who were just answered a moment to come
//! back, a small part of what syncing takes.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::accept::AcceptedEntry;
use crate::error::{AddError, LogError};
use crate::writer::{Outcome, Writer};

/// The most entries in a batch, which bounds its memory.
const MAX_BATCH_ENTRIES: usize = 1024;
/// The most bytes of entries in a batch.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The longest that a committer waits for others, and the part of the last commit's time that it waits at most.
const MAX_GATHERING: Duration = Duration::from_millis(5);
const GATHERING_PART: u32 = 8;

/// The entries that wait, and the answers that wait to be fetched.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    answered: Condvar,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    next_ticket: u64,
    entries: Vec<(u64, AcceptedEntry)>,
    answers: HashMap<u64, Result<Outcome, AddError>>,
    /// The writer, unless a thread is committing with it.
    writer: Idle,
    /// How many entries the last batch had, and how long it took.
    last_entries: usize,
    last_time: Duration,
}

#[derive(Debug)]
enum Idle {
    Here(Box<Writer>),
    Committing,
}

impl Default for Idle {
    fn default() -> Self {
        Self::Here(Box::default())
    }
}

impl Queue {
    /// Adds an entry to the next batch and waits for what becomes of it. `commit` writes a batch.
    pub(crate) fn add(
        &self,
        entry: AcceptedEntry,
        commit: impl Fn(&mut Writer, &[AcceptedEntry]) -> Result<Vec<Outcome>, LogError>,
    ) -> Result<Outcome, AddError> {
        let mut waiting = self.lock();
        let ticket = waiting.next_ticket;
        waiting.next_ticket += 1;
        waiting.entries.push((ticket, entry));
        self.arrived.notify_one();
        loop {
            if let Some(answer) = waiting.answers.remove(&ticket) {
                return answer;
            }
            match std::mem::replace(&mut waiting.writer, Idle::Committing) {
                Idle::Committing => {
                    waiting = self
                        .answered
                        .wait(waiting)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Idle::Here(writer) => {
                    waiting = self.gather(waiting);
                    let (tickets, batch) = waiting.take_batch();
                    drop(waiting);
                    let turn = Turn {
                        queue: self,
                        tickets,
                        writer,
                        start: Instant::now(),
                        result: Err(Arc::new(LogError::Interrupted)),
                    };
                    turn.run(&batch, &commit);
                    waiting = self.lock();
                }
            }
        }
    }

    /// Waits until as many entries are there as the last batch had, for a short time. Who is alone never waits.
    fn gather<'a>(&self, mut waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        let patience = (waiting.last_time / GATHERING_PART).min(MAX_GATHERING);
        let start = Instant::now();
        while waiting.entries.len() < waiting.last_entries {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            waiting = self
                .arrived
                .wait_timeout(waiting, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A thread that panicked while it held the lock left the queue whole: nothing is changed in two steps.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take_batch(&mut self) -> (Vec<u64>, Vec<AcceptedEntry>) {
        let mut bytes = 0;
        let mut count = 0;
        for (_, entry) in self.entries.iter().take(MAX_BATCH_ENTRIES) {
            bytes += entry.body().len();
            if count > 0 && bytes > MAX_BATCH_BYTES {
                break;
            }
            count += 1;
        }
        self.entries.drain(..count).unzip()
    }
}

/// One thread's turn at committing. Ending it, by whatever way, answers everybody in the batch.
struct Turn<'a> {
    queue: &'a Queue,
    tickets: Vec<u64>,
    writer: Box<Writer>,
    start: Instant,
    result: Result<Vec<Outcome>, Arc<LogError>>,
}

impl Turn<'_> {
    fn run(
        mut self,
        batch: &[AcceptedEntry],
        commit: &impl Fn(&mut Writer, &[AcceptedEntry]) -> Result<Vec<Outcome>, LogError>,
    ) {
        self.result = commit(&mut self.writer, batch).map_err(Arc::new);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        (waiting.last_entries, waiting.last_time) = (self.tickets.len(), self.start.elapsed());
        let mut outcomes = match &mut self.result {
            Ok(outcomes) => std::mem::take(outcomes).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(AddError::Failed(error.clone())); self.tickets.len()],
        };
        let missing = || Err(AddError::from(LogError::Interrupted));
        outcomes.resize_with(self.tickets.len(), missing);
        waiting.answers.extend(self.tickets.drain(..).zip(outcomes));
        waiting.writer = Idle::Here(std::mem::take(&mut self.writer));
        drop(waiting);
        self.queue.answered.notify_all();
    }
}
