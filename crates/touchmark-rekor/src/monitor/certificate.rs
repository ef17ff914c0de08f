//! Certificates in log entries: whom they name, and whether an authority that we trust issued them.

use touchmark_verify::issued::{CertificateLogs, IssuedCertificate};
use touchmark_verify::trust::TrustedRoot;

/// Reads a certificate, nothing of which is proven by that; `None` if it is not one of a signer.
pub(super) fn read(der: &[u8]) -> Option<IssuedCertificate> {
    IssuedCertificate::parse(der).ok()
}

/// Tells whether an authority of the trusted root issued the certificate, as of the beginning of its own validity: when
/// it was used does not matter here. Certificate logs are not asked for, since a certificate that was issued behind
/// their back is the more worth knowing of.
pub(super) fn is_issued(certificate: &IssuedCertificate, root: &TrustedRoot) -> bool {
    let begin = certificate.window().start;
    certificate.verify(root, begin, CertificateLogs::None).is_ok()
}
