//! From names to commits, and from commits to ranges.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use common::Sandbox;
use touchmark_git::GitError;
use touchmark_statement::git_id::GitCommitId;

fn code<T>(result: Result<T, GitError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn case_170_names_that_could_mean_two_things() {
    let sandbox = Sandbox::new();
    let first = sandbox.commit("one");
    let second = sandbox.commit("two");
    sandbox.git(&["tag", "main", first.as_str()]);
    let short = &first.as_str()[..7];
    sandbox.git(&["tag", short, second.as_str()]);
    sandbox.git(&["update-ref", "refs/heads/refs/heads/x", first.as_str()]);
    sandbox.git(&["branch", "beef", second.as_str()]);
    sandbox.git(&["branch", first.as_str(), second.as_str()]);
    let repository = sandbox.open();
    let resolved = |text: &str| code(repository.resolve(text));
    assert_eq!(resolved("main"), "git.revision_ambiguous");
    assert_eq!(repository.resolve("refs/heads/main").unwrap(), second);
    assert_eq!(repository.resolve("refs/tags/main").unwrap(), first);
    assert_eq!(repository.resolve("heads/main").unwrap(), second);
    assert_eq!(resolved(short), "git.revision_ambiguous");
    assert_eq!(resolved("beef"), "git.revision_ambiguous");
    assert_eq!(resolved(&second.as_str()[..10]), "git.revision_abbreviated");
    assert_eq!(
        repository.resolve(first.as_str()).unwrap(),
        first,
        "a full id is that id"
    );
    assert_eq!(resolved("refs/heads/x"), "git.revision_unknown");
    assert_eq!(repository.resolve("refs/heads/refs/heads/x").unwrap(), first);
    std::fs::write(sandbox.path().join(".git/attest"), format!("{first}\n")).unwrap();
    assert_eq!(code(sandbox.open().resolve("attest")), "git.revision_unknown");
    assert_eq!(resolved("main~1"), "git.revision_syntax");
    assert_eq!(resolved("main@{1}"), "git.revision_syntax");
    assert_eq!(resolved(&"1".repeat(64)), "git.object_format");
}

#[test]
fn case_171_names_that_are_options_or_mislead() {
    let sandbox = Sandbox::new();
    let head = sandbox.commit("one");
    sandbox.git(&["update-ref", "refs/heads/-x", head.as_str()]);
    let repository = sandbox.open();
    for bad in [
        "-x",
        "--upload-pack=touch ran",
        "refs/heads/-x",
        "a\u{1b}[2J",
        "ma\u{202e}in",
        "a b",
        "",
        "../x",
    ] {
        assert_eq!(code(repository.resolve(bad)), "git.revision_syntax", "{bad:?}");
        assert_eq!(code(repository.ref_commit(bad)), "git.revision_syntax", "{bad:?}");
    }
}

#[test]
fn case_171_names_with_a_twin() {
    let sandbox = Sandbox::new();
    let head = sandbox.commit("one");
    for name in [
        "refs/heads/Fix",
        "refs/heads/fix",
        "refs/heads/caf\u{e9}",
        "refs/heads/cafe\u{301}",
    ] {
        sandbox.git(&["update-ref", name, head.as_str()]);
    }
    for packed in [false, true] {
        if packed {
            sandbox.git(&["pack-refs", "--all"]);
        }
        let repository = sandbox.open();
        for name in ["fix", "refs/heads/Fix", "refs/heads/caf\u{e9}", "cafe\u{301}"] {
            assert_eq!(code(repository.resolve(name)), "git.ref_collision", "{name}");
        }
        assert_eq!(repository.resolve("main").unwrap(), head);
    }
}

#[test]
fn annotated_tags_are_followed_and_other_objects_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "x");
    let head = sandbox.commit("one");
    sandbox.git(&["tag", "-a", "-m", "first", "v1", head.as_str()]);
    sandbox.git(&["tag", "-a", "-m", "nested", "v2", "v1"]);
    let tree = sandbox.tree("HEAD");
    sandbox.git(&["tag", "of-tree", tree.as_str()]);
    let repository = sandbox.open();
    assert_eq!(repository.resolve("v2").unwrap(), head);
    assert_eq!(repository.resolve("refs/tags/v1").unwrap(), head);
    assert_eq!(code(repository.resolve("of-tree")), "git.not_a_commit");
    let tag: GitCommitId = sandbox.git(&["rev-parse", "v1"]).parse().unwrap();
    assert_eq!(code(repository.resolve(tag.as_str())), "git.wrong_kind");
}

