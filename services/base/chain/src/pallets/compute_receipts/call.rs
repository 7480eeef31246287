//! Calls.

use super::PALLET;
use crate::{Call, refusal::Codes, takes::What};
use codec::Compact;
use gridproof_primitives::{
	H256,
	compute::channels::{
		ChannelEvidence, ChannelId, ChannelParameters, ChannelReceipt, ChannelTerms, Placed,
		SettlementBatch, SettlementHeader,
	},
	compute::checks::{BatchId, Part},
	compute::{
		AitPerAicp, Breaker, Class, ComputeParameters, Evidence, PriceAsset, Quote,
		SignedAssignment, SignedHeartbeat, SignedReceipt,
	},
	crypto::ed25519::{PublicKey, Signature},
};

/// Registers a key as a coordinator, with its signature of the registration. The account that
/// signs the transaction bonds and is paid.
pub fn register_coordinator(key: &PublicKey, proof: &Signature) -> Call {
	Call::new(PALLET, "register_coordinator", &(key, proof))
		.taking(What::CoordinatorBond, "the coordinator's bond")
}

/// Registers a key as a miner, with its signature of the registration. The account that signs
/// the transaction bonds and is paid.
pub fn register_miner(key: &PublicKey, class: Class, proof: &Signature) -> Call {
	Call::new(PALLET, "register_miner", &(key, class, proof))
		.taking(What::MinerBond, "the miner's bond")
}

/// Adds `amount` units of 10⁻¹⁸ AIT to a party's bond. For its account.
pub fn raise_bond(key: &PublicKey, amount: u128) -> Call {
	Call::new(PALLET, "raise_bond", &(key, Compact(amount)))
		.taking(What::Amount(amount), "the bond")
}

/// Begins to leave. For the party's account.
pub fn leave(key: &PublicKey) -> Call {
	Call::new(PALLET, "leave", key)
}

/// Returns the bond of a party that has left. For its account.
pub fn withdraw(key: &PublicKey) -> Call {
	Call::new(PALLET, "withdraw", key)
}

/// Opens a job with a coordinator's quote and its signature. For the client that it names.
pub fn open_job(quote: &Quote, signature: &Signature) -> Call {
	let deposit = What::Constant { pallet: PALLET, name: "JobDeposit", times: 1 };
	let call = Call::new(PALLET, "open_job", &(quote, signature))
		.taking(deposit, "the deposit for the job, which returns a day after its end");
	match quote.asset {
		PriceAsset::Ait => call.taking(What::Amount(quote.price), "its highest price"),
		PriceAsset::Aicp | PriceAsset::ServiceCredit => call,
	}
}

/// Claims receipts, each of which settles its job or is refused alone. Needs no signer.
pub fn claim_receipts(receipts: &[SignedReceipt]) -> Call {
	Call::new(PALLET, "claim_receipts", &receipts).refused_with(Codes::Receipts)
}

/// Asks to cancel a job whose work has not started. For its client.
pub fn cancel_job(job: H256) -> Call {
	Call::new(PALLET, "cancel_job", &job)
}

/// Shows that the work on a job has started. Needs no signer.
pub fn assign_job(assignment: &SignedAssignment) -> Call {
	Call::new(PALLET, "assign_job", assignment).refused_with(Codes::Compute)
}

/// Lets a job go, with the coordinator's signature: the client has its money back at once. Needs
/// no signer.
pub fn release_job(job: H256, signature: &Signature) -> Call {
	Call::new(PALLET, "release_job", &(job, signature)).refused_with(Codes::Compute)
}

/// Returns the money of jobs whose deadline has passed. Needs no signer.
pub fn expire_jobs(jobs: &[H256]) -> Call {
	Call::new(PALLET, "expire_jobs", &jobs).refused_with(Codes::Compute)
}

/// States that miners are online. Needs no signer.
pub fn heartbeats(heartbeats: &[SignedHeartbeat]) -> Call {
	Call::new(PALLET, "heartbeats", &heartbeats).refused_with(Codes::Compute)
}

