//! What statements account for: each counts what a session did since the one before, in whichever repository that was.
//!
//! The importer tells what a session did in all. What the statements before have told is kept here, under the session,
//! and taken off. The note is written before the statement it belongs to is in the spool, and counts only if the chain
//! has that statement, so that a statement that never came to be takes nothing off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use touchmark_agents::importer;
use touchmark_agents::run::{Cost, Relation, Run, StepKind, Usage};
use touchmark_agents::session::{ImportOptions, Layout, Session, SessionFile};
use touchmark_sign::folder::Folder;
use touchmark_statement::agent_change::Since;
use touchmark_statement::digest::Sha256Digest;

use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::chain;

/// How many notes of a session are kept: the last that counts, and those after it that may.
const MAX_NOTES: usize = 8;

/// The most files that are remembered as written.
const MAX_WRITTEN: usize = 20_000;

/// What a session did in all, up to one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Totals {
    /// Steps.
    pub(crate) steps: u64,
    prompts: u64,
    commands: u64,
    /// The bytes of the session's own file that were read.
    #[serde(default)]
    own: u64,
    /// The bytes of each file that were read, by name: what lies beyond is new.
    #[serde(default)]
    files: BTreeMap<String, u64>,
    #[serde(default)]
    usage: Tokens,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cost: Option<String>,
    /// Calls and failures, by tool.
    #[serde(default)]
    tools: BTreeMap<String, (u64, u64)>,
    /// Steps, by model and role.
    #[serde(default)]
    models: BTreeMap<String, u64>,
    /// The files that the session said it wrote, with the folder that their names belong to.
    #[serde(default)]
    written: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tokens {
    input: u64,
    output: u64,
    read: u64,
    write: u64,
    requests: u64,
}

/// The notes of one session, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    notes: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The chain's file name.
    chain: Sha256Digest,
    sequence: u64,
    payload: Sha256Digest,
    totals: Totals,
}

impl Totals {
    /// What a session did in all.
    pub(crate) fn of(session: &Session) -> Self {
        let run = &session.run;
        let files = session.files.iter();
        Self {
            steps: run.steps.len() as u64,
            prompts: run.prompts.len() as u64,
            commands: run.commands.len() as u64,
            own: session.files.first().map_or(0, |file| file.bytes.len() as u64),
            files: files
                .map(|file| (file.name.clone(), file.bytes.len() as u64))
                .collect(),
            usage: Tokens::of(&run.usage),
            cost: run.cost.as_ref().map(|cost| cost.amount.clone()),
            tools: run
                .tools
                .iter()
                .map(|(name, tool)| (name.clone(), (tool.calls, tool.failures)))
                .collect(),
            models: run
                .models
                .iter()
                .map(|((id, role), model)| (format!("{} {id}", role.as_str()), model.steps))
                .collect(),
            written: run
                .written
                .iter()
                .take(MAX_WRITTEN)
                .map(|(path, how)| (path.clone(), how.working_directory.clone()))
                .collect(),
        }
    }

    /// What a session holds of the one that it was copied from, where statements account for that one already: the
    /// records at its beginning that name it.
    pub(crate) fn copied(session: &Session, context: &Context<'_>) -> Result<Option<Self>, CliError> {
        let Some(parent) = session.run.parent.as_ref() else {
            return Ok(None);
        };
        if !matches!(parent.relation, Relation::Fork | Relation::Resume) {
            return Ok(None);
        }
        let Some(told) = before(&session.run.product.name, &parent.session_id, context)? else {
            return Ok(None);
        };
        let Some(importer) = importer::by_format(session.format) else {
            return Ok(None);
        };
        let end = copied_bytes(session, &parent.session_id, told.steps);
        let Some(own) = session.files.first().filter(|_| end > 0) else {
            return Ok(None);
        };
        let file = SessionFile {
            bytes: own.bytes[..end].to_vec(),
            ..own.clone()
        };
        let run = importer.import(std::slice::from_ref(&file), &ImportOptions::default());
        Ok(run.ok().map(|run| {
            Self::of(&Session {
                format: session.format,
                layout: session.layout,
                files: vec![file],
                run,
            })
        }))
    }

