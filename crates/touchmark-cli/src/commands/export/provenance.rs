//! SLSA provenance v1 of an agent's work: the change as what was built, the session as the build.

use serde_json::{Map, Value, json};
use touchmark_statement::digest::DigestSet;
use touchmark_statement::predicate::Predicate;
use touchmark_statement::provenance::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use touchmark_statement::statement::{ResourceDescriptor, Statement};

use super::source::Source;

/// How the parameters of such provenance are to be read.
pub(super) const BUILD_TYPE: &str = "https://touchmark.dev/agent-build/v1";
/// What agents' ids are appended to.
const BUILDER: &str = "https://touchmark.dev/agents/";

/// Makes the statement. It says nothing that the agent change does not say, and names that one by its digest.
pub(super) fn of(source: &Source) -> Statement {
    let claim = source.claim();
    let uri = format!("git+{}", claim.change.repository.uri);
    let mut external = Map::new();
    external.insert("repository".to_owned(), json!(uri));
    let optional = [
        ("ref", claim.change.ref_name.clone()),
        ("task", claim.task.as_ref().and_then(|task| task.uri.clone())),
    ];
    external.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))),
    );
    let mut internal = Map::new();
    let mut say = |name: &str, value: Value| {
        if !value.is_null() {
            internal.insert(name.to_owned(), value);
        }
    };
    say("agent", json!(claim.agent));
    say("models", json!(claim.models));
    say(
        "promptRoot",
        json!(claim.prompt.as_ref().and_then(|prompt| prompt.root)),
    );
    let base = &claim.change.base;
    let mut dependencies = Vec::new();
    let mut digest = DigestSet::new();
    // Ids that were parsed are good digests.
    let added = match &base.git_commit {
        Some(commit) => digest.insert("gitCommit", commit.as_str()),
        None => digest.insert("gitTree", base.git_tree.as_str()),
    };
    if added.is_ok() {
        dependencies.push(ResourceDescriptor {
            uri: Some(uri),
            digest,
            ..ResourceDescriptor::default()
        });
    }
    for instruction in claim.instructions.iter().flatten() {
        if let Some(digest) = &instruction.digest {
            dependencies.push(ResourceDescriptor::new(&instruction.name, digest.clone()));
        }
    }
    let version = claim
        .agent
        .product
        .as_ref()
        .and_then(|product| Some([(product.name.clone(), product.version.clone()?)].into()));
    let predicate = Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters: Some(external),
            internal_parameters: Some(internal),
            resolved_dependencies: Some(dependencies),
        },
        run_details: RunDetails {
            builder: Builder {
                id: format!("{BUILDER}{}", escaped(&claim.agent.id)),
                version,
                builder_dependencies: Vec::new(),
            },
            metadata: Some(BuildMetadata {
                invocation_id: Some(format!("{}/{}", claim.run.chain, claim.run.sequence)),
                started_on: claim.run.started_at,
                finished_on: claim.run.ended_at,
            }),
            byproducts: vec![ResourceDescriptor::new(
                "agent-change",
                DigestSet::of_sha256(source.payload),
            )],
        },
    };
    let subjects = source.signed().statement().subject.clone();
    Statement::new(subjects, Predicate::Provenance(Box::new(predicate)))
}

/// Writes an id so that it can stand in a URI.
fn escaped(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    id.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
