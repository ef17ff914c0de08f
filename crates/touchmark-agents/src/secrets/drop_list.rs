//! What a redacted copy leaves out although it is no secret of a known shape: what names a machine or an account, what
//! only the provider can read, and whole environments.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::bytes::Regex;

use super::Finding;

/// Names of JSON values that are dropped whole, and the rule that is recorded for each.
pub const DROPPED: [(&str, &str); 17] = [
    ("account_uuid", "drop-account"),
    ("accountUuid", "drop-account"),
    ("apiKey", "drop-api-key"),
    ("api_key", "drop-api-key"),
    ("base_instructions", "drop-base-instructions"),
    ("deviceFingerprint", "drop-device"),
    ("device_fingerprint", "drop-device"),
    ("encrypted_content", "drop-encrypted-content"),
    ("installationID", "drop-installation"),
    ("installationId", "drop-installation"),
    ("installation_id", "drop-installation"),
    ("rate_limits", "drop-rate-limits"),
    ("signature", "drop-signature"),
    ("user.account_uuid", "drop-account"),
    ("user.email", "drop-email"),
    ("userEmail", "drop-email"),
    ("user_email", "drop-email"),
];

/// Names under which an object may hold a whole environment.
const ENVIRONMENTS: [&str; 4] = ["env", "environ", "environment", "environment_variables"];
/// The rule of a dropped environment.
const ENVIRONMENT_RULE: &str = "drop-environment";
/// The fewest lines of the form `NAME=value` in a row that are an environment.
const MIN_LINES: usize = 4;

/// `user:password@` or `token@` of an address; `git@` says nothing.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u)[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/@"'\\<>\[\]?#]{1,512})@[A-Za-z0-9\[]"#)
        .expect("the expression is compiled by a test")
});
static ENVIRONMENT_LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)^(?:export |declare -x )?[A-Za-z_][A-Za-z0-9_]{0,80}=")
        .expect("the expression is compiled by a test")
});

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It is dropped.
    Dropped,
    /// It is dropped where it is a whole environment.
    Environment,
}

/// Returns whether a name says something of its value.
pub(super) fn named(name: &[u8]) -> Option<Named> {
    if DROPPED.iter().any(|(known, _)| known.as_bytes() == name) {
        return Some(Named::Dropped);
    }
    let is_environment = ENVIRONMENTS.iter().any(|known| known.as_bytes() == name);
    is_environment.then_some(Named::Environment)
}

/// Returns the rule by which a value of this name is dropped, if it is.
pub(super) fn rule_of(name: &[u8], value: &[u8]) -> Option<&'static str> {
    if matches!(value, b"null" | b"false" | b"\"\"" | b"{}" | b"[]") || value.starts_with(b"\"[REDACTED:") {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    if let Some((_, rule)) = DROPPED.iter().find(|(known, _)| *known == name) {
        return Some(rule);
    }
    let is_environment = ENVIRONMENTS.contains(&name)
        && value.starts_with(b"{")
        && ["\"PATH\"", "\"HOME\"", "\"Path\"", "\"USERPROFILE\""]
            .iter()
            .any(|word| memchr::memmem::find(value, word.as_bytes()).is_some());
    is_environment.then_some(ENVIRONMENT_RULE)
}

/// Finds environments that were printed, and user information of addresses, in plain text.
pub(super) fn find(text: &[u8]) -> Vec<Finding> {
    let mut found = environments(text);
    if memchr::memmem::find(text, b"://").is_some() {
        let userinfo = USERINFO.captures_iter(text).filter_map(|captures| {
            let part = captures.get(1)?;
            let says_something = part.as_bytes() != b"git" && !part.as_bytes().starts_with(b"[REDACTED");
            says_something.then(|| finding("drop-userinfo", part.range()))
        });
        found.extend(userinfo);
    }
    found
}

/// Returns whether an address in the text carries a password.
pub(super) fn has_url_password(text: &[u8]) -> bool {
    USERINFO
        .captures_iter(text)
        .filter_map(|captures| captures.get(1))
        .any(|part| part.as_bytes().contains(&b':'))
}

/// Finds runs of `NAME=value` lines, of which one is a variable that every environment has.
fn environments(text: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    if memchr::memmem::find(text, b"PATH=").is_none() && memchr::memmem::find(text, b"HOME=").is_none() {
        return found;
    }
    let (mut start, mut at, mut lines, mut is_usual) = (0, 0, 0, false);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let variable = ENVIRONMENT_LINE.is_match(line);
        if variable {
            if lines == 0 {
                start = at;
                is_usual = false;
            }
            lines += 1;
            let bare = line.strip_prefix(b"export ").unwrap_or(line);
            is_usual |= bare.starts_with(b"PATH=") || bare.starts_with(b"HOME=");
        }
        if !variable || at + line.len() == text.len() {
            let end = if variable { at + line.len() } else { at };
            if lines >= MIN_LINES && is_usual {
                let end = if text[..end].ends_with(b"\n") {
                    end - 1
                } else {
                    end
                };
                found.push(finding(ENVIRONMENT_RULE, start..end));
            }
            lines = 0;
        }
        at += line.len();
    }
    found
}

fn finding(rule: &'static str, range: Range<usize>) -> Finding {
    Finding {
        rule: Arc::from(rule),
        range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(text: &str) -> Vec<&str> {
        find(text.as_bytes())
            .into_iter()
            .map(|found| &text[found.range])
            .collect()
    }

    #[test]
    fn environments_are_found_and_single_settings_are_not() {
        let text = "$ env\nPATH=/bin\nHOME=/home/ada\nTERM=x\nLANG=C\n\nok";
        assert_eq!(dropped(text), ["PATH=/bin\nHOME=/home/ada\nTERM=x\nLANG=C"]);
        assert_eq!(dropped("A=1\nB=2\nC=3\nPATH=/x"), ["A=1\nB=2\nC=3\nPATH=/x"]);
        assert_eq!(dropped("PATH=/bin make\nok"), [""; 0]);
        assert_eq!(dropped("A=1\nB=2\nC=3\nD=4\n"), [""; 0]);
    }

    #[test]
    fn user_information_is_found_and_git_is_not() {
        assert_eq!(dropped("https://ada@example.org/x ssh://git@h/r"), ["ada"]);
        assert_eq!(dropped("https://x:y@example.org/x"), ["x:y"]);
        assert_eq!(dropped("https://example.org/a@b mailto:a@b.example"), [""; 0]);
        assert!(has_url_password(b"https://x:y@example.org/x"));
        assert!(!has_url_password(b"https://example.org:8080/x@y"));
    }

    #[test]
    fn values_are_dropped_by_their_name_unless_they_say_nothing() {
        assert_eq!(rule_of(b"rate_limits", b"{\"a\":1}"), Some("drop-rate-limits"));
        assert_eq!(rule_of(b"rate_limits", b"null"), None);
        assert_eq!(rule_of(b"env", b"{\"PATH\":\"/bin\"}"), Some(ENVIRONMENT_RULE));
        assert_eq!(rule_of(b"env", b"{\"initial\":{}}"), None);
        assert_eq!(rule_of(b"signatures", b"\"x\""), None);
    }
}
