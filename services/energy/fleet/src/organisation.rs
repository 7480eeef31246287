//! Organisations of electricians.

use crate::onboard::OnboardError;
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, ChainError, Patience,
	governance::Power,
	pallets::meter_readings::{call, event::OrganisationRegistered, query},
};
use gridproof_keys::{AccountKey, account::address};
use gridproof_primitives::energy::{OrganisationIndex, OrganisationStanding};
use serde::Serialize;

/// An organisation that was just registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registered {
	/// Its number on the chain.
	pub organisation: OrganisationIndex,
	/// Its name.
	pub name: String,
	/// Whether governance has admitted it.
	pub admitted: bool,
	/// Addresses of its electricians.
	pub electricians: Vec<String>,
}

/// Registers an organisation with `admin`, adds electricians, and lets `governance`, the sudo key
/// of a development chain, admit it if there is one.
///
/// # Errors
/// [`OnboardError::Refused`] with the organisation's name; [`OnboardError::Chain`];
/// [`OnboardError::Governance`], with which it is registered and not admitted.
pub fn register_organisation<'a>(
	chain: &'a Chain,
	name: &'a str,
	admin: &'a AccountKey,
	electricians: &'a [[u8; 32]],
	governance: Option<&'a AccountKey>,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Registered, OnboardError>> {
	Box::pin(async move {
		let submit = async |account: &AccountKey, call| {
			let submitted = chain.submit(account, &call, patience).await;
			submitted.map_err(|error| OnboardError::Refused { name: name.to_string(), error })
		};
		let included = submit(admin, call::register_organisation(name)).await?;
		let OrganisationRegistered { organisation, .. } = included.first()?;
		for electrician in electricians {
			submit(admin, call::add_member(organisation, *electrician)).await?;
		}
		if let Some(governance) = governance {
			let admit =
				call::set_organisation_standing(organisation, OrganisationStanding::Admitted);
			chain.govern(governance, None, Power::Root, &admit, patience).await?;
		}
		let found = chain.read(&query::organisation(organisation)).await?;
		let lost =
			|| ChainError::Unsupported(format!("the organisation {organisation}, just made"));
		let standing = found.ok_or_else(lost)?.standing;
		Ok(Registered {
			organisation,
			name: name.to_string(),
			admitted: standing == OrganisationStanding::Admitted,
			electricians: electricians.iter().map(address).collect(),
		})
	})
}
