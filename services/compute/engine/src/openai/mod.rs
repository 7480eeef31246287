//! An engine behind a URL: any server that speaks OpenAI's protocol (vLLM, llama.cpp, …). It may
//! spread one job over as many processors as it likes.
//!
//! Tokens are counted by the server, which has to state them (`usage`); the text is read as it
//! comes. What the server computes is not reproducible to the last bit in general.

mod answer;
mod body;
mod embedded;
mod engine;
mod forced;
mod kind;
mod problem;

pub use engine::{OpenAiEngine, OpenAiOptions};
