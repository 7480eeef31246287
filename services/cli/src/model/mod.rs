//! `gridproof model`.

mod offers;

use self::offers::{OffersArgs, ShownOffer};
use crate::{
	args::{GovernorArgs, UrlArgs, amount::trimmed, governor::ShownDecision},
	exit::usage,
	output::Output,
};
use clap::{Args, Subcommand, ValueEnum};
use gridproof_chain::{
	Call, Chain,
	governance::Power,
	pallets::model_registry::{call, query},
};
use gridproof_primitives::{
	H256,
	compute::registry::{
		EngineClass, ModelDescription, ModelName, ModelTerms, ModelView, NewModel, Pending,
		PendingChange, Planned, Span, Standing,
	},
	energy::emlog::format_utc,
};
use serde::Serialize;
use std::process::ExitCode;

/// What `gridproof model` can do.
#[derive(Subcommand)]
pub enum Command {
	/// List the models of the registry: which count, since when, which is the default, and what
	/// coordinators take for them.
	List(ListArgs),
	/// Show a model: its hashes, by what it counts, what is announced, what was, and what coordinators
	/// take for it.
	Show(ShowArgs),
	/// List what is announced and does not hold yet, and how long decisions take.
	Pending(UrlArgs),
	/// Announce a model, as governance: its tokens count after the delay.
	ProposeAdd(Box<AddArgs>),
	/// Announce another factor or engine class of a model, as governance.
	ProposeChange(Box<ChangeArgs>),
	/// Announce that a model retires, as governance: its tokens do not count any more then.
	Retire(Box<Decided<ModelArgs>>),
	/// Announce that a stopped model counts again, as governance.
	Resume(Box<Decided<ModelArgs>>),
	/// Announce another default model, or none, as governance.
	Default(Box<Decided<DefaultArgs>>),
	/// Announce how long decisions about models take to hold, as governance.
	Delay(Box<Decided<DelayArgs>>),
	/// Call off what is announced and does not hold yet, as governance.
	CallOff(Box<Decided<CallOffArgs>>),
	/// Stop a model at once, as governance or with --emergency: what is opened from now on does not
	/// count.
	Stop(Box<StopArgs>),
	/// Remove a model that is retired for 400 days, as governance; its name is free then.
	Forget(Box<Decided<ModelArgs>>),
}

/// A model by its hash or its name.
#[derive(Clone)]
enum Named {
	Hash(H256),
	Name(ModelName),
}

fn named(text: &str) -> Result<Named, String> {
	match hash(text) {
		Ok(hash) => Ok(Named::Hash(hash)),
		Err(_) => ModelName::new(text).map(Named::Name).map_err(|error| error.to_string()),
	}
}

fn hash(text: &str) -> Result<H256, String> {
	let mut hash = [0; 32];
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let read = hex::decode_to_slice(digits, &mut hash);
	read.map(|()| H256(hash)).map_err(|_| "write 64 hexadecimal digits".to_string())
}

fn name(text: &str) -> Result<ModelName, String> {
	ModelName::new(text).map_err(|error| error.to_string())
}

/// A factor such as 2.5, in thousandths.
fn factor(text: &str) -> Result<u32, String> {
	let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
	let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
	let padded = format!("{whole}{decimals:0<3}");
	let thousandths = padded.parse().ok().filter(|_| digits(whole) && digits(decimals));
	let in_bounds =
		|factor: &u32| ModelTerms { factor: *factor, engine: EngineClass::Exact }.is_valid();
	thousandths.filter(|_| decimals.len() <= 3).filter(in_bounds).ok_or_else(|| {
		"write a number of at most three decimals, above 0 and at most 130".to_string()
	})
}

fn shown_factor(thousandths: u32) -> String {
	trimmed(&format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)).to_string()
}

/// What repeating an answer gives.
#[derive(Clone, Copy, ValueEnum)]
enum Engine {
	/// The same to the last bit, on every machine.
	Exact,
	/// The same tokens from the same seed, within bounds.
	Seeded,
}

