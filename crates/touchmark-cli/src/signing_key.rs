//! Who signs: a key (`--key URI`, else the configuration's, else the user's default key, made on first use), or an
//! identity in place of one (`keyless`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark_git::Repository;
use touchmark_rekor::spool::Target;
use touchmark_sign::agent::AgentSigner;
use touchmark_sign::attestation::Prepared;
use touchmark_sign::key_file::{self, KeyFileError, Placement};
use touchmark_sign::key_uri::KeyUri;
use touchmark_sign::{PrivateKey, Signer};
use touchmark_verify::evidence::SignerId;
use touchmark_verify::key::KeyAlgorithm;

use crate::context::Context;
use crate::error::CliError;
use crate::keyless::{IdentityArgs, Keyless, Publication, Stamps};
use crate::password::PasswordArgs;
use crate::pipeline::logs::LogArgs;
use crate::pipeline::{self, Signed};

/// How long an ssh-agent may take; long enough for a person to touch a token.
const AGENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Who signs a statement.
#[derive(Debug)]
pub(crate) enum Who {
    /// Whoever holds this key, and who stamps its signatures.
    Key(Box<dyn Signer>, Option<Box<Stamps>>),
    /// Whoever an issuer says it is.
    Identity(Box<Keyless>),
}

impl Who {
    /// Returns the id under which evidence of this signer is filed.
    pub(crate) fn signer_id(&self) -> SignerId {
        match self {
            Self::Key(signer, _) => SignerId::of_key(&signer.public_key().fingerprint()),
            Self::Identity(identity) => identity.signer_id(),
        }
    }

    /// Refuses a key that one of these logs could not take. Keys of certificates are made to fit.
    pub(crate) fn refuse_unloggable_in(&self, targets: &[Target]) -> Result<(), CliError> {
        match self {
            Self::Key(signer, _) => pipeline::refuse_unloggable_in(signer.public_key(), targets),
            Self::Identity(_) => Ok(()),
        }
    }

    /// Signs a statement.
    pub(crate) fn sign(&self, prepared: Prepared, context: &Context<'_>) -> Result<Signed, CliError> {
        match self {
            Self::Key(signer, stamps) => {
                let signed = prepared.sign(&**signer)?;
                let timestamps = match stamps {
                    Some(stamps) => stamps.of(&signed, None, context)?,
                    None => Vec::new(),
                };
                Ok(Signed::by_key(signed.with_timestamps(timestamps)))
            }
            Self::Identity(identity) => identity.sign(prepared, context),
        }
    }
}

/// The flags that say who signs, and where that is logged.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl SigningArgs {
    /// Opens whoever signs: an identity where one is asked for, else a key.
    pub(crate) fn open(&self, git: &Repository, context: &Context<'_>) -> Result<Who, CliError> {
        let identity = self.identity(git, context)?;
        self.open_with(identity, git, context)
    }

    /// Opens the identity, where one is asked for: the part that may wait for a person or a service.
    pub(crate) fn identity(
        &self,
        git: &Repository,
        context: &Context<'_>,
    ) -> Result<Option<Keyless>, CliError> {
        let folder = git.work_tree().unwrap_or(git.git_dir());
        self.identity
            .open(self.key.key.as_deref(), &self.log, folder, context)
    }

    /// Opens whoever signs, once it is known whether that is an identity.
    pub(crate) fn open_with(
        &self,
        identity: Option<Keyless>,
        git: &Repository,
        context: &Context<'_>,
    ) -> Result<Who, CliError> {
        if let Some(identity) = identity {
            return Ok(Who::Identity(Box::new(identity)));
        }
        let stamps = self.identity.stamps(&self.log, context)?.map(Box::new);
        Ok(Who::Key(self.key.open(git.work_tree(), context)?, stamps))
    }

    /// Returns what signing would publish of a person; nothing where a key signs.
    pub(crate) fn preview(&self, context: &Context<'_>) -> Result<Option<Publication>, CliError> {
        self.identity.preview(self.key.key.as_deref(), &self.log, context)
    }
}

/// The flags that choose a key.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Key")]
pub(crate) struct KeyArgs {
    /// The private key: a file, env://NAME, or ssh-agent: with its fingerprint or comment behind it if it holds several
    #[arg(long, value_name = "URI")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
}

impl KeyArgs {
    /// Opens the key; `work_tree` is where no private key may lie.
    pub(crate) fn open(
        &self,
        work_tree: Option<&Path>,
        context: &Context<'_>,
    ) -> Result<Box<dyn Signer>, CliError> {
        match self.key.as_deref().or_else(|| context.config.text("key")) {
            Some(uri) => self.open_uri(uri, work_tree, context),
            None => default_key(work_tree, context),
        }
    }

