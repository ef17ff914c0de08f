//! Single defects by name. Each is built from the good case by breaking one thing, and says what the gate must answer.

use serde_json::{Value, json};
use touchmark_policy::Candidate;
use touchmark_statement::agent_change::{AgentChange, Prompt};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::{Review, ReviewDecision};
use touchmark_statement::statement::Statement;
use touchmark_statement::timestamp::Timestamp;

use super::edit::{decode, encode, flip};
use super::{POLICY_PATH, Piece, TARGET_REF, World};
use crate::statement::{ChangeClaim, approval};

/// What the gate must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The code that must be among the reasons.
    pub code: &'static str,
    /// The exit code of the verdict.
    pub exit: u8,
}

/// Defines the defects: name, what is broken, the code that the gate must give, its exit code.
macro_rules! defects {
    ($($(#[doc = $doc:literal])+ $name:ident => $code:literal, $exit:literal;)+) => {
        /// A single defect of the good case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Defect {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Defect {
            /// Every defect.
            pub const ALL: &'static [Defect] = &[$(Defect::$name,)+];

            /// Returns the defect's name.
            pub fn name(self) -> &'static str {
                match self { $(Defect::$name => stringify!($name),)+ }
            }

            /// Returns what the gate must answer.
            pub fn expected(self) -> Expected {
                match self { $(Defect::$name => Expected { code: $code, exit: $exit },)+ }
            }
        }
    };
}

defects! {
    /// A file was edited in a later commit, by nobody who says so.
    FileEditedAfterAttesting => "accounted.residual", 10;
    /// A later commit adds a file, and no evidence speaks of it.
    CommitWithoutEvidence => "accounted.residual", 10;
    /// The agent's statement is signed with a key that the policy does not know.
    UnregisteredKey => "signer.not_expected", 11;
    /// A service's key signs the agent's statement.
    ServiceSignsAgentChange => "identity.role", 11;
    /// A person's key signs the agent's statement.
    PersonSignsAgentChange => "identity.role", 11;
    /// The agent signs the approval itself.
    AgentApprovesItself => "identity.role", 11;
    /// The statement names another agent than the one whose key signs it.
    OtherAgentNamed => "agent.id_mismatch", 11;
    /// The approval is about the tree before the last commit.
    ApprovalOfEarlierTree => "approval.not_bound", 11;
    /// The approval is about another branch.
    ApprovalForOtherBranch => "approval.not_bound", 11;
    /// The approval does not name the agent's statement.
    ApprovalShownNothing => "approval.evidence_incomplete", 11;
    /// The approval has lapsed.
    ApprovalExpired => "approval.expired", 10;
    /// There is no approval.
    ApprovalMissing => "policy.rule.infrastructure-needs-a-person", 14;
    /// A second person rejects the change.
    Rejected => "approval.rejected", 12;
    /// Only a part of the attested change is to land.
    PartOfChangeLanded => "accounted.residual", 10;
    /// The change also loosens the policy.
    PolicyLoosenedInChange => "agent.policy_path", 12;
    /// A blob of the change holds other bytes on disk than its id says: nothing that names it can be checked.
    ObjectSwappedOnDisk => "binding.object_unreadable", 11;
    /// The statement is about another repository with the same commits.
    EvidenceOfOtherRepository => "binding.repository_mismatch", 11;
    /// The refs that held the evidence are gone.
    EvidenceRefDeleted => "accounted.residual", 10;
    /// The statement's digest of a changed file is another.
    PathDigestWrong => "binding.paths_mismatch", 11;
    /// The statement leaves one changed file out.
    PathLeftOut => "binding.paths_mismatch", 11;
    /// The statement gives the proposed commit another tree.
    TreeMismatch => "binding.tree_mismatch", 11;
    /// The transcript was cut inside its last record.
    TranscriptCut => "agent.transcript_missing", 10;
    /// The statement commits to no prompt.
    PromptMissing => "agent.prompt_missing", 10;
    /// The statement holds a plain digest of the prompt, which can be guessed, and no commitment.
    PromptUnsalted => "agent.prompt_unsalted", 11;
    /// A model took part that the policy does not allow.
    ModelNotAllowed => "agent.model", 12;
    /// The product's version is older than the policy allows.
    ProductTooOld => "agent.product", 12;
    /// The agent worked on a branch that is not its own.
    RefOutsideScope => "agent.ref", 12;
    /// The agent changed a path that it may not touch.
    PathOutsideScope => "agent.path", 12;
    /// The policy asks for a log that is not run by the signer, and nobody is named as its operator.
    SelfOperatedLog => "tlog.self_operated", 10;
    /// The trusted root holds another log.
    LogUnknown => "tlog.log_unknown", 11;
    /// The log entry is that of another statement of the same signer.
    LogEntrySpliced => "tlog.digest_mismatch", 11;
    /// The log entry is that of the approval.
    LogEntryOfOtherSigner => "tlog.verifier_mismatch", 11;
    /// The log entry is absent.
    LogEntryMissing => "tlog.entry_missing", 10;
    /// The log entry stands there twice.
    LogEntryTwice => "tlog.duplicate_entry", 11;
    /// The inclusion proof is absent.
    ProofMissing => "bundle.proof_missing", 11;
    /// One hash of the inclusion proof is changed.
    ProofAltered => "tlog.root_mismatch", 11;
    /// The inclusion proof has a hash too many.
    ProofTooLong => "tlog.proof_length", 11;
    /// The inclusion proof has a hash too few.
    ProofTooShort => "tlog.proof_length", 11;
    /// The checkpoint states another root.
    CheckpointAltered => "tlog.note_signature", 11;
    /// The checkpoint has no signature.
    CheckpointUnsigned => "tlog.note_structure", 11;
    /// The entry's body is written with white space.
    EntryBodyNotCanonical => "tlog.entry_not_canonical", 11;
    /// The entry is of another kind.
    EntryKindUnknown => "tlog.entry_kind", 11;
    /// The envelope's payload type was changed.
    PayloadTypeChanged => "envelope.payload_type", 11;
    /// The payload type is written in upper case.
    PayloadTypeUpperCase => "envelope.payload_type", 11;
    /// A byte of the payload was changed.
    PayloadChanged => "signature.invalid", 11;
    /// A byte of the signature was changed.
    SignatureChanged => "signature.invalid", 11;
    /// The envelope has a second signature.
    TwoSignatures => "bundle.signature_count", 11;
    /// The envelope has no signature.
    NoSignature => "bundle.signature_count", 11;
    /// The envelope's keyid names another key than the verification material.
    KeyidMismatch => "signer.hint_mismatch", 11;
    /// The bundle holds a message signature as well.
    TwoContents => "bundle.two_contents", 11;
    /// The bundle's media type is unknown.
    MediaTypeUnknown => "bundle.media_type", 11;
    /// A key stands in an object twice.
    DuplicateKey => "json.duplicate_key", 11;
    /// A key stands in an object twice, once with an escape.
    DuplicateKeyByEscape => "json.duplicate_key", 11;
    /// The bundle begins with a byte order mark.
    ByteOrderMark => "json.byte_order_mark", 11;
    /// A second document follows the bundle.
    TrailingDocument => "json.trailing_data", 11;
    /// The envelope is an array.
    ArrayForEnvelope => "json.array_for_object", 11;
    /// A base64 value has a line feed in it.
    Base64WithLineFeed => "bundle.base64", 11;
    /// The bundle is nested ten thousand deep.
    DeeplyNested => "json.too_deep", 11;
}

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
    let shown = [agent.signed.payload_digest()];
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

