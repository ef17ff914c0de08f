//! Whatever can be said, is read back as it was said; and nothing makes the reader panic.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::agent_change::{
    AgentChange, Attribution, ChainId, Command, CommandKind, NewSide, OldSide, PathRow, Prompt,
    PromptCommitment, PromptOrigin, Source,
};
use crate::digest::{DigestSet, Sha256Digest};
use crate::file_mode::FileMode;
use crate::git_id::GitBlobId;
use crate::limits::MAX_EXACT_INTEGER;
use crate::predicate::Predicate;
use crate::repo_path::RepoPath;
use crate::samples;
use crate::statement::{ResourceDescriptor, SignedStatement, Statement};
use crate::strict_json::{self, Rules};
use crate::timestamp::Timestamp;

fn digest() -> impl Strategy<Value = Sha256Digest> {
    any::<[u8; 32]>().prop_map(Sha256Digest::from_bytes)
}

fn blob() -> impl Strategy<Value = GitBlobId> {
    prop_oneof!["[0-9a-f]{40}", "[0-9a-f]{64}"].prop_map(|text| text.parse().unwrap())
}

fn path() -> impl Strategy<Value = RepoPath> {
    let bytes = prop_oneof![
        "[a-zA-Z0-9 ._/\\\\\"-]{1,40}".prop_map(String::into_bytes),
        any::<String>().prop_map(String::into_bytes),
        vec(any::<u8>(), 1..40),
    ];
    bytes.prop_filter_map("a path", |bytes| RepoPath::from_bytes(&bytes).ok())
}

fn side_mode() -> impl Strategy<Value = FileMode> {
    let modes = [
        FileMode::Regular,
        FileMode::Executable,
        FileMode::Symlink,
        FileMode::Gitlink,
    ];
    prop::sample::select(modes.to_vec())
}

fn row() -> impl Strategy<Value = PathRow> {
    let from = option::of((side_mode(), blob()))
        .prop_map(|side| side.map(|(mode, git_blob)| OldSide { mode, git_blob }));
    let to = option::of((side_mode(), blob(), digest(), 0..=MAX_EXACT_INTEGER)).prop_map(|side| {
        side.map(|(mode, git_blob, sha256, size)| {
            let has_content = mode != FileMode::Gitlink;
            let (sha256, size) = (has_content.then_some(sha256), has_content.then_some(size));
            NewSide {
                mode,
                git_blob,
                sha256,
                size,
            }
        })
    });
    let attributions = [
        Attribution::Agent,
        Attribution::Human,
        Attribution::Mixed,
        Attribution::Unknown,
    ];
    (path(), from, to, prop::sample::select(attributions.to_vec()))
        .prop_filter_map("a row", |(path, from, to, attribution)| {
            PathRow::new(path, from, to, attribution)
        })
}

fn prompt() -> impl Strategy<Value = Prompt> {
    let origins = [
        PromptOrigin::Human,
        PromptOrigin::Injected,
        PromptOrigin::Compaction,
        PromptOrigin::Agent,
    ]
    .to_vec();
    let commitments = vec((prop::sample::select(origins), digest()), 0..8);
    (commitments, digest(), option::of(digest())).prop_map(|(commitments, root, plain)| {
        let number = |(index, (origin, commitment))| PromptCommitment {
            index,
            origin,
            commitment,
        };
        let commitments: Vec<PromptCommitment> = (0..).zip(commitments).map(number).collect();
        Prompt {
            count: Some(commitments.len() as u64),
            commitments: Some(commitments),
            root: Some(root),
            plain_digest: plain.map(DigestSet::of_sha256),
        }
    })
}

fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("a text", |text| !text.is_empty() && !text.contains('\0'))
}

fn command() -> impl Strategy<Value = Command> {
    let exact = MAX_EXACT_INTEGER as i64;
    (digest(), option::of(-exact..=exact), 0..=MAX_EXACT_INTEGER).prop_map(|(commitment, exit_code, step)| {
        Command {
            commitment,
            exit_code,
            kind: CommandKind::Other,
            step,
        }
    })
}

fn agent_change() -> impl Strategy<Value = AgentChange> {
    let seconds = -62_135_596_800_i64..=253_402_300_799;
    let sources = btree_map(
        "(/[a-z~\u{e9}]{0,8}){0,3}",
        prop::sample::select(vec![Source::Hook, Source::Observed]),
        0..4,
    );
    let parts = (
        vec(row(), 0..6),
        option::of(prompt()),
        option::of(vec(command(), 0..4)),
        text(),
        sources,
    );
    (parts, option::of(seconds), any::<[u8; 16]>(), any::<bool>()).prop_map(
        |(parts, started, chain, dirty)| {
            let (mut rows, prompt, commands, name, sources) = parts;
            rows.sort_by(|a, b| a.path.cmp(&b.path));
            rows.dedup_by(|a, b| a.path == b.path);
            let mut change = samples::agent_change();
            change.change.paths = Some(rows);
            change.change.dirty = dirty;
            change.agent.id = name;
            change.prompt = prompt;
            change.commands = commands;
            change.run.started_at = started.map(|seconds| Timestamp::from_unix(seconds).unwrap());
            change.run.ended_at = None;
            change.run.chain = ChainId::from_bytes(chain);
            change.capture.sources = sources;
            change
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn an_agent_change_is_read_back(change in agent_change(), subject in digest()) {
        let subject = vec![ResourceDescriptor::new("tree", DigestSet::of_sha256(subject))];
        let statement = Statement::new(subject, Predicate::AgentChange(Box::new(change)));
        let bytes = statement.encode().unwrap();
        let signed = SignedStatement::parse(bytes.clone()).unwrap();
        prop_assert_eq!(signed.statement(), &statement);
        prop_assert_eq!(signed.unknown_fields().len(), 0);
        prop_assert_eq!(signed.statement().encode().unwrap(), bytes);
    }

    #[test]
    fn a_path_is_read_back(path in path()) {
        let json = strict_json::canonical(&path).unwrap();
        prop_assert_eq!(strict_json::from_slice::<RepoPath>(&json, &Rules::STATEMENT).unwrap(), path);
    }

    #[test]
    fn any_bytes_are_refused_without_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(SignedStatement::parse(bytes).is_err());
    }

    #[test]
    fn a_damaged_statement_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&samples::good()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(signed) = SignedStatement::parse(bytes.clone()) {
            prop_assert_eq!(signed.raw(), bytes);
            prop_assert!(signed.statement().encode().is_ok());
        }
    }
}
