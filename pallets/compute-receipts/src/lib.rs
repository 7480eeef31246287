#![cfg_attr(not(feature = "std"), no_std)]
//! Escrow, receipts and emission: AIT is minted only against delivered compute.
