//! A run of the monitor: follow each log, then settle what was found.

use std::collections::BTreeMap;

use serde::Serialize;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_verify::trust::{TrustedLog, TrustedRoot};

use super::alarm::{Alarm, AlarmKind};
use super::entry::EntryFacts;
use super::explained::Explained;
use super::finding::{Finding, SignerProof, Status};
use super::follow::{FollowError, Limit, Sink, Start, follow};
use super::position::Position;
use super::reader::LogReader;
use super::store::{Store, StoreError};
use super::watch::{Match, Watch};

/// Most kinds of entries that a report tells apart; a log may hold anything.
const MAX_KINDS: usize = 64;

/// All that a run needs beside the logs.
#[derive(Debug, Clone)]
pub struct Monitor<'a> {
    /// The records.
    pub store: &'a Store,
    /// Who is looked for.
    pub watch: &'a Watch,
    /// What is explained.
    pub explained: &'a Explained,
    /// The authorities that certificates are held against.
    pub root: &'a TrustedRoot,
    /// The time of the run.
    pub now: Timestamp,
    /// How long an entry may wait for its evidence, in seconds: entries are logged before evidence is stored.
    pub grace: u64,
    /// Where to begin in logs that were never followed.
    pub start: Start,
    /// How far a run goes in one log; the next run goes on.
    pub limit: Limit,
    /// Most findings with evidence that are kept, the newest; the records stay bounded however much we sign.
    pub keep_explained: usize,
}

/// What a run did with one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogReport {
    /// The origin of the log.
    pub origin: String,
    /// The id of the log.
    pub log_id: String,
    /// The size of its current checkpoint.
    pub size: u64,
    /// How many of its entries are judged by now; those before the start of a log followed from `now` count.
    pub judged: u64,
    /// How many were judged in this run.
    pub judged_now: u64,
    /// How many of those are by signers that are looked for.
    pub matched: u64,
    /// Entries whose signers this program cannot read, by kind: not checked.
    pub not_checked: BTreeMap<String, u64>,
}

/// What a run found out about findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Findings that became alerts in this run.
    pub new: Vec<Finding>,
    /// All findings that somebody must look at, the new ones among them.
    pub open: Vec<Finding>,
    /// How many wait for their evidence.
    pub waiting: u64,
}

impl Monitor<'_> {
    /// Begins with the first entry of every tree of a log that was followed before: a tree that it opened since then
    /// has no entries that anybody asked to leave out.
    pub fn begin(mut self, log: &TrustedLog) -> Result<Self, StoreError> {
        if !self.store.positions(log)?.is_empty() {
            self.start = Start::Beginning;
        }
        Ok(self)
    }

    /// Follows one log to its current checkpoint. An alarm is kept before it is returned.
    pub fn follow(
        &self,
        log: &TrustedLog,
        reader: &dyn LogReader,
    ) -> Result<LogReport, FollowError<StoreError>> {
        let mut sink = Judge {
            monitor: self,
            log,
            before: None,
            matched: 0,
            room: None,
            not_checked: BTreeMap::new(),
        };
        let outcome = follow(log, reader, self.start, self.limit, &mut sink);
        let position = match outcome {
            Ok(position) => position,
            Err(FollowError::Alarm(alarm)) => return Err(self.keep_alarm(&log.log_id, alarm)),
            Err(error) => return Err(error),
        };
        let judged = position.judged();
        Ok(LogReport {
            origin: position.checkpoint().checkpoint().origin.clone(),
            log_id: log.log_id.to_string(),
            size: position.checkpoint().size(),
            judged,
            judged_now: judged - sink.before.unwrap_or(judged),
            matched: sink.matched,
            not_checked: sink.not_checked,
        })
    }

    /// Alarms if a tree that was followed is not among those that the log has now: a log may close a tree, but not
    /// forget it.
    pub fn require_trees(&self, log: &TrustedLog, now: &[String]) -> Result<(), FollowError<StoreError>> {
        let kept = self.store.positions(log).map_err(FollowError::Keep)?;
        let forgotten = kept
            .iter()
            .find(|kept| !now.contains(&kept.checkpoint().checkpoint().origin));
        match forgotten {
            Some(kept) => {
                let alarm = Alarm::new(AlarmKind::TreeForgotten, kept.checkpoint());
                Err(self.keep_alarm(&log.log_id, Box::new(alarm)))
            }
            None => Ok(()),
        }
    }

    fn keep_alarm(&self, log_id: &Hash, alarm: Box<Alarm>) -> FollowError<StoreError> {
        match self.store.keep_alarm(log_id, &alarm) {
            Ok(()) => FollowError::Alarm(alarm),
            Err(error) => FollowError::Keep(error),
        }
    }

    /// Holds all findings against the evidence: those that are explained by now are closed, those that have waited
    /// long enough become alerts. Of those with evidence the newest stay, so that evidence that goes missing is told of.
    pub fn settle(&self) -> Result<Settled, StoreError> {
        let (mut settled, mut explained) = (Settled::default(), Vec::new());
        for mut finding in self.store.findings()? {
            let before = finding.status;
            finding.status = self.status(&finding);
            if finding.status != before {
                self.store.replace(&finding)?;
            }
            settled.waiting += u64::from(finding.status == Status::Waiting);
            if finding.is_open() {
                if before != Status::Alert {
                    settled.new.push(finding.clone());
                }
                settled.open.push(finding);
            } else if finding.status == Status::Explained {
                explained.push(finding);
            }
        }
        explained.sort_by_key(|finding| (finding.first_seen, finding.index));
        let surplus = explained.len().saturating_sub(self.keep_explained);
        for finding in &explained[..surplus] {
            self.store.forget(finding)?;
        }
        Ok(settled)
    }

    fn status(&self, finding: &Finding) -> Status {
        if finding.status == Status::Acknowledged {
            return Status::Acknowledged;
        }
        let explained = finding
            .leaf_hash
            .parse()
            .is_ok_and(|leaf| self.explained.contains(&leaf));
        if explained {
            return Status::Explained;
        }
        let waited = self.now.unix().saturating_sub(finding.first_seen.unix());
        match finding.status {
            // Evidence that explained it is gone: that is worth a look as well.
            Status::Explained | Status::Alert => Status::Alert,
            _ if u64::try_from(waited).is_ok_and(|waited| waited >= self.grace) => Status::Alert,
            _ => Status::Waiting,
        }
    }
}

