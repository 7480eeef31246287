//! `pallet_offences`: an authority that votes twice loses its seat.

use crate::{AccountId, Runtime, RuntimeEvent, Session};
use frame_support::weights::Weight;
use sp_runtime::Perbill;
use sp_staking::{
	SessionIndex,
	offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
};

type Offender = pallet_session::historical::IdentificationTuple<Runtime>;

/// Disables the offender immediately: it produces no more blocks until the set of authorities
/// changes.
pub struct DisableOffender;

impl OnOffenceHandler<AccountId, Offender, Weight> for DisableOffender {
	fn on_offence(
		offenders: &[OffenceDetails<AccountId, Offender>],
		slash_fraction: &[Perbill],
		_: SessionIndex,
	) -> Weight {
		for (details, fraction) in offenders.iter().zip(slash_fraction) {
			Session::report_offence(details.offender.0.clone(), OffenceSeverity(*fraction));
		}
		let offenders = u64::try_from(offenders.len()).unwrap_or(u64::MAX);
		<Runtime as frame_system::Config>::DbWeight::get()
			.reads_writes(2, 1)
			.saturating_mul(offenders)
	}
}

impl pallet_offences::Config for Runtime {
	type IdentificationTuple = Offender;
	type OnOffenceHandler = DisableOffender;
	type RuntimeEvent = RuntimeEvent;
}
