//! Reading and snapshots over a generated repository of 80,000 files and 10,000 commits, every object re-hashed; git
//! itself in the same run as the peer.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use touchmark_git::{GitProgram, OpenOptions, Repository, Sought};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::GitView as _;

const FILES: usize = 80_000;
const COMMITS: usize = 10_000;

#[allow(
    clippy::disallowed_methods,
    reason = "the benchmark looks for git where the shell does"
)]
fn program() -> GitProgram {
    GitProgram::find(&std::env::var_os("PATH").expect("PATH is set")).expect("git is installed")
}

fn git(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

fn path_of(file: usize) -> String {
    format!(
        "area{:02}/part{:02}/file{:02}.txt",
        file / 2000,
        file / 50 % 40,
        file % 50
    )
}

/// Writes history as a stream for `git fast-import`: all files first, then commits that change five files each and one
/// that changes 200.
fn history() -> String {
    let mut text = String::new();
    let mut commit = |number: usize, files: &mut dyn Iterator<Item = usize>| {
        let message = format!("commit {number}");
        let when = 1_700_000_000 + number;
        let _ = write!(
            text,
            "commit refs/heads/main\ncommitter A U Thor <a@example.com> {when} +0000\ndata {}\n{message}\n",
            message.len()
        );
        for file in files {
            let content = format!(
                "{file} at {number}\n{}",
                "a line of some text\n".repeat(20 + file % 20)
            );
            let _ = write!(
                text,
                "M 100644 inline {}\ndata {}\n{content}\n",
                path_of(file),
                content.len()
            );
        }
    };
    commit(0, &mut (0..FILES));
    for number in 1..COMMITS {
        commit(number, &mut (0..5).map(|n| (number * 7919 + n * 104_729) % FILES));
    }
    commit(COMMITS, &mut (0..200).map(|n| n * 397));
    text
}

fn generate(folder: &Path) {
    assert!(
        git(folder, &["init", "--quiet", "--initial-branch=main"])
            .status()
            .expect("git runs")
            .success()
    );
    let mut import = git(folder, &["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git runs");
    import
        .stdin
        .take()
        .expect("a pipe")
        .write_all(history().as_bytes())
        .expect("git reads");
    assert!(import.wait().expect("git ends").success());
    assert!(
        git(folder, &["reset", "--quiet", "--hard"])
            .status()
            .expect("git runs")
            .success()
    );
    assert!(
        git(folder, &["status", "--porcelain"])
            .output()
            .expect("git runs")
            .status
            .success()
    );
}

fn open(folder: &Path) -> Repository {
    let options = OpenOptions {
        git: Some(program()),
        ..OpenOptions::default()
    };
    Repository::open_with(folder, options).expect("a good repository")
}

fn walk(repository: &Repository, line: &[GitCommitId]) -> usize {
    let mut rows = 0;
    let mut before = repository.commit(&line[0]).expect("a commit").tree;
    for id in &line[1..] {
        let tree = repository.commit(id).expect("a commit").tree;
        rows += repository
            .changed_paths(&before, &tree)
            .expect("a difference")
            .len();
        before = tree;
    }
    rows
}

fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate(folder.path());
    let folder = folder.path();
    let repository = open(folder);
    let head = repository.resolve("HEAD").expect("a commit");
    let root = repository.root_commits(COMMITS + 1).expect("a root").remove(0);
    let line = repository.linear_range(&root, &head, COMMITS).expect("a line");
    let tree = |id: &GitCommitId| repository.commit(id).expect("a commit").tree;
    let (before, after) = (tree(&line[line.len() - 2]), tree(&head));

    let mut group = criterion.benchmark_group("read");
    group.bench_function("open", |bencher| {
        bencher.iter(|| black_box(open(folder).findings().len()))
    });
    group.bench_function("diff_200_of_80000_cold", |bencher| {
        bencher.iter_with_setup(
            || open(folder),
            |fresh| fresh.changed_paths(&before, &after).expect("rows").len(),
        );
    });
    let sought = Sought {
        enter: &|_| true,
        wanted: &|_, name| name.ends_with(b".lock"),
        limit: 1_000,
    };
    group.bench_function("find_by_name_in_80000_cold", |bencher| {
        bencher.iter_with_setup(
            || open(folder),
            |fresh| fresh.find_entries(&after, &sought).expect("entries").len(),
        );
    });
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    group.bench_function("walk_10000_commits_cold", |bencher| {
        bencher.iter_with_setup(|| open(folder), |fresh| black_box(walk(&fresh, &line)));
    });
    group.finish();

    let mut group = criterion.benchmark_group("work_tree_80000");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
    group.bench_function("git_status", |bencher| {
        bencher.iter(|| {
            git(folder, &["status", "--porcelain"])
                .output()
                .expect("git runs")
                .stdout
                .len()
        });
    });
    group.bench_function("snapshot_unchanged", |bencher| {
        bencher.iter(|| open(folder).snapshot_work_tree().expect("a snapshot").is_dirty());
    });
    std::fs::write(folder.join(path_of(7)), "changed").expect("a file");
    std::fs::write(folder.join("new"), "new").expect("a file");
    group.bench_function("snapshot_two_changed", |bencher| {
        bencher.iter(|| open(folder).snapshot_work_tree().expect("a snapshot").is_dirty());
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
