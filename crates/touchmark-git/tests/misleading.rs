//! What a repository or a change can hold to mislead other readers of its history.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use std::os::unix::fs::PermissionsExt as _;

use common::{Sandbox, git_in, rows};
use touchmark_git::{Finding, Repository};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitBlobId, GitCommitId};
use touchmark_verify::git_view::{GitView as _, PathChange};

#[test]
fn case_159_a_replaced_object_is_refused_and_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "good");
    let good = sandbox.commit("good");
    let good_tree = sandbox.tree("HEAD");
    sandbox.write("a", "evil");
    let evil = sandbox.commit("evil");
    assert_eq!(sandbox.open().findings(), []);
    sandbox.git(&["replace", good.as_str(), evil.as_str()]);
    let repository = sandbox.open();
    assert_eq!(repository.commit(&good).unwrap_err().code(), "git.replaced");
    assert_eq!(
        repository.linear_range(&good, &evil, 10).unwrap_err().code(),
        "git.replaced"
    );
    assert_eq!(
        repository.findings(),
        [Finding::ReplaceRefs {
            replaced: vec![good.to_string()]
        }]
    );
    assert_eq!(repository.findings()[0].code(), "git.replace_refs");
    sandbox.git(&["pack-refs", "--all"]);
    assert_eq!(sandbox.open().commit(&good).unwrap_err().code(), "git.replaced");
    sandbox.git(&["replace", "-d", good.as_str()]);
    sandbox.git(&["replace", good_tree.as_str(), sandbox.tree("HEAD").as_str()]);
    assert_eq!(
        sandbox.open().tree_digest(&good_tree).unwrap_err().code(),
        "git.replaced"
    );
    assert!(sandbox.open().commit(&good).is_ok());
}

#[test]
fn case_160_grafts_never_change_history() {
    let sandbox = Sandbox::new();
    let ids: Vec<GitCommitId> = ["one", "two", "three"].map(|name| sandbox.commit(name)).into();
    let range = |repository: &Repository| repository.linear_range(&ids[0], &ids[2], 10);
    assert_eq!(range(&sandbox.open()).unwrap(), ids[1..]);
    std::fs::create_dir_all(sandbox.path().join(".git/info")).unwrap();
    std::fs::write(sandbox.path().join(".git/info/grafts"), format!("{}\n", ids[1])).unwrap();
    let repository = sandbox.open();
    assert_eq!(range(&repository).unwrap_err().code(), "git.grafted");
    assert_eq!(
        repository.findings(),
        [Finding::Grafts {
            commits: vec![ids[1].to_string()]
        }]
    );
    let head = repository.commit(&ids[2]).unwrap();
    assert_eq!(head.parents, [ids[1].clone()]);
}

#[test]
fn case_160_a_shallow_boundary_inside_the_range_is_not_the_root() {
    let sandbox = Sandbox::new();
    let ids: Vec<GitCommitId> = ["one", "two", "three", "four"]
        .map(|name| sandbox.commit(name))
        .into();
    let clone = tempfile::tempdir().unwrap();
    let source = format!("file://{}", sandbox.path().display());
    git_in(
        clone.path(),
        &["clone", "--quiet", "--depth=2", &source, "shallow"],
    );
    let repository = Repository::open(&clone.path().join("shallow")).unwrap();
    assert!(repository.is_shallow());
    let range = |base: &GitCommitId| repository.linear_range(base, &ids[3], 10);
    assert_eq!(range(&ids[2]).unwrap(), ids[3..]);
    assert_eq!(range(&ids[0]).unwrap_err().code(), "git.shallow");
    assert_eq!(repository.root_commits(10).unwrap_err().code(), "git.shallow");
    // The boundary is believed even where the objects behind it are at hand.
    std::fs::write(sandbox.path().join(".git/shallow"), format!("{}\n", ids[2])).unwrap();
    let error = sandbox.open().linear_range(&ids[0], &ids[3], 10).unwrap_err();
    assert_eq!(error.code(), "git.shallow");
    assert_eq!(
        sandbox.open().linear_range(&ids[2], &ids[3], 10).unwrap(),
        ids[3..]
    );
}

