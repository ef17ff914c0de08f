//! One value, one place: everything that was captured becomes the statement here.

use std::collections::BTreeMap;

use touchmark_agents::metadata::Metadata;
use touchmark_agents::run;
use touchmark_agents::session::Session;
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::DigestSet;
use touchmark_statement::limits::MAX_RUN_ITEMS;
use touchmark_statement::predicate::Predicate;
use touchmark_statement::statement::Statement;
use touchmark_statement::timestamp::Timestamp;

use super::capture::Place;
use super::change::GitChange;
use super::identity::Sources;
use super::rows::Rows;
use super::surroundings::Surroundings;
use crate::commands::version::VERSION;
use crate::error::CliError;

/// What was committed to, ready to be stated.
#[derive(Debug, Default)]
pub(crate) struct Commitments {
    pub(crate) prompt: Option<claim::Prompt>,
    pub(crate) instructions: Vec<claim::Instruction>,
    pub(crate) commands: Option<Vec<claim::Command>>,
    pub(crate) transcript: Option<claim::Transcript>,
    pub(crate) task: Option<claim::Task>,
}

/// Who tells of the run.
#[derive(Debug)]
pub(crate) enum Teller {
    /// A session file.
    Session(Box<Session>),
    /// A metadata record.
    Metadata(Box<Metadata>),
}

/// Everything a statement is made of.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) teller: &'a Teller,
    pub(crate) change: &'a GitChange,
    pub(crate) rows: Rows,
    pub(crate) paths_tree: Option<claim::PathsTree>,
    pub(crate) commitments: Commitments,
    pub(crate) sbom: Option<claim::SbomClaim>,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) sources: &'a Sources,
    pub(crate) agent: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) place: Place,
}

/// Makes the statement.
pub(crate) fn build(parts: Parts<'_>) -> Result<Statement, CliError> {
    let subjects = parts.change.subjects.clone();
    let predicate = match parts.teller {
        Teller::Session(session) => from_session(session, parts)?,
        Teller::Metadata(metadata) => from_metadata(metadata, parts)?,
    };
    Ok(Statement::new(
        subjects,
        Predicate::AgentChange(Box::new(predicate)),
    ))
}

fn from_session(session: &Session, parts: Parts<'_>) -> Result<claim::AgentChange, CliError> {
    let run = &session.run;
    let prompted = run.human_prompts().next().is_some();
    let mut sources: BTreeMap<String, claim::Source> = run
        .field_sources
        .iter()
        .map(|(pointer, from)| ((*pointer).to_owned(), source(*from)))
        .collect();
    if parts.agent.is_some() {
        sources.insert("/agent/id".to_owned(), claim::Source::SelfReported);
    }
    if let Some(parent) = &parts.place.parent {
        let is_told = run.parent.as_ref().map(|told| &told.session_id) == Some(&parent.instance);
        if !is_told {
            sources.insert("/agent/parent".to_owned(), claim::Source::Environment);
        }
        if parent.statement.is_some() {
            sources.insert("/agent/parent/statement".to_owned(), claim::Source::Observed);
        }
    }
    let is_first = parts.place.sequence == 0;
    let session = Some((session, is_first));
    let (identities, findings) = parts
        .sources
        .against(session, parts.agent.as_deref(), parts.change);
    let (started, ended) = (time(run.started_at)?, time(run.ended_at)?);
    let common = Common::of(&parts, sources, prompted);
    Ok(claim::AgentChange {
        agent: claim::Agent {
            id: parts.agent.unwrap_or_else(|| run.product.name.clone()),
            instance: run.session_id.clone(),
            product: Some(claim::Product {
                name: run.product.name.clone(),
                version: run.product.versions.last().cloned(),
                vendor: run.product.vendor.clone(),
            }),
            owner: parts.owner,
            parent: parts.place.parent,
            entrypoint: run.entrypoint.clone(),
        },
        models: models(run)?,
        prompt: parts.commitments.prompt,
        instructions: Some(parts.commitments.instructions),
        tools: tools(run),
        commands: parts.commitments.commands,
        transcript: parts.commitments.transcript,
        change: common.change(parts.rows, parts.paths_tree, parts.change),
        sbom: parts.sbom,
        task: parts.commitments.task,
        trigger: Some(common.trigger),
        environment: Some(common.environment),
        usage: usage(run)?,
        identities: Some(identities),
        findings: Some(findings),
        run: claim::Run {
            started_at: started,
            ended_at: ended,
            chain: parts.place.chain,
            sequence: parts.place.sequence,
            previous: parts.place.previous,
            since: parts.place.since,
        },
        capture: capture(&run.importer.name, &run.importer.version, common.sources),
    })
}

