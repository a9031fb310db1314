//! The accept loop: bounds on connections, deadlines for what clients send and take, and an end within the time that
//! draining may take. It knows no route and signs nobody in.
//!
//! `axum::serve` has none of this, layers of tower begin when a head has arrived, and hyper's own header timeout begins
//! with the wait for a request, so that what is enough for a slow head would end every connection that a proxy keeps.
//! Each connection is one task ([`connection`]), which counts what it is doing ([`activity`]) and looks after itself;
//! [`peers`] holds how many there are, of whom, and which of them makes room when a place is needed.

mod activity;
mod connection;
pub mod files;
mod limits;
mod peers;

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

pub use self::{activity::ServerRequestGuard, limits::ServerLimits};
use self::{
    activity::{ConnectionActivity, ServerRequests},
    connection::ClientConnection,
    peers::Peers,
};

/// How long accepting rests when the system has no more files to give.
const REST: Duration = Duration::from_millis(50);

/// Serves until `stop`, then takes no new connections, lets what is under way finish for as long as `drain` says, and
/// ends what is left. Returns how many requests were cut off by that.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    stop: impl Future<Output = ()>,
    drain: Duration,
) -> usize {
    let under_way = ServerRequests::default();
    let peers = Arc::new(Peers::new(limits.connections, limits.of_one_peer));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let (stopping, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            // Ended tasks are taken out while it serves, or the set would grow by one with every connection.
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let activity = Arc::new(ConnectionActivity::new(under_way.clone()));
                    let Some(ticket) = peers.admit(peer.ip(), &activity) else {
                        // Without a permit the stream is dropped: a flood of connections must not become a flood of
                        // tasks.
                        if let Ok(permit) = Arc::clone(&turned_away).try_acquire_owned() {
                            tokio::spawn(async move {
                                refuse_connection(stream).await;
                                drop(permit);
                            });
                        }
                        continue;
                    };
                    let connection = ClientConnection { stream, peer, activity, ticket, limits };
                    tasks.spawn(connection.serve(router.clone(), stopped.clone()));
                }
                Err(error) => {
                    // The next one may fare better: what fails is one connection, or there are no files for a while.
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(REST).await;
                }
            },
        }
    }
    // First, so that a load balancer sees the port closed while what is under way is finished.
    drop(listener);
    stopping.send_replace(true);
    let cut = wait_until_drained(&mut tasks, &under_way, Instant::now() + drain).await;
    tasks.shutdown().await;
    cut
}

/// Waits until every connection has ended and nothing that was asked for is still being done. Returns the number of
/// requests that are under way at the deadline.
async fn wait_until_drained(
    tasks: &mut JoinSet<()>,
    under_way: &ServerRequests,
    deadline: Instant,
) -> usize {
    let all_done = async {
        while tasks.join_next().await.is_some() {}
        under_way.wait_until_none().await;
    };
    tokio::select! {
        () = all_done => 0,
        () = sleep_until(deadline) => under_way.count(),
    }
}

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// How many connections are told at the same time that there is no room; the others are closed without a word.
const TURNED_AWAY: usize = 64;
/// How long one of them may take to hear it, and how many bytes of what it sent meanwhile are read.
const LAST_WORD: Duration = Duration::from_secs(1);
const UNHEARD: u64 = 64 * 1024;

/// Turns a connection away. What it has sent is read, and forgotten: the system resets a connection that is closed over
/// bytes that nobody has read, and what was said on it is lost.
async fn refuse_connection(mut stream: TcpStream) {
    let told = timeout(LAST_WORD, async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        copy(&mut stream.take(UNHEARD), &mut sink()).await
    });
    if let Err(error) = told.await.unwrap_or_else(|late| Err(io::Error::from(late))) {
        tracing::debug!(%error, "a connection was turned away without a word");
    }
}
