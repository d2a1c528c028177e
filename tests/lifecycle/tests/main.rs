//! One file per theme; each test is a story that begins with the start of an agent.

mod activation;
mod audit;
mod audit_sinks;
mod daemon;
mod descriptors;
mod forbidden_code;
mod hook;
mod hung_file_system;
mod idle;
mod isa_serial;
mod log;
mod memory;
mod policy;
mod processes;
mod reload;
mod retry;
mod signals;
mod slow_reader;
mod state;
mod typed_client;
mod typed_reports;
mod unix_listen;
mod vsock;
mod words;
