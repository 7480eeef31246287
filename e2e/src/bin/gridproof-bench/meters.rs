//! Many certified meters.

use anyhow::Result;
use gridproof_chain::{Chain, Patience, Submitter, pallets::meter_readings::call::certify_meter};
use gridproof_keys::account::{AccountKey, development_signer};
use gridproof_primitives::energy::{
	Certification, Direction, MeterName, Registers, SealId, SerialNumber, Trust, possession_payload,
};
use sp_core::{Pair, ed25519};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The most that a meter here can carry, in W.
pub(crate) const RATED_POWER_W: u32 = 10_000;
/// Meters certified side by side; each group is final before the next is sent.
const AT_ONCE: usize = 150;
/// A consent is good for an hour: less than that passes until its group is sent.
const CONSENT_MS: u64 = 3_600_000;

/// Now, in UTC milliseconds.
///
/// # Errors
/// When the clock is before 1970.
pub(crate) fn now_ms() -> Result<u64> {
	Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// The seed of a meter's key.
pub(crate) fn seed(number: u32) -> [u8; 32] {
	let mut seed = [7; 32];
	seed[..4].copy_from_slice(&number.to_le_bytes());
	seed
}

/// Certifies meters of these names by transactions, in service since `since_ms`; gives their keys.
/// On a new chain they get the numbers from 0 on.
///
/// # Errors
/// When the chain refuses one.
pub(crate) async fn certify(
	chain: &Chain,
	names: &[MeterName],
	since_ms: u64,
) -> Result<Vec<ed25519::Pair>> {
	let owner = AccountKey::from(development_signer("//Bob")?);
	let electrician = development_signer("//Alice")?;
	let submitter = Submitter::new(chain.clone(), electrician, Patience::default());
	let (mut keys, start) = (Vec::with_capacity(names.len()), Instant::now());
	for part in names.chunks(AT_ONCE) {
		let mut calls = Vec::with_capacity(part.len());
		for name in part {
			let key = ed25519::Pair::from_seed(&seed(u32::try_from(keys.len())?));
			let certification = Certification {
				name: name.clone(),
				device: key.public().0,
				owner: owner.account(),
				rated_power_w: RATED_POWER_W,
				direction: Direction::Export,
				point: None,
				trust: Trust::Device,
				serial: SerialNumber::truncate_from(format!("bench-{}", keys.len()).into_bytes()),
				seal: SealId::truncate_from(format!("bench-{}", keys.len()).into_bytes()),
				registers: Registers::default(),
				since_ms,
				valid_until_ms: now_ms()?.saturating_add(CONSENT_MS),
			};
			let genesis = chain.genesis();
			let consent = owner.sign(&certification.consent(0).signing_payload(&genesis));
			let payload = possession_payload(&genesis, name, &owner.account());
			let possession = key.sign(&payload).0;
			calls.push(certify_meter(0, &certification, &consent, &possession));
			keys.push(key);
		}
		for outcome in submitter.submit(&calls).await? {
			outcome?;
		}
	}
	let (count, time) = (names.len(), start.elapsed());
	println!(
		"{count} meters certified, one transaction each, {AT_ONCE} at a time: final in {:.1} s",
		Duration::as_secs_f64(&time)
	);
	Ok(keys)
}
