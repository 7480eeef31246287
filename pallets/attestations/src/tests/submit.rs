//! `submit` of first statements.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use gridproof_primitives::{
	H256,
	crypto::ed25519::GROUP_ORDER,
	num::decimal::Ratio,
	reserve::attestation::{Kind, ROLE_COUNT, Role, RoleSignature, message_v2},
};
use sp_core::{Pair as _, ed25519::Pair};
use sp_runtime::{DispatchError, traits::Dispatchable};

#[test]
fn two_roles_make_a_statement_stand() {
	build_and_execute(|| {
		// GIVEN yesterday's figures
		let fields = fields(yesterday());
		// WHEN data and risk sign them
		assert_ok!(submit(&fields));
		// THEN they are stored as signed, handed on, and announced
		let signers: Signers =
			TWO.map(|role| (role, public(&pair(role)))).to_vec().try_into().unwrap();
		let accepted = Timepoint { block: 1, time: Now::get() };
		let stored = Attestation {
			fields: fields.clone(),
			digest: DIGEST,
			signers: signers.clone(),
			accepted,
		};
		assert_eq!(Attestations::attestation(Kind::Reserve, yesterday()), Some(stored));
		assert_eq!(Attestations::days(Kind::Reserve), vec![yesterday()]);
		assert_eq!(Taken::get(), vec![(fields.clone(), fields.hash())]);
		let event = Event::Accepted {
			kind: Kind::Reserve,
			day: yesterday(),
			revision: 0,
			statement: fields.hash(),
			digest: DIGEST,
			signers,
		};
		assert_eq!(events(), vec![event]);
	});
}

#[test]
fn any_two_roles_and_all_three_do() {
	use Role::*;
	for roles in [vec![Data, Risk], vec![Data, Ops], vec![Risk, Ops], vec![Data, Risk, Ops]] {
		build_and_execute(|| {
			let fields = fields(yesterday());
			assert_ok!(submit_with(&fields, sign(&fields, &roles)));
			let stored = Attestations::attestation(Kind::Reserve, yesterday()).unwrap();
			assert_eq!(stored.signers.iter().map(|s| s.0).collect::<Vec<_>>(), roles);
		});
	}
}

#[test]
fn one_signature_is_too_few() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let signatures = sign(&fields, &[Role::Data]);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::TooFewSignatures);
		assert_noop!(submit_with(&fields, sign(&fields, &[])), Error::<Test>::TooFewSignatures);
	});
}

#[test]
fn two_signatures_by_one_role_are_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let signatures = sign(&fields, &[Role::Data, Role::Data]);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::UnsortedSigners);
		let signatures = sign(&fields, &[Role::Data, Role::Risk, Role::Risk]);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::UnsortedSigners);
	});
}

#[test]
fn unsorted_signatures_are_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let signatures = sign(&fields, &[Role::Risk, Role::Data]);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::UnsortedSigners);
	});
}

#[test]
fn an_outsiders_signature_is_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let outsider = Pair::from_seed(&[9; 32]);
		let mut signatures = sign(&fields, &TWO);
		signatures[1] = signed_by(&outsider, Role::Risk, &fields);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn a_third_signature_must_be_good_too() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let mut signatures = sign(&fields, &Role::ALL);
		signatures[2] = signed_by(&Pair::from_seed(&[9; 32]), Role::Ops, &fields);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn a_role_cannot_sign_for_another() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let mut signatures = sign(&fields, &TWO);
		// Data's key signs a message for risk.
		signatures[1] = signed_by(&pair(Role::Data), Role::Risk, &fields);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
		// Ops' good signature is passed off as risk's.
		let ops = signed_by(&pair(Role::Ops), Role::Ops, &fields);
		let mut signatures = sign(&fields, &TWO);
		signatures[1] = RoleSignature { role: Role::Risk, ..ops };
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn every_altered_field_is_refused() {
	build_and_execute(|| {
		let signed = fields(yesterday());
		let signatures = sign(&signed, &TWO);
		let altered = [
			AttestationFields { day: day(-1), ..signed.clone() },
			AttestationFields { wh_raw: signed.wh_raw + 1, ..signed.clone() },
			AttestationFields { wh_committed: signed.wh_committed - 1, ..signed.clone() },
			AttestationFields { alpha: Ratio::percent(19), ..signed.clone() },
			AttestationFields { eur_per_mwh: Ratio::from_integer(91).into(), ..signed.clone() },
			AttestationFields { compute_assets: 1, ..signed.clone() },
			AttestationFields { zones_ok: 29, ..signed.clone() },
			AttestationFields { zones_total: 31, ..signed.clone() },
		];
		for fields in altered {
			let signatures = signatures.clone();
			assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
		}
		assert_ok!(submit_with(&signed, signatures));
	});
}

