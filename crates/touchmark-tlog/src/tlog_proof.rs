//! C2SP tlog-proof: an entry's index, its inclusion proof and the checkpoint, as one text that is verified offline.
//!
//! The text proves of an entry that it was logged; which entry is meant comes from elsewhere, or from the `extra` line,
//! which nobody signs but which the proof is then held against. <https://c2sp.org/tlog-proof>

use crate::checkpoint::VerifiedCheckpoint;
use crate::encoding::{base64_decode, base64_encode, decimal};
use crate::entry::{EntryBody, LogEntry, MAX_PROOF_HASHES};
use crate::merkle::{Hash, MerkleError, verify_inclusion};
use crate::note::MAX_NOTE_BYTES;

/// The largest proof that is parsed, in bytes.
pub const MAX_TLOG_PROOF_BYTES: usize = 1024 * 1024;
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why a text is not a transparency log proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// The text is larger than the limit.
    #[error("a log proof has at most {MAX_TLOG_PROOF_BYTES} bytes, found {found}")]
    TooLarge {
        /// The number of bytes found.
        found: usize,
    },
    /// The text does not begin with the line that names the format.
    #[error("a log proof begins with the line {HEADER:?}")]
    Header,
    /// A line is missing, malformed or out of place.
    #[error("line {line} of the log proof is not the {expected} expected there")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// The proof has more hashes than any tree demands.
    #[error("a log proof has at most {MAX_PROOF_HASHES} hashes")]
    Hashes,
}

impl TlogProofError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "tlog_proof.too_large",
            Self::Header => "tlog_proof.header",
            Self::Line { .. } => "tlog_proof.line",
            Self::Hashes => "tlog_proof.hashes",
        }
    }
}

/// A transparency log proof; nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data beside the proof, signed by nobody. Proofs of this program carry the entry's body here.
    pub extra: Option<Vec<u8>>,
    /// The position of the entry in the tree.
    pub index: u64,
    /// The siblings on the way from the leaf to the root, nearest first.
    pub hashes: Vec<Hash>,
    /// The signed note of the checkpoint.
    pub checkpoint: String,
}

