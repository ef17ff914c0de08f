//! `touchmark disclose`: opens chosen pieces of a run to whoever gets the file, and no others.
//!
//! What is written holds the piece, the key of that piece alone, and its way to the root that the statement signs; it is
//! held against the statement before anything is written. The run key never leaves the vault.

pub(crate) mod records;
mod statement;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use touchmark_sign::vault::Record;
use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::commitment::{
    Disclosure, Item, Kind, Leaf, MAX_DISCLOSURE_BYTES, MAX_FILE_BYTES, MAX_PIECES, TRANSCRIPT_RAW,
    TRANSCRIPT_REDACTED, derive, prompt_leaves,
};

pub(crate) use self::records::{Opened, RecordArgs, origin_of};
pub(crate) use self::statement::{claim, statements};
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};

/// Flags of `disclose`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark disclose --prompt 0 --output prompt.jsonl", "touchmark disclose sha256:0123abcd --step 17..21 --output steps.jsonl"))]
#[command(group = clap::ArgGroup::new("piece").required(true).multiple(true))]
pub(crate) struct Args {
    /// The statement's payload digest or the beginning of it, or a commit [default: the last statement made here]
    #[arg(value_name = "STATEMENT|COMMIT")]
    statement: Option<String>,
    /// Opens this prompt; give several
    #[arg(long, value_name = "N", group = "piece", help_heading = "Pieces")]
    prompt: Vec<u32>,
    /// Opens these steps, both ends included
    #[arg(long, value_name = "A..B", group = "piece", help_heading = "Pieces")]
    step: Vec<String>,
    /// Opens this command; give several
    #[arg(long, value_name = "N", group = "piece", help_heading = "Pieces")]
    command: Vec<u32>,
    /// Opens this instruction file; give several
    #[arg(long, value_name = "N", group = "piece", help_heading = "Pieces")]
    instruction: Vec<u32>,
    /// Opens the whole transcript
    #[arg(long, group = "piece", help_heading = "Pieces")]
    transcript: bool,
    /// With --transcript: its redacted copy
    #[arg(long, requires = "transcript", help_heading = "Pieces")]
    redacted: bool,
    /// Where the disclosure is written, one piece a line; it must not exist yet
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The statement's bundle, where the repository does not hold it
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    records: RecordArgs,
}

#[derive(Serialize)]
struct Document {
    payload: String,
    file: String,
    pieces: Vec<Item>,
}

/// Runs `disclose`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let items = items(&args)?;
    let signed = statement::find(args.statement.as_deref(), args.bundle.as_deref(), context)?;
    let change = claim(&signed)?;
    let opened = args.records.open(&signed.payload_digest(), context)?;
    let mut lines = Vec::new();
    let mut pieces = Vec::with_capacity(items.len());
    let leaves = Leaves::of(&items, change, &opened.record)?;
    for (kind, index) in items {
        let disclosure = disclose(kind, index, &opened.record, &leaves, &signed)?;
        pieces.push(disclosure.item);
        let line = disclosure.encode()?;
        if line.len() > MAX_DISCLOSURE_BYTES || lines.len() + line.len() >= MAX_FILE_BYTES {
            return Err(too_large(MAX_DISCLOSURE_BYTES));
        }
        lines.extend(line);
        lines.push(b'\n');
    }
    let path = context.path(&args.output);
    write_new(&path, &lines)?;
    let document = Document {
        payload: signed.payload_digest().to_string(),
        file: path.to_string_lossy().into_owned(),
        pieces,
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("disclose", 1), &document)?,
        Format::Text => {
            for item in &document.pieces {
                context
                    .output
                    .line(format!("opened {} {}", item.kind, item.index));
            }
            context.output.line(format!(
                "from   sha256:{}\ninto   {}",
                document.payload, document.file
            ));
        }
    }
    context.output.note(
        "whoever has this file can read these pieces, and no others; `touchmark verify --disclosure FILE` proves them",
    );
    Ok(ExitCode::Allowed)
}

/// Which pieces are asked for, each once, in order.
fn items(args: &Args) -> Result<Vec<(Kind, u32)>, CliError> {
    let mut items: Vec<(Kind, u32)> = Vec::new();
    let one = |kind: Kind, indices: &[u32]| {
        indices
            .iter()
            .map(move |index| (kind, *index))
            .collect::<Vec<_>>()
    };
    items.extend(one(Kind::Prompt, &args.prompt));
    for range in &args.step {
        let (first, last) = steps(range)?;
        if items.len() + (last - first) as usize >= MAX_PIECES {
            return Err(too_many());
        }
        items.extend((first..=last).map(|index| (Kind::Step, index)));
    }
    items.extend(one(Kind::Command, &args.command));
    items.extend(one(Kind::Instruction, &args.instruction));
    if args.transcript {
        let index = if args.redacted {
            TRANSCRIPT_REDACTED
        } else {
            TRANSCRIPT_RAW
        };
        items.push((Kind::Transcript, index));
    }
    items.sort_unstable();
    items.dedup();
    if items.len() > MAX_PIECES {
        return Err(too_many());
    }
    Ok(items)
}

