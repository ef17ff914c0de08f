//! Expiry: the moment is the caller's.

use touchmark_testkit::tuf::{DAY, NOW, Repository, Server};
use touchmark_trust::tuf::Staleness;

use crate::{Subject, code};

#[test]
fn case_126_expired_metadata_is_an_error_online_and_without_an_age_policy_offline() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    subject.fetch().unwrap();
    let late = NOW + 8 * DAY;
    assert_eq!(code(subject.fetch_at(late)), "tuf.expired");
    assert_eq!(code(subject.load_at(late, Staleness::Refused)), "tuf.expired");
    let two_days = Staleness::AcceptedFor { seconds: 2 * 86_400 };
    assert!(subject.load_at(late, two_days).is_ok());
    assert_eq!(code(subject.load_at(late + 2 * DAY, two_days)), "tuf.expired");
}

#[test]
fn case_126_an_expired_root_is_an_error_though_everything_below_it_is_fresh() {
    let mut repository = Repository::new();
    repository.root_expires = NOW - DAY;
    repository.publish_root();
    let server = Server::of(&repository);
    assert_eq!(
        code(Subject::new(&server, repository.root()).fetch()),
        "tuf.expired"
    );
}

#[test]
fn case_119_the_last_second_of_metadata_belongs_to_it_and_the_next_does_not() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    assert!(subject.fetch_at(repository.expires).is_ok());
    assert!(subject.load_at(repository.expires, Staleness::Refused).is_ok());
    assert_eq!(code(subject.fetch_at(repository.expires + 1)), "tuf.expired");
    assert_eq!(
        code(subject.load_at(repository.expires + 1, Staleness::Refused)),
        "tuf.expired"
    );
}

#[test]
fn case_117_a_clock_one_year_ahead_is_an_error_and_one_year_behind_changes_nothing() {
    let repository = Repository::new();
    let server = Server::of(&repository);
    let subject = Subject::new(&server, repository.root());
    assert_eq!(code(subject.fetch_at(NOW + 365 * DAY)), "tuf.expired");
    let behind = subject.fetch_at(NOW - 365 * DAY).unwrap();
    assert_eq!(behind, subject.fetch().unwrap());
}
