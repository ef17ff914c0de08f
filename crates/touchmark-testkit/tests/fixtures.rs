//! What lies in `testdata/sessions` is what the generator writes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");

fn collect(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn session_fixtures_are_what_the_generator_writes() {
    let mut found = BTreeMap::new();
    collect(Path::new(SESSIONS), &PathBuf::from(SESSIONS), &mut found);
    let written: BTreeMap<String, Vec<u8>> = touchmark_testkit::fixtures::sessions()
        .into_iter()
        .map(|fixture| (fixture.path, fixture.bytes))
        .collect();
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        written.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in written {
        assert!(
            found[&name] == bytes,
            "{name} differs: cargo run -p touchmark-testkit --example write-fixtures -- testdata/sessions"
        );
    }
}
