//! Hashes as lockfiles write them, and addresses without what they may carry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::package::{Algorithm, Hash};

/// Reads Subresource Integrity metadata: `sha512-<base64>`, several with spaces between them, options after `?`.
pub(crate) fn subresource(text: &str) -> Vec<Hash> {
    text.split_ascii_whitespace()
        .take(crate::limits::MAX_HASHES)
        .filter_map(|item| {
            let (name, value) = item.split('?').next()?.split_once('-')?;
            let algorithm = algorithm(name)?;
            let bytes = STANDARD.decode(value).ok()?;
            (bytes.len() == algorithm.bytes()).then(|| Hash {
                algorithm,
                hex: hex(&bytes),
            })
        })
        .collect()
}

/// Reads `sha256:<hex>`, or `sha256=<hex>`.
pub(crate) fn named_hex(text: &str) -> Option<Hash> {
    let (name, value) = text.split_once([':', '='])?;
    plain_hex(algorithm(name)?, value)
}

/// Reads the hex digits of a known algorithm.
pub(crate) fn plain_hex(algorithm: Algorithm, digits: &str) -> Option<Hash> {
    let fits = digits.len() == algorithm.bytes() * 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| Hash {
        algorithm,
        hex: digits.to_ascii_lowercase(),
    })
}

fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "md5" => Some(Algorithm::Md5),
        "sha1" => Some(Algorithm::Sha1),
        "sha256" => Some(Algorithm::Sha256),
        "sha384" => Some(Algorithm::Sha384),
        "sha512" => Some(Algorithm::Sha512),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Takes user, password, query and fragment out of an address: lockfiles carry tokens there.
pub(crate) fn plain_address(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = &address[..end];
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Returns what follows `#` in an address.
pub(crate) fn fragment(address: &str) -> Option<&str> {
    address
        .split_once('#')
        .map(|(_, fragment)| fragment)
        .filter(|fragment| !fragment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_turned_into_hex_of_the_right_algorithm() {
        let hashes = subresource("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha512-zzzz md6-AAAA sha1-!!?x");
        assert_eq!(
            hashes,
            [Hash {
                algorithm: Algorithm::Sha1,
                hex: "da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned()
            }]
        );
        assert_eq!(named_hex("sha256:00"), None);
        assert!(
            named_hex(&format!("sha256:{}", "Ab".repeat(32))).is_some_and(|hash| hash.hex == "ab".repeat(32))
        );
        assert_eq!(named_hex("crc32:00"), None);
    }

    #[test]
    fn an_address_loses_what_may_be_secret() {
        for (address, expected) in [
            (
                "https://user:token@npm.example.com/a/-/a.tgz?key=1#abc",
                "https://npm.example.com/a/-/a.tgz",
            ),
            (
                "git+ssh://git@github.com/a/b.git#0123",
                "git+ssh://github.com/a/b.git",
            ),
            ("https://a@b@c/d", "https://c/d"),
            ("file:../a", "file:../a"),
            ("https://host", "https://host"),
            ("", ""),
        ] {
            assert_eq!(plain_address(address), expected);
        }
        assert_eq!(fragment("a#b"), Some("b"));
        assert_eq!(fragment("a#"), None);
    }
}
