//! `touchmark key`: makes, imports, shows and lists signing keys.

use std::path::{Path, PathBuf};

use serde::Serialize;
use touchmark_sign::key_file::{self, Placement};
use touchmark_sign::{PrivateKey, Signer as _};
use touchmark_verify::key::{KeyAlgorithm, PublicKey};

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};
use crate::password::PasswordArgs;
use crate::signing_key::{self, KeyArgs};

/// Flags of `key`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark key generate release", "touchmark key public --key ssh-agent:"))]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes a new key
    #[command(before_help = example("touchmark key generate release", "touchmark key generate ci --plain"))]
    Generate {
        /// What kind of key; Ed25519 cannot sign for the embedded log or Rekor v2
        #[arg(long, value_enum, default_value_t)]
        algorithm: Algorithm,
        #[command(flatten)]
        place: Place,
    },
    /// Takes over a key in cosign's, OpenSSH's or PKCS#8 form
    #[command(before_help = example("touchmark key import cosign.key release", "touchmark key import ~/.ssh/id_ecdsa ssh"))]
    Import {
        /// The private key file
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        /// Reads the imported file's own password from this file descriptor
        #[arg(long, value_name = "N", help_heading = "Password")]
        file_password_fd: Option<u32>,
    },
    /// Prints the public half of a key as PEM
    #[command(before_help = example("touchmark key public", "touchmark key public --key cosign.key"))]
    Public {
        /// Prints only the fingerprint, by which policies name the key
        #[arg(long)]
        fingerprint: bool,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Lists the keys in your key folder
    #[command(before_help = example("touchmark key list", "touchmark key list --format json"))]
    List,
}

/// Where a new key goes and how it is protected.
#[derive(Debug, clap::Args)]
struct Place {
    /// The key's name in your key folder
    #[arg(default_value = "default", value_parser = key_name)]
    name: String,
    /// Writes to this file instead; the public key goes beside it with the extension `pub`
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    output: Option<PathBuf>,
    /// Stores the key without a password
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

/// The kinds of key.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Algorithm {
    /// ECDSA on P-256 with SHA-256
    #[default]
    P256,
    /// ECDSA on P-384 with SHA-384
    P384,
    /// Ed25519
    Ed25519,
}

impl From<Algorithm> for KeyAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::P256 => Self::EcdsaP256Sha256,
            Algorithm::P384 => Self::EcdsaP384Sha384,
            Algorithm::Ed25519 => Self::Ed25519,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    algorithm: String,
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<bool>,
    public_key: String,
}

#[derive(Serialize)]
struct KeyRows {
    keys: Vec<KeyRow>,
}

/// Runs `key`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.action {
        Action::Generate { place, algorithm } => {
            let key = PrivateKey::generate(algorithm.into())?;
            store(&key, &place, context)?;
        }
        Action::Import {
            file,
            place,
            file_password_fd,
        } => {
            let key = import(&context.path(&file), file_password_fd, context)?;
            store(&key, &place, context)?;
        }
        Action::Public { key, fingerprint } => {
            let signer = key.open(None, context)?;
            let public = signer.public_key();
            match context.output.format() {
                Format::Text if fingerprint => context.output.line(public.fingerprint().to_string()),
                Format::Text => context.output.raw(public.to_pem().as_bytes()),
                Format::Json => context.output.document(Schema::new("key", 1), &row(public))?,
            }
        }
        Action::List => list(context)?,
    }
    Ok(ExitCode::Allowed)
}

fn import(file: &Path, descriptor: Option<u32>, context: &Context<'_>) -> Result<PrivateKey, CliError> {
    let text = key_file::read_private(file, &Placement::default())?;
    if !key_file::needs_password(&text)? {
        return Ok(key_file::parse(&text, None)?);
    }
    let password = PasswordArgs {
        password_fd: descriptor,
    }
    .existing(context, &file.to_string_lossy())?;
    Ok(key_file::parse(&text, Some(&password))?)
}

