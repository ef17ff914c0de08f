//! Single defects by name. Each is built from the good case by breaking one thing, and says what the gate must answer.

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
