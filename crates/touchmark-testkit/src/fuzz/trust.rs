//! Trusted roots and signing configs.

use std::collections::HashSet;

use touchmark_sign::keyless::signing_config::{ServiceKind, SigningConfig, SigningConfigFile};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::limits::MAX_TRUSTED_PARTS;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::window::Window;

/// A trusted root: one answer, no id twice, every window the right way round, nothing empty.
pub fn trusted_root(input: &[u8]) {
    let root = match TrustedRoot::parse(input) {
        Ok(root) => root,
        Err(error) => {
            let again = TrustedRoot::parse(input).expect_err("one answer to one input");
            assert_eq!(again.code(), error.code());
            return;
        }
    };
    let again = TrustedRoot::parse(input).expect("one answer to one input");
    assert_eq!(again.logs(), root.logs());
    assert_eq!(again.unusable(), root.unusable());
    assert_eq!(
        root.digest(),
        Sha256Digest::of(input),
        "a root is named by its bytes"
    );
    let unique = |ids: Vec<&[u8]>| ids.iter().collect::<HashSet<_>>().len() == ids.len();
    assert!(unique(
        root.logs().iter().map(|log| &log.log_id.as_bytes()[..]).collect()
    ));
    assert!(unique(
        root.certificate_logs()
            .iter()
            .map(|log| &log.log_id.as_bytes()[..])
            .collect()
    ));
    assert!(root.logs().len() <= MAX_TRUSTED_PARTS);
    for log in root.logs() {
        forward(&log.valid_for);
        assert_eq!(root.log(&log.log_id), Some(log));
        assert!(!log.origin.is_empty() && log.operator.as_deref() != Some(""));
    }
    for log in root.certificate_logs() {
        forward(&log.valid_for);
        assert_eq!(log.log_id.as_bytes(), Sha256Digest::of(&log.spki_der).as_bytes());
    }
    for authority in root
        .certificate_authorities()
        .iter()
        .chain(root.timestamp_authorities())
    {
        forward(&authority.valid_for);
        assert!(!authority.certificates.is_empty());
        assert!(
            authority
                .certificates
                .iter()
                .all(|certificate| !certificate.is_empty())
        );
    }
}

fn forward(window: &Window) {
    assert!(window.end.is_none_or(|end| window.start <= end));
}

/// A signing config: one answer, and no service that is not in use is ever chosen.
pub fn signing_config(input: &[u8]) {
    let file = match (SigningConfigFile::parse(input), SigningConfigFile::parse(input)) {
        (Ok(file), Ok(again)) => {
            assert_eq!(file, again, "one answer to one input");
            file
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.code(), again.code(), "one answer to one input");
            return;
        }
        _ => panic!("two answers to one input"),
    };
    if let Some(root) = &file.trusted_root {
        trusted_root(root);
    }
    let config = &file.signing_config;
    for kind in [
        ServiceKind::CertificateAuthority,
        ServiceKind::IdentityProvider,
        ServiceKind::Log,
        ServiceKind::TimestampAuthority,
    ] {
        for service in config.all(kind) {
            forward(&service.valid_for);
        }
    }
    for at in [0, 1_772_022_400, 1_790_000_000, 253_402_300_799] {
        chosen(config, Timestamp::from_unix(at).expect("a time"));
    }
}

fn chosen(config: &SigningConfig, at: Timestamp) {
    if let Ok(logs) = config.logs(at) {
        assert!(!logs.is_empty());
        assert!(
            logs.iter()
                .all(|log| log.valid_for.contains(at) && [1, 2].contains(&log.major_api_version))
        );
        // A service without an operator stands alone; those of one operator count once.
        let operators: Vec<&str> = logs
            .iter()
            .map(|log| log.operator.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(
            operators.iter().collect::<HashSet<_>>().len(),
            operators.len(),
            "one log of one operator"
        );
    }
    if let Ok(authority) = config.certificate_authority(at) {
        assert!(authority.valid_for.contains(at) && authority.major_api_version == 1);
    }
    if let Ok(provider) = config.identity_provider(at) {
        assert!(provider.valid_for.contains(at));
    }
    if let Ok(authorities) = config.timestamp_authorities(at) {
        assert!(
            authorities
                .iter()
                .all(|authority| authority.valid_for.contains(at))
        );
    }
}
