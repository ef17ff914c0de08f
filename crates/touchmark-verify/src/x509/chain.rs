//! From a certificate to a trusted authority: the path, and the time during which all of it is valid.

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use touchmark_statement::timestamp::Timestamp;
use webpki::aws_lc_rs as algorithms;
use webpki::{EndEntityCert, KeyUsage};

use super::{Certificate, CertificateError, oid};
use crate::scheme::RawKey;
use crate::timestamp_token::StampSigner;
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
    anchor_name_and_key: (Vec<u8>, Vec<u8>),
    /// Whether the anchor says which names it may certify.
    constrains_names: bool,
    intermediates: Vec<CertificateDer<'static>>,
    /// The names of all its certificates.
    subjects: Vec<Vec<u8>>,
    /// The first certificate, where it is no authority's: then it alone stands for the authority.
    pub(crate) pinned: Option<StampSigner>,
    pub(crate) valid_for: Window,
    /// Who runs it; the authority itself where that is not said.
    pub(crate) operator: String,
    pub(crate) uri: String,
}

/// The issuer of a certificate that was chained: whatever else it issued chains in the same way, so that for another
/// certificate only the issuer's own signature is left to check. Not for chains that constrain names.
#[derive(Debug)]
pub(crate) struct ProvenIssuer {
    subject: Vec<u8>,
    key: RawKey,
    /// With which algorithm it signed: webpki has accepted this one with this key.
    algorithm: Vec<u8>,
    spki: Vec<u8>,
    /// When every certificate above, and the authority, is valid.
    window: Window,
}

impl ProvenIssuer {
    /// Tells whether this says nothing that `other` does not.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.spki == other.spki
            && self.algorithm == other.algorithm
            && self.window == other.window
    }

    /// Tells whether `name` is this issuer's.
    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        self.subject == name
    }

    /// Returns the path of another signer's certificate, whose profile was checked; `None` if this is not its issuer,
    /// or not all of the path is valid at `at`.
    pub(crate) fn path(&self, der: &[u8], certificate: &Certificate<'_>, at: Timestamp) -> Option<Path> {
        let window = intersection(validity(certificate), self.window);
        // What webpki cannot read does not chain, whichever way is taken.
        let readable = EndEntityCert::try_from(&CertificateDer::from(der)).is_ok();
        let proven = readable
            && certificate.issuer == self.subject
            && certificate.algorithm == self.algorithm
            && window.contains(at)
            && certificate.is_signed_by(&self.key);
        proven.then(|| Path {
            window,
            issuer_spki: self.spki.clone(),
            issuer: None,
        })
    }
}

/// A path from a certificate to a trust anchor.
#[derive(Debug)]
pub(crate) struct Path {
    /// When every certificate of the path, and the authority, is valid.
    pub(crate) window: Window,
    /// The `SubjectPublicKeyInfo` of the certificate's own issuer.
    pub(crate) issuer_spki: Vec<u8>,
    /// The issuer, where others of its certificates can be chained by its signature alone.
    pub(crate) issuer: Option<ProvenIssuer>,
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
            false => Some(StampSigner::parse(trusted.certificates.first()?)?),
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
            anchor_name_and_key: (anchor_parsed.subject.to_vec(), anchor_parsed.spki.to_vec()),
            constrains_names: anchor_parsed.extension(oid::NAME_CONSTRAINTS).is_some(),
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
    let mut above = intersection(authority.anchor_validity, authority.valid_for);
    let mut issuer = None;
    let mut constrained = authority.constrains_names;
    for certificate in path.intermediate_certificates() {
        let der = certificate.der();
        let parsed = Certificate::parse(&der)?;
        above = intersection(above, validity(&parsed));
        constrained |= parsed.extension(oid::NAME_CONSTRAINTS).is_some();
        issuer.get_or_insert_with(|| (parsed.subject.to_vec(), parsed.spki.to_vec()));
    }
    let window = intersection(validity(&parsed), above);
    if !window.contains(at) {
        return Err(outside(at, window));
    }
    let (subject, spki) = issuer.unwrap_or_else(|| authority.anchor_name_and_key.clone());
    let key = RawKey::parse(&spki).filter(|_| !constrained);
    Ok(Path {
        window,
        issuer_spki: spki.clone(),
        issuer: key.map(|key| ProvenIssuer {
            subject,
            key,
            algorithm: parsed.algorithm.to_vec(),
            spki,
            window: above,
        }),
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
