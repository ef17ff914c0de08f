//! Tests of escrow: opened by each recipient and nobody else, every change noticed, nothing shown, nothing lost.

use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use touchmark_http::Deadline;
use touchmark_statement::agent_change::ChainId;
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::commitment::{Item, Kind, RunKey};

use super::*;
use crate::password::Password;
use crate::vault::{Content, Draft, DraftPiece, RecordName};

fn name() -> RecordName {
    RecordName {
        chain: ChainId::from_bytes([3; 16]),
        payload: Sha256Digest::of(b"payload"),
    }
}

/// A record with a transcript of so many bytes.
fn sealed(recipients: &[EscrowPublicKey], len: usize) -> Result<Vec<u8>, EscrowError> {
    let key = RunKey::from_bytes(&[0x5a; 32]).unwrap();
    let transcript = vec![b't'; len];
    let item = Item {
        kind: Kind::Transcript,
        index: 0,
        origin: None,
    };
    let content = Content::Borrowed(&transcript);
    let draft = Draft::new(&key, vec![DraftPiece { item, content }]).unwrap();
    let mut file = Vec::new();
    seal(&name(), recipients, &mut file, |writer| {
        draft.encode(&name(), writer)
    })?;
    Ok(file)
}

fn code<T>(result: Result<T, EscrowError>) -> &'static str {
    result.map(|_| "accepted").unwrap_or_else(|error| error.code())
}

#[test]
fn every_recipient_opens_a_record_and_nobody_else_does() {
    let keys: Vec<EscrowKey> = (0..3).map(|_| EscrowKey::generate().unwrap()).collect();
    let recipients: Vec<EscrowPublicKey> = keys[..2].iter().map(|key| key.public().clone()).collect();
    // Around the edges of a chunk, and over several of them.
    for len in [
        0,
        1,
        65_536 - 200,
        65_536 - 158,
        65_536 - 157,
        65_536 - 156,
        65_536 * 3 + 17,
    ] {
        let file = sealed(&recipients, len).unwrap();
        for key in &keys[..2] {
            let (found, record) = open(&mut file.as_slice(), key).unwrap();
            assert_eq!(found, name());
            assert_eq!(record.piece(Kind::Transcript, 0).unwrap().bytes, vec![b't'; len]);
            assert_eq!(record.run_key().expose(), &[0x5a; 32]);
        }
        assert_eq!(code(open(&mut file.as_slice(), &keys[2])), "escrow.not_for_key");
        let header = read_header(&mut file.as_slice()).unwrap();
        assert!(
            header
                .recipients()
                .eq(recipients.iter().map(EscrowPublicKey::fingerprint))
        );
        assert_eq!(header.name, name());
    }
    // What is written twice shares nothing.
    let (one, two) = (sealed(&recipients, 10).unwrap(), sealed(&recipients, 10).unwrap());
    assert_ne!(one[70..], two[70..]);
    assert!(
        !one.windows(8)
            .any(|window| window == b"tttttttt" || window == [0x5a; 8])
    );
}

