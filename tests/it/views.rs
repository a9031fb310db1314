//! Views of PostgreSQL: a login gets row by row what its account gets of the feed, nothing where that is not known
//! any more, and nothing else of the database. On SQLite there are none.

mod refused;

use std::{
    fmt::Write,
    io::Write as _,
    process::{Output, Stdio},
};

use chrono::{DateTime, Utc};
use cx_blueprint::{
    access::Caller,
    bi::{
        catalogue,
        model::dataset::{ColumnType, Dataset},
        views::{self, login},
    },
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};
use serde_json::{Value, json};

use crate::{
    bi::prepare,
    cli::program,
    golden,
    ids::Ids,
    world::{ORGANISATION, World, connect_as, on_postgres},
};

/// A role of the cluster, dropped with the test.
struct Role<'w> {
    world: &'w World,
    name: String,
    account: String,
    db: DatabaseConnection,
}

impl<'w> Role<'w> {
    /// Made on the command line, as an operator makes it.
    async fn of(world: &'w World, account: &str) -> Self {
        let name = format!("bi_{}", cx_blueprint::id::new_hex());
        let made = make(world, &name, account);
        assert!(made.status.success(), "{made:?}");
        let db = connect_as(&world.url(), &name).await;
        Self {
            world,
            account: account.to_owned(),
            db: db.expect("the role signs in"),
            name,
        }
    }

    async fn query(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        self.db.query_all_raw(statement).await
    }

    /// What the database says to what it must refuse.
    async fn refused(&self, sql: &str) -> String {
        let refused = self.db.execute_unprepared(sql).await;
        refused.expect_err(sql).to_string()
    }

    async fn count(&self, what: &str) -> i64 {
        let rows = self.query(&format!("SELECT count(*) FROM {what}")).await;
        let rows = rows.expect("it is counted");
        rows[0].try_get_by_index(0).expect("a number")
    }

    /// How many rows it sees of all views together.
    async fn sees(&self) -> i64 {
        let mut all = 0;
        for dataset in viewed() {
            all += self.count(&format!("bi.{}", dataset.name)).await;
        }
        all
    }

    /// Holds every view to be refused, with what to do.
    async fn is_looked_at_anew(&self) {
        for dataset in viewed() {
            let sql = format!("SELECT COUNT(*) FROM bi.{}", dataset.name);
            let told = self.query(&sql).await.expect_err("it is refused");
            let told = told.to_string();
            assert!(told.contains("are being looked at anew"), "{told}");
        }
    }

    /// The rows of a view.
    async fn rows(&self, dataset: &Dataset) -> Vec<Value> {
        let sql = format!(
            "SELECT CAST(row_to_json(seen) AS text) FROM bi.{} seen",
            dataset.name
        );
        let rows = self.query(&sql).await.expect("the view is read");
        let text = |row: &QueryResult| row.try_get_by_index::<String>(0).expect("a row");
        let rows = rows.iter().map(text);
        rows.map(|row| serde_json::from_str(&row).expect("JSON"))
            .collect()
    }

    /// Holds every view to the feed that its account gets.
    async fn sees_what_its_account_is_fed(&self) -> Vec<usize> {
        let actor = self.world.sign_in(&self.account).await;
        let mut counted = Vec::new();
        for dataset in viewed() {
            let seen = self.rows(dataset).await;
            let mut path = format!("/bi/v1/{}.ndjson", dataset.name);
            if dataset.needs_days {
                let today = self.world.clock.day_of_moment(self.world.clock.now());
                let end = today.succ_opt().expect("a tomorrow");
                let first = dataset.day.expect("a day");
                let first = seen.iter().filter_map(|row| row[first].as_str()).min();
                let first = first.unwrap_or("2025-01-01");
                write!(path, "?from={first}&to={end}").expect("it is written");
            }
            let fed = actor.lines(&path).await;
            counted.push(seen.len());
            let what = format!("{} reads {}", self.account, dataset.name);
            assert_eq!(sorted(dataset, &seen), sorted(dataset, &fed), "{what}");
        }
        counted
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let (url, name) = (self.world.url(), self.name.clone());
        // A drop cannot wait for the database: a thread with a runtime of its own can.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let db = connect_as(&url, "postgres").await.expect("it connects");
                // It may be dropped already, by what is tested.
                let gone = format!("DROP OWNED BY {name}; DROP ROLE {name}");
                db.execute_unprepared(&gone).await.ok();
            });
        });
        dropped.join().expect("the role is dropped");
    }
}

