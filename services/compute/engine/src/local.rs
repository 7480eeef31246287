//! The engine that runs a model in this process.

use crate::{
	api::{Completion, Embeddings, Engine, Input, Measured, ModelInfo, Request},
	config::{Config, MAX_WEIGHTS},
	error::EngineError,
	memory::resident_bytes,
	model::Model,
	ops,
	sampler::Sampler,
	stream::Stream,
	tokenizer::Tokenizer,
};
use gridproof_compute_api::protocol::{Finish, Message};
use gridproof_primitives::compute::Class;
use std::{
	fs, io,
	ops::ControlFlow,
	path::Path,
	time::{Duration, Instant},
};

/// Name of the model that is part of the program.
pub const DEFAULT_MODEL: &str = "austen-1m";

const CONFIG: &str = include_str!("../../../../models/austen-1m/config.json");
const VOCABULARY: &str = include_str!("../../../../models/austen-1m/vocabulary.json");
const WEIGHTS: &[u8] = include_bytes!("../../../../models/austen-1m/model.safetensors");

/// The largest configuration or vocabulary that is read, in bytes.
const MAX_TEXT: u64 = 4 << 20;
/// Tokens between two looks at the memory in use.
const LOOK_EVERY: u32 = 32;

/// A small transformer on the processor, one request at a time per thread.
///
/// A text begins after a paragraph's end and ends with one: the model writes one paragraph. A
/// conversation is read as its messages' contents, one paragraph each; roles mean nothing to it.
/// A prompt that leaves no room for an answer is refused; the context's end ends an answer as
/// `max_tokens` does.
pub struct LocalEngine {
	tokenizer: Tokenizer,
	model: Model,
}

impl LocalEngine {
	/// The model that is part of the program.
	///
	/// # Errors
	/// [`EngineError::BadModel`] if the program was built from files that do not go together.
	pub fn embedded() -> Result<Self, EngineError> {
		Self::new(CONFIG, VOCABULARY, WEIGHTS).map_err(bad_model(DEFAULT_MODEL))
	}

	/// The model in a folder: `config.json`, `vocabulary.json`, `model.safetensors` of at most
	/// 8 MiB.
	///
	/// # Errors
	/// [`EngineError::BadModel`].
	pub fn open(folder: &Path) -> Result<Self, EngineError> {
		let name = folder.display().to_string();
		let read = |file: &str, most: u64| read(&folder.join(file), most);
		let load = || {
			let config = String::from_utf8(read("config.json", MAX_TEXT)?);
			let vocabulary = String::from_utf8(read("vocabulary.json", MAX_TEXT)?);
			let no_text = |_| "not UTF-8".to_string();
			let (config, vocabulary) = (config.map_err(no_text)?, vocabulary.map_err(no_text)?);
			let weights = read("model.safetensors", MAX_WEIGHTS)?;
			Self::new(&config, &vocabulary, &weights)
		};
		load().map_err(bad_model(&name))
	}

	fn new(config: &str, vocabulary: &str, weights: &[u8]) -> Result<Self, String> {
		let config = Config::parse(config).map_err(|reason| format!("config.json: {reason}"))?;
		let tokenizer =
			Tokenizer::parse(vocabulary).map_err(|reason| format!("vocabulary.json: {reason}"))?;
		if tokenizer.len() != config.vocabulary {
			return Err("vocabulary.json and config.json are of different models".to_string());
		}
		Ok(Self { tokenizer, model: Model::new(config, weights)? })
	}

	/// Its vocabulary.
	pub const fn tokenizer(&self) -> &Tokenizer {
		&self.tokenizer
	}

	/// Its weights.
	pub const fn model(&self) -> &Model {
		&self.model
	}

	fn served(&self, name: &str) -> Result<(), EngineError> {
		let served = &self.model.config().name;
		if name == served {
			return Ok(());
		}
		Err(EngineError::UnknownModel { wanted: name.to_string(), served: vec![served.clone()] })
	}

	/// A text's tokens after the one that begins texts, with room for at least one more.
	fn prompt(&self, text: &str) -> Result<Vec<u32>, EngineError> {
		let config = self.model.config();
		let mut tokens = vec![config.paragraph_token];
		tokens.extend(self.tokenizer.encode(text));
		if tokens.len() >= config.context {
			return Err(EngineError::PromptTooLong {
				tokens: whole(tokens.len()),
				most: whole(config.context.saturating_sub(1)),
			});
		}
		Ok(tokens)
	}

