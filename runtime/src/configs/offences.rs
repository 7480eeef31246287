//! `pallet_offences`: an authority that votes twice loses its seat until governance lets it in.

use crate::{AccountId, Authorities, Runtime, RuntimeEvent};
use frame_support::weights::Weight;
use sp_runtime::Perbill;
use sp_staking::{
	SessionIndex,
	offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
};

type Offender = pallet_session::historical::IdentificationTuple<Runtime>;

/// Disables the offender at once, and bans it: no change of keys lets it in again.
pub struct DisableOffender;

impl OnOffenceHandler<AccountId, Offender, Weight> for DisableOffender {
	fn on_offence(
		offenders: &[OffenceDetails<AccountId, Offender>],
		slash_fraction: &[Perbill],
		_: SessionIndex,
	) -> Weight {
		let mut weight = Weight::zero();
		for (details, fraction) in offenders.iter().zip(slash_fraction) {
			let offender = details.offender.0.clone();
			let one = Authorities::ban(offender, OffenceSeverity(*fraction));
			weight = weight.saturating_add(one);
		}
		weight
	}
}

impl pallet_offences::Config for Runtime {
	type IdentificationTuple = Offender;
	type OnOffenceHandler = DisableOffender;
	type RuntimeEvent = RuntimeEvent;
}
