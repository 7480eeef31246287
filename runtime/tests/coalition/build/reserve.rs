//! Calls of `Attestations` and `CoveragePolicy`: the only place that knows their fields, and what
//! the roles sign.

use crate::chain::{self, ed25519_named};
use gridproof_primitives::{
	H256,
	num::{decimal::Ratio, units::AICP as UNIT},
	reserve::{
		attestation::{AttestationFields, Kind, Role as Signer, RoleSignature, message_v2},
		stop::{lift_payload, stop_payload},
	},
	time::day::Day,
};
use gridproof_runtime::{Runtime, RuntimeCall};
use pallet_coverage_policy::Call;
use sp_core::{Pair, ed25519};

/// AICP at the start, in tokens.
const SUPPLY: u128 = 75_000_000;

/// What the reserve of a day truly covers, in hundredths of the first supply: what may be minted is
/// bounded by the reserve on one day, by the daily cap on the next.
pub(crate) fn cover(day: Day) -> u128 {
	if day.days().is_multiple_of(2) { 115 } else { 140 }
}

/// Supply that the reserve of a day covers at the lowest ratio, in micro-tokens.
pub(crate) fn supply_target(day: Day) -> u128 {
	SUPPLY * UNIT * cover(day) / 110
}

/// The figures of a day, as they are.
pub(crate) fn figures(day: Day) -> AttestationFields {
	let zones = pallet_coverage_policy::Parameters::<Runtime>::get().zones_total;
	// At 1.50 EUR an AICP and 90 EUR a MWh.
	let wh_committed = SUPPLY * 150 * cover(day) / (100 * 100) * 1_000_000 / 90;
	AttestationFields {
		kind: Kind::Reserve,
		day,
		revision: 0,
		replaces: None,
		wh_raw: wh_committed * 100 / 18 + 1_000,
		wh_committed,
		alpha: Ratio::percent(18),
		eur_per_mwh: Ratio::from_integer(90).into(),
		compute_assets: 0,
		zones_ok: zones,
		zones_total: zones,
	}
}

/// The statement of these figures, signed by these keys.
pub(crate) fn statement(
	fields: AttestationFields,
	signers: &[(Signer, ed25519::Pair)],
) -> RuntimeCall {
	let digest = H256(sp_crypto_hashing::sha2_256(&fields.hash().0));
	let signatures: Vec<_> = signers
		.iter()
		.map(|(role, key)| {
			let message =
				message_v2(fields.day, &digest, &fields.hash(), &chain::genesis_hash(), *role);
			RoleSignature { role: *role, signature: key.sign(&message).0 }
		})
		.collect();
	let signatures = signatures.try_into().expect("at most three");
	pallet_attestations::Call::submit { fields: Box::new(fields), digest, signatures }.into()
}

/// A statement whose signatures are not those of the roles.
pub(crate) fn forged_statement(fields: AttestationFields) -> RuntimeCall {
	let keys = [Signer::Data, Signer::Risk].map(|role| (role, ed25519_named("forger")));
	statement(fields, &keys)
}

/// Figures that replace those of a day, with a quarter more energy.
pub(crate) fn embellished(day: Day) -> AttestationFields {
	let true_ones = figures(day);
	AttestationFields {
		revision: 1,
		replaces: Some(true_ones.hash()),
		wh_raw: true_ones.wh_raw * 5 / 4,
		wh_committed: true_ones.wh_committed * 5 / 4,
		..true_ones
	}
}

/// The first stop of minting by a role.
pub(crate) fn stop(role: Signer, key: &ed25519::Pair) -> RuntimeCall {
	let signature = key.sign(&stop_payload(&chain::genesis_hash(), role, 0)).0;
	pallet_attestations::Call::stop_mint { role, number: 0, signature }.into()
}

/// Its end, signed by these other roles.
pub(crate) fn lift(role: Signer, signers: &[(Signer, ed25519::Pair)]) -> RuntimeCall {
	let signatures: Vec<_> = signers
		.iter()
		.map(|(by, key)| {
			let payload = lift_payload(&chain::genesis_hash(), role, 0, *by);
			RoleSignature { role: *by, signature: key.sign(&payload).0 }
		})
		.collect();
	let signatures = signatures.try_into().expect("at most three");
	pallet_attestations::Call::lift_stop { role, number: 0, signatures }.into()
}

/// A stop of minting that no role has signed.
pub(crate) fn forged_stop(role: Signer, number: u32) -> RuntimeCall {
	let payload = stop_payload(&chain::genesis_hash(), role, number);
	let signature = ed25519_named("forger").sign(&payload).0;
	pallet_attestations::Call::stop_mint { role, number, signature }.into()
}

/// Its end, signed by no other role either.
pub(crate) fn forged_lift(role: Signer, number: u32) -> RuntimeCall {
	let others = [Signer::Data, Signer::Risk, Signer::Ops].into_iter().filter(|by| *by != role);
	let signatures: Vec<_> = others
		.map(|by| {
			let payload = lift_payload(&chain::genesis_hash(), role, number, by);
			RoleSignature { role: by, signature: ed25519_named("forger").sign(&payload).0 }
		})
		.collect();
	let signatures = signatures.try_into().expect("at most three");
	pallet_attestations::Call::lift_stop { role, number, signatures }.into()
}

/// The issuer's call: mints that much on the latest statement.
pub(crate) fn mint(amount: u128) -> RuntimeCall {
	let statement =
		pallet_coverage_policy::Latest::<Runtime>::get().map_or(H256::zero(), |latest| latest.hash);
	Call::mint { amount, statement }.into()
}

pub(crate) fn redeem(amount: u128) -> RuntimeCall {
	Call::redeem { amount, min_credit: 0 }.into()
}
