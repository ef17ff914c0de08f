#!/usr/bin/env bash
# A key is stolen: the log has what its holder never wrote.
. "$(dirname "${BASH_SOURCE[0]}")/../set-up.sh"
make_project
make_gate
agent_works
touchmark -C app attest --agent greeter --key ../keys/agent.pem > /dev/null
git -C app show main:.touchmark/policy.toml > policy.toml
watch=(touchmark monitor --once --quiet --policy policy.toml --trusted-root root.json
    --log touchmark/data/log --repository app --grace 0s)

say "Every entry by our agent is explained by evidence in the repository"
run "${watch[@]}"

say "Somebody signs with the agent's key elsewhere, and the log has it: exit 13"
git clone -q server.git elsewhere 2>/dev/null
git -C elsewhere switch -q -c agent/backdoor --track origin/main
echo '// opened' >> elsewhere/src/lib.rs
git -C elsewhere commit -q -a -m "Nothing to see"
touchmark -C elsewhere attest --agent greeter --key ../keys/agent.pem --quiet \
    --session "$CLAUDE_CONFIG_DIR"/projects/*/*.jsonl > /dev/null
expect 13 "${watch[@]}"

say "Looked into, and closed by name; the key is taken out of the policy by other means"
open=$("${watch[@]}" || test $? = 13)
run touchmark monitor --acknowledge "$(sed -n 's/.* id \(.*\))$/\1/p' <<< "$open")" --reason "stolen key, see CHG-4711"
run "${watch[@]}"