#[test]
fn every_change_to_a_file_is_noticed() {
    let key = EscrowKey::generate().unwrap();
    let good = sealed(&[key.public().clone()], 300).unwrap();
    for at in 0..good.len() {
        let mut broken = good.clone();
        broken[at] ^= 1;
        let code = code(open(&mut broken.as_slice(), &key));
        let expected: &[&str] = match at {
            0..20 => &["escrow.malformed"],
            20..68 => &["escrow.damaged"],
            68 | 69 => &["escrow.malformed", "escrow.damaged"],
            70..102 => &["escrow.not_for_key"],
            _ => &["escrow.damaged"],
        };
        assert!(expected.contains(&code), "byte {at}: {code}");
    }
    for len in 0..good.len() {
        let code = code(open(&mut &good[..len], &key));
        let expected = if len < 182 {
            "escrow.malformed"
        } else {
            "escrow.damaged"
        };
        assert_eq!(code, expected, "cut to {len}");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(code(open(&mut longer.as_slice(), &key)), "escrow.damaged");
}

#[test]
fn chunks_cannot_be_left_out_moved_or_cut_off() {
    let key = EscrowKey::generate().unwrap();
    let good = sealed(&[key.public().clone()], 65_536 * 3).unwrap();
    let (header, chunks) = good.split_at(182);
    let chunks: Vec<&[u8]> = chunks.chunks(65_536 + 16).collect();
    assert_eq!(chunks.len(), 4);
    let with = |chunks: &[&[u8]]| [header, &chunks.concat()].concat();
    assert_eq!(code(open(&mut with(&chunks).as_slice(), &key)), "accepted");
    for (what, broken) in [
        ("the last chunk is missing", with(&chunks[..3])),
        ("a chunk is missing", with(&[chunks[0], chunks[2], chunks[3]])),
        (
            "two chunks changed places",
            with(&[chunks[1], chunks[0], chunks[2], chunks[3]]),
        ),
        (
            "a chunk stands there twice",
            with(&[chunks[0], chunks[0], chunks[1], chunks[2], chunks[3]]),
        ),
        ("no chunk at all", header.to_vec()),
    ] {
        assert_eq!(
            code(open(&mut broken.as_slice(), &key)),
            "escrow.damaged",
            "{what}"
        );
    }
    // The header of another record for the same key in front of these chunks.
    let other = sealed(&[key.public().clone()], 65_536 * 3).unwrap();
    let mixed = [&other[..182], &good[182..]].concat();
    assert_eq!(code(open(&mut mixed.as_slice(), &key)), "escrow.damaged");
}

#[test]
fn records_for_nobody_or_for_one_key_twice_are_refused() {
    let key = EscrowKey::generate().unwrap().public().clone();
    assert_eq!(code(sealed(&[], 1)), "escrow.recipients");
    assert_eq!(code(sealed(&[key.clone(), key.clone()], 1)), "escrow.recipients");
    let many: Vec<EscrowPublicKey> = (0..17)
        .map(|_| EscrowKey::generate().unwrap().public().clone())
        .collect();
    assert_eq!(code(sealed(&many[..16], 1)), "accepted");
    assert_eq!(code(sealed(&many, 1)), "escrow.recipients");
}

#[test]
fn what_is_no_record_is_not_taken_for_one() {
    let key = EscrowKey::generate().unwrap();
    let mut file = Vec::new();
    let recipients = [key.public().clone()];
    seal(&name(), &recipients, &mut file, |writer| {
        writer.write_all(b"something else")
    })
    .unwrap();
    assert_eq!(code(open(&mut file.as_slice(), &key)), "escrow.not_a_record");
    // A record under the name of another one.
    let mut other = Vec::new();
    let run_key = RunKey::from_bytes(&[1; 32]).unwrap();
    let draft = Draft::new(&run_key, Vec::new()).unwrap();
    let elsewhere = RecordName {
        payload: Sha256Digest::of(b"other"),
        ..name()
    };
    seal(&elsewhere, &recipients, &mut other, |writer| {
        draft.encode(&name(), writer)
    })
    .unwrap();
    assert_eq!(code(open(&mut other.as_slice(), &key)), "escrow.not_a_record");
}

#[test]
fn keys_are_stored_as_signing_keys_are_and_are_none() {
    let key = EscrowKey::generate().unwrap();
    let password = Password::new("correct horse").unwrap();
    let plain = key.to_plain_pem();
    let encrypted = key.to_encrypted_pem(&password).unwrap();
    let public = key.public().to_pem();
    for (text, password) in [(plain.as_bytes(), None), (encrypted.as_bytes(), Some(&password))] {
        let again = EscrowKey::from_pem(text, password).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(again.to_plain_pem(), plain);
        assert!(crate::key_file::parse(text, password).is_err());
    }
    assert_eq!(
        EscrowPublicKey::from_pem(public.as_bytes()).unwrap(),
        *key.public()
    );
    assert!(touchmark_verify::key::PublicKey::from_pem(&public).is_err());
    assert_eq!(
        code(EscrowKey::from_pem(encrypted.as_bytes(), None)),
        "key.password_required"
    );
    let wrong = Password::new("wrong").unwrap();
    assert_eq!(
        code(EscrowKey::from_pem(encrypted.as_bytes(), Some(&wrong))),
        "key.password_wrong"
    );
    assert_eq!(
        code(key.to_encrypted_pem(&Password::new("").unwrap()).map(|_| ())),
        "key.password_empty"
    );
    let signing = crate::PrivateKey::generate(touchmark_verify::key::KeyAlgorithm::EcdsaP256Sha256).unwrap();
    let signing_text = crate::key_file::encode_plain(&signing).unwrap();
    assert_eq!(
        code(EscrowKey::from_pem(signing_text.as_bytes(), None)),
        "escrow.not_escrow_key"
    );
    use crate::Signer as _;
    let signing_public = signing.public_key().to_pem();
    assert_eq!(
        code(EscrowPublicKey::from_pem(signing_public.as_bytes())),
        "escrow.not_escrow_key"
    );
    let shown = format!("{key:?} {:?}", key.public());
    assert!(!shown.contains(&plain[30..60]));
}

#[test]
fn weak_points_are_no_keys() {
    use touchmark_verify::key::pem;
    let spki = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
    ];
    let point = |point: [u8; 32]| pem::encode("PUBLIC KEY", &[&spki[..], &point].concat());
    let mut near_p = [0xff; 32];
    (near_p[0], near_p[31]) = (0xed, 0x7f);
    let mut with_top_bit = [0; 32];
    with_top_bit[31] = 0x80;
    let mut one = [0; 32];
    one[0] = 1;
    for weak in [[0; 32], one, near_p, with_top_bit] {
        assert_eq!(
            code(EscrowPublicKey::from_pem(point(weak).as_bytes())),
            "escrow.weak_key"
        );
    }
    let mut nine = [0; 32];
    nine[0] = 9;
    assert_eq!(
        code(EscrowPublicKey::from_pem(point(nine).as_bytes())),
        "accepted"
    );
}

