//! Whether two identities of a policy could be one signer.
//!
//! A signature must lead to one principal, so two rules of different principals must exclude each other. They do when a
//! part that both name can never be the same in one certificate: the issuer, the name, the repository's id, the trigger
//! and so on. Two exact texts are compared, an exact text is held against an expression, and two expressions are proven
//! disjoint by walking the product of their automata. What cannot be proven within the bounds below counts as an
//! overlap: the author of the policy then has to write the patterns so that they obviously differ.

use std::collections::{BTreeMap, HashSet};

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input, MatchKind};
use touchmark_verify::identity::{Claim, DANGEROUS_TRIGGERS, FulcioClaims, IdentityRule, TextPattern};

/// The most memory that one automaton may take.
const MAX_AUTOMATON_BYTES: usize = 1 << 18;
/// The most steps that all proofs for one policy may take together.
const MAX_STEPS: usize = 20_000_000;

type Dfa = dense::DFA<Vec<u32>>;

/// Compares identities; remembers automata, and how many steps are left.
pub(super) struct Comparison {
    automata: BTreeMap<String, Option<Dfa>>,
    steps_left: usize,
}

impl Default for Comparison {
    fn default() -> Self {
        Self {
            automata: BTreeMap::new(),
            steps_left: MAX_STEPS,
        }
    }
}

impl Comparison {
    /// Returns whether one certificate could match both rules, as far as the contrary is not proven.
    pub(super) fn may_overlap(&mut self, a: &IdentityRule, b: &IdentityRule) -> bool {
        if differ(a.repository_id.as_ref(), b.repository_id.as_ref())
            || differ(a.source_digest.as_ref(), b.source_digest.as_ref())
            || triggers_exclude(&a.triggers, &b.triggers)
            || runner_excludes(a, b)
            || runner_excludes(b, a)
            || self.disjoint(&a.issuer, &b.issuer)
        {
            return false;
        }
        let optional = [
            (&a.source_repository, &b.source_repository),
            (&a.workflow, &b.workflow),
            (&a.environment, &b.environment),
        ];
        for (a, b) in optional {
            if let (Some(a), Some(b)) = (a, b)
                && self.disjoint(a, b)
            {
                return false;
            }
        }
        for (claim, pattern) in &a.claims {
            for (_, other) in b.claims.iter().filter(|(other, _)| other == claim) {
                if self.disjoint(pattern, other) {
                    return false;
                }
            }
        }
        let refs_exclude = !a.refs.is_empty()
            && !b.refs.is_empty()
            && a.refs.iter().all(|a| b.refs.iter().all(|b| self.disjoint(a, b)));
        !refs_exclude && !self.disjoint(&a.san, &b.san)
    }

    /// Returns whether no text matches both patterns; false where that is not proven.
    fn disjoint(&mut self, a: &TextPattern, b: &TextPattern) -> bool {
        match (a, b) {
            (TextPattern::Exact(text), pattern) | (pattern, TextPattern::Exact(text)) => {
                !pattern.matches(text)
            }
            (a, b) if a == b => false,
            (a, b) => self.no_common_text(a.as_str(), b.as_str()),
        }
    }

    fn no_common_text(&mut self, a: &str, b: &str) -> bool {
        for pattern in [a, b] {
            if !self.automata.contains_key(pattern) {
                self.automata.insert(pattern.to_owned(), automaton(pattern));
            }
        }
        let (Some(Some(a)), Some(Some(b))) = (self.automata.get(a), self.automata.get(b)) else {
            return false;
        };
        product_is_empty(a, b, &mut self.steps_left).unwrap_or(false)
    }
}

fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

/// A rule that names no trigger takes none of the dangerous ones.
fn triggers_exclude(a: &[String], b: &[String]) -> bool {
    let dangerous = |triggers: &[String]| {
        triggers
            .iter()
            .all(|trigger| DANGEROUS_TRIGGERS.contains(&trigger.as_str()))
    };
    match (a.is_empty(), b.is_empty()) {
        (true, true) => false,
        (true, false) => dangerous(b),
        (false, true) => dangerous(a),
        (false, false) => !a.iter().any(|trigger| b.contains(trigger)),
    }
}

/// One asks for a hosted runner, the other for one that is not.
fn runner_excludes(hosted: &IdentityRule, other: &IdentityRule) -> bool {
    let is_other_kind = |pattern: &TextPattern| {
        let TextPattern::Exact(text) = pattern else {
            return false;
        };
        let claims = FulcioClaims {
            runner_environment: Some(text.clone()),
            ..FulcioClaims::default()
        };
        !claims.is_hosted()
    };
    let mut claims = other.claims.iter();
    hosted.hosted
        && claims.any(|(claim, pattern)| *claim == Claim::RunnerEnvironment && is_other_kind(pattern))
}

/// Compiles an expression as [`TextPattern`] does; `None` if it takes too much.
fn automaton(pattern: &str) -> Option<Dfa> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .dfa_size_limit(Some(MAX_AUTOMATON_BYTES))
                .determinize_size_limit(Some(4 * MAX_AUTOMATON_BYTES)),
        )
        .build(&format!(r"\A(?:{pattern})\z"))
        .ok()
}

