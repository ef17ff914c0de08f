//! How fast a session is searched: as it is, and as its JSON reads.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use touchmark_agents::secrets::{self, Scanner};

/// Eight megabytes in the form of a session: short records and long tool output.
fn session() -> Vec<u8> {
    let mut text = String::new();
    let mut number = 0_u64;
    while text.len() < 8 << 20 {
        number += 1;
        let _ = write!(
            text,
            "{{\"type\":\"user\",\"uuid\":\"{number:032x}\",\"content\":\""
        );
        for line in 0..80 {
            let _ = write!(
                text,
                "    let value_{line} = self.read(\\\"key {number}\\\")?; // and so on\\n"
            );
        }
        text.push_str("\"}\n");
    }
    text.into_bytes()
}

fn search(criterion: &mut Criterion) {
    let bytes = session();
    let mut group = criterion.benchmark_group("secrets");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("as bytes", |b| b.iter(|| secrets::find(black_box(&bytes)).len()));
    group.bench_function("as JSON", |b| {
        b.iter(|| Scanner::built_in().find_in_json(black_box(&bytes)).len())
    });
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
