//! Values of OpenAI's requests.

use super::error::OpenAiError;
use gridproof_compute_api::protocol::MAX_LOGPROBS;
use serde_json::Value;

/// A number, if it is given.
pub(super) fn number(
	name: &'static str,
	value: &Option<Value>,
) -> Result<Option<f64>, OpenAiError> {
	match value {
		None | Some(Value::Null) => Ok(None),
		Some(value) => {
			let wanted = || OpenAiError::param(name, format!("{name} must be a number"));
			value.as_f64().map(Some).ok_or_else(wanted)
		},
	}
}

/// Returns `true` if a number is given that is not zero.
pub(super) fn is_other(name: &'static str, value: &Option<Value>) -> Result<bool, OpenAiError> {
	Ok(number(name, value)?.is_some_and(|number| number != 0.0))
}

/// A figure in thousandths; one if it is not given.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn milli(
	name: &'static str,
	value: &Option<Value>,
	to: f64,
) -> Result<u32, OpenAiError> {
	let value = number(name, value)?.unwrap_or(1.0);
	if !(0.0..=to).contains(&value) {
		return Err(OpenAiError::param(name, format!("{name} must be from 0 to {to}")));
	}
	// Within 0 … 2000 by the check above.
	Ok((value * 1_000.0).round() as u32)
}

/// A seed: any whole number of 64 bits, however it is written. The sign bit is left out, as engines
/// take none.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn seed(value: &Value) -> Result<u64, OpenAiError> {
	let whole = value.as_i64().or_else(|| {
		let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
		// From 2⁶³ on there is no room for the sign.
		(float.abs() < 9_223_372_036_854_775_808.0).then_some(float as i64)
	});
	let bits = value.as_u64().or_else(|| whole.map(i64::cast_unsigned));
	let wanted = || OpenAiError::param("seed", "seed must be a whole number of 64 bits");
	Ok(bits.ok_or_else(wanted)? & (u64::MAX >> 1))
}

/// A number of tokens; `null` and -1 mean that it is not set.
pub(super) fn tokens(
	name: &'static str,
	value: &Option<Value>,
) -> Result<Option<u32>, OpenAiError> {
	match value {
		None | Some(Value::Null) => Ok(None),
		Some(value) if value.as_i64() == Some(-1) => Ok(None),
		Some(value) => {
			let wanted = || OpenAiError::param(name, format!("{name} must be a whole number"));
			let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
			count.map(Some).ok_or_else(wanted)
		},
	}
}

/// What a model is given.
pub(super) enum Given {
	Texts(Vec<String>),
	Tokens(Vec<Vec<u32>>),
}

/// What a model is given: a text, token ids, or a list of either. Token ids are those of the model's own
/// tokenizer; nothing in a request says whose they are.
pub(super) fn given(name: &'static str, value: &Value) -> Result<Given, OpenAiError> {
	let ids = |value: &Value| -> Option<Vec<u32>> {
		let list = value.as_array().filter(|list| !list.is_empty())?;
		list.iter().map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok())).collect()
	};
	if let Some(one) = ids(value) {
		return Ok(Given::Tokens(vec![one]));
	}
	let several = value.as_array().filter(|list| list.first().is_some_and(Value::is_array));
	if let Some(several) = several.and_then(|list| list.iter().map(ids).collect()) {
		return Ok(Given::Tokens(several));
	}
	let wanted = "a text, token ids, or a list of either";
	let texts = texts(name, value);
	texts
		.map(Given::Texts)
		.map_err(|_| OpenAiError::param(name, format!("{name} must be {wanted}")))
}

/// JSON that only an engine reads, as text; `None` if nothing is asked for.
pub(super) fn document(value: &Option<Value>) -> Option<String> {
	let value = value.as_ref()?;
	let is_nothing = value.is_null()
		|| value.as_array().is_some_and(Vec::is_empty)
		|| value.as_object().is_some_and(|members| members.is_empty());
	(!is_nothing).then(|| value.to_string())
}

/// A text, or a list of texts.
pub(super) fn texts(name: &'static str, value: &Value) -> Result<Vec<String>, OpenAiError> {
	let text = |value: &Value| value.as_str().map(str::to_string);
	let list = match value {
		Value::String(one) => Some(vec![one.clone()]),
		Value::Array(many) => many.iter().map(text).collect(),
		_ => None,
	};
	list.ok_or_else(|| {
		OpenAiError::param(name, format!("{name} must be a text or a list of texts"))
	})
}

/// A message's text.
pub(super) fn content(value: &Value) -> Result<String, OpenAiError> {
	let wanted = || OpenAiError::param("messages", "only parts of the type text are offered here");
	match value {
		Value::String(text) => Ok(text.clone()),
		Value::Array(parts) => parts
			.iter()
			.map(|part| match (part["type"].as_str(), part["text"].as_str()) {
				(Some("text"), Some(text)) => Ok(text),
				_ => Err(wanted()),
			})
			.collect(),
		_ => Err(wanted()),
	}
}

/// How many of the likeliest tokens are to be named.
pub(super) fn top(name: &'static str, value: &Option<Value>) -> Result<Option<u8>, OpenAiError> {
	let count = tokens(name, value)?;
	let most = u32::from(MAX_LOGPROBS);
	let wanted = || OpenAiError::param(name, format!("{name} must be from 0 to {most}"));
	count
		.map(|count| u8::try_from(count).ok().filter(|top| *top <= MAX_LOGPROBS).ok_or_else(wanted))
		.transpose()
}
