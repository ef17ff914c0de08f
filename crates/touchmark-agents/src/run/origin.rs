//! Where a run comes from: the session before it, the commit it began at, the way it was started.

/// The session that a session goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentSession {
    /// Its identifier, as the product names it.
    pub session_id: String,
    /// What the run is to it.
    pub relation: Relation,
}

/// What a run is to the session that it goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Relation {
    /// It began with a copy of the other's records.
    Fork,
    /// It goes on where the other ended.
    Resume,
    /// The other delegated work to it.
    Subagent,
}

impl Relation {
    /// Returns the relation as messages spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Resume => "resume",
            Self::Subagent => "subagent",
        }
    }
}

/// A commit that the session says it began at: a hint, to be looked up in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseCommit {
    /// The commit's id or the beginning of it, lowercase hex, 7 to 64 digits.
    pub id: String,
    /// The branch, where it is named.
    pub branch: Option<String>,
    /// The address of the repository, where it is named, without what stands before an `@` in it.
    pub repository: Option<String>,
}
