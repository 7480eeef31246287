//! Pallets whose calls have nothing of ours in them: arguments of chance, mostly.

use super::{Calls, Strategy::*, filled};
use crate::{
	rng::Rng,
	world::{Sent, World},
};
use frame_support::traits::PalletInfoAccess;
use gridproof_runtime::{
	Authorities, Grandpa, Preimage, RuntimeCall, SafeMode, SessionKeys, System,
};

/// A call of bytes that are all alike.
pub(super) fn bytes<P: PalletInfoAccess>(world: &World, rng: &mut Rng, call: u8) -> Option<Sent> {
	let pallet = u8::try_from(P::index()).expect("small");
	let call = filled(pallet, call, rng.pick(&[0, 1, 2]))?;
	Some(Sent::Signed(world.wallet(rng), call))
}

pub(super) const AUTHORITIES: Calls = &[
	("let_in", Root),
	("report_two_blocks", Make(|world, rng| bytes::<Authorities>(world, rng, 1))),
];

pub(super) const BRAKES: Calls = &[("set_emergency_account", Root)];

pub(super) const GRANDPA: Calls = &[
	("report_equivocation", Make(|world, rng| bytes::<Grandpa>(world, rng, 0))),
	("report_equivocation_unsigned", Inherent),
	("note_stalled", Filtered),
];

pub(super) const MIGRATIONS: Calls = &[
	("force_set_cursor", Root),
	("force_set_active_cursor", Root),
	("force_onboard_mbms", Root),
	("clear_historic", Root),
];

/// Governance decides about models; anybody else could only be the emergency account.
pub(super) const MODEL_REGISTRY: Calls = &[
	("propose_add", Root),
	("propose_change", Root),
	("propose_retire", Root),
	("propose_resume", Root),
	("propose_default", Root),
	("propose_delay", Root),
	("call_off", Root),
	("stop", Root),
	("forget", Root),
];

pub(super) const PARAMETERS: Calls = &[("set_parameter", Root)];

pub(super) const PREIMAGE: Calls = &[
	("note_preimage", Make(note_preimage)),
	("unnote_preimage", Make(unnote_preimage)),
	("ensure_updated", Make(|world, rng| bytes::<Preimage>(world, rng, 4))),
	("request_preimage", Root),
	("unrequest_preimage", Root),
];

fn note_preimage(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let bytes = vec![u8::try_from(rng.below(3)).expect("small"); 32];
	Some(Sent::Signed(world.wallet(rng), pallet_preimage::Call::note_preimage { bytes }.into()))
}

fn unnote_preimage(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let bytes = vec![u8::try_from(rng.below(3)).expect("small"); 32];
	let hash = sp_crypto_hashing::blake2_256(&bytes).into();
	Some(Sent::Signed(world.wallet(rng), pallet_preimage::Call::unnote_preimage { hash }.into()))
}

pub(super) const SAFE_MODE: Calls = &[
	("enter", Make(|world, rng| bytes::<SafeMode>(world, rng, 0))),
	("extend", Make(|world, rng| bytes::<SafeMode>(world, rng, 2))),
	("release_deposit", Make(|world, rng| bytes::<SafeMode>(world, rng, 6))),
	("force_enter", Root),
	("force_extend", Root),
	("force_exit", Root),
	("force_slash_deposit", Root),
	("force_release_deposit", Root),
];

pub(super) const SCHEDULER: Calls = &[
	("schedule", Root),
	("cancel", Root),
	("schedule_named", Root),
	("cancel_named", Root),
	("schedule_after", Root),
	("schedule_named_after", Root),
	("set_retry", Root),
	("set_retry_named", Root),
	("cancel_retry", Root),
	("cancel_retry_named", Root),
];

pub(super) const SESSION: Calls = &[("set_keys", Make(set_keys)), ("purge_keys", Filtered)];

fn set_keys(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let keys: SessionKeys =
		codec::Decode::decode(&mut &[rng.bytes(), rng.bytes()].concat()[..]).ok()?;
	let call: RuntimeCall =
		pallet_session::Call::set_keys { keys, proof: rng.bytes().to_vec() }.into();
	Some(Sent::Signed(world.wallet(rng), call))
}

pub(super) const SUDO: Calls = &[
	("sudo", Sudo),
	("sudo_unchecked_weight", Sudo),
	("set_key", Sudo),
	("sudo_as", Filtered),
	("remove_key", Sudo),
];

pub(super) const SYSTEM: Calls = &[
	("remark", Make(|world, rng| bytes::<System>(world, rng, 0))),
	("remark_with_event", Make(|world, rng| bytes::<System>(world, rng, 7))),
	("apply_authorized_upgrade", Make(|world, rng| bytes::<System>(world, rng, 11))),
	("set_heap_pages", Root),
	("set_code", Root),
	("set_code_without_checks", Root),
	("set_storage", Filtered),
	("kill_storage", Filtered),
	("kill_prefix", Filtered),
	("authorize_upgrade", Root),
	("authorize_upgrade_without_checks", Root),
];

pub(super) const TIMESTAMP: Calls = &[("set", Inherent)];

pub(super) const TREASURY: Calls = &[
	("payout", Make(|world, rng| bytes::<gridproof_runtime::Treasury>(world, rng, 6))),
	("check_status", Make(|world, rng| bytes::<gridproof_runtime::Treasury>(world, rng, 7))),
	("spend_local", Filtered),
	("remove_approval", Root),
	("spend", Root),
	("void_spend", Root),
];

pub(super) const TX_PAUSE: Calls = &[("pause", Root), ("unpause", Root)];
