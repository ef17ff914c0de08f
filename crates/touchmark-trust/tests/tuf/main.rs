//! The trust client against repositories minted here and served by a scripted server on this machine.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod attacks;
mod cache;
mod times;

use std::sync::Arc;
use std::time::Duration;

use touchmark_http::{Client, Deadline, Options};
use touchmark_testkit::tuf::{NOW, Reply, Repository, Server, at, serving};
use touchmark_trust::tuf::{self, Cache, Fetched, HttpTransport, Staleness, TufError, TufRepository};

/// A client's side: what it pinned, and its cache.
struct Subject {
    repository: TufRepository,
    cache: Cache,
    folder: tempfile::TempDir,
}

impl Subject {
    fn new(server: &Server, root: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            repository: TufRepository::new(&server.url.parse().unwrap(), root).unwrap(),
            cache: Cache::at(folder.path().join("tuf")),
            folder,
        }
    }

    fn fetch(&self) -> Result<Fetched, TufError> {
        self.fetch_at(NOW)
    }

    fn fetch_at(&self, seconds: i64) -> Result<Fetched, TufError> {
        let options = Options {
            stall_timeout: Duration::from_millis(400),
            ..Options::default()
        };
        let transport = HttpTransport::new(
            Client::new(options).unwrap(),
            Deadline::after(Duration::from_secs(20)),
        );
        tuf::fetch(&self.repository, Arc::new(transport), &self.cache, at(seconds))
    }

    fn load_at(&self, seconds: i64, staleness: Staleness) -> Result<Fetched, TufError> {
        tuf::load(&self.repository, &self.cache, at(seconds), staleness)
    }
}

fn code<T>(result: Result<T, TufError>) -> &'static str {
    result.err().unwrap().code()
}

#[test]
fn fetches_what_the_repository_vouches_for() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    let fetched = subject.fetch().unwrap();
    assert_eq!(fetched.trusted_root, repository.targets["trusted_root.json"]);
    assert_eq!(
        fetched.signing_config.as_ref(),
        repository.targets.get("signing_config.v0.2.json")
    );
    assert_eq!((fetched.versions.root, fetched.versions.timestamp), (1, 1));
    assert_eq!(fetched.versions.expires, at(repository.expires));
    assert_eq!(subject.load_at(NOW, Staleness::Refused).unwrap(), fetched);
}

#[test]
fn follows_new_roots_and_new_content() {
    let mut repository = Repository::new();
    let first = repository.root();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, first);
    subject.fetch().unwrap();
    // Both old keys and both new ones sign, then only the new ones are asked.
    repository.root_version = 2;
    let old = std::mem::replace(
        &mut repository.root_keys,
        vec![touchmark_testkit::tuf::key(3), touchmark_testkit::tuf::key(4)],
    );
    let signers = [old, repository.root_keys.clone()].concat();
    repository.publish_root_signed_by(&signers);
    repository.targets.remove("signing_config.v0.2.json");
    repository.advance();
    server.now_serves(serving(&repository));
    let fetched = subject.fetch().unwrap();
    assert_eq!((fetched.versions.root, fetched.versions.targets), (2, 2));
    assert_eq!(fetched.signing_config, None);
    assert_eq!(subject.load_at(NOW, Staleness::Refused).unwrap(), fetched);
}

#[test]
fn a_repository_that_cannot_be_reached_says_so() {
    let repository = Repository::new();
    let server = Server::new(|_| Reply::Status(503));
    let subject = Subject::new(&server, repository.root());
    assert_eq!(code(subject.fetch()), "http.status");
    server.now_serves(|_| Reply::Status(404));
    assert_eq!(code(subject.fetch()), "tuf.missing");
    assert_eq!(code(subject.load_at(NOW, Staleness::Refused)), "tuf.missing");
}

#[test]
fn a_root_that_does_not_sign_itself_is_no_beginning() {
    let mut repository = Repository::new();
    repository.publish_root_signed_by(&[touchmark_testkit::tuf::key(1)]);
    let url = "https://tuf.example".parse().unwrap();
    assert_eq!(
        code(TufRepository::new(&url, repository.root())),
        "tuf.signatures"
    );
    assert_eq!(code(TufRepository::new(&url, b"{}".to_vec())), "tuf.malformed");
    assert_eq!(code(TufRepository::new(&url, b"{} ".repeat(2))), "tuf.json");
}
