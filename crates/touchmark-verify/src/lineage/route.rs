//! The way through trees from one to another that rests on statements most, and otherwise on unattested commits.
//!
//! Trees are the places, agent changes the roads; a commit without statement is a gap that may be crossed where the
//! caller allows. The way with the fewest gaps, then the fewest statements, is taken; equal ways are told apart by the
//! order of the statements, so that the same input gives the same way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use touchmark_statement::git_id::GitTreeId;

/// One step of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An agent change, by the position it was added with.
    Statement(usize),
    /// A commit without statement, by the position that the caller gave.
    Gap(usize),
}

/// Trees and the agent changes between them.
#[derive(Default)]
pub(super) struct Map<'s> {
    places: HashMap<&'s GitTreeId, usize>,
    roads: Vec<Vec<(usize, Step)>>,
}

/// Gaps first, then statements.
type Cost = (usize, usize);

/// The best way known to a place: its cost, and the place and step before.
type Known = HashMap<usize, (Cost, Option<(usize, Step)>)>;

impl<'s> Map<'s> {
    fn place(&mut self, tree: &'s GitTreeId) -> usize {
        let next = self.roads.len();
        let place = *self.places.entry(tree).or_insert(next);
        if place == next {
            self.roads.push(Vec::new());
        }
        place
    }

    /// Adds an agent change.
    pub(super) fn add(&mut self, statement: usize, base: &'s GitTreeId, proposed: &'s GitTreeId) {
        let (from, to) = (self.place(base), self.place(proposed));
        if from != to {
            self.roads[from].push((to, Step::Statement(statement)));
        }
    }

    /// Returns the way from one tree to another; `gaps` are steps that no statement covers.
    pub(super) fn way(
        &self,
        from: &GitTreeId,
        to: &GitTreeId,
        gaps: &[(usize, &GitTreeId, &GitTreeId)],
    ) -> Option<Vec<Step>> {
        let mut extra: HashMap<&GitTreeId, usize> = HashMap::new();
        let mut number = |tree| match self.places.get(tree) {
            Some(place) => *place,
            None => {
                let next = self.roads.len() + extra.len();
                *extra.entry(tree).or_insert(next)
            }
        };
        let (start, end) = (number(from), number(to));
        let mut crossings: HashMap<usize, Vec<(usize, Step)>> = HashMap::new();
        for (gap, before, after) in gaps {
            let (before, after) = (number(before), number(after));
            crossings
                .entry(before)
                .or_default()
                .push((after, Step::Gap(*gap)));
        }
        let mut best: Known = HashMap::from([(start, ((0, 0), None))]);
        let mut queue = BinaryHeap::from([Reverse(((0, 0), start))]);
        while let Some(Reverse((cost, place))) = queue.pop() {
            if place == end {
                return Some(retrace(&best, start, end));
            }
            if best.get(&place).is_some_and(|(known, _)| *known < cost) {
                continue;
            }
            let roads = self.roads.get(place).map_or(&[][..], Vec::as_slice);
            let crossings = crossings.get(&place).map_or(&[][..], Vec::as_slice);
            for (next, step) in roads.iter().chain(crossings) {
                let cost = match step {
                    Step::Statement(_) => (cost.0, cost.1 + 1),
                    Step::Gap(_) => (cost.0 + 1, cost.1),
                };
                if best.get(next).is_none_or(|(known, _)| cost < *known) {
                    best.insert(*next, (cost, Some((place, *step))));
                    queue.push(Reverse((cost, *next)));
                }
            }
        }
        None
    }
}

fn retrace(best: &Known, start: usize, end: usize) -> Vec<Step> {
    let (mut steps, mut place) = (Vec::new(), end);
    while place != start {
        let Some((_, Some((before, step)))) = best.get(&place) else {
            break;
        };
        steps.push(*step);
        place = *before;
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(digit: char) -> GitTreeId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    #[test]
    fn takes_statements_before_gaps_and_survives_cycles() {
        let (a, b, c, d) = (tree('a'), tree('b'), tree('c'), tree('d'));
        let mut map = Map::default();
        map.add(0, &a, &b);
        map.add(1, &b, &a);
        map.add(2, &b, &c);
        let gaps = [(7, &a, &c), (8, &c, &d)];
        assert_eq!(
            map.way(&a, &c, &gaps).unwrap(),
            [Step::Statement(0), Step::Statement(2)]
        );
        assert_eq!(
            map.way(&a, &d, &gaps).unwrap(),
            [Step::Statement(0), Step::Statement(2), Step::Gap(8)]
        );
        assert_eq!(map.way(&a, &d, &[]), None);
        assert_eq!(map.way(&a, &a, &[]).unwrap(), []);
    }
}
