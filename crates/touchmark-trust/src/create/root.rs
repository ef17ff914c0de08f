//! Trusted roots.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::note::VerifierKey;
use touchmark_verify::trust::{MEDIA_TYPE_V01, MEDIA_TYPE_V02, TrustedRoot};
use touchmark_verify::window::Window;

use super::error::CreateError;
use super::key::{LogKey, certificates};
use crate::certificate::CertificateSummary;

/// Which version of the format is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RootVersion {
    /// 0.1, which every client reads. Operators are written all the same.
    #[default]
    V01,
    /// 0.2, which says how checkpoints name the log's key; cosign 3.1 refuses it.
    V02,
}

/// What a trusted root consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedRootParts {
    /// The transparency logs.
    pub logs: Vec<LogPart>,
    /// The certificate authorities.
    pub certificate_authorities: Vec<AuthorityPart>,
    /// The certificate transparency logs.
    pub certificate_logs: Vec<LogPart>,
    /// The timestamp authorities.
    pub timestamp_authorities: Vec<AuthorityPart>,
}

/// A log, or a certificate transparency log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    url: String,
    key: LogKey,
    origin: Option<String>,
    window: Window,
    operator: Option<String>,
}

impl LogPart {
    /// Returns a log with this address and key that names itself by its key alone, as Rekor v1 and certificate logs do.
    pub fn new(url: &str, key: LogKey, window: Window) -> Result<Self, CreateError> {
        origin_of(url)?;
        Ok(Self {
            url: url.to_owned(),
            key,
            origin: None,
            window,
            operator: None,
        })
    }

    /// Returns a log whose checkpoints begin with this origin, and that names itself by origin and key, as Rekor v2
    /// does. The address is what readers derive the origin from.
    pub fn with_origin(
        url: Option<&str>,
        origin: &str,
        key: LogKey,
        window: Window,
    ) -> Result<Self, CreateError> {
        let url = url.map_or_else(|| format!("https://{origin}"), str::to_owned);
        let derived = origin_of(&url)?;
        if derived != origin {
            return Err(CreateError::Origin {
                derived,
                url,
                origin: origin.to_owned(),
            });
        }
        match &key.name {
            Some(found) if found != origin => Err(CreateError::KeyName {
                expected: origin.to_owned(),
                found: found.clone(),
            }),
            _ => Ok(Self {
                origin: Some(origin.to_owned()),
                ..Self::new(&url, key, window)?
            }),
        }
    }

    /// Says who runs the log.
    #[must_use]
    pub fn run_by(mut self, operator: Option<String>) -> Self {
        self.operator = operator;
        self
    }

    fn encode(&self, version: RootVersion) -> Result<LogWire<'_>, CreateError> {
        let name = match &self.origin {
            Some(origin) => origin.clone(),
            None => origin_of(&self.url)?,
        };
        let key = VerifierKey::from_spki(&name, &self.key.spki).map_err(|source| CreateError::LogKey {
            name: name.clone(),
            source,
        })?;
        let id = match &self.origin {
            Some(_) => key.log_id(),
            None => key.spki_digest(),
        };
        let id = IdWire {
            key_id: id.to_base64(),
        };
        Ok(LogWire {
            base_url: &self.url,
            hash_algorithm: "SHA2_256",
            public_key: KeyWire {
                raw_bytes: STANDARD.encode(key.spki_der()),
                key_details: key.key_details(),
                valid_for: WindowWire::of(&self.window),
            },
            checkpoint_key_id: (version == RootVersion::V02 && self.origin.is_some()).then(|| id.clone()),
            log_id: id,
            operator: self.operator.as_deref(),
        })
    }
}

/// A certificate or timestamp authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityPart {
    url: String,
    certificates: Vec<Vec<u8>>,
    window: Window,
    operator: Option<String>,
}

