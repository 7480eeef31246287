//! The ways that readings come in. Each is one file, or one folder, that implements [`Intake`].
//!
//! | way | [`Source`](crate::message::Source) |
//! |---|---|
//! | `mqtt`: the embedded MQTT server | `mqtt` |
//! | `broker`: an external MQTT broker in its place | `broker` |
//! | `http`: `POST /api/v1/logs` of the API | `http` |
//!
//! `docs/how-to-add-a-meter-protocol.md` shows how to add one.

mod broker;
mod contract;
mod http;
mod mqtt;

pub(crate) use broker::Broker;
pub use broker::BrokerError;
pub use contract::{BoxError, Gate, Intake};
pub(crate) use http::{Http, openapi};
pub(crate) use mqtt::Embedded;
