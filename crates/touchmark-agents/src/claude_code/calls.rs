//! Tool calls: who was called how often, which commands were run, which files were written.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use super::record::{Block, ToolUseResult};
use super::texts::{commit_hints, exit_code, identifier, split_name};
use crate::commands::classify;
use crate::error::ImportError;
use crate::json::lenient::{Object, Text, first_text};
use crate::limits::{MAX_COMMAND_BYTES, MAX_DISTINCT_NAMES, MAX_NAME_BYTES};
use crate::run::{Command, CommitHint, Role, Subagent, Tool, WrittenPath};

/// The most bytes of a command's output that are searched for commits.
const MAX_SEARCHED_OUTPUT_BYTES: usize = 8 * 1024 * 1024;
/// Words in a command whose output may name a commit.
const COMMITTING: [&str; 5] = ["commit", "cherry-pick", "merge", "rebase", "revert"];

/// Where a call stands: its step, who made it, and in which directory.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) step: usize,
    pub(super) role: Role,
    pub(super) working_directory: Option<&'a str>,
}

struct Call {
    tool: usize,
    command: Option<usize>,
    committing: bool,
    agent_type: Option<String>,
    answer: Option<Answer>,
}

#[derive(Clone, Copy)]
struct Answer {
    is_error: bool,
    exit_code: Option<i32>,
}

struct Write {
    path: String,
    working_directory: Option<String>,
    role: Role,
    /// `None` where a tool's result itself tells of the write.
    call: Option<usize>,
}

/// The input of a tool, as far as we read it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Input<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    file_path: Text<'a>,
    #[serde(borrow)]
    notebook_path: Text<'a>,
    #[serde(borrow)]
    subagent_type: Text<'a>,
}

/// Collects tool calls and their answers.
#[derive(Default)]
pub(super) struct Calls {
    tools: Vec<(String, Tool)>,
    by_name: HashMap<String, usize>,
    calls: Vec<Call>,
    by_id: HashMap<String, usize>,
    /// Answers that came before their calls.
    early: HashMap<String, Answer>,
    echoed: HashMap<String, usize>,
    commands: Vec<Command>,
    command_bytes: usize,
    writes: Vec<Write>,
    written: HashSet<(String, bool)>,
    commits: Vec<CommitHint>,
    agents: HashMap<String, Subagent>,
}

/// What [`Calls`] gives in the end.
pub(super) struct Finished {
    pub(super) tools: BTreeMap<String, Tool>,
    pub(super) commands: Vec<Command>,
    pub(super) written: BTreeMap<String, WrittenPath>,
    pub(super) commits: Vec<CommitHint>,
    pub(super) agents: HashMap<String, Subagent>,
}

impl Calls {
    /// Adds a call. A call whose identifier was seen before is the same call.
    pub(super) fn add_call(&mut self, block: &Block<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let id = block.id.as_deref().filter(|id| id.len() <= MAX_NAME_BYTES);
        if id.is_some_and(|id| self.by_id.contains_key(id)) {
            return Ok(());
        }
        let Some(name) = name_of(block) else { return Ok(()) };
        let tool = self.tool(name)?;
        self.tools[tool].1.calls += 1;
        let (input, command) = self.read_input(name, block, place)?;
        let call = self.calls.len();
        if let Some(path) = written_path(name, &input) {
            self.add_write(path, place, Some(call));
        }
        self.calls.push(Call {
            tool,
            command,
            committing: command.is_some_and(|at| {
                COMMITTING
                    .iter()
                    .any(|word| self.commands[at].text.contains(word))
            }),
            agent_type: if matches!(name, "Task" | "Agent") {
                short(&input.subagent_type)
            } else {
                None
            },
            answer: None,
        });
        if let Some(id) = id {
            self.by_id.insert(id.to_owned(), call);
            self.calls[call].answer = self.early.remove(id);
        }
        Ok(())
    }

