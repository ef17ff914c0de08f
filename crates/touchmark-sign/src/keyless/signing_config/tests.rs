//! Reading signing configs and choosing from them.

use serde_json::{Value, json};
use touchmark_statement::timestamp::Timestamp;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn service(url: &str, version: u64, operator: &str, start: &str, end: Option<&str>) -> Value {
    let mut window = json!({ "start": start });
    if let Some(end) = end {
        window["end"] = json!(end);
    }
    json!({ "url": url, "majorApiVersion": version, "validFor": window, "operator": operator })
}

fn good() -> Value {
    let log = |host: &str, version, operator: &str, start: &str| {
        service(&format!("https://{host}.example"), version, operator, start, None)
    };
    json!({
        "mediaType": MEDIA_TYPE_V02,
        "caUrls": [
            service("https://old.example", 1, "one", "2020-01-01T00:00:00Z", Some("2025-01-01T00:00:00Z")),
            service("https://fulcio.example", 1, "one", "2025-01-01T00:00:00Z", None),
        ],
        "oidcUrls": [service("https://oauth.example/auth", 1, "one", "2025-01-01T00:00:00Z", None)],
        "rekorTlogUrls": [
            log("a1", 1, "a", "2024-01-01T00:00:00Z"),
            log("a2", 2, "a", "2024-01-01T00:00:00Z"),
            log("a3", 3, "a", "2024-01-01T00:00:00Z"),
            log("b", 2, "b", "2025-06-01T00:00:00Z"),
        ],
        "rekorTlogConfig": { "selector": "ALL" },
        "tsaUrls": [service("https://tsa.example/api/v1/timestamp", 1, "one", "2025-01-01T00:00:00Z", None)],
        "tsaConfig": { "selector": "ANY" },
    })
}

fn parse(value: &Value) -> Result<SigningConfig, SigningConfigError> {
    SigningConfig::parse(value.to_string().as_bytes())
}

fn code_with(change: impl FnOnce(&mut Value)) -> &'static str {
    let mut value = good();
    change(&mut value);
    parse(&value).unwrap_err().code()
}

fn hosts(services: &[&Service]) -> Vec<String> {
    services.iter().map(|s| s.url.host().to_owned()).collect()
}

const IN_2026: i64 = 1_780_000_000;

#[test]
fn services_are_chosen_by_time_operator_and_the_highest_version_that_is_spoken() {
    let config = parse(&good()).unwrap();
    let now = at(IN_2026);
    assert_eq!(
        config.certificate_authority(now).unwrap().url.as_str(),
        "https://fulcio.example/"
    );
    // Version 3 is not spoken; of operator `a` the highest other one is taken, of two operators each one.
    assert_eq!(hosts(&config.logs(now).unwrap()), ["b.example", "a2.example"]);
    assert_eq!(config.timestamp_authorities(now).unwrap().len(), 1);
    let earlier = at(1_700_000_000);
    assert_eq!(
        config.certificate_authority(earlier).unwrap().url.host(),
        "old.example"
    );
    assert_eq!(
        config.identity_provider(earlier).unwrap_err().code(),
        "signing_config.no_service"
    );
}

#[test]
fn any_all_and_exact_count_operators() {
    let with = |selector: Value| {
        let mut value = good();
        value["rekorTlogConfig"] = selector;
        let config = parse(&value)?;
        Ok::<_, SigningConfigError>(hosts(&config.logs(at(IN_2026))?))
    };
    assert_eq!(with(json!({ "selector": "ANY" })).unwrap().len(), 1);
    assert_eq!(with(json!({ "selector": "ALL" })).unwrap().len(), 2);
    assert_eq!(with(json!({ "selector": "EXACT", "count": 2 })).unwrap().len(), 2);
    let error = with(json!({ "selector": "EXACT", "count": 3 })).unwrap_err();
    assert_eq!(error.code(), "signing_config.too_few");
    for bad in [
        json!({ "selector": "EXACT" }),
        json!({ "selector": "EXACT", "count": 0 }),
        json!({ "selector": "ANY", "count": 2 }),
        json!({ "selector": "SERVICE_SELECTOR_UNDEFINED" }),
        json!({}),
    ] {
        assert_eq!(
            with(bad.clone()).unwrap_err().code(),
            "signing_config.selection",
            "{bad}"
        );
    }
}