/// Mints what miners and coordinators have earned to their accounts. Needs no signer.
pub fn claim_emission(parties: &[PublicKey]) -> Call {
	Call::new(PALLET, "claim_emission", &parties).refused_with(Codes::Compute)
}

/// Reports an offence with its proof; free if it holds.
pub fn report_offence(evidence: &Evidence) -> Call {
	Call::new(PALLET, "report_offence", evidence)
}

/// Carries out what is to be slashed of a bond and whose grace has passed.
pub fn apply_slashes(key: &PublicKey) -> Call {
	Call::new(PALLET, "apply_slashes", key)
}

/// Calls off everything that is to be slashed of a bond. For governance.
pub fn call_off_slashes(key: &PublicKey) -> Call {
	Call::new(PALLET, "call_off_slashes", key)
}

/// Sets all parameters. For governance.
pub fn set_parameters(new: &ComputeParameters) -> Call {
	Call::new(PALLET, "set_parameters", new)
}

/// Admits a registered coordinator: jobs can be opened with its quotes. For governance.
pub fn admit_coordinator(key: &PublicKey) -> Call {
	Call::new(PALLET, "admit_coordinator", key)
}

/// Ends the admission of a coordinator, whose open jobs are settled all the same. For governance,
/// also in an emergency.
pub fn exclude_coordinator(key: &PublicKey) -> Call {
	Call::new(PALLET, "exclude_coordinator", key)
}

/// Takes back a leave. For the party's account.
pub fn stay(key: &PublicKey) -> Call {
	Call::new(PALLET, "stay", key)
}

/// Begins to exchange a party's key, with the new key's signature of the registration. For the
/// party's account.
pub fn exchange_key(key: &PublicKey, new: &PublicKey, proof: &Signature) -> Call {
	Call::new(PALLET, "exchange_key", &(key, new, proof))
}

/// Keeps a party's key after all. For its account.
pub fn keep_key(key: &PublicKey) -> Call {
	Call::new(PALLET, "keep_key", key)
}

/// Exchanges a party's key, once its time has come. For anyone.
pub fn complete_exchange(key: &PublicKey) -> Call {
	Call::new(PALLET, "complete_exchange", key)
}

/// Bans a party, its key and its account until a time in UTC milliseconds. For governance.
pub fn ban(key: &PublicKey, until_ms: u64) -> Call {
	Call::new(PALLET, "ban", &(key, until_ms))
}

/// Returns to the reserve what a party has earned and not claimed. For governance.
pub fn forfeit(key: &PublicKey) -> Call {
	Call::new(PALLET, "forfeit", key)
}

/// States what AICP counts for in the emission; `None`: nothing. For governance; to lower it, also
/// in an emergency.
pub fn set_reference_rate(new: Option<AitPerAicp>) -> Call {
	Call::new(PALLET, "set_reference_rate", &new)
}

/// Stops more or less. For governance; to stop more, also in an emergency.
pub fn set_breaker(new: Breaker) -> Call {
	Call::new(PALLET, "set_breaker", &new)
}

/// Opens a channel: a deposit for one coordinator. The account that signs the transaction is its
/// client.
pub fn open_channel(terms: &ChannelTerms) -> Call {
	let deposit = What::Constant { pallet: PALLET, name: "ChannelDeposit", times: 1 };
	let call = Call::new(PALLET, "open_channel", terms)
		.taking(deposit, "the deposit for the channel's rows, which returns at its end");
	match terms.kind.asset {
		PriceAsset::Ait => call.taking(What::Amount(terms.deposit), "the channel's deposit"),
		PriceAsset::Aicp | PriceAsset::ServiceCredit => call,
	}
}

/// Adds `amount`, in the asset's unit, to a channel's deposit. For its client.
pub fn top_up(channel: ChannelId, amount: u128) -> Call {
	Call::new(PALLET, "top_up", &(channel, Compact(amount)))
}

