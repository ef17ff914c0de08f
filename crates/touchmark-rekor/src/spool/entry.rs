//! One entry of the spool: an envelope, its key or certificate, where it is to be logged and stored, and the answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use touchmark_sign::attestation::SignedEnvelope;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::LogEntry;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::evidence::{EvidenceId, SignerId};
use touchmark_verify::issued::IssuedCertificate;
use touchmark_verify::limits::MAX_TLOG_ENTRIES;

use super::target::Target;
use crate::error::PublishError;
use crate::submission::{LogSubmission, Signatory};

/// Most logs that one entry is meant for: as many as a bundle holds entries.
pub const MAX_TARGETS: usize = MAX_TLOG_ENTRIES;

/// An attestation that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What was signed.
    pub signed: SignedEnvelope,
    /// The certificate of the key, where it was made for this one signature.
    pub keyless: Option<Keyless>,
    /// The logs it is meant for; none where it is to be stored unlogged.
    pub targets: Vec<Target>,
    /// Where the bundle is to be stored.
    pub destinations: Vec<Destination>,
    /// The bundle with the answers so far, once there is one.
    pub bundle: Option<Bundle>,
    /// When the entry was put in.
    pub queued_at: Timestamp,
}

/// What stands for a key that was made for one signature and is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyless {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Whom it names.
    pub signer: SignerId,
    /// RFC 3161 timestamps over the signature, DER; taken while the certificate was valid.
    pub timestamps: Vec<Vec<u8>>,
    /// The last moment of the certificate.
    pub expires_at: Timestamp,
}

impl Keyless {
    /// Takes what an entry needs out of a certificate; `None` where it has no end.
    pub fn new(certificate: &IssuedCertificate, timestamps: Vec<Vec<u8>>) -> Option<Self> {
        Some(Keyless {
            certificate: certificate.der().to_vec(),
            signer: SignerId::of_identity(certificate.identity()),
            timestamps,
            expires_at: certificate.window().end?,
        })
    }
}

/// A place where a bundle is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Evidence refs of a repository on this machine.
    Refs {
        /// The repository.
        repository: PathBuf,
        /// Under which commits and trees.
        places: Vec<EvidencePlace>,
    },
    /// A file.
    File {
        /// The file.
        path: PathBuf,
    },
}

/// A commit or tree under which evidence is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidencePlace {
    /// Under a commit.
    Commit(GitCommitId),
    /// Under a tree.
    Tree(GitTreeId),
}

impl Entry {
    /// Returns the name of the evidence: the payload, and the key or the identity that signed it.
    pub fn evidence_id(&self) -> EvidenceId {
        match &self.keyless {
            Some(keyless) => EvidenceId {
                payload: self.signed.payload_digest(),
                signer: keyless.signer,
            },
            None => self.signed.evidence_id(),
        }
    }

    /// Returns what is sent to a log.
    pub fn submission(&self) -> Result<LogSubmission, PublishError> {
        let key = self.signed.public_key().clone();
        let signatory = match &self.keyless {
            Some(keyless) => Signatory::certificate(keyless.certificate.clone(), key),
            None => Signatory::key(key),
        };
        LogSubmission::of_envelope(self.signed.envelope(), signatory)
    }

    /// Returns the bundle with these answers of logs.
    pub fn bundle_with(&self, tlog_entries: Vec<LogEntry>) -> Bundle {
        let mut bundle = self.signed.unlogged_bundle();
        if let Some(keyless) = &self.keyless {
            bundle.material = VerificationMaterial::Certificate(keyless.certificate.clone());
            bundle.timestamps.clone_from(&keyless.timestamps);
        }
        bundle.tlog_entries = tlog_entries;
        bundle
    }

    /// Tells whether a bundle is this entry's, whatever answers it holds.
    pub fn is_in(&self, bundle: &Bundle) -> bool {
        self.bundle_with(bundle.tlog_entries.clone()) == *bundle
    }

    /// Returns the targets that have not answered.
    pub fn unanswered(&self) -> impl Iterator<Item = (usize, &Target)> {
        self.targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.answered_by.is_none())
    }

    /// Takes an answer in: of this target, and in the bundle in the order of the targets.
    pub(super) fn answer(&mut self, target: usize, answer: LogEntry) -> Result<(), PublishError> {
        let others = self
            .targets
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != target);
        if others
            .into_iter()
            .any(|(_, other)| other.answered_by == Some(answer.log_id))
        {
            return Err(PublishError::SameLogTwice {
                log_id: answer.log_id,
            });
        }
        let Some(answered) = self.targets.get_mut(target) else {
            return Ok(());
        };
        answered.answered_by = Some(answer.log_id);
        let mut found = self
            .bundle
            .take()
            .map(|bundle| bundle.tlog_entries)
            .unwrap_or_default();
        found.push(answer);
        let entries = self.targets.iter().filter_map(|target| {
            // The newest answer of a log stands.
            found
                .iter()
                .rev()
                .find(|entry| Some(entry.log_id) == target.answered_by)
        });
        self.bundle = Some(self.bundle_with(entries.cloned().collect()));
        Ok(())
    }

    /// Forgets the answer of a target, such as that of an embedded log that is gone.
    pub(super) fn forget(&mut self, target: usize) {
        let Some(log_id) = self
            .targets
            .get_mut(target)
            .and_then(|target| target.answered_by.take())
        else {
            return;
        };
        let entries = self
            .bundle
            .take()
            .map(|bundle| bundle.tlog_entries)
            .unwrap_or_default();
        let left: Vec<LogEntry> = entries
            .into_iter()
            .filter(|entry| entry.log_id != log_id)
            .collect();
        self.bundle = (!left.is_empty()).then(|| self.bundle_with(left));
    }

    /// Puts these targets in the place of those that have not answered.
    pub(super) fn redirect(&mut self, replaced: Vec<Target>) {
        self.targets.retain(|target| target.answered_by.is_some());
        for target in replaced {
            if self.targets.iter().all(|mine| mine.log != target.log) && self.targets.len() < MAX_TARGETS {
                self.targets.push(Target::new(target.log));
            }
        }
    }

    pub(super) fn unite(&mut self, other: &Entry) {
        for destination in &other.destinations {
            if !self.destinations.contains(destination) {
                self.destinations.push(destination.clone());
            }
        }
        if self.is_replaced_by(other) {
            self.signed = other.signed.clone();
            self.keyless.clone_from(&other.keyless);
        }
        for target in &other.targets {
            if self.targets.iter().all(|mine| mine.log != target.log) && self.targets.len() < MAX_TARGETS {
                self.targets.push(Target::new(target.log.clone()));
            }
        }
        if self.bundle.is_none()
            && let Some(bundle) = other.bundle.as_ref().filter(|bundle| self.is_in(bundle))
        {
            self.bundle = Some(bundle.clone());
            self.targets.clone_from(&other.targets);
        }
    }

    /// The same statement by the same identity, signed again under a newer certificate, before any log has answered.
    fn is_replaced_by(&self, other: &Entry) -> bool {
        match (&self.keyless, &other.keyless) {
            (Some(mine), Some(theirs)) => self.bundle.is_none() && theirs.expires_at > mine.expires_at,
            _ => false,
        }
    }
}
