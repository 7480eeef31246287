//! The owner's consent to a new device.

use gridproof_chain::pallets::meter_readings::Meter;
use gridproof_keys::{AccountKey, SealedKey, account::AccountSignature};
use gridproof_primitives::{
	H256,
	energy::{ExchangeConsent, NewDevice, Registers, SealId, SerialNumber, possession_payload},
};

/// Time for which an owner's consent can be used, in milliseconds: one hour.
pub const CONSENT_MS: u64 = 3_600_000;

/// What a meter is after an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
	/// What its registers show, in Wh.
	pub registers: Registers,
	/// Maker and serial number.
	pub serial: SerialNumber,
	/// Id of its seal.
	pub seal: SealId,
}

/// Returns a new key for the device of a meter, with the consent of `owner` to this exchange from
/// `now_ms` on, UTC milliseconds, and the proof that the device has the key.
pub fn new_device(
	genesis: &H256,
	meter: &Meter,
	exchanged: &Exchanged,
	device: &SealedKey,
	owner: &AccountKey,
	now_ms: u64,
) -> NewDevice<AccountSignature> {
	let certificate = &meter.certificate;
	let valid_until_ms = now_ms.saturating_add(CONSENT_MS);
	let consent = ExchangeConsent {
		organisation: certificate.organisation,
		name: certificate.name.clone(),
		device: *device.public(),
		owner: certificate.owner,
		registers: exchanged.registers,
		serial: exchanged.serial.clone(),
		seal: exchanged.seal.clone(),
		valid_until_ms,
	};
	let payload = possession_payload(genesis, &certificate.name, &certificate.owner);
	NewDevice {
		device: *device.public(),
		valid_until_ms,
		consent: owner.sign(&consent.signing_payload(genesis)),
		possession: device.sign(&payload),
	}
}
