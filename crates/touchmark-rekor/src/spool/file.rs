//! The file of an entry.
//!
//! An entry for one log, signed with a managed key, is written as version 1; everything else as version 2. Both are
//! read.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use touchmark_sign::attestation::SignedEnvelope;
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::envelope::Envelope;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::issued::IssuedCertificate;
use touchmark_verify::key::PublicKey;
use touchmark_verify::limits::MAX_TIMESTAMPS;

use super::entry::{Destination, Entry, EvidencePlace, Keyless, MAX_TARGETS};
use super::target::{LogAddress, Target, WireTarget};
use super::{MAX_ENTRY_BYTES, SpoolError};

/// One log, a managed key.
const VERSION_1: u64 = 1;
/// Several logs, services, certificates.
const VERSION_2: u64 = 2;
const MAX_DESTINATIONS: usize = 1024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    version: u64,
    queued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logs: Option<Vec<WireTarget>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyless: Option<WireKeyless>,
    destinations: Vec<WireDestination>,
    public_key: String,
    payload_type: String,
    keyid: String,
    payload: String,
    signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamps: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireKeyless {
    certificate: String,
    timestamps: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WireDestination {
    Refs {
        repository: String,
        places: Vec<EvidencePlace>,
    },
    File {
        path: String,
    },
}

impl Entry {
    /// The one embedded log of an entry that version 1 can hold.
    fn simple_log(&self) -> Option<Option<String>> {
        if !self.signed.timestamps().is_empty() {
            return None;
        }
        match (self.targets.as_slice(), &self.keyless) {
            ([], None) => Some(None),
            (
                [
                    Target {
                        log: LogAddress::Embedded(name),
                        ..
                    },
                ],
                None,
            ) => Some(Some(name.clone())),
            _ => None,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let envelope = self.signed.envelope();
        let simple = self.simple_log();
        let wire = Wire {
            version: if simple.is_some() { VERSION_1 } else { VERSION_2 },
            queued_at: self.queued_at,
            logs: match simple {
                Some(_) => None,
                None => Some(self.targets.iter().map(WireTarget::from).collect()),
            },
            log: simple.flatten(),
            keyless: self.keyless.as_ref().map(encode_keyless),
            destinations: self.destinations.iter().map(encode_destination).collect(),
            public_key: STANDARD.encode(self.signed.public_key().spki_der()),
            payload_type: envelope.payload_type.clone(),
            keyid: envelope.keyid.clone(),
            payload: STANDARD.encode(&envelope.payload),
            signature: STANDARD.encode(&envelope.signature),
            timestamps: match self.signed.timestamps() {
                [] => None,
                stamps => Some(stamps.iter().map(|der| STANDARD.encode(der)).collect()),
            },
            bundle: self
                .bundle
                .as_ref()
                .map(|bundle| STANDARD.encode(bundle.encode())),
        };
        serde_json::to_vec(&wire).expect("an entry consists of text and lists")
    }

    pub(super) fn parse(id: &EvidenceId, json: &[u8]) -> Result<Self, SpoolError> {
        let bad = |field| SpoolError::Field { id: *id, field };
        let max_bytes = usize::try_from(MAX_ENTRY_BYTES).map_err(|_| bad("size"))?;
        let rules = Rules {
            max_bytes,
            max_depth: 8,
            numbers: Numbers::ExactIntegers,
        };
        let wire: Wire = strict_json::from_slice(json, &rules).map_err(|source| SpoolError::Json {
            id: *id,
            source: Box::new(source),
        })?;
        let signed = parse_signed(id, &wire)?;
        let keyless = match wire.keyless {
            Some(keyless) => Some(parse_keyless(id, &keyless, signed.public_key())?),
            None => None,
        };
        let targets = match (wire.version, wire.log, wire.logs) {
            (VERSION_1, log, None) if keyless.is_none() => log
                .map(|name| Target::new(LogAddress::Embedded(name)))
                .into_iter()
                .collect(),
            (VERSION_2, None, Some(logs)) if logs.len() <= MAX_TARGETS => logs
                .into_iter()
                .map(WireTarget::parse)
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| bad("logs"))?,
            (VERSION_1 | VERSION_2, ..) => return Err(bad("logs")),
            _ => return Err(bad("version")),
        };
        if wire.destinations.len() > MAX_DESTINATIONS {
            return Err(bad("destinations"));
        }
        let destinations: Option<Vec<_>> = wire.destinations.into_iter().map(parse_destination).collect();
        let mut entry = Entry {
            signed,
            keyless,
            targets,
            destinations: destinations.ok_or_else(|| bad("destinations"))?,
            bundle: None,
            queued_at: wire.queued_at,
        };
        if let Some(text) = wire.bundle {
            entry.take_bundle(id, &STANDARD.decode(text).map_err(|_| bad("bundle"))?)?;
        } else if entry.targets.iter().any(|target| target.answered_by.is_some()) {
            return Err(bad("logs"));
        }
        Ok(entry)
    }

    /// Takes the bundle of the file in: it is this entry's, and holds the answers that the targets tell of.
    fn take_bundle(&mut self, id: &EvidenceId, json: &[u8]) -> Result<(), SpoolError> {
        let bundle = Bundle::parse(json).map_err(|source| SpoolError::Bundle {
            id: *id,
            source: Box::new(source),
        })?;
        // Version 1 does not tell whose answer it is: its one log's.
        if let ([target], [answer]) = (self.targets.as_mut_slice(), bundle.tlog_entries.as_slice()) {
            target.answered_by.get_or_insert(answer.log_id);
        }
        let mut told: Vec<_> = self
            .targets
            .iter()
            .filter_map(|target| target.answered_by)
            .collect();
        let mut held: Vec<_> = bundle.tlog_entries.iter().map(|entry| entry.log_id).collect();
        told.sort_unstable();
        held.sort_unstable();
        if !self.is_in(&bundle) || (!self.targets.is_empty() && told != held) {
            return Err(SpoolError::OtherBundle { id: *id });
        }
        self.bundle = Some(bundle);
        Ok(())
    }
}

fn parse_signed(id: &EvidenceId, wire: &Wire) -> Result<SignedEnvelope, SpoolError> {
    let bytes = |text: &str, field| {
        STANDARD
            .decode(text)
            .map_err(|_| SpoolError::Field { id: *id, field })
    };
    let public_key = PublicKey::from_spki_der(&bytes(&wire.public_key, "publicKey")?)
        .map_err(|source| SpoolError::Key { id: *id, source })?;
    let envelope = Envelope {
        payload: bytes(&wire.payload, "payload")?,
        signature: bytes(&wire.signature, "signature")?,
        payload_type: wire.payload_type.clone(),
        keyid: wire.keyid.clone(),
    };
    let signed = SignedEnvelope::from_parts(envelope, public_key).map_err(|source| SpoolError::Envelope {
        id: *id,
        source: Box::new(source),
    })?;
    let stamps = wire.timestamps.iter().flatten();
    let stamps = stamps.map(|stamp| bytes(stamp, "timestamps"));
    Ok(signed.with_timestamps(stamps.collect::<Result<_, _>>()?))
}

fn encode_keyless(keyless: &Keyless) -> WireKeyless {
    WireKeyless {
        certificate: STANDARD.encode(&keyless.certificate),
        timestamps: keyless
            .timestamps
            .iter()
            .map(|der| STANDARD.encode(der))
            .collect(),
    }
}

fn parse_keyless(id: &EvidenceId, wire: &WireKeyless, key: &PublicKey) -> Result<Keyless, SpoolError> {
    let bad = |field| SpoolError::Field { id: *id, field };
    let bytes = |text: &str, field| STANDARD.decode(text).map_err(|_| bad(field));
    if wire.timestamps.len() > MAX_TIMESTAMPS {
        return Err(bad("timestamps"));
    }
    let timestamps: Result<_, _> = wire
        .timestamps
        .iter()
        .map(|text| bytes(text, "timestamps"))
        .collect();
    let certificate =
        IssuedCertificate::parse(bytes(&wire.certificate, "certificate")?).map_err(|_| bad("certificate"))?;
    if certificate.public_key() != key {
        return Err(bad("certificate"));
    }
    Keyless::new(&certificate, timestamps?).ok_or_else(|| bad("certificate"))
}

fn encode_destination(destination: &Destination) -> WireDestination {
    match destination {
        Destination::Refs { repository, places } => WireDestination::Refs {
            repository: encode_path(repository),
            places: places.clone(),
        },
        Destination::File { path } => WireDestination::File {
            path: encode_path(path),
        },
    }
}

fn parse_destination(wire: WireDestination) -> Option<Destination> {
    match wire {
        WireDestination::Refs { repository, places } => Some(Destination::Refs {
            repository: parse_path(&repository)?,
            places,
        }),
        WireDestination::File { path } => Some(Destination::File {
            path: parse_path(&path)?,
        }),
    }
}

// Paths need not be UTF-8, and one spelling is enough: always base64 of the bytes.
fn encode_path(path: &Path) -> String {
    STANDARD.encode(path.as_os_str().as_bytes())
}

fn parse_path(text: &str) -> Option<PathBuf> {
    let bytes = STANDARD.decode(text).ok()?;
    if bytes.is_empty() || bytes.contains(&0) {
        None
    } else {
        Some(PathBuf::from(OsString::from_vec(bytes)))
    }
}
