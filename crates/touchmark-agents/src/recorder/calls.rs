//! Tool calls: who was called how often, which commands were run, which files were written.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::names::{commit_hints, identifier, split_name};
use crate::commands::classify;
use crate::error::ImportError;
use crate::limits::{MAX_COMMAND_BYTES, MAX_DISTINCT_NAMES, MAX_NAME_BYTES};
use crate::paths::is_whole;
use crate::run::{Command, CommitHint, McpServer, Role, Subagent, Tool, ToolKind, WrittenPath};

/// The most bytes of a command's output that are searched for commits.
const MAX_SEARCHED_OUTPUT_BYTES: usize = 8 * 1024 * 1024;
/// The most commits taken from one output.
const MAX_COMMITS_PER_OUTPUT: usize = 1_000;
/// Words in a command whose output may name a commit.
const COMMITTING: [&str; 5] = ["commit", "cherry-pick", "merge", "rebase", "revert"];

/// Where a call stands: its step, who made it, and in which directory.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) step: usize,
    pub(crate) role: Role,
    /// `None` is the directory that was noted last.
    pub(crate) working_directory: Option<&'a str>,
}

/// A tool call as a record tells of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct NewCall<'a> {
    /// The call's identifier. A call whose identifier was seen before is the same call.
    pub(crate) id: Option<&'a str>,
    /// The tool's name. `mcp__<server>__<tool>` is a tool of an MCP server.
    pub(crate) name: &'a str,
    /// The MCP server, where the record names it apart from the tool.
    pub(crate) server: Option<&'a str>,
    /// The command, where the tool is a shell.
    pub(crate) command: Option<&'a str>,
    /// The files that the call asks to be written. They count as written once the call is answered without error.
    pub(crate) writes: &'a [&'a str],
    /// The type of sub-agent that the call starts.
    pub(crate) agent_type: Option<&'a str>,
    /// The arguments as they stand in JSON, for an export: an object, or a string that holds one.
    pub(crate) arguments: Option<&'a str>,
}

/// The answer to a tool call.
#[derive(Clone, Copy, Default)]
pub(crate) struct NewResult<'a> {
    /// The call's identifier.
    pub(crate) id: &'a str,
    /// Whether the call failed; `None` where the record does not say and the exit code does.
    pub(crate) failed: Option<bool>,
    /// The exit code, only where the record gives one.
    pub(crate) exit_code: Option<i32>,
    /// What the tool gave back: searched for commits where the call may have made one, and kept for an export.
    pub(crate) output: Option<&'a str>,
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
    failed: Option<bool>,
    exit_code: Option<i32>,
}

impl Answer {
    /// A later answer to the same call counts where it says whether the call failed; otherwise it adds what it knows.
    fn join(earlier: Option<Self>, later: Self) -> Self {
        match earlier {
            Some(earlier) if later.failed.is_none() => Self {
                failed: later.exit_code.map(|code| code != 0).or(earlier.failed),
                exit_code: later.exit_code.or(earlier.exit_code),
            },
            _ => later,
        }
    }

    fn has_failed(self) -> Option<bool> {
        self.failed.or(self.exit_code.map(|code| code != 0))
    }
}

struct Write {
    path: String,
    working_directory: Option<String>,
    role: Role,
    /// `None` where a tool's result itself tells of the write.
    call: Option<usize>,
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
    /// Whether there were more writes than are kept.
    has_more_writes: bool,
    /// The writes that results confirmed, each with the directory that its name belongs to.
    confirmed: HashSet<(String, Option<String>)>,
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
    /// Adds a call.
    pub(super) fn add_call(&mut self, new: &NewCall<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let id = new.id.filter(|id| id.len() <= MAX_NAME_BYTES);
        if new.name.is_empty() || id.is_some_and(|id| self.by_id.contains_key(id)) {
            return Ok(());
        }
        let tool = self.tool(new)?;
        self.tools[tool].1.calls += 1;
        let command = new
            .command
            .map(|text| self.add_command(text, place))
            .transpose()?;
        let call = self.calls.len();
        for path in new.writes {
            self.add_write(path, place, Some(call));
        }
        self.calls.push(Call {
            tool,
            command,
            committing: new
                .command
                .is_some_and(|text| COMMITTING.iter().any(|word| text.contains(word))),
            agent_type: new.agent_type.and_then(short),
            answer: None,
        });
        if let Some(id) = id {
            self.by_id.insert(id.to_owned(), call);
            self.calls[call].answer = self.early.remove(id);
        }
        Ok(())
    }

