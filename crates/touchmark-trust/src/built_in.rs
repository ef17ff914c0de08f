//! Instances whose trust material comes with this program.
//!
//! The trusted root and the signing config are those embedded in `sigstore-trust-root` 0.15.1; the TUF root is the same
//! crate's, version 16 of <https://github.com/sigstore/root-signing>. They are a start: `trust fetch` replaces them.

/// The name of Sigstore's public-good instance.
pub const SIGSTORE_PUBLIC_GOOD: &str = "sigstore-public-good";

/// Trust material of one instance, as it was when this program was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltIn {
    /// The name by which policies and configuration call the instance.
    pub name: &'static str,
    /// Who runs it, in the words of its signing config; its trusted root does not say.
    pub operator: &'static str,
    /// The address of its TUF repository.
    pub tuf_url: &'static str,
    /// The TUF root from which trust in that repository begins.
    pub tuf_root: &'static [u8],
    /// Its trusted root, JSON.
    pub trusted_root: &'static [u8],
    /// Its signing config, JSON.
    pub signing_config: &'static [u8],
}

const ALL: &[BuiltIn] = &[BuiltIn {
    name: SIGSTORE_PUBLIC_GOOD,
    operator: "sigstore.dev",
    tuf_url: "https://tuf-repo-cdn.sigstore.dev",
    tuf_root: include_bytes!("../roots/sigstore-public-good.root.json"),
    trusted_root: sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes(),
    signing_config: sigstore_trust_root::SIGSTORE_PRODUCTION_SIGNING_CONFIG.as_bytes(),
}];

/// Returns the built-in instance of this name.
pub fn built_in(name: &str) -> Option<BuiltIn> {
    all().iter().copied().find(|known| known.name == name)
}

/// Returns every built-in instance.
pub fn all() -> &'static [BuiltIn] {
    ALL
}

#[cfg(test)]
mod tests {
    use touchmark_verify::trust::TrustedRoot;

    use super::*;

    #[test]
    fn the_public_good_instance_is_parsed_by_our_own_reader() {
        let known = built_in(SIGSTORE_PUBLIC_GOOD).expect("built in");
        let root = TrustedRoot::parse(known.trusted_root).expect("strict JSON of a trusted root");
        assert!(!root.logs().is_empty());
        assert!(!root.certificate_authorities().is_empty());
        assert!(!root.timestamp_authorities().is_empty());
        assert!(!root.certificate_logs().is_empty());
    }

    #[test]
    fn the_tuf_root_signs_itself() {
        let known = built_in(SIGSTORE_PUBLIC_GOOD).expect("built in");
        let root = sigstore_tuf::TrustedMetadataSet::from_root(known.tuf_root).expect("self-signed");
        assert_eq!(root.root().version, 16);
    }

    #[test]
    fn other_names_are_not_built_in() {
        assert_eq!(built_in("Sigstore-public-good"), None);
        assert_eq!(built_in(""), None);
    }
}
