//! `touchmark vault search`: which statements commit to a prompt with exactly this text.
//!
//! The text comes from a file or from standard input, never from the command line, where other users could read it, and is
//! in no message. The commitment to it is computed anew for each run key and each prompt, and compared with what the
//! record, and the statement where it is at hand, commit to.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use serde::Serialize;
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::commitment::{Kind, PromptPart, commit, derive, prompt_bytes};
use zeroize::Zeroizing;

use crate::cli::example;
use crate::commands::disclose::{Opened, RecordArgs, claim, origin_of, records, statements};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::{Format, Schema};

/// The longest text that is searched for.
const MAX_TEXT_BYTES: u64 = 16 * 1024 * 1024;

/// Flags of `vault search`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark vault search --text-file prompt.txt", "touchmark vault search --stdin --vault STORE --escrow-key escrow.pem"))]
#[command(group = clap::ArgGroup::new("text").required(true))]
pub(super) struct Args {
    /// Searches for the text of this file
    #[arg(long, value_name = "FILE", group = "text")]
    text_file: Option<PathBuf>,
    /// Searches for what comes from standard input
    #[arg(long, group = "text")]
    stdin: bool,
    /// Also tries the text without white space around it, and with other line ends
    #[arg(long, conflicts_with = "inside")]
    normalise: bool,
    /// Looks for the text inside opened prompts, commands and instruction files, in place of comparing commitments
    #[arg(long)]
    inside: bool,
    #[command(flatten)]
    records: RecordArgs,
}

#[derive(Serialize)]
struct Document {
    mode: &'static str,
    matches: Vec<Match>,
    searched: usize,
    unopened: usize,
}

#[derive(Serialize)]
struct Match {
    payload: String,
    kind: String,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    /// Whether a statement at hand, unverified, holds the commitment that was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<bool>,
}

/// Runs `vault search`. Ends with 10 where nothing was found.
pub(super) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let text = text(args, context)?;
    let wanted = variants(&text, args.normalise);
    // Outside of any repository there is no statement to compare with.
    let stated = stated(context).unwrap_or_default();
    let mut document = Document {
        mode: if args.inside { "inside" } else { "commitment" },
        matches: Vec::new(),
        searched: 0,
        unopened: 0,
    };
    let mut seen = std::collections::BTreeSet::new();
    let unopened = args.records.for_each(context, |opened| {
        // One record can lie in the vault, in the queue and in the store.
        if seen.insert(opened.name) {
            document.searched += 1;
            let found = if args.inside {
                inside(&opened, &text)
            } else {
                by_commitment(&opened, &wanted, &stated)
            };
            document.matches.extend(found);
        }
        Ok(())
    })?;
    document.unopened = unopened;
    let exit = if document.matches.is_empty() {
        ExitCode::Missing
    } else {
        ExitCode::Allowed
    };
    if context.output.format() == Format::Json {
        context
            .output
            .document(Schema::new("vault-search", 1), &document)?;
        return Ok(exit);
    }
    for found in &document.matches {
        let origin = found
            .origin
            .map_or_else(String::new, |origin| format!(" ({origin})"));
        let stated = match found.stated {
            Some(true) => ", stated",
            Some(false) => ", not what the statement here says",
            None => "",
        };
        context.output.line(format!(
            "sha256:{} {} {}{origin}{stated}",
            found.payload, found.kind, found.index
        ));
    }
    context.output.note(format!(
        "{} matches in {} records; {} could not be opened",
        document.matches.len(),
        document.searched,
        document.unopened
    ));
    Ok(exit)
}

