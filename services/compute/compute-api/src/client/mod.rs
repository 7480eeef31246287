//! A typed client of a coordinator's REST: for those who pay, and for miners.

mod channels;
mod error;
mod jobs;
mod openings;
mod plans;
mod transport;
mod work;

pub use channels::ChannelClient;
pub use error::ClientError;
pub use jobs::CoordinatorClient;
pub use openings::OpeningClient;
pub use plans::PlanClient;
pub use work::MinerClient;
