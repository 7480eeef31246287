//! General transactions without a signer, and free signed ones.

use crate::{mock::*, *};
use codec::Encode;
use frame_support::{
	assert_ok,
	dispatch::GetDispatchInfo,
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
	},
	traits::Authorize,
};
use gridproof_primitives::reserve::attestation::{Kind, Role};
use sp_runtime::{
	DispatchError, ModuleError,
	traits::{Applyable, Checkable, Dispatchable},
};

type Checked = <Extrinsic as Checkable<frame_system::ChainContext<Test>>>::Checked;

fn general(fields: &AttestationFields, signatures: Signatures) -> (Extrinsic, Checked) {
	let call = submit_call(fields, signatures);
	let extrinsic = Extrinsic::new_transaction(call, (Extension::new(),));
	let context = frame_system::ChainContext::<Test>::default();
	(extrinsic.clone(), extrinsic.check(&context).expect("a general transaction needs no signer"))
}

fn validate(fields: &AttestationFields, signatures: Signatures) -> TransactionValidity {
	let (extrinsic, checked) = general(fields, signatures);
	let info = extrinsic.get_dispatch_info();
	checked.validate::<Test>(TransactionSource::External, &info, extrinsic.encoded_size())
}

fn refused(error: Error<Test>) -> TransactionValidity {
	let code = match DispatchError::from(error) {
		DispatchError::Module(ModuleError { error, .. }) => error[0],
		other => panic!("not this pallet's: {other:?}"),
	};
	Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)))
}

#[test]
fn a_good_statement_needs_no_sender() {
	build_and_execute(|| {
		// GIVEN a general transaction
		let fields = fields(yesterday());
		let (extrinsic, checked) = general(&fields, sign(&fields, &TWO));
		let info = extrinsic.get_dispatch_info();
		// WHEN it is applied
		let length = extrinsic.encoded_size();
		let result = checked.apply::<Test>(&info, length).expect("it is valid");
		// THEN the statement stands, and its weight is what check and call take
		let post = result.expect("it is accepted");
		let check = <() as WeightInfo>::authorize_submit(2) + HANDLER_WEIGHT;
		let submit = <() as WeightInfo>::submit(2) + HANDLER_WEIGHT + HANDLER_WEIGHT;
		assert_eq!(info.extension_weight, check);
		assert_eq!(post.actual_weight, Some(submit + check));
		assert!(Attestations::attestation(Kind::Reserve, yesterday()).is_some());
		assert!(!frame_system::Account::<Test>::iter().any(|_| true), "no account was made");
	});
}

#[test]
fn the_pool_sees_one_statement_for_one_place() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let two = validate(&fields, sign(&fields, &TWO)).unwrap();
		let three = validate(&fields, sign(&fields, &Role::ALL)).unwrap();
		// Other signatures of the same, and other figures for the same day, exclude each other.
		assert_eq!(two, three);
		let other = AttestationFields { compute_assets: 1, ..fields.clone() };
		assert_eq!(validate(&other, sign(&other, &TWO)).unwrap().provides, two.provides);
		// Another day does not.
		let earlier = AttestationFields { day: day(-1), ..fields };
		assert_ne!(validate(&earlier, sign(&earlier, &TWO)).unwrap().provides, two.provides);
		assert_eq!((two.priority, two.longevity, two.propagate), (1_000, 64, true));
		assert_eq!(two.provides.len(), 1);
		assert!(two.requires.is_empty());
	});
}

#[test]
fn a_refused_transaction_says_why() {
	build_and_execute(|| {
		let good = fields(yesterday());
		let signatures = sign(&good, &TWO);
		assert_eq!(validate(&good, sign(&good, &[Role::Data])), refused(Error::TooFewSignatures));
		assert_eq!(
			validate(&good, sign(&good, &[Role::Risk, Role::Data])),
			refused(Error::UnsortedSigners)
		);
		let other = AttestationFields { compute_assets: 1, ..good.clone() };
		assert_eq!(validate(&other, signatures.clone()), refused(Error::BadSignature));
		let future = fields(day(1));
		assert_eq!(validate(&future, sign(&future, &TWO)), refused(Error::FutureDay));
		Paused::<Test>::put(true);
		assert_eq!(validate(&good, signatures), refused(Error::Paused));
	});
}

#[test]
fn the_handlers_reason_has_codes_of_its_own() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let module = |index, code| {
			DispatchError::Module(ModuleError { index, error: [code, 0, 0, 0], message: None })
		};
		let custom =
			|code| Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)));
		for (error, code) in [
			(module(8, 3), 131),
			(module(8, 200), 255),
			(module(7, 3), 3),
			(DispatchError::Other("x"), 255),
		] {
			CheckRefuses::set(Some(error));
			assert_eq!(validate(&fields, sign(&fields, &TWO)), custom(code));
		}
		CheckRefuses::set(None);
	});
}

#[test]
fn a_statement_that_stands_is_valid_no_more() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let (extrinsic, checked) = general(&fields, sign(&fields, &TWO));
		// GIVEN that another's transaction came first
		assert_ok!(submit(&fields));
		// THEN the waiting one is refused in the pool, in the block, and at dispatch
		assert_eq!(validate(&fields, sign(&fields, &TWO)), refused(Error::AlreadyAttested));
		let info = extrinsic.get_dispatch_info();
		let applied = checked.apply::<Test>(&info, extrinsic.encoded_size());
		assert_eq!(applied.map(|_| ()), refused(Error::AlreadyAttested).map(|_| ()));
		let origin = frame_system::RawOrigin::Authorized;
		let result = extrinsic.function.dispatch(origin.into());
		let already: DispatchError = Error::<Test>::AlreadyAttested.into();
		assert_eq!(result.map_err(|e| e.error), Err(already));
	});
}

#[test]
fn no_other_call_is_authorized_without_a_signer() {
	build_and_execute(|| {
		for call in [
			Call::<Test>::pause {},
			Call::resume {},
			Call::set_kind_open { kind: Kind::Reserve, open: false },
			Call::rotate_key { role: Role::Data, key: None },
		] {
			assert!(call.authorize(TransactionSource::External).is_none());
		}
	});
}

#[test]
fn a_preview_says_what_a_submission_would() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let preview = |signatures| Attestations::preview(fields.clone(), DIGEST, signatures);
		assert_eq!(preview(sign(&fields, &TWO)), Ok(fields.hash()));
		let few: DispatchError = Error::<Test>::TooFewSignatures.into();
		assert_eq!(preview(sign(&fields, &[Role::Ops])), Err(few));
		assert_eq!(Attestations::attestation(Kind::Reserve, yesterday()), None);
	});
}

#[test]
fn the_codes_of_refusals_stay_as_they_are() {
	use Error::*;
	let errors: [Error<Test>; 12] = [
		Paused,
		TooFewSignatures,
		UnsortedSigners,
		KindClosed,
		Inconsistent,
		FutureDay,
		AncientDay,
		AlreadyAttested,
		WrongReplacement,
		TooManyRevisions,
		NoKey,
		BadSignature,
	];
	build_and_execute(|| {
		for (code, error) in (0u8..).zip(errors) {
			assert_eq!(
				refused(error),
				Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)))
			);
		}
	});
}
