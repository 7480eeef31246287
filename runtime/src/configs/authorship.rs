//! `pallet_authorship`: which authority produced the block.

use crate::{Aura, Runtime};
use pallet_session::FindAccountFromAuthorIndex;

impl pallet_authorship::Config for Runtime {
	type EventHandler = ();
	type FindAuthor = FindAccountFromAuthorIndex<Runtime, Aura>;
}
