//! Good and bad policy files, each also against `schemas/policy/v1.json`.

use super::*;

mod identities;

const KEY_A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEY_B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const KEY_C: &str = "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

/// Everything that is accepted, once.
fn good() -> String {
    format!(
        r#"#:schema https://touchmark.dev/schemas/policy-v1.json
version = 1
serial = 7
expires = 2027-06-30

[trust]
roots = ["local"]
log = {{ inclusion = true, self = "deny" }}

[[person]]
id = "alice"
teams = ["platform"]
names = ["Alice Example"]
emails = ["alice@acme.example"]
policy-admin = true
signers = [{{ key = "{KEY_A}", presence = true, from = 2026-01-01, until = 2027-01-01T00:00:00Z }}]

[[agent]]
id = "payments-fixer"
owner = "team-payments"
operators = ["team:platform", "alice"]
status = "active"
signers = [{{ key = "{KEY_B}", isolated = true }}]
products = ["claude-code >=2.1, <3"]
models = ["anthropic/claude-*"]
scope = {{ repositories = [{{ uri = "https://github.com/acme/app" }}, "https://git.acme.example/app"], refs = ["refs/heads/agent/**"], paths = ["src/**", "tests/**"] }}
limits = {{ paths = 50, lines = 2000 }}
require = {{ prompt = true, transcript = "whole", sbom = true }}

[[service]]
id = "ci"
signers = [{{ key = "{KEY_C}" }}]
may = ["test-result", "build", "sbom"]

[[class]]
id = "payments"
paths = ["src/payments/**"]

[[class]]
id = "ci"
paths = ["build/**"]

[[rule]]
id = "infra-two-humans"
classes = ["infrastructure", "ci", "agent-config", "payments"]
tier = "gated"
approvals = {{ people = 2, teams = {{ platform = 1 }}, not = ["author", "agent-operators"], filekeys = true, carry = "none" }}
message = "two people look at infrastructure"
solution = "ask the platform team"

[[rule]]
id = "no-secrets"
paths = ["**/*.pem"]
tier = "forbidden"

[[rule]]
id = "docs"
classes = ["docs"]
tier = "free"

[gate.merge]
require = ["accounted", "tests"]
residual = "approval"
undeclared = "residual"
every-commit = true
approvals = {{ people = 1, filekeys = true }}

[[exception]]
rule = "infra-two-humans"
paths = ["infra/dev/**"]
until = 2026-12-31
reason = "CHG-4411"
owner = "alice"
"#
    )
}

fn refused(text: &str) -> PolicyError {
    Policy::load(text.as_bytes()).expect_err(text)
}

/// Breaks one thing of the good policy and returns the refusal.
fn broken(from: &str, to: &str) -> PolicyError {
    let good = good();
    assert_eq!(good.matches(from).count(), 1, "{from:?} must stand once");
    refused(&good.replace(from, to))
}

#[test]
fn reads_everything_that_is_accepted() {
    let policy = Policy::load(good().as_bytes()).unwrap();
    assert_eq!(policy.serial, 7);
    assert_eq!(policy.digest, Sha256Digest::of(good().as_bytes()));
    assert_eq!(
        policy.expires,
        Some("2027-07-01T00:00:00Z".parse().unwrap()),
        "the whole last day counts"
    );
    let alice = policy.person("alice").unwrap();
    assert!(alice.policy_admin && alice.signers[0].presence);
    assert_eq!(
        alice.signers[0].from,
        Some("2026-01-01T00:00:00Z".parse().unwrap())
    );
    assert_eq!(
        alice.signers[0].until,
        Some("2027-01-01T00:00:00Z".parse().unwrap())
    );
    let (principal, signer) = policy.principal_of(&KEY_B.parse().unwrap()).unwrap();
    assert_eq!(
        (principal.kind(), principal.id(), signer.isolated),
        ("agent", "payments-fixer", true)
    );
    let Principal::Agent(agent) = principal else {
        panic!()
    };
    assert!(policy.operates(alice, agent));
    assert_eq!(
        agent.limits,
        Limits {
            paths: Some(50),
            lines: Some(2000)
        }
    );
    assert_eq!(agent.scope.repositories.as_ref().unwrap().len(), 2);
    assert_eq!(policy.merge.residual, Residual::Approval);
    assert!(policy.merge.tests && policy.merge.every_commit && policy.merge.approvals.filekeys);
    let ci = policy.classes.iter().find(|class| class.id == "ci").unwrap();
    assert!(
        ci.paths.len() > 1 && ci.paths.iter().any(|glob| glob.as_str() == "build/**"),
        "added, not replaced"
    );
    let Tier::Gated(approvals) = &policy.rules[0].tier else {
        panic!()
    };
    assert_eq!(
        (approvals.people, approvals.teams.as_slice()),
        (2, &[("platform".to_owned(), 1)][..])
    );
}

