//! Statements about a test repository, as `attest` and `approve` would write them.

use touchmark_agents::claude_code;
use touchmark_agents::run::{PromptOrigin as Origin, PromptPart, Run};
use touchmark_agents::session::{ImportOptions, SessionFile};
use touchmark_git::Repository;
use touchmark_statement::agent_change::{
    Agent, AgentChange, Attribution, Capture, ChainId, Change, CommitRow, Completeness, Endpoint, Model,
    ModelRole, NewSide, OldSide, PathRow, Product, Prompt, PromptCommitment, PromptOrigin,
    Repository as RepositoryClaim, Run as RunClaim, Source, Steps, Tool, ToolKind, Transcript,
    TranscriptCounters, Trigger, TriggerKind, Versioned,
};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::{
    Review, ReviewDecision, ReviewMethod, ReviewScope, ReviewSubject, ReviewedChange,
};
use touchmark_statement::statement::{ResourceDescriptor, Statement};
use touchmark_verify::commitment::{Kind, Leaf, RunKey, prompt_leaves, root};
use touchmark_verify::git_view::GitView as _;

/// The run key of every test session.
const RUN_KEY: [u8; 32] = [7; 32];

/// What an agent change is to say of itself.
#[derive(Clone, Debug)]
pub struct ChangeClaim<'a> {
    /// The agent's id.
    pub agent: &'a str,
    /// The repository's address.
    pub repository: &'a str,
    /// The branch.
    pub ref_name: &'a str,
    /// Where the change starts.
    pub base: &'a GitCommitId,
    /// Where it ends.
    pub head: &'a GitCommitId,
}

/// Returns the statement about the change between two commits, made by the session in `transcript`.
pub fn agent_change(git: &Repository, claim: &ChangeClaim<'_>, transcript: &[u8]) -> Statement {
    let file = SessionFile {
        name: "session.jsonl".into(),
        bytes: transcript.to_vec(),
        meta: None,
    };
    let run = claude_code::import(&[file], &ImportOptions::default()).expect("a good session");
    let key = RunKey::from_bytes(&RUN_KEY).expect("32 bytes");
    let change = AgentChange {
        agent: Agent {
            id: claim.agent.to_owned(),
            instance: run.session_id.clone(),
            product: Some(Product {
                name: run.product.name.clone(),
                version: run.product.versions.last().cloned(),
                vendor: run.product.vendor.clone(),
            }),
            owner: None,
            parent: None,
            entrypoint: None,
        },
        models: models(&run),
        prompt: Some(prompt(&run, &key)),
        instructions: None,
        tools: Some(tools(&run)),
        commands: None,
        transcript: Some(transcript_claim(&run, transcript, &key)),
        change: change(git, claim),
        sbom: None,
        task: None,
        trigger: Some(Trigger {
            kind: TriggerKind::Human,
            principal: None,
        }),
        environment: None,
        identities: None,
        findings: None,
        usage: None,
        run: RunClaim {
            started_at: None,
            ended_at: None,
            chain: ChainId::from_bytes([3; 16]),
            sequence: 0,
            previous: None,
            since: None,
        },
        capture: Capture {
            tool: Versioned {
                name: "touchmark-testkit".into(),
                version: "0".into(),
            },
            importer: Versioned {
                name: run.importer.name.clone(),
                version: run.importer.version.clone(),
            },
            sources: [
                ("/models".to_owned(), Source::Transcript),
                ("/change".to_owned(), Source::Observed),
            ]
            .into(),
        },
    };
    Statement::new(
        subjects(git, claim.repository, claim.head),
        Predicate::AgentChange(Box::new(change)),
    )
}

/// Returns the approval of a change by whoever will sign it.
pub fn approval(
    git: &Repository,
    claim: &ChangeClaim<'_>,
    target: &str,
    shown: &[Sha256Digest],
) -> Statement {
    let base = git.commit(claim.base).expect("the commit is there");
    let head = git.commit(claim.head).expect("the commit is there");
    let review = Review {
        decision: ReviewDecision::Approved,
        about: ReviewSubject::Change,
        change: Some(ReviewedChange {
            repository: repository(claim.repository),
            target_ref: target.to_owned(),
            base_tree: base.tree,
            result_tree: head.tree,
            head: claim.head.clone(),
        }),
        deploy: None,
        scope: ReviewScope {
            whole: true,
            paths: None,
        },
        evidence: shown.iter().map(|digest| DigestSet::of_sha256(*digest)).collect(),
        shown: DigestSet::of_sha256(Sha256Digest::of(b"what the reviewer saw")),
        supersedes: None,
        reason: None,
        expires_at: None,
        method: ReviewMethod::Cli,
        forge: None,
    };
    Statement::new(
        subjects(git, claim.repository, claim.head),
        Predicate::Review(Box::new(review)),
    )
}

fn repository(uri: &str) -> RepositoryClaim {
    RepositoryClaim {
        uri: uri.to_owned(),
        id: None,
    }
}