fn viewed() -> impl Iterator<Item = &'static Dataset> {
    let all = catalogue::ALL.iter().copied();
    all.filter(|dataset| dataset.source.sql_fragments().is_some())
}

fn bi(world: &World, arguments: &[&str], input: &str) -> Output {
    bi_at(&world.url(), arguments, input)
}

fn bi_at(url: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = program()
        .arg("bi")
        .args(arguments)
        .args(["--database-url", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    // What refuses at once reads nothing.
    stdin.write_all(input.as_bytes()).ok();
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn make(world: &World, name: &str, account: &str) -> Output {
    let arguments = ["role", "create", name, "--account", account];
    bi(world, &arguments, "a long password of the tool\n")
}

/// Rows as texts by the types of their columns, in an order of their own.
fn sorted(dataset: &Dataset, rows: &[Value]) -> Vec<String> {
    let cell = |of: ColumnType, cell: &Value| match (of, cell) {
        (_, Value::Null) => "-".to_owned(),
        (ColumnType::Instant, Value::String(at)) => {
            let at: DateTime<Utc> = at.parse().expect("an instant");
            at.to_rfc3339()
        }
        (ColumnType::Number, Value::Number(number)) => format!("{:?}", number.as_f64()),
        (_, other) => other.to_string(),
    };
    let row = |row: &Value| {
        let fields = row.as_object().expect("a row");
        assert_eq!(fields.len(), dataset.columns.len(), "{row}");
        let cells = dataset.columns.iter();
        let cells = cells.map(|column| cell(column.of, &fields[column.name]));
        cells.collect::<Vec<_>>().join(" | ")
    };
    let mut rows: Vec<String> = rows.iter().map(row).collect();
    rows.sort();
    rows
}

fn operator(world: &World) -> Caller {
    Caller::operator(world.store.clone(), world.clock.clone(), "biRefresh")
}

/// What the server does in the background.
async fn renew(world: &World) -> usize {
    login::renew_stale_reaches(&operator(world))
        .await
        .expect("it is renewed")
}

#[tokio::test]
async fn everybody_sees_row_by_row_what_they_are_fed() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    prepare(&world).await;
    crate::bi::answer(&world).await;
    crate::bi::describe(&world).await;
    let accounts = [
        "lead",
        "neighbour",
        "treasurer",
        "chair",
        "partner",
        "analyst",
        "auditor",
        "cx-manager",
    ];
    let mut columns = Vec::new();
    for account in accounts {
        let role = Role::of(&world, account).await;
        columns.push(role.sees_what_its_account_is_fed().await);
        let uncounted =
            "bi.blueprints WHERE blueprint_state = 'FUTURE' OR status IN ('DRAFT', 'IN_REVIEW')";
        assert_eq!(role.count(uncounted).await, 0, "{account}");
        let uncounted = "bi.kpi_facts WHERE blueprint_key IN ('draft', 'future')";
        assert_eq!(role.count(uncounted).await, 0, "{account}");
        let secret = role
            .count("bi.kpi_measurements WHERE kpi_key = 'SECRET'")
            .await;
        let may = ["neighbour", "chair", "auditor", "cx-manager"].contains(&account);
        assert_eq!(secret > 0, may, "{account} and the confidential KPI");
    }
    let mut table = format!("{:<18}", "rows");
    for account in accounts {
        write!(table, " {account:>11}").expect("it is written");
    }
    for (at, dataset) in viewed().enumerate() {
        // The calendar goes on with every day.
        if dataset.name == "dates" {
            continue;
        }
        write!(table, "\n{:<18}", dataset.name).expect("it is written");
        for column in &columns {
            write!(table, " {:>11}", column[at]).expect("it is written");
        }
    }
    golden::compare("tests/it/views.txt", &(table + "\n"));
    for account in ["stranger", "viewer", "admin"] {
        let role = Role::of(&world, account).await;
        assert_eq!(role.sees().await, 0, "{account} may not pull");
    }
}

const GRANT: &str = "mutation($input: KpiGrantCreateInput!) { kpiGrantCreate(input: $input) { userErrors { message } } }";
const MEMBER: &str = "mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) { userErrors { message } } }";
const REVOKE: &str = "mutation($input: MembershipRevokeInput!) { membershipRevoke(input: $input) { userErrors { message } } }";
const MOVE: &str = "mutation($input: DepartmentMoveInput!) { departmentMove(input: $input) { userErrors { message } } }";
const DEACTIVATE: &str = "mutation($input: AtVersionInput!) { accountDeactivate(input: $input) { userErrors { message } } }";
const REACTIVATE: &str = "mutation($input: AtVersionInput!) { accountReactivate(input: $input) { userErrors { message } } }";

#[tokio::test]
async fn whose_standing_has_changed_is_refused_until_it_is_looked_at_anew() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    prepare(&world).await;
    let ids = Ids::of(&world).await;
    let admin = world.sign_in("admin").await;
    let cx = world.sign_in("cx-manager").await;
    let (lead, analyst) = (
        Role::of(&world, "lead").await,
        Role::of(&world, "analyst").await,
    );
    assert_eq!(renew(&world).await, 0, "nothing has changed yet");

    // What was granted by name is looked up where it is kept.
    let grant = json!({ "kpiId": ids["SECRET"], "accountId": ids["analyst"] });
    cx.does(GRANT, grant).await;
    assert!(analyst.count("bi.kpi_facts WHERE kpi_key = 'SECRET'").await > 0);
    analyst.sees_what_its_account_is_fed().await;

    let sales_north =
        json!({ "id": ids["sales-north"], "expectedVersion": 1, "parentId": ids["service"] });
    admin.does(MOVE, sales_north).await;
    lead.is_looked_at_anew().await;
    analyst.is_looked_at_anew().await;
    assert_eq!(renew(&world).await, 2);
    lead.sees_what_its_account_is_fed().await;
    analyst.sees_what_its_account_is_fed().await;

    // A lead here and a contributor there, who may read what that department keeps to itself.
    let more =
        json!({ "accountId": ids["lead"], "departmentId": ids["service"], "role": "CONTRIBUTOR" });
    admin.does(MEMBER, more).await;
    // More is no less of a change.
    lead.is_looked_at_anew().await;
    assert_eq!(renew(&world).await, 1);
    assert!(
        lead.count("bi.kpi_measurements WHERE kpi_key = 'SECRET'")
            .await
            > 0
    );
    lead.sees_what_its_account_is_fed().await;

    let membership = admin
        .ask(
            "query($id: ID!) { account(by: { id: $id }) { memberships { nodes { id } } } }",
            json!({ "id": ids["lead"] }),
        )
        .await;
    let memberships = membership["account"]["memberships"]["nodes"].as_array();
    for membership in memberships.expect("memberships") {
        admin.does(REVOKE, json!({ "id": membership["id"] })).await;
    }
    // At once.
    lead.is_looked_at_anew().await;
    assert!(analyst.sees().await > 0, "which is nothing to others");
    assert_eq!(renew(&world).await, 1);
    assert_eq!(
        lead.sees().await,
        0,
        "who is no lead any more pulls nothing"
    );

    let at = |version: i32| json!({ "id": ids["analyst"], "expectedVersion": version });
    admin.does(DEACTIVATE, at(1)).await;
    // At once.
    analyst.is_looked_at_anew().await;
    assert_eq!(renew(&world).await, 1);
    assert_eq!(analyst.sees().await, 0);
    admin.does(REACTIVATE, at(2)).await;
    // Until it is looked at anew.
    analyst.is_looked_at_anew().await;
    let refreshed = bi(&world, &["refresh"], "");
    let told = String::from_utf8_lossy(&refreshed.stdout).into_owned();
    assert!(told.contains("The views are as they should be"), "{told}");
    let again = world.sign_in_anew("analyst").await;
    let fed = again.lines("/bi/v1/kpi_measurements.ndjson").await;
    let seen = analyst.count("bi.kpi_measurements").await;
    assert_eq!(usize::try_from(seen), Ok(fed.len()));
}

#[tokio::test]
async fn days_end_where_the_deployment_is() {
    if !on_postgres() {
        return;
    }
    // A zone that repeats a midnight in autumn and skips one in spring.
    let world = World::in_zone(chrono_tz::America::Havana).await;
    world.load(ORGANISATION).await.expect("the document loads");
    let name = format!("bi_{}", cx_blueprint::id::new_hex());
    let arguments = ["role", "create", &name, "--account", "analyst"];
    let zone = ["--time-zone", "America/Havana"];
    let made = bi(&world, &[&arguments[..], &zone].concat(), "\n");
    assert!(made.status.success(), "{made:?}");
    let password = String::from_utf8(made.stdout).expect("text");
    assert_eq!(password.trim_end().len(), 32, "one is made and shown");
    let db = connect_as(&world.url(), &name).await.expect("it signs in");
    let role = Role {
        world: &world,
        name,
        account: "analyst".to_owned(),
        db,
    };
    role.sees_what_its_account_is_fed().await;
    assert_eq!(role.count("bi.dates WHERE is_today").await, 1);
}

#[tokio::test]
async fn a_view_and_its_columns_say_what_they_hold() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    for dataset in viewed() {
        let sql = format!(
            "SELECT a.attname::text AS name, col_description(a.attrelid, a.attnum) AS column, \
             obj_description(a.attrelid, 'pg_class') AS view FROM pg_attribute a \
             WHERE a.attrelid = 'bi.{}'::regclass AND a.attnum > 0 ORDER BY a.attnum",
            dataset.name
        );
        let rows = role.query(&sql).await.expect("the catalogue is read");
        assert_eq!(rows.len(), dataset.columns.len());
        for (row, column) in rows.iter().zip(dataset.columns) {
            let told = |name: &str| row.try_get::<String>("", name).expect("a text");
            assert_eq!(told("name"), column.name);
            assert_eq!(told("column"), column.description);
            assert_eq!(told("view"), dataset.description);
        }
    }
}

