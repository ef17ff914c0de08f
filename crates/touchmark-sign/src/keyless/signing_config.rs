//! Sigstore's signing config, version 0.2: which services sign, chosen by time, operator and version.
//!
//! Parsed strictly, also out of the `ClientTrustConfig` that carries a trusted root beside it. No service is built in
//! anywhere: what no signing config and no flag names is not asked. A missing start of validity is an error and not
//! "since ever"; both ends belong to the period.
//! <https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto>

mod error;
mod select;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::value::RawValue;
use touchmark_http::{HttpError, Url};
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::window::Window;

pub use error::{ServiceKind, SigningConfigError};

/// The media type of version 0.2.
pub const MEDIA_TYPE_V02: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
/// The media type of the file that holds a trusted root and a signing config.
pub const MEDIA_TYPE_CLIENT_TRUST: &str = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";
/// The largest file that is read; a `ClientTrustConfig` holds a trusted root too.
pub const MAX_SIGNING_CONFIG_BYTES: usize = 4 * 1024 * 1024;
/// Most services of one kind.
const MAX_SERVICES: usize = 256;
const MAX_TEXT_BYTES: usize = 4096;

const RULES: Rules = Rules {
    max_bytes: MAX_SIGNING_CONFIG_BYTES,
    max_depth: 24,
    numbers: Numbers::ExactIntegers,
};

/// Which services there are to sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningConfig {
    certificate_authorities: Vec<Service>,
    identity_providers: Vec<Service>,
    logs: Vec<Service>,
    log_selection: Selection,
    timestamp_authorities: Vec<Service>,
    timestamp_selection: Selection,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its address: the full path of a timestamp authority, the base of every other.
    pub url: Url,
    /// The major version of its API.
    pub major_api_version: u64,
    /// When it is in use.
    pub valid_for: Window,
    /// Who runs it. Services of one operator count once.
    pub operator: String,
}

/// How many operators' services are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// One, whichever.
    Any,
    /// Every one.
    All,
    /// So many.
    Exact(u64),
}

