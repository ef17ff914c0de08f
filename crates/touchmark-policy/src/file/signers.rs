//! Reads `signers`: keys, and identities that certificates carry.

use std::collections::BTreeMap;

use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::identity::{CertificateIdentity, Claim, IdentityMismatch, IdentityRule, TextPattern};
use touchmark_verify::key::KeyFingerprint;

use super::error::PolicyError;
use super::overlap::Comparison;
use super::reader::{Keys, Table, Value, nearest};

/// The most expressions in one policy: each may take a megabyte once compiled.
const MAX_EXPRESSIONS: usize = 256;

/// What only the identity of a CI run has.
const RUN_KEYS: &[&str] = &[
    "repository",
    "repository-id",
    "owner-id",
    "refs",
    "triggers",
    "runner",
    "workflow",
    "environment",
];
/// What may stand beside `issuer`.
const IDENTITY_KEYS: &[&str] = &joined::<11>(&[&["san", "san-regexp", "claims"], RUN_KEYS]);
const SIGNER_KEYS: &[&str] = &joined::<15>(&[&["key", "issuer", "from", "until"], IDENTITY_KEYS]);
const UNSUPPORTED: &[&str] = &["forge", "login"];
pub(super) const PERSON_SIGNER: Keys = Keys {
    known: &joined::<16>(&[SIGNER_KEYS, &["presence"]]),
    unsupported: UNSUPPORTED,
};
pub(super) const AGENT_SIGNER: Keys = Keys {
    known: &joined::<16>(&[SIGNER_KEYS, &["isolated"]]),
    unsupported: UNSUPPORTED,
};
pub(super) const SERVICE_SIGNER: Keys = Keys {
    known: SIGNER_KEYS,
    unsupported: UNSUPPORTED,
};

/// Joins lists of keys; a wrong number of them does not compile.
const fn joined<const COUNT: usize>(lists: &[&[&'static str]]) -> [&'static str; COUNT] {
    let mut all = [""; COUNT];
    let (mut list, mut at) = (0, 0);
    while list < lists.len() {
        let mut key = 0;
        while key < lists[list].len() {
            all[at] = lists[list][key];
            at += 1;
            key += 1;
        }
        list += 1;
    }
    assert!(at == COUNT);
    all
}

/// One way in which a principal signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// What it signs with.
    pub with: SignsWith,
    /// It is good from this time.
    pub from: Option<Timestamp>,
    /// It is good before this time.
    pub until: Option<Timestamp>,
    /// People: each signature takes an act of the person (touch, PIN, a login).
    pub presence: bool,
    /// Agents: the key, or the token, is out of the agent's reach.
    pub isolated: bool,
}

/// What a principal signs with. A key never stands in for an identity, nor the reverse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignsWith {
    /// A key, by the sha256 of its SPKI DER.
    Key(KeyFingerprint),
    /// A certificate for an identity that an issuer vouched for.
    Identity(Box<IdentityRule>),
}

impl Signer {
    /// Returns the key, where it is one.
    pub fn key(&self) -> Option<&KeyFingerprint> {
        match &self.with {
            SignsWith::Key(key) => Some(key),
            SignsWith::Identity(_) => None,
        }
    }

    /// Returns the identity, where it is one.
    pub fn identity(&self) -> Option<&IdentityRule> {
        match &self.with {
            SignsWith::Key(_) => None,
            SignsWith::Identity(rule) => Some(rule),
        }
    }

    /// Compares a certificate with the identity. A key matches no certificate.
    pub(crate) fn accepts(&self, identity: &CertificateIdentity) -> Option<Result<(), IdentityMismatch>> {
        self.identity().map(|rule| rule.matches(identity))
    }

