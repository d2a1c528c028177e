//! Bytes for those who must not trust any.

/// Texts that nobody meant to be read: every beginning of `valid`, `valid` with bytes changed, and noise. The
/// same ones every time.
pub fn hostile(valid: &[u8]) -> Vec<Vec<u8>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let beginnings = (0..=valid.len()).map(|length| valid[..length].to_vec());
    let mut texts: Vec<_> = beginnings.collect();
    for _ in 0..2_000 {
        let mut changed = valid.to_vec();
        for _ in 0..random() % 8 {
            let at = random() % changed.len();
            changed[at] = [b' ', b'\n', b'-', b'9', b'=', 0, 0xFF, random() as u8][random() % 8];
        }
        texts.push(changed);
        texts.push((0..random() % 400).map(|_| random() as u8).collect());
    }
    texts
}