fn from_metadata(metadata: &Metadata, parts: Parts<'_>) -> Result<claim::AgentChange, CliError> {
    let pointers = ["/agent/id", "/models", "/prompt/plainDigest", "/run/endedAt"];
    let sources = pointers
        .map(|pointer| (pointer.to_owned(), source(Metadata::SOURCE)))
        .into();
    let declared = parts.agent.as_deref().unwrap_or(&metadata.agent_id);
    let (identities, findings) = parts.sources.against(None, Some(declared), parts.change);
    let common = Common::of(&parts, sources, false);
    Ok(claim::AgentChange {
        agent: claim::Agent {
            id: parts.agent.unwrap_or_else(|| metadata.agent_id.clone()),
            instance: None,
            product: None,
            owner: parts.owner,
            parent: None,
            entrypoint: None,
        },
        models: vec![claim::Model {
            provider: UNKNOWN_PROVIDER.to_owned(),
            id: metadata.model.clone(),
            version: None,
            digest: metadata.model_digest.map(DigestSet::of_sha256),
            steps: 0,
            role: claim::ModelRole::Primary,
        }],
        prompt: Some(claim::Prompt {
            commitments: None,
            root: None,
            count: None,
            plain_digest: Some(DigestSet::of_sha256(metadata.prompt_digest)),
        }),
        instructions: Some(parts.commitments.instructions),
        tools: None,
        commands: None,
        transcript: None,
        change: common.change(parts.rows, parts.paths_tree, parts.change),
        sbom: parts.sbom,
        task: parts.commitments.task,
        trigger: Some(common.trigger),
        environment: Some(common.environment),
        usage: None,
        identities: Some(identities),
        findings: Some(findings),
        run: claim::Run {
            started_at: None,
            ended_at: time(Some(metadata.timestamp))?,
            chain: parts.place.chain,
            sequence: parts.place.sequence,
            previous: parts.place.previous,
            since: parts.place.since,
        },
        capture: capture("touchmark-agents/metadata", VERSION, common.sources),
    })
}

/// What both kinds of source share.
struct Common {
    sources: BTreeMap<String, claim::Source>,
    trigger: claim::Trigger,
    environment: claim::Environment,
}

impl Common {
    fn of(parts: &Parts<'_>, mut sources: BTreeMap<String, claim::Source>, prompted: bool) -> Self {
        sources.insert("/change".to_owned(), claim::Source::Observed);
        sources.insert("/environment".to_owned(), claim::Source::Environment);
        if parts.owner.is_some() {
            sources.insert("/agent/owner".to_owned(), claim::Source::SelfReported);
        }
        if let Some(sbom) = &parts.sbom {
            // Only what was read from the trees themselves says something of the base.
            let source = match sbom.base {
                Some(_) => claim::Source::Observed,
                None => claim::Source::SelfReported,
            };
            sources.insert("/sbom".to_owned(), source);
        }
        let trigger = parts.surroundings.trigger(prompted);
        let by_transcript = parts.surroundings.trigger != trigger.kind;
        let trigger_source = if by_transcript {
            claim::Source::Transcript
        } else {
            claim::Source::Environment
        };
        sources.insert("/trigger".to_owned(), trigger_source);
        Self {
            sources,
            trigger,
            environment: parts.surroundings.environment(),
        }
    }

