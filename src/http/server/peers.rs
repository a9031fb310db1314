//! Who is connected: how many in all and of whom, and which connection makes room when there is none. It closes
//! nothing itself; whoever has to go is told.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::activity::ConnectionActivity;
use crate::http::network::client_network;

/// The connections of a server.
///
/// A newcomer who finds no room takes that of the oldest connection on which nothing is being worked, of its own peer
/// where that has reached its share, else of one that has more connections than it. So the silent never keep out who
/// speaks, from however many addresses they come, and a network behind one address is not turned away for what its
/// browsers keep open.
pub(super) struct Peers {
    table: Mutex<ConnectionTable>,
    all: usize,
    each: usize,
}

#[derive(Default)]
struct ConnectionTable {
    /// By age.
    connections: BTreeMap<u64, PeerConnection>,
    counts: HashMap<IpAddr, usize>,
    next: u64,
}

struct PeerConnection {
    peer: IpAddr,
    activity: Arc<ConnectionActivity>,
    evicted: Arc<Notify>,
}

/// The place of a connection, given back when it is dropped.
pub(super) struct ConnectionTicket {
    peers: Arc<Peers>,
    id: u64,
    evicted: Arc<Notify>,
}

impl ConnectionTicket {
    /// Waits until the connection has to make room.
    pub(super) async fn wait_until_evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for ConnectionTicket {
    fn drop(&mut self) {
        self.peers.lock_table().remove_connection(self.id);
    }
}

impl Peers {
    pub(super) fn new(all: usize, each: usize) -> Self {
        Self {
            table: Mutex::default(),
            all,
            each,
        }
    }

    fn lock_table(&self) -> MutexGuard<'_, ConnectionTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection of this peer; nothing where there is none and nobody makes room.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        activity: &Arc<ConnectionActivity>,
    ) -> Option<ConnectionTicket> {
        // By network and not by address: whoever has an IPv6 network has as many addresses as they like.
        let peer = client_network(peer);
        let mut table = self.lock_table();
        if table.connection_count_of(peer) >= self.each {
            table.evict_connection_of(|other, _| other == peer)?;
        } else if table.connections.len() >= self.all {
            // Of its own, or of a peer with more than it has: newcomers could otherwise push out whoever has a single
            // connection.
            let own = table.connection_count_of(peer);
            table.evict_connection_of(|other, count| other == peer || count > own)?;
        }
        Some(table.add_connection(self, peer, activity))
    }
}

impl ConnectionTable {
    fn connection_count_of(&self, peer: IpAddr) -> usize {
        self.counts.get(&peer).copied().unwrap_or_default()
    }

    fn add_connection(
        &mut self,
        peers: &Arc<Peers>,
        peer: IpAddr,
        activity: &Arc<ConnectionActivity>,
    ) -> ConnectionTicket {
        let id = self.next;
        self.next += 1;
        let evicted = Arc::<Notify>::default();
        *self.counts.entry(peer).or_default() += 1;
        self.connections.insert(
            id,
            PeerConnection {
                peer,
                activity: Arc::clone(activity),
                evicted: Arc::clone(&evicted),
            },
        );
        ConnectionTicket {
            peers: Arc::clone(peers),
            id,
            evicted,
        }
    }

    /// Takes the place of one of these: of the peer that has most, the oldest on which nothing is being worked.
    fn evict_connection_of(&mut self, may: impl Fn(IpAddr, usize) -> bool) -> Option<()> {
        let mut worst: Option<(usize, u64)> = None;
        for (id, entry) in &self.connections {
            let count = self.connection_count_of(entry.peer);
            let more = worst.is_none_or(|(most, _)| count > most);
            if more && may(entry.peer, count) && entry.activity.is_evictable() {
                worst = Some((count, *id));
            }
        }
        let (_, id) = worst?;
        self.remove_connection(id)?.evicted.notify_one();
        Some(())
    }

    fn remove_connection(&mut self, id: u64) -> Option<PeerConnection> {
        let entry = self.connections.remove(&id)?;
        if let Some(count) = self.counts.get_mut(&entry.peer) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&entry.peer);
            }
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::activity::ServerRequests;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn connects(
        peers: &Arc<Peers>,
        last: u8,
    ) -> Option<(ConnectionTicket, Arc<ConnectionActivity>)> {
        let activity = Arc::new(ConnectionActivity::new(ServerRequests::default()));
        let ticket = peers.admit(address(last), &activity)?;
        Some((ticket, activity))
    }

    fn is_evicted(ticket: &ConnectionTicket) -> bool {
        !ticket
            .peers
            .lock_table()
            .connections
            .contains_key(&ticket.id)
    }

    #[test]
    fn a_peer_with_its_share_makes_room_for_itself_alone() {
        let peers = Arc::new(Peers::new(10, 2));
        let other = connects(&peers, 2).expect("room");
        let first = connects(&peers, 1).expect("room");
        let second = connects(&peers, 1).expect("room");
        let third = connects(&peers, 1).expect("room of its own");
        let gone = [&other, &first, &second, &third].map(|(ticket, _)| is_evicted(ticket));
        assert_eq!(gone, [false, true, false, false]);
    }

    #[test]
    fn the_silent_of_whoever_has_most_make_room_and_what_is_worked_on_stays() {
        let peers = Arc::new(Peers::new(4, 3));
        let many: Vec<_> = (0..3).filter_map(|_| connects(&peers, 1)).collect();
        let one = connects(&peers, 2).expect("room");
        let worked_on = many[0].1.begin_request(false);
        let new = connects(&peers, 3).expect("room");
        assert!(!is_evicted(&many[0].0) && is_evicted(&many[1].0) && !is_evicted(&one.0));
        drop(worked_on);
        // One each, and the newcomer has none: the oldest goes.
        let third = connects(&peers, 4).expect("room");
        assert!(is_evicted(&many[0].0));
        drop((new, third));
    }

    #[test]
    fn where_everybody_is_being_served_the_newcomer_waits_outside() {
        let peers = Arc::new(Peers::new(2, 2));
        let (ticket, activity) = connects(&peers, 1).expect("room");
        let busy = [activity.begin_request(false), activity.begin_request(false)];
        let (_other, other) = connects(&peers, 2).expect("room");
        let also_busy = other.begin_request(true);
        assert!(connects(&peers, 3).is_none());
        drop((busy, also_busy));
        drop(ticket);
        assert!(connects(&peers, 3).is_some());
    }
}
