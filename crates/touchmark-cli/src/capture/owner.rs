//! The process that a session lives in. A process is known by its id and the time it started, since ids come again.

use std::fs;

use serde::{Deserialize, Serialize};

/// How far up the owner is sought: an agent may call a hook through a few shells.
const MAX_ABOVE: usize = 6;

/// Programs that stand between an agent and its hook.
const BETWEEN: &[&str] = &["sh", "bash", "dash", "zsh", "fish", "env", "timeout", "touchmark"];

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    /// Its id.
    pub(crate) pid: u32,
    /// When it started, in the system's own ticks.
    pub(crate) started: u64,
}

impl Owner {
    /// Finds the agent above this process: the first one that is no shell. Nothing where the system does not tell.
    pub(crate) fn find() -> Option<Self> {
        let mut pid = rustix::process::getppid()?.as_raw_nonzero().get().unsigned_abs();
        for _ in 0..MAX_ABOVE {
            let found = Stat::of(pid)?;
            if !BETWEEN.contains(&found.name.as_str()) {
                return (pid > 1).then_some(Self {
                    pid,
                    started: found.started,
                });
            }
            pid = found.parent;
        }
        None
    }

    /// Returns whether the process still lives; where the system does not tell, it does.
    pub(crate) fn is_alive(&self) -> bool {
        if fs::metadata("/proc/self/stat").is_err() {
            return true;
        }
        Stat::of(self.pid).is_some_and(|found| found.started == self.started && !found.is_over)
    }
}

/// What the system says of a process.
struct Stat {
    name: String,
    parent: u32,
    started: u64,
    is_over: bool,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold anything, parentheses included.
        let (open, close) = (text.find('(')?, text.rfind(')')?);
        let mut fields = text.get(close + 1..)?.split_ascii_whitespace();
        let is_over = matches!(fields.next()?, "Z" | "X");
        let parent = fields.next()?.parse().ok()?;
        // proc(5): the start time is field 22, and the parent was field 4.
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self {
            name: text.get(open + 1..close)?.to_owned(),
            parent,
            started,
            is_over,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_id_and_its_start() {
        let pid = std::process::id();
        let Some(found) = Stat::of(pid) else {
            println!("skipped: this system has no /proc");
            return;
        };
        let me = Owner {
            pid,
            started: found.started,
        };
        assert!(me.is_alive());
        let other = Owner {
            started: found.started + 1,
            ..me
        };
        assert!(
            !other.is_alive(),
            "another process with the id of one that is gone"
        );
    }

    #[test]
    fn a_process_that_is_gone_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let found = Stat::of(child.id());
        child.wait().unwrap();
        let Some(found) = found else {
            println!("skipped: this system has no /proc");
            return;
        };
        let owner = Owner {
            pid: child.id(),
            started: found.started,
        };
        assert!(!owner.is_alive());
    }
}
