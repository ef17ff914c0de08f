//! Commitments to prompts, steps, commands and transcripts, and their disclosure one at a time.
//!
//! A plain hash of a prompt can be guessed. So each piece is committed to under a key of its own, derived from the
//! run's 32 random bytes: `k = HKDF-SHA256(ikm = run key, salt = empty, info = "touchmark/v1/" ‖ kind ‖ "/" ‖ index,
//! L = 32)` and `commitment = HMAC-SHA256(k, bytes)`. Giving away one `k` opens one piece and no other. Prompts and
//! steps are gathered in an RFC 6962 tree whose leaf is `u32be index ‖ u8 tag ‖ commitment`.
//!
//! The tag of a prompt is its origin: human 1, injected 2, compaction 3, agent 4. The tag of everything else is its
//! kind: prompt 17, step 18, command 19, transcript 20, instruction 21, task 22. Test vectors:
//! `schemas/commitments/v1.json`.

mod disclosure;

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use touchmark_statement::agent_change::{AgentChange, PromptCommitment, PromptOrigin};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json::JsonError;
use touchmark_tlog::merkle;
use zeroize::Zeroizing;

pub use self::disclosure::{Disclosed, Disclosure, Item, MAX_DISCLOSURE_BYTES, MAX_FILE_BYTES, MAX_PIECES};

/// The index of the commitment to a transcript as it was recorded.
pub const TRANSCRIPT_RAW: u32 = 0;

/// The index of the commitment to a transcript as it was redacted.
pub const TRANSCRIPT_REDACTED: u32 = 1;

/// Why a commitment could not be made, or a disclosure proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitmentError {
    /// A run key, or the key of one piece, is not 32 bytes.
    #[error("a commitment key has 32 bytes, not {found}")]
    KeyLength {
        /// The length found.
        found: usize,
    },
    /// The disclosure's JSON.
    #[error("the disclosure is refused")]
    Json(#[source] JsonError),
    /// The disclosed bytes or their key are not in their one encoding.
    #[error("the disclosure's {field} is not canonical {encoding}")]
    Encoding {
        /// The field.
        field: &'static str,
        /// Its encoding.
        encoding: &'static str,
    },
    /// The disclosure is about another statement.
    #[error("the disclosure is about the statement {disclosed}, not {found}")]
    OtherStatement {
        /// The payload digest that the disclosure names.
        disclosed: Sha256Digest,
        /// The payload digest of the statement at hand.
        found: Sha256Digest,
    },
    /// The statement is not an agent change.
    #[error("the statement is not an agent change")]
    NotAgentChange,
    /// The statement commits to no such piece.
    #[error("the statement commits to no {kind} {index}")]
    NoCommitment {
        /// The kind of piece.
        kind: Kind,
        /// Its index.
        index: u32,
    },
    /// The disclosed bytes and key lead to another commitment than the signed one.
    #[error("the disclosed bytes lead to commitment {computed}, but the statement signs {signed}")]
    Mismatch {
        /// What the disclosed bytes lead to.
        computed: Sha256Digest,
        /// What the statement holds.
        signed: Sha256Digest,
    },
    /// The audit path does not lead to the signed root.
    #[error("the disclosed piece is not in the tree that the statement signs")]
    AuditPath(#[source] merkle::MerkleError),
    /// A disclosure of a piece outside any tree has an audit path, or a prompt's has no origin.
    #[error("a disclosure has an audit path and an origin exactly where the piece has them")]
    Shape,
    /// The prompt commitments of a statement do not lead to the root that it states.
    #[error("the prompt commitments lead to root {computed}, but the statement says {stated}")]
    RootMismatch {
        /// What the commitments lead to.
        computed: Sha256Digest,
        /// What the statement holds.
        stated: Sha256Digest,
    },
    /// A file of disclosures holds none.
    #[error("nothing is disclosed")]
    NothingDisclosed,
    /// A file of disclosures opens one piece twice.
    #[error("{kind} {index} is disclosed twice")]
    DisclosedTwice {
        /// The kind of piece.
        kind: Kind,
        /// Its index.
        index: u32,
    },
    /// A file of disclosures is larger or holds more pieces than is read.
    #[error("a file discloses at most {max_pieces} pieces in {max_bytes} bytes")]
    TooMuchDisclosed {
        /// The most pieces.
        max_pieces: usize,
        /// The most bytes.
        max_bytes: usize,
    },
    /// An index is larger than a leaf can hold.
    #[error("an index is at most {}, not {found}", u32::MAX)]
    IndexTooLarge {
        /// The index found.
        found: u64,
    },
}

impl CommitmentError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyLength { .. } => "commitment.key_length",
            Self::Json(error) => error.code(),
            Self::Encoding { .. } => "commitment.encoding",
            Self::OtherStatement { .. } => "commitment.other_statement",
            Self::NotAgentChange => "commitment.not_agent_change",
            Self::NoCommitment { .. } => "commitment.none",
            Self::Mismatch { .. } => "commitment.mismatch",
            Self::AuditPath(_) => "commitment.audit_path",
            Self::Shape => "commitment.shape",
            Self::RootMismatch { .. } => "commitment.root_mismatch",
            Self::NothingDisclosed => "commitment.nothing_disclosed",
            Self::DisclosedTwice { .. } => "commitment.disclosed_twice",
            Self::TooMuchDisclosed { .. } => "commitment.too_much_disclosed",
            Self::IndexTooLarge { .. } => "commitment.index_too_large",
        }
    }
}

