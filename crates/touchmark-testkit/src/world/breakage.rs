//! How each defect is made: in what is signed, in the bundle, in the repository.

use touchmark_policy::Candidate;
use touchmark_statement::agent_change::{AgentChange, Prompt};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::{Review, ReviewDecision};
use touchmark_statement::statement::Statement;
use touchmark_statement::timestamp::Timestamp;

use super::bundle::after_signing;
use super::defect::Defect;
use super::{POLICY_PATH, TARGET_REF, World};
use crate::statement::{ChangeClaim, approval};

/// Builds the case with one defect.
pub(super) fn build(defect: Defect) -> World {
    let mut world = World::unsigned();
    if !before_signing(defect, &mut world) {
        world.sign_all();
    }
    after_signing(defect, &mut world);
    world.file_all();
    after_filing(defect, &mut world);
    world
}

/// Breaks what is signed. Returns whether everything is signed then.
fn before_signing(defect: Defect, world: &mut World) -> bool {
    match defect {
        Defect::UnregisteredKey => sign(world, Signer::Stranger, |_| {}),
        Defect::ServiceSignsAgentChange => sign(world, Signer::Service, |_| {}),
        Defect::PersonSignsAgentChange => sign(world, Signer::SecondReviewer, |_| {}),
        Defect::OtherAgentNamed => sign(world, Signer::Agent, |claim| claim.agent.id = "painter".into()),
        Defect::EvidenceOfOtherRepository => sign(world, Signer::Agent, |claim| {
            claim.change.repository.uri = "https://example.test/acme/other".into();
        }),
        Defect::PathDigestWrong => sign(world, Signer::Agent, |claim| {
            let rows = claim.change.paths.as_mut().expect("there are rows");
            let side = rows[0].to.as_mut().expect("it was not deleted");
            side.sha256 = Some(Sha256Digest::of(b"other"));
        }),
        Defect::PathLeftOut => sign(world, Signer::Agent, |claim| {
            claim.change.paths.as_mut().expect("there are rows").pop();
        }),
        Defect::TreeMismatch => sign(world, Signer::Agent, |claim| {
            claim.change.base.git_tree = claim.change.commits[0].git_tree.clone();
        }),
        Defect::PromptMissing => sign(world, Signer::Agent, |claim| claim.prompt = None),
        Defect::PromptUnsalted => sign(world, Signer::Agent, |claim| {
            let plain_digest = Some(DigestSet::of_sha256(Sha256Digest::of(b"Greet people")));
            claim.prompt = Some(Prompt {
                commitments: None,
                root: None,
                count: None,
                plain_digest,
            });
        }),
        Defect::ModelNotAllowed => sign(world, Signer::Agent, |claim| {
            claim.models[0].provider = "elsewhere".into()
        }),
        Defect::ProductTooOld => sign(world, Signer::Agent, |claim| {
            claim.agent.product.as_mut().expect("it is named").version = Some("1.0.111".into());
        }),
        Defect::RefOutsideScope => {
            sign(world, Signer::Agent, |claim| {
                claim.change.ref_name = Some("refs/heads/main".into())
            });
        }
        Defect::PathOutsideScope => {
            world.repo.write("README.md", "# Rewritten\n");
            world.head = world.repo.commit("Greeter", "Rewrite the introduction");
            return false;
        }
        Defect::TranscriptCut => {
            let len = world.transcript.len();
            world.transcript.truncate(len - 20);
            return false;
        }
        Defect::PolicyLoosenedInChange => {
            let policy =
                std::fs::read_to_string(world.repo.path().join(POLICY_PATH)).expect("the policy is there");
            world.repo.write(
                POLICY_PATH,
                &policy.replace("residual = \"forbid\"", "residual = \"allow\""),
            );
            world.head = world.repo.commit("Greeter", "Loosen the policy");
            return false;
        }
        _ => return approvals(defect, world),
    }
    true
}

