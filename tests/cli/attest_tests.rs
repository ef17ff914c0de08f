//! `touchmark attest tests`: what is attested, what is refused, and what a policy makes of it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::world::{RULE, set_aside_codes};
use crate::common::{AT, Outcome, Sandbox, World};

const PASSED: &str = "<testsuite name='s' tests='2' failures='0'><testcase classname='c' name='a'/>\
    <testcase classname='c' name='b'><skipped/></testcase></testsuite>";
const FAILED: &str = "<testsuite name='s' tests='1' failures='1'><testcase classname='c' name='a'><failure/></testcase></testsuite>";

/// Two commits, and a report beside the repository.
fn sandbox(report: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::with_change();
    let file = sandbox.path("report.xml");
    fs::write(&file, report).unwrap();
    (sandbox, file.to_string_lossy().into_owned())
}

#[track_caller]
fn tests(sandbox: &Sandbox, flags: &[&str]) -> Outcome {
    sandbox.touchmark(["attest", "tests"].iter().chain(flags))
}

#[track_caller]
fn statement(sandbox: &Sandbox, flags: &[&str]) -> Value {
    let all = ["attest", "tests", "--dry-run", "--format", "json"]
        .iter()
        .chain(flags);
    valid(sandbox.touchmark(all).json()["statement"].clone())
}

/// A statement whose predicate fits the schema of what is written.
#[track_caller]
fn valid(statement: Value) -> Value {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/test-result/v0.1.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&statement["predicate"])
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{statement:#}");
    statement
}

fn run_of(statement: &Value) -> &Value {
    &statement["predicate"]["configuration"][0]["annotations"]
}

