//! The JSON of a bundle, before any rule of the format is applied.
//!
//! Lists stop growing at their cap and only count what follows, so that a million entries cost no memory.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::value::RawValue;

use crate::limits::{MAX_CERTIFICATES, MAX_TIMESTAMPS, MAX_TLOG_ENTRIES};

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BundleWire {
    pub(super) media_type: String,
    pub(super) verification_material: MaterialWire,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dsse_envelope: Option<EnvelopeWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_signature: Option<MessageWire>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MaterialWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<BytesWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<HintWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) x509_certificate_chain: Option<ChainWire>,
    #[serde(default)]
    pub(super) tlog_entries: Option<Capped<Box<RawValue>, MAX_TLOG_ENTRIES>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp_verification_data: Option<TimestampsWire>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct HintWire {
    #[serde(default)]
    pub(super) hint: Option<String>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BytesWire {
    pub(super) raw_bytes: String,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ChainWire {
    pub(super) certificates: Capped<BytesWire, MAX_CERTIFICATES>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TimestampsWire {
    #[serde(default)]
    pub(super) rfc3161_timestamps: Option<Capped<TimestampWire, MAX_TIMESTAMPS>>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TimestampWire {
    pub(super) signed_timestamp: String,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EnvelopeWire {
    pub(super) payload: String,
    pub(super) payload_type: String,
    pub(super) signatures: Capped<SignatureWire, 1>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SignatureWire {
    pub(super) sig: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) keyid: Option<String>,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MessageWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_digest: Option<MessageDigestWire>,
    pub(super) signature: String,
}

#[derive(DeriveDeserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MessageDigestWire {
    pub(super) algorithm: String,
    pub(super) digest: String,
}

/// A list that keeps its first `CAP` items and counts the rest.
pub(super) struct Capped<T, const CAP: usize> {
    pub(super) items: Vec<T>,
    pub(super) found: usize,
}

impl<T, const CAP: usize> Capped<T, CAP> {
    pub(super) fn new(items: Vec<T>) -> Self {
        let found = items.len();
        Self { items, found }
    }

    /// Returns the items, or how many there were where they are more than the cap.
    pub(super) fn within(self) -> Result<Vec<T>, usize> {
        if self.found > CAP {
            Err(self.found)
        } else {
            Ok(self.items)
        }
    }
}

impl<'de, T: Deserialize<'de>, const CAP: usize> Deserialize<'de> for Capped<T, CAP> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const CAP: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const CAP: usize> Visitor<'de> for Items<T, CAP> {
            type Value = Capped<T, CAP>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while items.len() < CAP {
                    match seq.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(Capped::new(items)),
                    }
                }
                let mut found = items.len();
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    found += 1;
                }
                Ok(Capped { items, found })
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}

impl<T: Serialize, const CAP: usize> Serialize for Capped<T, CAP> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}
