//! npm, pnpm and Yarn.

use super::*;

#[test]
fn npm_1_is_laid_out_as_it_would_be_installed() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 SHA-512:0000 alias=alias",
        "pkg:npm/git?vcs_url=git%2Bssh:%2F%2Fgit.example.com%2Forg%2Fgit.git%400123456789abcdef",
        "here@- in packages/here",
        "pkg:npm/inner@2.0.0 dev SHA-1:0000",
        "pkg:npm/inner@1.0.0?repository_url=https:%2F%2Fnpm.example.com%2Fapi optional SHA-512:0000 bundled=true",
        "pkg:npm/outer@1.0.0 SHA-512:0000 -> @scope/real@1.2.3 -> inner@1.0.0",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("npm-v1.json"), expected);
}

#[test]
fn npm_3_follows_links_and_tells_where_a_file_is_from() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 SHA-512:0000 alias=alias",
        "pkg:npm/git@3.0.0?vcs_url=git%2Bssh:%2F%2Fgit.example.com%2Forg%2Fgit.git%400123456789abcdef SHA-512:0000",
        "pkg:npm/inner@2.0.0 dev SHA-512:0000",
        "pkg:npm/outer@1.0.0 SHA-512:0000 -> @scope/real@1.2.3 -> inner@1.0.0",
        "pkg:npm/inner@1.0.0?repository_url=https:%2F%2Fnpm.example.com%2Fapi optional SHA-512:0000 bundled=true",
        "pkg:npm/swapped@1.0.0?download_url=https:%2F%2Fregistry.npmjs.org%2Fother%2F-%2Fother-1.0.0.tgz SHA-512:0000",
        "@w/a@0.1.0 in packages/a -> git@3.0.0 -> outer@1.0.0 -> away@-",
        "away@- in ../away -> unknown",
        "direct: @scope/real@1.2.3 inner@2.0.0 outer@1.0.0 swapped@1.0.0 @w/a@0.1.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("npm-v3.json"), expected);
}

#[test]
fn pnpm_5_knows_hosts_and_peers_in_its_keys() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 SHA-512:0000",
        "pkg:npm/inner@2.0.0 dev SHA-512:0000",
        "pkg:npm/outer@1.0.0 optional SHA-512:0000 -> @scope/real@1.2.3 -> inner@2.0.0",
        "pkg:npm/git@3.0.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Forg%2Fgit%400123456789abcdef",
        "pkg:npm/other@1.0.0?repository_url=https:%2F%2Fnpm.example.com SHA-512:0000",
        "direct: @scope/real@1.2.3 inner@2.0.0 outer@1.0.0 git@3.0.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("pnpm-v5.yaml"), expected);
}

#[test]
fn pnpm_6_has_peers_in_brackets() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 SHA-512:0000",
        "pkg:npm/inner@2.0.0 dev SHA-512:0000",
        "pkg:npm/outer@1.0.0 SHA-512:0000 -> @scope/real@1.2.3 -> inner@2.0.0",
        "direct: @scope/real@1.2.3 inner@2.0.0 outer@1.0.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("pnpm-v6.yaml"), expected);
}

#[test]
fn pnpm_9_tells_packages_from_snapshots_and_has_importers() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 SHA-512:0000",
        "pkg:npm/inner@1.0.0 SHA-512:0000",
        "pkg:npm/inner@2.0.0 optional SHA-512:0000",
        "pkg:npm/outer@1.0.0 SHA-512:0000 -> @scope/real@1.2.3 -> inner@1.0.0",
        "pkg:npm/tarball@4.0.0?download_url=https:%2F%2Ffiles.example.com%2Ftarball.tgz optional -> inner@2.0.0",
        "packages/a@- in packages/a -> outer@1.0.0 -> tarball@4.0.0 -> packages/b@-",
        "packages/b@- in packages/b",
        "direct: @scope/real@1.2.3 inner@2.0.0 packages/a@- packages/b@-; complete: true; skipped: 0",
    ];
    assert_eq!(shown("pnpm-v9.yaml"), expected);
}

