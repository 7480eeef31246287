//! What an anchor needs of a gateway's batches, and sums of its readings.

use crate::{AnchorError, H256, commitment, sats};
use gridproof_gateway_api::{BatchState, Client, ListReadings};
use gridproof_primitives::{
	codec::json::Value,
	energy::{MeterIndex, emlog::format_utc},
	num::units::MILLIS_PER_DAY,
	time::day::Day,
};

/// The root of a batch, recomputed from the readings that the gateway exports with it.
///
/// # Errors
/// [`AnchorError::Gateway`] when there is no such batch; [`AnchorError::Bad`] when its readings have
/// another root, so that an anchor of it would prove nothing.
pub async fn root(gateway: &Client, batch: &str) -> Result<H256, AnchorError> {
	let export = gateway.export(batch).await?;
	let incomplete = |reason: &str| AnchorError::answer(gateway.url(), reason);
	let stated = export.get("batch").and_then(|batch| batch.get("merkle_root"));
	let stated = stated.and_then(Value::as_str).unwrap_or_default();
	let root = commitment::parse_root(stated)
		.map_err(|_| incomplete("the exported batch has no merkle_root"))?;
	let readings = export.get("logs").and_then(Value::as_array);
	let readings = readings.ok_or_else(|| incomplete("the exported batch has no logs"))?;
	let computed = sats::root_of(readings)?;
	if computed != root {
		let computed = commitment::root_text(&computed);
		let reason = format!("it states root {stated}, but its logs have root {computed}");
		return Err(AnchorError::bad("batch", reason));
	}
	Ok(root)
}

/// The number of the meter on chain and the number of its batch there.
///
/// # Errors
/// [`AnchorError::Gateway`] when there is no such batch; [`AnchorError::Bad`] when it is not on
/// chain.
pub async fn on_chain(gateway: &Client, batch: &str) -> Result<(MeterIndex, u64), AnchorError> {
	let view = gateway.batch(batch).await?;
	match (view.on_chain, view.chain) {
		(BatchState::Accepted, Some(chain)) => Ok((chain.meter, chain.sequence)),
		_ => Err(AnchorError::bad("batch", format!("{batch} is not accepted on chain"))),
	}
}

/// All readings of a device that may belong to a UTC day, with their numbers as they were sent.
///
/// # Errors
/// [`AnchorError::Gateway`].
pub async fn device_readings(
	gateway: &Client,
	device: &str,
	day: Day,
) -> Result<Vec<Value>, AnchorError> {
	let start = u64::from(day.days()).saturating_mul(MILLIS_PER_DAY);
	let chosen = ListReadings {
		device: Some(device.to_owned()),
		from: Some(format_utc(start)),
		to: Some(format_utc(start.saturating_add(MILLIS_PER_DAY))),
		..ListReadings::default()
	};
	Ok(gateway.readings(&chosen).await?)
}
