//! Digest values: one SHA-256 digest, and the in-toto `DigestSet`.
//!
//! Values of known algorithms are lowercase hex of exactly the right length; unknown algorithms are kept as they
//! stand and never count for anything. Hashing with SHA-256 happens here because it is part of the format.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::git_id::{GitCommitId, GitTreeId};
use crate::limits::{MAX_DIGESTS, MAX_TEXT_BYTES};
use crate::strict_json;

/// Why a digest or a digest set was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The value of a known algorithm has the wrong length.
    #[error("a {algorithm} digest has {expected} hex digits, this one has {found} bytes")]
    Length {
        /// The algorithm as the set names it.
        algorithm: &'static str,
        /// The length or lengths that the algorithm has, in hex digits.
        expected: &'static str,
        /// The length found, in bytes.
        found: usize,
    },
    /// The value of a known algorithm is not lowercase hex.
    #[error("a {algorithm} digest is lowercase hex, found byte 0x{byte:02x} at position {position}")]
    NotLowerHex {
        /// The algorithm as the set names it.
        algorithm: &'static str,
        /// The first byte that is not a lowercase hex digit.
        byte: u8,
        /// Where it stands.
        position: usize,
    },
    /// The value of an unknown algorithm, or an algorithm's name, is empty, too long or holds control characters.
    #[error("the digest of an unknown algorithm is 1 to 4096 printable bytes")]
    Malformed,
    /// The name is a variant spelling of a known algorithm.
    #[error("digest algorithm {found:?} looks like {known:?} but is not spelled so")]
    LookAlike {
        /// The name found.
        found: String,
        /// The name that the specification gives.
        known: &'static str,
    },
    /// The set has too many digests.
    #[error("a digest set holds at most {max} digests")]
    TooMany {
        /// The cap.
        max: usize,
    },
}

impl DigestError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "digest.length",
            Self::NotLowerHex { .. } => "digest.not_lower_hex",
            Self::Malformed => "digest.malformed",
            Self::LookAlike { .. } => "digest.look_alike",
            Self::TooMany { .. } => "digest.too_many",
        }
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes that are a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

impl FromStr for Sha256Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        hex_value("sha256", "64", text, &[64])?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        Ok(Self(bytes))
    }
}

/// The value of a hex digit that was checked before.
fn nibble(digit: u8) -> u8 {
    if digit.is_ascii_digit() {
        digit - b'0'
    } else {
        digit.wrapping_sub(b'a').wrapping_add(10)
    }
}

impl Serialize for Sha256Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict_json::parse_str(deserializer, "64 lowercase hex digits", |text| {
            text.parse::<Self>().map_err(|error| (error.code(), error))
        })
    }
}

/// One algorithm that digest sets may name.
struct Algorithm {
    name: &'static str,
    /// Lengths in hex digits; empty where any even length up to 128 will do.
    lengths: &'static [usize],
    expected: &'static str,
    strong: bool,
}

const fn algorithm(
    name: &'static str,
    lengths: &'static [usize],
    expected: &'static str,
    strong: bool,
) -> Algorithm {
    Algorithm {
        name,
        lengths,
        expected,
        strong,
    }
}

/// The algorithms of in-toto `digest_set.md` (v1) whose values are hex.
///
/// Git identifiers count as strong: every object is read through collision-detecting SHA-1 or SHA-256 and hashed again
/// by the reader. Plain `sha1` and `md5` do not.
const ALGORITHMS: &[Algorithm] = &[
    algorithm("sha256", &[64], "64", true),
    algorithm("sha384", &[96], "96", true),
    algorithm("sha512", &[128], "128", true),
    algorithm("sha512_256", &[64], "64", true),
    algorithm("sha3_256", &[64], "64", true),
    algorithm("sha3_384", &[96], "96", true),
    algorithm("sha3_512", &[128], "128", true),
    algorithm("gitCommit", &[40, 64], "40 or 64", true),
    algorithm("gitTree", &[40, 64], "40 or 64", true),
    algorithm("gitBlob", &[40, 64], "40 or 64", true),
    algorithm("gitTag", &[40, 64], "40 or 64", true),
    algorithm("sha224", &[56], "56", false),
    algorithm("sha512_224", &[56], "56", false),
    algorithm("sha3_224", &[56], "56", false),
    algorithm("sha1", &[40], "40", false),
    algorithm("md5", &[32], "32", false),
    algorithm("ripemd160", &[40], "40", false),
    algorithm("sm3", &[64], "64", false),
    algorithm("gost", &[64], "64", false),
    algorithm("shake128", &[], "an even number up to 128 of", false),
    algorithm("shake256", &[], "an even number up to 128 of", false),
    algorithm("blake2b", &[], "an even number up to 128 of", false),
    algorithm("blake2s", &[], "an even number up to 128 of", false),
];

