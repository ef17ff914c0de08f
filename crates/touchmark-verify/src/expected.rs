//! Whom a caller expects to have signed: keys, identities, or both.

use crate::identity::{IdentityRule, IdentityRules};
use crate::key_ring::KeyRing;

/// The signers that a caller accepts. A bundle signed with a key is held against the keys, one signed with a
/// certificate against the identities; neither ever stands in for the other.
#[derive(Debug, Clone, Default)]
pub struct ExpectedSigners {
    /// The keys that may have signed.
    pub keys: KeyRing,
    /// The identities that may have signed.
    pub identities: IdentityRules,
}

impl ExpectedSigners {
    /// Tells whether nobody is expected, so that nothing can be proven.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.identities.is_empty()
    }
}

impl From<KeyRing> for ExpectedSigners {
    fn from(keys: KeyRing) -> Self {
        Self {
            keys,
            identities: IdentityRules::None,
        }
    }
}

impl From<IdentityRule> for ExpectedSigners {
    fn from(rule: IdentityRule) -> Self {
        Self {
            keys: KeyRing::new(),
            identities: IdentityRules::Any(vec![rule]),
        }
    }
}

impl From<IdentityRules> for ExpectedSigners {
    fn from(identities: IdentityRules) -> Self {
        Self {
            keys: KeyRing::new(),
            identities,
        }
    }
}