#[test]
fn defaults_are_the_strict_ones() {
    let policy = Policy::load(b"version = 1\nserial = 1\n").unwrap();
    assert!(policy.trust.inclusion);
    assert_eq!(policy.trust.self_operated, SelfOperatedLog::Deny);
    assert_eq!(policy.merge.residual, Residual::Forbid);
    assert!(!policy.merge.approvals.filekeys);
    assert_eq!(
        policy.merge.approvals.not,
        [NotCounted::Author, NotCounted::AgentOperators]
    );
}

#[test]
fn case_185_a_policy_that_is_empty_or_unreadable_is_refused() {
    let table: [(&[u8], &str); 6] = [
        (b"", "policy.empty"),
        (b" \n\t\n", "policy.empty"),
        (b"version = 1\nid = \xff\n", "policy.not_utf8"),
        (b"version = \n", "policy.syntax"),
        (b"version = 1\nversion = 1\n", "policy.syntax"),
        (b"# only a comment\n", "policy.missing_key"),
    ];
    for (bytes, code) in table {
        assert_eq!(Policy::load(bytes).unwrap_err().code(), code, "{bytes:?}");
    }
    let large = vec![b'#'; MAX_POLICY_BYTES + 1];
    assert_eq!(Policy::load(&large).unwrap_err().code(), "policy.too_large");
    assert_eq!(refused("version = 1\nserial = 1\nx = ").line(), Some(3));
    assert_eq!(broken("version = 1\n", "version = 2\n").code(), "policy.version");
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    let text = format!("version = 1\nserial = 1\ntrust = {}", "[".repeat(500_000));
    assert_eq!(refused(&text).code(), "policy.syntax");
    let text = format!("version = 1\nserial = 1\ntrust = {}", "{a=".repeat(200_000));
    assert_eq!(refused(&text).code(), "policy.syntax");
}

#[test]
fn case_186_unknown_and_misspelt_keys_are_refused_with_line_and_suggestion() {
    let table = [
        ("serial = 7", "seriall = 7", "seriall", Some("serial"), 3),
        (
            "policy-admin = true",
            "policy_admin = true",
            "person[0].policy_admin",
            Some("policy-admin"),
            15,
        ),
        (
            "status = \"active\"",
            "state = \"active\"",
            "agent[0].state",
            Some("status"),
            22,
        ),
        (
            "isolated = true",
            "isolatd = true",
            "agent[0].signers[0].isolatd",
            Some("isolated"),
            23,
        ),
        (
            "lines = 2000",
            "line = 2000",
            "agent[0].limits.line",
            Some("lines"),
            27,
        ),
        (
            "every-commit = true",
            "every_commit = true",
            "gate.merge.every_commit",
            Some("every-commit"),
            65,
        ),
        (
            "filekeys = true, carry",
            "filekey = true, carry",
            "rule[0].approvals.filekey",
            Some("filekeys"),
            47,
        ),
        (
            "[[exception]]",
            "[[exceptions]]",
            "exceptions",
            Some("exception"),
            68,
        ),
    ];
    for (from, to, key, suggestion, line) in table {
        let error = broken(from, to);
        let PolicyError::UnknownKey {
            line: found_line,
            key: found,
            suggestion: found_suggestion,
        } = &error
        else {
            panic!("{to}: {error:?}");
        };
        assert_eq!(
            (found.as_str(), found_suggestion.as_deref(), *found_line),
            (key, suggestion, line),
            "{to}"
        );
    }
    assert_eq!(
        broken("serial = 7", "seriall = 7").to_string(),
        "line 3: unknown key `seriall`; did you mean `serial`?"
    );
}

