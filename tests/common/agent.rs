//! A stand-in for an agent: it writes its session file record by record, changes files, and calls its hooks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Outcome, Sandbox, Session};

/// An agent at work.
pub struct Agent<'a> {
    sandbox: &'a Sandbox,
    id: String,
    folder: PathBuf,
    session: Option<Session>,
    file: PathBuf,
    environment: Vec<(String, String)>,
}

impl<'a> Agent<'a> {
    /// An agent in the sandbox's repository.
    pub fn new(sandbox: &'a Sandbox, id: &str) -> Self {
        Self::at(sandbox, id, &sandbox.repo())
    }

    /// An agent in another folder.
    pub fn at(sandbox: &'a Sandbox, id: &str, folder: &Path) -> Self {
        let session = Session::new(folder).id(id);
        let file = session.store(sandbox);
        Self {
            sandbox,
            id: id.to_owned(),
            folder: folder.to_owned(),
            session: Some(session),
            file,
            environment: Vec::new(),
        }
    }

    /// Sets a variable for the hooks.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The session's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The length of the session's file.
    pub fn written(&self) -> u64 {
        fs::metadata(&self.file).unwrap().len()
    }

    fn record(&mut self, add: impl FnOnce(Session) -> Session) {
        let session = add(self.session.take().unwrap());
        let bytes = session.bytes();
        let known = usize::try_from(self.written()).unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(&self.file).unwrap();
        file.write_all(&bytes[known..]).unwrap();
        self.session = Some(session);
    }

    /// The session begins.
    pub fn starts(&mut self) -> &mut Self {
        self.hook(&json!({"hook_event_name": "SessionStart", "source": "startup"}))
            .unheard();
        self
    }

    /// A person types something.
    pub fn is_told(&mut self, text: &str) -> &mut Self {
        self.hook(&json!({"hook_event_name": "UserPromptSubmit", "prompt": text}))
            .unheard();
        self.record(|session| session.prompt(text));
        self
    }

    /// The agent writes a file below its folder.
    pub fn writes(&mut self, path: &str, content: &str) -> &mut Self {
        let file = self.folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        self.record(|session| session.writes(path));
        self
    }

    /// The agent runs a command, which is only recorded.
    pub fn runs(&mut self, command: &str) -> &mut Self {
        self.record(|session| session.bash(command));
        self
    }

    /// The agent commits everything.
    pub fn commits(&mut self, message: &str) -> String {
        self.sandbox.git_in(&self.folder, ["add", "--all"]);
        self.sandbox
            .git_in(&self.folder, ["commit", "--quiet", "--message", message]);
        self.record(|session| session.bash("git commit"));
        self.sandbox.git_in(&self.folder, ["rev-parse", "HEAD"])
    }

    /// The agent has answered.
    pub fn stops(&mut self) -> &mut Self {
        self.hook(&json!({"hook_event_name": "Stop", "stop_hook_active": false}))
            .unheard();
        self
    }

    /// The session ends.
    pub fn ends(&mut self) -> &mut Self {
        self.hook(&json!({"hook_event_name": "SessionEnd", "reason": "other"}))
            .unheard();
        self
    }

    /// The payload that this agent sends with an event.
    pub fn payload(&self, event: &Value) -> Vec<u8> {
        let mut payload = json!({"session_id": self.id, "transcript_path": self.file, "cwd": self.folder,
            "permission_mode": "default"});
        let fields = payload.as_object_mut().unwrap();
        fields.extend(event.as_object().unwrap().clone());
        payload.to_string().into_bytes()
    }

    /// Calls the hook.
    pub fn hook(&self, event: &Value) -> Heard {
        let mut command = self.sandbox.command(["hook", "run", "claude-code"]);
        command.current_dir(&self.folder);
        command.envs(self.environment.iter().cloned());
        hook(command, &self.payload(event))
    }
}

/// What an agent hears from a hook.
#[derive(Debug)]
pub struct Heard {
    /// What was said.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Heard {
    /// Fails the test unless the hook was silent and content.
    #[track_caller]
    pub fn unheard(self) -> Self {
        let said = &self.outcome;
        assert_eq!(
            (said.code, said.stdout.as_str(), said.stderr.as_str()),
            (Some(0), "", "")
        );
        self
    }
}

/// Calls a hook with a payload.
pub fn hook(mut command: Command, payload: &[u8]) -> Heard {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A hook that does not care for its payload may have closed it.
    let _ = child.stdin.take().unwrap().write_all(payload);
    let output = child.wait_with_output().unwrap();
    Heard {
        outcome: Outcome::of(output),
        took: started.elapsed(),
    }
}

impl Sandbox {
    /// A repository with one file of code in one commit.
    pub fn with_code() -> Self {
        let sandbox = Self::new();
        sandbox.write("src/lib.rs", "pub fn two() -> u32 { 1 }\n");
        sandbox.commit("first");
        sandbox
    }

    /// A clone of the sandbox's repository beside it, and where it is.
    pub fn cloned(&self) -> PathBuf {
        let other = self.path("other");
        self.git(["clone", "--quiet", ".", other.to_str().unwrap()]);
        other
    }

    /// Calls an agent's hook.
    pub fn hook(&self, agent: &str, payload: &Value) -> Heard {
        hook(
            self.command(["hook", "run", agent]),
            payload.to_string().as_bytes(),
        )
    }

    /// The names of the turns that wait.
    pub fn turns(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("touchmark/data/capture/turns"))
            .into_iter()
            .flatten();
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    /// Waits until the workers are done with everything.
    #[track_caller]
    pub fn settled(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if !self.is_worked_on() && self.turns().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("turns are left: {:?}\n{}", self.turns(), self.troubles());
    }

    /// Waits until no worker is there, whatever it has left.
    pub fn rested(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.is_worked_on() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_worked_on(&self) -> bool {
        let lock = fs::File::options()
            .write(true)
            .open(self.path("touchmark/data/capture/worker"));
        lock.is_ok_and(|file| {
            rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err()
        })
    }

    /// Why turns wait.
    pub fn troubles(&self) -> String {
        let files = self.files("touchmark/data/capture/trouble");
        files
            .iter()
            .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned() + "\n")
            .collect()
    }

    /// The agent changes that are filed in a repository, by payload digest.
    pub fn statements_in(&self, folder: &Path) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        let refs = self.git_in(folder, ["for-each-ref", "--format=%(refname)", "refs/touchmark/"]);
        for reference in refs.lines() {
            for name in self.git_in(folder, ["ls-tree", "--name-only", reference]).lines() {
                let bundle = self.git_in(folder, ["cat-file", "blob", &format!("{reference}:{name}")]);
                let bundle: Value = serde_json::from_str(&bundle).expect("evidence is whole");
                let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("a payload");
                let payload = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
                let statement: Value = serde_json::from_slice(&payload).unwrap();
                if statement["predicateType"] == "https://touchmark.dev/agent-change/v1" {
                    found.insert(name[..64].to_owned(), statement["predicate"].clone());
                }
            }
        }
        found
    }

    /// The agent changes of the sandbox's repository in the order of their chains.
    pub fn chained(&self) -> Vec<Value> {
        let mut all: Vec<Value> = self.statements_in(&self.repo()).into_values().collect();
        all.sort_by_key(|claim| {
            (
                claim["agent"]["instance"].to_string(),
                claim["run"]["sequence"].as_u64(),
            )
        });
        all
    }
}
