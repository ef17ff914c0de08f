//! Signed timestamps, RFC 3161: what a token says, and whether a given certificate's key signed it.
//!
//! The certificates inside a token prove nothing: who signed is what the trusted root says, and a token's own bag is
//! looked into only for the leaf below an authority whose leaf the trusted root leaves out. Strict DER.

use thiserror::Error;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;

use crate::der::{
    self, DerError, Element, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, SET,
};
use crate::der::{constructed, primitive};
use crate::message::DigestAlgorithm;
use crate::scheme::{self, RawKey};
use crate::x509::{Certificate, oid};

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// The most certificates in a token that are looked at.
const MAX_BAG: usize = 16;

/// Why a token was refused, before anybody asked who signed it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is not strict DER of the expected shape.
    #[error("the timestamp is malformed")]
    Der(#[from] DerError),
    /// The authority granted no timestamp.
    #[error("the authority answered with status {status} instead of a timestamp")]
    NotGranted {
        /// The status.
        status: u8,
    },
    /// The answer is not a signed timestamp of the one kind that is known.
    #[error("the timestamp is not a signed TSTInfo of version 1")]
    Content,
    /// The token does not have exactly one signer.
    #[error("the timestamp does not have exactly one signer")]
    Signers,
    /// The hash is unknown or too weak.
    #[error("the timestamp uses a hash that is not SHA-256, SHA-384 or SHA-512")]
    Hash,
    /// A part that must be understood is not.
    #[error("the timestamp has a critical extension, which is not understood")]
    CriticalExtension,
    /// The signed attributes are missing or not about this content.
    #[error("the timestamp's signed attributes are not about its content")]
    Attributes,
    /// The timestamp is of another message.
    #[error("the timestamp is over another signature")]
    Imprint,
}

impl TokenError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Der(_) => "time.timestamp_malformed",
            Self::NotGranted { .. } => "time.timestamp_not_granted",
            Self::Content => "time.timestamp_content",
            Self::Signers => "time.timestamp_signers",
            Self::Hash => "time.timestamp_hash",
            Self::CriticalExtension => "time.timestamp_critical_extension",
            Self::Attributes => "time.timestamp_attributes",
            Self::Imprint => "time.timestamp_imprint",
        }
    }
}

/// A token that is about a given message; who signed it is not known yet.
#[derive(Debug)]
pub(crate) struct Token<'a> {
    pub(crate) time: Timestamp,
    bag: Vec<&'a [u8]>,
    signer: SignerId<'a>,
    hash: DigestAlgorithm,
    /// The signed attributes as the signature covers them.
    attributes: Vec<u8>,
    /// The identifier of the signature's algorithm, all of its DER.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

/// How a token names its signer's certificate.
#[derive(Debug)]
enum SignerId<'a> {
    Issuer { issuer: &'a [u8], serial: &'a [u8] },
    KeyId(&'a [u8]),
}

impl<'a> Token<'a> {
    /// Reads the answer of an authority, which must be a timestamp over `message`.
    pub(crate) fn parse(response: &'a [u8], message: &[u8]) -> Result<Self, TokenError> {
        let mut fields = Reader::new(der::only(response, SEQUENCE)?.content);
        let status = fields.nested(SEQUENCE)?.small()?;
        // 0 is granted, 1 granted with modifications.
        if status > 1 {
            return Err(TokenError::NotGranted { status });
        }
        let mut content_info = fields.nested(SEQUENCE)?;
        fields.finish()?;
        if content_info.oid()? != SIGNED_DATA {
            return Err(TokenError::Content);
        }
        let mut explicit = content_info.nested(constructed(0))?;
        content_info.finish()?;
        let mut signed = explicit.nested(SEQUENCE)?;
        explicit.finish()?;

        signed.small()?;
        signed.element(SET)?;
        let info = read_content(signed.nested(SEQUENCE)?)?;
        let bag = match signed.optional(constructed(0))? {
            Some(element) => read_bag(element)?,
            None => Vec::new(),
        };
        signed.optional(constructed(1))?;
        let mut signers = signed.nested(SET)?;
        signed.finish()?;
        let signer = signers.nested(SEQUENCE)?;
        if !signers.is_empty() {
            return Err(TokenError::Signers);
        }
        let token = read_signer(signer, info, bag)?;
        let time = read_info(info, message)?;
        Ok(Self { time, ..token })
    }

    /// Tells whether this certificate is the one that the token names as its signer's.
    pub(crate) fn names(&self, signer: &StampSigner) -> bool {
        match self.signer {
            SignerId::Issuer { issuer, serial } => signer.issuer == issuer && signer.serial == serial,
            SignerId::KeyId(id) => signer.key_id.as_deref() == Some(id),
        }
    }

    /// Returns the certificates in the token that it names as its signer's; nothing of them is verified.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = StampSigner> {
        let read = |der: &&[u8]| StampSigner::parse(der).filter(|signer| self.names(signer));
        self.bag.iter().filter_map(read)
    }

    /// Tells whether the key of this certificate signed the token.
    pub(crate) fn is_signed_by(&self, signer: &StampSigner) -> bool {
        signer.key.as_ref().is_some_and(|key| {
            scheme::signature_fits(&mut Reader::new(self.algorithm), key.kind, self.hash)
                && key.verify(self.hash, &self.attributes, self.signature)
        })
    }
}

