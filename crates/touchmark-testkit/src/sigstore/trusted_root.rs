//! The instance's trusted root and signing config.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use touchmark_verify::trust::TrustedRoot;

use super::certificate::Authority;
use super::defect::{CertificateDefect, Defect, LogDefect, TimeDefect, TrustRootDefect};
use super::instance::{Instance, Part, SIGNED_AT, VALID_FROM};
use super::keys::{Key, Scheme};

/// Where an instance's services are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrls {
    /// Fulcio.
    pub fulcio: String,
    /// The token issuer.
    pub issuer: String,
    /// Rekor v1.
    pub rekor_v1: String,
    /// Rekor v2.
    pub rekor_v2: String,
    /// The timestamp authorities, whole paths.
    pub timestamps: Vec<String>,
}

/// Which logs a signing config names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfiguredLogs {
    /// Rekor v1 only.
    V1,
    /// Rekor v2 only.
    V2,
    /// Both, of one operator.
    Both,
}

impl Instance {
    /// Returns the trusted root.
    ///
    /// # Panics
    ///
    /// Where a defect made it so wrong that it is refused.
    pub fn trusted_root(&self) -> TrustedRoot {
        TrustedRoot::parse(self.trusted_root_json().as_bytes()).expect("a good trusted root")
    }

    /// Returns the trusted root's JSON.
    pub fn trusted_root_json(&self) -> String {
        self.trusted_root_value().to_string()
    }