#[tokio::test]
async fn a_renewed_program_makes_the_views_anew_and_roles_keep_their_rights() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    let before = role.sees().await;
    let older = "DROP VIEW bi.phases; CREATE VIEW bi.gone AS SELECT 1 AS one; \
                 COMMENT ON SCHEMA bi IS 'Flat rows of cx-blueprint. Each login sees what its account may see. Version 0.'";
    world.db().execute_unprepared(older).await.expect("it runs");
    assert!(
        views::refresh_views(&operator(&world))
            .await
            .expect("they are made")
    );
    assert!(
        !views::refresh_views(&operator(&world))
            .await
            .expect("they are there")
    );
    assert_eq!(role.sees().await, before);
    let gone = role.refused("SELECT * FROM bi.gone").await;
    assert!(gone.contains("does not exist"), "{gone}");
}

#[tokio::test]
async fn what_others_made_of_the_views_goes_on_standing() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let role = Role::of(&world, "analyst").await;
    let before = role.sees().await;
    let runs = async |sql: &str| {
        world.db().execute_unprepared(sql).await.expect("it runs");
    };
    let refreshed = async || views::refresh_views(&operator(&world)).await;
    let theirs = "CREATE SCHEMA analytics; \
        CREATE VIEW analytics.missed AS SELECT kpi_key, measured_on FROM bi.kpi_facts WHERE state = 'MISSED'; \
        CREATE MATERIALIZED VIEW analytics.kept AS SELECT kpi_key FROM bi.kpis";
    runs(theirs).await;
    // Tables can change under the views, as they are cut off from them. Nobody reads an empty answer meanwhile.
    let detached = views::detach_views_if_ours(&operator(&world)).await;
    detached.expect("they are cut off");
    let said = role.refused("SELECT * FROM bi.kpis").await;
    assert!(
        said.contains("is being upgraded: try again in a moment"),
        "{said}"
    );
    runs("ALTER TABLE kpi ALTER COLUMN key TYPE text COLLATE \"default\"").await;
    assert!(refreshed().await.expect("they are made"));
    assert_eq!(role.sees().await, before);
    runs("REFRESH MATERIALIZED VIEW analytics.kept; SELECT * FROM analytics.missed").await;
    // Columns that are new come last.
    let older = "CREATE OR REPLACE VIEW bi.phases WITH (security_barrier) AS \
        SELECT CAST(NULL AS text) COLLATE \"default\" AS phase_key; COMMENT ON SCHEMA bi IS \
        'Flat rows of cx-blueprint. Each login sees what its account may see. Version 0.'";
    runs("DROP VIEW bi.phases").await;
    runs(older).await;
    runs("CREATE VIEW analytics.phases AS SELECT phase_key FROM bi.phases").await;
    assert!(refreshed().await.expect("they are made"));
    let columns = "SELECT phase_key, phase_id, phase_name FROM bi.phases";
    assert_eq!(role.query(columns).await.expect("rows").len(), 4);
    // Where a column goes, or is of another type, what hangs on it is named.
    runs("DROP VIEW analytics.phases; DROP VIEW bi.phases").await;
    runs(&older.replace("AS text) COLLATE \"default\"", "AS integer)")).await;
    runs("CREATE VIEW analytics.phases AS SELECT phase_key FROM bi.phases").await;
    let refused = refreshed()
        .await
        .expect_err("it is another type")
        .to_string();
    assert!(
        refused.contains(
            "The view bi.phases goes or changes its columns, and these depend on it: analytics.phases."
        ),
        "{refused}"
    );
    runs("DROP VIEW analytics.phases").await;
    assert!(refreshed().await.expect("they are made"));
}

