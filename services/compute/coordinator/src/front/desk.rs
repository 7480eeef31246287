//! What the front needs of a coordinator. It knows nothing else of one.

use crate::{error::RequestError, live::Frame};
use axum::body::Bytes;
use futures::future::BoxFuture;
use gridproof_compute_api::{
	Customer,
	protocol::{IssuedReceipt, JobSpec, Output, RegistryEntry},
};
use gridproof_primitives::{
	H256,
	compute::channels::{Secret, SignedVoucher},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

/// A coordinator as its front sees it: orders in, answers out.
pub(crate) trait Desk: Send + Sync + 'static {
	/// Returns the names of the models on offer, sorted.
	fn models(&self) -> Vec<String>;

	/// Returns what a model is offered for; `None` if it is not.
	fn offer(&self, model: &str) -> Option<Offer>;

	/// Returns the most tokens that an answer of a model may have.
	fn most_tokens(&self, model: &str) -> u32;

	/// Prices a job and accepts it; its escrow is opened next. The same request again is the same job.
	fn order(&self, order: Order) -> BoxFuture<'_, Result<Accepted, OrderError>>;

	/// Takes a job back whose customer has left, if no miner has begun it.
	fn withdraw(&self, job: H256) -> BoxFuture<'_, Result<(), RequestError>>;

	/// Returns what has become of a job.
	fn outcome(&self, job: H256) -> BoxFuture<'_, Result<Outcome, RequestError>>;

	/// Returns what a customer has used since a time, UTC milliseconds.
	fn used(&self, customer: String, since_ms: u64) -> BoxFuture<'_, Result<Used, RequestError>>;
}

/// The desks of customers whose API keys are those of channels.
pub(crate) trait KeyDesks: Send + Sync + 'static {
	/// Returns whose key it is, and the desk that serves it; `None` if it is no such key.
	fn of(&self, key: &str) -> Option<(Customer, Arc<dyn Desk>)>;
}

/// What a model is offered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
	/// Its factor in thousandths.
	pub factor: u32,
	/// Most tokens of an answer.
	pub max_tokens: u32,
	/// Its entry in the chain's registry; none if it is not there.
	pub registry: Option<RegistryEntry>,
	/// Price of a compute unit by asset, in the asset's smallest unit.
	pub unit_price: BTreeMap<String, u128>,
}

/// What pays for a request that comes with a voucher.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
	/// Permission to take the price, signed by the client.
	pub voucher: SignedVoucher,
	/// The request's secret.
	pub secret: Secret,
}

/// A job that a customer asks for.
#[derive(Clone, Debug)]
pub(crate) struct Order {
	/// What is to be done.
	pub spec: JobSpec,
	/// The customer's name.
	pub customer: String,
	/// The most that the customer may owe altogether, in the front's asset, smallest unit.
	pub limit: Option<u128>,
	/// `true` if the customer reads along.
	pub stream: bool,
	/// By what the same request is known again.
	pub once: Option<Once>,
	/// What pays for it, if it came with a voucher.
	pub paid: Option<Paid>,
	/// The very bytes of the request's body.
	pub body: Bytes,
}

/// By what the same request is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Once {
	/// The key that the customer gave it.
	pub key: String,
	/// SHA-256 of its path and body.
	pub body: [u8; 32],
}

/// Why an order was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrderError {
	/// With this job the customer would owe more than its limit.
	LimitReached,
	/// Its key came with another request before.
	KeyReused,
	/// The channel of its API key cannot pay now.
	Dry(Dry),
	/// The order broke off: a defect of the program.
	BrokeOff,
	/// The coordinator does not take the job.
	Request(RequestError),
}

/// Why the channel of an API key cannot pay now, and what to do, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dry {
	/// Its plan is over, or the channel is.
	Over(String),
	/// Too little is left of the deposit.
	Deposit(String),
	/// Too little is left of today's limit.
	Today {
		/// The reason, in words.
		message: String,
		/// Seconds until the next day.
		seconds: u64,
	},
}

impl From<RequestError> for OrderError {
	fn from(error: RequestError) -> Self {
		Self::Request(error)
	}
}

/// An order that was accepted.
pub(crate) struct Accepted {
	/// What answers name of the job.
	pub job: JobHead,
	/// Its text as it comes, from before the job existed, so that no piece of it is missed.
	pub live: watch::Receiver<Frame>,
	/// `true` if the same request had come before.
	pub is_repeated: bool,
}

/// What every answer names of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobHead {
	/// The job's id.
	pub id: H256,
	/// Name of the model.
	pub model: String,
	/// When it was accepted, UTC milliseconds.
	pub created_ms: u64,
}

/// What has become of a job.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
	/// It has not ended.
	Open,
	/// It came to a good end.
	Done(Box<Done>),
	/// It came to another end.
	Ended {
		/// How it ended, in a word that follows "the job".
		how: &'static str,
		/// Why, for people.
		reason: Option<String>,
	},
}

/// A job that came to a good end.
#[derive(Clone, Debug)]
pub(crate) struct Done {
	/// What answers name of the job.
	pub job: JobHead,
	/// What it is paid in: `ait`, `aicp` or `service_credit`.
	pub asset: String,
	/// Id of its receipt.
	pub receipt: H256,
	/// Compute units of its receipt.
	pub units: u64,
	/// Price of its receipt, in the asset's smallest unit.
	pub price: u128,
	/// What came out.
	pub output: Output,
	/// Its receipt, if a channel pays.
	pub issued: Option<IssuedReceipt>,
	/// What is left then, if a channel pays.
	pub left: Option<LeftAfter>,
}

/// What is left of what pays, after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftAfter {
	/// Tokens of a model of factor 1 for a day.
	pub per_day: u64,
	/// Those that are left today.
	pub today: u64,
	/// Those that are left of the deposit.
	pub all: u64,
	/// When the next day begins, UTC milliseconds.
	pub day_ends_ms: u64,
	/// Why the channel will soon pay no more.
	pub warning: Option<String>,
}

/// What a customer has used, and what its open jobs may still cost. Amounts are by asset, in its
/// smallest unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
	/// Jobs with a receipt.
	pub jobs: u64,
	/// Their compute units.
	pub units: u64,
	/// Their prices.
	pub prices: BTreeMap<String, u128>,
	/// Jobs that have not ended.
	pub open_jobs: u64,
	/// The most that these cost.
	pub held: BTreeMap<String, u128>,
}
