//! Paths in and out of JSON, and the ones that are none.

use super::*;
use crate::strict_json::Rules;

#[test]
fn ordinary_and_odd_paths_are_kept() {
    let paths: [&[u8]; 8] = [
        b"a",
        b"src/main.rs",
        b".gitignore",
        b"a b/\\c",
        b"\xff\xfe/x",
        b"line\nfeed",
        "na\u{ef}ve/\u{202e}".as_bytes(),
        b".github/x",
    ];
    for bytes in paths {
        let path = RepoPath::from_bytes(bytes).unwrap();
        let json = strict_json::canonical(&path).unwrap();
        assert_eq!(
            strict_json::from_slice::<RepoPath>(&json, &Rules::STATEMENT).unwrap(),
            path
        );
        assert_eq!(path.as_bytes(), bytes);
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    let cases: [(&[u8], &str); 18] = [
        (b"", "path.empty"),
        (b"/a", "path.empty_component"),
        (b"a/", "path.empty_component"),
        (b"a//b", "path.empty_component"),
        (b"a/./b", "path.dot_component"),
        (b"../a", "path.dot_component"),
        (b"a/..", "path.dot_component"),
        (b"a\0b", "path.nul"),
        (b".git", "path.git_folder"),
        (b".git/config", "path.git_folder"),
        (b"sub/.GiT/hooks/x", "path.git_folder"),
        (b"git~1", "path.git_folder"),
        (b".git.", "path.git_folder"),
        (b".git ", "path.git_folder"),
        (b".git. . /x", "path.git_folder"),
        (b".git::$INDEX_ALLOCATION/x", "path.git_folder"),
        (".g\u{200c}it/x".as_bytes(), "path.git_folder"),
        (&[b'a'; 4_097], "path.too_long"),
    ];
    for (bytes, code) in cases {
        assert_eq!(
            RepoPath::from_bytes(bytes).unwrap_err().code(),
            code,
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
    assert!(RepoPath::from_bytes(&[b'a'; 4_096]).is_ok());
}

#[test]
fn each_path_has_one_form() {
    let code = |json: &str| {
        strict_json::from_slice::<RepoPath>(json.as_bytes(), &Rules::STATEMENT)
            .unwrap_err()
            .code()
    };
    assert!(strict_json::from_slice::<RepoPath>(br#"{"bytes":"/2Zvbw=="}"#, &Rules::STATEMENT).is_ok());
    for json in [
        r#"{"bytes":"Zm9v"}"#,       // UTF-8, so a string
        r#"{"bytes":"/2Zvbw"}"#,     // no padding
        r#"{"bytes":"/2Zvbx=="}"#,   // trailing bits
        r#"{"bytes":"_2Zvbw=="}"#,   // the other alphabet
        r#"{"bytes":"/2Zv\nbw=="}"#, // a line feed
        r#"{"bytes":"/2Zvbw==","x":1}"#,
        r#"{"Bytes":"/2Zvbw=="}"#,
        "{}",
    ] {
        assert_eq!(code(json), "path.not_canonical", "{json}");
    }
    assert_eq!(code(r#"["/2Zvbw=="]"#), "json.shape");
    assert_eq!(code("1"), "json.shape");
}

#[test]
fn what_is_shown_has_no_control_bytes() {
    let path = RepoPath::from_bytes(b"a\x1b[31m\xff\n\\").unwrap();
    assert_eq!(path.to_string(), r"a\u{1b}[31m\xff\n\\");
}
