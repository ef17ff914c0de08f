//! X.509 certificates (RFC 5280), written field by field.

use super::der;
use super::identity::{FULCIO_ARC, Identity};
use super::keys::{Hash, Key, Scheme};

/// The OID of the subject alternative name.
pub const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";
/// The OID of the extended key usage.
pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// The OID of the basic constraints.
pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
/// The OID of embedded signed certificate timestamps (RFC 6962 §3.3).
pub const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
/// The usage of certificates that sign code.
pub const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
/// The usage of certificates that sign timestamps.
pub const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// Every usage.
pub const ANY_USAGE: &str = "2.5.29.37.0";

/// One extension of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its OID, dotted.
    pub oid: String,
    /// Whether who does not know it must refuse the certificate.
    pub critical: bool,
    /// Its value, before it is wrapped in an OCTET STRING.
    pub value: Vec<u8>,
}

impl Extension {
    /// Returns an extension.
    pub fn new(oid: &str, critical: bool, value: Vec<u8>) -> Self {
        Self {
            oid: oid.to_owned(),
            critical,
            value,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut parts = vec![der::oid(&self.oid)];
        if self.critical {
            parts.push(der::yes());
        }
        parts.push(der::octets(&self.value));
        der::sequence(&parts)
    }
}

/// What a certificate will say; every field is DER, so that any can be wrong.
#[derive(Clone, Debug)]
pub struct Template {
    /// The version, counted from nought: 2 is version 3.
    pub version: u64,
    /// The signature algorithm that the signed part names, where it is not the one that signs.
    pub named_algorithm: Option<Scheme>,
    /// The serial number's bytes.
    pub serial: Vec<u8>,
    /// The issuer's name.
    pub issuer: Vec<u8>,
    /// The first time.
    pub not_before: Vec<u8>,
    /// The last time.
    pub not_after: Vec<u8>,
    /// The subject's name.
    pub subject: Vec<u8>,
    /// The subject's key.
    pub spki: Vec<u8>,
    /// The extensions, in order.
    pub extensions: Vec<Extension>,
}

impl Template {
    /// Returns the extension with this OID.
    pub fn extension(&mut self, oid: &str) -> &mut Extension {
        let found = self.extensions.iter_mut().find(|extension| extension.oid == oid);
        found.expect("the profile has the extension")
    }

    /// Encodes the part that is signed.
    pub fn to_be_signed(&self, scheme: Scheme) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> = self.extensions.iter().map(Extension::encode).collect();
        der::sequence(&[
            der::context(0, &der::small(self.version)),
            der::integer(&self.serial),
            self.named_algorithm.unwrap_or(scheme).signature_algorithm(),
            self.issuer.clone(),
            der::sequence(&[self.not_before.clone(), self.not_after.clone()]),
            self.subject.clone(),
            self.spki.clone(),
            der::context(3, &der::sequence(&extensions)),
        ])
    }

    /// Signs the certificate.
    pub fn sign(&self, key: &Key) -> Vec<u8> {
        let tbs = self.to_be_signed(key.scheme());
        let signature = key.sign(&tbs);
        der::sequence(&[tbs, key.scheme().signature_algorithm(), der::bits(&signature)])
    }
}

/// A party that signs certificates, or whom a certificate names.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its name, DER.
    pub name: Vec<u8>,
    /// Its key.
    pub key: Key,
    /// Its serial number, as its issuer gave it.
    pub serial: Vec<u8>,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: i64,
    /// The last second.
    pub to: i64,
}

impl Authority {
    /// Returns a root: a certificate authority that signed its own certificate.
    pub fn root(organization: &str, common_name: &str, key: Key, validity: Validity) -> Self {
        let name = der::name(organization, common_name);
        let template = authority_template(&name, &name, &key, validity, Vec::new());
        let certificate = template.sign(&key);
        Self {
            name,
            key,
            serial: template.serial,
            certificate,
        }
    }

