//! A pool: a number of places for connections, handed out as leases in the order of asking. A place is free again when
//! the last statement on its connection has ended, not when its client has lost patience: otherwise abandoned
//! statements would pile up in the database beyond any bound.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{StreamExt, future::join_all, stream::BoxStream};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    charge::Charge,
    connection::{Connection, ConnectionState, Connector},
    signal::StopSignal,
};
use crate::error::database::FailureKind;

/// Longest wait for a connection to end after its statement was cancelled. Long for SQLite, whose statement still holds
/// its lock in this process; short for PostgreSQL, which ends by itself what has lost its client.
const ENDING: Duration = Duration::from_secs(60);
const ENDING_ON_POSTGRESQL: Duration = Duration::from_secs(5);
/// Longest time for sending a cancellation to PostgreSQL.
const TELLING: Duration = Duration::from_secs(2);
/// Longest wait of a closing pool for its connections to come back.
const CLOSING: Duration = Duration::from_secs(2);

/// Connections to the database, one of which is borrowed for each statement or transaction.
#[derive(Clone, Debug)]
pub struct Pool {
    shared: Arc<PoolState>,
    charge: Charge,
}

#[derive(Debug)]
struct PoolState {
    source: Connector,
    places: u32,
    permits: Arc<Semaphore>,
    free: Mutex<FreePoolPlaces>,
    /// Longest wait for a place, and again for its connection to be opened.
    patience: Duration,
    all_pools: StateOfAllPools,
}

/// State shared by all pools of one opening of the database.
#[derive(Clone, Debug, Default)]
pub(super) struct StateOfAllPools {
    /// Number of statements that have run.
    pub(super) statements: Arc<AtomicU64>,
    /// The pool that cancels statements of PostgreSQL.
    pub(super) signals: Option<Pool>,
    /// Whether a write failed because the disk is full or read-only, and none has succeeded since.
    pub(super) unwritable: Arc<AtomicBool>,
}

/// The places that are not leased.
#[derive(Debug)]
struct FreePoolPlaces {
    places: Vec<ConnectionSlot>,
    closed: bool,
    /// Connections opened before this moment hold prepared statements that a migration has made out of date.
    outdated: Option<Instant>,
}

/// A place for one connection, with the idle one that it holds.
#[derive(Debug, Default)]
struct ConnectionSlot {
    signal: Arc<StopSignal>,
    idle: Option<Connection>,
}

impl Pool {
    pub(super) fn new(
        source: Connector,
        places: u32,
        patience: Duration,
        all_pools: StateOfAllPools,
    ) -> Self {
        let free = FreePoolPlaces {
            places: (0..places).map(|_| ConnectionSlot::default()).collect(),
            closed: false,
            outdated: None,
        };
        let shared = PoolState {
            source,
            places,
            permits: Arc::new(Semaphore::new(places as usize)),
            free: Mutex::new(free),
            patience,
            all_pools,
        };
        Self {
            shared: Arc::new(shared),
            charge: Charge::default(),
        }
    }

    /// The same connections, charged to somebody.
    pub(super) fn charged_to(&self, charge: Charge) -> Self {
        Self {
            charge,
            ..self.clone()
        }
    }

    /// Leases a connection, as soon as one is free.
    ///
    /// # Errors
    /// None is free within the pool's patience, none can be opened, or the pool is closed.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let shared = Arc::clone(&self.shared);
        let permit = Arc::clone(&shared.permits).acquire_owned();
        let permit = timeout(shared.patience, permit).await;
        let permit = permit.map_err(|_| acquire_error(ConnAcquireErr::Timeout))?;
        let permit = permit.map_err(|_| acquire_error(ConnAcquireErr::ConnectionClosed))?;
        let taken = shared.take_free_place();
        let (place, idle) = taken.ok_or_else(|| acquire_error(ConnAcquireErr::ConnectionClosed))?;
        // Before the connection is opened or pinged: with a signal left over from the last lease, SQLite would
        // interrupt that.
        place.signal.clear();
        let signal = Arc::clone(&place.signal);
        // The lease is made before the connection: where connecting is given up half-way, its drop puts the place
        // back.
        let mut lease = Lease {
            connection: None,
            place: Some((place, permit)),
            shared,
            charge: self.charge.clone(),
        };
        let connected = timeout(lease.shared.patience, lease.shared.connect(idle, &signal)).await;
        let connected = connected.map_err(|_| acquire_error(ConnAcquireErr::Timeout))?;
        lease.connection = Some(connected?);
        // Opening a connection is nobody's expense.
        signal.charge_to(&self.charge);
        Ok(lease)
    }

    /// Whether the last thing that was written could not be kept, because of the disk and not of its content.
    pub(super) fn is_disk_refusing_writes(&self) -> bool {
        self.shared.all_pools.unwritable.load(Ordering::Relaxed)
    }

    /// Sends away who waits, and closes the connections: those that are idle, those that come back within a moment, and
    /// later each of the others as it comes back.
    pub(super) async fn close(&self) {
        // First, so that connections that come back from now on are closed and not kept.
        self.shared.lock_places().closed = true;
        let all = self.shared.permits.acquire_many(self.shared.places);
        // Whoever has a permit for all of them knows that the last connection that was borrowed is closed.
        let all = timeout(CLOSING, all).await;
        self.shared.permits.close();
        let places = std::mem::take(&mut self.shared.lock_places().places);
        let idle = places.into_iter().filter_map(|place| place.idle);
        self.shared.close_given_connections(idle).await;
        drop(all);
    }
}

