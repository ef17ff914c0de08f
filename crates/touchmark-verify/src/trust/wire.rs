//! The JSON of a trusted root, before any rule is applied.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RootWire {
    pub(super) media_type: String,
    #[serde(default)]
    pub(super) tlogs: Option<Vec<LogWire>>,
    #[serde(default)]
    pub(super) certificate_authorities: Option<Vec<AuthorityWire>>,
    #[serde(default)]
    pub(super) ctlogs: Option<Vec<LogWire>>,
    #[serde(default)]
    pub(super) timestamp_authorities: Option<Vec<AuthorityWire>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LogWire {
    pub(super) base_url: String,
    pub(super) hash_algorithm: String,
    pub(super) public_key: KeyWire,
    pub(super) log_id: IdWire,
    #[serde(default)]
    pub(super) checkpoint_key_id: Option<IdWire>,
    #[serde(default)]
    pub(super) operator: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct KeyWire {
    pub(super) raw_bytes: String,
    pub(super) key_details: String,
    #[serde(default)]
    pub(super) valid_for: Option<WindowWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct IdWire {
    pub(super) key_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WindowWire {
    #[serde(default)]
    pub(super) start: Option<String>,
    #[serde(default)]
    pub(super) end: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AuthorityWire {
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "read so that it is known; a certificate's own subject is what counts"
    )]
    pub(super) subject: Option<NameWire>,
    #[serde(default)]
    pub(super) uri: Option<String>,
    pub(super) cert_chain: ChainWire,
    #[serde(default)]
    pub(super) valid_for: Option<WindowWire>,
    #[serde(default)]
    pub(super) operator: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read so that it is known; a certificate's own subject is what counts"
)]
pub(super) struct NameWire {
    #[serde(default)]
    pub(super) organization: Option<String>,
    #[serde(default)]
    pub(super) common_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ChainWire {
    #[serde(default)]
    pub(super) certificates: Option<Vec<CertificateWire>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CertificateWire {
    pub(super) raw_bytes: String,
}
