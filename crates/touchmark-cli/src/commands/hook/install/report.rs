//! What was done, as text with diffs and as JSON.

use std::borrow::Cow;

use serde::Serialize;
use touchmark_agents::secrets;

use super::change::{Change, Installed, Then};
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Format, Schema};

/// What was done to each file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    #[serde(skip)]
    installed: bool,
    dry_run: bool,
    files: Vec<Row>,
}

/// What was done to one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    agent: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    state: State,
    #[serde(skip_serializing_if = "String::is_empty")]
    diff: String,
    /// What the agent shows when it asks whether to trust a hook.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) trust: Vec<Trust>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// The hash of one hook.
#[derive(Debug, Serialize)]
pub(crate) struct Trust {
    /// The event.
    pub(crate) event: &'static str,
    /// What the agent calls the hook's current hash.
    pub(crate) hash: String,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Unchanged,
    Changed,
    Created,
    Removed,
    Refused,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Created => "created",
            Self::Removed => "removed",
            Self::Refused => "refused",
        }
    }
}

impl Row {
    /// Describes a change.
    pub(crate) fn of(agent: &'static str, change: &Change) -> Self {
        let state = match (&change.then, &change.place.text) {
            (Then::Same, _) => State::Unchanged,
            (Then::Text(_), None) => State::Created,
            (Then::Text(_), Some(_)) => State::Changed,
            (Then::Gone, _) => State::Removed,
        };
        let file = change.place.path.to_string_lossy().into_owned();
        let diff = diff(&file, change.place.text.as_deref(), change.after());
        Self {
            agent,
            file: Some(file),
            state,
            diff,
            trust: Vec::new(),
            remarks: Vec::new(),
            code: None,
        }
    }

    /// Adds what the user has to know.
    pub(crate) fn remark(&mut self, text: &'static str) {
        if !text.is_empty() {
            self.remarks.push(text);
        }
    }

    /// Whether the file was as it should be.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.state == State::Unchanged
    }
}

impl Report {
    /// An empty report.
    pub(crate) fn new(installed: Installed, dry_run: bool) -> Self {
        Self {
            installed: installed == Installed::Yes,
            dry_run,
            files: Vec::new(),
        }
    }

    /// Adds files.
    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.files.extend(rows);
    }

    /// Adds an agent whose file was not changed, for the reason that was told.
    pub(crate) fn refuse(&mut self, agent: &'static str, error: &CliError) {
        self.files.push(Row {
            agent,
            file: None,
            state: State::Refused,
            diff: String::new(),
            trust: Vec::new(),
            remarks: Vec::new(),
            code: Some(error.code().to_owned()),
        });
    }

    /// Writes the report.
    pub(crate) fn write(&self, context: &Context<'_>) -> Result<(), CliError> {
        let output = context.output;
        if output.format() == Format::Json {
            return output.document(Schema::new("hook-install", 1), self);
        }
        for row in &self.files {
            let would = if self.dry_run && !row.is_unchanged() && row.code.is_none() {
                "would be "
            } else {
                ""
            };
            let file = row.file.as_deref().or(row.code.as_deref()).unwrap_or_default();
            output.line(format!("{}: {would}{} {file}", row.agent, row.state.word()));
            if !row.diff.is_empty() {
                output.line(row.diff.trim_end_matches('\n'));
            }
            for trust in &row.trust {
                output.line(format!("  {} {}", trust.event, trust.hash));
            }
            for remark in &row.remarks {
                output.note(format!("{}: {remark}", row.agent));
            }
        }
        if self.installed && !self.dry_run && self.files.iter().any(|row| !row.is_unchanged()) {
            output.note("sessions that run already may not have the hooks: start them again");
        }
        Ok(())
    }
}

/// The lines that change, as a unified diff. The user's settings may hold secrets, and a terminal is recorded: what is or
/// is called like one is left out.
fn diff(file: &str, before: Option<&str>, after: Option<&str>) -> String {
    if before == after {
        return String::new();
    }
    let name = |text: Option<&str>, side: &str| match text {
        Some(_) => format!("{side}/{}", file.trim_start_matches('/')),
        None => "/dev/null".to_owned(),
    };
    let (old, new) = (name(before, "a"), name(after, "b"));
    let diff = similar::TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default())
        .unified_diff()
        .context_radius(3)
        .header(&old, &new)
        .to_string();
    let named: String = diff.split_inclusive('\n').map(without_named_secret).collect();
    String::from_utf8_lossy(&secrets::redact(named.as_bytes()).bytes).into_owned()
}

/// Takes the value out of a line whose name says that it is a secret: `"API_KEY": "…"`, `token = "…"`.
fn without_named_secret(line: &str) -> Cow<'_, str> {
    const NAMES: [&str; 6] = ["key", "token", "secret", "passw", "auth", "credential"];
    let Some(at) = line.find([':', '=']) else {
        return Cow::Borrowed(line);
    };
    let (name, value) = line.split_at(at + 1);
    let lower = name.to_ascii_lowercase();
    let is_text = value.trim_start().starts_with(['"', '\'']);
    if !is_text || !NAMES.iter().any(|word| lower.contains(word)) {
        return Cow::Borrowed(line);
    }
    let end = if line.ends_with('\n') { "\n" } else { "" };
    Cow::Owned(format!("{name} [REDACTED]{end}"))
}
