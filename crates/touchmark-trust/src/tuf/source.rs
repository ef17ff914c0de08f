//! The library's view of a repository: files by name, from the network or from the cache.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sigstore_tuf::Repository;
use sigstore_tuf::transport::FetchFuture;
use touchmark_http::{HttpError, Url};

use super::cache::Store;
use super::error::TufError;
use super::inspect;
use super::target::TargetPath;
use super::transport::Transport;

/// Where files come from.
pub(super) enum Origin {
    /// A repository at this address.
    Network {
        /// Fetches.
        transport: Arc<dyn Transport>,
        /// The address.
        base: Url,
    },
    /// What an earlier session left.
    Cache(Store),
}

/// A repository as the library sees it. Every answer is there when it is asked for: nothing waits.
pub(super) struct Source {
    pub(super) origin: Origin,
    pub(super) notes: Notes,
}

/// What happened, for the session to tell: the library keeps sentences only.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<NotesInner>);

#[derive(Default)]
struct NotesInner {
    failure: Mutex<Option<TufError>>,
    absent: Mutex<Option<String>>,
    roots: AtomicU32,
}

impl Notes {
    /// Takes the failure that the library was told of, if there was one.
    pub(super) fn take_failure(&self) -> Option<TufError> {
        self.0
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Takes the name of the last file that was not there.
    pub(super) fn take_absent(&self) -> Option<String> {
        self.0
            .absent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Returns how many roots were served.
    pub(super) fn roots(&self) -> u32 {
        self.0.roots.load(Ordering::Relaxed)
    }

    fn fail(&self, name: &str, error: TufError) -> sigstore_tuf::Error {
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        sigstore_tuf::Error::transport(name.to_owned())
    }

    fn found(&self, name: &str, file: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if file.is_none() {
            *self.0.absent.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.to_owned());
        } else if name.ends_with(".root.json") {
            self.0.roots.fetch_add(1, Ordering::Relaxed);
        }
        file
    }
}

impl Source {
    fn metadata(&self, name: &str, max_length: u64) -> Result<Option<Vec<u8>>, TufError> {
        let file = match &self.origin {
            Origin::Network { transport, base } => transport.get(&address(base, "", name)?, max_length)?,
            Origin::Cache(store) => store.file(name),
        };
        if let Some(bytes) = &file {
            refuse_large(name, bytes, max_length)?;
            inspect::metadata(name, bytes)?;
        }
        Ok(file)
    }

    fn target(&self, path: &str, max_length: u64) -> Result<Option<Vec<u8>>, TufError> {
        // The name is that of a target that was asked for, but the digest before it is the repository's.
        path.parse::<TargetPath>()?;
        let file = match &self.origin {
            Origin::Network { transport, base } => {
                transport.get(&address(base, "targets/", path)?, max_length)?
            }
            Origin::Cache(store) => store.file(&format!("targets/{path}")),
        };
        if let Some(bytes) = &file {
            refuse_large(path, bytes, max_length)?;
        }
        Ok(file)
    }
}

impl Repository for Source {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let answer = match self.metadata(name, max_length) {
            Ok(file) => Ok(self.notes.found(name, file)),
            Err(error) => Err(self.notes.fail(name, error)),
        };
        Box::pin(std::future::ready(answer))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        let answer = match self.target(path, max_length) {
            Ok(file) => Ok(self.notes.found(path, file)),
            Err(error) => Err(self.notes.fail(path, error)),
        };
        Box::pin(std::future::ready(answer))
    }
}

/// Returns the address of a file below the repository's; one that would lie elsewhere is none.
fn address(base: &Url, folder: &str, name: &str) -> Result<Url, HttpError> {
    let whole = base.as_str().trim_end_matches('/');
    let url: Url = format!("{whole}/{folder}{name}").parse()?;
    let below = url
        .as_str()
        .strip_prefix(whole)
        .is_some_and(|rest| rest == format!("/{folder}{name}"));
    if below && url.has_origin_of(base) {
        Ok(url)
    } else {
        Err(HttpError::Url)
    }
}

fn refuse_large(name: &str, bytes: &[u8], max: u64) -> Result<(), TufError> {
    if bytes.len() as u64 > max {
        return Err(TufError::TooLarge {
            name: name.to_owned(),
            max,
        });
    }
    Ok(())
}
