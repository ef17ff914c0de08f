//! Evidence refs: filed, found, united, capped.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use std::process::Stdio;

use common::{Sandbox, evidence, evidence_name, git_in};
use touchmark_git::{EvidenceItem, EvidenceKey, OpenOptions, Repository, limits};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::GitView as _;

fn contents(repository: &Repository, key: &EvidenceKey) -> Vec<String> {
    let set = repository.read_evidence(key).expect("readable evidence");
    let mut found: Vec<String> = set
        .files
        .into_iter()
        .map(|file| String::from_utf8(file.bytes).expect("text"))
        .collect();
    found.sort();
    found
}

/// A bare repository and clones of it that have one commit.
fn remote_and_clones(count: usize) -> (tempfile::TempDir, Vec<Repository>, GitCommitId) {
    let folder = tempfile::tempdir().unwrap();
    git_in(
        folder.path(),
        &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"],
    );
    let seed = Sandbox::new();
    seed.write("a", "x");
    let commit = seed.commit("one");
    let url = folder.path().join("remote.git");
    seed.git(&["push", "--quiet", url.to_str().unwrap(), "main"]);
    let clones = (0..count).map(|number| {
        let name = format!("clone{number}");
        git_in(folder.path(), &["clone", "--quiet", "remote.git", &name]);
        let options = OpenOptions {
            git: Some(common::git_program()),
            ..OpenOptions::default()
        };
        Repository::open_with(&folder.path().join(name), options).unwrap()
    });
    let clones = clones.collect();
    (folder, clones, commit)
}

#[test]
fn evidence_is_filed_by_exact_name_and_united() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "x");
    let commit = sandbox.commit("one");
    let repository = sandbox.open();
    let key = EvidenceKey::Commit(commit.clone());
    assert_eq!(contents(&repository, &key), Vec::<String>::new());
    let written = repository
        .write_evidence(&[evidence(&commit, b"first")], true)
        .unwrap();
    assert_eq!(written[0].added, 1);
    assert_eq!(sandbox.id(&key.ref_name()), written[0].commit);
    let again = repository
        .write_evidence(&[evidence(&commit, b"first")], true)
        .unwrap();
    assert_eq!((again[0].added, &again[0].commit), (0, &written[0].commit));
    let second = repository
        .write_evidence(&[evidence(&commit, b"second")], true)
        .unwrap();
    assert_eq!(contents(&repository, &key), ["first", "second"]);
    let parents = repository.commit(&second[0].commit).unwrap().parents;
    assert_eq!(parents, [written[0].commit.clone(), commit.clone()]);
    assert_eq!(
        repository.commit(&written[0].commit).unwrap().parents,
        std::slice::from_ref(&commit)
    );
    sandbox.git(&["fsck", "--strict"]);

    let tree = EvidenceKey::Tree(sandbox.tree("HEAD"));
    let name = evidence_name(b"third");
    let item = EvidenceItem {
        key: tree.clone(),
        name,
        bytes: b"third".to_vec(),
        attests: Some(commit.clone()),
    };
    let filed = repository
        .write_evidence(std::slice::from_ref(&item), true)
        .unwrap();
    assert_eq!(repository.commit(&filed[0].commit).unwrap().parents, [commit]);
    let found: Vec<EvidenceKey> = repository
        .list_evidence()
        .unwrap()
        .into_iter()
        .map(|found| found.key)
        .collect();
    assert_eq!(found, [key.clone(), tree.clone()]);
    sandbox.git(&["pack-refs", "--all"]);
    let repository = sandbox.open();
    assert_eq!(repository.list_evidence().unwrap().len(), 2);
    assert_eq!(contents(&repository, &key), ["first", "second"]);
    assert_eq!(contents(&repository, &tree), ["third"]);
}

#[test]
fn the_same_evidence_makes_the_same_commit_and_objects_need_not_be_kept() {
    let make = |keep| {
        let sandbox = Sandbox::new();
        let commit = sandbox.commit("one");
        let written = sandbox
            .open()
            .write_evidence(&[evidence(&commit, b"x")], keep)
            .unwrap();
        let parents = sandbox.open().commit(&written[0].commit).unwrap().parents.len();
        (written[0].commit.clone(), parents)
    };
    assert_eq!(make(true), make(true));
    assert_eq!((make(true).1, make(false).1), (1, 0));
}

