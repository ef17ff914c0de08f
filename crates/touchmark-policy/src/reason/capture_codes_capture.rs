//! Codes of runs, chains and what a statement is about.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Usage};

const CAPTURE: &str = "What an agent's hook kept is attested by a worker, from the record that the agent wrote itself. \
         What cannot be attested now is kept, and tried again by the next worker and by `touchmark publish`.";
const RUN: &str =
    "`touchmark run` ends as the command ends that it runs; these are the cases in which there was none.";

pub(super) const CODES: &[Entry] = &[
    entry(
        "capture.hung",
        Error,
        "a turn took so long that its worker left it: a file that does not answer",
        CAPTURE,
        "look for pipes and dead mounts among the files of the repository and of the session",
    ),
    entry(
        "capture.no_answer",
        Error,
        "the record of a session that still runs holds no answer of its model",
        CAPTURE,
        "nothing: the turn is tried again with the next hook and by `touchmark publish`",
    ),
    entry(
        "capture.no_record",
        Error,
        "the record of a session was not found where its hook said, nor where its product keeps them",
        CAPTURE,
        "restore the session's file, or attest its work with `touchmark attest --metadata FILE`",
    ),
    entry(
        "capture.stream",
        Error,
        "the record of an agent that keeps none could not be written",
        CAPTURE,
        "mend what the message names: a full disk, a folder that is not yours",
    ),
    entry(
        "capture.too_many_repositories",
        Error,
        "a session wrote in more repositories than a worker attests",
        CAPTURE,
        "attest the others with `touchmark attest` inside of them",
    ),
    entry(
        "run.no_command",
        Usage,
        "there is no command to run",
        RUN,
        "write the command behind `--`",
    ),
    entry(
        "run.not_started",
        Usage,
        "the command cannot be run",
        RUN,
        "write the command as it is found in PATH, or with its path",
    ),
];