#[test]
fn another_digest_is_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let signatures = sign(&fields, &TWO);
		let digest = H256([0xd2; 32]);
		let call =
			Attestations::submit(RuntimeOrigin::signed(1), Box::new(fields), digest, signatures);
		assert_noop!(call.map_err(|e| e.error), Error::<Test>::BadSignature);
	});
}

#[test]
fn signatures_for_another_chain_are_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let other = H256([7; 32]);
		let sign = |role| {
			let message = message_v2(fields.day, &DIGEST, &fields.hash(), &other, role);
			RoleSignature { role, signature: pair(role).sign(&message).0 }
		};
		let signatures: Signatures = TWO.map(sign).to_vec().try_into().unwrap();
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn the_same_statement_is_not_taken_twice() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		assert_ok!(submit(&fields));
		assert_noop!(submit(&fields), Error::<Test>::AlreadyAttested);
		// Nor with other good signatures, nor another statement of the day.
		let signatures = sign(&fields, &Role::ALL);
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::AlreadyAttested);
		let other = AttestationFields { compute_assets: 5, ..fields };
		assert_noop!(submit(&other), Error::<Test>::AlreadyAttested);
	});
}

#[test]
fn a_signature_with_s_plus_l_is_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		let mut signatures = sign(&fields, &TWO);
		let mut carry = 0u16;
		for (byte, order) in signatures[0].signature[32..].iter_mut().zip(GROUP_ORDER) {
			carry += u16::from(*byte) + u16::from(order);
			*byte = carry as u8;
			carry >>= 8;
		}
		assert_eq!(carry, 0, "S + L must fit in 32 bytes for the test to mean something");
		assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn a_flipped_bit_anywhere_in_a_signature_is_refused() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		for byte in 0..64 {
			let mut signatures = sign(&fields, &TWO);
			signatures[1].signature[byte] ^= 1 << (byte % 8);
			assert_noop!(submit_with(&fields, signatures), Error::<Test>::BadSignature);
		}
	});
}

#[test]
fn a_key_cannot_be_brought_along() {
	// A submission has no place for keys: SCALE ends with the signatures, and more bytes fail.
	use codec::{DecodeAll, Encode};
	build_and_execute(|| {
		let fields = fields(yesterday());
		let call = submit_call(&fields, sign(&fields, &TWO));
		let mut bytes = call.encode();
		assert_eq!(RuntimeCall::decode_all(&mut &bytes[..]), Ok(call));
		bytes.extend(public(&Pair::from_seed(&[9; 32])));
		assert!(RuntimeCall::decode_all(&mut &bytes[..]).is_err());
	});
}

#[test]
fn more_signatures_than_roles_do_not_decode() {
	use codec::{Decode, Encode};
	build_and_execute(|| {
		let fields = fields(yesterday());
		let mut four = sign(&fields, &Role::ALL).into_inner();
		four.push(four[2].clone());
		assert_eq!(four.len() as u32, ROLE_COUNT + 1);
		assert!(Signatures::decode(&mut &four.encode()[..]).is_err());
	});
}

#[test]
fn a_day_that_has_not_ended_is_refused() {
	build_and_execute(|| {
		assert_noop!(submit(&fields(day(1))), Error::<Test>::FutureDay);
		assert_noop!(submit(&fields(day(2))), Error::<Test>::FutureDay);
		// Up to a quarter of an hour before midnight …
		set_time(day(1), 24 * 60 - 16);
		assert_noop!(submit(&fields(day(1))), Error::<Test>::FutureDay);
		// … clocks may differ.
		set_time(day(1), 24 * 60 - 15);
		assert_ok!(submit(&fields(day(1))));
	});
}

#[test]
fn a_day_too_long_ago_is_refused() {
	build_and_execute(|| {
		// MaxAge is 7 days after the day has ended.
		assert_noop!(submit(&fields(day(-8))), Error::<Test>::AncientDay);
		assert_ok!(submit(&fields(day(-7))));
	});
}

#[test]
fn missed_days_can_be_stated_in_any_order() {
	build_and_execute(|| {
		for offset in [-2, 0, -3, -1] {
			assert_ok!(submit(&fields(day(offset))));
		}
		assert_eq!(Attestations::days(Kind::Reserve), vec![day(-3), day(-2), day(-1), day(0)]);
	});
}

