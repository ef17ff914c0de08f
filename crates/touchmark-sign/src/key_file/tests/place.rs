//! Where key files may lie, and who may read them.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
fn load_code(path: &Path, placement: &Placement<'_>) -> &'static str {
    load(path, placement, None)
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

/// Writes the P-256 key where its file may lie.
fn good_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    write_new(
        &path,
        key!("TEST-ONLY-p256.pem").as_bytes(),
        &Placement::default(),
    )
    .unwrap();
    assert_eq!(load_code(&path, &Placement::default()), "accepted");
    (folder, path)
}

#[test]
fn case_241_key_files_that_others_can_reach_are_refused() {
    for mode in [0o640, 0o604, 0o660, 0o644, 0o666, 0o700, 0o4600, 0o1600] {
        let (_folder, path) = good_file();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            load_code(&path, &Placement::default()),
            "key.file_permissions",
            "{mode:o}"
        );
    }
    let (_folder, path) = good_file();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(load_code(&path, &Placement::default()), "accepted");
}

#[test]
fn case_241_links_pipes_folders_and_sockets_are_refused() {
    let (folder, path) = good_file();
    let at = |name: &str| folder.path().join(name);
    symlink(&path, at("link")).unwrap();
    assert_eq!(load_code(&at("link"), &Placement::default()), "key.file_symlink");
    // Opening a pipe without a writer would wait for ever.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert_eq!(
        load_code(&at("pipe"), &Placement::default()),
        "key.file_not_regular"
    );
    assert_eq!(
        load_public(&at("pipe")).unwrap_err().code(),
        "key.file_not_regular"
    );
    assert_eq!(
        load_code(folder.path(), &Placement::default()),
        "key.file_not_regular"
    );
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    assert_eq!(
        load_code(&at("socket"), &Placement::default()),
        "key.file_not_regular"
    );
    assert_eq!(
        load_code(Path::new("/dev/null"), &Placement::default()),
        "key.file_not_regular"
    );
    assert_eq!(
        load_code(&at("nothing"), &Placement::default()),
        "key.file_not_found"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "A".repeat(pem::MAX_PEM_BYTES + 1)).unwrap();
    assert_eq!(load_code(&path, &Placement::default()), "key.file_too_large");
}

#[test]
fn case_241_key_files_in_a_work_tree_are_refused() {
    let (folder, path) = good_file();
    assert_eq!(
        load_code(
            &path,
            &Placement {
                outside: &[folder.path()]
            }
        ),
        "key.file_in_work_tree"
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let missing = elsewhere.path().join("missing");
    assert_eq!(
        load_code(
            &path,
            &Placement {
                outside: &[elsewhere.path(), &missing]
            }
        ),
        "accepted"
    );
    let text = key!("TEST-ONLY-p256.pem").as_bytes();
    let error = write_new(
        &folder.path().join("new"),
        text,
        &Placement {
            outside: &[folder.path()],
        },
    )
    .unwrap_err();
    assert_eq!(error.code(), "key.file_in_work_tree");
    assert!(!folder.path().join("new").exists());
}

#[test]
fn case_244_no_spelling_of_a_path_reaches_a_key_that_a_repository_carries() {
    let (folder, _) = good_file();
    let work_tree = folder.path().join("work-tree");
    let (keys, git) = (work_tree.join("sub/keys"), work_tree.join(".git"));
    fs::create_dir_all(&keys).unwrap();
    fs::create_dir_all(&git).unwrap();
    let text = key!("TEST-ONLY-p256.pem").as_bytes();
    for path in [keys.join("key.pem"), git.join("key.pem")] {
        write_new(&path, text, &Placement::default()).unwrap();
        assert_eq!(load_code(&path, &Placement::default()), "accepted");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(&keys, elsewhere.path().join("keys")).unwrap();
    symlink(&work_tree, elsewhere.path().join("repository")).unwrap();
    let dotted = folder.path().join("work-tree/../work-tree/sub/./keys/key.pem");
    for path in [
        keys.join("key.pem"),
        git.join("key.pem"),
        dotted,
        elsewhere.path().join("keys/key.pem"),
        elsewhere.path().join("repository/sub/keys/key.pem"),
    ] {
        for named in [work_tree.clone(), elsewhere.path().join("repository")] {
            assert_eq!(
                load_code(&path, &Placement { outside: &[&named] }),
                "key.file_in_work_tree",
                "{path:?}"
            );
        }
    }
    // A folder whose name only begins like the work tree's is another folder.
    let beside = folder.path().join("work-tree-keys");
    fs::create_dir(&beside).unwrap();
    write_new(
        &beside.join("key.pem"),
        text,
        &Placement {
            outside: &[&work_tree],
        },
    )
    .unwrap();
    assert_eq!(
        load_code(
            &beside.join("key.pem"),
            &Placement {
                outside: &[&work_tree]
            }
        ),
        "accepted"
    );
}

#[test]
fn new_key_files_are_private_whole_and_never_replace_another() {
    let (folder, path) = good_file();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256).unwrap();
    let text = encode_plain(&other).unwrap();
    let error = write_new(&path, text.as_bytes(), &Placement::default()).unwrap_err();
    assert_eq!(error.code(), "key.file_exists");
    assert_eq!(fs::read_to_string(&path).unwrap(), key!("TEST-ONLY-p256.pem"));
    // Not even through a link to nothing.
    symlink(folder.path().join("target"), folder.path().join("dangling")).unwrap();
    let error = write_new(
        &folder.path().join("dangling"),
        text.as_bytes(),
        &Placement::default(),
    )
    .unwrap_err();
    assert_eq!(error.code(), "key.file_exists");
    assert!(!folder.path().join("target").exists());
    let public = folder.path().join("key.pub");
    write_public_new(&public, other.public_key()).unwrap();
    assert_eq!(load_public(&public).unwrap(), *other.public_key());
    assert_eq!(
        write_public_new(&public, other.public_key()).unwrap_err().code(),
        "key.file_exists"
    );
}
