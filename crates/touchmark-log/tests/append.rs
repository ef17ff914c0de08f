//! Appending to a log and reading it back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{TestKey, assert_clean, new_log, verify_entry};
use p384::ecdsa::signature::hazmat::PrehashSigner as _;
use sha2::Digest as _;
use touchmark_log::{AddError, Log};
use touchmark_tlog::entry::{CreateEntryRequest, EntryVerifier, KeyDetails, VerifierMaterial};
use touchmark_tlog::merkle::verify_consistency;
use touchmark_tlog::tile::TilePath;
use touchmark_verify::trust::TrustedRoot;

#[test]
fn entries_are_answered_with_a_proof_that_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    for index in 0..300_u64 {
        let request = key.request(&format!("message {index}"));
        let entry = log.add(&request).unwrap();
        assert_eq!(entry.log_index, index);
        verify_entry(&log, &entry, &request);
    }
    for index in [0, 1, 255, 256, 299] {
        verify_entry(
            &log,
            &log.get(index).unwrap(),
            &key.request(&format!("message {index}")),
        );
    }
    assert_eq!(log.get(300).unwrap_err().code(), "log.no_entry");
    assert_eq!(log.get(u64::MAX).unwrap_err().code(), "log.no_entry");
    assert_clean(&log, 300);
}

#[test]
fn an_answer_is_strict_json_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let entry = log.add(&key.request("message")).unwrap();
    assert_eq!(
        touchmark_tlog::entry::LogEntry::parse(&entry.encode()).unwrap(),
        entry
    );
}

#[test]
fn case_237_the_same_submission_again_makes_no_second_entry() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let request = key.request("once");
    for other in 0..3 {
        log.add(&key.request(&format!("other {other}"))).unwrap();
    }
    let first = log.add(&request).unwrap();
    log.add(&key.request("another")).unwrap();
    // In this process, in a new one, and after the entry has left the newest tile.
    assert!(matches!(log.add(&request), Err(AddError::Duplicate { index: 3 })));
    let reopened = Log::open(log.dir()).unwrap();
    assert!(matches!(
        reopened.add(&request),
        Err(AddError::Duplicate { index: 3 })
    ));
    let fresh = reopened.get(3).unwrap();
    verify_entry(&log, &fresh, &request);
    assert_eq!(fresh.canonicalized_body, first.canonicalized_body);
    assert_clean(&log, 5);
}

#[test]
fn earlier_checkpoints_stay_provable() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let mut checkpoints = vec![log.checkpoint().unwrap()];
    for index in 0..270 {
        log.add(&key.request(&format!("message {index}"))).unwrap();
        checkpoints.push(log.checkpoint().unwrap());
    }
    for old in &checkpoints {
        let (proof, new) = log.consistency(old.size()).unwrap();
        verify_consistency(old.size(), new.size(), &proof, old.root(), new.root()).unwrap();
    }
    // Tiles of earlier sizes are still given, from the beginning of wider ones.
    for path in [
        "tile/0/000.p/7",
        "tile/entries/000.p/200",
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/0/001.p/3",
    ] {
        let path = TilePath::parse(path).unwrap();
        assert!(log.tile(&path).unwrap().is_some(), "{path}");
    }
    for path in [
        "tile/0/001.p/15",
        "tile/0/001",
        "tile/2/000.p/1",
        "tile/entries/002.p/1",
    ] {
        assert_eq!(log.tile(&TilePath::parse(path).unwrap()).unwrap(), None, "{path}");
    }
    // And unfinished tiles do not pile up on disk.
    assert!(!log.dir().join("tile/0/000.p").exists() && !log.dir().join("tile/entries/000.p").exists());
    assert!(fs::read_dir(log.dir().join("tile/0/001.p")).unwrap().count() <= 2);
}

