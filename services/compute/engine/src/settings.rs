//! Engines from settings: one, or several that serve a model each.

use crate::{
	api::Engine,
	error::EngineError,
	local::LocalEngine,
	memory::{MemoryOptions, MemoryReading, MemorySource, resident_bytes},
	openai::{OpenAiEngine, OpenAiOptions},
};
use gridproof_primitives::compute::Class;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// Most engines of one miner.
const MAX_ENGINES: usize = 64;
/// Seconds that a server may be silent, unless something else is said.
const SILENT: u64 = 120;

/// What is said about one engine: a server if it has an address, else a small model that runs here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineSettings {
	/// Address of a server that speaks OpenAI's protocol.
	pub url: Option<String>,
	/// File whose first line is the server's API key.
	pub key_file: Option<PathBuf>,
	/// The server's models to serve: the name that jobs have for each, and the server's name for it.
	/// If empty, all that the server lists.
	pub models: BTreeMap<String, String>,
	/// Memory of the server in megabytes of 10⁶ bytes, where it cannot be measured.
	pub memory_mb: Option<u64>,
	/// Numbers of the graphics processors that the server uses; if empty, all of this machine.
	pub gpus: Vec<u32>,
	/// Seconds that the server may be silent.
	pub timeout_seconds: u64,
	/// Token id of the server's model's own end, of a server that has one model. Verifiers need it to
	/// see that an answer was cut short.
	pub end_token: Option<u32>,
	/// Folder of a small model that runs here; without it and without an address, the model that is
	/// part of the program.
	pub model_dir: Option<PathBuf>,
}

impl Default for EngineSettings {
	fn default() -> Self {
		Self {
			url: None,
			key_file: None,
			models: BTreeMap::new(),
			memory_mb: None,
			gpus: Vec::new(),
			timeout_seconds: SILENT,
			end_token: None,
			model_dir: None,
		}
	}
}

/// An engine, and how its memory can be read.
pub struct Opened {
	/// Engine that answers requests.
	pub engine: Arc<dyn Engine>,
	server: Option<Arc<OpenAiEngine>>,
}

impl Opened {
	/// Returns the memory that it has in use, and where that figure comes from.
	pub fn memory(&self) -> MemoryReading {
		match &self.server {
			Some(server) => server.memory(),
			None => {
				let (bytes, source) = (resident_bytes().unwrap_or(0), MemorySource::OwnProcess);
				MemoryReading { bytes, source }
			},
		}
	}
}

impl EngineSettings {
	/// Reads a list of engines: JSON, an object for each.
	///
	/// # Errors
	/// [`EngineError::BadRequest`] with what is wrong.
	pub fn list(text: &str) -> Result<Vec<Self>, EngineError> {
		let bad =
			|reason: String| EngineError::BadRequest(format!("the list of engines: {reason}"));
		let list: Vec<Self> = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
		if list.is_empty() || list.len() > MAX_ENGINES {
			return Err(bad(format!("it must have from 1 to {MAX_ENGINES} entries")));
		}
		for settings in &list {
			let is_server = settings.url.is_some();
			let of_servers = settings.key_file.is_some()
				|| !settings.models.is_empty()
				|| settings.memory_mb.is_some()
				|| !settings.gpus.is_empty()
				|| settings.end_token.is_some();
			if is_server && settings.model_dir.is_some() {
				return Err(bad(
					"an entry has url and model_dir: leave one of them out".to_string()
				));
			}
			if !is_server && of_servers {
				return Err(bad("an entry says something of a server, and no url".to_string()));
			}
		}
		Ok(list)
	}

	/// Opens the engine. `api_key` is what [`Self::key_file`] holds; `class` is what the server
	/// computes with. Requests to servers run on `runtime`.
	///
	/// # Errors
	/// [`EngineError`].
	pub fn open(
		&self,
		api_key: Option<Zeroizing<String>>,
		class: Class,
		runtime: Handle,
	) -> Result<Opened, EngineError> {
		let Some(url) = &self.url else {
			let local = match &self.model_dir {
				Some(folder) => LocalEngine::open(folder)?,
				None => LocalEngine::embedded()?,
			};
			return Ok(Opened { engine: Arc::new(local), server: None });
		};
		let options = OpenAiOptions {
			url: url.clone(),
			api_key,
			models: self.models.clone().into_iter().collect(),
			class,
			memory: MemoryOptions {
				is_measured: true,
				stated: self.memory_mb.map(|megabytes| megabytes.saturating_mul(1_000_000)),
				gpus: self.gpus.clone(),
			},
			end_token: self.end_token,
			timeout: Duration::from_secs(self.timeout_seconds.clamp(1, 3_600)),
		};
		let server = Arc::new(OpenAiEngine::new(options, runtime)?);
		Ok(Opened { engine: server.clone(), server: Some(server) })
	}
}

/// Returns a model's public name and the one that its server has for it, from `NAME` or
/// `NAME=SERVER'S NAME`.
pub fn served_as(text: &str) -> (String, String) {
	let (public, served) = text.split_once('=').unwrap_or((text, text));
	(public.to_string(), served.to_string())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_list_names_servers_and_models_that_run_here() {
		let text = r#"[{"url":"http://127.0.0.1:8000","models":{"qwen2.5-7b":"Qwen/Qwen2.5-7B"},
			"memory_mb":65000,"gpus":[0,1],"timeout_seconds":30},{}]"#;
		let list = EngineSettings::list(text).unwrap();
		assert_eq!(list[0].models["qwen2.5-7b"], "Qwen/Qwen2.5-7B");
		assert_eq!((list[0].memory_mb, &list[0].gpus[..]), (Some(65_000), &[0, 1][..]));
		assert_eq!(list[1], EngineSettings::default());
	}

	#[test]
	fn a_list_that_contradicts_itself_is_refused() {
		for (text, reason) in [
			("[]", "from 1 to 64"),
			("{}", "the list of engines"),
			(r#"[{"adress":"x"}]"#, "adress"),
			(r#"[{"url":"http://x","model_dir":"y"}]"#, "leave one of them out"),
			(r#"[{"memory_mb":1}]"#, "no url"),
			(r#"[{"models":{"a":"b"}}]"#, "no url"),
		] {
			let fault = EngineSettings::list(text).unwrap_err().to_string();
			assert!(fault.contains(reason), "{fault}");
		}
	}
}
