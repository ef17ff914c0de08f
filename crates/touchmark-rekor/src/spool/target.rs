//! The logs that a spool entry is meant for.

use serde::{Deserialize, Serialize};
use touchmark_http::Url;
use touchmark_tlog::merkle::Hash;

use crate::publisher::ApiVersion;

/// A log that an entry is meant for, and the id of the log that has answered, once one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The log.
    pub log: LogAddress,
    /// The id of the log whose answer is in the entry's bundle.
    pub answered_by: Option<Hash>,
}

/// Where a log is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogAddress {
    /// On this machine, as the caller names it.
    Embedded(String),
    /// A service.
    Service {
        /// Its address.
        url: Url,
        /// What it speaks.
        version: ApiVersion,
    },
}

impl Target {
    /// A log that has not answered.
    pub fn new(log: LogAddress) -> Self {
        Target {
            log,
            answered_by: None,
        }
    }
}

impl std::fmt::Display for LogAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LogAddress::Embedded(name) => f.write_str(name),
            LogAddress::Service { url, .. } => write!(f, "{url}"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireTarget {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    embedded: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
}

impl From<&Target> for WireTarget {
    fn from(target: &Target) -> Self {
        let (embedded, url, api_version) = match &target.log {
            LogAddress::Embedded(name) => (Some(name.clone()), None, None),
            LogAddress::Service { url, version } => {
                (None, Some(url.as_str().to_owned()), Some(version.number()))
            }
        };
        WireTarget {
            embedded,
            url,
            api_version,
            answered_by: target.answered_by.map(|id| id.to_string()),
        }
    }
}

impl WireTarget {
    pub(super) fn parse(self) -> Option<Target> {
        let log = match (self.embedded, self.url, self.api_version) {
            (Some(name), None, None) => LogAddress::Embedded(name),
            (None, Some(url), Some(version)) => LogAddress::Service {
                url: url.parse().ok()?,
                version: ApiVersion::from_number(version)?,
            },
            _ => return None,
        };
        let answered_by = match self.answered_by {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some(Target { log, answered_by })
    }
}
