//! The log as verifiers are told of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::trust::{MEDIA_TYPE_V02, TrustedLog};
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

    /// Returns a Sigstore trusted root, version 0.2, that holds just this log.
    pub fn trusted_root_json(&self) -> String {
        let key = self.verifier_key();
        let root = json!({
            "mediaType": MEDIA_TYPE_V02,
            "tlogs": [{
                "baseUrl": self.origin(),
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
        format!("{root:#}\n")
    }
}

/// The start of a window that nothing bounds.
fn always() -> Timestamp {
    Timestamp::from_unix(0).expect("the epoch is a time")
}