    fn change(&self, rows: Rows, paths_tree: Option<claim::PathsTree>, change: &GitChange) -> claim::Change {
        claim::Change {
            repository: change.repository.clone(),
            ref_name: change.ref_name.clone(),
            base: change.base.clone(),
            proposed: change.proposed.clone(),
            commits: change.commits.clone(),
            paths: paths_tree.is_none().then_some(rows.rows),
            paths_tree,
            undeclared: rows.undeclared,
            unwritten: rows.unwritten,
            dirty: change.dirty,
        }
    }
}

/// Stands where a model's provider is not known; the field may not be empty.
const UNKNOWN_PROVIDER: &str = "unknown";

fn models(run: &run::Run) -> Result<Vec<claim::Model>, CliError> {
    let models: Vec<claim::Model> = run
        .models
        .iter()
        .map(|((id, role), model)| claim::Model {
            provider: model
                .provider
                .clone()
                .unwrap_or_else(|| UNKNOWN_PROVIDER.to_owned()),
            id: id.clone(),
            version: None,
            digest: None,
            steps: model.steps,
            role: match role {
                run::Role::Primary => claim::ModelRole::Primary,
                run::Role::Subagent => claim::ModelRole::Subagent,
            },
        })
        .collect();
    if models.is_empty() {
        return Err(CliError::failed(
            "session.no_model",
            "no model answered in this session, so there is no agent's work",
        )
        .hint("name another session with --session"));
    }
    Ok(models)
}

fn tools(run: &run::Run) -> Option<Vec<claim::Tool>> {
    if run.tools.len() > MAX_RUN_ITEMS {
        return None;
    }
    let tools = run.tools.iter().map(|(name, tool)| claim::Tool {
        name: name.clone(),
        kind: match tool.kind {
            run::ToolKind::Builtin => claim::ToolKind::Builtin,
            run::ToolKind::Mcp => claim::ToolKind::Mcp,
        },
        server: tool.server.as_ref().map(|server| claim::ToolServer {
            name: server.name.clone(),
            digest: None,
        }),
        calls: tool.calls,
        failures: tool.failures,
    });
    Some(tools.collect())
}

fn usage(run: &run::Run) -> Result<Option<claim::Usage>, CliError> {
    let usage = &run.usage;
    let cost = match &run.cost {
        Some(cost) if cost.incomplete != Some(true) => match cost.amount.parse() {
            Ok(amount) => Some(claim::Cost {
                amount,
                currency: cost.currency.clone(),
            }),
            // A cost that is no decimal number is no cost.
            Err(_) => None,
        },
        _ => None,
    };
    if usage == &run::Usage::default() && cost.is_none() {
        return Ok(None);
    }
    Ok(Some(claim::Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        requests: usage.requests,
        cost,
        method: "transcript".to_owned(),
    }))
}

fn capture(name: &str, version: &str, sources: BTreeMap<String, claim::Source>) -> claim::Capture {
    claim::Capture {
        tool: claim::Versioned {
            name: "touchmark".to_owned(),
            version: VERSION.to_owned(),
        },
        importer: claim::Versioned {
            name: name.to_owned(),
            version: version.to_owned(),
        },
        sources,
    }
}

fn time(time: Option<chrono::DateTime<chrono::Utc>>) -> Result<Option<Timestamp>, CliError> {
    Ok(time
        .map(|time| Timestamp::from_unix(time.timestamp()))
        .transpose()?)
}

fn source(source: run::Source) -> claim::Source {
    match source {
        run::Source::Hook => claim::Source::Hook,
        run::Source::Transcript => claim::Source::Transcript,
        run::Source::Environment => claim::Source::Environment,
        run::Source::Trailer => claim::Source::Trailer,
        run::Source::SelfReported => claim::Source::SelfReported,
    }
}
