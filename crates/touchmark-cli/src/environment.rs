//! The process environment, read once and only by name.
//!
//! No other module reads environment variables. What is recorded in a statement comes from the allow-list in
//! `capture/marks.rs`; the environment as a whole is never dumped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// One variable that this program reads, for `touchmark env` and for the end of `--help`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does, in one sentence.
    pub(crate) help: &'static str,
    /// Whether its value is a secret.
    pub(crate) secret: bool,
}

/// Every variable with a meaning of its own; configuration keys add `TOUCHMARK_<KEY>` (see `config::KEYS`).
pub(crate) const VARIABLES: &[Variable] = &[
    Variable {
        name: "TOUCHMARK_HOME",
        help: "folder that replaces the data and configuration folders",
        secret: false,
    },
    Variable {
        name: "XDG_CONFIG_HOME",
        help: "parent of the configuration folder",
        secret: false,
    },
    Variable {
        name: "XDG_DATA_HOME",
        help: "parent of the data folder (log, vault, spool)",
        secret: false,
    },
    Variable {
        name: "TOUCHMARK_PASSWORD",
        help: "password of the signing key",
        secret: true,
    },
    Variable {
        name: "COSIGN_PASSWORD",
        help: "password of the signing key, if TOUCHMARK_PASSWORD is not set",
        secret: true,
    },
    Variable {
        name: "SIGSTORE_ID_TOKEN",
        help: "identity token to sign with, where an identity signs",
        secret: true,
    },
    Variable {
        name: "TOUCHMARK_FULCIO_URL",
        help: "the certificate authority for identities (or SIGSTORE_FULCIO_URL); `--yes` does not agree to one chosen here",
        secret: false,
    },
    Variable {
        name: "TOUCHMARK_OIDC_ISSUER",
        help: "whom a person logs in with (or SIGSTORE_OIDC_ISSUER)",
        secret: false,
    },
    Variable {
        name: "TOUCHMARK_TIMESTAMP_URL",
        help: "the timestamp authority (or SIGSTORE_TIMESTAMP_URL)",
        secret: false,
    },
    Variable {
        name: "TOUCHMARK_REKOR_URL",
        help: "the Rekor log to publish to; its answers still need a trusted root",
        secret: false,
    },
    Variable {
        name: "SIGSTORE_REKOR_URL",
        help: "the same, if TOUCHMARK_REKOR_URL is not set",
        secret: false,
    },
    Variable {
        name: "NO_COLOR",
        help: "no colour when set to anything",
        secret: false,
    },
    Variable {
        name: "FORCE_COLOR",
        help: "colour even without a terminal",
        secret: false,
    },
    Variable {
        name: "CLICOLOR",
        help: "0 turns colour off",
        secret: false,
    },
    Variable {
        name: "CLICOLOR_FORCE",
        help: "colour even without a terminal",
        secret: false,
    },
    Variable {
        name: "CLAUDE_CONFIG_DIR",
        help: "where Claude Code keeps its sessions",
        secret: false,
    },
    Variable {
        name: "CODEX_HOME",
        help: "where Codex CLI keeps its sessions",
        secret: false,
    },
    Variable {
        name: "GEMINI_CLI_HOME",
        help: "the folder of .gemini, where Gemini CLI keeps its sessions",
        secret: false,
    },
    Variable {
        name: "COPILOT_HOME",
        help: "where Copilot CLI keeps its sessions",
        secret: false,
    },
    Variable {
        name: "OPENCODE_CONFIG_DIR",
        help: "where OpenCode keeps its plugins",
        secret: false,
    },
    Variable {
        name: "SSH_AUTH_SOCK",
        help: "socket of the ssh-agent, for --key ssh-agent:",
        secret: false,
    },
];

/// Variables that would redirect trust or a service. They are ignored, and `Context` says so.
pub(crate) const IGNORED: &[&str] = &[
    "TOUCHMARK_KEY",
    "TOUCHMARK_LOG",
    "TOUCHMARK_LOG_URL",
    "TOUCHMARK_NETWORK_CA_FILE",
    "TOUCHMARK_NETWORK_PROXY",
    "TOUCHMARK_POLICY",
    "TOUCHMARK_REDACTION_RULES",
    "TOUCHMARK_REMEMBER",
    "TOUCHMARK_SIGSTORE_AUDIENCE",
    "TOUCHMARK_SIGSTORE_FULCIO_URL",
    "TOUCHMARK_SIGSTORE_IDENTITY_TOKEN_FILE",
    "TOUCHMARK_SIGSTORE_NO_CERTIFICATE_LOG",
    "TOUCHMARK_SIGSTORE_OIDC_ISSUER",
    "TOUCHMARK_SIGSTORE_REKOR_URL",
    "TOUCHMARK_SIGSTORE_REKOR_VERSION",
    "TOUCHMARK_SIGSTORE_SIGNING_CONFIG",
    "TOUCHMARK_SIGSTORE_TIMESTAMP_URLS",
    "TOUCHMARK_SIGSTORE_TRUSTED_ROOT",
    "TOUCHMARK_TRUSTED_ROOT",
    "TOUCHMARK_TRUSTED_ROOTS",
    "TOUCHMARK_VAULT_ESCROW_KEYS",
    "TOUCHMARK_VAULT_LOCAL",
    "TOUCHMARK_VAULT_STORE",
    "TOUCHMARK_VAULT_STORE_TOKEN_FILE",
    "TOUCHMARK_WITNESS_POLICIES",
    "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
    "SIGSTORE_REKOR_PUBLIC_KEY",
    "SIGSTORE_ROOT_FILE",
    "SIGSTORE_TSA_CERTIFICATE_FILE",
];

/// Git's own switches that would point us at another repository or another object store. Reading git never looks at
/// them; `attest` and `approve` say that they were set.
pub(crate) const IGNORED_GIT: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_REPLACE_REF_BASE",
    "GIT_WORK_TREE",
];

/// A snapshot of the environment.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

impl Environment {
    /// Takes the snapshot.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where the environment is read"
    )]
    pub(crate) fn capture() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Returns this environment with `names` as they were elsewhere: set to these values, or not at all.
    pub(crate) fn with(&self, names: &[&str], values: &BTreeMap<String, String>) -> Self {
        let mut all = self.0.clone();
        for name in names {
            all.remove(OsStr::new(name));
        }
        let known = values.iter().filter(|(name, _)| names.contains(&name.as_str()));
        all.extend(known.map(|(name, value)| (name.into(), value.into())));
        Self(all)
    }

    /// Returns a variable that is set and not empty, as UTF-8; another encoding counts as unset.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).and_then(OsStr::to_str)
    }

    /// Returns a variable that is set and not empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns a variable as a path.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// Returns the variables whose names begin so, for a program that has its own use for them.
    pub(crate) fn beginning(&self, prefix: &str) -> Vec<(OsString, OsString)> {
        let begins = |name: &OsString| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        let found = self.0.iter().filter(|(name, _)| begins(name));
        found.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns those of `names` that are set.
    pub(crate) fn set_among<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names
            .iter()
            .copied()
            .filter(|name| self.raw(name).is_some())
            .collect()
    }
}
