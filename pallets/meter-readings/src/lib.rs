#![cfg_attr(not(feature = "std"), no_std)]
//! Energy enters only through certified devices; every reading stays provable.