/// Breaks the agent's bundle, or what it is verified against.
fn after_signing(defect: Defect, world: &mut World) {
    match defect {
        Defect::SelfOperatedLog => world.trusted_root = world.log.trusted_root_json(),
        Defect::LogUnknown => {
            let other = touchmark_log::Log::create(&world.path().join("other-log"), "other.example.test")
                .expect("a new log");
            world.trusted_root = super::with_operator(&other.trusted_root_json());
        }
        Defect::LogEntrySpliced => {
            let mut statement = world.agent_statement();
            if let Predicate::AgentChange(claim) = &mut statement.predicate {
                claim.run.sequence = 1;
            }
            let other = world.attest(&statement, &world.keys.agent);
            splice(agent(world), &other);
        }
        Defect::LogEntryOfOtherSigner => {
            let other = world.review.clone().expect("it is signed");
            splice(agent(world), &other);
        }
        Defect::ProofAltered | Defect::ProofTooShort => {
            // The proof of the first of two entries holds one hash, that of the second.
            let entry = world.log.get(0).expect("the first entry");
            let piece = agent(world);
            piece.bundle.tlog_entries = vec![entry];
            piece.bytes = piece.bundle.encode();
            break_bundle(defect, piece);
        }
        _ => break_bundle(defect, agent(world)),
    }
    std::fs::write(world.trusted_root_path(), &world.trusted_root).expect("the root can be written");
}

fn agent(world: &mut World) -> &mut Piece {
    world.agent.as_mut().expect("it is signed")
}

/// Gives a bundle the log entry of another one.
fn splice(piece: &mut Piece, other: &Piece) {
    piece.bundle.tlog_entries.clone_from(&other.bundle.tlog_entries);
    piece.bytes = piece.bundle.encode();
}

