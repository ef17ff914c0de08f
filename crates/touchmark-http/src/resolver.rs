//! Names to addresses: `localhost` is this machine without asking anybody, and no name leads to a link-local address.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::url::is_link_local;

/// The system's resolver with the rules of this crate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver;

/// A name that leads where none may.
#[derive(Debug)]
pub(crate) struct LeadsToLinkLocal(pub(crate) IpAddr);

impl fmt::Display for LeadsToLinkLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name leads to {}", self.0)
    }
}

impl Error for LeadsToLinkLocal {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = if name.as_str() == "localhost" {
                // Port 0 is replaced by the port of the address.
                vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
            } else {
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect()
            };
            refuse_link_local(&found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// One bad address spoils the answer: whoever can put one in can choose which is tried.
fn refuse_link_local(found: &[SocketAddr]) -> Result<(), LeadsToLinkLocal> {
    match found.iter().find(|address| is_link_local(address.ip())) {
        Some(address) => Err(LeadsToLinkLocal(address.ip())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_226_a_name_that_leads_to_a_link_local_address_is_refused() {
        let good: SocketAddr = "192.0.2.1:0".parse().unwrap();
        let metadata: SocketAddr = "169.254.169.254:0".parse().unwrap();
        assert!(refuse_link_local(&[good]).is_ok());
        assert_eq!(refuse_link_local(&[good, metadata]).unwrap_err().0, metadata.ip());
    }
}