struct Flaky(Mutex<(usize, Vec<String>)>);

impl Store for Flaky {
    fn keep(&self, name: &str, _: &mut fs::File, _: Deadline) -> Result<(), EscrowError> {
        let mut state = self.0.lock().unwrap();
        if state.0 == 0 {
            return Err(EscrowError::Refused { status: 503 });
        }
        state.0 -= 1;
        state.1.push(name.to_owned());
        Ok(())
    }
}

#[test]
fn what_waits_is_shipped_once_and_stays_until_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&folder.path().join("escrow")).unwrap();
    let recipients = [EscrowKey::generate().unwrap().public().clone()];
    for number in 0..3_u8 {
        let name = RecordName {
            chain: ChainId::from_bytes([number; 16]),
            ..name()
        };
        outbox
            .put(&name, &recipients, |writer| writer.write_all(b"x"))
            .unwrap();
    }
    let later = || Deadline::after(Duration::from_secs(60));
    let store = Flaky(Mutex::new((1, Vec::new())));
    let shipment = outbox.ship(&store, later()).unwrap();
    assert_eq!((shipment.shipped, shipment.waiting), (1, 2));
    assert_eq!(
        shipment.failure.map(|error| error.code()),
        Some("escrow.store_refused")
    );
    assert_eq!(
        outbox
            .ship(&store, Deadline::after(Duration::ZERO))
            .unwrap()
            .waiting,
        2
    );
    store.0.lock().unwrap().0 = 9;
    let shipment = outbox.ship(&store, later()).unwrap();
    assert_eq!((shipment.shipped, shipment.waiting), (2, 0));
    assert_eq!(outbox.waiting().unwrap(), [""; 0]);
    assert_eq!(store.0.lock().unwrap().1.len(), 3);
    // Nothing but the folder's own lock is left.
    assert!(fs::read_dir(folder.path().join("escrow")).unwrap().count() <= 1);
    assert_eq!(code(outbox.put(&name(), &[], |_| Ok(()))), "escrow.recipients");
    assert_eq!(outbox.waiting().unwrap(), [""; 0]);
}

#[test]
fn a_folder_takes_records_and_is_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&folder.path().join("escrow")).unwrap();
    let recipients = [EscrowKey::generate().unwrap().public().clone()];
    outbox
        .put(&name(), &recipients, |writer| writer.write_all(b"x"))
        .unwrap();
    let place = folder.path().join("store");
    let store = FolderStore::new(&place);
    let later = || Deadline::after(Duration::from_secs(60));
    let shipment = outbox.ship(&store, later()).unwrap();
    assert_eq!(
        shipment.failure.map(|error| error.code()),
        Some("escrow.store_missing")
    );
    assert!(!place.exists());
    fs::create_dir(&place).unwrap();
    assert_eq!(outbox.ship(&store, later()).unwrap().shipped, 1);
    let kept: Vec<_> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        kept,
        [format!("{}-{}.escrow", name().chain, name().payload).as_str()]
    );
}
