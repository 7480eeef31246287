//! The pallets' reasons for saying no.

use crate::{
	ChainError, Refusal,
	pallets::{
		assets, attestations, balances, compute_checks, compute_receipts, coverage_policy,
		meter_readings, model_registry, utility,
	},
	refusal::{Codes, DispatchRefusal, PoolRefusal, TokenRefusal, TransactionRefusal},
};
use gridproof_primitives::{codec::SECOND_LIST, compute::ReceiptRefusal, energy::BatchRefusal};
use sp_runtime::transaction_validity::{
	InvalidTransaction, TransactionValidityError, UnknownTransaction,
};

/// Names of the temporary ones among a pallet's reasons, each of which is checked on its way.
macro_rules! temporary {
	($module:ident, $variant:ident) => {{
		let mut temporary = Vec::new();
		for (place, refusal) in $module::Refusal::ALL.iter().enumerate() {
			assert_eq!(usize::from(refusal.code()), place, "{refusal}");
			assert_eq!($module::Refusal::numbered(refusal.code()), Some(*refusal));
			let (pallet, name) = refusal.name().split_once('.').unwrap();
			assert_eq!(pallet, $module::PALLET);
			assert_eq!($module::Refusal::named(name), Some(*refusal));
			assert_eq!(Refusal::named(pallet, name), Refusal::$variant(*refusal));
			let (text, advice) = (refusal.to_string(), refusal.advice());
			assert_eq!(text, format!("{pallet}.{name}: {advice}"));
			assert!(advice.len() > 10 && !advice.ends_with('.'), "{text}");
			let error = ChainError::from(Refusal::$variant(*refusal));
			assert_eq!(error.is_temporary(), refusal.is_temporary(), "{text}");
			assert!(error.is_refusal() && !error.is_outage(), "{text}");
			if refusal.is_temporary() {
				temporary.push(name);
			}
		}
		temporary
	}};
}

#[test]
fn what_time_or_governance_can_lift_is_temporary_and_nothing_else() {
	assert_eq!(
		temporary!(attestations, Attestations),
		["Paused", "KindClosed", "FutureDay", "NoKey", "StopSpent"]
	);
	assert_eq!(
		temporary!(coverage_policy, CoveragePolicy),
		[
			"MintStopped",
			"RedeemStopped",
			"AboveDailyLimit",
			"QueueFull",
			"NothingToServe",
			"AccountInUse",
			"AllowanceNotOpen",
			"StoppedByRole",
			"NotBacked"
		]
	);
	assert_eq!(
		temporary!(meter_readings, MeterReadings),
		["Paused", "Refused", "NotAdmitted", "NotRecorder"]
	);
	assert_eq!(
		temporary!(compute_receipts, ComputeReceipts),
		[
			"Stopped",
			"MintStopped",
			"MaxPartiesExceeded",
			"NotYet",
			"UnknownJob",
			"NothingDue",
			"SlashingOff",
			"Accepted",
			"Banned",
			"UnknownChannel",
			"KeptAboveBond",
			"NoRate",
			"ReceiptNotDue",
			"MaxDemandsExceeded"
		]
	);
	assert_eq!(
		temporary!(model_registry, ModelRegistry),
		["MaxModelsExceeded", "ChangePending", "TooManyChanges", "StillRemembered"]
	);
	assert_eq!(
		temporary!(compute_checks, ComputeChecks),
		[
			"NotFit",
			"NotTouched",
			"TooEarly",
			"NoLine",
			"NotYet",
			"Full",
			"FeeUnpaid",
			"OpeningDemanded",
			"MaxLinesExceeded",
			"NotAdmitted",
			"MaxVerifiersExceeded",
			"AlreadyRegistered",
			"ExchangedLately",
			"BondNotFree",
			"AlreadyDisputed",
			"SuspendedLately",
			"TooManySuspended",
			"NoJury",
			"NotNamed",
		]
	);
	assert!(temporary!(assets, Assets).is_empty());
	assert!(temporary!(balances, Balances).is_empty());
}

#[test]
fn a_reason_without_a_type_keeps_its_name_and_is_final() {
	for (pallet, error) in [("Multisig", "NoApprovalsNeeded"), ("Attestations", "Renamed")] {
		let refusal = Refusal::named(pallet, error);
		let expected = Refusal::Other { pallet: pallet.to_string(), error: error.to_string() };
		assert_eq!(refusal, expected);
		assert_eq!(refusal.to_string(), format!("{pallet}.{error}"));
		assert!(!refusal.is_temporary());
	}
	assert!(!Refusal::Token(TokenRefusal::FundsUnavailable).is_temporary());
	assert!(!Refusal::Dispatch(DispatchRefusal::BadOrigin).is_temporary());
	assert!(Refusal::Dispatch(DispatchRefusal::Unavailable).is_temporary());
}