#[test]
fn each_defect_of_a_request_has_its_code() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let good = key.request("message");
    let refused = |change: &dyn Fn(&mut CreateEntryRequest)| {
        let mut request = good.clone();
        change(&mut request);
        log.add(&request).unwrap_err().code()
    };
    let spki = |der: Vec<u8>| VerifierMaterial::PublicKey(der);
    assert_eq!(refused(&|request| request.digest[0] ^= 1), "signature.invalid");
    assert_eq!(
        refused(&|request| request.digest.truncate(31)),
        "tlog.entry_digest"
    );
    assert_eq!(
        refused(&|request| request.signature.push(0)),
        "signature.malformed"
    );
    assert_eq!(
        refused(&|request| request.verifier.material = spki(TestKey::new(2).spki())),
        "signature.invalid"
    );
    assert_eq!(
        refused(&|request| request.verifier.material = spki(vec![0x30, 0])),
        "key.spki_malformed"
    );
    assert_eq!(
        refused(&|request| request.verifier.material = VerifierMaterial::Certificate(vec![0x30, 0])),
        "log.certificate"
    );
    assert_eq!(
        refused(&|request| request.verifier.key_details = KeyDetails::EcdsaP384Sha384),
        "tlog.entry_digest"
    );
    assert_eq!(
        refused(&|request| request.verifier.key_details = KeyDetails::Ed25519),
        "log.ed25519_unsupported"
    );
    assert_eq!(
        refused(&|request| request.verifier.key_details = KeyDetails::Ed25519Ph),
        "log.ed25519_unsupported"
    );
    assert_eq!(
        refused(&|request| request.verifier.key_details = KeyDetails::RsaPkcs1v15Bits2048Sha256),
        "log.key_unsupported"
    );
    let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[3; 32]).verifying_key();
    let der = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ],
        &ed25519.as_bytes()[..],
    ]
    .concat();
    assert_eq!(
        refused(&|request| request.verifier.material = spki(der.clone())),
        "log.ed25519_unsupported"
    );
    assert_eq!(log.checkpoint().unwrap().size(), 0);
    log.add(&good).unwrap();
}

#[test]
fn case_40_a_p384_key_goes_with_sha384_only() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let key = p384::ecdsa::SigningKey::from_slice(&[5; 48]).unwrap();
    let spki = p384::pkcs8::EncodePublicKey::to_public_key_der(key.verifying_key())
        .unwrap()
        .into_vec();
    let request = |key_details, digest: &[u8]| {
        let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
        CreateEntryRequest {
            digest: digest.to_vec(),
            signature: signature.to_der().as_bytes().to_vec(),
            verifier: EntryVerifier {
                key_details,
                material: VerifierMaterial::PublicKey(spki.clone()),
            },
        }
    };
    let sha384 = sha2::Sha384::digest("message");
    let sha256 = sha2::Sha256::digest("message");
    let good = request(KeyDetails::EcdsaP384Sha384, &sha384);
    verify_entry(&log, &log.add(&good).unwrap(), &good);
    let error = log
        .add(&request(KeyDetails::EcdsaP256Sha256, &sha256))
        .unwrap_err();
    assert_eq!(error.code(), "log.key_details_mismatch");
    let error = log
        .add(&request(KeyDetails::EcdsaP384Sha384, &sha256))
        .unwrap_err();
    assert_eq!(error.code(), "tlog.entry_digest");
}

#[test]
fn a_certificate_is_accepted_for_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    // A certificate as far as the log looks into it: an unsigned frame around the key.
    let sequence = [0x30, 0x02, 0x05, 0x00];
    let short = |content: &[u8]| [&[0x30, content.len() as u8], content].concat();
    let tbs = [
        &[0x02, 1, 1],
        &sequence[..],
        &sequence,
        &sequence,
        &sequence,
        &key.spki(),
    ]
    .concat();
    let certificate = short(&[&short(&tbs)[..], &sequence, &[0x03, 1, 0]].concat());
    assert!(certificate.len() < 0x80, "short lengths");
    let mut request = key.request("message");
    request.verifier.material = VerifierMaterial::Certificate(certificate);
    verify_entry(&log, &log.add(&request).unwrap(), &request);
    request.digest[0] ^= 1;
    assert_eq!(log.add(&request).unwrap_err().code(), "signature.invalid");
}

#[test]
fn an_entry_that_no_bundle_can_hold_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let long =
        |tag: u8, content: &[u8]| [&[tag, 0x82], &(content.len() as u16).to_be_bytes()[..], content].concat();
    let sequence = [0x30, 0x02, 0x05, 0x00];
    let extensions = long(0xa3, &[0; 60_000]);
    let tbs = [
        &[0x02, 1, 1],
        &sequence[..],
        &sequence,
        &sequence,
        &sequence,
        &key.spki(),
        &extensions,
    ]
    .concat();
    let certificate = long(0x30, &[&long(0x30, &tbs)[..], &sequence, &[0x03, 1, 0]].concat());
    let mut request = key.request("message");
    request.verifier.material = VerifierMaterial::Certificate(certificate);
    assert_eq!(log.add(&request).unwrap_err().code(), "log.entry_too_large");
}

