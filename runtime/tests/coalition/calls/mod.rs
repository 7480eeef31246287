//! A strategy for every call of the runtime's metadata: a generator of plausible, hostile
//! arguments, or the reason why the call cannot matter, which a test tries out.
//!
//! One module a pallet; calls without any bearing on money are in `rest`.

mod assets;
mod attestations;
mod balances;
mod channels;
mod compute_checks;
mod compute_receipts;
mod coverage_policy;
mod governance;
mod meter_readings;
mod multisig;
mod proxy;
mod rest;
mod utility;

use crate::{
	rng::Rng,
	world::{Sent, World},
};
use codec::Decode;
use frame_support::traits::GetCallMetadata;
use gridproof_runtime::RuntimeCall;

/// How a coalition uses a call.
#[derive(Clone, Copy)]
pub(crate) enum Strategy {
	/// Arguments as a cheat would choose them; none if there is nothing to do with it now.
	Make(fn(&mut World, &mut Rng) -> Option<Sent>),
	/// No origin but Root may send it: a signed one gets `BadOrigin`.
	Root,
	/// The key of sudo alone may send it: another signer gets `RequireSudo`.
	Sudo,
	/// The call filter refuses it.
	Filtered,
	/// Only a block's author puts it in: a transaction is refused.
	Inherent,
}

/// Calls of one pallet with their strategies.
pub(crate) type Calls = &'static [(&'static str, Strategy)];

/// All strategies, by pallet.
pub(crate) const ALL: &[(&str, Calls)] = &[
	("Assets", assets::CALLS),
	("Attestations", attestations::CALLS),
	("Balances", balances::CALLS),
	("ComputeReceipts", compute_receipts::CALLS),
	("CoveragePolicy", coverage_policy::CALLS),
	("MeterReadings", meter_readings::CALLS),
	("Multisig", multisig::CALLS),
	("Proxy", proxy::CALLS),
	("Utility", utility::CALLS),
	("ComputeChecks", compute_checks::CALLS),
	("Authorities", rest::AUTHORITIES),
	("Brakes", rest::BRAKES),
	("ConvictionVoting", governance::CONVICTION_VOTING),
	("EmergencyCommittee", governance::EMERGENCY_COMMITTEE),
	("Governance", governance::GOVERNANCE),
	("Grandpa", rest::GRANDPA),
	("ModelRegistry", rest::MODEL_REGISTRY),
	("MultiBlockMigrations", rest::MIGRATIONS),
	("Parameters", rest::PARAMETERS),
	("Preimage", rest::PREIMAGE),
	("Referenda", governance::REFERENDA),
	("SafeMode", rest::SAFE_MODE),
	("Scheduler", rest::SCHEDULER),
	("Session", rest::SESSION),
	("Sudo", rest::SUDO),
	("System", rest::SYSTEM),
	("Timestamp", rest::TIMESTAMP),
	("Treasury", rest::TREASURY),
	("TxPause", rest::TX_PAUSE),
];

/// Pallets that mint, of which half of the moves of chance are made.
const MINTING: [&str; 3] = ["ComputeReceipts", "CoveragePolicy", "MeterReadings"];
/// Calls without which nothing is earned: a quarter of the moves.
const EARNING: [(&str, &str); 6] = [
	("ComputeReceipts", "open_job"),
	("ComputeReceipts", "claim_receipts"),
	("ComputeReceipts", "claim_emission"),
	("MeterReadings", "certify_meter"),
	("MeterReadings", "submit_batches"),
	("CoveragePolicy", "redeem"),
];

/// A move of a plan: pallet and call.
pub(crate) fn any(rng: &mut Rng) -> (&'static str, &'static str, Strategy) {
	let kind = rng.below(4);
	loop {
		let (pallet, call) = if kind == 0 {
			rng.pick(&EARNING)
		} else {
			let (pallet, calls) = rng.pick(ALL);
			if (kind < 3) != MINTING.contains(&pallet) {
				continue;
			}
			(pallet, rng.pick(calls).0)
		};
		match find(pallet, call) {
			Some(strategy @ Strategy::Make(_)) => return (pallet, call, strategy),
			_ => continue,
		}
	}
}

/// The strategy of a call, if it has one.
pub(crate) fn find(pallet: &str, call: &str) -> Option<Strategy> {
	let (_, calls) = ALL.iter().find(|(name, _)| *name == pallet)?;
	calls.iter().find(|(name, _)| *name == call).map(|(_, strategy)| *strategy)
}

/// A call for a wrapper to carry, with the key that would have signed it.
pub(crate) fn inner(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	(0..4).find_map(|_| {
		let (pallet, _, strategy) = any(rng);
		match strategy {
			Strategy::Make(make) if pallet != "Utility" && pallet != "Proxy" => make(world, rng),
			_ => None,
		}
	})
}

/// The call alone.
pub(crate) fn call_of(sent: Sent) -> RuntimeCall {
	match sent {
		Sent::Signed(_, call) | Sent::Free(call) => call,
	}
}

/// `Pallet.call`.
pub(crate) fn name_of(call: &RuntimeCall) -> String {
	let names = call.get_call_metadata();
	format!("{}.{}", names.pallet_name, names.function_name)
}

/// The call with these indices, its arguments made of the same byte throughout.
pub(crate) fn filled(pallet: u8, call: u8, byte: u8) -> Option<RuntimeCall> {
	let mut bytes = vec![pallet, call];
	bytes.resize(2_048, byte);
	RuntimeCall::decode(&mut &bytes[..]).ok()
}
