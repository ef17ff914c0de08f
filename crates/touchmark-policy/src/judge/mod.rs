//! The whole flow of the gate, before merge and after landing.

mod request;

pub use request::{Candidate, JudgeRequest, NamedRoot, PolicyInForce};

use crate::verdict::{ChangeInput, Inputs, NamedDigest, PolicyUsed, Reason, Verdict};

/// Judges a change.
pub fn judge(request: &JudgeRequest<'_>) -> Verdict {
    let reasons = vec![Reason::new("verdict.unfinished")];
    Verdict::refused(reasons, inputs(request))
}

fn inputs(request: &JudgeRequest<'_>) -> Inputs {
    let change = request.change;
    Inputs {
        tool: request.tool.to_owned(),
        at: request.at,
        change: Some(ChangeInput {
            repository: change.repository.uris.clone(),
            target_ref: change.target_ref.clone(),
            base_commit: change.base_commit.clone(),
            base_tree: change.base_tree.clone(),
            head_commit: change.head_commit.clone(),
            result_tree: change.result_tree.clone(),
            landed: change.landed,
            forge_author: request.forge_author.map(str::to_owned),
        }),
        policies: request
            .policies
            .iter()
            .map(|used| PolicyUsed {
                name: used.name.to_owned(),
                sha256: used.policy.digest,
                serial: used.policy.serial,
            })
            .collect(),
        trusted_roots: request
            .trusted_roots
            .iter()
            .map(|named| NamedDigest { name: named.name.to_owned(), sha256: named.root.digest() })
            .collect(),
        checkpoints: Vec::new(),
        evidence: Vec::new(),
    }
}
