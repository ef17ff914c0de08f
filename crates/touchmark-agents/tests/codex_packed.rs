//! Codex CLI's sessions as it archives them, packed with Zstandard.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::path::Path;

use touchmark_agents::codex::Codex;
use touchmark_agents::importer::{self, Importer as _, Places};
use touchmark_agents::run::Completeness;
use touchmark_agents::session::ImportOptions;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/codex");
const FORK: &str = "019b0000-9000-7000-8000-000000000002";

/// The session of `fork.jsonl` as it was put away.
fn archive() -> String {
    format!("archived_sessions/rollout-2026-03-01T11-00-00-{FORK}.jsonl.zst")
}

#[test]
fn a_packed_session_is_what_it_holds() {
    let archive = Path::new(FIXTURES).join(archive());
    let options = ImportOptions::default();
    let packed = importer::load(&archive, &options).unwrap();
    let plain = importer::load(&Path::new(FIXTURES).join("fork.jsonl"), &options).unwrap();
    assert_eq!(packed.format, "codex-jsonl");
    assert_eq!(packed.run.completeness, Completeness::Whole);
    assert_eq!(packed.files[0].bytes, plain.files[0].bytes);
    assert_eq!(
        packed.files[0].name,
        format!("rollout-2026-03-01T11-00-00-{FORK}.jsonl")
    );
    assert_eq!(
        format!("{:?}", packed.run.steps),
        format!("{:?}", plain.run.steps)
    );
    assert_eq!(packed.run.usage, plain.run.usage);
    assert_eq!(packed.run.session_id.as_deref(), Some(FORK));
    // Up to a watermark, which counts the bytes that were packed.
    let end = plain.files[0]
        .bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    let up_to = ImportOptions {
        up_to: Some(end as u64),
        ..ImportOptions::default()
    };
    let cut = importer::load(&archive, &up_to).unwrap();
    assert_eq!(cut.run.completeness, Completeness::Prefix);
    assert_eq!(cut.files[0].bytes.len(), end);
}

#[test]
fn packed_sessions_are_found_where_no_plain_one_lies_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join(".codex").join(archive());
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::fs::copy(Path::new(FIXTURES).join(archive()), &at).unwrap();
    let places = Places {
        home: Some(dir.path().to_owned()),
        ..Places::default()
    };
    let found = || {
        let root = Path::new("/home/ada/greeter");
        let found = Codex.discover(&places, root).unwrap();
        found
            .into_iter()
            .map(|candidate| (candidate.path, candidate.session_id))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(), [(at.clone(), FORK.to_owned())]);
    let plain = at.with_extension("");
    std::fs::copy(Path::new(FIXTURES).join("fork.jsonl"), &plain).unwrap();
    assert_eq!(found(), [(plain.clone(), FORK.to_owned())]);
    std::fs::remove_file(plain).unwrap();
    // One that cannot be unpacked is none.
    std::fs::write(&at, b"packed").unwrap();
    assert_eq!(found(), []);
}

#[test]
fn a_packed_session_that_was_cut_or_changed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(Path::new(FIXTURES).join(archive())).unwrap();
    let at = dir
        .path()
        .join(format!("rollout-2026-03-01T11-00-00-{FORK}.jsonl.zst"));
    let refused = |bytes: &[u8]| {
        std::fs::write(&at, bytes).unwrap();
        importer::load(&at, &ImportOptions::default()).unwrap_err().code()
    };
    for end in [1, 4, 9, whole.len() / 2, whole.len() - 4, whole.len() - 1] {
        assert_eq!(refused(&whole[..end]), "session.packed", "cut at {end}");
    }
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&changed), "session.packed", "its checksum");
    assert_eq!(refused(&[&whole[..], b"more"].concat()), "session.packed");
    assert_eq!(
        refused(b"{\"type\":\"session_meta\",\"payload\":{}}\n"),
        "session.packed"
    );
    assert_eq!(refused(b""), "session.empty");
    std::fs::write(&at, &whole).unwrap();
    importer::load(&at, &ImportOptions::default()).unwrap();
}

#[test]
fn what_zstd_itself_packs_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("fork.jsonl");
    std::fs::copy(Path::new(FIXTURES).join("fork.jsonl"), &plain).unwrap();
    let expected = std::fs::read(&plain).unwrap();
    for flags in [
        &["-3"][..],
        &["-19", "--no-check"],
        &["--ultra", "-22", "--long=27"],
        &["-1", "--no-content-size"],
    ] {
        let packed = dir.path().join("fork.jsonl.zst");
        let mut zstd = std::process::Command::new("zstd");
        zstd.args(["-q", "-f"])
            .args(flags)
            .arg(&plain)
            .arg("-o")
            .arg(&packed);
        if !zstd.status().is_ok_and(|status| status.success()) {
            println!("skipped: no zstd to pack with");
            return;
        }
        let session = importer::load(&packed, &ImportOptions::default()).unwrap();
        assert_eq!(session.files[0].bytes, expected, "{flags:?}");
    }
}
