//! From bytes to a checked [`Policy`].

use toml::de::DeTable;
use touchmark_statement::digest::Sha256Digest;

use super::error::PolicyError;
use super::reader::{Keys, Source, Table};
use super::{MAX_POLICY_BYTES, Policy, SelfOperatedLog, Trust, people, rules};

const ROOT: Keys = Keys {
    known: &[
        "version",
        "serial",
        "expires",
        "trust",
        "person",
        "agent",
        "service",
        "class",
        "rule",
        "gate",
        "exception",
    ],
    unsupported: &["epoch", "rego", "break-glass", "suspects", "bot", "mode"],
};
const TRUST: Keys = Keys {
    known: &["roots", "log"],
    unsupported: &["witnesses"],
};
const LOG: Keys = Keys {
    known: &["inclusion", "self"],
    unsupported: &["witnesses", "maxAge", "max-age"],
};

pub(super) fn load(bytes: &[u8]) -> Result<Policy, PolicyError> {
    if bytes.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge {
            found: bytes.len(),
            limit: MAX_POLICY_BYTES,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| PolicyError::NotUtf8 {
        line: 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
    })?;
    if text.trim().is_empty() {
        return Err(PolicyError::Empty);
    }
    let source = Source(text);
    let root = DeTable::parse(text).map_err(|error| PolicyError::Syntax {
        line: error.span().map_or(1, |span| source.line(&span)),
        message: error.message().to_owned(),
    })?;
    let root = Table::root(source, root.get_ref(), &ROOT)?;
    let version = root.required("version")?;
    let found = version.integer()?;
    if found != 1 {
        return Err(PolicyError::Version {
            line: version.line,
            found,
        });
    }
    let principals = people::read(&root)?;
    let rules = rules::read(&root, &principals)?;
    Ok(Policy {
        digest: Sha256Digest::of(bytes),
        serial: root
            .required("serial")?
            .threshold(i64::MAX, "at least 1")?
            .unsigned_abs(),
        expires: root.optional("expires").map(|value| value.end()).transpose()?,
        trust: trust(&root)?,
        people: principals.people,
        agents: principals.agents,
        services: principals.services,
        classes: rules.classes,
        rules: rules.rules,
        merge: rules.merge,
        exceptions: rules.exceptions,
    })
}

fn trust(root: &Table<'_>) -> Result<Trust, PolicyError> {
    let mut trust = Trust {
        roots: Vec::new(),
        inclusion: true,
        self_operated: SelfOperatedLog::Deny,
    };
    let Some(table) = root.table("trust", &TRUST)? else {
        return Ok(trust);
    };
    trust.roots = table.texts("roots")?;
    let Some(log) = table.table("log", &LOG)? else {
        return Ok(trust);
    };
    if let Some(inclusion) = log.optional("inclusion") {
        trust.inclusion = inclusion.boolean()?;
    }
    if let Some(value) = log.optional("self") {
        let words = [("allow", SelfOperatedLog::Allow), ("deny", SelfOperatedLog::Deny)];
        trust.self_operated = value.word("\"allow\" or \"deny\"", &words)?;
    }
    Ok(trust)
}
