//! One hardened HTTP client for every service that is talked to.
//!
//! Promises that an exchange ends by its deadline and fits its size, that nothing but `https` leaves the machine
//! (`http` reaches loopback only), that no answer leads to another host, that a credential goes to the host it was
//! made for, and that no credential is in any error or `Debug`. Nothing is decompressed. No proxy is used that the
//! caller did not name, and [`Client::conditions`] says which one. What an answer means is the caller's to judge.
//!
//! ```
//! use touchmark_http::{Accept, Client, Options, Url};
//!
//! let client = Client::new(Options::default())?;
//! let url: Url = "http://127.0.0.1:9/api/v2/checkpoint".parse()?;
//! let refused = client.get(&url, Accept::Text).unwrap_err();
//! assert_eq!(refused.code(), "network.connect");
//! assert_eq!("http://example.org/".parse::<Url>().unwrap_err().code(), "network.insecure_url");
//! # Ok::<(), touchmark_http::HttpError>(())
//! ```

mod client;
mod deadline;
mod error;
mod exchange;
mod options;
mod request;
mod resolver;
mod response;
mod retry_after;
mod url;

pub use client::Client;
pub use deadline::Deadline;
pub use error::HttpError;
pub use options::{CertificateFile, Certificates, Conditions, Options, Proxy};
pub use request::{Accept, ContentType, Credential, Request, Secret};
pub use response::Response;
pub use retry_after::RetryAfter;
pub use url::Url;
