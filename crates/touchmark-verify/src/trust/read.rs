//! From the JSON of a trusted root to its parts, one rule at a time.

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::VerifierKey;

use super::wire::{AuthorityWire, IdWire, LogWire, RootWire, WindowWire};
use super::{
    CertificateLog, MEDIA_TYPE_V01, MEDIA_TYPE_V02, Part, TrustError, TrustedAuthority, TrustedLog,
    TrustedRoot, UnusablePart, Usable,
};
use crate::limits::{MAX_TRUSTED_PARTS, MAX_TRUSTED_ROOT_BYTES};
use crate::window::Window;
use crate::x509::chain::Authority;
use crate::x509::sct::CtLog;

const RULES: Rules = Rules {
    max_bytes: MAX_TRUSTED_ROOT_BYTES,
    max_depth: 16,
    numbers: Numbers::ExactIntegers,
};

pub(super) fn parse(json: &[u8]) -> Result<TrustedRoot, TrustError> {
    if json.len() > MAX_TRUSTED_ROOT_BYTES {
        return Err(TrustError::TooLarge { found: json.len() });
    }
    let wire: RootWire = strict_json::from_slice(json, &RULES)?;
    if wire.media_type != MEDIA_TYPE_V01 && wire.media_type != MEDIA_TYPE_V02 {
        return Err(TrustError::MediaType {
            found: shown(&wire.media_type),
        });
    }
    let mut unusable = Vec::new();
    let logs = parts("tlogs", wire.tlogs, |part, wire| {
        parse_log(part, wire, &mut unusable)
    })?;
    refuse_duplicates(&logs)?;
    let certificate_logs = parts("ctlogs", wire.ctlogs, |part, wire| {
        parse_certificate_log(part, wire, &mut unusable)
    })?;
    refuse_duplicate_ids(certificate_logs.iter().map(|log| log.log_id))?;
    let authority = |part, wire| parse_authority(part, wire).map(Some);
    let certificate_authorities = parts("certificateAuthorities", wire.certificate_authorities, authority)?;
    let timestamp_authorities = parts("timestampAuthorities", wire.timestamp_authorities, authority)?;
    let mut authorities = |list, trusted: &[TrustedAuthority]| {
        usable(list, trusted, "certificates", &mut unusable, Authority::parse)
    };
    let usable = Usable {
        certificate_authorities: authorities("certificateAuthorities", &certificate_authorities),
        timestamp_authorities: authorities("timestampAuthorities", &timestamp_authorities),
        certificate_logs: usable("ctlogs", &certificate_logs, "key", &mut unusable, CtLog::parse),
    };
    Ok(TrustedRoot {
        digest: Sha256Digest::of(json),
        logs,
        certificate_authorities,
        timestamp_authorities,
        certificate_logs,
        unusable,
        usable: Arc::new(usable),
    })
}

/// Parses what is used of each part; those that cannot be used are listed, and the others still work.
fn usable<T, U>(
    list: &'static str,
    trusted: &[T],
    what: &str,
    unusable: &mut Vec<UnusablePart>,
    parse: impl Fn(&T) -> Option<U>,
) -> Vec<U> {
    let mut usable = Vec::new();
    for (index, part) in trusted.iter().enumerate() {
        match parse(part) {
            Some(part) => usable.push(part),
            None => unusable.push(UnusablePart {
                part: Part { list, index },
                unsupported: what.to_owned(),
            }),
        }
    }
    usable
}

/// Refuses two logs with one id: whose key a checkpoint is then verified with would be chance.
pub(super) fn refuse_duplicates(logs: &[TrustedLog]) -> Result<(), TrustError> {
    refuse_duplicate_ids(logs.iter().map(|log| log.log_id))
}

fn refuse_duplicate_ids(ids: impl Iterator<Item = Hash>) -> Result<(), TrustError> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(TrustError::DuplicateLogId {
                log_id: id.to_string(),
            });
        }
    }
    Ok(())
}

fn parts<W, T>(
    list: &'static str,
    wires: Option<Vec<W>>,
    mut parse: impl FnMut(Part, W) -> Result<Option<T>, TrustError>,
) -> Result<Vec<T>, TrustError> {
    let wires = wires.unwrap_or_default();
    if wires.len() > MAX_TRUSTED_PARTS {
        return Err(TrustError::TooMany {
            list,
            found: wires.len(),
        });
    }
    let parsed = wires
        .into_iter()
        .enumerate()
        .map(|(index, wire)| parse(Part { list, index }, wire));
    parsed.filter_map(Result::transpose).collect()
}

