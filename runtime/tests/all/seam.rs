//! What this crate says of the pallets, compared with the runtime itself: a call, an argument, a
//! function, an event, a field, an error or a number that changes there fails here, before a program
//! takes one for another.

use codec::{Decode, DecodeAll, Encode};
use frame_support::traits::fungible::NativeOrWithId;
use gridproof_chain::{
	Call, ChainError, Query, Refusal,
	event::{Event, RawEvent},
	pallets::{
		assets, attestations, authorities, balances, brakes, compute_checks, compute_receipts,
		conviction_voting, coverage_policy, governance, meter_readings, model_registry, multisig,
		preimage, referenda, safe_mode, session, sudo, system, transaction_payment, treasury,
		tx_pause, utility,
	},
	refusal::PoolRefusal,
};
use gridproof_keys::account::AccountSignature;
use gridproof_primitives::{
	H256,
	compute::channels::{
		self, ChannelEvidence, ChannelParameters, ChannelReceipt, ChannelTerms, MinerSums, Placed,
		SettlementBatch,
	},
	compute::checks::{BatchId, Part},
	compute::registry::{EngineClass, ModelDescription, ModelName, ModelTerms, NewModel, Pending},
	compute::{
		AitPerAicp, Breaker as ComputeBreaker, Class, ComputeParameters, PartyRole, PriceAsset,
		Quote, ReceiptRefusal, SignedAssignment, SignedHeartbeat, SignedReceipt,
	},
	energy::{
		AnchorState, BatchHeader, BatchRefusal, Certification, MeterName, NewDevice,
		OrganisationStanding, Registers, SealId, SerialNumber, SignedBatch, Suspension,
	},
	num::decimal::SignedRatio,
	reserve::{
		archive::ArchiveProof,
		attestation::{AttestationFields, Kind, Role, RoleSignature},
		parameters::PolicyParameters,
		state::{Breaker, WhatIf},
	},
	time::day::Day,
};
use gridproof_runtime::{
	AccountId, BuildStorage, Executive, OriginCaller, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeGenesisConfig, TxExtension, UncheckedExtrinsic,
	apis::api,
	genesis_presets::{DEVELOPMENT, get_preset},
};
use sp_runtime::{
	generic::Era,
	traits::TrailingZeroInput,
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};
use std::collections::BTreeSet;
use subxt::Metadata;

/// A value of SCALE zeros.
fn zeros<T: Decode>() -> T {
	T::decode(&mut TrailingZeroInput::zeroes()).expect("zeros make one")
}

/// The same bytes as another type.
fn scale<T: Decode>(value: &impl Encode) -> T {
	T::decode_all(&mut &value.encode()[..]).expect("the two types have one form")
}

