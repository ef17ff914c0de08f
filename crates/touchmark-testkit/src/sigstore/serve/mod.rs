//! The same instance over loopback HTTP, with programmable faults. One port a service, free ones.

mod fault;
mod fulcio;
mod http;
mod issuer;
mod proxy;
mod rekor_v1;
mod rekor_v2;
mod route;
mod timestamp;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub use self::fault::Fault;
use self::fault::Faults;
pub use self::http::{Answer, Request};
use self::issuer::Logins;
pub use self::proxy::FaultProxy;
pub use self::route::Route;
use self::route::Service;
use super::identity::{GITHUB_ISSUER, GithubRun, PERSON_ISSUER};
use super::instance::{Instance, SIGNED_AT};
use super::trusted_root::{ConfiguredLogs, ServiceUrls};

/// Whoever says what time it is.
type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the services share.
struct Shared {
    instance: Instance,
    urls: ServiceUrls,
    clock: Mutex<Clock>,
    stop: AtomicBool,
    faults: Mutex<Faults>,
    requests: Mutex<Vec<(Route, Request)>>,
    logins: Mutex<Logins>,
}

impl Shared {
    fn now(&self) -> i64 {
        let clock = Arc::clone(&self.clock.lock().expect("no holder panicked"));
        clock()
    }

    fn issuers(&self) -> Vec<String> {
        vec![
            self.urls.issuer.clone(),
            GITHUB_ISSUER.to_owned(),
            PERSON_ISSUER.to_owned(),
        ]
    }
}

/// An instance that is being served. Dropping it ends the services.
pub struct Served {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    addresses: Vec<std::net::SocketAddr>,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served")
            .field("urls", &self.shared.urls)
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// Serves the instance on loopback, one free port a service; its time is [`SIGNED_AT`] until it is set.
    pub fn serve(self) -> Served {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("it is bound"));
        let (fulcio, issuer, rekor_v1, rekor_v2) = (bind(), bind(), bind(), bind());
        let timestamps: Vec<TcpListener> = self.timestamp_authorities.iter().map(|_| bind()).collect();
        let urls = ServiceUrls {
            fulcio: url(&fulcio),
            issuer: url(&issuer),
            rekor_v1: url(&rekor_v1),
            rekor_v2: url(&rekor_v2),
            timestamps: timestamps
                .iter()
                .map(|listener| url(listener) + "/api/v1/timestamp")
                .collect(),
        };
        let shared = Arc::new(Shared {
            instance: self,
            urls,
            clock: Mutex::new(Arc::new(|| SIGNED_AT)),
            stop: AtomicBool::new(false),
            faults: Mutex::default(),
            requests: Mutex::default(),
            logins: Mutex::default(),
        });
        let services = [
            (Service::Fulcio, fulcio),
            (Service::Issuer, issuer),
            (Service::RekorV1, rekor_v1),
            (Service::RekorV2, rekor_v2),
        ];
        let timestamps = timestamps.into_iter().enumerate();
        let services = services
            .into_iter()
            .chain(timestamps.map(|(index, listener)| (Service::Timestamp(index), listener)));
        let (mut threads, mut addresses) = (Vec::new(), Vec::new());
        for (service, listener) in services {
            addresses.push(listener.local_addr().expect("it is bound"));
            let shared = Arc::clone(&shared);
            threads.push(std::thread::spawn(move || accept(service, &listener, &shared)));
        }
        Served {
            shared,
            threads,
            addresses,
        }
    }
}

impl Served {
    /// Returns the instance.
    pub fn instance(&self) -> &Instance {
        &self.shared.instance
    }

    /// Returns where the services are.
    pub fn urls(&self) -> &ServiceUrls {
        &self.shared.urls
    }

    /// Returns a signing config that leads to these services.
    pub fn signing_config_json(&self, logs: ConfiguredLogs) -> String {
        self.instance().signing_config_json(self.urls(), logs)
    }

    /// Sets the services' time.
    pub fn set_time(&self, now: i64) {
        self.follow(move || now);
    }

