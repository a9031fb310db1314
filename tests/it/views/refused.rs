//! What a login is refused: everything but reading the views; and what whoever makes logins is refused.

use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use super::{Role, bi, make, renew};
use crate::{
    cli::{complaint, run, sqlite},
    department::MOVE,
    facts::RECORD,
    ids::Ids,
    world::{World, connect_as, on_postgres},
};

#[tokio::test]
async fn a_login_reads_the_views_and_nothing_else() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    let tables = "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' \
        AND c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p') \
        AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE') \
            ELSE has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') \
                OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE') END ORDER BY 1";
    let mut reached: Vec<String> = Vec::new();
    for row in role.query(tables).await.expect("the catalogue is read") {
        reached.push(row.try_get("", "name").expect("a name"));
    }
    let mut views: Vec<&str> = super::viewed().map(|dataset| dataset.name).collect();
    views.sort_unstable();
    assert_eq!(reached, views);
    // Nothing besides is listed, to be refused when it is asked.
    let listed = "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'bi'::regnamespace ORDER BY 1";
    let mut there: Vec<String> = Vec::new();
    for row in role.query(listed).await.expect("the catalogue is read") {
        there.push(row.try_get("", "name").expect("a name"));
    }
    assert_eq!(there, views);
    // It may lift what only helps against mistakes; what it may not stays.
    let lifted = "SET default_transaction_read_only = off; SET statement_timeout = 0";
    role.db.execute_unprepared(lifted).await.expect("it runs");
    for sql in [
        "SELECT * FROM public.account",
        "SELECT * FROM public.measurement",
        "SELECT * FROM public.bi_reach",
        "SELECT * FROM public.bi_login",
        "SELECT * FROM public.bi_signature",
        "UPDATE bi.kpis SET kpi_name = 'x'",
        "DELETE FROM bi.dates",
        "INSERT INTO public.bi_reach VALUES ('x', 1, 'PULL_FLAT_ROWS', true, NULL, NULL, NULL)",
        "UPDATE public.bi_login SET signature = NULL",
        "CREATE TABLE bi.mine (one integer)",
        "CREATE TABLE public.mine (one integer)",
        "CREATE TEMPORARY TABLE mine (one integer)",
        "CREATE FUNCTION pg_temp.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SELECT lo_from_bytea(0, 'mine')",
        "ALTER VIEW bi.kpis OWNER TO CURRENT_USER",
        "COMMENT ON VIEW bi.kpis IS 'mine'",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "COPY bi.kpis TO '/tmp/mine'",
        "SELECT pg_read_file('/etc/hostname')",
    ] {
        let said = role.refused(sql).await;
        let refused = ["permission denied", "must be", "cannot", "not updatable"];
        assert!(
            refused.iter().any(|word| said.contains(word)),
            "{sql}: {said}"
        );
    }
}

#[tokio::test]
async fn by_itself_a_login_writes_nothing_and_does_not_take_for_ever() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    let mut told = Vec::new();
    for setting in [
        "default_transaction_read_only",
        "statement_timeout",
        "search_path",
    ] {
        let rows = role
            .query(&format!("SHOW {setting}"))
            .await
            .expect("a setting");
        told.push(rows[0].try_get_by_index::<String>(0).expect("a text"));
    }
    assert_eq!(told, ["on", "1min", "bi"]);
    assert!(
        role.count("kpis").await > 0,
        "views are found by their names"
    );
}

