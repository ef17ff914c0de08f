//! Encrypted servers on this machine: whose certificates are trusted, and for which names.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use touchmark_http::{Accept, Certificates, Client, HttpError, Options, Response, Url};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// Serves one answer to everybody, under a certificate for `localhost` that nobody else issued.
fn serve() -> (SocketAddr, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a certificate and its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).expect("a configuration");
                let mut stream = rustls::StreamOwned::new(connection, stream);
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok() {
                    let _ = stream.write_all(ANSWER);
                }
            });
        }
    });
    (address, certified.cert.pem())
}

fn get(certificates: Certificates, url: &str) -> Result<Response, HttpError> {
    let options = Options {
        certificates,
        exchange_timeout: Duration::from_secs(10),
        ..Options::default()
    };
    let url: Url = url.parse().expect("an address");
    Client::new(options)?.get(&url, Accept::Json)
}

#[test]
fn a_private_authority_is_trusted_where_its_file_is_given_and_nowhere_else() {
    let (address, pem) = serve();
    let (_, other) = serve();
    let url = format!("https://localhost:{}/x", address.port());
    let only = |pem: &str| Certificates::only(pem.as_bytes(), "ca.pem").expect("a certificate");
    assert_eq!(get(only(&pem), &url).expect("trusted").body, b"{}");
    assert_eq!(
        get(only(&other), &url).expect_err("another authority").code(),
        "network.tls"
    );
    // Where the system has no certificates at all, that is what is wrong.
    let refused = get(Certificates::System, &url).expect_err("nobody's authority");
    assert!(
        ["network.tls", "http.certificates"].contains(&refused.code()),
        "{refused:?}"
    );
    // The certificate is for another name.
    let by_number = format!("https://{address}/x");
    assert_eq!(
        get(only(&pem), &by_number).expect_err("another name").code(),
        "network.tls"
    );
}

#[test]
fn case_236_the_file_of_certificates_is_reported() {
    let (_, pem) = serve();
    let options = Options {
        certificates: Certificates::system_and(pem.as_bytes(), "team-ca.pem").expect("a certificate"),
        ..Options::default()
    };
    let client = Client::new(options).expect("a client");
    assert_eq!(client.conditions().certificates.as_deref(), Some("team-ca.pem"));
    assert!(!client.conditions().is_direct());
}
