//! Opening one piece: its bytes, its key, and the way to the signed root.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use touchmark_statement::agent_change::{AgentChange, PromptOrigin};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::statement::SignedStatement;
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_tlog::merkle;

use super::{CommitmentError, Kind, Leaf, PieceKey, TRANSCRIPT_RAW, TRANSCRIPT_REDACTED, commit};

/// The longest disclosure that is read, in bytes.
pub const MAX_DISCLOSURE_BYTES: usize = 64 * 1024 * 1024;

/// The largest file of disclosures, and the most of them.
pub const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;
/// The most disclosures of one file.
pub const MAX_PIECES: usize = 10_000;

/// The longest audit path: a tree of 2^32 leaves.
const MAX_AUDIT_PATH: usize = 32;

/// Which piece of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// The kind of piece.
    pub kind: Kind,
    /// Its index; for a command or an instruction its place in the statement's list.
    pub index: u32,
    /// Where it came from, if it is a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<PromptOrigin>,
}

/// The opening of one piece, as it is handed to somebody who holds the signed statement.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disclosure {
    /// The digest of the payload that commits to the piece.
    pub payload: Sha256Digest,
    /// Which piece.
    pub item: Item,
    /// The bytes that were committed to, in base64.
    bytes: String,
    /// The key of the piece, in hex.
    key: Sha256Digest,
    /// For a prompt or a step, the RFC 6962 inclusion path in its tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audit_path: Vec<Sha256Digest>,
}

/// A piece that the signed statement was proven to commit to.
pub struct Disclosed {
    item: Item,
    bytes: Vec<u8>,
}

impl Disclosed {
    /// Returns which piece.
    pub fn item(&self) -> Item {
        self.item
    }

    /// Returns the bytes that the signer committed to.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disclosed({:?}, {} bytes)", self.item, self.bytes.len())
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disclosure")
            .field("payload", &self.payload)
            .field("item", &self.item)
            .field("audit_path", &self.audit_path)
            .finish_non_exhaustive()
    }
}

impl Disclosure {
    /// Opens a prompt or a step; `leaves` are all leaves of its tree.
    ///
    /// Returns nothing if the tree has no such piece, or `bytes` and `key` are not what its leaf commits to.
    pub fn of_leaf(
        payload: Sha256Digest,
        item: Item,
        leaves: &[Leaf],
        key: &PieceKey,
        bytes: &[u8],
    ) -> Option<Self> {
        let at = usize::try_from(item.index).ok()?;
        let leaf = leaves.get(at)?;
        if leaf.index != item.index || leaf.commitment != commit(key, bytes) {
            return None;
        }
        let hashes: Vec<merkle::Hash> = leaves.iter().map(Leaf::hash).collect();
        let path = merkle::inclusion_path(&hashes, at)?;
        let audit_path = path
            .iter()
            .map(|hash| Sha256Digest::from_bytes(*hash.as_bytes()))
            .collect();
        Some(Self {
            audit_path,
            ..Self::of_piece(payload, item, key, bytes)
        })
    }

    /// Opens a piece that stands in the statement itself: a command, an instruction, a transcript, a task.
    pub fn of_piece(payload: Sha256Digest, item: Item, key: &PieceKey, bytes: &[u8]) -> Self {
        let key = Sha256Digest::from_bytes(*key.expose());
        Self {
            payload,
            item,
            bytes: STANDARD.encode(bytes),
            key,
            audit_path: Vec::new(),
        }
    }

    /// Parses a disclosure.
    pub fn parse(bytes: &[u8]) -> Result<Self, CommitmentError> {
        let rules = Rules {
            max_bytes: MAX_DISCLOSURE_BYTES,
            max_depth: 8,
            numbers: Numbers::ExactIntegers,
        };
        strict_json::from_slice(bytes, &rules).map_err(CommitmentError::Json)
    }

    /// Parses a file of disclosures, one a line, all of one statement and each of another piece.
    pub fn parse_all(file: &[u8]) -> Result<Vec<Self>, CommitmentError> {
        let too_much = || CommitmentError::TooMuchDisclosed {
            max_pieces: MAX_PIECES,
            max_bytes: MAX_FILE_BYTES,
        };
        if file.len() > MAX_FILE_BYTES {
            return Err(too_much());
        }
        let mut disclosures: Vec<Self> = Vec::new();
        let mut seen = BTreeSet::new();
        let body = file.strip_suffix(b"\n").unwrap_or(file);
        if body.is_empty() {
            return Err(CommitmentError::NothingDisclosed);
        }
        for line in body.split(|byte| *byte == b'\n') {
            if disclosures.len() == MAX_PIECES {
                return Err(too_much());
            }
            let disclosure = Self::parse(line)?;
            let Item { kind, index, .. } = disclosure.item;
            if let Some(first) = disclosures
                .first()
                .filter(|first| first.payload != disclosure.payload)
            {
                return Err(CommitmentError::OtherStatement {
                    disclosed: disclosure.payload,
                    found: first.payload,
                });
            }
            if !seen.insert((kind, index)) {
                return Err(CommitmentError::DisclosedTwice { kind, index });
            }
            disclosures.push(disclosure);
        }
        Ok(disclosures)
    }

