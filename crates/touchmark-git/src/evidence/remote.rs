//! Exchanges evidence refs with a remote, ref by ref.

use std::collections::{BTreeMap, HashSet};

use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::GitView as _;

use super::EvidenceKey;
use super::read::commit_id;
use super::write::{COMMITTER_EMAIL, Union, as_files, pause};
use crate::error::GitError;
use crate::limits;
use crate::program::{Session, ShadowRefs, first_lines};
use crate::refs::{Refs, Value};
use crate::remote::Remote;
use crate::repository::Repository;

/// How a push went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// How many refs the remote has taken or had already.
    pub refs: usize,
    /// How often it was tried, 1 when nobody else was writing.
    pub attempts: u32,
}

/// What the remote said about one ref.
enum Answer {
    Taken,
    Lost,
    Refused(String),
}

/// How many refs one run of git is told of: the system bounds the arguments of a program.
const AT_ONCE: usize = 2_000;

/// Where fetched refs wait, in a shadow folder, until they are united with ours.
const INCOMING: &str = "refs/incoming/";

impl Repository {
    /// Sends the evidence under `keys` to a remote, given by its configured name or its address.
    ///
    /// Where the remote holds evidence that is not here, it is fetched and united first, and the push is tried again until
    /// it is taken.
    pub fn push_evidence(&self, remote: &str, keys: &[EvidenceKey]) -> Result<Pushed, GitError> {
        let remote = self.remote(remote)?;
        let mut waiting: BTreeMap<String, &EvidenceKey> = BTreeMap::new();
        for key in keys {
            self.require_format(key)?;
            if self.evidence_tip(&key.ref_name())?.is_some() {
                waiting.insert(key.ref_name(), key);
            }
        }
        let refs = waiting.len();
        for attempt in 0..limits::MAX_ATTEMPTS {
            if waiting.is_empty() {
                return Ok(Pushed {
                    refs,
                    attempts: attempt.max(1),
                });
            }
            let session = self.writing_session()?;
            let names: Vec<String> = waiting.keys().cloned().collect();
            for names in names.chunks(AT_ONCE) {
                for (ref_name, answer) in self.push_once(session, &remote, names)? {
                    match answer {
                        Answer::Taken => {
                            waiting.remove(&ref_name);
                        }
                        Answer::Lost => {}
                        Answer::Refused(reason) => {
                            return Err(GitError::PushRefused {
                                remote: remote.shown,
                                ref_name,
                                reason,
                            });
                        }
                    }
                }
            }
            if waiting.is_empty() {
                return Ok(Pushed {
                    refs,
                    attempts: attempt + 1,
                });
            }
            if attempt > 1 {
                pause(attempt);
            }
            let keys: Vec<EvidenceKey> = waiting.values().map(|key| (*key).clone()).collect();
            self.fetch_from(&remote, &keys)?;
        }
        let ref_name = waiting.into_keys().next().unwrap_or_default();
        Err(GitError::Contended {
            ref_name,
            attempts: limits::MAX_ATTEMPTS,
        })
    }

    /// Fetches the evidence that a remote has under `keys` and unites it with what is here. Returns how many of the keys
    /// the remote had.
    pub fn fetch_evidence(&self, remote: &str, keys: &[EvidenceKey]) -> Result<usize, GitError> {
        for key in keys {
            self.require_format(key)?;
        }
        self.fetch_from(&self.remote(remote)?, keys)
    }

    fn fetch_from(&self, remote: &Remote, keys: &[EvidenceKey]) -> Result<usize, GitError> {
        let mut found = 0;
        for keys in keys.chunks(AT_ONCE) {
            found += self.fetch_once(remote, keys)?;
        }
        Ok(found)
    }

    fn push_once(
        &self,
        session: &Session,
        remote: &Remote,
        ref_names: &[String],
    ) -> Result<Vec<(String, Answer)>, GitError> {
        let mut args = vec![
            "push",
            "--porcelain",
            "--no-verify",
            "--no-signed",
            "--no-follow-tags",
            "--no-thin",
        ];
        args.push("--");
        args.push(&remote.url);
        let specs: Vec<String> = ref_names.iter().map(|name| format!("{name}:{name}")).collect();
        args.extend(specs.iter().map(String::as_str));
        let output = session.run_remote(&args)?;
        let answers: Vec<(String, Answer)> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(parse_answer)
            .collect();
        if answers.is_empty() {
            let (remote, stderr) = (remote.shown.clone(), first_lines(&output.stderr));
            return Err(GitError::RemoteUnavailable { remote, stderr });
        }
        Ok(answers)
    }

