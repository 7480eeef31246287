//! `--name NUMBER` options.

use crate::USAGE;
use anyhow::{Context, Result, bail};

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
	fn options_need_a_number_and_a_known_name() {
		let mut options = parse(&["--idle-minutes", "1", "--moon", "2"]).expect("valid");
		assert_eq!(options.number("--idle-minutes", 10).expect("a number"), 1);
		assert_eq!(options.number("--starts", 5).expect("a number"), 5);
		assert!(options.end().is_err());
		assert!(parse(&["--idle-minutes"]).is_err());
		assert!(parse(&["--idle-minutes", "many"]).is_err());
	}
}
