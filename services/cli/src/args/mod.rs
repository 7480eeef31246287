//! Arguments that several commands share: the same flag, default and help everywhere.

pub mod amount;
pub mod engine;
pub mod governor;
pub mod keys;
pub mod metrics;
pub mod node;
pub mod payer;

pub use governor::{GovernorArgs, TrackName};
pub use keys::PassphraseArgs;
pub use metrics::MetricsArgs;
pub use node::{AdminKeyArgs, ChannelArgs, CoordinatorArgs, GatewayArgs, NodeArgs, UrlArgs};
pub use payer::{PayerArgs, SenderArgs, SubmitArgs};
