//! The agents' own programs with our hooks: each does one turn against a model on loopback, in a home of its own.
//!
//! What is proven of each: its hooks fire, they print nothing and end with 0, the program shows no complaint, what they
//! are given is what [`touchmark_agents::hook`] expects, and the turn becomes a signed statement.
//! `tests/agents/run -- cargo test -p touchmark-cli --test interop agents` gives the programs; a test that lacks its
//! program says so and passes.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use touchmark_agents::hook::{self, HookKind, HookReading};

use super::path;

/// How long a program may take for its one turn.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the model asks the agent to run.
const COMMAND: &str = "echo hello > greeting.txt";

/// A home and a repository for one agent, with a model that it can reach.
struct Sandbox {
    folder: tempfile::TempDir,
    program: PathBuf,
    model: Child,
    port: u16,
}

/// What a program left behind.
struct Turn {
    status: Option<i32>,
    words: String,
}

/// One call of a hook.
struct Call {
    arguments: Vec<String>,
    input: Vec<u8>,
    printed: Vec<u8>,
    complained: Vec<u8>,
    status: String,
}

impl Sandbox {
    /// Prepares everything for the program of an agent, unless it or the model cannot be had.
    fn of(agent: &str, program: &str) -> Option<Self> {
        let skip = |why: &str| {
            println!("skipped: {agent} {why}");
            None
        };
        let Some(agents) = std::env::var_os("TOUCHMARK_TEST_AGENTS") else {
            return skip("is not asked for: TOUCHMARK_TEST_AGENTS is not set");
        };
        let program = Path::new(&agents).join(agent).join(program);
        if !program.exists() {
            return skip("is not installed on this machine");
        }
        let Some(python) = std::env::var_os("TOUCHMARK_TEST_PYTHON").filter(|path| !path.is_empty()) else {
            return skip("has no model to talk to: Python is not on this machine");
        };
        let folder = tempfile::tempdir().unwrap();
        for part in ["home", "repo", "calls", "bin"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let port_file = folder.path().join("port");
        let model = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/agents/model.py"))
            .arg(&port_file)
            .arg(COMMAND)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let port = wait(|| fs::read_to_string(&port_file).ok()?.parse().ok()).expect("the model listens");
        let this = Self {
            folder,
            program,
            model,
            port,
        };
        this.git(&["init", "--quiet", "--initial-branch=main"]);
        fs::write(this.repo().join("a.txt"), "a\n").unwrap();
        this.git(&["add", "."]);
        this.git(&["commit", "--quiet", "--message=first"]);
        this.write_shim();
        Some(this)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn home(&self) -> PathBuf {
        self.path("home")
    }

    fn repo(&self) -> PathBuf {
        self.path("repo")
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A command with nothing of ours around it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path())
            .env("HOME", self.home())
            .env("TMPDIR", self.folder.path())
            .env("TERM", "dumb")
            .env("LANG", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(self.repo())
            .stdin(Stdio::null());
        command
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = self.command(Path::new("git"));
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]);
        let output = git.args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn touchmark(&self, arguments: &[&str]) -> String {
        let output = self
            .command(Path::new(env!("CARGO_BIN_EXE_touchmark")))
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A `touchmark` that keeps what it was given and what the real one made of it.
    fn write_shim(&self) {
        let script = format!(
            "#!/bin/sh\n\
             n='{calls}'/$(date +%s%N).$$\n\
             cat > \"$n.in\"\n\
             printf '%s\\n' \"$@\" > \"$n.args\"\n\
             '{real}' \"$@\" < \"$n.in\" > \"$n.out\" 2> \"$n.err\"\n\
             s=$?\n\
             cat \"$n.out\"\n\
             cat \"$n.err\" >&2\n\
             echo \"$s\" > \"$n.status\"\n\
             exit $s\n",
            calls = self.path("calls").display(),
            real = env!("CARGO_BIN_EXE_touchmark"),
        );
        let shim = self.path("bin/touchmark");
        fs::write(&shim, script).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Installs our hooks as a user would.
    fn install(&self, agent: &str) -> Value {
        let shim = self.path("bin/touchmark");
        let said = self.touchmark(&[
            "hook",
            "install",
            agent,
            "--format",
            "json",
            "--program",
            shim.to_str().unwrap(),
        ]);
        serde_json::from_str(&said).unwrap()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let file = self.home().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Lets the program do its turn.
    fn turn(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Turn {
        self.start(&self.program, arguments, variables)
    }

    fn start(&self, program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Turn {
        let words = self.path("words");
        let file = fs::File::create(&words).unwrap();
        let mut command = self.command(program);
        command
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .process_group(0);
        let mut child = command.spawn().unwrap();
        let status = wait_for(PATIENCE, || child.try_wait().unwrap());
        if status.is_none() {
            // The group that this test began, and nothing else.
            let group = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = child.wait();
        }
        Turn {
            status: status.and_then(|status| status.code()),
            words: String::from_utf8_lossy(&fs::read(words).unwrap()).into_owned(),
        }
    }

    /// What the hooks were given and made of it, in order.
    fn calls(&self) -> Vec<Call> {
        let mut names: Vec<PathBuf> = fs::read_dir(self.path("calls"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "status"))
            .collect();
        names.sort();
        let part = |path: &Path, extension: &str| fs::read(path.with_extension(extension)).unwrap();
        names
            .iter()
            .map(|path| Call {
                arguments: String::from_utf8(part(path, "args"))
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect(),
                input: part(path, "in"),
                printed: part(path, "out"),
                complained: part(path, "err"),
                status: String::from_utf8(part(path, "status")).unwrap().trim().to_owned(),
            })
            .collect()
    }

    /// The statement that the turn became.
    fn statement(&self) -> Option<Value> {
        let found = wait_for(Duration::from_secs(30), || {
            let refs = self.git(&["for-each-ref", "--format=%(refname)", "refs/touchmark/tree"]);
            refs.lines().next().map(str::to_owned)
        })?;
        let files = self.git(&["ls-tree", "--name-only", &found]);
        let name = files.lines().find(|name| name.ends_with(".sigstore.json"))?;
        let bundle: Value =
            serde_json::from_str(&self.git(&["cat-file", "blob", &format!("{found}:{name}")])).unwrap();
        use base64::Engine as _;
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        let payload = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
        serde_json::from_slice(&payload).ok()
    }

    /// Why turns wait.
    fn troubles(&self) -> String {
        let folder = self.home().join(".local/share/touchmark/capture/trouble");
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .map(|file| fs::read_to_string(file.path()).unwrap_or_default() + "\n")
            .collect()
    }

    /// Proves everything that is the same for every agent; returns the readings of what its hooks were given.
    fn prove(&self, agent: &str, turn: &Turn, kinds: &[HookKind]) -> Vec<HookReading> {
        let log = fs::read_to_string(self.home().join(".local/share/touchmark/capture/hook.log"));
        let context = format!("{agent}: {}\n{}", turn.words, log.unwrap_or_default());
        assert_eq!(turn.status, Some(0), "{context}");
        assert_eq!(
            fs::read_to_string(self.repo().join("greeting.txt")).unwrap(),
            "hello\n",
            "{context}"
        );
        let mut readings = Vec::new();
        for call in self.calls() {
            assert_eq!(call.status, "0", "{context}");
            assert!(call.printed.is_empty() && call.complained.is_empty(), "{context}");
            assert_eq!(call.arguments[..3], ["hook", "run", agent]);
            let reading = hook::parse_arguments(Some(agent), &call.arguments[3..], &call.input);
            assert_eq!(reading.problems, vec![], "{context}");
            assert!(!reading.mismatch, "{context} {reading:?}");
            assert_eq!(reading.product.as_deref(), Some(agent));
            let cwd = reading
                .event
                .cwd
                .as_deref()
                .map(|cwd| fs::canonicalize(cwd).unwrap());
            assert_eq!(cwd, Some(fs::canonicalize(self.repo()).unwrap()), "{context}");
            readings.push(reading);
        }
        let found: Vec<HookKind> = readings.iter().map(|reading| reading.event.kind).collect();
        assert_eq!(found, kinds, "{context}");
        let session = readings[0].event.session_id.clone().expect("a session");
        assert!(
            readings
                .iter()
                .all(|reading| reading.event.session_id.as_ref() == Some(&session))
        );
        for complaint in [
            "hook failed",
            "hook error",
            "Hook error",
            "Hook failed",
            "invalid hook",
            "hook (failed)",
        ] {
            assert!(!turn.words.contains(complaint), "{context}");
        }

        let statement = self
            .statement()
            .unwrap_or_else(|| panic!("no statement: {context}\n{}", self.troubles()));
        let predicate = &statement["predicate"];
        assert_eq!(predicate["agent"]["product"]["name"], agent, "{context}");
        assert_eq!(predicate["agent"]["instance"], session.as_str(), "{context}");
        assert_eq!(predicate["change"]["paths"][0]["path"], "greeting.txt");
        assert!(!predicate["models"].as_array().unwrap().is_empty(), "{predicate}");
        let prompts = predicate["prompt"]["commitments"].as_array().unwrap();
        let human = prompts
            .iter()
            .filter(|prompt| prompt["origin"] == "human")
            .count();
        assert_eq!(human, 1, "{}", predicate["prompt"]);
        // What the model said of its two answers; OpenAI's and Google's counts hold what was cached, Anthropic's not.
        let usage = &predicate["usage"];
        let input = if agent == "claude-code" { 22 } else { 16 };
        let counted =
            ["inputTokens", "outputTokens", "cacheReadTokens", "requests"].map(|name| usage[name].as_u64());
        assert_eq!(counted, [Some(input), Some(14), Some(6), Some(2)], "{usage}");
        let text = statement.to_string();
        assert!(!text.contains("write a greeting") && !text.contains("greeting is written"));
        let mut summary = format!("{agent}: ");
        let _ = write!(
            summary,
            "{} hooks, model {}, transcript {} with {} steps ({})",
            readings.len(),
            predicate["models"][0]["id"],
            predicate["transcript"]["complete"],
            predicate["transcript"]["steps"]["count"],
            predicate["transcript"]["counters"],
        );
        println!("{summary}");
        readings
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.model.kill();
        let _ = self.model.wait();
        if let Some(kept) = std::env::var_os("TOUCHMARK_TEST_KEEP") {
            let name = self.program.file_name().unwrap();
            let to = Path::new(&kept).join(name);
            let _ = Command::new("cp")
                .arg("-r")
                .arg(self.folder.path())
                .arg(to)
                .status();
        }
    }
}

fn wait<T>(found: impl FnMut() -> Option<T>) -> Option<T> {
    wait_for(Duration::from_secs(10), found)
}

fn wait_for<T>(patience: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = found() {
            return Some(found);
        }
        if Instant::now() > until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

const WHOLE: &[HookKind] = &[HookKind::SessionStart, HookKind::TurnEnd, HookKind::SessionEnd];

#[test]
fn claude_code_runs_our_hooks() {
    let Some(sandbox) = Sandbox::of("claude-code", "node_modules/.bin/claude") else {
        return;
    };
    sandbox.install("claude-code");
    let log = sandbox.path("debug.log");
    let turn = sandbox.turn(
        &[
            "-p",
            "write a greeting",
            "--allowedTools",
            "Bash",
            "--debug-file",
            log.to_str().unwrap(),
        ],
        &[
            ("ANTHROPIC_BASE_URL", &sandbox.url("")),
            ("ANTHROPIC_API_KEY", "test-only"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("DISABLE_TELEMETRY", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
        ],
    );
    let kinds = [
        HookKind::SessionStart,
        HookKind::Prompt,
        HookKind::TurnEnd,
        HookKind::SessionEnd,
    ];
    let readings = sandbox.prove("claude-code", &turn, &kinds);
    assert_eq!(
        readings[2].event.last_assistant_message.as_deref(),
        Some("The greeting is written.")
    );
    let log = fs::read_to_string(log).unwrap();
    assert!(
        log.contains("hook run claude-code] finished with status 0"),
        "{log}"
    );
    let complaint = log.lines().find(|line| {
        line.contains("touchmark")
            && ["[ERROR]", "[WARN]", "timed out", "cancelled"]
                .iter()
                .any(|word| line.contains(word))
    });
    assert_eq!(complaint, None);
}

#[test]
fn codex_runs_our_hooks_and_shows_our_hashes() {
    let Some(sandbox) = Sandbox::of("codex", "node_modules/.bin/codex") else {
        return;
    };
    let settings = format!(
        "# mine\nmodel = \"gpt-5.5\"\nmodel_provider = \"loopback\"\n\n[model_providers.loopback]\nname = \"loopback\"\n\
         base_url = \"{}\"\nwire_api = \"responses\"\nenv_key = \"LOOPBACK_KEY\"\n\n[analytics]\nenabled = false\n",
        sandbox.url("/v1")
    );
    sandbox.write(".codex/config.toml", &settings);
    let installed = sandbox.install("codex");
    let listed = codex_lists_hooks(&sandbox);
    let trust = installed["files"][0]["trust"].as_array().unwrap();
    assert_eq!((listed.len(), trust.len()), (3, 3), "{listed:?}");
    for ours in trust {
        let found = listed.iter().find(|theirs| theirs["currentHash"] == ours["hash"]);
        // Installing approves nothing.
        assert_eq!(
            found.unwrap_or_else(|| panic!("{ours} is not in {listed:?}"))["trustStatus"],
            "untrusted"
        );
    }
    let arguments = ["exec", "--sandbox", "danger-full-access", "write a greeting"];
    let untrusted = sandbox.turn(&arguments, &[("LOOPBACK_KEY", "test-only")]);
    assert_eq!(untrusted.status, Some(0), "{}", untrusted.words);
    assert_eq!(sandbox.calls().len(), 0, "Codex ran hooks that nobody trusts");

    fs::remove_file(sandbox.repo().join("greeting.txt")).unwrap();
    let arguments = [
        "exec",
        "--dangerously-bypass-hook-trust",
        "--sandbox",
        "danger-full-access",
        "write a greeting",
    ];
    let turn = sandbox.turn(&arguments, &[("LOOPBACK_KEY", "test-only")]);
    let readings = sandbox.prove("codex", &turn, WHOLE);
    assert!(readings[1].event.turn_id.is_some());
    for event in ["SessionStart", "Stop"] {
        assert!(
            turn.words.contains(&format!("hook: {event} Completed")),
            "{}",
            turn.words
        );
    }
    assert!(!turn.words.contains("clamping"), "{}", turn.words);
    assert_eq!(
        fs::read_to_string(sandbox.home().join(".codex/config.toml")).unwrap(),
        settings
    );
}

/// What Codex itself says of the hooks that it has found.
fn codex_lists_hooks(sandbox: &Sandbox) -> Vec<Value> {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut server = sandbox.command(&sandbox.program);
    server
        .arg("app-server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = server.spawn().unwrap();
    let mut stdin = server.stdin.take().unwrap();
    let repo = fs::canonicalize(sandbox.repo()).unwrap();
    for message in [
        json!({"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}}),
        json!({"method": "initialized"}),
        json!({"id": 2, "method": "hooks/list", "params": {"cwds": [repo]}}),
    ] {
        writeln!(stdin, "{message}").unwrap();
    }
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let answer = lines
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find(|message| message["id"] == 2)
        .expect("an answer");
    drop(stdin);
    let _ = server.kill();
    let _ = server.wait();
    answer["result"]["data"][0]["hooks"].as_array().unwrap().clone()
}

#[test]
fn gemini_runs_our_hooks() {
    let Some(sandbox) = Sandbox::of("gemini", "node_modules/.bin/gemini") else {
        return;
    };
    let settings = json!({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "telemetry": {"enabled": false},
        "privacy": {"usageStatisticsEnabled": false},
        "general": {"enableAutoUpdate": false},
    });
    sandbox.write(".gemini/settings.json", settings.to_string());
    sandbox.install("gemini");
    let turn = sandbox.turn(
        &["--yolo", "--debug", "-p", "write a greeting"],
        &[
            ("GEMINI_API_KEY", "test-only"),
            ("GOOGLE_GEMINI_BASE_URL", &sandbox.url("")),
            ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
        ],
    );
    let readings = sandbox.prove("gemini", &turn, WHOLE);
    assert_eq!(
        readings[1].event.last_assistant_message.as_deref(),
        Some("The greeting is written.")
    );
    for event in ["SessionStart", "AfterAgent", "SessionEnd"] {
        let done = format!("Hook execution for {event}: 1 hooks executed successfully");
        assert!(turn.words.contains(&done), "{}", turn.words);
    }
}

#[test]
fn copilot_runs_our_hooks() {
    let Some(sandbox) = Sandbox::of("copilot", "node_modules/.bin/copilot") else {
        return;
    };
    sandbox.install("copilot");
    let logs = sandbox.path("logs");
    let turn = sandbox.turn(
        &[
            "-p",
            "write a greeting",
            "--allow-all-tools",
            "--log-level",
            "debug",
            "--log-dir",
            logs.to_str().unwrap(),
        ],
        &[
            ("COPILOT_OFFLINE", "true"),
            ("COPILOT_AUTO_UPDATE", "false"),
            ("COPILOT_PROVIDER_BASE_URL", &sandbox.url("/v1")),
            ("COPILOT_PROVIDER_API_KEY", "test-only"),
            ("COPILOT_MODEL", "gpt-5.4"),
        ],
    );
    let readings = sandbox.prove("copilot", &turn, WHOLE);
    assert!(readings[1].event.transcript_path.is_some() && readings[2].event.transcript_path.is_none());
    for log in fs::read_dir(logs).unwrap() {
        let log = fs::read_to_string(log.unwrap().path()).unwrap();
        let complaint = log.lines().find(|line| {
            line.contains("touchmark") && (line.contains("[ERROR]") || line.contains("[WARNING]"))
        });
        assert_eq!(complaint, None);
    }
}

#[test]
fn opencode_runs_our_plugin() {
    let Some(sandbox) = Sandbox::of("opencode", "node_modules/.bin/opencode") else {
        return;
    };
    let settings = json!({
        "autoupdate": false,
        "share": "disabled",
        "model": "loopback/gpt-5.5",
        "small_model": "loopback/gpt-5.5",
        "provider": {"loopback": {
            "npm": "@ai-sdk/openai-compatible",
            "name": "loopback",
            "options": {"baseURL": sandbox.url("/v1"), "apiKey": "test-only"},
            "models": {"gpt-5.5": {"name": "gpt"}},
        }},
    });
    sandbox.write(".config/opencode/opencode.json", settings.to_string());
    sandbox.install("opencode");
    let turn = sandbox.turn(
        &["run", "--print-logs", "write a greeting"],
        &[
            // It looks for its own plugin package there, and does without.
            ("npm_config_registry", &sandbox.url("/npm")),
            ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
            ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
            ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
        ],
    );
    sandbox.prove("opencode", &turn, &[HookKind::SessionStart, HookKind::TurnEnd]);
    let complaint = turn
        .words
        .lines()
        .find(|line| line.contains("touchmark") && line.contains("level=ERROR"));
    assert_eq!(complaint, None);
}

#[test]
fn mini_swe_agent_is_wrapped() {
    let Some(sandbox) = Sandbox::of("mini-swe-agent", "bin/mini") else {
        return;
    };
    let trajectory = sandbox.path("out.traj.json");
    let trajectory = trajectory.to_str().unwrap();
    let agent = [
        "-t",
        "write a greeting",
        "-m",
        "openai/gpt-5.5",
        "--yolo",
        "--exit-immediately",
        "-o",
        trajectory,
    ];
    let turn = sandbox.wrapped(
        &["--session", trajectory],
        &agent,
        &[
            ("MSWEA_CONFIGURED", "true"),
            ("MSWEA_SILENT_STARTUP", "1"),
            ("MSWEA_COST_TRACKING", "ignore_errors"),
            ("MSWEA_GLOBAL_CONFIG_DIR", sandbox.path("mini").to_str().unwrap()),
        ],
    );
    let predicate = sandbox.prove_wrapped("mini-swe-agent", &turn);
    assert_eq!(predicate["agent"]["product"]["version"], "2.4.6");
}

#[test]
fn openhands_is_wrapped() {
    let Some(sandbox) = Sandbox::of("openhands", "bin/openhands") else {
        return;
    };
    let agent = [
        "--headless",
        "--json",
        "--override-with-envs",
        "--always-approve",
        "--exit-without-confirmation",
        "-t",
        "write a greeting",
    ];
    let repo = sandbox.repo();
    let variables = [
        ("LLM_API_KEY", "test-only"),
        ("LLM_BASE_URL", &sandbox.url("/v1")),
        ("LLM_MODEL", "openai/gpt-5.5"),
        ("OPENHANDS_SUPPRESS_BANNER", "1"),
        ("OPENHANDS_WORK_DIR", repo.to_str().unwrap()),
    ];
    let turn = sandbox.wrapped(&[], &agent, &variables);
    let predicate = sandbox.prove_wrapped("openhands", &turn);
    assert_eq!(
        predicate["commands"].as_array().map(Vec::len),
        Some(1),
        "{predicate}"
    );
}

impl Sandbox {
    /// Lets the program do its turn inside of `touchmark run`.
    fn wrapped(&self, flags: &[&str], arguments: &[&str], variables: &[(&str, &str)]) -> Turn {
        let program = self.program.to_str().unwrap();
        let all = [&["run"], flags, &["--", program], arguments].concat();
        let (key, base) = (("OPENAI_API_KEY", "test-only"), self.url("/v1"));
        let more = [
            key,
            ("OPENAI_API_BASE", &base),
            ("OPENAI_BASE_URL", &base),
            ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
        ];
        self.start(
            Path::new(env!("CARGO_BIN_EXE_touchmark")),
            &all,
            &[variables, &more].concat(),
        )
    }

    /// Proves what is the same for every agent that is wrapped; returns the predicate.
    fn prove_wrapped(&self, agent: &str, turn: &Turn) -> Value {
        assert_eq!(turn.status, Some(0), "{agent}: {}", turn.words);
        assert_eq!(
            fs::read_to_string(self.repo().join("greeting.txt")).unwrap(),
            "hello\n"
        );
        let statement = self
            .statement()
            .unwrap_or_else(|| panic!("no statement: {}", turn.words));
        let predicate = statement["predicate"].clone();
        assert_eq!(predicate["agent"]["product"]["name"], agent, "{predicate}");
        assert_eq!(predicate["change"]["paths"][0]["path"], "greeting.txt");
        assert_eq!(predicate["models"][0]["id"], "gpt-5.5", "{predicate}");
        assert!(!statement.to_string().contains("write a greeting"));
        println!(
            "{agent}: wrapped, transcript {}, usage {}",
            predicate["transcript"], predicate["usage"]
        );
        predicate
    }
}
