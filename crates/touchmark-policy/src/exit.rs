//! Decisions, the classes of reasons, and the exit codes they mean (one table).
//! Only [`Decision::Allowed`] is zero, and nothing here has a default.

use serde::{Deserialize, Serialize};

/// What a reason says about the answer. The order is the precedence: the first class present decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Flags, configuration or the policy file are wrong.
    Usage,
    /// A log fork, a rollback or a monitor alert.
    Inconsistent,
    /// The question could not be decided.
    Error,
    /// A service that is needed cannot be reached.
    Unavailable,
    /// Evidence that a requirement needs is there and wrong.
    Invalid,
    /// Evidence that a requirement needs is not there, or is too old.
    Missing,
    /// The policy says no.
    Denied,
    /// Only human approval is lacking.
    Approval,
    /// Worth knowing; changes nothing about the answer.
    Finding,
}

impl Class {
    /// Every class, in the order of precedence.
    pub const ALL: [Class; 9] = [
        Class::Usage,
        Class::Inconsistent,
        Class::Error,
        Class::Unavailable,
        Class::Invalid,
        Class::Missing,
        Class::Denied,
        Class::Approval,
        Class::Finding,
    ];

    /// Returns the decision that a reason of this class leads to, or `None` for a finding.
    pub fn decision(self) -> Option<Decision> {
        Some(match self {
            Class::Usage => Decision::Usage,
            Class::Inconsistent => Decision::Inconsistent,
            Class::Error => Decision::Error,
            Class::Unavailable => Decision::Unavailable,
            Class::Invalid => Decision::Invalid,
            Class::Missing => Decision::Missing,
            Class::Denied => Decision::Denied,
            Class::Approval => Decision::Approval,
            Class::Finding => return None,
        })
    }

    /// Returns the word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Class::Usage => "usage",
            Class::Inconsistent => "inconsistent",
            Class::Error => "error",
            Class::Unavailable => "unavailable",
            Class::Invalid => "invalid",
            Class::Missing => "missing",
            Class::Denied => "denied",
            Class::Approval => "approval",
            Class::Finding => "finding",
        }
    }
}

/// The answer of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Proven.
    Allowed,
    /// Could not decide.
    Error,
    /// The question was asked wrongly, or the policy file is wrong.
    Usage,
    /// Needed evidence is absent or too old.
    Missing,
    /// Needed evidence is present and wrong.
    Invalid,
    /// The policy says no.
    Denied,
    /// The log contradicts itself.
    Inconsistent,
    /// Only human approval is lacking.
    Approval,
    /// A needed service cannot be reached.
    Unavailable,
}

impl Decision {
    /// Returns the exit code of this decision.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Decision::Allowed => ExitCode::Allowed,
            Decision::Error => ExitCode::Error,
            Decision::Usage => ExitCode::Usage,
            Decision::Missing => ExitCode::Missing,
            Decision::Invalid => ExitCode::Invalid,
            Decision::Denied => ExitCode::Denied,
            Decision::Inconsistent => ExitCode::Inconsistent,
            Decision::Approval => ExitCode::Approval,
            Decision::Unavailable => ExitCode::Unavailable,
        }
    }

    /// Returns the word used in JSON.
    pub fn name(self) -> &'static str {
        self.exit_code().name()
    }

    /// Returns the decision of the first class in the order of precedence, or `None` when every one of them
    /// is a finding (which alone is no yes: see [`crate::verdict::Verdict`]).
    pub fn strictest(classes: impl IntoIterator<Item = Class>) -> Option<Decision> {
        classes.into_iter().min().and_then(Class::decision)
    }
}

/// Every exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Proven.
    Allowed = 0,
    /// Could not decide: input or output, internal error, shallow clone, cap reached.
    Error = 1,
    /// Flags, configuration, policy file.
    Usage = 2,
    /// Needed evidence is absent or too old.
    Missing = 10,
    /// Needed evidence is present and wrong.
    Invalid = 11,
    /// The policy says no.
    Denied = 12,
    /// Log fork, rollback or monitor alert.
    Inconsistent = 13,
    /// Only human approval is lacking.
    Approval = 14,
    /// A needed service cannot be reached; safe to retry.
    Unavailable = 20,
    /// The user interrupted.
    Interrupted = 130,
}

impl ExitCode {
    /// Every exit code, for help texts.
    pub const ALL: [ExitCode; 10] = [
        ExitCode::Allowed,
        ExitCode::Error,
        ExitCode::Usage,
        ExitCode::Missing,
        ExitCode::Invalid,
        ExitCode::Denied,
        ExitCode::Inconsistent,
        ExitCode::Approval,
        ExitCode::Unavailable,
        ExitCode::Interrupted,
    ];

    /// Returns the number that the process exits with.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            ExitCode::Allowed => "allowed",
            ExitCode::Error => "error",
            ExitCode::Usage => "usage",
            ExitCode::Missing => "missing",
            ExitCode::Invalid => "invalid",
            ExitCode::Denied => "denied",
            ExitCode::Inconsistent => "inconsistent",
            ExitCode::Approval => "approval",
            ExitCode::Unavailable => "unavailable",
            ExitCode::Interrupted => "interrupted",
        }
    }

    /// Returns what it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            ExitCode::Allowed => "done; of a verdict: proven",
            ExitCode::Error => "could not decide, or could not do it",
            ExitCode::Usage => "flags, configuration or policy file are wrong",
            ExitCode::Missing => "evidence that a requirement needs is not there, or is too old",
            ExitCode::Invalid => "evidence for a requirement is there and wrong",
            ExitCode::Denied => "policy says no",
            ExitCode::Inconsistent => "log fork, rollback or monitor alert",
            ExitCode::Approval => "only human approval is lacking",
            ExitCode::Unavailable => "a needed service cannot be reached; safe to retry",
            ExitCode::Interrupted => "interrupted",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(exit: ExitCode) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_code_is_the_first_that_applies_in_the_documented_order() {
        let order: Vec<u8> = Class::ALL
            .iter()
            .filter_map(|class| class.decision())
            .map(|decision| decision.exit_code().number())
            .collect();
        assert_eq!(order, [2, 13, 1, 20, 11, 10, 12, 14]);
        for (i, strict) in Class::ALL.iter().enumerate() {
            for weaker in &Class::ALL[i..] {
                assert_eq!(
                    Decision::strictest([*weaker, *strict]),
                    strict.decision(),
                    "{strict:?} {weaker:?}"
                );
            }
        }
    }

    #[test]
    fn only_allowed_is_zero() {
        let zero: Vec<ExitCode> = ExitCode::ALL
            .into_iter()
            .filter(|code| code.number() == 0)
            .collect();
        assert_eq!(zero, [ExitCode::Allowed]);
        assert!(
            Class::ALL
                .iter()
                .all(|class| class.decision() != Some(Decision::Allowed))
        );
        assert_eq!(Decision::strictest([]), None);
        assert_eq!(Decision::strictest([Class::Finding]), None);
    }
}