#[test]
fn the_numbers_of_batches_are_those_of_their_refusals() {
	let call = meter_readings::call::submit_batches(&[]);
	for code in 0..=u8::MAX {
		let refusal = call.pool_refusal(code);
		match (BatchRefusal::from_code(code), code.checked_sub(SECOND_LIST)) {
			(Some(batch), _) => {
				let PoolRefusal::Batch(known) = refusal else { panic!("{code}: {refusal}") };
				assert!(known.is(&batch), "{code}");
				assert_eq!(known.is_temporary(), batch.is_temporary(), "{code}");
				assert!(known.to_string().ends_with(batch.as_str()), "{code}");
			},
			(None, Some(error)) => match meter_readings::Refusal::numbered(error) {
				Some(error) => assert_eq!(refusal, PoolRefusal::MeterReadings(error)),
				None => assert_eq!(refusal, PoolRefusal::Custom(code)),
			},
			(None, None) => assert_eq!(refusal, PoolRefusal::Custom(code)),
		}
	}
}

#[test]
fn the_numbers_of_receipts_are_those_of_their_refusals() {
	let call = compute_receipts::call::claim_receipts(&[]);
	for code in 0..=u8::MAX {
		let expected = match (ReceiptRefusal::from_code(code), code.checked_sub(SECOND_LIST)) {
			(Some(refusal), _) => PoolRefusal::Receipt(refusal),
			(None, Some(error)) => compute_receipts::Refusal::numbered(error)
				.map_or(PoolRefusal::Custom(code), PoolRefusal::ComputeReceipts),
			(None, None) => PoolRefusal::Custom(code),
		};
		assert_eq!(call.pool_refusal(code), expected);
	}
	let heartbeats = compute_receipts::call::heartbeats(&[]);
	assert_eq!(heartbeats.pool_refusal(1), PoolRefusal::Custom(1), "it has no receipts");
	assert_eq!(
		heartbeats.pool_refusal(SECOND_LIST + 22),
		PoolRefusal::ComputeReceipts(compute_receipts::Refusal::UntimelyHeartbeat)
	);
}

#[test]
fn the_numbers_of_statements_are_of_two_pallets() {
	use gridproof_primitives::reserve::attestation::AttestationFields;
	let fields = AttestationFields::example("2026-01-15".parse().unwrap());
	let call = attestations::call::submit(&fields, crate::H256::zero(), &[]);
	let refusals = attestations::Refusal::ALL.iter().map(|r| (r.code(), *r));
	for (code, refusal) in refusals {
		assert_eq!(call.pool_refusal(code), PoolRefusal::Attestations(refusal));
	}
	for refusal in coverage_policy::Refusal::ALL {
		let code = SECOND_LIST + refusal.code();
		assert_eq!(call.pool_refusal(code), PoolRefusal::CoveragePolicy(*refusal));
	}
	assert_eq!(call.pool_refusal(u8::MAX), PoolRefusal::Custom(u8::MAX));
	assert_eq!(utility::call::batch_all(Vec::new()).pool_refusal(0), PoolRefusal::Custom(0));
}

#[test]
fn why_a_transaction_is_invalid_is_a_type() {
	let of = |invalid| Codes::None.of(TransactionValidityError::Invalid(invalid));
	let stale = of(InvalidTransaction::Stale);
	assert_eq!(stale, PoolRefusal::Transaction(TransactionRefusal::Stale));
	assert!(stale.is_stale() && !stale.is_temporary());
	let full = of(InvalidTransaction::ExhaustsResources);
	assert!(full.is_temporary() && !full.is_stale());
	// What safe mode or a pause stops can be sent afterwards.
	let stopped = of(InvalidTransaction::Call);
	assert!(stopped.is_temporary() && !stopped.is_stale());
	for invalid in [
		InvalidTransaction::Payment,
		InvalidTransaction::Future,
		InvalidTransaction::BadProof,
		InvalidTransaction::AncientBirthBlock,
		InvalidTransaction::Custom(3),
		InvalidTransaction::BadMandatory,
		InvalidTransaction::MandatoryValidation,
		InvalidTransaction::BadSigner,
		InvalidTransaction::IndeterminateImplicit,
		InvalidTransaction::UnknownOrigin,
	] {
		let refusal = of(invalid);
		assert!(!refusal.is_stale() && !refusal.is_temporary(), "{refusal}");
	}
	let unknown = TransactionValidityError::Unknown(UnknownTransaction::Custom(3));
	assert_eq!(Codes::Batches.of(unknown), PoolRefusal::Transaction(TransactionRefusal::Unknown));
	assert!(PoolRefusal::Transaction(TransactionRefusal::Momentary).is_temporary());
}

#[test]
fn what_fails_on_the_way_is_temporary_and_not_a_refusal() {
	let rpc = ChainError::Rpc { code: Some(1012), message: "1010".to_string() };
	let away = ChainError::Unreachable { url: "ws://x:1010".to_string(), reason: String::new() };
	let undecided = ChainError::Undecided { attempts: 1, reason: "Stale".to_string() };
	for error in [rpc, away, undecided] {
		assert!(error.is_temporary() && error.is_outage() && !error.is_refusal(), "{error}");
	}
	for error in [ChainError::BadUrl(String::new()), ChainError::Unsupported(String::new())] {
		assert!(!error.is_temporary() && !error.is_outage() && !error.is_refusal(), "{error}");
	}
}
