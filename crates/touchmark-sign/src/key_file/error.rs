//! Why a private key, or the file it is in, is refused. No variant holds bytes of a key or a password.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use touchmark_verify::key::KeyError;
use touchmark_verify::key::pem::PemError;

/// A key file that is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The text is not exactly one PEM block.
    #[error("private key file is not exactly one PEM block")]
    Pem(#[from] PemError),
    /// A public key where a private one is expected.
    #[error("expected a private key, found a public key")]
    PublicWherePrivateExpected,
    /// A private key where a public one is expected.
    #[error("expected a public key, found a private key")]
    PrivateWherePublicExpected,
    /// Encrypted PKCS#8, which is not read.
    #[error("encrypted PKCS#8 is not supported, expected cosign's encrypted form, OpenSSH or plain PKCS#8")]
    EncryptedPkcs8,
    /// A PEM label that is no private key format of ours.
    #[error("private key format `{label}` is not supported")]
    UnknownFormat {
        /// The label, shortened and with unusual characters replaced.
        label: String,
    },
    /// The key's algorithm is none of ours.
    #[error("private key algorithm {found} is not supported")]
    UnsupportedAlgorithm {
        /// Its name or object identifier.
        found: String,
    },
    /// A FIDO key, which signs flags and a counter instead of the given bytes.
    #[error("FIDO security keys do not sign the given bytes, so they cannot make attestations")]
    Fido,
    /// What is inside the file is no key.
    #[error("private key is malformed")]
    Malformed,
    /// The key derives a public key that nobody would accept.
    #[error("the public half of the key is refused")]
    PublicKey(#[from] KeyError),
    /// The key is encrypted and no password was given.
    #[error("private key is encrypted and no password was given")]
    PasswordRequired,
    /// The password does not open the key.
    #[error("password does not open the private key")]
    PasswordWrong,
    /// An empty password protects nothing.
    #[error("an empty password cannot protect a private key")]
    PasswordEmpty,
    /// The key derivation would cost more than allowed; nothing was computed.
    #[error("key derivation asks for {asked} {unit}, at most {max} are allowed")]
    KdfCost {
        /// What the file asks for.
        asked: u64,
        /// The cap.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The key derivation or the cipher is not the one of this format.
    #[error("key derivation or cipher is not one of this format")]
    KdfUnknown,
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
    /// The file could not be read or written.
    #[error("key file {} could not be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no such file.
    #[error("key file {} does not exist", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than any key.
    #[error("key file {} has more than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The cap.
        max: usize,
    },
    /// The path is a symbolic link.
    #[error("key file {} is a symbolic link", path.display())]
    Symlink {
        /// The file.
        path: PathBuf,
    },
    /// The path is a directory, a pipe, a socket or a device.
    #[error("key file {} is not a regular file", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or write the file.
    #[error("key file {} has mode {mode:04o}, expected 0600 or 0400", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to another user.
    #[error("key file {} belongs to user {owner}, expected {expected}", path.display())]
    ForeignOwner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user this process acts as.
        expected: u32,
    },
    /// The file lies inside a work tree, where a commit or a checkout could carry or choose it.
    #[error("key file {} lies inside the work tree {}", path.display(), work_tree.display())]
    InWorkTree {
        /// The file.
        path: PathBuf,
        /// The work tree.
        work_tree: PathBuf,
    },
    /// A file of that name exists already; keys are never overwritten.
    #[error("key file {} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl KeyFileError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            KeyFileError::Pem(error) => error.code(),
            KeyFileError::PublicWherePrivateExpected => "key.public_where_private_expected",
            KeyFileError::PrivateWherePublicExpected => "key.private_where_public_expected",
            KeyFileError::EncryptedPkcs8 => "key.encrypted_pkcs8",
            KeyFileError::UnknownFormat { .. } => "key.unknown_format",
            KeyFileError::UnsupportedAlgorithm { .. } => "key.unsupported_algorithm",
            KeyFileError::Fido => "key.fido",
            KeyFileError::Malformed => "key.malformed",
            KeyFileError::PublicKey(error) => error.code(),
            KeyFileError::PasswordRequired => "key.password_required",
            KeyFileError::PasswordWrong => "key.password_wrong",
            KeyFileError::PasswordEmpty => "key.password_empty",
            KeyFileError::KdfCost { .. } => "key.kdf_cost",
            KeyFileError::KdfUnknown => "key.kdf_unknown",
            KeyFileError::NoRandomness => "key.no_randomness",
            KeyFileError::Io { .. } => "key.file_io",
            KeyFileError::NotFound { .. } => "key.file_not_found",
            KeyFileError::TooLarge { .. } => "key.file_too_large",
            KeyFileError::Symlink { .. } => "key.file_symlink",
            KeyFileError::NotRegular { .. } => "key.file_not_regular",
            KeyFileError::Permissions { .. } => "key.file_permissions",
            KeyFileError::ForeignOwner { .. } => "key.file_foreign_owner",
            KeyFileError::InWorkTree { .. } => "key.file_in_work_tree",
            KeyFileError::Exists { .. } => "key.file_exists",
        }
    }

    pub(super) fn unknown_format(label: &str) -> Self {
        const MAX_SHOWN_CHARS: usize = 64;
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || c == ' ' {
                c
            } else {
                '?'
            }
        };
        KeyFileError::UnknownFormat {
            label: label.chars().take(MAX_SHOWN_CHARS).map(safe).collect(),
        }
    }
}
