//! What `--artifact` and `--digest` name, and whether a statement is about it.

use std::path::Path;

use touchmark_statement::digest::DigestSet;
use touchmark_statement::statement::Statement;
use touchmark_verify::message::{ArtifactDigests, DigestAlgorithm};

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;

/// The largest artifact that is read.
const MAX_ARTIFACT_BYTES: u64 = 1024 * 1024 * 1024;

/// An artifact, by its bytes or by a digest alone.
pub(super) struct Artifact {
    /// As it was named.
    pub(super) name: String,
    /// Its digests by algorithm.
    pub(super) digests: DigestSet,
    /// The same, for signatures over the artifact itself.
    pub(super) message: ArtifactDigests,
}

impl Artifact {
    /// Reads what a flag names: `ALGORITHM:HEX`, or a file.
    pub(super) fn load(text: &str, context: &Context<'_>) -> Result<Self, CliError> {
        let algorithm = text
            .split_once(':')
            .and_then(|(name, hex)| Some((algorithm(name)?, hex)));
        match algorithm {
            Some((algorithm, hex)) => Self::of_digest(text, algorithm, hex),
            None => Self::of_file(text, context),
        }
    }

    fn of_digest(text: &str, algorithm: DigestAlgorithm, hex: &str) -> Result<Self, CliError> {
        let mut digests = DigestSet::new();
        let malformed = || {
            CliError::usage(
                "verify.digest",
                format!("{text} is not {algorithm}: and lowercase hex digits of its length"),
            )
        };
        digests
            .insert(&algorithm.to_string(), hex)
            .map_err(|_| malformed())?;
        let bytes: Option<Vec<u8>> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
            .collect();
        let message = ArtifactDigests::from_digest(algorithm, bytes.ok_or_else(malformed)?);
        Ok(Self {
            name: text.to_owned(),
            digests,
            message: message.ok_or_else(malformed)?,
        })
    }

    fn of_file(text: &str, context: &Context<'_>) -> Result<Self, CliError> {
        let bytes = file_argument::read(&context.path(Path::new(text)), MAX_ARTIFACT_BYTES)?;
        let message = ArtifactDigests::of(bytes);
        let mut digests = DigestSet::new();
        for algorithm in DigestAlgorithm::ALL {
            let hex: String = message
                .get(algorithm)
                .unwrap_or_default()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            digests.insert(&algorithm.to_string(), &hex).map_err(|error| {
                CliError::failed("cli.internal", "a digest that was just made is malformed").because(error)
            })?;
        }
        Ok(Self {
            name: text.to_owned(),
            digests,
            message,
        })
    }

    /// Returns the number of the subject that is this artifact: every digest that both know agrees.
    pub(super) fn subject_of(&self, statement: &Statement) -> Result<usize, CliError> {
        let mut subjects = statement.subject.iter();
        subjects
            .position(|subject| subject.digest.agrees_with(&self.digests))
            .ok_or_else(|| {
                CliError::new(
                    ExitCode::Invalid,
                    "subject.not_bound",
                    format!("no subject of the statement is {}", self.name),
                )
                .hint("the statement is about something else; `touchmark inspect` shows its subjects")
            })
    }
}

fn algorithm(name: &str) -> Option<DigestAlgorithm> {
    DigestAlgorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.to_string() == name)
}
