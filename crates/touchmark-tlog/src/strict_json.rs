//! Stands in until the shared strict reader is there.
#![allow(missing_docs)]
use serde::de::DeserializeOwned;
pub struct Rules {
    pub max_bytes: usize,
    pub max_depth: usize,
    pub numbers: Numbers,
}
pub enum Numbers {
    ExactIntegers,
}
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("not strict JSON")]
pub struct JsonError;
impl JsonError {
    pub fn code(&self) -> &'static str {
        "json.syntax"
    }
}
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8], rules: &Rules) -> Result<T, JsonError> {
    let _ = (rules.max_depth, &rules.numbers);
    if json.len() > rules.max_bytes {
        return Err(JsonError);
    }
    serde_json::from_slice(json).map_err(|_| JsonError)
}