#[test]
fn a_report_is_bound_to_commit_and_tree() {
    let (sandbox, report) = sandbox(PASSED);
    let statement = statement(&sandbox, &["--junit", &report, "--url", "https://ci.example/7"]);
    assert_eq!(
        statement["predicateType"],
        "https://in-toto.io/attestation/test-result/v0.1"
    );
    let head = sandbox.git(["rev-parse", "HEAD"]);
    let tree = sandbox.git(["rev-parse", "HEAD^{tree}"]);
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], head);
    assert_eq!(statement["subject"][1]["digest"]["gitTree"], tree);
    assert_eq!(statement["subject"].as_array().unwrap().len(), 2);
    let predicate = &statement["predicate"];
    assert_eq!(predicate["result"], "PASSED");
    assert_eq!(predicate["url"], "https://ci.example/7");
    assert_eq!(predicate["passedTests"], json!(["c::a"]));
    assert_eq!(predicate["warnedTests"], json!([]));
    assert_eq!(predicate["failedTests"], json!([]));
    assert_eq!(
        run_of(&statement)["counts"],
        json!({"passed": 1, "flaky": 0, "skipped": 1, "failed": 0, "errors": 0})
    );
    assert_eq!(run_of(&statement).get("runBy"), None);
    let listed = &predicate["configuration"][1];
    assert_eq!(listed["name"], "report.xml");
    assert_eq!(listed["digest"]["sha256"], sha256(PASSED.as_bytes()));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn several_reports_make_one_result_and_the_worst_counts() {
    let (sandbox, passed) = sandbox(PASSED);
    let failed = sandbox.path("failed.xml");
    fs::write(&failed, FAILED).unwrap();
    let statement = statement(&sandbox, &["--junit", &passed, &failed.to_string_lossy()]);
    assert_eq!(statement["predicate"]["result"], "FAILED");
    assert_eq!(statement["predicate"]["failedTests"], json!(["c::a"]));
    assert_eq!(
        statement["predicate"]["configuration"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn a_report_that_is_no_proof_is_refused() {
    for (report, status, code) in [
        ("", 11, "junit.malformed"),
        ("<testsuite", 11, "junit.malformed"),
        ("<html/>", 11, "junit.not_junit"),
        ("<!DOCTYPE t [<!ENTITY a 'b'>]><testsuite/>", 11, "junit.doctype"),
        ("<testsuite name='&a;'/>", 11, "junit.entity"),
        (
            "<?xml version='1.0' encoding='utf-16'?><testsuite/>",
            11,
            "junit.encoding",
        ),
        (
            "<testsuite><testcase><testcase/></testcase></testsuite>",
            11,
            "junit.structure",
        ),
        (
            "<testsuite tests='5'><testcase/><testcase/><testcase/></testsuite>",
            11,
            "junit.totals",
        ),
        ("<testsuite/>", 11, "tests.empty"),
        (
            "<testsuite><testcase><skipped/></testcase></testsuite>",
            11,
            "tests.none_ran",
        ),
    ] {
        let (sandbox, file) = sandbox(report);
        tests(&sandbox, &["--junit", &file]).refused(status, code);
        assert_eq!(sandbox.evidence_refs(), [""; 0], "{code}");
    }
    let (sandbox, _) = sandbox(PASSED);
    tests(&sandbox, &[]).refused(2, "tests.nothing_named");
    tests(&sandbox, &["--junit", "absent.xml"]).refused(2, "file.missing");
}

#[test]
fn a_report_older_than_the_commit_or_not_written_by_the_command_is_refused() {
    let (sandbox, report) = sandbox(PASSED);
    let touched = Command::new("touch")
        .args(["-d", "2026-03-01T11:29:59Z", &report])
        .status()
        .unwrap();
    assert!(touched.success());
    tests(&sandbox, &["--junit", &report]).refused(2, "tests.report_older");
    fs::write(&report, PASSED).unwrap();
    tests(&sandbox, &["--dry-run", "--junit", &report]).ok();
    tests(&sandbox, &["--junit", &report, "--", "true"]).refused(2, "tests.report_older");
    let line = format!("printf '%s' \"$R\" > {report}");
    let mut command = sandbox.command([
        "attest",
        "tests",
        "--dry-run",
        "--junit",
        &report,
        "--",
        "sh",
        "-c",
        &line,
    ]);
    Outcome::of(command.env("R", PASSED).output().unwrap()).ok();
}

#[test]
fn a_work_tree_that_is_not_head_is_refused_or_is_a_tree_alone() {
    let (sandbox, report) = sandbox(PASSED);
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 3 }\n");
    tests(&sandbox, &["--junit", &report]).refused(2, "attest.dirty");
    tests(&sandbox, &["--", "true"]).refused(2, "attest.dirty");
    let statement = statement(&sandbox, &["--uncommitted", "--junit", &report]);
    assert_eq!(statement["subject"].as_array().unwrap().len(), 1);
    assert_eq!(statement["subject"][0]["name"], "tree");
    assert_ne!(
        statement["subject"][0]["digest"]["gitTree"],
        sandbox.git(["rev-parse", "HEAD^{tree}"])
    );
    sandbox.git(["checkout", "--", "."]);
    sandbox.write("new.txt", "new\n");
    tests(&sandbox, &["--junit", &report]).refused(2, "attest.dirty");
    sandbox.write(".gitignore", "new.txt\nreports/\n");
    sandbox.commit("ignore");
    fs::write(&report, PASSED).unwrap();
    tests(&sandbox, &["--dry-run", "--junit", &report]).ok();
}

#[test]
fn a_report_may_lie_in_the_work_tree() {
    let (sandbox, _) = sandbox(PASSED);
    sandbox.write("report.xml", PASSED);
    tests(&sandbox, &["--dry-run", "--junit", "report.xml"]).ok();
}

#[test]
fn a_command_is_watched_and_its_words_and_output_are_kept_out() {
    let (sandbox, _) = sandbox(PASSED);
    let line = "echo secret-word-on-out; echo secret-word-on-err >&2; exit 0";
    let outcome = tests(&sandbox, &["--format", "json", "--", "sh", "-c", line]).ok();
    assert!(!outcome.stdout.contains("secret-word"));
    assert!(outcome.stderr.contains("secret-word-on-out") && outcome.stderr.contains("secret-word-on-err"));
    let reference = outcome.json()["refs"][1].as_str().unwrap().to_owned();
    let (_, bundle) = sandbox.evidence(&reference).remove(0);
    let statement = valid(payload(&bundle));
    assert_eq!(statement["predicate"]["result"], "PASSED");
    assert_eq!(statement["predicate"].get("passedTests"), None);
    let run = run_of(&statement);
    assert_eq!(run["command"]["exitCode"], 0);
    assert!(run["command"]["durationMs"].is_u64());
    assert_eq!(run["command"]["commitment"].as_str().unwrap().len(), 64);
    assert_ne!(run["command"]["commitment"], sha256(line.as_bytes()));
    assert!(!statement.to_string().contains("secret-word"));
}

fn payload(bundle: &[u8]) -> Value {
    use base64::Engine as _;
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap()
}

#[test]
fn we_end_as_the_command_ended_and_attest_that() {
    let (sandbox, _) = sandbox(PASSED);
    for (line, status) in [("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 0)] {
        let outcome = tests(&sandbox, &["--format", "json", "--", "sh", "-c", line]);
        assert_eq!(outcome.code, Some(status), "{line}: {}", outcome.stderr);
        assert_eq!(outcome.json()["outcome"], "logged", "{line}");
        let reference = outcome.json()["refs"][1].as_str().unwrap().to_owned();
        let name = format!("{}.sigstore.json", outcome.json()["evidence"].as_str().unwrap());
        let files = sandbox.evidence(&reference);
        let (_, bundle) = files.iter().find(|(found, _)| *found == name).unwrap();
        let statement = valid(payload(bundle));
        let expected = if status == 0 { "PASSED" } else { "FAILED" };
        assert_eq!(statement["predicate"]["result"], expected, "{line}");
    }
    tests(&sandbox, &["--", "no-such-program-here"]).refused(2, "attest.command_not_run");
}

#[test]
fn what_moves_while_the_command_runs_is_refused() {
    let (sandbox, _) = sandbox(PASSED);
    let commit = "git -c user.name=x -c user.email=x@example.invalid commit -q --allow-empty -m more";
    tests(&sandbox, &["--", "sh", "-c", commit]).refused(1, "attest.head_moved");
    let change = "echo more >> src/lib.rs";
    tests(&sandbox, &["--", "sh", "-c", change]).refused(1, "attest.tree_changed");
    sandbox.git(["checkout", "--", "."]);
    let outcome = tests(&sandbox, &["--", "sh", "-c", "echo more > new.txt"]).ok();
    assert!(
        outcome.stderr.contains("1 new files lie in the work tree"),
        "{}",
        outcome.stderr
    );
    // A refusal of ours does not hide that the command failed.
    fs::remove_file(sandbox.repo().join("new.txt")).unwrap();
    let outcome = tests(&sandbox, &["--", "sh", "-c", "echo more >> src/lib.rs; exit 3"]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("error[attest.tree_changed]"));
}

#[test]
fn it_says_who_ran_the_tests() {
    let (sandbox, report) = sandbox(PASSED);
    let said = |variables: &[(&str, &str)], flags: &[&str]| {
        let all = [
            "attest",
            "tests",
            "--dry-run",
            "--format",
            "json",
            "--junit",
            &report,
        ];
        let mut command = sandbox.command(all.iter().chain(flags));
        command.envs(variables.iter().copied());
        let document = Outcome::of(command.output().unwrap()).ok().json();
        let statement = valid(document["statement"].clone());
        let run = run_of(&statement);
        (
            run["runBy"].clone(),
            run["source"].clone(),
            run["agentMarks"].clone(),
        )
    };
    let ci = [("GITHUB_ACTIONS", "true")];
    let agent = [("CLAUDECODE", "1"), ("GITHUB_ACTIONS", "true")];
    assert_eq!(said(&[], &[]), (Value::Null, Value::Null, Value::Null));
    assert_eq!(said(&ci, &[]), (json!("ci"), json!("environment"), Value::Null));
    assert_eq!(
        said(&agent, &[]),
        (json!("agent"), json!("environment"), json!(["CLAUDECODE"]))
    );
    assert_eq!(
        said(&agent, &["--run-by", "verifier"]),
        (json!("verifier"), json!("selfReported"), json!(["CLAUDECODE"]))
    );
    assert_eq!(
        said(&[], &["--run-by", "verifier"]),
        (json!("verifier"), json!("selfReported"), Value::Null)
    );
}

/// A world whose policy requires tests, attested and approved.
fn world() -> World {
    let world = World::under(|policy| {
        policy.replace(
            "require = [\"accounted\"]",
            "require = [\"accounted\", \"tests\"]",
        )
    });
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    world
}

/// Attests tests on HEAD with this key.
#[track_caller]
fn tested(world: &World, key: &str, variables: &[(&str, &str)], flags: &[&str]) -> i32 {
    let key = world.key(key);
    let all = ["attest", "tests", "--key", &key, "--at", AT];
    let mut command = world.command(all.iter().chain(flags));
    command.envs(variables.iter().copied());
    Outcome::of(command.output().unwrap()).code.unwrap()
}

#[test]
fn a_policy_that_requires_tests_takes_those_of_a_service_that_may() {
    let world = world();
    world.judged(&[], 10, &["tests.missing"]);
    assert_eq!(tested(&world, "ci", &[], &["--", "true"]), 0);
    let verdict = world.judged(&[], 0, &[]);
    let relied_on = verdict["statements"].as_array().unwrap().iter().any(|statement| {
        statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
            && statement["status"] == "reliedOn"
            && statement["principal"] == "ci"
    });
    assert!(relied_on, "{verdict:#}");
    let root = world.file("root.json");
    let statements = verdict["statements"].as_array().unwrap().iter();
    let payload = statements
        .filter(|statement| statement["principal"] == "ci")
        .map(|statement| &statement["payload"]);
    let payload = payload.collect::<Vec<_>>()[0].as_str().unwrap();
    let shown = world
        .touchmark(["show", payload, "--trusted-root", &root])
        .ok()
        .stdout;
    assert!(shown.contains("PASSED") && shown.contains("exit code"), "{shown}");
}

#[test]
fn an_agents_own_tests_do_not_count_whoever_signs_them() {
    let world = world();
    assert_eq!(tested(&world, "agent", &[], &["--", "true"]), 0);
    let verdict = world.judged(&[], 11, &["identity.role", "tests.missing"]);
    assert_eq!(set_aside_codes(&verdict), ["identity.role"]);
    let world = self::world();
    assert_eq!(tested(&world, "stranger", &[], &["--", "true"]), 0);
    let verdict = world.judged(&[], 11, &["signer.not_expected", "tests.missing"]);
    assert_eq!(set_aside_codes(&verdict), ["signer.not_expected"]);
    let world = self::world();
    assert_eq!(
        tested(
            &world,
            "ci",
            &[("CODEX_SANDBOX", "seatbelt")],
            &["--run-by", "verifier", "--", "true"]
        ),
        0
    );
    world.judged(&[], 10, &["tests.missing", "tests.run_by_agent"]);
    assert_eq!(
        tested(&world, "ci", &[], &["--run-by", "verifier", "--", "true"]),
        0
    );
    world.judged(&[], 0, &["tests.run_by_agent"]);
}

#[test]
fn failed_tests_deny_and_tests_of_another_tree_do_not_count() {
    let world = world();
    assert_eq!(tested(&world, "ci", &[], &["--", "false"]), 1);
    world.judged(&[], 12, &["tests.failed"]);
    let other = self::world();
    other.git(["switch", "--quiet", "main"]);
    assert_eq!(tested(&other, "ci", &[], &["--", "true"]), 0);
    other.git(["switch", "--quiet", "agent/greeting"]);
    other.judged(&[], 10, &["tests.missing"]);
}

#[test]
fn without_a_requirement_the_result_is_shown() {
    let world = World::attested();
    let report = world.file("report.xml");
    fs::write(&report, FAILED).unwrap();
    assert_eq!(tested(&world, "ci", &[], &["--junit", &report]), 0);
    world.judged(&[], 14, &[RULE, "tests.failed"]);
}