#[test]
fn case_161_commit_graph_multi_pack_index_and_bitmaps_have_no_influence() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1");
    let base = sandbox.commit("one");
    sandbox.write("a", "2");
    let head = sandbox.commit("two");
    let truth = (sandbox.tree("HEAD~1"), sandbox.tree("HEAD"));
    sandbox.git(&["repack", "-adq", "--write-bitmap-index"]);
    sandbox.git(&["multi-pack-index", "write"]);
    sandbox.git(&["commit-graph", "write", "--reachable"]);
    // The forged graph gives both commits the first one's tree; git believes it.
    let graph = sandbox.path().join(".git/objects/info/commit-graph");
    let mut bytes = std::fs::read(&graph).unwrap();
    let raw = |id: &str| -> Vec<u8> {
        (0..40)
            .step_by(2)
            .map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap())
            .collect()
    };
    let (from, to) = (raw(truth.1.as_str()), raw(truth.0.as_str()));
    let at = bytes.windows(20).position(|window| window == from).unwrap();
    bytes[at..at + 20].copy_from_slice(&to);
    std::fs::set_permissions(&graph, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&graph, bytes).unwrap();
    assert_eq!(
        sandbox.git(&["log", "-1", "--format=%T"]),
        truth.0.as_str(),
        "git is misled"
    );
    for entry in std::fs::read_dir(sandbox.path().join(".git/objects/pack")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".bitmap") || name.starts_with("multi-pack-index") {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            std::fs::write(&path, "forged").unwrap();
        }
    }
    let repository = sandbox.open();
    assert_eq!(repository.commit(&head).unwrap().tree, truth.1);
    assert_eq!(
        repository.linear_range(&base, &head, 10).unwrap(),
        std::slice::from_ref(&head)
    );
    assert_eq!(rows(&repository, &truth.0, &truth.1), ["M a"]);
}

#[test]
fn case_162_alternates_are_reported_and_re_hashed() {
    let lender = Sandbox::new();
    lender.write("a", "good\n");
    let commit = lender.commit("one");
    let blob = lender.git(&["rev-parse", "HEAD:a"]);
    let borrower = Sandbox::new();
    let objects = lender.path().join(".git/objects").canonicalize().unwrap();
    std::fs::write(
        borrower.path().join(".git/objects/info/alternates"),
        format!("{}\n", objects.display()),
    )
    .unwrap();
    let repository = borrower.open();
    assert_eq!(
        repository.findings(),
        [Finding::Alternates {
            folders: vec![objects]
        }]
    );
    assert!(repository.commit(&commit).is_ok());
    let evil = lender.store("blob", b"evil\n");
    lender.swap(&blob, &evil);
    let blob = blob.parse().unwrap();
    assert_eq!(
        borrower.open().blob_digest(&blob).unwrap_err().code(),
        "git.object_mismatch"
    );
}

#[test]
fn case_166_attributes_do_not_hide_content() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "$Id$\r\n");
    let base = sandbox.commit("one");
    sandbox.write(
        ".gitattributes",
        "* -diff binary export-ignore ident eol=crlf text=auto\n",
    );
    sandbox.write("a.txt", "$Id$\r\nmore\r\n");
    sandbox.git(&["-c", "core.safecrlf=false", "commit", "--quiet", "-am", "two"]);
    let head = sandbox.commit("three");
    let repository = sandbox.open();
    let (base, head) = (
        repository.commit(&base).unwrap().tree,
        repository.commit(&head).unwrap().tree,
    );
    assert_eq!(rows(&repository, &base, &head), ["A .gitattributes", "M a.txt"]);
    let stored = sandbox.git_bytes(&["cat-file", "blob", "HEAD:a.txt"]);
    let read = repository
        .read_path(&head, &"a.txt".parse().unwrap(), 100)
        .unwrap()
        .unwrap();
    assert_eq!(read, stored);
    let id: GitBlobId = sandbox.git(&["rev-parse", "HEAD:a.txt"]).parse().unwrap();
    assert_eq!(
        repository.blob_digest(&id).unwrap(),
        (Sha256Digest::of(&stored), stored.len() as u64)
    );
}

