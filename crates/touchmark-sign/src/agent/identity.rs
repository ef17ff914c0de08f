//! The keys an agent offers, how one is chosen, and how its signatures become ours.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use touchmark_verify::key::{KeyAlgorithm, PublicKey, ecdsa_der};

use super::wire::Fields;
use super::{AgentError, ssh_name};

/// One key an agent offers.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `SHA256:<base64>`, as `ssh-add -l` prints it.
    pub ssh_fingerprint: String,
    /// The comment, with control characters replaced.
    pub comment: String,
    /// The SSH name of the key's kind, with unusual characters replaced.
    pub kind: String,
    /// The key, where it is one that can sign for us.
    pub public: Option<PublicKey>,
    blob: Vec<u8>,
}

impl Identity {
    pub(super) fn parse(blob: &[u8], comment: &[u8]) -> Self {
        let kind = Fields::new(blob).string().unwrap_or_default();
        Identity {
            ssh_fingerprint: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))),
            comment: String::from_utf8_lossy(comment).chars().map(printable).collect(),
            kind: String::from_utf8_lossy(kind)
                .chars()
                .take(80)
                .map(printable)
                .collect(),
            public: public_key(blob).ok(),
            blob: blob.to_vec(),
        }
    }

    fn is_fido(&self) -> bool {
        self.kind.starts_with("sk-")
    }
}

fn printable(c: char) -> char {
    if c.is_ascii_graphic() || c == ' ' { c } else { '?' }
}

/// Which key of an agent is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The only key that can sign for us.
    OnlyUsable,
    /// The key with this `SHA256:<base64>` or `sha256:<hex>` fingerprint, or with this comment.
    Named(String),
}

impl Selector {
    /// Parses what follows `ssh-agent:`.
    pub fn parse(text: &str) -> Self {
        if text.is_empty() {
            Selector::OnlyUsable
        } else {
            Selector::Named(text.to_owned())
        }
    }

    pub(super) fn choose(&self, identities: Vec<Identity>) -> Result<(Vec<u8>, PublicKey), AgentError> {
        let held = identities.len();
        let mut matching: Vec<Identity> = identities
            .into_iter()
            .filter(|identity| self.matches(identity))
            .collect();
        if matching.len() > 1 {
            let fingerprints = matching
                .iter()
                .map(|identity| identity.ssh_fingerprint.clone())
                .collect();
            return Err(AgentError::Ambiguous {
                count: matching.len(),
                fingerprints,
            });
        }
        let Some(identity) = matching.pop() else {
            return Err(match self {
                Selector::OnlyUsable => AgentError::NoUsableKey { held },
                Selector::Named(_) => AgentError::NotFound {
                    selector: self.to_string(),
                },
            });
        };
        let is_fido = identity.is_fido();
        match identity.public {
            Some(public) => Ok((identity.blob, public)),
            None if is_fido => Err(AgentError::Fido),
            None => Err(AgentError::UnsupportedAlgorithm { found: identity.kind }),
        }
    }

    fn matches(&self, identity: &Identity) -> bool {
        match self {
            Selector::OnlyUsable => identity.public.is_some(),
            Selector::Named(name) => {
                let ours = identity.public.as_ref().map(|key| key.fingerprint().to_string());
                *name == identity.ssh_fingerprint || ours.as_ref() == Some(name) || *name == identity.comment
            }
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::OnlyUsable => f.write_str("the only usable key"),
            Selector::Named(name) => name
                .chars()
                .take(120)
                .map(printable)
                .try_for_each(|c| write!(f, "{c}")),
        }
    }
}

/// Parses an SSH public key blob (RFC 5656 §3.1, RFC 8709 §4).
fn public_key(blob: &[u8]) -> Result<PublicKey, AgentError> {
    let mut fields = Fields::new(blob);
    let (algorithm, curve) = match fields.string()? {
        b"ecdsa-sha2-nistp256" => (KeyAlgorithm::EcdsaP256Sha256, Some(&b"nistp256"[..])),
        b"ecdsa-sha2-nistp384" => (KeyAlgorithm::EcdsaP384Sha384, Some(&b"nistp384"[..])),
        b"ssh-ed25519" => (KeyAlgorithm::Ed25519, None),
        _ => return Err(AgentError::Protocol),
    };
    if let Some(curve) = curve
        && fields.string()? != curve
    {
        return Err(AgentError::Protocol);
    }
    let raw = fields.string()?;
    fields.end()?;
    PublicKey::from_raw(algorithm, raw).map_err(|_| AgentError::Protocol)
}

/// Converts an SSH signature (RFC 5656 §3.1.2: two mpints; RFC 8709 §6: 64 bytes) to our form.
pub(super) fn signature(algorithm: KeyAlgorithm, blob: &[u8]) -> Result<Vec<u8>, AgentError> {
    let mut fields = Fields::new(blob);
    if fields.string()? != ssh_name(algorithm).as_bytes() {
        return Err(AgentError::Protocol);
    }
    let inner = fields.string()?;
    fields.end()?;
    if algorithm == KeyAlgorithm::Ed25519 {
        return Ok(inner.to_vec());
    }
    let mut halves = Fields::new(inner);
    let (r, s) = (halves.string()?, halves.string()?);
    halves.end()?;
    // An mpint whose first bit is set is negative (RFC 4251 §5).
    if [r, s]
        .iter()
        .any(|half| half.first().is_none_or(|first| first & 0x80 != 0))
    {
        return Err(AgentError::Protocol);
    }
    ecdsa_der::encode(algorithm, r, s).map_err(|_| AgentError::Protocol)
}
