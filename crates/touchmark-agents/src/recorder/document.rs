//! The driver for documents: one JSON value that holds the records in lists.
//!
//! A document is read once, front to back. Lists that the importer names are handed over item by item with the place of
//! each, everything else field by field, so that nothing but the bytes themselves is held. What stands before the first
//! defect counts; a document that ends early, or is no JSON to its end, is never
//! [`Whole`](crate::run::Completeness::Whole).

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::Recorder;
use super::input::{check_size, utf8_prefix};
use super::lines::Spot;
use crate::error::ImportError;
use crate::json::lenient::otherwise;
use crate::limits::MAX_NAME_BYTES;
use crate::run::{Completeness, StepKind};

/// A part of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// A field outside of the named lists.
    Field {
        /// Its path: names joined by dots.
        path: &'a str,
        /// Its value.
        spot: Spot<'a>,
    },
    /// An item of a named list.
    Item {
        /// The list's path; empty where the document itself is the list.
        list: &'a str,
        /// The item.
        spot: Spot<'a>,
    },
}

/// How a document ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is complete; what follows, from this byte on, is white space.
    Complete,
    /// It is complete, but something stands behind it, from this byte of the text on.
    Followed(usize),
    /// It ends early.
    Cut,
    /// It is no JSON behind some byte.
    Malformed,
}

