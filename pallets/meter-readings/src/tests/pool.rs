//! General transactions without a signer.

use crate::{mock::*, *};
use codec::{DecodeLimit, Encode};
use frame_support::{
	assert_ok,
	dispatch::GetDispatchInfo,
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
	},
	traits::Authorize,
};
use gridproof_primitives::{
	H256,
	codec::SECOND_LIST,
	energy::{BatchRefusal, SignedBatch},
};
use sp_runtime::{
	DispatchError, ModuleError,
	traits::{Applyable, Checkable, Dispatchable},
};

type Checked = <Extrinsic as Checkable<frame_system::ChainContext<Test>>>::Checked;

fn call(list: &[SignedBatch]) -> RuntimeCall {
	RuntimeCall::MeterReadings(Call::submit_batches { batches: batches(list) })
}

fn general(list: &[SignedBatch]) -> (Extrinsic, Checked) {
	let extrinsic = Extrinsic::new_transaction(call(list), (Extension::new(),));
	let context = frame_system::ChainContext::<Test>::default();
	(extrinsic.clone(), extrinsic.check(&context).expect("a general transaction needs no signer"))
}

/// Asks as the pool does: what that writes is forgotten.
fn validate(list: &[SignedBatch]) -> TransactionValidity {
	let (extrinsic, checked) = general(list);
	let info = extrinsic.get_dispatch_info();
	let length = extrinsic.encoded_size();
	frame_support::storage::with_transaction(|| {
		let validity = checked.validate::<Test>(TransactionSource::External, &info, length);
		sp_runtime::TransactionOutcome::Rollback(Ok::<_, DispatchError>(validity))
	})
	.unwrap()
}

/// Applies as a block does.
fn apply(
	list: &[SignedBatch],
) -> sp_runtime::ApplyExtrinsicResultWithInfo<frame_support::dispatch::PostDispatchInfo> {
	let (extrinsic, checked) = general(list);
	let info = extrinsic.get_dispatch_info();
	checked.apply::<Test>(&info, extrinsic.encoded_size())
}

fn refused(code: u8) -> TransactionValidity {
	Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)))
}

fn refused_by(error: Error<Test>) -> TransactionValidity {
	let code = match DispatchError::from(error) {
		DispatchError::Module(ModuleError { error, .. }) => error[0],
		other => panic!("not this pallet's: {other:?}"),
	};
	refused(SECOND_LIST + code)
}

#[test]
fn good_batches_need_no_sender_and_their_signatures_are_verified_once() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		let list = [sign(&header(first, 0, 10)), sign(&header(second, 0, 20))];
		let (extrinsic, _) = general(&list);
		let info = extrinsic.get_dispatch_info();
		let post = apply(&list).expect("it is valid").expect("it is accepted");
		let check = <() as WeightInfo>::authorize_submit_batches(2);
		let dispatch = <() as WeightInfo>::submit_verified_batches(2)
			+ <() as WeightInfo>::open_energy_accounts(2)
			+ MeterReadings::weight_of_organisations(1);
		assert_eq!(info.extension_weight, check);
		assert_eq!(post.actual_weight, Some(dispatch + check));
		assert_eq!(outcomes(), [Ok(0), Ok(0)]);
		assert_eq!(issuance(), 30);
		assert_eq!(Verified::<Test>::get(), None, "the mark is used up");
	});
}

#[test]
fn one_bad_batch_keeps_all_out_and_says_why() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		let good = sign(&header(first, 0, 10));
		let code = |reason: BatchRefusal| refused(reason.code());
		let mut forged = sign(&header(second, 0, 10));
		forged.signature[0] ^= 1;
		assert_eq!(validate(&[good.clone(), forged]), code(BatchRefusal::BadSignature));
		let twice = validate(&[good.clone(), good.clone()]);
		assert_eq!(twice, code(BatchRefusal::SequenceUsed { expected: 0 }));
		let later = header_after(first, Some(&good.header), 0, 1);
		let gap = validate(&[sign(&later)]);
		assert_eq!(gap, code(BatchRefusal::SequenceGap { expected: 0 }));
		assert_eq!(validate(&[]), refused_by(Error::NoBatches));
		Paused::<Test>::put(true);
		assert_eq!(validate(core::slice::from_ref(&good)), refused_by(Error::Paused));
		Paused::<Test>::kill();
		assert!(validate(&[good, sign(&later)]).is_ok());
	});
}