#[test]
fn origins_name_their_key() {
    let dir = tempfile::tempdir().unwrap();
    let one = Log::create(&dir.path().join("one"), "same.name").unwrap();
    let two = Log::create(&dir.path().join("two"), "same.name").unwrap();
    assert_ne!(one.origin(), two.origin());
    let digest = one.origin().strip_suffix(".same.name").unwrap();
    assert!(digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    for name in [
        "",
        "two words",
        "plus+sign",
        "new\nline",
        "\u{e9}",
        &"x".repeat(201),
    ] {
        assert_eq!(
            Log::create(&dir.path().join("bad"), name).unwrap_err().code(),
            "log.name"
        );
    }
}

#[test]
fn creating_and_opening_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    assert_eq!(Log::open(&path).unwrap_err().code(), "log.missing");
    let created = Log::create(&path, "name").unwrap();
    assert_eq!(Log::create(&path, "name").unwrap_err().code(), "log.exists");
    assert_eq!(
        Log::open_or_create(&path, "other").unwrap().origin(),
        created.origin()
    );
    let fresh = Log::open_or_create(&dir.path().join("a/b/c"), "name").unwrap();
    assert_eq!(fresh.checkpoint().unwrap().size(), 0);
}

#[test]
fn the_trusted_root_is_read_by_the_verifier() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let root = TrustedRoot::parse(log.trusted_root_json().as_bytes()).unwrap();
    assert_eq!(root.logs(), [log.trusted_log()]);
    assert_eq!(root.logs()[0].log_id, log.verifier_key().log_id());
}

#[test]
fn case_241_a_key_file_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let key = log.dir().join(".private/key.pem");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(log.dir().join(".private"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(Log::open(log.dir()).unwrap_err().code(), "log.key_mode");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    Log::open(log.dir()).unwrap();
    let moved = dir.path().join("elsewhere.pem");
    fs::rename(&key, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &key).unwrap();
    assert_eq!(Log::open(log.dir()).unwrap_err().code(), "log.storage");
}

#[test]
fn another_logs_key_or_checkpoint_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let one = Log::create(&dir.path().join("one"), "name").unwrap();
    let two = Log::create(&dir.path().join("two"), "name").unwrap();
    fs::copy(two.dir().join("checkpoint"), one.dir().join("checkpoint")).unwrap();
    assert_eq!(Log::open(one.dir()).unwrap_err().code(), "log.checkpoint");
    fs::copy(
        two.dir().join(".private/key.pem"),
        one.dir().join(".private/key.pem"),
    )
    .unwrap();
    assert_eq!(Log::open(one.dir()).unwrap_err().code(), "log.key");
}

#[test]
fn a_creation_that_was_cut_short_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    fs::remove_file(log.dir().join("checkpoint")).unwrap();
    let log = Log::open(log.dir()).unwrap();
    log.add(&TestKey::new(1).request("message")).unwrap();
    // But a log that had entries never starts again from nothing.
    fs::remove_file(log.dir().join("checkpoint")).unwrap();
    assert_eq!(Log::open(log.dir()).unwrap_err().code(), "log.checkpoint_missing");
}

#[test]
fn case_101_a_directory_that_went_back_is_not_appended_to() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    log.add(&key.request("one")).unwrap();
    let earlier = fs::read(log.dir().join("checkpoint")).unwrap();
    log.add(&key.request("two")).unwrap();
    fs::write(log.dir().join("checkpoint"), earlier).unwrap();
    assert_eq!(
        log.add(&key.request("three")).unwrap_err().code(),
        "log.rolled_back"
    );
}

#[test]
fn an_entry_after_the_checkpoint_is_no_entry() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    log.add(&key.request("one")).unwrap();
    // What a writer leaves that died before its checkpoint.
    fs::copy(log.dir().join("tile/0/000.p/1"), log.dir().join("tile/0/000.p/2")).unwrap();
    fs::write(log.dir().join("tile/entries/000.p/2"), b"unfinished").unwrap();
    fs::write(log.dir().join(".private/tmp/0"), b"unfinished").unwrap();
    let log = Log::open(log.dir()).unwrap();
    assert_eq!(
        log.tile(&TilePath::parse("tile/0/000.p/2").unwrap()).unwrap(),
        None
    );
    let request = key.request("two");
    verify_entry(&log, &log.add(&request).unwrap(), &request);
    assert_clean(&log, 2);
}

#[test]
fn debug_output_has_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let pem = fs::read_to_string(Path::new(log.dir()).join(".private/key.pem")).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    assert!(!format!("{log:?}").contains(&secret[24..40]));
}
