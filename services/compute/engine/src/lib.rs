//! Language models behind one trait, and a small one that gives the same answer everywhere.
//!
//! - [`Engine`]: what a miner asks of a model: completions, embeddings, what they took;
//! - [`execute`]: a job's specification run by an engine, for miners that work and coordinators that
//!   check;
//! - [`LocalEngine`]: a transformer run on the processor. Its default model is part of
//!   the program;
//! - [`OpenAiEngine`]: a server behind a URL that speaks OpenAI's protocol;
//! - [`Several`]: several engines as one, by model;
//! - [`Tokenizer`], [`Chooser`](sampler::Chooser): text to tokens, logits to tokens;
//! - [`Noise`](gumbel::Noise): the noise from a receipt's seed by which tokens are drawn;
//! - [`Claim`], [`Forced`]: a claimed answer, judged in one pass;
//! - [`TrialMiner`], [`TrialModel`]: engines that cheat or differ on purpose, for trials of the checks;
//! - [`Stream`](stream::Stream): tokens to text as it comes, up to a stop text.
//!
//! # What is guaranteed
//!
//! The same model, input and [`Sampling`] give the same tokens and the same embeddings, bit for
//! bit, on every machine whose `f32` and `f64` follow IEEE 754, whatever its word length, vector
//! unit or number of processors, and whether the input is read at once or token by token. For this
//! every sum has a fixed order (see [`ops`]), nothing is computed by more than one thread at a
//! time, and e^x is made of additions and multiplications here instead of being left to the
//! platform's library. Rotary positions come from tables that are stored with the weights. Random
//! choices come from the integers of a stream cipher (see [`gumbel`]). Engines behind a URL guarantee nothing of
//! the kind.
//!
//! [`Sampling`]: gridproof_compute_api::protocol::Sampling

#![deny(missing_docs, unreachable_pub)]

mod altered;
mod api;
mod config;
mod ending;
mod error;
mod execute;
mod forced;
pub mod gumbel;
mod local;
mod logprob;
mod matrix;
mod memory;
mod model;
mod openai;
pub mod ops;
pub mod sampler;
mod settings;
mod several;
pub mod stream;
mod tokenizer;
mod trial;

pub use altered::TrialModel;
pub use api::{
	Completion, Embeddings, Engine, Extras, Input, Measured, ModelInfo, Offers, Request,
};
pub use config::Config;
pub use error::EngineError;
pub use execute::{Executed, execute, execute_seeded, inputs};
pub use forced::{Claim, Forced};
pub use local::{DEFAULT_MODEL, LocalEngine};
pub use logprob::{Likely, TokenLogprob};
pub use matrix::Matrix;
pub use memory::{MemoryOptions, MemoryReading, MemorySource, ServerMemory, resident_bytes};
pub use model::{Model, Session};
pub use openai::{OpenAiEngine, OpenAiOptions};
pub use settings::{EngineSettings, Opened, served_as};
pub use several::Several;
pub use tokenizer::Tokenizer;
pub use trial::{TrialCheat, TrialMiner};
