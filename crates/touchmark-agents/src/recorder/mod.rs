//! The one place that turns what records say into a [`Run`], under the caps of [`limits`](crate::limits).
//!
//! An importer is only mapping: it reads the fields of a record and tells the recorder what they mean. The recorder
//! joins calls and their results, counts each answer's tokens once, classifies commands, finds commits in output, keeps
//! what is distinct, and knows what was cut, copied or taken back. Two drivers feed an importer: [`lines`] for JSON
//! Lines, [`document`] for one JSON value that holds the records in lists.
//!
//! For an export, an importer also gives the words: [`Recorder::says`] for the text of answers, `arguments` of calls,
//! `output` of results. They are dropped at once unless the caller asked for them ([`Recorder::keep_words`], which the
//! driver of lines calls, and an importer of documents has to).
//!
//! A complete importer of lines:
//!
//! ```ignore
//! #[derive(Default, Deserialize)]
//! #[serde(default)]
//! struct Record<'a> {
//!     #[serde(borrow, rename = "type")]
//!     kind: Text<'a>,
//!     #[serde(borrow)]
//!     text: Text<'a>,
//!     #[serde(borrow)]
//!     time: Text<'a>,
//! }
//!
//! struct Mapping;
//!
//! impl LineFormat for Mapping {
//!     type Record<'a> = Record<'a>;
//!
//!     fn record(&mut self, recorder: &mut Recorder, spot: Spot<'_>, record: Record<'_>) -> Result<(), ImportError> {
//!         let kind = match record.kind.as_deref() {
//!             Some("prompt") => StepKind::Prompt,
//!             _ => StepKind::Unknown,                        // counted by the recorder
//!         };
//!         let place = recorder.add_step(kind, spot)?;
//!         recorder.time(record.time.as_deref().and_then(times::text));
//!         if let (StepKind::Prompt, Some(text)) = (kind, record.text.0) {
//!             recorder.prompt(vec![PromptPart::Text(text.into_owned())], PromptOrigin::Human, place)?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! impl Importer for Example {
//!     fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
//!         self.import_from(Input::Files(files), options)
//!     }
//!
//!     fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
//!         let mut recorder = Recorder::new("example", Some("example-inc"));
//!         lines::read(&mut recorder, &mut Mapping, input, options)?;
//!         recorder.finish(Naming { hook: options.session_id.as_deref(), ..Naming::default() })
//!     }
//!     // product, format, recognises, discover; `gather` where a session is more than one file
//! }
//! ```

mod answers;
mod calls;
pub(crate) mod document;
mod identity;
pub(crate) mod input;
pub(crate) mod lines;
pub(crate) mod names;
mod notes;
pub(crate) mod parts;
pub(crate) mod times;
mod tree;
mod words;

use chrono::{DateTime, Utc};

pub(crate) use answers::{Growth, NewAnswer, add_usage};
pub(crate) use calls::{NewCall, NewResult, Place};
pub(crate) use identity::{Naming, Own};
pub(crate) use lines::{LineFormat, Spot};

use self::answers::Answers;
use self::calls::Calls;
use self::tree::Tree;
use crate::error::ImportError;
use crate::limits::{MAX_PROMPT_BYTES, MAX_STEPS};
use crate::run::{
    Completeness, Importer, Prompt, PromptOrigin, PromptPart, Role, Run, SourceFile, Step, StepKind,
    StepState, Subagent, Usage,
};

/// Collects what records say.
#[derive(Default)]
pub(crate) struct Recorder {
    /// What was collected so far. Importers may read it, and set what needs no joining.
    pub(crate) run: Run,
    tree: Tree,
    answers: Answers,
    calls: Calls,
    prompt_bytes: usize,
    session_ids: Vec<String>,
    last_time: Option<DateTime<Utc>>,
    /// The directory that was noted last.
    directory: Option<String>,
    source: OpenSource,
    /// The sub-agent whose records are being read, in a file that holds those of several.
    speaker: Option<String>,
    keeper: Option<Box<words::Keeper>>,
}

/// The file that is being read.
#[derive(Default)]
struct OpenSource {
    index: u32,
    name: String,
    is_subagent: bool,
    /// The sub-agent's identifier, from the file's name.
    agent: Option<String>,
}

