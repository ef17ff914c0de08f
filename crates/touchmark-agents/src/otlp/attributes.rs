//! Attributes: names with values of several types.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::json::lenient::{Flag, Items, Object, Text};
use crate::recorder::times::{self, Stamp};

/// The attributes of a span, an event, a log record or a resource.
#[derive(Default)]
pub(super) struct Attributes<'a>(Vec<(Cow<'a, str>, AnyValue<'a>)>);

/// A value of one of several types.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AnyValue<'a> {
    #[serde(borrow)]
    string_value: Text<'a>,
    #[serde(borrow)]
    int_value: Option<&'a RawValue>,
    #[serde(borrow)]
    double_value: Option<&'a RawValue>,
    bool_value: Flag,
    #[serde(borrow)]
    array_value: Option<&'a RawValue>,
    #[serde(borrow)]
    kvlist_value: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KeyValue<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    value: Object<AnyValue<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Attributes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Items::<Object<KeyValue<'a>>>::deserialize(deserializer)?;
        let pairs = list.0.into_iter().filter_map(|item| {
            let pair = item.0?;
            Some((pair.key.0?, pair.value.0?))
        });
        Ok(Self(pairs.collect()))
    }
}

impl Attributes<'_> {
    fn get(&self, key: &str) -> Option<&AnyValue<'_>> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The first of these names that has a text.
    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        keys.iter()
            .find_map(|key| self.get(key)?.string_value.as_deref())
            .filter(|text| !text.is_empty())
    }

    /// The first of these names that has a number of things; a number in a text counts too.
    pub(super) fn count(&self, keys: &[&str]) -> Option<u64> {
        keys.iter().find_map(|key| {
            let value = self.get(key)?;
            match value.int_value.or(value.double_value) {
                Some(raw) => raw.get().trim_matches('"').parse().ok(),
                None => value.string_value.as_deref()?.parse().ok(),
            }
        })
    }

    /// The first of these names that has a whole number, which may be below zero.
    pub(super) fn integer(&self, keys: &[&str]) -> Option<i64> {
        keys.iter().find_map(|key| {
            let raw = self.get(key)?.int_value?;
            raw.get().trim_matches('"').parse().ok()
        })
    }

    /// The first of these names that has a number.
    pub(super) fn number(&self, keys: &[&str]) -> Option<f64> {
        let number = keys.iter().find_map(|key| {
            let value = self.get(key)?;
            let raw = value.double_value.or(value.int_value);
            match raw {
                Some(raw) => raw.get().trim_matches('"').parse().ok(),
                None => value.string_value.as_deref()?.parse().ok(),
            }
        });
        number.filter(|number: &f64| number.is_finite())
    }

    /// A truth value; some write it as text.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        value
            .bool_value
            .0
            .or_else(|| match value.string_value.as_deref() {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            })
    }

    /// The first of these names that is there, as JSON: a text as it stands (it mostly is JSON), other values in plain
    /// form.
    pub(super) fn json(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| {
            let value = self.get(key)?;
            match value.string_value.as_deref() {
                Some(text) => Some(text.to_owned()),
                None => Some(value.plain()?.to_string()),
            }
        })
    }

    /// The names and texts below a prefix, in the order of the source.
    pub(super) fn below<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = (&'s str, &'s str)> {
        self.0.iter().filter_map(move |(name, value)| {
            Some((name.strip_prefix(prefix)?, value.string_value.as_deref()?))
        })
    }

    /// Whether any name begins like this.
    pub(super) fn has(&self, prefix: &str) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with(prefix))
    }
}

impl AnyValue<'_> {
    fn plain(&self) -> Option<Value> {
        let raw = self.array_value.or(self.kvlist_value);
        match raw {
            Some(raw) => {
                let value: Value = serde_json::from_str(raw.get()).ok()?;
                Some(members(&value))
            }
            None => {
                let number = self.int_value.or(self.double_value);
                match number {
                    Some(raw) => serde_json::from_str(raw.get().trim_matches('"')).ok(),
                    None => self.bool_value.0.map(Value::from),
                }
            }
        }
    }
}

/// Turns `{"values":[…]}` and `[{"key":…,"value":…}]` into a list and an object. What was read has a bounded depth.
fn members(value: &Value) -> Value {
    let list = value.get("values").and_then(Value::as_array);
    let Some(list) = list else { return Value::Null };
    let is_object = !list.is_empty() && list.iter().all(|item| item.get("key").is_some());
    if is_object {
        let pairs = list.iter().filter_map(|item| {
            let key = item.get("key")?.as_str()?.to_owned();
            Some((key, plain(item.get("value")?)))
        });
        return pairs.collect::<Map<String, Value>>().into();
    }
    list.iter().map(plain).collect::<Vec<Value>>().into()
}

fn plain(value: &Value) -> Value {
    for key in ["stringValue", "boolValue", "doubleValue"] {
        if let Some(inner) = value.get(key) {
            return inner.clone();
        }
    }
    if let Some(number) = value.get("intValue") {
        let parsed = number.as_str().and_then(|text| text.parse::<i64>().ok());
        return parsed.map_or_else(|| number.clone(), Value::from);
    }
    for key in ["arrayValue", "kvlistValue"] {
        if let Some(inner) = value.get(key) {
            return members(inner);
        }
    }
    Value::Null
}

/// Reads the text or the value that a log record's body is, as JSON in plain form.
pub(super) fn body(raw: &RawValue) -> Option<Value> {
    let value: Value = serde_json::from_str(raw.get()).ok()?;
    Some(plain(&value))
}

/// Reads a time in nanoseconds, which JSON has as a text.
pub(super) fn time(raw: Option<&RawValue>) -> Option<Stamp> {
    let nanos = raw?.get().trim_matches('"').parse().ok()?;
    if nanos == 0 {
        return None;
    }
    times::nanos(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_type_are_read() {
        let json = r#"[
            {"key":"s","value":{"stringValue":"text"}},
            {"key":"i","value":{"intValue":"7"}},
            {"key":"n","value":{"intValue":8}},
            {"key":"d","value":{"doubleValue":0.5}},
            {"key":"b","value":{"boolValue":true}},
            {"key":"t","value":{"stringValue":"false"}},
            {"key":"m","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[
                {"key":"role","value":{"stringValue":"user"}},{"key":"n","value":{"intValue":"3"}}]}}]}}},
            {"key":"odd","value":7}, 8, {"value":{}}
        ]"#;
        let read: Attributes<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(read.text(&["absent", "s"]), Some("text"));
        assert_eq!((read.count(&["i"]), read.count(&["n"])), (Some(7), Some(8)));
        assert_eq!(read.number(&["d"]), Some(0.5));
        assert_eq!((read.flag("b"), read.flag("t")), (Some(true), Some(false)));
        assert_eq!(read.json(&["m"]).as_deref(), Some(r#"[{"n":3,"role":"user"}]"#));
        assert!(read.text(&["odd"]).is_none() && !read.has("od"));
    }
}
