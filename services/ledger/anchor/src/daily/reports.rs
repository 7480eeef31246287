//! Reports to the gateway: how far the anchor of its batches is, and each one's way to the root.

use crate::{AnchorError, AnchorStatus, Record, batch_set::BatchSet, progress::Reported};
use gridproof_gateway_api::{AnchorUpdate, AnchorWay, Client, ClientError};
use gridproof_support::Stop;
use std::path::Path;
use tokio::task::JoinSet;

/// Requests under way at the same time.
const AT_ONCE: usize = 16;

/// Reports the anchor of every batch of a set, unless the gateway has it; then keeps that it does. A
/// transaction that the network has forgotten is not reported: it will be sent again. A program that is
/// to stop leaves the rest for the next time.
pub(super) async fn report(
	gateway: &Client,
	set: &Path,
	path: &Path,
	record: &mut Record,
	stop: &Stop,
) -> Result<(), AnchorError> {
	let update = record.update();
	let now = Reported { state: record.state(), txid: update.txid.clone() };
	let known = record.progress.as_ref().and_then(|progress| progress.reported.as_ref());
	if now.state == AnchorStatus::Pending || known == Some(&now) {
		return Ok(());
	}
	let loaded = BatchSet::load(set)?;
	if loaded.root()? != record.root()? {
		return Err(AnchorError::file(set, "it has another root than its record"));
	}
	let mut batches = loaded.paths()?.into_iter();
	let mut requests = JoinSet::new();
	loop {
		while requests.len() < AT_ONCE && !stop.is_stopped() {
			let Some((member, path)) = batches.next() else { break };
			let (gateway, id) = (gateway.clone(), member.id.clone());
			let update = AnchorUpdate { path: Some(AnchorWay::of(&path)), ..update.clone() };
			requests.spawn(async move { one(&gateway, &id, &update).await });
		}
		match requests.join_next().await {
			None => break,
			Some(Ok(answer)) => answer?,
			Some(Err(error)) => return Err(AnchorError::answer("a request", error)),
		}
	}
	if stop.is_stopped() && batches.next().is_some() {
		return Ok(());
	}
	record.progress.get_or_insert_default().reported = Some(now);
	record.save(path)
}

async fn one(gateway: &Client, id: &str, update: &AnchorUpdate) -> Result<(), AnchorError> {
	match gateway.anchor(id, update).await {
		// The gateway has given it up, or archived it: the others are not to wait for it.
		Err(ClientError::Refused { status: 404 | 409, detail, .. }) => {
			tracing::warn!(event = "batch_not_reported", batch = id, %detail, "it is left out");
			Ok(())
		},
		other => Ok(other.map(drop)?),
	}
}
