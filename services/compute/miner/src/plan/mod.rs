//! What fits on which graphics processors, and how fast it will be: a calculation before anything is
//! rented or installed.
//!
//! A model is split by **tensor** within a machine (each processor holds a part of every layer) and by
//! **pipeline** between groups of processors (each group holds some of the layers). What is left over
//! runs further copies. Speed is bounded by how fast weights and stored keys and values are read, and
//! by arithmetic; [`estimate`] says which shares of the makers' figures are expected. All figures are
//! estimates: nothing of it goes into a receipt.

mod commands;
mod estimate;
mod gpus;
mod models;

pub use commands::commands;
pub use estimate::{Fit, NoPlan, Plan, Split, estimate};
pub use gpus::{GPUS, Gpu, Machine, machines};
pub use models::{Dtype, KnownModel, MODELS, ModelShape};
