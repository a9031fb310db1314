//! Requests that are given up half way: whatever they had begun, those who come after find the connections clean.

use std::{future::Future, pin::pin, time::Duration};

use cx_blueprint::database::{Options, Store};
use futures_util::{
    StreamExt,
    future::{join_all, poll_immediate},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, StreamTrait};
use tokio::time::timeout;

use crate::world::World;

/// Works on something for so many turns, then drops it.
async fn given_up<F: Future>(turns: i32, work: F) {
    let mut work = pin!(work);
    for _ in 0..turns {
        if poll_immediate(&mut work).await.is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn segments(db: &impl ConnectionTrait) -> i64 {
    let sql = Statement::from_string(db.get_database_backend(), "SELECT count(*) FROM segment");
    let row = db.query_one_raw(sql).await.expect("it is counted");
    let row = row.expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// Writes one segment outside of any transaction that it knows of.
async fn write(db: &DatabaseConnection, key: &str) {
    let id = match db.get_database_backend() {
        DbBackend::Postgres => "gen_random_uuid()",
        _ => "randomblob(16)",
    };
    let insert = format!(
        "INSERT INTO segment (id, key, dimension, value, created_at, version)
         VALUES ({id}, '{key}', 'MARKET', 'Denmark', '2026-01-01T00:00:00+00:00', 1)"
    );
    db.execute_unprepared(&insert).await.expect("it is written");
}

#[tokio::test]
async fn a_snapshot_given_up_while_it_begins_leaves_nobody_in_the_past() {
    let world = World::new().await;
    let everybody = || join_all((0..16).map(|_| segments(world.store.reader())));
    for turns in 0..150 {
        join_all((0..8).map(|_| given_up(turns, world.store.begin_snapshot()))).await;
        // Whoever was left in a transaction looks once, and would see that from now on.
        everybody().await;
        write(&world.db(), &format!("segment-{turns}")).await;
        assert_eq!(
            everybody().await,
            [i64::from(turns) + 1; 16],
            "after {turns} turns"
        );
    }
}

#[tokio::test]
async fn a_write_given_up_while_it_begins_takes_no_other_write_with_it() {
    let world = World::new().await;
    for turns in 0..150 {
        join_all((0..8).map(|_| given_up(turns, world.store.begin()))).await;
        write(&world.db(), &format!("segment-{turns}")).await;
        let seen = segments(world.store.reader()).await;
        assert_eq!(seen, i64::from(turns) + 1, "after {turns} turns");
    }
}

/// A statement that would take minutes.
fn endless(db: &impl ConnectionTrait) -> &'static str {
    match db.get_database_backend() {
        DbBackend::Postgres => "SELECT pg_sleep(300)",
        _ => {
            "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 100000000000)
             SELECT max(n) FROM more"
        }
    }
}

/// A store with one place for whoever reads.
async fn narrow(world: &World) -> Store {
    let options = Options {
        url: world.url(),
        connections: 1,
        schema: None,
    };
    Store::open(&options).await.expect("it opens")
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_ends_and_gives_its_place_back() {
    let world = World::new().await;
    let store = narrow(&world).await;
    for place in ["by itself", "in a snapshot", "in a stream", "in a write"] {
        let endless = endless(store.reader());
        let asked = async {
            match place {
                "by itself" => drop(store.reader().execute_unprepared(endless).await),
                "in a write" => {
                    let tx = store.begin().await.expect("it begins");
                    drop(tx.execute_unprepared(endless).await);
                }
                _ => {
                    let tx = store.begin_snapshot().await.expect("it begins");
                    let backend = ConnectionTrait::get_database_backend(&tx);
                    let statement = Statement::from_string(backend, endless);
                    if place == "in a stream" {
                        let mut rows = tx.stream_raw(statement).await.expect("it begins");
                        drop(rows.next().await);
                    } else {
                        drop(tx.query_all_raw(statement).await);
                    }
                }
            }
        };
        let ended = timeout(Duration::from_millis(200), asked).await;
        assert!(ended.is_err(), "{place}: it was to take minutes");
        // One who waits for a place gets it, well before the five seconds after which it would be sent away.
        let next = timeout(Duration::from_secs(4), segments(store.reader())).await;
        assert_eq!(next.expect("the place is free again"), 0, "{place}");
        let next = timeout(Duration::from_secs(4), store.begin()).await;
        let next = next.expect("the place is free again").expect("it begins");
        next.rollback().await.expect("it ends");
    }
}

/// What runs on PostgreSQL is told by PostgreSQL.
#[tokio::test]
async fn postgresql_works_for_nobody_who_has_gone() {
    let world = World::new().await;
    if world.store.backend() != DbBackend::Postgres {
        return;
    }
    let asked = world
        .store
        .reader()
        .execute_unprepared("SELECT pg_sleep(300)");
    let ended = timeout(Duration::from_millis(200), asked).await;
    assert!(ended.is_err(), "it was to take minutes");
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(300)%' AND state = 'active' AND pid <> pg_backend_pid()";
    let db = world.db();
    for _ in 0..40 {
        let statement = Statement::from_string(DbBackend::Postgres, running);
        let row = db.query_one_raw(statement).await.expect("it is counted");
        let row = row.expect("a row");
        if row.try_get_by_index::<i64>(0).expect("a number") == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it still runs");
}
