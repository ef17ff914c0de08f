//! Whether others saw the same log: witnesses that cosigned its checkpoint, and the checkpoint that was seen before.

use touchmark_tlog::checkpoint::VerifiedCheckpoint;

use super::LogError;
use crate::remembered::{Consistency, RememberedCheckpoints, TilesAtHand, compare, verify_remembered};
use crate::trust::TrustedLog;
use crate::verified::{Check, LogFinding};
use crate::verify::options::VerifyOptions;
use crate::witness;

/// What others say of one checkpoint.
pub(super) struct Views {
    /// Whether the witnesses that were asked for have cosigned; so where none were asked for.
    pub(super) witnessed: bool,
    pub(super) checks: Vec<Check>,
}

/// Examines the checkpoint of one finding and notes who cosigned it.
pub(super) fn examine(
    entry: usize,
    finding: &mut LogFinding,
    log: &TrustedLog,
    options: &VerifyOptions,
) -> Result<Views, LogError> {
    let Some(checkpoint) = finding.checkpoint.as_ref() else {
        // A promise is the log's word alone.
        let witnessed = options.witnesses.is_none();
        return Ok(Views {
            witnessed,
            checks: Vec::new(),
        });
    };
    let consistency = match &options.remembered {
        None => Check::skipped(
            "tlog.consistency",
            "the checkpoint was not compared with a remembered one",
        ),
        Some(remembered) => against_remembered(entry, checkpoint, log, remembered.as_ref())?,
    };
    let Some(policy) = &options.witnesses else {
        let witnesses = Check::skipped("tlog.witnesses", "no quorum of witnesses was asked for");
        return Ok(Views {
            witnessed: true,
            checks: vec![consistency, witnesses],
        });
    };
    let found = witness::evaluate(policy, &log.key, checkpoint)
        .map_err(|source| LogError::Cosignature { entry, source })?;
    finding.cosigned = found.cosigned;
    let witnesses = match found.satisfied {
        true if policy.asks_for_witnesses() => Check::pass("tlog.witnesses"),
        true => Check::skipped("tlog.witnesses", "the witness policy asks for no witness"),
        false => Check::skipped(
            "tlog.witnesses",
            "the quorum of witnesses is not there, and this log's entry does not count",
        ),
    };
    Ok(Views {
        witnessed: found.satisfied,
        checks: vec![consistency, witnesses],
    })
}

fn against_remembered(
    entry: usize,
    checkpoint: &VerifiedCheckpoint,
    log: &TrustedLog,
    remembered: &dyn RememberedCheckpoints,
) -> Result<Check, LogError> {
    let origin = &checkpoint.checkpoint().origin;
    let note = remembered
        .newest(&log.log_id, origin)
        .map_err(|source| LogError::RememberedUnreadable { entry, source })?;
    let Some(note) = note else {
        remembered.saw(&log.log_id, checkpoint, None);
        return Ok(Check::skipped(
            "tlog.consistency",
            "no checkpoint of this log was seen before",
        ));
    };
    let before = verify_remembered(&note, origin, log)
        .map_err(|source| LogError::RememberedCheckpoint { entry, source })?;
    let tiles = TilesAtHand {
        remembered,
        log_id: &log.log_id,
        origin,
    };
    match compare(&before, checkpoint, &tiles) {
        Ok(consistency) => {
            remembered.saw(&log.log_id, checkpoint, Some(consistency));
            Ok(match consistency {
                Consistency::Proven => Check::pass("tlog.consistency"),
                Consistency::NotShown { reason } => Check::skipped("tlog.consistency", reason),
            })
        }
        Err(fork) => {
            remembered.alarmed(&log.log_id, &fork);
            Err(LogError::Fork {
                entry,
                source: Box::new(fork),
            })
        }
    }
}

/// Returns the refusal for logs whose checkpoints too few witnesses have cosigned.
pub(super) fn quorum_missing(
    findings: &[LogFinding],
    witnessed: &[bool],
    options: &VerifyOptions,
) -> LogError {
    let lacking = witnessed.iter().position(|satisfied| !satisfied).unwrap_or(0);
    let finding = findings.get(lacking);
    LogError::WitnessQuorum {
        entry: lacking,
        origin: finding.map(|finding| finding.origin.clone()).unwrap_or_default(),
        quorum: options
            .witnesses
            .as_ref()
            .map(|policy| policy.quorum_name().to_owned())
            .unwrap_or_default(),
        cosigned: finding.map_or_else(Vec::new, |finding| {
            finding
                .cosigned
                .iter()
                .map(|witness| witness.name.clone())
                .collect()
        }),
    }
}
