//! What others sign, we verify; what we sign, others verify. Each cell has its negative twins: another identity or
//! key, another artifact, another root are refused by the same verifier.

use super::clients::{
    Bench, Cell, Client, Content, Cosign, Limit, Question, Signer, SigstoreGo, SigstorePython, Touchmark,
};
use super::instance::{ALICE, Instance, MALLORY};
use std::process::Output;

#[test]
fn cosign_and_we_verify_each_other() {
    let (Some(instance), Some(cosign)) = (Instance::running(), Cosign::found()) else {
        return;
    };
    let bench = Bench::new(instance);
    cosign.import_key(&bench);
    print(&cosign, &both_ways(&bench, &cosign));
}

#[test]
fn sigstore_go_and_we_verify_each_other() {
    let (Some(instance), Some(client)) = (Instance::running(), SigstoreGo::found()) else {
        return;
    };
    let bench = Bench::new(instance);
    print(&client, &both_ways(&bench, &client));
}

#[test]
fn sigstore_python_and_we_verify_each_other() {
    let (Some(instance), Some(client)) = (Instance::running(), SigstorePython::found()) else {
        return;
    };
    let bench = Bench::new(instance);
    print(&client, &both_ways(&bench, &client));
}

/// What became of a cell in one direction.
enum Outcome {
    Verified,
    Limited(Limit),
}

struct Row {
    cell: Cell,
    theirs: Outcome,
    ours: Outcome,
}

fn both_ways(bench: &Bench, other: &dyn Client) -> Vec<Row> {
    Cell::all()
        .into_iter()
        .map(|cell| Row {
            cell,
            theirs: one_way(bench, cell, other, &Touchmark),
            ours: one_way(bench, cell, &Touchmark, other),
        })
        .collect()
}

fn one_way(bench: &Bench, cell: Cell, signer: &dyn Client, verifier: &dyn Client) -> Outcome {
    let what = format!("{} by {} for {}", cell.name(), signer.name(), verifier.name());
    let bundle = format!(
        "{}-{}-{}.sigstore.json",
        cell.name(),
        signer.name(),
        verifier.name()
    );
    let signed = signer.sign(bench, cell, &bundle);
    if let Some(limit) = signer.cannot_sign(cell) {
        says(&what, &signed, &limit);
        return Outcome::Limited(limit);
    }
    assert!(signed.status.success(), "{what}: not signed: {}", spoken(&signed));

    let good = Question {
        bundle,
        artifact: "blob",
        identity: ALICE.to_owned(),
        issuer: bench.instance.issuer().to_owned(),
        key: "own.pub",
        root: bench.instance.argument("trusted_root.json"),
    };
    let answered = verifier.verify(bench, cell, &good);
    if let Some(limit) = verifier.cannot_verify(cell) {
        says(&what, &answered, &limit);
        return Outcome::Limited(limit);
    }
    assert!(
        answered.status.success(),
        "{what}: not verified: {}",
        spoken(&answered)
    );
    for (name, twin) in twins(cell, &good) {
        let answered = verifier.verify(bench, cell, &twin);
        assert!(!answered.status.success(), "{what}: verified despite {name}");
    }
    Outcome::Verified
}

/// A cell in which both sides are the other implementation and, once it is signed, we verify it as well.
pub(crate) fn others_only(bench: &Bench, cell: Cell, client: &dyn Client) {
    one_way(bench, cell, client, client);
    one_way(bench, cell, client, &Touchmark);
}

/// Questions that differ from a good one in one thing, so that the answer must be no.
fn twins(cell: Cell, good: &Question) -> Vec<(&'static str, Question)> {
    let mut twins = vec![
        (
            "another artifact",
            Question {
                artifact: "other",
                ..good.clone()
            },
        ),
        (
            "another root",
            Question {
                root: "other-root.json".to_owned(),
                ..good.clone()
            },
        ),
    ];
    match cell.signer {
        Signer::Key => twins.push((
            "another key",
            Question {
                key: "stranger.pub",
                ..good.clone()
            },
        )),
        Signer::Keyless => {
            twins.push((
                "another identity",
                Question {
                    identity: MALLORY.to_owned(),
                    ..good.clone()
                },
            ));
            let issuer = format!("{}/github", good.issuer);
            twins.push((
                "another issuer",
                Question {
                    issuer,
                    ..good.clone()
                },
            ));
        }
    }
    twins
}

/// A limit must still be there, and for the reason that is written down.
fn says(what: &str, output: &Output, limit: &Limit) {
    let spoken = spoken(output);
    assert!(!output.status.success(), "{what}: the limit is gone");
    assert!(spoken.contains(limit.says), "{what}: another limit: {spoken}");
}

fn spoken(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn print(other: &dyn Client, rows: &[Row]) {
    let name = other.name();
    let mut text = format!("\n| signer | log | content | {name} → touchmark | touchmark → {name} |\n");
    text.push_str("|---|---|---|---|---|\n");
    for row in rows {
        let content = match row.cell.content {
            Content::Blob => "blob",
            Content::Statement => "in-toto statement",
        };
        let (theirs, ours) = (shown(&row.theirs), shown(&row.ours));
        let (signer, log) = (row.cell.signer, row.cell.log);
        text.push_str(&format!(
            "| {signer:?} | {log:?} | {content} | {theirs} | {ours} |\n"
        ));
    }
    // One call, so that the tables of tests that run at the same time do not mix.
    println!("{text}");
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Verified => "verified".to_owned(),
        Outcome::Limited(limit) => format!("no: {}", limit.why),
    }
}
