//! Every JSON document that a verb prints fits the schema it names, and every schema that the sources name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::schema::{assert_valid, file_of, folder, read};
use crate::common::{AT, Outcome, World};

/// Runs a verb with `--format json`, validates what it printed and returns the schema's name.
#[track_caller]
fn document(world: &World, arguments: &[&str]) -> (String, Value) {
    let outcome = world.touchmark(arguments.iter().copied().chain(["--format", "json"]));
    assert!(
        !outcome.stdout.is_empty(),
        "{arguments:?} printed nothing: {}",
        outcome.stderr
    );
    let document = outcome.json();
    assert_valid(&document);
    (
        document["schema"].as_str().expect("a schema").to_owned(),
        document,
    )
}

/// Gives the user an escrow key and a store; returns the private key's file.
fn escrowed(world: &World) -> String {
    let key = world.file("escrow.pem");
    world
        .touchmark(["vault", "key", "generate", "--plain", "--output", &key])
        .ok();
    fs::create_dir(world.path("store")).unwrap();
    fs::create_dir_all(world.path("touchmark/config")).unwrap();
    let (public, store) = (world.file("escrow.pub"), world.file("store"));
    let settings = format!("[vault]\nescrow-keys = [\"{public}\"]\nstore = \"{store}\"\n");
    fs::write(world.path("touchmark/config/config.toml"), settings).unwrap();
    key
}

#[test]
fn every_verb_prints_what_its_schema_says() {
    let world = World::unattested();
    let (root, session) = (world.file("root.json"), world.file("session.jsonl"));
    let (agent, alice) = (world.key("agent"), world.key("alice"));
    let attest = [
        "attest",
        "--base",
        "main",
        "--session",
        &session,
        "--agent",
        "greeter-agent",
        "--key",
        &agent,
        "--at",
        AT,
    ];
    let mut printed = BTreeSet::new();
    let mut run = |arguments: &[&str]| {
        let (schema, value) = document(&world, arguments);
        printed.insert(schema);
        value
    };
    run(&["hook", "install", "codex", "--project", "--dry-run"]);
    let dry: Vec<&str> = attest.iter().copied().chain(["--dry-run"]).collect();
    run(&dry);
    let payload = run(&attest)["payload"].as_str().unwrap().to_owned();
    assert_eq!(run(&attest)["outcome"], "folded");
    for verb in ["reject", "approve"] {
        let review = [
            verb,
            "HEAD",
            "--target",
            "refs/heads/main",
            "--key",
            &alice,
            "--trusted-root",
            &root,
            "--at",
            AT,
        ];
        let preview: Vec<&str> = review.iter().copied().chain(["--dry-run"]).collect();
        run(&preview);
        run(&review);
    }
    run(&["verify", "main..HEAD", "--trusted-root", &root]);
    let bundle = world.export(&payload, "bundle.json");
    run(&[
        "verify",
        "--bundle",
        &bundle,
        "--key",
        &world.public_key("agent"),
        "--trusted-root",
        &root,
    ]);
    let proof = world
        .touchmark(["log", "proof", "export", "--bundle", &bundle])
        .ok()
        .stdout;
    fs::write(world.path("change.tlog-proof"), proof).unwrap();
    let proof = world.file("change.tlog-proof");
    run(&["log", "proof", "verify", &proof, "--trusted-root", &root]);
    run(&["inspect", &bundle]);
    run(&["find", "--trusted-root", &root]);
    run(&["find", "--path", "absent", "--trusted-root", &root]);
    run(&["show", &payload, "--trusted-root", &root]);
    let disclosure = world.file("disclosure.jsonl");
    run(&["disclose", "--prompt", "0", "--output", &disclosure]);
    let public = world.public_key("agent");
    run(&[
        "verify",
        "--disclosure",
        &disclosure,
        "--key",
        &public,
        "--trusted-root",
        &root,
    ]);
    let escrow = escrowed(&world);
    run(&[
        "vault",
        "key",
        "generate",
        "--plain",
        "--output",
        &world.file("another.pem"),
    ]);
    run(&["vault", "ship", "--all"]);
    run(&["vault", "list"]);
    let record = world.files("store").remove(0).0.to_string_lossy().into_owned();
    run(&["vault", "open", &record, "--escrow-key", &escrow]);
    run(&["vault", "search", "--text-file", &disclosure]);
    run(&["explain", "--list"]);
    run(&["explain", "tlog.proof"]);
    run(&["explain", "accounted.residual"]);
    run(&["policy", "check", ".touchmark/policy.toml"]);
    run(&["key", "generate", "--plain", "new"]);
    run(&["key", "public", "--key", &agent]);
    run(&["key", "list"]);
    run(&["log", "create", "--log", &world.file("new-log")]);
    run(&["log", "check"]);
    let log = world.file("touchmark/data/log");
    let policy = [
        "monitor",
        "--once",
        "--policy",
        ".touchmark/policy.toml",
        "--trusted-root",
        &root,
    ];
    run(&[&policy[..], &["--log", &log, "--repository", "."]].concat());
    let repository = touchmark_testkit::tuf::Repository::new();
    let server = touchmark_testkit::tuf::Server::of(&repository);
    fs::write(world.path("tuf.json"), repository.root()).unwrap();
    let (tuf, now) = (
        world.file("tuf.json"),
        touchmark_testkit::tuf::at(touchmark_testkit::tuf::NOW),
    );
    run(&[
        "trust",
        "fetch",
        "acme",
        "--mirror",
        &server.url,
        "--root",
        &tuf,
        "--at",
        &now.to_string(),
    ]);
    run(&["trust", "show"]);
    let service = "url=https://log.acme.example,api-version=2,operator=acme,start-time=2026-01-01T00:00:00Z";
    let config = world.file("config.json");
    world
        .touchmark([
            "trust",
            "create",
            "signing-config",
            "--rekor",
            service,
            "--output",
            &config,
        ])
        .ok();
    run(&["trust", "show", &config]);
    run(&["status"]);
    run(&["publish", "--dry-run"]);
    run(&["publish"]);
    run(&["config", "list", "--show-origin"]);
    run(&["config", "list"]);
    run(&["env"]);
    run(&["version"]);
    run(&["show", "nonsense"]);
    run(&["verify", "HEAD"]);
    run(&["verify", "--bundle", "absent", "--key", "sha256:00"]);

    let ids = |name: &String| format!("https://touchmark.dev/schemas/{name}-v1.json");
    let mut expected: BTreeSet<String> = named_in_sources().iter().map(ids).collect();
    // The demonstration takes long and has a test of its own.
    expected.remove(&ids(&"demo".to_owned()));
    expected.insert(ids(&"verdict".to_owned()));
    assert_eq!(printed, expected);
}