fn text(args: &Args, context: &Context<'_>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let bytes = match &args.text_file {
        Some(file) => file_argument::read(&context.path(file), MAX_TEXT_BYTES)?,
        None => {
            let mut bytes = Vec::new();
            let read = std::io::stdin()
                .lock()
                .take(MAX_TEXT_BYTES + 1)
                .read_to_end(&mut bytes);
            read.map_err(|error| CliError::failed("file.unreadable", "standard input").because(error))?;
            bytes
        }
    };
    if bytes.len() as u64 > MAX_TEXT_BYTES || bytes.is_empty() {
        return Err(CliError::usage(
            "search.text",
            format!("a text to search for has 1 to {MAX_TEXT_BYTES} bytes"),
        ));
    }
    Ok(Zeroizing::new(bytes))
}

/// The prompts that are meant: the text as it is, and without the line feed that an editor puts at its end.
fn variants(text: &[u8], normalise: bool) -> Vec<Zeroizing<Vec<u8>>> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Vec::new();
    };
    let line = text.strip_suffix('\n').unwrap_or(text);
    let mut texts = vec![
        text.to_owned(),
        line.strip_suffix('\r').unwrap_or(line).to_owned(),
    ];
    if normalise {
        let unix = text.replace("\r\n", "\n");
        texts.extend([unix.replace('\n', "\r\n"), unix.trim().to_owned(), unix]);
        texts.push(text.trim().to_owned());
    }
    texts.sort();
    texts.dedup();
    texts
        .into_iter()
        .map(|text| Zeroizing::new(prompt_bytes(&[PromptPart::Text(&text)])))
        .collect()
}

type Stated = BTreeMap<Sha256Digest, BTreeMap<u32, Sha256Digest>>;

/// What the statements at hand commit to, by payload digest and index.
fn stated(context: &Context<'_>) -> Result<Stated, CliError> {
    let mut stated = Stated::new();
    for signed in statements(context)? {
        let Ok(change) = claim(&signed) else { continue };
        let listed = change
            .prompt
            .as_ref()
            .and_then(|prompt| prompt.commitments.as_ref());
        let rows = listed.into_iter().flatten();
        let rows = rows.filter_map(|row| Some((u32::try_from(row.index).ok()?, row.commitment)));
        stated.insert(signed.payload_digest(), rows.collect());
    }
    Ok(stated)
}

fn by_commitment(opened: &Opened, wanted: &[Zeroizing<Vec<u8>>], stated: &Stated) -> Vec<Match> {
    let record = &opened.record;
    let prompts = record.pieces().filter(|piece| piece.item.kind == Kind::Prompt);
    let found = prompts.filter_map(|piece| {
        let index = piece.item.index;
        let key = derive(record.run_key(), Kind::Prompt, index);
        let kept = commit(&key, piece.bytes);
        let computed = wanted
            .iter()
            .map(|bytes| commit(&key, bytes))
            .find(|computed| *computed == kept)?;
        let stated = stated.get(&opened.name.payload);
        Some(Match {
            payload: opened.name.payload.to_string(),
            kind: Kind::Prompt.to_string(),
            index,
            origin: origin_of(piece.item.origin),
            stated: stated.map(|stated| stated.get(&index) == Some(&computed)),
        })
    });
    found.collect()
}

fn inside(opened: &Opened, text: &[u8]) -> Vec<Match> {
    let needle =
        std::str::from_utf8(text).map_or(text, |text| text.trim_end_matches(['\r', '\n']).as_bytes());
    let holds = |bytes: &[u8]| bytes.windows(needle.len().max(1)).any(|window| window == needle);
    let pieces = opened.record.pieces().filter(|piece| match piece.item.kind {
        Kind::Prompt => {
            records::parts(piece.bytes).is_some_and(|parts| parts.iter().any(|part| holds(part.as_bytes())))
        }
        Kind::Command | Kind::Instruction | Kind::Task => holds(piece.bytes),
        Kind::Step | Kind::Transcript => false,
    });
    pieces
        .map(|piece| Match {
            payload: opened.name.payload.to_string(),
            kind: piece.item.kind.to_string(),
            index: piece.item.index,
            origin: origin_of(piece.item.origin),
            stated: None,
        })
        .collect()
}
