//! Timestamps that certificate logs signed before the certificate was issued, embedded in it: RFC 6962 §3.3.
//!
//! A log signed the certificate as it was without them, together with the key of its issuer, so that a timestamp counts
//! for one chain only. Logs count by their operators, never by the number of timestamps.

use std::collections::BTreeSet;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;

use super::{Certificate, CertificateError, oid};
use crate::der::{self, OCTET_STRING, SEQUENCE, constructed};
use crate::message::DigestAlgorithm;
use crate::scheme::RawKey;
use crate::trust::CertificateLog;
use crate::window::Window;

/// The most timestamps that are looked at.
const MAX_SCTS: usize = 16;

/// A certificate log of the trusted root, parsed once.
#[derive(Debug, Clone)]
pub(crate) struct CtLog {
    log_id: [u8; 32],
    key: RawKey,
    valid_for: Window,
    operator: String,
}

impl CtLog {
    /// Parses a log of the trusted root; `None` if its key cannot be used.
    pub(crate) fn parse(trusted: &CertificateLog) -> Option<Self> {
        let unnamed = || format!("log {}", trusted.log_id);
        Some(Self {
            log_id: *trusted.log_id.as_bytes(),
            key: RawKey::parse(&trusted.spki_der)?,
            valid_for: trusted.valid_for,
            operator: trusted.operator.clone().unwrap_or_else(unnamed),
        })
    }
}

/// One timestamp, read and not verified.
#[derive(Debug)]
pub(super) struct Sct<'a> {
    log_id: &'a [u8],
    milliseconds: u64,
    extensions: &'a [u8],
    algorithm: [u8; 2],
    signature: &'a [u8],
}

/// Verifies the embedded timestamps for a chain with this issuer and returns the operators of the logs that signed them.
/// Timestamps of unknown logs prove nothing and are passed over; one of a trusted log must be right.
pub(crate) fn verify(
    certificate: &Certificate<'_>,
    issuer_spki: &[u8],
    logs: &[CtLog],
) -> Result<BTreeSet<String>, CertificateError> {
    let extension = certificate
        .extension(oid::SCT_LIST)
        .ok_or(CertificateError::SctMissing)?;
    let list = der::only(extension.value, OCTET_STRING)?.content;
    let scts = read_list(list).ok_or(CertificateError::SctMalformed)?;
    let precertificate = without_scts(certificate);
    let issuer_key_hash = Sha256Digest::of(issuer_spki);
    let mut operators = BTreeSet::new();
    for sct in &scts {
        let Some(log) = logs.iter().find(|log| log.log_id == sct.log_id) else {
            continue;
        };
        let signed = signed_bytes(sct, issuer_key_hash.as_bytes(), &precertificate);
        if !hash_of(sct.algorithm, &log.key).is_some_and(|hash| log.key.verify(hash, &signed, sct.signature))
        {
            return Err(CertificateError::SctSignature {
                log_id: hex(sct.log_id),
            });
        }
        let at = i64::try_from(sct.milliseconds / 1000)
            .ok()
            .and_then(|seconds| Timestamp::from_unix(seconds).ok())
            .ok_or(CertificateError::SctMalformed)?;
        if !log.valid_for.contains(at) {
            return Err(CertificateError::SctOutsideWindow {
                log_id: hex(sct.log_id),
                window: log.valid_for,
                at,
            });
        }
        operators.insert(log.operator.clone());
    }
    if operators.is_empty() {
        return Err(CertificateError::SctLogUnknown { found: scts.len() });
    }
    Ok(operators)
}

/// `SignatureAndHashAlgorithm` of TLS 1.2, RFC 5246 §7.4.1.4.1.
fn hash_of(algorithm: [u8; 2], key: &RawKey) -> Option<DigestAlgorithm> {
    use crate::scheme::KeyKind::{Ed25519, P256, P384, P521, Rsa2048, Rsa3072, Rsa4096};
    let hash = match algorithm[0] {
        4 => DigestAlgorithm::Sha256,
        5 => DigestAlgorithm::Sha384,
        6 => DigestAlgorithm::Sha512,
        _ => return None,
    };
    let fits = match key.kind {
        P256 | P384 | P521 => algorithm[1] == 3,
        Rsa2048 | Rsa3072 | Rsa4096 => algorithm[1] == 1,
        Ed25519 => false,
    };
    fits.then_some(hash)
}

fn signed_bytes(sct: &Sct<'_>, issuer_key_hash: &[u8], precertificate: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(precertificate.len() + sct.extensions.len() + 64);
    // Version 1, a certificate's timestamp.
    signed.extend([0, 0]);
    signed.extend(sct.milliseconds.to_be_bytes());
    // Of a precertificate.
    signed.extend([0, 1]);
    signed.extend(issuer_key_hash);
    let length = u32::try_from(precertificate.len()).expect("a certificate is shorter than a bundle");
    signed.extend(&length.to_be_bytes()[1..]);
    signed.extend(precertificate);
    let length = u16::try_from(sct.extensions.len()).expect("it was read with a length of two bytes");
    signed.extend(length.to_be_bytes());
    signed.extend(sct.extensions);
    signed
}

/// Returns the signed part of the certificate as it was before timestamps were embedded.
pub(super) fn without_scts(certificate: &Certificate<'_>) -> Vec<u8> {
    let mut extensions = Vec::with_capacity(2048);
    for extension in &certificate.extensions {
        if extension.oid != oid::SCT_LIST {
            extensions.extend(extension.whole);
        }
    }
    let mut content = certificate.tbs_before_extensions.to_vec();
    if !extensions.is_empty() {
        content.extend(encode(constructed(3), &encode(SEQUENCE, &extensions)));
    }
    encode(SEQUENCE, &content)
}

/// Encodes one value with its length in the shortest form.
fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut encoded = vec![tag];
    match content.len() {
        short @ 0..=0x7f => encoded.push(u8::try_from(short).unwrap_or_default()),
        _ => {
            encoded.push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
            encoded.extend(significant);
        }
    }
    encoded.extend(content);
    encoded
}

pub(super) fn read_list(list: &[u8]) -> Option<Vec<Sct<'_>>> {
    let (mut rest, end) = prefixed(list)?;
    if !end.is_empty() || rest.is_empty() {
        return None;
    }
    let mut scts = Vec::new();
    while !rest.is_empty() {
        let (sct, after) = prefixed(rest)?;
        if scts.len() == MAX_SCTS {
            return None;
        }
        scts.push(read(sct)?);
        rest = after;
    }
    Some(scts)
}

fn read(bytes: &[u8]) -> Option<Sct<'_>> {
    let (version, rest) = bytes.split_first()?;
    let (log_id, rest) = rest.split_at_checked(32)?;
    let (milliseconds, rest) = rest.split_first_chunk::<8>()?;
    let (extensions, rest) = prefixed(rest)?;
    let (algorithm, rest) = rest.split_first_chunk::<2>()?;
    let (signature, rest) = prefixed(rest)?;
    (*version == 0 && rest.is_empty()).then_some(Sct {
        log_id,
        milliseconds: u64::from_be_bytes(*milliseconds),
        extensions,
        algorithm: *algorithm,
        signature,
    })
}

/// Reads bytes behind a length of two bytes, and what follows them.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
