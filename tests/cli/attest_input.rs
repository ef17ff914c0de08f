//! What `attest` is given that it cannot use: one clear message, one code, one hint, and nothing lost.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::common::{Outcome, Sandbox, contains};

/// A refusal leaves no evidence and says what would help.
#[track_caller]
fn refused(sandbox: &Sandbox, arguments: &[&str], status: i32, code: &str) -> Outcome {
    let outcome = sandbox.touchmark(arguments).refused(status, code);
    assert!(outcome.stderr.contains("hint: "), "no hint: {}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("error[").count(), 1, "{}", outcome.stderr);
    outcome
}

#[test]
fn no_repository() {
    let sandbox = Sandbox::new();
    let outside = sandbox.path("home");
    refused(
        &sandbox,
        &["attest", "-C", outside.to_str().unwrap()],
        2,
        "git.not_a_repository",
    );
}

#[test]
fn a_repository_without_a_commit() {
    refused(&Sandbox::new(), &["attest"], 2, "git.unborn");
}

#[test]
fn an_empty_range_and_a_base_that_is_elsewhere() {
    let sandbox = Sandbox::with_change();
    refused(&sandbox, &["attest", "--base", "HEAD"], 2, "git.empty_range");
    sandbox.git(["switch", "--quiet", "--orphan", "elsewhere"]);
    sandbox.write("x", "x");
    sandbox.commit("unrelated");
    refused(
        &sandbox,
        &["attest", "--base", "main"],
        1,
        "git.base_not_ancestor",
    );
    refused(
        &sandbox,
        &["attest", "--base", "nowhere"],
        2,
        "git.revision_unknown",
    );
    refused(
        &sandbox,
        &["attest", "--base", "abcdef1"],
        2,
        "git.revision_abbreviated",
    );
}

#[test]
fn nothing_uncommitted() {
    let sandbox = Sandbox::with_change();
    refused(&sandbox, &["attest", "--uncommitted"], 2, "git.empty_range");
}

#[test]
fn a_detached_head_has_no_ref_and_is_attested_all_the_same() {
    let sandbox = Sandbox::with_change();
    sandbox.git(["checkout", "--quiet", "--detach"]);
    let statement = sandbox.statement(&["--base", "main"]);
    assert!(statement["predicate"]["change"]["ref"].is_null());
    sandbox.git(["branch", "--quiet", "--move", "main", "trunk"]);
    refused(&sandbox, &["attest"], 2, "attest.no_base");
}

#[test]
fn a_shallow_clone_that_ends_inside_the_range() {
    let sandbox = Sandbox::with_change();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 * 1 }\n");
    sandbox.commit("third");
    let base = sandbox.git(["rev-parse", "main"]);
    let (from, to) = (
        format!("file://{}", sandbox.repo().display()),
        sandbox.path("shallow"),
    );
    sandbox.git([
        "clone",
        "--quiet",
        "--depth=2",
        "--branch=agent/fix",
        &from,
        to.to_str().unwrap(),
    ]);
    let arguments = ["attest", "-C", to.to_str().unwrap(), "--base", &base];
    let outcome = sandbox.touchmark(arguments);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    // The base is not there, or the line to it is cut: either way it is not decided.
    assert!(
        outcome.stderr.contains("error[git.shallow]") || outcome.stderr.contains("error[git.object_missing]"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_merge_inside_the_range() {
    let sandbox = Sandbox::with_change();
    sandbox.git(["branch", "--quiet", "side", "main"]);
    sandbox.git(["switch", "--quiet", "side"]);
    sandbox.write("side.txt", "x");
    sandbox.commit("side");
    sandbox.git(["switch", "--quiet", "agent/fix"]);
    sandbox.git(["merge", "--quiet", "--no-edit", "side"]);
    refused(&sandbox, &["attest", "--base", "main"], 2, "git.not_linear");
}

#[test]
fn no_session_at_all() {
    let sandbox = Sandbox::with_change();
    fs::remove_dir_all(sandbox.path("home/.claude")).unwrap();
    refused(&sandbox, &["attest", "--base", "main"], 2, "session.not_found");
}

#[test]
fn a_product_whose_sessions_cannot_be_searched_hides_none_of_another_s() {
    let sandbox = Sandbox::with_change();
    let folder = sandbox.path("home/.factory");
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("sessions", folder.join("sessions")).unwrap();
    let outcome = sandbox.touchmark(["attest", "--base", "main"]).ok();
    assert!(
        outcome
            .stderr
            .contains("sessions of droid are left out: cannot read"),
        "{}",
        outcome.stderr
    );
    let alone = Sandbox::with_change();
    fs::remove_dir_all(alone.path("home/.claude")).unwrap();
    fs::rename(folder, alone.path("home/.factory")).unwrap();
    refused(&alone, &["attest", "--base", "main"], 1, "session.unreadable");
}

#[test]
fn case_224_files_that_are_no_files() {
    let sandbox = Sandbox::with_change();
    let pipe = sandbox.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let (pipe, folder) = (pipe.to_str().unwrap(), sandbox.path("home"));
    for file in [pipe, folder.to_str().unwrap(), "/dev/zero"] {
        for flag in ["--metadata", "--sbom"] {
            let outcome = sandbox.touchmark(["attest", "--base", "main", flag, file]);
            assert!(
                matches!(outcome.code, Some(1 | 2)),
                "{flag} {file}: {}",
                outcome.stderr
            );
            if flag == "--sbom" {
                outcome.refused(2, "file.not_regular");
            }
        }
        let outcome = sandbox.touchmark(["attest", "--base", "main", "--session", file]);
        outcome.refused(1, "session.not_a_file");
    }
    // Longer than it said it was: as a file that grows while it is read.
    sandbox
        .touchmark(["attest", "--base", "main", "--sbom", "/proc/self/status"])
        .refused(1, "file.changed");
    for flag in ["--session", "--metadata", "--sbom", "--base"] {
        assert_eq!(sandbox.touchmark(["attest", flag, "-rf"]).code, Some(2), "{flag}");
    }
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn a_session_that_is_damaged_or_says_nothing() {
    let sandbox = Sandbox::with_change();
    let file = sandbox.path("s.jsonl");
    let attest = ["attest", "--base", "main", "--session", file.to_str().unwrap()];
    sandbox.touchmark(attest).refused(1, "session.unreadable");
    fs::write(&file, "").unwrap();
    sandbox.touchmark(attest).refused(1, "session.empty");
    fs::write(&file, "not json\n\u{0}\u{1b}[31m\n").unwrap();
    sandbox.touchmark(attest).refused(1, "session.unknown_format");
    fs::write(&file, sandbox.session().prompt("hello").bytes()).unwrap();
    refused(&sandbox, &attest, 1, "session.no_model");
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn a_log_that_cannot_be_written_leaves_a_signed_statement_that_publish_finishes() {
    let sandbox = Sandbox::with_change();
    // A file where the log's folder would be: as unwritable for root as for anybody.
    fs::create_dir_all(sandbox.path("touchmark/data")).unwrap();
    fs::write(sandbox.path("touchmark/data/log"), "in the way").unwrap();
    let outcome = sandbox.touchmark(["attest", "--base", "main", "--format", "json"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    let first = outcome.json();
    assert_eq!(first["outcome"], "unlogged");
    assert!(
        outcome.stderr.contains("`touchmark publish` finishes it"),
        "{}",
        outcome.stderr
    );
    assert!(sandbox.evidence_refs().is_empty());
    assert_eq!(
        sandbox.touchmark(["status", "--format", "json"]).ok().json()["spool"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // Still there: the same statement waits, a second one is not made.
    let again = sandbox.touchmark(["attest", "--base", "main", "--format", "json"]);
    assert_eq!(again.code, Some(20), "{}", again.stderr);
    assert_eq!(
        (again.json()["outcome"].clone(), &again.json()["payload"]),
        (json!("folded"), &first["payload"])
    );

    fs::remove_file(sandbox.path("touchmark/data/log")).unwrap();
    let done = sandbox.touchmark(["publish", "--format", "json"]).ok().json();
    assert_eq!(done["finished"][0]["evidence"], first["evidence"]);
    assert_eq!(done["waiting"], json!([]));
    assert_eq!(sandbox.evidence_refs().len(), 2);
    assert_eq!(
        sandbox.touchmark(["publish", "--format", "json"]).ok().json()["finished"],
        json!([])
    );
}

/// Runs the binary where no file may grow beyond `blocks` of 512 bytes, as on a disk that is almost full.
fn with_file_limit(sandbox: &Sandbox, blocks: u32, arguments: &[&str]) -> Outcome {
    let mut command = Command::new("/bin/sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_touchmark")])
        .args(arguments)
        .current_dir(sandbox.repo());
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/local/bin")
        .env("HOME", sandbox.path("home"));
    command.env("TOUCHMARK_HOME", sandbox.path("touchmark"));
    Outcome::of(command.output().unwrap())
}

#[test]
fn a_full_disk_at_any_step_says_so_and_the_next_run_finishes() {
    let sandbox = Sandbox::with_change();
    // Every size at which some step fails, from "nothing can be written" on.
    let mut codes = Vec::new();
    for blocks in [0, 2, 4, 8, 12, 14, 16, 18, 20, 24, 32, 64] {
        let outcome = with_file_limit(
            &sandbox,
            blocks,
            &["attest", "--base", "main", "--format", "json"],
        );
        match outcome.code {
            Some(0) => break,
            Some(1 | 20) => {
                // A new failure is an error; a statement that an earlier run signed still waits.
                let waits = outcome.stderr.contains("is still in the spool: [");
                assert!(
                    outcome.stderr.matches("error[").count() + usize::from(waits) == 1,
                    "{blocks}: {}",
                    outcome.stderr
                );
                assert!(outcome.stderr.contains("hint: "), "{blocks}: {}", outcome.stderr);
                codes.push(format!(
                    "{blocks}: {:?} {}",
                    outcome.code,
                    outcome.stderr.replace('\n', " | ")
                ));
            }
            other => panic!("{blocks}: {other:?}: {}", outcome.stderr),
        }
    }
    println!("{codes:#?}");
    assert!(!codes.is_empty(), "no size was too small");
    let done = sandbox.attest(&["--base", "main"]);
    assert!(["logged", "folded"].contains(&done["outcome"].as_str().unwrap()));
    let files = sandbox.evidence(&sandbox.evidence_refs()[0]);
    assert_eq!(files.len(), 1);
    let report = sandbox
        .touchmark(["log", "check", "--format", "json"])
        .ok()
        .json();
    assert_eq!(report["size"], 1);
}

#[test]
fn an_ed25519_key_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::with_change();
    sandbox
        .touchmark(["key", "generate", "ed", "--algorithm", "ed25519", "--plain"])
        .ok();
    let key = sandbox.path("touchmark/config/keys/ed.pem");
    refused(
        &sandbox,
        &["attest", "--base", "main", "--key", key.to_str().unwrap()],
        2,
        "key.ed25519_not_loggable",
    );
    for folder in ["vault", "spool", "log", "chains"] {
        assert!(
            sandbox.files(&format!("touchmark/data/{folder}")).is_empty(),
            "{folder}"
        );
    }
}

#[test]
fn a_p384_key_and_a_key_in_the_environment_sign() {
    let sandbox = Sandbox::with_change();
    sandbox
        .touchmark(["key", "generate", "big", "--algorithm", "p384", "--plain"])
        .ok();
    let text = fs::read_to_string(sandbox.path("touchmark/config/keys/big.pem")).unwrap();
    let mut command = sandbox.command([
        "attest",
        "--base",
        "main",
        "--key",
        "env://AGENT_KEY",
        "--format",
        "json",
    ]);
    command.env("AGENT_KEY", text);
    assert_eq!(
        Outcome::of(command.output().unwrap()).ok().json()["outcome"],
        "logged"
    );
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 4 / 2 }\n");
    sandbox.commit("again");
    refused(
        &sandbox,
        &["attest", "--base", "main", "--key", "env://NOT_SET"],
        2,
        "key.variable_unset",
    );
}

#[test]
fn case_152_a_secret_in_the_transcript_is_refused_or_taken_out_and_recorded() {
    let sandbox = Sandbox::with_change();
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    sandbox
        .session()
        .prompt(&format!("use the token {secret} please"))
        .writes("src/lib.rs")
        .store(&sandbox);
    let outcome = refused(
        &sandbox,
        &["attest", "--base", "main"],
        2,
        "attest.secret_in_transcript",
    );
    assert!(!outcome.stderr.contains(secret), "the secret was printed");
    assert!(sandbox.evidence_refs().is_empty());
    let result = sandbox.attest(&["--base", "main", "--redact"]);
    let statement = sandbox.statement(&["--base", "main", "--redact"]);
    let redacted = &statement["predicate"]["transcript"]["redacted"];
    assert!(redacted["commitment"].is_string(), "{redacted}");
    assert_eq!(redacted["rules"].as_array().unwrap().len(), 1, "{redacted}");
    for (name, bytes) in sandbox.evidence(result["refs"][0].as_str().unwrap()) {
        assert!(!contains(&bytes, secret.as_bytes()), "{name}");
    }
}

#[test]
fn case_152_a_secret_in_a_flag_never_reaches_the_statement() {
    let sandbox = Sandbox::with_change();
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    for flag in ["--owner", "--agent", "--task"] {
        let outcome = refused(
            &sandbox,
            &["attest", "--base", "main", flag, secret],
            2,
            "attest.secret_in_statement",
        );
        assert!(!outcome.stderr.contains(secret));
    }
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn case_164_git_variables_of_a_ci_job_are_ignored_and_reported() {
    let sandbox = Sandbox::with_change();
    let other = Sandbox::new();
    other.write("other.txt", "x");
    other.commit("other");
    let mut command = sandbox.command(["attest", "--base", "main", "--format", "json"]);
    command
        .env("GIT_DIR", other.repo().join(".git"))
        .env("GIT_WORK_TREE", other.repo());
    command.env("GIT_OBJECT_DIRECTORY", other.repo().join(".git/objects"));
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.fsmonitor")
        .env("GIT_CONFIG_VALUE_0", "touch /tmp/no");
    command.env("GIT_INDEX_FILE", other.repo().join(".git/index"));
    let outcome = Outcome::of(command.output().unwrap()).ok();
    assert_eq!(outcome.json()["refs"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.evidence_refs().len(), 2);
    assert!(other.evidence_refs().is_empty());
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_CONFIG_COUNT",
        "GIT_INDEX_FILE",
    ] {
        assert!(
            outcome.stderr.contains(&format!("{name} is ignored")),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn case_237_the_same_submission_again_is_the_same_attestation() {
    let sandbox = Sandbox::with_change();
    fs::create_dir_all(sandbox.path("touchmark/data")).unwrap();
    fs::write(sandbox.path("touchmark/data/log"), "in the way").unwrap();
    assert_eq!(sandbox.touchmark(["attest", "--base", "main"]).code, Some(20));
    fs::remove_file(sandbox.path("touchmark/data/log")).unwrap();
    let entries = sandbox.files("touchmark/data/spool");
    let (path, bytes) = entries
        .iter()
        .find(|(path, _)| crate::common::is_spool_entry(path))
        .unwrap();
    sandbox.touchmark(["publish"]).ok();
    let before = sandbox.evidence(&sandbox.evidence_refs()[0]);
    // As after a crash between the log's answer and its being kept: the entry is back as it was before the log.
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let done = sandbox.touchmark(["publish", "--format", "json"]).ok().json();
    assert_eq!(done["finished"][0]["logIndex"], 0);
    assert_eq!(
        sandbox
            .touchmark(["log", "check", "--format", "json"])
            .ok()
            .json()["size"],
        1
    );
    assert_eq!(sandbox.evidence(&sandbox.evidence_refs()[0]), before);
}

#[test]
fn case_217_hostile_names_are_shown_and_never_obeyed() {
    let sandbox = Sandbox::with_change();
    let outcome = sandbox.touchmark(["attest", "--base", "\u{1b}]52;c;AAAA\u{7}\u{202e}main"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        !outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains('\u{202e}'),
        "{:?}",
        outcome.stderr
    );
    sandbox.write("evil\u{202e}\u{9b}.txt", "x");
    sandbox.commit("evil");
    for format in ["text", "json"] {
        let outcome = sandbox
            .touchmark(["attest", "--base", "main", "--dry-run", "--format", format])
            .ok();
        assert!(
            !outcome.stdout.contains('\u{202e}') && !outcome.stdout.contains('\u{9b}'),
            "{format}"
        );
    }
}

#[test]
fn case_222_a_huge_name_is_refused_and_shown_cut() {
    let sandbox = Sandbox::with_change();
    // Longer than any text in a statement, as long as one argument may be.
    let name = "n".repeat(100_000);
    let outcome = sandbox.touchmark(["attest", "--base", "main", "--agent", &name]);
    assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.stderr.len());
    assert!(outcome.stderr.len() < 10_000, "{} bytes", outcome.stderr.len());
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn a_linked_folder_of_instructions_is_not_looked_into() {
    let sandbox = Sandbox::with_change();
    let private = sandbox.path("home/private");
    fs::create_dir_all(private.join("rules")).unwrap();
    for name in ["plans.md", "rules/merger.md"] {
        fs::write(private.join(name), "private").unwrap();
    }
    for link in [".claude", ".cursor", ".agents"] {
        std::os::unix::fs::symlink(&private, sandbox.repo().join(link)).unwrap();
    }
    // A work tree of the agent's, below a folder that counts.
    sandbox.write(".codex/worktrees/one/.git", "gitdir: /elsewhere\n");
    sandbox.write(".codex/worktrees/one/copied.md", "x");
    sandbox.write(".codex/rules.md", "x");
    let statement = sandbox.statement(&["--base", "main"]).to_string();
    for name in ["plans.md", "merger.md", "copied.md"] {
        assert!(!statement.contains(name), "{name}: {statement}");
    }
    assert!(statement.contains(".codex/rules.md"), "{statement}");
}

#[test]
fn evidence_of_a_repository_that_is_gone_goes_to_no_other() {
    let sandbox = Sandbox::with_change();
    // The log cannot be written, so the statement waits.
    let log = sandbox.path("touchmark/data/log");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(&log, "in the way").unwrap();
    assert_eq!(sandbox.touchmark(["attest", "--base", "main"]).code, Some(20));
    fs::remove_file(&log).unwrap();
    let outer = sandbox.repo().parent().unwrap().to_owned();
    fs::rename(sandbox.repo().join(".git"), outer.join("kept")).unwrap();
    sandbox.git_in(&outer, ["init", "--quiet", "."]);
    let publish = || sandbox.touchmark(["publish", "-C", outer.to_str().unwrap()]);
    assert_eq!(publish().code, Some(1), "the statement still waits");
    assert_eq!(sandbox.git_in(&outer, ["for-each-ref", "refs/touchmark/"]), "");
    fs::rename(outer.join("kept"), sandbox.repo().join(".git")).unwrap();
    publish().ok();
    assert_eq!(sandbox.evidence_refs().len(), 2);
}

#[test]
fn what_waits_outlives_the_log_that_answered_for_it() {
    let sandbox = Sandbox::with_change();
    // A ref in the way: the log answers, and then the evidence cannot be filed.
    let way = sandbox.repo().join(".git/refs/touchmark");
    fs::write(&way, format!("{}\n", sandbox.git(["rev-parse", "HEAD"]))).unwrap();
    sandbox.touchmark(["attest", "--base", "main"]);
    fs::remove_file(&way).unwrap();
    fs::remove_dir_all(sandbox.path("touchmark/data/log")).unwrap();
    let published = sandbox.touchmark(["publish", "--format", "json"]).ok().json();
    assert_eq!(published["finished"].as_array().map(Vec::len), Some(1));
    assert_eq!(sandbox.evidence_refs().len(), 2);
}

#[test]
fn whatever_is_attested_a_variable_that_would_name_another_repository_is_ignored_aloud() {
    let sandbox = Sandbox::with_change();
    let file = sandbox.path("artifact");
    fs::write(&file, "x").unwrap();
    let artifact = file.to_str().unwrap();
    for what in [
        &["attest", "--base", "main", "--dry-run"][..],
        &["attest", "sbom", "--dry-run"],
        &["attest", "build", "--artifact", artifact, "--dry-run"],
        &["attest", "tests", "--dry-run", "--", "true"],
        &["approve", "--target", "main", "HEAD", "--dry-run"],
    ] {
        let mut command = sandbox.command(what);
        command.env("GIT_DIR", "/elsewhere/.git");
        let said = Outcome::of(command.output().unwrap());
        assert!(
            said.stderr.contains("GIT_DIR is ignored"),
            "{what:?}: {}",
            said.stderr
        );
        assert_eq!(said.stderr.matches("GIT_DIR").count(), 1, "{what:?}");
    }
}
