//! OpenHands' sessions, of both generations.
//!
//! **V0** is a list of events in one document, or a folder `events` with one file an event. **V1** is a folder with
//! `base_state.json` and `events/event-NNNNN-<id>.json`. Folders are written out as lines, one event a line, and those
//! are the session's bytes; of `base_state.json` only what is read is taken over, so that keys, even masked ones, and
//! registries of secrets stay where they are.
//!
//! Times name no zone and are read as UTC. V0 repeats a model's whole response on the action and on its observation;
//! only actions are read for it. Tokens and costs that the product accumulates win over what responses add up to.
//! An exit code of -1 stands for a command that had not ended: it is none.

mod folder;
mod state;
mod v0;
mod v1;

use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::discovery::{Found, is_inside};
use crate::error::ImportError;
use crate::files;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::json::lenient::{Count, Flag, Text};
use crate::mini_swe_agent::usage::apart;
use crate::recorder::document::{Piece, read_document};
use crate::recorder::lines::{LineFormat, Spot, read_one};
use crate::recorder::{Naming, Recorder};
use crate::run::{Completeness, Run, StepKind, Usage};
use crate::session::{Candidate, ImportOptions, Layout, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "openhands-events";
/// How the lines of a folder begin.
const FIRST_LINE: &[u8] = b"{\"form\":\"openhands-events/";

/// The importer of these sessions.
#[derive(Clone, Copy, Debug)]
pub struct OpenHands;

impl Importer for OpenHands {
    fn product(&self) -> &'static str {
        "openhands"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        match first_byte(head) {
            Some(b'[') => {
                has("\"source\"") && has("\"timestamp\"") && (has("\"action\"") || has("\"observation\""))
            }
            Some(b'{') => {
                head.starts_with(FIRST_LINE)
                    || (name == "base_state.json" && has("\"agent\""))
                    || (name.starts_with("event-") && has("\"kind\"") && has("\"source\""))
                    || (is_numbered(name) && has("\"source\"") && has("\"timestamp\""))
            }
            _ => false,
        }
    }

    fn recognises_folder(&self, folder: &Path) -> bool {
        folder::of(folder).is_some()
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("openhands", Some("all-hands-ai"));
        recorder.keep_words(options.words);
        let Some(file) = files.first() else {
            return recorder.finish(Naming::default());
        };
        let mut totals = Totals::default();
        if file.bytes.starts_with(FIRST_LINE) {
            let mut rows = Rows::default();
            read_one(
                &mut recorder,
                &mut rows,
                file,
                false,
                None,
                None,
                options.max_line_bytes,
            )?;
            let is_whole = rows.last == Some((rows.events, true)) && recorder.run.counters.malformed == 0;
            if let Some(source) = recorder.run.sources.last_mut()
                && !is_whole
            {
                source.completeness = Completeness::TailMissing;
            }
            totals = rows.totals;
        } else {
            let mut events = v0::Events::default();
            let lists = [""];
            read_document(
                &mut recorder,
                &file.name,
                false,
                None,
                &file.bytes,
                &lists,
                &mut |recorder, piece| match piece {
                    Piece::Item { spot, .. } => events.event(recorder, spot, &mut totals),
                    Piece::Field { .. } => Ok(()),
                },
            )?;
        }
        totals.settle(&mut recorder);
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            ..Naming::default()
        })
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        Ok(vec![match folder::of(path) {
            Some(found) => folder::write_out(&found)?,
            None => files::read(path, None)?,
        }])
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let Some(root) = repository_root.to_str() else {
            return Ok(Vec::new());
        };
        let mut found = Found::default();
        if let Some(home) = &places.home {
            for folder in files::entries(&home.join(".openhands/conversations"))? {
                found.look()?;
                let state = folder.join("base_state.json");
                if !files::is_real_dir(&folder) || !files::is_real_file(&state) {
                    continue;
                }
                // A state that vanishes or cannot be read is no candidate.
                let Some(state_says) = folder::state(&state) else {
                    continue;
                };
                let inside = |directory: &String| is_inside(root, directory);
                if let Some(directory) = state_says.working_directory().filter(inside) {
                    found.add(state, state_says.id().unwrap_or_default(), directory);
                }
            }
        }
        Ok(found.sorted())
    }
}

