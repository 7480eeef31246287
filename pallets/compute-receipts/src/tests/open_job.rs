//! `open_job`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::{MAX_MODEL_FACTOR, PartyRole, PriceAsset, Quote},
	num::units::AIT,
	reserve::attestation::ServiceCredit,
};
use sp_runtime::{DispatchError, TokenError};

fn refused(quote: &Quote, error: impl Into<DispatchError>) {
	let hash = sp_io::storage::root(Default::default());
	assert_eq!(open_with(quote), Err(error.into()));
	assert_eq!(sp_io::storage::root(Default::default()), hash, "nothing changed");
}

#[test]
fn the_price_and_the_deposit_leave_the_clients_account() {
	build_and_execute(|| {
		let before = ait(&client());
		let quote = quote(0);
		let job_id = open_with(&quote).unwrap();
		assert_eq!(ait(&client()), before - 100_000 - JOB_DEPOSIT);
		assert_eq!(on_hold(HoldReason::Job, &client()), 0);
		assert_eq!(in_escrow(), [100_000 + JOB_DEPOSIT, 0]);
		assert_eq!(
			events(),
			vec![Event::JobOpened {
				job_id,
				client: client(),
				coordinator: key(COORDINATOR),
				spec_hash: H256::repeat_byte(3),
				asset: PriceAsset::Ait,
				price: 100_000,
				deadline_ms: quote.deadline_ms,
			}]
		);
	});
}

#[test]
fn a_job_can_be_paid_in_aicp_or_with_service_credit() {
	build_and_execute(|| {
		let before = ait(&client());
		assert_ok!(open_with(&Quote { asset: PriceAsset::Aicp, ..quote(0) }));
		assert_eq!(aicp(&client()), AICP_OF_CLIENT - 100_000);
		assert_ok!(open_with(&Quote { asset: PriceAsset::ServiceCredit, ..quote(0) }));
		assert_eq!(CreditMap::held(&client()), 100_000);
		assert_eq!(in_escrow(), [2 * JOB_DEPOSIT, 100_000]);
		// Each row carries its deposit in AIT.
		assert_eq!(ait(&client()), before - 2 * JOB_DEPOSIT);
	});
}

#[test]
fn a_job_may_be_free_of_charge() {
	build_and_execute(|| {
		for asset in [PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit] {
			let job = open_with(&Quote { asset, price: 0, ..quote(0) }).unwrap();
			let mut receipt = receipt(job, MINER);
			receipt.price = 0;
			assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
		}
	});
}

#[test]
fn a_quote_opens_one_job_ever() {
	build_and_execute(|| {
		let quote = quote(0);
		let job = open_with(&quote).unwrap();
		refused(&quote, Error::<Test>::AlreadyExists);
		assert_eq!(claim(&[signed(job, MINER)]), []);
		refused(&quote, Error::<Test>::AlreadyExists);
		// However long ago it was settled, the row outlives the quote.
		Now::set(quote.expiry_ms - 1);
		assert_ok!(set_parameters(|parameters| {
			parameters.retention_ms = 60_000;
			parameters.unbonding_ms = 8 * DAY_MS;
		}));
		let expire = Call::expire_jobs { jobs: vec![job].try_into().unwrap() };
		assert_noop!(dispatch(expire, account(8)), Error::<Test>::NothingDue);
		refused(&quote, Error::<Test>::AlreadyExists);
		pass(1);
		refused(&quote, Error::<Test>::QuoteExpired);
	});
}

#[test]
fn only_the_client_that_is_named_opens() {
	build_and_execute(|| {
		let quote = quote(0);
		let signature = sign(COORDINATOR, &quote.signing_payload(&genesis()));
		let call = Call::open_job { quote: Box::new(quote), signature };
		assert_noop!(dispatch(call, account(8)), Error::<Test>::NotClient);
	});
}