    /// Returns whether the signer is good at a time.
    pub(crate) fn is_good_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// Signers met so far, over all kinds of principals.
#[derive(Default)]
pub(super) struct Signers {
    keys: BTreeMap<KeyFingerprint, String>,
    identities: Vec<Known>,
    comparison: Comparison,
    expressions: usize,
}

struct Known {
    principal: String,
    is_person: bool,
    rule: IdentityRule,
    presence: bool,
    isolated: bool,
}

impl Signers {
    /// Reads the signers of one principal.
    pub(super) fn read(
        &mut self,
        table: &Table<'_>,
        id: &str,
        keys: &Keys,
        is_person: bool,
    ) -> Result<Vec<Signer>, PolicyError> {
        let entries = table.tables("signers", keys)?;
        entries
            .iter()
            .map(|entry| self.signer(entry, id, keys, is_person))
            .collect()
    }

    fn signer(
        &mut self,
        entry: &Table<'_>,
        id: &str,
        keys: &Keys,
        is_person: bool,
    ) -> Result<Signer, PolicyError> {
        let presence = entry.boolean_if_known("presence", keys)?;
        let isolated = entry.boolean_if_known("isolated", keys)?;
        let with = match (entry.optional("key"), entry.optional("issuer")) {
            (Some(_), Some(issuer)) => return Err(beside_a_key(&issuer)),
            (Some(key), None) => {
                if let Some(other) = IDENTITY_KEYS.iter().find_map(|key| entry.optional(key)) {
                    return Err(beside_a_key(&other));
                }
                SignsWith::Key(self.key(&key, id)?)
            }
            (None, Some(issuer)) => {
                let run_key = RUN_KEYS.iter().find_map(|key| entry.optional(key));
                if let Some(other) = run_key.filter(|_| presence) {
                    let expected =
                        "absent beside `presence = true`: the identity of a CI run is no act of a person";
                    return Err(other.wrong(expected, "present", &[]));
                }
                let rule = rule(entry, &issuer)?;
                self.count_expressions(&rule, &issuer)?;
                let known = Known {
                    principal: id.to_owned(),
                    is_person,
                    rule: rule.clone(),
                    presence,
                    isolated,
                };
                self.identity(known, entry.line())?;
                SignsWith::Identity(Box::new(rule))
            }
            (None, None) => {
                return Err(PolicyError::MissingKey {
                    line: entry.line(),
                    key: entry.name("key` or `issuer"),
                });
            }
        };
        Ok(Signer {
            with,
            from: entry.optional("from").map(|value| value.start()).transpose()?,
            until: entry.optional("until").map(|value| value.end()).transpose()?,
            presence,
            isolated,
        })
    }

    fn count_expressions(&mut self, rule: &IdentityRule, place: &Value<'_>) -> Result<(), PolicyError> {
        let patterns = rule.refs.iter().chain([&rule.san]);
        self.expressions += patterns
            .filter(|pattern| matches!(pattern, TextPattern::Regexp(_)))
            .count();
        match self.expressions > MAX_EXPRESSIONS {
            true => Err(place.wrong(
                "one of at most 256 expressions and patterns of refs in a policy",
                "one more",
                &[],
            )),
            false => Ok(()),
        }
    }

    fn key(&mut self, value: &Value<'_>, id: &str) -> Result<KeyFingerprint, PolicyError> {
        let text = value.text()?;
        let key: KeyFingerprint = text.parse().map_err(|_| {
            value.wrong(
                "`sha256:` and 64 lowercase hex digits (of the key's SPKI DER)",
                &text,
                &[],
            )
        })?;
        match self.keys.insert(key, id.to_owned()) {
            Some(first) => Err(PolicyError::AmbiguousSigner {
                line: value.line,
                key: text,
                first,
                second: id.to_owned(),
            }),
            None => Ok(key),
        }
    }

