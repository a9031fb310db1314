//! A number of places for connections. Who waits for one is served in turn; a place is free again when the last
//! statement on its connection has ended, not when its client has lost patience.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};
use sqlx::PgPool;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    connection::{Connection, Source, State},
    signal::Signal,
};

/// How long a statement that was told to end is waited for.
const ENDING: Duration = Duration::from_secs(60);
/// How long a pool that closes waits for its connections to come back.
const CLOSING: Duration = Duration::from_secs(2);

/// Connections to the database, one of which is borrowed for each statement or transaction.
#[derive(Clone, Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Source,
    places: u32,
    permits: Arc<Semaphore>,
    free: Mutex<Vec<Place>>,
    /// How long one waits for a place, and again for its connection to be opened.
    patience: Duration,
    /// Statements of this opening of the database, whatever pool they ran in.
    statements: Arc<AtomicU64>,
    /// Where statements of PostgreSQL are cancelled from.
    canceller: Option<PgPool>,
    /// Whether the last thing that was written could not be kept.
    unwritable: AtomicBool,
}

/// Room for one connection, with the one that waits in it.
#[derive(Debug, Default)]
struct Place {
    signal: Arc<Signal>,
    idle: Option<Connection>,
}

impl Pool {
    pub(super) fn new(
        source: Source,
        places: u32,
        patience: Duration,
        statements: Arc<AtomicU64>,
        canceller: Option<PgPool>,
    ) -> Self {
        let free = (0..places).map(|_| Place::default()).collect();
        let shared = Shared {
            source,
            places,
            permits: Arc::new(Semaphore::new(places as usize)),
            free: Mutex::new(free),
            patience,
            statements,
            canceller,
            unwritable: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A connection for oneself, as soon as there is one.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let shared = Arc::clone(&self.shared);
        let permit = Arc::clone(&shared.permits).acquire_owned();
        let permit = timeout(shared.patience, permit).await;
        let permit = permit.map_err(|_| acquire(ConnAcquireErr::Timeout))?;
        let permit = permit.map_err(|_| acquire(ConnAcquireErr::ConnectionClosed))?;
        // There is one for each permit.
        let mut place = shared.take().unwrap_or_default();
        let idle = place.idle.take();
        place.signal.clear();
        let signal = Arc::clone(&place.signal);
        let mut lease = Lease {
            connection: None,
            place: Some((place, permit)),
            shared,
        };
        let connected = timeout(lease.shared.patience, lease.shared.connect(idle, &signal)).await;
        let connected = connected.map_err(|_| acquire(ConnAcquireErr::Timeout))?;
        lease.connection = Some(connected?);
        Ok(lease)
    }

    /// Whether the last thing that was written could not be kept, because of the disk and not of its content.
    pub(super) fn is_unwritable(&self) -> bool {
        self.shared.unwritable.load(Ordering::Relaxed)
    }

    /// Sends away who waits, and closes the connections as they come back.
    pub(super) async fn close(&self) {
        let all = self.shared.permits.acquire_many(self.shared.places);
        let all = timeout(CLOSING, all).await;
        self.shared.permits.close();
        while let Some(place) = self.shared.take() {
            if let Some(idle) = place.idle {
                idle.close().await;
            }
        }
        drop(all);
    }
}

fn acquire(error: ConnAcquireErr) -> DbErr {
    DbErr::ConnectionAcquire(error)
}

impl Shared {
    fn take(&self) -> Option<Place> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop()
    }

    fn put_back(&self, place: Place) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(place);
    }

    /// The connection that waits, if it is good for another statement, or a new one.
    async fn connect(
        &self,
        idle: Option<Connection>,
        signal: &Arc<Signal>,
    ) -> Result<Connection, DbErr> {
        if let Some(mut idle) = idle {
            if idle.is_good().await {
                return Ok(idle);
            }
            // What is broken is not waited for.
            tokio::spawn(timeout(ENDING, idle.close()));
        }
        let connected = self.source.connect(signal).await;
        connected.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))
    }

    fn backend(&self) -> DbBackend {
        match self.source {
            Source::Sqlite(_) => DbBackend::Sqlite,
            Source::Postgres(_) => DbBackend::Postgres,
        }
    }
}

/// A connection that is borrowed. Dropped while a statement is under way, it cancels that.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Option<Connection>,
    place: Option<(Place, OwnedSemaphorePermit)>,
    shared: Arc<Shared>,
}

impl Lease {
    /// The connection, which it has until it is dropped.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, DbErr> {
        let connection = self.connection.as_mut();
        connection.ok_or_else(|| acquire(ConnAcquireErr::ConnectionClosed))
    }

    /// The connection, for a statement that counts.
    pub(super) fn counted(&mut self) -> Result<&mut Connection, DbErr> {
        self.shared.statements.fetch_add(1, Ordering::Relaxed);
        self.connection()
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.shared.backend()
    }

    /// Something was written, and kept.
    pub(super) fn has_written(&self) {
        self.shared.unwritable.store(false, Ordering::Relaxed);
    }

    /// Whether no statement has failed and none is under way.
    pub(super) fn is_clean(&self) -> bool {
        self.connection.as_ref().map(Connection::state) == Some(State::Clean)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((mut place, permit)) = self.place.take() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        match (self.connection.take(), Handle::try_current()) {
            (Some(connection), _) if connection.state() == State::Clean => {
                place.idle = Some(connection);
                shared.put_back(place);
                drop(permit);
            }
            (Some(broken), Ok(runtime)) => {
                if broken.state() == State::Unwritable {
                    shared.unwritable.store(true, Ordering::Relaxed);
                }
                runtime.spawn(async move {
                    if broken.state() == State::Running {
                        place.signal.stop(shared.canceller.as_ref()).await;
                    }
                    if timeout(ENDING, broken.close()).await.is_err() {
                        tracing::warn!("a statement that nobody waits for does not end");
                    }
                    shared.put_back(place);
                    drop(permit);
                });
            }
            (_, _) => {
                shared.put_back(place);
                drop(permit);
            }
        }
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut lease = self.lease().await?;
        lease.counted()?.execute(&statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut lease = self.lease().await?;
        lease.connection()?.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut lease = self.lease().await?;
        lease.counted()?.query_one(&statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lease = self.lease().await?;
        lease.counted()?.query_all(&statement).await
    }
}
