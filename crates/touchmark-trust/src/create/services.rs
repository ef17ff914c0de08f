//! Signing configs.

use std::collections::BTreeSet;

use serde::Serialize;
use touchmark_http::Url;
use touchmark_verify::window::Window;

use super::error::CreateError;
use super::root::WindowWire;

/// The media type that is written.
const MEDIA_TYPE_V02: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// Which services a signer uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigningConfigParts {
    /// The certificate authorities.
    pub certificate_authorities: Vec<ServicePart>,
    /// The OpenID Connect providers.
    pub identity_providers: Vec<ServicePart>,
    /// The logs.
    pub logs: Vec<ServicePart>,
    /// How many logs are used.
    pub log_selector: Selector,
    /// The timestamp authorities.
    pub timestamp_authorities: Vec<ServicePart>,
    /// How many timestamp authorities are used.
    pub timestamp_selector: Selector,
}

/// How many of the services are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Selector {
    /// Any one.
    #[default]
    Any,
    /// One of each operator.
    All,
    /// So many, each of another operator.
    Exact(u32),
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePart {
    url: String,
    major_api_version: u32,
    window: Window,
    operator: String,
}

impl ServicePart {
    /// Returns a service: the whole path of a timestamp authority, the base of every other.
    pub fn new(
        url: &str,
        major_api_version: u32,
        window: Window,
        operator: &str,
    ) -> Result<Self, CreateError> {
        let found = || CreateError::Url {
            found: url.chars().take(100).collect(),
        };
        let parsed: Url = url.parse().map_err(|_| found())?;
        if major_api_version == 0 || parsed.as_str().is_empty() {
            return Err(found());
        }
        Ok(Self {
            url: url.to_owned(),
            major_api_version,
            window,
            operator: operator.to_owned(),
        })
    }

    fn encode(&self) -> ServiceWire<'_> {
        ServiceWire {
            url: &self.url,
            major_api_version: self.major_api_version,
            valid_for: WindowWire::of(&self.window),
            operator: &self.operator,
        }
    }
}

impl SigningConfigParts {
    /// Writes the signing config, JSON with a line feed at its end.
    pub fn encode(&self) -> Result<Vec<u8>, CreateError> {
        let lists = [
            &self.certificate_authorities,
            &self.identity_providers,
            &self.logs,
            &self.timestamp_authorities,
        ];
        if lists.into_iter().all(Vec::is_empty) {
            return Err(CreateError::Nothing);
        }
        let wire = ConfigWire {
            media_type: MEDIA_TYPE_V02,
            ca_urls: services(&self.certificate_authorities),
            oidc_urls: services(&self.identity_providers),
            rekor_tlog_urls: services(&self.logs),
            rekor_tlog_config: selector(self.log_selector, &self.logs)?,
            tsa_urls: services(&self.timestamp_authorities),
            tsa_config: selector(self.timestamp_selector, &self.timestamp_authorities)?,
        };
        let mut json = serde_json::to_vec_pretty(&wire).expect("texts and lists of them");
        json.push(b'\n');
        Ok(json)
    }
}

fn services(parts: &[ServicePart]) -> Vec<ServiceWire<'_>> {
    parts.iter().map(ServicePart::encode).collect()
}

fn selector(selector: Selector, parts: &[ServicePart]) -> Result<Option<SelectorWire>, CreateError> {
    if parts.is_empty() && selector == Selector::Any {
        return Ok(None);
    }
    let operators: BTreeSet<&str> = parts.iter().map(|part| part.operator.as_str()).collect();
    match selector {
        Selector::Exact(count) if count == 0 || count as usize > operators.len() => Err(CreateError::Count {
            count,
            operators: operators.len(),
        }),
        Selector::Exact(count) => Ok(Some(SelectorWire {
            selector: "EXACT",
            count: Some(count),
        })),
        Selector::Any => Ok(Some(SelectorWire {
            selector: "ANY",
            count: None,
        })),
        Selector::All => Ok(Some(SelectorWire {
            selector: "ALL",
            count: None,
        })),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigWire<'a> {
    media_type: &'static str,
    ca_urls: Vec<ServiceWire<'a>>,
    oidc_urls: Vec<ServiceWire<'a>>,
    rekor_tlog_urls: Vec<ServiceWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rekor_tlog_config: Option<SelectorWire>,
    tsa_urls: Vec<ServiceWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tsa_config: Option<SelectorWire>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceWire<'a> {
    url: &'a str,
    major_api_version: u32,
    valid_for: WindowWire,
    operator: &'a str,
}

#[derive(Serialize)]
struct SelectorWire {
    selector: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}