fn too_many() -> CliError {
    CliError::usage(
        "disclose.too_many",
        format!("more than {MAX_PIECES} pieces are asked for at once"),
    )
    .hint("open the whole transcript, or fewer steps at a time")
}

fn too_large(max: usize) -> CliError {
    CliError::usage(
        "disclose.too_large",
        format!("a piece is larger than the {max} bytes of a disclosure"),
    )
    .hint("open the steps that matter")
}

/// Reads `A..B`, both ends included, or one number.
fn steps(text: &str) -> Result<(u32, u32), CliError> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.parse::<u32>(), last.parse::<u32>()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(CliError::usage(
            "disclose.range",
            format!("{text} is not A..B, from one step up to another"),
        )
        .hint("--step 17..21 opens five steps, --step 17 one")),
    }
}

/// The leaves of the trees that pieces stand in.
struct Leaves {
    prompts: Vec<Leaf>,
    steps: Vec<Leaf>,
}

impl Leaves {
    fn of(items: &[(Kind, u32)], change: &AgentChange, record: &Record) -> Result<Self, CliError> {
        let asks = |kind: Kind| items.iter().any(|(asked, _)| *asked == kind);
        let listed = change
            .prompt
            .as_ref()
            .and_then(|prompt| prompt.commitments.as_deref());
        let prompts = match (asks(Kind::Prompt), listed) {
            (false, _) => Vec::new(),
            (true, Some(listed)) => prompt_leaves(listed)?,
            (true, None) => committed(record, Kind::Prompt),
        };
        let steps = if asks(Kind::Step) {
            committed(record, Kind::Step)
        } else {
            Vec::new()
        };
        Ok(Self { prompts, steps })
    }

    fn for_kind(&self, kind: Kind) -> Option<&[Leaf]> {
        match kind {
            Kind::Prompt => Some(&self.prompts),
            Kind::Step => Some(&self.steps),
            _ => None,
        }
    }
}

/// Commits again to every piece of one kind.
fn committed(record: &Record, kind: Kind) -> Vec<Leaf> {
    let pieces = record.pieces().filter(|piece| piece.item.kind == kind);
    pieces
        .map(|piece| {
            let commitment = record.run_key().commit(kind, piece.item.index, piece.bytes);
            match piece.item.origin {
                Some(origin) if kind == Kind::Prompt => Leaf::prompt(piece.item.index, origin, commitment),
                _ => Leaf::step(piece.item.index, commitment),
            }
        })
        .collect()
}

fn disclose(
    kind: Kind,
    index: u32,
    record: &Record,
    leaves: &Leaves,
    signed: &SignedStatement,
) -> Result<Disclosure, CliError> {
    let piece = record.piece(kind, index).ok_or_else(|| {
        CliError::new(
            ExitCode::Missing,
            "disclose.no_piece",
            format!("the run has no {kind} {index}"),
        )
        .hint("pieces are counted from 0; `touchmark vault open` lists them")
    })?;
    let payload = signed.payload_digest();
    let key = derive(record.run_key(), kind, index);
    let disclosure = match leaves.for_kind(kind) {
        Some(leaves) => Disclosure::of_leaf(payload, piece.item, leaves, &key, piece.bytes)
            .ok_or_else(|| other_record(kind, index))?,
        None => Disclosure::of_piece(payload, piece.item, &key, piece.bytes),
    };
    // A disclosure that its own statement refutes is never written.
    let proven = disclosure.verify(signed);
    proven.map_err(|error| CliError::from(error).because("in what would have been disclosed"))?;
    Ok(disclosure)
}

fn other_record(kind: Kind, index: u32) -> CliError {
    CliError::failed(
        "disclose.other_record",
        format!("the vault's {kind} {index} is not what the statement commits to"),
    )
}

/// Writes a file of words that only its owner can read. One that exists is never replaced.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::usage("output.exists", format!("{} exists already", path.display()))
                .hint("choose another name; nothing is replaced")
        }
        _ => CliError::io("output.unwritable", path, &error),
    })
}