    /// Returns the trusted root as a JSON value, to be changed.
    pub fn trusted_root_value(&self) -> Value {
        let mut root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot.v0.2+json",
            "tlogs": [self.rekor_v1_log(), self.rekor_v2_log()],
            "certificateAuthorities": self.authorities(),
            "ctlogs": self.ct_logs(),
            "timestampAuthorities": self.timestamp_parts(),
        });
        if let Some(Defect::TrustRoot(defect)) = self.defect {
            self.break_root(defect, &mut root);
        }
        root
    }

    /// Returns a signing config for services at these addresses.
    pub fn signing_config_json(&self, urls: &ServiceUrls, logs: ConfiguredLogs) -> String {
        let service = |url: &str, version: u32| {
            json!({
                "url": url,
                "majorApiVersion": version,
                "validFor": {"start": rfc3339(VALID_FROM)},
                "operator": self.options.operator,
            })
        };
        let timestamps: Vec<Value> = urls
            .timestamps
            .iter()
            .zip(&self.timestamp_authorities)
            .map(|(url, authority)| {
                let mut service = service(url, 1);
                service["operator"] = authority.operator.clone().into();
                service
            })
            .collect();
        let mut rekor = Vec::new();
        if logs != ConfiguredLogs::V1 {
            rekor.push(service(&urls.rekor_v2, 2));
        }
        if logs != ConfiguredLogs::V2 {
            rekor.push(service(&urls.rekor_v1, 1));
        }
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service(&urls.fulcio, 1)],
            "oidcUrls": [service(&urls.issuer, 1)],
            "rekorTlogUrls": rekor,
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": timestamps,
            "tsaConfig": {"selector": "ANY"},
        })
        .to_string()
    }

    fn window(&self, part: Part) -> Value {
        let retired = match part {
            Part::CertificateLog => self.is(CertificateDefect::SctLogRetired),
            Part::TimestampAuthority => self.is(TimeDefect::AuthorityRetired),
            Part::RekorV1 | Part::RekorV2 => self.is(LogDefect::LogRetired),
            Part::CertificateAuthority => false,
        };
        let set = self
            .options
            .windows
            .iter()
            .find(|(found, _)| *found == part)
            .map(|(_, end)| *end);
        match set.or(retired.then_some(SIGNED_AT - 60)) {
            Some(end) => json!({"start": rfc3339(VALID_FROM), "end": rfc3339(end)}),
            None => json!({"start": rfc3339(VALID_FROM)}),
        }
    }

    fn log(&self, base_url: &str, key: &Key, log_id: &[u8], part: Part) -> Value {
        json!({
            "baseUrl": base_url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(key.spki()),
                "keyDetails": key.scheme().key_details(),
                "validFor": self.window(part),
            },
            "logId": {"keyId": STANDARD.encode(log_id)},
            "operator": self.options.operator,
        })
    }

    fn rekor_v1_log(&self) -> Value {
        let log = self.rekor_v1();
        self.log(
            &format!("https://{}", log.host),
            &log.key,
            &log.key.spki_digest(),
            Part::RekorV1,
        )
    }

    fn rekor_v2_log(&self) -> Value {
        let log = self.rekor_v2();
        self.log(
            &format!("https://{}", log.origin),
            &log.key,
            &log.log_id(),
            Part::RekorV2,
        )
    }

    fn ct_logs(&self) -> Vec<Value> {
        let described = |(index, log): (usize, &super::ct_log::CtLog)| {
            let url = format!("https://ct{index}.{}", self.options.domain);
            let mut part = self.log(&url, &log.key, &log.key.spki_digest(), Part::CertificateLog);
            if index > 0 {
                part["operator"] = format!("ct{index}.example.test").into();
            }
            part
        };
        self.certificate_logs.iter().enumerate().map(described).collect()
    }

    fn authorities(&self) -> Vec<Value> {
        let url = format!("https://fulcio.{}", self.options.domain);
        let part = |authority: &super::instance::CertificateAuthority| {
            let chain = [&authority.intermediate, &authority.root];
            self.authority(&url, &self.options.operator, &chain, Part::CertificateAuthority)
        };
        // The namesake comes first, so that whoever looks by name alone finds the wrong one.
        let namesake = self.options.namesake_authority.then(|| part(&self.namesake));
        namesake
            .into_iter()
            .chain([part(&self.certificate_authority)])
            .collect()
    }

    fn timestamp_parts(&self) -> Vec<Value> {
        self.timestamp_authorities
            .iter()
            .map(|authority| {
                let root = match self.is(TimeDefect::SignerOfOtherRoot) {
                    true => &self.certificate_authority.root,
                    false => &authority.root,
                };
                let chain = [&authority.signer, root];
                self.authority(
                    &authority.uri,
                    &authority.operator,
                    &chain,
                    Part::TimestampAuthority,
                )
            })
            .collect()
    }

    fn authority(&self, uri: &str, operator: &str, chain: &[&Authority], part: Part) -> Value {
        let certificates: Vec<Value> = chain
            .iter()
            .map(|authority| json!({"rawBytes": STANDARD.encode(&authority.certificate)}))
            .collect();
        json!({
            "subject": {"organization": operator, "commonName": "sigstore"},
            "uri": uri,
            "certChain": {"certificates": certificates},
            "validFor": self.window(part),
            "operator": operator,
        })
    }

    fn break_root(&self, defect: TrustRootDefect, root: &mut Value) {
        let again = |list: &mut Value| {
            let first = list[0].clone();
            list.as_array_mut().expect("a list").push(first);
        };
        let other = self.key(Scheme::P256, "another log");
        match defect {
            TrustRootDefect::DuplicateLogId => again(&mut root["tlogs"]),
            TrustRootDefect::DuplicateCtLogId => again(&mut root["ctlogs"]),
            TrustRootDefect::TwoKeysOneId => {
                again(&mut root["tlogs"]);
                root["tlogs"][2]["publicKey"]["rawBytes"] = STANDARD.encode(other.spki()).into();
            }
            TrustRootDefect::LogIdOfOtherKey => {
                root["tlogs"][0]["logId"]["keyId"] = STANDARD.encode(other.spki_digest()).into();
            }
            TrustRootDefect::NoCertificateAuthorities => root["certificateAuthorities"] = json!([]),
            TrustRootDefect::NoTimestampAuthorities => root["timestampAuthorities"] = json!([]),
            TrustRootDefect::NoCertificateLogs => root["ctlogs"] = json!([]),
            TrustRootDefect::NoLogs => root["tlogs"] = json!([]),
            TrustRootDefect::EmptyCertificateChain => {
                root["certificateAuthorities"][0]["certChain"]["certificates"] = json!([]);
            }
            TrustRootDefect::EmptyTimestampChain => {
                root["timestampAuthorities"][0]["certChain"]["certificates"] = json!([]);
            }
            TrustRootDefect::MalformedCertificate => {
                let certificates = &mut root["certificateAuthorities"][0]["certChain"]["certificates"];
                certificates[0]["rawBytes"] = STANDARD.encode(b"no certificate").into();
            }
            TrustRootDefect::WindowWithoutStart => {
                root["certificateAuthorities"][0]["validFor"] = json!({"end": rfc3339(VALID_FROM)});
            }
            TrustRootDefect::WindowReversed => {
                root["timestampAuthorities"][0]["validFor"]["end"] = rfc3339(VALID_FROM - 1).into();
            }
            TrustRootDefect::WindowMalformed => {
                root["ctlogs"][0]["publicKey"]["validFor"]["start"] = "since ever".into();
            }
        }
    }
}

/// Returns a time as trusted roots write it.
pub fn rfc3339(unix: i64) -> String {
    DateTime::from_timestamp(unix, 0)
        .expect("a time")
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}
