//! The files that steered a run: AGENTS.md, CLAUDE.md, rules, settings, hooks and MCP configuration.
//!
//! A file that the base tree holds unchanged is named by its digest, since whoever can read the repository can read it.
//! Any other (edited, untracked, or the user's own) may be private and is named by a commitment. Links are not followed,
//! neither at a name nor on the way to it: a repository must not choose which folder of the user's is looked into.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::GitTreeId;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{GitView, GitViewError};

use crate::error::CliError;
use crate::file_argument;

/// The largest file that is taken as an instruction.
const MAX_INSTRUCTION_BYTES: u64 = 1_024 * 1_024;
/// The most files, and the deepest folder below `.claude` and its like.
const MAX_FILES: usize = 500;
const MAX_DEPTH: usize = 6;
/// The most that is kept of all files together.
const MAX_TOTAL_BYTES: usize = 64 * 1_024 * 1_024;

/// Names at the root of the work tree.
const ROOT_FILES: &[&str] = &[
    ".cursorrules",
    ".github/copilot-instructions.md",
    ".mcp.json",
    ".windsurfrules",
    "AGENTS.md",
    "CLAUDE.local.md",
    "CLAUDE.md",
    "GEMINI.md",
];
/// Folders of the work tree, every file below which counts.
const ROOT_FOLDERS: &[&str] = &[
    ".agents",
    ".claude",
    ".codex",
    ".cursor/rules",
    ".gemini",
    ".github/instructions",
];
/// Names that count in every folder above a changed path.
const NESTED_FILES: &[&str] = &["AGENTS.md", "CLAUDE.md", "GEMINI.md"];
/// Names in the user's home.
const HOME_FILES: &[&str] = &[".claude/CLAUDE.md", ".claude/settings.json"];

/// One file that steered the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Its path in the work tree, or `~/…`.
    pub(crate) name: String,
    /// Its content; absent where the base tree holds exactly it.
    pub(crate) private: Option<Vec<u8>>,
    /// The content's digest.
    pub(crate) digest: Sha256Digest,
}

/// Finds the files, in the order of their names.
pub(crate) fn find<'a>(
    git: &dyn GitView,
    base: &GitTreeId,
    work_tree: Option<&Path>,
    home: Option<&Path>,
    changed: impl Iterator<Item = &'a RepoPath>,
) -> Result<Vec<Instruction>, CliError> {
    let mut found: BTreeMap<String, Instruction> = BTreeMap::new();
    let mut room = MAX_TOTAL_BYTES;
    for name in candidates(work_tree, changed) {
        let on_disk = match work_tree {
            Some(root) => below(root, &name).and_then(|path| read(&path)),
            None => None,
        };
        let in_base = in_base(git, base, &name)?;
        let instruction = match (on_disk, in_base) {
            (Some(disk), base) => {
                let digest = Sha256Digest::of(&disk);
                let same = base.as_deref() == Some(disk.as_slice());
                let kept = if same { 0 } else { disk.len() };
                room = room.checked_sub(kept).ok_or_else(too_many_bytes)?;
                Instruction {
                    name: name.clone(),
                    private: (!same).then_some(disk),
                    digest,
                }
            }
            (None, Some(base)) => Instruction {
                name: name.clone(),
                private: None,
                digest: Sha256Digest::of(&base),
            },
            (None, None) => continue,
        };
        found.insert(name, instruction);
    }
    for name in HOME_FILES {
        if let Some(bytes) = home.and_then(|home| read(&home.join(name))) {
            let name = format!("~/{name}");
            let digest = Sha256Digest::of(&bytes);
            found.insert(
                name.clone(),
                Instruction {
                    name,
                    private: Some(bytes),
                    digest,
                },
            );
        }
    }
    Ok(found.into_values().collect())
}

fn candidates<'a>(work_tree: Option<&Path>, changed: impl Iterator<Item = &'a RepoPath>) -> Vec<String> {
    let mut names: std::collections::BTreeSet<String> =
        ROOT_FILES.iter().map(|&name| name.to_owned()).collect();
    for path in changed {
        let Some(path) = path.as_str() else { continue };
        for (at, _) in path.match_indices('/') {
            names.extend(NESTED_FILES.iter().map(|file| format!("{}/{file}", &path[..at])));
        }
        if names.len() > MAX_FILES * 4 {
            break;
        }
    }
    for folder in ROOT_FOLDERS {
        let place = work_tree.and_then(|root| below(root, folder));
        if let Some(place) = place.filter(|place| is_folder(place)) {
            walk(&place, folder, MAX_DEPTH, &mut names);
        }
    }
    names.into_iter().collect()
}

/// Returns where a name below the work tree is, unless a link stands on the way to it.
fn below(root: &Path, name: &str) -> Option<PathBuf> {
    let mut folder = root.to_owned();
    if let Some((above, _)) = name.rsplit_once('/') {
        for part in above.split('/') {
            folder.push(part);
            if !is_folder(&folder) {
                return None;
            }
        }
    }
    Some(root.join(name))
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

fn too_many_bytes() -> CliError {
    CliError::failed(
        "file.too_large",
        format!("the instruction files hold more than {MAX_TOTAL_BYTES} bytes together"),
    )
    .hint("move what does not steer the agent out of the folders of instructions")
}

fn walk(folder: &Path, name: &str, depth: usize, names: &mut std::collections::BTreeSet<String>) {
    // A repository inside this one, such as a linked work tree of the agent's, belongs to itself.
    if depth == 0 || folder.join(".git").symlink_metadata().is_ok() {
        return;
    }
    for entry in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .take(MAX_FILES)
    {
        let (Ok(kind), Some(file)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned))
        else {
            continue;
        };
        let path = format!("{name}/{file}");
        if kind.is_dir() {
            walk(&entry.path(), &path, depth - 1, names);
        } else if kind.is_file() && names.len() < MAX_FILES * 8 {
            names.insert(path);
        }
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    // What cannot be read did not steer this run for us; the name alone says nothing.
    file_argument::read_own(path, MAX_INSTRUCTION_BYTES)
        .ok()
        .flatten()
}

fn in_base(git: &dyn GitView, base: &GitTreeId, name: &str) -> Result<Option<Vec<u8>>, CliError> {
    let Ok(path) = RepoPath::from_bytes(name.as_bytes()) else {
        return Ok(None);
    };
    match git.read_path(base, &path, MAX_INSTRUCTION_BYTES) {
        Ok(content) => Ok(content),
        // A link, a folder or a file that is too large at this name.
        Err(GitViewError::NotAFile { .. } | GitViewError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
