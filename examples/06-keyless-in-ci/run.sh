#!/usr/bin/env bash
# A job that signs with its own identity. Without an instance it goes as far as one gets without a service.
. "$(dirname "${BASH_SOURCE[0]}")/../set-up.sh"
make_project
agent_works
git -C app remote set-url origin https://github.com/acme/greeter.git

if [ -z "${SIGSTORE_INSTANCE:-}" ]; then
    services=(--signing-config sigstore-public-good --trusted-root sigstore-public-good)
else
    services=(--signing-config "$SIGSTORE_INSTANCE/signing_config.json" --trusted-root "$SIGSTORE_INSTANCE/trusted_root.json")
fi
at=()
if [ -n "${SIGSTORE_INSTANCE_TIME:-}" ]; then at=(--at "$SIGSTORE_INSTANCE_TIME"); fi

say "The commit that the job runs on"
run git -C app rev-parse origin/main

say "What would become public, before anything does"
touchmark -C app attest --dry-run "${services[@]}" "${at[@]}" > statement.json
run head -n 3 statement.json

if [ -z "${SIGSTORE_INSTANCE:-}" ]; then
    say "Outside a job and without a terminal there is nobody who could sign, and no browser is opened"
    expect 2 touchmark -C app attest "${services[@]}"
    exit 0
fi

say "Nothing is published before somebody says that this repository may"
expect 2 touchmark -C app attest "${services[@]}" "${at[@]}"

say "The job signs as its workflow; no key is made"
run touchmark -C app attest "${services[@]}" "${at[@]}" --yes
test ! -e "$TOUCHMARK_HOME/config/keys"

say "Anybody verifies it by that name"
ref=$(git -C app for-each-ref --format='%(refname)' refs/touchmark/tree | head -n 1)
file=$(git -C app ls-tree --name-only "$ref")
git -C app cat-file blob "$ref:$file" > bundle.json
run touchmark verify --bundle bundle.json --trusted-root "$SIGSTORE_INSTANCE/trusted_root.json" "${at[@]}" \
    --certificate-identity "$WORKFLOW_IDENTITY" --certificate-oidc-issuer "$WORKFLOW_ISSUER"
