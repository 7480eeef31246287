//! `--name NUMBER` options.

use crate::USAGE;
use anyhow::{Context, Error, Result, bail};
use gridproof_logs::Format;

/// Takes `--log-format FORMAT` out of the arguments; without it, the environment chooses.
///
/// # Errors
/// If there is no such format.
pub(crate) fn take_log_format(
	arguments: &mut Vec<String>,
	from_environment: Option<String>,
) -> Result<Format> {
	let place = arguments.iter().position(|argument| argument == "--log-format");
	let chosen = match place {
		Some(place) if place + 1 < arguments.len() => arguments.drain(place..place + 2).next_back(),
		Some(_) => bail!("{USAGE}"),
		None => from_environment,
	};
	chosen.map_or(Ok(Format::Text), |format| format.parse().map_err(Error::msg))
}

/// What was given on the command line.
#[derive(Debug)]
pub(crate) struct Options(Vec<(String, u64)>);

impl Options {
	/// Pairs of a name and a number.
	///
	/// # Errors
	/// If a number is missing or none.
	pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
		let mut options = Vec::new();
		for pair in arguments.chunks(2) {
			let [name, value] = pair else { bail!("{USAGE}") };
			let number =
				value.parse().with_context(|| format!("{name} {value}: not a number\n{USAGE}"))?;
			options.push((name.clone(), number));
		}
		Ok(Self(options))
	}

	/// Takes an option out.
	///
	/// # Errors
	/// None now; what is left over in the end is one.
	pub(crate) fn number(&mut self, name: &str, default: u64) -> Result<u64> {
		let place = self.0.iter().position(|(given, _)| given == name);
		Ok(place.map_or(default, |place| self.0.remove(place).1))
	}

	/// As [`Options::number`], for numbers of things.
	///
	/// # Errors
	/// If it is too large.
	pub(crate) fn count(&mut self, name: &str, default: usize) -> Result<usize> {
		Ok(usize::try_from(self.number(name, u64::try_from(default)?)?)?)
	}

	/// Refuses what nobody has asked for.
	///
	/// # Errors
	/// If an option is left.
	pub(crate) fn end(self) -> Result<()> {
		match self.0.first() {
			None => Ok(()),
			Some((name, _)) => bail!("unknown option {name}\n{USAGE}"),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn parse(texts: &[&str]) -> Result<Options> {
		Options::parse(&texts.iter().map(ToString::to_string).collect::<Vec<_>>())
	}

	#[test]
	fn the_form_of_log_lines_stands_anywhere_or_in_the_environment() {
		let take = |texts: &[&str], variable: Option<&str>| {
			let mut arguments: Vec<_> = texts.iter().map(ToString::to_string).collect();
			let format = take_log_format(&mut arguments, variable.map(str::to_string));
			format.map(|format| (format, arguments.join(" ")))
		};
		let given = ["node", "--log-format", "json", "--starts", "1"];
		assert_eq!(take(&given, Some("text")).unwrap(), (Format::Json, "node --starts 1".into()));
		assert_eq!(take(&["node"], Some("json")).unwrap(), (Format::Json, "node".into()));
		assert_eq!(take(&["node"], None).unwrap(), (Format::Text, "node".into()));
		assert!(take(&["node", "--log-format"], None).is_err());
		assert!(take(&["node", "--log-format", "yaml"], None).is_err());
	}

	#[test]
	fn options_need_a_number_and_a_known_name() {
		let mut options = parse(&["--idle-minutes", "1", "--moon", "2"]).expect("valid");
		assert_eq!(options.number("--idle-minutes", 10).expect("a number"), 1);
		assert_eq!(options.number("--starts", 5).expect("a number"), 5);
		assert!(options.end().is_err());
		assert!(parse(&["--idle-minutes"]).is_err());
		assert!(parse(&["--idle-minutes", "many"]).is_err());
	}
}