fn break_bundle(defect: Defect, piece: &mut Piece) {
    match defect {
        Defect::LogEntryMissing => {
            piece.edit(|bundle| bundle["verificationMaterial"]["tlogEntries"] = json!([]))
        }
        Defect::LogEntryTwice => piece.edit(|bundle| {
            let entry = entry(bundle).clone();
            bundle["verificationMaterial"]["tlogEntries"] = json!([entry, entry]);
        }),
        Defect::ProofMissing => piece.edit(|bundle| drop(fields(entry(bundle)).remove("inclusionProof"))),
        Defect::ProofAltered => {
            piece.edit(|bundle| flip(&mut entry(bundle)["inclusionProof"]["hashes"][0], 0))
        }
        Defect::ProofTooLong => piece.edit(|bundle| {
            let hashes = &mut entry(bundle)["inclusionProof"]["hashes"];
            let mut longer = hashes.as_array().cloned().unwrap_or_default();
            longer.push(encode(&[9; 32]));
            *hashes = longer.into();
        }),
        Defect::ProofTooShort => piece.edit(|bundle| entry(bundle)["inclusionProof"]["hashes"] = json!([])),
        Defect::CheckpointAltered => piece.edit(|bundle| {
            let envelope = checkpoint(bundle);
            let mut lines: Vec<String> = envelope
                .as_str()
                .unwrap_or_default()
                .split('\n')
                .map(str::to_owned)
                .collect();
            let mut root: Value = lines[2].clone().into();
            flip(&mut root, 0);
            lines[2] = root.as_str().unwrap_or_default().to_owned();
            *envelope = lines.join("\n").into();
        }),
        Defect::CheckpointUnsigned => piece.edit(|bundle| {
            let envelope = checkpoint(bundle);
            let text = envelope.as_str().unwrap_or_default();
            *envelope = text[..text.find("\u{2014}").expect("it is signed")].into();
        }),
        Defect::EntryBodyNotCanonical => piece.edit(|bundle| {
            let body = &mut entry(bundle)["canonicalizedBody"];
            let text = String::from_utf8(decode(body)).expect("JSON");
            *body = encode(text.replacen(':', ": ", 1).as_bytes());
        }),
        Defect::EntryKindUnknown => {
            piece.edit(|bundle| entry(bundle)["kindVersion"]["version"] = "0.0.9".into())
        }
        Defect::MediaTypeUnknown => piece.edit(|bundle| bundle["mediaType"] = "application/json".into()),
        Defect::TwoContents => {
            piece.edit(|bundle| bundle["messageSignature"] = json!({"signature": encode(b"x")}))
        }
        _ => break_envelope(defect, piece),
    }
}

fn break_envelope(defect: Defect, piece: &mut Piece) {
    let envelope = |bundle: &mut Value, change: &dyn Fn(&mut Value)| change(&mut bundle["dsseEnvelope"]);
    match defect {
        Defect::PayloadTypeChanged => {
            piece.edit(|b| envelope(b, &|e| e["payloadType"] = "application/json".into()))
        }
        Defect::PayloadTypeUpperCase => {
            piece.edit(|b| envelope(b, &|e| e["payloadType"] = "application/vnd.in-toto+JSON".into()));
        }
        Defect::PayloadChanged => piece.edit(|b| {
            envelope(b, &|e| {
                let text = String::from_utf8(decode(&e["payload"])).expect("JSON");
                e["payload"] = encode(text.replacen("claude-code", "claude-cod3", 1).as_bytes());
            });
        }),
        // The last byte of the DER form is the last of s.
        Defect::SignatureChanged => piece.edit(|b| {
            envelope(b, &|e| {
                let signature = &mut e["signatures"][0]["sig"];
                let last = decode(signature).len() - 1;
                flip(signature, last);
            });
        }),
        Defect::TwoSignatures => piece.edit(|b| {
            envelope(b, &|e| {
                let signature = e["signatures"][0].clone();
                e["signatures"] = json!([signature, signature]);
            });
        }),
        Defect::NoSignature => piece.edit(|b| envelope(b, &|e| e["signatures"] = json!([]))),
        Defect::KeyidMismatch => {
            piece.edit(|b| envelope(b, &|e| e["signatures"][0]["keyid"] = "someone".into()))
        }
        Defect::ArrayForEnvelope => piece.edit(|b| {
            envelope(b, &|e| {
                *e = json!([e["payload"], e["payloadType"], e["signatures"]])
            });
        }),
        Defect::DuplicateKey => piece.replace("\"dsseEnvelope\":", "\"mediaType\":\"x\",\"dsseEnvelope\":"),
        Defect::DuplicateKeyByEscape => piece.replace("\"payload\":", "\"p\\u0061yload\":\"\",\"payload\":"),
        Defect::ByteOrderMark => piece.bytes.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        Defect::TrailingDocument => piece.bytes.extend_from_slice(b"\n{}"),
        Defect::Base64WithLineFeed => piece.edit(|b| {
            envelope(b, &|e| {
                let text = e["payload"].as_str().expect("base64").to_owned();
                e["payload"] = format!("{}\n{}", &text[..40], &text[40..]).into();
            });
        }),
        Defect::DeeplyNested => {
            let nested = format!(
                "\"x\":{}{},\"dsseEnvelope\":",
                "[".repeat(10_000),
                "]".repeat(10_000)
            );
            piece.replace("\"dsseEnvelope\":", &nested);
        }
        _ => {}
    }
}

fn fields(value: &mut Value) -> &mut serde_json::Map<String, Value> {
    value.as_object_mut().expect("an object")
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn checkpoint(bundle: &mut Value) -> &mut Value {
    &mut entry(bundle)["inclusionProof"]["checkpoint"]["envelope"]
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
