//! What clients and modules send when they send much.

use base64_simd::STANDARD;

/// 48 KiB that look random, the same every time.
pub(super) fn bytes() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..48 << 10).map(|_| next()).collect()
}

/// The same as base64: 64 KiB.
pub(super) fn base64() -> String {
    STANDARD.encode_to_string(bytes())
}
