//! Who may make which call.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::registry::{MIN_DELAY_MS, Pending};
use sp_runtime::DispatchError::BadOrigin;

#[test]
fn only_governance_decides_and_the_emergency_role_only_stops() {
	build_and_execute(|| {
		let model = hash("first");
		let calls: [Call<Test>; 8] = [
			Call::propose_add { new: Box::new(new("third")) },
			Call::propose_change { model, terms: OTHER },
			Call::propose_retire { model },
			Call::propose_resume { model },
			Call::propose_default { model: None },
			Call::propose_delay { delay_ms: MIN_DELAY_MS },
			Call::call_off { pending: Pending::Delay },
			Call::forget { model },
		];
		for who in [ALICE, GUARD] {
			for call in &calls {
				assert_noop!(signed(call.clone(), who), BadOrigin);
			}
		}
		assert_noop!(signed(Call::stop { model }, ALICE), BadOrigin);
		assert_ok!(signed(Call::stop { model }, GUARD));
	});
}
