//! Secrets that stand in a text in another form: base64, hex, percent encoding, or broken over lines.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use super::{Finding, Scanner};

/// The shortest run that is decoded: the shortest secret that a rule knows has 20 bytes.
pub(super) const MIN_BASE64: usize = 27;
const MIN_HEX: usize = 40;
/// The longest run that is decoded at once.
const MAX_RUN: usize = 4 * 1024 * 1024;
/// Lines shorter than this were not broken by anything that breaks lines at a width.
const MIN_LINE: usize = 30;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Finds what is encoded in a text, and what a line break splits.
pub(super) fn find(scanner: &Scanner, text: &[u8]) -> Vec<Finding> {
    let mut found = runs(scanner, text);
    found.extend(percent(scanner, text));
    if let Some(joined) = Joined::of(text) {
        let split = scanner
            .find_tokens(&joined.text)
            .into_iter()
            .chain(runs(scanner, &joined.text));
        found.extend(split.filter_map(|finding| {
            Some(Finding {
                range: joined.over_a_break(&finding.range)?,
                rule: finding.rule,
            })
        }));
    }
    found
}

/// Finds runs of base64 and hex that hold a secret once they are decoded.
fn runs(scanner: &Scanner, text: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if !is_base64(text[at]) {
            at += 1;
            continue;
        }
        let length = text[at..].iter().take_while(|byte| is_base64(**byte)).count();
        let run = at..at + length;
        if (MIN_BASE64..=MAX_RUN).contains(&length)
            && let Some(rule) = decoded(&text[run.clone()]).find_map(|bytes| scanner.find(&bytes).pop())
        {
            found.push(Finding {
                rule: rule.rule,
                range: run.clone(),
            });
        }
        at = run.end;
    }
    found
}

/// Returns what a run may stand for.
fn decoded(run: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let hex = (run.len() >= MIN_HEX && run.len().is_multiple_of(2) && run.iter().all(u8::is_ascii_hexdigit))
        .then(|| {
            run.chunks_exact(2)
                .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
                .collect()
        });
    let is_url_safe = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let is_standard = run.iter().any(|byte| matches!(byte, b'+' | b'/'));
    let padded = run.iter().position(|byte| *byte == b'=').unwrap_or(run.len());
    // A run may end with a character that is none of its own.
    let body = &run[..if padded % 4 == 1 { padded - 1 } else { padded }];
    let base64 = match (hex.is_some(), is_url_safe, is_standard) {
        (false, true, false) => URL_SAFE.decode(body).ok(),
        (false, false, _) => STANDARD.decode(body).ok(),
        _ => None,
    };
    hex.into_iter().chain(base64)
}

/// Finds what percent encoding hides.
fn percent(scanner: &Scanner, text: &[u8]) -> Vec<Finding> {
    let is_escape = |at: usize| {
        text.get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let escapes: Vec<usize> = memchr::memchr_iter(b'%', text)
        .filter(|at| is_escape(*at))
        .collect();
    if escapes.is_empty() {
        return Vec::new();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    // Where in the decoded text each escape stands.
    let mut decoded = Vec::with_capacity(escapes.len());
    for escape in escapes.into_iter() {
        if escape < at {
            continue;
        }
        plain.extend_from_slice(&text[at..escape]);
        decoded.push(plain.len());
        plain.push(nibble(text[escape + 1]) << 4 | nibble(text[escape + 2]));
        at = escape + 3;
    }
    plain.extend_from_slice(&text[at..]);
    let raw = |at: usize| at + 2 * decoded.partition_point(|escape| *escape < at);
    let found = scanner.find(&plain).into_iter().filter_map(|finding| {
        let range = raw(finding.range.start)..raw(finding.range.end);
        let hides = range.len() > finding.range.len();
        hides.then_some(Finding {
            rule: finding.rule,
            range,
        })
    });
    found.collect()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// A text whose lines are joined where one breaks inside a word.
struct Joined {
    text: Vec<u8>,
    /// Where in the joined text a break was, and how many bytes were taken out up to there.
    breaks: Vec<(usize, usize)>,
}

impl Joined {
    fn of(text: &[u8]) -> Option<Self> {
        let mut joined = Self {
            text: Vec::new(),
            breaks: Vec::new(),
        };
        let (mut from, mut line, mut taken) = (0, 0, 0);
        for feed in memchr::memchr_iter(b'\n', text) {
            let end = if text[..feed].ends_with(b"\r") {
                feed - 1
            } else {
                feed
            };
            // A diff, a quotation or an indentation stands before the rest of the word.
            let next = text[feed + 1..]
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t' | b'>' | b'+' | b'|'))
                .map_or(text.len(), |skipped| feed + 1 + skipped);
            let is_wrapped = end >= line + MIN_LINE
                && is_base64(text[end - 1])
                && text.get(next).is_some_and(|byte| is_base64(*byte));
            line = feed + 1;
            if is_wrapped && end > from {
                joined.text.extend_from_slice(&text[from..end]);
                taken += next - end;
                joined.breaks.push((joined.text.len(), taken));
                from = next;
            }
        }
        if joined.breaks.is_empty() {
            return None;
        }
        joined.text.extend_from_slice(&text[from..]);
        Some(joined)
    }

    /// Returns where a range stands in the text itself, if a break was in it.
    fn over_a_break(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let before = |at: usize| self.breaks.partition_point(|(place, _)| *place <= at);
        let (first, last) = (before(range.start), before(range.end.saturating_sub(1)));
        let taken = |breaks: usize| breaks.checked_sub(1).map_or(0, |at| self.breaks[at].1);
        (last > first).then(|| range.start + taken(first)..range.end + taken(last))
    }
}
