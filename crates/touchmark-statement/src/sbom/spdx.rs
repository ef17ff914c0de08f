//! Packages of SPDX documents, 2.3 and 3.

use serde::Deserialize;

use super::{Component, SbomError, SbomFormat};
use crate::strict_json::{Author, from_str_typed, null_as_default};

/// Both generations at once: 2.3 has `spdxVersion` and `packages`, 3 has `@graph`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    packages: Vec<Package>,
    #[serde(rename = "@graph")]
    graph: Option<Vec<Element>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: String,
    version_info: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    external_refs: Vec<ExternalRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_type: String,
    reference_locator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    spec_version: Option<String>,
    #[serde(rename = "software_packageVersion")]
    package_version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    package_url: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    external_identifier: Vec<ExternalIdentifier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalIdentifier {
    external_identifier_type: String,
    identifier: String,
}

pub(super) fn read(text: &str) -> Result<(String, Vec<Component>), SbomError> {
    let document = from_str_typed::<Document>(text, Author::Others, "/predicate")?.value;
    match (document.spdx_version.as_deref(), document.graph) {
        (Some("SPDX-2.3"), None) => Ok((
            "2.3".to_owned(),
            document.packages.into_iter().map(from_package).collect(),
        )),
        (None, Some(elements)) => {
            let version = elements.iter().find_map(|element| element.spec_version.clone());
            match version {
                Some(version) if version == "3" || version.starts_with("3.") => {
                    Ok((version, elements.into_iter().filter_map(from_element).collect()))
                }
                found => Err(refused(found)),
            }
        }
        (found, _) => Err(refused(found.map(str::to_owned))),
    }
}

fn refused(found: Option<String>) -> SbomError {
    SbomError::Version {
        format: SbomFormat::Spdx,
        found: found.unwrap_or_default(),
    }
}

fn from_package(package: Package) -> Component {
    let purl = package
        .external_refs
        .into_iter()
        .find(|reference| reference.reference_type == "purl");
    Component {
        name: package.name,
        version: package.version_info,
        purl: purl.map(|reference| reference.reference_locator),
    }
}

fn from_element(element: Element) -> Option<Component> {
    if element.kind != "software_Package" {
        return None;
    }
    let identifier = || {
        let is_purl = |id: &ExternalIdentifier| id.external_identifier_type == "packageUrl";
        element
            .external_identifier
            .into_iter()
            .find(is_purl)
            .map(|id| id.identifier)
    };
    Some(Component {
        name: element.name.unwrap_or_default(),
        version: element.package_version,
        purl: element.package_url.or_else(identifier),
    })
}
