//! `touchmark verify --disclosure FILE`: proves opened pieces of a run against the statement that commits to them.
//!
//! The statement is verified first, as any other: by the expected signer, or by a policy. A piece counts for nothing
//! beyond what its statement does.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use touchmark_policy::judge::Candidate;
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::commitment::{Disclosed, Disclosure, Item, Kind, MAX_FILE_BYTES};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::verified::VerifiedStatement;

use super::report::Proven;
use super::{Args, alone, evidence, expected, load_policy};
use crate::commands::disclose::{origin_of, records};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};
use crate::pipeline::open_for_writing;
use crate::{file_argument, investigation, render};

/// The most of a piece that is printed, in bytes.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// What no disclosure proves.
const NOT_CLAIMED: [&str; 4] = [
    "that a person typed a prompt: its origin is what the signer's session file says",
    "that the session file held all that happened, or was not changed before it was attested",
    "anything about pieces that are not disclosed",
    "that what the statement says is true",
];

#[derive(Serialize)]
struct Document {
    payload: String,
    source: String,
    signer: String,
    pieces: Vec<Piece>,
    #[serde(rename = "notClaimed")]
    not_claimed: [&'static str; 4],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    kind: String,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    bytes: usize,
    /// The text, up to a limit; absent where the bytes are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The bytes in base64, up to the same limit, where they are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    is_cut: bool,
}

/// Verifies the statement and every piece; one failure is a failure.
pub(super) fn run(args: &Args, file: &Path, context: &Context<'_>) -> Result<ExitCode, CliError> {
    refuse_questions_about_a_change(args)?;
    let bytes = file_argument::read(&context.path(file), MAX_FILE_BYTES as u64)?;
    let refused = |error: &touchmark_verify::commitment::CommitmentError| {
        CliError::from_error(ExitCode::Invalid, error.code(), error)
            .because(format_args!("in {}", file.display()))
    };
    let disclosures = Disclosure::parse_all(&bytes).map_err(|error| refused(&error))?;
    let payload = disclosures
        .first()
        .map(|first| first.payload)
        .ok_or_else(|| CliError::failed("cli.internal", "a file of disclosures holds none and was read"))?;
    let (source, statement) = statement(args, &payload, context)?;
    let mut proven = Vec::with_capacity(disclosures.len());
    for disclosure in &disclosures {
        proven.push(
            disclosure
                .verify(statement.signed())
                .map_err(|error| refused(&error))?,
        );
    }
    let document = Document {
        payload: payload.to_string(),
        source,
        signer: statement.signer().to_string(),
        pieces: proven.iter().map(piece).collect(),
        not_claimed: NOT_CLAIMED,
    };
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("verified-disclosure", 1), &document)?,
        Format::Text => text(&document, context),
    }
    Ok(ExitCode::Allowed)
}

fn refuse_questions_about_a_change(args: &Args) -> Result<(), CliError> {
    let about_a_change = args.change.is_some()
        || args.landed.is_some()
        || args.target.is_some()
        || args.artifact.is_some()
        || args.statement
        || args.exit_zero;
    if about_a_change {
        return Err(CliError::usage(
            "verify.disclosure_alone",
            "a disclosure is about one statement, not about a change",
        )
        .hint("touchmark verify --disclosure FILE --key KEY, or --policy FILE"));
    }
    Ok(())
}

/// Finds the statement, in the bundles that were given or in the repository, and verifies it.
fn statement(
    args: &Args,
    payload: &Sha256Digest,
    context: &Context<'_>,
) -> Result<(String, Box<VerifiedStatement>), CliError> {
    let candidates = candidates(args, payload, context)?;
    let mut failure = CliError::new(
        ExitCode::Missing,
        "verify.no_evidence",
        format!("the statement sha256:{payload} is not here"),
    )
    .hint("give its bundle with --bundle FILE, or fetch the evidence of its commit: touchmark publish --fetch REMOTE");
    for candidate in candidates {
        let source = candidate.source.clone();
        match verify(args, candidate, context) {
            Ok(statement) => return Ok((source, statement)),
            Err(error) => {
                failure = error.because("a disclosure says nothing where its statement is not verified")
            }
        }
    }
    Err(failure)
}

