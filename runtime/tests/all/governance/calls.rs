//! Which origin reaches which call: every call of every pallet, tried with every origin.

use super::*;
use codec::{Decode, DecodeAll};
use frame_support::traits::GetCallMetadata;
use gridproof_primitives::{
	H256,
	compute::registry::{EngineClass, ModelDescription, ModelName, ModelTerms, NewModel},
	reserve::attestation::AttestationFields,
	time::day::Day,
};
use std::collections::BTreeSet;
use subxt::Metadata;

/// What a referendum of the standard track decides.
const GOVERNED: &[&str] = &[
	"Attestations.end_stop",
	"Attestations.pause",
	"Attestations.prolong_stop",
	"Attestations.resume",
	"Attestations.rotate_key",
	"Attestations.set_kind_open",
	"Authorities.let_in",
	"Brakes.set_emergency_account",
	"ComputeChecks.admit_verifier",
	"ComputeChecks.dismiss_verifier",
	"ComputeChecks.set_line",
	"ComputeChecks.set_parameters",
	"ComputeChecks.suspend_verifier",
	"ComputeReceipts.admit_coordinator",
	"ComputeReceipts.ban",
	"ComputeReceipts.call_off_slashes",
	"ComputeReceipts.exclude_coordinator",
	"ComputeReceipts.forfeit",
	"ComputeReceipts.set_breaker",
	"ComputeReceipts.set_channel_parameters",
	"ComputeReceipts.set_parameters",
	"ComputeReceipts.set_reference_rate",
	"CoveragePolicy.set_breaker",
	"CoveragePolicy.set_issuer",
	"CoveragePolicy.set_parameters",
	"EmergencyCommittee.disapprove_proposal",
	"EmergencyCommittee.set_members",
	"Governance.keep",
	"MeterReadings.correct_meter",
	"MeterReadings.decommission_meter",
	"MeterReadings.pause",
	"MeterReadings.reinstate_meter",
	"MeterReadings.resume",
	"MeterReadings.set_limits",
	"MeterReadings.set_organisation_admin",
	"MeterReadings.set_organisation_standing",
	"MeterReadings.set_recorder",
	"MeterReadings.suspend_meter",
	"ModelRegistry.call_off",
	"ModelRegistry.forget",
	"ModelRegistry.propose_add",
	"ModelRegistry.propose_change",
	"ModelRegistry.propose_default",
	"ModelRegistry.propose_delay",
	"ModelRegistry.propose_resume",
	"ModelRegistry.propose_retire",
	"ModelRegistry.stop",
	"Parameters.set_parameter",
	"Preimage.note_preimage",
	"Preimage.request_preimage",
	"Preimage.unnote_preimage",
	"Preimage.unrequest_preimage",
	"SafeMode.force_enter",
	"SafeMode.force_exit",
	"SafeMode.force_extend",
	"Treasury.remove_approval",
	"Treasury.spend",
	"Treasury.void_spend",
	"TxPause.pause",
];

/// What the committee reaches once its stop is written down.
const STOPPED: &[&str] = &[
	"Attestations.pause",
	"Attestations.prolong_stop",
	"ComputeChecks.suspend_verifier",
	"ComputeReceipts.exclude_coordinator",
	"ComputeReceipts.set_breaker",
	"ComputeReceipts.set_reference_rate",
	"CoveragePolicy.set_breaker",
	"MeterReadings.pause",
	"MeterReadings.suspend_meter",
	"ModelRegistry.stop",
	"SafeMode.force_enter",
	"TxPause.pause",
];

/// What any origin may call: it wraps other calls, which are tried with the same origin, or does
/// nothing that was not permitted before.
const ANYBODY: &[&str] = &[
	"System.apply_authorized_upgrade",
	"System.remark",
	"Utility.batch",
	"Utility.batch_all",
	"Utility.force_batch",
	"Utility.if_else",
];

fn name(call: &RuntimeCall) -> String {
	let names = call.get_call_metadata();
	format!("{}.{}", names.pallet_name, names.function_name)
}

