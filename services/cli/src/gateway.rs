//! `gridproof gateway`.

use crate::{
	keys::{PassphraseArgs, ask, first_line},
	output::Output,
	payer::NodeArgs,
	shutdown::Shutdown,
};
use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use gridproof_gateway::{
	Gateway,
	client::{Client, DEFAULT_API},
	config::{Batching, Broker, Pinning, Settings, Tls},
	credentials::{Credentials, Role, User},
	http::RunState,
	ledger::{Ledger, Node},
	tls,
};
use gridproof_keys::{Kind, SealedKey};
use gridproof_meter::credentials;
use gridproof_primitives::json::{self, Limits};
use serde::Serialize;
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	process::ExitCode,
	sync::Arc,
	time::Duration,
};
use zeroize::Zeroizing;

/// What `gridproof gateway` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Take readings over MQTT and HTTP, keep them, bring them on chain.
	Run(Box<RunArgs>),
	/// Show how much a running gateway has, and how its work goes.
	Status(ApiArgs),
	/// Make batches of all logs that are in none.
	Flush(AdminArgs),
	/// Show the proof that a log is in its batch.
	Proof(ProofArgs),
	/// Show a batch with all its logs.
	Export(ExportArgs),
	/// List the batches that were refused, and why.
	Parked(ApiArgs),
	/// Try a parked batch again as it is.
	Retry(DecideArgs),
	/// Give up a parked batch: its logs go into new batches that follow on what the chain has.
	Rebuild(DecideArgs),
	/// Who may speak MQTT: add, import, remove, list.
	#[command(subcommand)]
	Device(DeviceCommand),
}

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

/// Where a running gateway is.
#[derive(Args)]
pub struct ApiArgs {
	/// The gateway's API.
	#[arg(long, value_name = "URL", default_value = DEFAULT_API)]
	api: String,
}

/// Where a running gateway is, and what lets one change something.
#[derive(Args)]
pub struct AdminArgs {
	#[command(flatten)]
	api: ApiArgs,
	/// File whose first line is the gateway's admin key.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ADMIN_KEY_FILE")]
	admin_key_file: Option<PathBuf>,
}

/// Arguments of `gateway proof`.
#[derive(Args)]
pub struct ProofArgs {
	/// The log, such as log_0123456789ab.
	#[arg(value_name = "LOG")]
	log: String,
	#[command(flatten)]
	api: ApiArgs,
}

/// Arguments of `gateway export`.
#[derive(Args)]
pub struct ExportArgs {
	/// The batch, such as batch_0123456789ab.
	#[arg(value_name = "BATCH")]
	batch: String,
	#[command(flatten)]
	api: ApiArgs,
}

/// Arguments of `gateway retry` and `gateway rebuild`.
#[derive(Args)]
pub struct DecideArgs {
	/// The batch, such as batch_0123456789ab.
	#[arg(value_name = "BATCH")]
	batch: String,
	#[command(flatten)]
	admin: AdminArgs,
}

/// Where a gateway's data is.
#[derive(Args)]
pub struct DataArgs {
	/// The gateway's data folder.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
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
	/// Instead: somebody who reads along everything under energy/ and publishes nothing.
	#[arg(long, conflicts_with = "device", requires = "username")]
	reader: bool,
	/// File whose first line is the password; else one is made.
	#[arg(long, value_name = "FILE")]
	password_file: Option<PathBuf>,
	#[command(flatten)]
	data: DataArgs,
}

