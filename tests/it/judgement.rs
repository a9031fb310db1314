//! The twins of the law for KPIs agree on both databases: whatever value, target and warning level, Rust and SQL give
//! the same state.

use std::collections::BTreeSet;

use cx_blueprint::judgement::{state, state_sql};
use entity::words::{Direction, KpiState};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sea_orm::{ConnectionTrait, Statement};

use crate::world::World;

/// Few different levels, so that a value often lies exactly on one.
fn level() -> impl Strategy<Value = f64> {
    (-3i32..=3).prop_map(|number| f64::from(number) / 2.0)
}

/// A direction, a value, and a target with a warning level or without.
fn case() -> impl Strategy<Value = (Direction, f64, Option<f64>, Option<f64>)> {
    let direction = prop_oneof![Just(Direction::Higher), Just(Direction::Lower)];
    let optional = || proptest::option::of(level());
    (direction, level(), optional(), optional())
}

fn sql(number: Option<f64>) -> String {
    number.map_or_else(
        || "CAST(NULL AS double precision)".to_owned(),
        |number| format!("CAST({number} AS double precision)"),
    )
}

#[tokio::test]
async fn sql_gives_the_state_that_rust_gives() {
    let world = World::new().await;
    let tx = world.store.snapshot().await.expect("it begins");
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..500 {
        let tree = case().new_tree(&mut runner).expect("a case");
        let (direction, value, target, warning) = tree.current();
        let select = format!(
            "SELECT {} AS state FROM (SELECT '{}' AS direction) kpi \
             CROSS JOIN (SELECT {} AS value, {} AS warning) target",
            state_sql("kpi", &sql(Some(value)), "target"),
            direction.as_str(),
            sql(target),
            sql(warning),
        );
        let statement = Statement::from_string(world.store.backend(), select);
        let row = tx.query_one_raw(statement).await.expect("a row");
        let by_sql: String = row.expect("a row").try_get("", "state").expect("a state");
        let by_rust = state(
            direction,
            Some(value),
            target.map(|target| (target, warning)),
        );
        assert_eq!(
            by_sql,
            by_rust.as_str(),
            "{direction:?} {value} {target:?} {warning:?}"
        );
        met.insert(by_rust.as_str());
    }
    let all = [
        KpiState::Met,
        KpiState::AtRisk,
        KpiState::Missed,
        KpiState::NoTarget,
    ];
    assert!(
        all.iter().all(|state| met.contains(state.as_str())),
        "every state came up: {met:?}"
    );
}
