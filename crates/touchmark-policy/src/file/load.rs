//! From bytes to a checked [`Policy`].

use std::num::NonZeroU8;

use toml::de::DeTable;
use touchmark_statement::digest::Sha256Digest;

use super::error::PolicyError;
use super::reader::{Keys, Source, Table, Value};
use super::{Contradictions, MAX_POLICY_BYTES, Policy, SelfOperatedLog, Trust, people, rules};

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
        "identity",
    ],
    unsupported: &["epoch", "rego", "break-glass", "suspects", "bot", "mode"],
};
const TRUST: Keys = Keys {
    known: &["roots", "log", "timestamps"],
    unsupported: &["witnesses"],
};
const LOG: Keys = Keys {
    known: &["inclusion", "operators", "witnesses", "self", "promise-only"],
    unsupported: &["maxAge", "max-age"],
};
const TIMESTAMPS: Keys = Keys {
    known: &["operators"],
    unsupported: &[],
};
const IDENTITY: Keys = Keys {
    known: &["contradictions"],
    unsupported: &[],
};
/// The most operators that a policy may ask for.
const MAX_OPERATORS: u8 = 16;

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
        contradictions: contradictions(&root)?,
    })
}

fn contradictions(root: &Table<'_>) -> Result<Contradictions, PolicyError> {
    let table = root.table("identity", &IDENTITY)?;
    let Some(value) = table.as_ref().and_then(|table| table.optional("contradictions")) else {
        return Ok(Contradictions::default());
    };
    let words = [("warn", Contradictions::Warn), ("deny", Contradictions::Deny)];
    value.word("\"warn\" or \"deny\"", &words)
}

fn trust(root: &Table<'_>) -> Result<Trust, PolicyError> {
    let mut trust = Trust::default();
    let Some(table) = root.table("trust", &TRUST)? else {
        return Ok(trust);
    };
    trust.roots = table.texts("roots")?;
    if let Some(timestamps) = table.table("timestamps", &TIMESTAMPS)? {
        trust.timestamps = operators(&timestamps.required("operators")?)?.get();
    }
    if let Some(log) = table.table("log", &LOG)? {
        read_log(&log, &mut trust)?;
    }
    Ok(trust)
}

fn read_log(log: &Table<'_>, trust: &mut Trust) -> Result<(), PolicyError> {
    if let Some(inclusion) = log.optional("inclusion") {
        trust.inclusion = inclusion.boolean()?;
    }
    for key in ["operators", "witnesses", "promise-only"] {
        if let Some(value) = log.optional(key).filter(|_| !trust.inclusion) {
            return Err(value.wrong("absent beside `inclusion = false`", "present", &[]));
        }
    }
    if let Some(value) = log.optional("operators") {
        trust.operators = operators(&value)?;
    }
    trust.witnesses = log.optional("witnesses").map(|value| value.text()).transpose()?;
    let words = [("allow", true), ("deny", false)];
    let allowed = |key: &str| {
        let value = log.optional(key);
        value
            .map(|value| value.word("\"allow\" or \"deny\"", &words))
            .transpose()
    };
    if allowed("self")? == Some(true) {
        trust.self_operated = SelfOperatedLog::Allow;
    }
    trust.promise_only = allowed("promise-only")?.unwrap_or(false);
    Ok(())
}

fn operators(value: &Value<'_>) -> Result<NonZeroU8, PolicyError> {
    let number = value.threshold(i64::from(MAX_OPERATORS), "from 1 to 16")?;
    let number = u8::try_from(number).ok().and_then(NonZeroU8::new);
    Ok(number.unwrap_or(NonZeroU8::MIN))
}
