//! Who took part, as several sources say, and where they contradict each other.
//!
//! Nobody's name or address stands here: an agent is named as agents are known, a person is `person`. Git holds the rest,
//! and a verifier reads it there again.

use serde::{Deserialize, Serialize};

use super::Source;

/// What one source says of who took part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The part that is spoken of.
    pub role: IdentityRole,
    /// The known name of an agent, the name of an unknown bot, `person`, an identifier or an address, by its role.
    pub value: String,
    /// What kind of source says so.
    pub source: Source,
    /// Which one it is: the name of a variable or of a trailer, `author`, a flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The part that a source speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IdentityRole {
    /// The agent's product.
    Agent,
    /// The session's identifier.
    Session,
    /// Who wrote the commits.
    Author,
    /// Who made the commits.
    Committer,
    /// The repository in which the signer's token says that it runs.
    Repository,
    /// Whom the signer's token names.
    Signer,
}

/// A contradiction that whoever wrote the statement found: both values are kept, neither wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The stable code of what was found.
    pub code: String,
    /// What the sources say.
    pub values: Vec<FoundValue>,
}

/// One side of a contradiction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundValue {
    /// What is said.
    pub value: String,
    /// What kind of source says so.
    pub source: Source,
    /// Which one it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