/// Whether this is the name of an event's file in V0.
fn is_numbered(name: &str) -> bool {
    let digits = name.strip_suffix(".json").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the product accumulates.
#[derive(Default)]
struct Totals {
    cost: Option<f64>,
    usage: Option<Usage>,
    /// Totals by their own names, each with its model.
    by_name: Vec<(String, Option<String>, Usage)>,
}

impl Totals {
    fn settle(self, recorder: &mut Recorder) {
        let place = recorder.last_place();
        if let Some(usage) = self.usage {
            recorder.total("run", None, usage, place);
        }
        for (name, model, usage) in &self.by_name {
            let model = model.as_deref().map(crate::recorder::names::split_provider);
            let model = model.map(|(provider, model)| (model, provider));
            recorder.total(name, model, *usage, place);
        }
        if let Some(cost) = self.cost {
            let text = format!("{cost:.10}");
            recorder.cost(text.trim_end_matches('0').trim_end_matches('.'), "USD", None);
        }
    }
}

/// Tokens as the product accumulates them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Accumulated {
    prompt_tokens: Count,
    completion_tokens: Count,
    cache_read_tokens: Count,
    cache_write_tokens: Count,
}

impl Accumulated {
    fn usage(&self) -> Usage {
        apart(
            self.prompt_tokens.0,
            self.completion_tokens.0,
            self.cache_read_tokens.0,
            self.cache_write_tokens.0,
        )
    }
}

/// What a shell says of a command that it ran.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    working_dir: Text<'a>,
}

fn amount(raw: &RawValue) -> Option<f64> {
    raw.get()
        .parse::<f64>()
        .ok()
        .filter(|cost| (0.0..1e12).contains(cost))
}

fn exit_code(raw: Option<&RawValue>) -> Option<i32> {
    raw.and_then(|raw| raw.get().parse::<i32>().ok())
        .filter(|code| *code != -1)
}

/// The lines of a folder.
#[derive(Default)]
struct Rows {
    is_v1: bool,
    v0: v0::Events,
    v1: v1::Events,
    totals: Totals,
    events: u64,
    last: Option<(u64, bool)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Row<'a> {
    #[serde(borrow)]
    form: Text<'a>,
    #[serde(borrow)]
    session: Text<'a>,
    #[serde(borrow)]
    base_state: Option<&'a RawValue>,
    #[serde(borrow)]
    unreadable: Option<&'a RawValue>,
    events: Count,
    whole: Flag,
}

impl LineFormat for Rows {
    type Record<'a> = Row<'a>;

    fn record(&mut self, recorder: &mut Recorder, spot: Spot<'_>, row: Row<'_>) -> Result<(), ImportError> {
        // Nothing follows the last line.
        self.last = None;
        if let Some(form) = row.form.as_deref().filter(|_| spot.offset == 0) {
            self.is_v1 = form.ends_with("/1");
            recorder.session_id(row.session.as_deref());
            return recorder.add_step(StepKind::Other, spot).map(|_| ());
        }
        if let Some(state) = row.base_state {
            recorder.add_step(StepKind::Other, spot)?;
            if let Some(state) = state::State::read(state.get().as_bytes()) {
                self.v1.state(recorder, &state, &mut self.totals);
            }
            return Ok(());
        }
        if row.whole.0.is_some() {
            self.last = Some((row.events.0.unwrap_or(u64::MAX), row.whole.is_true()));
            return recorder.add_step(StepKind::Other, spot).map(|_| ());
        }
        if row.unreadable.is_some() {
            recorder.run.counters.malformed += 1;
            return recorder.add_step(StepKind::Unreadable, spot).map(|_| ());
        }
        self.events += 1;
        if self.is_v1 {
            self.v1.event(recorder, spot)
        } else {
            self.v0.event(recorder, spot, &mut self.totals)
        }
    }
}
