//! `touchmark vault`: the words behind statements, here and in escrow: keys, sending, opening, searching.

mod list;
mod search;

use std::path::{Path, PathBuf};

use serde::Serialize;
use touchmark_sign::escrow::{EscrowError, EscrowKey};
use touchmark_sign::key_file::{self, Placement};

use super::disclose::{origin_of, records, write_new};
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow::{self, Sent};
use crate::output::{Format, Schema};
use crate::password::PasswordArgs;
use crate::signing_key;

/// Flags of `vault`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark vault list", "touchmark vault search --text-file prompt.txt --vault STORE --escrow-key escrow.pem"))]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes escrow keys
    #[command(before_help = example("touchmark vault key generate", "touchmark vault key generate --output escrow.pem"))]
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Lists the records that are here, and those that wait for the store
    #[command(before_help = example("touchmark vault list", "touchmark vault list --format json"))]
    List,
    /// Sends encrypted records that wait to the configured store
    #[command(before_help = example("touchmark vault ship", "touchmark vault ship --all"))]
    Ship {
        /// Encrypts every record that is here once more first, for the keys that are configured now
        #[arg(long)]
        all: bool,
    },
    /// Opens an escrowed record with a private escrow key, and lists what it holds
    #[command(before_help = example("touchmark vault open RECORD.escrow --escrow-key escrow.pem", "touchmark vault open RECORD.escrow --escrow-key escrow.pem --output opened"))]
    Open {
        /// The record
        file: PathBuf,
        /// The private escrow key
        #[arg(long, visible_alias = "key", value_name = "KEY")]
        escrow_key: PathBuf,
        /// Writes every piece into this folder, which must not exist yet
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Finds the statements whose prompts hold a text
    Search(search::Args),
}

#[derive(Debug, clap::Subcommand)]
enum KeyAction {
    /// Makes a new escrow key: its public half goes into everybody's configuration, its private half into a safe
    #[command(before_help = example("touchmark vault key generate", "touchmark vault key generate --output escrow.pem --plain"))]
    Generate {
        /// The private key's file; the public key goes beside it with the extension `pub` [default: escrow/NAME.pem in
        /// your key folder]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Stores the key without a password
        #[arg(long)]
        plain: bool,
        #[command(flatten)]
        password: PasswordArgs,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyDocument {
    file: String,
    public_file: String,
    fingerprint: String,
    encrypted: bool,
    public_key: String,
}

#[derive(Serialize)]
struct ShipDocument {
    shipped: usize,
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct OpenDocument {
    payload: String,
    chain: String,
    pieces: Vec<PieceRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
}

#[derive(Serialize)]
struct PieceRow {
    kind: String,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    bytes: usize,
}

/// Runs `vault`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.action {
        Action::Key {
            action:
                KeyAction::Generate {
                    output,
                    plain,
                    password,
                },
        } => generate(output.as_deref(), plain, password, context),
        Action::List => list::run(context),
        Action::Ship { all } => ship(all, context),
        Action::Open {
            file,
            escrow_key,
            output,
            password,
        } => {
            let opened = records::open_named(&file, &escrow_key, password, context)?;
            open(&opened, output.as_deref(), context)
        }
        Action::Search(args) => search::run(&args, context),
    }
}

fn generate(
    output: Option<&Path>,
    plain: bool,
    password: PasswordArgs,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let path = match output {
        Some(file) => context.path(file),
        None => {
            let folder = context.home.keys().join("escrow");
            signing_key::make_folder(&context.home.keys())?;
            signing_key::make_folder(&folder)?;
            folder.join("default.pem")
        }
    };
    let folders = signing_key::repositories_above(&path, None);
    let outside: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let key = EscrowKey::generate()?;
    let text = if plain {
        key.to_plain_pem()
    } else {
        key.to_encrypted_pem(&password.new_key(context)?)?.into()
    };
    key_file::write_new(&path, text.as_bytes(), &Placement { outside: &outside })?;
    let public = path.with_extension("pub");
    key.public().write_new(&public).map_err(|error| match error {
        EscrowError::Io(error) => CliError::io("output.unwritable", &public, &error),
        error => error.into(),
    })?;
    let document = KeyDocument {
        file: path.to_string_lossy().into_owned(),
        public_file: public.to_string_lossy().into_owned(),
        fingerprint: key.public().fingerprint().to_string(),
        encrypted: !plain,
        public_key: key.public().to_pem(),
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("escrow-key", 1), &document)?,
        Format::Text => context.output.line(format!(
            "{}\n{}\nX25519 {}",
            document.file, document.public_file, document.fingerprint
        )),
    }
    context.output.note(
        "name the public key in everybody's own configuration ([vault] escrow-keys = [\"…\"]), and keep the private key \
         away from the machines where agents run",
    );
    Ok(ExitCode::Allowed)
}