#[test]
fn case_167_merges_are_compared_with_every_parent() {
    let sandbox = Sandbox::new();
    sandbox.write("shared", "0");
    let base = sandbox.commit("base");
    let mut sides = Vec::new();
    for side in ["one", "two", "three"] {
        sandbox.git(&["checkout", "--quiet", "-b", side, base.as_str()]);
        sandbox.write(side, "x");
        sides.push(sandbox.commit(side));
    }
    sandbox.git(&["checkout", "--quiet", "-b", "octopus", base.as_str()]);
    sandbox.git(&["merge", "--quiet", "--no-edit", "one", "two", "three"]);
    let octopus = sandbox.id("HEAD");
    // An evil merge brings what neither side has; `-s ours` drops what the other side has.
    sandbox.git(&["checkout", "--quiet", "one"]);
    sandbox.git(&["merge", "--quiet", "--no-commit", "--no-ff", "two"]);
    sandbox.write("smuggled", "evil");
    let evil = sandbox.commit("evil merge");
    sandbox.git(&["checkout", "--quiet", "-b", "dropped", sides[0].as_str()]);
    sandbox.git(&["merge", "--quiet", "-s", "ours", "--no-edit", "two"]);
    let dropped = sandbox.id("HEAD");

    let repository = sandbox.open();
    let tree = |id: &GitCommitId| repository.commit(id).unwrap().tree;
    for (merge, parents) in [(&octopus, 3), (&evil, 2), (&dropped, 2)] {
        assert_eq!(repository.commit(merge).unwrap().parents.len(), parents);
        assert_eq!(
            repository.linear_range(&base, merge, 10).unwrap_err().code(),
            "git.not_linear"
        );
    }
    assert_eq!(
        rows(&repository, &tree(&sides[0]), &tree(&evil)),
        ["A smuggled", "A two"]
    );
    assert_eq!(
        rows(&repository, &tree(&sides[1]), &tree(&evil)),
        ["A one", "A smuggled"]
    );
    assert_eq!(
        rows(&repository, &tree(&sides[1]), &tree(&dropped)),
        ["A one", "D two"]
    );
    assert_eq!(
        rows(&repository, &tree(&sides[0]), &tree(&octopus)),
        ["A three", "A two"]
    );
}

#[test]
fn case_169_modes_symlinks_and_submodules_are_changes() {
    let sandbox = Sandbox::new();
    sandbox.write("tool", "#!/bin/sh\n");
    sandbox.write("kind", "target");
    sandbox.write("dir/file", "x");
    let base = sandbox.commit("one");
    std::fs::set_permissions(
        sandbox.path().join("tool"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    std::fs::remove_file(sandbox.path().join("kind")).unwrap();
    std::os::unix::fs::symlink("target", sandbox.path().join("kind")).unwrap();
    std::fs::remove_dir_all(sandbox.path().join("dir")).unwrap();
    sandbox.write("dir", "now a file");
    sandbox.git(&["add", "-A"]);
    let pinned = "1".repeat(40);
    sandbox.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{pinned},sub"),
    ]);
    sandbox.git(&["commit", "--quiet", "-m", "two"]);
    let repository = sandbox.open();
    let trees = (repository.commit(&base).unwrap().tree, sandbox.tree("HEAD"));
    let changes = repository.changed_paths(&trees.0, &trees.1).unwrap();
    let shown = |change: &PathChange| {
        let mode = |side: &Option<touchmark_verify::git_view::TreeEntry>| {
            side.as_ref()
                .map_or("-".to_owned(), |entry| entry.mode.to_string())
        };
        format!("{} {} {}", change.path, mode(&change.from), mode(&change.to))
    };
    assert_eq!(
        changes.iter().map(shown).collect::<Vec<_>>(),
        [
            "dir - 100644",
            "dir/file 100644 -",
            "kind 100644 120000",
            "sub - 160000",
            "tool 100644 100755"
        ]
    );
    let sub = changes
        .iter()
        .find(|change| change.path.as_bytes() == b"sub")
        .unwrap();
    assert_eq!(sub.to.as_ref().unwrap().id.as_str(), pinned);
    let kind = repository
        .read_path(&trees.1, &"kind".parse().unwrap(), 10)
        .unwrap_err();
    assert_eq!(kind.code(), "git.not_a_file");
}

