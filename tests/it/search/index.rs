//! The index is in step: after every kind of write it is what reading everything again makes of it.

use cx_blueprint::{access::Caller, index};
use entity::search_text;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryOrder, Statement};
use serde_json::json;

use super::{found, notes};
use crate::{
    generated::{generate::generate, size::OrganisationSize},
    ids::Ids,
    refusals,
    world::World,
};

/// Everything that can be found: its kind and its table.
const TABLES: &[(&str, &str)] = &[
    ("BLUEPRINT", "blueprint"),
    ("PHASE", "phase"),
    ("TOUCHPOINT", "touchpoint"),
    ("SCENARIO", "scenario"),
    ("INSIGHT", "insight"),
    ("SOURCE", "source"),
    ("PROMISE", "promise"),
    ("IMPROVEMENT", "improvement"),
    ("PERSONA", "persona"),
    ("DEPARTMENT", "department"),
    ("KPI", "kpi"),
];

type Rows = Vec<search_text::Model>;

async fn rows(db: &impl ConnectionTrait) -> Rows {
    let rows = search_text::Entity::find()
        .order_by_asc(search_text::Column::Kind)
        .order_by_asc(search_text::Column::Id);
    let rows = rows.all(db).await.expect("rows");
    rows.into_iter()
        .map(|row| search_text::Model { number: 0, ..row })
        .collect()
}

