//! Predicates of others, as real tools write them.

use serde_json::{Value, json};

use super::*;
use crate::samples::{SHA, broken, changed, code, parse, statement, statement_json, without};
use crate::statement::SignedStatement;
use crate::test_result::TestOutcome;
use crate::vsa::{InputAttestation, VerificationResult, Verifier};

fn test_result() -> Value {
    json!({
        "result": "FAILED",
        "configuration": [{"name": ".ci/test.yml", "downloadLocation": "https://example.org/x",
                           "digest": {"gitBlob": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}}],
        "url": "https://example.org/runs/1",
        "passedTests": ["a", "b"], "warnedTests": [], "failedTests": ["c"]
    })
}

fn provenance() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": "refs/heads/main", "path": ".github/workflows/x.yml"}},
            "internalParameters": {"github": {"event_name": "push", "ratio": 0.5}},
            "resolvedDependencies": [
                {"uri": "git+https://example.org/acme/app@refs/heads/main",
                 "digest": {"gitCommit": "5f0e9f6a4d2b47f5a8e1b6f0c3d2e1f0a9b8c7d6"}}
            ]
        },
        "runDetails": {
            "builder": {"id": "https://example.org/builder@v1", "version": {"runner": "2.3"}},
            "metadata": {"invocationId": "https://example.org/runs/1", "startedOn": "2026-02-03T04:05:06Z"}
        }
    })
}

fn vsa() -> Value {
    json!({
        "verifier": {"id": "https://example.org/gate", "version": {"touchmark": "0.1.0"}},
        "timeVerified": "2026-02-03T04:05:06Z",
        "resourceUri": "git+https://example.org/acme/app",
        "policy": {"uri": "policy.toml", "digest": {"sha256": SHA}},
        "inputAttestations": [{"uri": "refs/touchmark/x", "digest": {"sha256": SHA}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"],
        "dependencyLevels": {"SLSA_BUILD_LEVEL_0": 3},
        "slsaVersion": "1.1"
    })
}

fn read_back(predicate_type: &str, predicate: Value) -> Predicate {
    let json = statement_json(predicate_type, predicate);
    let signed = parse(&json).unwrap();
    let bytes = signed.statement().encode().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), json);
    assert_eq!(signed.unknown_fields(), &[] as &[String]);
    signed.statement().predicate.clone()
}

#[test]
fn test_results_are_read_and_written() {
    let Predicate::TestResult(result) = read_back(TEST_RESULT_V0_1, test_result()) else {
        panic!()
    };
    assert_eq!(result.result, TestOutcome::Failed);
    assert_eq!(result.failed_tests.as_deref(), Some(&["c".to_owned()][..]));
    assert!(!result.is_clean_pass());
    let passed = changed(test_result(), "/result", json!("PASSED"));
    let Predicate::TestResult(result) = read_back(TEST_RESULT_V0_1, passed) else {
        panic!()
    };
    assert!(!result.is_clean_pass(), "a pass that names failed tests is none");
    let clean = without(changed(test_result(), "/result", json!("PASSED")), "/failedTests");
    let Predicate::TestResult(result) = read_back(TEST_RESULT_V0_1, clean) else {
        panic!()
    };
    assert!(result.is_clean_pass());
}

#[test]
fn case_20_other_outcomes_are_refused() {
    for word in ["passed", "SKIPPED", ""] {
        let test = changed(test_result(), "/result", json!(word));
        assert_eq!(
            code(&statement_json(TEST_RESULT_V0_1, test)),
            "json.shape",
            "{word}"
        );
        let summary = changed(vsa(), "/verificationResult", json!(word));
        assert_eq!(
            code(&statement_json(SLSA_VSA_V1, summary)),
            "json.shape",
            "{word}"
        );
    }
}

#[test]
fn provenance_is_read_and_written() {
    let Predicate::Provenance(provenance) = read_back(SLSA_PROVENANCE_V1, provenance()) else {
        panic!()
    };
    assert_eq!(
        provenance.run_details.builder.id,
        "https://example.org/builder@v1"
    );
    let dependencies = provenance.build_definition.resolved_dependencies.unwrap();
    assert!(dependencies[0].digest.git_commit().is_some());
    assert_eq!(
        provenance.build_definition.internal_parameters.unwrap()["github"]["ratio"],
        json!(0.5)
    );
}

