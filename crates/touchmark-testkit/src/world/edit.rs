//! Edits of a bundle's bytes after it was signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Piece;

impl Piece {
    /// Changes the bundle as a JSON document.
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut document: Value = serde_json::from_slice(&self.bytes).expect("the bundle is JSON");
        change(&mut document);
        self.bytes = document.to_string().into_bytes();
    }

    /// Replaces text that must be there, once.
    pub fn replace(&mut self, from: &str, to: &str) {
        let text = String::from_utf8(self.bytes.clone()).expect("the bundle is text");
        assert!(text.contains(from), "{from}");
        self.bytes = text.replacen(from, to, 1).into_bytes();
    }
}

/// Changes one byte of a base64 value.
pub(super) fn flip(value: &mut Value, at: usize) {
    let mut bytes = decode(value);
    bytes[at] ^= 1;
    *value = STANDARD.encode(bytes).into();
}

/// Decodes a base64 value.
pub(super) fn decode(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("a text")).expect("base64")
}

/// Encodes bytes as a base64 value.
pub(super) fn encode(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}
