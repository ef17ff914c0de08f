//! Amp's threads: one JSON document a thread, written anew each time, from its own folder or its export.
//!
//! What identifies a person's machine (`installationID`, `deviceFingerprint`) is never read.

use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::discovery::{Found, is_inside};
use crate::error::ImportError;
use crate::files::{entries, is_real_file, read_capped};
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::json::lenient::{Count, Items, Object, Text};
use crate::limits::{DISCOVERY_WINDOW_BYTES, MAX_SESSION_BYTES};
use crate::neutral::tools::deed;
use crate::recorder::document::{Piece, read_document, survey};
use crate::recorder::{Naming, NewAnswer, NewCall, NewResult, Place, Recorder, Spot, parts, times};
use crate::run::{PromptOrigin, Run, StepKind, Usage};
use crate::session::{Candidate, ImportOptions, Layout, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "amp-json";
/// The environment of the first message.
const ENVIRONMENT: &str = "env.initial.trees";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Amp;

impl Importer for Amp {
    fn product(&self) -> &'static str {
        "amp"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, _name: &str, head: &[u8]) -> bool {
        let has = |needle: &[u8]| memmem::find(head, needle).is_some();
        first_byte(head) == Some(b'{')
            && has(b"\"T-")
            && has(b"\"messages\"")
            && (has(b"\"agentMode\"") || has(b"\"toolUseID\"") || has(b"\"messageId\""))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("amp", Some("sourcegraph"));
        recorder.keep_words(options.words);
        for (at, file) in files.iter().enumerate() {
            let lists = ["messages", ENVIRONMENT];
            read_document(
                &mut recorder,
                &file.name,
                at > 0,
                None,
                &file.bytes,
                &lists,
                &mut piece,
            )?;
        }
        let name = files.first().map_or("", |file| &file.name);
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            file: name.strip_suffix(".json").filter(|stem| stem.starts_with("T-")),
            ..Naming::default()
        })
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let (Some(home), Some(root)) = (&places.home, repository_root.to_str()) else {
            return Ok(Vec::new());
        };
        let mut found = Found::default();
        for path in entries(&home.join(".local/share/amp/threads"))? {
            found.look()?;
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Some(id) = name.strip_suffix(".json").filter(|id| id.starts_with("T-")) else {
                continue;
            };
            if is_real_file(&path)
                && let Ok(bytes) = read_capped(&path, MAX_SESSION_BYTES)
                && let Some(directory) = tree_inside(&bytes, root)
            {
                found.add(path.clone(), id.to_owned(), directory);
            }
        }
        Ok(found.sorted())
    }
}

/// The first tree of a thread that lies inside a repository.
fn tree_inside(bytes: &[u8], root: &str) -> Option<String> {
    // The environment stands near the end of a thread: what comes before it is only passed over.
    let window = bytes.len().saturating_sub(DISCOVERY_WINDOW_BYTES);
    memmem::find(&bytes[window..], b"\"trees\"").or_else(|| memmem::find(bytes, b"\"trees\""))?;
    let mut found = None;
    let _ = survey(bytes, &[ENVIRONMENT], &mut |piece| {
        if let Piece::Item { spot, .. } = piece
            && let Ok(Object(Some(tree))) = serde_json::from_str::<Object<Tree<'_>>>(spot.json)
            && let Some(directory) = tree.directory().filter(|directory| is_inside(root, directory))
        {
            found.get_or_insert(directory.to_owned());
        }
        Ok(())
    });
    found
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tree<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
    #[serde(borrow)]
    repository: Object<Repository<'a>>,
}

impl Tree<'_> {
    fn directory(&self) -> Option<&str> {
        self.uri.as_deref()?.strip_prefix("file://")
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Platform<'a> {
    #[serde(borrow)]
    client_version: Text<'a>,
    #[serde(borrow)]
    client_type: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository<'a> {
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow, rename = "ref")]
    reference: Text<'a>,
    #[serde(borrow)]
    sha: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    message_id: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Object<TokenCounts<'a>>,
    meta: Object<Meta>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    sent_at: Count,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TokenCounts<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    input_tokens: Count,
    output_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
    #[serde(borrow)]
    timestamp: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    thinking: Text<'a>,
    #[serde(borrow)]
    provider: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow, rename = "toolUseID")]
    tool_use_id: Text<'a>,
    #[serde(borrow)]
    run: Object<ToolRun<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolRun<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Output<'a> {
    #[serde(borrow)]
    output: Text<'a>,
    #[serde(borrow, rename = "exitCode")]
    exit_code: Option<&'a RawValue>,
}