    /// Refuses an identity that could be one known already. Within one principal it may, unless the two would count for
    /// different things.
    fn identity(&mut self, new: Known, line: usize) -> Result<(), PolicyError> {
        for known in &self.identities {
            let same = known.principal == new.principal;
            let agree = known.presence == new.presence && known.isolated == new.isolated;
            if same && agree {
                continue;
            }
            let one_mailbox =
                !same && known.is_person && new.is_person && same_mailbox(&known.rule, &new.rule);
            if one_mailbox || self.comparison.may_overlap(&known.rule, &new.rule) {
                return Err(PolicyError::OverlappingSigners {
                    line,
                    signer: format!("{} of {}", new.rule.san, new.rule.issuer),
                    other: format!("{} of {}", known.rule.san, known.rule.issuer),
                    first: known.principal.clone(),
                    second: new.principal,
                });
            }
        }
        self.identities.push(new);
        Ok(())
    }
}

/// One mailbox is one person, whichever issuer vouches for it.
fn same_mailbox(a: &IdentityRule, b: &IdentityRule) -> bool {
    match (&a.san, &b.san) {
        (TextPattern::Exact(a), TextPattern::Exact(b)) => a.contains('@') && a.eq_ignore_ascii_case(b),
        (TextPattern::Exact(address), pattern) | (pattern, TextPattern::Exact(address)) => {
            address.contains('@')
                && (pattern.matches(address) || pattern.matches(&address.to_ascii_lowercase()))
        }
        _ => false,
    }
}

fn beside_a_key(value: &Value<'_>) -> PolicyError {
    value.wrong(
        "absent beside `key`: a signer is a key or an identity",
        "present",
        &[],
    )
}

fn rule(entry: &Table<'_>, issuer: &Value<'_>) -> Result<IdentityRule, PolicyError> {
    let san = match (entry.optional("san"), entry.optional("san-regexp")) {
        (Some(san), None) => exact(&san)?,
        (None, Some(regexp)) => {
            let text = regexp.text()?;
            TextPattern::regexp(&text).map_err(|source| regexp.pattern(source))?
        }
        (Some(_), Some(regexp)) => return Err(regexp.wrong("absent beside `san`", "present", &[])),
        (None, None) => {
            return Err(PolicyError::MissingKey {
                line: entry.line(),
                key: entry.name("san` or `san-regexp"),
            });
        }
    };
    let optional = |key: &str| entry.optional(key).map(|value| exact(&value)).transpose();
    let mut rule = IdentityRule::new(exact(issuer)?, san);
    rule.repository_id = entry
        .optional("repository-id")
        .map(|id| number(&id))
        .transpose()?;
    rule.source_repository = optional("repository")?;
    rule.workflow = optional("workflow")?;
    rule.environment = optional("environment")?;
    if let Some(owner) = entry.optional("owner-id") {
        let id = TextPattern::Exact(number(&owner)?);
        rule.claims.push((Claim::SourceRepositoryOwnerId, id));
    }
    if let Some(runner) = entry.optional("runner") {
        match runner.word(
            "\"hosted\" or \"self-hosted\"",
            &[("hosted", true), ("self-hosted", false)],
        )? {
            true => rule.hosted = true,
            false => {
                let found = TextPattern::Exact("self-hosted".to_owned());
                rule.claims.push((Claim::RunnerEnvironment, found));
            }
        }
    }
    if let Some(triggers) = entry.optional("triggers") {
        rule.triggers = triggers
            .list()?
            .iter()
            .map(Value::text)
            .collect::<Result<_, _>>()?;
        if rule.triggers.is_empty() {
            return Err(triggers.wrong("at least one trigger", "[]", &[]));
        }
    }
    if let Some(claims) = entry.optional("claims") {
        for (name, value) in claims.named_values()? {
            let claim = Claim::from_name(&name).ok_or_else(|| {
                let names = Claim::ALL.iter().map(|claim| claim.name());
                PolicyError::UnknownKey {
                    line: value.line,
                    key: value.key.clone(),
                    suggestion: nearest(&name, names),
                }
            })?;
            rule.claims.push((claim, exact(&value)?));
        }
    }
    for glob in entry.globs("refs")?.unwrap_or_default() {
        let value = entry.required("refs")?;
        rule.refs
            .push(glob.to_text_pattern().map_err(|source| value.pattern(source))?);
    }
    Ok(rule)
}

fn exact(value: &Value<'_>) -> Result<TextPattern, PolicyError> {
    TextPattern::exact(value.text()?).map_err(|source| value.pattern(source))
}

/// An immutable id of a forge: a number, as text.
fn number(value: &Value<'_>) -> Result<String, PolicyError> {
    let text = value.text()?;
    if text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text);
    }
    Err(value.wrong("the forge's number, as a text of digits", &text, &[]))
}