impl Recorder {
    /// Starts the run of a product.
    pub(crate) fn new(product: &str, vendor: Option<&str>) -> Self {
        let mut recorder = Self::default();
        recorder.run.product.name = product.to_owned();
        recorder.run.product.vendor = vendor.map(str::to_owned);
        recorder.run.importer = Importer {
            name: format!("touchmark-agents/{product}"),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        recorder
    }

    /// Begins a file. The drivers call this.
    pub(crate) fn begin_source(&mut self, name: &str, is_subagent: bool, agent: Option<String>) {
        self.source = OpenSource {
            index: self.run.sources.len() as u32,
            name: name.to_owned(),
            is_subagent,
            agent,
        };
        self.last_time = None;
        self.speaker = None;
    }

    /// Ends a file. The drivers call this.
    pub(crate) fn end_source(&mut self, bytes_read: u64, completeness: Completeness) {
        self.run.sources.push(SourceFile {
            name: std::mem::take(&mut self.source.name),
            bytes_read,
            completeness,
        });
    }

    /// The name of the file that is being read.
    pub(crate) fn source_name(&self) -> &str {
        &self.source.name
    }

    /// The sub-agent whose file is being read.
    pub(crate) fn source_agent(&self) -> Option<&str> {
        self.source.agent.as_deref()
    }

    /// The role of what the file that is being read says.
    pub(crate) fn source_role(&self) -> Role {
        if self.source.is_subagent {
            Role::Subagent
        } else {
            Role::Primary
        }
    }

    /// Adds a step for a record, and says where it stands. A record of an unknown kind is counted.
    pub(crate) fn add_step(&mut self, kind: StepKind, spot: Spot<'_>) -> Result<Place<'static>, ImportError> {
        let step = self.step(kind, spot.offset, spot.len())?;
        Ok(Place {
            step,
            role: self.source_role(),
            working_directory: None,
        })
    }

    /// Where that stands which is said of the run as a whole: at the last step, by the agent itself.
    pub(crate) fn last_place(&self) -> Place<'static> {
        Place {
            step: self.run.steps.len().saturating_sub(1),
            role: Role::Primary,
            working_directory: None,
        }
    }

    /// Adds a step; returns its index.
    pub(crate) fn step(&mut self, kind: StepKind, offset: u64, len: u64) -> Result<usize, ImportError> {
        if self.run.steps.len() >= MAX_STEPS {
            return Err(ImportError::TooLarge {
                what: "records",
                limit: MAX_STEPS as u64,
            });
        }
        if kind == StepKind::Unknown {
            self.run.counters.unknown += 1;
        }
        self.run.steps.push(Step {
            source: self.source.index,
            kind,
            state: StepState::Active,
            offset,
            len,
        });
        Ok(self.run.steps.len() - 1)
    }

    /// Names a record that hangs on a parent. False where a record of this name is there already: it is a copy, its
    /// step is marked, and it must not be counted again. Two human prompts under one parent mean that the person went
    /// back; see [`Tree::finish`].
    pub(crate) fn node(&mut self, step: usize, id: &str, parent: Option<&str>) -> bool {
        let is_new = self.tree.add(step, id, parent);
        if !is_new {
            self.copied(step);
        }
        is_new
    }

    /// Names a record in a format whose records hang on nothing. False where it is a copy, as in [`Self::node`].
    pub(crate) fn is_first(&mut self, step: usize, id: &str) -> bool {
        let is_new = self.tree.add_alone(step, id);
        if !is_new {
            self.copied(step);
        }
        is_new
    }

    /// Marks a step that repeats an earlier one.
    pub(crate) fn copied(&mut self, step: usize) {
        if let Some(step) = self.run.steps.get_mut(step)
            && step.state != StepState::Copied
        {
            step.state = StepState::Copied;
            self.run.structure.copies += 1;
        }
    }

    /// Marks a step of a turn that the person went back on. What was done stays counted: it happened.
    pub(crate) fn rewound(&mut self, step: usize) {
        if let Some(step) = self.run.steps.get_mut(step)
            && step.state == StepState::Active
        {
            step.state = StepState::Rewound;
        }
    }

    /// Adds a prompt. Call it only for a record that is no copy.
    pub(crate) fn prompt(
        &mut self,
        parts: Vec<PromptPart>,
        origin: PromptOrigin,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let bytes: usize = parts
            .iter()
            .map(|part| match part {
                PromptPart::Text(text) => text.len(),
                PromptPart::Other { kind, .. } => kind.len() + 32,
            })
            .sum();
        self.prompt_bytes = self.prompt_bytes.saturating_add(bytes);
        if self.prompt_bytes > MAX_PROMPT_BYTES {
            return Err(ImportError::TooLarge {
                what: "bytes of prompts",
                limit: MAX_PROMPT_BYTES as u64,
            });
        }
        self.run.prompts.push(Prompt {
            parts,
            origin,
            step: place.step,
            rewound: false,
        });
        self.keep_prompt(self.run.prompts.len() - 1, place)
    }

    /// Adds a tool call; one whose identifier is known is the same call.
    pub(crate) fn call(&mut self, call: &NewCall<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let directory = self.directory.take();
        let done = self.calls.add_call(call, within(place, directory.as_deref()));
        self.directory = directory;
        done?;
        self.keep_call(call, place)
    }

    /// Notes a sub-agent's call that its caller's record repeats: it counts only where the sub-agent's own records are
    /// not at hand, and then apart ([`Tool::echoed_calls`](crate::run::Tool::echoed_calls)).
    pub(crate) fn echo(&mut self, call: &NewCall<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let directory = self.directory.take();
        let done = self.calls.add_echo(call, within(place, directory.as_deref()));
        self.directory = directory;
        done
    }

    /// Adds the answer to a call; it may come before the call.
    pub(crate) fn result(&mut self, result: &NewResult<'_>, place: Place<'_>) {
        self.calls.add_result(result, place.step);
        // A cap that is reached here is told in the end.
        let _ = self.keep_result(result, place);
    }

    /// Names the MCP server of a call that is there, where only a later record tells it.
    pub(crate) fn call_server(&mut self, id: &str, server: &str, name: &str) -> Result<(), ImportError> {
        self.calls.set_server(id, server, name)
    }

    /// Returns whether a call with this identifier is there.
    pub(crate) fn knows_call(&self, id: &str) -> bool {
        self.calls.knows(id)
    }

    /// Returns whether the output of this call is worth decoding: it may name a commit.
    pub(crate) fn is_committing(&self, id: &str) -> bool {
        self.calls.is_committing(id)
    }

    /// Searches what a call printed for commits, for importers that decode output only where it is worth it.
    pub(crate) fn output(&mut self, id: &str, output: &str, place: Place<'_>) {
        self.calls.add_output(id, output, place.step);
    }

    /// Adds a file that the product says was written, apart from any call's answer.
    pub(crate) fn wrote(&mut self, path: &str, place: Place<'_>) {
        let directory = self.directory.take();
        self.calls
            .add_confirmed_write(path, within(place, directory.as_deref()));
        self.directory = directory;
    }

    /// Adds one record of an answer. Copies ([`Self::node`]) only refresh its tokens.
    pub(crate) fn answer(&mut self, answer: &NewAnswer<'_>, place: Place<'_>) {
        let counts = self
            .run
            .steps
            .get(place.step)
            .is_none_or(|step| step.state != StepState::Copied);
        self.answers.add(answer, place.role, place.step, counts);
        let _ = self.keep_answer(answer, place);
    }

    /// Notes a model that took part, but none of whose answers is at hand.
    pub(crate) fn model(&mut self, name: &str, provider: Option<&str>, place: Place<'_>) {
        self.answers.add_model(name, provider, place.role, place.step);
    }

    /// Counts a step of a model in a format that gives tokens apart from what the model said.
    pub(crate) fn model_step(&mut self, name: &str, provider: Option<&str>, place: Place<'_>) {
        self.answers
            .add_model_step(name, provider, place.role, place.step);
    }

    /// Keeps the tokens that the product reports for everything (`model` is `None`) or for one model with its
    /// provider: the last report for each `scope`. They win over what the answers add up to, so give either one or the
    /// other where answers carry tokens too.
    pub(crate) fn total(
        &mut self,
        scope: &str,
        model: Option<(&str, Option<&str>)>,
        usage: Usage,
        place: Place<'_>,
    ) {
        self.answers
            .set_total(scope, model, place.role, place.step, usage);
    }

    /// Returns the record of a sub-agent; `None` where there are too many, or its name is no name.
    pub(crate) fn subagent(&mut self, id: &str) -> Option<&mut Subagent> {
        self.calls.agent(id)
    }

    /// Notes which call a sub-agent was started by.
    pub(crate) fn link_subagent(&mut self, id: &str, call: Option<&str>) {
        self.calls.link_agent(id, call);
    }

    /// Returns the type of sub-agent that a call starts.
    pub(crate) fn agent_type_of(&self, call: &str) -> Option<String> {
        self.calls.agent_type_of(call)
    }

    /// Joins everything.
    pub(crate) fn finish(mut self, naming: Naming<'_>) -> Result<Run, ImportError> {
        let words = self.take_words()?;
        let mut run = self.run;
        run.words = words;
        if run.steps.iter().all(|step| step.kind == StepKind::Unreadable) {
            return Err(ImportError::Empty {
                bytes: run.sources.iter().map(|source| source.bytes_read).sum(),
                unreadable: run.steps.len() as u64,
            });
        }
        let (models, usage, findings) = self.answers.finish()?;
        run.models = models;
        run.usage = usage;
        run.findings.extend(findings);
        self.tree.finish(&mut run.steps, &run.prompts, &mut run.structure);
        for prompt in &mut run.prompts {
            prompt.rewound = run
                .steps
                .get(prompt.step)
                .is_some_and(|step| step.state == StepState::Rewound);
        }
        run.counters.rewound = run
            .steps
            .iter()
            .filter(|step| step.state == StepState::Rewound)
            .count() as u64;
        let calls = self.calls.finish()?;
        run.tools = calls.tools;
        run.commands = calls.commands;
        run.written = calls.written;
        run.commits = calls.commits;
        run.subagents = calls.agents.into_iter().collect();
        run.completeness = run
            .sources
            .iter()
            .map(|source| source.completeness)
            .max()
            .unwrap_or_default();
        identity::settle(&mut run, naming, self.session_ids);
        Ok(run)
    }
}

/// A place without a directory of its own is in the one that was noted last.
fn within<'a>(place: Place<'a>, noted: Option<&'a str>) -> Place<'a> {
    Place {
        working_directory: place.working_directory.or(noted),
        ..place
    }
}
