//! `touchmark attest`: what is captured, and where it ends up.

use std::fs;

use serde_json::{Value, json};

use crate::common::World;
use crate::common::{Sandbox, contains, is_spool_entry};

const PROMPT: &str = "the quick brown prompt 7f3a9c jumps over a lazy reviewer";

fn evidence_statement(sandbox: &Sandbox, reference: &str) -> Value {
    let (_, bytes) = sandbox.evidence(reference).remove(0);
    let bundle: Value = serde_json::from_slice(&bytes).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    use base64::Engine as _;
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap()
}

fn pointer<'a>(statement: &'a Value, pointer: &str) -> &'a Value {
    statement
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{pointer} is not in {statement}"))
}

#[test]
fn one_command_captures_signs_logs_and_stores() {
    let sandbox = Sandbox::with_change();
    let result = sandbox.attest(&["--base", "main"]);
    let head = sandbox.git(["rev-parse", "HEAD"]);
    let tree = sandbox.git(["rev-parse", "HEAD^{tree}"]);
    assert_eq!(result["schema"], "https://touchmark.dev/schemas/attest-v1.json");
    assert_eq!(result["outcome"], "logged");
    assert_eq!(result["log"]["index"], 0);
    let refs = [
        format!("refs/touchmark/commit/{}/{head}", &head[..2]),
        format!("refs/touchmark/tree/{}/{tree}", &tree[..2]),
    ];
    assert_eq!(result["refs"], json!(refs));
    assert_eq!(sandbox.evidence_refs(), refs);
    for reference in &refs {
        let files = sandbox.evidence(reference);
        assert_eq!(files.len(), 1);
        assert_eq!(
            files[0].0,
            format!("{}.sigstore.json", result["evidence"].as_str().unwrap())
        );
    }
    assert!(
        sandbox
            .files("touchmark/data/spool")
            .iter()
            .all(|(path, _)| !path.to_string_lossy().contains(".json"))
    );
}

#[test]
fn the_statement_says_what_git_and_the_session_say() {
    let sandbox = Sandbox::with_change();
    sandbox.git([
        "remote",
        "add",
        "origin",
        "https://alice:secret-token@example.com/acme/app.git?x=1",
    ]);
    let statement = sandbox.statement(&[
        "--base",
        "main",
        "--owner",
        "team-a",
        "--agent",
        "fixer",
        "--task",
        "https://example.com/7",
    ]);
    let head = sandbox.git(["rev-parse", "HEAD"]);
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], head);
    assert_eq!(
        statement["subject"][0]["name"],
        "git+https://example.com/acme/app"
    );
    assert_eq!(
        statement["subject"][1]["digest"]["gitTree"],
        sandbox.git(["rev-parse", "HEAD^{tree}"])
    );
    let content = sandbox.git(["cat-file", "commit", "HEAD"]) + "\n";
    assert_eq!(
        statement["subject"][0]["digest"]["sha256"],
        sha256(content.as_bytes())
    );
    let predicate = &statement["predicate"];
    assert_eq!(predicate["agent"]["id"], "fixer");
    assert_eq!(predicate["agent"]["owner"], "team-a");
    assert_eq!(predicate["agent"]["instance"], crate::common::SESSION_ID);
    assert_eq!(predicate["agent"]["product"]["name"], "claude-code");
    assert_eq!(predicate["agent"]["product"]["version"], "2.1.14");
    assert_eq!(predicate["models"][0]["id"], "claude-opus-4-5-20251101");
    assert_eq!(predicate["models"][0]["role"], "primary");
    assert_eq!(predicate["change"]["ref"], "refs/heads/agent/fix");
    assert_eq!(
        predicate["change"]["repository"]["uri"],
        "https://example.com/acme/app"
    );
    assert_eq!(predicate["change"]["dirty"], false);
    assert_eq!(
        predicate["change"]["base"]["gitCommit"],
        sandbox.git(["rev-parse", "main"])
    );
    let row = &predicate["change"]["paths"][0];
    assert_eq!(
        (&row["path"], &row["status"], &row["attribution"]),
        (&json!("src/lib.rs"), &json!("modified"), &json!("agent"))
    );
    assert_eq!(row["to"]["sha256"], sha256(b"pub fn two() -> u32 { 2 }\n"));
    assert_eq!(row["to"]["size"], 26);
    assert_eq!(predicate["change"]["undeclared"], json!([]));
    assert_eq!(predicate["change"]["unwritten"], json!([]));
    assert_eq!(predicate["prompt"]["commitments"][0]["origin"], "human");
    assert_eq!(predicate["commands"][0]["kind"], "test");
    assert_eq!(predicate["commands"][0]["exitCode"], Value::Null);
    assert_eq!(predicate["transcript"]["complete"], "whole");
    assert_eq!(predicate["task"]["uri"], "https://example.com/7");
    assert_eq!(predicate["trigger"]["kind"], "human");
    assert_eq!(predicate["environment"]["kind"], "local");
    assert_eq!(predicate["usage"]["outputTokens"], 40);
    assert_eq!(predicate["run"]["sequence"], 0);
    assert_eq!(predicate["capture"]["sources"]["/change"], "observed");
    assert!(!statement.to_string().contains("secret-token"));
}