fn candidates(
    args: &Args,
    payload: &Sha256Digest,
    context: &Context<'_>,
) -> Result<Vec<Candidate>, CliError> {
    let mut candidates = Vec::new();
    for path in &args.bundle {
        candidates.extend(evidence::given(path, context)?);
    }
    if args.bundle.is_empty() {
        let repository = open_for_writing(&context.directory, context)?;
        let (pieces, _) = investigation::read(&repository, None)?;
        let found = pieces.into_iter().map(|((name, _), (refs, bytes))| Candidate {
            source: format!("{}:{name}", refs.first().map_or("", String::as_str)),
            bytes,
        });
        candidates.extend(found);
    }
    candidates.retain(|candidate| {
        let bundle = Bundle::parse(&candidate.bytes).ok();
        let envelope = bundle.as_ref().and_then(|bundle| bundle.envelope());
        envelope.is_some_and(|envelope| Sha256Digest::of(&envelope.payload) == *payload)
    });
    Ok(candidates)
}

/// Every one of whom is asked must have had this signer in mind.
fn verify(
    args: &Args,
    candidate: Candidate,
    context: &Context<'_>,
) -> Result<Box<VerifiedStatement>, CliError> {
    let mut verified = None;
    for expected in expected_signers(args, context)? {
        let candidate = Candidate {
            source: candidate.source.clone(),
            bytes: candidate.bytes.clone(),
        };
        if let Some(Proven::Statement { statement, .. }) = alone::prove(args, &expected, candidate, context)?
        {
            verified = Some(statement);
        }
    }
    verified.ok_or_else(|| {
        CliError::new(
            ExitCode::Missing,
            "verify.no_evidence",
            "the bundle holds no statement",
        )
    })
}

fn expected_signers(args: &Args, context: &Context<'_>) -> Result<Vec<ExpectedSigners>, CliError> {
    let configured = context.config.strings("policies");
    let names_signers = args.identity.is_given() || !args.key.is_empty();
    let files: Vec<std::path::PathBuf> = match (args.policy.is_empty(), names_signers) {
        (false, _) => args.policy.clone(),
        (true, true) => Vec::new(),
        (true, false) => configured.iter().map(std::path::PathBuf::from).collect(),
    };
    if files.is_empty() {
        return Ok(vec![expected::signers(args, context)?]);
    }
    let keys = evidence::public_keys(&args.key, context)?;
    let load = |file: &std::path::PathBuf| {
        let bytes = file_argument::read(&context.path(file), crate::commands::policy::MAX_POLICY_BYTES)?;
        let mut expected = load_policy(&bytes, &file.display().to_string())?.expected_signers();
        for key in &keys {
            expected.keys.add_key(key.clone());
        }
        Ok(expected)
    };
    files.iter().map(load).collect()
}

fn piece(disclosed: &Disclosed) -> Piece {
    let Item { kind, index, origin } = disclosed.item();
    let whole = shown(kind, disclosed.bytes());
    let cut = whole.as_ref().map_or(disclosed.bytes().len(), String::len) > MAX_SHOWN_BYTES;
    let text = whole.map(|text| {
        let end = (0..=MAX_SHOWN_BYTES.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text[..end.unwrap_or(0)].to_owned()
    });
    let bytes = &disclosed.bytes()[..disclosed.bytes().len().min(MAX_SHOWN_BYTES)];
    Piece {
        kind: kind.to_string(),
        index,
        origin: origin_of(origin),
        bytes: disclosed.bytes().len(),
        base64: text.is_none().then(|| STANDARD.encode(bytes)),
        text,
        is_cut: cut,
    }
}

/// What a piece says: the text parts of a prompt, or the bytes where they are text.
fn shown(kind: Kind, bytes: &[u8]) -> Option<String> {
    if kind != Kind::Prompt {
        return std::str::from_utf8(bytes).ok().map(str::to_owned);
    }
    let parts = records::parts(bytes)?;
    Some(
        parts
            .iter()
            .map(|part| part.as_str())
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

fn text(document: &Document, context: &Context<'_>) {
    let line = |label: &str, value: &str| context.output.rendered(render::field(label, value));
    line("statement", &format!("sha256:{}", document.payload));
    line("source", &document.source);
    line("signer", &document.signer);
    for piece in &document.pieces {
        let origin = piece
            .origin
            .map_or_else(String::new, |origin| format!(" ({origin})"));
        line(
            "proven",
            &format!("{} {}{origin}, {} bytes", piece.kind, piece.index, piece.bytes),
        );
        // Each line stands behind a bar, so that no text looks like ours.
        let said = piece
            .text
            .as_deref()
            .or(piece.base64.as_deref())
            .unwrap_or_default();
        for said in said.lines() {
            context.output.line(format!("  | {said}"));
        }
        if piece.is_cut {
            context.output.line("  … cut here");
        }
    }
    for claim in document.not_claimed {
        line("not claimed", claim);
    }
}
