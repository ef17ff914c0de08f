//! What bounds a worker. Files of a repository or a session may be anything: a pipe in the place of an object, a disk that
//! does not answer. Where nobody can end the wait, the worker ends: the turn is left for a while, and another worker goes
//! on with the others.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use touchmark_statement::timestamp::Timestamp;

use super::{detached, trouble};
use crate::environment::Environment;
use crate::error::CliError;

/// What is dealt with, and since when.
type AtWork = Arc<Mutex<Option<(String, Instant)>>>;

/// Watches over a worker's process.
#[derive(Debug)]
pub(crate) struct Guard(AtWork);

impl Guard {
    /// Begins to watch. Where no thread can be had, nobody watches.
    pub(crate) fn new(
        capture: &Path,
        environment: &Environment,
        patience: Duration,
        clock: fn() -> Option<Timestamp>,
    ) -> Self {
        let at_work = AtWork::default();
        let (watched, capture, environment) = (Arc::clone(&at_work), capture.to_owned(), environment.clone());
        let watch = move || {
            loop {
                std::thread::sleep(patience.min(Duration::from_secs(2)) / 4);
                let hung = taken(&watched)
                    .as_ref()
                    .filter(|(_, since)| since.elapsed() > patience)
                    .map(|(name, _)| name.clone());
                if let Some(name) = hung {
                    give_up((&capture, &name), &environment, clock);
                }
            }
        };
        let _ = std::thread::Builder::new().spawn(watch);
        Self(at_work)
    }

    /// Does something under a name, which trouble is noted under.
    pub(crate) fn over<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        *taken(&self.0) = Some((name.to_owned(), Instant::now()));
        let done = work();
        *taken(&self.0) = None;
        done
    }
}

fn taken(at_work: &AtWork) -> std::sync::MutexGuard<'_, Option<(String, Instant)>> {
    at_work.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the thread that hangs cannot be ended in another way, and holds the only lock"
)]
fn give_up((capture, name): (&Path, &str), environment: &Environment, clock: fn() -> Option<Timestamp>) -> ! {
    if let Some(at) = clock() {
        let error = CliError::failed(
            "capture.hung",
            "it took longer than any turn should, and was left",
        );
        trouble::note(capture, name, &error, at);
    }
    let _ = detached::start(&["hook", "worker"], environment);
    std::process::exit(0)
}
