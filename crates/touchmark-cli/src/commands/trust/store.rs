//! Where fetched trust material lies: in the user's own configuration folder, by name, never in a project.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use touchmark_sign::folder::Folder;
use touchmark_trust::built_in;
use touchmark_trust::tuf::{Fetched, TufRepository};
use touchmark_verify::limits::MAX_TRUSTED_ROOT_BYTES;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::trust::LOCAL_ROOT;

/// The largest description of a repository: an address and a root.
const MAX_REPOSITORY_BYTES: u64 = 1024 * 1024;
/// Names that mean something else where roots are named.
const RESERVED: &[&str] = &[LOCAL_ROOT, "sigstore"];

/// The name of an instance, which is also that of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let begins = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !begins || text.len() > 64 || !text.bytes().all(plain) {
            return Err(
                "a name consists of at most 64 small letters, digits, dots, dashes and underscores"
                    .to_owned(),
            );
        }
        if RESERVED.contains(&text) {
            return Err(format!("{text:?} means something else where roots are named"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Name {
    /// The public-good instance.
    pub(crate) fn public_good() -> Self {
        Self(built_in::SIGSTORE_PUBLIC_GOOD.to_owned())
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The file of the trusted root.
    pub(crate) fn root_file(&self, context: &Context<'_>) -> PathBuf {
        context.home.trust().join(format!("{}.trusted_root.json", self.0))
    }

    /// The file of the signing config.
    pub(crate) fn signing_config_file(&self, context: &Context<'_>) -> PathBuf {
        context
            .home
            .trust()
            .join(format!("{}.signing_config.json", self.0))
    }

    fn repository_file(&self, context: &Context<'_>) -> PathBuf {
        context.home.trust().join(format!("{}.repository.json", self.0))
    }
}

/// Returns the fetched trusted root of this name, JSON, if there is one.
pub(crate) fn fetched_root(name: &str, context: &Context<'_>) -> Result<Option<Vec<u8>>, CliError> {
    match name.parse::<Name>() {
        Ok(name) => file_argument::read_own(&name.root_file(context), MAX_TRUSTED_ROOT_BYTES as u64),
        Err(_) => Ok(None),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryWire {
    url: String,
    root: String,
}

/// Returns the repository that this name was fetched from before.
pub(crate) fn known_repository(
    name: &Name,
    context: &Context<'_>,
) -> Result<Option<TufRepository>, CliError> {
    let path = name.repository_file(context);
    let Some(bytes) = file_argument::read_own(&path, MAX_REPOSITORY_BYTES)? else {
        return Ok(None);
    };
    let damaged = || {
        CliError::usage(
            "trust.repository_damaged",
            format!("{} does not describe a repository", path.display()),
        )
        .hint("give --mirror and --root again")
    };
    let wire: RepositoryWire = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let root = STANDARD.decode(&wire.root).map_err(|_| damaged())?;
    let url = wire.url.parse()?;
    TufRepository::new(&url, root)
        .map(Some)
        .map_err(|error| refused(&error))
}

/// Keeps what was fetched, each file in one step. The description of the repository comes last: a fetch that was killed
/// is then asked for again with its flags.
pub(crate) fn keep(
    name: &Name,
    repository: &TufRepository,
    fetched: &Fetched,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let folder = Folder::open(&context.home.trust())?;
    let write = |path: PathBuf, bytes: &[u8]| -> Result<(), CliError> {
        let file = path
            .file_name()
            .and_then(|file| file.to_str())
            .unwrap_or_default();
        Ok(folder.write(file, |out| out.write_all(bytes))?)
    };
    write(name.root_file(context), &fetched.trusted_root)?;
    match &fetched.signing_config {
        Some(config) => write(name.signing_config_file(context), config)?,
        None => {
            folder.remove(&format!("{}.signing_config.json", name.as_str()))?;
        }
    }
    let wire = RepositoryWire {
        url: repository.url().as_str().to_owned(),
        root: STANDARD.encode(repository.root()),
    };
    let json = serde_json::to_vec(&wire).map_err(|error| {
        CliError::failed("output.unencodable", "the repository cannot be described").because(error)
    })?;
    write(name.repository_file(context), &json)
}

/// A refusal of trust material, with the exit code that its class has.
pub(crate) fn refused(error: &touchmark_trust::tuf::TufError) -> CliError {
    let code = error.code();
    let exit = match error {
        touchmark_trust::tuf::TufError::TrustedRoot(_) => ExitCode::Invalid,
        _ => crate::error::exit_of(code),
    };
    let refused = CliError::from_error(exit, code, error);
    match touchmark_policy::reason::registry::explain(code) {
        Some(entry) => refused.hint(entry.help),
        None => refused,
    }
}
