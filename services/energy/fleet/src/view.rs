//! What the chain knows about meters, for people and programs.

use gridproof_chain::{
	Chain, ChainError,
	pallets::meter_readings::{Meter, query},
};
use gridproof_keys::account::address;
use gridproof_primitives::energy::{
	Direction, MeterIndex, MeterName, OrganisationIndex, Registers, Suspension, Trust,
};
use serde::Serialize;

/// Meters asked for at a time.
const PAGE: u32 = 500;

/// A meter for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownMeter {
	/// Its number.
	pub index: MeterIndex,
	/// Its ids.
	#[serde(flatten)]
	pub name: MeterName,
	/// Public key that signs its batches, 64 hexadecimal digits.
	pub device_key: String,
	/// Address of its owner.
	pub owner: String,
	/// Address of the account that receives its KWH: owner and device can each spend it.
	pub energy_account: String,
	/// Number of the organisation that answers for it.
	pub organisation: OrganisationIndex,
	/// Address of the electrician who certified it.
	pub electrician: String,
	/// Largest power that can go through, in W.
	pub rated_power_w: u32,
	/// Direction that energy may take.
	pub direction: Direction,
	/// Holder of the key.
	pub trust: Trust,
	/// Maker and serial number; empty for a meter that was certified before there were any.
	pub serial: String,
	/// Id of its seal.
	pub seal: String,
	/// Whether its exports mint now.
	pub mints: bool,
	/// Reason for which its batches are refused, if they are.
	pub suspended: Option<Suspension>,
	/// Sequence number of its next batch.
	pub next_sequence: u64,
	/// Earliest begin of its next batch, UTC milliseconds: the end of its last one, or the begin of
	/// its certified service.
	pub last_end_ms: u64,
	/// Time from which somebody vouches for it without a break, UTC milliseconds: a batch that begins
	/// earlier mints nothing.
	pub floor_ms: u64,
	/// Energy that it has to deliver before its next KWH, in Wh: what it took and has not delivered since.
	pub owed_wh: u64,
	/// Its registers at that time, in Wh.
	pub registers: Registers,
}

impl From<&Meter> for ShownMeter {
	fn from(meter: &Meter) -> Self {
		let certificate = &meter.certificate;
		Self {
			index: meter.index,
			name: certificate.name.clone(),
			device_key: hex::encode(certificate.device),
			owner: address(&certificate.owner),
			energy_account: address(&meter.energy_account),
			organisation: certificate.organisation,
			electrician: address(&certificate.electrician),
			rated_power_w: certificate.rated_power_w,
			direction: certificate.direction,
			trust: certificate.trust,
			serial: String::from_utf8_lossy(&certificate.serial).to_string(),
			seal: String::from_utf8_lossy(&certificate.seal).to_string(),
			mints: meter.mints,
			suspended: meter.suspended,
			next_sequence: meter.state.next_sequence,
			last_end_ms: meter.state.last_end_ms,
			floor_ms: meter.state.floor_ms,
			owed_wh: meter.state.owed_wh,
			registers: meter.state.registers,
		}
	}
}

/// Returns the meter in service with these ids, if there is one.
///
/// # Errors
/// [`ChainError`].
pub async fn meter_by_name(chain: &Chain, name: &MeterName) -> Result<Option<Meter>, ChainError> {
	Ok(chain.read(&query::meter_by_name(name)).await?.map(|(_, meter)| meter))
}

/// Returns all meters in service, by number.
///
/// # Errors
/// [`ChainError`].
pub async fn all_meters(chain: &Chain) -> Result<Vec<Meter>, ChainError> {
	let (mut all, mut from): (Vec<Meter>, MeterIndex) = (Vec::new(), 0);
	loop {
		let page = chain.read(&query::meters(from, PAGE)).await?;
		let Some(last) = page.last() else { return Ok(all) };
		let next = last.index.checked_add(1);
		all.extend(page);
		match next {
			Some(next) => from = next,
			None => return Ok(all),
		}
	}
}
