//! From a certificate to a trusted authority: the path, and the time during which all of it is valid.

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use touchmark_statement::timestamp::Timestamp;
use webpki::aws_lc_rs as algorithms;
use webpki::{EndEntityCert, KeyUsage};

use super::{Certificate, CertificateError, oid};
use crate::trust::TrustedAuthority;
use crate::window::Window;

/// What certificates are signed with; nothing with SHA-1, nothing below 2048 bits, no PSS.
const SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P256_SHA512,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ECDSA_P384_SHA512,
    algorithms::ECDSA_P521_SHA256,
    algorithms::ECDSA_P521_SHA384,
    algorithms::ECDSA_P521_SHA512,
    algorithms::ED25519,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
];

/// An authority of the trusted root, parsed once.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    anchor: TrustAnchor<'static>,
    anchor_validity: Window,
    /// When all certificates of its chain are valid.
    whole_validity: Window,
    anchor_spki: Vec<u8>,
    intermediates: Vec<CertificateDer<'static>>,
    /// The names of all its certificates.
    subjects: Vec<Vec<u8>>,
    /// The first certificate, where it is no authority's: then it alone stands for the authority.
    pub(crate) pinned: Option<Vec<u8>>,
    pub(crate) valid_for: Window,
    /// Who runs it; the authority itself where that is not said.
    pub(crate) operator: String,
    pub(crate) uri: String,
}

/// A path from a certificate to a trust anchor.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// When every certificate of the path, and the authority, is valid.
    pub(crate) window: Window,
    /// The `SubjectPublicKeyInfo` of the certificate's own issuer.
    pub(crate) issuer_spki: Vec<u8>,
}

/// What a certificate is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    CodeSigning,
    TimeStamping,
}

impl Authority {
    /// Parses an authority of the trusted root; `None` if one of its certificates cannot be used.
    pub(crate) fn parse(trusted: &TrustedAuthority) -> Option<Self> {
        let (last, others) = trusted.certificates.split_last()?;
        let parsed: Vec<Certificate<'_>> = trusted
            .certificates
            .iter()
            .map(|certificate| Certificate::parse(certificate))
            .collect::<Result<_, _>>()
            .ok()?;
        let der = CertificateDer::from(last.clone());
        let anchor = webpki::anchor_from_trusted_cert(&der).ok()?.to_owned();
        let anchor_parsed = parsed.last()?;
        let pinned = match parsed.first()?.is_authority().ok()? {
            true => None,
            false => Some(trusted.certificates.first()?.clone()),
        };
        let intermediates = others.iter().skip(usize::from(pinned.is_some()));
        // Without a name, the authority is known by the key it anchors its certificates in.
        let unnamed = || {
            let digest = touchmark_statement::digest::Sha256Digest::of(anchor_parsed.spki);
            format!("authority {digest}")
        };
        Some(Self {
            anchor,
            anchor_validity: validity(anchor_parsed),
            whole_validity: parsed
                .iter()
                .map(validity)
                .fold(validity(anchor_parsed), intersection),
            anchor_spki: anchor_parsed.spki.to_vec(),
            intermediates: intermediates.cloned().map(CertificateDer::from).collect(),
            subjects: parsed
                .iter()
                .map(|certificate| certificate.subject.to_vec())
                .collect(),
            pinned,
            valid_for: trusted.valid_for,
            operator: trusted.operator.clone().unwrap_or_else(unnamed),
            uri: trusted.uri.clone(),
        })
    }

    /// Tells whether one of the authority's certificates has this name.
    pub(crate) fn has_subject(&self, name: &[u8]) -> bool {
        self.subjects.iter().any(|subject| subject == name)
    }
}

fn validity(certificate: &Certificate<'_>) -> Window {
    Window {
        start: certificate.not_before,
        end: Some(certificate.not_after),
    }
}

/// Builds a path from a certificate to this authority's anchor, valid at `at`.
pub(crate) fn build(
    leaf: &[u8],
    extra: &[Vec<u8>],
    authority: &Authority,
    purpose: Purpose,
    at: Timestamp,
) -> Result<Path, CertificateError> {
    let refused = |error: webpki::Error| CertificateError::Chain {
        at,
        reason: format!("{error:?}"),
    };
    let parsed = Certificate::parse(leaf)?;
    let leaf = CertificateDer::from(leaf);
    let end_entity = EndEntityCert::try_from(&leaf).map_err(refused)?;
    let extra = extra.iter().map(|der| CertificateDer::from(der.as_slice()));
    let intermediates: Vec<CertificateDer<'_>> =
        authority.intermediates.iter().cloned().chain(extra).collect();
    let usage = match purpose {
        Purpose::CodeSigning => KeyUsage::required(oid::CODE_SIGNING),
        Purpose::TimeStamping => KeyUsage::required(oid::TIME_STAMPING),
    };
    let seconds = u64::try_from(at.unix())
        .map_err(|_| outside(at, intersection(validity(&parsed), authority.whole_validity)))?;
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let anchors = std::slice::from_ref(&authority.anchor);
    let path = end_entity
        .verify_for_usage(SIGNATURES, anchors, &intermediates, time, usage, None, None)
        .map_err(|error| match error {
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
                outside(at, intersection(validity(&parsed), authority.whole_validity))
            }
            error => refused(error),
        })?;
    let mut window = intersection(validity(&parsed), authority.anchor_validity);
    window = intersection(window, authority.valid_for);
    let mut issuer_spki = None;
    for certificate in path.intermediate_certificates() {
        let der = certificate.der();
        let parsed = Certificate::parse(&der)?;
        window = intersection(window, validity(&parsed));
        issuer_spki.get_or_insert_with(|| parsed.spki.to_vec());
    }
    if !window.contains(at) {
        return Err(outside(at, window));
    }
    Ok(Path {
        window,
        issuer_spki: issuer_spki.unwrap_or_else(|| authority.anchor_spki.clone()),
    })
}

fn outside(at: Timestamp, window: Window) -> CertificateError {
    CertificateError::OutsideValidity { at, window }
}

fn intersection(a: Window, b: Window) -> Window {
    Window {
        start: a.start.max(b.start),
        end: match (a.end, b.end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
    }
}