/// Begins another period of a plan, which ends at a time in UTC milliseconds, and adds `amount`, in
/// the unit of the channel's asset. For its client.
pub fn renew_plan(channel: ChannelId, asset: PriceAsset, amount: u128, plan_ends_ms: u64) -> Call {
	let call = Call::new(PALLET, "renew_plan", &(channel, Compact(amount), plan_ends_ms));
	match asset {
		PriceAsset::Ait => call.taking(What::Amount(amount), "the plan's next period"),
		PriceAsset::Aicp | PriceAsset::ServiceCredit => call,
	}
}

/// Begins the notice after which a channel ends. For its client; for a coordinator that keeps its
/// key; for anyone once a plan is over.
pub fn close_channel(channel: ChannelId) -> Call {
	Call::new(PALLET, "close_channel", &channel)
}

/// Returns what is left of channels that have ended. Needs no signer.
pub fn return_rests(channels: &[ChannelId]) -> Call {
	Call::new(PALLET, "return_rests", &channels).refused_with(Codes::Compute)
}

/// Settles a batch whole, or not at all: a refusal is the event `BatchRefused`. For anyone; the
/// coordinator's account pays the fee for the lines.
pub fn settle_batch(batch: &SettlementBatch) -> Call {
	Call::new(PALLET, "settle_batch", batch)
}

/// Sets all parameters of channels. For governance.
pub fn set_channel_parameters(new: &ChannelParameters) -> Call {
	Call::new(PALLET, "set_channel_parameters", new)
}

/// Asks for a receipt on chain that its coordinator did not settle in time, or has to show, with the
/// coordinator's signature of it. For anyone; the deposit that pays the answer depends on the
/// parameters of channels.
pub fn demand_receipt(receipt: &ChannelReceipt, signature: &Signature) -> Call {
	let row = What::Constant { pallet: PALLET, name: "ReportDeposit", times: 1 };
	Call::new(PALLET, "demand_receipt", &(receipt, signature))
		.taking(row, "the deposit for the demand's row, which returns with it")
}

/// Shows a receipt that was demanded of the coordinator that signs with `coordinator`, in a batch that
/// was settled. The headers lead to the batch's, the newest first. Free if it holds.
pub fn answer_demand(
	coordinator: &PublicKey,
	answer: &Placed<ChannelReceipt>,
	headers: &[SettlementHeader],
) -> Call {
	Call::new(PALLET, "answer_demand", &(coordinator, answer, headers))
}

/// Reports what a coordinator must not have signed; free if it holds.
pub fn report_channel_offence(coordinator: &PublicKey, evidence: &ChannelEvidence) -> Call {
	let row = What::Constant { pallet: PALLET, name: "ReportDeposit", times: 1 };
	Call::new(PALLET, "report_channel_offence", &(coordinator, evidence))
		.taking(row, "the deposit for the report's row")
}

/// Closes a demand that got no answer in time; free if it was due.
pub fn lapse_demand(coordinator: &PublicKey, id: H256) -> Call {
	Call::new(PALLET, "lapse_demand", &(coordinator, id))
}

/// Releases what waited for the check window, something of every part or nothing at all. Needs no
/// signer.
pub fn release_waiting(parts: &[Part]) -> Call {
	Call::new(PALLET, "release_waiting", &parts).refused_with(Codes::Compute)
}

/// Pays to clients of a batch what was taken from its miners and its coordinator. Needs no signer.
pub fn return_to_clients(batch: &BatchId, channels: &[ChannelId]) -> Call {
	Call::new(PALLET, "return_to_clients", &(batch, channels)).refused_with(Codes::Compute)
}

/// Adds a miner's signature of its line, so that it claims. Needs no signer of the transaction.
pub fn sign_line(batch: &BatchId, miner: &PublicKey, signature: &Signature) -> Call {
	Call::new(PALLET, "sign_line", &(batch, miner, signature)).refused_with(Codes::Compute)
}
