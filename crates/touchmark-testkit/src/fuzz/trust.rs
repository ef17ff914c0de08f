//! Trusted roots.

use std::collections::HashSet;

use touchmark_statement::digest::Sha256Digest;
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
