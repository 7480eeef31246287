//! What the node knows of the chain without its runtime: the types of a block.
//!
//! They are those of the runtime: `gridproof-node`, which knows both, fails to compile if one of
//! them differs.

use sp_runtime::{
	AccountId32, OpaqueExtrinsic, generic,
	traits::{BlakeTwo256, Block as BlockT},
};

/// Account: a public key, or a derived account for which nobody can sign.
pub type AccountId = AccountId32;
/// Amount of AIT, in units of 10⁻¹⁸ AIT.
pub type Balance = u128;
/// Number of transactions that an account has sent.
pub type Nonce = u32;
/// Height of a block.
pub type BlockNumber = u32;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block whose transactions are opaque bytes.
pub type Block = generic::Block<Header, OpaqueExtrinsic>;
/// Hash of a block.
pub type Hash = <Block as BlockT>::Hash;

/// Symbol of the native token.
pub const TOKEN_SYMBOL: &str = "AIT";

/// Decimals of the native token.
pub const TOKEN_DECIMALS: u32 = 18;