#[test]
fn what_is_stored_is_what_the_schema_describes() {
    let sandbox = Sandbox::with_change();
    let result = sandbox.attest(&["--base", "main"]);
    let statement = evidence_statement(&sandbox, result["refs"][0].as_str().unwrap());
    let schema = fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../schemas/agent-change/v1.json"
    ))
    .unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let target = if validator.is_valid(&statement) {
        &statement
    } else {
        &statement["predicate"]
    };
    let errors: Vec<String> = validator
        .iter_errors(target)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_dry_run_writes_nothing_at_all() {
    let sandbox = Sandbox::with_change();
    sandbox.statement(&["--base", "main"]);
    assert!(sandbox.files("touchmark").is_empty());
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn paths_nobody_declared_and_paths_nobody_wrote_are_listed() {
    let sandbox = Sandbox::with_change();
    sandbox.write("src/other.rs", "// by hand\n");
    sandbox.commit("more");
    sandbox
        .session()
        .prompt("x")
        .writes("src/lib.rs")
        .writes("src/gone.rs")
        .store(&sandbox);
    let change = sandbox.statement(&["--base", "main"])["predicate"]["change"].clone();
    assert_eq!(change["undeclared"], json!(["src/other.rs"]));
    assert_eq!(change["unwritten"], json!(["src/gone.rs"]));
    assert_eq!(change["paths"][1]["attribution"], "unknown");
    assert_eq!(change["commits"].as_array().unwrap().len(), 2);
}

#[test]
fn modes_links_removals_and_odd_names_are_rows() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::with_change();
    fs::remove_file(sandbox.repo().join("README.md")).unwrap();
    std::os::unix::fs::symlink("lib.rs", sandbox.repo().join("src/link")).unwrap();
    let odd = std::path::Path::new(std::ffi::OsStr::from_bytes(b"odd-\xff"));
    fs::write(sandbox.repo().join(odd), "x").unwrap();
    sandbox.commit("odd");
    let rows = sandbox.statement(&["--base", "main"])["predicate"]["change"]["paths"].clone();
    let found: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["path"], row["status"], row["to"]["mode"]))
        .collect();
    assert_eq!(
        found,
        [
            r#""README.md" "deleted" null"#,
            r#"{"bytes":"b2RkLf8="} "added" "100644""#,
            r#""src/lib.rs" "modified" "100644""#,
            r#""src/link" "added" "120000""#,
        ]
    );
}

#[test]
fn a_change_of_very_many_paths_is_stated_by_its_root() {
    let sandbox = Sandbox::with_change();
    for file in 0..9_000 {
        sandbox.write(
            &format!("generated/folder-with-a-rather-long-name/file-number-{file:06}.txt"),
            "x",
        );
    }
    sandbox.commit("generated");
    let change = sandbox.statement(&["--base", "main"])["predicate"]["change"].clone();
    assert!(change["paths"].is_null());
    assert_eq!(change["pathsTree"]["count"], 9_001);
    assert!(change["pathsTree"]["root"].is_string());
    let undeclared = change["undeclared"].as_array().unwrap().len();
    assert!((1_000..=9_000).contains(&undeclared), "{undeclared}");
    assert_eq!(sandbox.attest(&["--base", "main"])["outcome"], "logged");
}

