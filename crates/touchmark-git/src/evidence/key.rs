//! The names of evidence: refs and files.

use std::fmt;
use std::str::FromStr;

use touchmark_statement::git_id::{GitCommitId, GitTreeId, ObjectFormat};

use crate::error::GitError;

/// What a piece of evidence is filed under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKey {
    /// A commit.
    Commit(GitCommitId),
    /// A tree.
    Tree(GitTreeId),
}

/// Where all evidence refs are.
pub(crate) const PREFIX: &str = "refs/touchmark/";

impl EvidenceKey {
    /// Returns the full name of the ref.
    pub fn ref_name(&self) -> String {
        let (kind, id) = match self {
            Self::Commit(id) => ("commit", id.as_str()),
            Self::Tree(id) => ("tree", id.as_str()),
        };
        format!("{PREFIX}{kind}/{}/{id}", &id[..2])
    }

    /// Parses the full name of a ref; `None` when it is not exactly the name of an evidence ref.
    pub fn from_ref_name(name: &str) -> Option<Self> {
        let (kind, id) = name.strip_prefix(PREFIX)?.split_once('/')?;
        let (shard, id) = id.split_once('/')?;
        let key = match kind {
            "commit" => Self::Commit(id.parse().ok()?),
            "tree" => Self::Tree(id.parse().ok()?),
            _ => return None,
        };
        (shard == &id[..2]).then_some(key)
    }

    /// Returns the hash function of the id.
    pub fn object_format(&self) -> ObjectFormat {
        match self {
            Self::Commit(id) => id.object_format(),
            Self::Tree(id) => id.object_format(),
        }
    }
}

impl fmt::Display for EvidenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => write!(f, "commit {id}"),
            Self::Tree(id) => write!(f, "tree {id}"),
        }
    }
}

/// The name of an evidence file, `<payload sha256>-<signer id>.sigstore.json`.
///
/// Where two different files claim one name, the later one is kept beside the first as
/// `<payload sha256>-<signer id>.<16 hex digits of its own sha256>.sigstore.json`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceName(String);

const SUFFIX: &str = ".sigstore.json";

impl EvidenceName {
    /// Returns the file name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the hex digits of the payload's digest.
    pub fn payload(&self) -> &str {
        &self.0[..64]
    }

    /// Returns the signer id.
    pub fn signer(&self) -> &str {
        let rest = &self.0[65..];
        &rest[..rest.find('.').unwrap_or(rest.len())]
    }

    /// Returns the name under which another file of the same name is kept.
    pub(crate) fn beside(&self, content_sha256: &str) -> Self {
        Self(format!(
            "{}-{}.{}{SUFFIX}",
            self.payload(),
            self.signer(),
            &content_sha256[..16]
        ))
    }
}

impl FromStr for EvidenceName {
    type Err = GitError;

    fn from_str(name: &str) -> Result<Self, GitError> {
        let refused = || GitError::EvidenceName {
            name: name.chars().take(200).collect(),
        };
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let stem = name.strip_suffix(SUFFIX).ok_or_else(refused)?;
        let (payload, rest) = stem.split_once('-').ok_or_else(refused)?;
        let (signer, beside) = rest
            .split_once('.')
            .map_or((rest, None), |(signer, b)| (signer, Some(b)));
        let sound = payload.len() == 64
            && hex(payload)
            && (8..=128).contains(&signer.len())
            && hex(signer)
            && beside.is_none_or(|beside| beside.len() == 16 && hex(beside));
        if sound {
            Ok(Self(name.to_owned()))
        } else {
            Err(refused())
        }
    }
}

impl fmt::Display for EvidenceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ref_names_go_there_and_back() {
        let commit = EvidenceKey::Commit("ab".repeat(20).parse().unwrap());
        assert_eq!(
            commit.ref_name(),
            format!("refs/touchmark/commit/ab/{}", "ab".repeat(20))
        );
        let tree = EvidenceKey::Tree("cd".repeat(32).parse().unwrap());
        for key in [commit, tree] {
            assert_eq!(EvidenceKey::from_ref_name(&key.ref_name()), Some(key));
        }
        for bad in [
            format!("refs/touchmark/commit/ac/{}", "ab".repeat(20)),
            format!("refs/touchmark/blob/ab/{}", "ab".repeat(20)),
            format!("refs/touchmark/commit/ab/{}/x", "ab".repeat(20)),
            format!("refs/touchmark/commit/{}", "ab".repeat(20)),
            format!("refs/touchmark/commit/AB/{}", "AB".repeat(20)),
        ] {
            assert_eq!(EvidenceKey::from_ref_name(&bad), None, "{bad}");
        }
    }

    #[test]
    fn file_names_have_one_form() {
        let name = format!("{}-{}.sigstore.json", "a".repeat(64), "b".repeat(64));
        let name: EvidenceName = name.parse().unwrap();
        assert_eq!(
            (name.payload().len(), name.signer()),
            (64, "b".repeat(64).as_str())
        );
        let beside = name.beside(&"c".repeat(64));
        assert_eq!(
            beside.as_str().parse::<EvidenceName>().unwrap().signer(),
            name.signer()
        );
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        for bad in [
            format!("{a}.sigstore.json"),
            format!("{a}-{b}.json"),
            format!("{}-{b}.sigstore.json", "A".repeat(64)),
            format!("{a}-{b}.zz.sigstore.json"),
            format!("{a}-../x.sigstore.json"),
            format!("{a}-.sigstore.json"),
        ] {
            assert_eq!(
                bad.parse::<EvidenceName>().unwrap_err().code(),
                "git.evidence_name",
                "{bad}"
            );
        }
    }
}
