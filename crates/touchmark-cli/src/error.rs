//! Exit codes, and the one place where failures become words, codes and hints.

use std::path::Path;

use touchmark_policy::reason::registry::{self, Entry};
use touchmark_sign::folder::FolderError;
use touchmark_verify::git_view::GitViewError;

/// How the process ends: the gate's own codes. Only `Allowed` is 0, and nothing defaults to it.
pub(crate) use touchmark_policy::ExitCode;

/// A failure as the user sees it: exit code, stable code, what happened, why, and what to do about it.
///
/// The parts are plain text and may quote the repository or evidence; `Output::error` escapes all of them.
#[derive(Debug, Clone)]
pub(crate) struct CliError {
    exit: ExitCode,
    code: String,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl CliError {
    /// A failure with this exit code, stable code and message.
    pub(crate) fn new(exit: ExitCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            message: message.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// A failure of the caller's making: flags, configuration, files named wrongly.
    pub(crate) fn usage(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, code, message)
    }

    /// A failure that is nobody's decision: could not do it.
    pub(crate) fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ExitCode::Error, code, message)
    }

    /// A failure of the operating system about one path.
    pub(crate) fn io(code: &'static str, path: &Path, error: &std::io::Error) -> Self {
        Self::failed(code, format!("cannot use {}", path.display())).because(error)
    }

    /// A library's error: its own stable code, its message and everything beneath it.
    pub(crate) fn from_error(exit: ExitCode, code: &str, error: &dyn std::error::Error) -> Self {
        let mut this = Self::new(exit, code, error.to_string());
        this.hint = usual_hint(code).map(str::to_owned);
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(hint) = cause.downcast_ref().and_then(disk_hint) {
                this.hint = Some(hint.to_owned());
            }
            // Bounded: an error chain that refers to itself would not end.
            if this.causes.len() == 8 {
                break;
            }
            this.causes.push(cause.to_string());
            source = cause.source();
        }
        this
    }

    /// The panic that `main` caught. `place` is a source position, never the panic's message.
    pub(crate) fn panicked(place: &str) -> Self {
        Self::failed("cli.internal", format!("internal error at {place}"))
            .hint("this is a bug in touchmark; nothing was decided, please report it with the version and this line")
    }

    /// Neither `TOUCHMARK_HOME` nor `HOME` says where data may be kept.
    pub(crate) fn no_home() -> Self {
        Self::usage(
            "home.unknown",
            "no folder for data and configuration is known: HOME is not set",
        )
        .hint("set HOME, or TOUCHMARK_HOME to a folder of your own")
    }

    /// Adds a cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what would help.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> ExitCode {
        self.exit
    }

    /// The stable code, `area.reason`.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Why, outermost first.
    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What would help, if anything is known.
    pub(crate) fn help(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// What helps against every failure of one area.
fn usual_hint(code: &str) -> Option<&'static str> {
    match code.split('.').next() {
        Some("session") => Some("name another session with --session FILE"),
        Some("metadata") => {
            Some("a record has agent_id, model, prompt_hash, base_sha, proposed_sha and timestamp")
        }
        Some("store" | "vault" | "spool") => {
            Some("`touchmark status` shows the folders; nothing that was signed is lost")
        }
        _ => None,
    }
}

/// What helps when the operating system refuses to write.
fn disk_hint(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            Some("make room on the disk and run it again; nothing that was signed is lost")
        }
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
            Some("this place cannot be written to; make it writable or choose another")
        }
        _ => None,
    }
}

/// Library errors that always mean the same to the caller.
macro_rules! coded {
    ($($error:ty => $exit:expr),+ $(,)?) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::from_error($exit, error.code(), &error)
            }
        }
    )+};
}

coded! {
    touchmark_agents::ImportError => ExitCode::Error,
    touchmark_rekor::spool::SpoolError => ExitCode::Error,
    touchmark_sign::SignError => ExitCode::Error,
    touchmark_sign::vault::VaultError => ExitCode::Error,
    touchmark_statement::sbom::SbomError => ExitCode::Usage,
    touchmark_statement::statement::StatementError => ExitCode::Error,
    touchmark_statement::strict_json::JsonError => ExitCode::Error,
    touchmark_verify::bundle::BundleError => ExitCode::Error,
    touchmark_verify::commitment::CommitmentError => ExitCode::Error,
    touchmark_verify::trust::TrustError => ExitCode::Usage,
    touchmark_verify::verify::VerifyError => ExitCode::Invalid,
    touchmark_log::LogError => ExitCode::Error,
    touchmark_sign::key_uri::KeyUriError => ExitCode::Usage,
    touchmark_sign::password::PasswordError => ExitCode::Usage,
    touchmark_statement::timestamp::TimestampError => ExitCode::Usage,
}

impl From<touchmark_http::HttpError> for CliError {
    fn from(error: touchmark_http::HttpError) -> Self {
        let exit = if error.is_worth_retrying() {
            ExitCode::Unavailable
        } else {
            ExitCode::Usage
        };
        Self::from_error(exit, error.code(), &error)
    }
}

