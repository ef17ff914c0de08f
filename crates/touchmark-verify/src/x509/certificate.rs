//! One certificate, read and not copied: the parts that are judged, each in its one form.

use touchmark_statement::timestamp::Timestamp;

use super::CertificateError;
use crate::der::{
    self, BIT_STRING, DerError, Element, OCTET_STRING, Reader, SEQUENCE, constructed, primitive,
};
use crate::message::DigestAlgorithm;
use crate::scheme::{self, RawKey};

/// Object identifiers, as their DER contents.
pub(crate) mod oid {
    pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    pub(crate) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
    pub(crate) const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
    pub(crate) const EXT_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
    pub(crate) const ANY_EXT_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
    /// 1.3.6.1.5.5.7.3.3
    pub(crate) const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
    /// 1.3.6.1.5.5.7.3.8
    pub(crate) const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
    /// 1.3.6.1.4.1.11129.2.4.2
    pub(crate) const SCT_LIST: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
    /// 1.3.6.1.4.1.57264.1, of which Fulcio's claims are the arcs.
    pub(crate) const FULCIO: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01];
}

/// The most extensions in one certificate.
const MAX_EXTENSIONS: usize = 64;

/// A certificate that was parsed; nothing in it is verified.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    /// What is signed, all of its DER.
    pub(crate) tbs: &'a [u8],
    /// The identifier of the signature's algorithm, all of its DER.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) serial: &'a [u8],
    /// The issuer's name, all of its DER.
    pub(crate) issuer: &'a [u8],
    /// The subject's name, all of its DER.
    pub(crate) subject: &'a [u8],
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    /// The `SubjectPublicKeyInfo`, all of its DER.
    pub(crate) spki: &'a [u8],
    pub(crate) extensions: Vec<Extension<'a>>,
    /// What is signed before its extensions, without the header around it.
    pub(crate) tbs_before_extensions: &'a [u8],
}

/// One extension of a certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extension<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
    /// The value, without the OCTET STRING around it.
    pub(crate) value: &'a [u8],
    /// All bytes of the extension.
    pub(crate) whole: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CertificateError> {
        let mut outer = Reader::new(der::only(bytes, SEQUENCE)?.content);
        let tbs = outer.element(SEQUENCE)?;
        let algorithm = outer.element(SEQUENCE)?.whole;
        let signature = outer.bytes_as_bits()?;
        outer.finish()?;

        let mut fields = Reader::new(tbs.content);
        let mut version = fields.nested(constructed(0))?;
        if version.small()? != 2 {
            return Err(CertificateError::Version);
        }
        version.finish()?;
        let serial = fields.integer()?;
        if fields.element(SEQUENCE)?.whole != algorithm {
            return Err(CertificateError::Algorithms);
        }
        let issuer = fields.element(SEQUENCE)?.whole;
        let mut validity = fields.nested(SEQUENCE)?;
        let not_before = der::certificate_time(validity.any()?)?;
        let not_after = der::certificate_time(validity.any()?)?;
        validity.finish()?;
        let subject = fields.element(SEQUENCE)?.whole;
        let spki = fields.element(SEQUENCE)?.whole;
        // Unique identifiers, obsolete since 1999.
        fields.optional(primitive(1))?;
        fields.optional(primitive(2))?;
        let extensions = fields.optional(constructed(3))?;
        fields.finish()?;
        let extensions_len = extensions.map_or(0, |element| element.whole.len());
        Ok(Certificate {
            tbs: tbs.whole,
            algorithm,
            signature,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            extensions: extensions.map_or(Ok(Vec::new()), read_extensions)?,
            tbs_before_extensions: &tbs.content[..tbs.content.len() - extensions_len],
        })
    }

    /// Returns the extension with this object identifier.
    pub(crate) fn extension(&self, oid: &[u8]) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Tells whether this is the certificate of an authority.
    pub(crate) fn is_authority(&self) -> Result<bool, DerError> {
        let Some(extension) = self.extension(oid::BASIC_CONSTRAINTS) else {
            return Ok(false);
        };
        let mut fields = Reader::new(der::only(extension.value, SEQUENCE)?.content);
        fields.flag()
    }

    /// Returns the extended key usages, as the contents of their object identifiers.
    pub(crate) fn extended_key_usages(&self) -> Result<Vec<&'a [u8]>, DerError> {
        let Some(extension) = self.extension(oid::EXT_KEY_USAGE) else {
            return Ok(Vec::new());
        };
        let mut usages = Reader::new(der::only(extension.value, SEQUENCE)?.content);
        let mut found = Vec::new();
        while !usages.is_empty() {
            found.push(usages.oid()?);
        }
        Ok(found)
    }

    /// Returns the first byte of the key usage bits; `None` without the extension.
    pub(crate) fn key_usage(&self) -> Result<Option<u8>, DerError> {
        let Some(extension) = self.extension(oid::KEY_USAGE) else {
            return Ok(None);
        };
        match der::only(extension.value, BIT_STRING)?.content {
            [unused @ 0..=7, bits @ ..]
                if bits.last().is_some_and(|last| last & ((1 << unused) - 1) == 0) =>
            {
                Ok(Some(bits[0]))
            }
            _ => Err(DerError::Value { kind: "BIT STRING" }),
        }
    }

    /// Tells whether this key signed the certificate.
    pub(crate) fn is_signed_by(&self, key: &RawKey) -> bool {
        let fits = |hash: &DigestAlgorithm| {
            scheme::signature_fits(&mut Reader::new(self.algorithm), key.kind, *hash)
        };
        let hash = DigestAlgorithm::ALL.into_iter().find(fits);
        hash.is_some_and(|hash| key.verify(hash, self.tbs, self.signature))
    }

    /// Returns the subject key identifier.
    pub(crate) fn subject_key_id(&self) -> Option<&'a [u8]> {
        let extension = self.extension(oid::SUBJECT_KEY_ID)?;
        Some(der::only(extension.value, OCTET_STRING).ok()?.content)
    }
}

fn read_extensions(element: Element<'_>) -> Result<Vec<Extension<'_>>, CertificateError> {
    let mut list = Reader::new(der::only(element.content, SEQUENCE)?.content);
    let mut extensions: Vec<Extension<'_>> = Vec::with_capacity(24);
    while !list.is_empty() {
        let whole = list.element(SEQUENCE)?;
        let mut fields = Reader::new(whole.content);
        let oid = fields.oid()?;
        let critical = fields.flag()?;
        let value = fields.element(OCTET_STRING)?.content;
        fields.finish()?;
        if extensions.iter().any(|earlier| earlier.oid == oid) {
            return Err(CertificateError::DuplicateExtension {
                oid: der::dotted(oid),
            });
        }
        if extensions.len() == MAX_EXTENSIONS {
            return Err(CertificateError::TooManyExtensions);
        }
        extensions.push(Extension {
            oid,
            critical,
            value,
            whole: whole.whole,
        });
    }
    Ok(extensions)
}