struct Judge<'a> {
    monitor: &'a Monitor<'a>,
    log: &'a TrustedLog,
    /// How many entries were judged before this run; for a log that was never followed, how many are not to be.
    before: Option<u64>,
    matched: u64,
    /// How many lookalikes may still be kept, once it was asked.
    room: Option<usize>,
    not_checked: BTreeMap<String, u64>,
}

impl Judge<'_> {
    /// Whether there is room for one more record of what anybody can make us keep.
    fn takes_room(&mut self) -> Result<bool, StoreError> {
        let room = match self.room {
            Some(room) => room,
            None => self.monitor.store.room()?,
        };
        self.room = Some(room.saturating_sub(1));
        Ok(room > 0)
    }

    fn count_unread(&mut self, kind: String) {
        let full = self.not_checked.len() >= MAX_KINDS && !self.not_checked.contains_key(&kind);
        let kind = if full { "other".to_owned() } else { kind };
        *self.not_checked.entry(kind).or_default() += 1;
    }

    fn finding(&self, index: u64, leaf: Hash, facts: &EntryFacts, found: Match) -> Finding {
        Finding {
            origin: self.log.origin.clone(),
            log_id: self.log.log_id.to_string(),
            index,
            leaf_hash: leaf.to_string(),
            kind: facts.kind.clone(),
            principal: found.principal,
            signer: found.signer,
            proof: found.proof,
            digest: Some(facts.digest.clone()),
            first_seen: self.monitor.now,
            status: Status::Waiting,
            note: None,
            delivered: false,
        }
    }
}

impl Sink for Judge<'_> {
    type Error = StoreError;

    fn kept(&mut self, origin: &str) -> Result<Option<Position>, StoreError> {
        let kept = self.monitor.store.position(self.log, origin)?;
        self.before = kept.as_ref().map(Position::judged);
        Ok(kept)
    }

    fn judge(&mut self, first: u64, entries: &[Vec<u8>]) -> Result<(), StoreError> {
        self.before.get_or_insert(first);
        for (index, body) in (first..).zip(entries) {
            let facts = match EntryFacts::read(body) {
                Ok(facts) => facts,
                Err(unread) => {
                    self.count_unread(unread.kind);
                    continue;
                }
            };
            // One finding an entry: a proven signer tells more than one that merely looks like ours.
            let (mut matches, unread) = self.monitor.watch.find(&facts, self.monitor.root);
            if unread > 0 {
                self.count_unread(format!("certificate in {}", facts.kind));
            }
            matches.sort_by_key(|found| found.proof == SignerProof::Lookalike);
            let Some(found) = matches.into_iter().next() else {
                continue;
            };
            self.matched += 1;
            if found.proof == SignerProof::Lookalike && !self.takes_room()? {
                self.count_unread(format!("lookalike in {}", facts.kind));
                continue;
            }
            let finding = self.finding(index, leaf_hash(body), &facts, found);
            self.monitor.store.add(&finding)?;
        }
        Ok(())
    }

    fn keep(&mut self, position: &Position) -> Result<(), StoreError> {
        self.monitor.store.keep_position(&self.log.log_id, position)
    }
}
