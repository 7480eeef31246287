//! The gateway as its devices, operators and chain see it: one program, since each would be compiled against the same libraries again.

mod archive;
mod broker;
mod chain;
mod common;
mod field;
mod http;
mod line_protocol;
mod mqtt;
mod pinning;
mod restore;
