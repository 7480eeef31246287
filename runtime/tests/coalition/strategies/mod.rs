//! Named strategies: several calls in the order in which a cheat would send them. Each is cut into
//! stages, between which a plan puts moves of chance and stages of others.

mod channels;
mod checks;
mod compute;
mod energy;
mod netting;
mod reserve;

use self::{channels::*, checks::*, compute::*, energy::*, netting::*, reserve::*};
use crate::{
	chain::HOUR,
	rng::Rng,
	world::{Role, World, compute::KnownJob},
};
use gridproof_primitives::{
	compute::channels::ChannelId,
	crypto::ed25519::PublicKey,
	energy::{MeterIndex, SignedBatch},
};
use gridproof_runtime::RuntimeCall;

/// What a strategy remembers from stage to stage.
#[derive(Default, Clone)]
pub(crate) struct Scratch {
	jobs: Vec<KnownJob>,
	channel: Option<ChannelId>,
	meter: Option<MeterIndex>,
	key: Option<PublicKey>,
	batch: Option<SignedBatch>,
	call: Option<RuntimeCall>,
}

type Stage = fn(&mut World, &mut Scratch, &mut Rng) -> Option<()>;

pub(crate) struct Strategy {
	pub(crate) name: &'static str,
	/// Roles without which it cannot begin.
	pub(crate) roles: &'static [Role],
	pub(crate) stages: &'static [Stage],
}

use Role::{Client, Coordinator, Data, Electrician, Guard, Issuer, Miner, Owner, Risk, Verifier};