impl From<Engine> for EngineClass {
	fn from(engine: Engine) -> Self {
		match engine {
			Engine::Exact => Self::Exact,
			Engine::Seeded => Self::Seeded,
		}
	}
}

/// The node and the coordinators that are asked.
#[derive(Args)]
pub struct ListArgs {
	#[command(flatten)]
	offers: OffersArgs,
	#[command(flatten)]
	node: UrlArgs,
}

/// A model, and who is asked about it.
#[derive(Args)]
pub struct ShowArgs {
	#[command(flatten)]
	what: ModelArgs,
	#[command(flatten)]
	offers: OffersArgs,
	#[command(flatten)]
	node: UrlArgs,
}

/// Which model is meant.
#[derive(Args)]
pub struct ModelArgs {
	/// The model, by its name or hash.
	#[arg(value_name = "MODEL", value_parser = named)]
	model: Named,
}

/// What is decided, and who decides.
#[derive(Args)]
pub struct Decided<T: Args> {
	#[command(flatten)]
	what: T,
	#[command(flatten)]
	by: GovernorArgs,
}

/// Arguments of `model propose-add`.
#[derive(Args)]
pub struct AddArgs {
	/// The name by which clients ask for it.
	#[arg(value_name = "NAME", value_parser = name)]
	name: ModelName,
	/// SHA-256 of the file of weights; of several files see docs/protocols/models.md.
	#[arg(long, value_name = "SHA256", value_parser = hash)]
	weights: H256,
	/// SHA-256 of the file of the tokenizer.
	#[arg(long, value_name = "SHA256", value_parser = hash)]
	tokenizer: H256,
	/// SHA-256 of the chat template, if it has one.
	#[arg(long, value_name = "SHA256", value_parser = hash)]
	template: Option<H256>,
	/// The most tokens of prompt and answer together.
	#[arg(long, value_name = "TOKENS")]
	context: u32,
	/// Compute units a token, such as 2.5.
	#[arg(long, value_name = "X", value_parser = factor)]
	factor: u32,
	/// What repeating an answer gives.
	#[arg(long, value_name = "CLASS")]
	engine: Engine,
	#[command(flatten)]
	by: GovernorArgs,
}

/// Arguments of `model propose-change`.
#[derive(Args)]
pub struct ChangeArgs {
	#[command(flatten)]
	what: ModelArgs,
	/// Compute units a token, such as 2.5.
	#[arg(long, value_name = "X", value_parser = factor)]
	factor: u32,
	/// What repeating an answer gives.
	#[arg(long, value_name = "CLASS")]
	engine: Engine,
	#[command(flatten)]
	by: GovernorArgs,
}

/// A model that is to be the default, or none.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["model", "none"]))]
pub struct DefaultArgs {
	/// The model, by its name or hash.
	#[arg(value_name = "MODEL", value_parser = named)]
	model: Option<Named>,
	/// No default.
	#[arg(long)]
	none: bool,
}

/// How long decisions take to hold.
#[derive(Args)]
pub struct DelayArgs {
	/// The delay in seconds: a minute to 30 days.
	#[arg(value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(60..=2_592_000))]
	seconds: u64,
}

/// Which change is called off.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["model", "default", "delay"]))]
pub struct CallOffArgs {
	/// That of this model, by its name or hash.
	#[arg(value_name = "MODEL", value_parser = named)]
	model: Option<Named>,
	/// That of the default model.
	#[arg(long)]
	default: bool,
	/// That of the delay.
	#[arg(long)]
	delay: bool,
}

/// Arguments of `model stop`.
#[derive(Args)]
pub struct StopArgs {
	#[command(flatten)]
	what: ModelArgs,
	/// Stop it as the chain's emergency account.
	#[arg(long)]
	emergency: bool,
	#[command(flatten)]
	by: GovernorArgs,
}