fn ship(all: bool, context: &Context<'_>) -> Result<ExitCode, CliError> {
    if all {
        let count = escrow::escrow_all(context)?;
        context.output.note(format!("{count} records encrypted"));
    }
    let (document, exit) = match escrow::ship(context)? {
        Sent::NoStore { waiting } => {
            return Err(CliError::usage(
                "escrow.no_store",
                format!("no store is configured, and {waiting} encrypted records wait for one"),
            )
            .hint("name a folder or an address in \"vault.store\" of your own configuration file"));
        }
        Sent::Hangs => {
            return Err(CliError::new(
                ExitCode::Unavailable,
                "escrow.store_hangs",
                "the store does not answer",
            )
            .hint("nothing is lost: what waits is sent when the store answers again"));
        }
        Sent::Asked(shipment) => {
            let reason = (shipment.waiting > 0).then(|| escrow::reason(&shipment));
            let exit = match &shipment.failure {
                Some(_) => ExitCode::Unavailable,
                None => ExitCode::Allowed,
            };
            let document = ShipDocument {
                shipped: shipment.shipped,
                waiting: shipment.waiting,
                reason,
            };
            (document, exit)
        }
    };
    if context.output.format() == Format::Json {
        context.output.document(Schema::new("vault-ship", 1), &document)?;
        return Ok(exit);
    }
    context.output.line(format!(
        "shipped {}\nwaiting {}",
        document.shipped, document.waiting
    ));
    if let Some(reason) = &document.reason {
        context.output.warn(reason);
    }
    Ok(exit)
}

fn open(
    opened: &records::Opened,
    output: Option<&Path>,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let folder = output.map(|folder| context.path(folder));
    if let Some(folder) = &folder {
        use std::os::unix::fs::DirBuilderExt as _;
        let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
        made.map_err(|error| CliError::io("output.unwritable", folder, &error))?;
        for piece in opened.record.pieces() {
            let name = format!("{}-{}", piece.item.kind, piece.item.index);
            write_new(&folder.join(name), piece.bytes)?;
        }
    }
    let rows = opened.record.pieces().map(|piece| PieceRow {
        kind: piece.item.kind.to_string(),
        index: piece.item.index,
        origin: origin_of(piece.item.origin),
        bytes: piece.bytes.len(),
    });
    let document = OpenDocument {
        payload: opened.name.payload.to_string(),
        chain: opened.name.chain.to_string(),
        pieces: rows.collect(),
        folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
    };
    if context.output.format() == Format::Json {
        context.output.document(Schema::new("vault-open", 1), &document)?;
        return Ok(ExitCode::Allowed);
    }
    context
        .output
        .line(format!("statement sha256:{}", document.payload));
    for row in &document.pieces {
        let origin = row
            .origin
            .map_or_else(String::new, |origin| format!(" ({origin})"));
        context.output.line(format!(
            "{:<11} {:>6} {:>10} bytes{origin}",
            row.kind, row.index, row.bytes
        ));
    }
    context.output.note(
        "whoever wrote a record could write anything: `touchmark disclose` holds pieces against the signed statement",
    );
    Ok(ExitCode::Allowed)
}
