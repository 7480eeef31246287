//! Events.

use crate::pallets::AccountId;
use gridproof_primitives::{
	H256,
	compute::channels::{
		BatchKind, BatchRefusal, BatchSums, ChannelId, ChannelOffence, ChannelParameters,
		ChannelSums, Demanded, MinerSums,
	},
	compute::checks::Part,
	compute::{
		Breaker, ComputeParameters, JobState, OffenceKind, PartyRole, PriceAsset, ReceiptRefusal,
		ReferenceRate, settlement::Shares,
	},
	crypto::ed25519::PublicKey,
};

events! {
	"ComputeReceipts" {
		/// A miner or coordinator was registered.
		Registered {
			/// Its key.
			key: PublicKey,
			/// What it is registered as.
			role: PartyRole,
			/// The account that bonds and is paid.
			account: AccountId,
			/// Its bond, in units of 10⁻¹⁸ AIT.
			bond: u128,
		}
		/// A bond was raised.
		BondRaised {
			/// The party's key.
			key: PublicKey,
			/// The bond now, in units of 10⁻¹⁸ AIT.
			bond: u128,
		}
		/// A party is leaving.
		Leaving {
			/// Its key.
			key: PublicKey,
			/// From when on it can take its bond back, in UTC milliseconds.
			until_ms: u64,
		}
		/// A party has left and has its bond back.
		Left {
			/// Its key.
			key: PublicKey,
			/// The bond returned, in units of 10⁻¹⁸ AIT.
			bond: u128,
		}
		/// A job was opened and its price is held.
		JobOpened {
			/// The job.
			job_id: H256,
			/// The account that pays.
			client: AccountId,
			/// The coordinator's key.
			coordinator: PublicKey,
			/// Hash of what is to be done.
			spec_hash: H256,
			/// What it is paid in.
			asset: PriceAsset,
			/// What is held, in the asset's unit.
			price: u128,
			/// The receipt must be claimed before, in UTC milliseconds.
			deadline_ms: u64,
		}
		/// A client wants to cancel.
		JobCancelling {
			/// The job.
			job_id: H256,
			/// The job's new deadline, in UTC milliseconds.
			until_ms: u64,
		}
		/// A miner is to do a job, and no other can be paid for it.
		JobAssigned {
			/// The job.
			job_id: H256,
			/// The miner's key.
			miner: PublicKey,
			/// Number of the assignment.
			attempt: u32,
			/// Whether the miner has accepted.
			accepted: bool,
		}
		/// A job ended without a receipt, and the client has its money back.
		JobRefunded {
			/// The job.
			job_id: H256,
			/// How it ended.
			state: JobState,
			/// What was returned, in the asset's unit.
			refund: u128,
		}
		/// A receipt settled its job.
		ReceiptSettled {
			/// The job.
			job_id: H256,
			/// The receipt.
			receipt_id: H256,
			/// The miner's key.
			miner: PublicKey,
			/// Compute units delivered.
			compute_units: u64,
			/// Who gets what of the price, in the asset's unit.
			shares: Shares,
			/// What the client has back, in the asset's unit.
			refund: u128,
			/// Claim on the running step, in units of 10⁻¹⁸ AIT.
			claim: u128,
		}
		/// A receipt settled nothing.
		ReceiptRefused {
			/// The job it names.
			job_id: H256,
			/// The receipt.
			receipt_id: H256,
			/// The first rule that it breaks.
			reason: ReceiptRefusal,
		}
		/// Something could not be paid to its owner and went to the treasury, or back.
		PaymentDiverted {
			/// The job's client.
			client: AccountId,
			/// The account it was meant for.
			beneficiary: AccountId,
			/// What it is in.
			asset: PriceAsset,
			/// In the asset's unit.
			amount: u128,
		}
		/// An emission step ended.
		StepClosed {
			/// Number of the channel.
			step: u64,
			/// Sum of the claims of its receipts, in units of 10⁻¹⁸ AIT.
			claims: u128,
			/// Who shares what of it, in units of 10⁻¹⁸ AIT.
			shares: Shares,
		}
		/// AIT was minted to a miner or coordinator.
		EmissionPaid {
			/// Its key.
			key: PublicKey,
			/// Its account.
			account: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// The treasury's part of the emission was minted.
		TreasuryPaid {
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// A miner was online.
		HeartbeatTaken {
			/// The miner's key.
			miner: PublicKey,
			/// In UTC milliseconds.
			time_ms: u64,
		}
		/// An offence was proven.
		OffenceProven {
			/// The offender's key.
			offender: PublicKey,
			/// What it is.
			kind: OffenceKind,
			/// The job it was about.
			job_id: H256,
			/// How many of its offences count now.
			offences: u32,
			/// Until when it is banned, in UTC milliseconds; 0 if it is not.
			banned_until_ms: u64,
			/// What will be slashed, in units of 10⁻¹⁸ AIT.
			slash: u128,
		}
		/// Part of a bond went to the treasury.
		Slashed {
			/// The party's key.
			key: PublicKey,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// Governance called off what was to be slashed.
		SlashesCalledOff {
			/// The party's key.
			key: PublicKey,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// The parameters changed.
		ParametersSet {
			/// The ones before.
			old: ComputeParameters,
			/// The ones now.
			new: ComputeParameters,
		}
		/// More or less is stopped.
		BreakerSet {
			/// What was stopped before.
			old: Breaker,
			/// What is stopped now.
			new: Breaker,
		}
		/// Governance admitted a coordinator.
		CoordinatorAdmitted {
			/// Key of the coordinator.
			key: PublicKey,
		}
		/// A coordinator is no longer admitted.
		CoordinatorExcluded {
			/// Key of the coordinator.
			key: PublicKey,
		}
		/// A party takes back its leave.
		Stayed {
			/// Key of the party.
			key: PublicKey,
		}
		/// Governance banned a party, or ended its ban.
		BanSet {
			/// Key of the party.
			key: PublicKey,
			/// Time until which it is banned, in UTC milliseconds; in the past if it is not.
			until_ms: u64,
		}
		/// What a party had earned returned to the reserve.
		Forfeited {
			/// Key of the party.
			key: PublicKey,
			/// Amount that it could have claimed, in units of 10⁻¹⁸ AIT.
			amount: u128,
			/// `true` if its part of the running step is forfeited too.
			pending: bool,
		}
		/// The rate at which AICP counts in the emission changed.
		ReferenceRateSet {
			/// Rate until now; `None` if AICP counted for nothing.
			old: Option<ReferenceRate>,
			/// Rate from now on; `None` if AICP counts for nothing.
			new: Option<ReferenceRate>,
		}
		/// A party's account wants to exchange its key.
		KeyExchanging {
			/// Present key of the party.
			key: PublicKey,
			/// Key that is to replace it.
			new: PublicKey,
			/// Time from which it can, in UTC milliseconds.
			until_ms: u64,
		}
		/// A party's account keeps the present key after all.
		KeyKept {
			/// Key of the party.
			key: PublicKey,
		}
		/// A party has another key.
		KeyExchanged {
			/// Key until now; the party answers for what it signed.
			key: PublicKey,
			/// Key from now on.
			new: PublicKey,
		}
		/// A channel was opened and its deposit is in escrow.
		ChannelOpened {
			/// Number of the channel.
			channel: ChannelId,
			/// The account that pays and gets the rest.
			client: AccountId,
			/// Key of the coordinator that it pays.
			coordinator: PublicKey,
			/// Asset and mode.
			kind: BatchKind,
			/// The client's key; `None` if the coordinator keeps it.
			signer: Option<PublicKey>,
			/// In the asset's unit.
			deposit: u128,
			/// Most that is settled on a day, in the asset's unit.
			daily_limit: u128,
			/// End of the plan's period, in UTC milliseconds.
			plan_ends_ms: Option<u64>,
		}
		/// Something was added to a channel's deposit.
		ChannelToppedUp {
			/// Number of the channel.
			channel: ChannelId,
			/// What was added, in the asset's unit.
			amount: u128,
			/// What was ever deposited, in the asset's unit.
			deposited: u128,
		}
		/// A plan continues.
		PlanRenewed {
			/// Number of its channel.
			channel: ChannelId,
			/// What was added, in the asset's unit.
			amount: u128,
			/// End of the new period, in UTC milliseconds.
			plan_ends_ms: u64,
		}
		/// A channel is being closed.
		ChannelEnding {
			/// Number of the channel.
			channel: ChannelId,
			/// From when on nothing is settled, in UTC milliseconds.
			until_ms: u64,
		}
		/// A channel has ended and its client has the rest.
		ChannelEnded {
			/// Number of the channel.
			channel: ChannelId,
			/// The account that has the rest and the deposit for the rows.
			client: AccountId,
			/// In the asset's unit.
			rest: u128,
		}
		/// A batch settled a channel's receipts.
		ChannelSettled {
			/// Number of the channel.
			channel: ChannelId,
			/// Sums of all its receipts so far.
			settled: ChannelSums,
		}
		/// A batch settled a miner's receipts.
		MinerSettled {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Key of the miner.
			miner: PublicKey,
			/// Sums of all its receipts at this coordinator in this kind so far.
			settled: MinerSums,
			/// Who gets what of the line's price, in the asset's unit.
			shares: Shares,
			/// Claim on the running step, in units of 10⁻¹⁸ AIT.
			claim: u128,
		}
		/// A batch was settled whole.
		BatchSettled {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Number of the batch.
			sequence: u64,
			/// Hash of its header.
			header_hash: H256,
			/// Asset and mode.
			kind: BatchKind,
			/// Sums over its receipts.
			sums: BatchSums,
			/// What the coordinator paid for the lines, in units of 10⁻¹⁸ AIT.
			fee: u128,
		}
		/// A batch settled nothing.
		BatchRefused {
			/// Key of the coordinator that it names.
			coordinator: PublicKey,
			/// Number of the batch.
			sequence: u64,
			/// The first rule that it breaks.
			reason: BatchRefusal,
		}
		/// The parameters of channels changed.
		ChannelParametersSet {
			/// The ones before.
			old: ChannelParameters,
			/// The ones now.
			new: ChannelParameters,
		}
		/// Somebody asks for a receipt.
		ReceiptDemanded {
			/// Key of the coordinator that signed it.
			coordinator: PublicKey,
			/// The demand's id.
			id: H256,
			/// Channel of the receipt.
			channel: ChannelId,
			/// Number of its voucher.
			number: u64,
			/// The account that asks.
			who: AccountId,
			/// What has to be shown.
			demanded: Demanded,
			/// Until when, in UTC milliseconds.
			due_ms: u64,
		}
		/// A receipt was shown in its batch.
		DemandAnswered {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// The demand's id.
			id: H256,
			/// Number of the batch.
			sequence: u64,
			/// The account that has the deposit.
			paid: AccountId,
		}
		/// A receipt was not shown in time.
		DemandUnanswered {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// The demand's id.
			id: H256,
			/// Whether it counts as an offence of its own.
			counts: bool,
			/// How many of the coordinator's offences count now.
			offences: u32,
			/// Until when it is banned, in UTC milliseconds; 0 if it is not.
			banned_until_ms: u64,
			/// What will be slashed, in units of 10⁻¹⁸ AIT.
			slash: u128,
		}
		/// An offence around channels was proven.
		ChannelOffenceProven {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// What it is.
			offence: ChannelOffence,
			/// The channel; `None` if it is about headers.
			channel: Option<ChannelId>,
			/// How many of the coordinator's offences count now.
			offences: u32,
			/// Until when it is banned, in UTC milliseconds; 0 if it is not.
			banned_until_ms: u64,
			/// What will be slashed, in units of 10⁻¹⁸ AIT.
			slash: u128,
		}
		/// What an offence took was given back out of a bond.
		GivenBack {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// The client's or the miner's account.
			to: AccountId,
			/// What it was owed in.
			asset: PriceAsset,
			/// What was owed, in the asset's unit.
			owed: u128,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// A batch gave up receipts of a channel that had ended.
		CountsGivenUp {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Number of the channel that had ended.
			channel: ChannelId,
			/// Key of the miner; none for receipts without an answer.
			miner: Option<PublicKey>,
			/// Number of these receipts.
			receipts: u64,
			/// Sum of their prices, in the asset's unit.
			price: u128,
		}
		/// Pay and mint of a settled batch wait for the check window.
		BatchWaits {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Pay that waits, in the asset's unit.
			amount: u128,
			/// End of the window, in UTC milliseconds.
			pay_due_ms: u64,
		}
		/// A miner signed its line after the settlement.
		LineSigned {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Key of the miner.
			miner: PublicKey,
			/// Step in which it claims.
			step: u64,
			/// In units of 10⁻¹⁸ AIT.
			claim: u128,
		}
		/// What waited of a part was released.
		WaitingReleased {
			/// Whose part, and of which batch.
			part: Part,
			/// In the asset's unit.
			pay: u128,
			/// Whether the pay goes back to clients.
			is_taken: bool,
			/// What the miner can claim more, in units of 10⁻¹⁸ AIT.
			mint: u128,
			/// What the coordinator can claim more, in units of 10⁻¹⁸ AIT.
			coordinator_mint: u128,
		}
		/// Pay and mint of one receipt were forfeited.
		ReceiptForfeited {
			/// The miner's part.
			part: Part,
			/// Number of the channel.
			channel: ChannelId,
			/// Who has the pay back.
			client: AccountId,
			/// In the asset's unit.
			amount: u128,
			/// Claim that the miner lost, in units of 10⁻¹⁸ AIT.
			claim: u128,
		}
		/// Part of the price of a line was forfeited, of which nobody can say what receipts it is of.
		PriceForfeited {
			/// The miner's part.
			part: Part,
			/// What goes back to the clients of the batch, in the asset's unit.
			amount: u128,
			/// Claim that the miner lost, in units of 10⁻¹⁸ AIT.
			claim: u128,
		}
		/// Everything that waits of a party was taken.
		WaitingTaken {
			/// Key of the party.
			key: PublicKey,
			/// Number of the first batch of which nothing is taken.
			before: u64,
		}
		/// What was taken went back to a client.
		ReturnedToClient {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Number of the channel.
			channel: ChannelId,
			/// Who received it.
			client: AccountId,
			/// In the asset's unit.
			amount: u128,
		}
		/// What an offence took was given back out of pay that waited.
		GivenBackOfWaiting {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// The client's or the miner's account.
			to: AccountId,
			/// What it was owed and is paid in.
			asset: PriceAsset,
			/// In the asset's unit.
			amount: u128,
		}
		/// A dispute holds a part.
		PartHeld {
			/// Whose part, and of which batch.
			part: Part,
			/// Until when at most, in UTC milliseconds.
			until_ms: u64,
		}
		/// A dispute does not hold a part any more.
		PartFreed {
			/// Whose part, and of which batch.
			part: Part,
		}
		/// A check or a dispute found a party guilty.
		CheckFailed {
			/// Key of the party.
			key: PublicKey,
			/// How many of its offences count now.
			offences: u32,
			/// Until when it is banned, in UTC milliseconds; 0 if it is not.
			banned_until_ms: u64,
			/// What will be slashed, in units of 10⁻¹⁸ AIT.
			slash: u128,
		}
		/// The window of the mint stands still, or continues.
		MintWindowStill {
			/// Whether it stands still.
			still: bool,
		}
		/// The treasury's account paid for checks.
		CheckPaid {
			/// Who received it.
			to: AccountId,
			/// Day of the checks, counted from 1970.
			day: u64,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
	}
}
