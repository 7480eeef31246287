//! `pallet_governance`: what the emergency track may do, and what the committee stops for 14 days.

use crate::{
	AccountId, Attestations, BlockNumber, ComputeReceipts, CoveragePolicy, MeterReadings,
	ModelRegistry, Runtime, RuntimeCall, RuntimeOrigin, TxPause,
	configs::{EmergencyCommitteeOrigin, GovernanceOrigin, MintedTokens},
	constants::time::SLOT_DURATION,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	ensure,
	traits::{ConstU32, Contains, Get, TypedGet},
	weights::Weight,
};
use gridproof_primitives::{
	H256, compute,
	crypto::ed25519::PublicKey,
	energy::{MeterIndex, OrganisationStanding, Suspension},
	reserve,
	reserve::attestation::Role,
	time::calendar::Calendar,
};
use pallet_brakes::{Token, Tokens};
use pallet_governance::{Origin, Stoppable};
use pallet_tx_pause::RuntimeCallNameOf;
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult};

/// Returns the blocks of a day by the chain's calendar, which genesis sets: 86,400 of UTC, 60 where
/// a day takes a minute.
pub fn blocks_of_a_day() -> BlockNumber {
	let calendar = calendar();
	let blocks = calendar.day_length.checked_div(SLOT_DURATION).unwrap_or_default();
	// A day has eight parts at the least, so that no period is empty.
	BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX).max(8)
}

/// Returns the chain's calendar; that of UTC where there is no chain: the metadata shows the tracks,
/// and programs and tests read it from a runtime without a state.
fn calendar() -> Calendar {
	#[cfg(feature = "std")]
	if sp_externalities::with_externalities(|_| ()).is_none() {
		return Calendar::UTC;
	}
	pallet_attestations::CalendarInUse::<Runtime>::get()
}

/// Returns `true` if this chain shows what takes days elsewhere in minutes.
pub(super) fn is_demonstration() -> bool {
	calendar().day_length < Calendar::UTC.day_length
}

/// So many days of the chain's calendar, in blocks.
pub struct Days<const N: u32>;

impl<const N: u32> Get<BlockNumber> for Days<N> {
	fn get() -> BlockNumber {
		blocks_of_a_day().saturating_mul(N)
	}
}

impl<const N: u32> TypedGet for Days<N> {
	type Type = BlockNumber;

	fn get() -> BlockNumber {
		<Self as Get<BlockNumber>>::get()
	}
}

/// Days after which a stop of the committee ends, and for which it cannot raise the same one then.
pub const STOP_DAYS: u32 = 14;

/// Calls that a referendum of the emergency track may make: those that end a stop, and those that
/// exclude somebody or something.
pub struct EmergencyCalls;

impl Contains<RuntimeCall> for EmergencyCalls {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_attestations::Call as Attest;
		use pallet_compute_checks::Call as Checks;
		use pallet_compute_receipts::Call as Compute;
		use pallet_meter_readings::Call as Meters;
		match call {
			RuntimeCall::SafeMode(pallet_safe_mode::Call::force_exit {})
			| RuntimeCall::TxPause(pallet_tx_pause::Call::unpause { .. })
			| RuntimeCall::Attestations(Attest::resume {} | Attest::end_stop { .. })
			| RuntimeCall::MeterReadings(
				Meters::resume {}
				| Meters::reinstate_meter { .. }
				| Meters::suspend_meter { reason: Suspension::Governance, .. },
			)
			| RuntimeCall::ModelRegistry(
				pallet_model_registry::Call::propose_resume { .. }
				| pallet_model_registry::Call::stop { .. },
			)
			| RuntimeCall::ComputeReceipts(
				Compute::ban { .. } | Compute::exclude_coordinator { .. },
			)
			// Not its dismissal: who dismisses verifiers within a day chooses juries.
			| RuntimeCall::ComputeChecks(Checks::suspend_verifier { .. }) => true,
			RuntimeCall::MeterReadings(Meters::set_organisation_standing { standing, .. }) => {
				*standing == OrganisationStanding::Revoked
			},
			RuntimeCall::CoveragePolicy(pallet_coverage_policy::Call::set_breaker { new }) => {
				*new < pallet_coverage_policy::BreakerLevel::<Runtime>::get()
			},
			RuntimeCall::ComputeReceipts(Compute::set_breaker { new }) => {
				*new < pallet_compute_receipts::BreakerLevel::<Runtime>::get()
			},
			_ => false,
		}
	}
}

/// Calls by which governance acts and that nobody else makes with effect, with those by which people
/// propose and vote. They continue in safe mode, so that a referendum that ends in it is carried out.
pub struct GovernedCalls;

