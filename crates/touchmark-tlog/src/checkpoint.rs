//! C2SP checkpoints: a log's origin, size and root in a signed note. <https://c2sp.org/tlog-checkpoint>

use crate::encoding::decimal;
use crate::merkle::Hash;
use crate::note::{Note, NoteError, VerifierKey};

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note that carries the checkpoint was refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line of the checkpoint is missing or empty.
    #[error("the checkpoint has no {line} line")]
    Missing {
        /// The name of the line.
        line: &'static str,
    },
    /// The size is not a decimal number in its one spelling, or out of range.
    #[error("{found:?} is not the size of a tree")]
    Size {
        /// The line found.
        found: String,
    },
    /// The root is not padded base64 of 32 bytes.
    #[error("the root of a checkpoint is base64 of 32 bytes")]
    Root,
    /// The checkpoint has a line that is empty.
    #[error("an extension line of the checkpoint is empty")]
    Extension,
    /// The checkpoint is that of another log.
    #[error("expected a checkpoint of {expected:?}, found one of {found:?}")]
    Origin {
        /// The origin that the verifier asked for.
        expected: String,
        /// The origin found.
        found: String,
    },
}

impl CheckpointError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Note(error) => error.code(),
            Self::Missing { .. } => "tlog.checkpoint_line",
            Self::Size { .. } => "tlog.checkpoint_size",
            Self::Root => "tlog.checkpoint_root",
            Self::Extension => "tlog.checkpoint_extension",
            Self::Origin { .. } => "tlog.checkpoint_origin",
        }
    }
}

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log that says it.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree of these leaves.
    pub root: Hash,
    /// Further lines, signed as well, of which nothing is believed.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Parses the text of a note as a checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let missing = |line| move || CheckpointError::Missing { line };
        let mut lines = text.strip_suffix('\n').ok_or_else(missing("last"))?.split('\n');
        let origin = lines
            .next()
            .filter(|line| !line.is_empty())
            .ok_or_else(missing("origin"))?;
        let size = lines.next().ok_or_else(missing("size"))?;
        let size = decimal(size).ok_or_else(|| CheckpointError::Size {
            found: size.to_owned(),
        })?;
        let root = lines.next().ok_or_else(missing("root"))?;
        let root = Hash::from_base64(root).ok_or(CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions,
        })
    }

    /// Encodes the text that a note carries and its signatures cover.
    pub fn encode(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64());
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

impl Checkpoint {
    /// Returns the host and tree that an origin of Rekor v1 names (`<host> - <tree>`); `None` for any other origin.
    pub fn rekor_v1_origin(&self) -> Option<(&str, u64)> {
        let (host, tree) = self.origin.rsplit_once(" - ")?;
        decimal(tree).map(|tree| (host, tree))
    }

    /// Returns the tree that an origin of Rekor v1 names.
    pub fn rekor_v1_tree_id(&self) -> Option<u64> {
        self.rekor_v1_origin().map(|(_, tree)| tree)
    }
}

/// A checkpoint whose log's signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl VerifiedCheckpoint {
    /// Returns what the checkpoint says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Returns the number of leaves.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// Returns the root.
    pub fn root(&self) -> &Hash {
        &self.checkpoint.root
    }

    /// Returns the note with all its signature lines, verified or not.
    pub fn note(&self) -> &Note {
        &self.note
    }
}

/// Verifies that a note is a checkpoint of the log with this origin, signed with its key.
pub fn verify_note(
    note: &[u8],
    origin: &str,
    key: &VerifierKey,
) -> Result<VerifiedCheckpoint, CheckpointError> {
    let note = Note::parse(note)?;
    note.verify(&[key])?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != origin {
        return Err(CheckpointError::Origin {
            expected: origin.to_owned(),
            found: checkpoint.origin,
        });
    }
    Ok(VerifiedCheckpoint { checkpoint, note })
}

/// Verifies that a note is a checkpoint of a Rekor v1 log with this key, for whichever of the log's trees.
///
/// The origin is `<host> - <tree>`, the signature lines are named `<host>` alone. The host is what the log was told to
/// call itself and need not be the address at which it is reached: in Rekor v1 the key is the log's whole identity.
pub fn verify_rekor_v1_note(note: &[u8], key: &VerifierKey) -> Result<VerifiedCheckpoint, CheckpointError> {
    let note = Note::parse(note)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    let Some((host, _)) = checkpoint.rekor_v1_origin() else {
        return Err(CheckpointError::Origin {
            expected: "<host> - <tree>".to_owned(),
            found: checkpoint.origin,
        });
    };
    note.verify_rekor_v1(host, key)?;
    Ok(VerifiedCheckpoint { checkpoint, note })
}
