//! Trust material from parts: the same bytes each time, read by us and by sigstore-trust-root.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::keys::pem;
use touchmark_testkit::sigstore::{
    Identity, Instance, InstanceOptions, Key, LogKind, SIGNED_AT, Scheme, Signing,
};
use touchmark_tlog::note::VerifierKey;
use touchmark_trust::certificate::CertificateSummary;
use touchmark_trust::create::{
    AuthorityPart, LogKey, LogPart, RootVersion, Selector, ServicePart, SigningConfigParts, TrustedRootParts,
};
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::trust::{MEDIA_TYPE_V02, TrustedRoot};
use touchmark_verify::verify::{VerifyOptions, verify};
use touchmark_verify::window::Window;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window() -> Window {
    Window {
        start: at("2026-01-01T00:00:00Z"),
        end: None,
    }
}

fn chain(certificates: &[&[u8]]) -> Vec<u8> {
    let blocks: Vec<String> = certificates.iter().map(|der| pem("CERTIFICATE", der)).collect();
    blocks.concat().into_bytes()
}

fn public(key: &Key) -> LogKey {
    LogKey::parse(key.public_pem().as_bytes()).unwrap()
}

/// The parts of an instance, with a log of each generation.
fn parts() -> TrustedRootParts {
    let instance = Instance::new(3, InstanceOptions::default());
    let authority = &instance.certificate_authority;
    let chain = chain(&[&authority.intermediate.certificate, &authority.root.certificate]);
    let (ed25519, p256) = (
        instance.key(Scheme::Ed25519, "log"),
        instance.key(Scheme::P256, "log"),
    );
    TrustedRootParts {
        logs: vec![
            LogPart::with_origin(None, "log.example", public(&ed25519), window()).unwrap(),
            LogPart::new("https://rekor.example", public(&p256), window()).unwrap(),
        ],
        certificate_authorities: vec![AuthorityPart::new("https://ca.example", &chain, None, None).unwrap()],
        certificate_logs: vec![LogPart::new("https://ct.example", public(&p256), window()).unwrap()],
        timestamp_authorities: vec![
            AuthorityPart::new("https://tsa.example/api/v1/timestamp", &chain, None, None)
                .unwrap()
                .run_by(Some("example".to_owned())),
        ],
    }
}

#[test]
fn the_same_parts_make_the_same_bytes_which_both_readers_take() {
    let json = parts().encode(RootVersion::V01).unwrap();
    assert_eq!(json, parts().encode(RootVersion::V01).unwrap());
    let root = TrustedRoot::parse(&json).unwrap();
    assert_eq!((root.logs().len(), root.certificate_logs().len()), (2, 1));
    assert_eq!(root.logs()[0].origin, "log.example");
    assert_eq!(root.logs()[0].log_id, root.logs()[0].key.log_id());
    assert_eq!(root.logs()[1].log_id, root.logs()[1].key.spki_digest());
    assert_eq!(
        root.timestamp_authorities()[0].operator.as_deref(),
        Some("example")
    );
    let theirs = sigstore_trust_root::TrustedRoot::from_json(std::str::from_utf8(&json).unwrap()).unwrap();
    assert_eq!((theirs.tlogs.len(), theirs.certificate_authorities.len()), (2, 1));
    assert!(theirs.rekor_keys().is_ok());
}

