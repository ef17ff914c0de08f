//! From a bundle to what was verified, in seven steps whose order the types enforce.
//!
//! Each step has its file, its errors and their codes, and takes what the step before it made; nothing but that step
//! can make it. A pure function of bundle, expected signers, trusted root and options: no clock but the caller's.

mod authority;
mod certificate;
mod envelope;
mod error;
mod identity;
mod log;
mod log_proof;
mod memory;
mod options;
mod promise;
mod signer;
mod statement;
mod structure;
mod time;

use crate::bundle::Bundle;
use crate::expected::ExpectedSigners;
use crate::message::ArtifactDigests;
use crate::trust::TrustedRoot;
use crate::verified::{VerifiedMessage, VerifiedStatement};

use self::structure::Wanted;

pub use crate::timestamp_token::TokenError;
pub use crate::x509::CertificateError;
pub use envelope::EnvelopeError;
pub use error::VerifyError;
pub use identity::IdentityError;
pub use log::LogError;
pub use log_proof::{ProvenEntry, verify_log_proof};
pub use options::{LogRequirement, SctRequirement, VerifyOptions};
pub use promise::PromiseError;
pub use signer::SignerError;
pub use statement::ContentError;
pub use structure::StructureError;
pub use time::TimeError;

/// Verifies one bundle with a statement. For many, let one [`Verifier`] remember what they have in common.
pub fn verify(
    bundle: &Bundle,
    expected: &ExpectedSigners,
    root: &TrustedRoot,
    options: &VerifyOptions,
) -> Result<VerifiedStatement, VerifyError> {
    Verifier::new(root, options).verify(bundle, expected)
}

/// Verifies one bundle with a bare signature over a message, of which the caller brings the bytes or digests.
pub fn verify_message(
    bundle: &Bundle,
    message: &ArtifactDigests,
    expected: &ExpectedSigners,
    root: &TrustedRoot,
    options: &VerifyOptions,
) -> Result<VerifiedMessage, VerifyError> {
    Verifier::new(root, options).verify_message(bundle, message, expected)
}

/// Verifies bundles against one trusted root, and remembers what it has verified and others share: keys, certificates
/// with their chains, the chains of timestamp authorities, checkpoints.
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

    /// Verifies one bundle with a statement.
    pub fn verify(
        &self,
        bundle: &Bundle,
        expected: &ExpectedSigners,
    ) -> Result<VerifiedStatement, VerifyError> {
        let shape = structure::examine(bundle, Wanted::Statement)?; // 1
        let times = time::establish(&shape, self.root, self.options, &self.memory)?; // 2
        let signer = signer::authenticate(&shape, &times, expected, self)?; // 3
        let identity = identity::read(&signer, expected)?; // 4
        let opened = envelope::open(&shape, &signer)?; // 5
        let logged = log::locate(&opened, &times, self.root, self.options, &self.memory)?; // 6
        let content = statement::read(&opened)?; // 7
        let checks = [
            shape.checks(),
            times.checks(),
            signer.checks(),
            identity.checks(),
            opened.checks(),
            logged.checks(),
        ]
        .concat();
        let signer = identity.into_signer();
        Ok(content.into_verified(signer, logged.into_findings(), times.into_verified(), checks))
    }

    /// Verifies one bundle with a bare signature over a message, of which the caller brings the bytes or digests.
    pub fn verify_message(
        &self,
        bundle: &Bundle,
        message: &ArtifactDigests,
        expected: &ExpectedSigners,
    ) -> Result<VerifiedMessage, VerifyError> {
        let shape = structure::examine(bundle, Wanted::Message)?; // 1
        let times = time::establish(&shape, self.root, self.options, &self.memory)?; // 2
        let signer = signer::authenticate(&shape, &times, expected, self)?; // 3
        let identity = identity::read(&signer, expected)?; // 4
        let opened = envelope::open_message(&shape, &signer, message)?; // 5
        let logged = log::locate(&opened, &times, self.root, self.options, &self.memory)?; // 6
        let checks = [
            shape.checks(),
            times.checks(),
            signer.checks(),
            identity.checks(),
            opened.checks(),
            logged.checks(),
        ]
        .concat();
        let signer = identity.into_signer();
        Ok(VerifiedMessage::new(
            signer,
            logged.into_findings(),
            times.into_verified(),
            checks,
        ))
    }
}
