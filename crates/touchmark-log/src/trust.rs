//! The log as verifiers are told of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::trust::{MEDIA_TYPE_V01, TrustedLog};
use touchmark_verify::window::Window;

use crate::log::Log;

impl Log {
    /// Returns this log as a verifier trusts it, with no operator: it counts as run by whoever signs. Its key has
    /// no window, since its checkpoints carry no time.
    pub fn trusted_log(&self) -> TrustedLog {
        TrustedLog {
            origin: self.origin().to_owned(),
            key: self.verifier_key().clone(),
            log_id: self.verifier_key().log_id(),
            valid_for: Window {
                start: always(),
                end: None,
            },
            operator: None,
        }
    }

    /// Returns a Sigstore trusted root that holds just this log, run by nobody else than its signers.
    pub fn trusted_root_json(&self) -> String {
        self.trusted_root_json_of(None)
    }

    /// Returns the same trusted root; whoever trusts it may state who runs the log. It calls itself version 0.1, since
    /// clients that know the operator refuse the name of the version that brought it.
    pub fn trusted_root_json_of(&self, operator: Option<&str>) -> String {
        let key = self.verifier_key();
        let mut root = json!({
            "mediaType": MEDIA_TYPE_V01,
            "tlogs": [{
                "baseUrl": format!("https://{}", self.origin()),
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.spki_der()),
                    "keyDetails": key.key_details(),
                    "validFor": { "start": always().to_string() },
                },
                "logId": { "keyId": key.log_id().to_base64() },
            }],
            "certificateAuthorities": [],
            "ctlogs": [],
            "timestampAuthorities": [],
        });
        if let Some(operator) = operator {
            root["tlogs"][0]["operator"] = operator.into();
        }
        format!("{root:#}\n")
    }
}

/// The start of a window that nothing bounds.
fn always() -> Timestamp {
    Timestamp::from_unix(0).expect("the epoch is a time")
}