/// Makes somebody who is no superuser the owner of the database and its tables, as a server's user is.
async fn handed_over(world: &World, app: &str) {
    let hand_over = format!(
        "CREATE ROLE {app} LOGIN CREATEROLE; DO $$ DECLARE it text; BEGIN \
         EXECUTE format('ALTER DATABASE %I OWNER TO {app}', current_database()); \
         ALTER SCHEMA public OWNER TO {app}; \
         FOR it IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP \
         EXECUTE format('ALTER TABLE %I OWNER TO {app}', it); END LOOP; END $$"
    );
    let db = world.db();
    db.execute_unprepared(&hand_over).await.expect("it runs");
}

#[tokio::test]
async fn the_owner_keeps_the_views_that_a_superuser_made() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let app = format!("app_{}", cx_blueprint::id::new_hex());
    handed_over(&world, &app).await;
    let db = connect_as(&world.url(), &app).await;
    let _app = Role {
        world: &world,
        name: app.clone(),
        account: String::new(),
        db: db.expect("it signs in"),
    };
    let role = Role::of(&world, "lead").await;
    let ids = Ids::of(&world).await;
    let admin = world.sign_in("admin").await;
    let north =
        json!({ "id": ids["sales-north"], "expectedVersion": 1, "parentId": ids["service"] });
    admin.does(MOVE, north).await;
    let url = world.url().replace("//postgres@", &format!("//{app}@"));
    let as_app = |arguments: &[&str], input: &str| bi_at(&url, arguments, input);
    let refreshed = as_app(&["refresh"], "");
    let told = String::from_utf8_lossy(&refreshed.stdout).into_owned();
    assert!(told.ends_with("anew for 1.\n"), "{refreshed:?}");
    role.sees_what_its_account_is_fed().await;
    // And makes and drops roles of its own.
    let own = format!("bi_{}", cx_blueprint::id::new_hex());
    let made = as_app(&["role", "create", &own, "--account", "analyst"], "\n");
    assert!(made.status.success(), "{made:?}");
    let own = Role {
        name: own.clone(),
        account: "analyst".to_owned(),
        db: connect_as(&world.url(), &own).await.expect("it signs in"),
        world: &world,
    };
    own.sees_what_its_account_is_fed().await;
    own.refused("CREATE TEMPORARY TABLE mine (one integer)")
        .await;
    let dropped = as_app(&["role", "drop", &own.name], "");
    assert!(dropped.status.success(), "{dropped:?}");
}