fn store(key: &PrivateKey, place: &Place, context: &Context<'_>) -> Result<(), CliError> {
    let path = match &place.output {
        Some(file) => context.path(file),
        None => {
            signing_key::make_folder(&context.home.keys())?;
            context.home.keys().join(format!("{}.pem", place.name))
        }
    };
    let folders = signing_key::repositories_above(&path, None);
    let outside: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let text = if place.plain {
        key_file::encode_plain(key)?
    } else {
        key_file::encode_encrypted(key, &place.password.new_key(context)?)?.into()
    };
    key_file::write_new(&path, text.as_bytes(), &Placement { outside: &outside })?;
    key_file::write_public_new(&path.with_extension("pub"), key.public_key())?;
    if key.algorithm() == KeyAlgorithm::Ed25519 {
        context
            .output
            .warn("an Ed25519 key cannot sign for the embedded log or Rekor v2: use P-256 to attest");
    }
    let file = path.to_string_lossy().into_owned();
    match context.output.format() {
        Format::Text => {
            context.output.line(format!(
                "{file}\n{} {}",
                key.algorithm(),
                key.public_key().fingerprint()
            ));
        }
        Format::Json => {
            let row = KeyRow {
                file: Some(file),
                encrypted: Some(!place.plain),
                ..row(key.public_key())
            };
            context.output.document(Schema::new("key", 1), &row)?;
        }
    }
    Ok(())
}

fn list(context: &Context<'_>) -> Result<(), CliError> {
    let folder = context.home.keys();
    let mut names: Vec<String> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .flatten()
            .filter_map(|entry| {
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".pem")
                    .map(str::to_owned)
            })
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(CliError::io("home.unusable", &folder, &error)),
    };
    names.sort();
    let mut keys = Vec::new();
    for name in names {
        match listed(&folder, &name) {
            Ok(row) => keys.push(row),
            Err(error) => context.output.warn(format!(
                "{name} is left out: [{}] {}",
                error.code(),
                error.message()
            )),
        }
    }
    if context.output.format() == Format::Json {
        return context.output.document(Schema::new("keys", 1), &KeyRows { keys });
    }
    for key in &keys {
        let protection = if key.encrypted == Some(true) {
            "encrypted"
        } else {
            "plain"
        };
        let name = key.name.as_deref().unwrap_or_default();
        context.output.line(format!(
            "{name:<16} {:<18} {protection:<10} {}",
            key.algorithm, key.fingerprint
        ));
    }
    if keys.is_empty() {
        context.output.note("no keys; `touchmark key generate` makes one");
    }
    Ok(())
}

fn listed(folder: &Path, name: &str) -> Result<KeyRow, CliError> {
    let file = folder.join(format!("{name}.pem"));
    let text = key_file::read_private(&file, &Placement::default())?;
    let encrypted = key_file::needs_password(&text)?;
    let public = if encrypted {
        key_file::load_public(&file.with_extension("pub"))?
    } else {
        key_file::parse(&text, None)?.public_key().clone()
    };
    let file = file.to_string_lossy().into_owned();
    Ok(KeyRow {
        name: Some(name.to_owned()),
        file: Some(file),
        encrypted: Some(encrypted),
        ..row(&public)
    })
}

fn row(public: &PublicKey) -> KeyRow {
    KeyRow {
        name: None,
        file: None,
        algorithm: public.algorithm().to_string(),
        fingerprint: public.fingerprint().to_string(),
        encrypted: None,
        public_key: public.to_pem(),
    }
}

fn key_name(text: &str) -> Result<String, String> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if plain && !text.is_empty() && text.len() <= 64 && !text.starts_with(['.', '-']) {
        Ok(text.to_owned())
    } else {
        Err("a key's name has up to 64 letters, digits, dots, hyphens and underscores".to_owned())
    }
}
