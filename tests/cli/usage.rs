//! Help, versions, configuration, output and exit codes that belong to no single verb.

use std::fs;
use std::process::Stdio;

use crate::common::{Outcome, Sandbox};

fn project_config(sandbox: &Sandbox, content: &str) {
    sandbox.write(".touchmark/config.toml", content);
}

fn user_config(sandbox: &Sandbox, content: &str) {
    let folder = sandbox.path("touchmark/config");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), content).unwrap();
}

#[test]
fn every_help_opens_with_examples_and_ends_with_exit_codes_and_environment() {
    let sandbox = Sandbox::new();
    for verb in [
        "attest", "approve", "reject", "publish", "key", "log", "verify", "find", "show", "status", "config",
    ] {
        let help = sandbox.touchmark([verb, "--help"]).ok().stdout;
        assert!(help.starts_with("Examples:\n  touchmark "), "{verb}: {help}");
        assert!(help.contains("Exit codes:\n    0  allowed"), "{verb}");
        assert!(help.contains("TOUCHMARK_HOME"), "{verb}");
    }
    assert_eq!(sandbox.touchmark(["--version"]).ok().stdout, "touchmark 0.1.0\n");
}

#[test]
fn mistyped_verbs_and_flags_are_usage_errors() {
    let sandbox = Sandbox::new();
    for arguments in [
        vec!["atest"],
        vec!["attest", "--nonsense"],
        vec!["attest", "--session"],
        vec![],
    ] {
        let outcome = sandbox.touchmark(&arguments);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_error_in_json_mode_is_one_document_with_its_schema() {
    let sandbox = Sandbox::new();
    user_config(&sandbox, "onwer = \"x\"\n");
    let outcome = sandbox.touchmark(["status", "--format", "json"]);
    assert_eq!(outcome.code, Some(2));
    let document = outcome.json();
    assert_eq!(document["schema"], "https://touchmark.dev/schemas/error-v1.json");
    assert_eq!(document["version"], 1);
    assert_eq!(document["code"], "config.unknown_key");
    assert_eq!(document["exitCode"], 2);
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_known_one() {
    let sandbox = Sandbox::new();
    user_config(&sandbox, "# mine\nonwer = \"x\"\n");
    let outcome = sandbox.touchmark(["status"]).refused(2, "config.unknown_key");
    assert!(
        outcome
            .stderr
            .contains("config.toml:2: there is no setting \"onwer\""),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("hint: did you mean \"owner\"?"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn case_130_trust_material_offered_by_the_checkout_is_refused() {
    for line in [
        "trusted-roots = [\"evil=root.json\"]",
        "policies = [\"mine.toml\"]",
        "log = \"log\"",
    ] {
        let sandbox = Sandbox::new();
        project_config(&sandbox, &format!("agent = \"a\"\n{line}\n"));
        let outcome = sandbox
            .touchmark(["status"])
            .refused(2, "config.trust_in_project");
        assert!(
            outcome.stderr.contains(".touchmark/config.toml:2: "),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn case_244_a_key_chosen_by_the_repository_is_refused() {
    let sandbox = Sandbox::with_change();
    for line in ["key = \"keys/mine.pem\"", "key = \"env://STOLEN\""] {
        project_config(&sandbox, &format!("{line}\n"));
        sandbox
            .touchmark(["attest"])
            .refused(2, "config.trust_in_project");
    }
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn a_project_may_name_the_agent_and_a_flag_or_variable_wins() {
    let sandbox = Sandbox::new();
    project_config(&sandbox, "agent = \"from-project\"\n");
    let get = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(["config", "list", "--show-origin"]);
        command.envs(variables.iter().copied());
        Outcome::of(command.output().unwrap()).ok().stdout
    };
    assert!(
        get(&[]).contains("agent          from-project    ("),
        "{}",
        get(&[])
    );
    let from_environment = get(&[("TOUCHMARK_AGENT", "from-environment")]);
    assert!(from_environment.contains("agent          from-environment    (environment TOUCHMARK_AGENT)"));
}

#[test]
fn a_project_file_that_is_a_link_or_a_pipe_is_not_read() {
    let sandbox = Sandbox::new();
    sandbox.write("elsewhere.toml", "agent = \"x\"\n");
    sandbox.write(".touchmark/keep", "");
    let file = sandbox.repo().join(".touchmark/config.toml");
    std::os::unix::fs::symlink("../elsewhere.toml", &file).unwrap();
    sandbox.touchmark(["status"]).refused(2, "file.not_regular");
    fs::remove_file(&file).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RUSR).unwrap();
    sandbox.touchmark(["status"]).refused(2, "file.not_regular");
}

#[test]
fn case_131_variables_that_would_switch_trust_are_ignored_and_reported() {
    let sandbox = Sandbox::new();
    for name in [
        "TOUCHMARK_TRUSTED_ROOT",
        "TOUCHMARK_KEY",
        "TOUCHMARK_LOG",
        "SIGSTORE_REKOR_PUBLIC_KEY",
        "SIGSTORE_ROOT_FILE",
    ] {
        let mut command = sandbox.command(["config", "list"]);
        command.env(name, "/tmp/evil");
        let outcome = Outcome::of(command.output().unwrap()).ok();
        assert!(
            outcome.stderr.contains(&format!("{name} is ignored")),
            "{}",
            outcome.stderr
        );
        assert!(!outcome.stdout.contains("evil"), "{}", outcome.stdout);
    }
}

#[test]
fn a_reader_that_leaves_early_is_quiet_and_a_full_disk_is_an_error() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(["completion", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let left = Outcome::of(child.wait_with_output().unwrap());
    assert_eq!((left.code, left.stderr.as_str()), (Some(0), ""));

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = sandbox.command(["version"]);
    command.stdout(full);
    let outcome = Outcome::of(command.output().unwrap());
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("output.unwritable"), "{}", outcome.stderr);
}

#[test]
fn colour_follows_flag_and_environment() {
    let sandbox = Sandbox::new();
    user_config(&sandbox, "nonsense = 1\n");
    let stderr = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut command = sandbox.command(["status"].iter().chain(flags));
        command.envs(variables.iter().copied());
        Outcome::of(command.output().unwrap()).stderr
    };
    assert!(!stderr(&[], &[]).contains('\u{1b}'));
    assert!(stderr(&["--color", "always"], &[]).contains('\u{1b}'));
    assert!(stderr(&[], &[("FORCE_COLOR", "1")]).contains('\u{1b}'));
    assert!(!stderr(&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn ctrl_c_ends_with_130() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(["log", "serve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
}

#[test]
fn secrets_in_the_environment_are_not_shown() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["env"]);
    command.env("TOUCHMARK_PASSWORD", "hunter2-hunter2");
    let outcome = Outcome::of(command.output().unwrap()).ok();
    assert!(!outcome.stdout.contains("hunter2"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("(set, not shown)"));
}

#[test]
fn completions_are_printed_for_every_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            sandbox
                .touchmark(["completion", shell])
                .ok()
                .stdout
                .contains("attest"),
            "{shell}"
        );
    }
}
