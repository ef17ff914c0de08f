//! Exchanges with servers that do everything but answer properly.

mod common;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use touchmark_http::{
    Accept, Client, ContentType, Credential, Deadline, HttpError, Options, Request, Response, Secret, Url,
};

use common::{Act, Server};

fn options() -> Options {
    Options {
        connect_timeout: Duration::from_secs(2),
        stall_timeout: Duration::from_millis(400),
        exchange_timeout: Duration::from_millis(1200),
        max_body_bytes: 1024,
        ..Options::default()
    }
}

fn client() -> Client {
    Client::new(options()).expect("a client")
}

fn get(server: &Server) -> Result<Response, HttpError> {
    client().get(&server.url("/x"), Accept::Json)
}

fn code(server: &Server) -> &'static str {
    match get(server) {
        Ok(response) => panic!("answered: {response:?}"),
        Err(error) => error.code(),
    }
}

const GOOD: &str = "HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2\n\n{}";

#[test]
fn reads_a_good_answer_and_says_who_asks() {
    let server = Server::answering(GOOD);
    let response = get(&server).expect("an answer");
    assert_eq!(response.status, 200);
    assert_eq!(response.body, b"{}");
    assert_eq!(response.media_type().as_deref(), Some("application/json"));
    assert_eq!(response.into_success("application/json").expect("success"), b"{}");
    let request = server.requests().remove(0).to_ascii_lowercase();
    assert!(request.starts_with("get /x http/1.1\r\n"), "{request}");
    assert!(request.contains("accept: application/json\r\n"), "{request}");
    assert!(request.contains("user-agent: touchmark/"), "{request}");
    assert!(request.contains("accept-encoding: identity\r\n"), "{request}");
}

#[test]
fn posts_a_body_and_reads_a_chunked_answer() {
    let server = Server::answering(
        "HTTP/1.1 201 Created\nContent-Type: application/json; charset=utf-8\nX-Log-Index: 7\nTransfer-Encoding: \
         chunked\n\n3\nabc\n2\nde\n0\n\n",
    );
    let url = server.url("/api/v2/log/entries");
    let response = client()
        .post(&url, ContentType::Json, "{\"a\":1}", Accept::Json)
        .expect("an answer");
    assert_eq!(
        (response.status, response.body.as_slice()),
        (201, b"abcde".as_slice())
    );
    assert_eq!(response.header("x-log-index"), Some("7"));
    assert!(server.requests()[0].ends_with("{\"a\":1}"));
}

#[test]
fn no_connection_has_its_own_code() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url: Url = format!("http://{}/", listener.local_addr().expect("an address"))
        .parse()
        .expect("an address");
    drop(listener);
    let refused = client().get(&url, Accept::Any).expect_err("nobody listens");
    assert_eq!(refused.code(), "network.connect");
    assert!(refused.is_worth_retrying());
}

#[test]
fn a_connection_that_ends_at_any_byte_of_the_answer_is_no_answer() {
    let answer = GOOD.replace('\n', "\r\n").into_bytes();
    for end in 0..answer.len() {
        for last in [vec![], vec![Act::Reset]] {
            let mut script = vec![Act::Send(answer[..end].to_vec())];
            script.extend(last);
            let server = Server::start(vec![script]);
            let error = get(&server).expect_err("not whole");
            assert!(error.is_worth_retrying(), "{end}: {error:?}");
            assert!(
                matches!(error.code(), "network.broken" | "http.malformed"),
                "{end}: {error:?}"
            );
        }
    }
}

