//! A landed verdict that says yes, signed: a SLSA verification summary for the landed commit and tree.
//!
//! SLSA Verification Summary 1.1. The levels are ours (`ORG_SOURCE_TOUCHMARK_*`): no level of SLSA's own Source track is
//! claimed, because this program does not see what the forge enforces.

use std::collections::BTreeMap;

use touchmark_git::{EvidenceKey, Repository};
use touchmark_policy::verdict::StatementStatus;
use touchmark_policy::{Decision, Verdict};
use touchmark_sign::attestation;
use touchmark_statement::digest::DigestSet;
use touchmark_statement::predicate::Predicate;
use touchmark_statement::statement::{ResourceDescriptor, Statement};
use touchmark_statement::vsa::{InputAttestation, VerificationResult, VerificationSummary, Verifier};
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::lineage::ChangeUnderJudgement;

use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::{self, Outcome};
use crate::signing_key::KeyArgs;

const VERIFIER: &str = "https://touchmark.dev/verify";
const LEVEL: &str = "ORG_SOURCE_TOUCHMARK_ACCOUNTED";

/// Signs, logs and stores the verdict. A verdict that does not say yes is not signed.
pub(super) fn sign(
    verdict: &Verdict,
    change: &ChangeUnderJudgement,
    key: &str,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<(), CliError> {
    if verdict.decision() != Decision::Allowed || !verdict.enforced() || !change.landed {
        context
            .output
            .note("the verdict does not say yes: nothing was signed");
        return Ok(());
    }
    let statement = statement(verdict, change, repository)?;
    let key = KeyArgs {
        key: Some(key.to_owned()),
        ..KeyArgs::default()
    };
    let signer = key.open(repository.work_tree(), context)?;
    let folder = repository
        .work_tree()
        .unwrap_or_else(|| repository.git_dir())
        .to_owned();
    pipeline::refuse_unloggable(signer.public_key())?;
    let signed = attestation::sign(&statement, signer.as_ref())?;
    let keys = [
        EvidenceKey::Commit(change.head_commit.clone()),
        EvidenceKey::Tree(change.result_tree.clone()),
    ];
    let id = pipeline::queue(signed, &folder, &keys, context)?;
    match pipeline::finish(&id, context)? {
        Outcome::Logged(published) => {
            context.output.note(format!(
                "signed the landed verdict: {} at index {}",
                published.evidence, published.index
            ));
            Ok(())
        }
        Outcome::Unlogged(error) => Err(error),
    }
}

fn statement(
    verdict: &Verdict,
    change: &ChangeUnderJudgement,
    repository: &Repository,
) -> Result<Statement, CliError> {
    let commit = repository.commit(&change.head_commit)?;
    let uri = change.repository.uris.first().cloned().or_else(|| {
        change
            .repository
            .root_commits
            .first()
            .map(|root| format!("urn:touchmark:root:{root}"))
    });
    let uri = uri.ok_or_else(|| {
        CliError::usage(
            "verify.repository_unnamed",
            "the repository has no remote, so a signed verdict has no name for it",
        )
        .hint("name it with --repo URI")
    })?;
    let resource = format!("git+{uri}");
    let landed_on = serde_json::json!([change.target_ref]);
    let annotations = BTreeMap::from([("sourceRefs".to_owned(), landed_on)]);
    let subject = |name: &str, digest| ResourceDescriptor {
        annotations: Some(annotations.clone()),
        ..ResourceDescriptor::new(name, digest)
    };
    let tree_digest = repository.tree_digest(&change.result_tree)?;
    let relied_on = verdict
        .statements()
        .iter()
        .filter(|finding| finding.status == StatementStatus::ReliedOn);
    let inputs = relied_on
        .filter_map(|finding| finding.payload)
        .map(|payload| InputAttestation {
            uri: None,
            digest: DigestSet::of_sha256(payload),
        });
    let policy = verdict.inputs().policies.first().ok_or_else(|| {
        CliError::failed(
            "cli.internal",
            "a verdict that says yes names the policy it was made by",
        )
    })?;
    let summary = VerificationSummary {
        verifier: Verifier {
            id: VERIFIER.to_owned(),
            version: Some(BTreeMap::from([(
                "touchmark".to_owned(),
                env!("CARGO_PKG_VERSION").to_owned(),
            )])),
        },
        time_verified: Some(verdict.inputs().at),
        resource_uri: resource.clone(),
        policy: ResourceDescriptor::new(policy.name.clone(), DigestSet::of_sha256(policy.sha256)),
        input_attestations: Some(inputs.collect()),
        verification_result: VerificationResult::Passed,
        verified_levels: vec![LEVEL.to_owned()],
        dependency_levels: None,
        slsa_version: Some("1.1".to_owned()),
    };
    Ok(Statement::new(
        vec![
            subject(
                &resource,
                DigestSet::of_commit(&change.head_commit, commit.content_sha256),
            ),
            subject("tree", DigestSet::of_tree(&change.result_tree, tree_digest)),
        ],
        Predicate::VerificationSummary(Box::new(summary)),
    ))
}
