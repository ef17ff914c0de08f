//! Components of CycloneDX documents, 1.4 to 1.6.

use serde::Deserialize;

use super::{Component, SbomError, SbomFormat};
use crate::strict_json::{Author, from_str_typed, null_as_default};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: String,
    spec_version: String,
    #[serde(default, deserialize_with = "null_as_default")]
    components: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    version: Option<String>,
    purl: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    components: Vec<Item>,
}

pub(super) fn read(text: &str) -> Result<(String, Vec<Component>), SbomError> {
    let document = from_str_typed::<Document>(text, Author::Others, "/predicate")?.value;
    let known =
        document.bom_format == "CycloneDX" && matches!(&*document.spec_version, "1.4" | "1.5" | "1.6");
    if !known {
        let found = format!("{} {}", document.bom_format, document.spec_version);
        return Err(SbomError::Version {
            format: SbomFormat::CycloneDx,
            found,
        });
    }
    let mut components = Vec::new();
    collect(document.components, &mut components);
    Ok((document.spec_version, components))
}

/// Nesting is bounded by the depth of the document.
fn collect(items: Vec<Item>, into: &mut Vec<Component>) {
    for item in items {
        into.push(Component {
            name: item.name,
            version: item.version,
            purl: item.purl,
        });
        collect(item.components, into);
    }
}
