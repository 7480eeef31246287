//! The owner's consent to a new device.

use gridproof_chain::pallets::meter_readings::Meter;
use gridproof_keys::{AccountKey, account::AccountSignature};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	energy::{NewDevice, OwnerConsent},
};

/// Time for which an owner's consent can be used, in milliseconds: one hour.
pub const CONSENT_MS: u64 = 3_600_000;

/// Returns a new key for the device of a meter, with the consent of `owner` from `now_ms` on, UTC
/// milliseconds.
pub fn new_device(
	genesis: &H256,
	meter: &Meter,
	device: PublicKey,
	owner: &AccountKey,
	now_ms: u64,
) -> NewDevice<AccountSignature> {
	let certificate = &meter.certificate;
	let consent = OwnerConsent {
		organisation: certificate.organisation,
		name: certificate.name.clone(),
		device,
		owner: certificate.owner,
		valid_until_ms: now_ms.saturating_add(CONSENT_MS),
	};
	let signature = owner.sign(&consent.signing_payload(genesis));
	NewDevice { device, valid_until_ms: consent.valid_until_ms, consent: signature }
}