/// Calls that no bytes of one value decode to.
fn built() -> Vec<RuntimeCall> {
	let model = NewModel {
		description: ModelDescription {
			name: ModelName::new("one").expect("a name"),
			weights: H256([1; 32]),
			tokenizer: H256([2; 32]),
			template: None,
		},
		context: 2_048,
		terms: ModelTerms { factor: 7_000, engine: EngineClass::Exact },
	};
	vec![
		pallet_model_registry::Call::propose_add { new: Box::new(model) }.into(),
		pallet_attestations::Call::submit {
			fields: Box::new(AttestationFields::example(Day::parse("2026-01-15").expect("a day"))),
			digest: Default::default(),
			signatures: Default::default(),
		}
		.into(),
	]
}

/// Every call of the runtime, one of each. Those that the metadata has and no bytes make are named.
fn every_call() -> Vec<RuntimeCall> {
	let bytes = Runtime::metadata_at_version(15).expect("the runtime has this version");
	let metadata = Metadata::decode_all(&mut &bytes[..]).expect("it is metadata");
	let mut calls = built();
	let mut missing = Vec::new();
	for pallet in metadata.pallets() {
		for variant in pallet.call_variants().unwrap_or_default() {
			let full = format!("{}.{}", pallet.name(), variant.name);
			if calls.iter().any(|call| name(call) == full) {
				continue;
			}
			let call = (0..4_000u32).find_map(|seed| {
				let mut bytes = vec![pallet.call_index(), variant.index];
				// Zeros, ones, and so on; then small numbers of chance.
				let mut state = u64::from(seed) + 1;
				let byte = |_| {
					state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
					let small = u8::try_from((state >> 33) % 5).expect("small");
					if seed < 10 { u8::try_from(seed).expect("small") } else { small }
				};
				bytes.extend((0..2_048).map(byte));
				RuntimeCall::decode(&mut bytes.as_slice()).ok()
			});
			match call {
				Some(call) => calls.push(call),
				None => missing.push(full),
			}
		}
	}
	assert!(missing.is_empty(), "no call is made of {missing:?}");
	calls
}

/// The calls that an origin reaches: they succeed, or fail for another reason than who calls.
fn reached(origin: impl Fn() -> RuntimeOrigin) -> BTreeSet<String> {
	let no_access: [DispatchError; 3] = [
		DispatchError::BadOrigin,
		frame_system::Error::<Runtime>::CallFiltered.into(),
		pallet_sudo::Error::<Runtime>::RequireSudo.into(),
	];
	every_call()
		.into_iter()
		// A block's author puts it in, once, and a wrong one makes the block invalid.
		.filter(|call| !matches!(call, RuntimeCall::Timestamp(_)))
		.filter(|call| {
			let answer = frame_support::storage::with_transaction_unchecked(|| {
				let answer = call.clone().dispatch(origin());
				sp_runtime::TransactionOutcome::Rollback(answer)
			});
			answer.err().is_none_or(|answer| !no_access.contains(&answer.error))
		})
		.map(|call| name(&call))
		.collect()
}

fn set(lists: &[&[&str]]) -> BTreeSet<String> {
	lists.iter().flat_map(|list| list.iter()).map(|name| name.to_string()).collect()
}

fn pallet_origin(origin: impl Into<OriginCaller>) -> RuntimeOrigin {
	RuntimeOrigin::from(origin.into())
}

/// Whether a call is one that only root may make, by its name. Safe mode's are stops and their end, a batch
/// that continues after a failure forces nothing, and a pure proxy is given up by who made it.
fn is_roots(name: &str) -> bool {
	let (pallet, call) = name.split_once('.').expect("a pallet and a call");
	let roots = ["set_storage", "set_code", "set_heap_pages", "kill", "force_"];
	let named = call == "set_key" || roots.iter().any(|root| call.starts_with(root));
	named && pallet != "SafeMode" && !["Utility.force_batch", "Proxy.kill_pure"].contains(&name)
}

#[test]
fn every_governed_call_is_reached_by_the_standard_track_and_nothing_else() {
	development(|| {
		let reached = reached(|| pallet_origin(Origin::Standard));
		let expected = set(&[GOVERNED, ANYBODY, &["TxPause.unpause"]]);
		let too_many: Vec<_> = reached.difference(&expected).collect();
		let missing: Vec<_> = expected.difference(&reached).collect();
		assert!(
			too_many.is_empty() && missing.is_empty(),
			"too many {too_many:?}, none {missing:?}"
		);
	});
}

