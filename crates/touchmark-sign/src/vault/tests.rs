//! Tests of the vault: one encoding, nothing shown, nothing lost, nothing replaced.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;
use touchmark_statement::agent_change::PromptOrigin;
use touchmark_verify::commitment::{Item, Kind, RunKey};

use super::record::{CHECKSUM_BYTES, HEADER_BYTES, ROW_BYTES_V2};
use super::*;

fn name() -> RecordName {
    RecordName {
        chain: ChainId::from_bytes([3; 16]),
        payload: Sha256Digest::of(b"payload"),
    }
}

fn item(kind: Kind, index: u32) -> Item {
    let origin = (kind == Kind::Prompt).then_some(PromptOrigin::Human);
    Item { kind, index, origin }
}

fn piece(kind: Kind, index: u32, bytes: &[u8]) -> DraftPiece<'_> {
    DraftPiece {
        item: item(kind, index),
        content: Content::Borrowed(bytes),
    }
}

fn step(index: u32, offset: u64, len: u64) -> DraftPiece<'static> {
    DraftPiece {
        item: item(Kind::Step, index),
        content: Content::OfTranscript { offset, len },
    }
}

fn key() -> RunKey {
    RunKey::from_bytes(&[0x5a; 32]).unwrap()
}

fn pieces() -> Vec<DraftPiece<'static>> {
    vec![
        step(1, 11, 11),
        piece(Kind::Prompt, 0, b"a secret prompt"),
        step(0, 0, 10),
        piece(Kind::Command, 0, b""),
        piece(Kind::Transcript, 0, b"first step\nsecond step\n"),
    ]
}

fn draft(key: &RunKey) -> Draft<'_> {
    Draft::new(key, pieces()).unwrap()
}

fn put(vault: &Vault) -> Result<(), VaultError> {
    vault.put(&name(), &draft(&key()))
}

fn encoded() -> Vec<u8> {
    let mut bytes = Vec::new();
    draft(&key()).encode(&name(), &mut bytes).unwrap();
    bytes
}

fn record() -> Record {
    Record::parse(&name(), Zeroizing::new(encoded())).unwrap()
}

fn vault() -> (TempDir, Vault, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let vault = Vault::open(&path).unwrap();
    (folder, vault, path)
}

fn code<T>(result: Result<T, VaultError>) -> &'static str {
    result.map(|_| "accepted").unwrap_or_else(|error| error.code())
}

#[test]
fn a_record_comes_back_as_it_was_kept() {
    let (_folder, vault, path) = vault();
    assert_eq!(vault.get(&name()).unwrap(), None);
    put(&vault).unwrap();
    let kept = vault.get(&name()).unwrap().unwrap();
    assert_eq!(kept, record());
    assert_eq!(kept.piece(Kind::Prompt, 0).unwrap().bytes, b"a secret prompt");
    assert_eq!(kept.piece(Kind::Step, 0).unwrap().bytes, b"first step");
    assert_eq!(kept.piece(Kind::Step, 1).unwrap().bytes, b"second step");
    assert_eq!(kept.pieces().len(), 5);
    assert_eq!(
        kept.piece(Kind::Prompt, 0).unwrap().item.origin,
        Some(PromptOrigin::Human)
    );
    assert_eq!(kept.piece(Kind::Prompt, 1), None);
    assert_eq!(vault.names().unwrap(), [name()]);
    assert_eq!(vault.find(&name().payload).unwrap().unwrap().0, name());
    assert!(vault.find(&Sha256Digest::of(b"other")).unwrap().is_none());
    // Another process sees it too.
    assert_eq!(Vault::open(&path).unwrap().get(&name()).unwrap(), Some(record()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join(name().file_name())), 0o600);
}

#[test]
fn the_same_record_may_be_kept_again_and_another_one_is_refused() {
    let (_folder, vault, _) = vault();
    put(&vault).unwrap();
    put(&vault).unwrap();
    let other = RunKey::from_bytes(&[0x5b; 32]).unwrap();
    assert_eq!(code(vault.put(&name(), &draft(&other))), "vault.conflict");
    let key = key();
    let mut less = pieces();
    less.pop();
    less.retain(|piece| piece.item.kind != Kind::Step);
    let less = Draft::new(&key, less).unwrap();
    assert_eq!(code(vault.put(&name(), &less)), "vault.conflict");
    assert_eq!(vault.get(&name()).unwrap(), Some(record()));
}

