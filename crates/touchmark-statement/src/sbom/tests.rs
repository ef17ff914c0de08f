//! Bills of materials of both families.

use serde_json::{Value, json};

use super::*;
use crate::predicate::Predicate;
use crate::samples::{changed, code, parse, statement, statement_json};

fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "application", "name": "app"}},
        "components": [
            {"type": "library", "name": "serde", "version": "1.0.1", "purl": "pkg:cargo/serde@1.0.1",
             "evidence": {"identity": [{"field": "purl", "confidence": 0.75}]},
             "components": [{"type": "library", "name": "serde_derive"}]},
            {"type": "library", "name": "old"}
        ]
    })
}

fn spdx_2() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app",
        "packages": [
            {"SPDXID": "SPDXRef-1", "name": "serde", "versionInfo": "1.0.1", "externalRefs": [
                {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x"},
                {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                 "referenceLocator": "pkg:cargo/serde@1.0.1"}]},
            {"SPDXID": "SPDXRef-2", "name": "old"}
        ]
    })
}

fn spdx_3() -> Value {
    json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "CreationInfo", "specVersion": "3.0.1", "created": "2026-01-01T00:00:00Z"},
            {"type": "software_Package", "name": "serde", "software_packageVersion": "1.0.1",
             "software_packageUrl": "pkg:cargo/serde@1.0.1"},
            {"type": "software_Package", "name": "syn", "externalIdentifier": [
                {"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl",
                 "identifier": "pkg:cargo/syn@2.0.0"}]},
            {"type": "software_File", "name": "README.md"}
        ]
    })
}

fn component(name: &str, version: Option<&str>, purl: Option<&str>) -> Component {
    Component {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        purl: purl.map(str::to_owned),
    }
}

fn sbom(predicate_type: &str, document: Value) -> Sbom {
    let signed = parse(&statement_json(predicate_type, document)).unwrap();
    assert_eq!(signed.unknown_fields(), &[] as &[String]);
    let Predicate::Sbom(sbom) = &signed.statement().predicate else {
        panic!("not read as an SBOM")
    };
    (**sbom).clone()
}

#[test]
fn cyclonedx_components_are_read_with_nested_ones() {
    for (predicate_type, version) in [
        ("https://cyclonedx.org/bom", "1.4"),
        ("https://cyclonedx.org/bom", "1.5"),
        ("https://cyclonedx.org/bom/v1.6", "1.6"),
    ] {
        let found = sbom(
            predicate_type,
            changed(cyclonedx(), "/specVersion", json!(version)),
        );
        let serde = component("serde", Some("1.0.1"), Some("pkg:cargo/serde@1.0.1"));
        let expected = [
            serde,
            component("serde_derive", None, None),
            component("old", None, None),
        ];
        assert_eq!(
            (found.format(), found.version()),
            (SbomFormat::CycloneDx, version)
        );
        assert_eq!(found.components(), expected);
    }
}

#[test]
fn spdx_packages_are_read() {
    let serde = component("serde", Some("1.0.1"), Some("pkg:cargo/serde@1.0.1"));
    for predicate_type in ["https://spdx.dev/Document", "https://spdx.dev/Document/v2.3"] {
        let found = sbom(predicate_type, spdx_2());
        assert_eq!(found.components(), [serde.clone(), component("old", None, None)]);
    }
    for predicate_type in ["https://spdx.dev/Document", "https://spdx.dev/Document/v3"] {
        let found = sbom(predicate_type, spdx_3());
        assert_eq!(found.version(), "3.0.1");
        assert_eq!(
            found.components(),
            [serde.clone(), component("syn", None, Some("pkg:cargo/syn@2.0.0"))]
        );
    }
}

#[test]
fn a_document_we_made_survives_with_its_digest() {
    let made = Sbom::from_document("https://cyclonedx.org/bom", &cyclonedx()).unwrap();
    assert_eq!(
        made.digest(),
        Sha256Digest::of(&strict_json::canonical(&cyclonedx()).unwrap())
    );
    let bytes = statement(Predicate::Sbom(Box::new(made.clone())))
        .encode()
        .unwrap();
    let signed = crate::statement::SignedStatement::parse(bytes).unwrap();
    assert_eq!(signed.statement().predicate, Predicate::Sbom(Box::new(made)));
}

#[test]
fn other_versions_are_refused() {
    let versions = [
        (
            "https://cyclonedx.org/bom",
            changed(cyclonedx(), "/specVersion", json!("1.3")),
            "sbom.version",
        ),
        (
            "https://cyclonedx.org/bom",
            changed(cyclonedx(), "/bomFormat", json!("cyclonedx")),
            "sbom.version",
        ),
        (
            "https://cyclonedx.org/bom/v1.5",
            cyclonedx(),
            "sbom.predicate_type",
        ),
        (
            "https://spdx.dev/Document",
            changed(spdx_2(), "/spdxVersion", json!("SPDX-2.2")),
            "sbom.version",
        ),
        ("https://spdx.dev/Document/v3", spdx_2(), "sbom.predicate_type"),
        ("https://spdx.dev/Document/v2.3", spdx_3(), "sbom.predicate_type"),
        (
            "https://spdx.dev/Document",
            changed(spdx_3(), "/@graph/0/specVersion", json!("4.0")),
            "sbom.version",
        ),
        (
            "https://spdx.dev/Document",
            changed(spdx_3(), "/spdxVersion", json!("SPDX-2.3")),
            "sbom.version",
        ),
        ("https://spdx.dev/Document", json!({}), "sbom.version"),
        (
            "https://cyclonedx.org/bom",
            json!({"bomFormat": "CycloneDX"}),
            "json.shape",
        ),
    ];
    for (predicate_type, document, expected) in versions {
        assert_eq!(code(&statement_json(predicate_type, document)), expected);
    }
}

#[test]
fn a_document_is_made_for_a_type_of_its_kind_only() {
    let code = |predicate_type| {
        Sbom::from_document(predicate_type, &cyclonedx())
            .unwrap_err()
            .code()
    };
    assert_eq!(code("https://cyclonedx.org/bom/v1.7"), "sbom.unknown_type");
    assert_eq!(code("https://cyclonedx.org/bom/"), "sbom.unknown_type");
    assert_eq!(code("https://spdx.dev/Document"), "sbom.version");
}
