//! Which witnesses of a policy cosigned the checkpoint that an entry was proven against.

use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::cosignature::CosignatureError;
use touchmark_tlog::note::VerifierKey;
use touchmark_tlog::witness_policy::WitnessPolicy;

/// A witness whose cosignature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cosigned {
    /// The witness's name in the policy.
    pub name: String,
    /// The name of its key, as the note carries it.
    pub key_name: String,
    /// The witness's own word for when it cosigned. Shown, and never a verified time.
    pub claimed_at: Option<Timestamp>,
}

/// What a witness policy says of one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WitnessFinding {
    /// The witnesses that cosigned.
    pub(crate) cosigned: Vec<Cosigned>,
    /// Whether the policy knows the log and its quorum is met.
    pub(crate) satisfied: bool,
}

/// Holds a checkpoint of the log with this key against the policy.
pub(crate) fn evaluate(
    policy: &WitnessPolicy,
    key: &VerifierKey,
    checkpoint: &VerifiedCheckpoint,
) -> Result<WitnessFinding, CosignatureError> {
    let witnessed = policy.evaluate(checkpoint)?;
    let cosigned = witnessed.cosigners.iter().map(|cosigner| Cosigned {
        name: cosigner.witness.name.clone(),
        key_name: cosigner.witness.key.name().to_owned(),
        claimed_at: i64::try_from(cosigner.timestamp)
            .ok()
            .filter(|seconds| *seconds > 0)
            .and_then(|seconds| Timestamp::from_unix(seconds).ok()),
    });
    Ok(WitnessFinding {
        cosigned: cosigned.collect(),
        satisfied: witnessed.quorum && policy.knows_log(key),
    })
}
