//! Settings of how tokens are chosen that other servers have and this one has not.
//!
//! Who sends one expects another answer, so it is refused by name. A value by which such a setting has
//! no effect is passed over: clients send all that they know with its default.

use serde_json::Value;
use std::collections::BTreeMap;

/// Each setting, with the numbers that mean "no effect".
const SETTINGS: [(&str, &[f64]); 48] = [
	("allowed_token_ids", &[]),
	("bad_words", &[]),
	("best_of", &[1.0]),
	("diversity_penalty", &[0.0]),
	("dry_allowed_length", &[2.0]),
	("dry_base", &[1.75]),
	("dry_multiplier", &[0.0]),
	("dry_penalty_last_n", &[0.0, -1.0]),
	("dynatemp_exponent", &[1.0]),
	("dynatemp_range", &[0.0]),
	("early_stopping", &[]),
	("epsilon_cutoff", &[0.0]),
	("eta_cutoff", &[0.0]),
	("frequency_penalty_last_n", &[0.0]),
	("grammar", &[]),
	("guided_choice", &[]),
	("guided_grammar", &[]),
	("guided_json", &[]),
	("guided_regex", &[]),
	("ignore_eos", &[]),
	("json_schema", &[]),
	("length_penalty", &[1.0]),
	("logits_bias", &[]),
	("logits_processors", &[]),
	("min_keep", &[0.0]),
	("min_p", &[0.0]),
	("min_tokens", &[0.0]),
	("mirostat", &[0.0]),
	("mirostat_mode", &[0.0]),
	("no_repeat_ngram_size", &[0.0]),
	("num_beams", &[1.0]),
	("penalty_alpha", &[0.0]),
	("regex", &[]),
	("repeat_penalty", &[1.0]),
	("repetition_penalty", &[1.0]),
	("smoothing_factor", &[0.0]),
	("stop_token_ids", &[]),
	("structured_outputs", &[]),
	("tfs", &[1.0]),
	("tfs_z", &[1.0]),
	("top_a", &[0.0]),
	("top_k", &[0.0, -1.0]),
	("top_n_sigma", &[0.0, -1.0]),
	("truncate_prompt_tokens", &[-1.0]),
	("typical", &[1.0]),
	("typical_p", &[1.0]),
	("use_beam_search", &[]),
	("xtc_probability", &[0.0]),
];

/// Returns the first setting of a request that would change the answer and is not offered.
pub(super) fn not_offered(members: &BTreeMap<String, Value>) -> Option<&'static str> {
	let is_set = |(name, without): &&(&'static str, &[f64])| {
		members.get(*name).is_some_and(|value| has_effect(value, without))
	};
	SETTINGS.iter().find(is_set).map(|(name, _)| *name)
}

fn has_effect(value: &Value, without: &[f64]) -> bool {
	match value {
		Value::Null => false,
		Value::Bool(is_on) => *is_on,
		Value::Number(_) => value.as_f64().is_none_or(|number| !without.contains(&number)),
		Value::String(text) => !text.is_empty(),
		Value::Array(list) => !list.is_empty(),
		Value::Object(members) => !members.is_empty(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	fn found(name: &str, value: Value) -> Option<&'static str> {
		not_offered(&BTreeMap::from([(name.to_string(), value)]))
	}

	#[test]
	fn a_setting_of_other_servers_is_named_unless_it_has_no_effect() {
		for (name, set, without) in [
			("top_k", json!(40), vec![json!(0), json!(-1), json!(0.0)]),
			("min_p", json!(0.05), vec![json!(0), json!(0.0)]),
			("typical_p", json!(0.9), vec![json!(1), json!(1.0)]),
			("repetition_penalty", json!(1.1), vec![json!(1.0)]),
			("mirostat", json!(2), vec![json!(0)]),
			("ignore_eos", json!(true), vec![json!(false)]),
			("stop_token_ids", json!([2]), vec![json!([])]),
			("grammar", json!("root ::= \"a\""), vec![json!("")]),
			("guided_json", json!({ "type": "object" }), vec![json!({})]),
			("top_k", json!("40"), vec![json!(null)]),
		] {
			assert_eq!(found(name, set), Some(name));
			for value in without {
				assert_eq!(found(name, value.clone()), None, "{name} {value}");
			}
		}
		assert_eq!(found("user", json!("me")), None);
		assert_eq!(found("metadata", json!({ "top_k": 40 })), None, "only members of the request");
	}
}
