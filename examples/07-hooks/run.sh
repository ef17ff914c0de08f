#!/usr/bin/env bash
# Hooks: installed once, and from then on an agent's runs are attested with nothing typed.
source "$(dirname "$0")/../set-up.sh"
mkdir "$work/home"
export HOME="$work/home"

make_project

say "The hooks go into the agent's settings, beside what is there"
mkdir -p "$CLAUDE_CONFIG_DIR"
printf '{\n  // how I like it\n  "theme": "dark"\n}\n' > "$CLAUDE_CONFIG_DIR/settings.json"
cp "$CLAUDE_CONFIG_DIR/settings.json" before.json
run touchmark hook install claude-code --quiet | sed -n 1,24p
touchmark hook install claude-code

say "And into the repository, for commits that are made again"
cd app
touchmark hook install git | grep -v '^[-+@ ]'

say "What the agent does then: it calls the hooks at the beginning and at the end of each turn"
session=5e551000-0000-4000-8000-000000000001
folder="$CLAUDE_CONFIG_DIR/projects/$(printf '%s' "$work/app" | tr -c 'a-zA-Z0-9' '-')"
event() {
    printf '{"session_id":"%s","transcript_path":"%s","cwd":"%s","hook_event_name":"%s"%s}' \
        "$session" "$folder/$session.jsonl" "$work/app" "$1" "$2" | touchmark hook run claude-code
    echo "$1: exit $?"
}
event SessionStart ',"source":"startup"'
(cd .. && agent_works)
event Stop ',"stop_hook_active":false,"last_assistant_message":"Done."'
event SessionEnd ',"reason":"other"'

say "A worker attests it in the background; publish does what is left"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    touchmark publish --quiet >/dev/null 2>&1 || test $? = 20   # 20: a worker is at it
    git for-each-ref --format='%(refname)' refs/touchmark/commit | grep -q . && break
    sleep 1
done
touchmark find --agent claude-code

say "An amended commit keeps its evidence"
git commit -q --amend -m "Greet everybody by name"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    touchmark publish --quiet >/dev/null 2>&1 || test $? = 20   # 20: a worker is at it
    touchmark find --commit HEAD 2>/dev/null | grep -q sha256: && break
    sleep 1
done
test "$(touchmark find --commit HEAD 2>/dev/null | grep -c '^sha256:')" = 1 && echo "one statement, found by the new commit"

say "And out again, byte for byte"
touchmark hook uninstall claude-code | head -1
cmp "$CLAUDE_CONFIG_DIR/settings.json" ../before.json && echo "settings.json is as it was"
