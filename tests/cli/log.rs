//! `touchmark log`: the embedded log by hand.

use std::fs;

use serde_json::Value;

use crate::common::Sandbox;

#[test]
fn a_log_is_made_once_and_read_back() {
    let sandbox = Sandbox::with_change();
    let folder = sandbox.path("log");
    let folder = folder.to_str().unwrap();
    let made = sandbox
        .touchmark([
            "log",
            "create",
            "--log",
            folder,
            "--name",
            "agents.acme.example",
            "--format",
            "json",
        ])
        .ok()
        .json();
    assert!(
        made["origin"].as_str().unwrap().ends_with(".agents.acme.example"),
        "{made}"
    );
    assert_eq!(made["size"], 0);
    sandbox
        .touchmark(["log", "create", "--log", folder])
        .refused(1, "log.exists");
    sandbox.touchmark(["log", "check", "--log", folder]).ok();
    sandbox
        .touchmark(["log", "get", "0", "--log", folder])
        .refused(1, "log.no_entry");
    sandbox
        .touchmark(["log", "check", "--log", "nowhere"])
        .refused(1, "log.missing");
}

#[test]
fn an_entry_and_the_trusted_root_are_what_a_bundle_needs() {
    let sandbox = Sandbox::with_change();
    sandbox.attest(&["--base", "main"]);
    let entry: Value = serde_json::from_str(&sandbox.touchmark(["log", "get", "0"]).ok().stdout).unwrap();
    let root: Value = serde_json::from_str(&sandbox.touchmark(["log", "root"]).ok().stdout).unwrap();
    assert_eq!(entry["logId"]["keyId"], root["tlogs"][0]["logId"]["keyId"]);
    assert_eq!(entry["kindVersion"]["kind"], "hashedrekord");
}

#[test]
fn a_damaged_log_is_inconsistent() {
    let sandbox = Sandbox::with_change();
    sandbox.attest(&["--base", "main"]);
    let bundle = sandbox
        .files("touchmark/data/log")
        .into_iter()
        .find(|(path, _)| path.to_string_lossy().contains("entries"));
    let (path, mut bytes) = bundle.expect("an entry bundle");
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&path, permissions).unwrap();
    fs::write(&path, bytes).unwrap();
    let outcome = sandbox.touchmark(["log", "check", "--format", "json"]);
    assert_eq!(outcome.code, Some(13), "{}", outcome.stderr);
    assert!(!outcome.json()["problems"].as_array().unwrap().is_empty());
}

#[test]
fn a_configured_log_is_used_and_made_on_first_use() {
    let sandbox = Sandbox::with_change();
    fs::create_dir_all(sandbox.path("touchmark/config")).unwrap();
    fs::write(
        sandbox.path("touchmark/config/config.toml"),
        "log = \"../elsewhere\"\n",
    )
    .unwrap();
    sandbox.attest(&["--base", "main"]);
    assert!(sandbox.path("touchmark/elsewhere").exists());
    assert!(!sandbox.path("touchmark/data/log").exists());
}
