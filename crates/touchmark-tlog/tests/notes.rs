//! Signed notes, their keys, and checkpoints: good ones, and each single defect of them.

use std::path::Path;

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use touchmark_tlog::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint, verify_note};
use touchmark_tlog::merkle::leaf_hash;
use touchmark_tlog::note::{MAX_NOTE_BYTES, Note, NoteError, SignatureLine, VerifierKey};

const ORIGIN: &str = "log.test/0123456789abcdef";

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn verifier(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::ed25519(name, signing_key(seed).verifying_key().as_bytes()).expect("a good key")
}

fn line(name: &str, seed: u8, text: &str) -> SignatureLine {
    SignatureLine::new(
        &verifier(name, seed),
        signing_key(seed).sign(text.as_bytes()).to_bytes().to_vec(),
    )
}

fn text() -> String {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 7,
        root: leaf_hash(b"root"),
        extensions: Vec::new(),
    }
    .encode()
}

/// A note with this text, signed by the log alone.
fn signed(text: &str) -> String {
    Note::new(text.to_owned(), vec![line(ORIGIN, 1, text)])
        .expect("text")
        .encode()
}

fn verify(note: &str) -> Result<VerifiedCheckpoint, CheckpointError> {
    verify_note(note.as_bytes(), ORIGIN, &verifier(ORIGIN, 1))
}

fn code(note: &str) -> &'static str {
    verify(note).expect_err("broken").code()
}

#[test]
fn a_good_checkpoint_verifies() {
    let verified = verify(&signed(&text())).expect("good");
    assert_eq!((verified.size(), *verified.root()), (7, leaf_hash(b"root")));
    assert_eq!(verified.note().encode(), signed(&text()));
}

#[test]
fn case_86_a_checkpoint_without_one_of_its_parts_is_refused() {
    let good = text();
    let without = |at: usize| {
        let kept: Vec<&str> = good
            .lines()
            .enumerate()
            .filter(|(line, _)| *line != at)
            .map(|(_, line)| line)
            .collect();
        signed(&format!("{}\n", kept.join("\n")))
    };
    assert_eq!(code(&without(0)), "tlog.checkpoint_size");
    assert_eq!(code(&without(1)), "tlog.checkpoint_size");
    assert_eq!(code(&without(2)), "tlog.checkpoint_line");
    assert_eq!(code(&signed("\n7\nroot\n")), "tlog.checkpoint_line");
    assert_eq!(code(&signed("only\n")), "tlog.checkpoint_line");
    assert_eq!(code(&good), "tlog.note_structure");
    assert_eq!(code(&format!("{good}\n")), "tlog.note_structure");
    assert_eq!(code(""), "tlog.note_structure");
}

#[test]
fn case_87_a_key_with_the_same_hint_is_not_the_same_key() {
    let text = text();
    // Another key's signature under the name and hint of ours.
    let forged = signing_key(2).sign(text.as_bytes()).to_bytes().to_vec();
    let line = SignatureLine::new(&verifier(ORIGIN, 1), forged);
    let note = Note::new(text.clone(), vec![line]).expect("text").encode();
    assert_eq!(code(&note), "tlog.note_signature");
    // The hint of a P-256 key does not cover its name: one key, two logs.
    let spki = p256_spki();
    let (ours, other) = (p256(ORIGIN, &spki), p256("other.log", &spki));
    assert_eq!(ours.hint(), other.hint());
    let line = SignatureLine::new(&other, vec![1; 70]);
    let note = Note::new(text, vec![line]).expect("text").encode();
    assert_eq!(
        verify_note(note.as_bytes(), ORIGIN, &ours)
            .expect_err("unsigned")
            .code(),
        "tlog.note_unsigned"
    );
}

#[test]
fn keys_with_one_hint_are_all_tried() {
    // Two keys of one name whose hints agree can only be built here by giving the same key twice.
    let (one, twin) = (verifier(ORIGIN, 1), verifier(ORIGIN, 1));
    let note = Note::parse(signed(&text()).as_bytes()).expect("a note");
    assert_eq!(note.verify(&[&twin, &one]).expect("signed"), [&one]);
    assert_eq!(note.verify(&[]).expect_err("no key").code(), "tlog.note_unsigned");
}

#[test]
fn case_89_sizes_and_roots_have_one_spelling() {
    let root = leaf_hash(b"root").to_base64();
    for size in [
        "007",
        "+7",
        "7 ",
        " 7",
        "-7",
        "7.0",
        "7e0",
        "0x7",
        "",
        "\u{0667}",
        "18446744073709551615",
        "9223372036854775808",
    ] {
        assert_eq!(
            code(&signed(&format!("{ORIGIN}\n{size}\n{root}\n"))),
            "tlog.checkpoint_size",
            "{size:?}"
        );
    }
    for (root, why) in [
        ("AAAA", "3 bytes"),
        (&root[..43], "no padding"),
        (&format!("{root}AAAA"), "more than 32 bytes"),
        (&root.replace('=', " "), "space"),
        ("", "empty"),
    ] {
        assert_eq!(
            code(&signed(&format!("{ORIGIN}\n7\n{root}\n"))),
            "tlog.checkpoint_root",
            "{why}"
        );
    }
    let largest = signed(&format!("{ORIGIN}\n9223372036854775807\n{root}\n"));
    assert_eq!(verify(&largest).expect("good").size(), i64::MAX as u64);
}

