#!/usr/bin/env bash
# The step after an agent's run: one command, nothing typed beyond it.
. "$(dirname "${BASH_SOURCE[0]}")/../set-up.sh"
make_project
agent_works

say "The agent has committed its work; its session lies where Claude Code keeps sessions"
run git -C app log --oneline

say "Attest it: session, base, paths, model, commands and tools are found, not typed"
run touchmark -C app attest

say "What was written down; the words of the prompts are not in it"
run touchmark -C app find

say "Again, for instance from a hook that runs twice: nothing new is said"
run touchmark -C app attest

say "The evidence goes where the code goes"
git -C app remote add server "file://$work/server.git"
run touchmark -C app publish --push server
run git -C server.git for-each-ref --format='%(refname)' refs/touchmark