/// Reads one document as a source of the run: walks it, and notes how it ends. `lists` are the paths of the lists whose
/// items are handed over, as in [`walk`].
pub(crate) fn read_document(
    recorder: &mut Recorder,
    name: &str,
    is_subagent: bool,
    agent: Option<String>,
    bytes: &[u8],
    lists: &[&str],
    visit: &mut dyn FnMut(&mut Recorder, Piece<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    check_size(bytes.len() as u64)?;
    recorder.begin_source(name, is_subagent, agent);
    let (whole, is_text) = whole(bytes);
    let ending = walk(whole, lists, &mut |piece| {
        recorder.begin_record();
        visit(recorder, piece)
    })?;
    let completeness = match ending {
        Ending::Complete if is_text => Completeness::Whole,
        Ending::Complete => {
            unreadable(recorder, whole.json.len(), bytes.len())?;
            Completeness::Prefix
        }
        Ending::Followed(end) => {
            unreadable(recorder, end, bytes.len())?;
            Completeness::Prefix
        }
        Ending::Cut if is_text => Completeness::TailMissing,
        Ending::Cut | Ending::Malformed => {
            recorder.run.counters.malformed += 1;
            Completeness::TailMissing
        }
    };
    recorder.end_source(bytes.len() as u64, completeness);
    Ok(())
}

/// A document from its beginning, as far as it is text, and whether that is all of it.
pub(crate) fn whole(bytes: &[u8]) -> (Spot<'_>, bool) {
    let (json, is_text) = utf8_prefix(bytes);
    (Spot { json, offset: 0 }, is_text)
}

/// Walks a document apart from any run, for what has to be known before its records are read, or besides them.
pub(crate) fn survey(
    bytes: &[u8],
    lists: &[&str],
    visit: &mut dyn FnMut(Piece<'_>) -> Result<(), ImportError>,
) -> Result<Ending, ImportError> {
    walk(whole(bytes).0, lists, visit)
}

fn unreadable(recorder: &mut Recorder, from: usize, to: usize) -> Result<(), ImportError> {
    recorder.run.counters.malformed += 1;
    recorder.step(StepKind::Unreadable, from as u64, (to - from) as u64)?;
    Ok(())
}

/// Walks a JSON value. `lists` are the paths of lists (`messages`, `data.messages`, the empty path for a list that is
/// the value itself); each of their items is an [`Piece::Item`], each other field a [`Piece::Field`], in the order of
/// the source. An object on the way to a list is opened; a named list that is an object gives its members as items.
pub(crate) fn walk(
    whole: Spot<'_>,
    lists: &[&str],
    visit: &mut dyn FnMut(Piece<'_>) -> Result<(), ImportError>,
) -> Result<Ending, ImportError> {
    let mut failed = None;
    let mut deserializer = Deserializer::from_str(whole.json);
    let walked = Level {
        whole,
        path: String::new(),
        lists,
        visit,
        failed: &mut failed,
    }
    .deserialize(&mut deserializer);
    if let Some(error) = failed {
        return Err(error);
    }
    let mut rest = deserializer.into_iter::<IgnoredAny>();
    let end = rest.byte_offset();
    Ok(match walked {
        Ok(()) if whole.json[end.min(whole.json.len())..].trim_start().is_empty() => Ending::Complete,
        Ok(()) => {
            let _ = rest.next();
            Ending::Followed(end)
        }
        Err(error) if error.is_eof() => Ending::Cut,
        Err(_) => Ending::Malformed,
    })
}

struct Level<'v, 'a> {
    whole: Spot<'a>,
    path: String,
    lists: &'v [&'v str],
    visit: &'v mut dyn FnMut(Piece<'_>) -> Result<(), ImportError>,
    failed: &'v mut Option<ImportError>,
}

impl<'a> Level<'_, 'a> {
    /// Where a piece stands: pieces are borrowed from the text they were read from.
    fn spot(&self, raw: &'a RawValue) -> Spot<'a> {
        let start = (raw.get().as_ptr() as usize).saturating_sub(self.whole.json.as_ptr() as usize);
        Spot {
            json: raw.get(),
            offset: self.whole.offset + start as u64,
        }
    }

    fn give<E: serde::de::Error>(&mut self, piece: Piece<'_>) -> Result<(), E> {
        (self.visit)(piece).map_err(|error| {
            *self.failed = Some(error);
            E::custom("stopped")
        })
    }

    fn is_list(&self, path: &str) -> bool {
        self.lists.contains(&path)
    }

    fn leads_to_list(&self, path: &str) -> bool {
        self.lists
            .iter()
            .any(|list| list.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_, 'de> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let is_list = self.is_list(&self.path) && !self.path.is_empty();
        while let Some(key) = map.next_key::<String>()? {
            if key.len() > MAX_NAME_BYTES {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if is_list {
                let raw = map.next_value::<&'de RawValue>()?;
                let (spot, list) = (self.spot(raw), self.path.clone());
                self.give(Piece::Item { list: &list, spot })?;
                continue;
            }
            let path = if self.path.is_empty() {
                key
            } else {
                format!("{}.{key}", self.path)
            };
            if self.is_list(&path) || self.leads_to_list(&path) {
                map.next_value_seed(Level {
                    whole: self.whole,
                    path,
                    lists: self.lists,
                    visit: &mut *self.visit,
                    failed: &mut *self.failed,
                })?;
            } else {
                let raw = map.next_value::<&'de RawValue>()?;
                let spot = self.spot(raw);
                self.give(Piece::Field { path: &path, spot })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        if !self.is_list(&self.path) {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let list = std::mem::take(&mut self.path);
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            let spot = self.spot(raw);
            self.give(Piece::Item { list: &list, spot })?;
        }
        Ok(())
    }

    otherwise!((); bool, i64, u64, f64, str, unit);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(json: &str, lists: &[&str]) -> (Vec<String>, Ending) {
        let mut found = Vec::new();
        let ending = walk(Spot { json, offset: 100 }, lists, &mut |piece| {
            let (label, spot) = match piece {
                Piece::Field { path, spot } => (format!("{path}="), spot),
                Piece::Item { list, spot } => (format!("{list}[]"), spot),
            };
            let at = spot.offset as usize - 100;
            assert_eq!(&json[at..at + spot.json.len()], spot.json);
            found.push(label + spot.json);
            Ok(())
        })
        .unwrap();
        (found, ending)
    }

    #[test]
    fn gives_items_and_fields_in_order() {
        let json =
            r#"{"a": 1, "messages": [ {"x":[1]}, "t" ,3], "data":{"b":{}, "list":[4]}, "messages":{"k":5}} "#;
        assert_eq!(
            pieces(json, &["messages", "data.list"]),
            (
                [
                    "a=1",
                    "messages[]{\"x\":[1]}",
                    "messages[]\"t\"",
                    "messages[]3",
                    "data.b={}",
                    "data.list[]4",
                    "messages[]5"
                ]
                .map(str::to_owned)
                .to_vec(),
                Ending::Complete
            )
        );
        assert_eq!(
            pieces("[1,2]", &[""]),
            (vec!["[]1".into(), "[]2".into()], Ending::Complete)
        );
        assert_eq!(pieces("[1,2]", &["x"]), (vec![], Ending::Complete));
        assert_eq!(pieces("7", &[""]), (vec![], Ending::Complete));
    }

    #[test]
    fn every_prefix_gives_what_stands_before_its_end() {
        let json = r#"{"a":"é","list":[{"x":1},{"y":[2]}],"z":true}"#;
        let (all, _) = pieces(json, &["list"]);
        for cut in (0..json.len()).filter(|cut| json.is_char_boundary(*cut)) {
            let (some, ending) = pieces(&json[..cut], &["list"]);
            assert_eq!(ending, Ending::Cut, "{cut}");
            assert!(all.starts_with(&some), "{cut}");
        }
    }

    #[test]
    fn defects_are_told_apart() {
        assert_eq!(pieces("[1,2]]", &[""]).1, Ending::Followed(5));
        assert_eq!(pieces("[1,2] [3]", &[""]).1, Ending::Followed(5));
        assert_eq!(pieces("[1,x]", &[""]), (vec!["[]1".into()], Ending::Malformed));
        assert_eq!(pieces("", &[""]).1, Ending::Cut);
    }

    #[test]
    fn depth_needs_no_stack() {
        let deep = format!("[{}{}]", "[".repeat(500_000), "]".repeat(500_000));
        let (items, ending) = pieces(&deep, &[""]);
        assert_eq!((items.len(), ending), (1, Ending::Complete));
        let deep = format!("{{\"a\":{}", "{\"a\":".repeat(500_000));
        assert_eq!(pieces(&deep, &["a.b"]).1, Ending::Cut);
    }
}
