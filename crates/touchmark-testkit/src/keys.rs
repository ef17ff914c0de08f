//! Keys that are the same in every run. Anyone can compute them: for tests only.

use touchmark_sign::PrivateKey;
use touchmark_sign::Signer as _;
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::key::KeyAlgorithm;

/// The keys of the parties in a test.
#[derive(Debug)]
pub struct Keys {
    /// The agent's.
    pub agent: PrivateKey,
    /// The reviewer's.
    pub reviewer: PrivateKey,
    /// A second reviewer's.
    pub second_reviewer: PrivateKey,
    /// The test service's.
    pub service: PrivateKey,
    /// Somebody's whom no policy knows.
    pub stranger: PrivateKey,
}

/// Returns the keys of this seed.
pub fn keys(seed: u64) -> Keys {
    let key = |party: &str| p256(&format!("{seed}/{party}"));
    Keys {
        agent: key("agent"),
        reviewer: key("reviewer"),
        second_reviewer: key("second reviewer"),
        service: key("service"),
        stranger: key("stranger"),
    }
}

/// Returns the P-256 key of this name.
pub fn p256(name: &str) -> PrivateKey {
    let secret = Sha256Digest::of(format!("touchmark test key {name}").as_bytes());
    PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, secret.as_bytes())
        .expect("a digest is a scalar of the curve")
}

/// Returns the fingerprint of a key, as policies spell it.
pub fn fingerprint(key: &PrivateKey) -> String {
    key.public_key().fingerprint().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_in_every_run_and_differ_from_one_another() {
        let (one, again, other) = (keys(1), keys(1), keys(2));
        assert_eq!(fingerprint(&one.agent), fingerprint(&again.agent));
        assert_ne!(fingerprint(&one.agent), fingerprint(&other.agent));
        assert_ne!(fingerprint(&one.agent), fingerprint(&one.reviewer));
    }
}
