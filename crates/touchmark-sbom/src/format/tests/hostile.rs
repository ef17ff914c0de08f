//! What lockfiles can have wrong, and what was made to be wrong.

use std::time::{Duration, Instant};

use super::*;
use crate::limits::{MAX_LOCKFILE_BYTES, MAX_PACKAGES};
use crate::{Difference, Tool};

fn code(name: &str, bytes: &[u8]) -> &'static str {
    read(name, bytes).expect_err(name).code()
}

#[test]
fn each_defect_has_its_code() {
    let npm = String::from_utf8(sample("npm-v3.json")).expect("text");
    let pnpm = String::from_utf8(sample("pnpm-v9.yaml")).expect("text");
    let yarn = String::from_utf8(sample("yarn-v1.lock")).expect("text");
    let cargo = String::from_utf8(sample("cargo-v4.lock")).expect("text");
    let gem = String::from_utf8(sample("gemfile.lock")).expect("text");
    for (name, text, expected) in [
        (
            "package-lock.json",
            npm.replace("\"lockfileVersion\": 3", "\"lockfileVersion\": 4"),
            "lockfile.version",
        ),
        (
            "package-lock.json",
            npm.replace("\"packages\"", "\"package\""),
            "lockfile.shape",
        ),
        (
            "package-lock.json",
            npm.replace("\"name\": \"app\"", "\"requires\": true"),
            "lockfile.duplicate_key",
        ),
        ("package-lock.json", npm.replace('[', "("), "lockfile.json"),
        ("package-lock.json", "[]".to_owned(), "lockfile.shape"),
        (
            "pnpm-lock.yaml",
            pnpm.replace("'9.0'", "'10.0'"),
            "lockfile.version",
        ),
        (
            "pnpm-lock.yaml",
            pnpm.replace("'@scope/real@1.2.3': {}", "x: &a {}\n\n  y: *a"),
            "lockfile.yaml_alias",
        ),
        (
            "pnpm-lock.yaml",
            pnpm.replace("  inner@2.0.0: {}", "  inner@1.0.0: {}"),
            "lockfile.duplicate_key",
        ),
        (
            "pnpm-lock.yaml",
            pnpm.replace("packages:", "packages: {"),
            "lockfile.yaml",
        ),
        (
            "yarn.lock",
            yarn.replace("outer@^1.0.0:", "<<<<<<< HEAD\nouter@^1.0.0:"),
            "lockfile.line",
        ),
        (
            "yarn.lock",
            yarn.replace("  version \"1.1.0\"", "  version \"1.1.0\"\n  version \"6.6.6\""),
            "lockfile.duplicate_key",
        ),
        (
            "yarn.lock",
            yarn.replace("\"^1.1.0\"", "\"^1.1.0"),
            "lockfile.line",
        ),
        (
            "Cargo.lock",
            cargo.replace("version = 4", "version = 5"),
            "lockfile.version",
        ),
        (
            "Cargo.lock",
            cargo.replace("version = \"0.3.0\"\n", ""),
            "lockfile.shape",
        ),
        (
            "Cargo.lock",
            cargo.replace("version = 4", "version = 4\nversion = 4"),
            "lockfile.toml",
        ),
        (
            "Gemfile.lock",
            gem.replace("PLATFORMS", "<<<<<<< HEAD"),
            "lockfile.line",
        ),
        (
            "Gemfile.lock",
            gem.replace("own (0.1.0)", "own (0.1.0"),
            "lockfile.line",
        ),
        ("go.mod", "module m\nrequire (\n".to_owned(), "lockfile.line"),
        (
            "go.mod",
            "module m\nfetch example.com/a v1\n".to_owned(),
            "lockfile.line",
        ),
        (
            "packages.lock.json",
            "{\"version\": 3}".to_owned(),
            "lockfile.version",
        ),
        ("Pipfile.lock", "{}".to_owned(), "lockfile.version"),
        ("composer.lock", "{}".to_owned(), "lockfile.shape"),
        ("uv.lock", "version = 2\n".to_owned(), "lockfile.version"),
        (
            "poetry.lock",
            "[metadata]\nlock-version = \"3.0\"\n".to_owned(),
            "lockfile.version",
        ),
        ("bun.lock", "{}".to_owned(), "lockfile.unsupported"),
        (
            "go.mod",
            "module \u{0}\nrequire a v1 v2\n".to_owned(),
            "lockfile.line",
        ),
    ] {
        assert_eq!(code(name, text.as_bytes()), expected, "{name}");
    }
    assert_eq!(code("yarn.lock", b"\xff"), "lockfile.not_utf8");
    let large = vec![b' '; MAX_LOCKFILE_BYTES as usize + 1];
    assert_eq!(code("package-lock.json", &large), "lockfile.too_large");
}

