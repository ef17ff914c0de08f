//! Where escrowed records are sent: a folder, or an address that takes them by PUT.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use touchmark_http::{Accept, Client, ContentType, Credential, Deadline, Request, Url};

use super::EscrowError;

/// The largest record that is sent to an address at once.
const MAX_BODY_BYTES: u64 = 512 * 1024 * 1024;
const COPY_BYTES: usize = 64 * 1024;

/// A place that takes escrowed records. What it is given is encrypted already; it is trusted with nothing but keeping it.
pub trait Store: Send + Sync {
    /// Keeps a file under a name. The same file again is fine.
    fn keep(&self, name: &str, file: &mut File, deadline: Deadline) -> Result<(), EscrowError>;
}

/// A folder, for example a mounted one. It has to be there: one that is not mounted must not be made.
#[derive(Debug)]
pub struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    /// Names a folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

impl Store for FolderStore {
    fn keep(&self, name: &str, file: &mut File, _deadline: Deadline) -> Result<(), EscrowError> {
        if !self.folder.is_dir() {
            return Err(EscrowError::StoreMissing {
                path: self.folder.clone(),
            });
        }
        let path = self.folder.join(name);
        let failed = |source: io::Error| EscrowError::StoreIo {
            path: path.clone(),
            source,
        };
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| EscrowError::NoRandomness)?;
        let temporary = self
            .folder
            .join(format!(".{name}.{:016x}", u64::from_be_bytes(random)));
        let written = (|| {
            let mut target = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            let mut buffer = vec![0; COPY_BYTES];
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                target.write_all(&buffer[..count])?;
            }
            target.sync_all()?;
            std::fs::rename(&temporary, &path)?;
            File::open(&self.folder)?.sync_all()
        })();
        written.map_err(|source| {
            // It is half a file that nobody reads; whoever keeps the store may remove it.
            let _ = std::fs::remove_file(&temporary);
            failed(source)
        })
    }
}

/// An address below which each record is put under its name.
#[derive(Debug)]
pub struct ServiceStore {
    url: Url,
    client: Client,
    credential: Option<Credential>,
}

impl ServiceStore {
    /// Names an address.
    pub fn new(url: Url, client: Client, credential: Option<Credential>) -> Self {
        Self {
            url,
            client,
            credential,
        }
    }
}

impl Store for ServiceStore {
    fn keep(&self, name: &str, file: &mut File, deadline: Deadline) -> Result<(), EscrowError> {
        let length = file.metadata().map_err(EscrowError::Io)?.len();
        if length > MAX_BODY_BYTES {
            return Err(EscrowError::TooLarge);
        }
        let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(MAX_BODY_BYTES)
            .read_to_end(&mut body)
            .map_err(EscrowError::Io)?;
        let mut request = Request::put(&self.url.join([name]), ContentType::Bytes, body, Accept::Any)
            .by(deadline)
            .at_most(COPY_BYTES);
        if let Some(credential) = &self.credential {
            request = request.with_credential(credential.clone());
        }
        let answer = self.client.send(request).map_err(EscrowError::Http)?;
        match answer.status {
            200 | 201 | 204 => Ok(()),
            status => Err(EscrowError::Refused { status }),
        }
    }
}
