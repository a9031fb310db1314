//! The generated organisation: the same for the same options, all of it or nothing, and never over something else.

use chrono::NaiveDate;
use cx_blueprint::access::Caller;
use sea_orm::{ConnectionTrait, Statement};

use crate::{
    generated::{
        generate::{GenerateError, generate},
        size::OrganisationSize,
    },
    world::World,
};

fn size() -> OrganisationSize {
    OrganisationSize {
        blueprints: 2,
        touchpoints: 25,
        departments: 12,
        responsibilities: 3,
        kpis: 20,
        links: 2,
        days: 30,
        until: NaiveDate::from_ymd_opt(2026, 6, 30).expect("a day"),
        seed: 7,
    }
}

async fn generated(world: &World, size: &OrganisationSize) -> Result<usize, GenerateError> {
    let caller = Caller::operator(world.store.clone(), world.clock.clone(), "generate");
    let made = generate(&caller, size, "no password fits").await?;
    Ok(made.rows)
}

async fn count(world: &World, sql: &str) -> i64 {
    let statement = Statement::from_string(world.store.backend(), sql);
    let row = world
        .db()
        .query_one_raw(statement)
        .await
        .expect("the statement runs");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

/// Ids and texts of everything, as one text.
async fn content(world: &World) -> String {
    let mut content = String::new();
    for sql in [
        "SELECT name FROM department ORDER BY id",
        "SELECT note FROM touchpoint WHERE note IS NOT NULL ORDER BY id",
        "SELECT condition FROM transition WHERE condition IS NOT NULL ORDER BY id",
        "SELECT name FROM kpi ORDER BY id",
        "SELECT CAST(value AS TEXT) FROM measurement ORDER BY id",
    ] {
        let statement = Statement::from_string(world.store.backend(), sql);
        for row in world
            .db()
            .query_all_raw(statement)
            .await
            .expect("the statement runs")
        {
            let text: String = row.try_get_by_index(0).expect("a text");
            content += &text;
            content.push('\n');
        }
    }
    content
}

#[tokio::test]
async fn the_same_options_give_the_same_organisation() {
    let (first, second, other) = (World::new().await, World::new().await, World::new().await);
    let rows = generated(&first, &size()).await.expect("it is generated");
    assert_eq!(
        rows,
        generated(&second, &size()).await.expect("it is generated")
    );
    generated(&other, &OrganisationSize { seed: 8, ..size() })
        .await
        .expect("it is generated");
    let content_of_first = content(&first).await;
    assert!(content_of_first.contains('ø') && content_of_first.contains('"'));
    assert_eq!(content_of_first, content(&second).await);
    assert_ne!(content_of_first, content(&other).await);
}

#[tokio::test]
async fn every_touchpoint_has_one_accountable_and_somebody_responsible() {
    let world = World::new().await;
    generated(&world, &size()).await.expect("it is generated");
    assert_eq!(count(&world, "SELECT count(*) FROM touchpoint").await, 50);
    assert_eq!(
        count(&world, "SELECT count(*) FROM responsibility").await,
        150
    );
    assert_eq!(count(&world, "SELECT count(*) FROM kpi_link").await, 100);
    assert_eq!(count(&world, "SELECT count(*) FROM transition").await, 124);
    let wide = "SELECT count(*) FROM measurement WHERE touchpoint_id IS NULL";
    assert_eq!(count(&world, wide).await, 20 * 30);
    let holding = |role: &str| {
        format!(
            "SELECT count(DISTINCT touchpoint_id) FROM responsibility WHERE status = 'ACCEPTED' AND role = '{role}'"
        )
    };
    assert_eq!(count(&world, &holding("ACCOUNTABLE")).await, 50);
    assert_eq!(count(&world, &holding("RESPONSIBLE")).await, 50);
    assert_eq!(
        count(
            &world,
            "SELECT count(*) FROM blueprint WHERE status = 'PUBLISHED'"
        )
        .await,
        2
    );
}

#[tokio::test]
async fn nothing_is_generated_over_something_or_from_options_that_contradict_one_another() {
    let world = World::new().await;
    let impossible = generated(
        &world,
        &OrganisationSize {
            departments: 2,
            ..size()
        },
    )
    .await;
    assert!(matches!(impossible, Err(GenerateError::Options(_))));
    let impossible = generated(&world, &OrganisationSize { kpis: 1, ..size() }).await;
    assert!(matches!(impossible, Err(GenerateError::Options(_))));
    assert_eq!(count(&world, "SELECT count(*) FROM department").await, 0);
    generated(&world, &size()).await.expect("it is generated");
    assert!(matches!(
        generated(&world, &size()).await,
        Err(GenerateError::NotEmpty)
    ));
}
