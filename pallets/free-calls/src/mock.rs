//! A runtime with money, a call that is free once for each item, and a switch that stops it.

use crate::{self as pallet_free_calls, FreeOrPaid, RefuseFiltered};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU8, ConstU32, Contains},
	weights::{IdentityFee, Weight},
};
use frame_system::limits::BlockWeights;
use pallet_transaction_payment::{ChargeTransactionPayment, FungibleAdapter};
use sp_runtime::{
	BuildStorage, Perbill,
	testing::UintAuthorityId,
	traits::{Applyable, Checkable, TransactionExtension},
	transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
};

/// A pallet whose call is free for each item once.
#[frame_support::pallet]
#[allow(missing_docs, unreachable_pub)]
pub(crate) mod news {
	use frame_support::pallet_prelude::*;
	use frame_system::{ensure_authorized, pallet_prelude::*};

	/// A twentieth of the weight of a block's ordinary part, to dispatch.
	pub(crate) const TELL: u64 = 50_000_000_000;
	/// To authorise.
	pub(crate) const CHECK: u64 = 10_000_000_000;
	/// What a check gives back.
	pub(crate) const SPARED: u64 = 4_000_000_000;
	/// Why an item is refused that is known.
	pub(crate) const KNOWN: u8 = 7;

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::storage]
	pub type Known<T: Config> = StorageMap<_, Twox64Concat, u32, (), OptionQuery>;

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		#[pallet::call_index(0)]
		#[pallet::weight(Weight::from_parts(TELL, 0))]
		#[pallet::authorize(|_, item| Pallet::<T>::check(*item))]
		#[pallet::weight_of_authorize(Weight::from_parts(CHECK, 0))]
		pub fn tell(origin: OriginFor<T>, item: u32) -> DispatchResultWithPostInfo {
			if ensure_authorized(origin.clone()).is_err() {
				ensure_signed(origin)?;
			}
			ensure!(!Known::<T>::contains_key(item), DispatchError::Other("known"));
			Known::<T>::insert(item, ());
			// It took half of what it might have taken.
			Ok(Some(Weight::from_parts(TELL / 2, 0)).into())
		}
	}

	impl<T: Config> Pallet<T> {
		fn check(item: u32) -> TransactionValidityWithRefund {
			ensure!(!Known::<T>::contains_key(item), InvalidTransaction::Custom(KNOWN));
			let validity =
				ValidTransaction::with_tag_prefix("news").priority(u64::MAX).and_provides(item);
			Ok((validity.into(), Weight::from_parts(SPARED, 0)))
		}
	}
}

pub(crate) type Extension =
	(RefuseFiltered<Test>, frame_system::CheckNonce<Test>, FreeOrPaid<Test>);
pub(crate) type Header = sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>;
pub(crate) type Extrinsic =
	sp_runtime::generic::UncheckedExtrinsic<u64, RuntimeCall, UintAuthorityId, Extension>;
pub(crate) type Block = sp_runtime::generic::Block<Header, Extrinsic>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;
	#[runtime::pallet_index(2)]
	pub type TransactionPayment = pallet_transaction_payment::Pallet<Test>;
	#[runtime::pallet_index(3)]
	pub type FreeCalls = pallet_free_calls::Pallet<Test>;
	#[runtime::pallet_index(4)]
	pub type News = news::Pallet<Test>;
}

parameter_types! {
	/// Is [`news`] stopped?
	pub static Stopped: bool = false;
	pub Weights: BlockWeights = BlockWeights::builder()
		.for_class(frame_support::dispatch::DispatchClass::all(), |class| {
			class.base_extrinsic = Weight::zero();
			class.max_total = Some(Weight::from_parts(1_000_000_000_000, u64::MAX));
		})
		.avg_block_initialization(Perbill::zero())
		.build_or_panic();
	/// Half of it.
	pub static MaxWeight: Weight = Weight::from_parts(500_000_000_000, u64::MAX);
	/// A tip of less counts for nothing.
	pub static PriorityUnit: u64 = 1;
}

/// Lets everything through, and news unless they are stopped.
pub struct Filter;

