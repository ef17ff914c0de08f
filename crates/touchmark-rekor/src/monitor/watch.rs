//! Whose signatures are looked for: the keys and identities that policy names.

use std::collections::BTreeMap;

use touchmark_verify::identity::IdentityRule;
use touchmark_verify::issued::IssuedCertificate;
use touchmark_verify::key::KeyFingerprint;
use touchmark_verify::trust::TrustedRoot;

use super::certificate;
use super::entry::{EntryFacts, EntrySigner};
use super::finding::SignerProof;

/// The signers that a monitor looks for, each with the principal that it belongs to.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    keys: BTreeMap<KeyFingerprint, String>,
    identities: Vec<(IdentityRule, String)>,
}

/// A signer that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) principal: String,
    pub(super) signer: String,
    pub(super) proof: SignerProof,
}

impl Watch {
    /// Returns a watch that looks for nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for a key.
    pub fn key(&mut self, fingerprint: KeyFingerprint, principal: impl Into<String>) -> &mut Self {
        self.keys.insert(fingerprint, principal.into());
        self
    }

    /// Looks for an identity.
    pub fn identity(&mut self, rule: IdentityRule, principal: impl Into<String>) -> &mut Self {
        self.identities.push((rule, principal.into()));
        self
    }

    /// Tells whether nobody is looked for, so that silence would mean nothing.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.identities.is_empty()
    }

    /// Returns the number of keys and identities that are looked for.
    pub fn len(&self) -> usize {
        self.keys.len() + self.identities.len()
    }

    /// Finds who of those looked for signed an entry. The second number counts certificates that cannot be read.
    pub(super) fn find(&self, facts: &EntryFacts, root: &TrustedRoot) -> (Vec<Match>, u64) {
        let (mut matches, mut unread) = (Vec::new(), 0);
        for signer in &facts.signers {
            match signer {
                EntrySigner::Key(fingerprint) => matches.extend(self.find_key(fingerprint)),
                EntrySigner::Certificate(der) => match certificate::read(der) {
                    Some(certificate) => matches.extend(self.find_certificate(&certificate, root)),
                    None => unread += 1,
                },
            }
        }
        (matches, unread)
    }

    fn find_key(&self, fingerprint: &KeyFingerprint) -> Option<Match> {
        let principal = self.keys.get(fingerprint)?;
        Some(Match {
            principal: principal.clone(),
            signer: format!("key {fingerprint}"),
            proof: SignerProof::Key,
        })
    }

    /// Restrictions of a rule beside issuer and name are not applied: whoever has our name with another repository or
    /// trigger is just what a monitor is for.
    fn find_certificate(&self, certificate: &IssuedCertificate, root: &TrustedRoot) -> Option<Match> {
        let identity = certificate.identity();
        let (_, principal) = self.identities.iter().find(|(rule, _)| {
            rule.issuer.matches(&identity.issuer) && rule.san.matches(identity.san.as_str())
        })?;
        let proof = if certificate::is_issued(certificate, root) {
            SignerProof::Issued
        } else {
            SignerProof::Lookalike
        };
        Some(Match {
            principal: principal.clone(),
            signer: identity.to_string(),
            proof,
        })
    }
}
