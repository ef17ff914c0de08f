//! One thing wrong at a time.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::{Value, json};

use touchmark_testkit::tuf::{Reply, Repository, Server, key, log, serving, signed, trusted_root};

use crate::{Subject, code};

/// Fetches from the good repository, then from what `breaking` made of it.
fn after(breaking: impl FnOnce(&mut Repository)) -> &'static str {
    let mut repository = Repository::new();
    repository.delegated = Some(3);
    repository.advance();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.files["1.root.json"].clone());
    subject.fetch().unwrap();
    breaking(&mut repository);
    server.now_serves(serving(&repository));
    code(subject.fetch())
}

#[test]
fn case_124_a_root_that_skips_a_version_is_refused() {
    let skipped = after(|repository| {
        repository.root_version = 3;
        repository.publish_root();
        let third = repository.files.remove("3.root.json").unwrap();
        repository.files.insert("2.root.json".to_owned(), third);
    });
    assert_eq!(skipped, "tuf.root_version");
}

#[test]
fn case_124_a_root_that_goes_back_is_refused() {
    let back = after(|repository| {
        let first = repository.files["1.root.json"].clone();
        repository.files.insert("2.root.json".to_owned(), first);
    });
    assert_eq!(back, "tuf.root_version");
}

#[test]
fn case_124_a_root_signed_only_by_its_new_keys_or_only_by_the_old_is_refused() {
    let new_keys = || vec![key(3), key(4)];
    let only_new = after(|repository| {
        repository.root_version = 2;
        repository.root_keys = new_keys();
        repository.publish_root();
    });
    assert_eq!(only_new, "tuf.signatures");
    let only_old = after(|repository| {
        repository.root_version = 2;
        let old = std::mem::replace(&mut repository.root_keys, new_keys());
        repository.publish_root_signed_by(&old);
    });
    assert_eq!(only_old, "tuf.signatures");
}

#[test]
fn case_125_older_timestamps_snapshots_and_delegated_roles_are_refused() {
    let timestamp = after(|repository| {
        repository.timestamp_version -= 1;
        repository.publish();
    });
    assert_eq!(timestamp, "tuf.rollback");
    let snapshot = after(|repository| {
        repository.timestamp_version += 1;
        repository.snapshot_version -= 1;
        repository.publish();
    });
    assert_eq!(snapshot, "tuf.rollback");
    let targets = after(|repository| {
        repository.timestamp_version += 1;
        repository.snapshot_version += 1;
        repository.targets_version -= 1;
        repository.publish();
    });
    assert_eq!(targets, "tuf.rollback");
    let delegated = after(|repository| {
        repository.timestamp_version += 1;
        repository.snapshot_version += 1;
        repository.delegated = Some(2);
        repository.publish();
    });
    assert_eq!(delegated, "tuf.rollback");
    let dropped = after(|repository| {
        repository.delegated = None;
        repository.advance();
    });
    assert_eq!(dropped, "tuf.integrity");
}

#[test]
fn case_127_targets_named_like_a_way_out_are_refused() {
    for path in [
        "../evil.json",
        "/etc/passwd",
        "C:\\evil",
        "a/../../b",
        "NUL",
        "com1.json",
        "a\\..\\b",
    ] {
        let found = after(|repository| {
            repository.targets.insert(path.to_owned(), b"evil".to_vec());
            repository.advance();
        });
        assert_eq!(found, "tuf.target_path", "{path}");
    }
}

#[test]
fn case_127_a_digest_that_leads_elsewhere_is_refused_before_anything_is_asked() {
    let mut repository = Repository::new();
    let mut targets = repository.targets_signed();
    targets["targets"]["trusted_root.json"]["hashes"]["sha256"] = json!("../../secret/x");
    repository.publish_targets(&targets);
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    assert_eq!(code(subject.fetch()), "tuf.target_path");
    assert!(
        server
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|path| !path.contains("secret"))
    );
}

#[test]
fn case_129_a_root_chain_without_end_ends_at_the_limit() {
    let repository = Repository::new();
    let endless = repository.clone();
    let server = Server::new(move |path| {
        let Some(version) = path.strip_suffix(".root.json").and_then(|text| text.parse().ok()) else {
            return Reply::Status(404);
        };
        let mut next = endless.clone();
        next.root_version = version;
        next.publish_root();
        Reply::File(next.root())
    });
    let subject = Subject::new(&server, repository.root());
    assert_eq!(code(subject.fetch()), "tuf.root_chain");
    let asked = server.asked.lock().unwrap().len();
    assert_eq!(
        asked,
        usize::try_from(touchmark_trust::limits::MAX_ROOT_ROTATIONS).unwrap()
    );
}