/// Breaks the approval. Returns whether everything is signed then.
fn approvals(defect: Defect, world: &mut World) -> bool {
    let agent = world.attest(&world.agent_statement(), &world.keys.agent);
    let shown = [agent.payload_digest()];
    world.agent = Some(agent);
    let git = world.repo.open();
    let statement = match defect {
        Defect::ApprovalMissing => return true,
        Defect::AgentApprovesItself => {
            world.review = Some(world.attest(&world.approval_statement(), &world.keys.agent));
            return true;
        }
        Defect::ApprovalOfEarlierTree => {
            let earlier = world.repo.resolve("HEAD~1");
            approval(
                &git,
                &ChangeClaim {
                    head: &earlier,
                    ..world.claim()
                },
                TARGET_REF,
                &shown,
            )
        }
        Defect::ApprovalForOtherBranch => approval(&git, &world.claim(), "refs/heads/release", &shown),
        Defect::ApprovalShownNothing => approval(&git, &world.claim(), TARGET_REF, &[]),
        Defect::ApprovalExpired => review(world.approval_statement(), |review| {
            review.expires_at = Timestamp::from_unix(world.at.unix()).ok();
        }),
        Defect::Rejected => {
            world.review = Some(world.attest(&world.approval_statement(), &world.keys.reviewer));
            let rejection = review(world.approval_statement(), |review| {
                review.decision = ReviewDecision::Rejected
            });
            let piece = world.attest(&rejection, &world.keys.second_reviewer);
            world.file(&piece, None);
            return true;
        }
        _ => {
            world.review = Some(world.attest(&world.approval_statement(), &world.keys.reviewer));
            return true;
        }
    };
    world.review = Some(world.attest(&statement, &world.keys.reviewer));
    true
}

/// Who signs the agent's statement.
enum Signer {
    Agent,
    Service,
    SecondReviewer,
    Stranger,
}

fn sign(world: &mut World, signer: Signer, change: impl FnOnce(&mut AgentChange)) {
    let mut statement = world.agent_statement();
    if let Predicate::AgentChange(claim) = &mut statement.predicate {
        change(claim);
        if let Some(subject) = statement.subject[0].name.as_mut() {
            *subject = format!("git+{}", claim.change.repository.uri);
        }
    }
    let key = match signer {
        Signer::Agent => &world.keys.agent,
        Signer::Service => &world.keys.service,
        Signer::SecondReviewer => &world.keys.second_reviewer,
        Signer::Stranger => &world.keys.stranger,
    };
    world.agent = Some(world.attest(&statement, key));
    world.review = Some(world.attest(&world.approval_statement(), &world.keys.reviewer));
}

fn review(mut statement: Statement, change: impl FnOnce(&mut Review)) -> Statement {
    if let Predicate::Review(review) = &mut statement.predicate {
        change(review);
    }
    statement
}

/// Breaks the repository after the evidence was filed.
fn after_filing(defect: Defect, world: &mut World) {
    match defect {
        Defect::FileEditedAfterAttesting => {
            world.repo.write("src/lib.rs", "pub fn greet() {}\n");
            world.head = world.repo.commit("Mallory", "Small fix");
            reapprove(world);
        }
        Defect::CommitWithoutEvidence => {
            world.repo.write("src/extra.rs", "pub fn extra() {}\n");
            world.head = world.repo.commit("Mallory", "Add a file");
            reapprove(world);
        }
        Defect::PartOfChangeLanded => {
            world.pull_request = vec![world.repo.resolve("HEAD~1"), world.head.clone()];
            world.repo.branch("part", "main");
            world
                .repo
                .git(&["checkout", "--quiet", "agent/greeting", "--", "src", "infra"]);
            world.head = world.repo.commit("Mallory", "Land a part");
            let agent = world.agent.as_ref().expect("it is signed");
            world.given.push(Candidate {
                source: "agent.json".into(),
                bytes: agent.bytes.clone(),
            });
            reapprove(world);
        }
        Defect::ObjectSwappedOnDisk => {
            let blob = world.repo.git(&["rev-parse", "HEAD:src/lib.rs"]);
            let other = world.repo.git(&["rev-parse", "HEAD:README.md"]);
            world.repo.swap_object(&blob, &other);
        }
        Defect::EvidenceRefDeleted => {
            let refs = world
                .repo
                .git(&["for-each-ref", "--format=%(refname)", "refs/touchmark/"]);
            for name in refs.lines() {
                world.repo.git(&["update-ref", "-d", name]);
            }
        }
        _ => {}
    }
}

/// Signs and files an approval of what is to land now, so that only the evidence of the agent is at fault.
fn reapprove(world: &mut World) {
    let piece = world.attest(&world.approval_statement(), &world.keys.reviewer);
    world.file(&piece, None);
    world.review = Some(piece);
}
