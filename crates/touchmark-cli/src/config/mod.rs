//! Settings: built-in < system < user < project < environment < flag.
//!
//! Keys that carry trust (the signing key, the log, trusted roots, policies) are taken from the system's and the user's
//! own files and from flags only. A project file that sets one is refused; an environment variable that tries is
//! ignored and reported (`environment::IGNORED`). An unknown key is an error that names the nearest known one.

mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::CliError;
use crate::home::Home;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Its name in files; `TOUCHMARK_` and the name in capitals in the environment.
    pub(crate) name: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// Whether it carries trust.
    pub(crate) trust: bool,
    /// The value when nobody sets it.
    pub(crate) built_in: Option<&'static str>,
    /// What it does, in one sentence.
    pub(crate) help: &'static str,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A list of strings.
    List,
}

/// Every setting.
pub(crate) const KEYS: &[Key] = &[
    key(
        "agent",
        Kind::Text,
        false,
        None,
        "the id under which policy knows this agent",
    ),
    key(
        "keep-objects",
        Kind::Flag,
        false,
        Some("true"),
        "evidence refs keep the attested commit reachable",
    ),
    key("key", Kind::Text, true, None, "URI of the signing key"),
    key(
        "log",
        Kind::Text,
        true,
        None,
        "folder of the embedded transparency log",
    ),
    key(
        "network.ca-file",
        Kind::Text,
        true,
        None,
        "certificates that https trusts beside the system's",
    ),
    key(
        "network.proxy",
        Kind::Text,
        true,
        None,
        "the proxy to services; those of the environment are ignored",
    ),
    key(
        "owner",
        Kind::Text,
        false,
        None,
        "the team that answers for the agent",
    ),
    key(
        "policies",
        Kind::List,
        true,
        None,
        "policy files, each of which must say yes",
    ),
    key(
        "redaction-rules",
        Kind::List,
        true,
        None,
        "files of more rules for what a secret is, in gitleaks' form",
    ),
    key(
        "remember",
        Kind::Flag,
        true,
        None,
        "compare each log's checkpoint with the one seen before, and remember it",
    ),
    key(
        "sigstore.audience",
        Kind::Text,
        true,
        None,
        "the audience of identity tokens (sigstore unless set)",
    ),
    key(
        "sigstore.fulcio-url",
        Kind::Text,
        true,
        None,
        "the certificate authority to sign with an identity, in place of a key",
    ),
    key(
        "sigstore.identity-token-file",
        Kind::Text,
        true,
        None,
        "a file in which an identity token is found, if it is there",
    ),
    key(
        "sigstore.no-certificate-log",
        Kind::Flag,
        true,
        None,
        "the instance is known to have no certificate log",
    ),
    key(
        "sigstore.oidc-issuer",
        Kind::Text,
        true,
        None,
        "whom a person logs in with",
    ),
    key(
        "sigstore.rekor-url",
        Kind::Text,
        true,
        None,
        "the Rekor log to publish to, in place of the embedded one",
    ),
    key(
        "sigstore.rekor-version",
        Kind::Text,
        true,
        None,
        "what sigstore.rekor-url speaks: 1 or 2 (2 unless set)",
    ),
    key(
        "sigstore.signing-config",
        Kind::Text,
        true,
        None,
        "the Sigstore signing config that names the services to use",
    ),
    key(
        "sigstore.timestamp-urls",
        Kind::List,
        true,
        None,
        "timestamp authorities, each of which stamps what is signed",
    ),
    key(
        "sigstore.trusted-root",
        Kind::Text,
        true,
        None,
        "the Sigstore trusted root, called sigstore",
    ),
    key(
        "trusted-roots",
        Kind::List,
        true,
        None,
        "trusted roots, each NAME=FILE",
    ),
    key(
        "vault.escrow-keys",
        Kind::List,
        true,
        None,
        "public keys that records of prompts are encrypted to",
    ),
    key(
        "vault.local",
        Kind::Text,
        true,
        None,
        "keep a record here (keep), or only until it is in escrow (escrowed-only)",
    ),
    key(
        "vault.store",
        Kind::Text,
        true,
        None,
        "the folder or address that encrypted records are sent to",
    ),
    key(
        "vault.store-token-file",
        Kind::Text,
        true,
        None,
        "a file with the bearer token of vault.store, where that is an address",
    ),
    key(
        "witness-policies",
        Kind::List,
        true,
        None,
        "witness policies, each NAME=FILE",
    ),
];

