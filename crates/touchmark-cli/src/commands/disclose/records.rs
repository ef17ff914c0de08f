//! Where the words are: this machine's vault, the queue for escrow, or records that somebody else's machine escrowed.

use std::path::{Path, PathBuf};

use touchmark_sign::escrow::{self, EscrowKey};
use touchmark_sign::vault::{Record, RecordName, Vault};
use touchmark_statement::agent_change::PromptOrigin;
use touchmark_statement::digest::Sha256Digest;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow::{open_key, outbox_folder, store_folder};
use crate::file_argument;
use crate::password::PasswordArgs;

/// The most files of a folder of escrowed records.
const MAX_FILES: usize = 1_000_000;

/// The flags that say where records are.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Source")]
pub(crate) struct RecordArgs {
    /// A folder of escrowed records, or one of them [default: this machine's vault, then its escrow store]
    #[arg(long, value_name = "DIR|FILE", requires = "escrow_key")]
    vault: Option<PathBuf>,
    /// The private escrow key that opens escrowed records
    #[arg(long, value_name = "KEY")]
    escrow_key: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// One record and where it was.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its name.
    pub(crate) name: RecordName,
    /// What it holds.
    pub(crate) record: Record,
}

impl RecordArgs {
    /// Opens the record of a statement.
    pub(crate) fn open(&self, payload: &Sha256Digest, context: &Context<'_>) -> Result<Opened, CliError> {
        if self.vault.is_none() && context.home.vault().exists() {
            let vault = Vault::open(&context.home.vault())?;
            if let Some((name, record)) = vault.find(payload)? {
                return Ok(Opened { name, record });
            }
        }
        let none = || {
            CliError::new(
                ExitCode::Missing,
                "vault.no_record",
                format!("no record of sha256:{payload} is here"),
            )
        };
        let Some(key) = self.key(context)? else {
            return Err(none().hint(
                "its words are on the machine that attested it, or in escrow: --vault DIR --escrow-key KEY",
            ));
        };
        let mut met = None;
        for file in self.files(context)? {
            let Ok(header) = file_argument::open(&file)
                .map_err(drop)
                .and_then(|mut file| escrow::read_header(&mut file).map_err(drop))
            else {
                continue;
            };
            if header.name.payload != *payload {
                continue;
            }
            // Anybody could write a record under this name: one that does not open stands in nobody's way.
            match open_file(&file, &key) {
                Ok(opened) => return Ok(opened),
                Err(error) => met = Some(error.because(format_args!("in {}", file.display()))),
            }
        }
        Err(met.unwrap_or_else(|| none().hint("name the folder or the file that holds it with --vault")))
    }

    /// Calls `each` with every record, one after the other; those that cannot be opened are counted.
    pub(crate) fn for_each(
        &self,
        context: &Context<'_>,
        mut each: impl FnMut(Opened) -> Result<(), CliError>,
    ) -> Result<usize, CliError> {
        let mut unopened = 0;
        if self.vault.is_none() && context.home.vault().exists() {
            let vault = Vault::open(&context.home.vault())?;
            for name in vault.names()? {
                match vault.get(&name) {
                    Ok(Some(record)) => each(Opened { name, record })?,
                    Ok(None) => {}
                    Err(_) => unopened += 1,
                }
            }
        }
        let Some(key) = self.key(context)? else {
            return Ok(unopened);
        };
        for file in self.files(context)? {
            match open_file(&file, &key) {
                Ok(opened) => each(opened)?,
                Err(_) => unopened += 1,
            }
        }
        Ok(unopened)
    }

    fn key(&self, context: &Context<'_>) -> Result<Option<EscrowKey>, CliError> {
        let key = self.escrow_key.as_deref();
        key.map(|file| open_key(file, self.password, context)).transpose()
    }

    /// The files of escrowed records, sorted by name: those named, else the queue's and the store's.
    fn files(&self, context: &Context<'_>) -> Result<Vec<PathBuf>, CliError> {
        let places = match &self.vault {
            Some(place) => vec![context.path(place)],
            None => [Some(outbox_folder(context)), store_folder(context)]
                .into_iter()
                .flatten()
                .filter(|folder| folder.is_dir())
                .collect(),
        };
        let mut files = Vec::new();
        for place in places {
            files.extend(files_of(&place)?);
        }
        Ok(files)
    }
}

fn files_of(place: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let unreadable = |error: std::io::Error| CliError::io("file.unreadable", place, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(place).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(escrow::SUFFIX) && !name.starts_with('.') {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(CliError::failed(
                "file.too_many",
                format!("{} holds more than {MAX_FILES} files", place.display()),
            ));
        }
    }
    files.sort();
    Ok(files)
}

/// Opens one escrowed record.
pub(crate) fn open_file(path: &Path, key: &EscrowKey) -> Result<Opened, CliError> {
    // Others write into a store: what lies there may be a pipe that nobody ever writes to.
    let mut file = file_argument::open(path)?;
    let (name, record) = escrow::open(&mut file, key)?;
    Ok(Opened { name, record })
}

/// Opens one escrowed record by the name of its key's file.
pub(crate) fn open_named(
    path: &Path,
    key: &Path,
    password: PasswordArgs,
    context: &Context<'_>,
) -> Result<Opened, CliError> {
    open_file(&context.path(path), &open_key(key, password, context)?)
}

/// The word for a prompt's origin, as statements spell it.
pub(crate) fn origin_of(origin: Option<PromptOrigin>) -> Option<&'static str> {
    origin.map(|origin| match origin {
        PromptOrigin::Human => "human",
        PromptOrigin::Injected => "injected",
        PromptOrigin::Compaction => "compaction",
        PromptOrigin::Agent => "agent",
    })
}

/// The text parts of a prompt's committed bytes; a part that is no text is left out.
pub(crate) fn parts(bytes: &[u8]) -> Option<Vec<Zeroizing<String>>> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk()?;
        let (part, after) = after.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        if let Ok(text) = std::str::from_utf8(part) {
            parts.push(Zeroizing::new(text.to_owned()));
        }
        rest = after;
    }
    Some(parts)
}
