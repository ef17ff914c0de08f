//! Signs statements and messages, logs and timestamps them, and builds their bundles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_verify::bundle::Bundle;

use super::defect::{CertificateDefect, LogDefect};
use super::identity::Identity;
use super::instance::{Instance, SIGNED_AT};
use super::keys::{Hash, Key};
use super::rekor_v1::{dsse_body, hashedrekord_body, intoto_body};
use super::rekor_v2::{Submission, Verifier};

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Who signs.
#[derive(Clone, Debug)]
pub enum Signatory {
    /// Whoever the certificate names, with a key that is used once.
    Keyless(Identity),
    /// Whoever the certificate names that was issued for this key, which signs more than once.
    Certified(Key, Vec<u8>),
    /// Whoever holds a key.
    Key(Key),
}

/// Which log takes the entry, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// None.
    Unlogged,
    /// Rekor v2, `hashedrekord` 0.0.2.
    V2,
    /// Rekor v1, `hashedrekord` 0.0.1.
    V1HashedRekord,
    /// Rekor v1, `dsse` 0.0.1.
    V1Dsse,
    /// Rekor v1, `intoto` 0.0.2.
    V1Intoto,
}

/// The version of the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BundleVersion {
    /// 0.1: a promise, and perhaps a proof.
    V01,
    /// 0.2: a proof.
    V02,
    /// 0.3: a proof, and the leaf certificate alone.
    V03,
}

impl BundleVersion {
    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V01 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V02 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V03 => "application/vnd.dev.sigstore.bundle.v0.3+json",
        }
    }
}

/// How something is signed.
#[derive(Clone, Debug)]
pub struct Signing {
    /// Who signs.
    pub signatory: Signatory,
    /// When the certificate is issued.
    pub at: i64,
    /// The timestamps: which authority, and when.
    pub timestamps: Vec<(usize, i64)>,
    /// When a Rekor v1 log integrates the entry.
    pub integrated_at: i64,
    /// The log.
    pub log: LogKind,
    /// The version of the bundle.
    pub version: BundleVersion,
}

impl Signing {
    /// Returns keyless signing: a certificate at [`SIGNED_AT`], a timestamp two seconds later, Rekor v2, bundle 0.3.
    pub fn keyless(identity: Identity) -> Self {
        Self {
            signatory: Signatory::Keyless(identity),
            at: SIGNED_AT,
            timestamps: vec![(0, SIGNED_AT + 2)],
            integrated_at: SIGNED_AT + 3,
            log: LogKind::V2,
            version: BundleVersion::V03,
        }
    }

    /// Returns signing with a key that the verifier knows, without timestamp.
    pub fn with_key(key: Key) -> Self {
        Self {
            signatory: Signatory::Key(key),
            timestamps: Vec::new(),
            ..Self::keyless(Identity::email(
                "nobody@example.test",
                "https://nowhere.example.test",
            ))
        }
    }

    /// Sets the time of everything.
    pub fn at(mut self, at: i64) -> Self {
        self.at = at;
        self.integrated_at = at + 3;
        for (_, time) in &mut self.timestamps {
            *time = at + 2;
        }
        self
    }

    /// Sets the timestamps.
    pub fn timestamps(mut self, timestamps: &[(usize, i64)]) -> Self {
        self.timestamps = timestamps.to_vec();
        self
    }

    /// Sets the log.
    pub fn log(mut self, log: LogKind) -> Self {
        self.log = log;
        self
    }

    /// Sets the version of the bundle.
    pub fn version(mut self, version: BundleVersion) -> Self {
        self.version = version;
        self
    }
}

/// Something that was signed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The bundle.
    pub json: Value,
    /// The key that signed.
    pub key: Key,
    /// The certificate, DER.
    pub certificate: Option<Vec<u8>>,
    /// The bytes of the statement or of the message.
    pub content: Vec<u8>,
}

