# Read by every run.sh here: a scratch folder with a home of its own, and in it a small project that an agent works on.
# Nothing outside the scratch folder is read or written.
set -euo pipefail

work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
cd "$work"
export TOUCHMARK_HOME="$work/touchmark" CLAUDE_CONFIG_DIR="$work/claude"
export GIT_CONFIG_GLOBAL="$work/gitconfig" GIT_CONFIG_NOSYSTEM=1
git config --global user.name "Ada Marsh"
git config --global user.email ada@acme.example
git config --global init.defaultBranch main

# Prints a heading.
say() { printf '\n== %s\n' "$*"; }

# Prints a command and runs it.
run() { printf '$ %s\n' "$*"; "$@"; }

# Prints a command, runs it and expects a certain exit code.
expect() {
    local want=$1 got=0
    shift
    printf '$ %s\n' "$*"
    "$@" || got=$?
    printf '(exit %s)\n' "$got"
    test "$got" = "$want"
}

# Makes the project `app`, a clone of `server.git`.
make_project() {
    git init -q --bare server.git
    git clone -q server.git app 2>/dev/null
    mkdir app/src
    printf 'pub fn greet() -> String {\n    "hello".into()\n}\n' > app/src/lib.rs
    git -C app add -A
    git -C app commit -q -m "Start"
    git -C app push -q origin HEAD:main
    # Its name for the world is a forge's address; pushes go to the folder.
    git -C app remote set-url origin https://git.example/acme/greeter.git
    git -C app remote set-url --push origin "file://$work/server.git"
}

# An agent works in `app` on a branch, and its session is recorded where Claude Code keeps sessions.
agent_works() {
    git -C app switch -q -c agent/greeting --track origin/main
    printf 'pub fn greet(name: &str) -> String {\n    format!("hello, {name}")\n}\n' > app/src/lib.rs
    mkdir app/tests
    printf '#[test]\nfn greets() {}\n' > app/tests/greeting.rs
    git -C app add -A
    git -C app commit -q -m "Greet by name"
    local folder
    folder="$CLAUDE_CONFIG_DIR/projects/$(printf '%s' "$work/app" | tr -c 'a-zA-Z0-9' '-')"
    mkdir -p "$folder"
    touchmark demo session app > "$folder/5e551000-0000-4000-8000-000000000001.jsonl"
}

# A log that a platform team runs, keys for an agent and a person, and a policy on the protected branch.
make_gate() {
    mkdir keys
    for name in agent alice; do touchmark key generate --quiet --plain --output "keys/$name.pem" > /dev/null; done
    touchmark log create --name agents.acme.example > /dev/null
    touchmark log root --operator acme-platform > root.json
    mkdir -p app/.touchmark
    cat > app/.touchmark/policy.toml <<END
version = 1
serial = 1
expires = 2099-12-31

[trust]
log = { inclusion = true, self = "deny" }

[[person]]
id = "alice"
signers = [{ key = "$(touchmark key public --fingerprint --key keys/alice.pem)" }]

[[agent]]
id = "greeter"
owner = "team-greeter"
signers = [{ key = "$(touchmark key public --fingerprint --key keys/agent.pem)" }]
models = ["anthropic/claude-*"]
scope = { paths = ["src/**", "tests/**"] }

[[rule]]
id = "a-person-reads-it"
paths = ["**"]
tier = "gated"
approvals = { people = 1, not = ["author"], filekeys = true }

[gate.merge]
require = ["accounted"]
residual = "forbid"
END
    git -C app add -A
    git -C app commit -q -m "Policy"
    git -C app push -q origin HEAD:main
}