/// Arguments of `gateway device import`.
#[derive(Args)]
pub struct ImportArgs {
	/// The file: CSV with the first line username,password,site,device,meter, mode 0600.
	#[arg(value_name = "FILE")]
	file: PathBuf,
	#[command(flatten)]
	data: DataArgs,
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

/// Arguments of `gateway run`.
#[derive(Args)]
pub struct RunArgs {
	#[command(flatten)]
	data: DataArgs,
	#[command(flatten)]
	node: NodeArgs,
	/// Follow no chain: batches are made and proved here only.
	#[arg(long, conflicts_with_all = ["keys"])]
	no_chain: bool,
	/// Key files, or folders of them, that sign for meters certified with trust "gateway".
	#[arg(long = "key", value_name = "FILE|DIR")]
	keys: Vec<PathBuf>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	mqtt: MqttArgs,
	#[command(flatten)]
	http: HttpArgs,
	#[command(flatten)]
	batching: BatchingArgs,
	#[command(flatten)]
	pinning: PinningArgs,
	/// Seconds a device may take to sign before it is asked again.
	#[arg(long, value_name = "S", default_value_t = 30)]
	sign_timeout: u64,
	/// The database may grow to so many MiB; then nothing is acknowledged until there is room.
	#[arg(long, value_name = "MIB")]
	max_database: Option<u64>,
	/// Take logs of anybody, and believe them. For development chains only.
	#[arg(long)]
	anonymous: bool,
}

/// MQTT of `gateway run`.
#[derive(Args)]
struct MqttArgs {
	/// Where MQTT is served without TLS.
	#[arg(id = "mqtt", long, value_name = "ADDRESS", default_value = "127.0.0.1:1883")]
	listen: SocketAddr,
	/// Serve no MQTT without TLS.
	#[arg(long)]
	no_mqtt: bool,
	/// Where MQTT is served over TLS.
	#[arg(long = "mqtts", value_name = "ADDRESS")]
	listen_tls: Option<SocketAddr>,
	/// Certificate chain, PEM.
	#[arg(long, value_name = "FILE", requires_all = ["listen_tls", "tls_key"])]
	tls_cert: Option<PathBuf>,
	/// Private key of the certificate, PEM, mode 0600 or 0640.
	#[arg(long, value_name = "FILE", requires = "tls_cert")]
	tls_key: Option<PathBuf>,
	/// For trials: a certificate signed by itself, in this folder, made if there is none.
	#[arg(long, value_name = "DIR", requires = "listen_tls", conflicts_with = "tls_cert")]
	tls_self_signed: Option<PathBuf>,
	/// Names in the certificate of --tls-self-signed.
	#[arg(long, value_name = "NAME", default_values = ["localhost", "127.0.0.1", "::1"])]
	tls_name: Vec<String>,
	/// Certificates of authorities, PEM: clients need a certificate of one of them as well.
	#[arg(long, value_name = "FILE", requires = "listen_tls")]
	tls_client_ca: Option<PathBuf>,
	/// An external broker instead: mqtt://user@host:1883 or mqtts://…; who publishes where is for
	/// that broker to see to.
	#[arg(long, value_name = "URL", conflicts_with_all = ["listen_tls"])]
	broker: Option<String>,
	/// File whose first line is the password at the external broker.
	#[arg(long, value_name = "FILE", requires = "broker")]
	broker_password_file: Option<PathBuf>,
	/// Certificates of the authorities that vouch for the external broker, PEM.
	#[arg(long, value_name = "FILE", requires = "broker")]
	broker_ca: Option<PathBuf>,
	/// The name by which the external broker knows this gateway and keeps messages for it.
	#[arg(long, value_name = "ID", default_value = "gridproof-gateway")]
	broker_client_id: String,
}

/// HTTP of `gateway run`.
#[derive(Args)]
struct HttpArgs {
	/// Where the API is served.
	#[arg(id = "http", long = "http", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
	listen: SocketAddr,
	/// File whose first line is what requests that change something have to carry.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ADMIN_KEY_FILE")]
	admin_key_file: Option<PathBuf>,
	/// Web pages of this origin may call the API; may be given more than once.
	#[arg(long = "origin", value_name = "URL")]
	origins: Vec<String>,
}

/// When batches are closed.
#[derive(Args)]
struct BatchingArgs {
	/// At so many logs of a meter.
	#[arg(long, value_name = "N", default_value_t = 10_000,
		value_parser = clap::value_parser!(u32).range(1..=10_000))]
	batch_logs: u32,
	/// When the first log of a meter has waited for so many seconds.
	#[arg(long, value_name = "S", default_value_t = 900)]
	batch_seconds: u64,
	/// At so many bytes of logs; 1 MiB with --pin-url, which IPFS can pass on in one block.
	#[arg(long, value_name = "BYTES")]
	batch_bytes: Option<u64>,
	/// Let batches go on over midnight UTC.
	#[arg(long)]
	batch_across_days: bool,
}