#[test]
fn a_server_that_says_nothing_has_stalled() {
    let silent = Server::start(vec![vec![Act::Pause(Duration::from_secs(5))]]);
    let options = Options {
        connect_timeout: Duration::from_millis(100),
        ..options()
    };
    let error = Client::new(options)
        .expect("a client")
        .get(&silent.url("/"), Accept::Any)
        .expect_err("nothing comes");
    assert_eq!(error.code(), "network.stalled");

    let half = Server::start(vec![vec![
        Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab".to_vec()),
        Act::Pause(Duration::from_secs(5)),
    ]]);
    let started = Instant::now();
    assert_eq!(code(&half), "network.stalled");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_byte_now_and_then_ends_at_the_deadline() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        "x".repeat(100)
    )
    .into_bytes();
    let head = Server::start(vec![vec![Act::Trickle(
        answer.clone(),
        Duration::from_millis(150),
    )]]);
    let body_only = [
        Act::Send(answer[..60].to_vec()),
        Act::Trickle(answer[60..].to_vec(), Duration::from_millis(150)),
    ];
    let body = Server::start(vec![body_only.to_vec()]);
    for server in [head, body] {
        let started = Instant::now();
        assert_eq!(code(&server), "network.deadline");
        let taken = started.elapsed();
        assert!(
            taken >= Duration::from_millis(1000) && taken < Duration::from_secs(3),
            "{taken:?}"
        );
    }
}

#[test]
fn the_callers_deadline_holds_where_it_is_earlier() {
    let server = Server::start(vec![vec![Act::Pause(Duration::from_secs(5))]]);
    let url = server.url("/");
    let started = Instant::now();
    let request = Request::get(&url, Accept::Any).by(Deadline::after(Duration::from_millis(100)));
    assert_eq!(
        client().send(request).expect_err("too late").code(),
        "network.deadline"
    );
    assert!(started.elapsed() < Duration::from_secs(1));
    let past = Request::get(&url, Accept::Any).by(Deadline::after(Duration::ZERO));
    assert_eq!(client().send(past).expect_err("over").code(), "network.deadline");
}

#[test]
fn an_answer_beyond_the_cap_is_not_read_to_its_end() {
    let announced = Server::answering("HTTP/1.1 200 OK\nContent-Length: 99999999999\n\nx");
    assert_eq!(code(&announced), "http.too_large");
    let endless = Server::start(vec![vec![
        Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        Act::Flood(vec![b'x'; 512]),
    ]]);
    assert_eq!(code(&endless), "http.too_large");
    let chunks = Server::start(vec![vec![
        Act::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Act::Flood(b"10\r\n0123456789abcdef\r\n".to_vec()),
    ]]);
    assert_eq!(code(&chunks), "http.too_large");
    let exact = Server::answering(&format!(
        "HTTP/1.1 200 OK\nContent-Length: 1024\n\n{}",
        "x".repeat(1024)
    ));
    assert_eq!(get(&exact).expect("fits").body.len(), 1024);
    let url = exact.url("/");
    let smaller = client().send(Request::get(&url, Accept::Any).at_most(1023));
    assert_eq!(smaller.expect_err("too large").code(), "http.too_large");
}

#[test]
fn an_endless_head_ends_too() {
    let lines = Server::start(vec![vec![
        Act::Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Act::Flood(
            b"X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec(),
        ),
    ]]);
    assert_eq!(code(&lines), "http.malformed");
    let one_line = Server::start(vec![vec![
        Act::Send(b"HTTP/1.1 200 OK\r\nX-Padding: ".to_vec()),
        Act::Flood(vec![b'a'; 4096]),
    ]]);
    assert_eq!(code(&one_line), "http.malformed");
}

#[test]
fn a_compressed_answer_is_refused_before_it_is_read() {
    for (header, expected) in [
        ("Content-Encoding: gzip", "http.encoded"),
        ("Content-Encoding: identity\nContent-Encoding: br", "http.encoded"),
        ("Content-Encoding: gzip, gzip", "http.encoded"),
        ("Transfer-Encoding: gzip, chunked", "http.encoded"),
    ] {
        // Two bytes that would grow to gigabytes if anybody looked.
        let server = Server::answering(&format!("HTTP/1.1 200 OK\n{header}\n\n2\n\u{1f}\u{b}\n0\n\n"));
        assert_eq!(code(&server), expected, "{header}");
    }
}

