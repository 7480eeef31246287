//! Events.

use super::Limits;
use crate::pallets::AccountId;
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	energy::{
		AnchorState, BatchRefusal, MeterIndex, MeterName, OrganisationIndex, OrganisationName,
		OrganisationStanding, Registers, SealId, SerialNumber, Suspension,
	},
};

events! {
	"MeterReadings" {
		/// A batch was accepted.
		BatchAccepted {
			/// The meter.
			meter: MeterIndex,
			/// The batch's number.
			sequence: u64,
			/// Hash of its header.
			header_hash: H256,
			/// KWH minted, in Wh.
			minted: u64,
		}
		/// A batch was refused; nothing changed.
		BatchRefused {
			/// The meter.
			meter: MeterIndex,
			/// The batch's number.
			sequence: u64,
			/// Hash of its header.
			header_hash: H256,
			/// The first rule that it breaks.
			reason: BatchRefusal,
		}
		/// An organisation was registered.
		OrganisationRegistered {
			/// Its number.
			organisation: OrganisationIndex,
			/// The account that administers it.
			admin: AccountId,
			/// Its name.
			name: OrganisationName,
		}
		/// An organisation was admitted or revoked.
		OrganisationStandingSet {
			/// Its number.
			organisation: OrganisationIndex,
			/// The standing before.
			old: OrganisationStanding,
			/// The standing now.
			new: OrganisationStanding,
		}
		/// An organisation was dissolved and its deposit returned.
		OrganisationDissolved {
			/// Its number.
			organisation: OrganisationIndex,
		}
		/// An organisation has one more electrician.
		MemberAdded {
			/// The organisation.
			organisation: OrganisationIndex,
			/// The electrician.
			who: AccountId,
		}
		/// An organisation has one electrician less.
		MemberRemoved {
			/// The organisation.
			organisation: OrganisationIndex,
			/// The account that was one.
			who: AccountId,
		}
		/// A meter was certified.
		MeterCertified {
			/// Its index.
			meter: MeterIndex,
			/// Its name.
			name: MeterName,
			/// The account that owns it.
			owner: AccountId,
			/// The key that signs for it.
			device: PublicKey,
			/// The account that gets its KWH.
			energy_account: AccountId,
			/// The organisation that certified it.
			organisation: OrganisationIndex,
			/// The electrician's account.
			electrician: AccountId,
		}
		/// A meter was suspended: its batches are refused.
		MeterSuspended {
			/// Its index.
			meter: MeterIndex,
			/// The cause.
			reason: Suspension,
			/// The account that did it; `None` for governance.
			by: Option<AccountId>,
		}
		/// A suspended meter counts again.
		MeterReinstated {
			/// Its index.
			meter: MeterIndex,
			/// Its seal.
			seal: SealId,
			/// The electrician who vouches for it; `None` for governance.
			electrician: Option<AccountId>,
		}
		/// A meter was exchanged: its registers continue elsewhere than they stopped.
		MeterExchanged {
			/// Its index.
			meter: MeterIndex,
			/// The registers at the end, in Wh.
			old: Registers,
			/// The registers at the new begin, in Wh.
			new: Registers,
			/// The key that signs from now on.
			device: PublicKey,
			/// The account that gets its KWH from now on.
			energy_account: AccountId,
			/// Maker and serial number of the meter that is there now.
			serial: SerialNumber,
			/// Its seal.
			seal: SealId,
			/// The electrician who vouches for it.
			electrician: AccountId,
		}
		/// A meter was taken out of service.
		MeterDecommissioned {
			/// Its index.
			meter: MeterIndex,
			/// The number of its batches.
			batches: u64,
			/// Hash of the last one's header, zero without any.
			last: H256,
			/// The account that did it; `None` for governance.
			by: Option<AccountId>,
		}
		/// A reading is in a batch that was accepted.
		ReadingVerified {
			/// The meter.
			meter: MeterIndex,
			/// Number of the batch.
			sequence: u64,
			/// Root of the batch.
			root: H256,
			/// RFC 6962 leaf hash of the reading.
			leaf_hash: H256,
			/// The reading's place in the batch, from 0.
			index: u32,
		}
		/// An anchor was recorded, or advanced.
		AnchorRecorded {
			/// The meter.
			meter: MeterIndex,
			/// Number of the batch.
			sequence: u64,
			/// Root of the batch.
			root: H256,
			/// How far it is.
			state: AnchorState,
		}
		/// An account may record anchors.
		RecorderAdded {
			/// The account.
			who: AccountId,
		}
		/// An account may record anchors no more.
		RecorderRemoved {
			/// The account.
			who: AccountId,
		}
		/// The limits changed.
		LimitsSet {
			/// The ones before.
			old: Limits,
			/// The ones now.
			new: Limits,
		}
		/// Batches were stopped.
		Paused {}
		/// Batches are accepted again.
		Resumed {}
		/// A meter that was certified before its organisation was admitted mints from now on.
		MeterAdmitted {
			/// Index of the meter.
			meter: MeterIndex,
			/// The electrician who asked for it.
			electrician: AccountId,
		}
		/// An organisation has another admin.
		OrganisationAdminSet {
			/// Number of the organisation.
			organisation: OrganisationIndex,
			/// The admin before.
			old: AccountId,
			/// The admin now.
			new: AccountId,
		}
		/// What a meter minted in error was taken back.
		MeterCorrected {
			/// Index of the meter.
			meter: MeterIndex,
			/// KWH that were burned on its energy account, in Wh.
			burned_wh: u64,
			/// What was not there any more and is owed, in Wh.
			owed_wh: u64,
			/// The admin of its organisation; `None` for governance.
			by: Option<AccountId>,
		}
	}
}
