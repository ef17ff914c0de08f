//! What is shown of an authority's certificate: whose it is, and from when. Nothing is verified.

use touchmark_statement::timestamp::Timestamp;

/// The parts of a certificate that people are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateSummary {
    /// The organization in its subject, where there is exactly one.
    pub organization: Option<String>,
    /// The common name in its subject, where there is exactly one.
    pub common_name: Option<String>,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0a];
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

impl CertificateSummary {
    /// Reads the summary of a certificate, DER; `None` where it is none.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (certificate, rest) = element(der, 0x30)?;
        if !rest.is_empty() {
            return None;
        }
        let (tbs, _) = element(certificate, 0x30)?;
        // Version, serial number, algorithm and issuer are passed over.
        let (_, tbs) = element(tbs, 0xa0)?;
        let (_, tbs) = element(tbs, 0x02)?;
        let (_, tbs) = element(tbs, 0x30)?;
        let (_, tbs) = element(tbs, 0x30)?;
        let (validity, tbs) = element(tbs, 0x30)?;
        let (subject, _) = element(tbs, 0x30)?;
        let (not_before, rest) = time(validity)?;
        let (not_after, rest) = time(rest)?;
        let names = names(subject)?;
        let one = |kind: [u8; 3]| {
            let mut found = names.iter().filter(|(oid, _)| *oid == kind);
            match (found.next(), found.next()) {
                (Some((_, text)), None) => Some(text.clone()),
                _ => None,
            }
        };
        rest.is_empty().then(|| Self {
            organization: one(ORGANIZATION),
            common_name: one(COMMON_NAME),
            not_before,
            not_after,
        })
    }
}

/// Returns the content of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// The texts of a name by the kind of each.
fn names(mut subject: &[u8]) -> Option<Vec<([u8; 3], String)>> {
    let mut found = Vec::new();
    while !subject.is_empty() {
        let (set, rest) = element(subject, 0x31)?;
        subject = rest;
        let (pair, _) = element(set, 0x30)?;
        let (oid, value) = element(pair, 0x06)?;
        let (text, _) = element(value, *value.first()?)?;
        if let (Ok(oid), Ok(text)) = (oid.try_into(), std::str::from_utf8(text)) {
            found.push((oid, text.to_owned()));
        }
    }
    Some(found)
}

/// RFC 5280 §4.1.2.5: two digits of the year up to 2049, four after it, always in seconds and UTC.
fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest) = match bytes.first()? {
        0x17 => {
            let (text, rest) = element(bytes, 0x17)?;
            let text = std::str::from_utf8(text).ok()?;
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 {
                "20"
            } else {
                "19"
            };
            (format!("{century}{text}"), rest)
        }
        _ => {
            let (text, rest) = element(bytes, 0x18)?;
            (std::str::from_utf8(text).ok()?.to_owned(), rest)
        }
    };
    let digits = text
        .strip_suffix('Z')
        .filter(|digits| digits.len() == 14 && digits.is_ascii())?;
    let part = |from: usize| &digits[from..from + 2];
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &digits[..4],
        part(4),
        part(6),
        part(8),
        part(10),
        part(12)
    );
    Some((Timestamp::parse_any_rfc3339(&rfc3339).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_authorities_of_the_public_good_instance() {
        let known = crate::built_in(crate::built_in::SIGSTORE_PUBLIC_GOOD).expect("built in");
        let root = touchmark_verify::trust::TrustedRoot::parse(known.trusted_root).expect("a trusted root");
        let authorities = root
            .certificate_authorities()
            .iter()
            .chain(root.timestamp_authorities());
        let certificates: Vec<&Vec<u8>> = authorities
            .flat_map(|authority| &authority.certificates)
            .collect();
        assert!(!certificates.is_empty());
        for der in certificates {
            let summary = CertificateSummary::parse(der).expect("a certificate");
            assert_eq!(summary.organization.as_deref(), Some("sigstore.dev"));
            assert!(summary.not_before < summary.not_after);
            for length in 0..der.len() {
                assert_eq!(CertificateSummary::parse(&der[..length]), None);
            }
            let trailing = [der.as_slice(), &[0]].concat();
            assert_eq!(CertificateSummary::parse(&trailing), None);
        }
    }
}
