//! What runs a miner's models.

use super::keys::secret_line;
use crate::exit::usage;
use anyhow::Context;
use clap::{Args, ValueEnum};
use gridproof_engine::{
	Engine, EngineSettings, Opened, Several, TrialCheat, TrialMiner, served_as,
};
use gridproof_primitives::compute::Class;
use std::{fs, path::PathBuf, sync::Arc};

/// What a miner computes with.
#[derive(Clone, Copy, ValueEnum)]
pub enum ClassArg {
	/// Graphics processors.
	Gpu,
	/// Processors.
	Cpu,
}

impl From<ClassArg> for Class {
	fn from(class: ClassArg) -> Self {
		match class {
			ClassArg::Gpu => Self::Gpu,
			ClassArg::Cpu => Self::Cpu,
		}
	}
}

/// What runs the model.
#[derive(Args)]
pub struct EngineArgs {
	/// A server that speaks OpenAI's protocol (vLLM, llama.cpp), as http://127.0.0.1:8000; else
	/// the small model of this program runs here.
	#[arg(long, value_name = "HTTP", env = "GRIDPROOF_ENGINE_URL")]
	engine: Option<String>,
	/// File, mode 0600, whose first line is the server's API key.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_ENGINE_KEY_FILE", requires = "engine")]
	engine_key_file: Option<PathBuf>,
	/// A model of the server to serve, perhaps by another name: NAME or NAME=SERVER'S NAME. May be
	/// repeated; else all that the server lists.
	#[arg(long, value_name = "NAME", requires = "engine")]
	engine_model: Vec<String>,
	/// Memory that the server has in use, in megabytes, if it is on another machine and does not
	/// state it. It counts for the miner's score; on this machine it is measured.
	#[arg(long, value_name = "MB", requires = "engine")]
	engine_memory_mb: Option<u64>,
	/// Number of a graphics processor that the server uses, as nvidia-smi lists it; may be repeated,
	/// else all. Needed only where its processes cannot be seen, as from outside of a container.
	#[arg(long, value_name = "N", requires = "engine")]
	engine_gpu: Vec<u32>,
	/// Seconds that the server may be silent.
	#[arg(long, value_name = "SECONDS", default_value_t = 120,
		value_parser = clap::value_parser!(u64).range(1..=3600))]
	engine_timeout: u64,
	/// Token id of the model's own end, of a server with one model: a verifier needs it to see that an
	/// answer was cut short.
	#[arg(long, value_name = "ID", requires = "engine")]
	engine_end_token: Option<u32>,
	/// Several engines at once: a JSON file with an object for each (url, key_file, models, memory_mb,
	/// gpus, end_token, timeout_seconds; or model_dir). Each model goes to the engine that serves it.
	#[arg(long, value_name = "FILE", conflicts_with_all = ["engine", "model_dir"])]
	engines: Option<PathBuf>,
	/// Folder of another small model, made by scripts/train-model.
	#[arg(long, value_name = "DIR", conflicts_with = "engine")]
	model_dir: Option<PathBuf>,
	/// What the engine computes with: gpu or cpu, as registered on chain. Without a server: cpu.
	#[arg(long)]
	class: Option<ClassArg>,
}

/// The engines of a miner, as one.
pub struct Engines {
	/// All of them.
	pub engine: Arc<dyn Engine>,
	opened: Vec<Opened>,
}

impl Engines {
	/// Returns where the figure of a model's memory comes from.
	pub fn memory_from(&self, model: &str) -> &'static str {
		let serves = |opened: &&Opened| opened.engine.offers(model).is_ok();
		let of = self.opened.iter().find(serves).or_else(|| self.opened.first());
		of.map_or("unknown", |opened| opened.memory().source.as_str())
	}
}

impl EngineArgs {
	/// What is said about each engine.
	fn settings(&self) -> anyhow::Result<Vec<EngineSettings>> {
		if let Some(path) = &self.engines {
			let read = fs::read_to_string(path);
			let text = read.with_context(|| format!("cannot read {}", path.display()))?;
			return Ok(EngineSettings::list(&text)?);
		}
		Ok(vec![EngineSettings {
			url: self.engine.clone(),
			key_file: self.engine_key_file.clone(),
			models: self.engine_model.iter().map(|text| served_as(text)).collect(),
			memory_mb: self.engine_memory_mb,
			gpus: self.engine_gpu.clone(),
			timeout_seconds: self.engine_timeout,
			end_token: self.engine_end_token,
			model_dir: self.model_dir.clone(),
		}])
	}

	/// Returns the class that was stated, or the one that goes without saying.
	pub fn class(&self) -> anyhow::Result<Class> {
		let has_servers = self.settings()?.iter().any(|settings| settings.url.is_some());
		match (self.class, has_servers) {
			(Some(class), _) => Ok(class.into()),
			(None, false) => Ok(Class::Cpu),
			(None, true) => {
				Err(usage("what does the engine compute with? Name it with --class gpu or cpu"))
			},
		}
	}

	/// Opens the built-in model as a miner of a trial has it, which cheats.
	pub fn open_cheating(&self, cheat: TrialCheat) -> anyhow::Result<Engines> {
		if self.engine.is_some() || self.engines.is_some() || self.model_dir.is_some() {
			return Err(usage("--trial-cheat is for the built-in model: leave the engine out"));
		}
		Ok(Engines { engine: Arc::new(TrialMiner::new(cheat)?), opened: Vec::new() })
	}

	/// Opens what was named.
	pub fn open(&self) -> anyhow::Result<Engines> {
		let class = self.class()?;
		let mut opened = Vec::new();
		for settings in self.settings()? {
			let key = settings.key_file.as_deref().map(secret_line).transpose()?;
			opened.push(settings.open(key, class, tokio::runtime::Handle::current())?);
		}
		let engine: Arc<dyn Engine> = match &opened[..] {
			[one] => one.engine.clone(),
			all => Arc::new(Several::new(all.iter().map(|one| one.engine.clone()).collect())),
		};
		Ok(Engines { engine, opened })
	}
}
