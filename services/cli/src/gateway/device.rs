//! `gridproof gateway device`.

use super::DataArgs;
use crate::{args::keys::secret_line, exit::usage, output::Output};
use clap::{Args, Subcommand};
use gridproof_fleet::load_credentials;
use gridproof_gateway::{Credentials, Role, User};
use serde::Serialize;
use std::path::PathBuf;

/// What `gridproof gateway device` can do. A running gateway notices at once.
#[derive(Subcommand)]
pub enum DeviceCommand {
	/// Add a device, or a reader; its password is shown once.
	Add(AddArgs),
	/// Add all devices of a file of credentials, as `gridproof meter onboard` writes it.
	Import(ImportArgs),
	/// Remove a user.
	Remove(RemoveArgs),
	/// List the users.
	List(DataArgs),
}

/// Arguments of `gateway device add`.
#[derive(Args)]
pub struct AddArgs {
	/// The name to log in with; by default SITE:DEVICE.
	#[arg(long, value_name = "NAME")]
	username: Option<String>,
	/// The device: SITE/DEVICE. It may publish for all meters of it.
	#[arg(value_name = "SITE/DEVICE", required_unless_present = "reader")]
	device: Option<String>,
	/// A reader in place of a device: it sees everything under energy/ and publishes nothing.
	#[arg(long, conflicts_with = "device", requires = "username")]
	reader: bool,
	/// File, mode 0600, whose first line is the password; without it, one is made.
	#[arg(long, value_name = "FILE")]
	password_file: Option<PathBuf>,
	#[command(flatten)]
	data: UsersArgs,
}

/// Whose users are added.
#[derive(Args)]
pub struct UsersArgs {
	#[command(flatten)]
	gateway: DataArgs,
	/// Make the folder if it is not there, for a gateway that has not run yet.
	#[arg(long)]
	new: bool,
}

impl UsersArgs {
	fn open(&self) -> anyhow::Result<Credentials> {
		Ok(Credentials::of_gateway(&self.gateway.data, self.new)?)
	}
}

/// Arguments of `gateway device import`.
#[derive(Args)]
pub struct ImportArgs {
	/// The file: CSV with the first line username,password,site,device,meter, mode 0600.
	#[arg(value_name = "FILE")]
	file: PathBuf,
	#[command(flatten)]
	data: UsersArgs,
}

/// Arguments of `gateway device remove`.
#[derive(Args)]
pub struct RemoveArgs {
	/// The name to log in with.
	#[arg(value_name = "NAME")]
	username: String,
	#[command(flatten)]
	data: DataArgs,
}

/// A user that was added.
#[derive(Serialize)]
struct Added {
	#[serde(flatten)]
	user: User,
	/// Shown once; `None` if it was given.
	password: Option<String>,
}

/// Runs one `gridproof gateway device` command.
pub fn run(command: DeviceCommand, out: &Output) -> anyhow::Result<()> {
	match command {
		DeviceCommand::Add(args) => add(&args, out),
		DeviceCommand::Import(args) => import(&args, out),
		DeviceCommand::Remove(args) => {
			Credentials::of_gateway(&args.data.data, false)?.remove(&args.username)?;
			let removed = serde_json::json!({ "removed": args.username });
			out.result(&removed, |_| format!("removed {}", args.username))
		},
		DeviceCommand::List(args) => {
			let users = Credentials::of_gateway(&args.data, false)?.list()?;
			out.result(&users, |users| match &users[..] {
				[] => "no users".to_string(),
				users => users.iter().map(shown).collect::<Vec<_>>().join("\n"),
			})
		},
	}
}

fn shown(user: &User) -> String {
	match &user.role {
		Role::Device { site, device } => format!("{} device {site}/{device}", user.username),
		Role::Reader => format!("{} reader", user.username),
	}
}

fn add(args: &AddArgs, out: &Output) -> anyhow::Result<()> {
	let (role, default) = match &args.device {
		Some(text) => {
			let (site, device) = text
				.split_once('/')
				.ok_or_else(|| usage(format!("{text:?} is not of the form SITE/DEVICE")))?;
			let role = Role::Device { site: site.to_string(), device: device.to_string() };
			(role, format!("{site}:{device}"))
		},
		None => (Role::Reader, String::new()),
	};
	let username = args.username.clone().unwrap_or(default);
	let given = args.password_file.as_deref().map(secret_line).transpose()?;
	let is_given = given.is_some();
	let password = args.data.open()?.add(&username, role.clone(), given)?;
	let added = Added {
		user: User { username, role },
		password: (!is_given).then(|| password.as_str().to_string()),
	};
	out.result(&added, |added| {
		let password = added.password.as_ref().map(|password| format!("\npassword {password}"));
		format!("{}{}", shown(&added.user), password.unwrap_or_default())
	})
}

fn import(args: &ImportArgs, out: &Output) -> anyhow::Result<()> {
	let lines = load_credentials(&args.file)?;
	if lines.is_empty() {
		return Err(usage(format!("{} has no credentials", args.file.display())));
	}
	let users = lines.into_iter().map(|line| {
		let role = Role::Device {
			site: line.name.site().to_string(),
			device: line.name.device().to_string(),
		};
		(line.username, role, line.password)
	});
	let imported = args.data.open()?.import(users)?;
	let answer = serde_json::json!({ "imported": imported });
	let noun = if imported == 1 { "device" } else { "devices" };
	out.result(&answer, |_| format!("{imported} {noun}"))
}