#[test]
fn pieces_twice_or_outside_of_the_transcript_are_refused() {
    let twice = vec![piece(Kind::Step, 0, b"a"), piece(Kind::Step, 0, b"b")];
    assert_eq!(code(Draft::new(&key(), twice)), "vault.order");
    for outside in [
        step(2, 0, 24),
        step(2, 24, 1),
        step(2, u64::MAX, 1),
        step(2, 1, u64::MAX),
    ] {
        let mut pieces = pieces();
        pieces.push(outside);
        assert_eq!(code(Draft::new(&key(), pieces)), "vault.slice");
    }
    assert_eq!(code(Draft::new(&key(), vec![step(0, 0, 1)])), "vault.slice");
    assert_eq!(offsets([&b"ab"[..], b"", b"c"]), [(0, 0), (1, 2), (2, 2)].into());
}

#[test]
fn version_1_is_still_read() {
    use sha2::{Digest as _, Sha256};
    let mut body = b"touchmark-vault v1\n".to_vec();
    body.extend([3; 16]);
    body.extend(name().payload.as_bytes());
    body.extend([0x5a; 32]);
    body.extend(2_u32.to_be_bytes());
    for (kind, origin, index, len) in [(17_u8, 1_u8, 0_u32, 3_u64), (18, 0, 4, 2)] {
        body.extend([kind, origin]);
        body.extend(index.to_be_bytes());
        body.extend(len.to_be_bytes());
    }
    body.extend(b"abcde");
    let checksum = Sha256::digest(&body);
    body.extend(checksum);
    let (_folder, vault, path) = vault();
    fs::write(path.join(name().file_name()), body).unwrap();
    let kept = vault.get(&name()).unwrap().unwrap();
    assert_eq!(kept.piece(Kind::Prompt, 0).unwrap().bytes, b"abc");
    assert_eq!(kept.piece(Kind::Step, 4).unwrap().bytes, b"de");
    assert_eq!(kept.piece(Kind::Step, 0), None);
}

#[test]
fn every_change_to_a_file_is_noticed() {
    let (_folder, vault, path) = vault();
    put(&vault).unwrap();
    let file = path.join(name().file_name());
    let good = fs::read(&file).unwrap();
    for at in 0..good.len() {
        let mut broken = good.clone();
        broken[at] ^= 1;
        fs::write(&file, &broken).unwrap();
        assert_eq!(code(vault.get(&name())), "vault.damaged", "byte {at}");
    }
    for len in 0..good.len() {
        fs::write(&file, &good[..len]).unwrap();
        assert_eq!(code(vault.get(&name())), "vault.damaged", "cut to {len}");
    }
    fs::write(&file, [&good[..], &[0]].concat()).unwrap();
    assert_eq!(code(vault.get(&name())), "vault.damaged");
    fs::write(&file, &good).unwrap();
    assert_eq!(code(vault.get(&name())), "accepted");
    // A whole record under another name.
    let other = RecordName {
        payload: Sha256Digest::of(b"other"),
        ..name()
    };
    fs::write(path.join(other.file_name()), &good).unwrap();
    assert_eq!(code(vault.get(&other)), "vault.damaged");
}

