//! What verification proves, and of what it is proof.
//!
//! A [`VerifiedStatement`] can only be built by [`verify`](mod@crate::verify). It says which checks were made, which
//! were not, and why.

use std::borrow::Cow;
use std::fmt;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::statement::{SignedStatement, Statement};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::merkle::Hash;

use crate::evidence::{EvidenceId, SignerId};
use crate::identity::CertificateIdentity;
use crate::key::KeyFingerprint;
use crate::witness::Cosigned;

/// A statement with the proof that its signer signed exactly these bytes.
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    signed: SignedStatement,
    payload_digest: Sha256Digest,
    signer: SignerIdentity,
    logs: Vec<LogFinding>,
    times: Vec<VerifiedTime>,
    checks: Vec<Check>,
}

impl VerifiedStatement {
    pub(crate) fn new(
        signed: SignedStatement,
        payload_digest: Sha256Digest,
        signer: SignerIdentity,
        logs: Vec<LogFinding>,
        times: Vec<VerifiedTime>,
        checks: Vec<Check>,
    ) -> Self {
        Self {
            signed,
            payload_digest,
            signer,
            logs,
            times,
            checks,
        }
    }

    /// Returns what the signed bytes say.
    pub fn statement(&self) -> &Statement {
        self.signed.statement()
    }

    /// Returns the signed bytes and what they say.
    pub fn signed(&self) -> &SignedStatement {
        &self.signed
    }

    /// Returns the SHA-256 of the signed bytes.
    pub fn payload_digest(&self) -> Sha256Digest {
        self.payload_digest
    }

    /// Returns who signed.
    pub fn signer(&self) -> &SignerIdentity {
        &self.signer
    }

    /// Returns the identity of this piece of evidence.
    pub fn evidence_id(&self) -> EvidenceId {
        EvidenceId {
            payload: self.payload_digest,
            signer: self.signer.id(),
        }
    }

    /// Returns the log entry that was proven, the first where there are several; `None` if it was not logged.
    pub fn log(&self) -> Option<&LogFinding> {
        self.logs.first()
    }

    /// Returns the log entries that were proven, at most one a log.
    pub fn logs(&self) -> &[LogFinding] {
        &self.logs
    }

    /// Returns the times that an authority of the trusted root signed. Each is an upper bound on when the signature
    /// was made, nothing more.
    pub fn verified_times(&self) -> &[VerifiedTime] {
        &self.times
    }

    /// Returns what was checked, and what was not and why.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// A message with the proof that its signer signed it.
#[derive(Debug, Clone)]
pub struct VerifiedMessage {
    signer: SignerIdentity,
    logs: Vec<LogFinding>,
    times: Vec<VerifiedTime>,
    checks: Vec<Check>,
}

impl VerifiedMessage {
    pub(crate) fn new(
        signer: SignerIdentity,
        logs: Vec<LogFinding>,
        times: Vec<VerifiedTime>,
        checks: Vec<Check>,
    ) -> Self {
        Self {
            signer,
            logs,
            times,
            checks,
        }
    }

    /// Returns who signed.
    pub fn signer(&self) -> &SignerIdentity {
        &self.signer
    }

    /// Returns the log entries that were proven, at most one a log.
    pub fn logs(&self) -> &[LogFinding] {
        &self.logs
    }

    /// Returns the times that an authority of the trusted root signed. Each is an upper bound on when the signature
    /// was made, nothing more.
    pub fn verified_times(&self) -> &[VerifiedTime] {
        &self.times
    }

    /// Returns what was checked, and what was not and why.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// Who signed, as far as the verification material proves it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignerIdentity {
    /// Whoever holds the key with this fingerprint.
    Key(KeyFingerprint),
    /// Whoever a certificate authority of the trusted root certified.
    Certificate(Box<CertificateIdentity>),
}

impl SignerIdentity {
    /// Returns the signer's part of an evidence id.
    pub fn id(&self) -> SignerId {
        match self {
            Self::Key(fingerprint) => SignerId::of_key(fingerprint),
            Self::Certificate(identity) => SignerId::of_identity(identity),
        }
    }

    /// Returns the fingerprint of a signing key that stands for itself; `None` for a certificate's.
    pub fn key(&self) -> Option<&KeyFingerprint> {
        match self {
            Self::Key(fingerprint) => Some(fingerprint),
            Self::Certificate(_) => None,
        }
    }

    /// Returns the identity in a signing certificate; `None` for a key that stands for itself.
    pub fn certificate(&self) -> Option<&CertificateIdentity> {
        match self {
            Self::Key(_) => None,
            Self::Certificate(identity) => Some(identity),
        }
    }
}

impl fmt::Display for SignerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(fingerprint) => write!(f, "key {fingerprint}"),
            Self::Certificate(identity) => write!(f, "{identity}"),
        }
    }
}

/// A log entry that was proven to be about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFinding {
    /// The origin of the log.
    pub origin: String,
    /// The id of the log.
    pub log_id: Hash,
    /// The position of the entry.
    pub index: u64,
    /// Who runs the log, as the trusted root says.
    pub operator: Option<String>,
    /// The checkpoint that the entry was proven against; `None` where the caller allowed that the log only promised
    /// to include it.
    pub checkpoint: Option<VerifiedCheckpoint>,
    /// The witnesses of the caller's policy that cosigned the checkpoint.
    pub cosigned: Vec<Cosigned>,
    /// Whether the entry counts: false where the quorum of witnesses that was asked for has not cosigned.
    pub counts: bool,
}

/// A time that an authority of the trusted root signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedTime {
    /// The signature existed at this time.
    pub not_after: Timestamp,
    /// Which authority says so.
    pub source: TimeSource,
}

/// An authority for time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeSource {
    /// An RFC 3161 timestamp authority.
    TimestampAuthority {
        /// Its address in the trusted root.
        uri: String,
    },
    /// The inclusion promise of a Rekor v1 log.
    InclusionPromise {
        /// The id of the log.
        log_id: Hash,
    },
}

/// One check of a statement and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name of the check, stable.
    pub name: &'static str,
    /// How it went.
    pub outcome: CheckOutcome,
}

/// How a check went; a check that fails leaves no [`VerifiedStatement`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It was made and passed.
    Pass,
    /// It was not made.
    Skipped {
        /// Why not.
        reason: Cow<'static, str>,
    },
}

impl Check {
    pub(crate) fn pass(name: &'static str) -> Self {
        Self {
            name,
            outcome: CheckOutcome::Pass,
        }
    }

    pub(crate) fn skipped(name: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name,
            outcome: CheckOutcome::Skipped {
                reason: reason.into(),
            },
        }
    }
}
