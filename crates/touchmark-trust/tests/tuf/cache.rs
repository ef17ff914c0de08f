//! The cache: whose it is, what survives a failure, what a damaged one does.

use touchmark_testkit::tuf::{NOW, Reply, Repository, Server, serving};
use touchmark_trust::tuf::{Staleness, TufRepository};

use crate::{Subject, code};

#[test]
fn the_cache_of_one_address_is_not_read_for_another() {
    let repository = Repository::new();
    let (server, other) = (Server::of(&repository), Server::of(&repository));
    let mut subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    subject.repository = TufRepository::new(&other.url.parse().unwrap(), repository.root()).unwrap();
    assert_eq!(
        code(subject.load_at(NOW, Staleness::Refused)),
        "tuf.cache_missing"
    );
}

#[test]
fn the_cache_of_one_root_is_not_read_for_another() {
    let mut repository = Repository::new();
    let server = Server::of(&repository);
    let mut subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    repository.root_expires += 1;
    repository.publish_root();
    subject.repository = TufRepository::new(&server.url.parse().unwrap(), repository.root()).unwrap();
    assert_eq!(
        code(subject.load_at(NOW, Staleness::Refused)),
        "tuf.cache_missing"
    );
}

#[test]
fn a_slash_at_the_end_of_an_address_does_not_make_it_another() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let with_slash = format!("{}/", server.url).parse().unwrap();
    let one = TufRepository::new(&server.url.parse().unwrap(), repository.root()).unwrap();
    assert_eq!(
        one.identity(),
        TufRepository::new(&with_slash, repository.root())
            .unwrap()
            .identity()
    );
}

#[test]
fn a_moved_or_damaged_cache_file_is_an_error() {
    let repository = Repository::new();
    let (server, other) = (Server::of(&repository), Server::of(&repository));
    let mut subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    let file = subject.cache.file(&subject.repository);
    subject.repository = TufRepository::new(&other.url.parse().unwrap(), repository.root()).unwrap();
    std::fs::copy(&file, subject.cache.file(&subject.repository)).unwrap();
    assert_eq!(
        code(subject.load_at(NOW, Staleness::Refused)),
        "tuf.cache_damaged"
    );
    assert_eq!(code(subject.fetch()), "tuf.cache_damaged");
    subject.repository = TufRepository::new(&server.url.parse().unwrap(), repository.root()).unwrap();
    let whole = std::fs::read(&file).unwrap();
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(
            code(subject.load_at(NOW, Staleness::Refused)),
            "tuf.cache_damaged"
        );
    }
}

#[test]
fn a_cache_that_was_tampered_with_proves_nothing() {
    let repository = Repository::new();
    let mut forged = Repository::new();
    forged.online = touchmark_testkit::tuf::key(66);
    forged
        .targets
        .insert("trusted_root.json".to_owned(), b"{}".to_vec());
    forged.publish();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    let file = subject.cache.file(&subject.repository);
    let mut content: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for (name, path) in [
        ("timestamp.json", "timestamp.json"),
        ("snapshot.json", "1.snapshot.json"),
        ("targets.json", "1.targets.json"),
    ] {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&forged.files[path]);
        content["files"][name] = serde_json::json!(text);
    }
    std::fs::write(&file, content.to_string()).unwrap();
    assert_eq!(code(subject.load_at(NOW, Staleness::Refused)), "tuf.signatures");
    // Online, what proves nothing counts for nothing, and good files take its place.
    assert!(subject.fetch().is_ok());
    assert!(subject.load_at(NOW, Staleness::Refused).is_ok());
}

#[test]
fn a_session_that_fails_half_way_leaves_the_last_whole_set_and_keeps_what_it_saw() {
    let mut repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    let whole = subject.fetch().unwrap();
    let old = repository.clone();
    repository.advance();
    repository.advance();
    let half = serving(&repository);
    server.now_serves(move |path| {
        if path == "3.snapshot.json" {
            Reply::Status(500)
        } else {
            half(path)
        }
    });
    assert_eq!(code(subject.fetch()), "http.status");
    assert_eq!(subject.load_at(NOW, Staleness::Refused).unwrap(), whole);
    // The third timestamp was seen, so that the second is a way back.
    let mut second = old;
    second.advance();
    server.now_serves(serving(&second));
    assert_eq!(code(subject.fetch()), "tuf.rollback");
    server.now_serves(serving(&repository));
    assert_eq!(subject.fetch().unwrap().versions.timestamp, 3);
}

#[test]
fn unchanged_metadata_is_not_fetched_again() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    server.asked.lock().unwrap().clear();
    subject.fetch().unwrap();
    assert_eq!(*server.asked.lock().unwrap(), ["2.root.json", "timestamp.json"]);
}

#[test]
fn nothing_is_left_beside_the_cache_file_and_its_lock() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    subject.fetch().unwrap();
    let mut names: Vec<String> = std::fs::read_dir(subject.folder.path().join("tuf"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let identity = subject.repository.identity();
    assert_eq!(names, [format!("{identity}.json"), format!("{identity}.lock")]);
}
