//! One entry of the spool: an envelope, its key or certificate, where it is to be logged and stored, and the answers.
//!
//! An entry for one log, signed with a managed key, is written as version 1; everything else as version 2. Both are
//! read.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use touchmark_sign::attestation::SignedEnvelope;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::LogEntry;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::envelope::Envelope;
use touchmark_verify::evidence::{EvidenceId, SignerId};
use touchmark_verify::issued::IssuedCertificate;
use touchmark_verify::key::PublicKey;
use touchmark_verify::limits::{MAX_TIMESTAMPS, MAX_TLOG_ENTRIES};

use super::target::{LogAddress, Target, WireTarget};
use super::{MAX_ENTRY_BYTES, SpoolError};
use crate::error::PublishError;
use crate::submission::{LogSubmission, Signatory};

/// One log, a managed key.
const VERSION_1: u64 = 1;
/// Several logs, services, certificates.
const VERSION_2: u64 = 2;
const MAX_DESTINATIONS: usize = 1024;
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

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    version: u64,
    queued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logs: Option<Vec<WireTarget>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyless: Option<WireKeyless>,
    destinations: Vec<WireDestination>,
    public_key: String,
    payload_type: String,
    keyid: String,
    payload: String,
    signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamps: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireKeyless {
    certificate: String,
    timestamps: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WireDestination {
    Refs {
        repository: String,
        places: Vec<EvidencePlace>,
    },
    File {
        path: String,
    },
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

    /// The one embedded log of an entry that version 1 can hold.
    fn simple_log(&self) -> Option<Option<String>> {
        if !self.signed.timestamps().is_empty() {
            return None;
        }
        match (self.targets.as_slice(), &self.keyless) {
            ([], None) => Some(None),
            (
                [
                    Target {
                        log: LogAddress::Embedded(name),
                        ..
                    },
                ],
                None,
            ) => Some(Some(name.clone())),
            _ => None,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let envelope = self.signed.envelope();
        let simple = self.simple_log();
        let wire = Wire {
            version: if simple.is_some() { VERSION_1 } else { VERSION_2 },
            queued_at: self.queued_at,
            logs: match simple {
                Some(_) => None,
                None => Some(self.targets.iter().map(WireTarget::from).collect()),
            },
            log: simple.flatten(),
            keyless: self.keyless.as_ref().map(encode_keyless),
            destinations: self.destinations.iter().map(encode_destination).collect(),
            public_key: STANDARD.encode(self.signed.public_key().spki_der()),
            payload_type: envelope.payload_type.clone(),
            keyid: envelope.keyid.clone(),
            payload: STANDARD.encode(&envelope.payload),
            signature: STANDARD.encode(&envelope.signature),
            timestamps: match self.signed.timestamps() {
                [] => None,
                stamps => Some(stamps.iter().map(|der| STANDARD.encode(der)).collect()),
            },
            bundle: self
                .bundle
                .as_ref()
                .map(|bundle| STANDARD.encode(bundle.encode())),
        };
        serde_json::to_vec(&wire).expect("an entry consists of text and lists")
    }

    pub(super) fn parse(id: &EvidenceId, json: &[u8]) -> Result<Self, SpoolError> {
        let bad = |field| SpoolError::Field { id: *id, field };
        let max_bytes = usize::try_from(MAX_ENTRY_BYTES).map_err(|_| bad("size"))?;
        let rules = Rules {
            max_bytes,
            max_depth: 8,
            numbers: Numbers::ExactIntegers,
        };
        let wire: Wire = strict_json::from_slice(json, &rules).map_err(|source| SpoolError::Json {
            id: *id,
            source: Box::new(source),
        })?;
        let signed = parse_signed(id, &wire)?;
        let keyless = match wire.keyless {
            Some(keyless) => Some(parse_keyless(id, &keyless, signed.public_key())?),
            None => None,
        };
        let targets = match (wire.version, wire.log, wire.logs) {
            (VERSION_1, log, None) if keyless.is_none() => log
                .map(|name| Target::new(LogAddress::Embedded(name)))
                .into_iter()
                .collect(),
            (VERSION_2, None, Some(logs)) if logs.len() <= MAX_TARGETS => logs
                .into_iter()
                .map(WireTarget::parse)
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| bad("logs"))?,
            (VERSION_1 | VERSION_2, ..) => return Err(bad("logs")),
            _ => return Err(bad("version")),
        };
        if wire.destinations.len() > MAX_DESTINATIONS {
            return Err(bad("destinations"));
        }
        let destinations: Option<Vec<_>> = wire.destinations.into_iter().map(parse_destination).collect();
        let mut entry = Entry {
            signed,
            keyless,
            targets,
            destinations: destinations.ok_or_else(|| bad("destinations"))?,
            bundle: None,
            queued_at: wire.queued_at,
        };
        if let Some(text) = wire.bundle {
            entry.take_bundle(id, &STANDARD.decode(text).map_err(|_| bad("bundle"))?)?;
        } else if entry.targets.iter().any(|target| target.answered_by.is_some()) {
            return Err(bad("logs"));
        }
        Ok(entry)
    }

    /// Takes the bundle of the file in: it is this entry's, and holds the answers that the targets tell of.
    fn take_bundle(&mut self, id: &EvidenceId, json: &[u8]) -> Result<(), SpoolError> {
        let bundle = Bundle::parse(json).map_err(|source| SpoolError::Bundle {
            id: *id,
            source: Box::new(source),
        })?;
        // Version 1 does not tell whose answer it is: its one log's.
        if let ([target], [answer]) = (self.targets.as_mut_slice(), bundle.tlog_entries.as_slice()) {
            target.answered_by.get_or_insert(answer.log_id);
        }
        let mut told: Vec<_> = self
            .targets
            .iter()
            .filter_map(|target| target.answered_by)
            .collect();
        let mut held: Vec<_> = bundle.tlog_entries.iter().map(|entry| entry.log_id).collect();
        told.sort_unstable();
        held.sort_unstable();
        if !self.is_in(&bundle) || (!self.targets.is_empty() && told != held) {
            return Err(SpoolError::OtherBundle { id: *id });
        }
        self.bundle = Some(bundle);
        Ok(())
    }
}

fn parse_signed(id: &EvidenceId, wire: &Wire) -> Result<SignedEnvelope, SpoolError> {
    let bytes = |text: &str, field| {
        STANDARD
            .decode(text)
            .map_err(|_| SpoolError::Field { id: *id, field })
    };
    let public_key = PublicKey::from_spki_der(&bytes(&wire.public_key, "publicKey")?)
        .map_err(|source| SpoolError::Key { id: *id, source })?;
    let envelope = Envelope {
        payload: bytes(&wire.payload, "payload")?,
        signature: bytes(&wire.signature, "signature")?,
        payload_type: wire.payload_type.clone(),
        keyid: wire.keyid.clone(),
    };
    let signed = SignedEnvelope::from_parts(envelope, public_key).map_err(|source| SpoolError::Envelope {
        id: *id,
        source: Box::new(source),
    })?;
    let stamps = wire.timestamps.iter().flatten();
    let stamps = stamps.map(|stamp| bytes(stamp, "timestamps"));
    Ok(signed.with_timestamps(stamps.collect::<Result<_, _>>()?))
}

fn encode_keyless(keyless: &Keyless) -> WireKeyless {
    WireKeyless {
        certificate: STANDARD.encode(&keyless.certificate),
        timestamps: keyless
            .timestamps
            .iter()
            .map(|der| STANDARD.encode(der))
            .collect(),
    }
}

fn parse_keyless(id: &EvidenceId, wire: &WireKeyless, key: &PublicKey) -> Result<Keyless, SpoolError> {
    let bad = |field| SpoolError::Field { id: *id, field };
    let bytes = |text: &str, field| STANDARD.decode(text).map_err(|_| bad(field));
    if wire.timestamps.len() > MAX_TIMESTAMPS {
        return Err(bad("timestamps"));
    }
    let timestamps: Result<_, _> = wire
        .timestamps
        .iter()
        .map(|text| bytes(text, "timestamps"))
        .collect();
    let certificate =
        IssuedCertificate::parse(bytes(&wire.certificate, "certificate")?).map_err(|_| bad("certificate"))?;
    if certificate.public_key() != key {
        return Err(bad("certificate"));
    }
    Keyless::new(&certificate, timestamps?).ok_or_else(|| bad("certificate"))
}

fn encode_destination(destination: &Destination) -> WireDestination {
    match destination {
        Destination::Refs { repository, places } => WireDestination::Refs {
            repository: encode_path(repository),
            places: places.clone(),
        },
        Destination::File { path } => WireDestination::File {
            path: encode_path(path),
        },
    }
}

fn parse_destination(wire: WireDestination) -> Option<Destination> {
    match wire {
        WireDestination::Refs { repository, places } => Some(Destination::Refs {
            repository: parse_path(&repository)?,
            places,
        }),
        WireDestination::File { path } => Some(Destination::File {
            path: parse_path(&path)?,
        }),
    }
}

// Paths need not be UTF-8, and one spelling is enough: always base64 of the bytes.
fn encode_path(path: &Path) -> String {
    STANDARD.encode(path.as_os_str().as_bytes())
}

fn parse_path(text: &str) -> Option<PathBuf> {
    let bytes = STANDARD.decode(text).ok()?;
    if bytes.is_empty() || bytes.contains(&0) {
        None
    } else {
        Some(PathBuf::from(OsString::from_vec(bytes)))
    }
}
