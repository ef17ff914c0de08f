//! The claims that Fulcio writes into certificates, 1.3.6.1.4.1.57264.1.1 to .24.
//!
//! <https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>

use std::fmt;

/// Writes the list of claims once: the field, its number under 1.3.6.1.4.1.57264.1, its name and its meaning.
macro_rules! claims {
    ($($variant:ident, $field:ident, $arc:literal, $name:literal, $doc:literal;)*) => {
        /// What an issuer said of a signer, as its certificate carries it. Absent is absent, never empty.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        pub struct FulcioClaims {
            $(#[doc = $doc] pub $field: Option<String>,)*
        }

        /// The name of one claim.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Claim {
            $(#[doc = $doc] $variant,)*
        }

        impl Claim {
            /// Every claim, in the order of their numbers.
            pub const ALL: &'static [Claim] = &[$(Claim::$variant),*];

            /// Returns the last arc of the claim's object identifier.
            pub fn arc(self) -> u8 {
                match self { $(Claim::$variant => $arc,)* }
            }

            /// Returns the name of the claim as policies and messages write it.
            pub fn name(self) -> &'static str {
                match self { $(Claim::$variant => $name,)* }
            }
        }

        impl FulcioClaims {
            /// Returns the value of one claim.
            pub fn get(&self, claim: Claim) -> Option<&str> {
                match claim { $(Claim::$variant => self.$field.as_deref(),)* }
            }

            pub(crate) fn slot(&mut self, claim: Claim) -> &mut Option<String> {
                match claim { $(Claim::$variant => &mut self.$field,)* }
            }
        }
    };
}

claims! {
    IssuerV1, issuer_v1, 1, "issuer-v1", "The issuer in its old, raw form (.1).";
    GithubTrigger, github_workflow_trigger, 2, "github-workflow-trigger", "The event of a GitHub workflow, deprecated (.2).";
    GithubSha, github_workflow_sha, 3, "github-workflow-sha", "The commit of a GitHub workflow, deprecated (.3).";
    GithubName, github_workflow_name, 4, "github-workflow-name", "The name of a GitHub workflow, deprecated (.4).";
    GithubRepository, github_workflow_repository, 5, "github-workflow-repository", "The repository of a GitHub workflow, deprecated (.5).";
    GithubRef, github_workflow_ref, 6, "github-workflow-ref", "The ref of a GitHub workflow, deprecated (.6).";
    Issuer, issuer, 8, "issuer", "The issuer of the token (.8).";
    BuildSignerUri, build_signer_uri, 9, "build-signer-uri", "The build instructions that were trusted to sign (.9).";
    BuildSignerDigest, build_signer_digest, 10, "build-signer-digest", "The version of those instructions (.10).";
    RunnerEnvironment, runner_environment, 11, "runner-environment", "Whether the platform hosted the run, such as `github-hosted` (.11).";
    SourceRepositoryUri, source_repository_uri, 12, "source-repository", "The repository that was built (.12).";
    SourceRepositoryDigest, source_repository_digest, 13, "source-digest", "The commit that was built (.13).";
    SourceRepositoryRef, source_repository_ref, 14, "source-ref", "The ref that was built (.14).";
    SourceRepositoryId, source_repository_identifier, 15, "repository-id", "The immutable id of the repository (.15).";
    SourceRepositoryOwnerUri, source_repository_owner_uri, 16, "owner", "The owner of the repository (.16).";
    SourceRepositoryOwnerId, source_repository_owner_identifier, 17, "owner-id", "The immutable id of the owner (.17).";
    BuildConfigUri, build_config_uri, 18, "workflow", "The top-level build configuration, such as a workflow file at a ref (.18).";
    BuildConfigDigest, build_config_digest, 19, "workflow-digest", "The version of that configuration (.19).";
    BuildTrigger, build_trigger, 20, "trigger", "The event that began the build (.20).";
    RunInvocationUri, run_invocation_uri, 21, "run", "The run itself (.21).";
    SourceRepositoryVisibility, source_repository_visibility, 22, "visibility", "Who could see the repository when it was signed (.22).";
    DeploymentEnvironment, deployment_environment, 23, "environment", "The deployment environment of the job (.23).";
    TokenSubject, token_subject, 24, "subject", "The subject of the token (.24).";
}

impl Claim {
    /// Returns the claim with this last arc.
    pub fn from_arc(arc: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|claim| claim.arc() == arc)
    }

    /// Returns the claim with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|claim| claim.name() == name)
    }

    /// Tells whether the certificate carries the text bare, not as a DER `UTF8String` (.1 to .6).
    pub fn is_raw(self) -> bool {
        self.arc() <= 6
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FulcioClaims {
    /// Returns the claims that are there, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Claim, &str)> {
        Claim::ALL
            .iter()
            .filter_map(|claim| Some((*claim, self.get(*claim)?)))
    }

    /// Tells whether the platform itself hosted the run, as far as it says so (`github-hosted`, `gitlab-hosted`).
    pub fn is_hosted(&self) -> bool {
        matches!(
            self.runner_environment.as_deref(),
            Some("github-hosted" | "gitlab-hosted")
        )
    }
}
