//! What the chain knows about meters, for people and programs.

use gridproof_chain::{
	Chain, ChainError,
	pallets::{
		AccountId,
		meter_readings::{Meter, query},
	},
};
use gridproof_keys::account::address;
use gridproof_primitives::{
	energy::{
		Certificate, Direction, MeterIndex, MeterName, OrganisationIndex, PointInfo, Registers,
		Suspension, Totals, Trust,
	},
	num::units::KWH_ASSET_ID,
};
use gridproof_support::text::Amount;
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
	/// Energy that it, or its metering point, has to deliver before the next KWH, in Wh: what was taken
	/// and has not been delivered since.
	pub owed_wh: u64,
	/// Metering point with whose other meters it is netted, if there is one.
	pub point: Option<ShownPoint>,
	/// Its registers at that time, in Wh.
	pub registers: Registers,
}

/// A metering point for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownPoint {
	/// Id that its meters' certificates name.
	pub id: String,
	/// Numbers of its meters in service that mint together.
	pub meters: Vec<MeterIndex>,
	/// Energy that was delivered and waits for its import meters, in Wh.
	pub waiting_wh: u64,
	/// Numbers of the import meters for which it waits: they have stated less than was delivered, or
	/// nobody vouches for them.
	pub waits_for: Vec<MeterIndex>,
}

impl From<&PointInfo> for ShownPoint {
	fn from(point: &PointInfo) -> Self {
		let present = point.state.meters.iter().filter(|row| !row.ended);
		Self {
			id: String::from_utf8_lossy(&point.id).to_string(),
			meters: present.map(|row| row.meter).collect(),
			waiting_wh: point.state.waiting_wh(),
			waits_for: point.state.waits_for(),
		}
	}
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
			point: meter.point.as_ref().map(ShownPoint::from),
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

/// The account of a meter's energy, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EnergyAccount {
	/// Number of the meter.
	pub meter: MeterIndex,
	/// Ids of the meter.
	#[serde(flatten)]
	pub name: MeterName,
	/// Address of the account: owner and device can each spend from it.
	pub account: String,
	/// KWH on it, in Wh.
	pub kwh_units: Amount,
}

/// Returns the energy accounts of an owner's meters in service, by number of the meter, with what is
/// on them.
///
/// # Errors
/// [`ChainError`].
pub async fn energy_accounts(
	chain: &Chain,
	owner: &AccountId,
) -> Result<Vec<EnergyAccount>, ChainError> {
	let mut accounts = Vec::new();
	for meter in all_meters(chain).await? {
		if meter.certificate.owner == *owner {
			let wh = chain.balance(KWH_ASSET_ID, &meter.energy_account).await?;
			accounts.push(EnergyAccount {
				meter: meter.index,
				name: meter.certificate.name.clone(),
				account: address(&meter.energy_account),
				kwh_units: Amount(wh),
			});
		}
	}
	Ok(accounts)
}

/// Returns all meters in service, by number.
///
/// # Errors
/// [`ChainError`].
pub async fn all_meters(chain: &Chain) -> Result<Vec<Meter>, ChainError> {
	let (mut all, mut from): (Vec<Meter>, MeterIndex) = (Vec::new(), 0);
	loop {
		let page = chain.read(&query::meters(from, PAGE)).await?;
		all.extend(page.meters);
		match page.next {
			Some(next) => from = next,
			None => return Ok(all),
		}
	}
}

/// Which meters are summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
	/// Those that an organisation has certified.
	Organisation(OrganisationIndex),
	/// Those of an owner.
	Owner(AccountId),
}

impl Whose {
	/// Returns `true` if a certificate is one of theirs.
	fn has(&self, certificate: &Certificate<AccountId>) -> bool {
		match self {
			Self::Organisation(organisation) => certificate.organisation == *organisation,
			Self::Owner(owner) => certificate.owner == *owner,
		}
	}
}

/// Energy of several meters together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summed {
	/// Number of meters in service.
	pub meters: u32,
	/// Sums of all meters, in Wh.
	#[serde(flatten)]
	pub totals: Totals,
}

impl Summed {
	/// Adds the totals of one meter; a register that cannot hold the sum keeps its highest value.
	fn add(&mut self, other: &Totals) {
		let add = |sum: &mut Registers, other: &Registers| {
			sum.import_wh = sum.import_wh.saturating_add(other.import_wh);
			sum.export_wh = sum.export_wh.saturating_add(other.export_wh);
		};
		let totals = &mut self.totals;
		for (sum, other) in [
			(&mut totals.last_hour, &other.last_hour),
			(&mut totals.today, &other.today),
			(&mut totals.yesterday, &other.yesterday),
			(&mut totals.week, &other.week),
			(&mut totals.month, &other.month),
			(&mut totals.year, &other.year),
			(&mut totals.all, &other.all),
		] {
			add(sum, other);
		}
		self.meters = self.meters.saturating_add(1);
	}
}

/// Returns the energy of an organisation's or an owner's meters in service together. All meters are read,
/// a page at a time.
///
/// # Errors
/// [`ChainError`].
pub async fn totals_of(chain: &Chain, whose: &Whose) -> Result<Summed, ChainError> {
	let mut summed = Summed { meters: 0, totals: Totals::default() };
	for meter in all_meters(chain).await? {
		if whose.has(&meter.certificate)
			&& let Some(totals) = chain.read(&query::totals(meter.index)).await?
		{
			summed.add(&totals);
		}
	}
	Ok(summed)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_totals_of_several_meters_are_added_span_by_span() {
		let wh = |import_wh, export_wh| Registers { import_wh, export_wh };
		let of = |day: u64| Totals {
			last_hour: wh(1, 2),
			today: wh(day, 3),
			yesterday: wh(0, 4),
			week: wh(0, 5),
			month: wh(0, 6),
			year: wh(0, 7),
			all: wh(u64::MAX - 1, 8),
		};
		let mut summed = Summed { meters: 0, totals: Totals::default() };
		summed.add(&of(10));
		summed.add(&of(30));
		let Totals { last_hour, today, yesterday, week, month, year, all } = summed.totals;
		assert_eq!((summed.meters, last_hour, today), (2, wh(2, 4), wh(40, 6)));
		assert_eq!((yesterday, week, month, year), (wh(0, 8), wh(0, 10), wh(0, 12), wh(0, 14)));
		assert_eq!(all, wh(u64::MAX, 16));
	}
}