fn piece(recorder: &mut Recorder, piece: Piece<'_>) -> Result<(), ImportError> {
    match piece {
        Piece::Item {
            list: "messages",
            spot,
        } => message(recorder, spot),
        Piece::Item {
            list: ENVIRONMENT,
            spot,
        } => {
            if let Ok(Object(Some(tree))) = serde_json::from_str::<Object<Tree<'_>>>(spot.json) {
                recorder.working_directory(tree.directory());
                if let Some(repository) = &tree.repository.0 {
                    let branch = repository
                        .reference
                        .as_deref()
                        .map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
                    recorder.branch(branch);
                    recorder.base_commit(repository.sha.as_deref(), branch, repository.url.as_deref());
                }
            }
            Ok(())
        }
        Piece::Item { .. } => Ok(()),
        Piece::Field { path, spot } => {
            let text = || serde_json::from_str::<Text<'_>>(spot.json).ok()?.0;
            match path {
                "id" => recorder.session_id(text().as_deref()),
                "env.initial.platform" => {
                    if let Ok(Object(Some(platform))) =
                        serde_json::from_str::<Object<Platform<'_>>>(spot.json)
                    {
                        recorder.version(platform.client_version.as_deref());
                        recorder.entrypoint(platform.client_type.as_deref());
                    }
                }
                "created" => recorder.time(spot.json.parse().ok().and_then(times::millis)),
                _ => {}
            }
            Ok(())
        }
    }
}

fn message(recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
    let Ok(Object(Some(message))) = serde_json::from_str::<Object<Message<'_>>>(spot.json) else {
        recorder.run.counters.malformed += 1;
        recorder.add_step(StepKind::Unreadable, spot)?;
        return Ok(());
    };
    let content = message.content.map_or("", RawValue::get);
    let blocks: Items<Object<Block<'_>>> = serde_json::from_str(content).unwrap_or_default();
    let holds_result = blocks
        .objects()
        .any(|block| block.kind.as_deref() == Some("tool_result"));
    let kind = match message.role.as_deref() {
        Some("assistant") => StepKind::Answer,
        Some("user") if holds_result => StepKind::ToolResult,
        Some("user") => StepKind::Prompt,
        _ => StepKind::Unknown,
    };
    let place = recorder.add_step(kind, spot)?;
    let sent = message.meta.0.as_ref().and_then(|meta| meta.sent_at.0);
    recorder.time(sent.and_then(times::millis));
    match kind {
        StepKind::Prompt => recorder.prompt(parts::from_json(content), PromptOrigin::Human, place)?,
        StepKind::Answer => answer(recorder, &message, &blocks, place),
        _ => {}
    }
    blocks
        .objects()
        .try_for_each(|block| read_block(recorder, kind, block, place))
}

fn answer(
    recorder: &mut Recorder,
    message: &Message<'_>,
    blocks: &Items<Object<Block<'_>>>,
    place: Place<'_>,
) {
    let Some(counts) = &message.usage.0 else { return };
    recorder.time(counts.timestamp.as_deref().and_then(times::text));
    recorder.answer(
        &NewAnswer {
            id: message.message_id.map(RawValue::get),
            request: None,
            model: counts.model.as_deref(),
            provider: blocks.objects().find_map(|block| block.provider.as_deref()),
            usage: Usage {
                input_tokens: counts.input_tokens.0,
                output_tokens: counts.output_tokens.0,
                cache_read_tokens: counts.cache_read_input_tokens.0,
                cache_write_tokens: counts.cache_creation_input_tokens.0,
                requests: None,
            },
        },
        place,
    );
}

fn read_block(
    recorder: &mut Recorder,
    kind: StepKind,
    block: &Block<'_>,
    place: Place<'_>,
) -> Result<(), ImportError> {
    match (kind, block.kind.as_deref()) {
        (StepKind::Answer, Some("text")) => recorder.says(block.text.as_deref().unwrap_or_default(), place),
        (StepKind::Answer, Some("thinking")) => {
            recorder.reasons(block.thinking.as_deref().unwrap_or_default(), place)
        }
        (StepKind::Answer, Some("tool_use")) => {
            let Some(name) = block.name.as_deref() else {
                return Ok(());
            };
            let arguments = block.input.map(RawValue::get);
            let call = NewCall {
                id: block.id.as_deref(),
                name,
                arguments,
                ..NewCall::default()
            };
            deed(name, arguments).call(recorder, call, place)
        }
        (StepKind::ToolResult, Some("tool_result")) => {
            result(recorder, block, place);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn result(recorder: &mut Recorder, block: &Block<'_>, place: Place<'_>) {
    let (Some(id), Some(run)) = (block.tool_use_id.as_deref(), &block.run.0) else {
        return;
    };
    let failed = match run.status.as_deref() {
        Some("done") => Some(false),
        Some("error" | "cancelled" | "rejected-by-user") => Some(true),
        // It is at work still.
        _ => return,
    };
    let output = run
        .result
        .and_then(|raw| serde_json::from_str::<Object<Output<'_>>>(raw.get()).ok()?.0)
        .unwrap_or_default();
    let exit_code = output.exit_code.and_then(|raw| raw.get().parse::<i32>().ok());
    recorder.result(
        &NewResult {
            id,
            failed: match exit_code {
                // A command that ran and failed is done all the same.
                Some(code) if failed == Some(false) => Some(code != 0),
                _ => failed,
            },
            exit_code,
            output: output.output.as_deref(),
        },
        place,
    );
}