#[tokio::test]
async fn a_day_is_asked_of_the_database_and_not_of_every_row() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let many = "INSERT INTO measurement (id, kpi_id, measured_on, value, recorded_at, source, series_revision) \
        SELECT gen_random_uuid(), kpi.id, CAST('2010-01-01' AS date) + day, day, now(), 'test', 1 \
        FROM kpi CROSS JOIN generate_series(0, 4999) AS day WHERE kpi.key = 'PRICE'; ANALYZE";
    world.db().execute_unprepared(many).await.expect("it runs");
    let role = Role::of(&world, "analyst").await;
    // Cube sends timestamps, Metabase joins the calendar, whoever looks what is there asks for one row.
    let conditions = [
        "WHERE measured_on = '2015-03-04'",
        "WHERE measured_on >= timestamptz '2015-03-04' AND measured_on < timestamptz '2015-03-06'",
        "WHERE measured_on BETWEEN timestamp '2015-03-04' AND timestamp '2015-03-05 12:00'",
        "WHERE measured_on >= now() - (CURRENT_DATE - date '2023-09-01') * interval '1 day'",
        "WHERE to_char(measured_on, 'YYYY-MM-DD') = '2015-03-04'",
        "WHERE measured_on = timestamptz '2015-03-04' AND kpi_key = 'PRICE' AND value > 0",
        "JOIN bi.dates ON dates.day = measured_on WHERE year = 2015 AND month = 3 AND day_of_month = 4",
        "LIMIT 1",
    ];
    let views = ["kpi_facts", "kpi_measurements"];
    for (view, condition) in views
        .iter()
        .flat_map(|view| conditions.map(|one| (view, one)))
    {
        let most = 30;
        let sql = format!("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM bi.{view} {condition}");
        let rows = role.query(&sql).await.expect("it is explained");
        let plan: Value = rows[0].try_get_by_index(0).expect("a plan");
        let read = measurements_read(&plan[0]["Plan"]);
        assert!(
            read > 0 && read <= most,
            "{view} {condition} read {read} measurements: {plan}"
        );
    }
}

/// How many rows of measurements a plan has gone through.
fn measurements_read(plan: &Value) -> i64 {
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    let own = match plan["Relation Name"] == "measurement" {
        // An index gives the first or the last day at once.
        true => (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops"),
        false => 0.0,
    };
    let below = plan["Plans"].as_array().into_iter().flatten();
    #[expect(clippy::cast_possible_truncation, reason = "a few rows")]
    let own = own as i64;
    own + below.map(measurements_read).sum::<i64>()
}
