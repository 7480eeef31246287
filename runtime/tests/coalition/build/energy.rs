//! Calls of `MeterReadings`: the only place that knows their fields, and what owners and devices
//! sign.

use crate::chain::{self, Key};
use gridproof_primitives::time::day::Day;
use gridproof_primitives::{
	H256,
	energy::{
		BatchHeader, Direction, ExchangeConsent, MeterIndex, MeterName, NewDevice, Registers,
		SealId, SerialNumber, SignedBatch, Trust, possession_payload,
	},
};
use gridproof_runtime::{Runtime, RuntimeCall};
use pallet_meter_readings::{Call, Certification, Meters};
use sp_core::{Pair, ed25519};
use sp_runtime::MultiSignature;

/// W·ms in a Wh.
pub(crate) const WATT_MILLIS_PER_WH: u64 = 3_600_000;

pub(crate) fn seal(text: &str) -> SealId {
	text.as_bytes().to_vec().try_into().expect("short")
}

pub(crate) fn serial(text: &str) -> SerialNumber {
	text.as_bytes().to_vec().try_into().expect("short")
}

/// What is certified.
pub(crate) struct Terms<'a> {
	pub(crate) organisation: u32,
	pub(crate) name: MeterName,
	/// Its key, which signs for itself where the chain asks for it.
	pub(crate) device: &'a ed25519::Pair,
	pub(crate) owner: &'a Key,
	pub(crate) rated_w: u32,
	pub(crate) direction: Direction,
	/// Metering point with whose other meters it is netted.
	pub(crate) point: Option<String>,
	pub(crate) serial: SerialNumber,
	pub(crate) seal: SealId,
	pub(crate) registers: Registers,
	pub(crate) since_ms: u64,
	pub(crate) valid_until_ms: u64,
}

/// The certification of these terms, with the owner's consent and the device's proof of its key.
pub(crate) fn certify(terms: Terms<'_>) -> RuntimeCall {
	let (owner, device) = (terms.owner, terms.device);
	certify_by(terms, owner, device)
}

/// The certification of these terms, with a consent and a proof that these keys have signed.
pub(crate) fn certify_by(terms: Terms<'_>, consents: &Key, proves: &ed25519::Pair) -> RuntimeCall {
	let Terms { organisation, name, device, owner, rated_w, direction, .. } = terms;
	let possession = possession_payload(&chain::genesis_hash(), &name, &owner.account());
	let possession = proves.sign(&possession).0;
	let certification = Certification {
		name,
		device: device.public().0,
		owner: owner.account(),
		rated_power_w: rated_w,
		direction,
		point: terms.point.map(|id| id.into_bytes().try_into().expect("short")),
		trust: Trust::Device,
		serial: terms.serial,
		seal: terms.seal,
		registers: terms.registers,
		since_ms: terms.since_ms,
		valid_until_ms: terms.valid_until_ms,
	};
	let payload = certification.consent(organisation).signing_payload(&chain::genesis_hash());
	let consent = consents.sign(&payload);
	Call::certify_meter {
		organisation,
		certification: Box::new(certification),
		consent: Box::new(consent),
		possession,
	}
	.into()
}

/// An exchange: what the meter is afterwards.
pub(crate) struct Exchange<'a> {
	pub(crate) organisation: u32,
	pub(crate) name: MeterName,
	/// Its new key, if it gets one.
	pub(crate) device: Option<&'a ed25519::Pair>,
	pub(crate) owner: &'a Key,
	pub(crate) registers: Registers,
	pub(crate) serial: SerialNumber,
	pub(crate) seal: SealId,
	pub(crate) valid_until_ms: u64,
}

/// The exchange of a meter, with the owner's consent if its key changes.
pub(crate) fn exchange(meter: MeterIndex, terms: Exchange<'_>) -> RuntimeCall {
	let Exchange { organisation, name, owner, registers, serial, seal, valid_until_ms, .. } = terms;
	let device = terms.device.map(|pair| {
		let possession = possession_payload(&chain::genesis_hash(), &name, &owner.account());
		let consent = ExchangeConsent {
			organisation,
			name,
			device: pair.public().0,
			owner: owner.account(),
			registers,
			serial: serial.clone(),
			seal: seal.clone(),
			valid_until_ms,
		};
		let consent = owner.sign(&consent.signing_payload(&chain::genesis_hash()));
		let (device, possession) = (pair.public().0, pair.sign(&possession).0);
		Box::new(NewDevice::<MultiSignature> { device, valid_until_ms, consent, possession })
	});
	Call::exchange_meter { meter, registers, serial, seal, device }.into()
}

pub(crate) fn submit(batches: Vec<SignedBatch>) -> RuntimeCall {
	Call::submit_batches { batches: batches.try_into().expect("as many as fit") }.into()
}

/// The next batch of a meter, up to `end` with these registers, signed by this key. It begins at
/// the end of the last one, or with these registers at this time.
pub(crate) fn batch(
	meter: MeterIndex,
	key: &ed25519::Pair,
	opening: Option<(u64, Registers)>,
	end_ms: u64,
	closing: Registers,
) -> Option<SignedBatch> {
	let state = Meters::<Runtime>::get(meter)?.state;
	let (start_ms, opening) = opening.unwrap_or((state.last_end_ms, state.registers));
	let header = BatchHeader {
		meter,
		sequence: state.next_sequence,
		previous: state.last_hash,
		start_ms,
		end_ms,
		opening,
		closing,
		readings: 1,
		root: H256::repeat_byte(1),
		cid: None,
	};
	let signature = key.sign(&header.signing_payload(&chain::genesis_hash())).0;
	Some(SignedBatch { header, signature })
}

/// Highest energy that a batch of a meter from its last to `end` may state, in Wh: no more than a
/// day gives, and less what this day has minted.
pub(crate) fn most(meter: MeterIndex, end_ms: u64) -> u64 {
	let Some(row) = Meters::<Runtime>::get(meter) else { return 0 };
	let time = end_ms.saturating_sub(row.state.last_end_ms).min(chain::DAY);
	let today = row.minted_today;
	let is_today = today.day == Day::from_unix_millis(chain::now());
	let minted = if is_today { today.wh } else { 0 };
	let millis = u128::from(row.state.rated_power_w) * u128::from(time) * 11 / 10;
	let most = u64::try_from(millis / u128::from(WATT_MILLIS_PER_WH)).unwrap_or(u64::MAX);
	let day = u128::from(row.state.rated_power_w) * u128::from(chain::DAY) * 11 / 10;
	let day = u64::try_from(day / u128::from(WATT_MILLIS_PER_WH)).unwrap_or(u64::MAX);
	most.min(day.saturating_sub(minted))
}
