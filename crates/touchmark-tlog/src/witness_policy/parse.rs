//! From the text of a witness policy to the policy, line by line.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    MAX_POLICY_BYTES, MAX_POLICY_ITEMS, MAX_POLICY_TEXT, Member, PolicyError, PolicyGroup, PolicyLog,
    PolicyWitness, Threshold, WitnessPolicy,
};

/// The longest key text: an ML-DSA-44 key in base64 with its name.
const MAX_KEY_TEXT: usize = 4096;
const NONE: &str = "none";

pub(super) fn parse(text: &[u8]) -> Result<WitnessPolicy, PolicyError> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge { found: text.len() });
    }
    let text = std::str::from_utf8(text).map_err(|_| PolicyError::Text)?;
    let control = |byte: u8| byte < 0x20 && byte != b'\t' && byte != b'\n' || byte == 0x7f;
    if text.bytes().any(control) || !text.ends_with('\n') {
        return Err(PolicyError::Text);
    }
    let mut reader = Reader::default();
    for (at, line) in text.split_terminator('\n').enumerate() {
        // Whitespace is spaces and tabs only; other Unicode spaces are part of names.
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.first() {
            Some(first) if !first.starts_with('#') => reader.line(at + 1, &words)?,
            _ => {}
        }
    }
    match reader.quorums {
        1 => Ok(reader.policy),
        found => Err(PolicyError::Quorum { found }),
    }
}

/// The policy so far, and what its names stand for.
struct Reader<'t> {
    policy: WitnessPolicy,
    names: BTreeMap<&'t str, Member>,
    /// Every name that is a member already: each counts in one way only.
    members: BTreeSet<Member>,
    quorums: usize,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Self {
            policy: WitnessPolicy {
                logs: Vec::new(),
                witnesses: Vec::new(),
                groups: Vec::new(),
                quorum: None,
            },
            names: BTreeMap::new(),
            members: BTreeSet::new(),
            quorums: 0,
        }
    }
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: usize, words: &[&'t str]) -> Result<(), PolicyError> {
        match words {
            ["log", key] => self.log(line, key, None),
            ["log", key, url] => self.log(line, key, Some(url)),
            ["witness", name, key] => self.witness(line, name, key, None),
            ["witness", name, key, url] => self.witness(line, name, key, Some(url)),
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(line, name, threshold, members)
            }
            ["quorum", name] => self.quorum(line, name),
            _ => Err(PolicyError::Line { line }),
        }
    }

    fn log(&mut self, line: usize, key: &str, url: Option<&&str>) -> Result<(), PolicyError> {
        let room = self.policy.logs.len() < MAX_POLICY_ITEMS && key.len() <= MAX_KEY_TEXT;
        let url = bounded(line, room, url)?;
        let key = key
            .parse()
            .map_err(|source| PolicyError::LogKey { line, source })?;
        let log = PolicyLog { key, url };
        let same = |other: &PolicyLog| other.key.spki_der() == log.key.spki_der();
        if self.policy.logs.iter().any(same) {
            return Err(PolicyError::DuplicateKey { line });
        }
        self.policy.logs.push(log);
        Ok(())
    }

    fn witness(
        &mut self,
        line: usize,
        name: &'t str,
        key: &str,
        url: Option<&&str>,
    ) -> Result<(), PolicyError> {
        let room = self.policy.witnesses.len() < MAX_POLICY_ITEMS && key.len() <= MAX_KEY_TEXT;
        let url = bounded(line, room, url)?;
        let key = key
            .parse()
            .map_err(|source| PolicyError::WitnessKey { line, source })?;
        let witness = PolicyWitness {
            name: name.to_owned(),
            key,
            url,
        };
        let same = |other: &PolicyWitness| other.key.key_bytes() == witness.key.key_bytes();
        if self.policy.witnesses.iter().any(same) {
            return Err(PolicyError::DuplicateKey { line });
        }
        self.define(line, name, Member::Witness(self.policy.witnesses.len()))?;
        self.policy.witnesses.push(witness);
        Ok(())
    }

    fn group(
        &mut self,
        line: usize,
        name: &'t str,
        threshold: &str,
        members: &[&'t str],
    ) -> Result<(), PolicyError> {
        bounded(line, self.policy.groups.len() < MAX_POLICY_ITEMS, None)?;
        let mut found = Vec::with_capacity(members.len());
        for member in members {
            let id = self.named(line, member)?;
            if !self.members.insert(id) {
                return Err(PolicyError::MemberTwice {
                    line,
                    name: (*member).to_owned(),
                });
            }
            found.push(id);
        }
        let threshold = read_threshold(line, threshold, found.len())?;
        self.define(line, name, Member::Group(self.policy.groups.len()))?;
        self.policy.groups.push(PolicyGroup {
            name: name.to_owned(),
            threshold,
            members: found,
        });
        Ok(())
    }

    fn quorum(&mut self, line: usize, name: &str) -> Result<(), PolicyError> {
        self.quorums += 1;
        if name != NONE {
            self.policy.quorum = Some(self.named(line, name)?);
        }
        Ok(())
    }

    fn named(&self, line: usize, name: &str) -> Result<Member, PolicyError> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| PolicyError::UnknownName {
                line,
                name: shown(name),
            })
    }

    fn define(&mut self, line: usize, name: &'t str, member: Member) -> Result<(), PolicyError> {
        if name.len() > MAX_POLICY_TEXT {
            return Err(PolicyError::Limit { line });
        }
        if name == NONE || self.names.contains_key(name) {
            return Err(PolicyError::DuplicateName {
                line,
                name: name.to_owned(),
            });
        }
        self.names.insert(name, member);
        Ok(())
    }
}

fn bounded(line: usize, room: bool, url: Option<&&str>) -> Result<Option<String>, PolicyError> {
    if !room || url.is_some_and(|url| url.len() > MAX_POLICY_TEXT) {
        return Err(PolicyError::Limit { line });
    }
    Ok(url.map(|url| (*url).to_owned()))
}

fn read_threshold(line: usize, text: &str, members: usize) -> Result<Threshold, PolicyError> {
    let number = || {
        crate::encoding::decimal(text)
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| (1..=members).contains(number))
            .map(Threshold::Number)
    };
    match text {
        "all" => Some(Threshold::All),
        "any" => Some(Threshold::Any),
        _ => number(),
    }
    .ok_or_else(|| PolicyError::Threshold {
        line,
        found: shown(text),
        members,
    })
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}
