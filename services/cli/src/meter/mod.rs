//! `gridproof meter`.

mod govern;
mod onboard;
mod papers;
mod service;
mod show;
mod simulate;

use crate::{exit::usage, output::Output};
use clap::Subcommand;
use gridproof_chain::{
	Chain,
	pallets::meter_readings::{Meter, query},
};
use gridproof_fleet::meter_by_name;
use gridproof_primitives::energy::{MeterIndex, MeterName, emlog::parse_utc};
use gridproof_support::clock::now_ms;
use std::process::ExitCode;

/// What `gridproof meter` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Register an organisation of electricians.
	Organise(onboard::OrganiseArgs),
	/// Make device keys, let the owner consent and the electrician certify; one meter, or many.
	Onboard(Box<onboard::OnboardArgs>),
	/// Admit an organisation that was registered before, or revoke one, as root of a development chain:
	/// --suri //Alice. Elsewhere: govern admit-organisation N --referendum standard.
	AdmitOrganisation(govern::AdmitArgs),
	/// Add an electrician to an organisation, or remove one. For its admin.
	#[command(subcommand)]
	Electrician(govern::ElectricianCommand),
	/// Onboarding on three machines, 1: where the device is, make its key and a request.
	Request(Box<papers::RequestArgs>),
	/// Onboarding on three machines, 2: where the owner's wallet is, consent to a request.
	Consent(papers::ConsentArgs),
	/// Onboarding on three machines, 3: where the electrician's key is, certify.
	Certify(papers::CertifyArgs),
	/// Give an organisation another admin; deposits stay with who paid them.
	SetAdmin(onboard::SetAdminArgs),
	/// Let a meter mint that was certified before its organisation was admitted.
	Admit(service::AdmitArgs),
	/// Suspend a meter: its batches are refused until it is reinstated.
	Suspend(service::SuspendArgs),
	/// Let a suspended meter count again, under a new seal.
	Reinstate(service::ReinstateArgs),
	/// Record that a meter, or its device's key, was exchanged.
	Exchange(service::ExchangeArgs),
	/// Take back what a meter minted in error: KWH of its energy account, and the rest as a debt.
	Correct(service::CorrectArgs),
	/// Take a meter out of service: its deposit returns, except for its tombstones.
	Decommission(service::DecommissionArgs),
	/// Show a meter.
	Show(show::WhichArgs),
	/// List the meters in service.
	List(show::ListArgs),
	/// Show a meter's energy over time, or how much there is of everything.
	Totals(show::TotalsArgs),
	/// Run meters that follow standard load and PV profiles, over MQTT.
	Simulate(Box<simulate::SimulateArgs>),
}

/// Runs one `gridproof meter` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Organise(args) => onboard::organise(&args, out).await,
		Command::Onboard(args) => onboard::onboard(&args, out).await,
		Command::AdmitOrganisation(args) => govern::admit(&args, out).await,
		Command::Electrician(command) => govern::electrician(&command, out).await,
		Command::Request(args) => papers::request(&args, out).await,
		Command::Consent(args) => papers::consent(&args, out),
		Command::Certify(args) => papers::certify_request(&args, out).await,
		Command::SetAdmin(args) => onboard::set_admin(&args, out).await,
		Command::Admit(args) => service::admit(&args, out).await,
		Command::Suspend(args) => service::suspend(&args, out).await,
		Command::Reinstate(args) => service::reinstate(&args, out).await,
		Command::Exchange(args) => service::exchange(&args, out).await,
		Command::Correct(args) => service::correct(&args, out).await,
		Command::Decommission(args) => service::decommission(&args, out).await,
		Command::Show(args) => show::show(&args, out).await,
		Command::List(args) => show::list(&args, out).await,
		Command::Totals(args) => show::totals(&args, out).await,
		Command::Simulate(args) => simulate::simulate(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

/// Reads SITE/DEVICE/METER.
pub fn meter_name(text: &str) -> Result<MeterName, String> {
	let parts: Vec<&str> = text.split('/').collect();
	let [site, device, meter] = parts[..] else {
		return Err("write SITE/DEVICE/METER".to_string());
	};
	MeterName::new(site, device, meter).map_err(|error| error.to_string())
}

/// Returns the meter with this number or these ids.
async fn find(chain: &Chain, text: &str) -> anyhow::Result<Meter> {
	let found = match text.parse::<MeterIndex>() {
		Ok(index) => chain.read(&query::meter(index)).await?,
		Err(_) => {
			let name = meter_name(text).map_err(usage)?;
			meter_by_name(chain, &name).await?
		},
	};
	found.ok_or_else(|| usage(format!("the chain knows no meter {text}")))
}

/// `now`, RFC 3339, or `-24h`: UTC milliseconds.
pub fn moment(text: &str) -> Result<u64, String> {
	let wrong = || "write now, a time such as 2026-11-01T00:00:00Z, or -24h, -7d".to_string();
	if text == "now" {
		return Ok(now_ms());
	}
	let Some(ago) = text.strip_prefix('-') else {
		return parse_utc(text).map_err(|error| error.to_string());
	};
	let unit = |suffix: char, seconds: u64| {
		ago.strip_suffix(suffix)?.parse::<u64>().ok()?.checked_mul(seconds * 1_000)
	};
	let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
	let ago = units.into_iter().find_map(|(suffix, seconds)| unit(suffix, seconds));
	Ok(now_ms().saturating_sub(ago.ok_or_else(wrong)?))
}
