//! The format of an escrowed record: header, wrapped file keys, chunks. Needs memory for one chunk, whatever the size.

use std::fmt;
use std::io::{self, Read, Write};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use hkdf::Hkdf;
use hpke::aead::ChaCha20Poly1305 as HpkeAead;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use sha2::{Digest as _, Sha256};
use touchmark_statement::agent_change::ChainId;
use touchmark_statement::digest::Sha256Digest;
use zeroize::Zeroizing;

use super::{EscrowError, EscrowKey, EscrowPublicKey, Fingerprint};
use crate::vault::{MAX_RECORD_BYTES, Record, RecordName};

/// The most keys that one record is encrypted to.
pub const MAX_RECIPIENTS: usize = 16;
const MAGIC: &[u8; 20] = b"touchmark-escrow v1\n";
const FIXED_BYTES: usize = MAGIC.len() + 16 + 32 + 1 + 1;
const RECIPIENT_BYTES: usize = 32 + 32 + 48;
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
/// The version of the vault records that are written today.
const RECORD_VERSION: u8 = 2;

/// What a file says before any key is tried.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The record.
    pub name: RecordName,
    version: u8,
    recipients: Vec<(Fingerprint, [u8; 32], [u8; 48])>,
    bytes: Vec<u8>,
}

impl Header {
    /// Returns the keys that can open the record.
    pub fn recipients(&self) -> impl Iterator<Item = Fingerprint> {
        self.recipients.iter().map(|(fingerprint, _, _)| *fingerprint)
    }

    /// What every part is bound to.
    fn bound(&self) -> Vec<u8> {
        bound(&self.name, self.version)
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.name)
            .field("recipients", &self.recipients.len())
            .finish_non_exhaustive()
    }
}

/// Encrypts what `content` writes for every recipient.
pub fn seal(
    name: &RecordName,
    recipients: &[EscrowPublicKey],
    writer: &mut dyn Write,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EscrowError> {
    let is_twice = |at: usize| {
        recipients[..at]
            .iter()
            .any(|other| other.fingerprint() == recipients[at].fingerprint())
    };
    if !(1..=MAX_RECIPIENTS).contains(&recipients.len()) || (0..recipients.len()).any(is_twice) {
        return Err(EscrowError::Recipients {
            found: recipients.len(),
            max: MAX_RECIPIENTS,
        });
    }
    let mut file_key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut file_key[..]).map_err(|_| EscrowError::NoRandomness)?;
    let mut header = Vec::with_capacity(FIXED_BYTES + recipients.len() * RECIPIENT_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend(bound(name, RECORD_VERSION));
    header.push(u8::try_from(recipients.len()).unwrap_or(u8::MAX));
    for recipient in recipients {
        let info = wrap_info(name, RECORD_VERSION, recipient.fingerprint());
        let (encapsulated, wrapped) = hpke::single_shot_seal::<HpkeAead, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            recipient.raw(),
            &info,
            &file_key[..],
            b"",
        )
        .map_err(|_| EscrowError::WeakKey)?;
        header.extend(recipient.fingerprint().0);
        header.extend(encapsulated.to_bytes());
        header.extend(wrapped);
    }
    writer.write_all(&header).map_err(EscrowError::Io)?;
    let mut chunks = Chunks {
        cipher: cipher(&file_key, &header),
        bound: bound(name, RECORD_VERSION),
        number: 0,
        buffer: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES)),
        writer,
    };
    content(&mut chunks)
        .and_then(|()| chunks.emit(true))
        .map_err(EscrowError::Io)
}

/// Reads what a file says before any key is tried.
pub fn read_header(reader: &mut dyn Read) -> Result<Header, EscrowError> {
    let mut bytes = vec![0; FIXED_BYTES];
    fill(reader, &mut bytes)?;
    let body = bytes.strip_prefix(MAGIC).ok_or(EscrowError::Malformed)?;
    let (chain, body) = body.split_first_chunk().ok_or(EscrowError::Malformed)?;
    let (payload, body) = body.split_first_chunk().ok_or(EscrowError::Malformed)?;
    let name = RecordName {
        chain: ChainId::from_bytes(*chain),
        payload: Sha256Digest::from_bytes(*payload),
    };
    let [version, count] = *body else {
        return Err(EscrowError::Malformed);
    };
    let count = usize::from(count);
    if !(1..=MAX_RECIPIENTS).contains(&count) || !(1..=RECORD_VERSION).contains(&version) {
        return Err(EscrowError::Malformed);
    }
    let mut table = vec![0; count * RECIPIENT_BYTES];
    fill(reader, &mut table)?;
    let mut recipients = Vec::with_capacity(count);
    for row in table.chunks_exact(RECIPIENT_BYTES) {
        let parts = row.split_first_chunk::<32>().and_then(|(fingerprint, rest)| {
            let (encapsulated, wrapped) = rest.split_first_chunk::<32>()?;
            Some((Fingerprint(*fingerprint), *encapsulated, wrapped.try_into().ok()?))
        });
        recipients.push(parts.ok_or(EscrowError::Malformed)?);
    }
    bytes.extend(table);
    Ok(Header {
        name,
        version,
        recipients,
        bytes,
    })
}

