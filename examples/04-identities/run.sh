#!/usr/bin/env bash
# A policy that names identities instead of keys: what it may say, and what it is refused for.
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$examples/set-up.sh"
cp "$examples/04-identities/policy.toml" policy.toml

say "Who may say what: people after a login, an agent and CI by their workflows"
run touchmark policy check policy.toml

say "A pattern that does not say where a name ends matches more than it shows: refused"
sed 's|san = "alice@acme.example", presence|san-regexp = "alice@acme", presence|' policy.toml > unanchored.toml
expect 2 touchmark policy check unanchored.toml

say "A certificate that could be two principals: refused"
sed 's|workflows/ci.yml|workflows/agent.yml|' policy.toml > ambiguous.toml
expect 2 touchmark policy check ambiguous.toml

say "What others signed is verified by name too, and never for nobody in particular"
printf '{}' > bundle.json
expect 2 touchmark verify --bundle bundle.json
expect 2 touchmark verify --bundle bundle.json --certificate-identity-regexp 'https://github.com/acme/.*' \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

say "What a refusal means, and what to do"
run touchmark explain identity.trigger
