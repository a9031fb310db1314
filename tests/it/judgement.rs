//! The twins of the law for KPIs agree on both databases: whatever value, target and warning level, SQL gives the state
//! that Rust gives.

use cx_blueprint::{
    judgement::{judge_state, state_sql},
    statement::SqlBuilder,
};
use entity::words::Direction;
use sea_orm::ConnectionTrait;

use crate::world::World;

#[tokio::test]
async fn a_state_in_sql_is_the_state_of_the_rules() {
    let world = World::new().await;
    let levels = [
        None,
        Some(-1.0),
        Some(-0.5),
        Some(0.0),
        Some(0.1),
        Some(1e300),
    ];
    let (mut given, mut expected) = (Vec::new(), Vec::new());
    for direction in Direction::ALL {
        for value in levels.into_iter().flatten() {
            for target in levels {
                for warning in levels {
                    let at = i32::try_from(given.len()).expect("a few");
                    given.push([
                        at.into(),
                        direction.as_str().into(),
                        value.into(),
                        target.into(),
                        warning.into(),
                    ]);
                    let target = target.map(|target| (target, warning));
                    expected.push(
                        judge_state(*direction, Some(value), target)
                            .as_str()
                            .to_owned(),
                    );
                }
            }
        }
    }
    let state = state_sql("given", "given.measured", "given");
    let text = SqlBuilder::new(
        world.db().get_database_backend(),
        "WITH given (at, direction, measured, value, warning) AS (",
    )
    .values_rows(given)
    .then(&format!(") SELECT {state} AS state FROM given ORDER BY at"));
    let rows = world
        .db()
        .query_all_raw(text.statement())
        .await
        .expect("states");
    let states: Vec<String> = rows
        .iter()
        .map(|row| row.try_get("", "state").expect("a state"))
        .collect();
    assert_eq!(states, expected);
}
