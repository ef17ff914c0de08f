//! What a policy asks of verification: whom it expects, what logs and timestamps must prove, which roots count.

use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, IdentityRules};
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{LogRequirement, VerifyOptions};
use touchmark_verify::window::Window;

use super::request::JudgeRequest;
use crate::file::{Policy, Principal, Signer};
use crate::verdict::Reason;

impl Policy {
    /// Returns everybody that the policy knows, each key inside its window. The windows of identities take a verified
    /// time and are held against it when the statement is judged.
    pub fn expected_signers(&self) -> ExpectedSigners {
        let mut keys = KeyRing::new();
        let mut rules: Vec<IdentityRule> = Vec::new();
        for signer in self.principals().flat_map(Principal::signers) {
            match (signer.key(), window(signer)) {
                (Some(key), Some(window)) => _ = keys.allow_within(*key, window),
                (Some(key), None) => _ = keys.allow(*key),
                (None, _) => rules.extend(signer.identity().cloned()),
            }
        }
        let identities = match rules.is_empty() {
            true => IdentityRules::None,
            false => IdentityRules::Any(rules),
        };
        ExpectedSigners { keys, identities }
    }
}

/// Returns everybody that the policy knows, with the key material at hand.
pub(super) fn signers(request: &JudgeRequest<'_>, policy: &Policy) -> ExpectedSigners {
    let mut expected = policy.expected_signers();
    for key in request.keys {
        expected.keys.add_key(key.clone());
    }
    expected
}

/// A policy's `until` is the first moment outside; a window's end is the last one inside.
fn window(signer: &Signer) -> Option<Window> {
    if signer.from.is_none() && signer.until.is_none() {
        return None;
    }
    let first = Timestamp::from_unix(0).expect("the first second of 1970 is a time");
    let end = signer
        .until
        .and_then(|until| Timestamp::from_unix(until.unix() - 1).ok());
    Some(Window {
        start: signer.from.unwrap_or(first),
        end,
    })
}

/// Returns how bundles are verified under the policy.
pub(super) fn options(request: &JudgeRequest<'_>, policy: &Policy) -> Result<VerifyOptions, Box<Reason>> {
    let log = match policy.trust.inclusion {
        true => LogRequirement::Inclusion {
            operators: policy.trust.operators,
        },
        false => LogRequirement::DangerouslyUnlogged {
            reason: "the policy says trust.log.inclusion = false".to_owned(),
        },
    };
    let witnesses = match &policy.trust.witnesses {
        None => None,
        Some(name) => {
            let mut known = request.witness_policies.iter();
            let Some(named) = known.find(|known| known.name == name) else {
                let found: Vec<&str> = request.witness_policies.iter().map(|known| known.name).collect();
                let found = if found.is_empty() {
                    "none".to_owned()
                } else {
                    found.join(", ")
                };
                return Err(Box::new(
                    Reason::new("trust.no_witness_policy").expected(name).found(found),
                ));
            };
            Some(named.policy.clone())
        }
    };
    Ok(VerifyOptions {
        log,
        witnesses,
        remembered: request.remembered.cloned(),
        timestamps: policy.trust.timestamps,
        allow_promise_only: policy.trust.promise_only,
        ..VerifyOptions::new(request.at)
    })
}

/// Returns the trusted roots that count for this policy.
pub(super) fn roots<'r>(
    request: &JudgeRequest<'r>,
    policy: &Policy,
) -> Result<Vec<&'r TrustedRoot>, Box<Reason>> {
    let counts =
        |name: &str| policy.trust.roots.is_empty() || policy.trust.roots.iter().any(|root| root == name);
    let mut named: Vec<_> = request
        .trusted_roots
        .iter()
        .filter(|named| counts(named.name))
        .collect();
    if named.is_empty() {
        if policy.trust.roots.is_empty() {
            return Err(Box::new(Reason::new("trust.no_root")));
        }
        let mut found: Vec<&str> = request.trusted_roots.iter().map(|named| named.name).collect();
        found.sort_unstable();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        };
        let reason = Reason::new("trust.no_named_root")
            .expected(policy.trust.roots.join(" or "))
            .found(found);
        return Err(Box::new(reason));
    }
    named.sort_by_key(|named| (named.name, named.root.digest()));
    Ok(named.into_iter().map(|named| named.root).collect())
}
