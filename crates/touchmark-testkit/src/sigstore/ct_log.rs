//! A certificate transparency log, as far as certificates show of it: signed certificate timestamps (RFC 6962 §3.2).

use super::certificate::{Authority, Extension, SCT_LIST, Template};
use super::der;
use super::keys::Key;

/// A certificate transparency log.
#[derive(Clone, Debug)]
pub struct CtLog {
    /// The log's key.
    pub key: Key,
    /// Whether timestamps carry an extension, as those of static logs do (the index of the leaf).
    pub with_extensions: bool,
}

impl CtLog {
    /// Signs a certificate timestamp over a certificate that has none yet.
    pub fn timestamp(&self, precertificate: &Template, issuer: &Authority, at: i64) -> Vec<u8> {
        let tbs = precertificate.to_be_signed(issuer.key.scheme());
        self.timestamp_over(&tbs, &issuer.key.spki_digest(), at)
    }

    /// Signs a certificate timestamp over these bytes and this issuer, whatever they are.
    pub fn timestamp_over(&self, tbs: &[u8], issuer_key_hash: &[u8; 32], at: i64) -> Vec<u8> {
        // c2sp.org/static-ct-api: leaf_index, type 0, 40 bits.
        let extensions: &[u8] = if self.with_extensions {
            &[0, 0, 5, 0, 0, 0, 0x10, 0x92]
        } else {
            &[]
        };
        let millis = (at * 1000).to_be_bytes();
        let length = (tbs.len() as u32).to_be_bytes();
        let tail = [&(extensions.len() as u16).to_be_bytes(), extensions].concat();
        // Version 1, certificate_timestamp, the time, precert_entry.
        let signed = [
            &[0, 0][..],
            &millis,
            &[0, 1],
            issuer_key_hash,
            &length[1..],
            tbs,
            &tail,
        ]
        .concat();
        let signature = self.key.sign(&signed);
        let head = [&[0][..], &self.key.spki_digest(), &millis, &tail].concat();
        // SHA-256 (4) or SHA-384 (5), ECDSA (3).
        let algorithm = [
            if self.key.scheme() == super::keys::Scheme::P384 {
                5
            } else {
                4
            },
            3,
        ];
        [
            &head[..],
            &algorithm,
            &(signature.len() as u16).to_be_bytes(),
            &signature,
        ]
        .concat()
    }
}

/// Returns the extension that carries signed certificate timestamps.
pub fn sct_list(timestamps: &[Vec<u8>]) -> Extension {
    let mut list = Vec::new();
    for timestamp in timestamps {
        list.extend_from_slice(&(timestamp.len() as u16).to_be_bytes());
        list.extend_from_slice(timestamp);
    }
    let list = [&(list.len() as u16).to_be_bytes()[..], &list].concat();
    Extension::new(SCT_LIST, false, der::octets(&list))
}