#[test]
fn case_186_duplicate_ids_and_ambiguous_keys_are_refused() {
    let twice = |table: &str| format!("{}\n{table}", good());
    let agent_as_person = "[[person]]\nid = \"payments-fixer\"\n";
    assert_eq!(refused(&twice(agent_as_person)).code(), "policy.duplicate_id");
    assert_eq!(
        refused(&twice("[[service]]\nid = \"ci\"\nmay = []\n")).code(),
        "policy.duplicate_id"
    );
    assert_eq!(
        refused(&twice(
            "[[rule]]\nid = \"docs\"\nclasses = [\"docs\"]\ntier = \"free\"\n"
        ))
        .code(),
        "policy.duplicate_id"
    );
    assert_eq!(
        refused(&twice("[[class]]\nid = \"payments\"\npaths = [\"x\"]\n")).code(),
        "policy.duplicate_id"
    );
    let shared = format!("[[person]]\nid = \"bob\"\nsigners = [{{ key = \"{KEY_B}\" }}]\n");
    let error = refused(&twice(&shared));
    assert!(
        matches!(&error, PolicyError::AmbiguousSigner { first, second, .. } if (first.as_str(), second.as_str()) == ("bob", "payments-fixer")),
        "{error:?}"
    );
    assert_eq!(error.code(), "policy.ambiguous_signer");
}

#[test]
fn case_186_names_that_nothing_defines_are_refused() {
    let table = [
        ("\"payments\"]\ntier", "\"payment\"]\ntier", Some("payments")),
        (
            "operators = [\"team:platform\", \"alice\"]",
            "operators = [\"team:platfrom\"]",
            Some("platform"),
        ),
        (
            "operators = [\"team:platform\", \"alice\"]",
            "operators = [\"alicia\"]",
            Some("alice"),
        ),
        ("teams = { platform = 1 }", "teams = { security = 1 }", None),
        (
            "rule = \"infra-two-humans\"",
            "rule = \"infra-two-human\"",
            Some("infra-two-humans"),
        ),
        ("owner = \"alice\"", "owner = \"bob\"", None),
    ];
    for (from, to, expected) in table {
        let error = broken(from, to);
        let PolicyError::UnknownReference { suggestion, .. } = &error else {
            panic!("{to}: {error:?}")
        };
        assert_eq!(suggestion.as_deref(), expected, "{to}");
        assert_eq!(error.code(), "policy.unknown_reference");
    }
}

#[test]
fn thresholds_of_zero_or_less_are_refused() {
    let table = [
        ("people = 2", "people = 0"),
        ("people = 2", "people = -1"),
        ("people = 2", "people = 1001"),
        ("platform = 1", "platform = 0"),
        ("paths = 50", "paths = 0"),
        ("lines = 2000", "lines = 10001"),
        ("serial = 7", "serial = 0"),
        ("serial = 7", "serial = -7"),
    ];
    for (from, to) in table {
        assert_eq!(broken(from, to).code(), "policy.threshold", "{to}");
    }
}

