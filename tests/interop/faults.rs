//! A proxy that spoils answers, between our program and each real service.
//!
//! Whatever goes wrong: the program ends within its deadline; it ends with 0 only if the evidence is signed, logged and
//! verifies; otherwise the signature is in the spool, and `publish` finishes once the service is right again.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;
use touchmark_testkit::sigstore::{Fault, FaultProxy};

use super::common::{Outcome, World, is_spool_entry};
use super::instance::{ALICE, Instance};

/// What the program is given for publishing, by `--log-timeout`.
const LOG_TIMEOUT: Duration = Duration::from_secs(4);
/// What it gives each of the services before that.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(60);
/// What it may take beyond that for work that needs no network, on a busy machine.
const SLACK: Duration = Duration::from_secs(8);

/// A service as the signing config names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    RekorV2,
    RekorV1,
    Fulcio,
    Tsa,
}

impl Service {
    /// The signing config whose place of this service is changed, the place, and what follows the service's address.
    fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::RekorV2 => ("signing_config.json", "/rekorTlogUrls/0/url", ""),
            Self::RekorV1 => ("signing_config.rekor1.json", "/rekorTlogUrls/0/url", ""),
            Self::Fulcio => ("signing_config.json", "/caUrls/0/url", ""),
            Self::Tsa => ("signing_config.json", "/tsaUrls/0/url", "/api/v1/timestamp"),
        }
    }

    fn url(self, instance: &Instance) -> String {
        match self {
            Self::RekorV2 => instance.endpoint("rekor2").to_owned(),
            Self::RekorV1 => instance.endpoint("rekor1").to_owned(),
            Self::Fulcio => instance.endpoint("fulcio").to_owned(),
            Self::Tsa => {
                let url = instance.endpoint("tsa");
                url.strip_suffix("/api/v1/timestamp").unwrap().to_owned()
            }
        }
    }

    fn timeout(self) -> Duration {
        if self.comes_after_the_signature() {
            LOG_TIMEOUT
        } else {
            SERVICE_TIMEOUT
        }
    }

    /// Whether a signature exists before this service is asked, so that it must be kept.
    fn comes_after_the_signature(self) -> bool {
        matches!(self, Self::RekorV1 | Self::RekorV2)
    }
}

/// One agent's change that waits to be attested, with the services that it is attested with.
struct Case<'a> {
    instance: &'a Instance,
    service: Service,
    world: World,
}

impl<'a> Case<'a> {
    fn new(instance: &'a Instance, service: Service) -> Self {
        let world = World::unattested();
        Self {
            instance,
            service,
            world,
        }
    }

    /// Writes a signing config in which the service is at another address.
    fn config(&self, url: &str) -> String {
        let (name, place, rest) = self.service.place();
        let mut config: Value = serde_json::from_str(&self.instance.file(name)).unwrap();
        *config.pointer_mut(place).unwrap() = format!("{url}{rest}").into();
        std::fs::write(self.world.path("signing_config.json"), config.to_string()).unwrap();
        self.world.file("signing_config.json")
    }

    /// Runs a command that publishes, with the service at this address: the outcome, and how long it took.
    fn run(&self, command: &[&str], url: &str) -> (Outcome, Duration) {
        let (config, root) = (self.config(url), self.instance.argument("trusted_root.json"));
        let timeout = LOG_TIMEOUT.as_secs().to_string();
        let mut all: Vec<&str> = command.to_vec();
        all.extend(["--signing-config", &config, "--trusted-root", &root]);
        all.extend(["--log-timeout", &timeout, "--yes"]);
        let started = Instant::now();
        let outcome = self.world.touchmark(all);
        (outcome, started.elapsed())
    }

    fn attest(&self, url: &str) -> (Outcome, Duration) {
        let (session, key) = (self.world.file("session.jsonl"), self.world.key("agent"));
        let token = self.instance.token(ALICE);
        let mut all = vec!["attest", "--base", "refs/heads/main", "--session", &session];
        all.extend(["--agent", "greeter-agent"]);
        if self.service.comes_after_the_signature() {
            all.extend(["--key", &key]);
        } else {
            all.extend(["--identity-token", &token]);
        }
        self.run(&all, url)
    }

    fn spooled(&self) -> usize {
        let files = self.world.files("touchmark");
        files.iter().filter(|(path, _)| is_spool_entry(path)).count()
    }

    /// How many bundles of the repository verify.
    fn verified(&self) -> usize {
        let root = self.instance.argument("trusted_root.json");
        let key = self.world.public_key("agent");
        let mut count = 0;
        for reference in self.world.evidence_refs() {
            for (name, bytes) in self.world.evidence(&reference) {
                let file = self.world.path("found.sigstore.json");
                std::fs::write(&file, bytes).unwrap();
                let file = self.world.file("found.sigstore.json");
                let mut all = vec!["verify", "--bundle", &file, "--trusted-root", &root];
                if self.service.comes_after_the_signature() {
                    all.extend(["--key", &key]);
                } else {
                    all.extend(["--certificate-identity", ALICE]);
                    all.extend(["--certificate-oidc-issuer", self.instance.issuer()]);
                }
                let answered = self.world.touchmark(all);
                assert_eq!(answered.code, Some(0), "{reference} {name}: {}", answered.stderr);
                count += 1;
            }
        }
        count
    }