    /// Notes a sub-agent's call that its caller's record repeats: its own file may be missing.
    pub(super) fn add_echo(&mut self, new: &NewCall<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let Some(id) = new
            .id
            .filter(|id| id.len() <= MAX_NAME_BYTES && !new.name.is_empty())
        else {
            return Ok(());
        };
        if self.by_id.contains_key(id) || self.echoed.contains_key(id) {
            return Ok(());
        }
        let tool = self.tool(new)?;
        self.echoed.insert(id.to_owned(), tool);
        for path in new.writes {
            // No answer will be seen for it: the write stays unconfirmed.
            self.add_write(path, place, Some(usize::MAX));
        }
        Ok(())
    }

    /// Names the MCP server of a call that is there, where a later record tells it.
    pub(super) fn set_server(&mut self, id: &str, server: &str, name: &str) -> Result<(), ImportError> {
        let Some(call) = self.by_id.get(id).copied().filter(|_| !name.is_empty()) else {
            return Ok(());
        };
        let tool = self.tool(&NewCall {
            server: Some(server),
            name,
            ..NewCall::default()
        })?;
        let before = std::mem::replace(&mut self.calls[call].tool, tool);
        self.tools[before].1.calls -= 1;
        self.tools[tool].1.calls += 1;
        Ok(())
    }

    /// Returns whether a call with this identifier is there.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Returns whether the output of this call is searched for commits.
    pub(super) fn is_committing(&self, id: &str) -> bool {
        self.by_id
            .get(id)
            .is_some_and(|call| self.calls[*call].committing)
    }

    /// Adds the answer to a call.
    pub(super) fn add_result(&mut self, new: &NewResult<'_>, step: usize) {
        if new.id.is_empty() || new.id.len() > MAX_NAME_BYTES {
            return;
        }
        let answer = Answer {
            failed: new.failed,
            exit_code: new.exit_code,
        };
        match self.by_id.get(new.id).copied() {
            Some(call) => {
                let call = &mut self.calls[call];
                call.answer = Some(Answer::join(call.answer, answer));
                if let Some(output) = new.output.filter(|_| answer.has_failed() != Some(true)) {
                    self.add_output(new.id, output, step);
                }
            }
            None => {
                let earlier = self.early.get(new.id).copied();
                if earlier.is_some() || self.early.len() < MAX_DISTINCT_NAMES {
                    self.early
                        .insert(new.id.to_owned(), Answer::join(earlier, answer));
                }
            }
        }
    }

    /// Searches what a call printed for commits.
    pub(super) fn add_output(&mut self, id: &str, output: &str, step: usize) {
        if self.is_committing(id)
            && output.len() <= MAX_SEARCHED_OUTPUT_BYTES
            && self.commits.len() < MAX_DISTINCT_NAMES
        {
            self.commits
                .extend(commit_hints(output, step).take(MAX_COMMITS_PER_OUTPUT));
        }
    }

    /// Returns the type of sub-agent that a call starts.
    pub(super) fn agent_type_of(&self, id: &str) -> Option<String> {
        self.calls.get(*self.by_id.get(id)?)?.agent_type.clone()
    }