impl AuthorityPart {
    /// Returns an authority with this chain of certificates, PEM, issuer nearest first, trust anchor last. It is in use
    /// from the beginning of its first certificate, unless `start` says otherwise.
    pub fn new(
        url: &str,
        chain_pem: &[u8],
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Result<Self, CreateError> {
        let certificates = certificates(chain_pem)?;
        let first = certificates
            .first()
            .and_then(|der| CertificateSummary::parse(der));
        let not_before = first.map(|summary| summary.not_before);
        let start = start.or(not_before).ok_or(CreateError::Certificates)?;
        Ok(Self {
            url: url.to_owned(),
            certificates,
            window: Window { start, end },
            operator: None,
        })
    }

    /// Says who runs the authority.
    #[must_use]
    pub fn run_by(mut self, operator: Option<String>) -> Self {
        self.operator = operator;
        self
    }

    fn encode(&self) -> AuthorityWire<'_> {
        let anchor = self
            .certificates
            .last()
            .and_then(|der| CertificateSummary::parse(der));
        let (organization, common_name) =
            anchor.map_or((None, None), |anchor| (anchor.organization, anchor.common_name));
        AuthorityWire {
            subject: NameWire {
                organization,
                common_name,
            },
            uri: &self.url,
            cert_chain: ChainWire {
                certificates: self
                    .certificates
                    .iter()
                    .map(|der| CertificateWire {
                        raw_bytes: STANDARD.encode(der),
                    })
                    .collect(),
            },
            valid_for: WindowWire::of(&self.window),
            operator: self.operator.as_deref(),
        }
    }
}

impl TrustedRootParts {
    /// Writes the trusted root, JSON with a line feed at its end.
    pub fn encode(&self, version: RootVersion) -> Result<Vec<u8>, CreateError> {
        let logs = |parts: &'_ [LogPart]| -> Result<Vec<_>, CreateError> {
            parts
                .iter()
                .map(|part| Ok(serde_json::json!(part.encode(version)?)))
                .collect()
        };
        if self.logs.is_empty() && self.certificate_authorities.is_empty() {
            return Err(CreateError::Nothing);
        }
        let wire = RootWire {
            media_type: match version {
                RootVersion::V01 => MEDIA_TYPE_V01,
                RootVersion::V02 => MEDIA_TYPE_V02,
            },
            tlogs: logs(&self.logs)?,
            certificate_authorities: self
                .certificate_authorities
                .iter()
                .map(AuthorityPart::encode)
                .collect(),
            ctlogs: logs(&self.certificate_logs)?,
            timestamp_authorities: self
                .timestamp_authorities
                .iter()
                .map(AuthorityPart::encode)
                .collect(),
        };
        let mut json = serde_json::to_vec_pretty(&wire).expect("texts and lists of them");
        json.push(b'\n');
        let read = TrustedRoot::parse(&json)?;
        match read.unusable().first() {
            Some(unusable) => Err(CreateError::Unusable {
                part: unusable.part,
                reason: unusable.unsupported.clone(),
            }),
            None => Ok(json),
        }
    }
}

/// Returns the origin that readers derive from a log's address: without scheme, and without slashes at the end.
fn origin_of(url: &str) -> Result<String, CreateError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let origin = rest.unwrap_or_default().trim_end_matches('/');
    let usable = !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+');
    if usable {
        Ok(origin.to_owned())
    } else {
        Err(CreateError::Url {
            found: url.chars().take(100).collect(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RootWire<'a> {
    media_type: &'static str,
    tlogs: Vec<serde_json::Value>,
    certificate_authorities: Vec<AuthorityWire<'a>>,
    ctlogs: Vec<serde_json::Value>,
    timestamp_authorities: Vec<AuthorityWire<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogWire<'a> {
    base_url: &'a str,
    hash_algorithm: &'static str,
    public_key: KeyWire,
    log_id: IdWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_key_id: Option<IdWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyWire {
    raw_bytes: String,
    key_details: &'static str,
    valid_for: WindowWire,
}

#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
struct IdWire {
    key_id: String,
}

#[derive(Serialize)]
pub(super) struct WindowWire {
    start: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
}

impl WindowWire {
    pub(super) fn of(window: &Window) -> Self {
        Self {
            start: window.start.to_string(),
            end: window.end.map(|end| end.to_string()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityWire<'a> {
    subject: NameWire,
    uri: &'a str,
    cert_chain: ChainWire,
    valid_for: WindowWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NameWire {
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    common_name: Option<String>,
}

#[derive(Serialize)]
struct ChainWire {
    certificates: Vec<CertificateWire>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateWire {
    raw_bytes: String,
}
