//! `products = ["claude-code >=2.1"]`: a product name with the versions that are allowed.

use std::cmp::Ordering;
use std::fmt;

/// A product and the versions of it that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRequirement {
    name: String,
    bounds: Vec<(Bound, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    AtMost,
    Above,
    Below,
    Equal,
}

const BOUNDS: [(&str, Bound); 5] = [
    (">=", Bound::AtLeast),
    ("<=", Bound::AtMost),
    (">", Bound::Above),
    ("<", Bound::Below),
    ("=", Bound::Equal),
];

impl ProductRequirement {
    /// Parses `NAME` or `NAME >=1.2, <3`. Versions are numbers joined by dots.
    pub fn parse(text: &str) -> Option<ProductRequirement> {
        let (name, bounds) = text.split_once(' ').unwrap_or((text, ""));
        if name.is_empty() || name.contains(['<', '>', '=', ',']) {
            return None;
        }
        let mut requirement = ProductRequirement {
            name: name.to_owned(),
            bounds: Vec::new(),
        };
        if text.contains(' ') {
            for bound in bounds.split(',') {
                let bound = bound.trim();
                let (sign, kind) = BOUNDS.iter().find(|(sign, _)| bound.starts_with(sign))?;
                let version = bound[sign.len()..].trim();
                numbers(version)?;
                requirement.bounds.push((*kind, version.to_owned()));
            }
        }
        Some(requirement)
    }

    /// Returns whether the product, in the version claimed, is allowed. A version that is not numbers joined by dots
    /// (a suffix after `-` or `+` aside) is within no bounds.
    pub fn admits(&self, name: &str, version: &str) -> bool {
        let version = match version.find(['-', '+']) {
            // A pre-release comes before its release, so it is not within a lower bound at that release.
            Some(_) if version.contains('-') && !self.bounds.is_empty() => return false,
            Some(end) => &version[..end],
            None => version,
        };
        name == self.name
            && self.bounds.iter().all(|(bound, limit)| {
                let Some(order) = compare(version, limit) else {
                    return false;
                };
                match bound {
                    Bound::AtLeast => order.is_ge(),
                    Bound::AtMost => order.is_le(),
                    Bound::Above => order.is_gt(),
                    Bound::Below => order.is_lt(),
                    Bound::Equal => order.is_eq(),
                }
            })
    }
}

impl fmt::Display for ProductRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (i, (bound, version)) in self.bounds.iter().enumerate() {
            let sign = BOUNDS
                .iter()
                .find(|(_, b)| b == bound)
                .map_or("", |(sign, _)| sign);
            write!(f, "{} {sign}{version}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (mut a, mut b) = (numbers(a)?, numbers(b)?);
    let longest = a.len().max(b.len());
    a.resize(longest, 0);
    b.resize(longest, 0);
    Some(a.cmp(&b))
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    if version.len() > 64 {
        return None;
    }
    let number = |part: &str| match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => part.parse().ok(),
        false => None,
    };
    version.split('.').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions_number_by_number() {
        let table = [
            ("claude-code", "claude-code", "0.0.1", true),
            ("claude-code", "claude-code", "nightly", true),
            ("claude-code >=2.1", "claude-code", "2.1.0", true),
            ("claude-code >=2.1", "claude-code", "2.10", true),
            ("claude-code >=2.1", "claude-code", "2.0.99", false),
            ("claude-code >=2.1", "claude-code", "nightly", false),
            ("claude-code >=2.1", "claude-code", "2.1.0-beta", false),
            ("claude-code >=2.1", "claude-code", "2.1.0+build", true),
            ("claude-code >=2.1, <3", "claude-code", "3.0", false),
            ("claude-code =2.1", "claude-code", "2.1.0", true),
            ("claude-code", "claude-cod", "1", false),
        ];
        for (requirement, name, version, expected) in table {
            let parsed = ProductRequirement::parse(requirement).unwrap();
            assert_eq!(parsed.admits(name, version), expected, "{requirement} {version}");
            assert_eq!(parsed.to_string(), requirement);
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        for text in [
            "", ">=2", "a >=", "a ~1.2", "a >=1.x", "a 1.2", "a ", "a>=1", "a >=1,",
        ] {
            assert_eq!(ProductRequirement::parse(text), None, "{text}");
        }
    }
}
