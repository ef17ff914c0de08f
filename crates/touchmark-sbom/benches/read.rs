//! Reading large lockfiles, writing the document and comparing two trees; the crate `cargo-lock` in the same run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use touchmark_sbom::{Difference, Inventory, Tool, Tree, TreeError};
use touchmark_statement::repo_path::RepoPath;

const PACKAGES: usize = 3_000;

struct Files(BTreeMap<&'static str, String>);

impl Tree for Files {
    fn read(&self, path: &RepoPath, _max: u64) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(self
            .0
            .get(path.to_string().as_str())
            .map(|text| text.clone().into_bytes()))
    }
}

impl Files {
    fn inventory(&self) -> Inventory {
        let paths: Vec<RepoPath> = self.0.keys().map(|path| path.parse().expect("a path")).collect();
        Inventory::of(self, &paths, &[])
    }
}

/// What package `at` depends on.
fn edges(at: usize) -> impl Iterator<Item = usize> {
    (1..8)
        .map(move |step| at + step * step)
        .filter(|on| *on < PACKAGES)
}

fn cargo(version: usize) -> String {
    let mut text = String::from("version = 4\n");
    for at in 0..PACKAGES {
        let _ = write!(
            text,
            "\n[[package]]\nname = \"package-{at}\"\nversion = \"1.{}.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{at:064x}\"\ndependencies = [\n",
            if at % 100 == 0 { version } else { 0 }
        );
        for on in edges(at) {
            let _ = writeln!(text, " \"package-{on}\",");
        }
        text.push_str("]\n");
    }
    text
}

fn npm() -> String {
    let packages: Vec<String> = (0..PACKAGES)
        .map(|at| {
            let on: Vec<String> = edges(at).map(|on| format!("\"package-{on}\":\"^1.0.0\"")).collect();
            format!(
                "\"node_modules/package-{at}\":{{\"version\":\"1.0.0\",\"resolved\":\
                 \"https://registry.npmjs.org/package-{at}/-/package-{at}-1.0.0.tgz\",\"integrity\":\"sha512-{}==\",\
                 \"dependencies\":{{{}}}}}",
                "A".repeat(86),
                on.join(",")
            )
        })
        .collect();
    format!(
        "{{\"lockfileVersion\":3,\"packages\":{{{}}}}}",
        packages.join(",")
    )
}

fn pnpm() -> String {
    let mut text = String::from("lockfileVersion: '9.0'\n\npackages:\n");
    for at in 0..PACKAGES {
        let hash = "A".repeat(86);
        let _ = write!(
            text,
            "\n  package-{at}@1.0.0:\n    resolution: {{integrity: sha512-{hash}==}}\n"
        );
    }
    text.push_str("\nsnapshots:\n");
    for at in 0..PACKAGES {
        let _ = write!(text, "\n  package-{at}@1.0.0:\n    dependencies:\n");
        for on in edges(at) {
            let _ = writeln!(text, "      package-{on}: 1.0.0");
        }
        text.push_str("      package-0: 1.0.0\n");
    }
    text
}

fn uv() -> String {
    let mut text = String::from("version = 1\n");
    for at in 0..PACKAGES / 10 {
        let _ = write!(
            text,
            "\n[[package]]\nname = \"package-{at}\"\nversion = \"1.0.0\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\nwheels = [\n"
        );
        for wheel in 0..30 {
            let _ = writeln!(
                text,
                "    {{ url = \"https://files.pythonhosted.org/packages/{at:02x}/package_{at}-1.0.0-cp3{wheel}.whl\", \
                 hash = \"sha256:{wheel:064x}\", size = 1 }},"
            );
        }
        text.push_str("]\n");
    }
    text
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    for (path, text) in [
        ("Cargo.lock", cargo(0)),
        ("package-lock.json", npm()),
        ("pnpm-lock.yaml", pnpm()),
        ("uv.lock", uv()),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let files = Files([(path, text)].into());
        assert!(files.inventory().lockfiles()[0].is_complete());
        group.bench_function(path, |bencher| bencher.iter(|| black_box(files.inventory())));
    }
    let text = cargo(0);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function(BenchmarkId::new("crate cargo-lock", "Cargo.lock"), |bencher| {
        bencher.iter(|| text.parse::<cargo_lock::Lockfile>().expect("a lockfile"));
    });
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let of = |version| {
        Files([("Cargo.lock", cargo(version)), ("web/package-lock.json", npm())].into()).inventory()
    };
    let (base, proposed) = (of(0), of(1));
    let tool = Tool {
        name: "touchmark".to_owned(),
        version: "0".to_owned(),
    };
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(2 * PACKAGES as u64));
    group.bench_function("CycloneDX", |bencher| {
        bencher.iter(|| black_box(proposed.cyclonedx(&tool)))
    });
    group.bench_function("difference", |bencher| {
        bencher.iter(|| black_box(Difference::between(&base, &proposed)));
    });
    assert_eq!(Difference::between(&base, &proposed).rows.len(), PACKAGES / 100);
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
