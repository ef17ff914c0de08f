//! How fast sessions are read, in bytes per second on one core.
//!
//! `small-records` repeats a fixture with fresh identifiers (600 bytes a record, the worst case: every record is read).
//! `usual-records` gives each edit the file that real sessions carry with it (2 kB a record on average, as in recordings).

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use touchmark_agents::claude_code;
use touchmark_agents::secrets;
use touchmark_agents::session::{ImportOptions, SessionFile};

const FIXTURE: &str = include_str!("../../../testdata/sessions/claude-code/plain.jsonl");
const SESSION_BYTES: usize = 128 * 1024 * 1024;

/// Repeats the fixture until it is large enough, each time with identifiers of its own.
fn session(extra_per_edit: usize) -> Vec<u8> {
    let line = "    let greeting = format!(\\\"hello, {name}\\\");\\n";
    let extra = line.repeat(extra_per_edit / line.len());
    let mut bytes = Vec::with_capacity(SESSION_BYTES + 64 * 1024);
    let mut round = 0u32;
    while bytes.len() < SESSION_BYTES {
        round += 1;
        let own = format!("{round:08x}");
        let mut text = FIXTURE.replace("\"originalFile\":\"", &format!("\"originalFile\":\"{extra}"));
        for mark in [
            "\"uuid\":\"",
            "\"parentUuid\":\"",
            "\"id\":\"msg_01",
            "\"id\":\"toolu_01",
            "\"tool_use_id\":\"toolu_01",
            "\"requestId\":\"req_011",
        ] {
            text = freshen(&text, mark, &own);
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// Overwrites the eight characters after each `mark`.
fn freshen(text: &str, mark: &str, own: &str) -> String {
    let mut fresh = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let end = at + mark.len();
        fresh.push_str(&rest[..end]);
        fresh.push_str(own);
        rest = &rest[end + own.len()..];
    }
    fresh.push_str(rest);
    fresh
}

fn import(c: &mut Criterion) {
    let mut group = c.benchmark_group("import");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (name, extra) in [("small-records", 0), ("usual-records", 20 * 1024)] {
        let files = [SessionFile {
            name: "session.jsonl".to_owned(),
            bytes: session(extra),
            meta: None,
        }];
        group.throughput(Throughput::Bytes(files[0].bytes.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                claude_code::import(black_box(&files), &ImportOptions::default()).expect("a good session")
            });
        });
        group.bench_function(format!("{name}/from-a-reader"), |b| {
            b.iter(|| {
                let reader = black_box(files[0].bytes.as_slice());
                claude_code::import_reader("session.jsonl", reader, &ImportOptions::default())
                    .expect("a good session")
            });
        });
    }
    group.finish();
}

fn secret_scan(c: &mut Criterion) {
    let mut bytes = session(20 * 1024);
    bytes.truncate(16 * 1024 * 1024);
    let mut group = c.benchmark_group("secrets");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("find", |b| b.iter(|| secrets::find(black_box(&bytes)).len()));
    group.finish();
}

criterion_group!(benches, import, secret_scan);
criterion_main!(benches);