/// What is needed of a certificate that may have signed timestamps, read once.
#[derive(Debug, Clone)]
pub(crate) struct StampSigner {
    pub(crate) der: Vec<u8>,
    pub(crate) digest: Sha256Digest,
    /// Whether it may sign timestamps and nothing else, and says so critically (RFC 3161 §2.3).
    pub(crate) for_timestamps_only: bool,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    key_id: Option<Vec<u8>>,
    /// `None` if it is of a kind that is not verified with.
    key: Option<RawKey>,
}

impl StampSigner {
    /// Reads a certificate; `None` if it is malformed.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::parse(der).ok()?;
        Some(Self {
            for_timestamps_only: is_for_timestamps_only(&certificate),
            issuer: certificate.issuer.to_vec(),
            serial: certificate.serial.to_vec(),
            key_id: certificate.subject_key_id().map(<[u8]>::to_vec),
            key: RawKey::parse(certificate.spki),
            digest: Sha256Digest::of(der),
            der: der.to_vec(),
        })
    }
}

fn is_for_timestamps_only(certificate: &Certificate<'_>) -> bool {
    certificate
        .extension(oid::EXT_KEY_USAGE)
        .is_some_and(|extension| extension.critical)
        && certificate
            .extended_key_usages()
            .is_ok_and(|usages| usages == [oid::TIME_STAMPING])
}

fn read_content(mut content: Reader<'_>) -> Result<&[u8], TokenError> {
    if content.oid()? != TST_INFO {
        return Err(TokenError::Content);
    }
    let mut explicit = content.nested(constructed(0))?;
    content.finish()?;
    let info = explicit.element(OCTET_STRING)?.content;
    explicit.finish()?;
    Ok(info)
}

fn read_bag(element: Element<'_>) -> Result<Vec<&[u8]>, TokenError> {
    let mut certificates = Reader::new(element.content);
    let mut bag = Vec::new();
    while !certificates.is_empty() && bag.len() < MAX_BAG {
        bag.push(certificates.any()?.whole);
    }
    Ok(bag)
}

fn read_signer<'a>(mut signer: Reader<'a>, info: &[u8], bag: Vec<&'a [u8]>) -> Result<Token<'a>, TokenError> {
    signer.small()?;
    let id = match signer.optional(primitive(0))? {
        Some(key_id) => SignerId::KeyId(key_id.content),
        None => {
            let mut fields = signer.nested(SEQUENCE)?;
            let (issuer, serial) = (fields.element(SEQUENCE)?.whole, fields.integer()?);
            fields.finish()?;
            SignerId::Issuer { issuer, serial }
        }
    };
    let hash = scheme::hash_of(&mut signer).ok_or(TokenError::Hash)?;
    let attributes = signer.optional(constructed(0))?.ok_or(TokenError::Attributes)?;
    require_attributes(attributes.content, hash, info)?;
    let algorithm = signer.element(SEQUENCE)?.whole;
    let signature = signer.element(OCTET_STRING)?.content;
    signer.optional(constructed(1))?;
    signer.finish()?;
    // RFC 5652 §5.4: the signature covers the attributes as a SET, not as the field they stand in.
    let mut covered = attributes.whole.to_vec();
    covered[0] = SET;
    Ok(Token {
        time: Timestamp::from_unix(0).expect("the first second of 1970 is a time"),
        bag,
        signer: id,
        hash,
        attributes: covered,
        algorithm,
        signature,
    })
}

/// Content type and digest are there exactly once, and right.
fn require_attributes(attributes: &[u8], hash: DigestAlgorithm, info: &[u8]) -> Result<(), TokenError> {
    let (mut types, mut digests) = (Vec::new(), Vec::new());
    let mut list = Reader::new(attributes);
    while !list.is_empty() {
        let mut attribute = list.nested(SEQUENCE)?;
        let name = attribute.oid()?;
        let mut values = attribute.nested(SET)?;
        attribute.finish()?;
        if name == CONTENT_TYPE {
            types.push(values.element(OID)?.content);
            values.finish()?;
        } else if name == MESSAGE_DIGEST {
            digests.push(values.element(OCTET_STRING)?.content);
            values.finish()?;
        }
    }
    if types == [TST_INFO] && digests == [hash.digest(info)] {
        Ok(())
    } else {
        Err(TokenError::Attributes)
    }
}

/// Reads the time of a `TSTInfo`, whose imprint must be that of the message.
fn read_info(info: &[u8], message: &[u8]) -> Result<Timestamp, TokenError> {
    let mut fields = Reader::new(der::only(info, SEQUENCE)?.content);
    if fields.small()? != 1 {
        return Err(TokenError::Content);
    }
    fields.oid()?;
    let mut imprint = fields.nested(SEQUENCE)?;
    let hash = scheme::hash_of(&mut imprint).ok_or(TokenError::Hash)?;
    let digest = imprint.element(OCTET_STRING)?.content;
    imprint.finish()?;
    if digest != hash.digest(message) {
        return Err(TokenError::Imprint);
    }
    fields.integer()?;
    let time = der::stamped_time(fields.element(GENERALIZED_TIME)?.content)?;
    // Accuracy, ordering, nonce and name: read for their order, and not relied on.
    fields.optional(SEQUENCE)?;
    fields.flag()?;
    fields.optional(INTEGER)?;
    fields.optional(constructed(0))?;
    if let Some(extensions) = fields.optional(constructed(1))? {
        let mut list = Reader::new(extensions.content);
        while !list.is_empty() {
            let mut extension = list.nested(SEQUENCE)?;
            extension.oid()?;
            if extension.flag()? {
                return Err(TokenError::CriticalExtension);
            }
        }
    }
    fields.finish()?;
    Ok(time)
}

#[cfg(test)]
mod tests;
