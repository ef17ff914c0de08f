//! Digest values and sets.

use super::*;

const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn a_digest_is_what_sha256_says() {
    assert_eq!(Sha256Digest::of(b"test").to_string(), SHA);
    assert_eq!(SHA.parse::<Sha256Digest>().unwrap(), Sha256Digest::of(b"test"));
    assert_eq!(
        format!("{:?}", Sha256Digest::of(b"test")),
        format!("Sha256Digest({SHA})")
    );
}

#[test]
fn case_15_a_known_algorithm_has_its_length_in_lowercase_hex() {
    for algorithm in ALGORITHMS {
        let lengths = if algorithm.lengths.is_empty() {
            &[32, 128][..]
        } else {
            algorithm.lengths
        };
        for length in lengths {
            let mut set = DigestSet::new();
            set.insert(algorithm.name, &"a".repeat(*length)).unwrap();
            assert_eq!(set.has_strong(), algorithm.strong, "{}", algorithm.name);
            let refusals = [
                ("A".repeat(*length), "digest.not_lower_hex"),
                ("a".repeat(length + 1), "digest.length"),
                (String::new(), "digest.length"),
                (format!("{}:", "a".repeat(length - 1)), "digest.not_lower_hex"),
            ];
            for (value, code) in refusals {
                assert_eq!(
                    set.insert(algorithm.name, &value).unwrap_err().code(),
                    code,
                    "{}",
                    algorithm.name
                );
            }
        }
    }
}

#[test]
fn unknown_algorithms_are_kept_and_count_for_nothing() {
    let mut set = DigestSet::new();
    set.insert("dirHash", "h1:abc=").unwrap();
    assert!(!set.has_strong());
    assert_eq!(set.get("dirHash"), Some("h1:abc="));
    for (name, value) in [("", "x"), ("x", ""), ("x", "a\nb"), ("x\0", "a")] {
        assert_eq!(
            set.insert(name, value).unwrap_err().code(),
            "digest.malformed",
            "{name:?} {value:?}"
        );
    }
    assert_eq!(
        set.insert("x", &"a".repeat(4_097)).unwrap_err().code(),
        "digest.malformed"
    );
}

#[test]
fn case_7_a_variant_spelling_of_a_known_algorithm_is_refused() {
    for name in [
        "SHA256",
        "sha-256",
        "Sha_256",
        "gitcommit",
        "git_tree",
        "sha512256",
    ] {
        assert_eq!(
            DigestSet::new().insert(name, SHA).unwrap_err().code(),
            "digest.look_alike",
            "{name}"
        );
    }
}

#[test]
fn case_134_sets_agree_only_if_every_shared_digest_does() {
    let commit: GitCommitId = "a".repeat(40).parse().unwrap();
    let other: GitCommitId = "b".repeat(40).parse().unwrap();
    let content = Sha256Digest::of(b"test");
    let set = DigestSet::of_commit(&commit, content);
    assert!(set.agrees_with(&set));
    assert!(set.agrees_with(&DigestSet::of_sha256(content)));
    assert!(!set.agrees_with(&DigestSet::of_commit(&other, content)));
    assert!(!set.agrees_with(&DigestSet::of_commit(&commit, Sha256Digest::of(b"other"))));
    assert!(!set.agrees_with(&DigestSet::new()));
    let mut weak = DigestSet::new();
    weak.insert("md5", &"0".repeat(32)).unwrap();
    assert!(!weak.agrees_with(&weak));
    assert_eq!(
        (set.sha256(), set.git_commit(), set.git_tree()),
        (Some(content), Some(commit), None)
    );
}

#[test]
fn case_137_a_set_holds_32_digests() {
    let mut set = DigestSet::new();
    for number in 0..32 {
        set.insert(&format!("x{number}"), "00").unwrap();
    }
    set.insert("x0", "01").unwrap();
    assert_eq!(set.insert("x32", "00").unwrap_err().code(), "digest.too_many");
    assert_eq!(set.len(), 32);
}
