//! Log lines: JSON on request, each of the same form, chosen by filters as text is.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{Node, NodeConfig};
use serde_json::{Map, Value};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a development node that logs JSON lines until its third block; returns the lines.
async fn lines(arguments: &[&str]) -> Result<Vec<Map<String, Value>>> {
	let mut config = NodeConfig::development();
	config.arguments.extend(["--log-format".into(), "json".into()]);
	config.arguments.extend(arguments.iter().map(ToString::to_string));
	let mut node = Node::start(config).await?;
	node.wait_for_height(3, LIMIT).await?;
	node.stop()?;
	node.assert_no_errors();
	let log = node.log();
	let read = |line: &str| {
		let members = serde_json::from_str(line).with_context(|| format!("not an object: {line}"));
		members.inspect(|members: &Map<String, Value>| {
			for name in ["timestamp", "level", "component", "event", "message"] {
				let text = members.get(name).and_then(Value::as_str);
				assert!(text.is_some_and(|text| !text.is_empty()), "{name} is missing: {line}");
			}
		})
	};
	log.lines().map(read).collect()
}

#[tokio::test]
async fn a_node_writes_nothing_but_json_lines_on_request() -> Result<()> {
	let lines = lines(&[]).await?;
	let says = |text: &str| {
		lines.iter().any(|line| line["message"].as_str().is_some_and(|m| m.contains(text)))
	};
	ensure!(says("Gridproof Node") && says("Imported #"), "{lines:?}");
	Ok(())
}

#[tokio::test]
async fn json_lines_are_chosen_by_the_same_filters() -> Result<()> {
	let lines = lines(&["-lwarn,substrate=info"]).await?;
	ensure!(lines.iter().any(|line| line["component"] == "substrate"), "{lines:?}");
	let other =
		lines.iter().find(|line| line["level"] == "info" && line["component"] != "substrate");
	ensure!(other.is_none(), "{other:?}");
	Ok(())
}