/// IPFS.
#[derive(Args)]
struct PinningArgs {
	/// Pin batches at this pinning service, by the standard API.
	#[arg(long, value_name = "URL")]
	pin_url: Option<String>,
	/// File whose first line is the service's access token.
	#[arg(long, value_name = "FILE", requires = "pin_url")]
	pin_token_file: Option<PathBuf>,
	/// Multiaddress where the service can fetch the files; may be given more than once.
	#[arg(long = "pin-origin", value_name = "MULTIADDR", requires = "pin_url")]
	pin_origins: Vec<String>,
}

fn line_of(path: &Path) -> anyhow::Result<Zeroizing<String>> {
	let line = first_line(path)?;
	let text = std::str::from_utf8(&line).context("not UTF-8")?;
	Ok(Zeroizing::new(text.to_string()))
}

fn line_of_any(path: &Option<PathBuf>) -> anyhow::Result<Option<Zeroizing<String>>> {
	path.as_deref().map(line_of).transpose()
}

impl RunArgs {
	fn settings(&self) -> anyhow::Result<Settings> {
		let mut settings = Settings::new(self.data.data.clone());
		settings.max_bytes = self.max_database.map(|mib| mib.saturating_mul(1 << 20));
		settings.broker = self.mqtt.broker()?;
		let is_plain = !self.mqtt.no_mqtt && settings.broker.is_none();
		settings.mqtt = is_plain.then_some(self.mqtt.listen);
		settings.mqtts = self.mqtt.tls()?;
		settings.anonymous = self.anonymous;
		settings.http = Some(self.http.listen);
		settings.admin_key = line_of_any(&self.http.admin_key_file)?;
		settings.origins.clone_from(&self.http.origins);
		settings.sign_timeout = Duration::from_secs(self.sign_timeout.max(1));
		settings.pinning = self.pinning.service()?;
		let default_bytes = if settings.pinning.is_some() { 1 << 20 } else { u64::MAX };
		settings.batching = Batching {
			max_logs: self.batching.batch_logs,
			max_age: Duration::from_secs(self.batching.batch_seconds.max(1)),
			max_bytes: self.batching.batch_bytes.unwrap_or(default_bytes),
			daily: !self.batching.batch_across_days,
			..Batching::default()
		};
		Ok(settings)
	}

	fn keys(&self) -> anyhow::Result<Vec<SealedKey>> {
		let mut files = Vec::new();
		for path in &self.keys {
			if !path.is_dir() {
				files.push(path.clone());
				continue;
			}
			let entries = std::fs::read_dir(path)
				.with_context(|| format!("cannot read the folder {}", path.display()))?;
			for entry in entries {
				let file = entry?.path();
				if file.extension().is_some_and(|extension| extension == "json") {
					files.push(file);
				}
			}
		}
		let load = |path: &PathBuf| {
			let key = SealedKey::load(path, || ask(path, &self.passphrase))
				.with_context(|| format!("cannot use the key {}", path.display()))?;
			ensure!(
				matches!(key.kind(), None | Some(Kind::Gateway | Kind::Device)),
				"{} is no key of a gateway or a device",
				path.display()
			);
			Ok(key)
		};
		files.iter().map(load).collect()
	}
}

impl MqttArgs {
	fn tls(&self) -> anyhow::Result<Option<Tls>> {
		let Some(listen) = self.listen_tls else { return Ok(None) };
		let (certificate, key) = match (&self.tls_cert, &self.tls_key, &self.tls_self_signed) {
			(Some(certificate), Some(key), _) => (certificate.clone(), key.clone()),
			(_, _, Some(folder)) => tls::self_signed(folder, &self.tls_name)?,
			_ => bail!("--mqtts needs --tls-cert and --tls-key, or --tls-self-signed for a trial"),
		};
		Ok(Some(Tls { listen, certificate, key, client_authority: self.tls_client_ca.clone() }))
	}

