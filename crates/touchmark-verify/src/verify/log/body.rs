//! Whether an entry's body is about an envelope: digest, signature, key and algorithm, each compared.

use touchmark_tlog::entry::{HashedRekordV002, LogEntry, VerifierMaterial};

use super::LogError;
use crate::key::KeyFingerprint;
use crate::verify::envelope::OpenedEnvelope;

/// Kinds and versions that Rekor v1 writes.
const REKOR_V1: [(&str, &str); 4] = [
    ("hashedrekord", "0.0.1"),
    ("dsse", "0.0.1"),
    ("intoto", "0.0.1"),
    ("intoto", "0.0.2"),
];

/// Reads the body of an entry; kinds that are not verified have codes of their own.
pub(in crate::verify) fn read_body(entry: usize, log_entry: &LogEntry) -> Result<HashedRekordV002, LogError> {
    let kind = (log_entry.kind.kind.as_str(), log_entry.kind.version.as_str());
    if REKOR_V1.contains(&kind) {
        let kind = format!("{} {}", kind.0, kind.1);
        return Err(LogError::RekorV1Unsupported { entry, kind });
    }
    if kind != ("hashedrekord", "0.0.2") {
        let (kind, version) = (log_entry.kind.kind.clone(), log_entry.kind.version.clone());
        return Err(LogError::EntryKind { entry, kind, version });
    }
    HashedRekordV002::parse_canonical(&log_entry.canonicalized_body)
        .map_err(|source| LogError::Body { entry, source })
}

/// Binds the body of one entry to the envelope.
pub(super) fn bind(
    entry: usize,
    body: &HashedRekordV002,
    opened: &OpenedEnvelope<'_>,
) -> Result<(), LogError> {
    let key = opened.key();
    match &body.verifier.material {
        VerifierMaterial::PublicKey(spki) if spki == key.spki_der() => {}
        VerifierMaterial::PublicKey(spki) => {
            let found = Some(KeyFingerprint::of_spki(spki));
            return Err(LogError::VerifierMismatch {
                entry,
                expected: key.fingerprint(),
                found,
            });
        }
        VerifierMaterial::Certificate(_) => {
            return Err(LogError::VerifierMismatch {
                entry,
                expected: key.fingerprint(),
                found: None,
            });
        }
    }
    let (expected, found) = (key.algorithm().key_details(), body.verifier.key_details.name());
    if expected != found {
        return Err(LogError::KeyDetailsMismatch {
            entry,
            expected,
            found,
        });
    }
    // The hash of the body follows from its key details, which `parse_canonical` has compared.
    let expected = key
        .algorithm()
        .digest(opened.pae())
        .ok_or(LogError::KeyDetailsMismatch {
            entry,
            expected,
            found,
        })?;
    if body.digest != expected {
        return Err(LogError::DigestMismatch {
            entry,
            expected: hex(&expected),
            found: hex(&body.digest),
        });
    }
    // Bytes, not validity: the twin (r, n - s) of an ECDSA signature is another signature.
    if body.signature != opened.bundle().signature() {
        return Err(LogError::SignatureMismatch { entry });
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