#[test]
fn the_committee_and_the_emergency_track_reach_what_they_are_for() {
	development(|| {
		let committee = reached(|| pallet_origin(Origin::Committee));
		assert_eq!(committee, set(&[STOPPED, ANYBODY]));
		let track = reached(|| pallet_origin(Origin::Emergency));
		assert_eq!(track, set(&[&["Governance.lift"], ANYBODY]));
		let motion = || Motion::Members(1, 1);
		let motion = reached(|| pallet_origin(motion()));
		assert_eq!(motion, set(&[&["Governance.stop"], ANYBODY]));
		let member = || Motion::Member(Ferdie.to_account_id());
		assert_eq!(reached(|| pallet_origin(member())), set(&[ANYBODY]));
	});
}

#[test]
fn no_origin_but_root_reaches_what_is_roots() {
	development(|| {
		let treasury = gridproof_runtime::configs::TreasuryAccount::get();
		let origins: [(&str, RuntimeOrigin); 8] = [
			("standard", pallet_origin(Origin::Standard)),
			("emergency", pallet_origin(Origin::Emergency)),
			("committee", pallet_origin(Origin::Committee)),
			("motion", pallet_origin(Motion::Members(1, 1))),
			("member", pallet_origin(Motion::Member(Ferdie.to_account_id()))),
			("treasury", RuntimeOrigin::signed(treasury)),
			("a signer", signed(Bob)),
			("nobody", RuntimeOrigin::none()),
		];
		for (who, origin) in origins {
			let reached = reached(|| origin.clone());
			let roots: Vec<_> = reached.iter().filter(|name| is_roots(name)).collect();
			assert!(roots.is_empty(), "{who} reaches {roots:?}");
		}
		let roots = reached(RuntimeOrigin::root);
		assert!(roots.iter().filter(|name| is_roots(name)).count() >= 8, "{roots:?}");
	});
}

#[test]
fn a_batch_of_the_standard_track_reaches_no_more_than_the_track() {
	development(|| {
		let inners: Vec<RuntimeCall> = vec![
			frame_system::Call::set_storage { items: vec![] }.into(),
			frame_system::Call::authorize_upgrade { code_hash: Default::default() }.into(),
			pallet_sudo::Call::set_key { new: MultiAddress::Id(Bob.to_account_id()) }.into(),
		];
		for inner in inners {
			let origin = || pallet_origin(Origin::Standard);
			let batch = pallet_utility::Call::batch_all { calls: vec![inner.clone()] };
			assert!(RuntimeCall::from(batch).dispatch(origin()).is_err());
			let weighed = pallet_utility::Call::with_weight {
				call: Box::new(inner),
				weight: Default::default(),
			};
			assert!(RuntimeCall::from(weighed).dispatch(origin()).is_err());
		}
	});
}

#[test]
fn what_the_emergency_track_may_do_is_a_part_of_what_the_standard_one_may() {
	use frame_support::traits::Contains;
	use gridproof_runtime::configs::{EmergencyCalls, GovernedCalls};
	development(|| {
		let standard = set(&[GOVERNED, &["TxPause.unpause"]]);
		let mut lifts = BTreeSet::new();
		for call in every_call() {
			if EmergencyCalls::contains(&call) {
				assert!(standard.contains(&name(&call)), "{}", name(&call));
				lifts.insert(name(&call));
			}
		}
		assert!(lifts.contains("SafeMode.force_exit") && lifts.contains("ComputeReceipts.ban"));
		assert!(!lifts.contains("SafeMode.force_enter"));
		// What continues in safe mode for governance is governance's, or is in its own pallets.
		let signed_too = [
			"decommission_meter",
			"correct_meter",
			"reinstate_meter",
			"set_organisation_admin",
			"suspend_meter",
		];
		for call in every_call() {
			let full = name(&call);
			let (_, short) = full.split_once('.').expect("two names");
			if standard.contains(&full) {
				let goes_on = GovernedCalls::contains(&call);
				assert_eq!(goes_on, !signed_too.contains(&short), "{full}");
			}
		}
	});
}
