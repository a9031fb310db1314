//! For whom slots are taken: accounts, tokens and networks, told apart by a number.

use std::net::IpAddr;

use crate::http::network::client_network;

/// For whom a slot is taken: an account, a token or a network, as a number.
pub type SlotHolder = u128;

/// The network or the address of a client as a holder, where it is not known for whom it asks.
#[must_use]
pub fn slot_holder_of_address(address: IpAddr) -> SlotHolder {
    match client_network(address) {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