impl TlogProof {
    /// Parses the text of a proof.
    pub fn parse(text: &[u8]) -> Result<Self, TlogProofError> {
        if text.len() > MAX_TLOG_PROOF_BYTES {
            return Err(TlogProofError::TooLarge { found: text.len() });
        }
        let text = std::str::from_utf8(text).map_err(|_| TlogProofError::Header)?;
        let rest = text
            .strip_prefix(HEADER)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or(TlogProofError::Header)?;
        // The checkpoint begins after the first empty line and may have empty lines itself.
        let (head, checkpoint) = rest.split_once("\n\n").ok_or(TlogProofError::Line {
            line: 2,
            expected: "proof and checkpoint",
        })?;
        let mut lines = head.split('\n').zip(2..).peekable();
        let extra = lines.next_if(|(line, _)| line.starts_with("extra"));
        let extra = extra.map(|(line, at)| read_extra(line, at)).transpose()?;
        let index = lines
            .next()
            .and_then(|(line, _)| decimal(line.strip_prefix("index ")?))
            .ok_or(TlogProofError::Line {
                line: 2 + usize::from(extra.is_some()),
                expected: "index",
            })?;
        let mut hashes = Vec::new();
        for (line, at) in lines {
            if hashes.len() == MAX_PROOF_HASHES {
                return Err(TlogProofError::Hashes);
            }
            hashes.push(Hash::from_base64(line).ok_or(TlogProofError::Line {
                line: at,
                expected: "hash",
            })?);
        }
        if checkpoint.is_empty() || checkpoint.len() > MAX_NOTE_BYTES {
            return Err(TlogProofError::Line {
                line: head.split('\n').count() + 3,
                expected: "checkpoint",
            });
        }
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Encodes the text of the proof.
    pub fn encode(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", base64_encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&hash.to_base64());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Returns the proof that a bundle's log entry carries, with its body as `extra`; `None` if it carries none.
    pub fn of_entry(entry: &LogEntry, body: &EntryBody) -> Option<Self> {
        let proof = entry.inclusion_proof.as_ref()?;
        Some(Self {
            extra: Some(entry.canonicalized_body.clone()),
            // A Rekor v1 entry has its position in the tree beside the proof only.
            index: match body.is_rekor_v1() {
                true => proof.log_index,
                false => entry.log_index,
            },
            hashes: proof.hashes.clone(),
            checkpoint: proof.checkpoint.clone()?,
        })
    }

    /// Verifies that the leaf with this hash is at the proof's index, in the tree of this checkpoint; the caller has
    /// made that from [`Self::checkpoint`].
    pub fn verify(&self, leaf: &Hash, checkpoint: &VerifiedCheckpoint) -> Result<(), MerkleError> {
        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size(),
            &self.hashes,
            checkpoint.root(),
        )
    }
}

fn read_extra(line: &str, at: usize) -> Result<Vec<u8>, TlogProofError> {
    line.strip_prefix("extra ")
        .and_then(base64_decode)
        .ok_or(TlogProofError::Line {
            line: at,
            expected: "extra data",
        })
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer as _;

    use super::*;
    use crate::checkpoint::{Checkpoint, verify_note};
    use crate::merkle::{inclusion_path, leaf_hash, root_of};
    use crate::note::{Note, SignatureLine, VerifierKey};

    fn signing() -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&[3; 32])
    }

    fn key() -> VerifierKey {
        VerifierKey::ed25519("log.example", signing().verifying_key().as_bytes()).unwrap()
    }

    fn good() -> TlogProof {
        let leaves: Vec<Hash> = (0..11_u8).map(|leaf| leaf_hash(&[leaf])).collect();
        let text = Checkpoint {
            origin: "log.example".to_owned(),
            size: 11,
            root: root_of(&leaves),
            extensions: vec!["an extension".to_owned()],
        }
        .encode();
        let line = SignatureLine::new(&key(), signing().sign(text.as_bytes()).to_bytes().to_vec());
        TlogProof {
            extra: Some(vec![6]),
            index: 6,
            hashes: inclusion_path(&leaves, 6).unwrap(),
            checkpoint: Note::new(text, vec![line]).unwrap().encode(),
        }
    }

    #[test]
    fn proofs_survive_the_round_trip_and_prove_their_own_entry_only() {
        for extra in [None, Some(Vec::new()), Some(vec![6])] {
            let proof = TlogProof { extra, ..good() };
            let parsed = TlogProof::parse(proof.encode().as_bytes()).unwrap();
            assert_eq!(parsed, proof);
            let checkpoint = verify_note(parsed.checkpoint.as_bytes(), "log.example", &key()).unwrap();
            parsed.verify(&leaf_hash(&[6]), &checkpoint).unwrap();
            let refused = parsed.verify(&leaf_hash(&[7]), &checkpoint).unwrap_err();
            assert_eq!(refused.code(), "tlog.root_mismatch");
        }
        // A tree of one leaf needs no hash.
        let alone = TlogProof {
            hashes: Vec::new(),
            index: 0,
            extra: None,
            ..good()
        };
        assert_eq!(TlogProof::parse(alone.encode().as_bytes()).unwrap(), alone);
    }

    #[test]
    fn a_proof_with_one_defect_has_its_own_code() {
        let text = good().encode();
        let code = |from: &str, to: &str| {
            assert!(text.contains(from), "{from:?}");
            let broken = text.replacen(from, to, 1);
            TlogProof::parse(broken.as_bytes()).map_or_else(|error| error.code(), |_| "ok")
        };
        assert_eq!(code("@v1", "@v2"), "tlog_proof.header");
        assert_eq!(code("c2sp", "\u{feff}c2sp"), "tlog_proof.header");
        assert_eq!(code("@v1\n", "@v1\r\n"), "tlog_proof.header");
        assert_eq!(code("extra Bg==", "extra Bh=="), "tlog_proof.line");
        assert_eq!(code("extra Bg==", "extra"), "tlog_proof.line");
        assert_eq!(code("extra Bg==", "extra  Bg=="), "tlog_proof.line");
        assert_eq!(
            code("extra Bg==\n", "extra Bg==\nextra Bg==\n"),
            "tlog_proof.line"
        );
        assert_eq!(code("index 6", "index 06"), "tlog_proof.line");
        assert_eq!(code("index 6", "index -6"), "tlog_proof.line");
        assert_eq!(code("index 6\n", ""), "tlog_proof.line");
        assert_eq!(code("index 6\n", "index 6\nAAAA\n"), "tlog_proof.line");
        let many = format!(
            "index 6\n{}",
            format!("{}\n", leaf_hash(b"").to_base64()).repeat(65)
        );
        assert_eq!(code("index 6\n", &many), "tlog_proof.hashes");
        let (head, _) = text.split_once("\n\n").unwrap();
        let refused = TlogProof::parse(format!("{head}\n\n").as_bytes()).unwrap_err();
        assert_eq!(refused.code(), "tlog_proof.line");
        assert_eq!(
            TlogProof::parse(head.as_bytes()).unwrap_err().code(),
            "tlog_proof.line"
        );
        let huge = vec![b'a'; MAX_TLOG_PROOF_BYTES + 1];
        assert_eq!(
            TlogProof::parse(&huge).unwrap_err().code(),
            "tlog_proof.too_large"
        );
    }
}
