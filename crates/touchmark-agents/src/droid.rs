//! Droid's sessions: JSON Lines in `~/.factory/sessions`, messages in the form of one provider's interface, and beside
//! each a file of settings that names the model and the tokens of the whole session.

use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::discovery::{Found, working_directory_inside};
use crate::error::ImportError;
use crate::files::{entries, is_real_dir, is_real_file, read};
use crate::importer::{Importer, Places};
use crate::json::lenient::{Count, Flag, Items, Object, Text, first_text};
use crate::neutral::tools::deed;
use crate::recorder::names::is_uuid;
use crate::recorder::{LineFormat, Naming, NewCall, NewResult, Place, Recorder, Spot, lines, parts, times};
use crate::run::{PromptOrigin, PromptPart, Run, StepKind, Usage};
use crate::session::{Candidate, ImportOptions, Input, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "droid-jsonl";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Droid;

impl Importer for Droid {
    fn product(&self) -> &'static str {
        "droid"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let has = |needle: &[u8]| memmem::find(line, needle).is_some();
        name.ends_with(".jsonl") && has(b"\"session_start\"") && has(b"\"type\":")
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("droid", Some("factory"));
        let (name, meta) = (input.name(), input.meta());
        lines::read(&mut recorder, &mut Mapping, input, options)?;
        if let Some(meta) = meta {
            settings(&mut recorder, meta);
        }
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            file: name.strip_suffix(".jsonl").filter(|stem| is_uuid(stem)),
            ..Naming::default()
        })
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let beside = path.with_extension("settings.json");
        Ok(vec![read(
            path,
            is_real_file(&beside).then_some(beside.as_path()),
        )?])
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let (Some(home), Some(root)) = (&places.home, repository_root.to_str()) else {
            return Ok(Vec::new());
        };
        let mut found = Found::default();
        for project in entries(&home.join(".factory/sessions"))? {
            if !is_real_dir(&project) {
                continue;
            }
            for path in entries(&project)? {
                found.look()?;
                let name = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                let Some(id) = name.strip_suffix(".jsonl").map(str::to_owned) else {
                    continue;
                };
                if is_real_file(&path)
                    && let Ok(Some(directory)) = working_directory_inside(&path, root)
                {
                    found.add(path, id, directory);
                }
            }
        }
        Ok(found.sorted())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    cwd: Text<'a>,
    #[serde(borrow)]
    message: Object<Message<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Text<'a>,
    is_error: Flag,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
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
        let content = record
            .message
            .0
            .as_ref()
            .and_then(|message| message.content)
            .map_or("", RawValue::get);
        let blocks: Items<Object<Block<'_>>> = serde_json::from_str(content).unwrap_or_default();
        let role = record
            .message
            .0
            .as_ref()
            .and_then(|message| message.role.as_deref());
        let kind = match (record.kind.as_deref(), role) {
            (Some("message"), Some("assistant")) => StepKind::Answer,
            (Some("message"), Some("user")) if has_result(&blocks) => StepKind::ToolResult,
            (Some("message"), Some("user")) => StepKind::Prompt,
            (Some("session_start" | "todo_state" | "compaction_state" | "session_end"), _) => StepKind::Other,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        recorder.time(record.timestamp.as_deref().and_then(times::text));
        if record.kind.as_deref() == Some("session_start") {
            recorder.session_id(record.id.as_deref());
            recorder.working_directory(record.cwd.as_deref());
        } else if record.kind.as_deref() == Some("compaction_state") {
            recorder.compaction();
        } else if let Some(id) = record.id.as_deref()
            && kind != StepKind::Other
            && !recorder.is_first(place.step, id)
        {
            return Ok(());
        }
        match kind {
            StepKind::Prompt => prompt(recorder, content, place),
            StepKind::Answer => blocks
                .objects()
                .try_for_each(|block| answer(recorder, block, place)),
            StepKind::ToolResult => {
                blocks.objects().for_each(|block| result(recorder, block, place));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn has_result(blocks: &Items<Object<Block<'_>>>) -> bool {
    blocks
        .objects()
        .any(|block| block.kind.as_deref() == Some("tool_result"))
}

/// What the product adds to a prompt stands in parts of its own; a prompt of nothing else is the product's.
fn prompt(recorder: &mut Recorder, content: &str, place: Place<'_>) -> Result<(), ImportError> {
    let parts = parts::from_json(content);
    let is_added =
        |part: &PromptPart| matches!(part, PromptPart::Text(text) if text.starts_with("<system-reminder>"));
    let origin = if !parts.is_empty() && parts.iter().all(is_added) {
        PromptOrigin::Injected
    } else {
        PromptOrigin::Human
    };
    recorder.prompt(parts, origin, place)
}

fn answer(recorder: &mut Recorder, block: &Block<'_>, place: Place<'_>) -> Result<(), ImportError> {
    match (block.kind.as_deref(), block.name.as_deref()) {
        (Some("text"), _) => match block.text.as_deref() {
            Some(text) => recorder.says(text, place),
            None => Ok(()),
        },
        (Some("tool_use"), Some(name)) => {
            let arguments = block.input.map(RawValue::get);
            // Its names for what others call by one word.
            let known = match name {
                "Execute" => "execute_command",
                "ApplyPatch" => "apply_patch",
                "Create" => "create_file",
                other => other,
            };
            let call = NewCall {
                id: block.id.as_deref(),
                name,
                arguments,
                ..NewCall::default()
            };
            deed(known, arguments).call(recorder, call, place)
        }
        _ => Ok(()),
    }
}

fn result(recorder: &mut Recorder, block: &Block<'_>, place: Place<'_>) {
    let (Some("tool_result"), Some(id)) = (block.kind.as_deref(), block.tool_use_id.as_deref()) else {
        return;
    };
    let output = block.content.and_then(first_text);
    recorder.result(
        &NewResult {
            id,
            failed: Some(block.is_error.is_true()),
            exit_code: None,
            output: output.as_deref(),
        },
        place,
    );
}

/// Reads the settings beside a session: the model and the tokens of all of it.
fn settings(recorder: &mut Recorder, meta: &[u8]) {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Settings<'a> {
        #[serde(borrow)]
        model: Text<'a>,
        #[serde(borrow)]
        provider_lock: Text<'a>,
        token_usage: Object<TokenUsage>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct TokenUsage {
        input_tokens: Count,
        output_tokens: Count,
        cache_creation_tokens: Count,
        cache_read_tokens: Count,
    }
    let Ok(Object(Some(settings))) = serde_json::from_slice::<Object<Settings<'_>>>(meta) else {
        return;
    };
    let place = recorder.last_place();
    let usage = settings.token_usage.0.unwrap_or_default();
    let usage = Usage {
        input_tokens: usage.input_tokens.0,
        output_tokens: usage.output_tokens.0,
        cache_read_tokens: usage.cache_read_tokens.0,
        cache_write_tokens: usage.cache_creation_tokens.0,
        requests: None,
    };
    let model = settings.model.as_deref();
    recorder.total(
        "settings",
        model.map(|model| (model, settings.provider_lock.as_deref())),
        usage,
        place,
    );
}
