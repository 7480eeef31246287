//! What a way that readings come in has to do, and what it gets for that.

use crate::{
	credentials::Credentials,
	health::{Address, Health},
	ingest::Ingest,
	message::Source,
	metrics::Metrics,
	notices::Outbox,
	signing::Signer,
};
use futures::future::BoxFuture;
use std::{error::Error, sync::Arc};

/// Why an intake does not start.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What an intake gets from its gateway.
#[derive(Clone)]
pub struct Gate {
	/// Takes readings.
	pub ingest: Arc<Ingest>,
	/// Takes the answers of devices that were asked to sign; `None` if no chain is followed.
	pub signer: Option<Arc<Signer>>,
	/// Who may speak.
	pub credentials: Arc<Credentials>,
	/// Whether anybody is let in, and believed: on development chains only.
	pub anonymous: bool,
	/// Figures.
	pub metrics: Arc<Metrics>,
}

/// A way that readings come in: a protocol, with where it listens or what it is connected to.
///
/// The duty of an intake is short. It finds out who sends
/// ([`Sender`](crate::message::Sender)), hands each
/// [`Message`](crate::message::Message) to [`Ingest::take`], and acknowledges it when that returns
/// `Ok` or [`IngestError::Refused`](crate::refusal::IngestError::Refused): the reading or its dead
/// letter is on disk by then. After [`IngestError::Store`](crate::refusal::IngestError::Store)
/// nothing is, and the device has to send again: no acknowledgement.
pub trait Intake: Send + 'static {
	/// Its name in dead letters, metrics and the status.
	fn source(&self) -> Source;

	/// Begins to take readings. When this returns, [`Intake::addresses`] are known.
	///
	/// # Errors
	/// When it cannot, such as when an address is taken. The gateway then does not start.
	fn start(&mut self, gate: Gate) -> BoxFuture<'_, Result<(), BoxError>>;

	/// Where it listens, or what it is connected to.
	fn addresses(&self) -> Vec<Address>;

	/// Its health: the handle that it reports to.
	fn health(&self) -> Health;

	/// The way to its devices, if batches can be signed by them over this protocol.
	fn outbox(&self) -> Option<Arc<dyn Outbox>> {
		None
	}

	/// Takes no more, finishes what is on its way, and closes its connections.
	fn stop(&mut self) -> BoxFuture<'_, ()>;
}