#[test]
fn yarn_1_has_a_format_of_its_own() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 SHA-512:0000",
        "pkg:npm/git@3.0.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Forg%2Fgit.git%400123456789abcdef",
        "pkg:npm/inner@1.1.0 SHA-1:bbbb",
        "pkg:npm/outer@1.0.0 SHA-512:0000 -> @scope/real@1.2.3 -> inner@1.1.0",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("yarn-v1.lock"), expected);
}

#[test]
fn yarn_8_has_locators_patches_and_workspaces() {
    let expected = [
        "pkg:npm/%40scope/real@1.2.3 checksum=10c0/aaaaaaaaaaaaaaaaaaa",
        "@w/a@- in packages/a -> outer@1.0.0",
        "app@- in . -> @scope/real@1.2.3 -> @w/a@- -> git@3.0.0",
        "pkg:npm/git@3.0.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Forg%2Fgit.git%400123456789abcdef checksum=10c0/aaaaaaaaaaaaaaaaaaa",
        "pkg:npm/inner@1.1.0?repository_url=https:%2F%2Fnpm.example.com checksum=10c0/aaaaaaaaaaaaaaaaaaa",
        "pkg:npm/outer@1.0.0 checksum=10c0/aaaaaaaaaaaaaaaaaaa -> @scope/real@1.2.3 -> inner@1.1.0",
        "pkg:npm/outer@1.0.0 patched=outer@patch:outer@npm%3A checksum=10c0/bbbbbbbbbbbbbbbbbbb",
        "direct: @w/a@- app@-; complete: true; skipped: 0",
    ];
    assert_eq!(shown("yarn-v8.lock"), expected);
}

#[test]
fn pnpm_11_has_a_document_for_itself() {
    let tree = String::from_utf8(sample("pnpm-v9.yaml")).expect("text");
    let own = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    packageManagerDependencies:\n      '@pnpm/exe':\n        \
               specifier: 11.0.0\n        version: 11.0.0\n\npackages:\n\n  '@pnpm/exe@11.0.0':\n    resolution: \
               {integrity: sha512-x}\n\nsnapshots:\n\n  '@pnpm/exe@11.0.0': {}\n\n---\n";
    let lines = show(&read("pnpm-lock.yaml", format!("{own}{tree}").as_bytes()).expect("a good lockfile"));
    assert_eq!(lines[0], "pkg:npm/%40pnpm/exe@11.0.0 dev");
    assert_eq!(
        lines[1..lines.len() - 1],
        shown("pnpm-v9.yaml")[..lines.len() - 2]
    );
}

#[test]
fn two_tables_for_different_versions_of_npm_are_not_chosen_between() {
    let text = r#"{"lockfileVersion":1,"dependencies":{},"packages":{"node_modules/a":{"version":"1.0.0"}}}"#;
    assert_eq!(
        read("package-lock.json", text.as_bytes())
            .expect_err("two")
            .code(),
        "lockfile.shape"
    );
    let text = r#"{"lockfileVersion":2,"dependencies":{"a":{"version":"1.0.0"}}}"#;
    assert_eq!(
        read("package-lock.json", text.as_bytes())
            .expect("one")
            .packages
            .len(),
        1
    );
    assert_eq!(
        read("package-lock.json", b"{}").expect("nothing").packages.len(),
        0
    );
}

#[test]
fn pnpm_keys_that_are_no_packages_are_counted() {
    let text = "lockfileVersion: 5.4\npackages:\n  /@x:\n  github.com/kevva/is-positive:\n  invalid:\n  /a/1.0.0:\n  \
                host.example.com/@s/b/1.3.0_c@2.0.0:\n";
    let read = read("pnpm-lock.yaml", text.as_bytes()).expect("a lockfile");
    assert_eq!(show(&read)[..2], ["pkg:npm/a@1.0.0", "pkg:npm/%40s/b@1.3.0"]);
    assert_eq!(read.skipped, 3);
}
