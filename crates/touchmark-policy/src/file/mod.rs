//! The policy file: TOML with typed keys, nothing unknown, nothing that is not enforced.
//!
//! [`Policy::load`] refuses unknown keys with their line and a suggestion, and refuses by name (`policy.unsupported`) the
//! keys that this version does not enforce, so that nobody believes in a rule that has no effect.
//! JSON Schema of exactly what is accepted: `schemas/policy/v1.json`.

mod error;
mod load;
mod overlap;
mod people;
mod reader;
mod requirement;
mod rules;
mod signers;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::num::NonZeroU8;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::identity::{CertificateIdentity, IdentityMismatch};
use touchmark_verify::key::KeyFingerprint;

pub use error::PolicyError;
pub use requirement::ProductRequirement;
pub use signers::{Signer, SignsWith};

use crate::globs::Glob;

/// The largest policy file that is read.
pub const MAX_POLICY_BYTES: usize = 1024 * 1024;
/// The JSON Schema id of the policy file.
pub const POLICY_SCHEMA: &str = "https://touchmark.dev/schemas/policy-v1.json";
/// The JSON Schema of the policy file.
pub const POLICY_SCHEMA_JSON: &str = include_str!("../../../../schemas/policy/v1.json");
/// The longest `limits.lines`: counting a difference costs the square of it.
pub const MAX_LINES_LIMIT: u64 = 10_000;

/// A checked policy.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// sha256 of the file's bytes.
    pub digest: Sha256Digest,
    /// The version counter of this policy: never lower than one the verifier has seen.
    pub serial: u64,
    /// The policy is used up to, not including, this time.
    pub expires: Option<Timestamp>,
    /// What evidence must rest on.
    pub trust: Trust,
    /// People.
    pub people: Vec<Person>,
    /// Agents.
    pub agents: Vec<Agent>,
    /// Services.
    pub services: Vec<Service>,
    /// Path classes: the built-in ones with what the policy adds, and the policy's own.
    pub classes: Vec<PathClass>,
    /// Rules. Every rule that meets a changed path applies; their order means nothing.
    pub rules: Vec<Rule>,
    /// The merge gate.
    pub merge: MergeGate,
    /// Time-boxed exceptions.
    pub exceptions: Vec<Exception>,
    /// What contradictions between sources of an identity do.
    pub contradictions: Contradictions,
}

/// `[identity]`, `contradictions`: what it does when two sources say different things of who took part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contradictions {
    /// They are reported.
    #[default]
    Warn,
    /// A statement with one accounts for nothing.
    Deny,
}

/// `[trust]`. Names only: what they stand for comes from the verifier's own configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Names of the trusted roots that count; empty means every root the caller passes.
    pub roots: Vec<String>,
    /// Whether a verified log entry is required of every statement.
    pub inclusion: bool,
    /// The logs of how many operators must hold every statement.
    pub operators: NonZeroU8,
    /// The name of the witness policy whose quorum must have cosigned the checkpoint.
    pub witnesses: Option<String>,
    /// Whether a log run by the signer counts as a log.
    pub self_operated: SelfOperatedLog,
    /// Whether a version 0.1 bundle may have a log's promise instead of a proof of inclusion.
    pub promise_only: bool,
    /// The signed timestamps of how many operators must be there.
    pub timestamps: u8,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            inclusion: true,
            operators: NonZeroU8::MIN,
            witnesses: None,
            self_operated: SelfOperatedLog::Deny,
            promise_only: false,
            timestamps: 0,
        }
    }
}

/// What a log run by the signer counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfOperatedLog {
    /// It counts as a log.
    Allow,
    /// It is storage: the statement counts as not logged.
    Deny,
}

/// `[[person]]`. People are ordered by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id.
    pub id: String,
    /// Teams the person belongs to.
    pub teams: Vec<String>,
    /// Names under which the person commits: git authors that could be this person.
    pub names: Vec<String>,
    /// Addresses under which the person commits.
    pub emails: Vec<String>,
    /// May approve changes of the policy.
    pub policy_admin: bool,
    /// What it signs with.
    pub signers: Vec<Signer>,
}

