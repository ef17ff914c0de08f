//! mini-swe-agent's trajectories (`.traj.json`): one document with how the run was set up and the whole conversation.
//!
//! Versions before the document was one wrote the bare list of messages. A message is a step. Commands are those in
//! `extra.actions`, in older versions the one block of shell in an answer; exit codes are those in `extra.returncode`,
//! in older versions the `<returncode>` that an observation begins with. An answer that could not be used stands in the
//! complaint about it, with its tokens. The configuration, which may hold a key in the clear, is read only for the
//! model's name and the folder. The format names no session; batches name the task.

mod message;
pub(crate) mod usage;

use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use self::message::Reader;
use crate::error::ImportError;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::json::lenient::{Count, Object, Text};
use crate::recorder::document::{Piece, read_document, survey};
use crate::recorder::{Naming, Recorder};
use crate::run::{Run, Usage};
use crate::session::{Candidate, ImportOptions, Layout, SessionFile};
use crate::swe_agent::submit;

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "mini-swe-agent-traj";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct MiniSweAgent;

impl Importer for MiniSweAgent {
    fn product(&self) -> &'static str {
        "mini-swe-agent"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        let first = first_byte(head);
        match first {
            Some(b'{') => {
                has("\"mini-swe-agent-1")
                    || (has("\"mini_version\"") && has("\"info\""))
                    || (name.ends_with(".traj.json") && has("\"messages\"") && has("\"role\""))
            }
            Some(b'[') => name.ends_with(".traj.json") && has("\"role\"") && has("\"content\""),
            _ => false,
        }
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("mini-swe-agent", None);
        recorder.keep_words(options.words);
        let Some(file) = files.first() else {
            return recorder.finish(Naming::default());
        };
        let info = info(&file.bytes)?;
        recorder.version(info.version.as_deref());
        recorder.working_directory(info.folder.as_deref());
        let mut reader = Reader::new(info.model.as_deref());
        read_document(
            &mut recorder,
            &file.name,
            false,
            None,
            &file.bytes,
            &["", "messages"],
            &mut |recorder, piece| match piece {
                Piece::Item { spot, .. } => reader.message(recorder, spot),
                Piece::Field {
                    path: "instance_id",
                    spot,
                } => {
                    let id = serde_json::from_str::<Text<'_>>(spot.json)
                        .ok()
                        .and_then(|text| text.0);
                    recorder.session_id(id.as_deref());
                    Ok(())
                }
                Piece::Field { .. } => Ok(()),
            },
        )?;
        settle(&mut recorder, &info);
        submit(&mut recorder, info.submission.as_deref().or(reader.submission()));
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            ..Naming::default()
        })
    }

    fn discover(&self, _: &Places, _: &Path) -> Result<Vec<Candidate>, ImportError> {
        // The program keeps one file of its last run for every folder together, and its records name none.
        Ok(Vec::new())
    }
}

fn settle(recorder: &mut Recorder, info: &Info) {
    if let Some(cost) = &info.cost {
        recorder.cost(cost, "USD", None);
    }
    if let Some(calls) = info.calls {
        let place = recorder.last_place();
        let usage = Usage {
            requests: Some(calls),
            ..Usage::default()
        };
        recorder.total("run", None, usage, place);
    }
}

/// What is said of the run as a whole.
#[derive(Default)]
struct Info {
    version: Option<String>,
    folder: Option<String>,
    model: Option<String>,
    submission: Option<String>,
    cost: Option<String>,
    calls: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawInfo<'a> {
    #[serde(borrow)]
    mini_version: Text<'a>,
    #[serde(borrow)]
    submission: Text<'a>,
    #[serde(borrow)]
    model_stats: Object<Stats<'a>>,
    #[serde(borrow)]
    config: Object<Config<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats<'a> {
    #[serde(borrow)]
    instance_cost: Option<&'a RawValue>,
    api_calls: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config<'a> {
    #[serde(borrow)]
    model: Object<Model<'a>>,
    #[serde(borrow)]
    environment: Object<Environment<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Model<'a> {
    #[serde(borrow)]
    model_name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Environment<'a> {
    #[serde(borrow)]
    cwd: Text<'a>,
}

/// Reads what is said of the run, which may stand behind the messages.
fn info(bytes: &[u8]) -> Result<Info, ImportError> {
    let mut info = Info::default();
    survey(bytes, &[], &mut |piece| {
        let Piece::Field { path: "info", spot } = piece else {
            return Ok(());
        };
        if let Ok(Object(Some(raw))) = serde_json::from_str::<Object<RawInfo<'_>>>(spot.json) {
            let owned = |text: Text<'_>| {
                text.0
                    .map(std::borrow::Cow::into_owned)
                    .filter(|text| !text.is_empty())
            };
            let stats = raw.model_stats.0.unwrap_or_default();
            let config = raw.config.0.unwrap_or_default();
            info = Info {
                version: owned(raw.mini_version),
                folder: config
                    .environment
                    .0
                    .and_then(|environment| owned(environment.cwd)),
                model: config.model.0.and_then(|model| owned(model.model_name)),
                submission: owned(raw.submission),
                cost: stats.instance_cost.map(|raw| raw.get().to_owned()),
                calls: stats.api_calls.0,
            };
        }
        Ok(())
    })?;
    Ok(info)
}