#[test]
fn uncommitted_work_has_a_tree_and_no_commit() {
    let sandbox = Sandbox::with_change();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 3 }\n");
    sandbox.write("src/new.rs", "// untracked\n");
    let committed = sandbox.statement(&["--base", "main"]);
    assert_eq!(pointer(&committed, "/predicate/change/dirty"), true);
    assert_eq!(committed["subject"].as_array().unwrap().len(), 2);

    let index = fs::read(sandbox.repo().join(".git/index")).unwrap();
    let statement = sandbox.statement(&["--uncommitted"]);
    let change = &statement["predicate"]["change"];
    assert_eq!(statement["subject"].as_array().unwrap().len(), 1);
    assert_eq!(change["base"]["gitCommit"], sandbox.git(["rev-parse", "HEAD"]));
    assert_eq!(change["proposed"]["gitCommit"], Value::Null);
    assert_eq!(change["commits"], json!([]));
    let paths: Vec<_> = change["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["path"].clone())
        .collect();
    assert_eq!(paths, [json!("src/lib.rs"), json!("src/new.rs")]);
    assert_eq!(
        fs::read(sandbox.repo().join(".git/index")).unwrap(),
        index,
        "the index was touched"
    );
    let result = sandbox.attest(&["--uncommitted"]);
    assert_eq!(result["refs"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_session_and_tree_are_folded_and_a_new_tree_is_the_next_in_the_chain() {
    let sandbox = Sandbox::with_change();
    let first = sandbox.attest(&["--base", "main"]);
    let again = sandbox.attest(&["--base", "main"]);
    assert_eq!(again["outcome"], "folded");
    assert_eq!(again["payload"], first["payload"]);
    assert_eq!(sandbox.evidence(first["refs"][0].as_str().unwrap()).len(), 1);

    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 1 + 1 }\n");
    sandbox.commit("again");
    let second = sandbox.attest(&["--base", "main"]);
    assert_eq!(second["outcome"], "logged");
    let [one, two] =
        [&first, &second].map(|result| evidence_statement(&sandbox, result["refs"][0].as_str().unwrap()));
    assert_eq!(two["predicate"]["run"]["chain"], one["predicate"]["run"]["chain"]);
    assert_eq!(two["predicate"]["run"]["sequence"], 1);
    assert_eq!(two["predicate"]["run"]["previous"]["sha256"], first["payload"]);
    // A fresh run key for each statement: the same prompt is committed to differently.
    assert_ne!(
        two["predicate"]["prompt"]["root"],
        one["predicate"]["prompt"]["root"]
    );
}

#[test]
fn the_base_is_where_the_branch_left_its_upstream() {
    let sandbox = Sandbox::with_change();
    let main = sandbox.git(["rev-parse", "main"]);
    assert_eq!(
        pointer(&sandbox.statement(&[]), "/predicate/change/base/gitCommit"),
        &json!(main)
    );
    sandbox.git(["branch", "--quiet", "--move", "main", "trunk"]);
    let outcome = sandbox
        .touchmark(["attest", "--dry-run"])
        .refused(2, "attest.no_base");
    assert!(
        outcome.stderr.contains("hint: say it with --base"),
        "{}",
        outcome.stderr
    );
    sandbox.git(["branch", "--quiet", "--set-upstream-to=trunk"]);
    assert_eq!(
        pointer(&sandbox.statement(&[]), "/predicate/change/base/gitCommit"),
        &json!(main)
    );
}

#[test]
fn a_repository_without_remote_is_named_by_its_first_commit() {
    let sandbox = Sandbox::with_change();
    let statement = sandbox.statement(&["--base", "main"]);
    let root = sandbox.git(["rev-list", "--max-parents=0", "HEAD"]);
    assert_eq!(
        pointer(&statement, "/predicate/change/repository/uri"),
        &json!(format!("urn:touchmark:root:{root}"))
    );
}

#[test]
fn instruction_files_of_the_base_are_named_by_digest_and_others_by_commitment() {
    let sandbox = Sandbox::new();
    sandbox.write("AGENTS.md", "be kind\n");
    sandbox.write("CLAUDE.md", "be brief\n");
    sandbox.write("a.txt", "1");
    sandbox.commit("first");
    sandbox.write("a.txt", "2");
    sandbox.commit("second");
    sandbox.write("CLAUDE.md", "be very brief\n");
    sandbox.write(".claude/settings.json", "{}");
    sandbox.session().prompt("x").writes("a.txt").store(&sandbox);
    let statement = sandbox.statement(&["--base", &sandbox.git(["rev-parse", "HEAD~1"])]);
    let rows = pointer(&statement, "/predicate/instructions")
        .as_array()
        .unwrap()
        .clone();
    let row = |name: &str| {
        rows.iter()
            .find(|row| row["name"] == name)
            .unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(row("AGENTS.md")["digest"]["sha256"], sha256(b"be kind\n"));
    assert_eq!(row("AGENTS.md")["fromBase"], true);
    for name in ["CLAUDE.md", ".claude/settings.json"] {
        assert_eq!(row(name)["fromBase"], false, "{name}");
        assert!(
            row(name)["digest"].is_null() && row(name)["commitment"].is_string(),
            "{name}"
        );
    }
}

#[test]
fn a_metadata_record_is_taken_as_said_and_checked_against_the_repository() {
    let sandbox = Sandbox::with_change();
    let record = |proposed: &str| {
        let record = json!({"agent_id": "article-agent", "model": "gpt-x", "prompt_hash": sha256(b"p"),
            "base_sha": sandbox.git(["rev-parse", "main"]), "proposed_sha": proposed, "timestamp": "2026-01-02T03:04:05Z"});
        let file = sandbox.path("metadata.json");
        fs::write(&file, record.to_string()).unwrap();
        file.to_string_lossy().into_owned()
    };
    let statement = sandbox.statement(&["--metadata", &record(&sandbox.git(["rev-parse", "HEAD"]))]);
    assert_eq!(pointer(&statement, "/predicate/agent/id"), "article-agent");
    assert_eq!(
        pointer(&statement, "/predicate/prompt/plainDigest/sha256"),
        &json!(sha256(b"p"))
    );
    assert_eq!(
        pointer(&statement, "/predicate/capture/sources")["/models"],
        "selfReported"
    );
    assert!(statement["predicate"]["change"]["undeclared"].is_null());
    let file = record(&"1".repeat(40));
    let outcome = sandbox.touchmark(["attest", "--metadata", &file]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("error[git.object_missing]"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_bill_of_materials_is_named_by_format_and_digest() {
    let sandbox = Sandbox::with_change();
    let cyclonedx = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [
        {"type": "library", "name": "serde", "version": "1.0.0", "purl": "pkg:cargo/serde@1.0.0"}]});
    let file = sandbox.path("bom.json");
    fs::write(&file, cyclonedx.to_string()).unwrap();
    let statement = sandbox.statement(&["--base", "main", "--sbom", file.to_str().unwrap()]);
    assert_eq!(pointer(&statement, "/predicate/sbom/format"), "cyclonedx-1.6");
    assert_eq!(
        pointer(&statement, "/predicate/sbom/digest/sha256"),
        &json!(sha256(cyclonedx.to_string().as_bytes()))
    );
    fs::write(&file, "{\"hello\": 1}").unwrap();
    let outcome = sandbox.touchmark(["attest", "--base", "main", "--sbom", file.to_str().unwrap()]);
    outcome.refused(2, "attest.sbom_unknown");
}

#[test]
fn a_plain_prompt_digest_is_written_only_when_asked_for_and_warned_about() {
    let sandbox = Sandbox::with_change();
    assert!(sandbox.statement(&["--base", "main"])["predicate"]["prompt"]["plainDigest"].is_null());
    let outcome = sandbox
        .touchmark([
            "attest",
            "--base",
            "main",
            "--dry-run",
            "--format",
            "json",
            "--plain-prompt-digest",
        ])
        .ok();
    assert_eq!(
        outcome.json()["statement"]["predicate"]["prompt"]["plainDigest"]["sha256"],
        sha256(b"make two() return 2")
    );
    assert!(outcome.stderr.contains("can be guessed"), "{}", outcome.stderr);
}

#[test]
fn no_byte_of_a_prompt_or_command_leaves_the_vault() {
    let sandbox = Sandbox::with_change();
    let command = "echo 5b21e7-very-private-command";
    sandbox
        .session()
        .prompt(PROMPT)
        .writes("src/lib.rs")
        .bash(command)
        .store(&sandbox);
    // First as it waits in the spool, because the log cannot be written, then as it is in the log and in the refs.
    fs::create_dir_all(sandbox.path("touchmark/data")).unwrap();
    fs::write(sandbox.path("touchmark/data/log"), "in the way").unwrap();
    let unlogged = sandbox.touchmark(["attest", "--base", "main", "--format", "json"]);
    assert_eq!(unlogged.code, Some(20), "{}", unlogged.stderr);
    assert!(
        sandbox
            .files("touchmark/data/spool")
            .iter()
            .any(|(path, _)| is_spool_entry(path))
    );
    assert_private(
        &sandbox,
        &[&unlogged.stdout, &unlogged.stderr],
        &[PROMPT, command, "7f3a9c", "5b21e7"],
    );
    fs::remove_file(sandbox.path("touchmark/data/log")).unwrap();
    let logged = sandbox.touchmark(["publish"]).ok();
    assert_private(
        &sandbox,
        &[&logged.stdout, &logged.stderr],
        &[PROMPT, command, "7f3a9c", "5b21e7"],
    );
    assert_eq!(sandbox.evidence_refs().len(), 2);
    // The search would find it: the vault has it.
    assert!(
        sandbox
            .files("touchmark/data/vault")
            .iter()
            .any(|(_, bytes)| contains(bytes, PROMPT.as_bytes()))
    );
}

/// Looks through everything that was printed, every file outside the vault, every bundle and every statement. Spool
/// entries and bundles hold the statement in base64, so that is looked into as well.
fn assert_private(sandbox: &Sandbox, printed: &[&str], secrets: &[&str]) {
    use base64::Engine as _;
    let mut places: Vec<(String, Vec<u8>)> = printed
        .iter()
        .map(|text| ("printed".to_owned(), text.as_bytes().to_vec()))
        .collect();
    for reference in sandbox.evidence_refs() {
        places.extend(sandbox.evidence(&reference));
        places.push((
            reference.clone(),
            evidence_statement(sandbox, &reference).to_string().into_bytes(),
        ));
    }
    for (path, bytes) in sandbox.files("touchmark") {
        if path.starts_with(sandbox.path("touchmark/data/vault")) {
            continue;
        }
        if is_spool_entry(&path) {
            let entry: Value = serde_json::from_slice(&bytes).unwrap();
            let payload =
                base64::engine::general_purpose::STANDARD.decode(entry["payload"].as_str().unwrap());
            places.push(("the payload in the spool".to_owned(), payload.unwrap()));
        }
        places.push((path.display().to_string(), bytes));
    }
    for (name, bytes) in places {
        for secret in secrets {
            assert!(!contains(&bytes, secret.as_bytes()), "{secret} is in {name}");
        }
    }
}

#[test]
fn the_vault_and_the_spool_are_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::with_change();
    sandbox.attest(&["--base", "main"]);
    let files = sandbox.files("touchmark/data/vault");
    assert!(!files.is_empty());
    for (path, _) in files {
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o077,
            0,
            "{}",
            path.display()
        );
    }
}

#[test]
fn ci_is_recognised_and_only_named_variables_are_recorded() {
    let sandbox = Sandbox::with_change();
    let mut command = sandbox.command(["attest", "--base", "main", "--dry-run", "--format", "json"]);
    command.envs([
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_REPOSITORY_ID", "123"),
        ("GITHUB_RUN_ID", "77"),
        ("GITHUB_EVENT_NAME", "workflow_dispatch"),
        ("GITHUB_TRIGGERING_ACTOR", "alice"),
        ("GITHUB_TOKEN", "ghs_shhhhhhhhhhhhhhhhhhh"),
    ]);
    let outcome = crate::common::Outcome::of(command.output().unwrap()).ok();
    let predicate = outcome.json()["statement"]["predicate"].clone();
    assert_eq!(
        predicate["environment"],
        json!({"kind": "ci", "run": "https://github.com/acme/app/actions/runs/77/attempts/1"})
    );
    assert_eq!(
        predicate["trigger"],
        json!({"kind": "human", "principal": "alice"})
    );
    assert_eq!(predicate["change"]["repository"]["id"], "123");
    assert!(!outcome.stdout.contains("ghs_"));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn what_another_key_said_or_what_was_lost_is_said_again() {
    let world = World::attested();
    let by_another = world.attest_as("stranger", &[]);
    assert_eq!(
        by_another["outcome"], "logged",
        "another signer's word is another statement"
    );
    let again = world.attest_as("stranger", &[]);
    assert_eq!(
        (&again["outcome"], &again["payload"]),
        (&"folded".into(), &by_another["payload"])
    );
    world.drop_evidence();
    let after_loss = world.attest_as("stranger", &[]);
    assert_eq!(
        after_loss["outcome"], "logged",
        "evidence that is not there any more proves nothing"
    );
    assert_ne!(after_loss["payload"], by_another["payload"]);
}