/// Runs one `gridproof model` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::List(args) => list(&args, out).await,
		Command::Show(args) => show(&args, out).await,
		Command::Pending(node) => pending(&node, out).await,
		Command::ProposeAdd(args) => add(*args, out).await,
		Command::ProposeChange(args) => {
			let terms = ModelTerms { factor: args.factor, engine: args.engine.into() };
			let make = |model| call::propose_change(model, terms);
			about(&args.what.model, &args.by, make, &announced("the change"), out).await
		},
		Command::Retire(args) => {
			let done = announced("its retirement");
			about(&args.what.model, &args.by, call::propose_retire, &done, out).await
		},
		Command::Resume(args) => {
			let done = announced("its return");
			about(&args.what.model, &args.by, call::propose_resume, &done, out).await
		},
		Command::Forget(args) => {
			about(&args.what.model, &args.by, call::forget, "it is removed", out).await
		},
		Command::Default(args) => {
			let make = |model: H256| call::propose_default(Some(model));
			match &args.what.model {
				Some(model) => {
					about(model, &args.by, make, &announced("another default"), out).await
				},
				None => {
					let (call, done) = (call::propose_default(None), announced("no default"));
					decide(Power::Root, &call, &args.by, &done, out).await
				},
			}
		},
		Command::Delay(args) => {
			let call = call::propose_delay(args.what.seconds.saturating_mul(1_000));
			decide(Power::Root, &call, &args.by, &announced("another delay"), out).await
		},
		Command::CallOff(args) => call_off(&args, out).await,
		Command::Stop(args) => {
			let power = if args.emergency { Power::Emergency } else { Power::Root };
			let model = resolved(&args.what.model, &args.by).await?;
			let done = "it is stopped: what is opened from now on does not count";
			decide(power, &call::stop(model), &args.by, done, out).await
		},
	}?;
	Ok(ExitCode::SUCCESS)
}

/// Makes a call of governance a step further, and shows how far it is.
async fn decide(
	power: Power,
	call: &Call,
	by: &GovernorArgs,
	done: &str,
	out: &Output,
) -> anyhow::Result<()> {
	let decision = by.decide(power, call, out).await?;
	out.result(&ShownDecision::from(&decision), |shown| shown.text(done))
}

/// Returns what is said once something is announced.
fn announced(what: &str) -> String {
	format!("{what} is announced: gridproof model pending shows from when it holds")
}

async fn about(
	model: &Named,
	by: &GovernorArgs,
	make: impl FnOnce(H256) -> Call,
	done: &str,
	out: &Output,
) -> anyhow::Result<()> {
	let hash = resolved(model, by).await?;
	decide(Power::Root, &make(hash), by, done, out).await
}

/// Returns the hash that is meant, which the chain knows for a name.
async fn resolved(model: &Named, by: &GovernorArgs) -> anyhow::Result<H256> {
	match model {
		Named::Hash(hash) => Ok(*hash),
		Named::Name(_) => Ok(found(&by.node.connect().await?, model).await?.hash),
	}
}

async fn found(chain: &Chain, model: &Named) -> anyhow::Result<ModelView> {
	let query = match model {
		Named::Hash(hash) => query::model(*hash),
		Named::Name(name) => query::model_by_name(name),
	};
	let view = chain.read(&query).await?;
	view.ok_or_else(|| usage("the registry has no such model; see gridproof model list"))
}

async fn add(args: AddArgs, out: &Output) -> anyhow::Result<()> {
	let AddArgs { name, weights, tokenizer, template, context, factor, engine, by } = args;
	let description = ModelDescription { name, weights, tokenizer, template };
	let terms = ModelTerms { factor, engine: engine.into() };
	let new = NewModel { description, context, terms };
	new.check().map_err(|error| usage(error.to_string()))?;
	let done = announced(&format!("model {:#x}", new.description.hash()));
	decide(Power::Root, &call::propose_add(&new), &by, &done, out).await
}