#[test]
fn both_ends_of_a_period_belong_to_it() {
    let mut value = good();
    value["caUrls"] = json!([service(
        "https://ca.example",
        1,
        "",
        "2026-01-01T00:00:00Z",
        Some("2026-01-02T00:00:00Z")
    )]);
    let config = parse(&value).unwrap();
    let (first, last) = (1_767_225_600, 1_767_312_000);
    for (moment, usable) in [(first - 1, false), (first, true), (last, true), (last + 1, false)] {
        assert_eq!(
            config.certificate_authority(at(moment)).is_ok(),
            usable,
            "{moment}"
        );
    }
}

#[test]
fn each_single_defect_of_a_file_has_its_code() {
    assert_eq!(
        code_with(|v| v["mediaType"] = json!("application/vnd.dev.sigstore.signingconfig.v0.1+json")),
        "signing_config.media_type"
    );
    assert_eq!(
        code_with(|v| v["caUrls"][0]["validFor"] = json!({})),
        "signing_config.field"
    );
    assert_eq!(
        code_with(|v| v["caUrls"][0]["validFor"]["start"] = json!("yesterday")),
        "signing_config.field"
    );
    assert_eq!(
        code_with(|v| v["caUrls"][0]["majorApiVersion"] = json!(0)),
        "signing_config.field"
    );
    assert_eq!(
        code_with(|v| v["caUrls"][0]["operator"] = json!("a\u{7}b")),
        "signing_config.field"
    );
    for (url, code) in [
        ("fulcio.example", "http.url"),
        ("ftp://fulcio.example", "http.url"),
        ("http://fulcio.example", "network.insecure_url"),
        ("https://user:word@fulcio.example", "http.url_credentials"),
        ("https://169.254.169.254/", "network.link_local"),
        ("https://fulcio.example/?q=1", "http.url"),
        ("https://fulcio.example/#x", "http.url"),
    ] {
        assert_eq!(code_with(|v| v["caUrls"][0]["url"] = json!(url)), code, "{url}");
    }
    let many: Vec<Value> = (0..257).map(|_| good()["caUrls"][0].clone()).collect();
    assert_eq!(
        code_with(|v| v["caUrls"] = json!(many)),
        "signing_config.too_many"
    );
    assert_eq!(code_with(|v| v["caUrl"] = json!([])), "json.shape");
    let twice =
        good()
            .to_string()
            .replacen("\"caUrls\"", "\"tsaConfig\":{\"selector\":\"ALL\"},\"caUrls\"", 1);
    assert_eq!(
        SigningConfig::parse(twice.as_bytes()).unwrap_err().code(),
        "json.duplicate_key"
    );
    let large = vec![b' '; MAX_SIGNING_CONFIG_BYTES + 1];
    assert_eq!(
        SigningConfig::parse(&large).unwrap_err().code(),
        "signing_config.too_large"
    );
}

#[test]
fn a_client_trust_config_gives_both_of_its_parts() {
    let root = json!({ "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1" });
    let both = json!({
        "mediaType": MEDIA_TYPE_CLIENT_TRUST, "trustedRoot": root, "signingConfig": good(),
    });
    let file = SigningConfigFile::parse(both.to_string().as_bytes()).unwrap();
    assert_eq!(file.signing_config, parse(&good()).unwrap());
    let kept: Value = serde_json::from_slice(&file.trusted_root.unwrap()).unwrap();
    assert_eq!(kept, root);
    let alone = SigningConfigFile::parse(good().to_string().as_bytes()).unwrap();
    assert_eq!(alone.trusted_root, None);
    // A duplicate inside the part that is not ours spoils the file as well.
    let doubled = both
        .to_string()
        .replacen("\"trustedRoot\":{", "\"trustedRoot\":{\"mediaType\":\"x\",", 1);
    assert_eq!(
        SigningConfigFile::parse(doubled.as_bytes()).unwrap_err().code(),
        "json.duplicate_key"
    );
}

#[test]
fn a_service_named_by_a_flag_takes_the_place_of_the_files() {
    let mut config = parse(&good()).unwrap();
    let log = Service::named(ServiceKind::Log, "http://127.0.0.1:3003", 2).unwrap();
    config.replace(ServiceKind::Log, vec![log]);
    assert_eq!(hosts(&config.logs(at(IN_2026)).unwrap()), ["127.0.0.1"]);
    assert!(Service::named(ServiceKind::Log, "127.0.0.1:3003", 2).is_err());
    assert_eq!(
        SigningConfig::empty()
            .certificate_authority(at(IN_2026))
            .unwrap_err()
            .code(),
        "signing_config.no_service"
    );
    assert!(
        SigningConfig::empty()
            .timestamp_authorities(at(IN_2026))
            .unwrap()
            .is_empty()
    );
}
