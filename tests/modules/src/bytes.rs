//! Components made by hand, of bytes that no compiler would write.

/// A component of these core modules and nothing else.
pub fn component(modules: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    modules.iter().for_each(|module| bytes.extend(section(1, module)));
    bytes
}

/// A core module of these sections, each a number and its contents.
pub fn module(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    sections.iter().for_each(|(id, contents)| bytes.extend(section(*id, contents)));
    bytes
}

/// A list of the same thing so many times.
pub fn repeated(count: usize, item: &[u8]) -> Vec<u8> {
    [number(count), item.repeat(count)].concat()
}

/// A number as WebAssembly writes it.
pub fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [&[id][..], &number(contents.len()), contents].concat()
}

/// `bytes` with every `from` turned into `to`, which is as long.
pub fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand before texts");
    let mut bytes = bytes.to_vec();
    let mut found = 0;
    for at in 0..=bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from.as_bytes() {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "{from} is not in the component");
    bytes
}
