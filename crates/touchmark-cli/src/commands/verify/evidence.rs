//! The evidence that a question is answered with: bundles from refs, files, folders and standard input.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use touchmark_git::{EvidenceName, Repository};
use touchmark_policy::Policy;
use touchmark_policy::file::{Principal, Signer};
use touchmark_policy::judge::Candidate;
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::evidence::SignerId;
use touchmark_verify::identity::{CertificateIdentity, IdentityRule, SubjectAlternativeName, TextPattern};
use touchmark_verify::key::PublicKey;
use touchmark_verify::lineage::ChangeUnderJudgement;
use touchmark_verify::x509;

use super::Args;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;

/// How far back the first commit is sought when evidence names the repository by it.
const MAX_HISTORY: usize = 1_000_000;
/// How many pieces of evidence by signers that no policy knows are looked at: enough to say so, and too few to matter.
const MAX_UNKNOWN: u32 = 4;
/// The largest file of bundles.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// The most files of a folder.
const MAX_FILES: usize = 10_000;
/// The most bytes of all files of a folder.
const MAX_FOLDER_BYTES: u64 = 1024 * 1024 * 1024;
/// The most bundles in one file: of short lines, each costs more memory than its bytes.
const MAX_LINES: usize = 1_000_000;

/// The signers that policies know, as the names of evidence files tell them.
struct Known {
    ids: BTreeSet<String>,
    /// Expressions, which no name of a file tells: for them the certificate itself is read.
    expressions: Vec<IdentityRule>,
}

impl Known {
    fn of(policies: &[(String, Policy)]) -> Self {
        let signers: Vec<&Signer> = policies
            .iter()
            .flat_map(|(_, policy)| policy.principals())
            .flat_map(Principal::signers)
            .collect();
        let mut known = Self {
            ids: signers
                .iter()
                .filter_map(|signer| signer.key())
                .map(|key| SignerId::of_key(key).to_string())
                .collect(),
            expressions: Vec::new(),
        };
        for rule in signers.iter().filter_map(|signer| signer.identity()) {
            let (TextPattern::Exact(issuer), TextPattern::Exact(san)) = (&rule.issuer, &rule.san) else {
                known.expressions.push(rule.clone());
                continue;
            };
            let kinds = [
                SubjectAlternativeName::Email(san.clone()),
                SubjectAlternativeName::Uri(san.clone()),
                SubjectAlternativeName::OtherName(san.clone()),
            ];
            let ids = kinds.map(|san| SignerId::of_identity(&CertificateIdentity::new(san, issuer)));
            known.ids.extend(ids.map(|id| id.to_string()));
        }
        known
    }

    /// Whether the certificate of a bundle, unverified, has a name that an expression matches.
    fn matches(&self, bytes: &[u8]) -> bool {
        let identity = || {
            let bundle = Bundle::parse(bytes).ok()?;
            let leaf = match &bundle.material {
                VerificationMaterial::PublicKey { .. } => None,
                VerificationMaterial::Certificate(leaf) => Some(leaf),
                VerificationMaterial::CertificateChain(chain) => chain.first(),
            };
            x509::claimed_identity(leaf?).ok()
        };
        !self.expressions.is_empty()
            && identity().is_some_and(|identity| {
                let mut rules = self.expressions.iter();
                rules.any(|rule| {
                    rule.issuer.matches(&identity.issuer) && rule.san.matches(identity.san.as_str())
                })
            })
    }
}