impl Ord for Person {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl PartialOrd for Person {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `[[agent]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// The id, which statements of this agent must carry.
    pub id: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who runs it: people, or `team:NAME`.
    pub operators: Vec<String>,
    /// Whether new verdicts may rest on it.
    pub status: AgentStatus,
    /// What it signs with.
    pub signers: Vec<Signer>,
    /// Products it may be; empty means any.
    pub products: Vec<ProductRequirement>,
    /// Models it may use, as `provider/id`; empty means any.
    pub models: Vec<Glob>,
    /// Where it may work.
    pub scope: Scope,
    /// How much it may change at once.
    pub limits: Limits,
    /// What its statements must carry.
    pub require: AgentRequirements,
}

/// `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStatus {
    /// In use.
    Active,
    /// No new verdict rests on it.
    Suspended,
}

/// `scope`. An absent list means anywhere, except paths of class `policy`, which no agent may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Repositories.
    pub repositories: Option<Vec<ScopeRepository>>,
    /// Refs the agent works on.
    pub refs: Option<Vec<Glob>>,
    /// Paths.
    pub paths: Option<Vec<Glob>>,
}

/// A repository of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRepository {
    /// Its URI.
    pub uri: String,
    /// The forge's immutable id, which a repository that takes over the name does not have.
    pub id: Option<String>,
    /// Whether the agent may have run in a fork.
    pub forks: bool,
}

/// `limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most paths in one statement.
    pub paths: Option<u64>,
    /// The most added and removed lines in one statement.
    pub lines: Option<u64>,
}

/// `require` of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentRequirements {
    /// Salted prompt commitments.
    pub prompt: bool,
    /// A transcript commitment.
    pub transcript: TranscriptRequirement,
    /// An SBOM.
    pub sbom: SbomRequirement,
}

/// `require.sbom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SbomRequirement {
    /// Not required.
    #[default]
    None,
    /// The one of the proposed tree, named by digest. What it leaves out of the change is a finding.
    Named,
    /// The same, with every dependency that the change changes.
    Whole,
}

/// `require.transcript`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TranscriptRequirement {
    /// Not required.
    #[default]
    None,
    /// A commitment to it.
    Committed,
    /// A commitment to all of it.
    Whole,
}

/// `[[service]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The id.
    pub id: String,
    /// What it signs with.
    pub signers: Vec<Signer>,
    /// What it may say.
    pub may: Vec<ServiceRole>,
}

/// What a service may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceRole {
    /// Test results.
    TestResult,
    /// Build provenance.
    Build,
    /// Software bills of materials.
    Sbom,
}

/// A named group of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathClass {
    /// The id.
    pub id: String,
    /// Its patterns.
    pub paths: Vec<Glob>,
}

/// `[[rule]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The id; reasons carry the code `policy.rule.<id>`.
    pub id: String,
    /// Classes of paths it is about.
    pub classes: Vec<String>,
    /// Patterns of paths it is about, beside the classes.
    pub paths: Vec<Glob>,
    /// What it asks.
    pub tier: Tier,
    /// Shown with the reason.
    pub message: Option<String>,
    /// Shown as what would change the answer.
    pub solution: Option<String>,
}

/// What a rule asks of a change that touches its paths, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tier {
    /// Nothing.
    Free,
    /// Approvals.
    Gated(Approvals),
    /// Nothing of this kind passes.
    Forbidden,
}

/// `approvals`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How many distinct people.
    pub people: u32,
    /// How many of them from each team.
    pub teams: Vec<(String, u32)>,
    /// Who does not count.
    pub not: Vec<NotCounted>,
    /// Whether keys that are not marked `presence = true` count.
    pub filekeys: bool,
}

/// People who do not count for a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotCounted {
    /// Whoever made the change: git authors and committers, the forge's author, the run's trigger.
    Author,
    /// Whoever runs an agent that the change relies on.
    AgentOperators,
}

