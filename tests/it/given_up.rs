//! Requests that are given up half way: whatever they had begun, those who come after find the connections clean.

use std::{future::Future, pin::pin};

use futures_util::future::{join_all, poll_immediate};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

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
        join_all((0..8).map(|_| given_up(turns, world.store.snapshot()))).await;
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
