//! What goes well: every kind of key and content, and the same thing twice.

use touchmark_http::Deadline;
use touchmark_rekor::reader::RekorV1Reader;
use touchmark_rekor::{ApiVersion, EnvelopeKind, Publisher as _, RekorV1, TileReader};
use touchmark_testkit::sigstore::keys::Scheme;
use touchmark_tlog::entry::rekor_v1::EntryUuid;
use touchmark_tlog::merkle::leaf_hash;
use touchmark_tlog::prove::Prover;

use super::support::{client, code, message, publish, served, submission, url};

#[test]
fn rekor_v2_takes_envelopes_and_messages_of_both_curves() {
    let served = served();
    for submission in [
        submission(Scheme::P256, 1),
        submission(Scheme::P384, 1),
        message(1),
    ] {
        let entry = publish(&served, ApiVersion::V2, &submission).expect("logged");
        assert_eq!(
            (entry.kind.kind.as_str(), entry.kind.version.as_str()),
            ("hashedrekord", "0.0.2")
        );
    }
    assert_eq!(
        code(publish(&served, ApiVersion::V2, &submission(Scheme::Ed25519, 1))),
        "key.ed25519_not_loggable"
    );
}

#[test]
fn rekor_v1_takes_envelopes_of_every_key_and_messages_of_those_that_sign_digests() {
    let served = served();
    for scheme in [Scheme::P256, Scheme::P384, Scheme::Ed25519] {
        let entry = publish(&served, ApiVersion::V1, &submission(scheme, 1)).expect("logged");
        assert_eq!(
            (entry.kind.kind.as_str(), entry.kind.version.as_str()),
            ("dsse", "0.0.1")
        );
        assert!(entry.inclusion_promise.is_some());
    }
    let entry = publish(&served, ApiVersion::V1, &message(1)).expect("logged");
    assert_eq!(entry.kind.kind, "hashedrekord");
    let logs = served.instance().trusted_root().logs().to_vec();
    let digests = RekorV1::new(client(), &url(&served, ApiVersion::V1), logs)
        .with_envelopes_as(EnvelopeKind::HashedRekord);
    let deadline = Deadline::after(std::time::Duration::from_secs(20));
    let entry = digests
        .publish(&submission(Scheme::P384, 2), deadline)
        .expect("logged");
    assert_eq!(entry.kind.kind, "hashedrekord");
    let refused = digests.publish(&submission(Scheme::Ed25519, 2), deadline);
    assert_eq!(code(refused), "key.ed25519_not_loggable");
}

#[test]
fn the_same_submission_again_is_the_same_entry() {
    let served = served();
    for version in [ApiVersion::V1, ApiVersion::V2] {
        // Enough entries for a proof of several hashes, in the middle of others.
        let first = publish(&served, version, &submission(Scheme::P256, 0)).expect("logged");
        for number in 1..9 {
            publish(&served, version, &submission(Scheme::P256, number)).expect("logged");
        }
        let again = publish(&served, version, &submission(Scheme::P256, 0)).expect("found again");
        assert_eq!((again.log_index, again.log_id), (first.log_index, first.log_id));
        assert_eq!(again.canonicalized_body, first.canonicalized_body);
    }
}

#[test]
fn tiles_and_entries_are_read_and_prove_what_they_hold() {
    let served = served();
    let mut last = None;
    for number in 0..5 {
        last = Some(publish(&served, ApiVersion::V2, &submission(Scheme::P256, number)).expect("logged"));
    }
    let entry = last.expect("five were logged");
    let reader = TileReader::rekor_v2(client(), &url(&served, ApiVersion::V2));
    let note = reader.checkpoint().expect("a checkpoint");
    let log = served
        .instance()
        .trusted_root()
        .log(&entry.log_id)
        .expect("known")
        .clone();
    let checkpoint = touchmark_tlog::checkpoint::verify_note(&note, &log.origin, &log.key).expect("signed");
    assert_eq!(checkpoint.size(), entry.log_index + 1);
    assert_eq!(
        reader.entry(entry.log_index, checkpoint.size()).expect("there"),
        entry.canonicalized_body
    );
    assert_eq!(
        Prover::new(&reader, checkpoint.size()).root().expect("tiles"),
        *checkpoint.root()
    );
    let beyond = reader
        .entry(checkpoint.size(), checkpoint.size())
        .expect_err("beyond the end");
    assert_eq!(beyond.code(), "rekor.index_range");
    let missing = reader.bundle(77, 256).expect_err("no such bundle");
    assert_eq!(missing.code(), "rekor.not_found");

    let entry = publish(&served, ApiVersion::V1, &submission(Scheme::P256, 9)).expect("logged");
    let reader = RekorV1Reader::new(client(), &url(&served, ApiVersion::V1));
    let uuid = EntryUuid {
        tree_id: None,
        leaf: leaf_hash(&entry.canonicalized_body),
    };
    assert_eq!(
        reader.entry(&uuid).expect("there").entry.canonicalized_body,
        entry.canonicalized_body
    );
    assert_eq!(
        reader
            .entry_at(entry.log_index)
            .expect("there")
            .entry
            .canonicalized_body,
        entry.canonicalized_body
    );
    let size = reader.log_info().expect("a log").active.tree_size;
    assert_eq!(size, 4);
}
