//! What commands of real sessions are for.

use super::*;

#[test]
fn classifies_by_the_table() {
    use CommandKind::{Build, Other, Test, Vcs};
    for (command, kind) in [
        ("cargo test", Test),
        ("cargo +nightly test -p a", Test),
        ("cargo build", Build),
        ("cargo run", Other),
        ("go test ./...", Test),
        ("go build ./cmd && go test ./...", Test),
        ("go vet ./...", Build),
        ("cd /x && CI=1 RUST_LOG=debug cargo nextest run", Test),
        ("sudo -E make install", Build),
        ("make", Build),
        ("make test", Test),
        ("mise run fmt && mise run lint", Build),
        ("mise run test:integration 2>&1 | tail -10", Test),
        ("npm test", Test),
        ("npm run build", Build),
        ("npm run test:unit -- --watch=false", Test),
        ("npm install", Build),
        ("npx vitest run", Test),
        ("npx -y tsc --noEmit", Build),
        ("yarn test", Test),
        ("pnpm run test", Test),
        ("pnpm exec jest", Test),
        ("uv run pytest -q", Test),
        ("poetry run pytest", Test),
        ("python -m pytest tests", Test),
        ("python3.12 -m unittest", Test),
        ("python3 -m pip install x", Build),
        ("python script.py", Other),
        ("node --test", Test),
        ("php artisan test", Test),
        ("./gradlew testDebugUnitTest", Test),
        ("mvn -q verify", Test),
        ("./gradlew assemble", Build),
        ("bazel test //...", Test),
        ("git status", Vcs),
        ("git add -A && git commit -m 'run cargo test'", Vcs),
        ("gh pr view 85", Vcs),
        ("echo cargo test", Other),
        ("echo 'a; cargo test'", Other),
        ("ls -la | head", Other),
        ("", Other),
        ("bash -c 'cargo test'", Test),
        ("bash -lc \"cd x; pytest\"", Test),
        ("./run-tests.sh", Test),
        ("bash scripts/x.sh", Other),
        ("timeout 60 cargo test", Test),
        ("time -p cargo build", Build),
        ("(cd web; npm test)", Test),
        ("# cargo test\nls", Other),
        ("cat <<'EOF' > notes.md\ncargo test\nEOF", Other),
        ("cat <<EOF\nx\nEOF\ncargo test", Test),
        ("cargo test 2>&1 | tail -5", Test),
        ("for i in 1 2; do cargo test; done", Test),
        ("if ! cargo test; then echo no; fi", Test),
        ("/usr/bin/git log", Vcs),
        ("git commit -m \"$(cat <<'EOF'\nFix: cargo test\nEOF\n)\"", Vcs),
        ("docker build .", Build),
        ("grep -rn 'pytest' .", Other),
        ("just test", Test),
        ("cargo \\\n  test", Test),
        ("cat a & cargo test", Test),
        ("cargo clippy &> log", Build),
    ] {
        assert_eq!(classify(command), kind, "{command}");
    }
}

#[test]
fn ends_on_any_input() {
    for text in [
        "'",
        "\"",
        "\\",
        "<<",
        "<<-",
        "<<<",
        "((((",
        "a<<'",
        "\u{1F600}&",
        "bash -c",
        "bash -c 'bash -c \"bash -c x\"'",
        "&>",
        "#",
    ] {
        classify(text);
    }
    classify(&"é".repeat(MAX_CLASSIFIED_BYTES));
    classify(&"bash -c '".repeat(1000));
}
