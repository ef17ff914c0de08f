//! uv, Poetry, Pipenv and pip.

use super::*;

#[test]
fn uv_has_groups_extras_and_two_versions_of_one_package() {
    let expected = [
        "app@0.1.0 in . -> left@1.0.0 -> left@2.0.0 -> private@0.3.0 -> right@0.2.0 -> tester@8.0.0",
        "pkg:pypi/left@1.0.0 [https://files.pythonhosted.org/packages/left-1.0.0-py3-none-any.whl bbbb] [https://files.pythonhosted.org/packages/left-1.0.0.tar.gz aaaa]",
        "pkg:pypi/left@2.0.0 SHA-256:aaaa",
        "pkg:pypi/private@0.3.0?repository_url=https:%2F%2Fpypi.example.com%2Fsimple",
        "pkg:pypi/right@0.2.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright%400123456789abcdef",
        "pkg:pypi/tester@8.0.0?download_url=https:%2F%2Ffiles.example.com%2Ftester-8.0.0.tar.gz dev -> left@2.0.0",
        "direct: app@0.1.0; complete: true; skipped: 0",
    ];
    assert_eq!(shown("uv.toml"), expected);
}

#[test]
fn poetry_1_keeps_all_files_at_the_end() {
    let expected = [
        "pkg:pypi/left@1.0.0 [left-1.0.0-py3-none-any.whl aaaa] [left-1.0.0.tar.gz bbbb]",
        "pkg:pypi/tester@8.0.0 dev -> left@1.0.0",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("poetry-v1.toml"), expected);
}

#[test]
fn poetry_2_has_groups_and_sources() {
    let expected = [
        "pkg:pypi/left-pad@1.0.0 SHA-256:aaaa -> right@0.2.0",
        "pkg:pypi/right@0.2.0?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright.git%400123456789abcdef optional",
        "pkg:pypi/tester@8.0.0?repository_url=https:%2F%2Fpypi.example.com%2Fsimple dev -> Left_Pad@1.0.0",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("poetry-v2.toml"), expected);
}

#[test]
fn pipenv_has_two_groups_and_named_indexes() {
    let expected = [
        "pkg:pypi/left@1.0.0 SHA-256:aaaa SHA-256:bbbb -> unknown",
        "pkg:pypi/private@0.3.0?repository_url=https:%2F%2Fpypi.example.com%2Fsimple SHA-256:aaaa -> unknown",
        "pkg:pypi/right?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright.git%400123456789abcdef -> unknown",
        "self@- in . -> unknown",
        "pkg:pypi/tester@8.0.0 dev -> unknown",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("pipfile.json"), expected);
}

#[test]
fn requirements_with_hashes_are_complete() {
    let expected = [
        "pkg:pypi/left@1.0.0 SHA-256:aaaa SHA-256:bbbb -> unknown",
        "pkg:pypi/right@0.2.0 SHA-256:aaaa marker=python_version >= \"3.8\"  -> unknown",
        "direct: unknown; complete: true; skipped: 0",
    ];
    assert_eq!(shown("pip-hashed.txt"), expected);
}

#[test]
fn requirements_without_versions_say_what_is_asked_for() {
    let expected = [
        "pkg:pypi/left-pad asks * -> unknown",
        "pkg:pypi/middle asks >= 2, < 3 -> unknown",
        "pkg:pypi/star asks == 1.* -> unknown",
        "pkg:pypi/exact@1.0%2Blocal -> unknown",
        "pkg:pypi/right?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fright.git%40v1.0 -> unknown",
        "pkg:pypi/wheel?download_url=https:%2F%2Ffiles.example.com%2Fwheel-1.0-py3-none-any.whl marker=python_version < \"4\" -> unknown",
        "own@- in ./packages/own -> unknown",
        "pkg:pypi/other?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Fother.git%40abc -> unknown",
        "thing-1.0.tar.gz@- in ./local/thing-1.0.tar.gz -> unknown",
        "direct: unknown; complete: false; skipped: 2",
    ];
    assert_eq!(shown("pip-loose.txt"), expected);
}

#[test]
fn includes_are_followed_inside_the_tree_and_counted_once() {
    let files = Files::of([
        ("deploy/requirements.txt", b"-r base.in\n-r ../shared.in\n-r ../../away.in\n-r requirements-dev.txt\n-r https://example.com/r.txt\n"),
        ("deploy/base.in", b"left==1.0.0\n-r base.in\n"),
        ("deploy/requirements-dev.txt", b"tester==8.0.0\n"),
        ("shared.in", b"right==2.0.0\n"),
    ]);
    let inventory = files.inventory();
    let [dev, all] = inventory.lockfiles() else {
        panic!("two lists");
    };
    assert_eq!(dev.path.to_string(), "deploy/requirements-dev.txt");
    let names = |resolution: &Resolution| -> Vec<String> { resolution.packages.iter().map(label).collect() };
    let all_read = all.outcome.as_ref().expect("a good list");
    assert_eq!(names(all_read), ["right@2.0.0", "left@1.0.0"]);
    assert!(!all_read.complete);
    let beside: Vec<String> = all.beside.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(beside, ["deploy/base.in", "shared.in"]);
    assert_eq!(
        names(dev.outcome.as_ref().expect("a good list")),
        ["tester@8.0.0"]
    );
}
