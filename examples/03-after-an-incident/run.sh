#!/usr/bin/env bash
# After an incident: which agent, which model, whose prompt, which other changes.
. "$(dirname "${BASH_SOURCE[0]}")/../set-up.sh"
make_project
make_gate
agent_works
touchmark -C app attest --agent greeter --key ../keys/agent.pem > /dev/null
touchmark -C app approve HEAD --target refs/heads/main --key ../keys/alice.pem --trusted-root ../root.json > /dev/null
cd app
root=../root.json

say "A fault is traced to src/lib.rs: whose work is it?"
run touchmark find --path src/lib.rs --trusted-root "$root"

say "The commit is known: all evidence about it, the approval too"
run touchmark find --commit HEAD --trusted-root "$root" --quiet

say "A model turns out to be bad: every change that it took part in"
run touchmark find --model 'anthropic/claude-opus-*' --trusted-root "$root" --quiet

say "A model that nobody used: exit 10, and how much was looked at, so that nothing found is not nothing looked at"
expect 10 touchmark find --model 'openai/*' --trusted-root "$root"

say "One statement, verified, with all that it says"
digest=$(touchmark find --path src/lib.rs --format json --trusted-root "$root" | sed -n 's/.*"payloadDigest": "\(.*\)".*/\1/p')
run touchmark show "$digest" --trusted-root "$root"

say "The bundle as a file, for somebody who has only that: what it claims, and what is proven"
touchmark show "$digest" --raw --trusted-root "$root" > ../change.sigstore.json
run touchmark inspect ../change.sigstore.json
run touchmark verify --bundle ../change.sigstore.json --key ../keys/agent.pub --trusted-root "$root"
