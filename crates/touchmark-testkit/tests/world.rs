//! The good case is allowed, and each single defect gets its own answer.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use touchmark_policy::{Decision, Verdict};
use touchmark_testkit::{Defect, World};

fn codes(verdict: &Verdict) -> Vec<&str> {
    verdict
        .reasons()
        .iter()
        .map(|reason| reason.code.as_str())
        .collect()
}

#[test]
fn the_good_case_is_allowed() {
    let verdict = World::good().judge();
    assert_eq!(
        (verdict.decision(), codes(&verdict)),
        (Decision::Allowed, vec![]),
        "{}",
        String::from_utf8_lossy(&verdict.encode())
    );
}

#[test]
fn each_defect_gets_its_own_answer() {
    // Most of the time goes into waiting for the disk.
    let threads = 4;
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    Defect::ALL
                        .iter()
                        .skip(worker)
                        .step_by(threads)
                        .filter_map(wrong)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Says what is wrong with the answer to a defect.
fn wrong(defect: &Defect) -> Option<String> {
    let verdict = World::with(*defect).judge();
    let expected = defect.expected();
    let is_right = verdict.exit_status() == expected.exit && codes(&verdict).contains(&expected.code);
    let (name, found) = (defect.name(), (verdict.exit_status(), codes(&verdict)));
    (!is_right).then(|| {
        format!(
            "{name}: expected {} {}, found {} {:?}",
            expected.exit, expected.code, found.0, found.1
        )
    })
}
