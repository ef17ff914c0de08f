//! What a verifier trusts: logs, certificate authorities, timestamp authorities and certificate logs.
//!
//! Reads Sigstore's trusted root JSON, versions 0.1 and 0.2, strictly: both ends of a validity period belong to it, a
//! missing start is an error and not "since ever", one log id names one log. Parts whose key type this program does
//! not know are listed and never used; they do not spoil the others.
//! <https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto>

mod error;
mod read;
mod wire;

use std::sync::Arc;

use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::checkpoint::{
    Checkpoint, CheckpointError, VerifiedCheckpoint, verify_note, verify_rekor_v1_note,
};
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::{Note, VerifierKey};

use crate::window::Window;
use crate::x509::chain::Authority;
use crate::x509::sct::CtLog;

pub use error::{Part, TrustError};

/// The media type of version 0.1.
pub const MEDIA_TYPE_V01: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
/// The media type of version 0.2.
pub const MEDIA_TYPE_V02: &str = "application/vnd.dev.sigstore.trustedroot.v0.2+json";

/// Everything a verifier trusts.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    digest: Sha256Digest,
    logs: Vec<TrustedLog>,
    certificate_authorities: Vec<TrustedAuthority>,
    timestamp_authorities: Vec<TrustedAuthority>,
    certificate_logs: Vec<CertificateLog>,
    unusable: Vec<UnusablePart>,
    usable: Arc<Usable>,
}

/// The parts of the certificate path, parsed once.
#[derive(Debug, Default)]
pub(crate) struct Usable {
    pub(crate) certificate_authorities: Vec<Authority>,
    pub(crate) timestamp_authorities: Vec<Authority>,
    pub(crate) certificate_logs: Vec<CtLog>,
}

/// A transparency log whose checkpoints are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    /// The first line of the log's checkpoints.
    pub origin: String,
    /// The key that signs them.
    pub key: VerifierKey,
    /// The id by which entries name the log.
    pub log_id: Hash,
    /// When the log was in use.
    pub valid_for: Window,
    /// Who runs it, where that is said. Two logs of one operator count once.
    pub operator: Option<String>,
}

/// A certificate or timestamp authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedAuthority {
    /// The authority's address; never fetched.
    pub uri: String,
    /// The certificates, issuer nearest first, trust anchor last, DER.
    pub certificates: Vec<Vec<u8>>,
    /// When the authority was in use.
    pub valid_for: Window,
    /// Who runs it, where that is said.
    pub operator: Option<String>,
}

/// A certificate transparency log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateLog {
    /// SHA-256 of the key.
    pub log_id: Hash,
    /// The protobuf name of the key's algorithm.
    pub key_details: String,
    /// The key, DER `SubjectPublicKeyInfo`.
    pub spki_der: Vec<u8>,
    /// When the log was in use.
    pub valid_for: Window,
    /// Who runs it, where that is said.
    pub operator: Option<String>,
}

/// A part of a trusted root that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusablePart {
    /// Which part.
    pub part: Part,
    /// The value that is not supported, such as a key type.
    pub unsupported: String,
}

impl TrustedLog {
    /// Verifies that a note is a checkpoint of this log: of its one tree, or, as Rekor v1 has it, of any of its trees,
    /// whose origins have a form of their own.
    pub fn verify_checkpoint(&self, note: &[u8]) -> Result<VerifiedCheckpoint, CheckpointError> {
        let claimed = Checkpoint::parse(Note::parse(note)?.text())?;
        match claimed.rekor_v1_origin() {
            Some(_) if claimed.origin != self.origin => verify_rekor_v1_note(note, &self.key),
            _ => verify_note(note, &self.origin, &self.key),
        }
    }
}

impl TrustedRoot {
    /// Parses the JSON of a trusted root.
    pub fn parse(json: &[u8]) -> Result<Self, TrustError> {
        read::parse(json)
    }

    /// Builds a root from logs alone; its digest covers what makes them up.
    pub fn from_logs(logs: Vec<TrustedLog>) -> Result<Self, TrustError> {
        read::refuse_duplicates(&logs)?;
        let described: Vec<String> = logs
            .iter()
            .map(|log| {
                let operator = log.operator.as_deref().unwrap_or_default();
                format!(
                    "{}\n{}\n{}\n{}\n{operator}\n\n",
                    log.origin, log.key, log.log_id, log.valid_for
                )
            })
            .collect();
        Ok(TrustedRoot {
            digest: Sha256Digest::of(described.concat().as_bytes()),
            logs,
            certificate_authorities: Vec::new(),
            timestamp_authorities: Vec::new(),
            certificate_logs: Vec::new(),
            unusable: Vec::new(),
            usable: Arc::default(),
        })
    }

    /// Returns the same root, its logs run by `operator` where it does not say by whom. For instances of which the caller
    /// knows it: files of the first version of the format do not say.
    pub fn with_log_operator(mut self, operator: &str) -> Self {
        for log in &mut self.logs {
            log.operator.get_or_insert_with(|| operator.to_owned());
        }
        self
    }

    /// Returns the digest by which verdicts name this root: of the file, or of the parts it was built from.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Returns the transparency logs.
    pub fn logs(&self) -> &[TrustedLog] {
        &self.logs
    }

    /// Returns the log that entries name by this id.
    pub fn log(&self, log_id: &Hash) -> Option<&TrustedLog> {
        self.logs.iter().find(|log| log.log_id == *log_id)
    }

    /// Returns the certificate authorities.
    pub fn certificate_authorities(&self) -> &[TrustedAuthority] {
        &self.certificate_authorities
    }

    /// Returns the timestamp authorities.
    pub fn timestamp_authorities(&self) -> &[TrustedAuthority] {
        &self.timestamp_authorities
    }

    /// Returns the certificate transparency logs.
    pub fn certificate_logs(&self) -> &[CertificateLog] {
        &self.certificate_logs
    }

    pub(crate) fn usable(&self) -> &Usable {
        &self.usable
    }

    /// Returns the parts that are not used because their keys or certificates are not
    /// supported.
    pub fn unusable(&self) -> &[UnusablePart] {
        &self.unusable
    }
}
