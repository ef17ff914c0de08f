#!/usr/bin/env bash
# The check before a merge: what CI runs, what a refusal looks like, what makes it a yes.
. "$(dirname "${BASH_SOURCE[0]}")/../set-up.sh"
make_project
make_gate
agent_works
touchmark -C app attest --agent greeter --key "$work/keys/agent.pem" > /dev/null
verify=(touchmark -C app verify origin/main..HEAD --target refs/remotes/origin/main --trusted-root "$work/root.json")
target=refs/remotes/origin/main

say "The agent's work is accounted for, and nobody has read it yet: exit 14"
expect 14 "${verify[@]}"

say "Alice reads it and approves exactly this change: exit 0"
run touchmark -C app approve HEAD --target "$target" --key "$work/keys/alice.pem" --trusted-root "$work/root.json"
expect 0 "${verify[@]}" --output json="$work/verdict.json" --quiet > verdict.txt
grep -E '^verdict|review|rule' verdict.txt

say "The same verdict as data, for the job's artifacts"
grep -E '"(decision|exitCode|enforced|resultTree)"' verdict.json

say "One more line slips in after the approval: refused, with the paths that nothing accounts for"
printf '// one more line\n' >> app/src/lib.rs
git -C app commit -q -a -m "Tidy up"
refused=0
"${verify[@]}" > verdict.txt || refused=$?
sed -n '1,/^accounted/p' verdict.txt
printf '(exit %s)\n' "$refused"
test "$refused" != 0

say "What the code means, and what to do"
run touchmark explain accounted.residual
