//! Cursor's sessions: the stream of its hooks, and the thin transcript that it keeps.
//!
//! **Stream.** JSON Lines of the payloads that Cursor gave to a hook, one a line, as they came. It is the richer record:
//! models, versions, commands, files that were edited. A payload has no time and a shell's has no exit code; what the
//! product bills as one request is a generation, and that is what is counted.
//!
//! **Transcript.** JSON Lines of `{role, message: {content}}`, without times, models, tokens or results of tools; files
//! that only it speaks of stay unconfirmed. What a person typed stands in `<user_query>`. Files of sub-agents lie in
//! `subagents/`.
//!
//! Both may be given together, the stream first: then a prompt, command or edit that both tell of counts once, and what
//! only the transcript knows (reading, searching, the names of editing tools) is added. The path of the transcript
//! that payloads name is never followed. Nothing of the person's account is read.

mod hooks;
mod shared;
mod tools;
mod transcript;

use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::Deserialize;

use self::hooks::Payload;
use self::shared::Shared;
use self::transcript::Said;
use crate::discovery::Found;
use crate::error::ImportError;
use crate::files;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::json::lenient::{Object, Text};
use crate::limits::DISCOVERY_WINDOW_BYTES;
use crate::recorder::input::check_file_count;
use crate::recorder::lines::{LineFormat, Spot, read_one};
use crate::recorder::{Naming, Recorder};
use crate::run::{Run, StepKind};
use crate::session::{Candidate, ImportOptions, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "cursor-jsonl";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Cursor;

impl Importer for Cursor {
    fn product(&self) -> &'static str {
        "cursor"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        if !name.ends_with(".jsonl") || first_byte(head) != Some(b'{') {
            return false;
        }
        is_stream(head)
            || ((head.starts_with(b"{\"role\":") || head.starts_with(b"{\"message\":"))
                && has("\"message\"")
                && has("\"content\"")
                && !has("\"sessionId\"")
                && !has("\"timestamp\""))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        check_file_count(files.len())?;
        let mut recorder = Recorder::new("cursor", Some("anysphere"));
        recorder.keep_words(options.words);
        let streamed = files.first().is_some_and(|file| is_stream(head(&file.bytes)));
        let mut reader = Reader::default();
        let second = files.get(1).filter(|_| streamed);
        if let Some(transcript) = second {
            reader.shared.look_ahead(&transcript.bytes);
        }
        for (at, file) in files.iter().enumerate() {
            let is_subagent = at > usize::from(second.is_some());
            let agent = is_subagent.then(|| stem(&file.name).map(str::to_owned)).flatten();
            if let Some(agent) = &agent {
                recorder.subagent(agent);
            }
            let before = recorder.run.steps.len();
            read_one(
                &mut recorder,
                &mut reader,
                file,
                is_subagent,
                agent.clone(),
                options.up_to.filter(|_| at == 0),
                options.max_line_bytes,
            )?;
            let steps = (recorder.run.steps.len() - before) as u64;
            if let Some(known) = agent.and_then(|agent| recorder.subagent(&agent).map(|known| (known, steps)))
            {
                known.0.steps = known.1;
            }
        }
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            // Streams are named by those who keep them.
            file: files
                .first()
                .filter(|_| !streamed)
                .and_then(|file| stem(&file.name)),
            ..Naming::default()
        })
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let mut gathered = files::Gathered::begin(path, None)?;
        for subagent in subagents(path)? {
            gathered.add(&subagent, None)?;
        }
        Ok(gathered.files)
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let Some(root) = repository_root.to_str() else {
            return Ok(Vec::new());
        };
        let mut found = Found::default();
        if let Some(home) = &places.home {
            for project in files::entries(&home.join(".cursor/projects"))? {
                let transcripts = project.join("agent-transcripts");
                if !files::is_real_dir(&project) || !files::is_real_dir(&transcripts) {
                    continue;
                }
                for entry in files::entries(&transcripts)? {
                    found.look()?;
                    // In a folder of its own, or flat.
                    let name = files::name_of(&entry);
                    let path = if files::is_real_dir(&entry) {
                        entry.join(format!("{name}.jsonl"))
                    } else {
                        entry
                    };
                    if let Some(id) = stem(&files::name_of(&path)).map(str::to_owned)
                        && files::is_real_file(&path)
                        && speaks_of(&path, root)
                    {
                        found.add(path, id, root.to_owned());
                    }
                }
            }
        }
        Ok(found.sorted())
    }
}

fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(".jsonl").filter(|stem| !stem.is_empty())
}

fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(DISCOVERY_WINDOW_BYTES)]
}

/// Whether these are payloads of hooks.
fn is_stream(head: &[u8]) -> bool {
    let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
    has("\"hook_event_name\"") && (has("\"cursor_version\"") || has("\"generation_id\""))
}

/// Whether the beginning of a transcript names a path inside `root`: it names no directory of its own.
fn speaks_of(path: &Path, root: &str) -> bool {
    let Ok(head) = files::read_head(path, DISCOVERY_WINDOW_BYTES) else {
        return false;
    };
    let inside = serde_json::to_string(&format!("{root}/")).unwrap_or_default();
    let inside = inside.trim_end_matches('"');
    memmem::find(&head, inside.as_bytes()).is_some()
}

/// The files of a transcript's sub-agents.
fn subagents(main: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let (Some(folder), Some(id)) = (main.parent(), main.file_stem()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for folder in [folder.to_owned(), folder.join(id)] {
        let below = folder.join("subagents");
        // A flat folder of many transcripts has no sub-agents of its own.
        let is_own = folder.file_name() == Some(id);
        if is_own && files::is_real_dir(&folder) && files::is_real_dir(&below) {
            found.extend(files::entries(&below)?.into_iter().filter(|path| {
                path.extension().is_some_and(|ending| ending == "jsonl") && files::is_real_file(path)
            }));
        }
    }
    found.sort();
    Ok(found)
}

/// Reads lines of both kinds.
#[derive(Default)]
struct Reader {
    shared: Shared,
    hooks: hooks::Hooks,
}

/// What tells the kinds apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    hook_event_name: Text<'a>,
}

impl LineFormat for Reader {
    type Record<'a> = Kind<'a>;

    fn record(&mut self, recorder: &mut Recorder, spot: Spot<'_>, kind: Kind<'_>) -> Result<(), ImportError> {
        if kind.hook_event_name.0.is_some() {
            let payload = read::<Payload<'_>>(spot.json).unwrap_or_default();
            self.hooks.event(recorder, &mut self.shared, spot, &payload)
        } else if kind.role.0.is_some() {
            let said = read::<Said<'_>>(spot.json).unwrap_or_default();
            transcript::record(recorder, &mut self.shared, spot, &said)
        } else {
            recorder.add_step(StepKind::Unknown, spot).map(|_| ())
        }
    }
}

/// Reads an object; another value has none of the fields.
fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str::<Object<T>>(json).ok()?.0
}