#[test]
fn case_90_one_invalid_line_of_a_known_key_spoils_the_note() {
    let (text, other) = (text(), "another text\n");
    let (good, bad) = (line(ORIGIN, 1, &text), line(ORIGIN, 1, other));
    for lines in [vec![good.clone(), bad.clone()], vec![bad, good]] {
        let note = Note::new(text.clone(), lines).expect("text").encode();
        assert_eq!(code(&note), "tlog.note_signature");
    }
    // Also when the other known key's line is the good one.
    let witness = verifier("witness", 3);
    let lines = vec![line(ORIGIN, 1, &text), line("witness", 3, other)];
    let note = Note::new(text, lines).expect("text");
    let error = note
        .verify(&[&verifier(ORIGIN, 1), &witness])
        .expect_err("spoilt");
    assert_eq!(
        error,
        NoteError::InvalidSignature {
            name: "witness".to_owned()
        }
    );
}

#[test]
fn case_91_witnesses_do_not_stand_for_the_log() {
    let text = text();
    let lines = vec![line("witness.one", 3, &text), line("witness.two", 4, &text)];
    let note = Note::new(text, lines).expect("text").encode();
    assert_eq!(code(&note), "tlog.note_unsigned");
}

#[test]
fn case_92_unknown_lines_are_ignored_up_to_a_number() {
    let text = text();
    let with = |unknown: u8| {
        let mut lines: Vec<_> = (0..unknown)
            .map(|seed| line("unknown", 100 + seed, &text))
            .collect();
        lines.push(line(ORIGIN, 1, &text));
        Note::new(text.clone(), lines).expect("text").encode()
    };
    verify(&with(0)).expect("good");
    verify(&with(16)).expect("good");
    assert_eq!(code(&with(17)), "tlog.note_signatures");
    assert_eq!(code(&with(40)), "tlog.note_signatures");
    let (head, unknown) = (signed(&text), line("u", 100, &text));
    let many = format!("{head}{}", format!("{unknown}\n").repeat(1000));
    assert_eq!(code(&many), "tlog.note_signatures");
    let more = format!("{head}{}", format!("{unknown}\n").repeat(10_000));
    assert!(more.len() > MAX_NOTE_BYTES);
    assert_eq!(code(&more), "tlog.note_size");
}

#[test]
fn case_94_extension_lines_are_kept_and_mean_nothing() {
    let extended = format!("{}Timestamp: 1689177396617352539\nsize 99\n", text());
    let verified = verify(&signed(&extended)).expect("good");
    assert_eq!(
        verified.checkpoint().extensions,
        ["Timestamp: 1689177396617352539", "size 99"]
    );
    assert_eq!((verified.size(), *verified.root()), (7, leaf_hash(b"root")));
    assert_eq!(verified.checkpoint().encode(), extended);
    let empty_line = format!("{}extension\n\nmore\n", text());
    assert_eq!(code(&signed(&empty_line)), "tlog.checkpoint_extension");
}

#[test]
fn another_logs_checkpoint_is_refused() {
    let other = text().replace(ORIGIN, "other.log");
    assert_eq!(code(&signed(&other)), "tlog.checkpoint_origin");
}

#[test]
fn a_changed_text_is_refused() {
    assert_eq!(
        code(&signed(&text()).replacen("\n7\n", "\n8\n", 1)),
        "tlog.note_signature"
    );
}

#[test]
fn malformed_notes_have_their_codes() {
    let good = signed(&text());
    assert_eq!(code(good.trim_end()), "tlog.note_structure");
    assert_eq!(code(&good.replacen('\n', "\r\n", 1)), "tlog.note_structure");
    assert_eq!(code(&good.replacen("log", "l\0g", 1)), "tlog.note_structure");
    let broken = |from: &str, to: &str| code(&good.replacen(from, to, 1));
    assert_eq!(broken("\u{2014} ", "- "), "tlog.note_signature_line");
    assert_eq!(broken("\u{2014} ", "\u{2014}  "), "tlog.note_signature_line");
    assert_eq!(broken("=\n\n", "=\n\n\n"), "tlog.note_signature", "another text");
    assert_eq!(
        code(&format!("{good}\u{2014} name AAAAAA==\n")),
        "tlog.note_signature_line",
        "no signature"
    );
    assert_eq!(
        code(&format!("{good}\u{2014} na+me AAAAAAAA\n")),
        "tlog.note_signature_line",
        "plus"
    );
    assert_eq!(
        code(&format!("{good}\u{2014} name AAAAAAA\n")),
        "tlog.note_signature_line",
        "unpadded"
    );
    let bytes = [good.as_bytes(), b"\xff\n"].concat();
    let error = verify_note(&bytes, ORIGIN, &verifier(ORIGIN, 1)).expect_err("not UTF-8");
    assert_eq!(error.code(), "tlog.note_structure");
}

