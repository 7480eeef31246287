//! The transaction of a set: made, kept, sent, looked at, replaced when it waits too long.

use super::settings::{DailySettings, Payer};
use crate::{
	AnchorError, Record, Sighting, commitment,
	fees::LEAST,
	progress::Progress,
	psbt::Rate,
	wallet::{self, Made, Terms},
	watch,
};
use bitcoin::{Psbt, Transaction, Txid, consensus::encode::serialize_hex};
use std::path::Path;

/// Takes the record as far as it can be taken now.
pub(super) async fn follow(
	payer: &Payer,
	settings: &DailySettings,
	path: &Path,
	record: &mut Record,
) -> Result<(), AnchorError> {
	if record.transaction().is_none() {
		make(payer, settings, path, record).await?;
	}
	let before = record.clone();
	let mut seen = watch::refresh(&payer.node, record).await?;
	if seen == Sighting::Unknown && take_back(payer, record).await? {
		seen = watch::refresh(&payer.node, record).await?;
	}
	if seen == Sighting::Unknown {
		seen = send(payer, record).await?;
	}
	if *record != before {
		record.save(path)?;
	}
	if seen == Sighting::Waiting {
		raise(payer, settings, path, record).await?;
	}
	Ok(())
}

fn terms(settings: &DailySettings, rate: Rate) -> Terms {
	let DailySettings { network, max_fee, change, .. } = settings;
	Terms { network: *network, rate, max_fee: *max_fee, change: change.clone() }
}

/// Makes the transaction and keeps it; it is not sent yet.
async fn make(
	payer: &Payer,
	settings: &DailySettings,
	path: &Path,
	record: &mut Record,
) -> Result<(), AnchorError> {
	let rate = settings.fees.rate(&payer.node).await?;
	let since = payer.node.height().await?;
	let root = record.root()?;
	let made = wallet::make(&payer.node, &payer.wallet, &root, &terms(settings, rate)).await?;
	keep(payer, record, made, since).await?;
	record.save(path)
}

/// Puts a signed transaction into the record.
async fn keep(
	payer: &Payer,
	record: &mut Record,
	made: Made,
	since: u32,
) -> Result<(), AnchorError> {
	let Made { planned, signed } = made;
	let Some(signed) = signed else {
		let spent = &planned.psbt.unsigned_tx.input;
		let coins: Vec<_> = spent.iter().map(|input| input.previous_output).collect();
		wallet::unlock(&payer.wallet, &coins).await;
		return Err(AnchorError::NoSigner(payer.wallet.url().to_owned()));
	};
	record.set_transaction(&signed)?;
	let progress = record.progress.get_or_insert_default();
	(progress.fee, progress.since) = (planned.fee, since);
	progress.spends = Some(planned.psbt.to_string());
	Ok(())
}

/// Sends the transaction, and looks where it is.
async fn send(payer: &Payer, record: &mut Record) -> Result<Sighting, AnchorError> {
	let Some(transaction) = record.transaction() else { return Ok(Sighting::Unknown) };
	let (root, network) = (record.root()?, record.network()?);
	wallet::broadcast(&payer.node, &transaction, &root, network).await?;
	watch::refresh(&payer.node, record).await
}

/// One of the transactions that were replaced may have been faster than its replacement. The record
/// follows it then; `true` if the network has one of them.
async fn take_back(payer: &Payer, record: &mut Record) -> Result<bool, AnchorError> {
	let Some(current) = record.transaction() else { return Ok(false) };
	for (place, replaced) in replaced(record).into_iter().enumerate().rev() {
		let txid = replaced.compute_txid();
		if watch::look(&payer.node, &txid, None).await? == Sighting::Unknown {
			continue;
		}
		record.set_transaction(&replaced)?;
		let entry = record.progress.as_mut().and_then(|progress| progress.replaced.get_mut(place));
		if let Some(entry) = entry {
			*entry = serialize_hex(&current);
		}
		return Ok(true);
	}
	Ok(false)
}

/// The transactions that were replaced, the oldest first.
fn replaced(record: &Record) -> Vec<Transaction> {
	let digits = record.progress.iter().flat_map(|progress| &progress.replaced);
	digits.filter_map(|digits| commitment::read_transaction(digits.as_bytes()).ok()).collect()
}

/// Replaces a transaction that has waited for too many blocks by one that pays more, within the limits.
async fn raise(
	payer: &Payer,
	settings: &DailySettings,
	path: &Path,
	record: &mut Record,
) -> Result<(), AnchorError> {
	let height = payer.node.height().await?;
	let (Some(old), Some(progress)) = (record.transaction(), record.progress.clone()) else {
		return Ok(());
	};
	let Some(spends) = progress
		.spends
		.as_ref()
		.filter(|_| height.saturating_sub(progress.since) >= settings.raise_after)
	else {
		return Ok(());
	};
	let spends = commitment::read_psbt(spends.as_bytes())?;
	let Some(made) = dearer(payer, settings, record, &old, &progress, &spends).await? else {
		return Ok(());
	};
	let txid = old.compute_txid();
	record.progress.get_or_insert_default().replaced.push(serialize_hex(&old));
	keep(payer, record, made, height).await?;
	// Kept before it is sent: if the old one is faster after all, the record has it.
	record.save(path)?;
	tracing::info!(event = "anchor_raised", %txid, "it waited too long, and is replaced");
	match send(payer, record).await {
		Ok(_) => record.save(path),
		Err(error @ (AnchorError::Rpc { .. } | AnchorError::Unknown(_))) => {
			tracing::warn!(event = "replacement_refused", %error, "the old transaction is followed");
			if take_back(payer, record).await? {
				watch::refresh(&payer.node, record).await?;
			}
			record.save(path)
		},
		Err(error) => Err(error),
	}
}

/// A replacement; none if it would pay more than is allowed, or than there is.
async fn dearer(
	payer: &Payer,
	settings: &DailySettings,
	record: &Record,
	old: &Transaction,
	progress: &Progress,
	spends: &Psbt,
) -> Result<Option<Made>, AnchorError> {
	let vsize = u64::try_from(old.vsize()).unwrap_or(u64::MAX);
	let txid = old.compute_txid();
	let Some(rate) = settings.fees.raised(&payer.node, progress.fee, vsize).await? else {
		let limit = settings.fees.limit.0 / LEAST.0;
		tracing::warn!(event = "anchor_at_its_limit", %txid, limit, "it waits: the rate has its limit");
		return Ok(None);
	};
	let replaced = replaced(record);
	let gone: Vec<Txid> = replaced.iter().chain([old]).map(Transaction::compute_txid).collect();
	let (root, terms) = (record.root()?, terms(settings, rate));
	match wallet::replace(&payer.node, &payer.wallet, &root, &terms, (spends, &gone)).await {
		Ok(made) => Ok(Some(made)),
		Err(error @ (AnchorError::FeeTooHigh { .. } | AnchorError::Funds(_))) => {
			tracing::warn!(event = "anchor_at_its_limit", %txid, %error, "it waits as it is");
			Ok(None)
		},
		Err(error) => Err(error),
	}
}