#[test]
fn what_is_no_http_is_called_that() {
    for text in [
        "SSH-2.0-OpenSSH_9.2\n",
        "<html>nothing</html>\n\n",
        "HTTP/9.9 200 OK\n\n",
    ] {
        let error = get(&Server::answering(text)).expect_err("no HTTP");
        assert_eq!(error.code(), "http.malformed", "{text}");
    }
}

#[test]
fn case_226_a_redirect_to_another_host_or_scheme_is_refused() {
    let other = Server::answering(GOOD);
    for (location, expected) in [
        (other.url("/x").as_str(), "network.redirect_other_host"),
        (
            "http://169.254.169.254/latest/meta-data/",
            "network.redirect_other_host",
        ),
        ("//example.org/x", "network.redirect_other_host"),
        ("https://example.org/x", "network.redirect_other_scheme"),
        ("file:///etc/passwd", "network.redirect_other_scheme"),
        ("http://[", "network.redirect"),
    ] {
        for status in [
            "301 Moved",
            "302 Found",
            "303 See Other",
            "307 Temporary",
            "308 Permanent",
        ] {
            let server = Server::answering(&format!(
                "HTTP/1.1 {status}\nLocation: {location}\nContent-Length: 0\n\n"
            ));
            assert_eq!(code(&server), expected, "{status} {location}");
        }
    }
    assert!(
        other.requests().is_empty(),
        "a redirect was followed to another host"
    );
    assert_eq!(
        code(&Server::answering("HTTP/1.1 302 Found\nContent-Length: 0\n\n")),
        "network.redirect"
    );
}

#[test]
fn a_redirect_within_the_host_is_followed_for_reading_only_and_not_for_ever() {
    let to = |path: &str| {
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        vec![Act::Send(answer.into_bytes())]
    };
    let server = Server::start(vec![
        to("/y"),
        vec![Act::Send(GOOD.replace('\n', "\r\n").into_bytes())],
    ]);
    assert_eq!(get(&server).expect("an answer").body, b"{}");
    assert!(server.requests()[1].starts_with("GET /y "));
    let posted = Server::start(vec![to("/y")]);
    let refused = client().post(&posted.url("/x"), ContentType::Json, "{}", Accept::Json);
    assert_eq!(refused.expect_err("not followed").code(), "network.redirect");
    assert_eq!(posted.requests().len(), 1);
    let circle = Server::start(vec![to("/x")]);
    assert_eq!(code(&circle), "network.redirect");
    assert_eq!(circle.requests().len(), 4);
}

