//! What the body of a log entry says of its signers, as far as a monitor needs it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_tlog::entry::{EntryBody, HashAlgorithm, KindVersion, LogEntry, VerifierMaterial};
use touchmark_tlog::merkle::Hash;
use touchmark_verify::key::KeyFingerprint;

/// Most characters of a kind or version that are repeated in a report.
const MAX_NAME: usize = 40;

const RULES: Rules = Rules {
    max_bytes: touchmark_tlog::entry::MAX_ENTRY_JSON_BYTES,
    max_depth: 32,
    numbers: Numbers::Any,
};

/// Who signed an entry, as the entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntrySigner {
    /// The holder of a key.
    Key(KeyFingerprint),
    /// The subject of a certificate, DER.
    Certificate(Vec<u8>),
}

/// An entry that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryFacts {
    /// Kind and version.
    pub(super) kind: String,
    /// What was signed, `<algorithm>:<hex>`.
    pub(super) digest: String,
    /// Who signed it.
    pub(super) signers: Vec<EntrySigner>,
}

/// An entry whose signers this program cannot read: counted by kind, so that a report never claims to have looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// Kind and version, or `unreadable`.
    pub(super) kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    kind: String,
    api_version: String,
    #[serde(rename = "spec")]
    _spec: IgnoredAny,
}

impl EntryFacts {
    pub(super) fn read(body: &[u8]) -> Result<Self, Unread> {
        let head: Head = strict_json::from_slice(body, &RULES).map_err(|_| Unread {
            kind: "unreadable".to_owned(),
        })?;
        let kind = format!("{} {}", short(&head.kind), short(&head.api_version));
        let unread = || Unread { kind: kind.clone() };
        let parsed = EntryBody::of(&entry_of(head, body)).map_err(|_| unread())?;
        let signers = parsed.verifiers().into_iter().map(EntrySigner::of).collect();
        let digest = digest_of(&parsed).ok_or_else(unread)?;
        Ok(Self {
            kind,
            digest,
            signers,
        })
    }
}

/// A body without its place, which is all that its parser looks at.
fn entry_of(head: Head, body: &[u8]) -> LogEntry {
    LogEntry {
        log_index: 0,
        log_id: Hash::from_bytes([0; 32]),
        kind: KindVersion {
            kind: head.kind,
            version: head.api_version,
        },
        integrated_time: None,
        inclusion_promise: None,
        inclusion_proof: None,
        canonicalized_body: body.to_vec(),
    }
}

impl EntrySigner {
    fn of(material: &VerifierMaterial) -> Self {
        match material {
            VerifierMaterial::PublicKey(spki) => Self::Key(KeyFingerprint::of_spki(spki)),
            VerifierMaterial::Certificate(der) => Self::Certificate(der.clone()),
        }
    }
}

fn digest_of(body: &EntryBody) -> Option<String> {
    let (algorithm, digest) = match body {
        EntryBody::HashedRekordV002(body) => (body.hash, &body.digest),
        EntryBody::HashedRekordV001(body) => (body.digest.algorithm, &body.digest.digest),
        EntryBody::DsseV001(body) => (body.payload_hash.algorithm, &body.payload_hash.digest),
        EntryBody::IntotoV002(body) => (body.payload_hash.algorithm, &body.payload_hash.digest),
        _ => return None,
    };
    Some(format!("{}:{}", name_of(algorithm), hex(digest)))
}

fn name_of(algorithm: HashAlgorithm) -> &'static str {
    algorithm.short_name()
}

fn short(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_graphic)
        .take(MAX_NAME)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
