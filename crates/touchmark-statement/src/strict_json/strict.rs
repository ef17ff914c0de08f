//! The wrapper around a deserializer, its visitors and accessors that [`typed`](super::typed) reads through.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::{Author, JsonError, look_alike};
use crate::limits::{MAX_TEXT_BYTES, MAX_UNKNOWN_FIELDS};

/// What one pass found so far.
pub(super) struct State {
    pub(super) author: Author,
    pub(super) unknown: Vec<String>,
    pub(super) unknown_count: usize,
    /// Where reading failed first.
    pub(super) failed_at: Option<String>,
    pub(super) refusal: Option<JsonError>,
}

/// Where a value stands, as a list from the value up to the document.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root(&'p str),
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    /// Writes a JSON pointer, RFC 6901.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(prefix) => f.write_str(prefix),
            Self::Key(parent, key) => write!(f, "{parent}/{}", key.replace('~', "~0").replace('/', "~1")),
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// A deserializer, visitor or accessor, with what this pass adds.
pub(super) struct Strict<'s, 'p, T> {
    pub(super) inner: T,
    pub(super) state: &'s RefCell<State>,
    pub(super) path: Path<'p>,
}

impl<'s, 'p, T> Strict<'s, 'p, T> {
    fn around<U>(&self, inner: U) -> Strict<'s, 'p, U> {
        Strict {
            inner,
            state: self.state,
            path: self.path,
        }
    }

    /// Notes where reading failed first, which is where the pointer is longest.
    fn noted<V, E>(&self, path: &Path<'_>, outcome: Result<V, E>) -> Result<V, E> {
        if outcome.is_err() {
            self.state
                .borrow_mut()
                .failed_at
                .get_or_insert_with(|| path.to_string());
        }
        outcome
    }

    /// Refuses a text that no format of ours holds.
    fn bounded<E: de::Error>(&self, text: &str) -> Result<(), E> {
        let mut state = self.state.borrow_mut();
        // A path that is not UTF-8 has a cap of its own, and its base64 is longer than the path.
        if state.author == Author::Others || matches!(self.path, Path::Key(_, "bytes")) {
            return Ok(());
        }
        let pointer = || self.path.to_string();
        let refusal = match text.len() {
            0 => JsonError::EmptyText { pointer: pointer() },
            found if found > MAX_TEXT_BYTES => JsonError::TextTooLong {
                pointer: pointer(),
                max: MAX_TEXT_BYTES,
                found,
            },
            _ if text.contains('\0') => JsonError::Nul { pointer: pointer() },
            _ => return Ok(()),
        };
        state.refusal.get_or_insert(refusal);
        Err(E::custom("a text out of bounds"))
    }
}

macro_rules! forward {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let visitor = Shape { fields: None, visitor: self.around(visitor) };
            self.inner.$method(visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, '_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map deserialize_identifier
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let author = self.state.borrow().author;
        match author {
            Author::Us => visitor.visit_some(self),
            Author::Others => {
                let visitor = Shape {
                    fields: None,
                    visitor: self.around(visitor),
                };
                self.inner.deserialize_option(visitor)
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Shape {
            fields: Some(fields),
            visitor: self.around(visitor),
        };
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Shape {
            fields: None,
            visitor: self.around(visitor),
        };
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Shape {
            fields: None,
            visitor: self.around(visitor),
        };
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = Shape {
            fields: None,
            visitor: self.around(visitor),
        };
        self.inner.deserialize_tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Shape {
            fields: None,
            visitor: self.around(visitor),
        };
        self.inner.deserialize_tuple_struct(name, len, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Shape {
            fields: None,
            visitor: self.around(visitor),
        };
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        {
            let mut state = self.state.borrow_mut();
            state.unknown_count += 1;
            if state.unknown.len() < MAX_UNKNOWN_FIELDS {
                state.unknown.push(self.path.to_string());
            }
        }
        self.inner.deserialize_ignored_any(visitor)
    }
}

/// A visitor that hands on what it is given, wrapped; with `fields` it takes objects only.
struct Shape<'s, 'p, V> {
    fields: Option<&'static [&'static str]>,
    visitor: Strict<'s, 'p, V>,
}

macro_rules! hand_on {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Shape<'_, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.inner.expecting(f)
    }

    hand_on! {
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64,
        visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>,
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        self.visitor.bounded(text)?;
        self.visitor.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.visitor.bounded(text)?;
        self.visitor.inner.visit_borrowed_str(text)
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<V::Value, E> {
        self.visitor.bounded(&text)?;
        self.visitor.inner.visit_string(text)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.visitor.around(deserializer);
        self.visitor.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.visitor.around(deserializer);
        self.visitor.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        if self.fields.is_some() {
            let pointer = self.visitor.path.to_string();
            self.visitor
                .state
                .borrow_mut()
                .refusal
                .get_or_insert(JsonError::ArrayForObject { pointer });
            return Err(de::Error::custom("an array in place of an object"));
        }
        let items = Items {
            items: self.visitor.around(items),
            next: 0,
        };
        self.visitor.inner.visit_seq(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let fields = Fields {
            map: self.visitor.around(map),
            known: self.fields,
            key: String::new(),
        };
        self.visitor.inner.visit_map(fields)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.visitor.around(access);
        self.visitor.inner.visit_enum(access)
    }
}

/// The items of an array.
struct Items<'s, 'p, A> {
    items: Strict<'s, 'p, A>,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, '_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let parent = self.items.path;
        let path = Path::Index(&parent, self.next);
        self.next += 1;
        let outcome = self.items.inner.next_element_seed(Strict {
            inner: seed,
            state: self.items.state,
            path,
        });
        self.items.noted(&path, outcome)
    }
}

/// The fields of an object; `known` are the fields of the struct that reads it, if one does.
struct Fields<'s, 'p, A> {
    map: Strict<'s, 'p, A>,
    known: Option<&'static [&'static str]>,
    key: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.map.inner.next_key::<String>()? else {
            return Ok(None);
        };
        self.key = key;
        let look_alike = self.known.and_then(|known| look_alike(&self.key, known));
        if let Some(known) = look_alike {
            let found = Path::Key(&self.map.path, &self.key).to_string();
            self.map
                .state
                .borrow_mut()
                .refusal
                .get_or_insert(JsonError::LookAlikeKey { found, known });
            return Err(de::Error::custom("a look-alike key"));
        }
        let key: StrDeserializer<'_, A::Error> = self.key.as_str().into_deserializer();
        let outcome = seed.deserialize(key).map(Some);
        self.map.noted(&Path::Key(&self.map.path, &self.key), outcome)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let parent = self.map.path;
        let path = Path::Key(&parent, &self.key);
        let outcome = self.map.inner.next_value_seed(Strict {
            inner: seed,
            state: self.map.state,
            path,
        });
        self.map.noted(&path, outcome)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<'_, '_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, 's, 'p, A: EnumAccess<'de>> EnumAccess<'de> for Strict<'s, 'p, A> {
    type Error = A::Error;
    type Variant = Strict<'s, 'p, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let (state, path) = (self.state, self.path);
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((
            value,
            Strict {
                inner: variant,
                state,
                path,
            },
        ))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<'_, '_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = Shape {
            fields: None,
            visitor: self.around(visitor),
        };
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = Shape {
            fields: Some(fields),
            visitor: self.around(visitor),
        };
        self.inner.struct_variant(fields, visitor)
    }
}
