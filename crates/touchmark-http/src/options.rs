//! The client's limits, the certificates it trusts and the proxy it uses, and what of that has to be reported.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::HttpError;

/// Limits and settings of a client.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a connection may take, the TLS handshake included.
    pub connect_timeout: Duration,
    /// How long a server may send nothing.
    pub stall_timeout: Duration,
    /// How long one whole exchange may take, redirects included.
    pub exchange_timeout: Duration,
    /// The largest answer.
    pub max_body_bytes: usize,
    /// The longest wait that a server may ask for.
    pub max_retry_after: Duration,
    /// The certificates that servers must lead to.
    pub certificates: Certificates,
    /// The proxy for everything that is not on this machine; never taken from the environment.
    pub proxy: Option<Proxy>,
    /// What the client calls itself.
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connect_timeout: Duration::from_secs(10),
            // Rekor v2 answers when a checkpoint covers the entry: twenty seconds are asked of clients.
            stall_timeout: Duration::from_secs(30),
            exchange_timeout: Duration::from_secs(60),
            max_body_bytes: 16 * 1024 * 1024,
            max_retry_after: Duration::from_secs(120),
            certificates: Certificates::System,
            proxy: None,
            user_agent: concat!("touchmark/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The certificates that a server's chain must lead to.
#[derive(Clone, Default)]
pub enum Certificates {
    /// Those of the system.
    #[default]
    System,
    /// These only.
    Only(CertificateFile),
    /// Those of the system and these.
    SystemAnd(CertificateFile),
}

/// Certificates in PEM, as a caller read them from a file.
#[derive(Clone)]
pub struct CertificateFile {
    pub(crate) certificates: Vec<reqwest::Certificate>,
    name: String,
}

impl Certificates {
    /// Trusts the certificates of a PEM file only; `name` is what the file is called in reports.
    pub fn only(pem: &[u8], name: &str) -> Result<Self, HttpError> {
        Ok(Certificates::Only(CertificateFile::parse(pem, name)?))
    }

    /// Trusts the system's certificates and those of a PEM file.
    pub fn system_and(pem: &[u8], name: &str) -> Result<Self, HttpError> {
        Ok(Certificates::SystemAnd(CertificateFile::parse(pem, name)?))
    }
}

impl CertificateFile {
    fn parse(pem: &[u8], name: &str) -> Result<Self, HttpError> {
        let certificates =
            reqwest::Certificate::from_pem_bundle(pem).map_err(|error| HttpError::Certificates {
                source: Some(Box::new(error)),
            })?;
        if certificates.is_empty() {
            return Err(HttpError::Certificates { source: None });
        }
        Ok(CertificateFile {
            certificates,
            name: name.to_owned(),
        })
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Certificates::System => f.write_str("System"),
            Certificates::Only(file) => write!(f, "Only({:?})", file.name),
            Certificates::SystemAnd(file) => write!(f, "SystemAnd({:?})", file.name),
        }
    }
}

/// A proxy. Its password is never shown.
#[derive(Clone)]
pub struct Proxy {
    address: Zeroizing<String>,
    shown: String,
}

impl Proxy {
    /// Reads a proxy's address, `http://HOST:PORT` or `https://HOST:PORT`, with a user name and password if it has any.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let url = url::Url::parse(text).map_err(|_| HttpError::Proxy)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(HttpError::Proxy);
        }
        Ok(Proxy {
            address: Zeroizing::new(text.to_owned()),
            shown: url.origin().ascii_serialization(),
        })
    }

    pub(crate) fn rule(&self) -> Result<reqwest::Proxy, HttpError> {
        reqwest::Proxy::all(self.address.as_str()).map_err(|_| HttpError::Proxy)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.shown)
    }
}

/// What stands between this machine and the services, for reports: a proxy and a set of certificates can read along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// The proxy, without its credentials.
    pub proxy: Option<String>,
    /// The file of certificates that is trusted beside the system's, or in their place.
    pub certificates: Option<String>,
}

impl Conditions {
    pub(crate) fn of(options: &Options) -> Self {
        Conditions {
            proxy: options.proxy.as_ref().map(|proxy| proxy.shown.clone()),
            certificates: match &options.certificates {
                Certificates::System => None,
                Certificates::Only(file) | Certificates::SystemAnd(file) => Some(file.name.clone()),
            },
        }
    }

    /// Returns whether nothing but the system's own settings is in between.
    pub fn is_direct(&self) -> bool {
        self.proxy.is_none() && self.certificates.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_236_a_proxy_is_reported_without_its_password() {
        let proxy = Proxy::parse("http://user:hunter2@proxy.example.org:3128").expect("an address");
        let options = Options {
            proxy: Some(proxy),
            ..Options::default()
        };
        let conditions = Conditions::of(&options);
        assert_eq!(conditions.proxy.as_deref(), Some("http://proxy.example.org:3128"));
        assert!(!conditions.is_direct());
        assert!(!format!("{options:?}").contains("hunter2"));
        assert!(Conditions::of(&Options::default()).is_direct());
        for bad in ["proxy.example.org:3128", "socks5://x:1", "http://", ""] {
            assert_eq!(Proxy::parse(bad).unwrap_err().code(), "http.proxy", "{bad}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for pem in [
            "",
            "nothing",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            let refused = Certificates::only(pem.as_bytes(), "ca.pem").unwrap_err();
            assert_eq!(refused.code(), "http.certificates", "{pem:?}");
        }
    }
}