#[test]
fn an_entry_that_is_no_package_is_counted_and_the_rest_is_read() {
    let lock = r#"{"lockfileVersion":3,"packages":{
        "node_modules/good":{"version":"1.0.0","dependencies":{"absent":"*"}},
        "node_modules/con\u0007trol":{"version":"1.0.0"},
        "node_modules/":{"version":"1.0.0"},
        "node_modules/number":5,
        "node_modules/long":{"version":"LONG"}}}"#
        .replace("LONG", &"9".repeat(300));
    let read = read("package-lock.json", lock.as_bytes()).expect("a lockfile");
    assert_eq!(read.packages.len(), 1);
    assert_eq!(read.skipped, 5);
    let lock = b"com.example:left:1.0.0=a\n<<<<<<< HEAD\nleft:1.0.0=a\na:b:c:d=a\n";
    let read = super::read("gradle.lockfile", lock).expect("a lockfile");
    assert_eq!((read.packages.len(), read.skipped), (1, 3));
}

#[test]
fn cycles_end() {
    let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\", \"a\"]\n\
                [[package]]\nname = \"b\"\nversion = \"1.0.0\"\ndependencies = [\"a\"]\n";
    assert_eq!(
        show(&read("Cargo.lock", lock.as_bytes()).expect("a lockfile"))[0],
        "a@1.0.0 in . -> a@1.0.0 -> b@1.0.0"
    );
    let inventory = Files::of([("Cargo.lock", lock.as_bytes())]).inventory();
    assert!(!inventory.cyclonedx(&tool()).is_empty());
    let link =
        r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"link":true,"resolved":"node_modules/a"}}}"#;
    assert_eq!(
        read("package-lock.json", link.as_bytes())
            .expect("a lockfile")
            .packages
            .len(),
        1
    );
}

fn tool() -> Tool {
    Tool {
        name: "t".to_owned(),
        version: "1".to_owned(),
    }
}

/// Lockfiles that are cheap to write and would be dear to follow without bounds.
#[test]
fn what_would_take_long_is_refused_or_quick() {
    let many = MAX_PACKAGES + 1;
    let cargo: String = (0..many)
        .map(|at| format!("[[package]]\nname=\"a\"\nversion=\"{at}\"\n"))
        .collect();
    let nested: String = (0..40).map(|_| "{\"dependencies\":{\"a\":").collect();
    let nested = format!("{{\"lockfileVersion\":1,{}{{}}{}", &nested[1..], "}}".repeat(40));
    let place = "node_modules/a/".repeat(60);
    let dependencies: String = (0..15_000).map(|at| format!("\"x{at}\":\"\",")).collect();
    let deep = format!(
        "{{\"lockfileVersion\":3,\"packages\":{{\"{place}node_modules/b\":{{\"dependencies\":{{{}}}}}}}}}",
        dependencies.trim_end_matches(',')
    );
    let same: String = (0..15_000)
        .map(|at| {
            let hash = format!("{at:064x}");
            format!("[[package]]\nname=\"a\"\nversion=\"1\"\nsource=\"registry+x\"\nchecksum=\"{hash}\"\n")
        })
        .collect();
    let local: String = (0..15_000).map(|at| format!("-e ./{at}/x\n")).collect();
    for (name, text) in [
        ("Cargo.lock", cargo),
        ("package-lock.json", nested),
        ("package-lock.json", deep),
        ("Cargo.lock", same),
        ("requirements.txt", local),
    ] {
        let started = Instant::now();
        let inventory = Files::of([(name, text.as_bytes())]).inventory();
        let document = inventory.cyclonedx(&tool());
        assert!(!document.is_empty());
        assert_eq!(Difference::between(&inventory, &inventory.clone()).rows, []);
        // A debug build on a busy machine; without bounds these take hours.
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{name}: {:?}",
            started.elapsed()
        );
    }
}

/// Cut at every byte, and with bytes changed: never a panic, and what is read can be written.
#[test]
fn truncation_and_mutation_never_panic() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    for (sample_name, name) in SAMPLES {
        let good = sample(sample_name);
        for end in 0..good.len() {
            let _ = read(name, &good[..end]);
        }
        for _ in 0..1_500 {
            let mut bytes = good.clone();
            for _ in 0..1 + random() % 4 {
                let at = random() % bytes.len();
                match random() % 5 {
                    0 => bytes[at] = random() as u8,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"\"{}[]:,@#/\n \\-(=&*"[random() % 18]),
                    3 => {
                        let end = (at + random() % 40).min(bytes.len());
                        let piece = bytes[at..end].to_vec();
                        let to = random() % bytes.len();
                        bytes.splice(to..to, piece);
                    }
                    _ => {
                        let end = (at + random() % 40).min(bytes.len());
                        bytes.drain(at..end);
                    }
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let inventory = Files::of([(name, &bytes)]).inventory();
            if inventory.lockfiles()[0].outcome.is_ok() && random() % 20 == 0 {
                let document = inventory.cyclonedx(&tool());
                serde_json::from_slice::<serde_json::Value>(&document).expect("a document is JSON");
            }
        }
    }
}
