//! The gateway's HTTP API: roots of batches, and the states of their anchors.

use crate::{
	Fault, H256, commitment, http,
	record::{Record, State},
};
use gridproof_primitives::{
	day::Day,
	emlog::format_utc,
	json::{self, Limits, Value},
	meter::MeterIndex,
	units::MILLIS_PER_DAY,
};
use reqwest::{Client, RequestBuilder};
use serde::Serialize;

/// How much of a message is repeated to the user.
const MESSAGE: usize = 300;
/// How deep an answer may be.
const DEPTH: usize = 16;
/// Logs asked for at once.
const PAGE: usize = 1_000;
/// Pages are asked for until one is not full, at most so many.
const MAX_PAGES: usize = 10_000;

/// A gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
	client: Client,
	url: String,
	key: Option<String>,
}

/// What the gateway is told about an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
	/// How far it is.
	pub status: State,
	/// Its transaction.
	pub txid: Option<String>,
	/// Its block.
	pub block_hash: Option<String>,
	/// That block's height.
	pub block_height: Option<u32>,
	/// That block's time, RFC 3339.
	pub block_time: Option<String>,
	/// How deep the block is.
	pub confirmations: Option<u32>,
}

impl From<&Record> for Report {
	fn from(record: &Record) -> Self {
		let (block, txid) = (record.block(), record.txid());
		let time = block.and_then(|block| block.time);
		Self {
			status: record.state(),
			// Until it is sent, another transaction may take its place.
			txid: txid.filter(|_| record.state() != State::Pending).map(|txid| txid.to_string()),
			block_hash: block.map(|block| block.hash.clone()),
			block_height: block.map(|block| block.height),
			block_time: time.map(|seconds| format_utc(u64::from(seconds) * 1_000)),
			confirmations: block.map(|_| record.confirmations()),
		}
	}
}

impl Gateway {
	/// The gateway at `url`, such as `http://127.0.0.1:8080`, and the key of its operator if it
	/// wants one for changes.
	///
	/// # Errors
	/// [`Fault::Bad`] when the URL is none.
	pub fn new(url: &str, key: Option<String>) -> Result<Self, Fault> {
		Ok(Self { client: http::client()?, url: http::address(url)?, key })
	}

	/// The gateway's address.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// The root of a batch, recomputed from the logs that the gateway exports with it.
	///
	/// # Errors
	/// [`Fault::Gateway`] when there is no such batch; [`Fault::Bad`] when its logs have another
	/// root, so that an anchor of it would prove nothing.
	pub async fn root(&self, batch: &str) -> Result<H256, Fault> {
		let url = format!("{}/api/v1/batches/{}/export", self.url, path_part(batch)?);
		let export = self.get(&url, &[]).await?;
		let stated = export.get("batch").and_then(|batch| batch.get("merkle_root"));
		let stated = stated.and_then(Value::as_str).unwrap_or_default();
		let root = commitment::parse_root(stated)
			.map_err(|_| Fault::answer(&url, "its batch has no merkle_root"))?;
		let logs = export.get("logs").and_then(Value::as_array);
		let logs = logs.ok_or_else(|| Fault::answer(&url, "no logs"))?;
		let computed = crate::sats::root_of(logs)?;
		if computed != root {
			let computed = commitment::root_text(&computed);
			let reason = format!("it states root {stated}, but its logs have root {computed}");
			return Err(Fault::bad("batch", reason));
		}
		Ok(root)
	}

	/// The number of the meter on chain and the number of its batch there.
	///
	/// # Errors
	/// [`Fault::Gateway`] when there is no such batch; [`Fault::Bad`] when it is not on chain.
	pub async fn on_chain(&self, batch: &str) -> Result<(MeterIndex, u64), Fault> {
		let url = format!("{}/api/v1/batches/{}", self.url, path_part(batch)?);
		let view = self.get(&url, &[]).await?;
		if view.get("on_chain").and_then(Value::as_str) != Some("accepted") {
			return Err(Fault::bad("batch", format!("{batch} is not accepted on chain")));
		}
		let number = |member: &str| -> Option<u64> {
			let number = view.get("chain")?.get(member)?;
			number.as_number()?.to_string().parse().ok()
		};
		let meter = number("meter").and_then(|meter| MeterIndex::try_from(meter).ok());
		let missing = || Fault::answer(&url, "no chain.meter and chain.sequence");
		Ok((meter.ok_or_else(missing)?, number("sequence").ok_or_else(missing)?))
	}

