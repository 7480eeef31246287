//! The REST interfaces, from their OpenAPI documents.

use super::{anchor, cell, table};
use serde_json::Value;

/// Returns the page.
pub fn page() -> String {
	let mut text = "# REST\n\nEach server describes itself in the same words at `/openapi.json`, \
	                and as a page at `/docs`. Errors are JSON: `error` is one word for programs, \
	                the sentence beside it is for people.\n"
		.to_string();
	let servers = [
		("Gateway", gridproof_gateway::openapi()),
		("Coordinator", gridproof_coordinator::openapi()),
		("Front", gridproof_front::openapi()),
		("Index", gridproof_index::openapi()),
	];
	for (name, document) in servers {
		text.push_str(&server(name, &document));
	}
	text
}

fn server(name: &str, document: &Value) -> String {
	let mut text = format!("\n## {name}\n\n{}\n", string(&document["info"]["description"]));
	let (mut contents, mut body) = (Vec::new(), String::new());
	for (path, methods) in members(&document["paths"]) {
		for (method, operation) in members(methods) {
			let headline = format!("{} {path}", method.to_uppercase());
			let summary = string(&operation["summary"]);
			contents.push(vec![
				format!("[`{headline}`](#{})", anchor(&format!("{name} {headline}"))),
				cell(summary.trim_end_matches('.')),
			]);
			body.push_str(&format!("\n### {name} {headline}\n\n{}\n", described(operation)));
		}
	}
	text.push_str(&format!("\n{}{body}", table(&["request", ""], &contents)));
	text.push_str(&format!("\n### {name} types\n"));
	for (name, schema) in members(&document["components"]["schemas"]) {
		text.push_str(&type_of(name, schema));
	}
	text
}

fn described(operation: &Value) -> String {
	let mut text = string(&operation["summary"]).to_string();
	let more = string(&operation["description"]);
	if !more.is_empty() {
		text.push_str(&format!("\n\n{more}"));
	}
	let security: Vec<String> = operation["security"]
		.as_array()
		.into_iter()
		.flatten()
		.flat_map(members)
		.map(|(name, _)| name.to_string())
		.collect();
	if !security.is_empty() {
		text.push_str(&format!("\n\nFor: {}.", security.join(" or ")));
	}
	let parameters: Vec<Vec<String>> = operation["parameters"]
		.as_array()
		.into_iter()
		.flatten()
		.map(|one| {
			vec![
				format!("`{}`", string(&one["name"])),
				format!("{}, {}", string(&one["in"]), kind(&one["schema"])),
				cell(string(&one["description"])),
			]
		})
		.collect();
	if !parameters.is_empty() {
		text.push_str(&format!("\n\n{}", table(&["parameter", "", ""], &parameters).trim_end()));
	}
	let body = content(&operation["requestBody"]["content"]);
	if !body.is_empty() {
		text.push_str(&format!("\n\nBody: {body}."));
	}
	let answers: Vec<Vec<String>> = members(&operation["responses"])
		.map(|(status, one)| {
			vec![status.to_string(), content(&one["content"]), cell(string(&one["description"]))]
		})
		.collect();
	text + &format!("\n\n{}", table(&["status", "answer", ""], &answers).trim_end())
}

fn type_of(name: &str, schema: &Value) -> String {
	let mut text = format!("\n**`{name}`**: {}\n", cell(string(&schema["description"])));
	let required: Vec<&str> =
		schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
	let all = schema["allOf"].as_array().into_iter().flatten();
	let rows: Vec<Vec<String>> = std::iter::once(schema)
		.chain(all)
		.flat_map(|part| members(&part["properties"]))
		.map(|(name, member)| {
			let optional = if required.contains(&name) { "" } else { ", may be missing" };
			vec![
				format!("`{name}`"),
				format!("{}{optional}", kind(member)),
				cell(string(&member["description"])),
			]
		})
		.collect();
	let values = variants(schema);
	if !values.is_empty() {
		text.push_str(&format!("\nOne of {}.\n", values.join(", ")));
	}
	if !rows.is_empty() {
		text.push_str(&format!("\n{}", table(&["member", "", ""], &rows)));
	}
	text
}

/// The words that an enumeration may be.
fn variants(schema: &Value) -> Vec<String> {
	let own = schema["enum"].as_array().into_iter().flatten();
	let parts = schema["oneOf"].as_array().into_iter().flatten();
	let nested = parts.flat_map(|part| part["enum"].as_array().into_iter().flatten());
	own.chain(nested).filter_map(Value::as_str).map(|word| format!("`{word}`")).collect()
}

/// The type of a schema in a word.
fn kind(schema: &Value) -> String {
	if let Some(reference) = schema["$ref"].as_str() {
		return format!("`{}`", reference.rsplit('/').next().unwrap_or_default());
	}
	for list in ["oneOf", "anyOf", "allOf"] {
		if let Some(parts) = schema[list].as_array() {
			let kinds: Vec<String> = parts.iter().map(kind).collect();
			return kinds.join(" or ");
		}
	}
	match &schema["type"] {
		Value::String(kind) if kind == "array" => {
			format!("list of {}", self::kind(&schema["items"]))
		},
		Value::String(kind) => kind.clone(),
		Value::Array(kinds) => {
			kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
		},
		_ => "value".to_string(),
	}
}

fn content(content: &Value) -> String {
	let parts = members(content).map(|(media, body)| match (kind(&body["schema"]), media) {
		(kind, "application/json") => kind,
		(kind, media) => format!("{kind} ({media})"),
	});
	parts.collect::<Vec<_>>().join(" or ")
}

fn string(value: &Value) -> &str {
	value.as_str().unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
	value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}