/// What a commitment is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A prompt.
    Prompt,
    /// A step of the session.
    Step,
    /// A command line.
    Command,
    /// A whole transcript.
    Transcript,
    /// A file that steered the run.
    Instruction,
    /// The text of an issue or ticket.
    Task,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Prompt,
        Self::Step,
        Self::Command,
        Self::Transcript,
        Self::Instruction,
        Self::Task,
    ];

    /// Returns the word that stands in the derivation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Step => "step",
            Self::Command => "command",
            Self::Transcript => "transcript",
            Self::Instruction => "instruction",
            Self::Task => "task",
        }
    }

    /// Returns the byte that stands in a leaf.
    pub fn tag(self) -> u8 {
        match self {
            Self::Prompt => 17,
            Self::Step => 18,
            Self::Command => 19,
            Self::Transcript => 20,
            Self::Instruction => 21,
            Self::Task => 22,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns the byte that stands for a prompt's origin in a leaf.
pub fn origin_tag(origin: PromptOrigin) -> u8 {
    match origin {
        PromptOrigin::Human => 1,
        PromptOrigin::Injected => 2,
        PromptOrigin::Compaction => 3,
        PromptOrigin::Agent => 4,
    }
}

/// The random secret of one run, from which the key of each piece is derived.
pub struct RunKey(Zeroizing<[u8; 32]>);

impl RunKey {
    /// Wraps 32 random bytes; any other number is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CommitmentError> {
        exactly_32(bytes).map(Self)
    }

    /// Returns the secret, to be kept in a vault and nowhere else.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the commitment to `bytes` as the piece `kind`, `index` of this run.
    pub fn commit(&self, kind: Kind, index: u32, bytes: &[u8]) -> Sha256Digest {
        commit(&derive(self, kind, index), bytes)
    }
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunKey(redacted)")
    }
}

/// The key of one piece; giving it away opens that piece and no other.
#[derive(Clone)]
pub struct PieceKey(Zeroizing<[u8; 32]>);

impl PieceKey {
    /// Wraps the 32 bytes of a key that was disclosed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CommitmentError> {
        exactly_32(bytes).map(Self)
    }

    /// Returns the key, to be disclosed with the piece.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PieceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PieceKey(redacted)")
    }
}

fn exactly_32(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, CommitmentError> {
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return Err(CommitmentError::KeyLength { found: bytes.len() });
    }
    key.copy_from_slice(bytes);
    Ok(key)
}

/// Derives the key of one piece from the run's.
pub fn derive(run_key: &RunKey, kind: Kind, index: u32) -> PieceKey {
    let mut key = Zeroizing::new([0; 32]);
    let info = format!("touchmark/v1/{kind}/{index}");
    Hkdf::<Sha256>::new(None, run_key.expose())
        .expand(info.as_bytes(), key.as_mut_slice())
        .expect("HKDF-SHA256 gives up to 8,160 bytes, and 32 are asked for");
    PieceKey(key)
}

