//! Which addresses are one client: networks are counted, as whoever has one has all of its addresses.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that are not its network's: a customer usually gets a /56.
const HOST_BITS: u32 = 72;

/// Whom an address stands for: of IPv6 a whole network is usually one customer's, to take addresses from at will.
pub(super) fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> HOST_BITS << HOST_BITS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| client_network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:200::1"), of("2001:db8:1:2ff::9"));
        assert_ne!(of("2001:db8:1:200::1"), of("2001:db8:1:300::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