fn subjects(git: &Repository, repository: &str, head: &GitCommitId) -> Vec<ResourceDescriptor> {
    let commit = git.commit(head).expect("the commit is there");
    let tree_digest = git.tree_digest(&commit.tree).expect("the tree is there");
    vec![
        ResourceDescriptor::new(
            format!("git+{repository}"),
            DigestSet::of_commit(head, commit.content_sha256),
        ),
        ResourceDescriptor::new("tree", DigestSet::of_tree(&commit.tree, tree_digest)),
    ]
}

fn change(git: &Repository, claim: &ChangeClaim<'_>) -> Change {
    let endpoint = |commit: &GitCommitId| Endpoint {
        git_commit: Some(commit.clone()),
        git_tree: git.commit(commit).expect("the commit is there").tree,
    };
    let (base, proposed) = (endpoint(claim.base), endpoint(claim.head));
    let commits = git
        .linear_range(claim.base, claim.head, 1_000)
        .expect("a line of commits");
    let commits = commits.into_iter().map(|id| {
        let commit = git.commit(&id).expect("the commit is there");
        CommitRow {
            git_commit: id,
            git_tree: commit.tree,
            parents: commit.parents,
        }
    });
    let changed = git
        .changed_paths(&base.git_tree, &proposed.git_tree)
        .expect("both trees are there");
    let rows = changed.into_iter().map(|row| {
        let from = row.from.map(|entry| OldSide {
            mode: entry.mode,
            git_blob: entry.id,
        });
        let to = row.to.map(|entry| {
            let (sha256, size) = git.blob_digest(&entry.id).expect("the blob is there");
            NewSide {
                mode: entry.mode,
                git_blob: entry.id,
                sha256: Some(sha256),
                size: Some(size),
            }
        });
        PathRow::new(row.path, from, to, Attribution::Agent).expect("the sides differ")
    });
    Change {
        repository: repository(claim.repository),
        ref_name: Some(claim.ref_name.to_owned()),
        commits: commits.collect(),
        paths: Some(rows.collect()),
        paths_tree: None,
        undeclared: None,
        unwritten: None,
        dirty: false,
        base,
        proposed,
    }
}

fn models(run: &Run) -> Vec<Model> {
    let models = run.models.iter().map(|((id, role), model)| Model {
        provider: model.provider.clone().unwrap_or_else(|| "unknown".to_owned()),
        id: id.clone(),
        version: None,
        digest: None,
        steps: model.steps,
        role: match role {
            touchmark_agents::run::Role::Primary => ModelRole::Primary,
            touchmark_agents::run::Role::Subagent => ModelRole::Subagent,
        },
    });
    models.collect()
}

fn tools(run: &Run) -> Vec<Tool> {
    let tools = run.tools.iter().map(|(name, tool)| Tool {
        name: name.clone(),
        kind: ToolKind::Builtin,
        server: None,
        calls: tool.calls,
        failures: tool.failures,
    });
    tools.collect()
}

fn prompt(run: &Run, key: &RunKey) -> Prompt {
    let commitments: Vec<PromptCommitment> = run
        .prompts
        .iter()
        .enumerate()
        .map(|(index, prompt)| {
            let mut bytes = Vec::new();
            for part in &prompt.parts {
                let part = match part {
                    PromptPart::Text(text) => text.as_bytes(),
                    PromptPart::Other { sha256, .. } => sha256.as_bytes(),
                };
                bytes.extend((part.len() as u64).to_be_bytes());
                bytes.extend(part);
            }
            PromptCommitment {
                index: index as u64,
                origin: match prompt.origin {
                    Origin::Human => PromptOrigin::Human,
                    Origin::Injected => PromptOrigin::Injected,
                    Origin::Compaction => PromptOrigin::Compaction,
                    Origin::Agent => PromptOrigin::Agent,
                },
                commitment: key.commit(Kind::Prompt, index as u32, &bytes),
            }
        })
        .collect();
    let leaves = prompt_leaves(&commitments).expect("small indexes");
    Prompt {
        root: Some(root(&leaves)),
        count: Some(commitments.len() as u64),
        commitments: Some(commitments),
        plain_digest: None,
    }
}

fn transcript_claim(run: &Run, transcript: &[u8], key: &RunKey) -> Transcript {
    let leaves: Vec<Leaf> = run
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let bytes = step.bytes(transcript).expect("the step lies in the transcript");
            Leaf::step(index as u32, key.commit(Kind::Step, index as u32, bytes))
        })
        .collect();
    Transcript {
        format: claude_code::FORMAT.to_owned(),
        commitment: key.commit(Kind::Transcript, 0, transcript),
        steps: Steps {
            count: leaves.len() as u64,
            root: root(&leaves),
        },
        redacted: None,
        complete: match run.completeness {
            touchmark_agents::run::Completeness::Whole => Completeness::Whole,
            touchmark_agents::run::Completeness::Prefix => Completeness::Prefix,
            touchmark_agents::run::Completeness::TailMissing => Completeness::TailMissing,
        },
        counters: TranscriptCounters {
            unknown: run.counters.unknown,
            malformed: run.counters.malformed,
            skipped: run.counters.skipped,
            rewound: run.counters.rewound,
        },
    }
}