/// Commits to bytes under the key of one piece.
pub fn commit(key: &PieceKey, bytes: &[u8]) -> Sha256Digest {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes a key of any length");
    mac.update(bytes);
    Sha256Digest::from_bytes(mac.finalize().into_bytes().into())
}

/// One part of a prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PromptPart<'a> {
    /// Text, decoded and not normalised.
    Text(&'a str),
    /// Anything else (an image, a document), by its bytes.
    Other(&'a [u8]),
}

impl fmt::Debug for PromptPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, length) = match self {
            Self::Text(text) => ("Text", text.len()),
            Self::Other(bytes) => ("Other", bytes.len()),
        };
        write!(f, "{name}({length} bytes)")
    }
}

/// Writes a prompt as the bytes that are committed to.
///
/// Each part is prefixed by its length as u64 big-endian; a part that is not text is replaced by its SHA-256.
pub fn prompt_bytes(parts: &[PromptPart<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut push = |part: &[u8]| {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    };
    for part in parts {
        match part {
            PromptPart::Text(text) => push(text.as_bytes()),
            PromptPart::Other(other) => push(Sha256Digest::of(other).as_bytes()),
        }
    }
    bytes
}

/// Returns the bytes of a step in a line format: its record without the line feed.
pub fn step_bytes(record: &[u8]) -> &[u8] {
    record.strip_suffix(b"\n").unwrap_or(record)
}

/// One leaf of a commitment tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The index of the piece.
    pub index: u32,
    /// The origin of a prompt, or the kind of anything else, as a byte.
    pub tag: u8,
    /// The commitment.
    pub commitment: Sha256Digest,
}

impl Leaf {
    /// Returns the leaf of a prompt.
    pub fn prompt(index: u32, origin: PromptOrigin, commitment: Sha256Digest) -> Self {
        Self {
            index,
            tag: origin_tag(origin),
            commitment,
        }
    }

    /// Returns the leaf of a step.
    pub fn step(index: u32, commitment: Sha256Digest) -> Self {
        Self {
            index,
            tag: Kind::Step.tag(),
            commitment,
        }
    }

    /// Returns the bytes of the leaf.
    pub fn content(&self) -> [u8; 37] {
        let mut content = [0; 37];
        content[..4].copy_from_slice(&self.index.to_be_bytes());
        content[4] = self.tag;
        content[5..].copy_from_slice(self.commitment.as_bytes());
        content
    }

    /// Returns its RFC 6962 leaf hash.
    pub fn hash(&self) -> merkle::Hash {
        merkle::leaf_hash(&self.content())
    }
}

/// Returns the leaves of the prompts of a statement.
pub fn prompt_leaves(prompts: &[PromptCommitment]) -> Result<Vec<Leaf>, CommitmentError> {
    let leaf = |prompt: &PromptCommitment| {
        let index = u32::try_from(prompt.index)
            .map_err(|_| CommitmentError::IndexTooLarge { found: prompt.index })?;
        Ok(Leaf::prompt(index, prompt.origin, prompt.commitment))
    };
    prompts.iter().map(leaf).collect()
}

/// Returns the RFC 6962 root over leaves.
pub fn root(leaves: &[Leaf]) -> Sha256Digest {
    let hashes: Vec<merkle::Hash> = leaves.iter().map(Leaf::hash).collect();
    Sha256Digest::from_bytes(*merkle::root_of(&hashes).as_bytes())
}

/// Verifies that the prompt commitments a statement lists lead to the root that it states.
pub fn verify_prompt_root(change: &AgentChange) -> Result<(), CommitmentError> {
    let Some(prompt) = &change.prompt else {
        return Ok(());
    };
    let (Some(commitments), Some(stated)) = (&prompt.commitments, prompt.root) else {
        return Ok(());
    };
    let computed = root(&prompt_leaves(commitments)?);
    if computed == stated {
        Ok(())
    } else {
        Err(CommitmentError::RootMismatch { computed, stated })
    }
}

#[cfg(test)]
mod tests;
