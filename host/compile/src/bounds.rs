//! What a component may declare. A few bytes of a file can ask for a great deal; here it is counted before anything is made of
//! it.

use thiserror::Error;

/// Bytes of a component. It bounds what is read, signed and compiled: the largest built-in module has 300 KiB, and modules in
/// languages that bring a runtime some mebibytes.
pub(crate) const FILE: usize = 8 << 20;

/// Memory that the component's memories begin with, together, in bytes. It bounds a module that could not run: an instance may have 16 MiB
/// (`host/src/bounds/limits.rs`); and the image of a memory of that size is the most that data segments can make of it.
const MEMORY: u64 = 16 << 20;

/// Elements that its tables begin with, together. It is the host's bound of an instance (`host/src/bounds/limits.rs`); a table has one
/// element for each function whose address is taken.
const TABLE_ELEMENTS: u64 = 20_000;

/// Functions. It bounds a file of nothing but empty ones: so many cost the compiler one and a half seconds and 170 MiB, from
/// 120 KiB. The largest built-in module has 409, a language's runtime some thousands.
const FUNCTIONS: u64 = 30_000;

/// Local variables of all functions. It bounds the compiler's tables: six bytes of a function declare fifty thousand, and
/// honest functions have some ten.
const LOCALS: u64 = 1_000_000;

/// Data and element segments. It bounds a file of nothing but empty ones; a linker makes two or three, and
/// one for each section of a program that keeps them apart.
const SEGMENTS: u64 = 10_000;

/// Modules and components inside the component. It bounds nesting; what `wasm-component-ld` makes has four or
/// five, and the host instantiates no more than eight.
const PARTS: u64 = 32;

/// Instances that the component makes of its parts. It bounds parts that are made of each other again and again; what
/// `wasm-component-ld` makes has one for each interface and some ten more.
const INSTANCES: u64 = 256;

/// Why a component is not compiled.
#[derive(Debug, Error)]
#[error("it has {what}, more than {most}")]
pub(crate) struct TooMuch {
    what: String,
    most: u64,
}

/// What a component has declared so far.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    memory: u64,
    table_elements: u64,
    functions: u64,
    locals: u64,
    segments: u64,
    parts: u64,
    instances: u64,
}

impl Declared {
    /// A memory that begins with so many pages of so many bytes.
    pub(crate) fn memory(&mut self, pages: u64, page: u64) -> Result<(), TooMuch> {
        self.memory = self.memory.saturating_add(pages.saturating_mul(page));
        check(self.memory, MEMORY, "bytes of memory to begin with")
    }

    /// A table that begins with so many elements.
    pub(crate) fn table(&mut self, elements: u64) -> Result<(), TooMuch> {
        self.table_elements = self.table_elements.saturating_add(elements);
        check(self.table_elements, TABLE_ELEMENTS, "elements of tables to begin with")
    }

    /// So many functions.
    pub(crate) fn functions(&mut self, count: u32) -> Result<(), TooMuch> {
        self.functions += u64::from(count);
        check(self.functions, FUNCTIONS, "functions")
    }

    /// So many local variables of one type, in one function.
    pub(crate) fn locals(&mut self, count: u32) -> Result<(), TooMuch> {
        self.locals += u64::from(count);
        check(self.locals, LOCALS, "local variables")
    }

    /// So many segments.
    pub(crate) fn segments(&mut self, count: u32) -> Result<(), TooMuch> {
        self.segments += u64::from(count);
        check(self.segments, SEGMENTS, "data and element segments")
    }

    /// A module or component inside.
    pub(crate) fn part(&mut self) -> Result<(), TooMuch> {
        self.parts += 1;
        check(self.parts, PARTS, "modules and components inside")
    }

    /// So many instances.
    pub(crate) fn instances(&mut self, count: u32) -> Result<(), TooMuch> {
        self.instances += u64::from(count);
        check(self.instances, INSTANCES, "instances")
    }
}

fn check(declared: u64, most: u64, what: &str) -> Result<(), TooMuch> {
    if declared <= most { Ok(()) } else { Err(TooMuch { what: format!("{declared} {what}"), most }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_adds_up() {
        let mut declared = Declared::default();
        declared.memory(200, 65_536).unwrap();
        let error = declared.memory(57, 65_536).unwrap_err();
        assert_eq!(error.to_string(), "it has 16842752 bytes of memory to begin with, more than 16777216");
        assert!(Declared::default().memory(u64::MAX, 65_536).is_err(), "and does not overflow");
    }

    #[test]
    fn every_bound_is_heeded() {
        let one_too_many = |most: u64| u32::try_from(most + 1).unwrap();
        assert!(Declared::default().table(TABLE_ELEMENTS + 1).is_err());
        assert!(Declared::default().functions(one_too_many(FUNCTIONS)).is_err());
        assert!(Declared::default().locals(one_too_many(LOCALS)).is_err());
        assert!(Declared::default().segments(one_too_many(SEGMENTS)).is_err());
        assert!(Declared::default().instances(one_too_many(INSTANCES)).is_err());
        let mut declared = Declared::default();
        assert!((0..PARTS).all(|_| declared.part().is_ok()) && declared.part().is_err());
    }
}