    /// Lets the services follow a clock from now on; tests that run whole programs pass the system's.
    pub fn follow(&self, clock: impl Fn() -> i64 + Send + Sync + 'static) {
        *self.shared.clock.lock().expect("no holder panicked") = Arc::new(clock);
    }

    /// Returns the services' time.
    pub fn now(&self) -> i64 {
        self.shared.now()
    }

    /// Returns a person's token of the served issuer.
    pub fn email_token(&self, address: &str) -> String {
        self.instance()
            .email_token(&self.urls().issuer, address, self.now())
    }

    /// Returns a GitHub run's token of the served issuer.
    pub fn github_token(&self, run: &GithubRun) -> String {
        self.instance().github_token(&self.urls().issuer, run, self.now())
    }

    /// Returns the environment that GitHub gives a job that may ask for tokens.
    pub fn github_environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{}/github/token?api-version=2.0", self.urls().issuer),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", issuer::REQUEST_TOKEN.to_owned()),
        ]
    }

    /// Sets whose token the GitHub-shaped endpoint answers with.
    pub fn set_github_run(&self, run: GithubRun) {
        self.shared.logins.lock().expect("no holder panicked").run = run;
    }

    /// Sets who logs in at the interactive endpoint.
    pub fn set_person(&self, address: &str) {
        address.clone_into(&mut self.shared.logins.lock().expect("no holder panicked").person);
    }

    /// Spoils every answer of a route from now on.
    pub fn fault(&self, route: Route, fault: Fault) {
        self.fault_times(route, fault, usize::MAX);
    }

    /// Spoils the next answers of a route.
    pub fn fault_times(&self, route: Route, fault: Fault, times: usize) {
        assert!(times > 0, "a fault that never comes");
        self.shared
            .faults
            .lock()
            .expect("no holder panicked")
            .set(route, fault, times);
    }

    /// Ends every fault.
    pub fn clear_faults(&self) {
        self.shared.faults.lock().expect("no holder panicked").clear();
    }

    /// Returns the requests that a route received, in order.
    pub fn requests(&self, route: Route) -> Vec<Request> {
        let requests = self.shared.requests.lock().expect("no holder panicked");
        requests
            .iter()
            .filter(|(found, _)| *found == route)
            .map(|(_, request)| request.clone())
            .collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for address in &self.addresses {
            // Wakes the listener, which then sees that it is to stop.
            drop(TcpStream::connect(address));
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn accept(service: Service, listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || converse(service, stream, &shared));
    }
}

fn converse(service: Service, mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let Some(request) = http::read(&mut stream) else {
        return;
    };
    let route = Route::of(service, &request.method, &request.path);
    shared
        .requests
        .lock()
        .expect("no holder panicked")
        .push((route, request.clone()));
    let fault = shared.faults.lock().expect("no holder panicked").take(route);
    if let Some(answer) = fault.as_ref().and_then(Fault::instead) {
        return http::write(&mut stream, &answer.encode());
    }
    if fault == Some(Fault::Stall) {
        return Fault::Stall.write(&mut stream, Answer::error(500, ""), &shared.stop);
    }
    let answer = answer(service, route, &request, shared, fault.as_ref());
    match fault {
        Some(fault) => fault.write(&mut stream, answer, &shared.stop),
        None => http::write(&mut stream, &answer.encode()),
    }
}

fn answer(
    service: Service,
    route: Route,
    request: &Request,
    shared: &Shared,
    fault: Option<&Fault>,
) -> Answer {
    let other = fault == Some(&Fault::OtherEntry);
    match (service, route) {
        (_, Route::Unknown) => Answer::error(404, "no such place"),
        (Service::Fulcio, _) => fulcio::answer(route, request, shared, fault),
        (Service::Issuer, _) => issuer::answer(route, request, shared),
        (Service::RekorV1, _) => rekor_v1::answer(route, request, shared, other),
        (Service::RekorV2, _) => rekor_v2::answer(route, request, shared, other),
        (Service::Timestamp(index), _) => timestamp::answer(route, request, shared, index, fault),
    }
}
