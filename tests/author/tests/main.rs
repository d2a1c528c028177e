//! What an author does, with the real tools.

mod console;
mod document;
mod examples;
