//! A page that shows the API from its OpenAPI document, without anything from elsewhere.

use axum::response::Html;

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gridproof gateway API</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2rem; text-transform: capitalize; }
details { border: 1px solid #8884; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; background: #8882; padding: .75rem; border-radius: 6px; }
.verb { display: inline-block; min-width: 3.5rem; font-weight: 700; }
table { border-collapse: collapse; } td, th { padding: .15rem .75rem .15rem 0; text-align: left; }
</style>
</head>
<body>
<h1>Gridproof gateway API</h1>
<p>The same as a document: <a href="/openapi.json">/openapi.json</a>. Figures: <a href="/metrics">/metrics</a>.</p>
<main id="api">Loading…</main>
<script>
const element = (name, text, ...children) => {
	const made = document.createElement(name);
	if (text) made.textContent = text;
	made.append(...children);
	return made;
};
fetch('/openapi.json').then(answer => answer.json()).then(api => {
	const groups = new Map();
	for (const [path, verbs] of Object.entries(api.paths)) {
		for (const [verb, operation] of Object.entries(verbs)) {
			const tag = (operation.tags || ['other'])[0];
			if (!groups.has(tag)) groups.set(tag, []);
			groups.get(tag).push({ path, verb, operation });
		}
	}
	const main = document.getElementById('api');
	main.textContent = '';
	for (const [tag, entries] of groups) {
		main.append(element('h2', tag));
		for (const { path, verb, operation } of entries) {
			const word = element('span', verb.toUpperCase());
			word.className = 'verb';
			const box = element('details', '', element('summary', '', word, element('code', path)));
			box.append(element('p', operation.summary || operation.description || ''));
			if (operation.parameters) {
				const table = element('table');
				for (const one of operation.parameters) {
					table.append(element('tr', '', element('th', one.name), element('td', one.in),
						element('td', one.description || '')));
				}
				box.append(table);
			}
			const statuses = element('table');
			for (const [status, one] of Object.entries(operation.responses || {})) {
				statuses.append(element('tr', '', element('th', status),
					element('td', one.description || '')));
			}
			box.append(statuses);
			main.append(box);
		}
	}
	main.append(element('h2', 'schemas'));
	for (const [name, schema] of Object.entries((api.components || {}).schemas || {})) {
		main.append(element('details', '', element('summary', name),
			element('pre', JSON.stringify(schema, null, 2))));
	}
});
</script>
</body>
</html>
"#;

/// The page.
pub(crate) async fn page() -> Html<&'static str> {
	Html(PAGE)
}
