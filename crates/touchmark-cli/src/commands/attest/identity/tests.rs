//! What a certificate, a hook and the importer say, where no end-to-end test can make them say it.

use touchmark_agents::run::{BaseCommit, Run};
use touchmark_agents::session::Layout;
use touchmark_statement::agent_change as claim;

use super::*;

const BASE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";
const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

fn change() -> GitChange {
    let end = |commit: &str| claim::Endpoint {
        git_commit: Some(commit.parse().unwrap()),
        git_tree: TREE.parse().unwrap(),
    };
    GitChange {
        repository: claim::Repository {
            uri: "https://github.com/acme/app".to_owned(),
            id: None,
        },
        ref_name: None,
        base: end(BASE),
        proposed: end(HEAD),
        commits: vec![claim::CommitRow {
            git_commit: HEAD.parse().unwrap(),
            git_tree: TREE.parse().unwrap(),
            parents: vec![BASE.parse().unwrap()],
        }],
        changes: Vec::new(),
        dirty: false,
        subjects: Vec::new(),
        keys: Vec::new(),
    }
}

fn session(edit: impl FnOnce(&mut Run)) -> Session {
    let mut run = Run::default();
    run.product.name = "codex".to_owned();
    run.session_id = Some("session-1".to_owned());
    edit(&mut run);
    Session {
        format: "codex-jsonl",
        layout: Layout::Lines,
        files: Vec::new(),
        run,
    }
}

fn codes(sources: &Sources, session: &Session, is_first: bool) -> Vec<String> {
    let (_, findings) = sources.against(Some((session, is_first)), None, &change());
    findings.into_iter().map(|finding| finding.code).collect()
}

fn certificate(repository: &str) -> CertificateIdentity {
    let name = "https://github.com/acme/app/.github/workflows/agent.yml@refs/heads/main";
    let issuer = "https://token.actions.githubusercontent.com";
    let mut identity = CertificateIdentity::new(SubjectAlternativeName::Uri(name.to_owned()), issuer);
    identity.claims.source_repository_uri = Some(repository.to_owned());
    identity
}

#[test]
fn a_run_in_another_repository_is_found() {
    let mut sources = Sources::default();
    sources.add_certificate(&certificate("https://github.com/acme/app"));
    assert_eq!(codes(&sources, &session(|_| {}), true), [""; 0]);
    let mut sources = Sources::default();
    sources.add_certificate(&certificate("https://github.com/mallory/app"));
    assert_eq!(
        codes(&sources, &session(|_| {}), true),
        ["identity.repository_differs"]
    );
}

#[test]
fn of_a_person_the_certificate_tells_that_it_is_one() {
    let mail = SubjectAlternativeName::Email("ada@acme.example".to_owned());
    let mut sources = Sources::default();
    sources.add_certificate(&CertificateIdentity::new(mail, "https://login.example"));
    let (identities, _) = sources.against(None, None, &change());
    assert_eq!(identities.len(), 1);
    assert_eq!(
        (identities[0].role, identities[0].value.as_str()),
        (IdentityRole::Signer, PERSON)
    );
}

#[test]
fn a_hook_of_another_product_or_session_is_found() {
    let told = |product: &str, session_id: &str| {
        let mut sources = Sources::default();
        sources.add_hook(product, Some(session_id));
        codes(&sources, &session(|_| {}), true)
    };
    assert_eq!(told("codex-cli", "session-1"), [""; 0]);
    assert_eq!(told("claude-code", "session-1"), ["identity.hook_differs"]);
    assert_eq!(told("codex", "session-2"), ["identity.session_differs"]);
    let resumed = session(|run| _ = run.other_session_ids.insert("session-2".to_owned()));
    let mut sources = Sources::default();
    sources.add_hook("codex", Some("session-2"));
    assert_eq!(codes(&sources, &resumed, true), [""; 0]);
}

#[test]
fn what_the_importer_found_stands_in_the_statement() {
    let found = session(|run| {
        run.findings = vec![
            run::Finding::ModelDiffers {
                first: "a".to_owned(),
                later: "b".to_owned(),
            },
            run::Finding::SessionIdDiffers {
                used: "session-1".to_owned(),
                other: "x".to_owned(),
            },
            run::Finding::UsageDiffers {
                counted: 1,
                reported: 2,
            },
        ];
    });
    assert_eq!(
        codes(&Sources::default(), &found, true),
        [
            "identity.model_differs",
            "identity.session_differs",
            "session.usage_differs"
        ]
    );
}

#[test]
fn a_session_that_began_at_another_commit_is_found_in_its_first_statement() {
    let at = |id: &str, repository: Option<&str>| {
        session(|run| {
            run.base_commits = vec![BaseCommit {
                id: id.to_owned(),
                branch: None,
                repository: repository.map(str::to_owned),
            }];
        })
    };
    let none = Sources::default();
    for good in [BASE, &BASE[..8], HEAD] {
        assert_eq!(codes(&none, &at(good, None), true), [""; 0], "{good}");
    }
    let other = "3333333";
    assert_eq!(codes(&none, &at(other, None), true), ["session.base_differs"]);
    assert_eq!(codes(&none, &at(other, None), false), [""; 0]);
    let own = Some("git@github.com:acme/app.git");
    assert_eq!(codes(&none, &at(other, own), true), ["session.base_differs"]);
    assert_eq!(
        codes(&none, &at(other, Some("https://github.com/acme/other")), true),
        [""; 0]
    );
}
