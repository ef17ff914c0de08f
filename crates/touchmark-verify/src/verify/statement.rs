//! Step 7: the signed bytes are a statement, and its predicate and subjects speak of the same things.
//!
//! Tools that know only in-toto look at subjects, ours at predicates too; a statement in which the two disagree would
//! be about one thing for them and another for us.

use thiserror::Error;
use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::Review;
use touchmark_statement::statement::{ResourceDescriptor, SignedStatement, Statement, StatementError};

use super::envelope::Opened;
use crate::verified::{Check, LogFinding, SignerIdentity, VerifiedStatement, VerifiedTime};

/// Why the signed bytes are no statement that can be relied on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The signed bytes are no statement.
    #[error("the signed bytes are not a statement")]
    Statement(#[from] StatementError),
    /// The predicate names an object that no subject names.
    #[error("the predicate is about {object}, which no subject names")]
    SubjectMissing {
        /// The object.
        object: String,
    },
    /// A subject names an object that the predicate is not about.
    #[error("subject {subject} is {found}, but the predicate is about {expected}")]
    SubjectMismatch {
        /// The position of the subject.
        subject: usize,
        /// What the predicate is about.
        expected: String,
        /// What the subject names.
        found: String,
    },
    /// The digests of one subject name objects of several kinds.
    #[error("the digests of subject {subject} name several git objects")]
    SubjectMixed {
        /// The position of the subject.
        subject: usize,
    },
}

impl ContentError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Statement(error) => error.code(),
            Self::SubjectMissing { .. } => "statement.subject_missing",
            Self::SubjectMismatch { .. } => "statement.subject_mismatch",
            Self::SubjectMixed { .. } => "statement.subject_mixed",
        }
    }
}

/// A statement that was read from the signed bytes.
#[derive(Debug)]
pub(super) struct Content {
    signed: SignedStatement,
}

/// Reads the statement from the bytes that the signature covers.
pub(super) fn read(opened: &Opened<'_>) -> Result<Content, ContentError> {
    let signed = SignedStatement::parse(opened.payload().to_vec())?;
    require_agreement(signed.statement())?;
    Ok(Content { signed })
}

/// Compares the subjects with what the predicate says it is about. Other predicates are about their subjects alone.
fn require_agreement(statement: &Statement) -> Result<(), ContentError> {
    match &statement.predicate {
        Predicate::AgentChange(claim) => require_change(&statement.subject, claim),
        Predicate::Review(review) => require_review(&statement.subject, review),
        _ => Ok(()),
    }
}

fn require_change(subjects: &[ResourceDescriptor], claim: &AgentChange) -> Result<(), ContentError> {
    let proposed = &claim.change.proposed;
    require_objects(subjects, proposed.git_commit.as_ref(), &proposed.git_tree)
}

fn require_review(subjects: &[ResourceDescriptor], review: &Review) -> Result<(), ContentError> {
    if let Some(change) = &review.change {
        require_objects(subjects, Some(&change.head), &change.result_tree)?;
    }
    let Some(deploy) = &review.deploy else {
        return Ok(());
    };
    for (subject, descriptor) in subjects.iter().enumerate() {
        if !descriptor.digest.agrees_with(&deploy.artifact) {
            let shown = |set: &touchmark_statement::digest::DigestSet| {
                set.iter()
                    .map(|(algorithm, value)| format!("{algorithm}:{value}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let (expected, found) = (shown(&deploy.artifact), shown(&descriptor.digest));
            return Err(ContentError::SubjectMismatch {
                subject,
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// Every subject that names a commit or tree names these, and each of these is named by a subject.
fn require_objects(
    subjects: &[ResourceDescriptor],
    commit: Option<&GitCommitId>,
    tree: &GitTreeId,
) -> Result<(), ContentError> {
    let (mut commit_named, mut tree_named) = (commit.is_none(), false);
    for (subject, descriptor) in subjects.iter().enumerate() {
        let kinds = ["gitCommit", "gitTree", "gitBlob", "gitTag"];
        if kinds
            .iter()
            .filter(|kind| descriptor.digest.get(kind).is_some())
            .count()
            > 1
        {
            return Err(ContentError::SubjectMixed { subject });
        }
        if let Some(found) = descriptor.digest.git_commit() {
            if commit != Some(&found) {
                let expected =
                    commit.map_or_else(|| "no commit".to_owned(), |commit| format!("commit {commit}"));
                let found = format!("commit {found}");
                return Err(ContentError::SubjectMismatch {
                    subject,
                    expected,
                    found,
                });
            }
            commit_named = true;
        }
        if let Some(found) = descriptor.digest.git_tree() {
            if found != *tree {
                let (expected, found) = (format!("tree {tree}"), format!("tree {found}"));
                return Err(ContentError::SubjectMismatch {
                    subject,
                    expected,
                    found,
                });
            }
            tree_named = true;
        }
    }
    match commit {
        Some(commit) if !commit_named => Err(ContentError::SubjectMissing {
            object: format!("commit {commit}"),
        }),
        _ if !tree_named => Err(ContentError::SubjectMissing {
            object: format!("tree {tree}"),
        }),
        _ => Ok(()),
    }
}

impl Content {
    /// Brings together what all steps proved.
    pub(super) fn into_verified(
        self,
        signer: SignerIdentity,
        logs: Vec<LogFinding>,
        times: Vec<VerifiedTime>,
        mut checks: Vec<Check>,
    ) -> VerifiedStatement {
        checks.push(Check::pass("statement.form"));
        checks.push(match &self.signed.statement().predicate {
            Predicate::AgentChange(_) | Predicate::Review(_) => Check::pass("statement.subjects"),
            _ => Check::skipped(
                "statement.subjects",
                "the predicate repeats nothing of its subjects",
            ),
        });
        let digest = self.signed.payload_digest();
        VerifiedStatement::new(self.signed, digest, signer, logs, times, checks)
    }
}