#[test]
fn case_227_a_credential_goes_to_its_own_host_only_and_is_never_shown() {
    let server = Server::answering(GOOD);
    let other = Server::answering(GOOD);
    let credential = Credential::bearer(Secret::new("hunter2"), &server.url("/elsewhere"));
    let request =
        Request::get(&server.url("/x?token=hunter2"), Accept::Json).with_credential(credential.clone());
    assert!(!format!("{request:?}").contains("hunter2"));
    client().send(request).expect("an answer");
    assert!(
        server.requests()[0]
            .to_ascii_lowercase()
            .contains("authorization: bearer hunter2")
    );

    let misdirected = Request::get(&other.url("/x"), Accept::Json).with_credential(credential.clone());
    let error = client().send(misdirected).expect_err("another host");
    assert_eq!(error.code(), "network.credential_other_host");
    assert!(other.requests().is_empty());

    let unsendable = Credential::bearer(Secret::new("hunter2\r\nX-Evil: 1"), &server.url("/"));
    let error = client()
        .send(Request::get(&server.url("/"), Accept::Json).with_credential(unsendable))
        .expect_err("a line break");
    assert_eq!(error.code(), "http.unsendable");

    let gone = Server::start(vec![vec![Act::Reset]]);
    let url: Url = format!("{}?token=hunter2", gone.url("/hook"))
        .parse()
        .expect("an address");
    let error = client().get(&url, Accept::Json).expect_err("reset");
    let mut shown = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(found) = cause {
        shown.push_str(&found.to_string());
        cause = found.source();
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn case_230_a_server_cannot_ask_for_more_than_the_cap() {
    let busy = |header: &str| {
        let server = Server::answering(&format!(
            "HTTP/1.1 429 Too Many Requests\nDate: Fri, 20 Nov 2026 10:00:00 GMT\nRetry-After: {header}\nContent-Length: \
             0\n\n"
        ));
        let response = get(&server).expect("an answer");
        assert!(response.is_worth_retrying());
        response.retry_after().map(|found| found.delay().as_secs())
    };
    assert_eq!(busy("5"), Some(5));
    assert_eq!(busy("315360000"), Some(120));
    assert_eq!(busy("Thu, 20 Nov 2036 10:00:00 GMT"), Some(120));
    assert_eq!(busy("Fri, 20 Nov 2026 10:00:09 GMT"), Some(9));
    assert_eq!(busy("-1"), None);
}

#[test]
fn case_229_a_page_is_no_json() {
    let server = Server::answering("HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 6\n\n<html>");
    let response = get(&server).expect("an answer");
    assert_eq!(
        response
            .into_success("application/json")
            .expect_err("a page")
            .code(),
        "http.content_type"
    );
    let without = Server::answering("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}");
    let response = get(&without).expect("an answer");
    assert_eq!(
        response
            .into_success("application/json")
            .expect_err("no type")
            .code(),
        "http.content_type"
    );
    let failed = Server::answering(
        "HTTP/1.1 502 Bad Gateway\nContent-Type: application/json\nContent-Length: 2\n\n{}",
    );
    let error = get(&failed)
        .expect("an answer")
        .into_success("application/json")
        .expect_err("502");
    assert_eq!(error.code(), "http.status");
    assert!(error.is_worth_retrying());
}

#[test]
fn a_plain_server_behind_https_is_a_failed_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        use std::io::Write as _;
        for stream in listener.incoming().flatten() {
            let _ = (&stream).write_all(b"220 mail.example.org ESMTP\r\n");
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    let url: Url = format!("https://{address}/").parse().expect("an address");
    let error = client().get(&url, Accept::Any).expect_err("no TLS");
    assert_eq!(error.code(), "network.tls", "{error:?}");
}

#[test]
fn a_client_works_from_many_threads_and_inside_a_runtime() {
    let server = Server::answering(&GOOD.replace("Content-Length", "Connection: close\nContent-Length"));
    let (client, url) = (client(), server.url("/x"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(client.get(&url, Accept::Json).expect("an answer").status, 200));
        }
    });
}

#[test]
fn case_236_the_environment_chooses_no_proxy() {
    // Set before the client is made: a client that looked would connect to the proxy and not to the server.
    // The variable is set for a child, since this process has other threads.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is about what the environment can do"
    )]
    let is_parent = std::env::var_os("HTTP_PROXY").is_none();
    if is_parent {
        let proxy = Server::answering("HTTP/1.1 418 I am the proxy\nContent-Length: 0\n\n");
        let address = format!("http://{}", proxy.address());
        let status = std::process::Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "case_236_the_environment_chooses_no_proxy"])
            .envs([
                ("HTTP_PROXY", &address),
                ("http_proxy", &address),
                ("ALL_PROXY", &address),
            ])
            .env_remove("NO_PROXY")
            .status()
            .expect("this test runs again");
        assert!(status.success());
        assert!(proxy.requests().is_empty());
        return;
    }
    let server = Server::answering(GOOD);
    assert_eq!(get(&server).expect("an answer").status, 200);
    assert!(client().conditions().is_direct());
}