fn account(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

fn metadata() -> Metadata {
	let bytes = Runtime::metadata_at_version(15).expect("the runtime has this version");
	Metadata::decode_all(&mut &bytes[..]).expect("it is metadata")
}

fn day() -> Day {
	Day::parse("2026-01-15").expect("a day")
}

/// The calls of this crate, each with the encoding by the runtime for the same arguments.
fn calls() -> Vec<(Call, RuntimeCall)> {
	let mut all = Vec::new();
	all.extend(attestation_calls());
	all.extend(coverage_calls());
	all.extend(meter_calls());
	all.extend(compute_calls());
	all.extend(model_calls());
	all.extend(check_calls());
	all.extend(other_calls());
	all.extend(governing_calls());
	all.extend(referendum_calls());
	all
}

fn attestation_calls() -> Vec<(Call, RuntimeCall)> {
	use attestations::call;
	use pallet_attestations::Call as Theirs;
	let fields = AttestationFields::example(day());
	let (digest, key) = (H256([3; 32]), [4; 32]);
	let signatures = [Role::Data, Role::Ops].map(|role| RoleSignature { role, signature: [5; 64] });
	let submit = Theirs::submit {
		fields: Box::new(fields.clone()),
		digest,
		signatures: signatures.to_vec().try_into().expect("two"),
	};
	let (role, kind) = (Role::Risk, Kind::Reserve);
	vec![
		(call::submit(&fields, digest, &signatures), submit.into()),
		(call::rotate_key(role, Some(key)), Theirs::rotate_key { role, key: Some(key) }.into()),
		(call::pause(), Theirs::pause {}.into()),
		(call::resume(), Theirs::resume {}.into()),
		(call::set_kind_open(kind, true), Theirs::set_kind_open { kind, open: true }.into()),
		(
			call::stop_mint(role, 3, &[5; 64]),
			Theirs::stop_mint { role, number: 3, signature: [5; 64] }.into(),
		),
		(
			call::lift_stop(role, 3, &signatures),
			Theirs::lift_stop {
				role,
				number: 3,
				signatures: signatures.to_vec().try_into().expect("two"),
			}
			.into(),
		),
		(call::prolong_stop(role, 3), Theirs::prolong_stop { role, number: 3 }.into()),
		(call::end_stop(role, 3), Theirs::end_stop { role, number: 3 }.into()),
	]
}

fn coverage_calls() -> Vec<(Call, RuntimeCall)> {
	use coverage_policy::call;
	use pallet_coverage_policy::Call as Theirs;
	let (statement, parameters) = (H256([6; 32]), PolicyParameters::default());
	let mint = Theirs::mint { amount: 7, statement };
	let breaker = Breaker::AllStopped;
	vec![
		(call::mint(7, statement), mint.into()),
		(call::redeem(9, 10), Theirs::redeem { amount: 9, min_credit: 10 }.into()),
		(call::serve(11), Theirs::serve { tickets: 11 }.into()),
		(call::close_account([12; 32]), Theirs::close_account { who: account(12) }.into()),
		(
			call::set_parameters(&parameters),
			Theirs::set_parameters { new: Box::new(parameters) }.into(),
		),
		(call::set_issuer(Some([13; 32])), Theirs::set_issuer { new: Some(account(13)) }.into()),
		(call::set_breaker(breaker), Theirs::set_breaker { new: breaker }.into()),
	]
}

fn meter_calls() -> Vec<(Call, RuntimeCall)> {
	use meter_readings::call;
	use pallet_meter_readings::{BatchReference, Call as Theirs};
	let (batch, header): (SignedBatch, BatchHeader) = (zeros(), zeros());
	let seal: SealId = b"S-1".to_vec().try_into().expect("short");
	let serial: SerialNumber = b"ACME-1".to_vec().try_into().expect("short");
	let (certification, signature): (Certification<[u8; 32]>, _) = (zeros(), [14; 64]);
	let registers = Registers { import_wh: 15, export_wh: 16 };
	let state = AnchorState::Broadcast { txid: H256([17; 32]) };
	let (root, leaf, proof) = (H256([18; 32]), b"{}".to_vec(), vec![H256([19; 32])]);
	let new =
		|consent| NewDevice { device: [20; 32], valid_until_ms: 21, consent, possession: [23; 64] };
	let standing = OrganisationStanding::Admitted;
	let limits: meter_readings::Limits = zeros();
	let mut all = vec![
		(
			call::submit_batches(std::slice::from_ref(&batch)),
			Theirs::submit_batches { batches: vec![batch].try_into().expect("one") }.into(),
		),
		(
			call::register_organisation("Sparks"),
			Theirs::register_organisation { name: scale(&b"Sparks".to_vec()) }.into(),
		),
		(call::dissolve_organisation(1), Theirs::dissolve_organisation { organisation: 1 }.into()),
		(
			call::add_member(1, [2; 32]),
			Theirs::add_member { organisation: 1, who: account(2) }.into(),
		),
		(
			call::remove_member(1, [2; 32]),
			Theirs::remove_member { organisation: 1, who: account(2) }.into(),
		),
		(
			call::set_organisation_standing(1, standing),
			Theirs::set_organisation_standing { organisation: 1, standing }.into(),
		),
		(
			call::suspend_meter(3, Suspension::LostKey),
			Theirs::suspend_meter { meter: 3, reason: Suspension::LostKey }.into(),
		),
		(
			call::reinstate_meter(3, &seal),
			Theirs::reinstate_meter { meter: 3, seal: seal.clone() }.into(),
		),
		(call::decommission_meter(3), Theirs::decommission_meter { meter: 3 }.into()),
		(
			call::exchange_meter(3, registers, (&serial, &seal), None),
			Theirs::exchange_meter {
				meter: 3,
				registers,
				serial: serial.clone(),
				seal: seal.clone(),
				device: None,
			}
			.into(),
		),
		(
			call::verify_recent_reading((3, 4), &leaf, 5, &proof),
			Theirs::verify_reading {
				batch: BatchReference::Recent { meter: 3, sequence: 4 },
				leaf: leaf.clone().try_into().expect("short"),
				index: 5,
				proof: proof.clone().try_into().expect("short"),
			}
			.into(),
		),
		(
			call::verify_older_reading(std::slice::from_ref(&header), &leaf, 5, &proof),
			Theirs::verify_reading {
				batch: BatchReference::Chain(vec![header].try_into().expect("one")),
				leaf: leaf.try_into().expect("short"),
				index: 5,
				proof: proof.try_into().expect("short"),
			}
			.into(),
		),
		(
			call::record_anchor(3, 4, root, &state),
			Theirs::record_anchor { meter: 3, sequence: 4, root, state }.into(),
		),
		(
			call::set_recorder([2; 32], true),
			Theirs::set_recorder { who: account(2), appointed: true }.into(),
		),
		(call::set_limits(&limits), Theirs::set_limits { limits: scale(&limits) }.into()),
		(call::pause(), Theirs::pause {}.into()),
		(call::resume(), Theirs::resume {}.into()),
		(call::admit_meter(3), Theirs::admit_meter { meter: 3 }.into()),
		(call::correct_meter(3, 24), Theirs::correct_meter { meter: 3, wh: 24 }.into()),
		(
			call::set_organisation_admin(1, [2; 32]),
			Theirs::set_organisation_admin { organisation: 1, new: account(2) }.into(),
		),
	];
	let signatures = [
		(AccountSignature::Ed25519(signature), scale(&(0u8, signature))),
		(AccountSignature::Sr25519(signature), scale(&(1u8, signature))),
		(AccountSignature::Ecdsa([22; 65]), scale(&(2u8, [22u8; 65]))),
	];
	for (ours, theirs) in signatures {
		let theirs: sp_runtime::MultiSignature = theirs;
		all.push((
			call::certify_meter(1, &certification, &ours, &[23; 64]),
			Theirs::certify_meter {
				organisation: 1,
				certification: Box::new(scale(&certification)),
				consent: Box::new(theirs.clone()),
				possession: [23; 64],
			}
			.into(),
		));
		all.push((
			call::exchange_meter(3, registers, (&serial, &seal), Some(&new(ours))),
			Theirs::exchange_meter {
				meter: 3,
				registers,
				serial: serial.clone(),
				seal: seal.clone(),
				device: Some(Box::new(NewDevice {
					device: [20; 32],
					valid_until_ms: 21,
					consent: theirs,
					possession: [23; 64],
				})),
			}
			.into(),
		));
	}
	all
}

fn compute_calls() -> Vec<(Call, RuntimeCall)> {
	use compute_receipts::call;
	use pallet_compute_receipts::Call as Theirs;
	let (key, proof, job_id) = ([1; 32], [2; 64], H256([3; 32]));
	let (quote, parameters): (Quote, _) = (zeros(), ComputeParameters::default());
	let (receipt, heartbeat): (SignedReceipt, SignedHeartbeat) = (zeros(), zeros());
	let (assignment, evidence): (SignedAssignment, _) = (zeros(), zeros());
	let (terms, batch): (ChannelTerms, SettlementBatch) = (zeros(), zeros());
	let new_channels = ChannelParameters::default();
	let (demanded, answer): (ChannelReceipt, Placed<ChannelReceipt>) = (zeros(), zeros());
	let lie: ChannelEvidence = zeros();
	let waiting = BatchId { coordinator: [9; 32], sequence: 4 };
	let breaker = ComputeBreaker::AllStopped;
	let rate = Some(AitPerAicp { ait: 5, aicp: 6 });
	vec![
		(call::admit_coordinator(&key), Theirs::admit_coordinator { key }.into()),
		(call::exclude_coordinator(&key), Theirs::exclude_coordinator { key }.into()),
		(call::stay(&key), Theirs::stay { key }.into()),
		(
			call::exchange_key(&key, &key, &proof),
			Theirs::exchange_key { key, new: key, proof }.into(),
		),
		(call::keep_key(&key), Theirs::keep_key { key }.into()),
		(call::complete_exchange(&key), Theirs::complete_exchange { key }.into()),
		(call::ban(&key, 7), Theirs::ban { key, until_ms: 7 }.into()),
		(call::forfeit(&key), Theirs::forfeit { key }.into()),
		(call::set_reference_rate(rate), Theirs::set_reference_rate { new: rate }.into()),
		(
			call::register_coordinator(&key, &proof),
			Theirs::register_coordinator { key, proof }.into(),
		),
		(
			call::register_miner(&key, Class::Cpu, &proof),
			Theirs::register_miner { key, class: Class::Cpu, proof }.into(),
		),
		(call::raise_bond(&key, 4), Theirs::raise_bond { key, amount: 4 }.into()),
		(call::leave(&key), Theirs::leave { key }.into()),
		(call::withdraw(&key), Theirs::withdraw { key }.into()),
		(
			call::open_job(&quote, &proof),
			Theirs::open_job { quote: Box::new(quote), signature: proof }.into(),
		),
		(
			call::claim_receipts(std::slice::from_ref(&receipt)),
			Theirs::claim_receipts { receipts: vec![receipt].try_into().expect("one") }.into(),
		),
		(call::cancel_job(job_id), Theirs::cancel_job { job_id }.into()),
		(call::open_channel(&terms), Theirs::open_channel { terms: Box::new(terms) }.into()),
		(call::top_up(8, 9), Theirs::top_up { channel: 8, amount: 9 }.into()),
		(
			call::renew_plan(8, PriceAsset::Ait, 9, 10),
			Theirs::renew_plan { channel: 8, amount: 9, plan_ends_ms: 10 }.into(),
		),
		(call::close_channel(8), Theirs::close_channel { channel: 8 }.into()),
		(
			call::return_rests(&[8]),
			Theirs::return_rests { channels: vec![8].try_into().expect("one") }.into(),
		),
		(
			call::settle_batch(&batch),
			Theirs::settle_batch { batch: Box::new(batch.clone()) }.into(),
		),
		(
			call::set_channel_parameters(&new_channels),
			Theirs::set_channel_parameters { new: Box::new(new_channels) }.into(),
		),
		(
			call::demand_receipt(&demanded, &[9; 64]),
			Theirs::demand_receipt { receipt: Box::new(demanded), signature: [9; 64] }.into(),
		),
		(
			call::answer_demand(&[8; 32], &answer, &[batch.header]),
			Theirs::answer_demand {
				coordinator: [8; 32],
				answer: Box::new(answer.clone()),
				headers: Box::new(vec![batch.header].try_into().expect("one")),
			}
			.into(),
		),
		(
			call::report_channel_offence(&[8; 32], &lie),
			Theirs::report_channel_offence {
				coordinator: [8; 32],
				evidence: Box::new(lie.clone()),
			}
			.into(),
		),
		(
			call::release_waiting(&[Part::Coordinator(waiting)]),
			Theirs::release_waiting {
				parts: vec![Part::Coordinator(waiting)].try_into().expect("one"),
			}
			.into(),
		),
		(
			call::return_to_clients(&waiting, &[8]),
			Theirs::return_to_clients {
				batch: waiting,
				channels: vec![8].try_into().expect("one"),
			}
			.into(),
		),
		(
			call::sign_line(&waiting, &[7; 32], &proof),
			Theirs::sign_line { batch: waiting, miner: [7; 32], signature: proof }.into(),
		),
		(
			call::lapse_demand(&[8; 32], job_id),
			Theirs::lapse_demand { coordinator: [8; 32], id: job_id }.into(),
		),
		(
			call::assign_job(&assignment),
			Theirs::assign_job { assignment: Box::new(assignment) }.into(),
		),
		(
			call::release_job(job_id, &proof),
			Theirs::release_job { job_id, signature: proof }.into(),
		),
		(
			call::expire_jobs(&[job_id]),
			Theirs::expire_jobs { jobs: vec![job_id].try_into().expect("one") }.into(),
		),
		(
			call::heartbeats(std::slice::from_ref(&heartbeat)),
			Theirs::heartbeats { heartbeats: vec![heartbeat].try_into().expect("one") }.into(),
		),
		(
			call::claim_emission(&[key]),
			Theirs::claim_emission { parties: vec![key].try_into().expect("one") }.into(),
		),
		(
			call::report_offence(&evidence),
			Theirs::report_offence { evidence: Box::new(evidence) }.into(),
		),
		(call::apply_slashes(&key), Theirs::apply_slashes { key }.into()),
		(call::call_off_slashes(&key), Theirs::call_off_slashes { key }.into()),
		(
			call::set_parameters(&parameters),
			Theirs::set_parameters { new: Box::new(parameters) }.into(),
		),
		(call::set_breaker(breaker), Theirs::set_breaker { new: breaker }.into()),
	]
}

/// A model that is to be added.
fn new_model() -> NewModel {
	let name = ModelName::new("Some/Model-1b").expect("a name");
	let (weights, tokenizer, template) = (H256([1; 32]), H256([2; 32]), Some(H256([3; 32])));
	let description = ModelDescription { name, weights, tokenizer, template };
	let terms = ModelTerms { factor: 2_500, engine: EngineClass::Seeded };
	NewModel { description, context: 4_096, terms }
}

fn model_calls() -> Vec<(Call, RuntimeCall)> {
	use model_registry::call;
	use pallet_model_registry::Call as Theirs;
	let (model, new) = (H256([4; 32]), new_model());
	let terms = ModelTerms { factor: 5, engine: EngineClass::Exact };
	let mut all = vec![
		(call::propose_add(&new), Theirs::propose_add { new: Box::new(new) }.into()),
		(call::propose_change(model, terms), Theirs::propose_change { model, terms }.into()),
		(call::propose_retire(model), Theirs::propose_retire { model }.into()),
		(call::propose_resume(model), Theirs::propose_resume { model }.into()),
		(call::propose_default(None), Theirs::propose_default { model: None }.into()),
		(call::propose_default(Some(model)), Theirs::propose_default { model: Some(model) }.into()),
		(call::propose_delay(7), Theirs::propose_delay { delay_ms: 7 }.into()),
		(call::stop(model), Theirs::stop { model }.into()),
		(call::forget(model), Theirs::forget { model }.into()),
	];
	for pending in [Pending::Model(model), Pending::Default, Pending::Delay] {
		all.push((call::call_off(pending), Theirs::call_off { pending }.into()));
	}
	all
}

fn check_calls() -> Vec<(Call, RuntimeCall)> {
	use compute_checks::call;
	use gridproof_primitives::compute::checks::{BatchId, CheckId, CheckParameters, ModelLine};
	use pallet_compute_checks::Call as Theirs;
	let batch = BatchId { coordinator: [5; 32], sequence: 6 };
	let check = CheckId { batch, verifier: [7; 32], check: 8 };
	vec![
		(
			call::set_parameters(&CheckParameters::default()),
			Theirs::set_parameters { new: Box::new(CheckParameters::default()) }.into(),
		),
		(
			call::set_line(H256([4; 32]), Some(ModelLine::EXACT)),
			Theirs::set_line { model: H256([4; 32]), line: Some(ModelLine::EXACT) }.into(),
		),
		(call::admit_verifier([3; 32]), Theirs::admit_verifier { account: account(3) }.into()),
		(call::dismiss_verifier([3; 32]), Theirs::dismiss_verifier { account: account(3) }.into()),
		(call::suspend_verifier([3; 32]), Theirs::suspend_verifier { account: account(3) }.into()),
		(
			call::register_verifier(&[1; 32], &[2; 64]),
			Theirs::register_verifier { key: [1; 32], proof: [2; 64] }.into(),
		),
		(
			call::exchange_key(&[1; 32], &[2; 64]),
			Theirs::exchange_key { key: [1; 32], proof: [2; 64] }.into(),
		),
		(call::raise_bond(7), Theirs::raise_bond { amount: 7 }.into()),
		(call::leave(), Theirs::leave {}.into()),
		(call::withdraw_bond(), Theirs::withdraw_bond {}.into()),
		(call::touch(batch), Theirs::touch { batch }.into()),
		(
			call::report_check(&zeros(), &[2; 64]),
			Theirs::report_check { report: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(
			call::reopen(&zeros(), &[2; 64]),
			Theirs::reopen { reopening: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(
			call::show_figures(&zeros(), &[2; 64]),
			Theirs::show_figures { shown: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(call::close_reopening(check), Theirs::close_reopening { check }.into()),
		(
			call::demand_opening(&zeros(), &[2; 64]),
			Theirs::demand_opening { demand: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(
			call::witness(&zeros(), &[2; 64]),
			Theirs::witness { statement: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(call::close_demand(check), Theirs::close_demand { check }.into()),
		(
			call::dispute_receipt(batch, &zeros()),
			Theirs::dispute_receipt { batch, receipt: Box::new(zeros()) }.into(),
		),
		(
			call::commit_vote(&zeros(), &[2; 64]),
			Theirs::commit_vote { commitment: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(
			call::name_receipt(check, &zeros()),
			Theirs::name_receipt { check, receipt: Box::new(zeros()) }.into(),
		),
		(
			call::abstain(&zeros(), &[2; 64]),
			Theirs::abstain { abstention: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(
			call::reveal_vote(&zeros(), &[2; 64]),
			Theirs::reveal_vote { ballot: Box::new(zeros()), signature: [2; 64] }.into(),
		),
		(
			call::close_dispute(H256([4; 32])),
			Theirs::close_dispute { dispute: H256([4; 32]) }.into(),
		),
		(call::settle_checks(batch), Theirs::settle_checks { batch }.into()),
		(call::pay_checks(7), Theirs::pay_checks { day: 7 }.into()),
	]
}

fn other_calls() -> Vec<(Call, RuntimeCall)> {
	use sp_runtime::MultiAddress::Id;
	let (to, id) = (Id(account(1)), codec::Compact(2));
	let keep = |value| pallet_balances::Call::transfer_keep_alive { dest: Id(account(1)), value };
	let remark = |byte| frame_system::Call::remark { remark: vec![byte] };
	let ours = || vec![balances::call::transfer_keep_alive([1; 32], 3), system::call::remark(&[4])];
	let theirs = || vec![keep(3).into(), remark(4).into()];
	vec![
		(balances::call::transfer_keep_alive([1; 32], 3), keep(3).into()),
		(
			balances::call::transfer_allow_death([1; 32], 3),
			pallet_balances::Call::transfer_allow_death { dest: to.clone(), value: 3 }.into(),
		),
		(
			assets::call::transfer(2, [1; 32], 3),
			pallet_assets::Call::transfer { id, target: to.clone(), amount: 3 }.into(),
		),
		(
			assets::call::transfer_keep_alive(2, [1; 32], 3),
			pallet_assets::Call::transfer_keep_alive { id, target: to, amount: 3 }.into(),
		),
		(
			multisig::call::as_multi_threshold_1([5; 32], system::call::remark(&[4])),
			pallet_multisig::Call::as_multi_threshold_1 {
				other_signatories: vec![account(5)],
				call: Box::new(remark(4).into()),
			}
			.into(),
		),
		(
			sudo::call::sudo(system::call::remark(&[4])),
			pallet_sudo::Call::sudo { call: Box::new(remark(4).into()) }.into(),
		),
		(
			treasury::call::spend(1, 6, [7; 32]),
			pallet_treasury::Call::spend {
				asset_kind: Box::new(NativeOrWithId::WithId(1)),
				amount: 6,
				beneficiary: Box::new(account(7)),
				valid_from: None,
			}
			.into(),
		),
		(treasury::call::payout(8), pallet_treasury::Call::payout { index: 8 }.into()),
		(
			utility::call::batch_all(ours()),
			pallet_utility::Call::batch_all { calls: theirs() }.into(),
		),
		(
			utility::call::force_batch(ours()),
			pallet_utility::Call::force_batch { calls: theirs() }.into(),
		),
		(system::call::remark(&[4]), remark(4).into()),
	]
}

fn governing_calls() -> Vec<(Call, RuntimeCall)> {
	use frame_support::weights::Weight;
	use pallet_multisig::{Call as Multisig, Timepoint};
	use sp_runtime::MultiAddress::Id;
	let remark = |byte| frame_system::Call::<Runtime>::remark { remark: vec![byte] };
	let when = multisig::Timepoint { height: 7, index: 2 };
	let theirs = Timepoint { height: 7, index: 2 };
	let others = [[1; 32], [2; 32]];
	let accounts = || vec![account(1), account(2)];
	let as_multi = |maybe_timepoint| Multisig::<Runtime>::as_multi {
		threshold: 2,
		other_signatories: accounts(),
		maybe_timepoint,
		call: Box::new(remark(4).into()),
		max_weight: Weight::from_parts(1_000_000_000_007, 70_000),
	};
	let weight = (1_000_000_000_007, 70_000);
	let ours =
		|when| multisig::call::as_multi(2, &others, when, system::call::remark(&[4]), weight);
	let (aura, grandpa) = ([5u8; 32], [6u8; 32]);
	let keys = [aura, grandpa].concat();
	let whole = RuntimeCall::from(remark(9));
	let full_name: (Vec<u8>, Vec<u8>) = (b"Balances".to_vec(), b"burn".to_vec());
	vec![
		(ours(None), as_multi(None).into()),
		(ours(Some(when)), as_multi(Some(theirs)).into()),
		(
			multisig::call::as_one_of(&others, system::call::remark(&[4])),
			Multisig::<Runtime>::as_multi_threshold_1 {
				other_signatories: accounts(),
				call: Box::new(remark(4).into()),
			}
			.into(),
		),
		(
			multisig::call::cancel_as_multi(2, &others, when, [8; 32]),
			Multisig::<Runtime>::cancel_as_multi {
				threshold: 2,
				other_signatories: accounts(),
				timepoint: theirs,
				call_hash: [8; 32],
			}
			.into(),
		),
		(
			session::call::set_keys(&keys, &[7, 8], true),
			pallet_session::Call::<Runtime>::set_keys {
				keys: scale(&(aura, grandpa)),
				proof: vec![7, 8],
			}
			.into(),
		),
		(
			authorities::call::let_in([3; 32]),
			pallet_authorities::Call::<Runtime>::let_in { who: account(3) }.into(),
		),
		(
			brakes::call::set_emergency_account(Some([3; 32])),
			pallet_brakes::Call::<Runtime>::set_emergency_account { new: Some(account(3)) }.into(),
		),
		(
			governance::call::stop(safe_mode::call::force_enter()),
			pallet_governance::Call::<Runtime>::stop {
				call: Box::new(pallet_safe_mode::Call::<Runtime>::force_enter {}.into()),
			}
			.into(),
		),
		(
			governance::call::lift(safe_mode::call::force_exit()),
			pallet_governance::Call::<Runtime>::lift {
				call: Box::new(pallet_safe_mode::Call::<Runtime>::force_exit {}.into()),
			}
			.into(),
		),
		(safe_mode::call::force_enter(), pallet_safe_mode::Call::<Runtime>::force_enter {}.into()),
		(safe_mode::call::force_exit(), pallet_safe_mode::Call::<Runtime>::force_exit {}.into()),
		(
			tx_pause::call::pause("Balances", "burn"),
			pallet_tx_pause::Call::<Runtime>::pause { full_name: scale(&full_name) }.into(),
		),
		(
			tx_pause::call::unpause("Balances", "burn"),
			pallet_tx_pause::Call::<Runtime>::unpause { ident: scale(&full_name) }.into(),
		),
		(
			sudo::call::set_key([3; 32]),
			pallet_sudo::Call::<Runtime>::set_key { new: Id(account(3)) }.into(),
		),
		(
			system::call::authorize_upgrade(H256([4; 32])),
			frame_system::Call::<Runtime>::authorize_upgrade { code_hash: sp_core::H256([4; 32]) }
				.into(),
		),
		(
			system::call::apply_authorized_upgrade(&[5, 6]),
			frame_system::Call::<Runtime>::apply_authorized_upgrade { code: vec![5, 6] }.into(),
		),
		(
			treasury::call::spend_native(6, [7; 32]),
			pallet_treasury::Call::<Runtime>::spend {
				asset_kind: Box::new(NativeOrWithId::Native),
				amount: 6,
				beneficiary: Box::new(account(7)),
				valid_from: None,
			}
			.into(),
		),
		(Call::whole(whole.encode()), whole),
	]
}

fn referendum_calls() -> Vec<(Call, RuntimeCall)> {
	use conviction_voting::call as vote;
	use frame_support::traits::{Bounded, schedule::DispatchTime};
	use pallet_conviction_voting::{AccountVote, Call as Voting, Conviction, Vote};
	use pallet_governance::Origin;
	use referenda::{Proposal, Track, call};
	use sp_runtime::MultiAddress::Id;
	let submit = |origin: OriginCaller, proposal| -> RuntimeCall {
		pallet_referenda::Call::<Runtime>::submit {
			proposal_origin: Box::new(origin),
			proposal,
			enactment_moment: DispatchTime::After(0),
		}
		.into()
	};
	let (inline, hash) = (vec![0, 0, 4, 7], sp_core::H256([5; 32]));
	let theirs = Bounded::Inline(inline.clone().try_into().expect("it is short"));
	let conviction = Conviction::Locked1x;
	let plain = |aye| Voting::<Runtime>::vote {
		poll_index: 3,
		vote: AccountVote::Standard { vote: Vote { aye, conviction }, balance: 9 },
	};
	vec![
		(
			call::submit(Track::Standard, &Proposal::Call(inline)),
			submit(Origin::Standard.into(), theirs),
		),
		(
			call::submit(Track::Root, &Proposal::Preimage { hash: hash.0, length: 6 }),
			submit(frame_system::RawOrigin::Root.into(), Bounded::Lookup { hash, len: 6 }),
		),
		(
			call::submit(Track::Emergency, &Proposal::Hash(hash.0)),
			submit(Origin::Emergency.into(), Bounded::Legacy { hash, dummy: Default::default() }),
		),
		(
			call::place_decision_deposit(3),
			pallet_referenda::Call::<Runtime>::place_decision_deposit { index: 3 }.into(),
		),
		(
			call::refund_decision_deposit(3),
			pallet_referenda::Call::<Runtime>::refund_decision_deposit { index: 3 }.into(),
		),
		(
			call::refund_submission_deposit(3),
			pallet_referenda::Call::<Runtime>::refund_submission_deposit { index: 3 }.into(),
		),
		(vote::vote(3, true, 9), plain(true).into()),
		(vote::vote(3, false, 9), plain(false).into()),
		(
			vote::remove_vote(None, 3),
			Voting::<Runtime>::remove_vote { class: None, index: 3 }.into(),
		),
		(
			vote::remove_vote(Some(Track::Root), 3),
			Voting::<Runtime>::remove_vote { class: Some(1), index: 3 }.into(),
		),
		(
			vote::delegate(Track::Emergency, [3; 32], 9),
			Voting::<Runtime>::delegate { class: 2, to: Id(account(3)), conviction, balance: 9 }
				.into(),
		),
		(vote::undelegate(Track::Standard), Voting::<Runtime>::undelegate { class: 0 }.into()),
		(
			vote::unlock(Track::Standard, [3; 32]),
			Voting::<Runtime>::unlock { class: 0, target: Id(account(3)) }.into(),
		),
		(
			preimage::call::note_preimage(&[5, 6]),
			pallet_preimage::Call::<Runtime>::note_preimage { bytes: vec![5, 6] }.into(),
		),
	]
}

/// Our pallets' names.
const OURS: [&str; 6] = [
	"Attestations",
	"CoveragePolicy",
	"MeterReadings",
	"ComputeReceipts",
	"ModelRegistry",
	"ComputeChecks",
];

#[test]
fn calls_are_encoded_as_the_runtime_does() {
	let metadata = metadata();
	for (ours, theirs) in calls() {
		assert_eq!(ours.encode_for(&metadata), Ok(theirs.encode()), "{ours}");
	}
}

#[test]
fn what_a_call_takes_is_what_the_runtime_holds() {
	use gridproof_runtime::constants::currency::{AIT, deposit};
	let (metadata, parameters) = (metadata(), ComputeParameters::default());
	for (call, _) in calls() {
		for takes in call.takes() {
			takes.amount(&metadata, &parameters).unwrap_or_else(|error| panic!("{call}: {error}"));
		}
	}
	let taken = |call: Call| -> u128 {
		let amounts = call.takes().into_iter();
		amounts.map(|takes| takes.amount(&metadata, &parameters).expect("a constant")).sum()
	};
	let key = [1; 32];
	assert_eq!(
		taken(compute_receipts::call::register_miner(&key, Class::Cpu, &[2; 64])),
		100 * AIT
	);
	assert_eq!(taken(compute_receipts::call::register_coordinator(&key, &[2; 64])), 1_000 * AIT);
	let paid = Quote { asset: PriceAsset::Ait, price: 7, ..zeros() };
	let in_credit = Quote { asset: PriceAsset::ServiceCredit, ..paid.clone() };
	assert_eq!(taken(compute_receipts::call::open_job(&paid, &[2; 64])), AIT / 2 + 7);
	assert_eq!(taken(compute_receipts::call::open_job(&in_credit, &[2; 64])), AIT / 2);
	let rows = <Runtime as pallet_compute_receipts::Config>::ChannelDeposit::get();
	let terms = ChannelTerms { deposit: 7, ..zeros() };
	assert_eq!(taken(compute_receipts::call::open_channel(&terms)), rows + 7);
	let signature = AccountSignature::Ed25519([3; 64]);
	let meter = meter_readings::call::certify_meter(1, &zeros(), &signature, &[2; 64]);
	let deposit_of_one = <Runtime as pallet_meter_readings::Config>::MeterDeposit::get();
	assert_eq!(taken(meter.clone()), deposit_of_one);
	assert_eq!(taken(session::call::set_keys(&[], &[], true)), deposit(2, 2 * (32 + 32 + 4)));
	assert_eq!(taken(session::call::set_keys(&[], &[], false)), 0, "it is held already");
	let rest = system::call::remark(&[4]);
	let proposal = multisig::call::as_multi(3, &[key], None, rest, (1, 1));
	assert_eq!(taken(proposal), deposit(1, 88) + 3 * deposit(0, 32));
	// What others pay, or nobody, is not asked of who signs.
	assert_eq!(taken(sudo::call::sudo(meter.clone())), 0);
	let both = utility::call::batch_all(vec![meter.clone(), meter.clone()]);
	assert_eq!(taken(both), 2 * taken(meter));
}

#[test]
fn what_a_call_weighs_and_costs_is_read_as_the_runtime_answers() {
	use transaction_payment::{Price, query};
	let metadata = metadata();
	let asked = |query: Query<Price>| {
		let answer = api::dispatch(query.function(), query.arguments()).expect("there is one");
		query.answer(&answer, &metadata).expect("it has this form")
	};
	development(|| {
		let call = RuntimeCall::from(frame_system::Call::<Runtime>::remark { remark: vec![1; 40] });
		let alone = asked(query::call_price(&call.encode()));
		assert!(alone.time.0 > 0 && alone.fee > 0, "{alone:?}");
		assert_eq!(alone.class, 0, "it is an ordinary one");
		let sent = asked(query::price(&UncheckedExtrinsic::new_bare(call).encode()));
		assert_eq!(sent.fee, 0, "nobody signs it, and nobody pays");
	});
}

#[test]
fn an_account_of_several_is_the_runtimes_in_any_order() {
	let [one, two, three] = [[1; 32], [2; 32], [3; 32]];
	let sorted = [account(1), account(2), account(3)];
	for threshold in 1..=3 {
		let theirs = pallet_multisig::Pallet::<Runtime>::multi_account_id(&sorted, threshold);
		assert_eq!(AccountId::new(multisig::account(&[three, one, two], threshold)), theirs);
	}
}

#[test]
fn what_waits_for_signers_is_read_as_the_runtime_keeps_it() {
	use pallet_multisig::{Call as Multisig, Multisigs};
	use sp_runtime::traits::Dispatchable;
	development(|| {
		let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
		let wrapped = sudo::call::sudo(system::call::remark(&[4]));
		let others: [[u8; 32]; 1] = [[1; 32]];
		let call = multisig::call::as_multi(2, &others, None, wrapped.clone(), (1_000_000, 0));
		let bytes = call.encode_for(&metadata()).expect("the runtime has it");
		let theirs = RuntimeCall::decode_all(&mut &bytes[..]).expect("it is a call");
		assert!(matches!(theirs, RuntimeCall::Multisig(Multisig::as_multi { .. })));
		let origin = gridproof_runtime::RuntimeOrigin::signed(alice.clone());
		theirs.dispatch(origin).expect("it is proposed");
		let own: [u8; 32] = alice.into();
		let several = AccountId::new(multisig::account(&[own, others[0]], 2));
		let hash = multisig::hash(&wrapped.encode_for(&metadata()).expect("the runtime has it"));
		let row = Multisigs::<Runtime>::get(several, hash).expect("it waits by this hash");
		let read: multisig::Waiting = scale(&row);
		assert_eq!((read.depositor, read.approvals), (own, vec![own]));
		assert_eq!(read.deposit, row.deposit);
		assert_eq!((read.when.height, read.when.index), (row.when.height, row.when.index));
	});
}

#[test]
fn a_referendum_is_read_as_the_runtime_keeps_it() {
	use referenda::{Origin, Proposal, Referendum, Track};
	use sp_runtime::traits::Dispatchable;
	development(|| {
		let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
		let remark = system::call::remark(&[4]).encode_for(&metadata()).expect("there is one");
		for (index, track) in (0..).zip(Track::ALL) {
			let proposal = Proposal::Call(remark.clone());
			let bytes = referenda::call::submit(track, &proposal).encode_for(&metadata());
			let bytes = bytes.expect("the runtime has it");
			let call = RuntimeCall::decode_all(&mut &bytes[..]).expect("it is a call");
			let origin = gridproof_runtime::RuntimeOrigin::signed(alice.clone());
			call.dispatch(origin).expect("it is proposed");
			let row = pallet_referenda::ReferendumInfoFor::<Runtime>::get(index).expect("it is");
			let Referendum::Ongoing(read) = scale(&row) else { panic!("it is over") };
			assert_eq!((read.track, &read.proposal), (track.number(), &proposal));
			assert_eq!(matches!(read.origin, Origin::System(_)), track == Track::Root);
			assert_eq!(AccountId::new(read.submission_deposit.who), alice);
			assert!(read.decision_deposit.is_none() && read.alarm.is_some());
			assert_eq!(read.tally, referenda::Tally::default());
		}
	});
}

#[test]
fn our_pallets_have_no_other_calls() {
	let (metadata, calls) = (metadata(), calls());
	for pallet in OURS {
		let theirs = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.call_variants());
		let theirs: BTreeSet<_> =
			theirs.expect("it has calls").iter().map(|call| call.name.as_str()).collect();
		let ours = calls.iter().map(|(call, _)| call).filter(|call| call.pallet() == pallet);
		assert_eq!(ours.map(Call::name).collect::<BTreeSet<_>>(), theirs, "{pallet}");
	}
}

#[test]
fn a_call_that_a_runtime_lacks_is_unsupported() {
	use subxt::ext::frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
	let bytes = Runtime::metadata_at_version(15).expect("the runtime has this version");
	let mut all = RuntimeMetadataPrefixed::decode_all(&mut &bytes[..]).expect("it is metadata");
	let RuntimeMetadata::V15(fewer) = &mut all.1 else { panic!("it has this version") };
	fewer.pallets.retain(|pallet| pallet.name != "Balances");
	let fewer = Metadata::decode_all(&mut &all.encode()[..]).expect("it is metadata");
	let call = balances::call::transfer_keep_alive([1; 32], 3);
	let missing = ChainError::Unsupported("the call Balances.transfer_keep_alive".to_string());
	assert_eq!(call.encode_for(&fewer), Err(missing.clone()));
	let around = utility::call::batch_all(vec![call]);
	assert_eq!(around.encode_for(&fewer), Err(missing), "also within another one");
}

/// The names of a pallet's events with those of their fields.
fn events_of(metadata: &Metadata, pallet: &str) -> Vec<(String, Vec<String>)> {
	let events = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.event_variants());
	let events = events.expect("it has events").iter();
	let fields = |event: &_| -> Vec<String> {
		let event: &scale_info::Variant<scale_info::form::PortableForm> = event;
		event.fields.iter().map(|field| field.name.clone().unwrap_or_default()).collect()
	};
	events.map(|event| (event.name.clone(), fields(event))).collect()
}

#[test]
fn our_pallets_have_these_events_with_these_fields() {
	let metadata = metadata();
	let ours = [
		attestations::event::ALL,
		coverage_policy::event::ALL,
		meter_readings::event::ALL,
		compute_receipts::event::ALL,
		model_registry::event::ALL,
		compute_checks::event::ALL,
	];
	for (pallet, ours) in OURS.into_iter().zip(ours) {
		let ours: Vec<_> = ours
			.iter()
			.map(|(name, fields)| {
				(name.to_string(), fields.iter().map(|f| f.to_string()).collect())
			})
			.collect();
		assert_eq!(ours, events_of(&metadata, pallet), "{pallet}");
	}
}

#[test]
fn the_sdk_s_pallets_have_the_events_that_are_read() {
	let metadata = metadata();
	let read = [
		("Assets", assets::event::ALL),
		("Balances", balances::event::ALL),
		("Multisig", multisig::event::ALL),
		("Referenda", referenda::event::ALL),
		("Sudo", sudo::event::ALL),
		("System", system::event::ALL),
		("TransactionPayment", transaction_payment::event::ALL),
		("Treasury", treasury::event::ALL),
	];
	for (pallet, ours) in read {
		let theirs = events_of(&metadata, pallet);
		for (name, fields) in ours {
			let event = theirs.iter().find(|(theirs, _)| theirs == name);
			let (_, theirs) = event.unwrap_or_else(|| panic!("{pallet} has no {name}"));
			let has = |field: &&str| theirs.iter().any(|theirs| theirs == field);
			assert!(fields.iter().all(has), "{pallet}.{name}: {theirs:?}");
		}
	}
}

/// An event as a block has it, read.
fn read<E: Event>(event: impl Into<RuntimeEvent>) -> E {
	let bytes = event.into().encode();
	let [pallet, index, fields @ ..] = &bytes[..] else { panic!("an event has two indices") };
	let raw = RawEvent::new(&metadata(), *pallet, *index, fields).expect("it is in the metadata");
	raw.read().expect("it is of this kind").expect("it has these fields")
}

#[test]
fn events_are_read_as_the_runtime_wrote_them() {
	use pallet_compute_receipts::Event as Compute;
	use pallet_coverage_policy::Event as Coverage;
	use pallet_meter_readings::Event as Meters;
	let header_hash = H256([3; 32]);
	let accepted: meter_readings::event::BatchAccepted =
		read(Meters::<Runtime>::BatchAccepted { meter: 1, sequence: 2, header_hash, minted: 4 });
	let expected =
		meter_readings::event::BatchAccepted { meter: 1, sequence: 2, header_hash, minted: 4 };
	assert_eq!(accepted, expected);
	let reason = BatchRefusal::SequenceGap { expected: 5 };
	let refused: meter_readings::event::BatchRefused =
		read(Meters::<Runtime>::BatchRefused { meter: 1, sequence: 2, header_hash, reason });
	assert_eq!((refused.meter, refused.reason), (1, reason));
	let set: meter_readings::event::LimitsSet =
		read(Meters::<Runtime>::LimitsSet { old: zeros(), new: zeros() });
	assert_eq!(set.new, zeros());
	let registered: compute_receipts::event::Registered = read(Compute::<Runtime>::Registered {
		key: [5; 32],
		role: PartyRole::Miner(Class::Cpu),
		account: account(6),
		bond: 7,
	});
	assert_eq!((registered.account, registered.bond), ([6; 32], 7));
	let settled: compute_receipts::event::ReceiptSettled =
		read(Compute::<Runtime>::ReceiptSettled {
			job_id: H256([8; 32]),
			receipt_id: H256([9; 32]),
			miner: [10; 32],
			compute_units: 11,
			shares: zeros(),
			refund: 12,
			claim: 13,
		});
	assert_eq!((settled.job_id, settled.receipt_id), (H256([8; 32]), H256([9; 32])));
	assert_eq!((settled.compute_units, settled.refund, settled.claim), (11, 12, 13));
	let settled: compute_receipts::event::MinerSettled = read(Compute::<Runtime>::MinerSettled {
		coordinator: [14; 32],
		miner: [15; 32],
		settled: MinerSums { count: 16, price: 17, weight: 18 },
		shares: zeros(),
		claim: 19,
	});
	assert_eq!((settled.miner, settled.settled.weight, settled.claim), ([15; 32], 18, 19));
	let reason = channels::BatchRefusal::TooSoon;
	let refused: compute_receipts::event::BatchRefused =
		read(Compute::<Runtime>::BatchRefused { coordinator: [14; 32], sequence: 20, reason });
	assert_eq!((refused.sequence, refused.reason), (20, reason));
	let back: compute_receipts::event::GivenBack = read(Compute::<Runtime>::GivenBack {
		coordinator: [14; 32],
		to: [16; 32].into(),
		asset: PriceAsset::Aicp,
		owed: 21,
		amount: 22,
	});
	assert_eq!((back.to, back.owed, back.amount), ([16; 32], 21, 22));
	let parameters = Box::new(ComputeParameters::default());
	let set: compute_receipts::event::ParametersSet = read(Compute::<Runtime>::ParametersSet {
		old: parameters.clone(),
		new: parameters.clone(),
	});
	assert_eq!(set.new, *parameters);
	let announced: model_registry::event::ModelAnnounced =
		read(pallet_model_registry::Event::<Runtime>::ModelAnnounced {
			model: H256([24; 32]),
			new: Box::new(new_model()),
			effective_ms: 25,
		});
	assert_eq!((announced.model, announced.effective_ms), (H256([24; 32]), 25));
	assert_eq!(announced.new, new_model());
	let off: model_registry::event::CalledOff =
		read(pallet_model_registry::Event::<Runtime>::CalledOff {
			pending: Pending::Model(H256([26; 32])),
		});
	assert_eq!(off.pending, Pending::Model(H256([26; 32])));
	let redeemed: coverage_policy::event::Redeemed = read(Coverage::<Runtime>::Redeemed {
		who: account(14),
		amount: 15,
		credit: 16,
		ticket: Some(17),
	});
	let expected = coverage_policy::event::Redeemed {
		who: [14; 32],
		amount: 15,
		credit: 16,
		ticket: Some(17),
	};
	assert_eq!(redeemed, expected);
	let stated: attestations::event::Accepted =
		read(pallet_attestations::Event::<Runtime>::Accepted {
			kind: Kind::Reserve,
			day: day(),
			revision: 1,
			statement: H256([18; 32]),
			digest: H256([19; 32]),
			signers: vec![(Role::Ops, [20; 32])].try_into().expect("one"),
		});
	assert_eq!((stated.day, stated.signers), (day(), vec![(Role::Ops, [20; 32])]));
	let transfer: balances::event::Transfer = read(pallet_balances::Event::<Runtime>::Transfer {
		from: account(21),
		to: account(22),
		amount: 23,
	});
	assert_eq!((transfer.from, transfer.to, transfer.amount), ([21; 32], [22; 32], 23));
}

#[test]
fn refusals_are_the_pallets_errors() {
	macro_rules! errors {
		($($module:ident),*) => {
			vec![$( $module::Refusal::ALL.iter().map(|r| (r.name().to_string(), r.code())).collect() ),*]
		};
	}
	let metadata = metadata();
	let ours: Vec<Vec<(String, u8)>> = errors![
		attestations,
		coverage_policy,
		meter_readings,
		compute_receipts,
		model_registry,
		compute_checks,
		assets,
		balances
	];
	for (pallet, ours) in OURS.into_iter().chain(["Assets", "Balances"]).zip(ours) {
		let errors = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.error_variants());
		let errors = errors.expect("it has errors").iter();
		let theirs: Vec<_> =
			errors.map(|error| (format!("{pallet}.{}", error.name), error.index)).collect();
		assert_eq!(ours, theirs, "decide about it in pallets/, with is_temporary");
	}
}

/// The functions of our runtime APIs: the answer of each is read as the runtime gave it, on a
/// development chain. The APIs' names, and those of the functions asked.
#[test]
fn questions_are_answered_in_the_form_that_is_read() {
	let metadata = metadata();
	let mut asked = BTreeSet::new();
	development(|| {
		macro_rules! ask {
			($($query:expr),* $(,)?) => { $( asked.insert(ask(&metadata, $query)); )* };
		}
		let (fields, kind) = (AttestationFields::example(day()), Kind::Reserve);
		let attestation: attestations::Attestation = attestations::Attestation {
			fields: fields.clone(),
			digest: H256::zero(),
			signers: vec![(Role::Data, [1; 32])],
			accepted: attestations::Timepoint { block: 1, time: 2 },
		};
		let name = MeterName::new("a", "b", "c").expect("a name");
		{
			use attestations::query;
			ask![
				query::attestation(kind, day()),
				query::days(kind),
				query::archive(kind),
				query::verify_archived(&attestation, &zeros::<ArchiveProof>()),
				query::keys(),
				query::key_at(Role::Data, 1),
				query::stops(),
				query::calendar(),
				query::preview(&fields, H256::zero(), &[]),
			];
		}
		{
			use coverage_policy::query;
			ask![
				query::status(),
				query::allowance(),
				query::parameters(),
				query::history(3),
				query::quote(&zeros::<WhatIf>()),
				query::outlook(day(), SignedRatio::default()),
				query::redeem_quote(1_000_000),
				query::account([1; 32]),
				query::queue(0, 3),
			];
		}
		{
			use meter_readings::query;
			ask![
				query::meter(0),
				query::meter_by_name(&name),
				query::meters(0, 10),
				query::totals(0),
				query::batch(0, 0),
				query::anchor(0, 0),
				query::verify_reading((0, 0), b"{}", 0, &[H256::zero()]),
				query::verify_older_reading(&[], b"{}", 0, &[H256::zero()]),
				query::preview_batches(&[zeros()]),
				query::overview(),
				query::organisation(0),
				query::is_member(0, [1; 32]),
				query::limits(),
			];
		}
		{
			use compute_receipts::query;
			ask![
				query::job(H256::zero()),
				query::receipt(H256::zero()),
				query::miner(&[1; 32]),
				query::coordinator(&[1; 32]),
				query::parties(Some([7; 32]), 10),
				query::step(0),
				query::earnings(&[1; 32], 1, PriceAsset::Aicp, 2),
				query::reference_rate(),
				query::preview_receipts(&[zeros()]),
				query::overview(),
				query::parameters(),
				query::genesis(),
				query::channel(1),
				query::channels_of(&[1; 32], Some(1), 10),
				query::header_chain(&[1; 32]),
				query::miner_sums(&[1; 32], zeros(), None),
				query::preview_batch(&zeros()),
				query::channel_parameters(),
				query::demands(&[1; 32], 10),
				query::waiting_batch(&zeros()),
				query::waiting_line(&zeros(), &[1; 32]),
				query::waiting_of(&[1; 32], Some(zeros()), 10),
				query::waiting_channels(&zeros()),
			];
		}
		{
			use model_registry::query;
			let name = ModelName::new("austen-1m").expect("a name");
			ask![
				query::model(H256::zero()),
				query::model_by_name(&name),
				query::models(None, 10),
				query::default_model(),
				query::pending(),
				query::delay(),
				query::factor_at(H256::zero(), 1),
			];
		}
		{
			use compute_checks::query;
			ask![
				query::parameters(),
				query::check_parameters(Default::default()),
				query::line(H256::zero()),
				query::verifiers(),
				query::batch(zeros()),
				query::reports(zeros(), 10),
				query::asked(zeros()),
				query::number([1; 32], H256::zero()),
				query::wide_number([1; 32]),
				query::demands(),
				query::place_of_demand(zeros()),
				query::reopenings(),
				query::disputes(),
				query::overview(),
			];
		}
	});
	let apis = [
		"AttestationsApi",
		"CoverageApi",
		"MeterReadingsApi",
		"ComputeReceiptsApi",
		"ModelRegistryApi",
		"ComputeChecksApi",
	];
	let offered: BTreeSet<String> = apis
		.iter()
		.flat_map(|name| {
			let api = metadata.runtime_api_trait_by_name(name).expect("the runtime has it");
			let methods = api.methods().map(|method| format!("{name}_{}", method.name()));
			methods.collect::<Vec<_>>()
		})
		.collect();
	// For programs that page by count; ours ask for `meter_page`.
	asked.insert("MeterReadingsApi_meters".to_owned());
	assert_eq!(asked, offered);
}

fn ask<R: Decode>(metadata: &Metadata, query: Query<R>) -> String {
	let answer = api::dispatch(query.function(), query.arguments()).expect("there is one");
	match query.answer(&answer, metadata) {
		Ok(_) | Err(ChainError::Refused(_)) => query.function().to_string(),
		Err(error) => panic!("{error}"),
	}
}

/// A development chain.
fn development(test: impl FnOnce()) {
	let patch = get_preset(&DEVELOPMENT.into()).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("the preset is JSON");
	for (pallet, settings) in patch.as_object().expect("an object") {
		for (name, value) in settings.as_object().expect("an object") {
			config[pallet][name] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		frame_system::Pallet::<Runtime>::set_block_number(1);
		pallet_timestamp::Now::<Runtime>::put(1_768_478_400_000);
		test();
	});
}

#[test]
fn a_refusal_of_the_runtime_keeps_its_type() {
	let metadata = metadata();
	development(|| {
		let fields = AttestationFields::example(day());
		let query = attestations::query::preview(&fields, H256::zero(), &[]);
		let answer = api::dispatch(query.function(), query.arguments()).expect("there is one");
		let refusal = Refusal::Attestations(attestations::Refusal::TooFewSignatures);
		assert_eq!(query.answer(&answer, &metadata), Err(ChainError::Refused(refusal)));
	});
}

/// Why the pool does not take a call without a signer, read as programs read it.
fn refused(call: &Call) -> PoolRefusal {
	let bytes = call.encode_for(&metadata()).expect("the runtime has it");
	let theirs = RuntimeCall::decode_all(&mut &bytes[..]).expect("it is a call");
	let extension: TxExtension = (
		pallet_free_calls::RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let transaction = UncheckedExtrinsic::new_transaction(theirs, extension);
	let genesis = frame_system::Pallet::<Runtime>::block_hash(0);
	match Executive::validate_transaction(TransactionSource::External, transaction, genesis) {
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => {
			call.pool_refusal(code)
		},
		other => panic!("{call}: {other:?}"),
	}
}

#[test]
fn a_number_from_the_pool_is_the_refusal_that_the_runtime_meant() {
	development(|| {
		use compute_receipts::{Refusal as Compute, call as compute};
		use meter_readings::{Refusal as Meters, call as meters};
		let fields = AttestationFields::example(day());
		let statement = attestations::call::submit(&fields, H256::zero(), &[]);
		let expected = attestations::Refusal::TooFewSignatures;
		assert_eq!(refused(&statement), PoolRefusal::Attestations(expected));
		let stop = attestations::call::stop_mint(Role::Data, 1, &[0; 64]);
		let expected = attestations::Refusal::WrongStopNumber;
		assert_eq!(refused(&stop), PoolRefusal::Attestations(expected));
		let lift = attestations::call::lift_stop(Role::Data, 0, &[]);
		let expected = attestations::Refusal::NotStopped;
		assert_eq!(refused(&lift), PoolRefusal::Attestations(expected));

		assert_eq!(
			refused(&meters::submit_batches(&[])),
			PoolRefusal::MeterReadings(Meters::NoBatches)
		);
		let PoolRefusal::Batch(code) = refused(&meters::submit_batches(&[zeros()])) else {
			panic!("a batch is refused");
		};
		assert!(code.is(&BatchRefusal::UnknownMeter));
		assert!(code.is_temporary());

		let list = PoolRefusal::ComputeReceipts(Compute::InvalidList);
		let unknown = PoolRefusal::ComputeReceipts(Compute::UnknownJob);
		assert_eq!(refused(&compute::claim_receipts(&[])), list);
		assert_eq!(
			refused(&compute::claim_receipts(&[zeros()])),
			PoolRefusal::Receipt(ReceiptRefusal::UnknownJob)
		);
		assert_eq!(refused(&compute::heartbeats(&[])), list);
		assert_eq!(refused(&compute::claim_emission(&[])), list);
		assert_eq!(refused(&compute::release_job(H256::zero(), &[0; 64])), unknown);
		assert_eq!(refused(&compute::assign_job(&zeros())), unknown);
		assert_eq!(refused(&compute::expire_jobs(&[H256::zero()])), unknown);
	});
}
