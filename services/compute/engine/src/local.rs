//! The engine that runs a model in this process.

use crate::{
	altered::TrialModel,
	api::{Completion, Embeddings, Engine, Input, Measured, ModelInfo, Offers, Request},
	config::{Config, MAX_WEIGHTS},
	ending::Ending,
	error::EngineError,
	forced::{Claim, Forced},
	logprob::TokenLogprob,
	memory::resident_bytes,
	model::Model,
	ops,
	sampler::Chooser,
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

	/// The model that is part of the program, altered for a trial: see [`TrialModel`].
	///
	/// # Errors
	/// As [`LocalEngine::embedded`].
	pub fn for_trial(trial: TrialModel) -> Result<Self, EngineError> {
		let Self { tokenizer, model } = Self::embedded()?;
		Ok(Self { tokenizer, model: trial.alter(model)? })
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
		self.begun(self.tokenizer.encode(text))
	}

	/// Tokens after the one that begins texts, with room for at least one more.
	fn begun(&self, text: Vec<u32>) -> Result<Vec<u32>, EngineError> {
		let config = self.model.config();
		let mut tokens = vec![config.paragraph_token];
		tokens.extend(text);
		if tokens.len() >= config.context {
			return Err(EngineError::PromptTooLong {
				tokens: whole(tokens.len()),
				most: whole(config.context.saturating_sub(1)),
			});
		}
		Ok(tokens)
	}

	/// A client's own token ids, as a prompt.
	fn given(&self, tokens: &[u32]) -> Result<Vec<u32>, EngineError> {
		let vocabulary = self.model.config().vocabulary;
		match tokens.iter().find(|token| usize::try_from(**token).is_ok_and(|t| t >= vocabulary)) {
			Some(token) => Err(EngineError::BadRequest(format!(
				"token {token} is not one of the model's {vocabulary}: encode the text for this model, or \
				 send the text (LangChain: check_embedding_ctx_length=False)"
			))),
			None => self.begun(tokens.to_vec()),
		}
	}

	/// What a model is given, as tokens.
	fn read(&self, input: &Input) -> Result<Vec<u32>, EngineError> {
		match input {
			Input::Text(text) => self.prompt(text),
			Input::Chat(messages) => self.prompt(&paragraphs(messages)?),
			Input::Tokens(tokens) => self.given(tokens),
			Input::Messages(_) => Err(self.not_offered("messages with more than a text")),
		}
	}

	fn not_offered(&self, what: &'static str) -> EngineError {
		EngineError::NotOffered { what, engine: self.model.config().name.clone() }
	}

	/// Prompt and answer share the context: the most tokens that an answer may have.
	fn room(&self, prompt: usize, max_tokens: u32) -> u32 {
		let room = self.model.config().context.saturating_sub(prompt);
		u32::try_from(room).unwrap_or(u32::MAX).min(max_tokens)
	}

	/// Makes tokens until the text ends.
	fn generate(
		&self,
		request: &Request,
		prompt: &[u32],
		memory: &mut Memory,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Made, EngineError> {
		let most = self.room(prompt.len(), request.max_tokens);
		let mut session = self.model.session();
		let mut chooser = self.chooser(request);
		let end = self.model.config().paragraph_token;
		let mut ending = Ending::new(&request.sampling.stop, end, most);
		let mut made = Made {
			tokens: Vec::new(),
			text: String::new(),
			finish: Finish::Length,
			logprobs: Vec::new(),
		};
		let mut logits = session.logits(prompt)?;
		for position in 0..most {
			let token = chooser.choose(position.into(), &logits);
			made.tokens.push(token);
			if let Some(top) = request.extras.logprobs {
				let bytes = |token| self.tokenizer.bytes(token).to_vec();
				made.logprobs.push(TokenLogprob::of(&logits, token, top, bytes));
			}
			let (text, finish) = ending.take(token, self.tokenizer.bytes(token));
			// An empty piece asks whether anybody still wants it.
			if token != end && on_text(&text).is_break() {
				return Err(EngineError::Cancelled);
			}
			if let Some(finish) = finish {
				made.finish = finish;
				break;
			}
			if position % LOOK_EVERY == LOOK_EVERY - 1 {
				memory.look();
			}
			logits = session.logits(&[token])?;
		}
		let rest = ending.finish();
		if !rest.is_empty() && on_text(&rest).is_break() {
			return Err(EngineError::Cancelled);
		}
		made.text = ending.text().to_string();
		Ok(made)
	}

	fn chooser(&self, request: &Request) -> Chooser {
		Chooser::new(&request.sampling, request.seed.as_ref(), request.extras.choice)
	}

	/// Refuses by name what this engine does not do.
	fn check(&self, request: &Request) -> Result<(), EngineError> {
		self.served(&request.model)?;
		match request.extras.beyond(&self.abilities()) {
			Some(what) => Err(self.not_offered(what)),
			None => Ok(()),
		}
	}

	const fn abilities(&self) -> Offers {
		Offers {
			seeded: true,
			ids: true,
			logprobs: true,
			token_input: true,
			forced: true,
			tools: false,
			response_format: false,
		}
	}
}

/// An answer that was made.
struct Made {
	tokens: Vec<u32>,
	text: String,
	finish: Finish,
	logprobs: Vec<TokenLogprob>,
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
		self.check(request)?;
		let prompt = self.read(&request.input)?;
		let made = self.generate(request, &prompt, &mut memory, on_text)?;
		let (read, written) = (whole(prompt.len()), whole(made.tokens.len()));
		let measured = memory.measured(begun, read.saturating_add(written));
		Ok(Completion {
			text: made.text,
			tokens: made.tokens,
			prompt_ids: prompt,
			prompt_tokens: read,
			completion_tokens: written,
			finish: made.finish,
			sampler: self.chooser(request).kind(),
			logprobs: made.logprobs,
			tool_calls: Vec::new(),
			measured,
		})
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		self.served(model)?;
		self.vectors(input.iter().map(|text| self.prompt(text)))
	}

	fn embed_tokens(&self, model: &str, input: &[Vec<u32>]) -> Result<Embeddings, EngineError> {
		self.served(model)?;
		self.vectors(input.iter().map(|tokens| self.given(tokens)))
	}

	fn offers(&self, model: &str) -> Result<Offers, EngineError> {
		self.served(model)?;
		Ok(self.abilities())
	}

	fn tokenize(&self, model: &str, input: &Input) -> Result<Vec<u32>, EngineError> {
		self.served(model)?;
		self.read(input)
	}

	fn force(&self, claim: &Claim) -> Result<Forced, EngineError> {
		self.served(&claim.model)?;
		let most = self.room(claim.prompt.len(), claim.max_tokens);
		let mut chooser = Chooser::new(&claim.sampling, claim.seed.as_ref(), claim.choice);
		let mut ending =
			Ending::new(&claim.sampling.stop, self.model.config().paragraph_token, most);
		let made = u32::try_from(claim.output.len()).unwrap_or(u32::MAX);
		let first = claim.prompt.len().checked_sub(1).ok_or_else(|| {
			EngineError::BadRequest("a prompt has at least the token that begins it".to_string())
		})?;
		let mut all = [&claim.prompt[..], &claim.output[..]].concat();
		if made >= most && made > 0 {
			// Nothing can come after it, so that there is no room to read the last one.
			all.pop();
		}
		let mut session = self.model.session();
		let hidden = session.hidden(&all)?;
		let mut forced = Forced {
			tokens: Vec::with_capacity(claim.output.len()),
			logits: Vec::with_capacity(claim.output.len()),
			end: (most == 0).then_some((0, Finish::Length)),
			end_gap_micro: 0,
		};
		for (place, claimed) in claim.output.iter().enumerate() {
			let logits = session.logits_of(&hidden, first.saturating_add(place))?;
			forced.tokens.push(chooser.judge(whole(place), &logits, *claimed));
			let own = usize::try_from(*claimed).ok().and_then(|token| logits.get(token));
			forced.logits.push(own.map_or(0, |logit| logit.to_bits()));
			let (_, finish) = ending.take(*claimed, self.tokenizer.bytes(*claimed));
			let after = u32::try_from(place.saturating_add(1)).unwrap_or(u32::MAX);
			forced.end = forced.end.or(finish.map(|finish| (after, finish)));
		}
		forced.end_gap_micro = match forced.end {
			Some((after, _)) if after == made => 0,
			Some(_) => u64::MAX,
			None => {
				let last = first.saturating_add(claim.output.len());
				let logits = session.logits_of(&hidden, last)?;
				let end = self.model.config().paragraph_token;
				// It cannot be the one that is drawn: at least the smallest gap, whatever is claimed.
				chooser.judge(made.into(), &logits, end).gap_micro
			},
		};
		Ok(forced)
	}
}

impl LocalEngine {
	/// A vector for each prompt.
	fn vectors(
		&self,
		prompts: impl Iterator<Item = Result<Vec<u32>, EngineError>>,
	) -> Result<Embeddings, EngineError> {
		let begun = Instant::now();
		let mut memory = Memory::default();
		let (mut vectors, mut ids, mut read) = (Vec::new(), Vec::new(), 0u64);
		for prompt in prompts {
			let tokens = prompt?;
			read = read.saturating_add(whole(tokens.len()));
			let hidden = self.model.session().hidden(&tokens)?;
			vectors.push(ops::mean_direction(&hidden));
			ids.push(tokens);
			memory.look();
		}
		Ok(Embeddings { vectors, ids, prompt_tokens: read, measured: memory.measured(begun, read) })
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
