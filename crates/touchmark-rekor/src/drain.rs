//! Finishing what waits in a spool: to the logs in parallel, then to where it is stored, one by one.
//!
//! An entry is worked on by whoever holds its lock, so that two processes never publish it twice at once. A log that
//! has failed for one entry as often as it may is not asked for the others of the same run.

mod error;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use touchmark_http::Deadline;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::evidence::EvidenceId;

use crate::backoff::Backoff;
use crate::error::PublishError;
use crate::publisher::Publisher;
use crate::spool::{Entry, KeepError, LogAddress, Spool, SpoolError, Take, Taken};

pub use error::DrainError;

/// Finds the publisher for a log.
pub type Connect<'a> = dyn Fn(&LogAddress) -> Result<Arc<dyn Publisher>, PublishError> + Sync + 'a;

/// All that a run needs.
pub struct Drain<'a> {
    /// The publisher of each log.
    pub connect: &'a Connect<'a>,
    /// How long to wait before a log is asked again.
    pub backoff: Backoff,
    /// A number from 0 to 1, another one each time.
    pub jitter: &'a (dyn Fn() -> f64 + Sync),
    /// How many entries are published at a time.
    pub parallel: NonZeroUsize,
    /// When the run ends; what is not done then waits on.
    pub deadline: Deadline,
    /// The time, for certificates.
    pub now: Timestamp,
}

impl std::fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drain")
            .field("backoff", &self.backoff)
            .field("parallel", &self.parallel)
            .finish_non_exhaustive()
    }
}

/// What became of one entry.
#[derive(Debug)]
pub enum Settled<T, E> {
    /// It is logged and stored, and out of the spool.
    Finished(T),
    /// It is logged, but not stored; it waits on.
    Undelivered(E),
    /// It is not logged everywhere; it waits on.
    Waiting(DrainError),
    /// Another process is at it.
    Busy,
    /// Another process has finished it.
    Gone,
}

/// Logs that failed in this run, with the codes.
#[derive(Debug, Default)]
struct Down(Mutex<HashMap<LogAddress, &'static str>>);

impl Down {
    fn locked(&self) -> MutexGuard<'_, HashMap<LogAddress, &'static str>> {
        // A table of codes is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drain<'_> {
    /// Publishes and delivers these entries. `deliver` is called on this thread, for one entry at a time; an entry
    /// leaves the spool when it returns well.
    pub fn run<T, E>(
        &self,
        spool: &Spool,
        ids: Vec<EvidenceId>,
        mut deliver: impl FnMut(&Taken<'_>) -> Result<T, E>,
    ) -> Vec<(EvidenceId, Settled<T, E>)> {
        let workers = self.parallel.get().min(ids.len());
        let queue = Mutex::new(VecDeque::from(ids));
        let down = Down::default();
        let (sender, receiver) = sync_channel(self.parallel.get());
        let mut settled = Vec::new();
        std::thread::scope(|scope| {
            for _ in 0..workers {
                let (sender, queue, down) = (sender.clone(), &queue, &down);
                scope.spawn(move || self.work(spool, queue, down, &sender));
            }
            drop(sender);
            for (id, published) in receiver {
                let outcome = match published {
                    Published::Logged(taken) => match deliver(&taken) {
                        Ok(done) => match taken.complete() {
                            Ok(()) => Settled::Finished(done),
                            Err(error) => Settled::Waiting(error.into()),
                        },
                        Err(error) => Settled::Undelivered(error),
                    },
                    Published::Failed(error) => Settled::Waiting(error),
                    Published::Busy => Settled::Busy,
                    Published::Gone => Settled::Gone,
                };
                settled.push((id, outcome));
            }
        });
        settled
    }

    /// Publishes one entry to every log that has not answered yet. What is reached is kept, whatever fails after.
    pub fn publish(&self, taken: &mut Taken<'_>) -> Result<(), DrainError> {
        self.publish_to_all(taken, &Down::default())
    }

    fn work<'s>(
        &self,
        spool: &'s Spool,
        queue: &Mutex<VecDeque<EvidenceId>>,
        down: &Down,
        sender: &SyncSender<(EvidenceId, Published<'s>)>,
    ) {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(id) = next else { return };
            let published = match spool.take(&id) {
                Ok(Take::Taken(mut taken)) => match self.publish_to_all(&mut taken, down) {
                    Ok(()) => Published::Logged(taken),
                    Err(error) => Published::Failed(error),
                },
                Ok(Take::Busy) => Published::Busy,
                Ok(Take::Gone) => Published::Gone,
                Err(error) => Published::Failed(error.into()),
            };
            if sender.send((id, published)).is_err() {
                return;
            }
        }
    }

    fn publish_to_all(&self, taken: &mut Taken<'_>, down: &Down) -> Result<(), DrainError> {
        let mut first = None;
        for target in 0..taken.entry().targets.len() {
            if let Err(error) = self.publish_to(taken, target, down) {
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn publish_to(&self, taken: &mut Taken<'_>, target: usize, down: &Down) -> Result<(), DrainError> {
        let asked = taken.entry().targets[target].clone();
        let log = asked.log;
        let failed = |error| DrainError::Publish {
            log: log.clone(),
            error: Box::new(error),
        };
        let publisher = (self.connect)(&log).map_err(failed)?;
        if let Some(answered_by) = asked.answered_by {
            if publisher.is_answer_of(&answered_by) {
                return Ok(());
            }
            // Of a log that was in use before, and is not trusted now: nobody has seen that answer.
            taken.forget_answer(target);
        }
        self.refuse_lapsed(taken.entry(), &log)?;
        let submission = taken.entry().submission().map_err(failed)?;
        let mut failures = 0;
        let answer = loop {
            if let Some(code) = down.locked().get(&log) {
                return Err(failed(PublishError::Skipped { code }));
            }
            if self.deadline.is_over() {
                return Err(DrainError::OutOfTime { log });
            }
            let error = match publisher.publish(&submission, self.deadline) {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            failures += 1;
            let pause = self
                .backoff
                .pause(failures - 1, (self.jitter)(), error.retry_after());
            let is_last = failures >= self.backoff.attempts || pause >= self.deadline.remaining();
            if !error.is_worth_retrying() || is_last {
                if error.is_about_log() {
                    down.locked().insert(log.clone(), error.code());
                }
                return Err(failed(error));
            }
            std::thread::sleep(pause);
        };
        if let Some(keyless) = &taken.entry().keyless
            && taken.entry().was_logged_too_late(&log, &answer)
        {
            return Err(DrainError::Lapsed {
                id: taken.id(),
                expired_at: keyless.expires_at,
            });
        }
        taken.keep_answer(target, answer).map_err(|error| match error {
            KeepError::Spool(error) => DrainError::Spool(error),
            KeepError::Publish(error) => failed(error),
        })
    }

    /// A certificate that has lapsed is no hindrance where a timestamp stands for its time and the log gives none.
    fn refuse_lapsed(&self, entry: &Entry, log: &LogAddress) -> Result<(), DrainError> {
        match &entry.keyless {
            Some(keyless) if entry.has_lapsed_for(log, self.now) => Err(DrainError::Lapsed {
                id: entry.evidence_id(),
                expired_at: keyless.expires_at,
            }),
            _ => Ok(()),
        }
    }
}

/// How far a worker has come.
enum Published<'a> {
    Logged(Box<Taken<'a>>),
    Failed(DrainError),
    Busy,
    Gone,
}

impl From<SpoolError> for DrainError {
    fn from(error: SpoolError) -> Self {
        DrainError::Spool(error)
    }
}
