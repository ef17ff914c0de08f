//! Who a certificate is issued to: the subject alternative name and what the token said.

use super::der;

/// The arc of Fulcio's extensions.
pub const FULCIO_ARC: &str = "1.3.6.1.4.1.57264.1";

/// What a certificate says of its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The subject alternative name.
    pub san: San,
    /// The issuer of the token.
    pub issuer: String,
    /// The claims: the last arc of the extension and its text, `.2`–`.6` and `.9`–`.24`.
    pub claims: Vec<(u8, String)>,
}

/// A subject alternative name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum San {
    /// An e-mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// A user name, as Fulcio writes it: an `otherName` of type `.7`.
    UserName(String),
    /// A host name, which Fulcio does not write.
    Dns(String),
}

impl San {
    /// Encodes the name as a `GeneralName`.
    pub fn general_name(&self) -> Vec<u8> {
        match self {
            Self::Email(address) => der::context_primitive(1, address.as_bytes()),
            Self::Dns(host) => der::context_primitive(2, host.as_bytes()),
            Self::Uri(uri) => der::context_primitive(6, uri.as_bytes()),
            Self::UserName(name) => {
                let kind = der::oid(&format!("{FULCIO_ARC}.7"));
                der::context(0, &[kind, der::context(0, &der::utf8(name))].concat())
            }
        }
    }

    /// Returns the text of the name.
    pub fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::UserName(text) | Self::Dns(text) => text,
        }
    }
}

impl Identity {
    /// Returns a person, as an interactive issuer names one.
    pub fn email(address: &str, issuer: &str) -> Self {
        Self {
            san: San::Email(address.to_owned()),
            issuer: issuer.to_owned(),
            claims: Vec::new(),
        }
    }

    /// Returns the claim with this last arc.
    pub fn claim(&self, arc: u8) -> Option<&str> {
        self.claims
            .iter()
            .find(|(found, _)| *found == arc)
            .map(|(_, text)| text.as_str())
    }

    /// Returns the identity with a claim set, or replaced.
    pub fn with_claim(mut self, arc: u8, value: &str) -> Self {
        match self.claims.iter_mut().find(|(found, _)| *found == arc) {
            Some((_, text)) => value.clone_into(text),
            None => self.claims.push((arc, value.to_owned())),
        }
        self
    }

    /// Returns the identity with another subject alternative name.
    pub fn with_san(mut self, san: San) -> Self {
        self.san = san;
        self
    }
}

/// One run of a GitHub workflow, as its token describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubRun {
    /// The address of the forge.
    pub server: String,
    /// `owner/name`.
    pub repository: String,
    /// The number of the repository.
    pub repository_id: String,
    /// The number of the owner.
    pub owner_id: String,
    /// `public`, `private` or `internal`.
    pub visibility: String,
    /// The path of the workflow file.
    pub workflow_path: String,
    /// The workflow's name.
    pub workflow: String,
    /// The ref that the run is on.
    pub git_ref: String,
    /// The commit that the run is on.
    pub sha: String,
    /// The event that began the run.
    pub event: String,
    /// `github-hosted` or `self-hosted`.
    pub runner: String,
    /// The number of the run.
    pub run_id: String,
    /// The deployment environment, where the job names one.
    pub environment: Option<String>,
    /// The `sub` of the token, where it is not the usual one.
    pub subject: Option<String>,
}

/// GitHub's issuer of tokens.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// An interactive issuer.
pub const PERSON_ISSUER: &str = "https://accounts.example.test";

impl Default for GithubRun {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            server: text("https://github.com"),
            repository: text("acme/greeter"),
            repository_id: text("123456"),
            owner_id: text("7890"),
            visibility: text("private"),
            workflow_path: text(".github/workflows/agent.yml"),
            workflow: text("agent"),
            git_ref: text("refs/heads/main"),
            sha: text("0123456789abcdef0123456789abcdef01234567"),
            event: text("workflow_dispatch"),
            runner: text("github-hosted"),
            run_id: text("4711"),
            environment: None,
            subject: None,
        }
    }
}

impl GithubRun {
    /// Returns the `sub` of the token.
    pub fn subject(&self) -> String {
        match (&self.subject, &self.environment) {
            (Some(subject), _) => subject.clone(),
            (None, Some(environment)) => format!("repo:{}:environment:{environment}", self.repository),
            (None, None) => format!("repo:{}:ref:{}", self.repository, self.git_ref),
        }
    }

    /// Returns `owner/name/path@ref`.
    pub fn workflow_ref(&self) -> String {
        format!("{}/{}@{}", self.repository, self.workflow_path, self.git_ref)
    }

    /// Returns the identity that Fulcio certifies for the run.
    pub fn identity(&self) -> Identity {
        let at = |path: &str| format!("{}/{path}", self.server);
        let owner = self.repository.split('/').next().unwrap_or_default();
        let signer = at(&self.workflow_ref());
        let run = format!("{}/actions/runs/{}/attempts/1", self.repository, self.run_id);
        let mut claims = vec![
            (2, self.event.clone()),
            (3, self.sha.clone()),
            (4, self.workflow.clone()),
            (5, self.repository.clone()),
            (6, self.git_ref.clone()),
            (9, signer.clone()),
            (10, self.sha.clone()),
            (11, self.runner.clone()),
            (12, at(&self.repository)),
            (13, self.sha.clone()),
            (14, self.git_ref.clone()),
            (15, self.repository_id.clone()),
            (16, at(owner)),
            (17, self.owner_id.clone()),
            (18, signer.clone()),
            (19, self.sha.clone()),
            (20, self.event.clone()),
            (21, at(&run)),
            (22, self.visibility.clone()),
        ];
        claims.extend(self.environment.iter().map(|name| (23, name.clone())));
        claims.push((24, self.subject()));
        Identity {
            san: San::Uri(signer),
            issuer: GITHUB_ISSUER.to_owned(),
            claims,
        }
    }
}
