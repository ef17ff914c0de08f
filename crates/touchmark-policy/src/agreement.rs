//! Whether a statement and the certificate of its signer say the same.
//!
//! Certificate and statement are both signed, and nothing makes them agree: a workflow can attest whatever it likes.
//! What the certificate says was read from a token that the platform issued, so where both speak of the same thing,
//! a statement that says otherwise is wrong. What only one of them says is not compared, and listed as such.

use serde_json::{Map, Value};
use touchmark_statement::agent_change::{AgentChange, TriggerKind};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::provenance::Provenance;
use touchmark_statement::statement::Statement;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::identity::{CertificateIdentity, FulcioClaims, SubjectAlternativeName};
use touchmark_verify::lineage::RepositoryIdentity;

/// The event by which GitHub, GitLab and Buildkite say that a clock started the run.
const SCHEDULE: &str = "schedule";

/// A contradiction between a statement and the certificate of its signer, or a time that an authority signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The stable code, such as `agreement.repository`.
    pub code: &'static str,
    /// Where the statement says it: a JSON pointer into the predicate, or `subject`.
    pub pointer: String,
    /// What the statement says.
    pub stated: String,
    /// What is certified.
    pub certified: String,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} is {:?}, but certified is {:?}",
            self.pointer, self.stated, self.certified
        )
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// What contradicts the certificate.
    pub disagreements: Vec<Disagreement>,
    /// JSON pointers of what the certificate confirms.
    pub confirmed: Vec<String>,
}

/// Where the signer's run was, as policy or the caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPlace {
    /// In the repository that the statement is about: repository, ref and commit are compared too.
    SameRepository,
    /// In a fork, or in another repository that the verifier named: its ref and commit say nothing about this one.
    OtherRepository,
}

/// Compares a statement with the certificate of its signer.
pub fn compare(statement: &Statement, identity: &CertificateIdentity, place: RunPlace) -> Agreement {
    let claims = with_old_claims(&identity.claims);
    let mut comparison = Comparison {
        claims: &claims,
        place,
        found: Agreement::default(),
    };
    match &statement.predicate {
        Predicate::AgentChange(change) => comparison.agent_change(change, &identity.san),
        Predicate::Provenance(provenance) => comparison.provenance(provenance),
        Predicate::TestResult(_) => comparison.subject_commit(statement),
        _ => {}
    }
    comparison.found
}

/// Returns the contradiction between the time at which a statement says that the work began and a time by which it was
/// signed already.
pub fn began_after_signing(statement: &Statement, signed_by: &[Timestamp]) -> Option<Disagreement> {
    let (pointer, began) = match &statement.predicate {
        Predicate::AgentChange(change) => ("/run/startedAt", change.run.started_at?),
        Predicate::Provenance(provenance) => (
            "/runDetails/metadata/startedOn",
            provenance.run_details.metadata.as_ref()?.started_on?,
        ),
        _ => return None,
    };
    let earlier = signed_by.iter().min().filter(|signed| **signed < began)?;
    Some(Disagreement {
        code: "agreement.time",
        pointer: pointer.to_owned(),
        stated: began.to_string(),
        certified: format!("signed by {earlier}"),
    })
}

/// Fills in what only the old claims of GitHub's workflows (.2 to .6) say.
fn with_old_claims(claims: &FulcioClaims) -> FulcioClaims {
    let mut all = claims.clone();
    let repository = claims.github_workflow_repository.as_ref();
    let repository = repository.map(|name| format!("https://github.com/{name}"));
    all.source_repository_uri = all.source_repository_uri.or(repository);
    all.source_repository_digest = all.source_repository_digest.or(all.github_workflow_sha.clone());
    all.source_repository_ref = all.source_repository_ref.or(all.github_workflow_ref.clone());
    all.build_trigger = all.build_trigger.or(all.github_workflow_trigger.clone());
    all
}

struct Comparison<'c> {
    claims: &'c FulcioClaims,
    place: RunPlace,
    found: Agreement,
}