	fn broker(&self) -> anyhow::Result<Option<Broker>> {
		let Some(url) = &self.broker else { return Ok(None) };
		let mut url = Zeroizing::new(url.clone());
		if let Some(password) = line_of_any(&self.broker_password_file)? {
			let Some(at) = url.find('@') else {
				bail!("with --broker-password-file the address names a user: mqtt://user@host:1883")
			};
			url.insert_str(at, &format!(":{}", password.as_str()));
		}
		Ok(Some(Broker {
			url,
			authority: self.broker_ca.clone(),
			client_id: self.broker_client_id.clone(),
		}))
	}
}

impl PinningArgs {
	fn service(&self) -> anyhow::Result<Option<Pinning>> {
		let Some(url) = &self.pin_url else { return Ok(None) };
		let token = line_of_any(&self.pin_token_file)?;
		Ok(Some(Pinning { url: url.clone(), token, origins: self.pin_origins.clone() }))
	}
}

impl ApiArgs {
	fn client(&self) -> anyhow::Result<Client> {
		Ok(Client::new(&self.api, None)?)
	}
}

impl AdminArgs {
	fn client(&self) -> anyhow::Result<Client> {
		Ok(Client::new(&self.api.api, line_of_any(&self.admin_key_file)?)?)
	}
}

/// A gateway's answer; its numbers stay as they are written.
fn document(text: &str) -> anyhow::Result<json::Value> {
	let limits = Limits { max_bytes: 1 << 28, ..Limits::DEFAULT };
	json::parse(text.as_bytes(), limits).context("the gateway's answer is no JSON")
}

/// Runs one `gridproof gateway` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Run(args) => serve(&args, out).await?,
		Command::Status(args) => status(&args, out).await?,
		Command::Flush(args) => {
			let batch = args.client()?.flush().await?;
			out.result(&batch, |batch| {
				let more = if batch.also.is_empty() {
					String::new()
				} else {
					format!("\nand {} more: {}", batch.also.len(), batch.also.join(" "))
				};
				format!("{} {} logs, root {}{more}", batch.id, batch.log_count, batch.merkle_root)
			})?;
		},
		Command::Proof(args) => {
			let proof = args.api.client()?.proof(&args.log).await?;
			out.document(&document(&proof)?)?;
		},
		Command::Export(args) => {
			let export = args.api.client()?.export(&args.batch).await?;
			out.document(&document(&export)?)?;
		},
		Command::Parked(args) => parked(&args, out).await?,
		Command::Retry(args) => {
			let decision = args.admin.client()?.retry(&args.batch).await?;
			out.result(&decision, |decision| format!("{} is tried again", decision.id))?;
		},
		Command::Rebuild(args) => {
			let decision = args.admin.client()?.rebuild(&args.batch).await?;
			out.result(&decision, |decision| {
				format!("the logs of {} batches go into new ones", decision.batches)
			})?;
		},
		Command::Device(command) => device(command, out)?,
	}
	Ok(ExitCode::SUCCESS)
}

/// What a gateway says when it runs.
#[derive(Serialize)]
struct Ready {
	mqtt: Option<String>,
	mqtts: Option<String>,
	broker: Option<String>,
	http: Option<String>,
	chain: Option<String>,
	certificate: Option<String>,
	keys: usize,
}

async fn serve(args: &RunArgs, out: &Output) -> anyhow::Result<()> {
	let settings = args.settings()?;
	let keys = args.keys()?;
	let chain = (!args.no_chain).then(|| args.node.url.clone());
	let ledger = chain.as_ref().map(|url| {
		let node: Arc<dyn Ledger> = Arc::new(Node::new(url.clone(), args.node.patience()));
		node
	});
	let certificate = settings.mqtts.as_ref().map(|tls| tls.certificate.display().to_string());
	let (broker, held) = (args.mqtt.broker.is_some(), keys.len());
	let state = RunState { chain: chain.clone(), ..RunState::default() };
	let shutdown = Shutdown::listen()?;
	let gateway = Gateway::start(settings, ledger, keys, state).await?;
	let addresses = gateway.addresses();
	let text = |address: Option<SocketAddr>| address.map(|address| address.to_string());
	let ready = Ready {
		mqtt: text(addresses.mqtt),
		mqtts: text(addresses.mqtts),
		broker: broker.then(|| "external".to_string()),
		http: addresses.http.map(|address| format!("http://{address}")),
		chain,
		certificate,
		keys: held,
	};
	out.result(&ready, |ready| {
		let mut lines = vec![format!("HTTP {}", ready.http.clone().unwrap_or_default())];
		lines.extend(ready.mqtt.iter().map(|address| format!("MQTT {address}")));
		lines.extend(ready.mqtts.iter().map(|address| format!("MQTT over TLS {address}")));
		lines.extend(ready.chain.iter().map(|url| format!("chain {url}")));
		lines.join("\n")
	})?;
	shutdown.asked().await;
	gateway.stop().await;
	Ok(())
}

