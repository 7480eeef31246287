//! What a batch brings, and what it is refused for.

use crate::{mock::*, *};

#[test]
fn exported_energy_is_minted_to_the_energy_account_to_the_last_wh() {
	build_and_execute(|| {
		// GIVEN a meter
		let meter = certify(1);
		let account = energy_account(meter);
		// WHEN it exports 1,234 Wh and imports 56
		let header = header(meter, 56, 1_234);
		accept(&sign(&header));
		// THEN as many KWH exist, all on the account of owner and device
		assert_eq!((kwh(&account), issuance()), (1_234, 1_234));
		let header_hash = header.hash();
		let accepted = Event::BatchAccepted { meter, sequence: 0, header_hash, minted: 1_234 };
		assert_eq!(last_event(), accepted);
	});
}
