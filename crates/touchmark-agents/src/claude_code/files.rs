//! Finding and reading the files of a session. Symbolic links are never followed below the folder that is named.

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::discovery::{Found, working_directory_inside};
use crate::error::ImportError;
use crate::files::{entries, io, is_real_dir, is_real_file, read_head};
use crate::limits::{DISCOVERY_WINDOW_BYTES, MAX_NAME_BYTES};
use crate::session::Candidate;

/// The files of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFiles {
    /// The session's own file.
    pub main: PathBuf,
    /// The files of its sub-agents, each with the `.meta.json` beside it where there is one, in order of their names.
    pub subagents: Vec<(PathBuf, Option<PathBuf>)>,
}

/// Finds the sessions whose records were written with a working directory inside `repository_root`, newest first.
///
/// `config_dirs` are the product's configuration folders (those that hold `projects/`). The folder names below
/// `projects/` are never derived or trusted; the `cwd` of the records decides. Only the first and the last part of each
/// file are searched for it (see [`DISCOVERY_WINDOW_BYTES`]). Symbolic links are not followed.
pub fn discover(config_dirs: &[PathBuf], repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
    let Some(root) = repository_root.to_str() else {
        return Ok(Vec::new());
    };
    let mut found = Found::default();
    for config_dir in config_dirs {
        for project in entries(&config_dir.join("projects"))? {
            if !is_real_dir(&project) {
                continue;
            }
            for path in entries(&project)? {
                let Some(session_id) = session_id_of(&path) else {
                    continue;
                };
                found.look()?;
                // A file that vanishes or cannot be read is no candidate.
                if let Ok(Some(directory)) = working_directory_inside(&path, root) {
                    found.add(path, session_id, directory);
                }
            }
        }
    }
    Ok(found.sorted())
}

/// Finds the files of the sub-agents that belong to a session's own file: those in `<session>/subagents/`, with those that a
/// workflow started in `workflows/<run>/` below it, and, as older versions had it, `agent-*.jsonl` beside it whose first
/// record names the session.
pub fn session_files(main: &Path) -> Result<SessionFiles, ImportError> {
    let metadata = std::fs::symlink_metadata(main).map_err(|source| io(main, source))?;
    if !metadata.is_file() {
        return Err(ImportError::NotAFile {
            path: main.to_owned(),
        });
    }
    let mut subagents = Vec::new();
    let stem = main
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let parent = main
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !stem.is_empty() {
        let own = parent.join(stem);
        let folder = own.join("subagents");
        if is_real_dir(&own) && is_real_dir(&folder) {
            subagents.extend(entries(&folder)?.into_iter().filter(|path| is_agent_file(path)));
            let workflows = folder.join("workflows");
            if is_real_dir(&workflows) {
                for run in entries(&workflows)?.into_iter().filter(|path| is_real_dir(path)) {
                    subagents.extend(entries(&run)?.into_iter().filter(|path| is_agent_file(path)));
                }
            }
        }
        for path in entries(parent)?.into_iter().filter(|path| is_agent_file(path)) {
            if first_session_id(&path)?.as_deref() == Some(stem) {
                subagents.push(path);
            }
        }
    }
    let subagents = subagents
        .into_iter()
        .map(|path| {
            let meta = path.with_extension("meta.json");
            let meta = is_real_file(&meta).then_some(meta);
            (path, meta)
        })
        .collect();
    Ok(SessionFiles {
        main: main.to_owned(),
        subagents,
    })
}

fn is_agent_file(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.starts_with("agent-") && name.ends_with(".jsonl") && is_real_file(path)
}

/// Returns the identifier in the name of a session's own file.
fn session_id_of(path: &Path) -> Option<String> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
    let is_own = !stem.is_empty() && !stem.starts_with("agent-") && is_real_file(path);
    is_own.then(|| stem.to_owned())
}