fn acquire_error(error: ConnAcquireErr) -> DbErr {
    DbErr::ConnectionAcquire(error)
}

impl PoolState {
    fn lock_places(&self) -> MutexGuard<'_, FreePoolPlaces> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, of which there is one for each semaphore permit, with its idle connection; none once the pool is
    /// closed.
    fn take_free_place(&self) -> Option<(ConnectionSlot, Option<Connection>)> {
        let mut free = self.lock_places();
        if free.closed {
            return None;
        }
        let mut place = free.places.pop().unwrap_or_default();
        let idle = place.idle.take();
        Some((place, idle))
    }

    /// Puts a place back with its connection, and returns the connection where it is to be closed: the pool is closed,
    /// or its prepared statements are out of date.
    fn put_place_back(
        &self,
        mut place: ConnectionSlot,
        connection: Option<Connection>,
    ) -> Option<Connection> {
        let mut free = self.lock_places();
        let is_wanted = |connection: &Connection| {
            !free.closed
                && free
                    .outdated
                    .is_none_or(|since| connection.opened_at() > since)
        };
        let (kept, unwanted) = match connection {
            Some(connection) if is_wanted(&connection) => (Some(connection), None),
            other => (None, other),
        };
        place.idle = kept;
        free.places.push(place);
        unwanted
    }

    /// Remembers what the failure of one statement says of all: the disk cannot be written, or prepared statements are
    /// out of date. Returns the idle connections to close for it.
    fn apply_failure_to_pool(&self, state: ConnectionState) -> Vec<Connection> {
        match state {
            ConnectionState::Failed(FailureKind::Unwritable) => {
                self.all_pools.unwritable.store(true, Ordering::Relaxed);
            }
            ConnectionState::Failed(FailureKind::Outdated) => {
                let mut free = self.lock_places();
                // One connection has met a migration; the prepared statements of all others are as old. Those that
                // are lent are recognised by their age when they come back.
                free.outdated = Some(Instant::now());
                let places = free.places.iter_mut();
                return places.filter_map(|place| place.idle.take()).collect();
            }
            _ => {}
        }
        Vec::new()
    }

    /// Longest wait for a cancelled connection to end.
    fn longest_cancel_wait(&self) -> Duration {
        match self.source {
            Connector::Sqlite(_) => ENDING,
            Connector::Postgres(_) => ENDING_ON_POSTGRESQL,
        }
    }

    /// The idle connection where it still works, or a new one.
    async fn connect(
        &self,
        idle: Option<Connection>,
        signal: &Arc<StopSignal>,
    ) -> Result<Connection, DbErr> {
        if let Some(mut idle) = idle {
            if idle.check_reusable().await {
                return Ok(idle);
            }
            // What is broken is not waited for.
            tokio::spawn(timeout(self.longest_cancel_wait(), idle.close()));
        }
        let connected = self.source.connect(signal).await;
        connected.map_err(|error| {
            if FailureKind::classify(&error) == FailureKind::Unwritable {
                self.all_pools.unwritable.store(true, Ordering::Relaxed);
            }
            DbErr::Conn(RuntimeErr::SqlxError(error.into()))
        })
    }

    /// Cancels a statement that nobody waits for, or closes a connection on which one has failed. Returns the place
    /// when it is free for another connection.
    async fn cancel_or_close(&self, place: ConnectionSlot, broken: Connection) -> ConnectionSlot {
        let ended = async {
            match broken.state() {
                // Where PostgreSQL cannot be told, it will not say either that the statement has ended.
                ConnectionState::Running if !self.cancel(&place.signal).await => drop(broken),
                _ => broken.close().await,
            }
        };
        if timeout(self.longest_cancel_wait(), ended).await.is_err() {
            tracing::warn!("a statement that nobody waits for does not end");
            // It still looks at its signal, which nobody may take back.
            return ConnectionSlot::default();
        }
        place
    }

    /// Cancels the statement that runs at a place: SQLite sees the signal, PostgreSQL is sent a cancellation. Says
    /// whether it was delivered.
    async fn cancel(&self, signal: &StopSignal) -> bool {
        let process = signal.stop();
        let Some(signals) = &self.all_pools.signals else {
            return true;
        };
        let cancel = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_cancel_backend($1)",
            [process.into()],
        );
        let error = match timeout(TELLING, signals.query_one_raw(cancel)).await {
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        tracing::warn!(
            error,
            "a statement that nobody waits for could not be cancelled"
        );
        false
    }