    /// Writes the disclosure as one line of canonical JSON.
    pub fn encode(&self) -> Result<Vec<u8>, CommitmentError> {
        strict_json::canonical(self).map_err(CommitmentError::Json)
    }

    /// Verifies that the statement commits to the piece.
    ///
    /// Says nothing about who signed the statement: verify that first.
    pub fn verify(&self, signed: &SignedStatement) -> Result<Disclosed, CommitmentError> {
        let found = signed.payload_digest();
        if found != self.payload {
            return Err(CommitmentError::OtherStatement {
                disclosed: self.payload,
                found,
            });
        }
        let change = signed
            .statement()
            .predicate
            .as_agent_change()
            .ok_or(CommitmentError::NotAgentChange)?;
        let bytes = STANDARD
            .decode(&self.bytes)
            .map_err(|_| CommitmentError::Encoding {
                field: "bytes",
                encoding: "base64",
            })?;
        let computed = commit(&PieceKey::from_bytes(self.key.as_bytes())?, &bytes);
        match self.item.kind {
            Kind::Prompt => self.verify_prompt(change, computed)?,
            Kind::Step => self.verify_step(change, computed)?,
            _ => self.verify_listed(change, computed)?,
        }
        Ok(Disclosed {
            item: self.item,
            bytes,
        })
    }

    fn none(&self) -> CommitmentError {
        CommitmentError::NoCommitment {
            kind: self.item.kind,
            index: self.item.index,
        }
    }

    fn verify_prompt(&self, change: &AgentChange, computed: Sha256Digest) -> Result<(), CommitmentError> {
        let origin = self.item.origin.ok_or(CommitmentError::Shape)?;
        let prompt = change.prompt.as_ref().ok_or_else(|| self.none())?;
        let (Some(root), Some(count)) = (prompt.root, prompt.count) else {
            return Err(self.none());
        };
        if let Some(listed) = &prompt.commitments {
            let at = usize::try_from(self.item.index).map_err(|_| self.none())?;
            let listed = listed.get(at).ok_or_else(|| self.none())?;
            same(computed, listed.commitment)?;
        }
        self.verify_leaf(Leaf::prompt(self.item.index, origin, computed), count, root)
    }

    fn verify_step(&self, change: &AgentChange, computed: Sha256Digest) -> Result<(), CommitmentError> {
        if self.item.origin.is_some() {
            return Err(CommitmentError::Shape);
        }
        let steps = change
            .transcript
            .as_ref()
            .map(|transcript| &transcript.steps)
            .ok_or_else(|| self.none())?;
        self.verify_leaf(Leaf::step(self.item.index, computed), steps.count, steps.root)
    }

    fn verify_leaf(&self, leaf: Leaf, size: u64, root: Sha256Digest) -> Result<(), CommitmentError> {
        if u64::from(leaf.index) >= size {
            return Err(self.none());
        }
        if self.audit_path.len() > MAX_AUDIT_PATH {
            return Err(CommitmentError::Shape);
        }
        let hash = |digest: &Sha256Digest| merkle::Hash::from_bytes(*digest.as_bytes());
        let path: Vec<merkle::Hash> = self.audit_path.iter().map(hash).collect();
        merkle::verify_inclusion(&leaf.hash(), u64::from(leaf.index), size, &path, &hash(&root))
            .map_err(CommitmentError::AuditPath)
    }

    fn verify_listed(&self, change: &AgentChange, computed: Sha256Digest) -> Result<(), CommitmentError> {
        if self.item.origin.is_some() || !self.audit_path.is_empty() {
            return Err(CommitmentError::Shape);
        }
        same(computed, listed(change, self.item).ok_or_else(|| self.none())?)
    }
}

fn same(computed: Sha256Digest, signed: Sha256Digest) -> Result<(), CommitmentError> {
    if computed == signed {
        Ok(())
    } else {
        Err(CommitmentError::Mismatch { computed, signed })
    }
}

/// Returns the commitment to a piece that stands in the statement itself.
fn listed(change: &AgentChange, item: Item) -> Option<Sha256Digest> {
    let at = usize::try_from(item.index).ok()?;
    match item.kind {
        Kind::Prompt | Kind::Step => None,
        Kind::Command => Some(change.commands.as_ref()?.get(at)?.commitment),
        Kind::Instruction => change.instructions.as_ref()?.get(at)?.commitment,
        Kind::Transcript => match item.index {
            TRANSCRIPT_RAW => Some(change.transcript.as_ref()?.commitment),
            TRANSCRIPT_REDACTED => Some(change.transcript.as_ref()?.redacted.as_ref()?.commitment),
            _ => None,
        },
        Kind::Task if item.index == 0 => change.task.as_ref()?.commitment,
        Kind::Task => None,
    }
}