#[test]
fn verifier_keys_have_one_spelling() {
    // From the signed-note specification of Go's module mirror.
    let sumdb = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let key: VerifierKey = sumdb.parse().expect("a key");
    assert_eq!(
        (key.name(), key.hint()),
        ("sum.golang.org", [0x03, 0x3d, 0xe0, 0xae])
    );
    assert_eq!(key.to_string(), sumdb);
    let code = |text: &str| text.parse::<VerifierKey>().expect_err("broken").code();
    assert_eq!(code(&sumdb.replace("033de0ae", "033de0af")), "tlog.note_key_text");
    assert_eq!(code(&sumdb.replace("033de0ae", "033DE0AE")), "tlog.note_key_text");
    assert_eq!(
        code(&sumdb.replace("sum.golang.org", "sum.golang.com")),
        "tlog.note_key_text"
    );
    assert_eq!(code("name"), "tlog.note_key_text");
    assert_eq!(code("name+00000000+"), "tlog.note_key_text");
    assert_eq!(code("name+00000000+AQ=="), "tlog.note_key_text");
    assert_eq!(code("name+00000000+BAAA"), "tlog.note_key_type");
    assert_eq!(code(&sumdb.replace("sum.golang.org", "")), "tlog.note_key_name");
    assert_eq!(
        code(&sumdb.replace("sum.golang.org", "a b")),
        "tlog.note_key_name"
    );
}

#[test]
fn case_37_low_order_note_keys_are_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(
        VerifierKey::ed25519("name", &identity).expect_err("weak").code(),
        "tlog.note_key"
    );
    assert_eq!(
        VerifierKey::ed25519("name", &[0; 32]).expect_err("weak").code(),
        "tlog.note_key"
    );
}

/// The key of Rekor v1 in public use.
fn p256_spki() -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==")
        .expect("base64")
}

fn p256(name: &str, spki: &[u8]) -> VerifierKey {
    VerifierKey::ecdsa_p256(name, spki).expect("a key")
}

#[test]
fn p256_keys_are_named_by_their_digest() {
    let key = p256("rekor.sigstore.dev", &p256_spki());
    assert_eq!(
        key.log_id().to_base64(),
        "wNI9atQGlz+VWfO6LRygH4QUfY/8W4RFwiT5i5WRgB0="
    );
    assert_eq!(key.spki_der(), p256_spki());
    assert_eq!(key.to_string().parse::<VerifierKey>(), Ok(key));
    let code = |spki: &[u8]| VerifierKey::ecdsa_p256("name", spki).expect_err("broken").code();
    let mut off_curve = p256_spki();
    off_curve[90] ^= 1;
    assert_eq!(code(&off_curve), "tlog.note_key");
    let trailing = [p256_spki(), vec![0]].concat();
    assert_eq!(code(&trailing), "tlog.note_key");
}

#[test]
fn checkpoints_of_the_public_logs_verify() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sigstore-conformance");
    let Ok(bundle) = std::fs::read(data.join("bundle-verify/happy-path/bundle.sigstore.json")) else {
        println!("skipped: no conformance data");
        return;
    };
    let bundle: serde_json::Value = serde_json::from_slice(&bundle).expect("JSON");
    let note = &bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"];
    let note = note.as_str().expect("a checkpoint");
    let origin = note.lines().next().expect("an origin");
    // Rekor v1: the key's name is the host, the origin has the tree as well.
    let key = p256("rekor.sigstore.dev", &p256_spki());
    verify_note(note.as_bytes(), origin, &key).expect("signed by Rekor");
    let error = verify_note(note.replacen('0', "1", 1).as_bytes(), origin, &key).expect_err("changed");
    assert_eq!(error.code(), "tlog.note_signature");
}

proptest! {
    #[test]
    fn notes_survive_a_round_trip(size in 0..=i64::MAX as u64, extensions in proptest::collection::vec("[ -~]{1,40}", 0..4)) {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: leaf_hash(b"root"), extensions };
        let text = checkpoint.encode();
        let note = signed(&text);
        prop_assert_eq!(Note::parse(note.as_bytes()).expect("a note").encode(), note.clone());
        let verified = verify(&note).expect("good");
        prop_assert_eq!(verified.checkpoint(), &checkpoint);
    }

    #[test]
    fn hostile_notes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}\n\n.{0,80}\n") {
        let key = verifier(ORIGIN, 1);
        let _ = verify_note(&bytes, ORIGIN, &key);
        let _ = verify_note(text.as_bytes(), ORIGIN, &key);
        let _ = Checkpoint::parse(&text);
        let _ = text.parse::<VerifierKey>();
    }
}
