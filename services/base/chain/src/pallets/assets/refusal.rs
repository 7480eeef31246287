//! Why it says no.

refusals! {
	/// Why the pallet of AICP and KWH says no.
	"Assets" {
		0 BalanceLow: "the account holds less than that";
		1 NoAccount: "the account holds none of it";
		2 NoPermission: "this account may not do that with the asset";
		3 Unknown: "there is no such asset";
		4 Frozen: "the account is frozen";
		5 InUse: "the asset's number is taken";
		6 BadWitness: "the figures given about the asset are wrong";
		7 MinBalanceZero: "the minimum balance is zero";
		8 UnavailableConsumer: "the receiving account needs some AIT first";
		9 BadMetadata: "the asset's description is not valid";
		10 Unapproved: "the owner has not approved the transfer";
		11 WouldDie: "the asset account would end: leave the token's minimum on it";
		12 AlreadyExists: "the asset account exists already";
		13 NoDeposit: "the asset account has no deposit";
		14 WouldBurn: "some of the asset would be lost";
		15 LiveAsset: "the asset is in use";
		16 AssetNotLive: "the asset is not in use";
		17 IncorrectStatus: "the asset is in another state";
		18 NotFrozen: "the asset has to be frozen first";
		19 CallbackFailed: "what depends on the asset failed";
		20 BadAssetId: "the asset has to have another number";
		21 AssetIdAllocationFailed: "every number is given away";
		22 ContainsFreezes: "some of the asset is frozen";
		23 ContainsHolds: "some of the asset is held";
		24 TooManyReserves: "there are too many reserves";
		25 IncompleteDepositTransfer: "the deposit cannot be moved as a whole";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::BalanceLow
			| Self::NoAccount
			| Self::NoPermission
			| Self::Unknown
			| Self::Frozen
			| Self::InUse
			| Self::BadWitness
			| Self::MinBalanceZero
			| Self::UnavailableConsumer
			| Self::BadMetadata
			| Self::Unapproved
			| Self::WouldDie
			| Self::AlreadyExists
			| Self::NoDeposit
			| Self::WouldBurn
			| Self::LiveAsset
			| Self::AssetNotLive
			| Self::IncorrectStatus
			| Self::NotFrozen
			| Self::CallbackFailed
			| Self::BadAssetId
			| Self::AssetIdAllocationFailed
			| Self::ContainsFreezes
			| Self::ContainsHolds
			| Self::TooManyReserves
			| Self::IncompleteDepositTransfer => false,
		}
	}
}