/// The parts of an instance, as they stand in its own trusted root.
fn parts_of(instance: &Instance) -> TrustedRootParts {
    let root = instance.trusted_root_value();
    let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let start = |window: &Value| at(window["start"].as_str().unwrap());
    let logs = |list: &str, is_second: &dyn Fn(&Value) -> bool| -> Vec<LogPart> {
        let log = |log: &Value| {
            let key = pem("PUBLIC KEY", &decode(&log["publicKey"]["rawBytes"]));
            let key = LogKey::parse(key.as_bytes()).unwrap();
            let window = Window {
                start: start(&log["publicKey"]["validFor"]),
                end: None,
            };
            let url = log["baseUrl"].as_str().unwrap();
            match is_second(log) {
                true => LogPart::with_origin(Some(url), url.strip_prefix("https://").unwrap(), key, window),
                false => LogPart::new(url, key, window),
            }
        };
        let made = root[list].as_array().unwrap().iter().map(log);
        made.collect::<Result<_, _>>().unwrap()
    };
    let authorities = |list: &str| -> Vec<AuthorityPart> {
        let authority = |authority: &Value| {
            let certificates = authority["certChain"]["certificates"].as_array().unwrap().iter();
            let chain: String = certificates
                .map(|of| pem("CERTIFICATE", &decode(&of["rawBytes"])))
                .collect();
            let from = Some(start(&authority["validFor"]));
            AuthorityPart::new(authority["uri"].as_str().unwrap(), chain.as_bytes(), from, None)
        };
        let made = root[list].as_array().unwrap().iter().map(authority);
        made.collect::<Result<_, _>>().unwrap()
    };
    TrustedRootParts {
        logs: logs("tlogs", &|log| log["publicKey"]["keyDetails"] == "PKIX_ED25519"),
        certificate_authorities: authorities("certificateAuthorities"),
        certificate_logs: logs("ctlogs", &|_| false),
        timestamp_authorities: authorities("timestampAuthorities"),
    }
}

#[test]
fn a_root_made_from_an_instance_s_parts_verifies_what_the_instance_signs_here_and_in_sigstore_verify() {
    let instance = Instance::new(5, InstanceOptions::default());
    let json = parts_of(&instance).encode(RootVersion::V01).unwrap();
    let root = TrustedRoot::parse(&json).unwrap();
    let theirs = instance.trusted_root();
    let ids = |root: &TrustedRoot| root.logs().iter().map(|log| log.log_id).collect::<Vec<_>>();
    assert_eq!(ids(&root), ids(&theirs));
    let digest = Sha256Digest::of(b"artifact");
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.test/predicate/v1","predicate":{{}}}}"#
    );
    let (issuer, name) = ("https://issuer.example", "alice@example.test");
    let pattern = |text| TextPattern::exact(text).unwrap();
    let expected = IdentityRule::new(pattern(issuer), pattern(name)).into();
    let options = VerifyOptions::new(Timestamp::from_unix(SIGNED_AT + 60).unwrap());
    let peer = sigstore_trust_root::TrustedRoot::from_json(std::str::from_utf8(&json).unwrap()).unwrap();
    let peer = sigstore_verify::Verifier::new(&peer).unwrap();
    for log in [LogKind::V2, LogKind::V1Dsse] {
        let signing = Signing::keyless(Identity::email(name, issuer)).log(log);
        let signed = instance.sign_statement(&signing, statement.as_bytes());
        verify(&signed.bundle(), &expected, &root, &options).unwrap();
        let bundle = sigstore_types::Bundle::from_json(&signed.json.to_string()).unwrap();
        let artifact = sigstore_types::Sha256Hash::try_from(digest.as_bytes().as_slice()).unwrap();
        let policy = sigstore_verify::VerificationPolicy::any_identity();
        peer.verify(artifact, &bundle, &policy).unwrap();
    }
}

#[test]
fn version_2_says_how_checkpoints_name_the_key() {
    let json = parts().encode(RootVersion::V02).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(value["mediaType"], MEDIA_TYPE_V02);
    assert_eq!(value["tlogs"][0]["checkpointKeyId"], value["tlogs"][0]["logId"]);
    assert!(value["tlogs"][1].get("checkpointKeyId").is_none());
}

#[test]
fn a_window_begins_with_the_issuing_certificate_unless_told_otherwise() {
    let json = parts().encode(RootVersion::V01).unwrap();
    let root = TrustedRoot::parse(&json).unwrap();
    let instance = Instance::new(3, InstanceOptions::default());
    let issuing =
        CertificateSummary::parse(&instance.certificate_authority.intermediate.certificate).unwrap();
    assert_eq!(
        root.certificate_authorities()[0].valid_for.start,
        issuing.not_before
    );
    let chain = chain(&[&instance.certificate_authority.root.certificate]);
    let later = at("2026-05-05T00:00:00Z");
    let part = AuthorityPart::new("https://ca.example", &chain, Some(later), Some(later)).unwrap();
    let parts = TrustedRootParts {
        certificate_authorities: vec![part],
        ..TrustedRootParts::default()
    };
    let root = TrustedRoot::parse(&parts.encode(RootVersion::V01).unwrap()).unwrap();
    assert_eq!(root.certificate_authorities()[0].valid_for.start, later);
}