async fn call_off(args: &Decided<CallOffArgs>, out: &Output) -> anyhow::Result<()> {
	let pending = match &args.what.model {
		Some(model) => Pending::Model(resolved(model, &args.by).await?),
		None if args.what.delay => Pending::Delay,
		None => Pending::Default,
	};
	decide(Power::Root, &call::call_off(pending), &args.by, "it is called off", out).await
}

/// What holds, will hold or held from a time on.
#[derive(Serialize)]
struct ShownSpan {
	since_ms: u64,
	/// `counted`, `stopped` or `retired`.
	standing: &'static str,
	/// In thousandths.
	factor: Option<u32>,
	engine: Option<&'static str>,
}

impl ShownSpan {
	fn new(since_ms: u64, standing: Standing) -> Self {
		let terms = match standing {
			Standing::Counted(terms) | Standing::Stopped(terms) => Some(terms),
			Standing::Retired => None,
		};
		Self {
			since_ms,
			standing: standing.as_str(),
			factor: terms.map(|terms| terms.factor),
			engine: terms.map(|terms| terms.engine.as_str()),
		}
	}

	/// Its standing and since when, such as `counted since 2026-01-01T00:00:00Z, factor 2.5, exact`.
	fn since(&self) -> String {
		let since = format!("{} since {}", self.standing, format_utc(self.since_ms));
		self.terms().replacen(self.standing, &since, 1)
	}

	fn terms(&self) -> String {
		let factor = self.factor.map(|factor| format!(", factor {}", shown_factor(factor)));
		let engine = self.engine.map(|engine| format!(", {engine}"));
		format!("{}{}{}", self.standing, factor.unwrap_or_default(), engine.unwrap_or_default())
	}
}

impl From<Span> for ShownSpan {
	fn from(span: Span) -> Self {
		Self::new(span.since_ms, span.standing)
	}
}

/// A model, as it is shown.
#[derive(Serialize)]
struct Shown {
	name: String,
	hash: String,
	weights: String,
	tokenizer: String,
	template: Option<String>,
	context: u32,
	default: bool,
	/// What holds now; none if it is announced.
	now: Option<ShownSpan>,
	/// What is announced.
	pending: Option<ShownSpan>,
	/// All that is known, earliest first.
	timeline: Vec<ShownSpan>,
	/// What the coordinators that were asked take for it.
	offers: Vec<ShownOffer>,
}

impl From<ModelView> for Shown {
	fn from(view: ModelView) -> Self {
		let digits = |hash: &H256| format!("{hash:#x}");
		let spans = view.model.timeline.spans();
		let running = spans.iter().rev().find(|span| view.pending.as_ref() != Some(*span));
		let description = &view.model.description;
		Self {
			name: description.name.to_string(),
			hash: digits(&view.hash),
			weights: digits(&description.weights),
			tokenizer: digits(&description.tokenizer),
			template: description.template.as_ref().map(digits),
			context: view.model.context,
			default: view.is_default,
			now: running.copied().map(ShownSpan::from),
			pending: view.pending.map(ShownSpan::from),
			timeline: spans.iter().copied().map(ShownSpan::from).collect(),
			offers: Vec::new(),
		}
	}
}

impl Shown {
	/// A model, with what is offered of it.
	fn with_offers(view: ModelView, offers: &[ShownOffer]) -> Self {
		let own = offers.iter().filter(|offer| offer.is_of(view.hash)).cloned().collect();
		Self { offers: own, ..Self::from(view) }
	}

	fn line(&self) -> String {
		let now = self.now.as_ref().map_or("announced".to_string(), ShownSpan::since);
		let default = if self.default { ", the default" } else { "" };
		let next = self
			.pending
			.as_ref()
			.map(|next| format!("; from {} {}", format_utc(next.since_ms), next.terms()));
		format!(
			"{}  {now}, context {}{default}{}\n  {}",
			self.name,
			self.context,
			next.unwrap_or_default(),
			self.hash
		) + &self.offered()
	}