impl Contains<RuntimeCall> for GovernedCalls {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_compute_checks::Call as Checks;
		use pallet_compute_receipts::Call as Compute;
		use pallet_coverage_policy::Call as Coverage;
		use pallet_meter_readings::Call as Meters;
		use pallet_treasury::Call as Treasury;
		matches!(
			call,
			RuntimeCall::Governance(_)
				| RuntimeCall::Referenda(_)
				| RuntimeCall::ConvictionVoting(_)
				| RuntimeCall::EmergencyCommittee(_)
				| RuntimeCall::Preimage(_)
				| RuntimeCall::Scheduler(_)
				| RuntimeCall::Brakes(_)
				| RuntimeCall::Parameters(_)
				| RuntimeCall::Attestations(_)
				| RuntimeCall::Authorities(_)
				| RuntimeCall::ModelRegistry(_)
				| RuntimeCall::SafeMode(_)
				| RuntimeCall::TxPause(_)
				| RuntimeCall::Treasury(
					Treasury::spend { .. }
						| Treasury::remove_approval { .. }
						| Treasury::void_spend { .. }
				) | RuntimeCall::CoveragePolicy(
				Coverage::set_parameters { .. }
					| Coverage::set_issuer { .. }
					| Coverage::set_breaker { .. }
			) | RuntimeCall::MeterReadings(
				Meters::set_organisation_standing { .. }
					| Meters::set_recorder { .. }
					| Meters::set_limits { .. }
					| Meters::pause {}
					| Meters::resume {}
			) | RuntimeCall::ComputeReceipts(
				Compute::call_off_slashes { .. }
					| Compute::set_parameters { .. }
					| Compute::set_breaker { .. }
					| Compute::admit_coordinator { .. }
					| Compute::exclude_coordinator { .. }
					| Compute::set_reference_rate { .. }
					| Compute::ban { .. }
					| Compute::forfeit { .. }
					| Compute::set_channel_parameters { .. }
			) | RuntimeCall::ComputeChecks(
				Checks::set_parameters { .. }
					| Checks::set_line { .. }
					| Checks::admit_verifier { .. }
					| Checks::dismiss_verifier { .. }
					| Checks::suspend_verifier { .. }
			)
		)
	}
}

/// Something that the committee can stop. The order is part of the encoding.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
	/// Everything but the ways out: safe mode.
	#[codec(index = 0)]
	SafeMode,
	/// One call.
	#[codec(index = 1)]
	Call(RuntimeCallNameOf<Runtime>),
	/// Statements of the reserve.
	#[codec(index = 2)]
	Statements,
	/// Minting of AICP, by a role's stop that is prolonged.
	#[codec(index = 3)]
	Role {
		/// Role that stopped the mint.
		role: Role,
		/// Number of its stop.
		number: u32,
	},
	/// Minting of AICP, or its redemption too.
	#[codec(index = 4)]
	Coverage {
		/// Level before the committee stopped it.
		from: reserve::state::Breaker,
		/// Level to which it stopped it.
		to: reserve::state::Breaker,
	},
	/// Minting of AIT, or jobs too.
	#[codec(index = 5)]
	Compute {
		/// Level before the committee stopped it.
		from: compute::Breaker,
		/// Level to which it stopped it.
		to: compute::Breaker,
	},
	/// Admission of a coordinator, by its key.
	#[codec(index = 6)]
	Coordinator(PublicKey),
	/// AIT that an AICP counts for, lowered to this; `None` if it counts for nothing.
	#[codec(index = 7)]
	Rate(Option<compute::AitPerAicp>),
	/// Batches of readings, and so the mint of KWH.
	#[codec(index = 8)]
	Readings,
	/// One meter.
	#[codec(index = 9)]
	Meter(MeterIndex),
	/// One model, by its hash.
	#[codec(index = 10)]
	Model(H256),
	/// One verifier.
	#[codec(index = 11)]
	Verifier(AccountId),
}

impl Stop {
	/// Returns the token whose mint it stops.
	const fn token(&self) -> Option<Token> {
		match self {
			Self::Compute { .. } => Some(Token::Ait),
			Self::Coverage { .. } => Some(Token::Aicp),
			Self::Readings => Some(Token::Kwh),
			_ => None,
		}
	}
}

impl Stoppable<RuntimeCall> for Stop {
	fn of(call: &RuntimeCall) -> Option<Self> {
		use pallet_attestations::Call as Attest;
		use pallet_compute_receipts::Call as Compute;
		use pallet_meter_readings::Call as Meters;
		Some(match call {
			RuntimeCall::SafeMode(pallet_safe_mode::Call::force_enter {}) => Self::SafeMode,
			RuntimeCall::TxPause(pallet_tx_pause::Call::pause { full_name }) => {
				Self::Call(full_name.clone())
			},
			RuntimeCall::Attestations(Attest::pause {}) => Self::Statements,
			RuntimeCall::Attestations(Attest::prolong_stop { role, number }) => {
				Self::Role { role: *role, number: *number }
			},
			RuntimeCall::CoveragePolicy(pallet_coverage_policy::Call::set_breaker { new }) => {
				let from = pallet_coverage_policy::BreakerLevel::<Runtime>::get();
				Self::Coverage { from, to: *new }
			},
			RuntimeCall::ComputeReceipts(Compute::set_breaker { new }) => {
				let from = pallet_compute_receipts::BreakerLevel::<Runtime>::get();
				Self::Compute { from, to: *new }
			},
			RuntimeCall::ComputeReceipts(Compute::exclude_coordinator { key }) => {
				Self::Coordinator(*key)
			},
			RuntimeCall::ComputeReceipts(Compute::set_reference_rate { new }) => Self::Rate(*new),
			RuntimeCall::MeterReadings(Meters::pause {}) => Self::Readings,
			RuntimeCall::MeterReadings(Meters::suspend_meter {
				meter,
				reason: Suspension::Governance,
			}) => Self::Meter(*meter),
			RuntimeCall::ModelRegistry(pallet_model_registry::Call::stop { model }) => {
				Self::Model(*model)
			},
			RuntimeCall::ComputeChecks(pallet_compute_checks::Call::suspend_verifier {
				account,
			}) => Self::Verifier(account.clone()),
			_ => return None,
		})
	}

