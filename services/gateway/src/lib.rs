//! Takes readings over MQTT and HTTP, keeps them, batches them, brings them on chain.

#![deny(missing_docs)]
