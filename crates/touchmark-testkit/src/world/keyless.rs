//! The same case signed with certificates: the agent is a workflow's run, the reviewer a person with an address.

use touchmark_sign::attestation;
use touchmark_statement::statement::Statement;
use touchmark_verify::evidence::{EvidenceId, SignerId};
use touchmark_verify::identity::{CertificateIdentity, SubjectAlternativeName};

use super::{Piece, SignerEntries, World};
use crate::sigstore::{
    GITHUB_ISSUER, GithubRun, Identity, Instance, InstanceOptions, LogKind, PERSON_ISSUER, San, Signing,
};

/// Who signs with certificates, and how the policy names them.
#[derive(Debug)]
pub struct Keyless {
    /// The Sigstore that everybody uses; one with a defect makes every piece of evidence wrong.
    pub instance: Instance,
    /// The run that signs as the agent. Where its commit is empty, it is that of the change's base.
    pub agent: GithubRun,
    /// Who signs as the reviewer.
    pub reviewer: Identity,
    /// The log.
    pub log: LogKind,
    /// The policy's entry for the agent's signer.
    pub agent_signer: String,
    /// The policy's entry for the reviewer's signer.
    pub reviewer_signer: String,
}

impl Default for Keyless {
    fn default() -> Self {
        let agent = GithubRun {
            server: "https://example.test".to_owned(),
            sha: String::new(),
            ..GithubRun::default()
        };
        let reviewer = Identity::email("alice@example.test", PERSON_ISSUER);
        Self {
            instance: Instance::new(1, InstanceOptions::default()),
            agent_signer: format!(
                "{{ issuer = \"{GITHUB_ISSUER}\", san = \"{}\", repository-id = \"{}\", \
                 triggers = [\"workflow_dispatch\"], runner = \"hosted\", isolated = true }}",
                agent.identity().san.text(),
                agent.repository_id,
            ),
            reviewer_signer: format!(
                "{{ issuer = \"{PERSON_ISSUER}\", san = \"{}\", presence = true }}",
                reviewer.san.text(),
            ),
            agent,
            reviewer,
            log: LogKind::V2,
        }
    }
}

impl Keyless {
    pub(super) fn signers(&self) -> SignerEntries {
        SignerEntries {
            agent: self.agent_signer.clone(),
            reviewer: self.reviewer_signer.clone(),
        }
    }
}

impl World {
    /// Returns the good case, signed with certificates: the change is allowed.
    pub fn keyless() -> Self {
        Self::keyless_with(|_| {})
    }

    /// Returns the case signed with certificates, with one thing changed in who signs or in what policy says of them.
    pub fn keyless_with(change: impl FnOnce(&mut Keyless)) -> Self {
        let mut keyless = Keyless::default();
        change(&mut keyless);
        let mut world = Self::prepared(Some(keyless));
        world.sign_all();
        world.file_all();
        world
    }

    /// Signs a statement with a certificate, logs it and builds its bundle.
    ///
    /// # Panics
    ///
    /// Where the world is one of keys.
    pub fn attest_as(&self, statement: &Statement, identity: &Identity) -> Piece {
        let keyless = self.keyless.as_ref().expect("a world of certificates");
        let prepared = attestation::prepare(statement).expect("a good statement");
        let signing = Signing::keyless(identity.clone()).log(keyless.log);
        let signed = keyless.instance.sign_statement(&signing, prepared.payload());
        Piece {
            evidence_id: EvidenceId {
                payload: prepared.payload_digest(),
                signer: SignerId::of_identity(&certified(identity)),
            },
            bundle: signed.bundle(),
            bytes: signed.bytes(),
        }
    }

    pub(super) fn sign_keyless(&mut self) {
        let keyless = self.keyless.as_ref().expect("a world of certificates");
        let mut run = keyless.agent.clone();
        if run.sha.is_empty() {
            self.base.as_str().clone_into(&mut run.sha);
        }
        let reviewer = keyless.reviewer.clone();
        self.agent = Some(self.attest_as(&self.agent_statement(), &run.identity()));
        self.review = Some(self.attest_as(&self.approval_statement(), &reviewer));
    }
}

/// Returns the identity as the verifier will read it, without its claims.
fn certified(identity: &Identity) -> CertificateIdentity {
    let text = identity.san.text().to_owned();
    let san = match identity.san {
        San::Email(_) => SubjectAlternativeName::Email(text),
        San::UserName(_) => SubjectAlternativeName::OtherName(text),
        San::Uri(_) | San::Dns(_) => SubjectAlternativeName::Uri(text),
    };
    CertificateIdentity::new(san, identity.issuer.clone())
}
