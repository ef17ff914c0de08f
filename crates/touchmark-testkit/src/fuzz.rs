//! The bodies of the fuzz targets: properties that hold for any bytes whatever.
//!
//! Each body is a plain function that panics when its property fails. `tests/fuzz/` runs them under libFuzzer, with
//! coverage as the guide; a test of this crate runs them over `testdata/fuzz/`, where the seeds and every input that
//! once failed are kept. What is asserted, besides that nothing panics: a parser gives one answer to one input; what it
//! accepts, it writes, and reads what it wrote as the same; caps hold; and no input makes verification succeed for a
//! payload that the good keys of [`good`] did not sign.

pub mod good;
pub mod keyless;

mod evidence;
mod junit;
mod log;
mod seeds;
mod session;
mod trust;

pub use evidence::{bundle, dsse, statement};
pub use junit::junit;
pub use keyless::{certificate, timestamp};
pub use log::{checkpoint, entry_v1, entry_v2};
pub use session::session;
pub use trust::{signing_config, trusted_root};

/// One fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: of the binary in `tests/fuzz/`, and of the folder in `testdata/fuzz/`.
    pub name: &'static str,
    /// The longest input that fuzzing tries.
    pub max_len: usize,
    /// What is asserted of every input.
    pub body: fn(&[u8]),
    /// The inputs from which fuzzing begins, each with its name.
    pub seeds: fn() -> Vec<Seed>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// An input from which fuzzing begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The name of its file.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
        }
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("bundle", 16 * 1024, bundle, seeds::bundle),
    target("dsse", 8 * 1024, dsse, seeds::dsse),
    target("certificate", 4 * 1024, certificate, seeds::certificate),
    target("statement", 16 * 1024, statement, seeds::statement),
    target("checkpoint", 4 * 1024, checkpoint, seeds::checkpoint),
    target("entry_v1", 8 * 1024, entry_v1, seeds::entry_v1),
    target("entry_v2", 8 * 1024, entry_v2, seeds::entry_v2),
    target("junit", 16 * 1024, junit, junit::seeds),
    target("session", 16 * 1024, session, session::seeds),
    target("signing_config", 8 * 1024, signing_config, seeds::signing_config),
    target("timestamp", 4 * 1024, timestamp, seeds::timestamp),
    target("trusted_root", 16 * 1024, trusted_root, seeds::trusted_root),
];

const fn target(name: &'static str, max_len: usize, body: fn(&[u8]), seeds: fn() -> Vec<Seed>) -> Target {
    Target {
        name,
        max_len,
        body,
        seeds,
    }
}