    fn open_uri(
        &self,
        uri: &str,
        work_tree: Option<&Path>,
        context: &Context<'_>,
    ) -> Result<Box<dyn Signer>, CliError> {
        match uri.strip_prefix("file:").unwrap_or(uri).parse::<KeyUri>()? {
            KeyUri::File(path) => {
                let path = context.path(&path);
                let folders = repositories_above(&path, work_tree);
                let outside: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
                let text = key_file::read_private(&path, &Placement { outside: &outside })
                    .map_err(|error| not_found_by_name(error, uri, context))?;
                self.parse(&text, &path.to_string_lossy(), context)
            }
            KeyUri::Env(name) => {
                let value = context.environment.text(&name).ok_or_else(|| {
                    CliError::usage("key.variable_unset", format!("{name} is not set, or is not text"))
                        .hint(format!("put the key's PEM text into {name}"))
                })?;
                self.parse(value.as_bytes(), &format!("env://{name}"), context)
            }
            KeyUri::SshAgent(selector) => {
                let socket = context.environment.path("SSH_AUTH_SOCK").ok_or_else(|| {
                    CliError::usage("key.no_agent", "no ssh-agent is known: SSH_AUTH_SOCK is not set")
                        .hint("start an ssh-agent and add a P-256 key: ssh-add, ssh-keygen -t ecdsa -b 256")
                })?;
                Ok(Box::new(AgentSigner::select(&socket, &selector, AGENT_TIMEOUT)?))
            }
            _ => Err(CliError::usage(
                "key.name_scheme",
                "this kind of key is not supported",
            )),
        }
    }

    fn parse(&self, text: &[u8], name: &str, context: &Context<'_>) -> Result<Box<dyn Signer>, CliError> {
        let key = if key_file::needs_password(text)? {
            let password = self.password.existing(context, name)?;
            key_file::parse(text, Some(&password))?
        } else {
            key_file::parse(text, None)?
        };
        Ok(Box::new(key))
    }
}

/// Somebody who gave a key a name and then uses it as a URI is told which file it is.
fn not_found_by_name(error: KeyFileError, uri: &str, context: &Context<'_>) -> CliError {
    let named = context.home.keys().join(format!("{uri}.pem"));
    let is_name = matches!(error, KeyFileError::NotFound { .. }) && !uri.contains('/') && named.is_file();
    let error = CliError::from(error);
    if is_name {
        return error.hint(format!("your key of that name is --key {}", named.display()));
    }
    error
}

/// The folders above `path` that are work trees, and the one at hand.
pub(crate) fn repositories_above(path: &Path, work_tree: Option<&Path>) -> Vec<PathBuf> {
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    let above = parent.iter().flat_map(|parent| parent.ancestors());
    let mut found: Vec<PathBuf> = above
        .filter(|folder| folder.join(".git").symlink_metadata().is_ok())
        .map(Path::to_owned)
        .collect();
    found.extend(work_tree.map(Path::to_owned));
    found
}

fn default_key(work_tree: Option<&Path>, context: &Context<'_>) -> Result<Box<dyn Signer>, CliError> {
    let path = context.home.default_key();
    let outside: Vec<&Path> = work_tree.into_iter().collect();
    let placement = Placement { outside: &outside };
    if path.symlink_metadata().is_err() {
        make_folder(&context.home.keys())?;
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256)?;
        publish(&path, &key, &placement)?;
        context.output.note(format!(
            "made a signing key without a password: {} (public key {})",
            path.display(),
            key.public_key().fingerprint()
        ));
    }
    Ok(Box::new(key_file::load(&path, &placement, None)?))
}

/// Writes a key under a name of its own and then links it to `path`, so that a process that is killed, or a second one
/// that does the same, never leaves half a key or replaces a whole one.
fn publish(path: &Path, key: &PrivateKey, placement: &Placement<'_>) -> Result<(), CliError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| key_file::KeyFileError::NoRandomness)?;
    let fresh = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(random)));
    key_file::write_new(&fresh, key_file::encode_plain(key)?.as_bytes(), placement)?;
    let linked = fs::hard_link(&fresh, path);
    let removed = fs::remove_file(&fresh);
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(CliError::io("key.file_io", path, &error)),
        Ok(()) => removed.map_err(|e| CliError::io("key.file_io", &fresh, &e)),
    }
}

/// Makes a folder that only the user can enter.
pub(crate) fn make_folder(path: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| CliError::io("home.unusable", path, &e))
}
