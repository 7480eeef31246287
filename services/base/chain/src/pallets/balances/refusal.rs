//! Why it says no.

refusals! {
	/// Why the pallet of AIT says no.
	"Balances" {
		0 VestingBalance: "the amount is still vesting: send less";
		1 LiquidityRestrictions: "the amount is locked in the account: send less";
		2 InsufficientBalance: "the account holds less than that";
		3 ExistentialDeposit: "the receiving account would have less than the minimum: send more";
		4 Expendability: "the account would end: leave the minimum on it";
		5 ExistingVestingSchedule: "the account has a vesting schedule already";
		6 DeadAccount: "the receiving account does not exist";
		7 TooManyReserves: "the account has too many reserves";
		8 TooManyHolds: "the account has too many holds";
		9 TooManyFreezes: "the account has too many freezes";
		10 IssuanceDeactivated: "the issuance cannot be changed";
		11 DeltaZero: "the amount is zero";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::VestingBalance
			| Self::LiquidityRestrictions
			| Self::InsufficientBalance
			| Self::ExistentialDeposit
			| Self::Expendability
			| Self::ExistingVestingSchedule
			| Self::DeadAccount
			| Self::TooManyReserves
			| Self::TooManyHolds
			| Self::TooManyFreezes
			| Self::IssuanceDeactivated
			| Self::DeltaZero => false,
		}
	}
}