fn known(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
}

fn hex_value(
    algorithm: &'static str,
    expected: &'static str,
    value: &str,
    lengths: &[usize],
) -> Result<(), DigestError> {
    let found = value.len();
    let fits = match lengths {
        [] => (2..=128).contains(&found) && found.is_multiple_of(2),
        lengths => lengths.contains(&found),
    };
    if !fits {
        return Err(DigestError::Length {
            algorithm,
            expected,
            found,
        });
    }
    let odd = value
        .bytes()
        .enumerate()
        .find(|(_, byte)| !matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    odd.map_or(Ok(()), |(position, byte)| {
        Err(DigestError::NotLowerHex {
            algorithm,
            byte,
            position,
        })
    })
}

/// Digests of one thing by algorithm, as in-toto's `DigestSet`.
///
/// Every digest in a set is about the same thing: a reader that knows several of them requires all of them to match.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestSet(BTreeMap<String, String>);

impl DigestSet {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a set of one SHA-256 digest.
    pub fn of_sha256(digest: Sha256Digest) -> Self {
        Self(BTreeMap::from([("sha256".to_owned(), digest.to_string())]))
    }

    /// Returns a set that names a commit: its object name, and the SHA-256 of its content.
    pub fn of_commit(id: &GitCommitId, content: Sha256Digest) -> Self {
        let mut set = Self::of_sha256(content);
        set.0.insert("gitCommit".to_owned(), id.to_string());
        set
    }

    /// Returns a set that names a tree: its object name, and the SHA-256 of its content.
    pub fn of_tree(id: &GitTreeId, content: Sha256Digest) -> Self {
        let mut set = Self::of_sha256(content);
        set.0.insert("gitTree".to_owned(), id.to_string());
        set
    }

    /// Adds a digest, replacing one of the same algorithm.
    pub fn insert(&mut self, algorithm: &str, value: &str) -> Result<(), DigestError> {
        match known(algorithm) {
            Some(known) => hex_value(known.name, known.expected, value, known.lengths)?,
            None => unknown_value(algorithm, value)?,
        }
        if self.0.len() >= MAX_DIGESTS && !self.0.contains_key(algorithm) {
            return Err(DigestError::TooMany { max: MAX_DIGESTS });
        }
        self.0.insert(algorithm.to_owned(), value.to_owned());
        Ok(())
    }

    /// Returns the value of one algorithm.
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        self.0.get(algorithm).map(String::as_str)
    }

    /// Returns the SHA-256 digest, if the set has one.
    pub fn sha256(&self) -> Option<Sha256Digest> {
        self.get("sha256").and_then(|value| value.parse().ok())
    }

    /// Returns the commit that the set names, if it does.
    pub fn git_commit(&self) -> Option<GitCommitId> {
        self.get("gitCommit").and_then(|value| value.parse().ok())
    }

    /// Returns the tree that the set names, if it does.
    pub fn git_tree(&self) -> Option<GitTreeId> {
        self.get("gitTree").and_then(|value| value.parse().ok())
    }

    /// Returns algorithm and value of each digest, in order of algorithm.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(algorithm, value)| (algorithm.as_str(), value.as_str()))
    }

    /// Returns how many digests the set holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set holds no digest.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether at least one digest is of an algorithm that is known and not weak.
    pub fn has_strong(&self) -> bool {
        self.0
            .keys()
            .any(|name| known(name).is_some_and(|algorithm| algorithm.strong))
    }

    /// Returns whether the sets share a strong algorithm and agree in every algorithm that they share.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let shared = || {
            self.0
                .iter()
                .filter_map(|(name, value)| Some((name, value, other.0.get(name)?)))
        };
        shared().all(|(_, ours, theirs)| ours == theirs)
            && shared().any(|(name, ..)| known(name).is_some_and(|algorithm| algorithm.strong))
    }
}

fn unknown_value(algorithm: &str, value: &str) -> Result<(), DigestError> {
    let names: Vec<&'static str> = ALGORITHMS.iter().map(|algorithm| algorithm.name).collect();
    if let Some(known) = strict_json::look_alike(algorithm, &names) {
        return Err(DigestError::LookAlike {
            found: algorithm.to_owned(),
            known,
        });
    }
    let printable =
        |text: &str| (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if printable(algorithm) && printable(value) {
        Ok(())
    } else {
        Err(DigestError::Malformed)
    }
}

impl Serialize for DigestSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DigestSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut set = Self::new();
        for (algorithm, value) in &wire {
            set.insert(algorithm, value)
                .map_err(|error| strict_json::invalid(error.code(), error))?;
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests;