#[test]
fn a_damaged_body_is_refused_even_with_the_right_checksum() {
    use sha2::{Digest as _, Sha256};
    let good = encoded();
    let body = &good[..good.len() - 32];
    let sealed = |body: &[u8]| [body, &Sha256::digest(body)].concat();
    let parse = |file: &[u8]| code(Record::parse(&name(), Zeroizing::new(file.to_vec())));
    assert_eq!(parse(&sealed(body)), "accepted");
    let table = 19 + 16 + 32 + 32 + 4;
    let set = |at: usize, value: u8| {
        let mut body = body.to_vec();
        body[at] = value;
        sealed(&body)
    };
    for (what, file) in [
        ("magic", set(16, b'3')),
        ("count too large", set(table - 4, 0xff)),
        ("count too small", set(table - 1, 4)),
        ("unknown kind", set(table, 99)),
        ("unknown origin", set(table + 1, 9)),
        ("unknown place", set(table + 2, 2)),
        ("an offset of its own bytes", set(table + 14, 1)),
        ("length beyond the end", set(table + 15, 0xff)),
        ("slice beyond the transcript", set(table + 23 + 22, 25)),
        ("slice that begins beyond it", set(table + 23 + 7, 0xff)),
        ("transcript that is a slice of itself", set(table + 4 * 23 + 2, 1)),
        ("byte behind", sealed(&[body, &[0]].concat())),
        ("two pieces out of order", {
            let mut body = body.to_vec();
            let rows: Vec<u8> = body[table + 23..table + 46].to_vec();
            body.copy_within(table + 46..table + 69, table + 23);
            body[table + 46..table + 69].copy_from_slice(&rows);
            sealed(&body)
        }),
    ] {
        assert_eq!(parse(&file), "vault.damaged", "{what}");
    }
}

#[test]
fn half_written_files_are_never_seen_and_are_cleaned() {
    let (_folder, vault, path) = vault();
    put(&vault).unwrap();
    fs::write(path.join(".tmp-00000000000000000000000000000001"), b"half").unwrap();
    assert_eq!(vault.names().unwrap(), [name()]);
    assert_eq!(vault.clean().unwrap(), 1);
    assert_eq!(vault.clean().unwrap(), 0);
    assert_eq!(vault.get(&name()).unwrap(), Some(record()));
}

#[test]
fn folders_that_others_can_enter_and_links_are_refused() {
    let (folder, vault, path) = vault();
    put(&vault).unwrap();
    for mode in [0o750, 0o705, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(code(Vault::open(&path)), "store.permissions");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(code(Vault::open(&link)), "store.not_folder");
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(code(Vault::open(&file)), "store.not_folder");
    // A record that is a link to somewhere else.
    let record_file = path.join(name().file_name());
    fs::rename(&record_file, folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("moved"), &record_file).unwrap();
    assert_eq!(code(vault.get(&name())), "store.not_regular");
}

#[test]
fn nothing_of_a_record_is_shown() {
    let record = record();
    let error = VaultError::Conflict { name: name() };
    let shown = format!(
        "{record:?} {record:#?} {:?} {:?} {:?} {error} {error:?}",
        record.pieces().next(),
        draft(&key()),
        pieces()
    );
    assert!(shown.contains("redacted"));
    for secret in ["secret", "5a5a", "90, 90", "step\"", "97, 32"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_small_record_does_not_stand_for_endless_bytes() {
    let key = key();
    let transcript = vec![b't'; 1_000];
    let drafted = |count: u32| {
        let slices = (0..count).map(|index| step(index, 0, 1_000));
        let raw = DraftPiece {
            item: item(Kind::Transcript, 0),
            content: Content::Borrowed(&transcript),
        };
        Draft::new(&key, slices.chain([raw]).collect())
    };
    assert!(drafted(16).is_ok());
    assert_eq!(drafted(17).unwrap_err().code(), "vault.too_large");
    // Somebody else wrote it: one slice more.
    let parsed = |slices: u32| {
        let mut bytes = Vec::new();
        drafted(slices - 1).unwrap().encode(&name(), &mut bytes).unwrap();
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        // The transcript's row stands behind those of the steps.
        bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&(slices + 1).to_be_bytes());
        let mut row = bytes[HEADER_BYTES..HEADER_BYTES + ROW_BYTES_V2].to_vec();
        row[3..7].copy_from_slice(&(slices - 1).to_be_bytes());
        let end = HEADER_BYTES + (slices as usize - 1) * ROW_BYTES_V2;
        bytes.splice(end..end, row);
        let checksum = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        Record::parse(&name(), bytes.into()).map(|record| record.pieces().len())
    };
    assert_eq!(parsed(16).unwrap(), 17);
    assert_eq!(parsed(17).unwrap_err().code(), "vault.damaged");
}