    /// Attests with a spoiled service and checks every promise; then mends the service and finishes.
    fn endure(&self, what: &str, url: &str) -> String {
        let (outcome, took) = self.attest(url);
        assert!(took < self.service.timeout() + SLACK, "{what}: {took:?}");
        let said = outcome.stderr.lines().find(|line| line.contains("error["));
        let said = format!(
            "{what}: exit {:?} after {took:.1?} {}",
            outcome.code,
            said.unwrap_or("")
        );
        if outcome.code == Some(0) {
            assert!(self.verified() > 0, "{said}: nothing verifies");
            return said;
        }
        assert_eq!(self.verified(), 0, "{said}");
        assert!(
            matches!(outcome.code, Some(1 | 11 | 20)),
            "{said}\n{}",
            outcome.stderr
        );
        let real = self.service.url(self.instance);
        if self.service.comes_after_the_signature() {
            assert_eq!(self.spooled(), 1, "{said}: the signature is lost");
            let (finished, _) = self.run(&["publish"], &real);
            let why = format!("{}{}", finished.stdout, finished.stderr);
            assert_eq!(finished.code, Some(0), "{said}: {why}");
        } else {
            let (finished, _) = self.attest(&real);
            assert_eq!(finished.code, Some(0), "{said}: {}", finished.stderr);
        }
        assert!(self.verified() > 0, "{said}: nothing verifies afterwards");
        assert_eq!(self.spooled(), 0, "{said}: something is left in the spool");
        said
    }
}

/// What the service answers when all is well: the whole answer and its body.
fn recorded(instance: &Instance, service: Service) -> (usize, Vec<u8>) {
    let case = Case::new(instance, service);
    let proxy = FaultProxy::before(&service.url(instance));
    let (outcome, _) = case.attest(&proxy.url());
    assert_eq!(
        outcome.code,
        Some(0),
        "{service:?} through the proxy: {}",
        outcome.stderr
    );
    assert!(case.verified() > 0, "{service:?}");
    let exchanges = proxy.exchanges();
    let mut posts = exchanges.iter().filter(|(request, _)| request.method == "POST");
    let (_, answer) = posts.next().unwrap();
    (answer.encode().len(), answer.body.clone())
}

/// Everything that may go wrong with one service, with a name for each.
fn faults(length: usize, other: &[u8], elsewhere: &str) -> Vec<(String, Fault)> {
    let mut all = vec![
        ("stall".to_owned(), Fault::Stall),
        ("stall in the middle".to_owned(), Fault::StallAfter(length / 2)),
        (
            "429, once a second".to_owned(),
            Fault::RetryAfter(429, "1".to_owned()),
        ),
        (
            "429, in a day".to_owned(),
            Fault::RetryAfter(429, "86400".to_owned()),
        ),
        ("502".to_owned(), Fault::Status(502)),
        (
            "another type".to_owned(),
            Fault::ContentType("text/html".to_owned()),
        ),
        ("half a body".to_owned(), Fault::Truncated),
        ("gzip bomb".to_owned(), Fault::GzipBomb(256 << 20)),
        (
            "redirect 302".to_owned(),
            Fault::Redirect(302, elsewhere.to_owned()),
        ),
        (
            "redirect 307".to_owned(),
            Fault::Redirect(307, elsewhere.to_owned()),
        ),
        ("another answer".to_owned(), Fault::Body(other.to_vec())),
        ("slowly".to_owned(), Fault::Drip(Duration::from_millis(20))),
    ];
    let step = length / 6;
    for at in [0, 1, length - 1].into_iter().chain((1..6).map(|n| n * step)) {
        all.push((format!("reset after {at} bytes"), Fault::ResetAfter(at)));
    }
    all
}

/// Holds one service against every fault, several at a time.
fn against_everything(service: Service) {
    let Some(instance) = Instance::running() else {
        return;
    };
    let (length, other) = recorded(&instance, service);
    let elsewhere = FaultProxy::before(&service.url(&instance));
    let refused = closed_port();
    let target = elsewhere.url().replace("127.0.0.1", "localhost");
    let faults = faults(length, &other, &target);
    let (instance, next) = (&instance, &std::sync::Mutex::new(faults.into_iter()));
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(move || {
                loop {
                    let Some((name, fault)) = next.lock().unwrap().next() else {
                        return;
                    };
                    let proxy = FaultProxy::before(&service.url(instance));
                    proxy.set(Some(fault));
                    if service == Service::Fulcio {
                        // Its configuration, which is asked for first, is spoiled in a test of its own.
                        proxy.posts_only();
                    }
                    let said = Case::new(instance, service).endure(&name, &proxy.url());
                    println!("{service:?}: {said}");
                }
            });
        }
        let refused = format!("http://127.0.0.1:{refused}");
        let said = Case::new(instance, service).endure("connection refused", &refused);
        println!("{service:?}: {said}");
    });
    assert_eq!(elsewhere.requests(), 0, "{service:?}: a redirect was followed");
}

/// A port at which nobody listens, below those that systems give out.
fn closed_port() -> u16 {
    let mut ports = 11_000..20_000;
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

#[test]
fn rekor_v2() {
    against_everything(Service::RekorV2);
}

#[test]
fn rekor_v1() {
    against_everything(Service::RekorV1);
}

#[test]
fn fulcio() {
    against_everything(Service::Fulcio);
}

#[test]
fn the_timestamp_authority() {
    against_everything(Service::Tsa);
}

#[test]
fn the_configuration_of_fulcio() {
    let Some(instance) = Instance::running() else {
        return;
    };
    for fault in [Fault::Status(502), Fault::Truncated, Fault::ResetAfter(100)] {
        let proxy = FaultProxy::before(&Service::Fulcio.url(&instance));
        proxy.set(Some(fault.clone()));
        let said = Case::new(&instance, Service::Fulcio).endure(&format!("{fault:?}"), &proxy.url());
        println!("Fulcio's configuration: {said}");
    }
}
