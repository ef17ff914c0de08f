//! The keys of logs and the certificates of authorities, from the files people have.

use touchmark_tlog::note::VerifierKey;
use touchmark_verify::key::pem;

use super::error::CreateError;

const PUBLIC_KEY: &str = "PUBLIC KEY";
const CERTIFICATE: &str = "CERTIFICATE";
const END_CERTIFICATE: &str = "-----END CERTIFICATE-----";

/// A log's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    pub(super) spki: Vec<u8>,
    pub(super) name: Option<String>,
}

impl LogKey {
    /// Reads a key: one PEM block, its DER, or the text of a note key, which also names the log.
    pub fn parse(bytes: &[u8]) -> Result<Self, CreateError> {
        if pem::mentions_private_key(bytes) {
            return Err(CreateError::PrivateKey);
        }
        if bytes.starts_with(b"-----BEGIN") {
            let block = pem::decode(bytes, &[PUBLIC_KEY]).map_err(|_| CreateError::Key)?;
            return Ok(Self {
                spki: block.contents.to_vec(),
                name: None,
            });
        }
        // A DER sequence never begins like the name of a key.
        if bytes.first() == Some(&0x30) && std::str::from_utf8(bytes).is_err() {
            return Ok(Self {
                spki: bytes.to_vec(),
                name: None,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CreateError::Key)?;
        let key: VerifierKey = text
            .strip_suffix('\n')
            .unwrap_or(text)
            .parse()
            .map_err(|_| CreateError::Key)?;
        Ok(Self {
            spki: key.spki_der(),
            name: Some(key.name().to_owned()),
        })
    }

    /// Returns the name that came with the key.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Reads one or more PEM blocks of certificates, DER, in the order of the file.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, CreateError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CreateError::Certificates)?;
    let mut certificates = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(END_CERTIFICATE).ok_or(CreateError::Certificates)? + END_CERTIFICATE.len();
        let (block, after) = rest.split_at(end);
        let block = pem::decode(block.as_bytes(), &[CERTIFICATE]).map_err(|_| CreateError::Certificates)?;
        certificates.push(block.contents.to_vec());
        rest = after.trim_start();
    }
    if certificates.is_empty() {
        return Err(CreateError::Certificates);
    }
    Ok(certificates)
}