#[test]
fn unreadable_refs_are_errors_and_never_absent() {
    let sandbox = Sandbox::new();
    let head = sandbox.commit("one");
    let heads = sandbox.path().join(".git/refs/heads");
    std::fs::write(heads.join("junk"), "not an id\n").unwrap();
    std::fs::write(heads.join("empty"), "").unwrap();
    std::fs::write(heads.join("loop"), "ref: refs/heads/loop\n").unwrap();
    std::fs::write(heads.join("outside"), "ref: ../../../etc/passwd\n").unwrap();
    std::fs::write(heads.join("good"), "ref: refs/heads/main\n").unwrap();
    std::os::unix::fs::symlink("main", heads.join("link")).unwrap();
    let repository = sandbox.open();
    for name in ["junk", "empty", "loop", "outside", "link"] {
        assert_eq!(
            code(repository.resolve(&format!("refs/heads/{name}"))),
            "git.ref_unreadable",
            "{name}"
        );
    }
    assert_eq!(repository.resolve("good").unwrap(), head);
}

#[test]
fn heads_on_branches_detached_and_unborn() {
    let sandbox = Sandbox::new();
    let unborn = sandbox.open().head().unwrap();
    assert_eq!(
        (unborn.ref_name.as_deref(), unborn.commit),
        (Some("refs/heads/main"), None)
    );
    assert_eq!(code(sandbox.open().resolve("HEAD")), "git.revision_unknown");
    let first = sandbox.commit("one");
    let second = sandbox.commit("two");
    let head = sandbox.open().head().unwrap();
    assert_eq!(
        (head.ref_name.as_deref(), head.commit.as_ref()),
        (Some("refs/heads/main"), Some(&second))
    );
    sandbox.git(&["checkout", "--quiet", "--detach", first.as_str()]);
    let head = sandbox.open().head().unwrap();
    assert_eq!((head.ref_name, head.commit), (None, Some(first.clone())));
    assert_eq!(sandbox.open().resolve("HEAD").unwrap(), first);
}

#[test]
fn ranges_have_one_code_for_each_way_to_be_none() {
    let sandbox = Sandbox::new();
    let ids: Vec<GitCommitId> = ["one", "two", "three"].map(|name| sandbox.commit(name)).into();
    let repository = sandbox.open();
    let range = |base: &GitCommitId, head: &GitCommitId, cap| repository.linear_range(base, head, cap);
    assert_eq!(range(&ids[0], &ids[2], 2).unwrap(), ids[1..]);
    assert_eq!(code(range(&ids[0], &ids[2], 1)), "git.range_cap");
    assert_eq!(code(range(&ids[2], &ids[2], 9)), "git.empty_range");
    assert_eq!(code(range(&ids[2], &ids[0], 9)), "git.base_not_ancestor");
    let absent = "1".repeat(40).parse().unwrap();
    assert_eq!(code(range(&absent, &ids[2], 9)), "git.object_missing");
    sandbox.git(&["checkout", "--quiet", "-b", "side", ids[0].as_str()]);
    let side = sandbox.commit("side");
    assert_eq!(
        code(sandbox.open().linear_range(&side, &ids[2], 9)),
        "git.base_not_ancestor"
    );
    sandbox.git(&["merge", "--quiet", "--no-edit", "main"]);
    let merge = sandbox.id("HEAD");
    assert_eq!(
        code(sandbox.open().linear_range(&ids[0], &merge, 9)),
        "git.not_linear"
    );
    assert_eq!(sandbox.open().root_commits(9).unwrap(), ids[..1]);
}

#[test]
fn the_base_of_a_branch_is_where_it_left_its_upstream() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.open().upstream_base(9).unwrap(), None);
    let first = sandbox.commit("one");
    assert_eq!(sandbox.open().upstream_base(9).unwrap(), None);
    let second = sandbox.commit("two");
    sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
    sandbox.commit("three");
    assert_eq!(sandbox.open().upstream_base(9).unwrap(), Some(second.clone()));
    sandbox.git(&["update-ref", "refs/remotes/origin/main", first.as_str()]);
    assert_eq!(sandbox.open().upstream_base(9).unwrap(), Some(first));
    sandbox.git(&["branch", "--quiet", "--set-upstream-to=main"]);
    assert_eq!(sandbox.open().upstream_base(9).unwrap(), Some(second));
}