/// Walks both automata at once. `None` where it takes too long or an automaton gives up.
fn product_is_empty(a: &Dfa, b: &Dfa, steps_left: &mut usize) -> Option<bool> {
    let start = |dfa: &Dfa| {
        dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes))
            .ok()
    };
    let first = (start(a)?, start(b)?);
    let mut seen: HashSet<(StateID, StateID)> = HashSet::from([first]);
    let mut open = vec![first];
    while let Some((s, t)) = open.pop() {
        if a.is_match_state(a.next_eoi_state(s)) && b.is_match_state(b.next_eoi_state(t)) {
            return Some(false);
        }
        *steps_left = steps_left.checked_sub(256)?;
        for byte in 0..=u8::MAX {
            let next = (a.next_state(s, byte), b.next_state(t, byte));
            if a.is_quit_state(next.0) || b.is_quit_state(next.1) {
                return None;
            }
            if !a.is_dead_state(next.0) && !b.is_dead_state(next.1) && seen.insert(next) {
                open.push(next);
            }
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://issuer.example";

    fn rule(san: TextPattern) -> IdentityRule {
        IdentityRule::new(TextPattern::exact(ISSUER).unwrap(), san)
    }

    fn exact(text: &str) -> TextPattern {
        TextPattern::exact(text).unwrap()
    }

    fn regexp(text: &str) -> TextPattern {
        TextPattern::regexp(text).unwrap()
    }

    #[test]
    fn names_are_compared_as_texts_and_as_languages() {
        let table = [
            (exact("a"), exact("a"), true),
            (exact("a"), exact("b"), false),
            (exact("a"), regexp("^[a-c]$"), true),
            (exact("d"), regexp("^[a-c]$"), false),
            (regexp("^a.*$"), regexp("^.*b$"), true),
            (regexp("^a.*$"), regexp("^b.*$"), false),
            (
                regexp(r"^[a-z]+@acme\.example$"),
                regexp(r"^[a-z]+@other\.example$"),
                false,
            ),
            (regexp(r"^[a-z]+@acme\.example$"), regexp("^al(ice|an)@.*$"), true),
            (regexp("^(aa)+$"), regexp("^(aa)*a$"), false),
            (regexp("^.*$"), regexp("^.*$"), true),
            // The dot takes every character: the patterns only look different.
            (
                regexp("^https://github.com/a$"),
                regexp(r"^https://githubXcom/a$"),
                true,
            ),
        ];
        for (a, b, expected) in table {
            let mut comparison = Comparison::default();
            assert_eq!(
                comparison.may_overlap(&rule(a.clone()), &rule(b.clone())),
                expected,
                "{a} {b}"
            );
            assert_eq!(
                comparison.may_overlap(&rule(b.clone()), &rule(a.clone())),
                expected,
                "{b} {a}"
            );
        }
    }

    #[test]
    fn any_part_that_excludes_the_other_is_enough() {
        let base = || rule(regexp("^.*$"));
        let with = |change: &dyn Fn(&mut IdentityRule)| {
            let mut rule = base();
            change(&mut rule);
            rule
        };
        let id = |id: &'static str| with(&move |rule| rule.repository_id = Some(id.to_owned()));
        let triggers = |list: &'static [&'static str]| {
            with(&move |rule| rule.triggers = list.iter().map(|t| (*t).to_owned()).collect())
        };
        let environment = |name: &'static str| with(&move |rule| rule.environment = Some(exact(name)));
        let hosted = with(&|rule| rule.hosted = true);
        let runner =
            |name: &'static str| with(&move |rule| rule.claims.push((Claim::RunnerEnvironment, exact(name))));
        let refs = |name: &'static str| with(&move |rule| rule.refs = vec![exact(name)]);
        let table = [
            (id("1"), id("2"), false),
            (id("1"), id("1"), true),
            (id("1"), base(), true),
            (triggers(&["push"]), triggers(&["schedule"]), false),
            (triggers(&["push", "schedule"]), triggers(&["schedule"]), true),
            (triggers(&["issue_comment"]), base(), false),
            (triggers(&["push"]), base(), true),
            (hosted.clone(), runner("self-hosted"), false),
            (hosted.clone(), runner("github-hosted"), true),
            (hosted, base(), true),
            (environment("a"), environment("b"), false),
            (environment("a"), base(), true),
            (refs("refs/heads/a"), refs("refs/heads/b"), false),
            (refs("refs/heads/a"), refs("refs/heads/a"), true),
        ];
        for (a, b, expected) in table {
            assert_eq!(Comparison::default().may_overlap(&a, &b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_takes_too_long_counts_as_an_overlap() {
        let (a, b) = (regexp("^[ab]*a[ab]{8}$"), regexp("^[ab]*b[ab]{8}c$"));
        assert!(!Comparison::default().may_overlap(&rule(a.clone()), &rule(b.clone())));
        let mut spent = Comparison {
            steps_left: 1_000,
            ..Comparison::default()
        };
        assert!(spent.may_overlap(&rule(a), &rule(b)));
        let large = regexp("^[ab]*a[ab]{18}$");
        assert!(Comparison::default().may_overlap(&rule(large), &rule(regexp("^c.*$"))));
    }
}