    /// Notes which call a sub-agent was started by.
    pub(super) fn link_agent(&mut self, agent: &str, tool_use_id: Option<&str>) {
        let agent_type = tool_use_id.and_then(|id| self.agent_type_of(id));
        let tool_use_id = tool_use_id.and_then(short);
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

    fn tool(&mut self, new: &NewCall<'_>) -> Result<usize, ImportError> {
        // The server's and the tool's names are one name to those who count, and split again below.
        let joined = new
            .server
            .filter(|_| !new.name.starts_with("mcp__"))
            .map(|server| format!("mcp__{server}__{}", new.name));
        let name = identifier(joined.as_deref().unwrap_or(new.name));
        if let Some(at) = self.by_name.get(name) {
            return Ok(*at);
        }
        if self.tools.len() >= MAX_DISTINCT_NAMES {
            return Err(ImportError::TooLarge {
                what: "tools",
                limit: MAX_DISTINCT_NAMES as u64,
            });
        }
        let named = new
            .server
            .filter(|server| !server.is_empty() && identifier(server) == *server && identifier(name) == name)
            .map(|server| {
                let short = new.name.strip_prefix("mcp__").map_or(new.name, |rest| {
                    rest.strip_prefix(server)
                        .and_then(|rest| rest.strip_prefix("__"))
                        .unwrap_or(rest)
                });
                (server, short)
            });
        let (kind, server, short_name) = match named {
            Some((server, short)) => {
                let server = McpServer {
                    name: server.to_owned(),
                    plugin: None,
                };
                (ToolKind::Mcp, Some(server), identifier(short))
            }
            None => split_name(name),
        };
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

    /// Keeps a command; returns its index.
    fn add_command(&mut self, text: &str, place: Place<'_>) -> Result<usize, ImportError> {
        self.command_bytes = self.command_bytes.saturating_add(text.len());
        if self.command_bytes > MAX_COMMAND_BYTES {
            return Err(ImportError::TooLarge {
                what: "bytes of commands",
                limit: MAX_COMMAND_BYTES as u64,
            });
        }
        self.commands.push(Command {
            text: text.to_owned(),
            kind: classify(text),
            exit_code: None,
            failed: None,
            step: place.step,
            role: place.role,
        });
        Ok(self.commands.len() - 1)
    }

    /// Adds a file that a result says was written.
    pub(super) fn add_confirmed_write(&mut self, path: &str, place: Place<'_>) {
        self.add_write(path, place, None);
    }

    fn add_write(&mut self, path: &str, place: Place<'_>, call: Option<usize>) {
        if path.is_empty() || path.len() > MAX_NAME_BYTES {
            return;
        }
        let name = (path.to_owned(), place.working_directory.map(str::to_owned));
        // A write that a result confirms needs no second entry; unconfirmed ones wait for their own calls.
        if call.is_none() && self.confirmed.contains(&name) {
            return;
        }
        if self.writes.len() >= MAX_DISTINCT_NAMES {
            self.has_more_writes = true;
            return;
        }
        let (path, working_directory) = name.clone();
        if call.is_none() {
            self.confirmed.insert(name);
        }
        self.writes.push(Write {
            path,
            working_directory,
            role: place.role,
            call,
        });
    }

    /// Joins calls and answers.
    pub(super) fn finish(mut self) -> Result<Finished, ImportError> {
        if self.has_more_writes {
            return Err(ImportError::TooLarge {
                what: "writes",
                limit: MAX_DISTINCT_NAMES as u64,
            });
        }
        for (id, tool) in &self.echoed {
            if !self.by_id.contains_key(id) {
                self.tools[*tool].1.echoed_calls += 1;
            }
        }
        for call in &self.calls {
            let tool = &mut self.tools[call.tool].1;
            match call.answer {
                Some(answer) => tool.failures += u64::from(answer.has_failed() == Some(true)),
                None => tool.unanswered += 1,
            }
            if let (Some(command), Some(answer)) = (call.command, call.answer) {
                self.commands[command].failed = answer.has_failed();
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
                Some(Some(answer)) if answer.has_failed() == Some(true) => continue,
                Some(answer) => answer.is_some(),
            };
            let name = match written.get(&write.path) {
                Some(first) => told_apart(write.path, write.working_directory.as_deref(), first),
                None => write.path,
            };
            let entry = written.entry(name).or_insert(WrittenPath {
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
        Ok(Finished {
            tools,
            commands: self.commands,
            written,
            commits: self.commits,
            agents: self.agents,
        })
    }
}

/// The name of a file that was written after another of the same name: where the two names belong to different
/// directories, they are two files, and the later one is named with its directory.
fn told_apart(path: String, directory: Option<&str>, first: &WrittenPath) -> String {
    match directory.filter(|directory| first.working_directory.as_deref() != Some(directory)) {
        Some(directory) if !is_whole(&path) => format!("{}/{path}", directory.trim_end_matches('/')),
        _ => path,
    }
}

fn short(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= MAX_NAME_BYTES).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
