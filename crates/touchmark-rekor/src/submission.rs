//! What is sent to a log: something signed, its signature, and what verifies it.

use touchmark_tlog::entry::rekor_v1::{DsseRequest, HashedRekordRequest, PemVerifier};
use touchmark_tlog::entry::{CreateEntryRequest, EntryVerifier, KeyDetails, VerifierMaterial};
use touchmark_verify::envelope::Envelope;
use touchmark_verify::key::PublicKey;

use crate::error::PublishError;

/// Who verifies a signature: a key, or the certificate of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatory {
    key: PublicKey,
    certificate: Option<Vec<u8>>,
}

impl Signatory {
    /// A key that verifiers know.
    pub fn key(key: PublicKey) -> Self {
        Signatory {
            key,
            certificate: None,
        }
    }

    /// A certificate, DER, and the key in it.
    pub fn certificate(der: Vec<u8>, key: PublicKey) -> Self {
        Signatory {
            key,
            certificate: Some(der),
        }
    }

    /// Returns the key that verifies the signature.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Returns the certificate, DER, where there is one.
    pub fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    fn material(&self) -> VerifierMaterial {
        match &self.certificate {
            Some(der) => VerifierMaterial::Certificate(der.clone()),
            None => VerifierMaterial::PublicKey(self.key.spki_der().to_vec()),
        }
    }
}

/// A signature on its way into a log. It verifies: what does not is never sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSubmission {
    signed: Signed,
    signature: Vec<u8>,
    signatory: Signatory,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Signed {
    Envelope(Envelope),
    /// The digest of a message, by the hash of the signatory's algorithm.
    Digest(Vec<u8>),
}

impl LogSubmission {
    /// Submits an envelope.
    pub fn of_envelope(envelope: &Envelope, signatory: Signatory) -> Result<Self, PublishError> {
        signatory
            .key
            .verify(&envelope.pae(), &envelope.signature)
            .map_err(PublishError::Signature)?;
        Ok(LogSubmission {
            signature: envelope.signature.clone(),
            signed: Signed::Envelope(envelope.clone()),
            signatory,
        })
    }

    /// Submits the signature over a message that is known by its digest.
    pub fn of_digest(
        digest: Vec<u8>,
        signature: Vec<u8>,
        signatory: Signatory,
    ) -> Result<Self, PublishError> {
        signatory
            .key
            .verify_digest(&digest, &signature)
            .map_err(PublishError::Signature)?;
        Ok(LogSubmission {
            signed: Signed::Digest(digest),
            signature,
            signatory,
        })
    }

    /// Returns what verifies the signature.
    pub fn signatory(&self) -> &Signatory {
        &self.signatory
    }

    /// Returns the signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Returns the request of Rekor v2. A key that signs whole messages has none: the log sees a digest only.
    pub fn create_entry_request(&self) -> Result<CreateEntryRequest, PublishError> {
        Ok(CreateEntryRequest {
            digest: self.digest()?,
            signature: self.signature.clone(),
            verifier: self.entry_verifier()?,
        })
    }

    /// Returns the `hashedrekord` request of Rekor v1.
    pub fn hashedrekord_request(&self) -> Result<HashedRekordRequest, PublishError> {
        HashedRekordRequest::new(self.digest()?, self.signature.clone(), &self.entry_verifier()?)
            .map_err(|source| PublishError::Request { source })
    }

    /// Returns the `dsse` request of Rekor v1; `None` where no envelope was signed.
    pub fn dsse_request(&self) -> Result<Option<DsseRequest>, PublishError> {
        let Signed::Envelope(envelope) = &self.signed else {
            return Ok(None);
        };
        let text = dsse_json(envelope);
        DsseRequest::new(text, vec![PemVerifier::new(self.signatory.material())])
            .map(Some)
            .map_err(|source| PublishError::Request { source })
    }

    /// Returns the envelope, where one was signed.
    pub fn envelope(&self) -> Option<&Envelope> {
        match &self.signed {
            Signed::Envelope(envelope) => Some(envelope),
            Signed::Digest(_) => None,
        }
    }

    pub(crate) fn pem_verifier(&self) -> PemVerifier {
        PemVerifier::new(self.signatory.material())
    }

    fn digest(&self) -> Result<Vec<u8>, PublishError> {
        match &self.signed {
            Signed::Digest(digest) => Ok(digest.clone()),
            Signed::Envelope(envelope) => self
                .signatory
                .key
                .algorithm()
                .digest(&envelope.pae())
                .ok_or_else(|| self.not_loggable()),
        }
    }

    fn entry_verifier(&self) -> Result<EntryVerifier, PublishError> {
        let name = self.signatory.key.algorithm().key_details();
        let key_details = KeyDetails::from_name(name)
            .filter(|details| details.hash().is_some())
            .ok_or_else(|| self.not_loggable())?;
        Ok(EntryVerifier {
            key_details,
            material: self.signatory.material(),
        })
    }

    fn not_loggable(&self) -> PublishError {
        PublishError::NotLoggable {
            key: self.signatory.key.fingerprint(),
        }
    }
}

/// The envelope as Rekor v1 gets it. It has no `keyid`: the log would look for a verifier of that name.
fn dsse_json(envelope: &Envelope) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let payload_type = serde_json::to_string(&envelope.payload_type).expect("a text is JSON");
    format!(
        r#"{{"payload":"{}","payloadType":{payload_type},"signatures":[{{"sig":"{}"}}]}}"#,
        STANDARD.encode(&envelope.payload),
        STANDARD.encode(&envelope.signature),
    )
}
