#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| touchmark_testkit::fuzz::junit(input));
