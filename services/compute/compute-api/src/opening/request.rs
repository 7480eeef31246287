//! Whether a specification is what a request of OpenAI's form asks for.
//!
//! Who checks a receipt has the request as its client sent it, and what the coordinator made of it.
//! Only what the request states is compared: what it leaves open is the coordinator's choice.

use crate::protocol::{Further, JobSpec, Message, Task};
use serde_json::Value;

/// Answers to each prompt, and tokens of an answer, where the older interface is asked for neither.
const OLDER_TOKENS: u64 = 16;

/// Returns `true` if the work is what the body asks for.
pub(super) fn asks_for(body: &[u8], spec: &JobSpec) -> bool {
	let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
	body["model"] == spec.model.as_str()
		&& is_task(&body, &spec.task)
		&& is_length(&body, spec)
		&& is_sampling(&body, spec)
		&& is_further(&body, &spec.further)
}

fn is_task(body: &Value, task: &Task) -> bool {
	match task {
		Task::Completion { prompt } => {
			body["prompt"] == prompt.as_str()
				|| body["prompt"] == Value::from(vec![prompt.as_str()])
		},
		Task::Completions { prompts } => body["prompt"] == Value::from(prompts.as_slice()),
		Task::CompletionTokens { prompts } => are_tokens(&body["prompt"], prompts),
		Task::Embedding { input } => match input.as_slice() {
			[one] => {
				body["input"] == one.as_str() || body["input"] == Value::from(vec![one.as_str()])
			},
			many => body["input"] == Value::from(many),
		},
		Task::EmbeddingTokens { input } => are_tokens(&body["input"], input),
		Task::Chat { messages } => each(&body["messages"], messages, is_message),
		Task::Messages { messages } => each(&body["messages"], messages, |stated, whole| {
			let Ok(whole) = serde_json::from_str::<Value>(whole) else { return false };
			let said = content(&stated["content"]);
			stated["role"] == whole["role"]
				&& said.as_deref() == whole["content"].as_str()
				&& same(&stated["tool_calls"], &whole["tool_calls"])
				&& same(&stated["tool_call_id"], &whole["tool_call_id"])
		}),
	}
}

/// Each of a list compares with each of another.
fn each<T>(stated: &Value, ours: &[T], is: impl Fn(&Value, &T) -> bool) -> bool {
	let Some(stated) = stated.as_array() else { return false };
	stated.len() == ours.len() && stated.iter().zip(ours).all(|(stated, ours)| is(stated, ours))
}

fn are_tokens(stated: &Value, ours: &[Vec<u32>]) -> bool {
	let all = Value::from(ours.iter().map(|one| Value::from(one.as_slice())).collect::<Vec<_>>());
	match ours {
		[one] => *stated == Value::from(one.as_slice()) || *stated == all,
		_ => *stated == all,
	}
}

fn is_message(stated: &Value, message: &Message) -> bool {
	let said = content(&stated["content"]).unwrap_or_default();
	stated["role"] == message.role.as_str() && said == message.content
}

/// A message's text: its content, or that of its parts.
fn content(value: &Value) -> Option<String> {
	match value {
		Value::String(text) => Some(text.clone()),
		Value::Array(parts) => parts.iter().map(|part| part["text"].as_str()).collect(),
		_ => None,
	}
}

fn is_length(body: &Value, spec: &JobSpec) -> bool {
	if spec.task.is_embedding() {
		return spec.max_tokens == 0;
	}
	let of = |name: &str| body[name].as_u64();
	let is_older = body.get("prompt").is_some();
	let stated = of("max_completion_tokens").filter(|_| !is_older).or(of("max_tokens"));
	match stated.or(is_older.then_some(OLDER_TOKENS)) {
		Some(stated) => stated == u64::from(spec.max_tokens),
		None => true,
	}
}

fn is_sampling(body: &Value, spec: &JobSpec) -> bool {
	if spec.task.is_embedding() {
		return true;
	}
	let sampling = &spec.sampling;
	let (temperature, top_p) = (milli(&body["temperature"]), milli(&body["top_p"]));
	// A nucleus of nothing holds the likeliest token only.
	let (temperature, top_p) = if top_p == 0 { (0, 1_000) } else { (temperature, top_p) };
	let stop: Vec<&str> = match &body["stop"] {
		Value::String(one) => vec![one.as_str()],
		Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
		_ => Vec::new(),
	};
	let stop = stop.into_iter().filter(|stop| !stop.is_empty());
	temperature == sampling.temperature_milli
		&& top_p == sampling.top_p_milli
		&& stop.eq(sampling.stop.iter().map(String::as_str))
}