    /// The files that earlier statements have told of already.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let pairs = self.written.iter();
        pairs.map(|(path, folder)| (path.as_str(), folder.as_deref()))
    }

    /// How much of the session's own file it was.
    pub(crate) fn own_bytes(&self) -> u64 {
        self.own
    }

    /// Leaves in a session only what it did since. Steps and bytes stay: commitments are to all of them.
    pub(crate) fn take_off(&self, session: &mut Session) -> Since {
        let fresh = Fresh::of(self, session);
        let run = &mut session.run;
        let mut since = Since {
            steps: self.steps.min(run.steps.len() as u64),
            ..Since::default()
        };
        since.commands = retain(&mut run.commands, |at, command| {
            fresh.is_new(at, command.step, self.commands)
        });
        let last = run.prompts.last().cloned();
        since.prompts = retain(&mut run.prompts, |at, prompt| {
            fresh.is_new(at, prompt.step, self.prompts)
        });
        if run.prompts.is_empty() {
            // What steered these steps was said before them.
            run.prompts.extend(last);
            since.prompt_again = !run.prompts.is_empty();
        }
        self.take_off_counts(run);
        since
    }

    fn take_off_counts(&self, run: &mut Run) {
        self.usage.take_off(&mut run.usage);
        for (name, tool) in &mut run.tools {
            let (calls, failures) = self.tools.get(name).copied().unwrap_or_default();
            tool.calls = tool.calls.saturating_sub(calls);
            tool.failures = tool.failures.saturating_sub(failures);
        }
        run.tools.retain(|_, tool| tool.calls > 0 || tool.failures > 0);
        for ((id, role), model) in &mut run.models {
            let before = self.models.get(&format!("{} {id}", role.as_str()));
            model.steps = model.steps.saturating_sub(before.copied().unwrap_or_default());
        }
        if run.models.values().any(|model| model.steps > 0) {
            run.models.retain(|_, model| model.steps > 0);
        }
        run.cost = run.cost.take().and_then(|cost| {
            let amount = match &self.cost {
                Some(before) => difference(&cost.amount, before)?,
                None => cost.amount.clone(),
            };
            Some(Cost { amount, ..cost })
        });
    }
}

/// The end of the records at a session's beginning that name another session, as copies do; of no more than that one's
/// statements have told of.
fn copied_bytes(session: &Session, parent: &str, told: u64) -> usize {
    let told = usize::try_from(told).unwrap_or(usize::MAX);
    let Some(own) = session.files.first() else {
        return 0;
    };
    let name = format!("\"{parent}\"");
    let mut end = 0;
    for step in session
        .run
        .steps
        .iter()
        .filter(|step| step.source == 0)
        .take(told)
    {
        let Some(record) = step.bytes(&own.bytes) else {
            break;
        };
        let names_it = record.windows(name.len()).any(|window| window == name.as_bytes());
        if names_it {
            end = usize::try_from(step.offset.saturating_add(step.len)).unwrap_or(0);
        } else if matches!(
            step.kind,
            StepKind::Prompt | StepKind::Answer | StepKind::ToolResult
        ) {
            break;
        }
    }
    // The line feed belongs to its line.
    end.saturating_add(usize::from(end > 0)).min(own.bytes.len())
}

/// Tells new items from old ones.
struct Fresh {
    /// Whether each step lies beyond what was read before; nothing where only the number of items can tell.
    steps: Option<Vec<bool>>,
}

impl Fresh {
    fn of(before: &Totals, session: &Session) -> Self {
        // A document is written anew each time, so that places in it mean nothing.
        if session.layout == Layout::Document {
            return Self { steps: None };
        }
        let marks: Vec<u64> = session
            .files
            .iter()
            .map(|file| before.files.get(&file.name).copied().unwrap_or_default())
            .collect();
        let beyond = |step: &touchmark_agents::run::Step| {
            let mark = marks.get(step.source as usize).copied().unwrap_or_default();
            step.offset.saturating_add(step.len) > mark
        };
        Self {
            steps: Some(session.run.steps.iter().map(beyond).collect()),
        }
    }

    fn is_new(&self, at: u64, step: usize, known: u64) -> bool {
        match &self.steps {
            Some(steps) => steps.get(step).copied().unwrap_or(true),
            None => at >= known,
        }
    }
}