    /// Returns an intermediate authority for one usage, certified by this one.
    pub fn intermediate(&self, organization: &str, common_name: &str, key: Key, validity: Validity) -> Self {
        let name = der::name(organization, common_name);
        let usage = extended_key_usage(&[CODE_SIGNING], false);
        let template = authority_template(&self.name, &name, &key, validity, vec![usage]);
        let certificate = template.sign(&self.key);
        Self {
            name,
            key,
            serial: template.serial,
            certificate,
        }
    }

    /// Returns a template for a certificate of this authority, without extensions.
    pub fn template(&self, subject: Vec<u8>, spki: Vec<u8>, validity: Validity) -> Template {
        let serial = serial(&[
            self.name.clone(),
            subject.clone(),
            spki.clone(),
            validity.from.to_be_bytes().to_vec(),
        ]);
        Template {
            version: 2,
            named_algorithm: None,
            serial,
            issuer: self.name.clone(),
            not_before: der::certificate_time(validity.from),
            not_after: der::certificate_time(validity.to),
            subject,
            spki,
            extensions: Vec::new(),
        }
    }
}

fn authority_template(
    issuer: &[u8],
    name: &[u8],
    key: &Key,
    validity: Validity,
    more: Vec<Extension>,
) -> Template {
    let spki = key.spki();
    let mut extensions = vec![
        // keyCertSign and cRLSign.
        Extension::new("2.5.29.15", true, der::tlv(0x03, &[1, 0x06])),
        Extension::new(BASIC_CONSTRAINTS, true, der::sequence(&[der::yes()])),
        Extension::new("2.5.29.14", false, der::octets(&Hash::Sha256.of(&spki)[..20])),
    ];
    extensions.extend(more);
    Template {
        version: 2,
        named_algorithm: None,
        serial: serial(&[issuer.to_vec(), name.to_vec(), spki.clone()]),
        issuer: issuer.to_vec(),
        not_before: der::certificate_time(validity.from),
        not_after: der::certificate_time(validity.to),
        subject: name.to_vec(),
        spki,
        extensions,
    }
}

/// Returns a serial number that follows from what it is for.
fn serial(of: &[Vec<u8>]) -> Vec<u8> {
    let mut serial = Hash::Sha256.of(&of.concat())[..16].to_vec();
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// Returns the extended key usage extension.
pub fn extended_key_usage(usages: &[&str], critical: bool) -> Extension {
    let usages: Vec<Vec<u8>> = usages.iter().map(|usage| der::oid(usage)).collect();
    Extension::new(EXTENDED_KEY_USAGE, critical, der::sequence(&usages))
}

/// Returns the extensions of Fulcio's profile for an identity, without signed certificate timestamps.
///
/// <https://github.com/sigstore/fulcio/blob/v1.8.8/docs/certificate-specification.md>
pub fn fulcio_extensions(identity: &Identity, spki: &[u8], issuer_spki: &[u8]) -> Vec<Extension> {
    let key_id = |spki: &[u8]| Hash::Sha256.of(spki)[..20].to_vec();
    let mut extensions = vec![
        // digitalSignature.
        Extension::new("2.5.29.15", true, der::tlv(0x03, &[7, 0x80])),
        extended_key_usage(&[CODE_SIGNING], false),
        Extension::new("2.5.29.14", false, der::octets(&key_id(spki))),
        Extension::new(
            "2.5.29.35",
            false,
            der::sequence(&[der::context_primitive(0, &key_id(issuer_spki))]),
        ),
        Extension::new(
            SUBJECT_ALTERNATIVE_NAME,
            true,
            der::sequence(&[identity.san.general_name()]),
        ),
        Extension::new(&fulcio_oid(1), false, identity.issuer.as_bytes().to_vec()),
    ];
    for (arc, text) in &identity.claims {
        // The first six are the raw text, the others a UTF8String.
        let value = if *arc <= 6 {
            text.as_bytes().to_vec()
        } else {
            der::utf8(text)
        };
        extensions.push(Extension::new(&fulcio_oid(*arc), false, value));
    }
    extensions.push(Extension::new(&fulcio_oid(8), false, der::utf8(&identity.issuer)));
    extensions
}

/// Returns the OID of a Fulcio extension.
pub fn fulcio_oid(arc: u8) -> String {
    format!("{FULCIO_ARC}.{arc}")
}
