//! Decisions about organisations and meters.

use super::decide::{Decide, NothingArgs, Order};
use clap::{Args, Subcommand};
use gridproof_chain::pallets::meter_readings::call;
use gridproof_fleet::seal;
use gridproof_keys::account::{address, parse_account};
use gridproof_primitives::energy::{
	MeterIndex, OrganisationIndex, OrganisationStanding, SealId, Suspension,
};

/// What can be decided about energy.
#[derive(Subcommand)]
pub enum Energy {
	/// Admit an organisation of electricians: its meters mint.
	AdmitOrganisation(Decide<OrganisationArgs>),
	/// Revoke an organisation: its meters mint nothing until it is admitted again.
	RevokeOrganisation(Decide<OrganisationArgs>),
	/// Give an organisation another admin.
	OrganisationAdmin(Decide<AdminArgs>),
	/// Let an account record anchors, or let it no more.
	Recorder(Decide<RecorderArgs>),
	/// Suspend one meter: its batches are refused until governance reinstates it.
	SuspendMeter(Decide<MeterArgs>),
	/// Let a meter count again that governance has suspended.
	ReinstateMeter(Decide<ReinstateArgs>),
	/// Take one meter out of service: its name, key, serial number and seal come back on no meter.
	DecommissionMeter(Decide<MeterArgs>),
	/// Take back what a meter minted in error.
	CorrectMeter(Decide<CorrectArgs>),
	/// Stop the batches of all meters.
	StopBatches(Decide<NothingArgs>),
	/// Accept batches again.
	ResumeBatches(Decide<NothingArgs>),
}

/// Organisation that it is about.
#[derive(Args)]
pub struct OrganisationArgs {
	/// The organisation's number.
	#[arg(value_name = "INDEX")]
	organisation: OrganisationIndex,
}

/// An organisation and its admin.
#[derive(Args)]
pub struct AdminArgs {
	/// The organisation's number.
	#[arg(value_name = "INDEX")]
	organisation: OrganisationIndex,
	/// The account that is to be its admin.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	admin: [u8; 32],
}

/// Who records anchors.
#[derive(Args)]
pub struct RecorderArgs {
	/// The account that records.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	account: [u8; 32],
	/// Let it record no more.
	#[arg(long)]
	remove: bool,
}

/// Meter that it is about.
#[derive(Args)]
pub struct MeterArgs {
	/// The meter's number.
	#[arg(value_name = "INDEX")]
	meter: MeterIndex,
}

/// Meter and the seal that it has.
#[derive(Args)]
pub struct ReinstateArgs {
	/// The meter's number.
	#[arg(value_name = "INDEX")]
	meter: MeterIndex,
	/// The seal's id: the one that it has.
	#[arg(long, value_name = "ID", value_parser = seal)]
	seal: SealId,
}

/// A meter and what it minted in error.
#[derive(Args)]
pub struct CorrectArgs {
	/// The meter's number.
	#[arg(value_name = "INDEX")]
	meter: MeterIndex,
	/// What it minted in error, in Wh.
	#[arg(long, value_name = "WH", value_parser = clap::value_parser!(u64).range(1..))]
	wh: u64,
}

fn standing(of: &Decide<OrganisationArgs>, standing: OrganisationStanding) -> Order<'_> {
	let organisation = of.what.organisation;
	let word = match standing {
		OrganisationStanding::Admitted => "admitted",
		OrganisationStanding::Revoked => "revoked",
		OrganisationStanding::Pending => "waiting",
	};
	let call = call::set_organisation_standing(organisation, standing);
	of.order(call, format!("organisation {organisation} is {word}"))
}

impl Energy {
	/// Returns the call that it is, and who makes it.
	pub fn order(&self) -> Order<'_> {
		match self {
			Self::AdmitOrganisation(of) => standing(of, OrganisationStanding::Admitted),
			Self::RevokeOrganisation(of) => standing(of, OrganisationStanding::Revoked),
			Self::OrganisationAdmin(of) => {
				let AdminArgs { organisation, admin } = of.what;
				let call = call::set_organisation_admin(organisation, admin);
				let admin = address(&admin);
				of.order(call, format!("organisation {organisation} has the admin {admin}"))
			},
			Self::Recorder(of) => {
				let RecorderArgs { account, remove } = of.what;
				let word = if remove { "records anchors no more" } else { "may record anchors" };
				let done = format!("{} {word}", address(&account));
				of.order(call::set_recorder(account, !remove), done)
			},
			Self::SuspendMeter(of) => {
				let meter = of.what.meter;
				let call = call::suspend_meter(meter, Suspension::Governance);
				of.order(call, format!("meter {meter} is suspended"))
			},
			Self::ReinstateMeter(of) => {
				let ReinstateArgs { meter, seal } = &of.what;
				let done = format!("meter {meter} counts again");
				of.order(call::reinstate_meter(*meter, seal), done)
			},
			Self::DecommissionMeter(of) => {
				let meter = of.what.meter;
				of.order(
					call::decommission_meter(meter),
					format!("meter {meter} is out of service"),
				)
			},
			Self::CorrectMeter(of) => {
				let CorrectArgs { meter, wh } = of.what;
				let done = format!("{wh} Wh of meter {meter} are taken back, or owed");
				of.order(call::correct_meter(meter, wh), done)
			},
			Self::StopBatches(of) => of.order(call::pause(), "batches are stopped"),
			Self::ResumeBatches(of) => of.order(call::resume(), "batches are accepted again"),
		}
	}
}
