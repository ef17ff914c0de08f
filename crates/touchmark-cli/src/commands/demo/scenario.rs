//! The demonstration as data: what is typed, and what has to come of it.

/// Begins a path in the recorded session, and is replaced by the demonstration's own folder.
pub(super) const RECORDED_FOLDER: &str = "/home/ada/greeter";

/// The recorded session that the demonstration attests.
pub(super) const SESSION: &str = include_str!("../../../../../testdata/sessions/claude-code/plain.jsonl");

/// One line that is typed, with the exit code it must end with and a text that its output must hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// The line.
    pub(super) text: &'static str,
    /// Its exit code.
    pub(super) exit: i32,
    /// A reason code, or another text, that its output must hold; empty for none.
    pub(super) says: &'static str,
}

/// One story: a line of prose and the lines that are typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story {
    /// The folder it is told in.
    pub(super) folder: &'static str,
    /// The folder it begins with a copy of; `None` for a new one.
    pub(super) from: Option<&'static str>,
    /// What happens, in one sentence.
    pub(super) title: &'static str,
    /// What is typed.
    pub(super) lines: &'static [Line],
}

const fn run(text: &'static str) -> Line {
    Line {
        text,
        exit: 0,
        says: "",
    }
}

const fn expect(text: &'static str, exit: i32, says: &'static str) -> Line {
    Line { text, exit, says }
}

/// The command that every attack must fail.
const VERIFY: &str = "touchmark -C repo verify main..HEAD --trusted-root ../root.json";
const APPROVE: &str = "touchmark -C repo approve HEAD --target refs/heads/main --key ../keys/alice.pem --trusted-root ../root.json";

/// A folder in which an agent has worked and nothing is attested yet.
const WORKED: &str = "worked";
/// A folder in which the agent's run is attested and nobody has looked at it yet.
const ATTESTED: &str = "attested";

/// Keys, a log, a policy, an agent's work.
pub(super) const SET_UP: Story = Story {
    folder: WORKED,
    from: None,
    title: "A repository with a policy on its protected branch, keys for an agent, a person and a service, a log; an agent works",
    lines: &[
        run("git init -q -b main repo"),
        run("git -C repo config user.name 'Ada Marsh'"),
        run("git -C repo config user.email ada@acme.example"),
        run("git -C repo remote add origin https://git.example/acme/greeter.git"),
        run("mkdir keys"),
        run(
            "for name in agent alice ci stranger; do touchmark key generate --plain --output keys/$name.pem; done",
        ),
        run("touchmark log create --name demo.example"),
        run("touchmark log root --operator acme-platform > root.json"),
        run("mkdir -p repo/src repo/.touchmark"),
        run("printf 'pub fn greet() -> String {\\n    \"hello\".into()\\n}\\n' > repo/src/lib.rs"),
        run(POLICY),
        run("touchmark policy check repo/.touchmark/policy.toml"),
        run("git -C repo add -A"),
        run("git -C repo commit -q -m 'Start'"),
        run("git -C repo switch -q -c agent/greeting"),
        run(
            "printf 'pub fn greet(name: &str) -> String {\\n    format!(\"hello, {name}\")\\n}\\n' > repo/src/lib.rs",
        ),
        run("mkdir repo/tests"),
        run("printf '#[test]\\nfn greets() {}\\n' > repo/tests/greeting.rs"),
        run("git -C repo add -A"),
        run("git -C repo commit -q -m 'Greet by name'"),
    ],
};

const POLICY: &str = r#"cat > repo/.touchmark/policy.toml <<END
version = 1
serial = 1
expires = 2099-12-31

[trust]
log = { inclusion = true, self = "deny" }

[[person]]
id = "alice"
signers = [{ key = "$(touchmark key public --fingerprint --key keys/alice.pem)" }]

[[agent]]
id = "greeter-agent"
owner = "team-greeter"
signers = [{ key = "$(touchmark key public --fingerprint --key keys/agent.pem)" }]
products = ["claude-code >=2.1"]
models = ["anthropic/claude-*"]
scope = { paths = ["src/**", "tests/**"] }
require = { prompt = true, transcript = "whole" }

[[service]]
id = "ci"
signers = [{ key = "$(touchmark key public --fingerprint --key keys/ci.pem)" }]
may = ["test-result"]