pub(crate) const ALL: &[Strategy] = &[
	Strategy {
		name: "self-dealing at price 0",
		roles: &[Coordinator, Miner],
		stages: &[open_at_no_price, deliver_nothing],
	},
	Strategy {
		name: "self-dealing at a price",
		roles: &[Coordinator, Miner],
		stages: &[open_at_a_price, deliver_nothing],
	},
	Strategy {
		name: "backdated certificate",
		roles: &[Electrician],
		stages: &[certify_ten_years, forge_past, forge_past, forge_past],
	},
	Strategy {
		name: "energy of the past of a true meter",
		roles: &[Electrician, Owner],
		stages: &[certify_true_past, wait_an_hour],
	},
	Strategy {
		name: "rated power of a power station",
		roles: &[Electrician],
		stages: &[certify_giant, forge_all],
	},
	Strategy {
		name: "decommissioned and certified again",
		roles: &[Electrician],
		stages: &[
			certify_a_day,
			forge_all,
			certify_once_more,
			forge_all,
			certify_once_more,
			forge_all,
		],
	},
	Strategy {
		name: "exchanged again and again",
		roles: &[Electrician],
		stages: &[certify_a_day, forge_all, exchange, forge_all, exchange, forge_all],
	},
	Strategy {
		name: "true meter certified again",
		roles: &[Electrician, Owner],
		stages: &[certify_true_day, wait_hours, certify_true_again, wait_hours],
	},
	Strategy {
		name: "broken seal after the pardon",
		roles: &[Owner],
		stages: &[break_seal, forge_in_suspension, pardon],
	},
	Strategy {
		name: "revoked and readmitted",
		roles: &[Electrician],
		stages: &[certify_now, revoke, readmit, forge_all],
	},
	Strategy {
		name: "lost key once more",
		roles: &[Electrician],
		stages: &[certify_for_another, steal_key, certify_stolen, wait_an_hour, forge_all],
	},
	Strategy {
		name: "one meter under two certificates",
		roles: &[Owner],
		stages: &[certify_twins, wait_hours, wait_hours],
	},
	Strategy {
		name: "meters in series",
		roles: &[Owner],
		stages: &[certify_series, wait_hours, wait_hours],
	},
	Strategy {
		name: "energy in a circle",
		roles: &[Owner],
		stages: &[certify_circle, wait_hours, wait_hours, wait_hours],
	},
	Strategy {
		name: "battery behind two meters",
		roles: &[Owner],
		stages: &[certify_apart, wait_hours, wait_hours, wait_hours],
	},
	Strategy {
		name: "bundle that loses failures",
		roles: &[Coordinator, Miner],
		stages: &[fail_and_bundle],
	},
	Strategy { name: "cancelled after output", roles: &[Client], stages: &[order, cancel, expire] },
	Strategy {
		name: "reports crowded out",
		roles: &[Coordinator, Miner],
		stages: &[open_at_no_price, crowd_out, report_at_last],
	},
	Strategy {
		name: "left and still there",
		roles: &[Coordinator, Miner],
		stages: &[leave, work_on_and_go],
	},
	Strategy { name: "issuer mints to itself", roles: &[Issuer], stages: &[mint_to_itself] },
	Strategy {
		name: "allowance taken twice",
		roles: &[Issuer],
		stages: &[
			mint_to_itself,
			redeem_most,
			mint_to_itself,
			next_day,
			mint_to_itself,
			mint_to_itself,
		],
	},
	Strategy {
		name: "redemption and own work",
		roles: &[Coordinator, Miner],
		stages: &[redeem_most, open_for_credit, deliver_nothing, redeem_most],
	},
	Strategy {
		name: "own work with a good score",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, deal],
	},
	Strategy {
		name: "own work for credit with a good score",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, redeem_most, open_for_credit, deliver_nothing],
	},
	Strategy {
		name: "work on a model of its own",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, name_own_models],
	},
	Strategy {
		name: "more than a step may mint",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, deal_at_once],
	},
	Strategy {
		name: "parameters as generous as can be",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, ask_for_generosity, deal],
	},
	Strategy {
		name: "own work for AICP",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, deal_in_aicp],
	},
	Strategy {
		name: "rate that has ended",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, wait_for_the_rate, deal_in_aicp],
	},
	Strategy {
		name: "emergency account raises the rate",
		roles: &[Coordinator, Miner, Guard],
		stages: &[earn_score, raise_rate, deal_in_aicp],
	},
	Strategy {
		name: "emergency account prolongs the rate",
		roles: &[Coordinator, Miner, Guard],
		stages: &[earn_score, wait_for_the_rate, prolong_rate, deal_in_aicp],
	},
	Strategy {
		name: "emission claimed again",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, deal, claim_again],
	},
	Strategy {
		name: "receipt settled again",
		roles: &[Miner],
		stages: &[wait_hours, settle_again],
	},
	Strategy {
		name: "receipt above its quote",
		roles: &[Coordinator, Miner],
		stages: &[settle_above_quote, settle_above_quote],
	},
	Strategy {
		name: "more than flows through",
		roles: &[Electrician],
		stages: &[certify_now, wait_an_hour, forge_beyond],
	},
	Strategy {
		name: "energy of tomorrow",
		roles: &[Electrician],
		stages: &[certify_now, forge_ahead],
	},
	Strategy {
		name: "the same day again",
		roles: &[Electrician],
		stages: &[certify_a_day, forge_all, forge_day_again, forge_day_again],
	},
	Strategy {
		name: "three days in one",
		roles: &[Electrician],
		stages: &[certify_now, forge_three_days],
	},
	Strategy { name: "limits that are near", roles: &[Electrician], stages: &[go_to_the_limits] },
	Strategy {
		name: "signed by another key",
		roles: &[Owner],
		stages: &[certify_apart, forge_for_sealed],
	},
	Strategy {
		name: "another's device",
		roles: &[Electrician],
		stages: &[certify_anothers_device, wait_hours],
	},
	Strategy {
		name: "meter of one who did not consent",
		roles: &[Electrician],
		stages: &[certify_without_consent, wait_an_hour, forge_all],
	},
	Strategy {
		name: "consent used once more",
		roles: &[Electrician],
		stages: &[certify_and_undo, certify_undone, wait_an_hour, forge_all],
	},
	Strategy {
		name: "one meter under two seals",
		roles: &[Owner, Electrician],
		stages: &[certify_under_two_seals, wait_hours, wait_hours],
	},
	Strategy {
		name: "broken seal after an exchange",
		roles: &[Owner],
		stages: &[break_seal, forge_in_suspension, pardon_by_exchange],
	},
	Strategy {
		name: "debt left behind",
		roles: &[Owner],
		stages: &[certify_drawing, certify_without_debt],
	},
	Strategy {
		name: "debt exchanged away",
		roles: &[Owner],
		stages: &[certify_drawing, exchange_without_debt],
	},
	Strategy {
		name: "drawn out of service",
		roles: &[Owner],
		stages: &[certify_drawing, draw_out_of_service],
	},
	Strategy {
		name: "import meter replaced",
		roles: &[Owner],
		stages: &[certify_apart, replace_import],
	},
	Strategy { name: "drawn in a gap", roles: &[Owner], stages: &[certify_drawing, draw_in_gaps] },
	Strategy {
		name: "import stated late",
		roles: &[Owner],
		stages: &[certify_apart, keep_import_back],
	},
	Strategy {
		name: "import meter suspended",
		roles: &[Owner],
		stages: &[certify_apart, suspend_import, wait_hours, wait_hours],
	},
	Strategy {
		name: "import meter taken away",
		roles: &[Owner],
		stages: &[certify_apart, take_import_away, wait_hours, wait_hours],
	},
	Strategy {
		name: "pumped behind a roof",
		roles: &[Owner],
		stages: &[certify_pumped, wait_hours, wait_hours],
	},
	Strategy { name: "allowance of another day", roles: &[Issuer], stages: &[mint_a_day_late] },
	Strategy {
		name: "mint while a role has stopped it",
		roles: &[Issuer],
		stages: &[let_a_role_stop, mint_anyway],
	},
	Strategy {
		name: "stop that two roles lift",
		roles: &[Issuer, Data, Risk],
		stages: &[let_a_role_stop, lift_at_once, mint_anyway],
	},
	Strategy {
		name: "one role states",
		roles: &[Issuer, Data],
		stages: &[embellish_alone, mint_to_itself],
	},
	Strategy {
		name: "statement that nobody signed",
		roles: &[Issuer],
		stages: &[embellish_unsigned, mint_to_itself],
	},
	Strategy {
		name: "self-dealing in a channel",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, open_own_channel, settle_invented],
	},
	Strategy {
		name: "self-dealing in a channel for AICP",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, open_channel_in_aicp, settle_invented],
	},
	Strategy {
		name: "channel with a generous mint",
		roles: &[Coordinator, Miner],
		stages: &[earn_score, ask_for_generosity, open_own_channel, settle_invented],
	},
	Strategy {
		name: "plan sold to oneself",
		roles: &[Coordinator, Miner],
		stages: &[open_own_plan, settle_invented, renew_and_end, settle_invented],
	},
	Strategy {
		name: "lines settled again",
		roles: &[Coordinator, Miner],
		stages: &[open_own_channel, settle_invented, settle_lines_again],
	},
	Strategy {
		name: "one deposit for two coordinators",
		roles: &[Client, Coordinator, Miner],
		stages: &[order_at_honest, settle_elsewhere, close_and_take],
	},
	Strategy {
		name: "closed while the coordinator is away",
		roles: &[Client],
		stages: &[order_at_honest, close_and_take],
	},
	Strategy {
		name: "outsider's channel",
		roles: &[Coordinator, Miner],
		stages: &[settle_of_outsider, settle_of_outsider],
	},
	Strategy {
		name: "kept key emptied",
		roles: &[Coordinator, Miner],
		stages: &[open_kept, empty_kept],
	},
	Strategy {
		name: "restitution to oneself",
		roles: &[Coordinator, Miner],
		stages: &[open_own_channel, settle_invented, accuse_itself, accuse_itself],
	},
	Strategy {
		name: "bond taken home by demands",
		roles: &[Coordinator, Miner],
		stages: &[open_own_channel, demand_of_itself, demand_of_itself],
	},
	Strategy {
		name: "bond taken home by giving up",
		roles: &[Coordinator, Miner],
		stages: &[open_own_channel, let_it_end, give_up_own, give_up_own],
	},
	Strategy {
		name: "honest coordinator accused",
		roles: &[Client],
		stages: &[order_at_honest, accuse_honest, accuse_settled],
	},
	Strategy {
		name: "receipt demanded that nobody signed",
		roles: &[Client, Miner],
		stages: &[demand_of_honest],
	},
	Strategy {
		name: "settled in another's name",
		roles: &[Client, Miner],
		stages: &[settle_in_anothers_name],
	},
	Strategy {
		name: "outsider at one's own coordinator",
		roles: &[Coordinator, Miner],
		stages: &[forge_voucher, exceed_voucher, exceed_day],
	},
	Strategy {
		name: "more than the channel pays",
		roles: &[Coordinator, Miner],
		stages: &[
			exceed_deposit,
			settle_one_line_twice,
			pay_more_to_miners,
			settle_in_another_asset,
		],
	},
	Strategy {
		name: "invented work that its verifier finds equal",
		roles: &[Coordinator, Miner, Verifier],
		stages: &[open_own_channel, settle_invented, look_away, vote_for_its_own],
	},
	Strategy {
		name: "openings for witnesses alone",
		roles: &[Coordinator, Miner, Verifier],
		stages: &[show_to_witnesses, open_own_channel, settle_invented, vote_for_its_own],
	},
	Strategy {
		name: "openings kept from the jury",
		roles: &[Coordinator, Miner, Verifier],
		stages: &[hide_from_jurors, open_own_channel, settle_invented, vote_for_its_own],
	},
	Strategy {
		name: "openings for nobody",
		roles: &[Coordinator, Miner],
		stages: &[show_to_nobody, open_own_channel, settle_invented, settle_of_outsider],
	},
	Strategy {
		name: "lists for nobody",
		roles: &[Coordinator, Miner],
		stages: &[publish_nothing, open_own_channel, settle_invented, settle_of_outsider],
	},
	Strategy {
		name: "honest work accused",
		roles: &[Client, Verifier],
		stages: &[order_at_honest, wait_a_moment, accuse_honest_work, vote_for_its_own],
	},
	Strategy {
		name: "published work demanded without a name",
		roles: &[Client, Verifier],
		stages: &[order_at_honest, wait_a_moment, demand_without_name, vote_for_its_own],
	},
	Strategy {
		name: "honest work disputed by its client",
		roles: &[Client, Verifier],
		stages: &[order_at_honest, wait_a_moment, dispute_honest_work, vote_for_its_own],
	},
	Strategy {
		name: "settlement stopped past a notice",
		roles: &[Client, Guard],
		stages: &[stop_past_notice],
	},
	Strategy {
		name: "settlement stopped past a deadline",
		roles: &[Client, Guard],
		stages: &[stop_past_deadline],
	},
];

/// Waits until what was settled is touched.
fn wait_a_moment(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for _ in 0..4 {
		world.pass(crate::chain::SECOND);
	}
	Some(())
}

/// Waits that much.
fn wait_an_hour(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	world.pass(HOUR);
	Some(())
}

fn wait_hours(world: &mut World, _: &mut Scratch, _: &mut Rng) -> Option<()> {
	for _ in 0..4 {
		world.pass(2 * HOUR);
	}
	Some(())
}

/// Whether a coalition of these roles can begin with it.
pub(crate) fn is_open_to(strategy: &Strategy, roles: &std::collections::BTreeSet<Role>) -> bool {
	strategy.roles.iter().all(|role| roles.contains(role))
}