/// Keeps what is new and returns how many were not.
fn retain<T>(items: &mut Vec<T>, is_new: impl Fn(u64, &T) -> bool) -> u64 {
    let before = items.len();
    let mut at = 0;
    items.retain(|item| {
        let keep = is_new(at, item);
        at += 1;
        keep
    });
    (before - items.len()) as u64
}

impl Tokens {
    fn of(usage: &Usage) -> Self {
        Self {
            input: usage.input_tokens.unwrap_or_default(),
            output: usage.output_tokens.unwrap_or_default(),
            read: usage.cache_read_tokens.unwrap_or_default(),
            write: usage.cache_write_tokens.unwrap_or_default(),
            requests: usage.requests.unwrap_or_default(),
        }
    }

    fn take_off(self, usage: &mut Usage) {
        let fields = [
            (&mut usage.input_tokens, self.input),
            (&mut usage.output_tokens, self.output),
            (&mut usage.cache_read_tokens, self.read),
            (&mut usage.cache_write_tokens, self.write),
            (&mut usage.requests, self.requests),
        ];
        for (field, before) in fields {
            // What is unknown stays unknown.
            *field = field.map(|now| now.saturating_sub(before));
        }
    }
}

/// Subtracts decimal numbers; nothing where one of them is none, or the result would be less than nothing.
fn difference(now: &str, before: &str) -> Option<String> {
    const PLACES: usize = 18;
    let scaled = |text: &str| -> Option<i128> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if part.len() > PLACES || whole.is_empty() {
            return None;
        }
        format!("{whole}{part:0<PLACES$}").parse().ok()
    };
    let rest = scaled(now)?
        .checked_sub(scaled(before)?)
        .filter(|rest| *rest >= 0)?;
    let digits = format!("{rest:0>width$}", width = PLACES + 1);
    let (whole, part) = digits.split_at(digits.len() - PLACES);
    let part = part.trim_end_matches('0');
    Some(if part.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{part}")
    })
}

/// Returns what the statements of a session account for so far; nothing where there is none yet.
pub(crate) fn before(
    product: &str,
    session: &str,
    context: &Context<'_>,
) -> Result<Option<Totals>, CliError> {
    let path = context.home.capture().join("accounts");
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let account = read(&Folder::open(&path)?, product, session)?;
    Ok(last_valid(&account, context)?.map(|note| note.totals.clone()))
}

/// Notes what a session did in all up to a statement that is about to be signed.
pub(crate) fn note(
    (product, session): (&str, &str),
    (chain, sequence, payload): (Sha256Digest, u64, Sha256Digest),
    totals: &Totals,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let folder = Folder::open(&context.home.capture().join("accounts"))?;
    let mut account = read(&folder, product, session)?;
    let valid = last_valid(&account, context)?.cloned();
    let skip = account.notes.len().saturating_sub(MAX_NOTES - 2);
    account.notes.drain(..skip);
    if let Some(valid) = valid
        && !account.notes.contains(&valid)
    {
        account.notes.insert(0, valid);
    }
    account.notes.push(Note {
        chain,
        sequence,
        payload,
        totals: totals.clone(),
    });
    super::write(&folder, &file_name(product, session), &account)
}

/// The last note whose statement there is.
fn last_valid<'a>(account: &'a Account, context: &Context<'_>) -> Result<Option<&'a Note>, CliError> {
    for note in account.notes.iter().rev() {
        let Some(link) = chain::last(&note.chain, context)? else {
            continue;
        };
        // Of two notes for one place in the chain only the later one was made.
        if link.sequence > note.sequence || (link.sequence == note.sequence && link.payload == note.payload) {
            return Ok(Some(note));
        }
    }
    Ok(None)
}

fn read(folder: &Folder, product: &str, session: &str) -> Result<Account, CliError> {
    Ok(super::read(folder, &file_name(product, session))?.unwrap_or_default())
}

fn file_name(product: &str, session: &str) -> String {
    format!("{}.json", super::name_of(&[product, session]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_subtracted_exactly() {
        assert_eq!(difference("1.10", "0.3").as_deref(), Some("0.8"));
        assert_eq!(difference("0.765860", "0.76586").as_deref(), Some("0"));
        assert_eq!(
            difference("2", "0.000000000000000001").as_deref(),
            Some("1.999999999999999999")
        );
        assert_eq!(difference("1", "2"), None, "less than nothing");
        assert_eq!(difference("one", "2"), None);
    }
}
