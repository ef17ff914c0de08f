//! Windsurf's transcripts: one step of the trajectory a line, named by its type, without times, tokens and models.
//!
//! A tool is known by the step's type; it has no identifier, and its answer stands in the same record.

use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ImportError;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::json::lenient::{Flag, Object, Text};
use crate::recorder::{LineFormat, Naming, NewCall, NewResult, Place, Recorder, Spot, lines};
use crate::run::{PromptOrigin, PromptPart, Run, StepKind};
use crate::session::{Candidate, ImportOptions, Input, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "windsurf-jsonl";

/// Steps that are tools, as far as they were seen.
const TOOLS: [&str; 12] = [
    "view_file",
    "code_action",
    "run_command",
    "list_directory",
    "find",
    "grep_search",
    "codebase_search",
    "list_resources",
    "read_url_content",
    "search_web",
    "mcp_tool",
    "command_status",
];

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Windsurf;

impl Importer for Windsurf {
    fn product(&self) -> &'static str {
        "windsurf"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &[u8]| memmem::find(head, needle).is_some();
        name.ends_with(".jsonl")
            && first_byte(head) == Some(b'{')
            && has(b"\"status\":")
            && (has(b"\"user_input\":") || has(b"\"planner_response\":"))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("windsurf", Some("windsurf"));
        let name = input.name();
        lines::read(&mut recorder, &mut Mapping, input, options)?;
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            // The file is named after the trajectory.
            file: name.strip_suffix(".jsonl").filter(|stem| !stem.is_empty()),
            ..Naming::default()
        })
    }

    fn discover(&self, _places: &Places, _root: &Path) -> Result<Vec<Candidate>, ImportError> {
        Ok(Vec::new())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    user_input: Object<UserInput<'a>>,
    #[serde(borrow)]
    planner_response: Object<Response<'a>>,
    #[serde(borrow)]
    run_command: Object<RunCommand<'a>>,
    #[serde(borrow)]
    code_action: Object<CodeAction<'a>>,
    #[serde(borrow)]
    mcp_tool: Object<McpTool<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInput<'a> {
    #[serde(borrow)]
    user_response: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    response: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RunCommand<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    cwd: Text<'a>,
    #[serde(borrow)]
    exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Text<'a>,
    user_rejected: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CodeAction<'a> {
    #[serde(borrow)]
    path: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct McpTool<'a> {
    #[serde(borrow)]
    server_name: Text<'a>,
    #[serde(borrow)]
    tool_name: Text<'a>,
}

struct Mapping;

impl LineFormat for Mapping {
    type Record<'a> = Record<'a>;

    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        record: Record<'_>,
    ) -> Result<(), ImportError> {
        let name = record.kind.as_deref().unwrap_or_default();
        let kind = match name {
            "user_input" => StepKind::Prompt,
            "planner_response" => StepKind::Answer,
            name if TOOLS.contains(&name) => StepKind::ToolResult,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        match kind {
            StepKind::Prompt => {
                let text = record.user_input.0.and_then(|input| input.user_response.0);
                let parts = text.map(|text| PromptPart::Text(text.into_owned()));
                recorder.prompt(parts.into_iter().collect(), PromptOrigin::Human, place)
            }
            StepKind::Answer => match record.planner_response.0.and_then(|response| response.response.0) {
                Some(text) => recorder.says(&text, place),
                None => Ok(()),
            },
            StepKind::ToolResult => tool(recorder, name, spot, &record, place),
            _ => Ok(()),
        }
    }
}

fn tool(
    recorder: &mut Recorder,
    name: &str,
    spot: Spot<'_>,
    record: &Record<'_>,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let id = format!("{}@{}", recorder.source_name(), spot.offset);
    let command = record.run_command.0.as_ref();
    recorder.working_directory(command.and_then(|command| command.cwd.as_deref()));
    let path = record
        .code_action
        .0
        .as_ref()
        .and_then(|action| action.path.as_deref())
        .map(|path| path.strip_prefix("file://").unwrap_or(path));
    let mcp = record.mcp_tool.0.as_ref();
    recorder.call(
        &NewCall {
            id: Some(&id),
            name: mcp.and_then(|tool| tool.tool_name.as_deref()).unwrap_or(name),
            server: mcp.and_then(|tool| tool.server_name.as_deref()),
            command: command.and_then(|command| command.command.as_deref()),
            writes: path.as_slice(),
            ..NewCall::default()
        },
        place,
    )?;
    let rejected = command.is_some_and(|command| command.user_rejected.is_true());
    let failed = match record.status.as_deref() {
        _ if rejected => Some(true),
        Some("error" | "canceled" | "cancelled") => Some(true),
        Some("done") if command.is_none() => Some(false),
        // Whether a command failed is what its exit code says.
        Some("done") => None,
        // It is at work still.
        _ => return Ok(()),
    };
    recorder.result(
        &NewResult {
            id: &id,
            failed,
            exit_code: command.and_then(|command| command.exit_code?.get().parse().ok()),
            output: command.and_then(|command| command.output.as_deref()),
        },
        place,
    );
    Ok(())
}
