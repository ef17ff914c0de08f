//! `touchmark trust fetch`: material is fetched into the user's own folder, and used by name.

use std::fs;

use touchmark_testkit::tuf::{DAY, NOW, Repository, Server, at, serving};

use crate::common::schema::assert_valid;
use crate::common::{Outcome, Sandbox};

fn now() -> String {
    at(NOW).to_string()
}

/// A sandbox beside a served repository whose root was pinned in a file.
fn pinned(repository: &Repository) -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::of(repository));
    fs::write(sandbox.path("root.json"), repository.root()).unwrap();
    (sandbox, server)
}

fn fetch(sandbox: &Sandbox, server: &Server, more: &[&str]) -> Outcome {
    let (root, now) = (sandbox.path("root.json"), now());
    let given = [
        "trust",
        "fetch",
        "acme",
        "--mirror",
        &server.url,
        "--root",
        root.to_str().unwrap(),
        "--at",
        &now,
    ];
    sandbox.touchmark(given.iter().copied().chain(more.iter().copied()))
}

#[test]
fn fetched_roots_lie_in_the_user_s_own_folder_and_are_used_by_name() {
    let repository = Repository::new();
    let (sandbox, server) = pinned(&repository);
    let document = fetch(&sandbox, &server, &["--format", "json"]).ok().json();
    assert_valid(&document);
    assert_eq!(document["name"], "acme");
    assert_eq!(document["targetsVersion"], 1);
    let file = document["trustedRoot"]["file"].as_str().unwrap();
    assert!(
        file.ends_with("touchmark/config/trust/acme.trusted_root.json"),
        "{file}"
    );
    assert_eq!(fs::read(file).unwrap(), repository.targets["trusted_root.json"]);
    assert!(
        sandbox
            .path("touchmark/config/trust/acme.signing_config.json")
            .exists()
    );
    let shown = sandbox
        .touchmark(["trust", "show", "acme", "--format", "json"])
        .ok()
        .json();
    assert_eq!(shown["roots"][0]["digest"], document["trustedRoot"]["digest"]);
    let used = sandbox.touchmark(["trust", "show", "acme"]).ok();
    assert!(
        used.stdout.contains("log log.example PKIX_ED25519"),
        "{}",
        used.stdout
    );
    assert!(!sandbox.path("repo/.touchmark").exists());
}

#[test]
fn an_instance_is_fetched_again_by_name_and_without_a_network() {
    let mut repository = Repository::new();
    let (sandbox, server) = pinned(&repository);
    fetch(&sandbox, &server, &[]).ok();
    repository.advance();
    server.now_serves(serving(&repository));
    let again = sandbox
        .touchmark(["trust", "fetch", "acme", "--format", "json", "--at", &now()])
        .ok()
        .json();
    assert_eq!(again["timestampVersion"], 2);
    server.asked.lock().unwrap().clear();
    let offline = ["trust", "fetch", "acme", "--offline", "--format", "json"];
    let document = sandbox
        .touchmark(offline.into_iter().chain(["--at", &now()]))
        .ok()
        .json();
    assert_eq!(
        (document["offline"].clone(), document["timestampVersion"].clone()),
        (true.into(), 2.into())
    );
    assert!(server.asked.lock().unwrap().is_empty());
}

#[test]
fn case_126_expired_metadata_ends_with_an_error_unless_an_age_is_accepted_offline() {
    let repository = Repository::new();
    let (sandbox, server) = pinned(&repository);
    fetch(&sandbox, &server, &[]).ok();
    let late = at(NOW + 9 * DAY).to_string();
    sandbox
        .touchmark(["trust", "fetch", "acme", "--at", &late])
        .refused(1, "tuf.expired");
    let offline = ["trust", "fetch", "acme", "--offline", "--at", &late];
    sandbox.touchmark(offline).refused(1, "tuf.expired");
    let accepted = sandbox
        .touchmark(offline.into_iter().chain(["--stale-for", "3d"]))
        .ok();
    assert!(accepted.stderr.contains("warning"), "{}", accepted.stderr);
    sandbox
        .touchmark(offline.into_iter().chain(["--stale-for", "1d"]))
        .refused(1, "tuf.expired");
}

#[test]
fn case_125_a_repository_that_goes_back_is_inconsistent_and_what_was_fetched_stays() {
    let mut repository = Repository::new();
    let (sandbox, server) = pinned(&repository);
    let old = repository.clone();
    repository.advance();
    server.now_serves(serving(&repository));
    fetch(&sandbox, &server, &[]).ok();
    let kept = fs::read(sandbox.path("touchmark/config/trust/acme.trusted_root.json")).unwrap();
    server.now_serves(serving(&old));
    fetch(&sandbox, &server, &[]).refused(13, "tuf.rollback");
    assert_eq!(
        fs::read(sandbox.path("touchmark/config/trust/acme.trusted_root.json")).unwrap(),
        kept
    );
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let repository = Repository::new();
    let (sandbox, server) = pinned(&repository);
    let nowhere = ["trust", "fetch", "acme", "--at", &now()];
    sandbox.touchmark(nowhere).refused(2, "trust.unknown_instance");
    sandbox
        .touchmark(nowhere.into_iter().chain(["--mirror", &server.url]))
        .refused(2, "trust.root_missing");
    let built_in = [
        "trust",
        "fetch",
        "--mirror",
        &server.url,
        "--root",
        "root.json",
        "-C",
        "..",
    ];
    sandbox.touchmark(built_in).refused(2, "trust.name_built_in");
    sandbox
        .touchmark(["trust", "fetch", "--offline", "--at", &now()])
        .refused(1, "tuf.cache_missing");
    let other = Repository::new();
    let other = Repository {
        root_keys: vec![touchmark_testkit::tuf::key(50), touchmark_testkit::tuf::key(51)],
        online: touchmark_testkit::tuf::key(52),
        ..other
    };
    let mut other = other;
    other.publish_root();
    fs::write(sandbox.path("root.json"), other.root()).unwrap();
    fetch(&sandbox, &server, &[]).refused(11, "tuf.signatures");
    assert!(!sandbox.path("touchmark/config/trust").exists());
    for name in ["local", "sigstore", "../x", "A", ""] {
        assert_eq!(
            sandbox.touchmark(["trust", "fetch", name]).code,
            Some(2),
            "{name}"
        );
    }
}

#[test]
fn case_130_a_file_of_the_checkout_with_an_instance_s_name_is_not_read() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("repo/sigstore-public-good"), "{}").unwrap();
    let shown = sandbox.touchmark(["trust", "show", "sigstore-public-good"]).ok();
    assert!(
        shown
            .stdout
            .contains("certificate authority https://fulcio.sigstore.dev"),
        "{}",
        shown.stdout
    );
}
