//! One entry of the spool: an envelope, its key, where it is to be logged and stored, and the log's answer if any.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::envelope::Envelope;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::key::PublicKey;

use super::{MAX_ENTRY_BYTES, SpoolError};
use crate::attestation::SignedEnvelope;

const VERSION: u64 = 1;
const MAX_DESTINATIONS: usize = 1024;

/// An attestation that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What was signed.
    pub signed: SignedEnvelope,
    /// The log it is meant for, as the caller names logs; `None` where it is to be stored unlogged.
    pub log: Option<String>,
    /// Where the bundle is to be stored.
    pub destinations: Vec<Destination>,
    /// The bundle with the log's answer, once there is one.
    pub bundle: Option<Bundle>,
    /// When the entry was put in.
    pub queued_at: Timestamp,
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
    destinations: Vec<WireDestination>,
    public_key: String,
    payload_type: String,
    keyid: String,
    payload: String,
    signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
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
    pub(super) fn unite(&mut self, other: &Entry) {
        for destination in &other.destinations {
            if !self.destinations.contains(destination) {
                self.destinations.push(destination.clone());
            }
        }
        if self.bundle.is_none() {
            self.bundle.clone_from(&other.bundle);
        }
        if self.log.is_none() {
            self.log.clone_from(&other.log);
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let envelope = self.signed.envelope();
        let wire = Wire {
            version: VERSION,
            queued_at: self.queued_at,
            log: self.log.clone(),
            destinations: self.destinations.iter().map(encode_destination).collect(),
            public_key: STANDARD.encode(self.signed.public_key().spki_der()),
            payload_type: envelope.payload_type.clone(),
            keyid: envelope.keyid.clone(),
            payload: STANDARD.encode(&envelope.payload),
            signature: STANDARD.encode(&envelope.signature),
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
        if wire.version != VERSION {
            return Err(bad("version"));
        }
        if wire.destinations.len() > MAX_DESTINATIONS {
            return Err(bad("destinations"));
        }
        let bytes = |text: &str, field| STANDARD.decode(text).map_err(|_| bad(field));
        let public_key = PublicKey::from_spki_der(&bytes(&wire.public_key, "publicKey")?)
            .map_err(|source| SpoolError::Key { id: *id, source })?;
        let envelope = Envelope {
            payload: bytes(&wire.payload, "payload")?,
            signature: bytes(&wire.signature, "signature")?,
            payload_type: wire.payload_type,
            keyid: wire.keyid,
        };
        let signed =
            SignedEnvelope::from_parts(envelope, public_key).map_err(|source| SpoolError::Envelope {
                id: *id,
                source: Box::new(source),
            })?;
        let bundle = match &wire.bundle {
            Some(text) => {
                Some(
                    Bundle::parse(&bytes(text, "bundle")?).map_err(|source| SpoolError::Bundle {
                        id: *id,
                        source: Box::new(source),
                    })?,
                )
            }
            None => None,
        };
        if bundle.as_ref().is_some_and(|bundle| !signed.is_in(bundle)) {
            return Err(SpoolError::OtherBundle { id: *id });
        }
        let destinations: Option<Vec<_>> = wire.destinations.into_iter().map(parse_destination).collect();
        let destinations = destinations.ok_or_else(|| bad("destinations"))?;
        Ok(Entry {
            signed,
            log: wire.log,
            destinations,
            bundle,
            queued_at: wire.queued_at,
        })
    }
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