#[test]
fn what_is_not_enforced_is_refused_by_name() {
    let signer = "presence = true, from";
    let table = [
        ("serial = 7", "serial = 7\nepoch = \"0123\"", "epoch"),
        ("serial = 7", "serial = 7\nmode = \"warn\"", "mode"),
        (signer, "login = \"alice\", from", "person[0].signers[0].login"),
        (
            "self = \"deny\"",
            "self = \"deny\", max-age = \"1h\"",
            "trust.log.max-age",
        ),
        ("lines = 2000", "cost = \"5.00 USD\"", "agent[0].limits.cost"),
        ("sbom = true }", "vantage = {} }", "agent[0].require.vantage"),
        (
            "\"build\"",
            "\"forge-review\"",
            "service[0].may[1] = \"forge-review\"",
        ),
        ("\"build\"", "\"suspect\"", "service[0].may[1] = \"suspect\""),
        ("\"build\"", "\"verdict\"", "service[0].may[1] = \"verdict\""),
        (
            "carry = \"none\"",
            "carry = \"disjoint\"",
            "rule[0].approvals.carry = \"disjoint\"",
        ),
        (
            "carry = \"none\"",
            "carry = \"clean\"",
            "rule[0].approvals.carry = \"clean\"",
        ),
        ("[gate.merge]", "[gate.deploy]\n[gate.merge]", "gate.deploy"),
        (
            "every-commit = true",
            "tests = { on = \"head\" }",
            "gate.merge.tests",
        ),
        (
            "\"tests\"]\nresidual",
            "\"landed-verdict\"]\nresidual",
            "gate.merge.require[1] = \"landed-verdict\"",
        ),
        ("[[exception]]", "[rego]\nmodules = []\n[[exception]]", "rego"),
        (
            "[[exception]]",
            "[break-glass]\npeople = 2\n[[exception]]",
            "break-glass",
        ),
        (
            "[[exception]]",
            "[suspects]\nmaxAge = \"1d\"\n[[exception]]",
            "suspects",
        ),
    ];
    for (from, to, expected) in table {
        let error = broken(from, to);
        let PolicyError::Unsupported { key, .. } = &error else {
            panic!("{to}: {error:?}")
        };
        assert_eq!(
            (key.as_str(), error.code()),
            (expected, "policy.unsupported"),
            "{to}"
        );
    }
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    let table = [
        ("serial = 7", "serial = \"7\"", "policy.wrong_type"),
        (
            "policy-admin = true",
            "policy-admin = \"true\"",
            "policy.wrong_type",
        ),
        (
            "expires = 2027-06-30",
            "expires = \"2027-06-30\"",
            "policy.wrong_type",
        ),
        ("expires = 2027-06-30", "expires = 12:00:00", "policy.value"),
        (
            "expires = 2027-06-30",
            "expires = 2027-06-30T12:00:00",
            "policy.value",
        ),
        (
            "expires = 2027-06-30",
            "expires = 2027-06-30T12:00:00+01:00",
            "policy.value",
        ),
        ("status = \"active\"", "status = \"Active\"", "policy.value"),
        ("tier = \"free\"", "tier = \"open\"", "policy.value"),
        ("tier = \"free\"", "tier = \"gated\"", "policy.missing_key"),
        ("tier = \"gated\"", "tier = \"forbidden\"", "policy.value"),
        ("residual = \"approval\"", "residual = \"yes\"", "policy.value"),
        (
            "require = [\"accounted\", \"tests\"]",
            "require = [\"tests\"]",
            "policy.value",
        ),
        ("models = [\"anthropic/claude-*\"]", "models = []", "policy.value"),
        (
            "models = [\"anthropic/claude-*\"]",
            "models = [\"anthropic/{a,b}\"]",
            "policy.glob",
        ),
        ("\"claude-code >=2.1, <3\"", "\"claude-code ~2\"", "policy.value"),
        ("id = \"docs\"", "id = \"do cs\"", "policy.value"),
        ("id = \"docs\"", "id = \"\"", "policy.value"),
        ("owner = \"team-payments\"", "owner = \"a\\nb\"", "policy.value"),
        (
            "paths = [\"src/payments/**\"]",
            "paths = [\"!src\"]",
            "policy.glob",
        ),
        (
            "paths = [\"src/payments/**\"]",
            "paths = [\"/src\"]",
            "policy.glob",
        ),
        ("paths = [\"src/payments/**\"]", "paths = []", "policy.value"),
        ("sha256:bbb", "sha256:BBB", "policy.value"),
        ("sha256:bbb", "sha1:bbb", "policy.value"),
    ];
    for (from, to, code) in table {
        assert_eq!(broken(from, to).code(), code, "{to}");
    }
    assert_eq!(
        refused("version = 1\nserial = 1\n[[rule]]\nid = \"x\"\ntier = \"free\"\n").code(),
        "policy.missing_key"
    );
}
