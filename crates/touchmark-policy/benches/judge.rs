//! What one question costs: a range of commits, each attested by one key.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a benchmark may panic, and uses a part of the tests' world"
)]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/judge/git.rs"]
mod git;
#[path = "../tests/judge/world.rs"]
mod world;

use world::{AGENT, BOT, World};

/// A change of some commits, each of one path and with a statement of its own.
fn range(commits: usize) -> World {
    let mut world = World::empty();
    world.edit_policy(
        "require = [\"accounted\", \"tests\"]",
        "require = [\"accounted\"]",
    );
    for i in 0..commits {
        let base = world.change.head_commit.clone();
        let name = format!("src/{}/{i}.rs", i % 100);
        let head = world.propose_edits(&[(name.as_str(), Some("fn new() {}\n"))], BOT);
        let statement = world.agent_change_of("payments-fixer", &base, &[head]);
        world.add(AGENT, &statement);
    }
    assert_eq!(world.judge().exit_status(), 0);
    world
}

fn judge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for commits in [1, 20, 500] {
        let world = range(commits);
        group.throughput(Throughput::Elements(commits as u64));
        group.bench_with_input(BenchmarkId::new("commits", commits), &world, |b, world| {
            b.iter(|| world.judge())
        });
    }
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
