//! What is asked of metadata before the library sees it.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use touchmark_statement::strict_json::{self, Numbers, Rules};

use super::error::TufError;
use super::target::TargetPath;
use crate::limits::{MAX_METADATA_DEPTH, MAX_TARGETS_BYTES};

const RULES: Rules = Rules {
    max_bytes: MAX_TARGETS_BYTES as usize,
    max_depth: MAX_METADATA_DEPTH,
    numbers: Numbers::ExactIntegers,
};
/// The DER of an Ed25519 `SubjectPublicKeyInfo` up to the key, RFC 8410 §4.
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Refuses a file that readers could understand differently, whose roles could count one key twice, or whose targets
/// are named like a way out of a folder. Everything else is the library's to judge, a wrong shape too.
pub(super) fn metadata(name: &str, bytes: &[u8]) -> Result<(), TufError> {
    strict_json::check(bytes, &RULES).map_err(|source| TufError::Json {
        name: name.to_owned(),
        source,
    })?;
    let Ok(file) = serde_json::from_slice::<File>(bytes) else {
        return Ok(());
    };
    let signed = file.signed;
    for (role, of) in &signed.roles {
        refuse_key_twice(name, role, &of.keyids, &signed.keys)?;
    }
    if let Some(delegations) = &signed.delegations {
        for of in &delegations.roles {
            refuse_key_twice(name, &of.name, &of.keyids, &delegations.keys)?;
        }
    }
    for path in signed.targets.keys() {
        path.parse::<TargetPath>()?;
    }
    Ok(())
}

/// Only what is looked at; unknown fields and absent ones are the library's.
#[derive(Deserialize)]
struct File {
    signed: Signed,
}

#[derive(Deserialize)]
struct Signed {
    #[serde(default)]
    keys: BTreeMap<String, Key>,
    #[serde(default)]
    roles: BTreeMap<String, Role>,
    #[serde(default)]
    delegations: Option<Delegations>,
    #[serde(default)]
    targets: BTreeMap<String, serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Delegations {
    #[serde(default)]
    keys: BTreeMap<String, Key>,
    #[serde(default)]
    roles: Vec<DelegatedRole>,
}

#[derive(Deserialize)]
struct DelegatedRole {
    name: String,
    keyids: Vec<String>,
}

#[derive(Deserialize)]
struct Role {
    keyids: Vec<String>,
}

#[derive(Deserialize)]
struct Key {
    keyval: KeyValue,
}

#[derive(Deserialize)]
struct KeyValue {
    public: String,
}

/// The library counts names of keys. CVE-2020-15093 and its kin: one key under two names meets a threshold of two.
fn refuse_key_twice(
    file: &str,
    role: &str,
    ids: &[String],
    keys: &BTreeMap<String, Key>,
) -> Result<(), TufError> {
    let mut seen = HashSet::new();
    let distinct: HashSet<&String> = ids.iter().collect();
    let of_role = distinct.iter().filter_map(|id| keys.get(*id));
    for key in of_role {
        if !seen.insert(material(&key.keyval.public)) {
            return Err(TufError::KeyTwice {
                name: file.to_owned(),
                role: role.chars().take(100).collect(),
            });
        }
    }
    Ok(())
}

/// Returns what a key consists of, however it is written: PEM with any line breaks, or hex of a bare Ed25519 key.
fn material(public: &str) -> Vec<u8> {
    let public = public.trim();
    let decoded = if public.starts_with("-----BEGIN") {
        let body: String = public
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
            .collect();
        STANDARD.decode(body).ok()
    } else {
        hex(public).map(|raw| [&ED25519_SPKI_PREFIX, raw.as_slice()].concat())
    };
    decoded.unwrap_or_else(|| public.as_bytes().to_vec())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(first: &str, second: &str) -> Vec<u8> {
        serde_json::json!({"signed": {
            "keys": {"a": {"keyval": {"public": first}}, "b": {"keyval": {"public": second}}},
            "roles": {"root": {"keyids": ["a", "b"], "threshold": 2}}
        }, "signatures": []})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn case_26_one_key_under_two_names_is_refused_however_it_is_written() {
        let raw = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
                   -----END PUBLIC KEY-----\n";
        let broken = pem.replace("HOg7", "HO\ng7");
        for (first, second) in [(raw, raw), (raw, pem), (pem, &broken), (raw, &raw.to_uppercase())] {
            let error = metadata("root.json", &root(first, second)).unwrap_err();
            assert_eq!(error.code(), "tuf.key_twice", "{first} {second}");
        }
        let other = raw.replace("d75a", "d75b");
        assert!(metadata("root.json", &root(raw, &other)).is_ok());
    }

    #[test]
    fn json_with_two_meanings_is_refused() {
        for bytes in [
            &br#"{"signed":{},"signed":{},"signatures":[]}"#[..],
            br#"{"signed":{"version":1,"v\u0065rsion":2},"signatures":[]}"#,
            b"\xef\xbb\xbf{}",
            b"{} {}",
            br#"{"signed":{"version":1.0}}"#,
        ] {
            assert_eq!(metadata("x", bytes).unwrap_err().code(), "tuf.json");
        }
    }
}
