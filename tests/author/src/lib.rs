//! Writing a guest module: see the tests.
