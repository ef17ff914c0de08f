//! SWE-agent's trajectories (`.traj`): one document with the steps taken, the conversation, and how it ended.
//!
//! An entry of `trajectory` is a step of the agent: its answer, the action, and what came of it. `history` holds the
//! same again as a conversation; of it only what stands before the first answer is new (prompts), the rest is marked as
//! copied. The names of tools are those of the conversation's calls where it has them, otherwise the action's first
//! word where that is a command of SWE-agent's own, otherwise the shell. The format has no exit codes, and says of no
//! action whether it failed but in the words of its own editing commands. Tokens and cost are totals that the product
//! reports; tokens sent include what a cache may have held. `replay_config` is an object, or a text that holds one.

pub(crate) mod patch;
mod record;
mod tools;

use std::path::Path;

use memchr::memmem;
use touchmark_statement::digest::Sha256Digest;

use self::record::{Config, Info, Reader};
use crate::discovery::Found;
use crate::error::ImportError;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::json::lenient::{Object, Text};
use crate::recorder::document::{Piece, read_document, survey};
use crate::recorder::names::split_provider;
use crate::recorder::{Naming, Place, Recorder};
use crate::run::{Run, Submitted, Usage};
use crate::session::{Candidate, ImportOptions, Layout, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "swe-agent-traj";
/// The lists whose items are steps.
const LISTS: [&str; 3] = ["trajectory", "history", "attempts"];

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct SweAgent;

impl Importer for SweAgent {
    fn product(&self) -> &'static str {
        "swe-agent"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        first_byte(head) == Some(b'{')
            && has("\"trajectory\"")
            && has("\"action\"")
            && has("\"observation\"")
            && has("\"thought\"")
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("swe-agent", None);
        recorder.keep_words(options.words);
        let Some(file) = files.first() else {
            return recorder.finish(Naming::default());
        };
        let config = config(&file.bytes)?;
        let mut reader = Reader::new(&config, &file.bytes)?;
        let mut submission = None;
        let mut info = Info::default();
        read_document(
            &mut recorder,
            &file.name,
            false,
            None,
            &file.bytes,
            &LISTS,
            &mut |recorder, piece| match piece {
                Piece::Item { list, spot } => reader.item(recorder, list, spot),
                Piece::Field { path: "info", spot } => {
                    if let Some(read) = record::info(spot) {
                        submission = read.submission.clone();
                        info = read;
                    }
                    Ok(())
                }
                Piece::Field { .. } => Ok(()),
            },
        )?;
        settle(&mut recorder, &config, &info);
        submit(&mut recorder, submission.as_deref());
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            file: file.name.strip_suffix(".traj").filter(|stem| !stem.is_empty()),
            ..Naming::default()
        })
    }

    fn discover(&self, _: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        // Runs are written below the folder in which the program was started; its own default is `trajectories`.
        let mut found = Found::default();
        let mut folders = vec![(repository_root.join("trajectories"), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for path in crate::files::entries(&folder)? {
                if depth < 3 && crate::files::is_real_dir(&path) {
                    folders.push((path, depth + 1));
                } else if path.extension().is_some_and(|ending| ending == "traj") {
                    found.look()?;
                    let stem = path
                        .file_stem()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    let root = repository_root.to_string_lossy().into_owned();
                    found.add(path, stem, root);
                }
            }
        }
        Ok(found.sorted())
    }
}

/// Reads the configuration, which may stand behind the steps that it explains.
fn config(bytes: &[u8]) -> Result<Config, ImportError> {
    let mut config = Config::default();
    survey(bytes, &[], &mut |piece| {
        if let Piece::Field {
            path: "replay_config",
            spot,
        } = piece
        {
            let inner = serde_json::from_str::<Text<'_>>(spot.json)
                .ok()
                .and_then(|text| text.0);
            let json = inner.as_deref().unwrap_or(spot.json);
            if let Ok(Object(Some(read))) = serde_json::from_str::<Object<Config>>(json) {
                config = read;
            }
        }
        Ok(())
    })?;
    Ok(config)
}

/// Takes over what is said of the run as a whole.
fn settle(recorder: &mut Recorder, config: &Config, info: &Info) {
    let repository = config
        .env
        .repo
        .github_url
        .as_deref()
        .or(config.env.repo.path.as_deref());
    recorder.base_commit(config.env.repo.base_commit.as_deref(), None, repository);
    recorder.session_id(config.problem_statement.id.as_deref());
    recorder.version(info.version.as_deref());
    let stats = &info.model_stats;
    let usage = Usage {
        input_tokens: stats.tokens_sent,
        output_tokens: stats.tokens_received,
        requests: stats.api_calls,
        ..Usage::default()
    };
    if usage != Usage::default() {
        let model = config.agent.model.name.as_deref().map(split_provider);
        let place = recorder.last_place();
        recorder.total(
            "run",
            model.map(|(provider, name)| (name, provider)),
            usage,
            place,
        );
    }
    if let Some(cost) = &stats.instance_cost {
        recorder.cost(cost, "USD", None);
    }
}

/// Takes over the patch that a run was submitted as: the files in it are written, read against the folder in which the
/// agent began.
pub(crate) fn submit(recorder: &mut Recorder, submission: Option<&str>) {
    let Some(patch) = submission.filter(|patch| !patch.trim().is_empty()) else {
        return;
    };
    recorder.run.submitted = Some(Submitted {
        sha256: Sha256Digest::of(patch.as_bytes()),
        bytes: patch.len() as u64,
    });
    let folder = recorder.run.working_directories.first().cloned();
    let place = Place {
        working_directory: folder.as_deref(),
        ..recorder.last_place()
    };
    for path in patch::paths(patch) {
        recorder.wrote(&path, place);
    }
}
