//! Counts added and removed lines: the edit distance of two files in lines (Myers 1986), up to a cap.

use std::collections::HashMap;

/// The most lines that are compared while two versions of a file are told apart.
const MAX_STEPS: u64 = 1 << 31;

/// Two versions of a file, without the lines they begin and end with in common.
#[derive(Debug)]
pub(super) struct Difference {
    old: Vec<u32>,
    new: Vec<u32>,
}

impl Difference {
    pub(super) fn of(old: &[u8], new: &[u8]) -> Difference {
        let mut names: HashMap<&[u8], u32> = HashMap::new();
        let (old, new) = (numbered(old, &mut names), numbered(new, &mut names));
        let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let (old, new) = (&old[start..], &new[start..]);
        let end = old
            .iter()
            .rev()
            .zip(new.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        Difference {
            old: old[..old.len() - end].to_vec(),
            new: new[..new.len() - end].to_vec(),
        }
    }

    /// Returns a number that the count of changed lines never exceeds.
    pub(super) fn at_most(&self) -> usize {
        self.old.len() + self.new.len()
    }

    /// Returns the number of added and removed lines, or `None` when it exceeds the cap.
    /// Costs the square of the cap and at most [`MAX_STEPS`] comparisons; needing more is exceeding it too.
    pub(super) fn count(&self, cap: usize) -> Option<usize> {
        self.count_within(cap, MAX_STEPS)
    }

    fn count_within(&self, cap: usize, mut steps: u64) -> Option<usize> {
        let (n, m) = (self.old.len(), self.new.len());
        if n.abs_diff(m) > cap {
            return None;
        }
        // furthest[k + origin] is the furthest position in `old` reached on diagonal k.
        let origin = cap + 1;
        let mut furthest = vec![0_usize; 2 * cap + 3];
        for distance in 0..=cap {
            for step in 0..=distance {
                let diagonal = origin + 2 * step - distance;
                let down = step == 0 || (step < distance && furthest[diagonal - 1] < furthest[diagonal + 1]);
                let mut x = if down {
                    furthest[diagonal + 1]
                } else {
                    furthest[diagonal - 1] + 1
                };
                let mut y = x + origin - diagonal;
                while x < n && y < m && self.old[x] == self.new[y] {
                    x += 1;
                    y += 1;
                    steps = steps.checked_sub(1)?;
                }
                furthest[diagonal] = x;
                if x >= n && y >= m {
                    return Some(distance);
                }
            }
        }
        None
    }
}

fn numbered<'t>(text: &'t [u8], names: &mut HashMap<&'t [u8], u32>) -> Vec<u32> {
    text.split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
            *names.entry(line).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_added_and_removed_lines() {
        let table = [
            ("", "", 0),
            ("a\n", "a\n", 0),
            ("", "a\nb\n", 2),
            ("a\nb\n", "", 2),
            ("a\n", "b\n", 2),
            ("a\nb\nc\n", "a\nx\nc\n", 2),
            ("a\nb\nc\nd\n", "b\nc\nd\na\n", 2),
            ("a", "a\n", 2),
            ("1\n2\n3\n4\n5\n6\n", "1\nx\n3\n4\ny\n6\n", 4),
        ];
        for (old, new, expected) in table {
            let difference = Difference::of(old.as_bytes(), new.as_bytes());
            assert_eq!(difference.count(100), Some(expected), "{old:?} {new:?}");
            assert!(difference.at_most() >= expected);
            if expected > 0 {
                assert_eq!(difference.count(expected - 1), None, "{old:?} {new:?}");
            }
        }
    }

    #[test]
    fn what_costs_too_much_to_count_is_over_the_cap() {
        let (old, new) = (
            format!("x\n{}", "\n".repeat(100)),
            format!("{}y\n", "\n".repeat(99)),
        );
        let difference = Difference::of(old.as_bytes(), new.as_bytes());
        assert_eq!(difference.count(100), Some(3));
        assert_eq!(difference.count_within(100, 50), None);
    }

    #[test]
    fn a_reordering_is_not_free() {
        let old: String = (0..500).map(|i| format!("{i}\n")).collect();
        let new: String = (0..500).rev().map(|i| format!("{i}\n")).collect();
        assert_eq!(Difference::of(old.as_bytes(), new.as_bytes()).count(100), None);
        assert_eq!(
            Difference::of(old.as_bytes(), new.as_bytes()).count(1_000),
            Some(998)
        );
    }
}
