//! Splitting a command line as a shell would, without expanding anything.

/// Splits a command line into simple commands and those into words, without expanding anything.
pub(super) fn simple_commands(text: &str) -> Vec<Vec<String>> {
    let mut splitter = Splitter::default();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (splitter.quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => splitter.quote = None,
            (Some('"') | None, '\\') => {
                if let Some((_, next)) = chars.next()
                    && next != '\n'
                {
                    splitter.push(next);
                }
            }
            (Some(_), c) => splitter.push(c),
            (None, '\'' | '"') => {
                splitter.quote = Some(c);
                splitter.started = true;
            }
            (None, '#') if !splitter.started => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            (None, '<') if text[at..].starts_with("<<<") => {
                chars.next();
                chars.next();
            }
            (None, '<') if text[at..].starts_with("<<") => {
                chars.next();
                splitter.end_word();
                splitter.expect_delimiter = true;
            }
            (None, '\n') => {
                splitter.end_command();
                for delimiter in std::mem::take(&mut splitter.delimiters) {
                    skip_here_document(text, &delimiter, &mut chars);
                }
            }
            (None, ';' | '|' | '(' | ')' | '`') => splitter.end_command(),
            // `2>&1` and `&>` redirect; a lone `&` ends a command.
            (None, '&') if splitter.word.ends_with('>') || matches!(chars.peek(), Some((_, '>'))) => {
                splitter.push(c)
            }
            (None, '&') => splitter.end_command(),
            (None, c) if c.is_whitespace() => splitter.end_word(),
            (None, c) => splitter.push(c),
        }
    }
    splitter.end_command();
    splitter.commands
}

/// Moves past the body of a here-document, which ends with a line that is the delimiter.
fn skip_here_document(
    text: &str,
    delimiter: &str,
    chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
) {
    let Some(&(start, _)) = chars.peek() else { return };
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        end += line.len();
        if line.trim_start_matches('\t').trim_end_matches(['\n', '\r']) == delimiter {
            break;
        }
    }
    while chars.next_if(|(at, _)| *at < end).is_some() {}
}

#[derive(Default)]
struct Splitter {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: String,
    started: bool,
    quote: Option<char>,
    expect_delimiter: bool,
    delimiters: Vec<String>,
}

impl Splitter {
    fn push(&mut self, c: char) {
        self.word.push(c);
        self.started = true;
    }

    fn end_word(&mut self) {
        if !self.started {
            return;
        }
        self.started = false;
        let word = std::mem::take(&mut self.word);
        if std::mem::take(&mut self.expect_delimiter) {
            self.delimiters.push(word.trim_start_matches('-').to_owned());
        } else if !is_redirection(&word) {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }
}

fn is_redirection(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
    rest.starts_with('>') || rest.starts_with('<')
}