/// Somebody lets logins make functions after all: a function of theirs sees no row that is not theirs.
#[tokio::test]
async fn a_function_of_a_login_sees_no_row_of_others() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "lead").await;
    let allowed = format!(
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO {}', current_database()); END $$",
        role.name
    );
    world
        .db()
        .execute_unprepared(&allowed)
        .await
        .expect("it runs");
    let lifted = "SET default_transaction_read_only = off";
    role.db.execute_unprepared(lifted).await.expect("it runs");
    let peeks = "CREATE TABLE pg_temp.peeked (told text); \
        CREATE FUNCTION pg_temp.peek(told text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS \
        $$ BEGIN INSERT INTO pg_temp.peeked VALUES (told); RETURN true; END $$";
    role.db.execute_unprepared(peeks).await.expect("it runs");
    for (view, column) in [
        ("kpi_measurements", "measurement_id"),
        ("blueprints", "title"),
        ("responsibilities", "department_key"),
        ("kpi_facts", "kpi_key"),
    ] {
        let seen = role.count(&format!("bi.{view}")).await;
        let query = format!("SELECT * FROM bi.{view} WHERE pg_temp.peek({column})");
        role.query(&query).await.expect("the view is read");
        let peeked = role.count("pg_temp.peeked").await;
        assert_eq!(peeked, seen, "{view}");
        let again = "TRUNCATE pg_temp.peeked";
        role.db.execute_unprepared(again).await.expect("it runs");
    }
}

#[tokio::test]
async fn nobody_but_a_login_of_ours_sees_a_row() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    // The owner sees nothing either, and whoever acts as the login is not the login.
    let own = format!("SET ROLE {}; SELECT 1", role.name);
    let db = world.db();
    db.execute_unprepared(&own).await.expect("it runs");
    let counted = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Postgres,
        "SELECT count(*) FROM bi.kpis",
    );
    let row = db.query_one_raw(counted).await.expect("it is counted");
    let count: i64 = row.expect("a row").try_get_by_index(0).expect("a number");
    assert_eq!(count, 0);
}

#[tokio::test]
async fn roles_are_listed_dropped_and_audited() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    let listed = bi(&world, &["role", "list"], "");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let beginning = format!("{}\tanalyst\tmade ", role.name);
    assert!(listed.starts_with(&beginning), "{listed}");
    let dropped = bi(&world, &["role", "drop", &role.name], "");
    assert!(dropped.status.success(), "{dropped:?}");
    assert!(
        connect_as(&world.url(), &role.name).await.is_err(),
        "it is gone"
    );
    assert_eq!(bi(&world, &["role", "list"], "").stdout, b"");
    assert_eq!(renew(&world).await, 0);
    let events = entity::audit_event::Entity::find();
    let events = events.all(&world.db()).await.expect("events");
    let acts: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event.action.starts_with("biRole"))
        .map(|event| (event.action.as_str(), event.actor_kind.as_str()))
        .collect();
    assert_eq!(
        acts,
        [("biRoleCreate", "OPERATOR"), ("biRoleDrop", "OPERATOR")]
    );
    let told = events.iter().filter_map(|event| event.after.as_ref());
    assert!(
        !told
            .map(ToString::to_string)
            .any(|told| told.contains("SCRAM"))
    );
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_with_a_sentence() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    let create = |name: &str, account: &str, input: &str| {
        complaint(&bi(
            &world,
            &["role", "create", name, "--account", account],
            input,
        ))
    };
    let password = "a long password of the tool\n";
    for (said, sentence) in [
        (
            create("pg_mine", "analyst", password),
            "begins with a letter and not with pg_",
        ),
        (
            create("Mine\"; DROP ROLE postgres; --", "analyst", password),
            "small letters, digits and underscores",
        ),
        (create(&role.name, "analyst", password), "has a role"),
        (
            create("postgres", "analyst", password),
            "has a role \"postgres\" already",
        ),
        (
            create("mine", "nobody", password),
            "There is no account with the key nobody.",
        ),
        (
            create("mine", "analyst", "short\n"),
            "has 12 to 200 letters",
        ),
        (
            complaint(&bi(&world, &["role", "drop", "postgres"], "")),
            "There is no BI role \"postgres\".",
        ),
    ] {
        assert!(said.contains(sentence), "{said}");
    }
    // Who owns nothing here may make nothing.
    let name = format!("bi_{}", cx_blueprint::id::new_hex());
    let theirs = world
        .url()
        .replace("//postgres@", &format!("//{}@", role.name));
    let allowed = format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {0}; \
        ALTER ROLE {0} RESET ALL",
        role.name
    );
    world
        .db()
        .execute_unprepared(&allowed)
        .await
        .expect("it runs");
    let said = complaint(&run(&[
        "bi",
        "role",
        "create",
        &name,
        "--account",
        "analyst",
        "--database-url",
        &theirs,
    ]));
    assert!(
        said.contains("who has CREATEROLE, or by a superuser"),
        "{said}"
    );
    assert!(!make(&world, &role.name, "analyst").status.success());
}