impl Comparison<'_> {
    fn note(&mut self, code: &'static str, pointer: &str, stated: &str, certified: &str, same: bool) {
        if same {
            self.found.confirmed.push(pointer.to_owned());
            return;
        }
        self.found.disagreements.push(Disagreement {
            code,
            pointer: pointer.to_owned(),
            stated: stated.to_owned(),
            certified: certified.to_owned(),
        });
    }

    /// Compares where both speak.
    fn equal(&mut self, code: &'static str, pointer: &str, stated: Option<&str>, certified: Option<&str>) {
        if let (Some(stated), Some(certified)) = (stated, certified) {
            self.note(code, pointer, stated, certified, stated == certified);
        }
    }

    fn repository(&mut self, pointer: &str, stated: Option<&str>) {
        if let (Some(stated), Some(certified)) = (stated, self.claims.source_repository_uri.as_deref()) {
            let same = RepositoryIdentity {
                uris: vec![certified.to_owned()],
                root_commits: Vec::new(),
            }
            .is_named_by(stated);
            self.note("agreement.repository", pointer, stated, certified, same);
        }
    }

    /// A run has one page; what follows its address names the attempt or the job.
    fn run(&mut self, pointer: &str, stated: Option<&str>) {
        if let (Some(stated), Some(certified)) = (stated, self.claims.run_invocation_uri.as_deref()) {
            let rest = certified.strip_prefix(stated);
            let same = rest.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with("/attempts/") || rest.starts_with('#')
            });
            self.note("agreement.run", pointer, stated, certified, same);
        }
    }

    fn agent_change(&mut self, change: &AgentChange, san: &SubjectAlternativeName) {
        let environment = change.environment.as_ref();
        self.run("/environment/run", environment.and_then(|e| e.run.as_deref()));
        if let Some(trigger) = &change.trigger {
            self.trigger_kind(trigger.kind);
            if let (SubjectAlternativeName::Email(email), Some(stated)) = (san, &trigger.principal)
                && stated.contains('@')
            {
                let same = stated.eq_ignore_ascii_case(email);
                self.note("agreement.actor", "/trigger/principal", stated, email, same);
            }
        }
        if self.place == RunPlace::OtherRepository {
            return;
        }
        let git = &change.change;
        self.repository("/change/repository/uri", Some(&git.repository.uri));
        self.equal(
            "agreement.repository_id",
            "/change/repository/id",
            git.repository.id.as_deref(),
            self.claims.source_repository_identifier.as_deref(),
        );
        self.agent_commit(change);
    }

    /// The run began at the base, or after the work was committed. Only in the latter case its ref is that of the work.
    fn agent_commit(&mut self, change: &AgentChange) {
        let git = &change.change;
        let Some(built) = self.claims.source_repository_digest.as_deref() else {
            return;
        };
        let is = |commit: Option<&str>| commit == Some(built);
        let base = git.base.git_commit.as_ref().map(|id| id.as_str());
        let proposed = git.proposed.git_commit.as_ref().map(|id| id.as_str());
        if is(base) {
            return self.note("agreement.commit", "/change/base/gitCommit", built, built, true);
        }
        let attested = is(proposed)
            || git
                .commits
                .iter()
                .any(|commit| commit.git_commit.as_str() == built);
        if attested {
            self.note(
                "agreement.commit",
                "/change/proposed/gitCommit",
                built,
                built,
                true,
            );
            let certified = self.claims.source_repository_ref.as_deref();
            return self.equal("agreement.ref", "/change/ref", git.ref_name.as_deref(), certified);
        }
        if let Some(stated) = proposed.or(base) {
            self.note(
                "agreement.commit",
                "/change/proposed/gitCommit",
                stated,
                built,
                false,
            );
        }
    }

    fn trigger_kind(&mut self, stated: TriggerKind) {
        let Some(certified) = self.claims.build_trigger.as_deref() else {
            return;
        };
        let (by_clock, said_clock) = (certified == SCHEDULE, stated == TriggerKind::Schedule);
        if stated != TriggerKind::Unknown && (by_clock || said_clock) {
            let word = match stated {
                TriggerKind::Human => "human",
                TriggerKind::Ci => "ci",
                TriggerKind::Schedule => SCHEDULE,
                TriggerKind::Agent => "agent",
                TriggerKind::Unknown => "unknown",
            };
            self.note(
                "agreement.trigger",
                "/trigger/kind",
                word,
                certified,
                by_clock == said_clock,
            );
        }
    }

    /// A test result that names a commit names the one that the run checked out.
    fn subject_commit(&mut self, statement: &Statement) {
        let Some(built) = self.claims.source_repository_digest.as_deref() else {
            return;
        };
        if self.place == RunPlace::OtherRepository {
            return;
        }
        let commits = statement
            .subject
            .iter()
            .filter_map(|subject| subject.digest.git_commit());
        let commits: Vec<String> = commits.map(|commit| commit.as_str().to_owned()).collect();
        if let Some(first) = commits.first() {
            let same = commits.iter().any(|commit| commit == built);
            self.note("agreement.commit", "subject", first, built, same);
        }
    }

    fn provenance(&mut self, provenance: &Provenance) {
        let definition = &provenance.build_definition;
        let metadata = provenance.run_details.metadata.as_ref();
        let invocation = metadata.and_then(|metadata| metadata.invocation_id.as_deref());
        self.run(
            "/runDetails/metadata/invocationId",
            invocation.filter(|id| id.contains("://")),
        );
        let claims = self.claims;
        let workflow = object(definition.external_parameters.as_ref(), "workflow");
        let github = object(definition.internal_parameters.as_ref(), "github");
        let said = |table: Option<&'_ Map<String, Value>>, key: &str| text(table, key);
        let (repository, git_ref) = (said(workflow, "repository"), said(workflow, "ref"));
        if let (Some(repository), Some(path), Some(git_ref)) = (&repository, said(workflow, "path"), &git_ref)
        {
            let stated = format!("{repository}/{path}@{git_ref}");
            self.equal(
                "agreement.workflow",
                "/buildDefinition/externalParameters/workflow/path",
                Some(&stated),
                claims.build_config_uri.as_deref(),
            );
        }
        let pairs = [
            ("agreement.trigger", "event_name", &claims.build_trigger),
            (
                "agreement.repository_id",
                "repository_id",
                &claims.source_repository_identifier,
            ),
            (
                "agreement.owner",
                "repository_owner_id",
                &claims.source_repository_owner_identifier,
            ),
            (
                "agreement.runner",
                "runner_environment",
                &claims.runner_environment,
            ),
        ];
        for (code, key, certified) in pairs {
            let pointer = format!("/buildDefinition/internalParameters/github/{key}");
            self.equal(code, &pointer, said(github, key).as_deref(), certified.as_deref());
        }
        if self.place == RunPlace::OtherRepository {
            return;
        }
        let pointer = "/buildDefinition/externalParameters/workflow";
        self.repository(&format!("{pointer}/repository"), repository.as_deref());
        self.equal(
            "agreement.ref",
            &format!("{pointer}/ref"),
            git_ref.as_deref(),
            claims.source_repository_ref.as_deref(),
        );
        self.dependencies(provenance);
    }

    /// The source among what went into the build has the commit that the run checked out.
    fn dependencies(&mut self, provenance: &Provenance) {
        let claims = self.claims;
        let (Some(repository), Some(built)) =
            (&claims.source_repository_uri, &claims.source_repository_digest)
        else {
            return;
        };
        let listed = provenance.build_definition.resolved_dependencies.iter().flatten();
        for (i, dependency) in listed.enumerate() {
            let uri = dependency.uri.as_deref().unwrap_or_default();
            let uri = uri.strip_prefix("git+").unwrap_or(uri);
            let source = uri.rsplit_once('@').map_or(uri, |(source, _)| source);
            let commit = dependency.digest.git_commit();
            if let Some(commit) = commit.filter(|_| source == repository) {
                let pointer = format!("/buildDefinition/resolvedDependencies/{i}/digest/gitCommit");
                self.note(
                    "agreement.commit",
                    &pointer,
                    commit.as_str(),
                    built,
                    commit.as_str() == built,
                );
            }
        }
    }
}

fn object<'v>(table: Option<&'v Map<String, Value>>, key: &str) -> Option<&'v Map<String, Value>> {
    table?.get(key)?.as_object()
}

/// Ids are texts in some predicates and numbers in others.
fn text(table: Option<&Map<String, Value>>, key: &str) -> Option<String> {
    match table?.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