#[test]
fn provenance_of_other_tools_is_read() {
    let odd = changed(
        provenance(),
        "/runDetails/metadata/startedOn",
        json!("2026-02-03T04:05:06.789+01:00"),
    );
    let odd = changed(odd, "/runDetails/byproducts", Value::Null);
    let odd = changed(odd, "/runDetails/metadata/finishedOn", Value::Null);
    let odd = changed(odd, "/runDetails/builder/extra", json!([1.5]));
    let signed = parse(&statement_json(SLSA_PROVENANCE_V1, odd)).unwrap();
    assert_eq!(signed.unknown_fields(), ["/predicate/runDetails/builder/extra"]);
    let Predicate::Provenance(provenance) = &signed.statement().predicate else {
        panic!()
    };
    let metadata = provenance.run_details.metadata.as_ref().unwrap();
    assert_eq!(metadata.started_on.unwrap().to_string(), "2026-02-03T03:05:06Z");
    for pointer in ["/runDetails/builder/id", "/buildDefinition/buildType"] {
        let predicate = without(self::provenance(), pointer);
        assert_eq!(
            code(&statement_json(SLSA_PROVENANCE_V1, predicate)),
            "json.shape",
            "{pointer}"
        );
    }
}

#[test]
fn verification_summaries_are_read_and_written() {
    let Predicate::VerificationSummary(summary) = read_back(SLSA_VSA_V1, vsa()) else {
        panic!()
    };
    assert_eq!(summary.verification_result, VerificationResult::Passed);
    assert_eq!(summary.input_attestations.unwrap().len(), 1);
    for pointer in [
        "/verifier",
        "/resourceUri",
        "/policy",
        "/verificationResult",
        "/verifiedLevels",
    ] {
        assert_eq!(
            code(&statement_json(SLSA_VSA_V1, without(vsa(), pointer))),
            "json.shape",
            "{pointer}"
        );
    }
}

#[test]
fn a_summary_that_we_make_survives() {
    let digest = crate::digest::DigestSet::of_sha256(crate::digest::Sha256Digest::of(b"policy"));
    let summary = VerificationSummary {
        verifier: Verifier {
            id: "https://touchmark.dev/verifier".to_owned(),
            version: None,
        },
        time_verified: Some("2026-02-03T04:05:06Z".parse().unwrap()),
        resource_uri: "git+https://example.org/acme/app".to_owned(),
        policy: crate::statement::ResourceDescriptor::new("policy", digest.clone()),
        input_attestations: Some(vec![InputAttestation { uri: None, digest }]),
        verification_result: VerificationResult::Failed,
        verified_levels: Vec::new(),
        dependency_levels: None,
        slsa_version: Some("1.1".to_owned()),
    };
    let statement = statement(Predicate::VerificationSummary(Box::new(summary)));
    let signed = SignedStatement::parse(statement.encode().unwrap()).unwrap();
    assert_eq!(signed.statement(), &statement);
}

#[test]
fn numbers_of_others_may_have_fractions_but_ours_may_not() {
    let other = statement_json(
        "https://example.org/score/v1",
        json!({"score": 9.8, "big": 1e300}),
    );
    assert!(parse(&other).is_ok());
    assert_eq!(broken("/predicate/later", json!(9.8)), "json.inexact_number");
    assert_eq!(
        code(&statement_json(SUSPECT_V1, json!({"score": 9.8}))),
        "json.inexact_number"
    );
}

#[test]
fn predicates_of_unknown_types_are_kept() {
    let value = json!({"anything": [1, {"x": null}]});
    let Predicate::Other {
        predicate_type,
        value: kept,
    } = read_back("https://example.org/x/v1", value.clone())
    else {
        panic!()
    };
    assert_eq!(
        (predicate_type.as_str(), kept),
        ("https://example.org/x/v1", value)
    );
}
