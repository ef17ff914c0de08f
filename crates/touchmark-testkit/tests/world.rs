//! The good case is allowed, and each single defect gets its own answer.

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
    let mut wrong = Vec::new();
    for defect in Defect::ALL {
        let verdict = World::with(*defect).judge();
        let expected = defect.expected();
        if verdict.exit_status() != expected.exit || !codes(&verdict).contains(&expected.code) {
            wrong.push(format!(
                "{}: expected {} {}, found {} {:?}",
                defect.name(),
                expected.exit,
                expected.code,
                verdict.exit_status(),
                codes(&verdict)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