const fn key(
    name: &'static str,
    kind: Kind,
    trust: bool,
    built_in: Option<&'static str>,
    help: &'static str,
) -> Key {
    Key {
        name,
        kind,
        trust,
        built_in,
        help,
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Set by nobody.
    BuiltIn,
    /// A file and the line in it.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => write!(f, "built-in"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
        }
    }
}

/// A value as the files hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A string.
    Text(String),
    /// A boolean.
    Flag(bool),
    /// A list.
    List(Vec<String>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => write!(f, "{}", items.join(", ")),
        }
    }
}

/// The settings in force, each with its origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, (Value, Origin)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Own,
    Project,
}

impl Config {
    /// Loads every layer below the flags.
    pub(crate) fn load(home: &Home, environment: &Environment, directory: &Path) -> Result<Self, CliError> {
        let mut config = Self::default();
        for key in KEYS {
            if let Some(text) = key.built_in {
                config.values.insert(
                    key.name,
                    (value_from_text(key, text, "built-in")?, Origin::BuiltIn),
                );
            }
        }
        if environment.raw("TOUCHMARK_HOME").is_none() {
            config.load_file(Path::new("/etc/touchmark/config.toml"), Layer::Own)?;
        }
        config.load_file(&home.config_file(), Layer::Own)?;
        if let Some(root) = project_root(directory) {
            config.load_file(&root.join(".touchmark/config.toml"), Layer::Project)?;
        }
        config.load_environment(environment)?;
        Ok(config)
    }

    fn load_file(&mut self, path: &Path, layer: Layer) -> Result<(), CliError> {
        for setting in file::settings(path)? {
            let origin = Origin::File {
                path: path.to_owned(),
                line: setting.line,
            };
            let key = known_key(&setting.name, &origin)?;
            if layer == Layer::Project && key.trust {
                return Err(trust_in_project(key, &origin));
            }
            let value = setting
                .value
                .filter(|value| kind_of(value) == key.kind)
                .ok_or_else(|| wrong_kind(key, &origin))?;
            // Relative file names in a configuration file are relative to that file.
            self.values
                .insert(key.name, (relative_to(key, value, path.parent()), origin));
        }
        Ok(())
    }

    fn load_environment(&mut self, environment: &Environment) -> Result<(), CliError> {
        for key in KEYS.iter().filter(|key| !key.trust) {
            let name = variable(key);
            if let Some(text) = environment.text(&name) {
                let value = value_from_text(key, text, &name)?;
                self.values.insert(key.name, (value, Origin::Environment(name)));
            }
        }
        Ok(())
    }

    /// Every key with its value and origin, if it has one.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&'static Key, Option<&(Value, Origin)>)> {
        KEYS.iter().map(|key| (key, self.values.get(key.name)))
    }

    /// Returns a key by name.
    pub(crate) fn key(name: &str) -> Result<&'static Key, CliError> {
        find_key(name).ok_or_else(|| unknown_key(name, "the command line"))
    }

    /// Returns a string setting.
    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        match self.values.get(name) {
            Some((Value::Text(text), _)) => Some(text),
            _ => None,
        }
    }

    /// Returns a boolean setting; unset is false.
    pub(crate) fn flag(&self, name: &'static str) -> bool {
        matches!(self.values.get(name), Some((Value::Flag(true), _)))
    }

    /// Returns a list setting; unset is empty.
    pub(crate) fn strings(&self, name: &'static str) -> &[String] {
        match self.values.get(name) {
            Some((Value::List(items), _)) => items,
            _ => &[],
        }
    }
}

/// Returns the environment variable of a key.
pub(crate) fn variable(key: &Key) -> String {
    format!(
        "TOUCHMARK_{}",
        key.name.to_ascii_uppercase().replace(['-', '.'], "_")
    )
}

fn find_key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

fn known_key(name: &str, origin: &Origin) -> Result<&'static Key, CliError> {
    find_key(name).ok_or_else(|| unknown_key(name, &origin.to_string()))
}

fn unknown_key(name: &str, origin: &str) -> CliError {
    let error = CliError::usage(
        "config.unknown_key",
        format!("{origin}: there is no setting {name:?}"),
    );
    match nearest(name) {
        Some(known) => error.hint(format!(
            "did you mean {known:?}? `touchmark config list` shows every setting"
        )),
        None => error.hint("`touchmark config list` shows every setting"),
    }
}