/// Evidence from the refs, filtered by the signers that a policy knows, and from the files that were given.
pub(super) fn candidates(
    args: &Args,
    change: &mut ChangeUnderJudgement,
    policies: &[(String, Policy)],
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Vec<Candidate>, CliError> {
    let known = Known::of(policies);
    // Evidence of unknown signers decides nothing, but its reader wants to know that it is there.
    let unknown = Cell::new(0);
    let is_one_of_a_few = || {
        unknown.set(unknown.get() + 1);
        unknown.get() <= MAX_UNKNOWN
    };
    let wanted = |name: &EvidenceName| {
        known.ids.contains(name.signer()) || !known.expressions.is_empty() || is_one_of_a_few()
    };
    let keep = |name: &EvidenceName, bytes: &[u8]| {
        known.expressions.is_empty()
            || known.ids.contains(name.signer())
            || known.matches(bytes)
            || is_one_of_a_few()
    };
    let gathered = repository.evidence_kept(change, &wanted, &keep)?;
    // Files may name the repository by its first commit too.
    if gathered.names_root_commit || !args.bundle.is_empty() {
        change.repository.root_commits = first_commits(change, repository, context);
    }
    let mut candidates: Vec<Candidate> = gathered
        .files
        .into_iter()
        .map(|file| Candidate {
            source: format!("{}:{}", file.ref_name, file.name),
            bytes: file.bytes,
        })
        .collect();
    for path in &args.bundle {
        candidates.extend(given(path, context)?);
    }
    Ok(candidates)
}

/// The first commit of the protected ref: what is checked out is the change's to choose. Where it cannot be found, what
/// names the repository by it does not count; evidence that nobody verified must not end the question.
fn first_commits(
    change: &ChangeUnderJudgement,
    repository: &Repository,
    context: &Context<'_>,
) -> Vec<GitCommitId> {
    match repository.root_commits_of(&change.base_commit, MAX_HISTORY) {
        Ok(commits) => commits,
        Err(error) => {
            context.output.warn(format!(
                "evidence that names the repository by its first commit does not count: {error}"
            ));
            Vec::new()
        }
    }
}

/// The bundles that one `--bundle` names; `-` is standard input.
pub(super) fn given(path: &Path, context: &Context<'_>) -> Result<Vec<Candidate>, CliError> {
    if path != Path::new("-") {
        return bundles(&context.path(path));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| CliError::io("file.unreadable", path, &error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(CliError::failed(
            "file.too_large",
            format!("standard input is larger than {MAX_FILE_BYTES} bytes"),
        ));
    }
    Ok(match is_json_lines(&bytes) {
        true => lines("standard input", &bytes)?,
        false => vec![Candidate {
            source: "standard input".to_owned(),
            bytes,
        }],
    })
}

/// Several lines, the first of which is a whole object.
fn is_json_lines(bytes: &[u8]) -> bool {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    first.starts_with(b"{") && first.ends_with(b"}") && lines.next().is_some()
}

fn lines(source: &str, bytes: &[u8]) -> Result<Vec<Candidate>, CliError> {
    let lines = || {
        bytes
            .split(|byte| *byte == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
    };
    if lines().nth(MAX_LINES).is_some() {
        return Err(CliError::failed(
            "file.too_many",
            format!("{source} holds more than {MAX_LINES} lines"),
        ));
    }
    Ok(lines()
        .map(|(number, line)| Candidate {
            source: format!("{source}:{}", number + 1),
            bytes: line.to_vec(),
        })
        .collect())
}

/// The bundles of a file (one, or one a line) or of every `.json` and `.jsonl` file of a folder.
pub(crate) fn bundles(path: &Path) -> Result<Vec<Candidate>, CliError> {
    let unreadable = |error: std::io::Error| CliError::io("file.unreadable", path, &error);
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .map_err(unreadable)?
            .take(MAX_FILES + 1)
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        if entries.len() > MAX_FILES {
            return Err(CliError::failed(
                "file.too_many",
                format!("{} holds more than {MAX_FILES} files", path.display()),
            ));
        }
        entries.retain(|entry| {
            entry
                .extension()
                .is_some_and(|ending| ending == "json" || ending == "jsonl")
        });
        entries.sort();
        files = entries;
    }
    let (mut candidates, mut left) = (Vec::new(), MAX_FOLDER_BYTES);
    for file in files {
        let bytes = file_argument::read(&file, MAX_FILE_BYTES.min(left))?;
        left -= bytes.len() as u64;
        let source = file.display().to_string();
        if file.extension().is_some_and(|ending| ending == "jsonl") {
            candidates.extend(lines(&source, &bytes)?);
        } else {
            candidates.push(Candidate { source, bytes });
        }
        if candidates.len() > MAX_LINES {
            return Err(CliError::failed(
                "file.too_many",
                format!("{} holds more than {MAX_LINES} bundles", path.display()),
            ));
        }
    }
    Ok(candidates)
}

/// The keys given as files; fingerprints need no material of their own.
pub(super) fn public_keys(given: &[String], context: &Context<'_>) -> Result<Vec<PublicKey>, CliError> {
    const MAX_KEY_BYTES: u64 = 64 * 1024;
    let files = given.iter().filter(|text| !text.starts_with("sha256:"));
    files
        .map(|file| {
            let bytes = file_argument::read(&context.path(Path::new(file)), MAX_KEY_BYTES)?;
            PublicKey::from_pem(&bytes).map_err(|error| {
                CliError::from_error(ExitCode::Usage, error.code(), &error).because(format_args!("in {file}"))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_16_a_file_of_a_million_short_lines_is_refused_before_they_cost_memory() {
        let count = |lines: usize| {
            let found = super::lines("a", "{}\n\n".repeat(lines).as_bytes());
            found.map_or_else(|error| error.code().to_owned(), |found| found.len().to_string())
        };
        assert_eq!(count(2), "2");
        assert_eq!(count(MAX_LINES + 1), "file.too_many");
    }
}
