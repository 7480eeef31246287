//! Tests, one module a subject.

mod claims;
