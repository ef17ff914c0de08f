//! What the judge is asked.

use std::sync::Arc;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::witness_policy::WitnessPolicy;
use touchmark_verify::git_view::GitView;
use touchmark_verify::key::PublicKey;
use touchmark_verify::lineage::ChangeUnderJudgement;
use touchmark_verify::remembered::RememberedCheckpoints;
use touchmark_verify::trust::TrustedRoot;

use crate::file::Policy;

/// The question, with everything the answer may rest on. Nothing else is read: no clock, no file, no network.
#[derive(Clone, Copy)]
pub struct JudgeRequest<'a> {
    /// The change, as the verifier names it.
    pub change: &'a ChangeUnderJudgement,
    /// Evidence that was found, in any order, from anywhere.
    pub candidates: &'a [Candidate],
    /// The repository.
    pub git: &'a dyn GitView,
    /// Trusted roots by name. A bundle needs one of them; a policy with `trust.roots` says which count.
    pub trusted_roots: &'a [NamedRoot<'a>],
    /// Witness policies by name. A policy with `trust.log.witnesses` says whose quorum must have cosigned.
    pub witness_policies: &'a [NamedWitnessPolicy<'a>],
    /// The checkpoints that the verifier saw before, with which new ones are compared.
    pub remembered: Option<&'a Arc<dyn RememberedCheckpoints>>,
    /// Policies: each one must say yes. They come from the protected tip or from outside, never from the change.
    pub policies: &'a [PolicyInForce<'a>],
    /// Keys at hand. A key counts only if a policy names its fingerprint; many bundles bring theirs along.
    pub keys: &'a [PublicKey],
    /// The time the question is asked for.
    pub at: Timestamp,
    /// Who opened the change at the forge (a login or an address), where the forge itself said so.
    pub forge_author: Option<&'a str>,
    /// Name and version of the program, for the verdict's inputs.
    pub tool: &'a str,
}

/// A piece of evidence as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it came from, for people: no trust follows from it.
    pub source: String,
    /// The bytes of one bundle.
    pub bytes: Vec<u8>,
}

/// A trusted root and its name.
#[derive(Debug, Clone, Copy)]
pub struct NamedRoot<'a> {
    /// The name by which policies call it.
    pub name: &'a str,
    /// The root.
    pub root: &'a TrustedRoot,
}

/// A witness policy and its name.
#[derive(Debug, Clone, Copy)]
pub struct NamedWitnessPolicy<'a> {
    /// The name by which policies call it.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a WitnessPolicy,
    /// The sha256 of its file, for the verdict's inputs.
    pub digest: Sha256Digest,
}

/// A policy and how the caller holds it.
#[derive(Debug, Clone, Copy)]
pub struct PolicyInForce<'a> {
    /// The name shown in verdicts, such as `.touchmark/policy.toml`.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a Policy,
    /// The highest serial of this policy that the caller has seen.
    pub serial_floor: Option<u64>,
}