#[test]
fn each_batch_has_a_tag_so_that_sets_with_a_common_one_exclude_each_other() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		let a = sign(&header(first, 0, 10));
		let b = sign(&header(second, 0, 10));
		let both = validate(&[a.clone(), b.clone()]).unwrap();
		let alone = validate(core::slice::from_ref(&a)).unwrap();
		assert_eq!((both.provides.len(), alone.provides.len()), (2, 1));
		assert!(both.provides.contains(&alone.provides[0]));
		// Another header of the same number does, too.
		let other = sign(&header(first, 0, 11));
		assert_eq!(validate(&[other]).unwrap().provides, alone.provides);
		assert_ne!(validate(&[b]).unwrap().provides, alone.provides);
		assert_eq!((both.priority, both.longevity, both.propagate), (1_000, 64, true));
		assert!(both.requires.is_empty());
	});
}

#[test]
fn what_became_invalid_in_the_pool_is_refused_in_the_block() {
	build_and_execute(|| {
		let meter = certify(1);
		let list = [sign(&header(meter, 0, 10))];
		assert!(validate(&list).is_ok());
		// GIVEN that another's transaction came first
		assert_ok!(submit(&list));
		// THEN it is out, and counts for nothing at dispatch either
		let used = BatchRefusal::SequenceUsed { expected: 1 };
		assert_eq!(apply(&list).map(|_| ()), refused(used.code()).map(|_| ()));
		let origin = frame_system::RawOrigin::Authorized;
		assert_ok!(call(&list).dispatch(origin.into()));
		assert_eq!(outcomes()[1..], [Err(used)]);
		assert_eq!(issuance(), 10);
	});
}

#[test]
fn an_origin_alone_does_not_spare_the_signatures() {
	build_and_execute(|| {
		// GIVEN batches that nobody signed, as root could dispatch them in another's name
		let meter = certify(1);
		let forged = SignedBatch { header: header(meter, 0, 10), signature: [1; 64] };
		let origin = frame_system::RawOrigin::Authorized;
		assert_ok!(call(&[forged]).dispatch(origin.into()));
		assert_eq!(outcomes(), [Err(BatchRefusal::BadSignature)]);
	});
}

#[test]
fn the_mark_is_good_for_these_bytes_in_this_extrinsic_only() {
	build_and_execute(|| {
		let meter = certify(1);
		let good = sign(&header(meter, 0, 10));
		let mut forged = good.clone();
		forged.header.closing.export_wh += 5;
		let check =
			|| assert_eq!(MeterReadings::check_all(&batches(core::slice::from_ref(&good))), Ok(()));
		let bad = Err(BatchRefusal::BadSignature);
		// Other bytes.
		check();
		assert_ok!(submit(&[forged.clone()]));
		// Another extrinsic, another block: with a mark whose bytes are right.
		let stale = |change: &dyn Fn(&mut Mark<u64>)| {
			let mut mark = Mark {
				block: System::block_number(),
				extrinsic: System::extrinsic_index().unwrap_or(u32::MAX),
				batches: H256(sp_io::hashing::blake2_256(&[forged.clone()].to_vec().encode())),
			};
			change(&mut mark);
			Verified::<Test>::put(mark);
			assert_ok!(submit(&[forged.clone()]));
		};
		stale(&|mark| mark.extrinsic = 7);
		stale(&|mark| mark.block -= 1);
		assert_eq!(outcomes(), [bad, bad, bad]);
		assert_eq!(issuance(), 0);
	});
}

#[test]
fn what_a_block_may_no_longer_mint_waits_in_the_pool() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		let limits = Limits { block_wh: 15, ..Limits::default() };
		assert_ok!(MeterReadings::set_limits(RuntimeOrigin::root(), limits));
		let list = [sign(&header(second, 0, 10))];
		assert!(apply(&[sign(&header(first, 0, 10))]).is_ok());
		let full = InvalidTransaction::ExhaustsResources;
		assert_eq!(validate(&list), Err(TransactionValidityError::Invalid(full)));
		System::set_block_number(2);
		assert!(apply(&list).is_ok());
		assert_eq!(issuance(), 20);
	});
}

