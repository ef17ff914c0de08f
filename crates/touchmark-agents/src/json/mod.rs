//! Reading JSON of unknown origin: line by line without holding more than one, and fields of any type.

pub(crate) mod lenient;
pub(crate) mod lines;

/// The first byte of JSON that is no blank.
pub(crate) fn first_byte(json: &[u8]) -> Option<u8> {
    json.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Returns JSON without the blanks between its tokens, apart from line feeds between records. Bytes that are no JSON
/// come out as something that is none either.
pub(crate) fn compact(json: &[u8]) -> Vec<u8> {
    let mut compact = Vec::with_capacity(json.len());
    let (mut in_string, mut is_escaped, mut depth) = (false, false, 0_u64);
    for &byte in json {
        if in_string {
            in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
        } else {
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'\n' if depth == 0 => {}
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                _ => {}
            }
        }
        compact.push(byte);
    }
    compact
}

#[cfg(test)]
mod tests {
    #[test]
    fn blanks_go_only_from_between_tokens() {
        let json = b"{ \"a b\" : [1,\n 2], \"c\\\" d\": \"\\\\\" }\r\n{ }\n";
        assert_eq!(
            super::compact(json),
            b"{\"a b\":[1,2],\"c\\\" d\":\"\\\\\"}\n{}\n"
        );
    }
}