#[test]
fn on_sqlite_it_is_said_that_postgresql_is_needed() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    for verb in [
        &["role", "create", "mine", "--account", "me"][..],
        &["role", "list"],
        &["role", "drop", "mine"],
        &["refresh"],
    ] {
        let said = complaint(&run(&[&["bi"], verb, &["--database-url", &url]].concat()));
        assert!(
            said.contains("need PostgreSQL; on SQLite the same rows come from /bi/v1"),
            "{said}"
        );
    }
    let said = complaint(&run(&[
        "bi",
        "role",
        "create",
        "mine",
        "--account",
        "me",
        "--statement-timeout",
        "soon",
    ]));
    assert!(said.contains("500ms, 60s or 5min"), "{said}");
}

/// The planner's guess, before anybody is asked what they may see.
async fn guessed(role: &Role<'_>, sql: &str) -> Vec<String> {
    let rows = role.query(&format!("EXPLAIN {sql}")).await.expect("a plan");
    rows.iter()
        .map(|row| row.try_get_by_index(0).expect("a line"))
        .collect()
}

#[tokio::test]
async fn no_guess_of_the_planner_tells_values_that_a_login_may_not_see() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let first = chrono::NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day");
    for batch in 0..3 {
        let measurements: Vec<Value> = (0..1_000)
            .map(|at| {
                let day = first + chrono::Duration::days(batch * 1_000 + at);
                json!({ "kpiId": ids["SECRET"], "measuredOn": day, "value": 57.25, "sampleSize": 33 })
            })
            .collect();
        cx.does(RECORD, json!({ "measurements": measurements }))
            .await;
    }
    let role = Role::of(&world, "analyst").await;
    world
        .db()
        .execute_unprepared("ANALYZE")
        .await
        .expect("it is counted up");
    for column in ["value", "sample_size"] {
        for comparison in ["=", ">", "<"] {
            let of = |value: f64| {
                format!("SELECT * FROM bi.kpi_measurements WHERE {column} {comparison} {value}")
            };
            let rows = async |value: f64| {
                let plan = guessed(&role, &of(value)).await.join(" ");
                let rows = plan
                    .split_whitespace()
                    .filter(|word| word.starts_with("rows="));
                rows.map(str::to_owned).collect::<Vec<_>>()
            };
            // One that there is three thousand times, and ones that there never were.
            let (common, others) = match column {
                "value" => (57.25, [11.5, 99.5]),
                _ => (33.0, [11.0, 99.0]),
            };
            let common = rows(common).await;
            for other in others {
                assert_eq!(rows(other).await, common, "{column} {comparison} {other}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_login_locks_keeps_nobody_waiting() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let (admin, ids) = (world.sign_in("admin").await, Ids::of(&world).await);
    let role = Role::of(&world, "analyst").await;
    role.query(
        "SELECT pg_advisory_lock(73281946102), pg_advisory_lock(hashtext('cx-blueprint views'))",
    )
    .await
    .expect("it locks what it likes");
    let said = role
        .refused("SELECT * FROM public.fixed_row FOR UPDATE")
        .await;
    assert!(
        said.contains("permission denied") || said.contains("read-only"),
        "{said}"
    );
    let department = admin
        .ask(
            "{ department(by: { key: \"courier\" }) { version } }",
            Value::Null,
        )
        .await;
    let version = &department["department"]["version"];
    let input =
        json!({ "id": ids["courier"], "expectedVersion": version, "parentId": ids["board"] });
    admin.does(MOVE, input).await;
    assert!(
        run(&["migrate", "up", "--database-url", &world.url()])
            .status
            .success()
    );
}
