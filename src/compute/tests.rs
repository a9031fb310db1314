//! The pool and the budget: turns, shares, and what ends work.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use entity::id::AccountId;
use uuid::Uuid;

use super::{pool::ComputePool, *};
use crate::error::Code;

fn account(number: u128) -> Option<AccountId> {
    Some(Uuid::from_u128(number).into())
}

/// Holds the only thread until told to go on.
fn blocked(pool: &ComputePool) -> mpsc::Sender<()> {
    let (go, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let job = Box::new(move || {
        begun.send(()).ok();
        wait.recv().ok();
    });
    pool.submit(account(0), job).unwrap();
    has_begun.recv().unwrap();
    go
}

#[test]
fn accounts_take_turns_however_much_one_has_waiting() {
    let pool = ComputePool::start(1);
    let go = blocked(&pool);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (done, all_done) = mpsc::channel();
    for (owner, name) in [(1, "a"), (1, "a"), (1, "a"), (2, "b")] {
        let (order, done) = (Arc::clone(&order), done.clone());
        let job = Box::new(move || {
            order.lock().unwrap().push(name);
            done.send(()).ok();
        });
        pool.submit(account(owner), job).unwrap();
    }
    go.send(()).unwrap();
    for _ in 0..4 {
        all_done.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["a", "b", "a", "a"]);
}

#[test]
fn one_account_fills_its_share_and_leaves_the_rest_to_others() {
    let pool = ComputePool::start(1);
    let go = blocked(&pool);
    let mut taken = 0;
    while pool.submit(account(1), Box::new(|| ())).is_ok() {
        taken += 1;
        assert!(taken < 1_000, "the share has no end");
    }
    assert!(pool.submit(account(2), Box::new(|| ())).is_ok());
    let full = (3..20).any(|owner| {
        (0..100).any(|_| pool.submit(account(owner), Box::new(|| ())).is_err())
            && pool
                .submit(account(1_000 + owner), Box::new(|| ()))
                .is_err()
    });
    assert!(full, "the queue has no end");
    let refused = pool.submit(account(99), Box::new(|| ())).unwrap_err();
    assert_eq!(refused.code(), Code::ServiceUnavailable);
    go.send(()).unwrap();
}

#[tokio::test]
async fn work_stops_when_its_budget_is_spent() {
    let pool = ComputePool::start(1);
    let budget = Arc::new(Budget::new(100, 100));
    let endless = run_on(&pool, &budget, None, |steps| -> Result<()> {
        loop {
            steps.spend(1)?;
        }
    });
    assert_eq!(endless.await.unwrap_err().code(), Code::QueryTooComplex);
    let next = run_on(&pool, &budget, None, |steps| steps.spend(1)).await;
    assert_eq!(
        next.unwrap_err().code(),
        Code::QueryTooComplex,
        "one budget for all that a request does"
    );
}

#[tokio::test]
async fn work_stops_when_nobody_waits_for_it() {
    let pool = ComputePool::start(1);
    let budget = Arc::new(Budget::unlimited());
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let endless = run_on(&pool, &budget, None, move |steps| -> Result<()> {
        begun.send(()).ok();
        loop {
            steps.spend(1)?;
        }
    });
    tokio::select! {
        _ = endless => unreachable!("it has no end"),
        _ = has_begun => {}
    }
    // The only thread is free again.
    run_on(&pool, &budget, None, |_| Ok(())).await.unwrap();
}

#[tokio::test]
async fn work_that_panics_is_a_fault_and_takes_no_thread_with_it() {
    let pool = ComputePool::start(1);
    let budget = Arc::default();
    let broken = run_on(&pool, &budget, None, |_| -> Result<()> {
        panic!("on purpose")
    });
    assert_eq!(broken.await.unwrap_err().code(), Code::InternalServerError);
    run_on(&pool, &budget, None, |_| Ok(())).await.unwrap();
}
