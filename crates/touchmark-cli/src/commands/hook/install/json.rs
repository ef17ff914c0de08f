//! JSON files of others, changed in place: the text around a change stays as it is, byte for byte.
//!
//! Comments and trailing commas are read as some agents read them, and stay. A file that cannot be read, or in which a
//! name stands twice where we look, is not changed.

use std::ops::Range;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Why a file cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The text is not JSON from this byte on.
    Syntax(usize),
    /// It is nested too deeply.
    Depth,
    /// A name stands twice in one object.
    Repeated(String),
}

/// A value with its place in the text.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Its bytes.
    pub(crate) span: Range<usize>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// An object.
    Object(Vec<Member>),
    /// A list.
    Array(Vec<Node>),
    /// A string, decoded.
    Text(String),
    /// A number, `true`, `false` or `null`.
    Plain,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// The bytes from the name to the value's end.
    pub(crate) span: Range<usize>,
    /// Its value.
    pub(crate) value: Node,
}

impl Node {
    /// Returns the member of this name, if this is an object that has it.
    pub(crate) fn member(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Object(members) => members.iter().find(|m| m.name == name).map(|m| &m.value),
            _ => None,
        }
    }

    /// Returns the elements, if this is a list.
    pub(crate) fn elements(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the string, if this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The places of what stands inside, in order.
    pub(crate) fn children(&self) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Object(members) => members.iter().map(|m| m.span.clone()).collect(),
            Kind::Array(elements) => elements.iter().map(|e| e.span.clone()).collect(),
            Kind::Text(_) | Kind::Plain => Vec::new(),
        }
    }
}

