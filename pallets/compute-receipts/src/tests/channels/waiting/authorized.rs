//! Calls about what waits that nobody signs: free, and accepted only if they do what they say.

use super::*;
use frame_support::assert_ok;
use gridproof_primitives::codec::SECOND_LIST;

/// Code of a refusal in the pool.
fn code(error: Error<Test>) -> u8 {
	match DispatchError::from(error) {
		DispatchError::Module(error) => SECOND_LIST + error.error[0],
		other => panic!("{other:?}"),
	}
}

fn releases(parts: &[Part]) -> Call<Test> {
	Call::release_waiting { parts: parts.to_vec().try_into().unwrap() }
}

#[test]
fn a_release_is_free_if_everything_it_names_is_due() {
	with_window(|| {
		two_clients();
		let refused = Err(code(Error::<Test>::NothingDue));
		assert_eq!(authorize(releases(&[own(0)])).map(|_| ()), refused);
		wait(WINDOW_MS);
		let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
		let valid = authorize(releases(&[own(0), line(0, MINER)])).unwrap();
		assert_eq!(valid.provides.len(), 2);
		// A shorter list comes before a longer one that names the same.
		assert!(authorize(releases(&[own(0)])).unwrap().priority > valid.priority);
		let after = sp_io::storage::root(sp_runtime::StateVersion::V1);
		assert_eq!(before, after, "the pool changes nothing");
		assert_ok!(apply_unsigned(releases(&[own(0), line(0, MINER)])));
		let gone = Err(code(Error::<Test>::NothingDue));
		assert_eq!(authorize(releases(&[own(0), line(0, CPU_MINER)])).map(|_| ()), gone);
		assert_ok!(apply_unsigned(releases(&[line(0, CPU_MINER)])));
		let gone = Err(code(Error::<Test>::NotWaiting));
		assert_eq!(authorize(releases(&[own(0)])).map(|_| ()), gone);
		nothing_waits();
	});
}

#[test]
fn a_return_is_free_if_every_channel_has_something_coming() {
	with_window(|| {
		let channels = two_clients();
		let call = |channels: &[ChannelId]| Call::return_to_clients {
			batch: batch(0),
			channels: channels.to_vec().try_into().unwrap(),
		};
		let refused = Err(code(Error::<Test>::NothingDue));
		assert_eq!(authorize(call(&channels)).map(|_| ()), refused);
		assert_eq!(<ComputeReceipts as Waiting<_>>::forfeit_all(&key(MINER)), Ok(()));
		assert_ok!(apply_unsigned(releases(&[line(0, MINER)])));
		assert_eq!(authorize(call(&channels)).unwrap().provides.len(), 2);
		let refused = Err(code(Error::<Test>::InvalidList));
		assert_eq!(authorize(call(&[])).map(|_| ()), refused);
		assert_eq!(authorize(call(&[channels[0]; 2])).map(|_| ()), refused);
		let refused = Err(code(Error::<Test>::UnknownChannel));
		assert_eq!(authorize(call(&[77])).map(|_| ()), refused);
		assert_ok!(apply_unsigned(call(&channels)));
		let refused = Err(code(Error::<Test>::NothingDue));
		assert_eq!(authorize(call(&channels)).map(|_| ()), refused);
	});
}

#[test]
fn a_signature_is_free_once() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		let row = WaitingLines::<Test>::get(key(MINER), batch(0)).unwrap();
		let header = WaitingBatches::<Test>::get(key(COORDINATOR), 0).unwrap().header_hash;
		let call = |by| Call::sign_line {
			batch: batch(0),
			miner: key(MINER),
			signature: sign(by, &row.line.signing_payload(&genesis(), &header)),
		};
		let refused = Err(code(Error::<Test>::BadSignature));
		assert_eq!(authorize(call(CPU_MINER)).map(|_| ()), refused);
		assert_ok!(apply_unsigned(call(MINER)));
		let refused = Err(code(Error::<Test>::AlreadySigned));
		assert_eq!(authorize(call(MINER)).map(|_| ()), refused);
	});
}