#[test]
fn what_waits_in_the_spool_fits_the_schema_too() {
    let world = World::unattested();
    fs::rename(world.path("touchmark/data/log"), world.path("away")).unwrap();
    fs::write(world.path("touchmark/data/log"), "not a log").unwrap();
    let (session, agent) = (world.file("session.jsonl"), world.key("agent"));
    let attest = [
        "attest",
        "--base",
        "main",
        "--session",
        &session,
        "--key",
        &agent,
        "--format",
        "json",
    ];
    let outcome = world.touchmark(attest);
    assert_ne!(outcome.code, Some(0));
    for text in outcome.stdout.split_inclusive("\n}\n") {
        assert_valid(&serde_json::from_str(text).unwrap());
    }
    document(&world, &["status"]);
    document(&world, &["publish"]);
    fs::remove_file(world.path("touchmark/data/log")).unwrap();
    fs::rename(world.path("away"), world.path("touchmark/data/log")).unwrap();
    let (_, published) = document(&world, &["publish"]);
    assert_eq!(published["finished"].as_array().unwrap().len(), 1, "{published}");
    document(&world, &["status"]);
}

#[test]
fn remote_and_unverified_evidence_fits_the_schema_too() {
    let world = World::approved();
    let remote = world.file("remote.git");
    world.git(["init", "--quiet", "--bare", &remote]);
    world.git(["remote", "set-url", "origin", &format!("file://{remote}")]);
    let (_, pushed) = document(&world, &["publish", "--push", "origin"]);
    assert_eq!(pushed["pushedRefs"], 2);
    let (_, fetched) = document(&world, &["publish", "--fetch", "origin"]);
    assert!(fetched["fetchedRefs"].is_u64(), "{fetched}");
    let mut command = world.command(["find", "--format", "json"]);
    command.env("TOUCHMARK_HOME", world.path("elsewhere"));
    let found = Outcome::of(command.output().unwrap()).json();
    assert_valid(&found);
    assert_eq!(found["unverified"].as_array().unwrap().len(), 2);
}

#[test]
fn every_schema_that_the_sources_name_is_published_and_strict() {
    for name in named_in_sources() {
        let id = format!("https://touchmark.dev/schemas/{name}-v1.json");
        let schema = read(&id);
        assert_eq!(schema["additionalProperties"], false, "{name}");
        assert_eq!(schema["properties"]["schema"]["const"], id.as_str());
        let title = schema["title"].as_str().unwrap_or_default();
        assert!(
            !title.is_empty() && schema["description"].is_string(),
            "{name} has no words"
        );
    }
}

#[test]
fn every_published_schema_of_an_output_is_printed_by_somebody() {
    let named = named_in_sources();
    for entry in fs::read_dir(folder().join("output")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(named.contains(&name), "nothing prints {name}");
        assert!(file_of(&format!("https://touchmark.dev/schemas/{name}-v1.json")).exists());
    }
}

/// The names in `Schema::new("NAME", 1)` in the program's sources, but for its unit tests.
fn named_in_sources() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut open = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                names.extend(names_in(&path));
            }
        }
    }
    assert!(names.len() > 10, "the sources were not found");
    names
}

fn names_in(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let calls = code
        .split("Schema::new(")
        .chain(code.split("Self::new(\"error").skip(1).map(|_| "\"error\", 1)"));
    let mut names = Vec::new();
    for call in calls.skip(1) {
        let Some((name, rest)) = call
            .trim_start()
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'))
        else {
            continue;
        };
        assert!(
            rest.trim_start().starts_with(", 1)"),
            "{name} in {} has another version",
            path.display()
        );
        names.push(name.to_owned());
    }
    names
}