/// A file that names services, and the trusted root that stood beside them, if one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningConfigFile {
    /// The services.
    pub signing_config: SigningConfig,
    /// The JSON of the trusted root out of a `ClientTrustConfig`, as it stood there.
    pub trusted_root: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct KindWire {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ClientTrustWire {
    #[expect(dead_code, reason = "read by the first look")]
    media_type: String,
    trusted_root: Box<RawValue>,
    signing_config: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConfigWire {
    media_type: String,
    #[serde(default)]
    ca_urls: Option<Vec<ServiceWire>>,
    #[serde(default)]
    oidc_urls: Option<Vec<ServiceWire>>,
    #[serde(default)]
    rekor_tlog_urls: Option<Vec<ServiceWire>>,
    #[serde(default)]
    rekor_tlog_config: Option<SelectionWire>,
    #[serde(default)]
    tsa_urls: Option<Vec<ServiceWire>>,
    #[serde(default)]
    tsa_config: Option<SelectionWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ServiceWire {
    url: String,
    #[serde(default)]
    major_api_version: Option<u64>,
    #[serde(default)]
    valid_for: Option<WindowWire>,
    #[serde(default)]
    operator: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowWire {
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    end: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionWire {
    #[serde(default)]
    selector: Option<String>,
    #[serde(default)]
    count: Option<u64>,
}

impl SigningConfigFile {
    /// Parses a signing config, or the `ClientTrustConfig` around one.
    pub fn parse(json: &[u8]) -> Result<Self, SigningConfigError> {
        if json.len() > MAX_SIGNING_CONFIG_BYTES {
            return Err(SigningConfigError::TooLarge { found: json.len() });
        }
        // The whole file is held to one meaning before any part of it is looked at.
        strict_json::check(json, &RULES)?;
        let kind: KindWire = strict_json::from_slice(json, &RULES)?;
        if kind.media_type.as_deref() != Some(MEDIA_TYPE_CLIENT_TRUST) {
            return Ok(SigningConfigFile {
                signing_config: SigningConfig::parse(json)?,
                trusted_root: None,
            });
        }
        let wire: ClientTrustWire = strict_json::from_slice(json, &RULES)?;
        Ok(SigningConfigFile {
            signing_config: SigningConfig::parse(wire.signing_config.get().as_bytes())?,
            trusted_root: Some(wire.trusted_root.get().as_bytes().to_vec()),
        })
    }
}

impl SigningConfig {
    /// Parses a signing config of version 0.2.
    pub fn parse(json: &[u8]) -> Result<Self, SigningConfigError> {
        if json.len() > MAX_SIGNING_CONFIG_BYTES {
            return Err(SigningConfigError::TooLarge { found: json.len() });
        }
        let kind: KindWire = strict_json::from_slice(json, &RULES)?;
        // The version decides how the rest reads, so a file of another version is not called malformed.
        match kind.media_type.as_deref() {
            Some(MEDIA_TYPE_V02) => {}
            found => {
                return Err(SigningConfigError::MediaType {
                    found: found.unwrap_or_default().chars().take(100).collect(),
                });
            }
        }
        let wire: ConfigWire = strict_json::from_slice(json, &RULES)?;
        debug_assert_eq!(wire.media_type, MEDIA_TYPE_V02);
        Ok(SigningConfig {
            certificate_authorities: services(ServiceKind::CertificateAuthority, wire.ca_urls)?,
            identity_providers: services(ServiceKind::IdentityProvider, wire.oidc_urls)?,
            logs: services(ServiceKind::Log, wire.rekor_tlog_urls)?,
            log_selection: selection(ServiceKind::Log, wire.rekor_tlog_config)?,
            timestamp_authorities: services(ServiceKind::TimestampAuthority, wire.tsa_urls)?,
            timestamp_selection: selection(ServiceKind::TimestampAuthority, wire.tsa_config)?,
        })
    }

    /// Returns a config that names no service; flags may add some.
    pub fn empty() -> Self {
        SigningConfig {
            certificate_authorities: Vec::new(),
            identity_providers: Vec::new(),
            logs: Vec::new(),
            log_selection: Selection::All,
            timestamp_authorities: Vec::new(),
            timestamp_selection: Selection::All,
        }
    }

    /// Puts these services in the place of those of one kind; with several, each one is used.
    pub fn replace(&mut self, kind: ServiceKind, services: Vec<Service>) {
        match kind {
            ServiceKind::CertificateAuthority => self.certificate_authorities = services,
            ServiceKind::IdentityProvider => self.identity_providers = services,
            ServiceKind::Log => {
                self.logs = services;
                self.log_selection = Selection::All;
            }
            ServiceKind::TimestampAuthority => {
                self.timestamp_authorities = services;
                self.timestamp_selection = Selection::All;
            }
        }
    }

    /// Returns the certificate authority to ask at this time; only version 1 is spoken.
    pub fn certificate_authority(&self, at: Timestamp) -> Result<&Service, SigningConfigError> {
        select::one(
            ServiceKind::CertificateAuthority,
            &self.certificate_authorities,
            &[1],
            at,
        )
    }

    /// Returns the identity provider to ask at this time.
    pub fn identity_provider(&self, at: Timestamp) -> Result<&Service, SigningConfigError> {
        select::one(ServiceKind::IdentityProvider, &self.identity_providers, &[1], at)
    }

    /// Returns the logs to publish to at this time: one each of so many operators as the config asks for.
    pub fn logs(&self, at: Timestamp) -> Result<Vec<&Service>, SigningConfigError> {
        select::several(ServiceKind::Log, &self.logs, self.log_selection, &[1, 2], at)
    }

    /// Returns the timestamp authorities to ask at this time; none where the config names none.
    pub fn timestamp_authorities(&self, at: Timestamp) -> Result<Vec<&Service>, SigningConfigError> {
        if self.timestamp_authorities.is_empty() {
            return Ok(Vec::new());
        }
        select::several(
            ServiceKind::TimestampAuthority,
            &self.timestamp_authorities,
            self.timestamp_selection,
            &[1],
            at,
        )
    }

    /// Returns every service of one kind, in use or not.
    pub fn all(&self, kind: ServiceKind) -> &[Service] {
        match kind {
            ServiceKind::CertificateAuthority => &self.certificate_authorities,
            ServiceKind::IdentityProvider => &self.identity_providers,
            ServiceKind::Log => &self.logs,
            ServiceKind::TimestampAuthority => &self.timestamp_authorities,
        }
    }
}

impl Service {
    /// Builds a service that somebody named by its address alone; it is in use at any time, and stands for itself.
    pub fn named(kind: ServiceKind, url: &str, major_api_version: u64) -> Result<Self, SigningConfigError> {
        let url = parse_url(kind, 0, url)?;
        Ok(Service {
            operator: String::new(),
            url,
            major_api_version,
            valid_for: Window {
                start: Timestamp::from_unix(0).expect("the epoch is a time"),
                end: None,
            },
        })
    }
}

fn services(kind: ServiceKind, wires: Option<Vec<ServiceWire>>) -> Result<Vec<Service>, SigningConfigError> {
    let wires = wires.unwrap_or_default();
    if wires.len() > MAX_SERVICES {
        return Err(SigningConfigError::TooMany {
            kind,
            found: wires.len(),
        });
    }
    let service = |(index, wire): (usize, ServiceWire)| {
        let field = |field| SigningConfigError::Field { kind, index, field };
        let operator = wire.operator.unwrap_or_default();
        if operator.len() > MAX_TEXT_BYTES || operator.chars().any(char::is_control) {
            return Err(field("operator"));
        }
        let window = wire.valid_for.ok_or_else(|| field("validFor"))?;
        let time = |text: String, name| Timestamp::parse_any_rfc3339(&text).map_err(|_| field(name));
        let start = window.start.ok_or_else(|| field("validFor.start"))?;
        let start = time(start, "validFor.start")?;
        let end = window.end.map(|end| time(end, "validFor.end")).transpose()?;
        // Such a service would silently never be used.
        if end.is_some_and(|end| end < start) {
            return Err(field("validFor.end"));
        }
        Ok(Service {
            url: parse_url(kind, index, &wire.url)?,
            // Protobuf leaves out a zero, and there is no version 0.
            major_api_version: wire
                .major_api_version
                .filter(|version| *version > 0)
                .ok_or_else(|| field("majorApiVersion"))?,
            valid_for: Window { start, end },
            operator,
        })
    };
    wires.into_iter().enumerate().map(service).collect()
}

fn parse_url(kind: ServiceKind, index: usize, text: &str) -> Result<Url, SigningConfigError> {
    let url: Url = text
        .parse()
        .map_err(|source| SigningConfigError::Url { kind, index, source })?;
    // A base that brings its own query would have it sent along, or lose it.
    if url.as_str().contains(['?', '#']) {
        let source = HttpError::Url;
        return Err(SigningConfigError::Url { kind, index, source });
    }
    Ok(url)
}

fn selection(kind: ServiceKind, wire: Option<SelectionWire>) -> Result<Selection, SigningConfigError> {
    let Some(wire) = wire else {
        return Ok(Selection::Any);
    };
    let bad = || SigningConfigError::Selection { kind };
    match (wire.selector.as_deref(), wire.count) {
        (Some("ANY"), None | Some(0)) => Ok(Selection::Any),
        (Some("ALL"), None | Some(0)) => Ok(Selection::All),
        (Some("EXACT"), Some(count)) if count > 0 => Ok(Selection::Exact(count)),
        _ => Err(bad()),
    }
}