#[test]
fn case_129_files_of_a_gigabyte_end_at_the_limit() {
    const GIGABYTE: u64 = 1 << 30;
    for name in [
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
        "2.root.json",
    ] {
        for announced in [true, false] {
            let repository = Repository::new();
            let good = serving(&repository);
            let server = Server::new(move |path| {
                if path == name {
                    Reply::Endless {
                        announced,
                        bytes: GIGABYTE,
                    }
                } else {
                    good(path)
                }
            });
            assert_eq!(
                code(Subject::new(&server, repository.root()).fetch()),
                "http.too_large",
                "{name}"
            );
            let sent = server.sent.load(Ordering::Relaxed);
            assert!(sent < GIGABYTE / 32, "{name}: {sent} bytes were taken");
        }
    }
}

#[test]
fn case_129_a_target_said_to_be_a_gigabyte_is_not_asked_for() {
    let mut repository = Repository::new();
    let mut targets = repository.targets_signed();
    targets["targets"]["trusted_root.json"]["length"] = json!(1_u64 << 30);
    repository.publish_targets(&targets);
    let server = Server::of(&repository);
    assert_eq!(
        code(Subject::new(&server, repository.root()).fetch()),
        "tuf.too_large"
    );
    assert!(
        server
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|path| !path.starts_with("targets/"))
    );
}

#[test]
fn case_129_a_byte_a_minute_ends_by_the_stall_limit() {
    for name in ["2.root.json", "timestamp.json", "1.targets.json"] {
        let repository = Repository::new();
        let good = serving(&repository);
        let server = Server::new(move |path| if path == name { Reply::Drip } else { good(path) });
        let began = Instant::now();
        assert_eq!(
            code(Subject::new(&server, repository.root()).fetch()),
            "network.stalled",
            "{name}"
        );
        assert!(began.elapsed().as_secs() < 15, "{name}");
    }
}

#[test]
fn a_threshold_met_by_one_key_under_two_names_is_refused() {
    let repository = Repository::new();
    let twice = |root: &mut Value| {
        let (id, same) = {
            let keys = root["keys"].as_object().unwrap();
            let (id, same) = keys.iter().next().unwrap();
            (id.clone(), same.clone())
        };
        root["keys"]["other-name"] = same;
        root["roles"]["timestamp"] = json!({"keyids": [id, "other-name"], "threshold": 2});
    };
    let mut next = repository.clone();
    next.root_version = 2;
    let mut root = next.root_signed();
    twice(&mut root);
    next.files
        .insert("2.root.json".to_owned(), signed(&root, &next.root_keys));
    let server = Server::of(&next);
    assert_eq!(
        code(Subject::new(&server, repository.root()).fetch()),
        "tuf.key_twice"
    );
}

#[test]
fn content_other_than_what_was_signed_for_is_refused() {
    let target = after(|repository| {
        repository.targets.insert(
            "trusted_root.json".to_owned(),
            b"{\"mediaType\":\"another\"}".to_vec(),
        );
        repository.advance();
        let path = repository
            .files
            .keys()
            .rfind(|path| path.ends_with(".trusted_root.json"))
            .unwrap()
            .clone();
        for (name, file) in &mut repository.files {
            if name.ends_with(".trusted_root.json") {
                *file = vec![b' '; file.len()];
            }
        }
        assert!(path.starts_with("targets/"));
    });
    assert_eq!(target, "tuf.integrity");
    let unsigned = after(|repository| {
        repository.online = key(8);
        repository.advance();
    });
    assert_eq!(unsigned, "tuf.signatures");
    let twice = after(|repository| {
        let text = String::from_utf8(repository.files["timestamp.json"].clone()).unwrap();
        let text = text.replacen("\"version\":", "\"version\":1,\"version\":", 1);
        repository
            .files
            .insert("timestamp.json".to_owned(), text.into_bytes());
    });
    assert_eq!(twice, "tuf.json");
}

fn with_trusted_root(root: &Value) -> Result<touchmark_trust::tuf::Fetched, touchmark_trust::tuf::TufError> {
    let mut repository = Repository::new();
    repository
        .targets
        .insert("trusted_root.json".to_owned(), root.to_string().into_bytes());
    repository.advance();
    let server = Server::of(&repository);
    Subject::new(&server, repository.root()).fetch()
}

#[test]
fn case_120_a_fetched_root_with_one_log_id_twice_is_refused() {
    let mut root = trusted_root();
    root["tlogs"] = json!([log(&key(77)), log(&key(77))]);
    assert_eq!(code(with_trusted_root(&root)), "trust.duplicate_log_id");
}

#[test]
fn case_121_an_unknown_key_type_in_a_fetched_root_spoils_nothing_else() {
    let mut root = trusted_root();
    let mut unknown = log(&key(78));
    unknown["publicKey"]["keyDetails"] = json!("ML_DSA_65");
    root["tlogs"] = json!([unknown, log(&key(77))]);
    let fetched = with_trusted_root(&root).unwrap();
    let parsed = touchmark_verify::trust::TrustedRoot::parse(&fetched.trusted_root).unwrap();
    assert_eq!((parsed.logs().len(), parsed.unusable().len()), (1, 1));
}

#[test]
fn case_122_a_fetched_root_without_anything_in_it_is_refused() {
    let mut root = trusted_root();
    root["tlogs"] = json!([]);
    assert_eq!(code(with_trusted_root(&root)), "tuf.empty");
}
