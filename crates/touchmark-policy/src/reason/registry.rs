//! The one table of codes. `schemas/reason-codes.json` is made from it, and a test keeps the two equal.

use serde::Serialize;

use super::capture_codes_agents;
use super::capture_codes_capture;
use super::capture_codes_evidence;
use super::capture_codes_hooks;
use super::capture_codes_identity;
use super::capture_codes_privacy;
use super::capture_codes_sbom;
use super::sigstore_codes_keyless;
use super::sigstore_codes_monitor;
use super::sigstore_codes_policy;
use super::sigstore_codes_rekor;
use super::sigstore_codes_tlog;
use super::sigstore_codes_trust;
use super::sigstore_codes_verify;
use super::{
    cli_codes_1, gate_codes, git_codes_1, git_codes_2, policy_codes, statement_codes_1, statement_codes_2,
    tool_codes_1, tool_codes_2, verify_codes_1, verify_codes_2, verify_codes_3,
};
use crate::exit::{Class, Decision, ExitCode};

/// A documented code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The stable code. One that ends in `.*` stands for every code with that beginning.
    pub code: &'static str,
    /// What it does to an answer that needs the thing it is about. Evidence that no requirement needs is set aside
    /// under the same code and changes nothing.
    pub class: Class,
    /// One line.
    pub title: &'static str,
    /// One paragraph.
    pub explanation: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

impl Entry {
    /// Returns the exit code that a reason of this class leads to, or `None` for a finding.
    pub fn exit_code(&self) -> Option<ExitCode> {
        self.class.decision().map(Decision::exit_code)
    }
}

/// Makes an entry; the tables are lists of these.
pub(super) const fn entry(
    code: &'static str,
    class: Class,
    title: &'static str,
    explanation: &'static str,
    help: &'static str,
) -> Entry {
    Entry {
        code,
        class,
        title,
        explanation,
        help,
    }
}

const TABLES: &[&[Entry]] = &[
    cli_codes_1::CODES,
    gate_codes::CODES,
    git_codes_1::CODES,
    git_codes_2::CODES,
    policy_codes::CODES,
    capture_codes_agents::CODES,
    capture_codes_capture::CODES,
    capture_codes_evidence::CODES,
    capture_codes_hooks::CODES,
    capture_codes_identity::CODES,
    capture_codes_privacy::CODES,
    capture_codes_sbom::CODES,
    sigstore_codes_keyless::CODES,
    sigstore_codes_monitor::CODES,
    sigstore_codes_policy::CODES,
    sigstore_codes_rekor::CODES,
    sigstore_codes_tlog::CODES,
    sigstore_codes_trust::CODES,
    sigstore_codes_verify::CODES,
    statement_codes_1::CODES,
    statement_codes_2::CODES,
    tool_codes_1::CODES,
    tool_codes_2::CODES,
    verify_codes_1::CODES,
    verify_codes_2::CODES,
    verify_codes_3::CODES,
];

/// Returns every entry, sorted by code.
pub fn all() -> Vec<&'static Entry> {
    let mut all: Vec<&Entry> = TABLES.iter().flat_map(|table| table.iter()).collect();
    all.sort_by_key(|entry| entry.code);
    all
}

/// Returns the entry of a code.
pub fn explain(code: &str) -> Option<&'static Entry> {
    let entries = || TABLES.iter().flat_map(|table| table.iter());
    entries().find(|entry| entry.code == code).or_else(|| {
        entries().find(|entry| {
            entry
                .code
                .strip_suffix('*')
                .is_some_and(|start| code.starts_with(start))
        })
    })
}

/// Returns `schemas/reason-codes.json`.
pub fn encode() -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        code: &'static str,
        class: Class,
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_code: Option<u8>,
        title: &'static str,
        explanation: &'static str,
        help: &'static str,
    }
    let row = |entry: &Entry| Row {
        code: entry.code,
        class: entry.class,
        exit_code: entry.exit_code().map(ExitCode::number),
        title: entry.title,
        explanation: entry.explanation,
        help: entry.help,
    };
    let rows: Vec<Row> = all().into_iter().map(row).collect();
    let mut bytes = serde_json::to_vec_pretty(&rows).expect("rows hold only strings and numbers");
    bytes.push(b'\n');
    bytes
}
