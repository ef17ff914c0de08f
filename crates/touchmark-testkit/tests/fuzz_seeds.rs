//! The corpus of the fuzz targets: every seed is what its generator writes, and every input holds its properties.
//!
//! `REWRITE=1 cargo test -p touchmark-testkit --test fuzz_seeds` writes the seeds anew. Inputs that once failed are kept
//! beside them under names that begin with `regression-`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a failed unwrap is a failed test, and a test reads its own switch"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use touchmark_testkit::fuzz::{TARGETS, Target};

const REGRESSION: &str = "regression-";

fn folder(target: &Target) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/fuzz")).join(target.name)
}

fn corpus(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder(target)).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn seeds_are_what_the_generator_writes() {
    for target in TARGETS {
        let seeds: BTreeMap<String, Vec<u8>> = (target.seeds)()
            .into_iter()
            .map(|seed| (seed.name, seed.bytes))
            .collect();
        if std::env::var_os("REWRITE").is_some() {
            std::fs::create_dir_all(folder(target)).unwrap();
            for (name, bytes) in &seeds {
                std::fs::write(folder(target).join(name), bytes).unwrap();
            }
        }
        let mut found = corpus(target);
        found.retain(|name, _| !name.starts_with(REGRESSION));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&seeds), "{}", target.name);
        assert!(
            found == seeds,
            "the seeds of {} are not what the generator writes",
            target.name
        );
    }
}

#[test]
fn every_seed_and_every_input_that_once_failed_holds_its_properties() {
    for target in TARGETS {
        let inputs = corpus(target);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for (name, bytes) in inputs {
            assert!(
                bytes.len() <= target.max_len,
                "{}/{name} is longer than what is fuzzed",
                target.name
            );
            (target.body)(&bytes);
        }
    }
}

#[test]
fn no_single_changed_byte_breaks_a_property() {
    for target in TARGETS {
        for (index, seed) in (target.seeds)().into_iter().enumerate() {
            for step in 0..64_usize {
                // Places spread over the input, another one for each seed: the same in every run.
                let at = (step * 7919 + index * 104_729) % seed.bytes.len();
                let mut changed = seed.bytes.clone();
                changed[at] = changed[at].wrapping_add(1 + (step % 255) as u8);
                (target.body)(&changed);
                changed.truncate(at);
                (target.body)(&changed);
            }
        }
    }
}

#[test]
fn seeds_are_accepted_by_the_parsers_they_are_for() {
    use touchmark_sign::keyless::signing_config::SigningConfigFile;
    use touchmark_statement::statement::SignedStatement;
    use touchmark_testkit::fuzz::good::good;
    use touchmark_testkit::fuzz::keyless::keyless;
    use touchmark_tlog::entry::rekor_v1::{
        DsseV001, HashedRekordV001, IntotoV002, LogInfo, PemVerifier, parse_answer,
    };
    use touchmark_tlog::entry::{CreateEntryRequest, HashedRekordV002, LogEntry};
    use touchmark_tlog::note::{Note, VerifierKey};
    use touchmark_verify::bundle::Bundle;
    use touchmark_verify::trust::TrustedRoot;

    let accepted = |target: &str, name: &str, bytes: &[u8]| match (target, name) {
        ("bundle", name) => Bundle::parse(bytes).is_ok_and(|bundle| match name.split_once('-') {
            Some(("good", _)) => good().refuse_other_payloads(&bundle),
            // An entry that was only promised is not enough.
            Some(("keyless", _)) => keyless().refuse_other_meanings(&bundle) || name.contains("promise"),
            _ => true,
        }),
        ("dsse", _) => true,
        ("statement", _) => SignedStatement::parse(bytes.to_vec()).is_ok(),
        ("checkpoint", "key") => std::str::from_utf8(bytes).unwrap().parse::<VerifierKey>().is_ok(),
        ("checkpoint", "text") => true,
        ("entry_v2", "request.json") => {
            CreateEntryRequest::parse(bytes).is_ok_and(|request| request.to_entry().is_ok())
        }
        ("entry_v2", "entry.json") => LogEntry::parse(bytes).is_ok(),
        ("entry_v2", _) => HashedRekordV002::parse_canonical(bytes).is_ok(),
        ("entry_v1", "hashedrekord.json") => HashedRekordV001::parse_canonical(bytes).is_ok(),
        ("entry_v1", "dsse.json") => DsseV001::parse_canonical(bytes).is_ok(),
        ("entry_v1", "intoto.json") => IntotoV002::parse_canonical(bytes).is_ok(),
        ("entry_v1", "answer.json") => parse_answer(bytes).is_ok(),
        ("entry_v1", "key.pem") => PemVerifier::parse(bytes).is_ok(),
        ("entry_v1", "log-info.json") => LogInfo::parse(bytes).is_ok(),
        ("entry_v1", "consistency.json") => true,
        ("checkpoint", "policy") => touchmark_tlog::witness_policy::WitnessPolicy::parse(bytes).is_ok(),
        ("checkpoint", "proof") => touchmark_tlog::tlog_proof::TlogProof::parse(bytes).is_ok(),
        ("checkpoint", _) => Note::parse(bytes).is_ok(),
        ("certificate", "leaf.der" | "workflow.der") => {
            touchmark_verify::x509::claimed_identity(bytes).is_ok()
        }
        ("certificate" | "timestamp", _) => true,
        ("session", _) => {
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
            let name = std::str::from_utf8(&bytes[..end]).unwrap();
            if touchmark_agents::packed::is_packed(name) {
                let mut inside = Vec::new();
                let mut unpacked = touchmark_agents::packed::Unpacked::new(&bytes[end + 1..]);
                return std::io::Read::read_to_end(&mut unpacked, &mut inside).is_ok_and(|length| length > 0);
            }
            touchmark_agents::importer::IMPORTERS
                .iter()
                .any(|importer| importer.recognises(name, &bytes[end + 1..]))
        }
        ("junit", _) => touchmark_junit::read(bytes).is_ok(),
        ("signing_config", _) => SigningConfigFile::parse(bytes).is_ok(),
        ("trusted_root", _) => TrustedRoot::parse(bytes).is_ok(),
        _ => false,
    };
    let refused: Vec<String> = TARGETS
        .iter()
        .flat_map(|target| (target.seeds)().into_iter().map(move |seed| (target.name, seed)))
        .filter(|(target, seed)| !accepted(target, &seed.name, &seed.bytes))
        .map(|(target, seed)| format!("{target}/{}", seed.name))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn every_target_has_its_binary() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz");
    let manifest = std::fs::read_to_string(format!("{folder}/Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{}\"", target.name)),
            "{}",
            target.name
        );
        let source = std::fs::read_to_string(format!("{folder}/fuzz_targets/{}.rs", target.name)).unwrap();
        assert!(
            source.contains(&format!("touchmark_testkit::fuzz::{}", target.name)),
            "{}",
            target.name
        );
    }
}