impl Contains<RuntimeCall> for Filter {
	fn contains(call: &RuntimeCall) -> bool {
		!(Stopped::get() && matches!(call, RuntimeCall::News(_)))
	}
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountData = pallet_balances::AccountData<u64>;
	type BaseCallFilter = Filter;
	type Block = Block;
	type BlockWeights = Weights;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

#[derive_impl(pallet_transaction_payment::config_preludes::TestDefaultConfig)]
impl pallet_transaction_payment::Config for Test {
	type LengthToFee = IdentityFee<u64>;
	type OnChargeTransaction = FungibleAdapter<Balances, ()>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightToFee = frame_support::weights::FixedFee<0, u64>;
}

impl news::Config for Test {}

impl crate::Config for Test {
	type MaxLength = ConstU32<10_000>;
	type MaxWeight = MaxWeight;
	type PriorityUnit = PriorityUnit;
}

/// Money of each of the accounts 1 to 9.
pub(crate) const MONEY: u64 = 1_000_000;

/// Length of each transaction, in bytes.
pub(crate) const LENGTH: usize = 100;

/// Runs a test in block 1 and the pallet's invariants after it.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..10).map(|who| (who, MONEY)).collect(),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		Stopped::set(false);
		MaxWeight::set(Weight::from_parts(500_000_000_000, u64::MAX));
		PriorityUnit::set(1);
		System::set_block_number(1);
		test();
		<FreeCalls as frame_support::traits::Hooks<u64>>::on_finalize(1);
		FreeCalls::do_try_state().expect("the invariants hold");
	});
}

pub(crate) fn tell(item: u32) -> RuntimeCall {
	news::Call::tell { item }.into()
}

pub(crate) fn remark() -> RuntimeCall {
	frame_system::Call::remark { remark: vec![] }.into()
}

fn extension(nonce: u32, tip: u64) -> Extension {
	(
		RefuseFiltered::new(),
		frame_system::CheckNonce::from(nonce),
		ChargeTransactionPayment::from(tip).into(),
	)
}

/// A transaction without a signer.
pub(crate) fn general(call: RuntimeCall) -> Extrinsic {
	Extrinsic::new_transaction(call, extension(0, 0))
}

/// The next transaction of an account.
pub(crate) fn signed(who: u64, tip: u64, call: RuntimeCall) -> Extrinsic {
	let nonce = System::account_nonce(who);
	Extrinsic::new_signed(call, who, UintAuthorityId(who), extension(nonce, tip))
}

/// Asks the pool about a transaction.
pub(crate) fn validate(transaction: Extrinsic) -> TransactionValidity {
	use frame_support::dispatch::GetDispatchInfo;
	let checked = transaction.check(&frame_system::ChainContext::<Test>::default())?;
	let mut info = checked.get_dispatch_info();
	info.extension_weight = weight_of_extensions(&checked.function);
	checked.validate::<Test>(TransactionSource::External, &info, LENGTH)
}

/// Includes a transaction in the present block, whole or not at all. Answers whether its call
/// succeeded.
pub(crate) fn include(transaction: Extrinsic) -> Result<bool, TransactionValidityError> {
	use frame_support::dispatch::GetDispatchInfo;
	frame_support::storage::with_transaction(|| {
		let outcome = (|| {
			let checked = transaction.check(&frame_system::ChainContext::<Test>::default())?;
			let mut info = checked.get_dispatch_info();
			info.extension_weight = weight_of_extensions(&checked.function);
			checked.apply::<Test>(&info, LENGTH).map(|result| result.is_ok())
		})();
		match outcome {
			Ok(done) => {
				sp_runtime::TransactionOutcome::Commit(Ok::<_, sp_runtime::DispatchError>(Ok(done)))
			},
			Err(refused) => sp_runtime::TransactionOutcome::Rollback(Ok(Err(refused))),
		}
	})
	.expect("not too deep")
}

/// Declared weight of all extensions for a call.
pub(crate) fn weight_of_extensions(call: &RuntimeCall) -> Weight {
	extension(0, 0).weight(call)
}