fn parse_log(
    part: Part,
    wire: LogWire,
    unusable: &mut Vec<UnusablePart>,
) -> Result<Option<TrustedLog>, TrustError> {
    let valid_for = window(part, wire.public_key.valid_for)?;
    let origin = origin(part, &wire.base_url)?;
    let log_id = decode(part, "logId.keyId", &wire.log_id.key_id)?;
    let spki = decode(part, "publicKey.rawBytes", &wire.public_key.raw_bytes)?;
    let mut unsupported = |value: &str| {
        unusable.push(UnusablePart {
            part,
            unsupported: shown(value),
        });
        Ok(None)
    };
    if wire.hash_algorithm != "SHA2_256" {
        return unsupported(&wire.hash_algorithm);
    }
    let key_details = wire.public_key.key_details.as_str();
    let key = VerifierKey::from_key_details(&origin, key_details, &spki)
        .map_err(|source| TrustError::Key { at: part, source })?;
    let Some(key) = key else {
        return unsupported(key_details);
    };
    // A log of the first generation names itself by its key alone, whatever the key's type.
    let by_key = key.spki_digest();
    if log_id != key.log_id().as_bytes() && log_id != by_key.as_bytes() {
        return Err(log_id_error(part, &key.log_id(), &log_id));
    }
    if let Some(IdWire { key_id }) = &wire.checkpoint_key_id {
        let id = decode(part, "checkpointKeyId.keyId", key_id)?;
        // Version 0.2 allows the whole identifier or the four bytes that signature lines carry.
        let names = |known: &Hash| id == known.as_bytes() || id == known.as_bytes()[..4];
        if !names(&key.log_id()) && !names(&by_key) {
            return Err(log_id_error(part, &key.log_id(), &id));
        }
    }
    let log_id = Hash::from_slice(&log_id).expect("equal to a hash");
    Ok(Some(TrustedLog {
        origin,
        key,
        log_id,
        valid_for,
        operator: operator(wire.operator),
    }))
}

fn parse_certificate_log(
    part: Part,
    wire: LogWire,
    unusable: &mut Vec<UnusablePart>,
) -> Result<Option<CertificateLog>, TrustError> {
    let spki_der = decode(part, "publicKey.rawBytes", &wire.public_key.raw_bytes)?;
    let found = decode(part, "logId.keyId", &wire.log_id.key_id)?;
    let valid_for = window(part, wire.public_key.valid_for)?;
    // Keys of other kinds are not written as a `SubjectPublicKeyInfo`, so that their id does not follow from them.
    if !wire.public_key.key_details.starts_with("PKIX_") {
        unusable.push(UnusablePart {
            part,
            unsupported: shown(&wire.public_key.key_details),
        });
        return Ok(None);
    }
    // RFC 6962 §3.2: the SHA-256 hash of the log's public key.
    let log_id = Hash::from_bytes(*Sha256Digest::of(&spki_der).as_bytes());
    if found != log_id.as_bytes() {
        return Err(log_id_error(part, &log_id, &found));
    }
    let (key_details, operator) = (wire.public_key.key_details, operator(wire.operator));
    Ok(Some(CertificateLog {
        log_id,
        key_details,
        spki_der,
        valid_for,
        operator,
    }))
}

fn parse_authority(part: Part, wire: AuthorityWire) -> Result<TrustedAuthority, TrustError> {
    let certificates = wire.cert_chain.certificates.unwrap_or_default();
    if certificates.is_empty() {
        return Err(TrustError::ChainEmpty { at: part });
    }
    if certificates.len() > MAX_TRUSTED_PARTS {
        return Err(TrustError::TooMany {
            list: part.list,
            found: certificates.len(),
        });
    }
    let decode = |wire: &super::wire::CertificateWire| decode(part, "certificates.rawBytes", &wire.raw_bytes);
    Ok(TrustedAuthority {
        uri: wire.uri.unwrap_or_default(),
        certificates: certificates.iter().map(decode).collect::<Result<_, _>>()?,
        valid_for: window(part, wire.valid_for)?,
        operator: operator(wire.operator),
    })
}

/// Protobuf JSON cannot tell an empty text from an absent one.
fn operator(found: Option<String>) -> Option<String> {
    found.filter(|operator| !operator.is_empty())
}

/// Returns the origin that a log's base URL stands for: the URL without scheme and without slashes at the end.
fn origin(part: Part, base_url: &str) -> Result<String, TrustError> {
    let rest = base_url
        .strip_prefix("https://")
        .or_else(|| base_url.strip_prefix("http://"))
        .unwrap_or(base_url);
    let origin = rest.trim_end_matches('/');
    let usable = !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+');
    if usable {
        Ok(origin.to_owned())
    } else {
        Err(TrustError::BaseUrl { at: part })
    }
}

fn window(part: Part, wire: Option<WindowWire>) -> Result<Window, TrustError> {
    let Some(WindowWire {
        start: Some(start),
        end,
    }) = wire
    else {
        return Err(TrustError::StartMissing { at: part });
    };
    // Fractions are dropped: the end `23:59:59.999` includes the whole second `23:59:59`.
    let time = |text: &String| {
        Timestamp::parse_any_rfc3339(text).map_err(|_| TrustError::Time {
            at: part,
            found: shown(text),
        })
    };
    let window = Window {
        start: time(&start)?,
        end: end.as_ref().map(time).transpose()?,
    };
    if window.end.is_some_and(|end| end < window.start) {
        return Err(TrustError::WindowReversed { at: part });
    }
    Ok(window)
}

fn decode(part: Part, field: &'static str, text: &str) -> Result<Vec<u8>, TrustError> {
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(TrustError::Base64 { at: part, field }),
    }
}

fn log_id_error(part: Part, expected: &Hash, found: &[u8]) -> TrustError {
    let found = found.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
    TrustError::LogId {
        at: part,
        expected: expected.to_string(),
        found,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}