    /// Closes connections, all at once.
    async fn close_given_connections(&self, connections: impl IntoIterator<Item = Connection>) {
        let connections = connections.into_iter();
        join_all(connections.map(|one| timeout(self.longest_cancel_wait(), one.close()))).await;
    }

    fn backend(&self) -> DbBackend {
        match self.source {
            Connector::Sqlite(_) => DbBackend::Sqlite,
            Connector::Postgres(_) => DbBackend::Postgres,
        }
    }
}

/// A leased connection. Dropped while a statement runs on it, it cancels the statement.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Option<Connection>,
    place: Option<(ConnectionSlot, OwnedSemaphorePermit)>,
    shared: Arc<PoolState>,
    charge: Charge,
}

impl Lease {
    /// The connection, which the lease has until it is dropped.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, DbErr> {
        let connection = self.connection.as_mut();
        connection.ok_or_else(|| acquire_error(ConnAcquireErr::ConnectionClosed))
    }

    /// The connection for one more statement, which is counted and charged before it runs.
    pub(super) fn connection_for_statement(&mut self) -> Result<&mut Connection, DbErr> {
        // Charged before it runs: refused afterwards, it would have cost the database all the same.
        self.charge.charge_statement()?;
        self.shared
            .all_pools
            .statements
            .fetch_add(1, Ordering::Relaxed);
        self.connection()
    }

    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let result = self.connection_for_statement()?.execute(statement).await;
        result.map_err(|error| self.charge.explain_interruption(error))
    }

    pub(super) async fn query_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let row = self.connection_for_statement()?.query_one(statement).await;
        row.map_err(|error| self.charge.explain_interruption(error))
    }

    pub(super) async fn query_all(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.connection_for_statement()?.query_all(statement).await;
        let rows = rows.map_err(|error| self.charge.explain_interruption(error))?;
        self.charge.charge_rows(rows.len())?;
        Ok(rows)
    }

    /// The rows of a statement as they arrive, each charged when it arrives.
    pub(super) fn stream(
        &mut self,
        statement: Statement,
    ) -> Result<BoxStream<'_, Result<QueryResult, DbErr>>, DbErr> {
        let charge = self.charge.clone();
        let rows = self.connection_for_statement()?.stream(statement);
        let paid = move |row: Result<QueryResult, DbErr>| {
            let row = row.map_err(|error| charge.explain_interruption(error))?;
            charge.charge_rows(1)?;
            Ok(row)
        };
        Ok(rows.map(paid).boxed())
    }

    /// Charges what follows to somebody else, and returns who was charged before.
    pub(super) fn swap_charge(&mut self, charge: Charge) -> Charge {
        if let Some((place, _)) = &self.place {
            place.signal.charge_to(&charge);
        }
        mem::replace(&mut self.charge, charge)
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.shared.backend()
    }

    /// Notes that a write was committed: the disk can be written.
    pub(super) fn mark_disk_writable(&self) {
        let unwritable = &self.shared.all_pools.unwritable;
        // Nothing else takes the mark back: the probe writes only while it is set, and any commit shows as much as
        // its own.
        unwritable.store(false, Ordering::Relaxed);
    }

    /// Whether no statement has failed and none runs.
    pub(super) fn is_clean(&self) -> bool {
        self.connection.as_ref().map(Connection::state) == Some(ConnectionState::Clean)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((place, permit)) = self.place.take() else {
            return;
        };
        // Rolling back is nobody's expense.
        place.signal.charge_to(&Charge::default());
        let shared = Arc::clone(&self.shared);
        match (self.connection.take(), Handle::try_current()) {
            (Some(broken), Ok(runtime)) if !broken.is_reusable() => {
                let outdated = shared.apply_failure_to_pool(broken.state());
                // In a task of its own, since `drop` cannot wait; the permit comes back with the place, not before.
                runtime.spawn(async move {
                    shared.close_given_connections(outdated).await;
                    let place = shared.cancel_or_close(place, broken).await;
                    shared.put_place_back(place, None);
                    drop(permit);
                });
            }
            (connection, runtime) => {
                let clean = connection.filter(Connection::is_reusable);
                let unwanted = shared.put_place_back(place, clean);
                if let (Some(unwanted), Ok(runtime)) = (unwanted, runtime) {
                    runtime.spawn(async move {
                        shared.close_given_connections([unwanted]).await;
                        drop(permit);
                    });
                }
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
        lease.execute(&statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut lease = self.lease().await?;
        lease.connection()?.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut lease = self.lease().await?;
        lease.query_one(&statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lease = self.lease().await?;
        lease.query_all(&statement).await
    }
}