async fn does(db: &impl ConnectionTrait, sql: &str) {
    db.execute_unprepared(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The index, which has to be what it would be if everything were read again.
async fn in_step(world: &World, after: &str) -> Rows {
    let kept = rows(&world.db()).await;
    let tx = world.store.begin().await.expect("a transaction");
    let marks = entity::search_stale::Entity::find()
        .all(&tx)
        .await
        .expect("marks");
    assert!(marks.is_empty(), "{after} left marks: {marks:?}");
    if world.store.backend() == DbBackend::Sqlite {
        does(
            &tx,
            "INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)",
        )
        .await;
    }
    does(&tx, "DELETE FROM search_text").await;
    for (kind, table) in TABLES {
        does(
            &tx,
            &format!("INSERT INTO search_stale (kind, id) SELECT '{kind}', id FROM {table}"),
        )
        .await;
    }
    index::reindex_stale_rows(&tx).await.expect("it is renewed");
    assert_eq!(kept, rows(&tx).await, "after {after}");
    tx.rollback().await.expect("it is rolled back");
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_leaves_the_index_in_step() {
    let mutations = refusals::mutations();
    let small = World::small().await;
    let ids = refusals::ids(&small).await;
    in_step(&small, "loading").await;
    let (mut done, mut changed) = (0, 0);
    for case in refusals::cases() {
        let world = refusals::prepared(&case, &mutations, &ids, &mut None).await;
        let before = rows(&world.db()).await;
        for actor in ["cx-manager", "admin", "lead"] {
            let input = refusals::filled(&case.input, &ids);
            if refusals::outcome(
                &world,
                actor,
                case.mutation,
                &mutations[case.mutation],
                input,
            )
            .await
                == "done"
            {
                let after = in_step(&world, case.mutation).await;
                done += 1;
                changed += usize::from(after != before);
                break;
            }
        }
    }
    assert!(
        done >= 70 && changed >= 22,
        "{done} were done, {changed} of them changed what is found"
    );
}

#[tokio::test]
async fn cascades_needs_and_whole_organisations_leave_it_in_step() {
    let world = World::demo().await;
    assert!(in_step(&world, "loading the demo").await.len() > 100);

    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    notes(&cx, "touchpointId", &ids["D1"], &["goes with the draft"]).await;
    let with_draft = in_step(&world, "a note in a draft").await.len();
    let delete = "mutation($input: AtVersionInput!) { blueprintDelete(input: $input) { userErrors { code } } }";
    cx.does(delete, json!({ "id": ids["draft"], "expectedVersion": 1 }))
        .await;
    // The blueprint, its phase, its touchpoint and the note.
    assert_eq!(
        in_step(&world, "deleting a draft").await.len(),
        with_draft - 4
    );
    assert!(found(&cx, "draft").await.is_empty());

    let persona = "mutation($input: PersonaCreateInput!) { personaCreate(input: $input) { persona { id needs { id text } } userErrors { code } } }";
    let made = cx
        .does(
            persona,
            json!({ "name": "Rider", "needs": [{ "text": "seat" }, { "text": "shelter" }] }),
        )
        .await;
    let (id, needs) = (&made["persona"]["id"], &made["persona"]["needs"]);
    let update = "mutation($input: PersonaUpdateInput!) { personaUpdate(input: $input) { userErrors { code } } }";
    let change = json!([{ "id": needs[1]["id"], "text": "warmth" }, { "id": needs[0]["id"], "text": "seat" }]);
    cx.does(
        update,
        json!({ "id": id, "expectedVersion": 1, "needs": change }),
    )
    .await;
    in_step(&world, "changing needs").await;
    assert_eq!(found(&cx, "warm seat").await, ["Rider"]);
    assert!(found(&cx, "shelter").await.is_empty());
    cx.does(
        update,
        json!({ "id": id, "expectedVersion": 2, "needs": [] }),
    )
    .await;
    in_step(&world, "taking needs away").await;
    assert!(found(&cx, "seat").await.is_empty());

    let world = World::new().await;
    let size = OrganisationSize {
        blueprints: 2,
        touchpoints: 120,
        departments: 12,
        responsibilities: 1,
        kpis: 20,
        links: 1,
        days: 1,
        seed: 7,
        ..size()
    };
    let caller = Caller::operator(world.store.clone(), world.clock.clone(), "generate");
    generate(&caller, &size, "no password fits")
        .await
        .expect("it is generated");
    assert!(in_step(&world, "generating").await.len() > 280);
}

fn size() -> OrganisationSize {
    OrganisationSize {
        blueprints: 1,
        touchpoints: 1,
        departments: 1,
        responsibilities: 0,
        kpis: 1,
        links: 0,
        days: 1,
        until: chrono::NaiveDate::from_ymd_opt(2026, 6, 30).expect("a day"),
        seed: 1,
    }
}

#[tokio::test]
async fn what_was_there_before_the_migration_is_found_after_it() {
    let world = World::small().await;
    let db = world.db();
    let expected = rows(&db).await;
    // Back to where the step had not been taken.
    let (watched, undo) = match world.store.backend() {
        DbBackend::Postgres => (
            "SELECT proname::text FROM pg_proc WHERE proname LIKE 'search\\_%'",
            "DROP FUNCTION {} CASCADE",
        ),
        _ => (
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'search\\_marks\\_%' ESCAPE '\\'",
            "DROP TRIGGER {}",
        ),
    };
    let names = db
        .query_all_raw(Statement::from_string(world.store.backend(), watched))
        .await
        .expect("names");
    assert!(names.len() >= 10);
    for name in names {
        let name: String = name.try_get_by_index(0).expect("a name");
        does(&db, &undo.replace("{}", &name)).await;
    }
    if world.store.backend() == DbBackend::Sqlite {
        does(&db, "DROP TABLE search_index").await;
    }
    does(&db, "DROP TABLE search_text; DROP TABLE search_stale; DELETE FROM seaql_migrations WHERE version LIKE '%search'").await;

    migration::apply_pending_steps(&db)
        .await
        .expect("it migrates");
    let tx = world.store.begin().await.expect("a transaction");
    index::reindex_stale_rows(&tx).await.expect("it is renewed");
    tx.commit().await.expect("it is committed");
    assert_eq!(in_step(&world, "migrating").await, expected);
    assert!(!expected.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_write_at_once_leave_it_in_step() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let (cx, ids) = (&cx, &ids);
    let writers = (0..8).map(|number| async move {
        let (place, key) = [("open", "T1"), ("draft", "D1"), ("closed", "C1"), ("open", "T2")][number % 4];
        let text = format!("writer {number}");
        notes(cx, "blueprintId", &ids[place], &[&text, &text]).await;
        let document = "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) { userErrors { code } } }";
        let input = json!({ "id": ids[key], "expectedVersion": 1, "note": text });
        cx.tries(document, input).await;
    });
    futures_util::future::join_all(writers).await;
    in_step(&world, "many writers").await;
    // Sixteen notes, and of the two who write to each touchpoint one.
    assert_eq!(found(cx, "writer").await.len(), 20);
}

#[tokio::test]
async fn what_is_written_past_the_program_is_found_with_the_next_change() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    does(
        &world.db(),
        "UPDATE touchpoint SET name = 'Smuggled in' WHERE key = 'T1'",
    )
    .await;
    assert!(found(&cx, "smuggled").await.is_empty());
    notes(&cx, "blueprintId", &ids["open"], &["anything"]).await;
    assert_eq!(found(&cx, "smuggled").await, ["Smuggled in"]);
    in_step(&world, "a change past the program").await;
}

#[tokio::test]
async fn the_full_text_index_of_either_database_is_what_answers() {
    let world = World::new().await;
    let size = OrganisationSize {
        blueprints: 10,
        touchpoints: 200,
        departments: 6,
        kpis: 4,
        ..size()
    };
    let caller = Caller::operator(world.store.clone(), world.clock.clone(), "generate");
    generate(&caller, &size, "no password fits")
        .await
        .expect("it is generated");
    let db = world.db();
    let (explain, index) = match world.store.backend() {
        DbBackend::Postgres => {
            does(&db, "ANALYZE search_text").await;
            (
                "EXPLAIN SELECT id FROM search_text WHERE search_vector(words) @@ CAST('''invo'':*' AS tsquery)",
                "search_text_words",
            )
        }
        _ => (
            "EXPLAIN QUERY PLAN SELECT id FROM search_text WHERE number IN (SELECT rowid FROM search_index WHERE search_index MATCH '\"invo\"*')",
            "search_index VIRTUAL TABLE INDEX",
        ),
    };
    let plan = db
        .query_all_raw(Statement::from_string(world.store.backend(), explain))
        .await
        .expect("a plan");
    let column = if world.store.backend() == DbBackend::Postgres {
        0
    } else {
        3
    };
    let plan: Vec<String> = plan
        .iter()
        .map(|row| row.try_get_by_index(column).expect("a line"))
        .collect();
    assert!(plan.iter().any(|line| line.contains(index)), "{plan:#?}");
}
