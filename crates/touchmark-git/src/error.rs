//! Why a question about a repository, or a change of one, failed.

use std::path::PathBuf;

use touchmark_statement::git_id::{GitCommitId, ObjectFormat};
use touchmark_verify::git_view::GitViewError;

/// A failure, with its evidence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// An object could not be relied on.
    #[error(transparent)]
    View(#[from] GitViewError),
    /// There is no repository at or above the folder.
    #[error("no git repository at or above {}", path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// A bare repository inside another repository's work tree, where a clone could have put it.
    #[error("{} is a bare repository inside the work tree {}", path.display(), outer.display())]
    EmbeddedBare {
        /// The bare repository.
        path: PathBuf,
        /// The folder that holds it.
        outer: PathBuf,
    },
    /// A `.git` file names a repository that does not name it back.
    #[error("{} points to {}, which does not point back", file.display(), target.display())]
    GitFileElsewhere {
        /// The `.git` file.
        file: PathBuf,
        /// What it names.
        target: PathBuf,
    },
    /// Somebody else owns a part of the repository.
    #[error("{} is owned by user {owner}, not by {expected}", path.display())]
    ForeignOwner {
        /// The file or folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user of this process.
        expected: u32,
    },
    /// The repository uses a format this crate does not read.
    #[error("the repository's {key} is {value}, which is not supported")]
    UnsupportedFormat {
        /// The configuration key.
        key: String,
        /// Its value.
        value: String,
    },
    /// A control file of the repository does not have its form.
    #[error("{} is malformed at line {line}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The first bad line, from 1.
        line: usize,
    },
    /// A control file is larger than is read.
    #[error("{} is larger than {limit} bytes", path.display())]
    ControlFileTooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// A file could not be read or written.
    #[error("{} could not be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text cannot be a revision: it begins with `-` or holds bytes that no ref name has.
    #[error("{text:?} is not a revision")]
    RevisionSyntax {
        /// What was given.
        text: String,
    },
    /// The text is the beginning of an object id or looks like it.
    #[error("{text:?} looks like a shortened object id; give the full id or the full ref name")]
    RevisionAbbreviated {
        /// What was given.
        text: String,
    },
    /// Several refs answer to the name.
    #[error("{text:?} is ambiguous: {candidates:?}")]
    RevisionAmbiguous {
        /// What was given.
        text: String,
        /// Full names of everything it could mean.
        candidates: Vec<String>,
    },
    /// No ref has the name.
    #[error("{text:?} names nothing in this repository")]
    RevisionUnknown {
        /// What was given.
        text: String,
    },
    /// Two refs have names that are one where case or Unicode form does not count.
    #[error("refs {name} and {twin} are one name where case or Unicode form does not count")]
    RefCollision {
        /// The name that was asked for.
        name: String,
        /// The other one.
        twin: String,
    },
    /// A ref does not hold what a ref holds.
    #[error("ref {name} is unreadable")]
    RefUnreadable {
        /// The ref.
        name: String,
    },
    /// A ref or revision names something else than a commit.
    #[error("{name} names a {kind}, not a commit")]
    NotACommit {
        /// What was resolved.
        name: String,
        /// What it names.
        kind: &'static str,
    },
    /// The object id has the length of another hash function.
    #[error("{id} is not an id of a {format} repository")]
    ObjectFormat {
        /// The id.
        id: String,
        /// The format of this repository.
        format: ObjectFormat,
    },
    /// HEAD points to a branch without commits.
    #[error("there is no commit yet")]
    Unborn,
    /// The commits between base and head do not form a line.
    #[error("commit {commit} has {parents} parents; the range is not a line")]
    NotLinear {
        /// The merge commit.
        commit: GitCommitId,
        /// How many parents it has.
        parents: usize,
    },
    /// History was cut off inside the range.
    #[error("history ends at {commit} because the clone is shallow")]
    Shallow {
        /// The boundary.
        commit: GitCommitId,
    },
    /// Base is not among the ancestors of head.
    #[error("base {base} is not an ancestor of {head}")]
    BaseNotAncestor {
        /// The base.
        base: GitCommitId,
        /// The head.
        head: GitCommitId,
    },
    /// Base and head are the same commit.
    #[error("base and head are both {commit}; there is no change")]
    EmptyRange {
        /// The commit.
        commit: GitCommitId,
    },
    /// The range is longer than the caller allows.
    #[error("more than {limit} commits between base and head")]
    RangeCap {
        /// The limit.
        limit: usize,
    },
    /// The repository has no work tree.
    #[error("a bare repository has no work tree")]
    NoWorkTree,
    /// The `git` program was not found or not given.
    #[error("no usable git program")]
    ProgramMissing,
    /// The `git` program could not be started or ended badly.
    #[error("git {command} failed with status {status:?}: {stderr}")]
    Program {
        /// The subcommand.
        command: String,
        /// The exit status, if it ended by itself.
        status: Option<i32>,
        /// The first lines of its messages.
        stderr: String,
    },
    /// The `git` program took too long and was stopped.
    #[error("git {command} was stopped after {seconds} s")]
    Timeout {
        /// The subcommand.
        command: String,
        /// After how long.
        seconds: u64,
    },
    /// The `git` program wrote more than is read.
    #[error("git {command} wrote more than {limit} bytes")]
    OutputTooLarge {
        /// The subcommand.
        command: String,
        /// The limit.
        limit: usize,
    },
    /// The `git` program wrote something unexpected.
    #[error("git {command} wrote something unexpected")]
    UnexpectedOutput {
        /// The subcommand.
        command: String,
    },
    /// A remote name or address that is not one, or of a transport that is not allowed.
    #[error("{remote:?} is not a remote of an allowed kind")]
    Remote {
        /// What was given.
        remote: String,
    },
    /// The remote could not be reached or did not answer.
    #[error("remote {remote} is unavailable: {stderr}")]
    RemoteUnavailable {
        /// The remote, without credentials.
        remote: String,
        /// The first lines of git's messages.
        stderr: String,
    },
    /// The remote refused the evidence for a reason that trying again does not change.
    #[error("remote {remote} refused {ref_name}: {reason}")]
    PushRefused {
        /// The remote, without credentials.
        remote: String,
        /// The ref.
        ref_name: String,
        /// The remote's words.
        reason: String,
    },
    /// Others kept writing to the same ref.
    #[error("{ref_name} kept changing, gave up after {attempts} attempts")]
    Contended {
        /// The ref.
        ref_name: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An evidence file name or key that this crate does not write.
    #[error("{name:?} is not the name of an evidence file")]
    EvidenceName {
        /// What was given.
        name: String,
    },
    /// More evidence than is read.
    #[error("evidence at {ref_name} exceeds the limit of {limit} {unit}")]
    EvidenceCap {
        /// The ref.
        ref_name: String,
        /// The limit.
        limit: u64,
        /// Files or bytes.
        unit: &'static str,
    },
    /// An object could not be written.
    #[error("an object could not be written to the repository")]
    WriteObject {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl GitError {
    /// Returns the stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::View(error) => error.code(),
            Self::NotARepository { .. } => "git.not_a_repository",
            Self::EmbeddedBare { .. } => "git.embedded_bare",
            Self::GitFileElsewhere { .. } => "git.gitfile_elsewhere",
            Self::ForeignOwner { .. } => "git.foreign_owner",
            Self::UnsupportedFormat { .. } => "git.unsupported_format",
            Self::Malformed { .. } => "git.malformed_file",
            Self::ControlFileTooLarge { .. } => "git.control_file_too_large",
            Self::Io { .. } => "git.io",
            Self::RevisionSyntax { .. } => "git.revision_syntax",
            Self::RevisionAbbreviated { .. } => "git.revision_abbreviated",
            Self::RevisionAmbiguous { .. } => "git.revision_ambiguous",
            Self::RevisionUnknown { .. } => "git.revision_unknown",
            Self::RefCollision { .. } => "git.ref_collision",
            Self::RefUnreadable { .. } => "git.ref_unreadable",
            Self::NotACommit { .. } => "git.not_a_commit",
            Self::ObjectFormat { .. } => "git.object_format",
            Self::Unborn => "git.unborn",
            Self::NotLinear { .. } => "git.not_linear",
            Self::Shallow { .. } => "git.shallow",
            Self::BaseNotAncestor { .. } => "git.base_not_ancestor",
            Self::EmptyRange { .. } => "git.empty_range",
            Self::RangeCap { .. } => "git.range_cap",
            Self::NoWorkTree => "git.no_work_tree",
            Self::ProgramMissing => "git.program_missing",
            Self::Program { .. } => "git.program_failed",
            Self::Timeout { .. } => "git.timeout",
            Self::OutputTooLarge { .. } => "git.output_too_large",
            Self::UnexpectedOutput { .. } => "git.unexpected_output",
            Self::Remote { .. } => "git.remote",
            Self::RemoteUnavailable { .. } => "git.remote_unavailable",
            Self::PushRefused { .. } => "git.push_refused",
            Self::Contended { .. } => "git.contended",
            Self::EvidenceName { .. } => "git.evidence_name",
            Self::EvidenceCap { .. } => "git.evidence_cap",
            Self::WriteObject { .. } => "git.write_object",
        }
    }

    /// Wraps an I/O error with the file it is about.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
