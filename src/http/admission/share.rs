//! How many requests of one client may be under way: no single one takes all that the server can keep open.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::overloaded::Overloaded;
use crate::http::network::client_network;

/// The requests that are under way, by client.
#[derive(Clone, Debug)]
pub struct RequestsByClient {
    each: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One request of a client, counted until it is dropped.
pub struct ClientRequestGuard {
    shares: RequestsByClient,
    client: IpAddr,
}

impl RequestsByClient {
    /// At the most so many requests of each client.
    #[must_use]
    pub fn new(each: usize) -> Self {
        Self {
            each,
            counts: Arc::default(),
        }
    }

    fn lock_counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits one more.
    ///
    /// # Errors
    /// The client has as many as it may have.
    pub fn admit_request(&self, address: IpAddr) -> Result<ClientRequestGuard, Overloaded> {
        let client = client_network(address);
        let mut counts = self.lock_counts();
        let count = counts.entry(client).or_default();
        if *count >= self.each {
            return Err(Overloaded);
        }
        *count += 1;
        drop(counts);
        Ok(ClientRequestGuard {
            shares: self.clone(),
            client,
        })
    }
}

impl Drop for ClientRequestGuard {
    fn drop(&mut self) {
        let mut counts = self.shares.lock_counts();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}
