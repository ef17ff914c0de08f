//! C2SP tlog-policy: which logs are known, which witnesses, and how many of these must have cosigned a checkpoint.
//!
//! Strict and bounded. A group names only what stands above it, and every name is a member at most once, so that
//! there are no circles and no witness counts twice. <https://c2sp.org/tlog-policy>

mod error;
mod parse;

use std::fmt;

use crate::checkpoint::VerifiedCheckpoint;
use crate::cosignature::{CosignatureError, WitnessKey};
use crate::note::VerifierKey;

pub use error::PolicyError;

/// The largest policy that is parsed, in bytes.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;
/// The most logs, witnesses or groups in a policy, each.
pub const MAX_POLICY_ITEMS: usize = 64;
/// The longest name or address, in bytes.
pub const MAX_POLICY_TEXT: usize = 512;

/// A witness policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<PolicyGroup>,
    quorum: Option<Member>,
}

/// A log that a policy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    /// The key; its name is the log's origin.
    pub key: VerifierKey,
    /// Where the log is, if that is told. Never fetched by this crate.
    pub url: Option<String>,
}

/// A witness that a policy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// The name inside the policy.
    pub name: String,
    /// The key; its name is what signature lines carry.
    pub key: WitnessKey,
    /// Where the witness is, if that is told. Never fetched by this crate.
    pub url: Option<String>,
}

/// A group of witnesses and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PolicyGroup {
    name: String,
    threshold: Threshold,
    members: Vec<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threshold {
    All,
    Any,
    Number(usize),
}

/// A witness or an earlier group, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Who cosigned a checkpoint, and whether that is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed<'p> {
    /// The witnesses whose cosignatures verify, in the policy's order.
    pub cosigners: Vec<Cosigner<'p>>,
    /// Whether these make up the quorum.
    pub quorum: bool,
}

/// A witness that cosigned a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner<'p> {
    /// The witness.
    pub witness: &'p PolicyWitness,
    /// The witness's own time, in Unix seconds.
    pub timestamp: u64,
}

impl WitnessPolicy {
    /// Parses the text of a policy.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        parse::parse(text)
    }

    /// Returns the logs; where there are none, the caller knows which log it means.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// Returns the witnesses.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Tells whether the policy speaks about this log: it names its key, or names no log at all.
    pub fn knows_log(&self, key: &VerifierKey) -> bool {
        // Two spellings of one key are one log (the specification's "duplicate").
        self.logs.is_empty() || self.logs.iter().any(|log| log.key.spki_der() == key.spki_der())
    }

    /// Tells whether any cosignature is asked for at all.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Returns the name of what must have witnessed a checkpoint.
    pub fn quorum_name(&self) -> &str {
        self.quorum.map_or("none", |member| self.name(member))
    }

    /// Verifies the cosignatures of the policy's witnesses on a checkpoint and counts them.
    ///
    /// A line of one of these witnesses that does not verify is an error and not a missing cosignature.
    pub fn evaluate(&self, checkpoint: &VerifiedCheckpoint) -> Result<Witnessed<'_>, CosignatureError> {
        let mut cosigners = Vec::new();
        let mut witnessed = Vec::with_capacity(self.witnesses.len());
        for witness in &self.witnesses {
            let cosignature = witness.key.verify(checkpoint)?;
            witnessed.push(cosignature.is_some());
            cosigners.extend(cosignature.map(|cosignature| Cosigner {
                witness,
                timestamp: cosignature.timestamp,
            }));
        }
        Ok(Witnessed {
            cosigners,
            quorum: self.quorum_met(&witnessed),
        })
    }

    /// Groups come after their members, so one pass settles them all.
    fn quorum_met(&self, witnessed: &[bool]) -> bool {
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let has = |member: &&Member| match **member {
                Member::Witness(at) => witnessed[at],
                Member::Group(at) => groups[at],
            };
            let count = group.members.iter().filter(has).count();
            let met = count >= group.threshold.of(group.members.len());
            groups.push(met);
        }
        match self.quorum {
            None => true,
            Some(Member::Witness(at)) => witnessed[at],
            Some(Member::Group(at)) => groups[at],
        }
    }

    fn name(&self, member: Member) -> &str {
        match member {
            Member::Witness(at) => &self.witnesses[at].name,
            Member::Group(at) => &self.groups[at].name,
        }
    }
}

impl Threshold {
    fn of(self, members: usize) -> usize {
        match self {
            Self::All => members,
            Self::Any => 1,
            Self::Number(number) => number,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// Writes the policy as its text: logs, witnesses, groups, quorum.
impl fmt::Display for WitnessPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map_or_else(String::new, |url| format!(" {url}"));
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
        }
        for group in &self.groups {
            write!(f, "group {} {}", group.name, group.threshold)?;
            for member in &group.members {
                write!(f, " {}", self.name(*member))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "quorum {}", self.quorum_name())
    }
}

#[cfg(test)]
mod tests;
