//! Sessions that begin with the records of another one.

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::agent::Agent;
use crate::many_runs::{calls, digest_of, repository, sum};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

/// A fork of a session that writes b.txt and commits it, and its statement.
#[track_caller]
pub(crate) fn forked(sandbox: &Sandbox, agent: &Agent<'_>) -> Value {
    // The fork begins with the parent's records, and says of each where it is from.
    let copied = std::fs::read_to_string(agent.file()).unwrap();
    let file = agent.file().with_file_name(format!("{TWO}.jsonl"));
    let mut lines = String::new();
    for (number, line) in copied.lines().enumerate() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        record["forkedFrom"] = json!({"sessionId": ONE, "messageUuid": record["uuid"]});
        record["sessionId"] = json!(TWO);
        record["uuid"] = json!(format!("11111111-0000-4000-8000-{number:012}"));
        lines.push_str(&format!("{record}\n"));
    }
    let mut fork = Agent::new(sandbox, TWO);
    fork.starts();
    sandbox.settled();
    let own = sandbox.session().id(TWO).prompt("two").writes("b.txt").bytes();
    // A message or a call of one session is none of another's.
    let own = String::from_utf8(own).unwrap();
    let own = own.replace("msg_0", "msg_9").replace("toolu_0", "toolu_9");
    let own = own.replace("00000000-0000-4000-8000", "99999999-0000-4000-8000");
    let own = lines + &own;
    std::fs::write(&file, own).unwrap();
    sandbox.write("b.txt", "2\n");
    sandbox.commit("by the fork");
    fork.stops();
    sandbox.settled();
    let mut of = sandbox.chained().into_iter();
    let fork = of.find(|claim| claim["agent"]["instance"] == TWO);
    fork.unwrap_or_else(|| panic!("{}", sandbox.troubles()))
}

#[test]
fn what_a_fork_copied_from_its_parent_is_not_counted_twice() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("one")
        .writes("a.txt", "1\n")
        .runs("cargo test")
        .stops();
    sandbox.settled();
    let fork = forked(&sandbox, &agent);
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2, "{}", sandbox.troubles());
    let statement = digest_of(&sandbox, &sandbox.repo(), ONE);
    assert_eq!(fork["agent"]["parent"]["statement"]["sha256"], statement.as_str());
    assert_eq!(fork["agent"]["parent"]["instance"], ONE);
    assert_eq!(fork["agent"]["parent"]["relation"], "fork");
    assert_eq!(fork["run"]["sequence"], 0);
    assert_eq!(fork["run"]["since"]["prompts"], 1);
    assert_eq!(fork["prompt"]["count"], 1);
    assert_eq!(sum(&claims, "/usage/outputTokens"), 60, "{fork:#}");
    assert_eq!(calls(&claims), 3);
}

#[test]
fn what_a_fork_holds_beyond_what_its_parent_told_is_counted() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n").stops();
    sandbox.settled();
    // The parent goes on, and no statement tells of that.
    agent.runs("cargo publish");
    let fork = forked(&sandbox, &agent);
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2, "{}", sandbox.troubles());
    assert_eq!(calls(&claims), 3, "{fork:#}");
}
