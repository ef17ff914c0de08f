//! Whether an entry's body is about a signature: digest, signature, key and algorithm, each compared, on every path.

use touchmark_tlog::entry::rekor_v1::{DsseV001, HashedRekordV001, IntotoV002, NamedDigest};
use touchmark_tlog::entry::{
    EntryBody, EntryError, HashAlgorithm, HashedRekordV002, LogEntry, VerifierMaterial,
};

use super::LogError;
use super::signed::{Signed, SignedContent};
use crate::envelope::Envelope;
use crate::key::KeyFingerprint;

/// Reads the body of an entry, which must be of the kind that the entry names.
pub(in crate::verify) fn read_body(entry: usize, log_entry: &LogEntry) -> Result<EntryBody, LogError> {
    EntryBody::of(log_entry).map_err(|source| match source {
        EntryError::Kind { kind, version } => LogError::EntryKind { entry, kind, version },
        source => LogError::Body { entry, source },
    })
}

/// Binds the body of one entry to what was signed.
pub(super) fn bind(entry: usize, body: &EntryBody, signed: &Signed<'_>) -> Result<(), LogError> {
    let bound = Binding { entry, signed };
    match body {
        EntryBody::HashedRekordV002(body) => bound.hashedrekord_v002(body),
        EntryBody::HashedRekordV001(body) => bound.hashedrekord_v001(body),
        EntryBody::DsseV001(body) => bound.dsse_v001(body),
        EntryBody::IntotoV002(body) => bound.intoto_v002(body),
        other => Err(LogError::EntryKind {
            entry,
            kind: other.kind().kind,
            version: other.kind().version,
        }),
    }
}

/// What one body is compared with.
struct Binding<'a, 's> {
    entry: usize,
    signed: &'a Signed<'s>,
}

impl Binding<'_, '_> {
    fn hashedrekord_v002(&self, body: &HashedRekordV002) -> Result<(), LogError> {
        self.verifier(&body.verifier.material)?;
        let (expected, found) = (self.signed.key_details, body.verifier.key_details.name());
        if expected != found {
            return Err(LogError::KeyDetailsMismatch {
                entry: self.entry,
                expected,
                found,
            });
        }
        // The hash of the body follows from its key details, which `parse_canonical` has compared.
        self.digest(body.hash, &body.digest)?;
        self.signature(&body.signature)
    }

    fn hashedrekord_v001(&self, body: &HashedRekordV001) -> Result<(), LogError> {
        self.verifier(body.verifier.material())?;
        self.digest(body.digest.algorithm, &body.digest.digest)?;
        self.signature(&body.signature)
    }

    fn dsse_v001(&self, body: &DsseV001) -> Result<(), LogError> {
        let envelope = self.envelope("dsse")?;
        // The digest of the JSON that was sent cannot be rebuilt and is not asked for; payload, signature and
        // verifier are all of what it is about.
        self.payload(&body.payload_hash, envelope)?;
        let [(signature, verifier)] = body.signatures.as_slice() else {
            return Err(self.signature_count(body.signatures.len()));
        };
        self.verifier(verifier.material())?;
        self.signature(signature)
    }

    fn intoto_v002(&self, body: &IntotoV002) -> Result<(), LogError> {
        let envelope = self.envelope("intoto")?;
        self.payload(&body.payload_hash, envelope)?;
        if let Some(payload) = &body.payload
            && *payload != envelope.payload
        {
            return Err(self.digest_mismatch(payload, &envelope.payload));
        }
        if body.payload_type != envelope.payload_type {
            return Err(LogError::PayloadTypeMismatch {
                entry: self.entry,
                found: body.payload_type.chars().take(100).collect(),
            });
        }
        let [signature] = body.signatures.as_slice() else {
            return Err(self.signature_count(body.signatures.len()));
        };
        self.verifier(signature.verifier.material())?;
        self.signature(&signature.signature)
    }

    fn envelope(&self, kind: &'static str) -> Result<&Envelope, LogError> {
        match &self.signed.content {
            SignedContent::Envelope { envelope, .. } => Ok(envelope),
            SignedContent::Message(_) => Err(LogError::NoEnvelope {
                entry: self.entry,
                kind,
            }),
        }
    }

    /// The body's verifier is the very key or certificate of the bundle.
    fn verifier(&self, found: &VerifierMaterial) -> Result<(), LogError> {
        let expected = KeyFingerprint::of_spki(self.signed.spki_der);
        let (same, found) = match (found, self.signed.certificate) {
            (VerifierMaterial::PublicKey(spki), None) => (
                spki.as_slice() == self.signed.spki_der,
                Some(KeyFingerprint::of_spki(spki)),
            ),
            (VerifierMaterial::Certificate(found), Some(leaf)) => (found.as_slice() == leaf, None),
            (VerifierMaterial::PublicKey(spki), Some(_)) => (false, Some(KeyFingerprint::of_spki(spki))),
            (VerifierMaterial::Certificate(_), None) => (false, None),
        };
        if same {
            return Ok(());
        }
        Err(LogError::VerifierMismatch {
            entry: self.entry,
            expected,
            found,
        })
    }

    /// The body's digest is of what was signed: of the message, or of the envelope's pre-authentication encoding.
    fn digest(&self, algorithm: HashAlgorithm, found: &[u8]) -> Result<(), LogError> {
        let expected = self
            .signed
            .content
            .digest(algorithm)
            .ok_or(LogError::DigestUnknown {
                entry: self.entry,
                algorithm: algorithm.short_name(),
            })?;
        self.equal_digests(&expected, found)
    }

    fn payload(&self, found: &NamedDigest, envelope: &Envelope) -> Result<(), LogError> {
        self.equal_digests(&found.algorithm.digest(&envelope.payload), &found.digest)
    }

    fn equal_digests(&self, expected: &[u8], found: &[u8]) -> Result<(), LogError> {
        if expected == found {
            return Ok(());
        }
        Err(LogError::DigestMismatch {
            entry: self.entry,
            expected: hex(expected),
            found: hex(found),
        })
    }

    fn digest_mismatch(&self, found: &[u8], expected: &[u8]) -> LogError {
        let algorithm = HashAlgorithm::Sha256;
        LogError::DigestMismatch {
            entry: self.entry,
            expected: hex(&algorithm.digest(expected)),
            found: hex(&algorithm.digest(found)),
        }
    }

    /// Bytes, not validity: the twin (r, n - s) of an ECDSA signature is another signature.
    fn signature(&self, found: &[u8]) -> Result<(), LogError> {
        if found == self.signed.signature {
            Ok(())
        } else {
            Err(LogError::SignatureMismatch { entry: self.entry })
        }
    }

    /// A bundle's envelope has one signature, so that an entry with several is about another envelope.
    fn signature_count(&self, found: usize) -> LogError {
        LogError::SignatureCount {
            entry: self.entry,
            found,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