#[test]
fn a_quote_that_allows_nothing_or_too_much_is_refused() {
	build_and_execute(|| {
		let invalid = Error::<Test>::InvalidQuote;
		refused(&Quote { max_units: 0, ..quote(0) }, invalid);
		let invalid = || Error::<Test>::InvalidQuote;
		refused(&Quote { max_units: 1_000_000_001, ..quote(0) }, invalid());
		refused(&Quote { model_factor: 0, ..quote(0) }, invalid());
		refused(&Quote { model_factor: MAX_MODEL_FACTOR + 1, ..quote(0) }, invalid());
		refused(&Quote { deadline_ms: quote(0).expiry_ms - 1, ..quote(0) }, invalid());
		refused(&Quote { deadline_ms: Now::get() + DAY_MS + 1, ..quote(0) }, invalid());
		assert_ok!(open_with(&Quote { deadline_ms: Now::get() + DAY_MS, ..quote(0) }));
	});
}

#[test]
fn a_quote_opens_nothing_once_it_has_expired() {
	build_and_execute(|| {
		let quote = quote(0);
		Now::set(quote.expiry_ms);
		refused(&quote, Error::<Test>::QuoteExpired);
		Now::set(quote.expiry_ms - 1);
		assert_ok!(open_with(&quote));
	});
}

#[test]
fn a_coordinator_must_be_registered_and_fit() {
	build_and_execute(|| {
		// Invented by the client, registered as a miner, banned.
		let unfit = || Error::<Test>::CoordinatorUnfit;
		refused(&Quote { coordinator: key(77), ..quote(0) }, unfit());
		refused(&Quote { coordinator: key(MINER), ..quote(0) }, unfit());
		Parties::<Test>::mutate(key(COORDINATOR), |party| {
			party.as_mut().unwrap().banned_until_ms = Now::get() + 1;
		});
		refused(&quote(0), unfit());
		pass(1);
		assert_ok!(open_with(&quote(0)));
	});
}

#[test]
fn the_coordinators_signature_is_of_this_quote_on_this_chain() {
	build_and_execute(|| {
		let quote = quote(0);
		let other = Quote { price: 1, ..quote.clone() };
		for signature in [
			sign(COORDINATOR, &other.signing_payload(&genesis())),
			sign(COORDINATOR, &quote.signing_payload(&H256::zero())),
			sign(MINER, &quote.signing_payload(&genesis())),
			[0; 64],
		] {
			let call = Call::open_job { quote: Box::new(quote.clone()), signature };
			assert_noop!(dispatch(call, client()), Error::<Test>::BadSignature);
		}
	});
}

#[test]
fn a_quote_names_a_miner_that_exists() {
	build_and_execute(|| {
		let unknown = || Error::<Test>::UnknownMiner;
		refused(&Quote { miner: Some(key(77)), ..quote(0) }, unknown());
		refused(&Quote { miner: Some(key(COORDINATOR)), ..quote(0) }, unknown());
		assert_ok!(open_with(&Quote { miner: Some(key(MINER)), ..quote(0) }));
	});
}

#[test]
fn who_has_too_little_opens_nothing() {
	build_and_execute(|| {
		let lacking = TokenError::FundsUnavailable;
		// There is enough of it, elsewhere.
		<Aicp as frame_support::traits::fungible::Mutate<_>>::mint_into(&account(8), 1_000)
			.unwrap();
		refused(&Quote { price: ait(&client()), ..quote(0) }, lacking);
		refused(&Quote { price: u128::MAX, ..quote(0) }, Error::<Test>::Overflow);
		let aicp = Quote { asset: PriceAsset::Aicp, price: AICP_OF_CLIENT + 1, ..quote(0) };
		refused(&aicp, lacking);
		let credit = Quote { asset: PriceAsset::ServiceCredit, price: 1_000_000_001, ..quote(0) };
		refused(&credit, DispatchError::Other("credit"));
	});
}

#[test]
fn nothing_is_opened_while_all_is_stopped() {
	build_and_execute(|| {
		BreakerLevel::<Test>::put(Breaker::AllStopped);
		refused(&quote(0), Error::<Test>::Stopped);
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		assert_ok!(open_with(&quote(0)));
	});
}

#[test]
fn two_coordinators_do_not_share_jobs() {
	build_and_execute(|| {
		assert_ok!(register(5, PartyRole::Coordinator));
		assert_ok!(admit(5));
		let theirs = Quote { coordinator: key(5), ..quote(0) };
		assert_ne!(open_with(&theirs).unwrap(), open(0));
		assert_eq!(on_hold(HoldReason::Bond, &account(5)), 1_000 * AIT);
	});
}
