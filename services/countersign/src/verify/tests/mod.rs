//! Tampering of every kind, at every class of place, by one who repairs whatever needs no key.

mod exports;
mod faults;
mod forgeries;
mod keepers;
mod log;
mod proofs;
mod stores;