	fn is_same(&self, other: &Self) -> bool {
		match (self, other) {
			(Self::Coverage { to, .. }, Self::Coverage { to: other, .. }) => to == other,
			(Self::Compute { to, .. }, Self::Compute { to: other, .. }) => to == other,
			_ => self == other,
		}
	}

	fn is_of_same_thing(&self, other: &Self) -> bool {
		match (self, other) {
			(Self::Coverage { .. }, Self::Coverage { .. })
			| (Self::Compute { .. }, Self::Compute { .. }) => true,
			_ => self == other,
		}
	}

	fn stricter_than(&self, other: &Self) -> Option<Self> {
		match (self, other) {
			(Self::Coverage { to, .. }, Self::Coverage { from, to: less }) if to > less => {
				Some(Self::Coverage { from: *from, to: *to })
			},
			(Self::Compute { to, .. }, Self::Compute { from, to: less }) if to > less => {
				Some(Self::Compute { from: *from, to: *to })
			},
			_ => None,
		}
	}

	fn ends_by_itself(&self) -> bool {
		// A rate that was lowered ends when governance's statement of it does, and the suspension of a
		// verifier after as many days as any stop.
		matches!(self, Self::SafeMode | Self::Role { .. } | Self::Rate(_) | Self::Verifier(_))
	}

	fn holds(&self) -> bool {
		match self {
			Self::SafeMode | Self::Role { .. } | Self::Rate(_) | Self::Verifier(_) => false,
			Self::Call(name) => TxPause::is_paused(name),
			Self::Statements => pallet_attestations::Paused::<Runtime>::get(),
			Self::Coverage { to, .. } => {
				pallet_coverage_policy::BreakerLevel::<Runtime>::get() == *to
			},
			Self::Compute { to, .. } => {
				pallet_compute_receipts::BreakerLevel::<Runtime>::get() == *to
			},
			Self::Coordinator(key) => {
				!pallet_compute_receipts::Admitted::<Runtime>::contains_key(key)
			},
			Self::Readings => pallet_meter_readings::Paused::<Runtime>::get(),
			Self::Meter(meter) => MeterReadings::meter(*meter)
				.is_some_and(|meter| meter.suspended == Some(Suspension::Governance)),
			Self::Model(model) => ModelRegistry::model(*model).is_some_and(|model| {
				matches!(
					model.standing,
					Some(gridproof_primitives::compute::registry::Standing::Stopped(_))
				)
			}),
		}
	}

	fn end(self) -> DispatchResult {
		if let Some(token) = self.token() {
			let supply = MintedTokens::supply(token);
			// Its mint was stopped for that as well.
			ensure!(
				supply.expected == supply.actual,
				DispatchError::Other("the supply is not what it must be")
			);
		}
		let governance = RuntimeOrigin::from(Origin::Standard);
		match self {
			Self::SafeMode | Self::Role { .. } | Self::Rate(_) | Self::Verifier(_) => Ok(()),
			Self::Call(name) => TxPause::unpause(governance, name).map(|_| ()),
			Self::Statements => Attestations::resume(governance),
			Self::Coverage { from, .. } => CoveragePolicy::set_breaker(governance, from),
			Self::Compute { from, .. } => ComputeReceipts::set_breaker(governance, from),
			Self::Coordinator(key) => ComputeReceipts::admit_coordinator(governance, key),
			Self::Readings => MeterReadings::resume(governance),
			Self::Meter(meter) => {
				let info = MeterReadings::meter(meter);
				let info = info.ok_or(pallet_meter_readings::Error::<Runtime>::NoMeter)?;
				MeterReadings::reinstate_meter(governance, meter, info.certificate.seal)
			},
			Self::Model(model) => ModelRegistry::propose_resume(governance, model),
		}
	}

	fn weight_to_end() -> Weight {
		// Reinstating a meter is the longest: its row, its certificate, its point, and the sums.
		Weight::from_parts(200_000_000, 0)
			.saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads_writes(12, 8))
	}
}

impl pallet_governance::Config for Runtime {
	type CommitteeOrigin = EmergencyCommitteeOrigin;
	type GovernanceOrigin = GovernanceOrigin;
	type Lifts = EmergencyCalls;
	type MaxStops = ConstU32<64>;
	type RuntimeCall = RuntimeCall;
	type RuntimeOrigin = RuntimeOrigin;
	type Stop = Stop;
	type StopLength = Days<STOP_DAYS>;
}
