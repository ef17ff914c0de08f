//! Whom a caller expects, and whether an identity is that.
//!
//! Every text is compared byte for byte. A claim that a rule names must be there: nothing matches by being absent.

use thiserror::Error;

use super::{CertificateIdentity, Claim, TextPattern};

/// Events that run a repository's own workflow on somebody else's input. A rule must name them to accept them.
pub const DANGEROUS_TRIGGERS: [&str; 3] = ["pull_request_target", "issue_comment", "workflow_run"];

/// The identities that may have signed.
#[derive(Debug, Clone, Default)]
pub enum IdentityRules {
    /// None: certificates are not accepted.
    #[default]
    None,
    /// Whoever any of these rules describes.
    Any(Vec<IdentityRule>),
    /// Whoever has a certificate of a trusted authority. Only for callers that judge identities afterwards.
    DangerouslyAny {
        /// Why, for the record: it is repeated in the result.
        reason: String,
    },
}

impl IdentityRules {
    /// Tells whether no identity at all is accepted.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Any(rules) => rules.is_empty(),
            Self::DangerouslyAny { .. } => false,
        }
    }
}

/// One description of a signer. What is `None` or empty is not asked for, except that dangerous triggers must be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRule {
    /// The issuer.
    pub issuer: TextPattern,
    /// The subject alternative name.
    pub san: TextPattern,
    /// The immutable id of the repository (.15).
    pub repository_id: Option<String>,
    /// The URI of the repository (.12).
    pub source_repository: Option<TextPattern>,
    /// The refs that may have been built (.14, .6).
    pub refs: Vec<TextPattern>,
    /// The commit that must have been built (.13, .3).
    pub source_digest: Option<String>,
    /// The events that may have begun the build (.20, .2).
    pub triggers: Vec<String>,
    /// Whether the platform must have hosted the run (.11).
    pub hosted: bool,
    /// The top-level build configuration (.18).
    pub workflow: Option<TextPattern>,
    /// The deployment environment (.23).
    pub environment: Option<TextPattern>,
    /// Any other claims.
    pub claims: Vec<(Claim, TextPattern)>,
}

/// How an identity differs from a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the signer's {claim} is {found:?}, expected {expected}")]
pub struct IdentityMismatch {
    /// The part that differs, such as `issuer`, `san` or the name of a claim.
    pub claim: &'static str,
    /// What the rule demands.
    pub expected: String,
    /// What the certificate says; empty where it says nothing.
    pub found: String,
}

impl IdentityMismatch {
    /// Returns the stable code of this difference.
    pub fn code(&self) -> &'static str {
        match self.claim {
            "issuer" => "identity.issuer",
            "san" => "identity.san",
            "trigger" => "identity.trigger",
            "repository-id" => "identity.repository_id",
            "runner-environment" => "identity.runner_environment",
            "source-digest" => "identity.source_digest",
            _ => "identity.claim",
        }
    }

    /// Returns how far the comparison came, so that the rule that came nearest can be told.
    pub(crate) fn rank(&self) -> usize {
        match self.claim {
            "issuer" => 0,
            "san" => 1,
            _ => 2,
        }
    }
}

impl IdentityRule {
    /// Returns the rule that asks for issuer and name alone.
    pub fn new(issuer: TextPattern, san: TextPattern) -> Self {
        Self {
            issuer,
            san,
            repository_id: None,
            source_repository: None,
            refs: Vec::new(),
            source_digest: None,
            triggers: Vec::new(),
            hosted: false,
            workflow: None,
            environment: None,
            claims: Vec::new(),
        }
    }

    /// Compares an identity with the rule.
    pub fn matches(&self, identity: &CertificateIdentity) -> Result<(), IdentityMismatch> {
        let claims = &identity.claims;
        let one = |name, pattern: &TextPattern, found: &str| require(name, &[pattern], &[Some(found)]);
        one("issuer", &self.issuer, &identity.issuer)?;
        one("san", &self.san, identity.san.as_str())?;
        self.require_trigger(identity)?;
        if let Some(id) = &self.repository_id {
            let id = TextPattern::Exact(id.clone());
            let found = claims.source_repository_identifier.as_deref();
            require("repository-id", &[&id], &[found])?;
        }
        if let Some(repository) = &self.source_repository {
            let found = claims.source_repository_uri.as_deref();
            require("source-repository", &[repository], &[found])?;
        }
        if !self.refs.is_empty() {
            let found = [
                claims.source_repository_ref.as_deref(),
                claims.github_workflow_ref.as_deref(),
            ];
            require("source-ref", &self.refs.iter().collect::<Vec<_>>(), &found)?;
        }
        if let Some(digest) = &self.source_digest {
            let digest = TextPattern::Exact(digest.clone());
            let found = [
                claims.source_repository_digest.as_deref(),
                claims.github_workflow_sha.as_deref(),
            ];
            require("source-digest", &[&digest], &found)?;
        }
        if self.hosted && !claims.is_hosted() {
            return Err(IdentityMismatch {
                claim: "runner-environment",
                expected: "a runner that the platform hosts".to_owned(),
                found: claims.runner_environment.clone().unwrap_or_default(),
            });
        }
        if let Some(workflow) = &self.workflow {
            require("workflow", &[workflow], &[claims.build_config_uri.as_deref()])?;
        }
        if let Some(environment) = &self.environment {
            let found = claims.deployment_environment.as_deref();
            require("environment", &[environment], &[found])?;
        }
        for (claim, pattern) in &self.claims {
            require(claim.name(), &[pattern], &[claims.get(*claim)])?;
        }
        Ok(())
    }

    /// Both spellings of the trigger count, so that neither can hide the other.
    fn require_trigger(&self, identity: &CertificateIdentity) -> Result<(), IdentityMismatch> {
        let claims = &identity.claims;
        let found = [
            claims.build_trigger.as_deref(),
            claims.github_workflow_trigger.as_deref(),
        ];
        if !self.triggers.is_empty() {
            let expected: Vec<TextPattern> = self.triggers.iter().cloned().map(TextPattern::Exact).collect();
            return require("trigger", &expected.iter().collect::<Vec<_>>(), &found);
        }
        match found
            .into_iter()
            .flatten()
            .find(|trigger| DANGEROUS_TRIGGERS.contains(trigger))
        {
            Some(trigger) => Err(IdentityMismatch {
                claim: "trigger",
                expected: "one that cannot run on a stranger's input, or that the rule names".to_owned(),
                found: trigger.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// Every value that is there matches one of the patterns, and at least one is there.
fn require(
    claim: &'static str,
    patterns: &[&TextPattern],
    found: &[Option<&str>],
) -> Result<(), IdentityMismatch> {
    let mismatch = |found: &str| IdentityMismatch {
        claim,
        expected: patterns
            .iter()
            .map(|pattern| pattern.to_string())
            .collect::<Vec<_>>()
            .join(" or "),
        found: found.to_owned(),
    };
    if found.iter().all(Option::is_none) {
        return Err(mismatch(""));
    }
    match found
        .iter()
        .flatten()
        .find(|text| !patterns.iter().any(|pattern| pattern.matches(text)))
    {
        Some(text) => Err(mismatch(text)),
        None => Ok(()),
    }
}