/// `[gate.merge]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGate {
    /// Whether test results for the result tree are required.
    pub tests: bool,
    /// What happens to paths that nothing accounts for.
    pub residual: Residual,
    /// What happens to paths that a statement lists as undeclared or not the agent's.
    pub undeclared: Undeclared,
    /// Whether every commit needs a statement.
    pub every_commit: bool,
    /// What a residual path needs under `residual = "approval"`, and whose keys count for a change of the policy.
    pub approvals: Approvals,
}

/// `residual`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residual {
    /// They deny.
    Forbid,
    /// A person must approve them.
    Approval,
    /// They are reported.
    Allow,
}

/// `undeclared`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeclared {
    /// They are reported.
    Finding,
    /// They are residual.
    Residual,
}

/// `[[exception]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The rule it lifts.
    pub rule: String,
    /// For which paths.
    pub paths: Vec<Glob>,
    /// Up to, not including, this time.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// The person who answers for it.
    pub owner: String,
}

/// A principal: whoever policy knows.
#[derive(Debug, Clone, Copy)]
pub enum Principal<'a> {
    /// A person.
    Person(&'a Person),
    /// An agent.
    Agent(&'a Agent),
    /// A service.
    Service(&'a Service),
}

impl<'a> Principal<'a> {
    /// Returns the id.
    pub fn id(self) -> &'a str {
        match self {
            Principal::Person(person) => &person.id,
            Principal::Agent(agent) => &agent.id,
            Principal::Service(service) => &service.id,
        }
    }

    /// Returns what it signs with.
    pub fn signers(self) -> &'a [Signer] {
        match self {
            Principal::Person(person) => &person.signers,
            Principal::Agent(agent) => &agent.signers,
            Principal::Service(service) => &service.signers,
        }
    }

    /// Returns `agent`, `person` or `service`.
    pub fn kind(self) -> &'static str {
        match self {
            Principal::Person(_) => "person",
            Principal::Agent(_) => "agent",
            Principal::Service(_) => "service",
        }
    }
}

impl Policy {
    /// Reads and checks a policy file.
    pub fn load(bytes: &[u8]) -> Result<Policy, PolicyError> {
        load::load(bytes)
    }

    /// Returns every principal.
    pub fn principals(&self) -> impl Iterator<Item = Principal<'_>> {
        let people = self.people.iter().map(Principal::Person);
        let agents = self.agents.iter().map(Principal::Agent);
        let services = self.services.iter().map(Principal::Service);
        people.chain(agents).chain(services)
    }

    /// Returns the one principal that signs with the key, and the key's entry.
    pub fn principal_of(&self, key: &KeyFingerprint) -> Option<(Principal<'_>, &Signer)> {
        self.principals().find_map(|principal| {
            let mut signers = principal.signers().iter();
            let signer = signers.find(|signer| signer.key() == Some(key))?;
            Some((principal, signer))
        })
    }

    /// Returns the one principal that a certificate stands for, and its entries that match. None where no entry does,
    /// with the difference to the one that comes nearest: issuer and name agree, something else does not.
    pub fn principal_of_identity(
        &self,
        identity: &CertificateIdentity,
    ) -> Result<(Principal<'_>, Vec<&Signer>), Option<IdentityMismatch>> {
        let mut nearest = None;
        for principal in self.principals() {
            let mut matching = Vec::new();
            for signer in principal.signers() {
                match signer.accepts(identity) {
                    Some(Ok(())) => matching.push(signer),
                    Some(Err(mismatch)) if !matches!(mismatch.claim, "issuer" | "san") => {
                        nearest.get_or_insert(mismatch);
                    }
                    _ => {}
                }
            }
            if !matching.is_empty() {
                return Ok((principal, matching));
            }
        }
        Err(nearest)
    }

    /// Returns the person with the id.
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Returns whether the person runs the agent.
    pub fn operates(&self, person: &Person, agent: &Agent) -> bool {
        agent
            .operators
            .iter()
            .any(|operator| match operator.strip_prefix("team:") {
                Some(team) => person.teams.iter().any(|t| t == team),
                None => *operator == person.id,
            })
    }
}
