//! What a signing certificate must be like, whoever issued it.

use super::{Certificate, CertificateError, oid};
use crate::der;

/// Critical extensions whose meaning is judged here or by the chain.
const UNDERSTOOD: [&[u8]; 4] = [
    oid::KEY_USAGE,
    oid::EXT_KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
];
/// `digitalSignature`, the first bit of the key usages.
const DIGITAL_SIGNATURE: u8 = 0x80;
/// `keyCertSign`, the sixth.
const KEY_CERT_SIGN: u8 = 0x04;

/// Holds a signer's certificate against its profile: code signing and nothing wider, no authority, no extension that is
/// critical and unknown.
pub(crate) fn require_signer(certificate: &Certificate<'_>) -> Result<(), CertificateError> {
    let unknown = |extension: &&super::certificate::Extension<'_>| {
        extension.critical && !UNDERSTOOD.contains(&extension.oid)
    };
    if let Some(extension) = certificate.extensions.iter().find(unknown) {
        return Err(CertificateError::CriticalExtension {
            oid: der::dotted(extension.oid),
        });
    }
    let usages = certificate.extended_key_usages()?;
    if usages.contains(&oid::ANY_EXT_KEY_USAGE) {
        return Err(CertificateError::AnyUsage);
    }
    if !usages.contains(&oid::CODE_SIGNING) {
        return Err(CertificateError::NotForCodeSigning);
    }
    if certificate.is_authority()? {
        return Err(CertificateError::Authority);
    }
    match certificate.key_usage()? {
        Some(bits) if bits & KEY_CERT_SIGN != 0 => Err(CertificateError::Authority),
        Some(bits) if bits & DIGITAL_SIGNATURE != 0 => Ok(()),
        _ => Err(CertificateError::KeyUsage),
    }
}