impl From<touchmark_sign::agent::AgentError> for CliError {
    fn from(error: touchmark_sign::agent::AgentError) -> Self {
        use touchmark_sign::agent::AgentError as E;
        let exit = match error {
            E::Unreachable { .. } | E::Timeout { .. } => ExitCode::Unavailable,
            E::NoUsableKey { .. } | E::Ambiguous { .. } | E::NotFound { .. } | E::Fido => ExitCode::Usage,
            _ => ExitCode::Error,
        };
        let hint = match error {
            E::Ambiguous { .. } | E::NotFound { .. } => {
                "name it as `ssh-add -l` shows it: --key ssh-agent:SHA256:… or ssh-agent:COMMENT"
            }
            E::Unreachable { .. } => {
                "SSH_AUTH_SOCK names a socket that nobody answers on; start an ssh-agent"
            }
            _ => "`ssh-add -l` lists what the agent holds",
        };
        Self::from_error(exit, error.code(), &error).hint(hint)
    }
}

impl From<touchmark_sign::key_file::KeyFileError> for CliError {
    fn from(error: touchmark_sign::key_file::KeyFileError) -> Self {
        use touchmark_sign::key_file::KeyFileError as E;
        // Whether a password opens a key could not be decided for it, only tried: an error, not a usage.
        let exit = match error {
            E::PasswordWrong | E::KdfCost { .. } | E::Io { .. } | E::NoRandomness => ExitCode::Error,
            _ => ExitCode::Usage,
        };
        let hint = match &error {
            E::Permissions { path, .. } => Some(format!("chmod 600 {}", path.display())),
            E::InWorkTree { .. } => Some("move the key out of the repository".to_owned()),
            E::Symlink { .. } | E::NotRegular { .. } => Some("name the key file itself".to_owned()),
            E::NotFound { .. } => Some("`touchmark key generate` makes a key".to_owned()),
            E::Exists { .. } => {
                Some("no key is ever replaced; give the new one a name of its own".to_owned())
            }
            E::PasswordWrong => Some("nothing was signed; try again".to_owned()),
            E::PublicWherePrivateExpected => Some("give the private key's file".to_owned()),
            _ => None,
        };
        let error = Self::from_error(exit, error.code(), &error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<touchmark_sign::attestation::AttestationError> for CliError {
    fn from(error: touchmark_sign::attestation::AttestationError) -> Self {
        use touchmark_sign::attestation::AttestationError as E;
        let code = error.code();
        match &error {
            E::Ed25519NotLoggable { .. } => Self::from_error(ExitCode::Usage, code, &error)
                .hint("use a P-256 key: `touchmark key generate`"),
            _ => Self::from_error(ExitCode::Error, code, &error),
        }
    }
}

impl From<GitViewError> for CliError {
    fn from(error: GitViewError) -> Self {
        Self::from_error(exit_of(error.code()), error.code(), &error)
    }
}

impl From<FolderError> for CliError {
    fn from(error: FolderError) -> Self {
        Self::from_error(exit_of(error.code()), error.code(), &error)
            .hint("free some space or choose another folder, and run it again")
    }
}

/// The exit code that the registry gives a code, so that `explain` and the process never disagree.
pub(crate) fn exit_of(code: &str) -> ExitCode {
    registry::explain(code)
        .and_then(Entry::exit_code)
        .unwrap_or(ExitCode::Error)
}

impl From<touchmark_git::GitError> for CliError {
    fn from(error: touchmark_git::GitError) -> Self {
        use touchmark_git::GitError as E;
        let hint = match &error {
            E::NotARepository { .. } => "go to a repository, or name one with -C DIR",
            E::EmbeddedBare { .. } | E::GitFileElsewhere { .. } => {
                "this folder pretends to be a repository; work in the real one"
            }
            E::ForeignOwner { .. } => "somebody else owns it; clone it as yourself",
            E::RevisionAbbreviated { .. } | E::RevisionSyntax { .. } => {
                "`git rev-parse REV` prints the full id"
            }
            E::RevisionAmbiguous { .. } => "give the full ref name, refs/…",
            E::RevisionUnknown { .. } | E::NotACommit { .. } => {
                "`git branch --all` lists the branches; tags and full ids work too"
            }
            E::Unborn => "make the first commit",
            E::NotLinear { .. } => "attest before merging, or choose a later --base",
            E::BaseNotAncestor { .. } => {
                "rebase onto the base or merge it in, or name the commit that the work started from"
            }
            E::EmptyRange { .. } => "commit the work first, choose an earlier --base, or say --uncommitted",
            E::NoWorkTree => "a bare repository has commits only; leave out --uncommitted",
            E::Shallow { .. } => "fetch the missing history: git fetch --unshallow",
            E::ProgramMissing => "install git and put its folder into PATH",
            E::RemoteUnavailable { .. } => "try again when the remote answers",
            E::Contended { .. } => "others write the same evidence; try again",
            E::Remote { .. } => "`git remote -v` lists the remotes",
            _ => "",
        };
        let this = Self::from_error(exit_of(error.code()), error.code(), &error);
        if hint.is_empty() { this } else { this.hint(hint) }
    }
}