async fn status(args: &ApiArgs, out: &Output) -> anyhow::Result<()> {
	let status = args.client()?.status().await?;
	out.result(&status, |status| {
		let counts = &status.counts;
		let mut lines = vec![
			format!(
				"{} readings of {} meters, {} in no batch",
				counts.readings, counts.meters, counts.pending
			),
			format!(
				"{} batches: {} not certified, {} unsigned, {} signed, {} accepted, {} parked",
				counts.batches,
				counts.not_certified,
				counts.unsigned,
				counts.signed,
				counts.accepted,
				counts.parked
			),
			format!("{} dead letters, {} MQTT clients", counts.dead_letters, status.connections),
		];
		lines.extend(status.run.trouble.iter().map(|trouble| format!("trouble: {trouble}")));
		lines.join("\n")
	})
}

async fn parked(args: &ApiArgs, out: &Output) -> anyhow::Result<()> {
	let batches = args.client()?.batches(Some("parked")).await?;
	out.result(&batches, |batches| {
		if batches.is_empty() {
			return "no batch is parked".to_string();
		}
		let line = |batch: &gridproof_gateway::http::BatchView| {
			let meter = batch.chain.as_ref().map(|chain| chain.name.clone()).unwrap_or_default();
			format!("{} {meter}: {}", batch.id, batch.reason.clone().unwrap_or_default())
		};
		batches.iter().map(line).collect::<Vec<_>>().join("\n")
	})
}

/// A user that was added.
#[derive(Serialize)]
struct Added {
	#[serde(flatten)]
	user: User,
	/// Shown once; `None` if it was given.
	password: Option<String>,
}

fn device(command: DeviceCommand, out: &Output) -> anyhow::Result<()> {
	match command {
		DeviceCommand::Add(args) => add(&args, out),
		DeviceCommand::Import(args) => import(&args, out),
		DeviceCommand::Remove(args) => {
			Credentials::open(&args.data.data)?.remove(&args.username)?;
			let removed = serde_json::json!({ "removed": args.username });
			out.result(&removed, |_| format!("removed {}", args.username))
		},
		DeviceCommand::List(args) => {
			let users = Credentials::open(&args.data)?.list()?;
			out.result(&users, |users| users.iter().map(shown).collect::<Vec<_>>().join("\n"))
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
			let Some((site, device)) = text.split_once('/') else {
				bail!("{text:?} is no SITE/DEVICE")
			};
			let role = Role::Device { site: site.to_string(), device: device.to_string() };
			(role, format!("{site}:{device}"))
		},
		None => (Role::Reader, String::new()),
	};
	let username = args.username.clone().unwrap_or(default);
	let given = line_of_any(&args.password_file)?;
	let is_given = given.is_some();
	let password = Credentials::open(&args.data.data)?.add(&username, role.clone(), given)?;
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
	let lines = credentials::load(&args.file)?;
	ensure!(!lines.is_empty(), "{} has no credentials", args.file.display());
	let users = lines.into_iter().map(|line| {
		let role = Role::Device {
			site: line.name.site().to_string(),
			device: line.name.device().to_string(),
		};
		(line.username, role, line.password)
	});
	let imported = Credentials::open(&args.data.data)?.import(users)?;
	let answer = serde_json::json!({ "imported": imported });
	out.result(&answer, |_| format!("{imported} devices"))
}
