//! The holes that are known: those that are open, and those that are closed. Each repair moves its
//! entries from [`KNOWN`] to [`CLOSED`]. A gain that no open entry explains fails the test, and so
//! does an open entry that is not found.

use crate::world::{Source, Token};

/// A hole, and the move that shows it.
pub(crate) struct Known {
	/// Its name in the audits.
	pub(crate) finding: &'static str,
	pub(crate) source: Source,
	/// Named strategy, `moves of chance`, or `honest` for what the honest do.
	pub(crate) by: &'static str,
	/// Number of seeds, from 0, within which it is found.
	pub(crate) seeds: u64,
}

const fn known(finding: &'static str, source: Source, by: &'static str, seeds: u64) -> Known {
	Known { finding, source, by, seeds }
}

/// Holes that are open.
const KNOWN: &[Known] = &[];

const fn closed(finding: &'static str, source: Source, by: &'static str) -> Known {
	known(finding, source, by, 0)
}

/// Holes that are closed: what their moves gain is never explained, also while another move of the
/// same kind still gains.
const CLOSED: &[Known] = &[
	closed("C1", Source::Emission, "self-dealing at price 0"),
	closed("C1", Source::Emission, "self-dealing at a price"),
	closed("C1", Source::Emission, "moves of chance"),
	closed("C1", Source::Emission, "honest"),
	closed("C1", Source::Emission, "self-dealing in a channel"),
	closed("C1", Source::Emission, "self-dealing in a channel for AICP"),
	closed("C1", Source::Emission, "plan sold to oneself"),
	closed("compute M7", Source::UnpaidWork, "cancelled after output"),
	closed("compute M4", Source::FailureLost, "bundle that loses failures"),
	closed("compute M2", Source::ReportRefused, "reports crowded out"),
	closed("compute M1", Source::BondEscaped, "left and still there"),
	closed("DESIGN §3.3", Source::Uncounted, "work on a model of its own"),
	closed("energy H1", Source::BeforeCertificate, "backdated certificate"),
	closed("energy H1", Source::BeforeCertificate, "energy of the past of a true meter"),
	closed("energy H1", Source::BeforeCertificate, "moves of chance"),
	closed("energy H1", Source::RatedPower, "rated power of a power station"),
	closed("energy H1, M4", Source::SameEnergyTwice, "decommissioned and certified again"),
	closed("energy H2", Source::Unvouched, "broken seal after the pardon"),
	closed("energy H2", Source::Unvouched, "revoked and readmitted"),
	closed("energy M4", Source::AnothersEnergy, "lost key once more"),
	closed("energy M5", Source::SameEnergyTwice, "one meter under two certificates"),
	closed("energy M6", Source::NotFedIn, "energy in a circle"),
	closed("energy M6", Source::NotFedIn, "battery behind two meters"),
	closed("energy M5", Source::NotFedIn, "meters in series"),
	closed("energy M6, W7", Source::NotFedIn, "debt left behind"),
	closed("energy M6, W7", Source::NotFedIn, "debt exchanged away"),
	closed("DESIGN §5", Source::AboveAllowance, "allowance taken twice"),
	closed("DESIGN §5", Source::IssuersMint, "issuer mints to itself"),
	closed("DESIGN §5", Source::IssuersMint, "allowance taken twice"),
	closed("DESIGN §5", Source::IssuersMint, "moves of chance"),
];

/// Whether `COALITION_WITHOUT` names its finding: it counts as closed then.
fn is_left_out(known: &Known) -> bool {
	std::env::var("COALITION_WITHOUT").is_ok_and(|name| known.finding == name)
}

/// The open entries, with their places.
pub(crate) fn open() -> impl Iterator<Item = (usize, &'static Known)> {
	KNOWN.iter().enumerate().filter(|(_, known)| !is_left_out(known))
}

/// Whether an open hole explains what comes from this source by this move.
pub(crate) fn explains(source: Source, by: &str) -> bool {
	let closed = CLOSED.iter().chain(KNOWN.iter().filter(|known| is_left_out(known)));
	let is_closed = closed.into_iter().any(|known| known.source == source && known.by == by);
	!is_closed && open().any(|(_, known)| known.source == source)
}

/// The token in which a gain shows; none for a lie that no balance shows.
pub(crate) fn token_of(source: Source) -> Option<Token> {
	match source {
		Source::Emission | Source::UnpaidWork => Some(Token::Ait),
		Source::IssuersMint => Some(Token::Reserve),
		Source::BeforeCertificate
		| Source::SameEnergyTwice
		| Source::Unvouched
		| Source::AnothersEnergy
		| Source::NotFedIn
		| Source::RatedPower => Some(Token::Kwh),
		Source::FailureLost
		| Source::ReportRefused
		| Source::BondEscaped
		| Source::KeptAboveBond
		| Source::HonestPunished
		| Source::Uncounted
		| Source::AboveBudget
		| Source::AboveLimit
		| Source::AboveAllowance => None,
	}
}
