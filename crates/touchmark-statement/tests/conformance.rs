//! Statements that other tools signed are read as they stand.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use touchmark_statement::predicate::Predicate;
use touchmark_statement::statement::SignedStatement;

const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/sigstore-conformance/bundle-verify"
);

fn statements() -> Vec<(PathBuf, Vec<u8>)> {
    let folders = std::fs::read_dir(DATA)
        .expect("the folder is there")
        .map(|entry| entry.expect("a folder entry").path());
    let payload = |path: PathBuf| {
        let bundle: Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        let payload = bundle.pointer("/dsseEnvelope/payload")?.as_str()?;
        Some((path, STANDARD.decode(payload).ok()?))
    };
    folders
        .filter_map(|folder| payload(folder.join("bundle.sigstore.json")))
        .collect()
}

#[test]
fn statements_of_the_sigstore_conformance_suite_are_read() {
    if !Path::new(DATA).exists() {
        println!("skipped: no conformance data at {DATA}");
        return;
    }
    let statements = statements();
    assert!(!statements.is_empty());
    for (path, payload) in statements {
        let signed =
            SignedStatement::parse(payload).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        let Predicate::Provenance(provenance) = &signed.statement().predicate else {
            panic!("{} is provenance", path.display());
        };
        assert!(
            !provenance.run_details.builder.id.is_empty(),
            "{}",
            path.display()
        );
        let written = signed.statement().encode().unwrap();
        assert_eq!(
            SignedStatement::parse(written).unwrap().statement(),
            signed.statement()
        );
    }
}