	fn offered(&self) -> String {
		self.offers.iter().map(|offer| format!("\n  {}", offer.line())).collect()
	}

	fn text(&self) -> String {
		let mut text = self.line();
		text.push_str(&format!("\nweights    {}\ntokenizer  {}", self.weights, self.tokenizer));
		let template = self.template.as_deref().unwrap_or("none");
		text.push_str(&format!("\ntemplate   {template}"));
		for span in &self.timeline {
			text.push_str(&format!("\nfrom {} {}", format_utc(span.since_ms), span.terms()));
		}
		text
	}
}

async fn list(args: &ListArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let (models, offers) = (chain.models().await?, args.offers.ask(&chain).await?);
	let shown = models.into_iter().map(|view| Shown::with_offers(view, &offers));
	out.result(&shown.collect::<Vec<_>>(), |shown| {
		if shown.is_empty() {
			return "the registry has no models: nothing mints".to_string();
		}
		shown.iter().map(Shown::line).collect::<Vec<_>>().join("\n")
	})
}

async fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let view = found(&chain, &args.what.model).await?;
	let offers = args.offers.ask(&chain).await?;
	out.result(&Shown::with_offers(view, &offers), Shown::text)
}

/// A change that is announced, as it is shown.
#[derive(Serialize)]
struct ShownChange {
	/// `model`, `default` or `delay`.
	of: &'static str,
	/// Hash of the model, of the default.
	model: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	becomes: Option<ShownSpan>,
	#[serde(skip_serializing_if = "Option::is_none")]
	delay_ms: Option<u64>,
	effective_ms: u64,
}

impl From<PendingChange> for ShownChange {
	fn from(change: PendingChange) -> Self {
		let effective_ms = change.effective_ms;
		let none = Self { of: "", model: None, becomes: None, delay_ms: None, effective_ms };
		match change.planned {
			Planned::Model(model, standing) => Self {
				of: "model",
				model: Some(format!("{model:#x}")),
				becomes: Some(ShownSpan::new(effective_ms, standing)),
				..none
			},
			Planned::Default(model) => {
				Self { of: "default", model: model.map(|model| format!("{model:#x}")), ..none }
			},
			Planned::Delay(delay_ms) => Self { of: "delay", delay_ms: Some(delay_ms), ..none },
		}
	}
}

impl ShownChange {
	fn line(&self) -> String {
		let model = self.model.as_deref().unwrap_or("none");
		let what = match (&self.becomes, self.delay_ms) {
			(Some(span), _) => format!("{model} {}", span.terms()),
			(None, Some(delay_ms)) => format!("decisions take {} s", delay_ms / 1_000),
			(None, None) => format!("the default is {model}"),
		};
		format!("from {} {what}", format_utc(self.effective_ms))
	}
}

/// What is announced, and how long decisions take.
#[derive(Serialize)]
struct Announced {
	delay_ms: u64,
	pending: Vec<ShownChange>,
}