	/// Tells the gateway how far the anchor of a batch is.
	///
	/// # Errors
	/// [`Fault::Gateway`] with its words.
	pub async fn report(&self, batch: &str, report: &Report) -> Result<(), Fault> {
		let url = format!("{}/api/v1/batches/{}/anchor", self.url, path_part(batch)?);
		let mut put = self.client.put(&url).json(report);
		if let Some(key) = &self.key {
			put = put.bearer_auth(key);
		}
		self.send(&url, put).await.map(|_| ())
	}

	/// All logs that `query` chooses, page by page, with their numbers as they were sent.
	///
	/// # Errors
	/// When the gateway does not answer with logs.
	pub async fn logs(&self, query: &[(&str, String)]) -> Result<Vec<Value>, Fault> {
		let (url, mut logs) = (format!("{}/api/v1/logs", self.url), Vec::new());
		for _ in 0..MAX_PAGES {
			let mut asked = query.to_vec();
			asked.push(("limit", PAGE.to_string()));
			asked.push(("offset", logs.len().to_string()));
			let answer = self.get(&url, &asked).await?;
			let page = answer.as_array().ok_or_else(|| Fault::answer(&url, "no list of logs"))?;
			logs.extend_from_slice(page);
			if page.len() < PAGE {
				return Ok(logs);
			}
		}
		Err(Fault::answer(&url, "the list of logs does not end"))
	}

	/// All logs of a device that may belong to a UTC day.
	///
	/// # Errors
	/// As [`Gateway::logs`].
	pub async fn device_logs(&self, device: &str, day: Day) -> Result<Vec<Value>, Fault> {
		let start = u64::from(day.days()) * MILLIS_PER_DAY;
		self.logs(&[
			("device", device.to_owned()),
			("from", format_utc(start)),
			("to", format_utc(start + MILLIS_PER_DAY)),
		])
		.await
	}

	async fn get(&self, url: &str, query: &[(&str, String)]) -> Result<Value, Fault> {
		let bytes = self.send(url, self.client.get(url).query(query)).await?;
		// Numbers are kept as they are written: leaves are hashes of them.
		let limits = Limits { max_bytes: bytes.len(), max_depth: DEPTH };
		json::parse(&bytes, limits).map_err(|error| Fault::answer(url, error))
	}

	async fn send(&self, url: &str, request: RequestBuilder) -> Result<Vec<u8>, Fault> {
		let response = request.send().await.map_err(|error| http::failure(url, &error))?;
		let status = response.status();
		let bytes = http::body(url, response).await?;
		if status.is_success() {
			return Ok(bytes);
		}
		let text = String::from_utf8_lossy(&bytes);
		let message = text.chars().filter(|letter| !letter.is_control()).take(MESSAGE).collect();
		Err(Fault::Gateway { status: status.as_u16(), message })
	}
}

/// An id as a part of a path.
fn path_part(id: &str) -> Result<&str, Fault> {
	let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
	if !id.is_empty() && id != "." && id != ".." && id.bytes().all(allowed) {
		return Ok(id);
	}
	Err(Fault::bad("batch id", "letters, digits and the characters - _ . : only"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_id_cannot_leave_its_place_in_the_path() {
		assert_eq!(path_part("batch_2025-12-01T10:10_1"), Ok("batch_2025-12-01T10:10_1"));
		for id in ["", "..", "a/b", "a?b", "a%2f"] {
			assert!(path_part(id).is_err(), "{id}");
		}
	}
}