/// Decrypts to a writer, chunk by chunk: what was written counts only once this has returned without an error.
pub fn decrypt(
    reader: &mut dyn Read,
    key: &EscrowKey,
    writer: &mut dyn Write,
) -> Result<Header, EscrowError> {
    let header = read_header(reader)?;
    let file_key = unwrap(&header, key)?;
    let cipher = cipher(&file_key, &header.bytes);
    let bound = header.bound();
    let mut total = 0_u64;
    // One chunk is read ahead, since only the end of the file tells which one is the last.
    let mut chunk = read_chunk(reader)?;
    let mut number = 0;
    loop {
        let next = if chunk.len() == CHUNK_BYTES + TAG_BYTES {
            read_chunk(reader)?
        } else {
            Vec::new()
        };
        let is_last = next.is_empty();
        let payload = Payload {
            msg: &chunk,
            aad: &bound,
        };
        let plain = cipher
            .decrypt(&nonce(number, is_last).into(), payload)
            .map_err(|_| EscrowError::Damaged { part: "a chunk" })?;
        let plain = Zeroizing::new(plain);
        total = total.saturating_add(plain.len() as u64);
        if total > MAX_RECORD_BYTES {
            return Err(EscrowError::TooLarge);
        }
        writer.write_all(&plain).map_err(EscrowError::Io)?;
        if is_last {
            return Ok(header);
        }
        chunk = next;
        number += 1;
    }
}

/// Opens a record.
pub fn open(reader: &mut dyn Read, key: &EscrowKey) -> Result<(RecordName, Record), EscrowError> {
    let mut plain = Plain(Zeroizing::new(Vec::new()));
    let header = decrypt(reader, key, &mut plain)?;
    let record = Record::parse(&header.name, plain.0).map_err(EscrowError::Record)?;
    Ok((header.name, record))
}

/// Bytes that are cleared, those of every buffer that was outgrown too.
struct Plain(Zeroizing<Vec<u8>>);

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.0.len() * 2)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwrap(header: &Header, key: &EscrowKey) -> Result<Zeroizing<[u8; 32]>, EscrowError> {
    let fingerprint = key.public().fingerprint();
    let row = header
        .recipients
        .iter()
        .find(|(recipient, _, _)| *recipient == fingerprint);
    let Some((_, encapsulated, wrapped)) = row else {
        return Err(EscrowError::NotForKey { key: fingerprint });
    };
    let damaged = EscrowError::Damaged { part: "its key" };
    let Ok(encapsulated) = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated) else {
        return Err(damaged);
    };
    let info = wrap_info(&header.name, header.version, fingerprint);
    let opened = hpke::single_shot_open::<HpkeAead, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        key.raw(),
        &encapsulated,
        &info,
        wrapped,
        b"",
    );
    let Ok(opened) = opened.map(Zeroizing::new) else {
        return Err(damaged);
    };
    let mut file_key = Zeroizing::new([0; 32]);
    if opened.len() != file_key.len() {
        return Err(damaged);
    }
    file_key.copy_from_slice(&opened);
    Ok(file_key)
}

fn bound(name: &RecordName, version: u8) -> Vec<u8> {
    [
        name.chain.as_bytes().as_slice(),
        name.payload.as_bytes(),
        &[version],
    ]
    .concat()
}

fn wrap_info(name: &RecordName, version: u8, recipient: Fingerprint) -> Vec<u8> {
    [
        &b"touchmark/escrow/v1/key"[..],
        &bound(name, version),
        &recipient.0,
    ]
    .concat()
}

fn cipher(file_key: &[u8; 32], header: &[u8]) -> ChaCha20Poly1305 {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(&Sha256::digest(header)), file_key)
        .expand(b"touchmark/escrow/v1/chunks", &mut key[..])
        .expect("HKDF-SHA256 gives up to 8,160 bytes, and 32 are asked for");
    ChaCha20Poly1305::new((&*key).into())
}

fn nonce(number: u64, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}

struct Chunks<'w> {
    cipher: ChaCha20Poly1305,
    bound: Vec<u8>,
    number: u64,
    buffer: Zeroizing<Vec<u8>>,
    writer: &'w mut dyn Write,
}

impl Chunks<'_> {
    fn emit(&mut self, is_last: bool) -> io::Result<()> {
        let payload = Payload {
            msg: &self.buffer,
            aad: &self.bound,
        };
        let sealed = self
            .cipher
            .encrypt(&nonce(self.number, is_last).into(), payload)
            .map_err(|_| io::Error::other("a chunk could not be encrypted"))?;
        self.buffer.clear();
        self.number += 1;
        self.writer.write_all(&sealed)
    }
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is written only when more follows: else it is the last one.
        if self.buffer.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.emit(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fill(reader: &mut dyn Read, bytes: &mut [u8]) -> Result<(), EscrowError> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => EscrowError::Malformed,
        _ => EscrowError::Io(error),
    })
}

fn read_chunk(reader: &mut dyn Read) -> Result<Vec<u8>, EscrowError> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES + TAG_BYTES);
    reader
        .take((CHUNK_BYTES + TAG_BYTES) as u64)
        .read_to_end(&mut chunk)
        .map_err(EscrowError::Io)?;
    Ok(chunk)
}
