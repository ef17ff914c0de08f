//! Addresses of services: `https`, or `http` to this machine; no credentials in them, nothing link-local.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use url::Host;

use crate::error::HttpError;

/// The longest address that is taken.
const MAX_URL_BYTES: usize = 4096;

/// An address that may be talked to. `Display` and `Debug` leave out the query, and the path where it is a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    url: Arc<url::Url>,
    is_path_secret: bool,
}

impl Url {
    /// Returns the same address with a path that nobody is shown, such as a webhook's.
    #[must_use]
    pub fn with_secret_path(mut self) -> Self {
        self.is_path_secret = true;
        self
    }

    /// Returns the address with segments added to its path; query and fragment fall away.
    ///
    /// A segment is one name: what would leave the path (`/`, `?`, `#`) is escaped, `.` and `..` are left out.
    #[must_use]
    pub fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut joined = self.clone();
        let url = Arc::make_mut(&mut joined.url);
        url.set_query(None);
        url.set_fragment(None);
        url.path_segments_mut()
            .expect("an address with a host has a path")
            .pop_if_empty()
            .extend(segments);
        joined
    }

    /// Returns the address with one more pair in its query.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut extended = self.clone();
        Arc::make_mut(&mut extended.url)
            .query_pairs_mut()
            .append_pair(name, value);
        extended
    }

    /// Returns whether scheme, host and port of both are the same.
    pub fn has_origin_of(&self, other: &Url) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// Returns scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Returns the host as it is written.
    pub fn host(&self) -> &str {
        self.url.host_str().expect("an address has a host")
    }

    /// Returns whether the connection is not encrypted; such an address is on this machine.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Returns whether the address is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.url)
    }

    /// Returns the whole address, query included. For the wire, not for people.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the path.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    pub(crate) fn inner(&self) -> &url::Url {
        &self.url
    }

    /// Resolves a `Location` against this address; only what [`Url::from_str`] takes comes out.
    pub(crate) fn relative(&self, location: &str) -> Result<Self, HttpError> {
        let url = self.url.join(location).map_err(|_| HttpError::Url)?;
        Ok(Url {
            url: Arc::new(admit(url)?),
            is_path_secret: self.is_path_secret,
        })
    }
}

impl FromStr for Url {
    type Err = HttpError;

    fn from_str(text: &str) -> Result<Self, HttpError> {
        if text.len() > MAX_URL_BYTES || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(HttpError::Url);
        }
        let url = url::Url::parse(text).map_err(|_| HttpError::Url)?;
        Ok(Url {
            url: Arc::new(admit(url)?),
            is_path_secret: false,
        })
    }
}

fn admit(url: url::Url) -> Result<url::Url, HttpError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpError::UrlCredentials);
    }
    match url.host() {
        Some(Host::Ipv4(address)) if is_link_local(IpAddr::V4(address)) => Err(HttpError::LinkLocal {
            host: address.to_string(),
        }),
        Some(Host::Ipv6(address)) if is_link_local(IpAddr::V6(address)) => Err(HttpError::LinkLocal {
            host: address.to_string(),
        }),
        Some(_) => match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback_host(&url) => Ok(url),
            "http" => Err(HttpError::InsecureUrl {
                host: url.host_str().unwrap_or_default().to_owned(),
            }),
            _ => Err(HttpError::Url),
        },
        None => Err(HttpError::Url),
    }
}

fn is_loopback_host(url: &url::Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761 §6.3; the resolver never asks anybody about it.
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Returns whether an address is one that machines give out without being asked, such as a cloud's metadata service,
/// or none at all.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let v4 =
        |address: Ipv4Addr| address.is_link_local() || address.is_unspecified() || address.is_broadcast();
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address.is_unspecified()
                || address == METADATA_V6
                || address.to_ipv4().is_some_and(v4)
                || translated(address).is_some_and(v4)
        }
    }
}

/// The address that a translator or tunnel takes this one to (RFC 6052 §2.1, RFC 3056 §2).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())?;
        f.write_str(if self.is_path_secret {
            "/…"
        } else {
            self.url.path()
        })
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        text.parse::<Url>().map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn case_226_plain_http_reaches_this_machine_only() {
        for good in [
            "http://127.0.0.1:3003",
            "http://127.9.9.9/",
            "http://[::1]:80/x",
            "http://localhost:8080/a?b=c",
            "https://rekor.example.org",
            "https://10.0.0.1/log",
        ] {
            assert_eq!(code(good), "ok", "{good}");
        }
        for insecure in [
            "http://example.org",
            "http://10.0.0.1/",
            "http://localhost.example.org/",
            "http://[::2]/",
            "http://127.0.0.1.example.org/",
        ] {
            assert_eq!(code(insecure), "network.insecure_url", "{insecure}");
        }
        for other in [
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "gopher://x/",
            "unix:/run/x",
            "example.org",
            "",
            "https://",
        ] {
            assert_eq!(code(other), "http.url", "{other}");
        }
    }

    #[test]
    fn case_226_link_local_addresses_are_refused_in_every_spelling() {
        for address in [
            "https://169.254.169.254/latest",
            "http://169.254.169.254/latest",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://[fe80::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::169.254.169.254]/",
            "https://[64:ff9b::169.254.169.254]/",
            "https://[2002:a9fe:a9fe::1]/",
            "https://[fd00:ec2::254]/",
            "https://0.0.0.0/",
            "https://[::]/",
        ] {
            assert_eq!(code(address), "network.link_local", "{address}");
        }
    }

    #[test]
    fn case_227_a_url_carries_no_credentials() {
        assert_eq!(code("https://user:secret@example.org/"), "http.url_credentials");
        assert_eq!(code("https://user@example.org/"), "http.url_credentials");
    }

    #[test]
    fn neither_query_nor_secret_path_is_shown() {
        let url: Url = "https://example.org/a/b?token=hunter2#hunter3".parse().unwrap();
        assert_eq!(url.to_string(), "https://example.org/a/b");
        assert_eq!(format!("{url:?}"), "Url(https://example.org/a/b)");
        assert!(url.as_str().contains("hunter2"));
        assert_eq!(url.with_secret_path().to_string(), "https://example.org/…");
    }

    #[test]
    fn joined_segments_stay_inside_the_path() {
        let base: Url = "https://example.org/rekor/?x=1".parse().unwrap();
        let joined = base.join(["api", "a/b", "c?d#e"]);
        assert_eq!(joined.as_str(), "https://example.org/rekor/api/a%2Fb/c%3Fd%23e");
        assert_eq!(
            base.join(["..", "..", "x"]).as_str(),
            "https://example.org/rekor/x"
        );
    }
}
