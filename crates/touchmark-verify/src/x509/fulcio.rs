//! The identity in a signing certificate: its one name, its issuer, and Fulcio's claims, each in its one encoding.
//!
//! <https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>

use super::{Certificate, CertificateError, oid};
use crate::der::{self, Reader, SEQUENCE, UTF8_STRING, constructed, primitive};
use crate::identity::{CertificateIdentity, Claim, FulcioClaims, SubjectAlternativeName};

/// `otherName`, `rfc822Name` and `uniformResourceIdentifier` of a `GeneralName`, RFC 5280 §4.2.1.6.
const OTHER_NAME: u8 = constructed(0);
const EMAIL: u8 = primitive(1);
const URI: u8 = primitive(6);
/// The last arc of the type of user names.
const USERNAME_ARC: u8 = 7;
/// The longest name or claim.
const MAX_TEXT_BYTES: usize = 4096;

/// Reads the identity; the certificate proves nothing yet.
pub(crate) fn read_identity(certificate: &Certificate<'_>) -> Result<CertificateIdentity, CertificateError> {
    let san = read_san(certificate)?;
    let mut claims = FulcioClaims::default();
    for extension in &certificate.extensions {
        let Some(claim) = extension
            .oid
            .strip_prefix(oid::FULCIO)
            .and_then(|arcs| <[u8; 1]>::try_from(arcs).ok())
            .and_then(|[arc]| Claim::from_arc(arc))
        else {
            continue;
        };
        let text = read_claim(claim, extension.value)?;
        // An issuer that is empty in one spelling disagrees with whatever the other says.
        if text.is_empty() && matches!(claim, Claim::IssuerV1 | Claim::Issuer) {
            return Err(CertificateError::IssuerMissing);
        }
        *claims.slot(claim) = Some(text).filter(|text| !text.is_empty());
    }
    let issuer = match (&claims.issuer_v1, &claims.issuer) {
        (Some(old), Some(new)) if old != new => {
            let (old, new) = (old.clone(), new.clone());
            return Err(CertificateError::IssuersDisagree { old, new });
        }
        (_, Some(issuer)) | (Some(issuer), None) => issuer.clone(),
        (None, None) => return Err(CertificateError::IssuerMissing),
    };
    require_ascii("issuer", &issuer)?;
    Ok(CertificateIdentity { san, issuer, claims })
}

/// The claims .1 to .6 are bare text, all later ones a DER UTF8String with nothing after it.
fn read_claim(claim: Claim, value: &[u8]) -> Result<String, CertificateError> {
    let malformed = || CertificateError::Claim { claim: claim.name() };
    let bytes = if claim.is_raw() {
        value
    } else {
        der::only(value, UTF8_STRING).map_err(|_| malformed())?.content
    };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    // A control character at the start of a bare claim is what DER in its place looks like.
    if text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        return Err(malformed());
    }
    if text.chars().any(is_hidden) {
        return Err(CertificateError::Text { part: claim.name() });
    }
    Ok(text.to_owned())
}

fn read_san(certificate: &Certificate<'_>) -> Result<SubjectAlternativeName, CertificateError> {
    let extension = certificate
        .extension(oid::SUBJECT_ALT_NAME)
        .ok_or(CertificateError::SanCount { found: 0 })?;
    let mut names = Reader::new(der::only(extension.value, SEQUENCE)?.content);
    let mut found = Vec::new();
    while !names.is_empty() {
        found.push(names.any()?);
    }
    let [name] = found[..] else {
        return Err(CertificateError::SanCount { found: found.len() });
    };
    let text = |content: &[u8]| {
        let text = std::str::from_utf8(content).map_err(|_| CertificateError::Text { part: "san" })?;
        Ok::<_, CertificateError>(text.to_owned())
    };
    let san = match name.tag {
        EMAIL => SubjectAlternativeName::Email(text(name.content)?),
        URI => SubjectAlternativeName::Uri(text(name.content)?),
        OTHER_NAME => SubjectAlternativeName::OtherName(read_username(name.content)?),
        tag => return Err(CertificateError::SanKind { tag }),
    };
    require_ascii("san", san.as_str())?;
    // A rule names a text and no kind: names of two kinds have no text in common.
    let has = |c: char| san.as_str().contains(c);
    let of_its_kind = match san {
        SubjectAlternativeName::Email(_) => has('@') && !has(':'),
        SubjectAlternativeName::Uri(_) => has(':'),
        SubjectAlternativeName::OtherName(_) => !has('@') && !has(':'),
    };
    // A host in punycode, or one that only looks like another, is never what a rule means.
    if !of_its_kind || san.as_str().to_ascii_lowercase().contains("xn--") {
        return Err(CertificateError::Text { part: "san" });
    }
    Ok(san)
}

fn read_username(content: &[u8]) -> Result<String, CertificateError> {
    let mut fields = Reader::new(content);
    if fields.oid()?.strip_prefix(oid::FULCIO) != Some(&[USERNAME_ARC]) {
        return Err(CertificateError::SanKind { tag: OTHER_NAME });
    }
    let mut explicit = fields.nested(constructed(0))?;
    fields.finish()?;
    let name = explicit.element(UTF8_STRING)?.content;
    explicit.finish()?;
    match std::str::from_utf8(name) {
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(CertificateError::Text { part: "san" }),
    }
}

/// Names are printable ASCII without spaces: what looks alike is alike.
fn require_ascii(part: &'static str, text: &str) -> Result<(), CertificateError> {
    let printable =
        !text.is_empty() && text.len() <= MAX_TEXT_BYTES && text.bytes().all(|b| b.is_ascii_graphic());
    if printable {
        Ok(())
    } else {
        Err(CertificateError::Text { part })
    }
}

/// Characters that change how others are shown, or are not shown at all.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