/// Reads a text.
pub(crate) fn read(text: &str) -> Result<Node, Unreadable> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader { text, at: start };
    reader.space()?;
    let node = reader.value(0)?;
    reader.space()?;
    if reader.at < text.len() {
        return Err(Unreadable::Syntax(reader.at));
    }
    Ok(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax<T>(&self) -> Result<T, Unreadable> {
        Err(Unreadable::Syntax(self.at))
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Passes white space and comments.
    fn space(&mut self) -> Result<(), Unreadable> {
        loop {
            let blank = self.rest().bytes().take_while(u8::is_ascii_whitespace).count();
            self.at += blank;
            if self.rest().starts_with("//") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("/*") {
                match self.rest().find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return self.syntax(),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Unreadable> {
        if depth == MAX_DEPTH {
            return Err(Unreadable::Depth);
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            _ => self.plain()?,
        };
        Ok(Node {
            span: start..self.at,
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Unreadable> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.space()?;
            if self.take(b'}') {
                return Ok(Kind::Object(members));
            }
            let start = self.at;
            let name = self.string()?;
            self.space()?;
            if !self.take(b':') {
                return self.syntax();
            }
            self.space()?;
            let value = self.value(depth + 1)?;
            if members.iter().any(|member| member.name == name) {
                return Err(Unreadable::Repeated(name));
            }
            members.push(Member {
                name,
                span: start..self.at,
                value,
            });
            self.space()?;
            if !self.take(b',') && self.peek() != Some(b'}') {
                return self.syntax();
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, Unreadable> {
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.space()?;
            if self.take(b']') {
                return Ok(Kind::Array(elements));
            }
            elements.push(self.value(depth + 1)?);
            self.space()?;
            if !self.take(b',') && self.peek() != Some(b']') {
                return self.syntax();
            }
        }
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        let mut stream = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        if self.peek() == Some(b'"')
            && let Some(Ok(text)) = stream.next()
        {
            self.at += stream.byte_offset();
            return Ok(text);
        }
        self.syntax()
    }

    fn plain(&mut self) -> Result<Kind, Unreadable> {
        let len = self
            .rest()
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
            .count();
        let word = &self.rest()[..len];
        if serde_json::from_str::<serde_json::Value>(word).is_err() {
            return self.syntax();
        }
        self.at += len;
        Ok(Kind::Plain)
    }
}

/// A value to be written, with its members in our order.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    /// A string.
    Text(String),
    /// A number.
    Number(u32),
    /// An object.
    Object(Vec<(&'static str, Json)>),
    /// A list.
    Array(Vec<Json>),
}

impl Json {
    /// A string.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Writes the value. Without a style, on one line.
    pub(crate) fn write(&self, style: Option<&Style>, depth: usize) -> String {
        match self {
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Number(number) => number.to_string(),
            Self::Object(members) => {
                let items = members
                    .iter()
                    .map(|(name, value)| format!("\"{name}\": {}", value.write(style, depth + 1)));
                within(&items.collect::<Vec<_>>(), ('{', '}'), style, depth)
            }
            Self::Array(elements) => {
                let items = elements.iter().map(|value| value.write(style, depth + 1));
                within(&items.collect::<Vec<_>>(), ('[', ']'), style, depth)
            }
        }
    }
}

fn within(items: &[String], (open, close): (char, char), style: Option<&Style>, depth: usize) -> String {
    match style {
        _ if items.is_empty() => format!("{open}{close}"),
        None => format!("{open}{}{close}", items.join(", ")),
        Some(style) => {
            let inner = style.line(depth + 1);
            let joined = items.join(&format!(",{inner}"));
            format!("{open}{inner}{joined}{}{close}", style.line(depth))
        }
    }
}

/// How a file breaks and indents its lines.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    line_end: &'static str,
    indent: String,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            line_end: "\n",
            indent: "  ".to_owned(),
        }
    }
}

impl Style {
    /// Takes the style of a text over from its first member. `None` where everything stands on one line.
    pub(crate) fn of(text: &str, root: &Node) -> Option<Self> {
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let Some(first) = root.children().first().cloned() else {
            return Some(Self {
                line_end,
                ..Self::default()
            });
        };
        let before = &text[root.span.start + 1..first.start];
        let (_, indent) = before.rsplit_once('\n')?;
        let blank = indent.bytes().all(|b| b == b' ' || b == b'\t') && !indent.is_empty();
        Some(Self {
            line_end,
            indent: if blank { indent.to_owned() } else { "  ".to_owned() },
        })
    }

    /// A new line at this depth.
    fn line(&self, depth: usize) -> String {
        format!("{}{}", self.line_end, self.indent.repeat(depth))
    }
}

/// Pieces of text to be put in, each at a byte of the text as it is.
pub(crate) type Insertions = Vec<(usize, String)>;

/// Puts an item (an element, or a member with its name) at the end of a list or object that stands `depth` deep.
pub(crate) fn insert(
    text: &str,
    container: &Node,
    depth: usize,
    style: Option<&Style>,
    item: impl Fn(Option<&Style>) -> String,
) -> Insertions {
    let end = container.span.end - 1;
    let Some(last) = container.children().last().cloned() else {
        let interior = &text[container.span.start + 1..end];
        let Some(style) = style else {
            return vec![(end, item(None))];
        };
        // Whatever stands inside is white space or comments; those of one line need a line end after them.
        let mut piece = format!("{}{}", style.line(depth + 1), item(Some(style)));
        let trimmed = interior.trim_end();
        let at = container.span.start + 1 + trimmed.len();
        if !interior[trimmed.len()..].contains('\n') {
            piece.push_str(&style.line(depth));
        }
        return vec![(at, piece)];
    };
    // A list that stands on one line goes on there.
    let opening = &text[container.span.start + 1..container.children()[0].start];
    let style = style.filter(|_| opening.contains('\n'));
    let item = match style {
        Some(style) => format!("{}{}", style.line(depth + 1), item(Some(style))),
        None => format!(" {}", item(None)),
    };
    let gap = &text[last.end..end];
    let comma = comma_in(gap);
    let from = comma.map_or(0, |at| at + 1);
    let line_len = gap[from..].find(['\n', '\r']).unwrap_or(0);
    let line = &gap[from..from + line_len];
    // A remark behind the last item stays behind it.
    let remark = line.trim_start().starts_with("//") || line.trim_start().starts_with("/*");
    let at = last.end
        + from
        + if remark && style.is_some() {
            line.trim_end().len()
        } else {
            0
        };
    match comma {
        Some(_) => vec![(at, item)],
        None if at == last.end => vec![(at, format!(",{item}"))],
        None => vec![(last.end, ",".to_owned()), (at, item)],
    }
}

/// Finds a comma that is in no comment.
fn comma_in(gap: &str) -> Option<usize> {
    let mut reader = Reader { text: gap, at: 0 };
    reader.space().ok()?;
    (reader.peek() == Some(b',')).then_some(reader.at)
}

/// Returns the pieces of text to cut so that a container loses its child number `index`.
pub(crate) fn cut(text: &str, container: &Node, index: usize) -> Vec<Range<usize>> {
    let children = container.children();
    let child = children[index].clone();
    let inner_end = container.span.end - 1;
    let plain = |gap: &str| gap.bytes().all(|b| b.is_ascii_whitespace() || b == b',');
    if children.len() == 1 {
        let inside = container.span.start + 1..inner_end;
        let around = [&text[inside.start..child.start], &text[child.end..inside.end]];
        return if around.iter().all(|gap| plain(gap)) {
            one(inside)
        } else {
            let comma = comma_in(&text[child.end..inner_end]).map(|at| child.end + at);
            std::iter::once(child).chain(comma.map(|at| at..at + 1)).collect()
        };
    }
    if index > 0 {
        let before = children[index - 1].end;
        let gap = &text[before..child.start];
        if plain(gap) {
            return one(before..child.end);
        }
        // Comments stay; the line that the child began goes with it.
        let blank = gap.len() - gap.trim_end().len();
        let comma = comma_in(gap).map(|at| before + at);
        return comma
            .map(|at| at..at + 1)
            .into_iter()
            .chain(std::iter::once(child.start - blank..child.end))
            .collect();
    }
    let gap = &text[child.end..children[1].start];
    if plain(gap) {
        return one(child.start..children[1].start);
    }
    let comma = comma_in(gap).map_or(child.end, |at| child.end + at + 1);
    vec![child.start..child.end, child.end..comma]
}

fn one(range: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(range).collect()
}

/// Cuts pieces out of a text.
pub(crate) fn remove(text: &str, ranges: &[Range<usize>]) -> String {
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        out.push_str(&text[from..range.start.max(from)]);
        from = range.end.max(from);
    }
    out.push_str(&text[from..]);
    out
}