    /// Notes a sub-agent's call that its caller's progress record repeats: its own file may be missing.
    pub(super) fn add_echo(&mut self, block: &Block<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let (Some(id), Some(name)) = (
            block.id.as_deref().filter(|id| id.len() <= MAX_NAME_BYTES),
            name_of(block),
        ) else {
            return Ok(());
        };
        if self.by_id.contains_key(id) || self.echoed.contains_key(id) {
            return Ok(());
        }
        let tool = self.tool(name)?;
        self.echoed.insert(id.to_owned(), tool);
        let input = block
            .input
            .map(|raw| serde_json::from_str::<Object<Input<'_>>>(raw.get()));
        if let Some(Ok(Object(Some(input)))) = input
            && let Some(path) = written_path(name, &input)
        {
            // No answer will be seen for it: the write stays unconfirmed.
            self.add_write(path, place, Some(usize::MAX));
        }
        Ok(())
    }

    /// Adds the answer to a call.
    pub(super) fn add_answer(
        &mut self,
        block: &Block<'_>,
        result: Option<&ToolUseResult<'_>>,
        place: Place<'_>,
    ) {
        let Some(id) = block
            .tool_use_id
            .as_deref()
            .filter(|id| id.len() <= MAX_NAME_BYTES)
        else {
            return;
        };
        let is_error = block.is_error.is_true();
        let exit_code = if is_error {
            block
                .content
                .and_then(first_text)
                .and_then(|text| exit_code(&text))
        } else {
            None
        };
        let answer = Answer { is_error, exit_code };
        let call = self.by_id.get(id).copied();
        match call {
            Some(call) => self.calls[call].answer = Some(answer),
            None if self.early.len() < MAX_DISTINCT_NAMES => {
                self.early.insert(id.to_owned(), answer);
            }
            None => {}
        }
        if !is_error && call.is_some_and(|call| self.calls[call].committing) {
            let output = result.and_then(|result| result.stdout).or(block.content);
            if let Some(output) = output
                .filter(|raw| raw.get().len() <= MAX_SEARCHED_OUTPUT_BYTES)
                .and_then(first_text)
            {
                self.commits.extend(commit_hints(&output, place.step).take(1_000));
            }
        }
        let Some(result) = result else { return };
        if !is_error
            && result.structured_patch.0
            && let Some(path) = result.file_path.as_deref()
        {
            self.add_write(path, place, None);
        }
        if let Some(agent) = short(&result.agent_id) {
            let agent_type = short(&result.agent_type).or_else(|| self.calls.get(call?)?.agent_type.clone());
            if let Some(known) = self.agent(&agent) {
                known.tool_use_id = Some(id.to_owned());
                known.agent_type = agent_type.or(known.agent_type.take());
                known.reported_tokens = result.total_tokens.0.or(known.reported_tokens);
            }
        }
    }

    /// Notes which call a sub-agent was started by.
    pub(super) fn link_agent(&mut self, agent: &str, tool_use_id: Option<&str>) {
        let agent_type = tool_use_id.and_then(|id| self.calls.get(*self.by_id.get(id)?)?.agent_type.clone());
        let tool_use_id = tool_use_id
            .filter(|id| id.len() <= MAX_NAME_BYTES)
            .map(str::to_owned);
        if let Some(known) = self.agent(agent) {
            known.tool_use_id = known.tool_use_id.take().or(tool_use_id);
            known.agent_type = known.agent_type.take().or(agent_type);
        }
    }

    /// Returns the record of a sub-agent.
    pub(super) fn agent(&mut self, id: &str) -> Option<&mut Subagent> {
        if id.is_empty() || id.len() > MAX_NAME_BYTES {
            return None;
        }
        if self.agents.len() >= MAX_DISTINCT_NAMES && !self.agents.contains_key(id) {
            return None;
        }
        Some(self.agents.entry(id.to_owned()).or_default())
    }

    fn tool(&mut self, name: &str) -> Result<usize, ImportError> {
        if let Some(at) = self.by_name.get(name) {
            return Ok(*at);
        }
        if self.tools.len() >= MAX_DISTINCT_NAMES {
            return Err(ImportError::TooLarge {
                what: "tools",
                limit: MAX_DISTINCT_NAMES as u64,
            });
        }
        let (kind, server, short_name) = split_name(name);
        let tool = Tool {
            kind,
            short_name: short_name.to_owned(),
            server,
            calls: 0,
            failures: 0,
            unanswered: 0,
            echoed_calls: 0,
        };
        self.tools.push((name.to_owned(), tool));
        self.by_name.insert(name.to_owned(), self.tools.len() - 1);
        Ok(self.tools.len() - 1)
    }

    /// Reads a tool's input and keeps its command where it is a shell's.
    fn read_input<'a>(
        &mut self,
        name: &str,
        block: &Block<'a>,
        place: Place<'_>,
    ) -> Result<(Input<'a>, Option<usize>), ImportError> {
        if !matches!(
            name,
            "Bash" | "PowerShell" | "Edit" | "MultiEdit" | "Write" | "NotebookEdit" | "Task" | "Agent"
        ) {
            return Ok((Input::default(), None));
        }
        let input = block
            .input
            .and_then(|raw| serde_json::from_str::<Object<Input<'a>>>(raw.get()).ok()?.0)
            .unwrap_or_default();
        if !matches!(name, "Bash" | "PowerShell") {
            return Ok((input, None));
        }
        let Some(text) = input.command.as_deref() else {
            return Ok((input, None));
        };
        self.command_bytes = self.command_bytes.saturating_add(text.len());
        if self.command_bytes > MAX_COMMAND_BYTES {
            return Err(ImportError::TooLarge {
                what: "bytes of commands",
                limit: MAX_COMMAND_BYTES as u64,
            });
        }
        let kind = classify(text);
        let command = Command {
            text: text.to_owned(),
            kind,
            exit_code: None,
            failed: None,
            step: place.step,
            role: place.role,
        };
        self.commands.push(command);
        Ok((input, Some(self.commands.len() - 1)))
    }

    fn add_write(&mut self, path: &str, place: Place<'_>, call: Option<usize>) {
        if path.is_empty() || path.len() > MAX_NAME_BYTES || self.writes.len() >= MAX_DISTINCT_NAMES {
            return;
        }
        // A write that a result confirms needs no second entry; unconfirmed ones wait for their own calls.
        if call.is_none() && !self.written.insert((path.to_owned(), true)) {
            return;
        }
        let working_directory = place.working_directory.map(str::to_owned);
        self.writes.push(Write {
            path: path.to_owned(),
            working_directory,
            role: place.role,
            call,
        });
    }

    /// Joins calls and answers.
    pub(super) fn finish(mut self) -> Finished {
        for (id, tool) in &self.echoed {
            if !self.by_id.contains_key(id) {
                self.tools[*tool].1.echoed_calls += 1;
            }
        }
        for call in &self.calls {
            let tool = &mut self.tools[call.tool].1;
            match call.answer {
                Some(answer) if answer.is_error => tool.failures += 1,
                Some(_) => {}
                None => tool.unanswered += 1,
            }
            if let (Some(command), Some(answer)) = (call.command, call.answer) {
                self.commands[command].failed = Some(answer.is_error);
                self.commands[command].exit_code = answer.exit_code;
            }
        }
        let mut written: BTreeMap<String, WrittenPath> = BTreeMap::new();
        for write in self.writes {
            let answer = write
                .call
                .map(|call| self.calls.get(call).and_then(|call| call.answer));
            let confirmed = match answer {
                None => true,
                Some(Some(answer)) if answer.is_error => continue,
                Some(answer) => answer.is_some(),
            };
            let entry = written.entry(write.path).or_insert(WrittenPath {
                working_directory: write.working_directory,
                confirmed,
                role: write.role,
            });
            entry.confirmed |= confirmed;
        }
        let tools = self
            .tools
            .into_iter()
            .filter(|(_, tool)| tool.calls + tool.echoed_calls > 0)
            .collect();
        Finished {
            tools,
            commands: self.commands,
            written,
            commits: self.commits,
            agents: self.agents,
        }
    }
}

fn name_of<'b>(block: &'b Block<'_>) -> Option<&'b str> {
    let name = block.name.as_deref().filter(|name| !name.is_empty())?;
    Some(identifier(name))
}

fn short(text: &Text<'_>) -> Option<String> {
    text.as_deref()
        .filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES)
        .map(str::to_owned)
}

fn written_path<'i>(name: &str, input: &'i Input<'_>) -> Option<&'i str> {
    match name {
        "Edit" | "MultiEdit" | "Write" => input.file_path.as_deref(),
        "NotebookEdit" => input.notebook_path.as_deref(),
        _ => None,
    }
}
