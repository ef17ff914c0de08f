//! The export held against harbor's own model classes: every fixture and every recording, written as a trajectory, read
//! by the package that defines the format. `tests/harbor/run -- cargo test -p touchmark-agents --test harbor` installs it.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the environment says where the package is"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use touchmark_agents::atif;
use touchmark_agents::importer::{self, by_format};
use touchmark_agents::run::Usage;
use touchmark_agents::session::{ImportOptions, Session, SessionFile};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Reads each file that is named, as harbor does, and says which it refuses.
const CHECK: &str = r"
import json, sys
from harbor.models.trajectories import Trajectory
bad = 0
for path in sys.argv[1:]:
    try:
        trajectory = Trajectory.model_validate(json.load(open(path)))
        print('accepted', path.rsplit('/', 1)[-1], len(trajectory.steps))
    except Exception as error:
        bad += 1
        print('refused', path.rsplit('/', 1)[-1], str(error).split('\n')[0:3])
sys.exit(bad != 0)
";

/// Every session file below a folder that an importer recognises.
fn sessions(folder: &Path) -> Vec<(PathBuf, Session)> {
    let mut found = Vec::new();
    let Ok(listing) = std::fs::read_dir(folder) else {
        return found;
    };
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(sessions(&path));
        } else if let Ok(session) = importer::load(&path, &ImportOptions::default()) {
            found.push((path, session));
        }
    }
    found
}

#[test]
fn harbor_accepts_every_export() {
    let Some(python) = std::env::var_os("TOUCHMARK_TEST_HARBOR_PYTHON") else {
        println!("skipped: the package harbor is not installed (tests/harbor/run)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut all = sessions(&Path::new(REPOSITORY).join("testdata/sessions"));
    let recorded = sessions(&Path::new(REPOSITORY).join("../shared/data/sessions"));
    if recorded.is_empty() {
        println!("skipped: no recordings at ../shared/data/sessions");
    }
    all.extend(recorded);
    let mut written = Vec::new();
    for (at, (path, session)) in all.iter().enumerate() {
        let trajectory = atif::export(session).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().unwrap().to_string_lossy();
        let file = folder.path().join(format!("{at:03}-{name}"));
        std::fs::write(&file, trajectory.to_string()).unwrap();
        written.push(file);
    }
    assert!(written.len() >= 10);
    let output = Command::new(python)
        .args(["-c", CHECK])
        .args(&written)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn what_is_exported_counts_the_same_when_it_is_read_again() {
    let mut all = sessions(&Path::new(REPOSITORY).join("testdata/sessions"));
    all.extend(sessions(&Path::new(REPOSITORY).join("../shared/data/sessions")));
    assert!(all.len() >= 10);
    for (path, session) in all {
        let trajectory = atif::export(&session).unwrap();
        let file = SessionFile {
            name: "trajectory.json".into(),
            bytes: trajectory.to_string().into_bytes(),
            meta: None,
        };
        let again = by_format(atif::FORMAT)
            .unwrap()
            .import(&[file], &ImportOptions::default())
            .unwrap();
        let (run, name) = (&session.run, path.display());
        assert_eq!(again.session_id, run.session_id, "{name}");
        assert_eq!(again.product, run.product, "{name}");
        assert_eq!(again.working_directories, run.working_directories, "{name}");
        let humans = |run: &touchmark_agents::run::Run| run.human_prompts().count();
        assert_eq!(humans(&again), humans(run), "{name}");
        assert_eq!(again.tool_calls(), run.tool_calls(), "{name}");
        // A step of the agent is one answer to who reads a trajectory; not every product tells its answers apart.
        let tokens = |run: &touchmark_agents::run::Run| Usage {
            requests: None,
            ..run.usage
        };
        assert_eq!(tokens(&again), tokens(run), "{name}");
        assert_eq!(again.commands.len(), run.commands.len(), "{name}");
    }
}