impl Signed {
    /// Returns the bundle's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.json.to_string().into_bytes()
    }

    /// Returns the bundle.
    ///
    /// # Panics
    ///
    /// Where the bundle is so broken that it cannot be parsed.
    pub fn bundle(&self) -> Bundle {
        Bundle::parse(&self.bytes()).expect("a bundle that can be parsed")
    }

    /// Returns the first log entry, to be read or changed.
    pub fn entry(&mut self) -> &mut Value {
        &mut self.json["verificationMaterial"]["tlogEntries"][0]
    }
}

/// What a signature is over, and how it is submitted to logs.
pub(super) struct Content<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) kind: ContentKind,
}

/// A statement or a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentKind {
    Statement,
    Message,
}

impl Content<'_> {
    /// Returns the bytes that the signature is over.
    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        match self.kind {
            ContentKind::Statement => pae(IN_TOTO, self.bytes),
            ContentKind::Message => self.bytes.to_vec(),
        }
    }
}

/// Returns DSSE's pre-authentication encoding.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Instance {
    /// Signs a statement's bytes in a DSSE envelope.
    pub fn sign_statement(&self, signing: &Signing, payload: &[u8]) -> Signed {
        self.sign(
            signing,
            &Content {
                bytes: payload,
                kind: ContentKind::Statement,
            },
        )
    }

    /// Signs a message that stays outside of the bundle.
    pub fn sign_message(&self, signing: &Signing, message: &[u8]) -> Signed {
        self.sign(
            signing,
            &Content {
                bytes: message,
                kind: ContentKind::Message,
            },
        )
    }

    fn sign(&self, signing: &Signing, content: &Content<'_>) -> Signed {
        let (key, certificate) = self.signatory(signing, content);
        let signature = key.sign(&content.signed_bytes());
        let verifier = match &certificate {
            Some(certificate) => Verifier::Certificate(certificate.clone()),
            None => Verifier::PublicKey(key.spki()),
        };
        let mut material = self.material(signing.version, &key, certificate.as_deref());
        let tokens = self.tokens(signing, content, &signature);
        if !tokens.is_empty() {
            let tokens: Vec<Value> = tokens
                .iter()
                .map(|token| json!({"signedTimestamp": STANDARD.encode(token)}))
                .collect();
            material["timestampVerificationData"] = json!({"rfc3161Timestamps": tokens});
        }
        let entries = self.entries(signing, content, &key, &signature, &verifier);
        material["tlogEntries"] = json!(entries);
        let mut bundle = json!({
            "mediaType": signing.version.media_type(),
            "verificationMaterial": material,
        });
        match content.kind {
            ContentKind::Statement => {
                let keyid = if certificate.is_none() {
                    hint(&key)
                } else {
                    String::new()
                };
                bundle["dsseEnvelope"] = envelope(content.bytes, &signature, &keyid);
            }
            ContentKind::Message => {
                let hash = key.scheme().hash();
                bundle["messageSignature"] = json!({
                    "messageDigest": {
                        "algorithm": hash.protobuf_name(),
                        "digest": STANDARD.encode(hash.of(content.bytes)),
                    },
                    "signature": STANDARD.encode(&signature),
                });
            }
        }
        Signed {
            json: bundle,
            key,
            certificate,
            content: content.bytes.to_vec(),
        }
    }

    fn signatory(&self, signing: &Signing, content: &Content<'_>) -> (Key, Option<Vec<u8>>) {
        let identity = match &signing.signatory {
            Signatory::Key(key) => return (key.clone(), None),
            Signatory::Certified(key, certificate) => return (key.clone(), Some(certificate.clone())),
            Signatory::Keyless(identity) => identity,
        };
        let digest = super::rekor_v1::hex(&Hash::Sha256.of(content.bytes));
        let name = format!("leaf of {} at {} for {digest}", identity.san.text(), signing.at);
        let key = self.key(self.options.leaf, &name);
        let certificate = if self.is(CertificateDefect::SelfSignedLeaf) {
            self.issue_to_itself(identity, &key, signing.at)
        } else if self.is(CertificateDefect::KeyNotTheSigners) {
            let other = self.key(self.options.leaf, "somebody else");
            self.issue(identity, &other.spki(), signing.at)
        } else {
            self.issue(identity, &key.spki(), signing.at)
        };
        (key, Some(certificate))
    }

    fn material(&self, version: BundleVersion, key: &Key, leaf: Option<&[u8]>) -> Value {
        let raw = |der: &[u8]| json!({"rawBytes": STANDARD.encode(der)});
        let authority = &self.certificate_authority;
        let Some(leaf) = leaf else {
            return json!({"publicKey": {"hint": hint(key)}});
        };
        let mut chain = vec![raw(leaf)];
        if self.is(CertificateDefect::HundredIntermediates) {
            chain.extend((0..100).map(|number| raw(&self.cross_signed(number))));
            return json!({"x509CertificateChain": {"certificates": chain}});
        }
        if self.is(CertificateDefect::RootInBundle) {
            chain.extend([
                raw(&authority.intermediate.certificate),
                raw(&authority.root.certificate),
            ]);
            return json!({"x509CertificateChain": {"certificates": chain}});
        }
        match version {
            BundleVersion::V03 => json!({"certificate": raw(leaf)}),
            BundleVersion::V01 | BundleVersion::V02 => {
                chain.push(raw(&authority.intermediate.certificate));
                json!({"x509CertificateChain": {"certificates": chain}})
            }
        }
    }

    /// Returns one of many certificates of two names that certify each other with one key: the stranger's, so that
    /// every path among them is right and none ends.
    fn cross_signed(&self, number: usize) -> Vec<u8> {
        use super::certificate::{Authority, Validity};
        let stranger = &self.namesake.intermediate;
        let crossing = Authority {
            name: super::der::name(&self.options.operator, "sigstore crossing"),
            ..stranger.clone()
        };
        let (issuer, name) = match number % 2 {
            0 => (&crossing, "sigstore intermediate"),
            _ => (stranger, "sigstore crossing"),
        };
        let validity = Validity {
            from: super::instance::VALID_FROM + number as i64,
            to: super::instance::VALID_FROM + 400 * 86_400,
        };
        issuer
            .intermediate(&self.options.operator, name, stranger.key.clone(), validity)
            .certificate
    }

    fn entries(
        &self,
        signing: &Signing,
        content: &Content<'_>,
        key: &Key,
        signature: &[u8],
        verifier: &Verifier,
    ) -> Vec<Value> {
        if signing.log == LogKind::Unlogged || self.is(LogDefect::EntryMissing) {
            return Vec::new();
        }
        let hash = key.scheme().hash();
        let digest = match self.is(LogDefect::DigestOfPayload) {
            true => hash.of(content.bytes),
            false => hash.of(&content.signed_bytes()),
        };
        let submitted = envelope(content.bytes, signature, "").to_string();
        let body = match signing.log {
            LogKind::Unlogged => return Vec::new(),
            LogKind::V2 => Submission {
                digest,
                signature: signature.to_vec(),
                scheme: key.scheme(),
                verifier: verifier.clone(),
            }
            .body(),
            LogKind::V1HashedRekord => hashedrekord_body(key.scheme(), &digest, signature, verifier),
            LogKind::V1Dsse => dsse_body(&submitted, content.bytes, signature, verifier),
            LogKind::V1Intoto => intoto_body(&submitted, IN_TOTO, content.bytes, signature, verifier),
        };
        self.logged(signing, body)
    }
}

/// Returns the hint by which bundles of keys say which.
pub fn hint(key: &Key) -> String {
    STANDARD.encode(key.spki_digest())
}

/// Returns a DSSE envelope around a statement.
pub fn envelope(payload: &[u8], signature: &[u8], keyid: &str) -> Value {
    let mut signature = json!({"sig": STANDARD.encode(signature)});
    if !keyid.is_empty() {
        signature["keyid"] = keyid.into();
    }
    json!({
        "payload": STANDARD.encode(payload),
        "payloadType": IN_TOTO,
        "signatures": [signature],
    })
}