#[test]
fn squashed_work_stays_readable() {
    let sandbox = Sandbox::new();
    let base = sandbox.commit("base");
    sandbox.write("a", "x");
    let work = sandbox.commit("work");
    sandbox
        .open()
        .write_evidence(&[evidence(&work, b"x")], true)
        .unwrap();
    sandbox.git(&["reset", "--quiet", "--hard", base.as_str()]);
    sandbox.git(&["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(&["gc", "--quiet", "--prune=now"]);
    assert!(sandbox.open().commit(&work).is_ok());
}

#[test]
fn nobody_displaces_evidence_by_taking_its_name() {
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("one");
    let repository = sandbox.open();
    let mut garbage = evidence(&commit, b"garbage");
    garbage.name = evidence_name(b"good");
    repository.write_evidence(&[garbage.clone()], true).unwrap();
    let good = evidence(&commit, b"good");
    assert_eq!(
        repository
            .write_evidence(std::slice::from_ref(&good), true)
            .unwrap()[0]
            .added,
        1
    );
    assert_eq!(
        repository.write_evidence(&[good.clone(), garbage], true).unwrap()[0].added,
        0
    );
    assert_eq!(contents(&repository, &good.key), ["garbage", "good"]);
    let set = repository.read_evidence(&good.key).unwrap();
    assert!(
        set.files
            .iter()
            .all(|file| file.name.payload() == good.name.payload())
    );
}

/// Points a key's ref to a commit over a tree of git's making.
fn plant(sandbox: &Sandbox, key: &EvidenceKey, lines: &str) {
    use std::io::Write as _;
    let mut command = common::git_command(sandbox.path(), &["mktree", "--missing"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let tree = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let commit = sandbox.git(&["commit-tree", "-m", "planted", tree.trim_end()]);
    sandbox.git(&["update-ref", &key.ref_name(), &commit]);
}

#[test]
fn entries_that_are_not_evidence_are_ignored_and_listed() {
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("one");
    let key = EvidenceKey::Commit(commit.clone());
    let good = evidence_name(b"good");
    let (blob, tree) = (sandbox.store("blob", b"good"), sandbox.store("tree", b""));
    let other = |byte: char| format!("{}-{}.sigstore.json", byte.to_string().repeat(64), "5".repeat(64));
    let lines = format!(
        "100644 blob {blob}\t{good}\n120000 blob {blob}\t{}\n160000 commit {commit}\t{}\n040000 tree {tree}\t{}\n\
         100755 blob {blob}\t{}\n100644 blob {blob}\tREADME\n",
        other('a'),
        other('b'),
        other('c'),
        other('d')
    );
    plant(&sandbox, &key, &lines);
    let set = sandbox.open().read_evidence(&key).unwrap();
    assert_eq!(
        set.files.iter().map(|file| &file.name).collect::<Vec<_>>(),
        [&good]
    );
    let ignored: Vec<&str> = set.ignored.iter().map(|entry| entry.mode.as_str()).collect();
    assert_eq!(ignored, ["100644", "120000", "160000", "040000", "100755"]);
}

#[test]
fn a_cap_that_is_reached_is_no_shorter_answer() {
    let sandbox = Sandbox::new();
    let key = EvidenceKey::Commit(sandbox.commit("one"));
    let blob = sandbox.store("blob", b"x");
    let lines: String = (0..=limits::MAX_EVIDENCE_FILES)
        .map(|number| {
            format!(
                "100644 blob {blob}\t{number:064x}-{}.sigstore.json\n",
                "5".repeat(64)
            )
        })
        .collect();
    plant(&sandbox, &key, &lines);
    let repository = sandbox.open();
    assert_eq!(
        repository.read_evidence(&key).unwrap_err().code(),
        "git.evidence_cap"
    );
    let wanted = format!("{:064x}", 7);
    let few = repository
        .read_evidence_where(&key, &|name| name.payload() == wanted)
        .unwrap();
    assert_eq!(few.files.len(), 1, "what the caller does not want does not count");
}

#[test]
fn no_ref_is_no_evidence_and_an_unreadable_one_is_an_error() {
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("one");
    let key = EvidenceKey::Commit(commit.clone());
    let file = sandbox.path().join(".git").join(key.ref_name());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    for (content, expected) in [
        ("junk\n".to_owned(), "git.ref_unreadable"),
        ("ref: refs/heads/main\n".to_owned(), "git.ref_unreadable"),
        (format!("{}\n", "1".repeat(40)), "git.object_missing"),
        (format!("{}\n", sandbox.tree("HEAD")), "git.wrong_kind"),
    ] {
        std::fs::write(&file, content).unwrap();
        assert_eq!(sandbox.open().read_evidence(&key).unwrap_err().code(), expected);
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(sandbox.open().read_evidence(&key).unwrap().files, []);
    let other = EvidenceKey::Commit("1".repeat(64).parse().unwrap());
    assert_eq!(
        sandbox.open().read_evidence(&other).unwrap_err().code(),
        "git.object_format"
    );
    let written = sandbox
        .open()
        .write_evidence(&[evidence(&commit, b"x")], true)
        .unwrap();
    let blob = sandbox.git(&["ls-tree", written[0].commit.as_str(), "--object-only"]);
    std::fs::remove_file(sandbox.object_file(&blob)).unwrap();
    assert_eq!(
        sandbox.open().read_evidence(&key).unwrap_err().code(),
        "git.object_missing"
    );
}

#[test]
fn case_174_evidence_about_another_commit_is_handed_out_with_its_place() {
    let sandbox = Sandbox::new();
    let about = sandbox.commit("about");
    let other = sandbox.commit("other");
    let mut item = evidence(&other, b"a statement about the first commit");
    item.attests = Some(about.clone());
    let repository = sandbox.open();
    repository
        .write_evidence(std::slice::from_ref(&item), true)
        .unwrap();
    // The place decides nothing here: whoever binds statements sees where each was found, and the other key is empty.
    let set = repository.read_evidence(&item.key).unwrap();
    assert_eq!(set.files[0].ref_name, EvidenceKey::Commit(other).ref_name());
    assert_eq!(
        repository
            .read_evidence(&EvidenceKey::Commit(about))
            .unwrap()
            .files,
        []
    );
}

#[test]
fn pushes_unite_with_what_others_pushed() {
    let (folder, clones, commit) = remote_and_clones(3);
    let key = EvidenceKey::Commit(commit.clone());
    let keys = std::slice::from_ref(&key);
    assert_eq!(clones[0].fetch_evidence("origin", keys).unwrap(), 0);
    assert_eq!(clones[0].push_evidence("origin", keys).unwrap().refs, 0);
    for (clone, text) in clones.iter().zip(["one", "two", "three"]) {
        clone
            .write_evidence(&[evidence(&commit, text.as_bytes())], true)
            .unwrap();
        assert_eq!(clone.push_evidence("origin", keys).unwrap().refs, 1);
    }
    assert_eq!(contents(&clones[2], &key), ["one", "three", "two"]);
    for clone in &clones {
        assert_eq!(clone.fetch_evidence("origin", keys).unwrap(), 1);
        assert_eq!(contents(clone, &key).len(), 3);
    }
    let tip = git_in(&folder.path().join("clone0"), &["rev-parse", &key.ref_name()]);
    clones[0].fetch_evidence("origin", keys).unwrap();
    assert_eq!(
        git_in(&folder.path().join("clone0"), &["rev-parse", &key.ref_name()]),
        tip,
        "nothing new, nothing written"
    );
    let refs = git_in(
        &folder.path().join("clone0"),
        &["for-each-ref", "--format=%(refname)"],
    );
    assert!(refs.lines().all(|name| !name.contains("incoming")), "{refs}");
    git_in(&folder.path().join("remote.git"), &["fsck", "--strict"]);
}

#[test]
fn a_remote_that_refuses_is_not_asked_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, clones, commit) = remote_and_clones(1);
    let hook = folder.path().join("remote.git/hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(
        &hook,
        format!("#!/bin/sh\necho x >> {}/asked\nexit 1\n", folder.path().display()),
    )
    .unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let item = evidence(&commit, b"x");
    clones[0]
        .write_evidence(std::slice::from_ref(&item), true)
        .unwrap();
    let error = clones[0].push_evidence("origin", &[item.key]).unwrap_err();
    assert_eq!(error.code(), "git.push_refused");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("asked")).unwrap(),
        "x\n"
    );
}

#[test]
fn a_file_larger_than_any_evidence_stands_in_the_way_of_none() {
    let sandbox = Sandbox::new();
    let key = EvidenceKey::Commit(sandbox.commit("one"));
    let good = evidence_name(b"good");
    let large = vec![b' '; usize::try_from(limits::MAX_EVIDENCE_FILE_BYTES).unwrap() + 1];
    let lines = format!(
        "100644 blob {}\t{good}\n100644 blob {}\t{}-{}.sigstore.json\n",
        sandbox.store("blob", b"good"),
        sandbox.store("blob", &large),
        "f".repeat(64),
        "5".repeat(64)
    );
    plant(&sandbox, &key, &lines);
    let set = sandbox.open().read_evidence(&key).unwrap();
    assert_eq!((set.files.len(), set.files[0].name.as_str()), (1, good.as_str()));
    assert_eq!(set.ignored.len(), 1);
}
