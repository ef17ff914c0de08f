//! Who signed a timestamp token: an authority of the trusted root, with its own key, inside its own window.
//!
//! Authorities are never pooled: window, chain and anchor of one say nothing of another. Where the trusted root names
//! the leaf certificate, it alone signs; certificates inside the token are then not looked at.

use super::memory::Memory;
use super::time::TimeError;
use crate::timestamp_token::{StampSigner, Token};
use crate::trust::Usable;
use crate::verified::{TimeSource, VerifiedTime};
use crate::x509::CertificateError;
use crate::x509::chain::{self, Authority, Purpose};

/// A time and the operator of the authority that signed it.
pub(super) struct Stamped {
    pub(super) time: VerifiedTime,
    pub(super) operator: String,
}

/// Finds the authority that signed the token. The refusal is that of the authority which came furthest.
pub(super) fn authenticate(
    timestamp: usize,
    token: &Token<'_>,
    usable: &Usable,
    memory: &Memory,
) -> Result<Stamped, TimeError> {
    let authorities = &usable.timestamp_authorities;
    if authorities.is_empty() {
        return Err(TimeError::NoAuthority { timestamp });
    }
    let mut refusal = TimeError::AuthorityUnknown { timestamp };
    for (index, authority) in authorities.iter().enumerate() {
        let attempt = Attempt {
            timestamp,
            token,
            index,
            authority,
            memory,
        };
        match attempt.run() {
            Ok(true) => {
                return Ok(Stamped {
                    time: VerifiedTime {
                        not_after: token.time,
                        source: TimeSource::TimestampAuthority {
                            uri: authority.uri.clone(),
                        },
                    },
                    operator: authority.operator.clone(),
                });
            }
            Ok(false) => {}
            Err(error) if error.rank() > refusal.rank() => refusal = error,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// One token held against one authority.
struct Attempt<'a> {
    timestamp: usize,
    token: &'a Token<'a>,
    index: usize,
    authority: &'a Authority,
    memory: &'a Memory,
}

impl Attempt<'_> {
    /// Returns false where the token is not about this authority at all.
    fn run(&self) -> Result<bool, TimeError> {
        if let Some(signer) = &self.authority.pinned {
            return self.signed_by(signer);
        }
        let mut refusal = None;
        for signer in self.token.candidates() {
            match self.signed_by(&signer) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => refusal = Some(error),
            }
        }
        refusal.map_or(Ok(false), Err)
    }

    fn signed_by(&self, signer: &StampSigner) -> Result<bool, TimeError> {
        let (timestamp, at) = (self.timestamp, self.token.time);
        if !self.token.names(signer) {
            return Ok(false);
        }
        if !self.token.is_signed_by(signer) {
            return Err(TimeError::Signature { timestamp });
        }
        if !signer.for_timestamps_only {
            return Err(TimeError::Usage { timestamp });
        }
        let window = self.authority.valid_for;
        if !window.contains(at) {
            return Err(TimeError::OutsideAuthority {
                timestamp,
                window,
                at,
            });
        }
        let key = (self.index, signer.digest);
        if self
            .memory
            .authority_window(&key)
            .is_some_and(|window| window.contains(at))
        {
            return Ok(true);
        }
        let path =
            chain::build(&signer.der, &[], self.authority, Purpose::TimeStamping, at).map_err(|error| {
                match error {
                    CertificateError::OutsideValidity { at, window } => TimeError::OutsideValidity {
                        timestamp,
                        window,
                        at,
                    },
                    source => TimeError::Chain { timestamp, source },
                }
            })?;
        self.memory.keep_authority_window(key, path.window);
        Ok(true)
    }
}
