//! Files of a tree by their names.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that cannot go on fails the test"
)]

#[allow(unreachable_pub, reason = "each test binary uses its own part")]
mod common;

use common::Sandbox;
use touchmark_git::{Repository, Sought};
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::GitTreeId;
use touchmark_verify::git_view::GitViewError;

fn locks(
    repository: &Repository,
    tree: &GitTreeId,
    limit: usize,
) -> Result<Vec<(String, FileMode)>, GitViewError> {
    let sought = Sought {
        enter: &|name| name != b"node_modules",
        wanted: &|folder, name| folder != b"x2" && name.ends_with(b".lock"),
        limit,
    };
    let found = repository.find_entries(tree, &sought)?;
    Ok(found
        .into_iter()
        .map(|(path, entry)| (path.to_string(), entry.mode))
        .collect())
}

#[test]
fn finds_what_is_sought_and_enters_only_what_may_be_entered() {
    let repo = Sandbox::new();
    for path in [
        "a.lock",
        "x/b.lock",
        "x/y/c.lock",
        "x/y/c.txt",
        "node_modules/d.lock",
        "z.lock/e",
        "x2/f.lock",
    ] {
        repo.write(path, path);
    }
    std::os::unix::fs::symlink("a.lock", repo.path().join("link.lock")).unwrap();
    repo.commit("one");
    let (repository, tree) = (repo.open(), repo.tree("HEAD"));
    let found = locks(&repository, &tree, 10).unwrap();
    let expected = [
        ("a.lock", FileMode::Regular),
        ("link.lock", FileMode::Symlink),
        ("x/b.lock", FileMode::Regular),
        ("x/y/c.lock", FileMode::Regular),
    ];
    assert_eq!(found, expected.map(|(path, mode)| (path.to_owned(), mode)));
    let refused = locks(&repository, &tree, 3).unwrap_err();
    assert!(
        matches!(refused, GitViewError::TooManyPaths { limit: 3 }),
        "{refused}"
    );
}

#[test]
fn trees_that_hold_each_other_many_times_over_are_looked_into_once() {
    let repo = Sandbox::new();
    repo.write("file", "content");
    repo.commit("one");
    // Forty levels of two equal folders: 2^40 paths, none of them sought.
    let mut tree = repo.tree("HEAD").to_string();
    for _ in 0..40 {
        let mut content = Vec::new();
        for name in ["a", "b"] {
            content.extend_from_slice(format!("40000 {name}\0").as_bytes());
            content.extend((0..20).map(|at| u8::from_str_radix(&tree[at * 2..at * 2 + 2], 16).unwrap()));
        }
        tree = repo.store("tree", &content);
    }
    let tree: GitTreeId = tree.parse().unwrap();
    assert_eq!(locks(&repo.open(), &tree, 10).unwrap(), []);
}
