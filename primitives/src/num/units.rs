//! Units of tokens, money and energy.
//!
//! Balances count the smallest unit of a token; euros are counted in micro-EUR, energy in Wh.

/// Decimals of AIT.
pub const AIT_DECIMALS: u8 = 18;
/// Smallest units in one AIT.
pub const AIT: u128 = 1_000_000_000_000_000_000;
/// A thousandth of an AIT, in smallest units.
pub const MILLI_AIT: u128 = AIT / 1_000;
/// A millionth of an AIT, in smallest units.
pub const MICRO_AIT: u128 = AIT / 1_000_000;
/// Highest amount of AIT that can ever exist, in smallest units.
pub const AIT_CAP: u128 = 21_000_000 * AIT;

/// Decimals of AICP.
pub const AICP_DECIMALS: u8 = 6;
/// Smallest units ("micro-tokens") in one AICP.
pub const AICP: u128 = 1_000_000;
/// Asset id of AICP.
pub const AICP_ASSET_ID: u32 = 1;

/// Decimals of KWH.
pub const KWH_DECIMALS: u8 = 3;
/// Smallest units in one KWH; the smallest unit is one Wh.
pub const KWH: u128 = 1_000;
/// Asset id of KWH.
pub const KWH_ASSET_ID: u32 = 2;

/// Micro-EUR in one euro.
pub const MICRO_EUR_PER_EUR: u128 = 1_000_000;
/// Wh in one MWh.
pub const WH_PER_MWH: u128 = 1_000_000;

/// Milliseconds in one day of UTC.
pub const MILLIS_PER_DAY: u64 = 86_400_000;

/// This chain's number in the SS58 address format. Free in the registry of 2026-11.
pub const SS58_PREFIX: u16 = 7341;
