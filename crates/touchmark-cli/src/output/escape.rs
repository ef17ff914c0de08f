//! The one escaping function for text that came from evidence, from a repository or from a file.
//!
//! Controls (C0, C1, DEL), bidirectional and zero-width characters, tags, variation selectors and private-use
//! characters are shown as `\u{…}`; nothing is dropped. A line feed passes in block mode only.

use touchmark_statement::digest::Sha256Digest;

/// The longest text shown on one line, in bytes.
pub(crate) const MAX_INLINE_BYTES: usize = 1_000;
/// The longest text shown as a block, in bytes.
pub(crate) const MAX_BLOCK_BYTES: usize = 256 * 1_024;

/// Returns text fit for one line: no line feed passes, and what exceeds [`MAX_INLINE_BYTES`] is replaced by its length
/// and digest.
pub(crate) fn inline(text: &str) -> String {
    escape(text, MAX_INLINE_BYTES, Lines::Shown)
}

/// Returns text fit for several lines, up to [`MAX_BLOCK_BYTES`].
pub(crate) fn block(text: &str) -> String {
    escape(text, MAX_BLOCK_BYTES, Lines::Kept)
}

#[derive(Clone, Copy, PartialEq)]
enum Lines {
    Kept,
    Shown,
}

fn escape(text: &str, max_bytes: usize, lines: Lines) -> String {
    let cut = text.floor_char_boundary(max_bytes);
    let mut out = String::with_capacity(cut + 16);
    for character in text[..cut].chars() {
        if is_unsafe(character) && !(character == '\n' && lines == Lines::Kept) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    if cut < text.len() {
        let digest = Sha256Digest::of(text.as_bytes());
        out.push_str(&format!("… ({} bytes, sha256:{digest})", text.len()));
    }
    out
}

/// Returns whether a character could change how other text is shown, or be there without being seen.
pub(crate) fn is_unsafe(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'            // C0, DEL, C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}'               // soft hyphen, grapheme joiner, Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' // fillers
        | '\u{180b}'..='\u{180f}'                        // Mongolian selectors
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // zero-width, separators, bidi
        | '\u{2060}'..='\u{206f}'                        // invisible operators, isolates
        | '\u{e000}'..='\u{f8ff}'                        // private use
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'           // variation selectors, byte order mark
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{10ffff}'                     // tags, selectors, private use
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_217_every_dangerous_character_is_shown() {
        for (bad, shown) in [
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{1b}]8;;http://x\u{7}", "\\u{1b}]8;;http://x\\u{7}"),
            ("\u{1b}]52;c;AAAA\u{7}", "\\u{1b}]52;c;AAAA\\u{7}"),
            ("a\rb", "a\\u{d}b"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}gpj", "\\u{202e}gpj"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("\u{e0041}", "\\u{e0041}"),
            ("\u{e000}", "\\u{e000}"),
            ("\u{7f}", "\\u{7f}"),
            ("a\nb", "a\\u{a}b"),
            ("a\tb", "a\\u{9}b"),
        ] {
            assert_eq!(inline(bad), shown);
        }
        assert_eq!(block("a\nb\r"), "a\nb\\u{d}");
        assert_eq!(inline("Zoë 漢字 \\ ok"), "Zoë 漢字 \\ ok");
    }

    #[test]
    fn case_222_long_text_is_cut_with_its_length_and_digest() {
        let name = "é".repeat(2_500_000);
        let shown = inline(&name);
        assert!(shown.len() < MAX_INLINE_BYTES + 120, "{} bytes", shown.len());
        assert!(shown.ends_with(&format!(
            "… (5000000 bytes, sha256:{})",
            Sha256Digest::of(name.as_bytes())
        )));
    }
}