#[test]
fn a_closed_kind_is_refused() {
	build_and_execute(|| {
		let fields = AttestationFields { kind: Kind::Rehearsal, ..fields(yesterday()) };
		assert_noop!(submit(&fields), Error::<Test>::KindClosed);
	});
}

#[test]
fn kinds_do_not_meet() {
	build_and_execute(|| {
		assert_ok!(Attestations::set_kind_open(RuntimeOrigin::root(), Kind::Rehearsal, true));
		let reserve = fields(yesterday());
		let rehearsal = AttestationFields { kind: Kind::Rehearsal, ..reserve.clone() };
		// The signatures of a rehearsal are not valid for a reserve.
		let signatures = sign(&rehearsal, &TWO);
		assert_noop!(submit_with(&reserve, signatures), Error::<Test>::BadSignature);
		// Both can stand for one day.
		assert_ok!(submit(&rehearsal));
		assert_ok!(submit(&reserve));
		assert_eq!(Attestations::days(Kind::Rehearsal), vec![yesterday()]);
	});
}

#[test]
fn inconsistent_figures_are_refused() {
	build_and_execute(|| {
		let good = fields(yesterday());
		let bad = [
			AttestationFields { zones_ok: 31, ..good.clone() },
			AttestationFields { zones_total: 0, zones_ok: 0, ..good.clone() },
			AttestationFields { wh_committed: good.wh_committed + 1, ..good.clone() },
			AttestationFields { alpha: Ratio::percent(101), ..good.clone() },
			AttestationFields { revision: 1, ..good.clone() },
			AttestationFields { replaces: Some(H256::zero()), ..good.clone() },
		];
		for fields in bad {
			assert_noop!(submit(&fields), Error::<Test>::Inconsistent);
		}
	});
}

#[test]
fn a_role_without_a_key_cannot_sign() {
	build_and_execute(|| {
		assert_ok!(Attestations::rotate_key(RuntimeOrigin::root(), Role::Risk, None));
		let fields = fields(yesterday());
		assert_noop!(submit(&fields), Error::<Test>::NoKey);
		assert_ok!(submit_with(&fields, sign(&fields, &[Role::Data, Role::Ops])));
	});
}

#[test]
fn a_refusal_of_the_handler_undoes_everything() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		// GIVEN a handler that refuses only when it takes the statement
		AcceptRefuses::set(Some(DispatchError::Other("price")));
		let call = submit_call(&fields, sign(&fields, &TWO));
		let result = call.clone().dispatch(RuntimeOrigin::signed(1));
		// THEN its error is the call's, and nothing was stored
		assert_eq!(result.map_err(|e| e.error), Err(DispatchError::Other("price")));
		assert_eq!(Attestations::attestation(Kind::Reserve, yesterday()), None);
		assert!(Attestations::days(Kind::Reserve).is_empty());
		assert!(events().is_empty());
		// WHEN it refuses at once
		CheckRefuses::set(Some(DispatchError::Other("bounds")));
		assert_noop!(submit(&fields), DispatchError::Other("bounds"));
		// AND once it does not, the same statement is good
		AcceptRefuses::set(None);
		CheckRefuses::set(None);
		assert_ok!(call.dispatch(RuntimeOrigin::signed(1)));
	});
}

#[test]
fn neither_root_nor_nobody_submits() {
	build_and_execute(|| {
		let fields = fields(yesterday());
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let call = submit_call(&fields, sign(&fields, &TWO));
			assert_noop!(call.dispatch(origin).map_err(|e| e.error), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn the_weight_counts_signatures_handler_and_the_fee_extensions_check() {
	use frame_support::dispatch::GetDispatchInfo;
	build_and_execute(|| {
		let fields = fields(yesterday());
		let call = submit_call(&fields, sign(&fields, &TWO));
		let check = <() as WeightInfo>::authorize_submit(2) + HANDLER_WEIGHT;
		let submit = <() as WeightInfo>::submit(2) + HANDLER_WEIGHT + HANDLER_WEIGHT;
		let info = call.get_dispatch_info();
		assert_eq!(info.call_weight, submit + check);
		assert_eq!(info.extension_weight, Weight::zero());
		// Authorized: the extension has accounted for its check.
		let origin = frame_system::RawOrigin::Authorized;
		let post = call.dispatch(origin.into()).unwrap();
		assert_eq!(post.actual_weight, Some(submit));
		assert_eq!(post.pays_fee, Pays::Yes);
	});
	use frame_support::pallet_prelude::Weight;
}