[[rule]]
id = "a-person-reads-it"
paths = ["**"]
tier = "gated"
approvals = { people = 1, not = ["author", "agent-operators"], filekeys = true }
message = "somebody who did not write it reads every change"

[gate.merge]
require = ["accounted"]
residual = "forbid"
END"#;

/// The agent's run is attested. Told before a person looks at it.
pub(super) const ATTEST: Story = Story {
    folder: ATTESTED,
    from: Some(WORKED),
    title: "The agent's session is attested: signed, logged and stored with the repository. A person has to look yet",
    lines: &[
        run(SESSION_RUN),
        run(ATTEST_RUN),
        expect(VERIFY, 14, "policy.rule.a-person-reads-it"),
    ],
};

const SESSION_RUN: &str = "touchmark demo session repo > session.jsonl";
const ATTEST_RUN: &str = "touchmark -C repo attest --base refs/heads/main --session ../session.jsonl --agent greeter-agent --key ../keys/agent.pem";

/// The way to a yes, and the questions that are asked later.
pub(super) const GOOD: Story = Story {
    folder: "yes",
    from: Some(ATTESTED),
    title: "A person approves exactly this change: now it is proven, lands, and can be found again",
    lines: &[
        run(APPROVE),
        expect(VERIFY, 0, "verdict: allowed"),
        run("git -C repo switch -q main"),
        run("git -C repo merge -q --ff-only agent/greeting"),
        expect(
            "touchmark -C repo verify --landed $(git -C repo rev-parse HEAD~1)..$(git -C repo rev-parse HEAD) --target refs/heads/main --trusted-root ../root.json",
            0,
            "landed on refs/heads/main",
        ),
        expect(
            "touchmark -C repo find --path src/lib.rs --trusted-root ../root.json",
            0,
            "claude-opus-4-5",
        ),
        expect("touchmark log check", 0, "pass"),
    ],
};

