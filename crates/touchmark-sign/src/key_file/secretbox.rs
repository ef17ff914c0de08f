//! NaCl's `crypto_secretbox_xsalsa20poly1305`: the cipher inside cosign's key files.
//!
//! The first 32 bytes of the XSalsa20 key stream are the Poly1305 key, the tag stands before the ciphertext.

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub(super) const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// Encrypts; a nonce must never be used twice with one key.
pub(super) fn seal(key: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Vec<u8> {
    let (mut cipher, mac) = begin(key, nonce);
    let mut boxed = Vec::with_capacity(TAG_BYTES + plain.len());
    boxed.resize(TAG_BYTES, 0);
    boxed.extend_from_slice(plain);
    cipher.apply_keystream(&mut boxed[TAG_BYTES..]);
    let tag = mac.compute_unpadded(&boxed[TAG_BYTES..]);
    boxed[..TAG_BYTES].copy_from_slice(&tag);
    boxed
}

/// Decrypts, or returns nothing when the tag is not the one of this key, nonce and ciphertext.
pub(super) fn open(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    boxed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, ciphertext) = boxed.split_at_checked(TAG_BYTES)?;
    let (mut cipher, mac) = begin(key, nonce);
    let expected = mac.compute_unpadded(ciphertext);
    // Without an early exit: how many bytes of a forged tag are right must not show in the time taken.
    let difference = expected.iter().zip(tag).fold(0, |bits, (a, b)| bits | (a ^ b));
    if difference != 0 {
        return None;
    }
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    cipher.apply_keystream(&mut plain);
    Some(plain)
}

fn begin(key: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES]) -> (XSalsa20, Poly1305) {
    let mut cipher = XSalsa20::new(key.into(), nonce.into());
    let mut mac_key = Zeroizing::new([0; KEY_BYTES]);
    cipher.apply_keystream(&mut mac_key[..]);
    let mac = Poly1305::new((&*mac_key).into());
    (cipher, mac)
}
