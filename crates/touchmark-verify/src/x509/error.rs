//! Why a signing certificate was refused.

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;

use crate::der::DerError;
use crate::window::Window;

/// Why a signing certificate was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The certificate is not strict DER of the expected shape.
    #[error("a certificate is malformed")]
    Der(#[from] DerError),
    /// The certificate is not of version 3.
    #[error("a certificate is not of version 3")]
    Version,
    /// The two places that name the signature algorithm disagree.
    #[error("a certificate names two signature algorithms")]
    Algorithms,
    /// An extension occurs twice.
    #[error("extension {oid} occurs twice")]
    DuplicateExtension {
        /// Which one.
        oid: String,
    },
    /// There are more extensions than any certificate needs.
    #[error("a certificate has too many extensions")]
    TooManyExtensions,
    /// An extension is critical and not understood.
    #[error("the certificate has the critical extension {oid}, which is not understood")]
    CriticalExtension {
        /// Which one.
        oid: String,
    },
    /// The certificate may not sign code.
    #[error("the certificate's extended key usage is not code signing")]
    NotForCodeSigning,
    /// The certificate may be used for anything.
    #[error("the certificate's extended key usage is anything")]
    AnyUsage,
    /// The certificate is that of an authority.
    #[error("the certificate is that of an authority, not of a signer")]
    Authority,
    /// The key may not make digital signatures.
    #[error("the certificate's key usage does not include digital signatures")]
    KeyUsage,
    /// The certificate does not have exactly one subject alternative name.
    #[error("the certificate has {found} subject alternative names, expected one")]
    SanCount {
        /// How many.
        found: usize,
    },
    /// The subject alternative name is of a kind that no signer has.
    #[error("the certificate's subject alternative name is of unsupported kind {tag:#04x}")]
    SanKind {
        /// The tag found.
        tag: u8,
    },
    /// A name holds characters by which it could be taken for another.
    #[error("the certificate's {part} holds characters that no name needs")]
    Text {
        /// Which part.
        part: &'static str,
    },
    /// A claim is not encoded as its definition demands.
    #[error("the claim {claim} is not encoded as it should be")]
    Claim {
        /// Which one.
        claim: &'static str,
    },
    /// The certificate names no issuer of the identity.
    #[error("the certificate names no issuer of the identity")]
    IssuerMissing,
    /// The two spellings of the issuer disagree.
    #[error("the certificate names the issuers {old:?} and {new:?}")]
    IssuersDisagree {
        /// In the old claim.
        old: String,
        /// In the new claim.
        new: String,
    },
    /// The key in the certificate is not one that is verified with.
    #[error("the key in the certificate is not of a supported scheme")]
    Key {
        /// What is wrong with it.
        #[source]
        source: crate::key::KeyError,
    },
    /// The bundle brings a trust anchor of its own.
    #[error("certificate {index} of the bundle's chain is a root, which only the trusted root may bring")]
    RootInBundle {
        /// Its position.
        index: usize,
    },
    /// The trusted root has no certificate authorities.
    #[error("the trusted root has no certificate authority that can be used")]
    NoAuthority,
    /// No trusted authority issued the certificate.
    #[error("the certificate does not chain to a trusted authority at {at}: {reason}")]
    Chain {
        /// The time for which it was asked.
        at: Timestamp,
        /// What the path builder says.
        reason: String,
    },
    /// The certificate chains, but was not valid at a verified time.
    #[error("the certificate or its chain was valid {window} only, but signed at {at}")]
    OutsideValidity {
        /// The verified time.
        at: Timestamp,
        /// When leaf, intermediates, anchor and authority are all valid.
        window: Window,
    },
    /// The authority that issued the certificate was not in use at a verified time.
    #[error(
        "the authority that issued the certificate is trusted {window}, but the certificate signed at {at}"
    )]
    OutsideAuthority {
        /// The verified time.
        at: Timestamp,
        /// The authority's window.
        window: Window,
    },
    /// Nothing tells when the certificate was used.
    #[error("no verified time tells when the certificate signed")]
    NoVerifiedTime,
    /// The certificate embeds no timestamp of a certificate log.
    #[error("the certificate embeds no timestamp of a certificate log")]
    SctMissing,
    /// The list of timestamps is malformed.
    #[error("the timestamps of certificate logs in the certificate are malformed")]
    SctMalformed,
    /// No timestamp is of a trusted certificate log.
    #[error("none of the certificate's {found} timestamps is of a trusted certificate log")]
    SctLogUnknown {
        /// How many there are.
        found: usize,
    },
    /// A trusted log's timestamp does not verify.
    #[error("the timestamp of certificate log {log_id} does not verify")]
    SctSignature {
        /// The log.
        log_id: String,
    },
    /// The log was not in use at the time of its timestamp.
    #[error("certificate log {log_id} is trusted {window}, not at {at}")]
    SctOutsideWindow {
        /// The log.
        log_id: String,
        /// Its window.
        window: Window,
        /// The time of the timestamp.
        at: Timestamp,
    },
    /// The timestamps are of too few operators.
    #[error("timestamps of {required} operators of certificate logs are required, found {found}")]
    SctTooFewOperators {
        /// How many are required.
        required: usize,
        /// How many there are.
        found: usize,
    },
}

impl CertificateError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Der(_) => "certificate.malformed",
            Self::Version => "certificate.version",
            Self::Algorithms => "certificate.algorithms",
            Self::DuplicateExtension { .. } => "certificate.duplicate_extension",
            Self::TooManyExtensions => "certificate.too_many_extensions",
            Self::CriticalExtension { .. } => "certificate.critical_extension",
            Self::NotForCodeSigning => "certificate.not_for_code_signing",
            Self::AnyUsage => "certificate.any_usage",
            Self::Authority => "certificate.authority",
            Self::KeyUsage => "certificate.key_usage",
            Self::SanCount { .. } => "certificate.san_count",
            Self::SanKind { .. } => "certificate.san_kind",
            Self::Text { .. } => "certificate.text",
            Self::Claim { .. } => "certificate.claim",
            Self::IssuerMissing => "certificate.issuer_missing",
            Self::IssuersDisagree { .. } => "certificate.issuers_disagree",
            Self::Key { .. } => "certificate.key",
            Self::RootInBundle { .. } => "certificate.root_in_bundle",
            Self::NoAuthority => "certificate.no_authority",
            Self::Chain { .. } => "certificate.chain",
            Self::OutsideValidity { .. } => "certificate.outside_validity",
            Self::OutsideAuthority { .. } => "certificate.outside_authority_window",
            Self::NoVerifiedTime => "certificate.no_verified_time",
            Self::SctMissing => "sct.missing",
            Self::SctMalformed => "sct.malformed",
            Self::SctLogUnknown { .. } => "sct.log_unknown",
            Self::SctSignature { .. } => "sct.signature",
            Self::SctOutsideWindow { .. } => "sct.outside_window",
            Self::SctTooFewOperators { .. } => "sct.too_few_operators",
        }
    }
}