	/// Makes tokens until the text ends.
	fn generate(
		&self,
		request: &Request,
		prompt: &[u32],
		memory: &mut Memory,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<(Vec<u32>, String, Finish), EngineError> {
		let config = self.model.config();
		let end = config.paragraph_token;
		// Prompt and answer share the context.
		let room = config.context.saturating_sub(prompt.len());
		let most = u32::try_from(room).unwrap_or(u32::MAX).min(request.max_tokens);
		let mut session = self.model.session();
		let mut sampler = Sampler::new(&request.sampling);
		let mut stream = Stream::new(&request.sampling.stop);
		let (mut tokens, mut finish) = (Vec::new(), Finish::Length);
		let mut logits = session.logits(prompt)?;
		for made in 1..=most {
			let token = sampler.choose(&logits);
			tokens.push(token);
			if token == end {
				finish = Finish::Stop;
				break;
			}
			let text = stream.push(self.tokenizer.bytes(token));
			// An empty piece asks whether anybody still wants it.
			if on_text(&text).is_break() {
				return Err(EngineError::Cancelled);
			}
			if stream.stopped() {
				finish = Finish::Stop;
				break;
			}
			if made % LOOK_EVERY == 0 {
				memory.look();
			}
			if made < most {
				logits = session.logits(&[token])?;
			}
		}
		let rest = stream.finish();
		if !rest.is_empty() && on_text(&rest).is_break() {
			return Err(EngineError::Cancelled);
		}
		Ok((tokens, stream.text().to_string(), finish))
	}
}

impl Engine for LocalEngine {
	fn models(&self) -> Result<Vec<ModelInfo>, EngineError> {
		let config = self.model.config();
		let context = u32::try_from(config.context).ok();
		Ok(vec![ModelInfo::new(&config.name, Class::Cpu, context)])
	}

	fn complete(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Completion, EngineError> {
		let begun = Instant::now();
		let mut memory = Memory::default();
		self.served(&request.model)?;
		let text = match &request.input {
			Input::Text(text) => text.clone(),
			Input::Chat(messages) => paragraphs(messages)?,
		};
		let prompt = self.prompt(&text)?;
		let (tokens, text, finish) = self.generate(request, &prompt, &mut memory, on_text)?;
		let (read, made) = (whole(prompt.len()), whole(tokens.len()));
		let measured = memory.measured(begun, read.saturating_add(made));
		Ok(Completion {
			text,
			tokens,
			prompt_tokens: read,
			completion_tokens: made,
			finish,
			measured,
		})
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		let begun = Instant::now();
		let mut memory = Memory::default();
		self.served(model)?;
		let (mut vectors, mut read) = (Vec::with_capacity(input.len()), 0u64);
		for text in input {
			let tokens = self.prompt(text)?;
			read = read.saturating_add(whole(tokens.len()));
			let hidden = self.model.session().hidden(&tokens)?;
			vectors.push(ops::mean_direction(&hidden));
			memory.look();
		}
		Ok(Embeddings { vectors, prompt_tokens: read, measured: memory.measured(begun, read) })
	}
}

/// The highest memory in use that was seen.
struct Memory(u64);

impl Default for Memory {
	fn default() -> Self {
		let mut memory = Self(0);
		memory.look();
		memory
	}
}

impl Memory {
	/// Looks again. Where the system does not tell, what the weights take must do.
	fn look(&mut self) {
		self.0 = self.0.max(resident_bytes().unwrap_or(whole(WEIGHTS.len())));
	}

	fn measured(mut self, begun: Instant, tokens: u64) -> Measured {
		self.look();
		let wall = begun.elapsed().max(Duration::from_nanos(1));
		Measured { wall, memory_bytes: self.0, tokens }
	}
}

/// A conversation as text: one paragraph a message.
fn paragraphs(messages: &[Message]) -> Result<String, EngineError> {
	if messages.is_empty() {
		return Err(EngineError::BadRequest("a conversation without messages".to_string()));
	}
	let contents = messages.iter().map(|message| message.content.trim());
	let mut text = contents.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
	text.push_str("\n\n");
	Ok(text)
}

fn whole(count: usize) -> u64 {
	u64::try_from(count).unwrap_or(u64::MAX)
}

fn bad_model(path: &str) -> impl FnOnce(String) -> EngineError + '_ {
	|reason| EngineError::BadModel { path: path.to_string(), reason }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
	let name = path.file_name().unwrap_or_default().to_string_lossy();
	let size = fs::metadata(path).map_err(|error| format!("{name}: {error}"))?.len();
	if size > most {
		return Err(format!("{name}: {} ({most} bytes at most)", io::ErrorKind::FileTooLarge));
	}
	fs::read(path).map_err(|error| format!("{name}: {error}"))
}