fn wrong_kind(key: &Key, origin: &Origin) -> CliError {
    let expected = match key.kind {
        Kind::Text => "a string",
        Kind::Flag => "true or false",
        Kind::List => "a list of strings",
    };
    CliError::usage(
        "config.wrong_type",
        format!("{origin}: {:?} takes {expected}", key.name),
    )
}

fn trust_in_project(key: &Key, origin: &Origin) -> CliError {
    CliError::usage("config.trust_in_project", format!("{origin}: a repository may not set {:?}", key.name)).hint(
        "this setting carries trust: set it in your own configuration file (`touchmark config path`) or by a flag, \
         and remove it from the repository",
    )
}

fn value_from_text(key: &Key, text: &str, origin: &str) -> Result<Value, CliError> {
    match (key.kind, text) {
        (Kind::Text, _) => Ok(Value::Text(text.to_owned())),
        (Kind::Flag, "true" | "1") => Ok(Value::Flag(true)),
        (Kind::Flag, "false" | "0") => Ok(Value::Flag(false)),
        (Kind::Flag, _) => Err(CliError::usage(
            "config.wrong_type",
            format!("{origin}: {:?} takes true or false", key.name),
        )),
        (Kind::List, _) => Ok(Value::List(text.split(',').map(str::to_owned).collect())),
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Text(_) => Kind::Text,
        Value::Flag(_) => Kind::Flag,
        Value::List(_) => Kind::List,
    }
}

fn relative_to(key: &Key, value: Value, folder: Option<&Path>) -> Value {
    let Some(folder) = folder else { return value };
    let joined = |text: &str| folder.join(text).to_string_lossy().into_owned();
    match value {
        Value::Text(text)
            if [
                "log",
                "network.ca-file",
                "sigstore.identity-token-file",
                "sigstore.signing-config",
                "sigstore.trusted-root",
                "vault.store-token-file",
            ]
            .contains(&key.name) =>
        {
            Value::Text(joined(&text))
        }
        Value::Text(text)
            if key.name == "key" && !is_uri(&text)
                || key.name == "vault.store" && !crate::escrow::is_address(&text) =>
        {
            Value::Text(joined(&text))
        }
        Value::List(items) if matches!(key.name, "policies" | "redaction-rules" | "vault.escrow-keys") => {
            Value::List(items.iter().map(|item| joined(item)).collect())
        }
        Value::List(items) if matches!(key.name, "trusted-roots" | "witness-policies") => Value::List(
            items
                .iter()
                .map(|item| match item.split_once('=') {
                    Some((name, file)) => format!("{name}={}", joined(file)),
                    None if touchmark_trust::built_in(item).is_some() => item.clone(),
                    None => joined(item),
                })
                .collect(),
        ),
        other => other,
    }
}

fn is_uri(text: &str) -> bool {
    ["env://", "ssh-agent:", "file:", "pkcs11:", "plugin:"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

/// The folder that holds `.git`, from `directory` upwards.
fn project_root(directory: &Path) -> Option<&Path> {
    directory
        .ancestors()
        .find(|folder| folder.join(".git").symlink_metadata().is_ok())
}

fn nearest(name: &str) -> Option<&'static str> {
    let lowered = name.to_ascii_lowercase().replace('_', "-");
    KEYS.iter()
        .map(|key| (distance(&lowered, key.name), key.name))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 3)
        .map(|(_, known)| known)
}

/// Levenshtein distance; longer names than any key are not compared.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > 64 {
        return usize::MAX;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_setting() {
        assert_eq!(nearest("trusted_root"), Some("trusted-roots"));
        assert_eq!(nearest("Agent"), Some("agent"));
        assert_eq!(nearest("onwer"), Some("owner"));
        assert_eq!(nearest("completely-different"), None);
        assert_eq!(nearest(&"x".repeat(10_000)), None);
    }

    #[test]
    fn every_trust_key_is_refused_in_the_environment_by_name() {
        for key in KEYS.iter().filter(|key| key.trust && key.name != "policies") {
            assert!(
                crate::environment::IGNORED.contains(&variable(key).as_str()),
                "{}",
                key.name
            );
        }
    }
}