async fn pending(node: &UrlArgs, out: &Output) -> anyhow::Result<()> {
	let chain = node.connect().await?;
	let pending = chain.read(&query::pending()).await?;
	let delay = chain.read(&query::delay()).await?;
	// What is announced of the delay is in the list; what is not there holds already.
	let is_announced = pending.iter().any(|change| matches!(change.planned, Planned::Delay(_)));
	let held = delay.next.filter(|_| !is_announced).map_or(delay.value, |next| next.value);
	let pending = pending.into_iter().map(ShownChange::from).collect();
	out.result(&Announced { delay_ms: held, pending }, |shown| {
		let mut lines: Vec<String> = shown.pending.iter().map(ShownChange::line).collect();
		if lines.is_empty() {
			lines.push("nothing is announced".to_string());
		}
		lines.push(format!("decisions take {} s to hold", shown.delay_ms / 1_000));
		lines.join("\n")
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_factor_has_at_most_three_decimals_and_bounds() {
		let read =
			[("2.5", 2_500), ("1", 1_000), ("0.001", 1), ("130", 130_000), ("12.050", 12_050)];
		for (text, thousandths) in read {
			assert_eq!(factor(text), Ok(thousandths), "{text}");
		}
		for text in
			["", ".", "1.", ".5", "0", "0.000", "130.001", "1.0000", "-1", "+1", "1e3", "1,5"]
		{
			assert!(factor(text).is_err(), "{text}");
		}
		assert_eq!(shown_factor(2_500), "2.5");
		assert_eq!(shown_factor(130_000), "130");
	}

	#[test]
	fn a_model_is_named_by_64_digits_or_a_name() {
		assert!(matches!(named(&format!("0x{}", "0a".repeat(32))), Ok(Named::Hash(_))));
		assert!(matches!(named(&"0a".repeat(32)), Ok(Named::Hash(_))));
		assert!(matches!(named("austen-1m"), Ok(Named::Name(_))));
		assert!(named("a b").is_err());
	}

	#[test]
	fn a_line_says_what_holds_and_what_will() {
		let description = ModelDescription {
			name: ModelName::new("a").unwrap(),
			weights: H256::zero(),
			tokenizer: H256::zero(),
			template: None,
		};
		let terms = ModelTerms { factor: 2_500, engine: EngineClass::Seeded };
		let new = NewModel { description, context: 512, terms };
		let model = gridproof_primitives::compute::registry::Model::starting(new, 1_000);
		let of = |now| Shown::from(ModelView::new(H256::zero(), model.clone(), None, now)).line();
		let counted = "a  counted since 1970-01-01T00:00:01Z, factor 2.5, seeded, context 512\n";
		assert!(of(1_000).starts_with(counted), "{}", of(1_000));
		let announced = "a  announced, context 512; from 1970-01-01T00:00:01";
		assert!(of(999).starts_with(announced), "{}", of(999));
	}

	#[test]
	fn a_model_is_shown_with_the_price_of_those_who_serve_it() {
		let description = ModelDescription {
			name: ModelName::new("a").unwrap(),
			weights: H256::zero(),
			tokenizer: H256::zero(),
			template: None,
		};
		let hash = description.hash();
		let terms = ModelTerms { factor: 2_500, engine: EngineClass::Seeded };
		let new = NewModel { description, context: 512, terms };
		let model = gridproof_primitives::compute::registry::Model::starting(new, 0);
		let entry = serde_json::json!({ "hash": format!("{hash:#x}"), "standing": "counted",
			"since_ms": 0, "next": null, "retired_ms": null, "context": 512, "default": true });
		let other = serde_json::json!({ "hash": format!("{:#x}", H256::zero()), "standing": "retired",
			"since_ms": 0, "next": null, "retired_ms": 0, "context": 512, "default": false });
		let model_of = |name: &str, registry| {
			serde_json::json!({ "name": name, "model_factor": 2_500, "max_tokens": 99,
				"registry": registry })
		};
		let info = serde_json::json!({ "coordinator": format!("{:#x}", H256::repeat_byte(1)),
			"genesis": format!("{:#x}", H256::zero()),
			"models": [model_of("A", entry), model_of("b", other), model_of("c", serde_json::Value::Null)],
			"unit_price": { "ait": "1000000000000" }, "miners": [], "jobs": {}, "receipts": {},
			"front": false });
		let info = serde_json::from_value(info).unwrap();
		let offers = ShownOffer::all("http://c", &info);
		assert_eq!(offers.len(), 2, "one is not in the registry");
		let shown = Shown::with_offers(ModelView::new(hash, model, None, 1), &offers).line();
		let says = "\n  http://c as A: 2.5 AIT a million tokens, answers of at most 99";
		assert!(shown.ends_with(says), "{shown}");
	}
}
