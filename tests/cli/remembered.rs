//! `touchmark verify --remember`: a log that changes its story is found out.

use std::fs;
use std::path::Path;

use crate::common::{AT, Outcome, World};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => _ = fs::copy(entry.path(), target).unwrap(),
        }
    }
}

fn verify(world: &World, bundle: &str, key: &str) -> Outcome {
    let (key, root) = (world.public_key(key), world.file("root.json"));
    world.touchmark([
        "verify",
        "--bundle",
        bundle,
        "--key",
        &key,
        "--trusted-root",
        &root,
        "--remember",
        "--at",
        AT,
    ])
}

/// What is kept in the data folder under a name with this ending.
fn kept(world: &World, ending: &str) -> Vec<String> {
    let folder = world.path("touchmark/data/checkpoints");
    let mut kept: Vec<String> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_else(|_| Vec::new())
        .into_iter()
        .filter(|path: &std::path::PathBuf| path.to_string_lossy().ends_with(ending))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    kept.sort();
    kept
}

#[test]
fn a_growing_log_is_followed_by_its_own_tiles() {
    let world = World::unattested();
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let first = world.export(&payload, "first.json");
    let text = verify(&world, &first, "agent").ok().stdout;
    assert!(
        text.contains("no checkpoint of this log was seen before"),
        "{text}"
    );
    assert!(kept(&world, ".note")[0].contains("\n1\n"));
    let text = verify(&world, &first, "agent").ok().stdout;
    assert!(text.contains("tlog.consistency pass"), "{text}");
    let review = world.approve_as("alice", &[]);
    let review = world.export(review["payload"].as_str().unwrap(), "review.json");
    let text = verify(&world, &review, "alice").ok().stdout;
    assert!(text.contains("tlog.consistency pass"), "{text}");
    let notes = kept(&world, ".note");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("\n2\n"), "{notes:?}");
    // The older bundle is as good as before, and takes nothing back.
    verify(&world, &first, "agent").ok();
    assert_eq!(kept(&world, ".note"), notes);
    // A change is judged with what is remembered, too.
    world.verify(&["main..agent/greeting", "--remember"]);
    assert_eq!(kept(&world, ".note"), notes);
    // Without the flag nothing is read or kept.
    fs::remove_dir_all(world.path("touchmark/data/checkpoints")).unwrap();
    world.verify(&["main..agent/greeting"]);
    assert!(kept(&world, ".note").is_empty());
}

#[test]
fn case_100_a_log_with_two_stories_ends_with_13_and_both_notes_are_kept() {
    let world = World::unattested();
    let log = world.path("touchmark/data/log");
    let before = world.path("log-before");
    copy(&log, &before);
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let first = world.export(&payload, "first.json");
    // The same log starts over from before, and takes another entry.
    fs::rename(&log, world.path("log-after")).unwrap();
    copy(&before, &log);
    let review = world.approve_as("alice", &[]);
    let review = world.export(review["payload"].as_str().unwrap(), "review.json");
    verify(&world, &first, "agent").ok();
    let refused = verify(&world, &review, "alice");
    refused.refused(13, "tlog.split_view");
    let refused = verify(&world, &review, "alice");
    assert!(refused.stderr.contains("alarm.json"), "{}", refused.stderr);
    let alarms = kept(&world, ".alarm.json");
    assert_eq!(alarms.len(), 1);
    assert_eq!(
        alarms[0].matches("log.example\\n1\\n").count(),
        2,
        "{}",
        alarms[0]
    );
    // The judgement of the change says so as well.
    let judged = world.verify(&["main..agent/greeting", "--remember"]);
    assert_eq!(judged.code, Some(13), "{}", judged.stdout);
    assert!(judged.stdout.contains("tlog.split_view"), "{}", judged.stdout);
}

#[test]
fn what_cannot_be_read_any_more_is_not_forgotten() {
    let world = World::unattested();
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let first = world.export(&payload, "first.json");
    verify(&world, &first, "agent").ok();
    let folder = world.path("touchmark/data/checkpoints");
    let note = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "note"))
        .unwrap();
    fs::write(&note, "damaged").unwrap();
    verify(&world, &first, "agent").refused(1, "tlog.remembered_unreadable");
    assert_eq!(fs::read_to_string(&note).unwrap(), "damaged");
    fs::remove_file(&note).unwrap();
    verify(&world, &first, "agent").ok();
}