#[test]
fn keys_are_read_from_pem_der_and_note_keys() {
    let key = Key::named(Scheme::Ed25519, "log");
    let note = VerifierKey::ed25519("log.example", &key.raw_ed25519().unwrap()).unwrap();
    let from_note = LogKey::parse(format!("{note}\n").as_bytes()).unwrap();
    assert_eq!(from_note.name(), Some("log.example"));
    let p384 = Key::named(Scheme::P384, "log");
    for spelled in [p384.public_pem().into_bytes(), p384.spki()] {
        assert_eq!(LogKey::parse(&spelled).unwrap().name(), None);
    }
    let other = LogPart::with_origin(None, "other.example", from_note.clone(), window());
    assert_eq!(other.unwrap_err().code(), "create.key_name");
    let elsewhere = LogPart::with_origin(Some("https://127.0.0.1:3003"), "log.example", from_note, window());
    assert_eq!(elsewhere.unwrap_err().code(), "create.origin");
}

#[test]
fn what_is_no_key_and_no_certificate_is_refused() {
    let key = Key::named(Scheme::P256, "log");
    let twice = key.public_pem().repeat(2);
    for bytes in [
        &b""[..],
        b"nonsense",
        b"-----BEGIN PUBLIC KEY-----\n",
        twice.as_bytes(),
    ] {
        assert_eq!(LogKey::parse(bytes).unwrap_err().code(), "create.key");
    }
    assert_eq!(
        LogKey::parse(key.private_pem().as_bytes()).unwrap_err().code(),
        "create.private_key"
    );
    let junk = [&b"subject=/CN=x\n"[..], &chain(&[b"\x30\x00"])].concat();
    for bytes in [
        &b""[..],
        &junk,
        key.public_pem().as_bytes(),
        &chain(&[b"\x30\x00"]),
    ] {
        let error = AuthorityPart::new("https://ca.example", bytes, None, None).unwrap_err();
        assert_eq!(error.code(), "create.certificates");
    }
    let trailing = LogKey::parse(&[key.spki(), vec![0]].concat()).unwrap();
    let part = LogPart::new("https://rekor.example", trailing, window()).unwrap();
    let parts = TrustedRootParts {
        logs: vec![part],
        ..TrustedRootParts::default()
    };
    assert_eq!(
        parts.encode(RootVersion::V01).unwrap_err().code(),
        "tlog.note_key"
    );
    assert_eq!(
        TrustedRootParts::default()
            .encode(RootVersion::V01)
            .unwrap_err()
            .code(),
        "create.nothing"
    );
}

#[test]
fn case_120_one_log_twice_is_refused() {
    let mut parts = parts();
    parts.logs.push(parts.logs[0].clone());
    assert_eq!(
        parts.encode(RootVersion::V01).unwrap_err().code(),
        "trust.duplicate_log_id"
    );
}

#[test]
fn signing_configs_are_read_by_sigstore_and_ask_for_no_more_than_there_is() {
    let service = |operator| ServicePart::new("https://log.example", 2, window(), operator).unwrap();
    let mut parts = SigningConfigParts {
        logs: vec![service("a"), service("b"), service("b")],
        log_selector: Selector::Exact(2),
        ..SigningConfigParts::default()
    };
    let json = parts.encode().unwrap();
    assert_eq!(json, parts.encode().unwrap());
    let theirs = sigstore_trust_root::SigningConfig::from_json(std::str::from_utf8(&json).unwrap()).unwrap();
    assert_eq!(theirs.rekor_tlog_urls.len(), 3);
    for count in [0, 3] {
        parts.log_selector = Selector::Exact(count);
        assert_eq!(parts.encode().unwrap_err().code(), "create.count");
    }
    assert_eq!(
        SigningConfigParts::default().encode().unwrap_err().code(),
        "create.nothing"
    );
    let insecure = ServicePart::new("http://log.example", 2, window(), "a");
    assert_eq!(insecure.unwrap_err().code(), "create.url");
}
