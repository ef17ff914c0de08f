//! Each contradiction, from a case in which every source says the same.

use super::*;

const SESSION: &str = "0b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a11";
const OTHER: &str = "1b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a12";
const REPOSITORY: &str = "https://github.com/acme/app";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_any_rfc3339(text).unwrap()
}

fn told() -> Told<'static> {
    Told {
        product: Some(("claude-code", Source::Transcript)),
        session: Some(SESSION),
        other_sessions: BTreeSet::new(),
        declared: Some("payments-fixer"),
        started_at: Some(at("2026-03-01T11:00:00Z")),
        authored_at: Some(at("2026-03-01T11:30:00Z")),
        repository: Some(REPOSITORY),
    }
}

fn identity(role: IdentityRole, value: &str, source: Source, name: &str) -> Identity {
    Identity {
        role,
        value: value.to_owned(),
        source,
        name: Some(name.to_owned()),
    }
}

/// Every source there is, and all agree.
fn good() -> Vec<Identity> {
    use IdentityRole as R;
    use Source as S;
    vec![
        identity(R::Agent, "claude-code", S::Trailer, "Co-authored-by"),
        identity(R::Agent, "claude-code", S::Environment, "CLAUDECODE"),
        identity(R::Agent, "codex", S::Environment, "CODEX_CI"),
        identity(R::Agent, "claude-code", S::Hook, "hook"),
        identity(R::Session, SESSION, S::Hook, "hook"),
        identity(R::Session, SESSION, S::Environment, "CLAUDE_CODE_SESSION_ID"),
        identity(R::Session, "T-1", S::Environment, "CODEX_THREAD_ID"),
        identity(R::Session, "session_01ABC", S::Trailer, "Claude-Session"),
        identity(R::Author, PERSON, S::Observed, "author"),
        identity(R::Committer, "claude-code", S::Observed, "committer"),
        identity(
            R::Repository,
            "https://github.com/acme/app.git",
            S::Platform,
            "certificate",
        ),
    ]
}

#[track_caller]
fn codes(told: &Told<'_>, identities: &[Identity]) -> Vec<String> {
    let found = contradictions(told, identities);
    assert!(found.iter().all(|finding| !finding.values.is_empty()));
    found.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn sources_that_agree_contradict_nothing() {
    assert_eq!(codes(&told(), &good()), [""; 0]);
    assert_eq!(codes(&Told::default(), &good()), [""; 0]);
}

#[test]
fn each_contradiction_has_its_own_code() {
    let with = |position: usize, value: &str| {
        let mut all = good();
        value.clone_into(&mut all[position].value);
        all
    };
    for (position, value, code) in [
        (0, "copilot", "identity.trailer_differs"),
        (1, "gemini", "identity.environment_differs"),
        (3, "cursor", "identity.hook_differs"),
        (4, OTHER, "identity.session_differs"),
        (5, OTHER, "identity.session_differs"),
        (8, "copilot", "identity.author_differs"),
        (9, "devin", "identity.author_differs"),
        (8, "renovate[bot]", "identity.author_is_bot"),
        (
            10,
            "https://github.com/mallory/app",
            "identity.repository_differs",
        ),
    ] {
        let mut found = codes(&told(), &with(position, value));
        found.dedup();
        assert_eq!(found, [code], "{value}");
    }
}

#[test]
fn an_environment_of_agents_within_agents_contradicts_only_where_none_fits() {
    let mut all = good();
    all[1].value = "gemini".to_owned();
    let found = contradictions(&told(), &all);
    let values: Vec<&str> = found
        .iter()
        .map(|finding| finding.values[0].value.as_str())
        .collect();
    assert_eq!(values, ["codex", "gemini"]);
}

#[test]
fn what_is_told_can_contradict_too() {
    let declared = Told {
        declared: Some("codex"),
        ..told()
    };
    assert_eq!(codes(&declared, &good()), ["identity.declared_differs"]);
    let alone = Told {
        product: None,
        session: None,
        ..declared
    };
    let trailer = codes(&alone, &good());
    assert!(
        trailer.contains(&"identity.trailer_differs".to_owned()),
        "{trailer:?}"
    );
    let same = Told {
        declared: Some("Claude"),
        ..told()
    };
    assert_eq!(codes(&same, &good()), [""; 0]);
    let early = Told {
        authored_at: Some(at("2026-03-01T10:59:59Z")),
        ..told()
    };
    assert_eq!(codes(&early, &good()), ["identity.commit_before_session"]);
    let exact = Told {
        authored_at: told().started_at,
        ..told()
    };
    assert_eq!(codes(&exact, &good()), [""; 0]);
}

#[test]
fn a_session_that_goes_on_from_another_has_two_names() {
    let mut all = good();
    all[4].value = OTHER.to_owned();
    let resumed = Told {
        other_sessions: [OTHER].into(),
        ..told()
    };
    assert_eq!(codes(&resumed, &all), [""; 0]);
}

#[test]
fn both_values_are_kept_with_their_sources() {
    let mut all = good();
    all[0].value = "copilot".to_owned();
    let found = contradictions(&told(), &all);
    assert_eq!(
        found[0].values,
        [
            value("copilot", Source::Trailer, Some("Co-authored-by")),
            value("claude-code", Source::Transcript, None),
        ]
    );
}
