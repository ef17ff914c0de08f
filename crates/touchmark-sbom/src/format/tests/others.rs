//! Cargo, Go, Bundler, NuGet, Gradle and Composer.

use super::*;

#[test]
fn cargo_1_keeps_checksums_apart() {
    let expected = [
        "app@0.1.0 in . -> left@1.0.0 -> right@0.2.0",
        "pkg:cargo/left@1.0.0 SHA-256:aaaa",
        "pkg:cargo/right@0.2.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright%400123456789abcdef0123456789abcdef01234567 -> left@1.0.0",
        "direct: app@0.1.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("cargo-v1.lock"), expected);
}

#[test]
fn cargo_4_names_as_little_as_is_needed() {
    let expected = [
        "app@0.1.0 in . -> left@1.0.0 -> left@2.0.0 -> member@0.1.0 -> private@0.3.0 -> right@0.2.0",
        "pkg:cargo/left@1.0.0 SHA-256:aaaa",
        "pkg:cargo/left@2.0.0 SHA-256:bbbb",
        "member@0.1.0 in .",
        "pkg:cargo/private@0.3.0?repository_url=https:%2F%2Fcrates.example.com%2Findex SHA-256:aaaa",
        "pkg:cargo/right@0.2.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright%400123456789abcdef0123456789abcdef01234567 -> left@1.0.0",
        "direct: app@0.1.0 member@0.1.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("cargo-v4.lock"), expected);
}

#[test]
fn go_mod_decides_and_replaces() {
    let expected = [
        "pkg:golang/example.com/left@v1.0.0 -> unknown",
        "pkg:golang/example.com/right@v0.2.0%2Bincompatible -> unknown",
        "pkg:golang/example.com/other@v2.0.0 replaces=example.com/swapped v1.0 -> unknown",
        "example.com/local@v0.0.0-00010101000000-000000000000 in ./local replaces=example.com/local v0.0.0 -> unknown",
        "pkg:golang/example.com/alone@v0.1.0 -> unknown",
        "direct: example.com/Left@v1.0.0 example.com/other@v2.0.0 example.com/local@v0.0.0-00010101000000-000000000000 example.com/alone@v0.1.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("go.txt"), expected);
}

#[test]
fn bundler_has_sources_platforms_and_checksums() {
    let expected = [
        "pkg:gem/right@0.2.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright.git%400123456789abcdef -> left@1.0.0",
        "own@0.1.0 in engines/own",
        "pkg:gem/left@1.0.0 SHA-256:aaaa -> native@1.15.0 -> native@1.15.0",
        "pkg:gem/native@1.15.0",
        "pkg:gem/native@1.15.0?platform=x86_64-linux SHA-256:bbbb",
        "pkg:gem/private@0.3.0?repository_url=https:%2F%2Fgems.example.com",
        "direct: right@0.2.0 own@0.1.0 left@1.0.0 private@0.3.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("gemfile.lock"), expected);
}

#[test]
fn nuget_has_frameworks_and_runtimes() {
    let expected = [
        "pkg:nuget/Left.Core@1.0.0 contentHash=AAAA -> Right@0.2.0",
        "pkg:nuget/Right@0.2.0 contentHash=BBBB",
        "own@- in own -> Left.Core@1.0.0",
        "pkg:nuget/Right.Native@0.2.0 contentHash=CCCC -> Right@0.2.0",
        "pkg:nuget/Left.Core@1.0.1 contentHash=DDDD",
        "direct: Left.Core@1.0.0 own@- Left.Core@1.0.1; complete: true; skipped: 0",
    ];
    assert_eq!(shown("nuget.json"), expected);
}

#[test]
fn gradle_names_configurations() {
    let expected = [
        "pkg:maven/com.example/left@1.0.0 configurations=compileClasspath,runtime -> unknown",
        "pkg:maven/com.example/tester@8.0.0 dev configurations=testCompileClasspath,tes -> unknown",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("gradle.txt"), expected);
}

#[test]
fn composer_knows_what_stands_in_for_others() {
    let expected = [
        "pkg:composer/left/core@v1.0.0 commit=0123456789abcdef -> right/all@1.0.0",
        "pkg:composer/right/all@1.0.0?download_url=https:%2F%2Fcomposer.example.com%2Fright.zip SHA-1:aaaa",
        "own/package@dev-main in packages/own",
        "pkg:composer/test/unit@10.0.0 dev -> Left/Core@v1.0.0",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("composer-lock.json"), expected);
}

#[test]
fn go_sum_adds_hashes_and_nothing_else() {
    let files = Files::of([("go.mod", &sample("go.txt")), ("go.sum", &sample("go-sum.txt"))]);
    let inventory = files.inventory();
    let [lockfile] = inventory.lockfiles() else {
        panic!("one lockfile");
    };
    assert_eq!(lockfile.beside.len(), 1);
    let resolution = lockfile.outcome.as_ref().expect("a good lockfile");
    assert_eq!(resolution.packages.len(), 5);
    assert_eq!(
        resolution.packages[0].notes,
        [(
            "sum",
            "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()
        )]
    );
}

#[test]
fn go_before_1_17_does_not_list_everything() {
    for (version, complete) in [("1.16", false), ("1.17", true), ("1.22rc1", true), ("2.0", true)] {
        let text = format!("module m\ngo {version}\nrequire example.com/a v1.0.0\n");
        let resolution = read("go.mod", text.as_bytes()).expect("a good file");
        assert_eq!(resolution.complete, complete, "{version}");
    }
    assert!(!read("go.mod", b"module m\n").expect("a good file").complete);
}

#[test]
fn cargo_lock_reads_the_same() {
    let ours =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).expect("our own lockfile");
    for bytes in [ours, sample("cargo-v1.lock"), sample("cargo-v4.lock")] {
        let text = std::str::from_utf8(&bytes).expect("text");
        let theirs: cargo_lock::Lockfile = text.parse().expect("a lockfile");
        let of_theirs = |package: &cargo_lock::Package| {
            let mut on: Vec<String> = package
                .dependencies
                .iter()
                .map(|on| format!("{}@{}", on.name, on.version))
                .collect();
            on.sort();
            let checksum = package.checksum.as_ref().map(ToString::to_string);
            (
                package.name.to_string(),
                package.version.to_string(),
                checksum,
                on,
            )
        };
        let mut theirs: Vec<_> = theirs.packages.iter().map(of_theirs).collect();
        theirs.sort();
        let read = read("Cargo.lock", &bytes).expect("a good lockfile");
        assert_eq!(read.skipped, 0);
        let of_ours = |package: &Package| {
            let on = package.dependencies.iter().flatten();
            let mut on: Vec<String> = on.map(|on| label(&read.packages[*on])).collect();
            on.sort();
            let version = package.version.clone().expect("a version");
            let checksum = package.hashes.first().map(|hash| hash.hex.clone());
            (package.name.clone(), version, checksum, on)
        };
        let mut found: Vec<_> = read.packages.iter().map(of_ours).collect();
        found.sort();
        assert_eq!(found, theirs);
    }
}