/// The attacks: each is the good case with one thing wrong.
pub(super) const ATTACKS: &[Story] = &[
    Story {
        folder: "01-edited-after-attesting",
        from: Some(ATTESTED),
        title: "A file is edited after it was attested",
        lines: &[
            run(APPROVE),
            run("printf '// one more line\\n' >> repo/src/lib.rs"),
            run("git -C repo commit -q -a --amend --no-edit"),
            expect(VERIFY, 10, "accounted.residual"),
        ],
    },
    Story {
        folder: "02-commit-without-evidence",
        from: Some(ATTESTED),
        title: "A commit that nobody attested rides along",
        lines: &[
            run(APPROVE),
            run("printf 'pub fn backdoor() {}\\n' > repo/src/extra.rs"),
            run("git -C repo add -A"),
            run("git -C repo commit -q -m 'Small fix'"),
            expect(VERIFY, 11, "src/extra.rs"),
        ],
    },
    Story {
        folder: "03-unregistered-key",
        from: Some(WORKED),
        title: "The change is attested with a key that the policy does not know",
        lines: &[
            run(SESSION_RUN),
            run(
                "touchmark -C repo attest --base refs/heads/main --session ../session.jsonl --agent greeter-agent --key ../keys/stranger.pem",
            ),
            expect(VERIFY, 11, "signer.not_expected"),
        ],
    },
    Story {
        folder: "04-service-as-agent",
        from: Some(WORKED),
        title: "A service's key signs an agent change",
        lines: &[
            run(SESSION_RUN),
            run(
                "touchmark -C repo attest --base refs/heads/main --session ../session.jsonl --agent greeter-agent --key ../keys/ci.pem",
            ),
            expect(VERIFY, 11, "identity.role"),
        ],
    },
    Story {
        folder: "05-spliced-log-entry",
        from: Some(ATTESTED),
        title: "A bundle gets the log entry of another bundle",
        lines: &[
            run(APPROVE),
            run(EXPORT_EVIDENCE),
            run("touchmark demo tamper splice-entry change.json review.json > evidence/change.json"),
            run("cp review.json evidence/"),
            run(DROP_EVIDENCE),
            expect(VERIFY_FILES, 11, "signer.entry_key"),
        ],
    },
    Story {
        folder: "06-altered-proof",
        from: Some(ATTESTED),
        title: "One bit of an inclusion proof is turned over",
        lines: &[
            run(APPROVE),
            run(EXPORT_EVIDENCE),
            run("touchmark demo tamper alter-proof review.json > evidence/review.json"),
            run("cp change.json evidence/"),
            run(DROP_EVIDENCE),
            expect(VERIFY_FILES, 11, "tlog."),
        ],
    },
    Story {
        folder: "07-approves-itself",
        from: Some(ATTESTED),
        title: "The agent approves its own change",
        lines: &[
            run(
                "touchmark -C repo approve HEAD --target refs/heads/main --key ../keys/agent.pem --trusted-root ../root.json",
            ),
            expect(VERIFY, 11, "identity.role"),
        ],
    },
    Story {
        folder: "08-earlier-approval",
        from: Some(ATTESTED),
        title: "The approval is of an earlier tree; the change has moved on since",
        lines: &[
            run(APPROVE),
            run("printf '// by the agent too\\n' >> repo/src/lib.rs"),
            run("git -C repo commit -q -a -m 'Explain'"),
            run(SESSION_RUN),
            run(ATTEST_RUN),
            expect(VERIFY, 11, "approval.not_bound"),
        ],
    },
    Story {
        folder: "09-part-of-a-change",
        from: Some(ATTESTED),
        title: "Part of the attested change lands, without the rest",
        lines: &[
            run("git -C repo switch -q main"),
            run("git -C repo checkout -q agent/greeting -- src/lib.rs"),
            run("git -C repo commit -q -m 'Greet by name'"),
            expect(
                "touchmark -C repo verify --landed $(git -C repo rev-parse HEAD~1)..$(git -C repo rev-parse HEAD) --target refs/heads/main --pull-request agent/greeting --trusted-root ../root.json",
                10,
                "omitted",
            ),
        ],
    },
    Story {
        folder: "10-loosened-policy",
        from: Some(ATTESTED),
        title: "The change itself loosens the policy that is to judge it",
        lines: &[
            run(
                "sed -i.bak -e 's/people = 1/people = 0/' -e 's/serial = 1/serial = 2/' repo/.touchmark/policy.toml",
            ),
            run("rm repo/.touchmark/policy.toml.bak"),
            run("git -C repo commit -q -a -m 'Simplify'"),
            run(SESSION_RUN),
            run(ATTEST_RUN),
            run(APPROVE),
            expect(VERIFY, 12, "policy.not_alone"),
        ],
    },
    Story {
        folder: "11-swapped-object",
        from: Some(ATTESTED),
        title: "A git object is swapped on disk: its name stays, its content does not",
        lines: &[
            run(APPROVE),
            run("git -C repo rev-parse HEAD:src/lib.rs > name"),
            run("printf 'pub fn greet(name: &str) -> String {\\n    evil(name)\\n}\\n' > other.rs"),
            run("git -C repo hash-object -w ../other.rs > other"),
            run(
                "cd repo/.git/objects && rm -f $(sed 's#^..#&/#' ../../../name) && cp $(sed 's#^..#&/#' ../../../other) $(sed 's#^..#&/#' ../../../name)",
            ),
            expect(VERIFY, 11, "binding.object_unreadable"),
        ],
    },
    Story {
        folder: "12-other-repository",
        from: Some(WORKED),
        title: "The evidence is about another repository",
        lines: &[
            run("git -C repo remote set-url origin https://git.example/mallory/greeter.git"),
            run(SESSION_RUN),
            run(ATTEST_RUN),
            run("git -C repo remote set-url origin https://git.example/acme/greeter.git"),
            expect(VERIFY, 11, "binding.repository"),
        ],
    },
    Story {
        folder: "13-evidence-deleted",
        from: Some(ATTESTED),
        title: "The evidence refs are deleted",
        lines: &[
            run(APPROVE),
            run(DROP_EVIDENCE),
            expect(VERIFY, 10, "accounted.residual"),
        ],
    },
];

const DROP_EVIDENCE: &str =
    "git -C repo for-each-ref --format='delete %(refname)' refs/touchmark | git -C repo update-ref --stdin";
const EXPORT_EVIDENCE: &str = "mkdir evidence && touchmark -C repo demo export ../change.json ../review.json";
const VERIFY_FILES: &str =
    "touchmark -C repo verify main..HEAD --trusted-root ../root.json --bundle ../evidence";
