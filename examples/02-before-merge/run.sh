#!/usr/bin/env bash
# The check before a merge: what CI runs, what a refusal looks like, what makes it a yes.
. "$(dirname "${BASH_SOURCE[0]}")/../set-up.sh"
make_project
make_gate
agent_works
touchmark -C app attest --agent greeter --key ../keys/agent.pem > /dev/null
verify=(touchmark -C app verify main..HEAD --trusted-root ../root.json)

say "The agent's work is accounted for, and nobody has read it yet: exit 14"
expect 14 "${verify[@]}"

say "Alice reads it and approves exactly this change: exit 0"
run touchmark -C app approve HEAD --target refs/heads/main --key ../keys/alice.pem --trusted-root ../root.json
expect 0 "${verify[@]}" --output json=../verdict.json

say "The same verdict as data, for the job's artifacts"
run grep -E '^  "(decision|exitCode|enforced)"|"resultTree"' verdict.json

say "One more line slips in after the approval: refused, with the paths that nothing accounts for"
printf '// one more line\n' >> app/src/lib.rs
git -C app commit -q -a -m "Tidy up"
expect 11 "${verify[@]}"

say "What the code means, and what to do"
run touchmark explain accounted.residual
