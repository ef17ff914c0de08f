//! What verification costs: one bundle, a thousand with and without a checkpoint in common, ten thousand commits.
//!
//! `cargo bench -p touchmark-verify`. Evidence is minted with the support of the catalogue's tests.

#![allow(missing_docs, reason = "criterion's macros write functions")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot mint its evidence fails"
)]
#![allow(dead_code, reason = "the tests use more of their support")]

#[path = "../tests/catalogue/repository.rs"]
mod repository;
#[path = "../tests/catalogue/support.rs"]
mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::lineage::{ChangeUnderJudgement, Lineage};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{Verifier, verify};

use repository::{Files, MemoryGit};
use support::{World, bytes, statement_value};

const BUNDLES: usize = 1_000;
const COMMITS: usize = 10_000;

/// Payloads that differ in the agent's name.
fn payloads(count: usize) -> Vec<Vec<u8>> {
    let payload = |number: usize| {
        let mut statement = statement_value();
        statement["predicate"]["agent"]["id"] = format!("agent-{number}").into();
        bytes(&statement)
    };
    (0..count).map(payload).collect()
}

/// Signs all payloads and logs them under one checkpoint.
fn with_one_checkpoint(world: &mut World, payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let envelopes: Vec<_> = payloads
        .iter()
        .map(|payload| world.signer.envelope(payload))
        .collect();
    let mut bundles: Vec<Bundle> = Vec::new();
    for envelope in envelopes {
        bundles.push(world.bundle_of(envelope));
    }
    for bundle in &mut bundles {
        let index = usize::try_from(bundle.tlog_entries[0].log_index).unwrap();
        bundle.tlog_entries[0] = world.log.entry(index);
    }
    bundles.iter().map(Bundle::encode).collect()
}

fn one_bundle(criterion: &mut Criterion) {
    let mut world = World::new();
    let bundle = world.good();
    let (json, root) = (bundle.encode(), world.root());
    let expected = world.ring.clone().into();
    let mut group = criterion.benchmark_group("managed-key bundle");
    group.throughput(Throughput::Elements(1));
    group.bench_function("parse", |bencher| bencher.iter(|| Bundle::parse(&json).unwrap()));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| verify(&bundle, &expected, &root, &world.options).unwrap());
    });
    group.bench_function("parse and verify", |bencher| {
        bencher.iter(|| verify(&Bundle::parse(&json).unwrap(), &expected, &root, &world.options).unwrap());
    });
    group.finish();
}

fn many_bundles(criterion: &mut Criterion) {
    let payloads = payloads(BUNDLES);
    let mut world = World::new();
    let distinct: Vec<Vec<u8>> = payloads
        .iter()
        .map(|payload| world.bundle(payload).encode())
        .collect();
    let shared = with_one_checkpoint(&mut World::new(), &payloads);
    let root = world.root();
    let expected = world.ring.clone().into();
    let batch = |bundles: &[Vec<u8>]| {
        let verifier = Verifier::new(&root, &world.options);
        for json in bundles {
            verifier.verify(&Bundle::parse(json).unwrap(), &expected).unwrap();
        }
    };
    let alone = |bundles: &[Vec<u8>]| {
        for json in bundles {
            verify(&Bundle::parse(json).unwrap(), &expected, &root, &world.options).unwrap();
        }
    };
    let mut group = criterion.benchmark_group("1,000 bundles");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(BUNDLES as u64));
    group.bench_function("one by one, distinct checkpoints", |bencher| {
        bencher.iter(|| alone(&distinct))
    });
    group.bench_function("batch, distinct checkpoints", |bencher| {
        bencher.iter(|| batch(&distinct))
    });
    group.bench_function("batch, shared checkpoint", |bencher| {
        bencher.iter(|| batch(&shared))
    });
    group.finish();
}

struct History {
    git: MemoryGit,
    change: ChangeUnderJudgement,
    bundles: Vec<Vec<u8>>,
    world: World,
    root: TrustedRoot,
}

/// Ten thousand commits in a tree of a hundred files, each changing one, each with a statement of its own.
fn history() -> History {
    let mut git = MemoryGit::default();
    let mut tree: Files = (0..100)
        .map(|file| (format!("src/file{file:03}"), "0".to_owned()))
        .collect();
    let base = git.commit_files(&[], &tree);
    let mut commits: Vec<GitCommitId> = Vec::new();
    let mut payloads = Vec::new();
    for number in 1..=COMMITS {
        tree.insert(format!("src/file{:03}", number % 100), number.to_string());
        let before = commits.last().unwrap_or(&base).clone();
        let commit = git.commit_files(&[&before], &tree);
        payloads.push(bytes(&git.attest(&before, &[&commit])));
        commits.push(commit);
    }
    let change = git.change(&base, &commits.iter().collect::<Vec<_>>());
    // Proofs in memory cost the size of their log; the log is begun anew now and then.
    let bundles = payloads
        .chunks(250)
        .flat_map(|chunk| with_one_checkpoint(&mut World::new(), chunk))
        .collect();
    let world = World::new();
    let root = world.root();
    History {
        git,
        change,
        bundles,
        world,
        root,
    }
}

/// Verifies every bundle on two threads.
fn verify_all(history: &History) -> Vec<VerifiedStatement> {
    let verifier = Verifier::new(&history.root, &history.world.options);
    let expected = history.world.ring.clone().into();
    let half = |bundles: &[Vec<u8>]| -> Vec<VerifiedStatement> {
        let verify = |json: &Vec<u8>| verifier.verify(&Bundle::parse(json).unwrap(), &expected).unwrap();
        bundles.iter().map(verify).collect()
    };
    let (first, second) = history.bundles.split_at(history.bundles.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| half(second));
        let mut verified = half(first);
        verified.extend(second.join().unwrap());
        verified
    })
}

fn ten_thousand_commits(criterion: &mut Criterion) {
    let history = history();
    let verified = verify_all(&history);
    let build = |verified: &[VerifiedStatement]| {
        let lineage = Lineage::build(&history.change, verified, &[], &history.git).unwrap();
        assert!(lineage.is_accounted() && lineage.missing().is_empty() && lineage.set_aside().is_empty());
    };
    // The same history with every tenth commit unattested: replayed, with residual paths.
    let gaps: Vec<VerifiedStatement> = verified
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 10 != 0)
        .map(|(_, one)| one.clone())
        .collect();
    let mut group = criterion.benchmark_group("10,000 attested commits");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(COMMITS as u64));
    group.bench_function("envelopes, two cores", |bencher| {
        bencher.iter(|| verify_all(&history))
    });
    group.bench_function("lineage", |bencher| bencher.iter(|| build(&verified)));
    group.bench_function("lineage, every tenth commit without statement", |bencher| {
        bencher.iter(|| Lineage::build(&history.change, &gaps, &[], &history.git).unwrap());
    });
    group.bench_function("envelopes and lineage, two cores", |bencher| {
        bencher.iter(|| build(&verify_all(&history)))
    });
    group.finish();
}

criterion_group!(benches, one_bundle, many_bundles, ten_thousand_commits);
criterion_main!(benches);
