//! Why it says no.

refusals! {
	/// Why the coverage policy says no.
	"CoveragePolicy" {
		0 NegativePrice: "the day's price is below zero: nothing is minted on it; wait for the next statement";
		1 ZeroPrice: "the day's price is zero: nothing is minted on it; wait for the next statement";
		2 PriceTooLow: "the stated price is below the lowest one that is believed: check its source";
		3 PriceTooHigh: "the stated price is above the highest one that is believed: check its source";
		4 PriceMovedTooFar: "the stated price is too far from the last one: check its source";
		5 WrongZones: "the statement is about another number of zones than the chain's parameters";
		6 AlphaTooHigh: "the statement's α is above what its complete zones allow";
		7 AboveInventory: "the stated compute assets are above the inventory";
		8 MintStopped: "wait until governance allows minting again";
		9 RedeemStopped: "wait until governance allows redemption again";
		10 NotIssuer: "mint with the key of the issuer that governance named";
		11 Stale: "state a recent day first: gridproof attest submit";
		12 OtherStatement: "the statement was revised or replaced; look at the new one first";
		13 AllowanceLapsed: "it could be used only on the day after the stated one; wait for the next statement";
		14 NotCovered: "the coverage ratio is below CR_min; wait for a day with more reserve";
		15 AboveAllowance: "no more is left of it today; see gridproof policy status";
		16 ZeroAmount: "name an amount above zero";
		17 BelowMinimum: "redeem more at once";
		18 AboveDailyLimit: "redeem less, or the rest tomorrow";
		19 CreditTooLow: "the credit would be less than --min-credit";
		20 WouldLeaveDust: "redeem all, or leave the token's minimum";
		21 QueueFull: "not said any more: the queue has no bound";
		22 NothingToServe: "there is no ticket, or no credit left to hand out today that the treasury backs";
		23 InsufficientCredit: "the account has less credit";
		24 NoAccount: "the account has no credit";
		25 AccountInUse: "the account has credit or tickets, or has redeemed today";
		26 InvalidParameters: "the parameters contradict each other";
		27 Unchanged: "it already has this value";
		28 NotGovernance: "only governance allows again what was stopped";
		29 Overflow: "a figure is too large";
		30 AllowanceNotOpen: "it can be used from the chain's next day on";
		31 StoppedByRole: "a role has stopped minting: see gridproof attest stops";
		32 TooFewZones: "too few zones have a complete day: wait for more data, or revise the day later";
		33 EnergyTooHigh: "the stated energy is above what is believed of so many zones: check its unit";
		34 EnergyMovedTooFar: "the stated energy is too far from the last one: check its source";
		35 NotBacked: "the treasury has too little AICP to back all credit at that target price";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain? A mint names its statement, which counts for a day: what ends with the day does not
	/// come back. A statement's figures stay what they are.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::MintStopped
			| Self::RedeemStopped
			| Self::AboveDailyLimit
			| Self::QueueFull
			| Self::NothingToServe
			| Self::AccountInUse
			| Self::AllowanceNotOpen
			| Self::StoppedByRole
			| Self::NotBacked => true,
			Self::NegativePrice
			| Self::ZeroPrice
			| Self::PriceTooLow
			| Self::PriceTooHigh
			| Self::PriceMovedTooFar
			| Self::WrongZones
			| Self::AlphaTooHigh
			| Self::AboveInventory
			| Self::NotIssuer
			| Self::Stale
			| Self::TooFewZones
			| Self::EnergyTooHigh
			| Self::EnergyMovedTooFar
			| Self::OtherStatement
			| Self::AllowanceLapsed
			| Self::NotCovered
			| Self::AboveAllowance
			| Self::ZeroAmount
			| Self::BelowMinimum
			| Self::CreditTooLow
			| Self::WouldLeaveDust
			| Self::InsufficientCredit
			| Self::NoAccount
			| Self::InvalidParameters
			| Self::Unchanged
			| Self::NotGovernance
			| Self::Overflow => false,
		}
	}
}