fn first_session_id(path: &Path) -> Result<Option<String>, ImportError> {
    let head = read_head(path, DISCOVERY_WINDOW_BYTES)?;
    let needle = b"\"sessionId\":\"";
    let Some(at) = memmem::find(&head, needle) else {
        return Ok(None);
    };
    let value = &head[at + needle.len()..];
    let end = value.iter().take(MAX_NAME_BYTES).position(|byte| *byte == b'"');
    Ok(end.and_then(|end| String::from_utf8(value[..end].to_vec()).ok()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::discovery::directories;
    use crate::files::read;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn age(path: &Path, seconds: u64) {
        let time =
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 + seconds);
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }

    const A: &str = "11111111-1111-4111-8111-111111111111";
    const B: &str = "22222222-2222-4222-8222-222222222222";

    #[test]
    fn discovers_by_the_directory_in_the_records_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let projects = dir.path().join("projects");
        let (old, new, other) = (
            projects.join("-wrong-name").join(format!("{A}.jsonl")),
            projects.join("-home-ada-app").join(format!("{B}.jsonl")),
            projects
                .join("-home-ada-app")
                .join("33333333-3333-4333-8333-333333333333.jsonl"),
        );
        write(&old, "{\"cwd\":\"/home/ada/app/web\",\"type\":\"user\"}\n");
        write(&new, "{\"cwd\":\"/elsewhere\"}\n{\"cwd\":\"/home/ada/app\"}\n");
        write(&other, "{\"cwd\":\"/home/ada/apple\"}\n");
        write(
            &projects.join("-home-ada-app/agent-1.jsonl"),
            "{\"cwd\":\"/home/ada/app\"}\n",
        );
        write(
            &projects.join("-home-ada-app/notes.txt"),
            "{\"cwd\":\"/home/ada/app\"}\n",
        );
        age(&old, 1);
        age(&new, 2);
        age(&other, 3);
        let found = discover(
            &[dir.path().to_owned(), dir.path().join("absent")],
            Path::new("/home/ada/app"),
        )
        .unwrap();
        let ids: Vec<&str> = found
            .iter()
            .map(|candidate| candidate.session_id.as_str())
            .collect();
        assert_eq!(ids, [B, A]);
        assert_eq!(found[1].working_directory, "/home/ada/app/web");
        assert_eq!(found[0].modified.timestamp(), 1_700_000_002);
    }

    #[test]
    fn follows_no_symbolic_link() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside").join(format!("{A}.jsonl"));
        write(&outside, "{\"cwd\":\"/home/ada/app\"}\n");
        let project = dir.path().join("projects/p");
        std::fs::create_dir_all(&project).unwrap();
        std::os::unix::fs::symlink(&outside, project.join(format!("{A}.jsonl"))).unwrap();
        std::os::unix::fs::symlink(outside.parent().unwrap(), dir.path().join("projects/q")).unwrap();
        assert_eq!(
            discover(&[dir.path().to_owned()], Path::new("/home/ada/app")).unwrap(),
            []
        );
        let error = session_files(&project.join(format!("{A}.jsonl"))).unwrap_err();
        assert_eq!(error.code(), "session.not_a_file");
        assert_eq!(
            read(&project.join(format!("{A}.jsonl")), None)
                .unwrap_err()
                .code(),
            "session.not_a_file"
        );
        assert_eq!(read(&project, None).unwrap_err().code(), "session.not_a_file");
        assert_eq!(
            read(&project.join("absent"), None).unwrap_err().code(),
            "session.unreadable"
        );
    }

    #[test]
    fn finds_the_files_of_sub_agents() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join(format!("{A}.jsonl"));
        write(&main, "{}\n");
        let own = dir.path().join(A).join("subagents/agent-x.jsonl");
        write(&own, "{}\n");
        write(&own.with_extension("meta.json"), "{}");
        let in_workflow = dir.path().join(A).join("subagents/workflows/wf_1/agent-y.jsonl");
        write(&in_workflow, "{}\n");
        write(&in_workflow.with_file_name("journal.jsonl"), "{}\n");
        let beside = dir.path().join("agent-old.jsonl");
        write(&beside, &format!("{{\"sessionId\":\"{A}\"}}\n"));
        write(
            &dir.path().join("agent-other.jsonl"),
            &format!("{{\"sessionId\":\"{B}\"}}\n"),
        );
        let found = session_files(&main).unwrap();
        assert_eq!(
            found.subagents,
            [
                (own.clone(), Some(own.with_extension("meta.json"))),
                (in_workflow, None),
                (beside, None)
            ]
        );
    }

    #[test]
    fn a_directory_at_the_far_end_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let filler = format!("{{\"x\":\"{}\"}}\n", "y".repeat(4096)).repeat(600);
        write(&path, &format!("{filler}{{\"cwd\":\"/home/ada/app\"}}\n"));
        assert_eq!(
            working_directory_inside(&path, "/home/ada/app")
                .unwrap()
                .as_deref(),
            Some("/home/ada/app")
        );
        write(&path, &format!("{{\"cwd\":\"/home/ada/app\"}}\n{filler}"));
        assert_eq!(
            working_directory_inside(&path, "/home/ada/app")
                .unwrap()
                .as_deref(),
            Some("/home/ada/app")
        );
        assert_eq!(working_directory_inside(&path, "/home/ada/ap").unwrap(), None);
    }

    #[test]
    fn very_many_directories_are_told_apart_in_one_pass() {
        // As many as fit into what is searched: comparing each with every other would take minutes.
        let text: String = (0..70_000).map(|n| format!("\"cwd\":\"/{n:x}\"\n")).collect();
        let text = text.repeat(2);
        assert_eq!(directories(text.as_bytes()).len(), 70_000);
    }
}
