//! What any record may carry: times, versions, directories, branches, identifiers, costs.

use super::Recorder;
use super::input::decimal;
use super::names::{identifier, is_commit, without_user};
use super::times::Stamp;
use crate::limits::MAX_NAME_BYTES;
use crate::run::{BaseCommit, Cost, Finding, ParentSession, Relation};

/// The most distinct versions, directories, branches and identifiers of one session.
const MAX_NOTED: usize = 1_024;
/// The most findings of one session.
const MAX_FINDINGS: usize = 1_024;

impl Recorder {
    /// Notes the time of a record; `None` is no time.
    pub(crate) fn time(&mut self, stamp: Option<Stamp>) {
        let Some(Stamp { time, has_zone }) = stamp else {
            return;
        };
        self.keep_time(time);
        let run = &mut self.run;
        run.started_at = Some(run.started_at.map_or(time, |earliest| earliest.min(time)));
        run.ended_at = Some(run.ended_at.map_or(time, |latest| latest.max(time)));
        run.structure.zoneless_times += u64::from(!has_zone);
        if self.last_time.is_some_and(|last| time < last) {
            run.structure.backward_times += 1;
        }
        self.last_time = Some(time);
    }

    /// Names the product, where records are those of whichever product wrote them. What is no name is left out.
    pub(crate) fn product(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|name| !name.is_empty() && identifier(name) == *name) {
            self.run.product.name = name.to_owned();
        }
    }

    /// Notes the version of the product that wrote a record.
    pub(crate) fn version(&mut self, version: Option<&str>) {
        note(&mut self.run.product.versions, version);
    }

    /// Notes a working directory; calls that name none are in it.
    pub(crate) fn working_directory(&mut self, directory: Option<&str>) {
        let Some(directory) = note(&mut self.run.working_directories, directory) else {
            return;
        };
        if self.directory.as_deref() != Some(directory) {
            self.directory = Some(directory.to_owned());
        }
    }

    /// Notes a branch.
    pub(crate) fn branch(&mut self, branch: Option<&str>) {
        note(&mut self.run.branches, branch);
    }

    /// Notes a session's identifier. The last one noted is the last one of the records.
    pub(crate) fn session_id(&mut self, id: Option<&str>) {
        let Some(id) = note(&mut self.session_ids, id) else {
            return;
        };
        if self.session_ids.last().is_some_and(|last| last != id)
            && let Some(at) = self.session_ids.iter().position(|known| known == id)
        {
            let id = self.session_ids.remove(at);
            self.session_ids.push(id);
        }
    }

    /// The first identifier that was noted.
    pub(crate) fn first_session_id(&self) -> Option<&str> {
        self.session_ids.first().map(String::as_str)
    }

    /// Notes how the agent was started; the first that is told counts.
    pub(crate) fn entrypoint(&mut self, entrypoint: Option<&str>) {
        if self.run.entrypoint.is_none() {
            self.run.entrypoint = entrypoint
                .filter(|text| !text.is_empty() && identifier(text) == *text)
                .map(str::to_owned);
        }
    }

    /// Notes the session that this one goes back to; the first that is told counts.
    pub(crate) fn parent(&mut self, session_id: Option<&str>, relation: Relation) {
        if let (None, Some(id)) = (
            &self.run.parent,
            session_id.filter(|id| !id.is_empty() && id.len() <= MAX_NAME_BYTES),
        ) {
            self.run.parent = Some(ParentSession {
                session_id: id.to_owned(),
                relation,
            });
        }
    }

    /// Notes a commit that the session says it began at. What is no commit's id is left out.
    pub(crate) fn base_commit(&mut self, id: Option<&str>, branch: Option<&str>, repository: Option<&str>) {
        let Some(id) = id.map(str::to_ascii_lowercase).filter(|id| is_commit(id)) else {
            return;
        };
        let short = |text: &str| !text.is_empty() && text.len() <= MAX_NAME_BYTES;
        let base = BaseCommit {
            id,
            branch: branch.filter(|text| short(text)).map(str::to_owned),
            repository: repository.filter(|text| short(text)).map(without_user),
        };
        if self.run.base_commits.len() < MAX_NOTED && !self.run.base_commits.contains(&base) {
            self.run.base_commits.push(base);
        }
    }

    /// Keeps the cost that the product reports: the last one, as it stands in JSON (`0.5`). It is cumulative.
    pub(crate) fn cost(&mut self, amount: &str, currency: &str, incomplete: Option<bool>) {
        if let Some(amount) = decimal(amount) {
            self.run.cost = Some(Cost {
                amount,
                currency: currency.to_owned(),
                incomplete,
            });
        }
    }

    /// Keeps a contradiction between sources, each once.
    pub(crate) fn finding(&mut self, finding: Finding) {
        if self.run.findings.len() < MAX_FINDINGS && !self.run.findings.contains(&finding) {
            self.run.findings.push(finding);
        }
    }

    /// Counts a record that replaced earlier turns by a summary.
    pub(crate) fn compaction(&mut self) {
        self.run.structure.compactions += 1;
    }
}

/// Adds a name to a list of distinct ones; returns it where it is in the list.
fn note<'n>(names: &mut Vec<String>, name: Option<&'n str>) -> Option<&'n str> {
    let name = name.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES)?;
    if names.last().is_some_and(|last| last == name) || names.iter().any(|known| known == name) {
        return Some(name);
    }
    if names.len() >= MAX_NOTED {
        return None;
    }
    names.push(name.to_owned());
    Some(name)
}
