//! What Rust's types promise and their derived schemas leave out.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

/// Returns the document with the bounds of its whole numbers, and with no further fields in variants.
///
/// A number that cannot be negative is described as one of 32 or 64 bits with a sign, so half of what
/// is taken would break the document; and a variant refuses fields that it does not know, as serde's
/// `deny_unknown_fields` makes it.
///
/// What comes back is JSON and no longer utoipa's types, which cannot hold every schema that they
/// write.
pub(crate) fn complete(document: &OpenApi) -> Value {
	let mut value = serde_json::to_value(document).unwrap_or_default();
	walk(&mut value);
	value
}

fn walk(value: &mut Value) {
	match value {
		Value::Object(fields) => {
			bound(fields);
			close_variants(fields);
			fields.values_mut().for_each(walk);
		},
		Value::Array(items) => items.iter_mut().for_each(walk),
		_ => (),
	}
}

fn bound(schema: &mut Map<String, Value>) {
	let is_unsigned =
		schema.get("minimum").and_then(Value::as_f64).is_some_and(|least| least >= 0.);
	let (format, most) = match schema.get("format").and_then(Value::as_str) {
		Some("int32") if is_unsigned => ("uint32", u64::from(u32::MAX)),
		Some("int64") if is_unsigned => ("uint64", u64::MAX),
		_ => return,
	};
	schema.insert("format".into(), format.into());
	schema.entry("maximum").or_insert(json!(most));
}

/// A variant is an object with a field that has one value only, among others of its kind.
fn close_variants(schema: &mut Map<String, Value>) {
	let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
	let is_tag = |field: &Value| field["enum"].as_array().is_some_and(|values| values.len() == 1);
	let is_variant = |variant: &Value| {
		variant["properties"].as_object().is_some_and(|fields| fields.values().any(is_tag))
	};
	if !variants.iter().all(is_variant) {
		return;
	}
	for fields in variants.iter_mut().filter_map(Value::as_object_mut) {
		fields.entry("additionalProperties").or_insert(false.into());
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn whole_numbers_say_their_bounds_and_variants_take_no_other_fields() {
		let mut schema = json!({
			"count": {"type": "integer", "format": "int32", "minimum": 0},
			"number": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 7},
			"signed": {"type": "integer", "format": "int64"},
			"task": {"oneOf": [
				{"type": "object", "properties": {"kind": {"type": "string", "enum": ["chat"]}}},
				{"type": "object", "properties": {"kind": {"type": "string", "enum": ["text"]}}},
			]},
			"any": {"oneOf": [{"type": "null"}, {"type": "object", "properties": {}}]},
		});
		let before = schema.clone();
		walk(&mut schema);
		assert_eq!(schema["count"]["maximum"], json!(u32::MAX));
		assert_eq!(schema["count"]["format"], "uint32");
		assert_eq!(schema["number"]["maximum"], 7);
		assert_eq!(schema["signed"], before["signed"]);
		assert_eq!(schema["task"]["oneOf"][1]["additionalProperties"], false);
		assert_eq!(schema["any"], before["any"]);
	}
}