#[test]
fn case_171_paths_that_are_options_or_twins() {
    let sandbox = Sandbox::new();
    sandbox.write("README", "x");
    sandbox.write("src/a", "x");
    let base = sandbox.commit("one");
    let base_tree = sandbox.tree("HEAD");
    for (path, expected) in [
        ("-rf", "ok"),
        ("--output=x", "ok"),
        ("a\u{1b}[2Jb", "ok"),
        ("bidi\u{202e}txt", "ok"),
        ("readme", "git.path_collision"),
        ("Src/b", "git.path_collision"),
        ("src/A", "git.path_collision"),
        ("src/b", "ok"),
    ] {
        sandbox.git(&["reset", "--quiet", "--hard", base.as_str()]);
        sandbox.write(path, "new");
        sandbox.commit("two");
        let changed = sandbox.open().changed_paths(&base_tree, &sandbox.tree("HEAD"));
        assert_eq!(
            changed.map_or_else(|error| error.code(), |_| "ok"),
            expected,
            "{path:?}"
        );
    }
    sandbox.git(&["reset", "--quiet", "--hard", base.as_str()]);
    sandbox.write("caf\u{e9}", "one");
    sandbox.write("cafe\u{301}", "two");
    sandbox.commit("two forms of one name");
    let with_twins = sandbox.tree("HEAD");
    let error = sandbox.open().changed_paths(&base_tree, &with_twins).unwrap_err();
    assert_eq!(error.code(), "git.path_collision");
    // Twins that were there before do not stand in the way of other changes.
    sandbox.write("other", "x");
    sandbox.commit("three");
    assert_eq!(
        rows(&sandbox.open(), &with_twins, &sandbox.tree("HEAD")),
        ["A other"]
    );
}

#[test]
fn case_172_mailmap_and_renamed_authors_have_no_effect() {
    let sandbox = Sandbox::new();
    sandbox.write(
        ".mailmap",
        "Trusted Person <trusted@example.com> <author@example.com>\n",
    );
    sandbox.git(&["config", "mailmap.file", ".mailmap"]);
    let id = sandbox.commit("one");
    assert_eq!(
        sandbox.git(&["log", "-1", "--format=%aE"]),
        "trusted@example.com",
        "git follows it"
    );
    let commit = sandbox.open().commit(&id).unwrap();
    assert_eq!(
        (commit.author.name.as_slice(), commit.author.email.as_slice()),
        (&b"A U Thor"[..], &b"author@example.com"[..])
    );
}

#[test]
fn case_175_trailers_name_nobody() {
    let sandbox = Sandbox::new();
    let plain = sandbox.commit("change");
    let claimed = sandbox.commit(
        "change\n\nSigned-off-by: Boss <boss@example.com>\nCo-authored-by: Agent <agent@example.com>",
    );
    let repository = sandbox.open();
    let (plain, claimed) = (
        repository.commit(&plain).unwrap(),
        repository.commit(&claimed).unwrap(),
    );
    assert_eq!(
        (plain.author, plain.committer),
        (claimed.author, claimed.committer)
    );
}

#[test]
fn a_folder_without_entries_is_no_change_that_nobody_sees() {
    let sandbox = Sandbox::new();
    let (blob, empty) = (sandbox.store("blob", b"x"), sandbox.store("tree", b""));
    let folder = |mode: &str, name: &str, id: &str| {
        let mut bytes = format!("{mode} {name}\0").into_bytes();
        bytes.extend((0..20).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()));
        bytes
    };
    let tree = |parts: &[Vec<u8>]| -> String { sandbox.store("tree", &parts.concat()) };
    let id = |hex: &str| hex.parse::<touchmark_statement::git_id::GitTreeId>().unwrap();
    let inner = tree(&[folder("100644", "policy.toml", &blob)]);
    let with_empty = tree(&[
        folder("100644", "policy.toml", &blob),
        folder("40000", "suspects", &empty),
    ]);
    let base = tree(&[folder("40000", ".touchmark", &inner)]);
    let repository = sandbox.open();
    for result in [
        tree(&[folder("40000", ".touchmark", &with_empty)]),
        tree(&[folder("40000", ".touchmark", &empty)]),
        tree(&[
            folder("40000", ".touchmark", &inner),
            folder("40000", "b", &tree(&[folder("40000", "c", &empty)])),
        ]),
    ] {
        let error = repository.changed_paths(&id(&base), &id(&result)).unwrap_err();
        assert_eq!(error.code(), "git.tree_empty_folder");
        // One that is there already may go.
        assert!(repository.changed_paths(&id(&result), &id(&base)).is_ok());
    }
}