/// A figure in thousandths, rounded to the nearest; one if it is not given.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn milli(value: &Value) -> u32 {
	(value.as_f64().unwrap_or(1.0) * 1_000.0).round() as u32
}

fn is_further(body: &Value, further: &Further) -> bool {
	let n = body["n"].as_f64().unwrap_or(1.0);
	let document = |text: &Option<String>| {
		text.as_deref()
			.map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or(Value::Null))
	};
	let format = &body["response_format"];
	let format = if format["type"] == "text" { &Value::Null } else { format };
	n == f64::from(further.n)
		&& same(&body["tools"], &document(&further.tools))
		&& same(format, &document(&further.response_format))
}

/// Equal, or both say nothing.
fn same(stated: &Value, ours: &Value) -> bool {
	let nothing = |value: &Value| match value {
		Value::Null => true,
		Value::Array(list) => list.is_empty(),
		Value::Object(members) => members.is_empty(),
		_ => false,
	};
	stated == ours || nothing(stated) && nothing(ours)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::protocol::{SPEC_VERSION, Sampling};

	fn spec(task: Task, max_tokens: u32) -> JobSpec {
		JobSpec {
			version: SPEC_VERSION,
			model: "m".to_string(),
			task,
			max_tokens,
			sampling: Sampling { temperature_milli: 1_000, ..Sampling::default() },
			further: Further::default(),
		}
	}

	#[test]
	fn what_a_request_states_has_to_be_what_was_done() {
		let body = br#"{"model":"m","prompt":"Once","max_tokens":9,"temperature":0.7,"top_p":0.95,
			"stop":["END",""],"user":"me"}"#;
		let mut right = spec(Task::Completion { prompt: "Once".to_string() }, 9);
		right.sampling = Sampling {
			temperature_milli: 700,
			top_p_milli: 950,
			seed: 5,
			stop: vec!["END".into()],
		};
		assert!(asks_for(body, &right));
		let changes: [fn(&mut JobSpec); 8] = [
			|spec| spec.model = "smaller".to_string(),
			|spec| spec.task = Task::Completion { prompt: "Twice".to_string() },
			|spec| spec.max_tokens = 4,
			|spec| spec.sampling.temperature_milli = 0,
			|spec| spec.sampling.top_p_milli = 1_000,
			|spec| spec.sampling.stop.clear(),
			|spec| spec.further.n = 2,
			|spec| spec.further.tools = Some(r#"[{"type":"function"}]"#.to_string()),
		];
		for (number, change) in changes.into_iter().enumerate() {
			let mut other = right.clone();
			change(&mut other);
			assert!(!asks_for(body, &other), "{number}");
		}
		assert!(!asks_for(b"{", &right));
	}

	#[test]
	fn what_a_request_leaves_open_is_not_compared() {
		let message = |role: &str, content: &str| Message {
			role: role.to_string(),
			content: content.to_string(),
		};
		let body =
			br#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]},
			{"role":"assistant","content":null}]}"#;
		let messages = vec![message("user", "Hi"), message("assistant", "")];
		for most in [1, 500] {
			assert!(asks_for(body, &spec(Task::Chat { messages: messages.clone() }, most)));
		}
		let fewer = messages[..1].to_vec();
		assert!(!asks_for(body, &spec(Task::Chat { messages: fewer }, 1)));
		// The older interface is asked for sixteen tokens.
		let body = br#"{"model":"m","prompt":["a","b"],"n":1}"#;
		let task = Task::Completions { prompts: vec!["a".to_string(), "b".to_string()] };
		assert!(asks_for(body, &spec(task.clone(), 16)));
		assert!(!asks_for(body, &spec(task, 17)));
	}

	#[test]
	fn token_ids_and_texts_for_vectors_are_compared_as_they_were_sent() {
		let body = br#"{"model":"m","prompt":[1,2],"max_tokens":3}"#;
		let tokens = |ids: &[u32]| Task::CompletionTokens { prompts: vec![ids.to_vec()] };
		assert!(asks_for(body, &spec(tokens(&[1, 2]), 3)));
		assert!(!asks_for(body, &spec(tokens(&[1, 3]), 3)));
		let body = br#"{"model":"m","input":"text"}"#;
		let texts = |texts: &[&str]| Task::Embedding {
			input: texts.iter().map(|text| (*text).to_string()).collect(),
		};
		assert!(asks_for(body, &spec(texts(&["text"]), 0)));
		assert!(!asks_for(body, &spec(texts(&["text", "text"]), 0)));
	}
}
