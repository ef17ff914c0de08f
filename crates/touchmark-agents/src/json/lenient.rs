//! Field types that take any JSON: a value of an unexpected type counts as absent instead of spoiling its record.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The most items of one list.
const MAX_ITEMS: usize = 65_536;

/// A string, borrowed from the source where it has no escapes.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

impl Text<'_> {
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// A boolean.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flag(pub(crate) Option<bool>);

impl Flag {
    pub(crate) fn is_true(self) -> bool {
        self.0 == Some(true)
    }
}

/// A non-negative integer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count(pub(crate) Option<u64>);

/// An object of type `T`; arrays are not taken for objects.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// The items of a list; another value has none. What is beyond the cap spoils the record.
#[derive(Debug)]
pub(crate) struct Items<T>(pub(crate) Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Items<Object<T>> {
    /// The items that are objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|item| item.0.as_ref())
    }
}

/// Whether a value other than `null` is there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Present(pub(crate) bool);

/// Implements the methods of a visitor that mean "a value of another type".
macro_rules! otherwise {
    ($value:expr; $($kind:ident),*) => { $(otherwise!(@ $kind $value);)* };
    (@ bool $value:expr) => { fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> { Ok($value) } };
    (@ i64 $value:expr) => { fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> { Ok($value) } };
    (@ u64 $value:expr) => { fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> { Ok($value) } };
    (@ f64 $value:expr) => { fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> { Ok($value) } };
    (@ str $value:expr) => { fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> { Ok($value) } };
    (@ unit $value:expr) => { fn visit_unit<E: Error>(self) -> Result<Self::Value, E> { Ok($value) } };
    (@ seq $value:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
    (@ map $value:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}
pub(crate) use otherwise;

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text))))
            }
            otherwise!(Text(None); bool, i64, u64, f64, unit, seq, map);
        }
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(Some(value)))
            }
            otherwise!(Flag(None); i64, u64, f64, str, unit, seq, map);
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a non-negative integer")
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
                Ok(Count(Some(value)))
            }
            otherwise!(Count(None); bool, i64, f64, str, unit, seq, map);
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Object(Some(value)))
            }
            otherwise!(Object(None); bool, i64, u64, f64, str, unit, seq);
        }
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ItemsVisitor<T> {
            type Value = Items<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                    if items.len() > MAX_ITEMS {
                        return Err(A::Error::custom("too many items"));
                    }
                }
                Ok(Items(items))
            }
            otherwise!(Items(Vec::new()); bool, i64, u64, f64, str, unit, map);
        }
        deserializer.deserialize_any(ItemsVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <Option<IgnoredAny>>::deserialize(deserializer)?;
        Ok(Self(raw.is_some()))
    }
}

/// Decodes the text of a raw JSON value: a string, or the first text of a list of parts. Other values have none.
pub(crate) fn first_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Debug, serde::Deserialize)]
    struct Part<'a> {
        #[serde(borrow, default)]
        text: Text<'a>,
    }
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'_>>(json).ok()?.0,
        b'[' => serde_json::from_str::<Vec<Object<Part<'_>>>>(json)
            .ok()?
            .into_iter()
            .find_map(|part| part.0?.text.0),
        _ => None,
    }
}
