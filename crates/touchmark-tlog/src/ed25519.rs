//! Ed25519 keys that stand for exactly one party: canonical encoding, not of low order.

use ed25519_dalek::VerifyingKey;

/// The field prime 2^255 - 19, little-endian.
const FIELD_PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// Parses a public key; low-order points and encodings whose coordinate is not reduced are refused, because
/// signatures by them verify for more than one message or key.
pub(crate) fn parse(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    if !is_reduced(bytes) {
        return None;
    }
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

fn is_reduced(bytes: &[u8; 32]) -> bool {
    let mut coordinate = *bytes;
    coordinate[31] &= 0x7f;
    coordinate.iter().rev().lt(FIELD_PRIME.iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_37_low_order_and_unreduced_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(parse(&identity), None);
        assert_eq!(parse(&[0; 32]), None, "order 4");
        let mut order_two = [0xff; 32];
        (order_two[0], order_two[31]) = (0xec, 0x7f);
        assert_eq!(parse(&order_two), None);
        let mut unreduced_identity = [0xff; 32];
        (unreduced_identity[0], unreduced_identity[31]) = (0xee, 0x7f);
        assert_eq!(parse(&unreduced_identity), None);
        // y = p + 3: a point on the curve, spelled a second way.
        let mut unreduced = [0xff; 32];
        (unreduced[0], unreduced[31]) = (0xf0, 0x7f);
        assert_eq!(parse(&unreduced), None);
    }

    #[test]
    fn ordinary_keys_load() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert_eq!(parse(key.as_bytes()), Some(key));
    }
}
