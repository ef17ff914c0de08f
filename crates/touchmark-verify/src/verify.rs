//! From a bundle to a verified statement, in seven steps whose order the types enforce.
//!
//! Each step has its file, its errors and their codes, and takes what the step before it made; nothing but that step
//! can make it. A pure function of bundle, expected keys, trusted root and time.

mod envelope;
mod error;
mod identity;
mod log;
mod memory;
mod options;
mod promise;
mod signer;
mod statement;
mod structure;
mod time;

use crate::bundle::Bundle;
use crate::expected::ExpectedSigners;
use crate::trust::TrustedRoot;
use crate::verified::VerifiedStatement;

pub use envelope::EnvelopeError;
pub use error::VerifyError;
pub use log::LogError;
pub use options::{LogRequirement, SctRequirement, VerifyOptions};
pub use promise::PromiseError;
pub use signer::SignerError;
pub use statement::ContentError;
pub use structure::StructureError;
pub use time::TimeError;

/// Verifies one bundle. For many, let one [`Verifier`] remember what they have in common.
pub fn verify(
    bundle: &Bundle,
    expected: &ExpectedSigners,
    root: &TrustedRoot,
    options: &VerifyOptions,
) -> Result<VerifiedStatement, VerifyError> {
    Verifier::new(root, options).verify(bundle, expected)
}

/// Verifies bundles against one trusted root, and remembers equal checkpoints and keys that it has verified.
///
/// What is remembered is bounded and only ever what was proven, so the answer to a bundle never depends on the
/// bundles before it.
#[derive(Debug)]
pub struct Verifier<'r> {
    root: &'r TrustedRoot,
    options: &'r VerifyOptions,
    memory: memory::Memory,
}

impl<'r> Verifier<'r> {
    /// Returns a verifier that remembers nothing yet.
    pub fn new(root: &'r TrustedRoot, options: &'r VerifyOptions) -> Self {
        Self {
            root,
            options,
            memory: memory::Memory::default(),
        }
    }

    /// Verifies one bundle.
    pub fn verify(
        &self,
        bundle: &Bundle,
        expected: &ExpectedSigners,
    ) -> Result<VerifiedStatement, VerifyError> {
        let shape = structure::examine(bundle)?; // 1
        let times = time::establish(&shape)?; // 2
        let signer = signer::authenticate(&shape, &times, expected, &self.memory)?; // 3
        let identity = identity::read(&signer); // 4
        let opened = envelope::open(&shape, &signer)?; // 5
        let logged = log::locate(&opened, &times, self.root, self.options, &self.memory)?; // 6
        let content = statement::read(&opened)?; // 7
        let checks = [
            shape.checks(),
            times.checks(),
            signer.checks(),
            opened.checks(),
            logged.checks(),
        ]
        .concat();
        Ok(content.into_verified(identity, logged.into_findings(), times.into_verified(), checks))
    }
}