    fn fetch_once(&self, remote: &Remote, keys: &[EvidenceKey]) -> Result<usize, GitError> {
        let session = Session::open(self.git()?, &self.layout, ShadowRefs::Incoming)?;
        let mut args = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--refmap=",
        ];
        args.extend(["--no-recurse-submodules", "--", &remote.url]);
        // A pattern that can match this one ref only, because a pattern that matches nothing is no failure.
        let spec = |key: &EvidenceKey| {
            let name = key.ref_name();
            format!("+{name}*:{INCOMING}{}*", name.trim_start_matches("refs/"))
        };
        let specs: Vec<String> = keys.iter().map(spec).collect();
        args.extend(specs.iter().map(String::as_str));
        let output = session.run_remote(&args)?;
        if output.status != Some(0) {
            let (remote, stderr) = (remote.shown.clone(), first_lines(&output.stderr));
            return Err(GitError::RemoteUnavailable { remote, stderr });
        }
        let folder = session.folder();
        let incoming = Refs::at(folder, folder, self.refs.format, self.refs.reftable);
        let mut found = 0;
        for key in keys {
            let name = format!("{INCOMING}{}", key.ref_name().trim_start_matches("refs/"));
            if let Some(Value::Object(theirs)) = incoming.read(&name, Some(&session))? {
                self.take_in(key, &commit_id(&theirs))?;
                found += 1;
            }
        }
        Ok(found)
    }

    /// Unites a fetched evidence commit with ours.
    fn take_in(&self, key: &EvidenceKey, theirs: &GitCommitId) -> Result<(), GitError> {
        let ref_name = key.ref_name();
        let (their_entries, _) = self.evidence_entries(theirs, &ref_name)?;
        let their_files = as_files(their_entries);
        for attempt in 0..limits::MAX_ATTEMPTS {
            let Some(ours) = self.evidence_tip(&ref_name)? else {
                if self.compare_and_swap(&ref_name, theirs, None)? {
                    return Ok(());
                }
                pause(attempt);
                continue;
            };
            if ours == *theirs {
                return Ok(());
            }
            let our_files = as_files(self.evidence_entries(&ours, &ref_name)?.0);
            if self.is_built_on(&ours, theirs)? {
                return Ok(());
            }
            let mut files = their_files.clone();
            let new: Vec<_> = our_files.into_iter().collect();
            let added = self.unite(&mut files, &new)?;
            let commit = if added == 0 {
                // All of ours is in theirs already.
                theirs.clone()
            } else {
                let previous = vec![theirs.clone(), ours.clone()];
                self.write_evidence_commit(&Union {
                    files: &files,
                    previous,
                    attests: Vec::new(),
                })?
            };
            if self.compare_and_swap(&ref_name, &commit, Some(&ours))? {
                return Ok(());
            }
            pause(attempt);
        }
        Err(GitError::Contended {
            ref_name,
            attempts: limits::MAX_ATTEMPTS,
        })
    }
}

impl Repository {
    /// Returns whether `ours` is known to be built on `theirs`, looking at recent evidence commits only. A wrong no only
    /// costs one more union.
    fn is_built_on(&self, ours: &GitCommitId, theirs: &GitCommitId) -> Result<bool, GitError> {
        let mut waiting = vec![ours.clone()];
        let mut seen = HashSet::new();
        while let Some(id) = waiting.pop().filter(|_| seen.len() < RECENT) {
            if id == *theirs {
                return Ok(true);
            }
            if !seen.insert(id.clone()) {
                continue;
            }
            let commit = self.commit(&id)?;
            // The attested commit and its history are no evidence commits.
            if commit.committer.email == COMMITTER_EMAIL.as_bytes() {
                waiting.extend(commit.parents.into_iter().rev().filter(|id| self.has_commit(id)));
            }
        }
        Ok(false)
    }
}

/// How many evidence commits are looked at for the one that the remote has.
const RECENT: usize = 256;

/// Parses a line of `git push --porcelain`: a flag, `from:to` and a summary with the reason in round brackets.
fn parse_answer(line: &str) -> Option<(String, Answer)> {
    let mut fields = line.split('\t');
    let (flag, names, summary) = (fields.next()?, fields.next()?, fields.next()?);
    let ref_name = names.split_once(':')?.1.to_owned();
    let answer = match flag {
        " " | "*" | "=" | "+" => Answer::Taken,
        "!" => {
            let lost = [
                "fetch first",
                "non-fast-forward",
                "stale info",
                "cannot lock ref",
                "failed to lock",
                "failed to update ref",
                "incorrect old value",
                "reference already exists",
                "atomic",
            ];
            if lost.iter().any(|words| summary.contains(words)) {
                Answer::Lost
            } else {
                Answer::Refused(first_lines(summary))
            }
        }
        _ => return None,
    };
    Some((ref_name, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_tell_a_lost_race_from_a_refusal() {
        let answer = |line| match parse_answer(line) {
            Some((_, Answer::Taken)) => "taken",
            Some((_, Answer::Lost)) => "lost",
            Some((_, Answer::Refused(_))) => "refused",
            None => "none",
        };
        for (line, expected) in [
            ("*\trefs/a:refs/a\t[new reference]", "taken"),
            (" \trefs/a:refs/a\t1..2", "taken"),
            ("=\trefs/a:refs/a\t[up to date]", "taken"),
            ("!\trefs/a:refs/a\t[rejected] (fetch first)", "lost"),
            (
                "!\trefs/a:refs/a\t[remote rejected] (cannot lock ref 'refs/a')",
                "lost",
            ),
            (
                "!\trefs/a:refs/a\t[remote rejected] (pre-receive hook declined)",
                "refused",
            ),
            ("To /srv/git/x", "none"),
            ("Done", "none"),
        ] {
            assert_eq!(answer(line), expected, "{line}");
        }
    }
}
