//! How records hang together: each may name its parent, and going back in a conversation leaves a dead branch.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use touchmark_statement::digest::Sha256Digest;

use crate::run::{Prompt, PromptOrigin, Step, StepState, Structure};

/// A record's identifier, or the digest of one that is no UUID.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Id(u128);

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.0);
    }
}

/// Hashes identifiers with two random keys and one wide multiplication: who writes a session cannot know which of its
/// identifiers collide. Several times faster than the standard hasher, which shows for sessions of millions of records.
#[derive(Clone)]
struct IdState([u64; 2]);

impl Default for IdState {
    fn default() -> Self {
        let random = RandomState::new();
        Self([1u64, 2].map(|at| random.hash_one(at) | 1))
    }
}

impl BuildHasher for IdState {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher {
            keys: self.0,
            hash: 0,
        }
    }
}

struct IdHasher {
    keys: [u64; 2],
    hash: u64,
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u128(u128::from(*byte));
        }
    }

    fn write_u128(&mut self, value: u128) {
        let (high, low) = ((value >> 64) as u64, value as u64);
        let product = u128::from(high ^ self.keys[0] ^ self.hash) * u128::from(low ^ self.keys[1]);
        self.hash = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

impl Id {
    fn parse(text: &str) -> Self {
        let mut value = 0u128;
        let mut digits = 0;
        for byte in text.bytes().filter(|byte| *byte != b'-') {
            match (byte as char).to_digit(16) {
                Some(digit) if digits < 32 => value = value << 4 | u128::from(digit),
                _ => return Self::digest(text),
            }
            digits += 1;
        }
        if digits == 32 {
            Self(value)
        } else {
            Self::digest(text)
        }
    }

    fn digest(text: &str) -> Self {
        let digest = Sha256Digest::of(text.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&digest.as_bytes()[..16]);
        Self(u128::from_be_bytes(first))
    }
}

struct Node {
    step: usize,
    parent: Option<Id>,
    /// False for a record that is known by an identifier but hangs on nothing.
    hangs: bool,
}

/// The records that carry an identifier.
#[derive(Default)]
pub(super) struct Tree {
    by_id: HashMap<Id, usize, IdState>,
    nodes: Vec<Node>,
}

impl Tree {
    /// Adds a record. Returns false where a record with this identifier is there already.
    pub(super) fn add(&mut self, step: usize, id: &str, parent: Option<&str>) -> bool {
        let next = self.nodes.len();
        let entry = self.by_id.entry(Id::parse(id)).or_insert(next);
        if *entry != next {
            return false;
        }
        self.nodes.push(Node {
            step,
            parent: parent.map(Id::parse),
            hangs: true,
        });
        true
    }

    /// Adds a record of a format whose records name no parents.
    pub(super) fn add_alone(&mut self, step: usize, id: &str) -> bool {
        let is_new = self.add(step, id, None);
        if is_new && let Some(node) = self.nodes.last_mut() {
            node.hangs = false;
        }
        is_new
    }

    /// Counts forks, roots and orphans, and marks what the person went back on.
    ///
    /// Two prompts of a person under one parent mean that the person went back and typed again: all but the last of
    /// them are rewound, with everything below them. Other forks (parallel tool calls, retries) rewind nothing.
    pub(super) fn finish(&self, steps: &mut [Step], prompts: &[Prompt], structure: &mut Structure) {
        if self.nodes.is_empty() {
            return;
        }
        let parents: Vec<Option<usize>> = self
            .nodes
            .iter()
            .map(|node| self.by_id.get(&node.parent?).copied())
            .collect();
        let mut children = vec![0u32; self.nodes.len()];
        for (node, parent) in self.nodes.iter().zip(&parents) {
            match (node.parent, parent) {
                (None, _) => structure.roots += u64::from(node.hangs),
                (Some(_), None) => structure.orphans += 1,
                (Some(_), Some(parent)) => children[*parent] += 1,
            }
        }
        structure.forks = children.iter().filter(|count| **count > 1).count() as u64;

        let mut fates = vec![Fate::Unknown; self.nodes.len()];
        self.mark_replaced(&parents, prompts, &mut fates);
        for node in 0..fates.len() {
            resolve(node, &parents, &mut fates);
            if fates[node] == Fate::Rewound
                && let Some(step) = steps.get_mut(self.nodes[node].step)
            {
                step.state = StepState::Rewound;
            }
        }
    }

    fn mark_replaced(&self, parents: &[Option<usize>], prompts: &[Prompt], fates: &mut [Fate]) {
        let by_step: HashMap<usize, usize> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (node.step, at))
            .collect();
        let mut last_under: HashMap<usize, usize> = HashMap::new();
        for prompt in prompts
            .iter()
            .filter(|prompt| prompt.origin == PromptOrigin::Human)
        {
            let Some(&node) = by_step.get(&prompt.step) else {
                continue;
            };
            let Some(parent) = parents[node] else { continue };
            if let Some(replaced) = last_under.insert(parent, node) {
                fates[replaced] = Fate::Rewound;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Asked,
    Active,
    Rewound,
}

/// Gives `node` the fate of its nearest ancestor that has one; a cycle is active.
fn resolve(node: usize, parents: &[Option<usize>], fates: &mut [Fate]) {
    let mut path = Vec::new();
    let mut at = node;
    let fate = loop {
        match fates[at] {
            Fate::Unknown => {
                fates[at] = Fate::Asked;
                path.push(at);
                match parents[at] {
                    Some(parent) => at = parent,
                    None => break Fate::Active,
                }
            }
            Fate::Asked => break Fate::Active,
            fate => break fate,
        }
    };
    for node in path {
        fates[node] = fate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::StepKind;

    fn build(records: &[(&str, Option<&str>, bool)]) -> (Vec<StepState>, Structure) {
        let mut tree = Tree::default();
        let mut steps = Vec::new();
        let mut prompts: Vec<Prompt> = Vec::new();
        for (at, (id, parent, human)) in records.iter().enumerate() {
            assert!(tree.add(at, id, *parent));
            steps.push(Step {
                source: 0,
                kind: StepKind::Other,
                state: StepState::Active,
                offset: 0,
                len: 0,
            });
            if *human {
                prompts.push(Prompt {
                    parts: Vec::new(),
                    origin: PromptOrigin::Human,
                    step: at,
                    rewound: false,
                });
            }
        }
        let mut structure = Structure::default();
        tree.finish(&mut steps, &prompts, &mut structure);
        for prompt in &prompts {
            assert!(steps.len() > prompt.step);
        }
        (steps.into_iter().map(|step| step.state).collect(), structure)
    }

    #[test]
    fn a_prompt_typed_again_rewinds_the_branch_before_it() {
        use StepState::{Active, Rewound};
        let (states, structure) = build(&[
            ("u1", None, true),
            ("a1", Some("u1"), false),
            ("u2", Some("a1"), true),
            ("a2", Some("u2"), false),
            ("u2b", Some("a1"), true),
            ("a2b", Some("u2b"), false),
            ("lost", Some("nowhere"), false),
        ]);
        assert_eq!(states, [Active, Active, Rewound, Rewound, Active, Active, Active]);
        assert_eq!(
            structure,
            Structure {
                forks: 1,
                roots: 1,
                orphans: 1,
                ..Structure::default()
            }
        );
    }

    #[test]
    fn parallel_tool_calls_rewind_nothing() {
        let (states, structure) = build(&[
            ("u", None, true),
            ("a", Some("u"), false),
            ("t1", Some("a"), false),
            ("t2", Some("a"), false),
        ]);
        assert!(states.iter().all(|state| *state == StepState::Active));
        assert_eq!(structure.forks, 1);
    }

    #[test]
    fn cycles_and_parents_that_come_later_end() {
        let (states, structure) = build(&[
            ("a", Some("b"), true),
            ("b", Some("a"), true),
            ("c", Some("c"), false),
            ("d", Some("e"), false),
            ("e", None, false),
        ]);
        assert_eq!(states.len(), 5);
        assert_eq!(structure.roots, 1);
    }

    #[test]
    fn repeated_identifiers_are_copies_however_they_are_written() {
        let mut tree = Tree::default();
        assert!(tree.add(0, "0a1b2c3d-0000-4000-8000-00000000000a", None));
        assert!(!tree.add(1, "0A1B2C3D-0000-4000-8000-00000000000A", None));
        assert!(tree.add(2, "not a uuid", None));
        assert!(!tree.add(3, "not a uuid", None));
    }

    #[test]
    fn long_chains_need_no_stack() {
        let ids: Vec<String> = (0..200_000).map(|at| format!("{at}")).collect();
        let mut tree = Tree::default();
        let mut steps = Vec::new();
        for at in 0..ids.len() {
            // Each record's parent comes after it.
            tree.add(at, &ids[at], ids.get(at + 1).map(String::as_str));
            steps.push(Step {
                source: 0,
                kind: StepKind::Other,
                state: StepState::Active,
                offset: 0,
                len: 0,
            });
        }
        tree.finish(&mut steps, &[], &mut Structure::default());
    }
}