#[test]
fn no_account_is_made_by_what_is_refused() {
	build_and_execute(|| {
		let before = frame_system::Account::<Test>::iter().count();
		let stray = gridproof_primitives::energy::BatchHeader { meter: 9, ..header(9, 0, 10) };
		let list = [signed_by(&device(1), &stray)];
		assert_eq!(validate(&list), refused(BatchRefusal::UnknownMeter.code()));
		assert!(apply(&list).is_err());
		assert_eq!(frame_system::Account::<Test>::iter().count(), before);
	});
}

#[test]
fn no_other_call_is_authorized_without_a_signer() {
	build_and_execute(|| {
		for call in [
			Call::<Test>::pause {},
			Call::resume {},
			Call::decommission_meter { meter: 0 },
			Call::set_limits { limits: Limits::default() },
			Call::record_anchor {
				meter: 0,
				sequence: 0,
				root: H256::zero(),
				state: Default::default(),
			},
		] {
			assert!(call.authorize(TransactionSource::External).is_none());
		}
	});
}

#[test]
fn more_than_a_call_holds_does_not_decode() {
	build_and_execute(|| {
		let meter = certify(1);
		let one = sign(&header(meter, 0, 10));
		// The call without batches ends with their number, zero.
		let mut head = call(&[]).encode();
		assert_eq!(head.pop(), Some(0));
		for (count, decodes) in [(20, true), (21, false), (4_000, false)] {
			let bytes = [head.clone(), vec![one.clone(); count].encode()].concat();
			let decoded = RuntimeCall::decode_with_depth_limit(64, &mut &bytes[..]);
			assert_eq!(decoded.is_ok(), decodes);
		}
		let claims_more = [head, codec::Compact(u32::MAX).encode()].concat();
		assert!(RuntimeCall::decode_with_depth_limit(64, &mut &claims_more[..]).is_err());
	});
}

#[test]
fn a_preview_says_what_becomes_of_each_and_writes_nothing() {
	build_and_execute(|| {
		let meter = certify(1);
		let first = header(meter, 4, 10);
		let second = header_after(meter, Some(&first), 0, 20);
		let list = vec![sign(&first), sign(&first), sign(&second)];
		let preview = MeterReadings::preview_batches(list);
		assert_eq!(preview[0].map(|accepted| accepted.exported_wh), Ok(10));
		assert_eq!(preview[1], Err(BatchRefusal::SequenceUsed { expected: 1 }));
		assert_eq!(preview[2].map(|accepted| accepted.exported_wh), Ok(20));
		assert_eq!((issuance(), Recent::<Test>::iter().count()), (0, 0));
		assert_eq!(Verified::<Test>::get(), None);
	});
}

#[test]
fn the_codes_of_this_pallets_errors_stay_as_they_are() {
	assert_eq!(refused_by(Error::Paused), refused(128));
	assert_eq!(refused_by(Error::NoBatches), refused(129));
}

#[test]
fn the_first_signature_is_verified_before_the_second_batch_is_looked_at() {
	build_and_execute(|| {
		let (first, second) = (certify(1), certify(2));
		let good = sign(&header(first, 0, 10));
		let forged = SignedBatch { signature: [7; 64], ..good.clone() };
		let mut missing = header(second, 0, 10);
		missing.sequence = 5;
		let missing = sign(&missing);
		// Without a signature that is good, nobody has a long list of batches looked at.
		let bad_signature = refused(BatchRefusal::BadSignature.code());
		assert_eq!(validate(&[forged.clone(), missing.clone()]), bad_signature);
		// With one, every cheap check comes before the other signatures.
		let gap = refused(BatchRefusal::SequenceGap { expected: 0 }.code());
		let unsigned = SignedBatch { signature: [7; 64], ..sign(&header(second, 0, 10)) };
		assert_eq!(validate(&[good.clone(), missing]), gap);
		let third = SignedBatch { header: header(7, 0, 10), ..forged };
		let unknown = refused(BatchRefusal::UnknownMeter.code());
		assert_eq!(validate(&[good.clone(), unsigned.clone(), third]), unknown);
		assert_eq!(validate(&[good, unsigned]), bad_signature);
	});
}
