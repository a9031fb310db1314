//! Upgrades of a database in which something is: what an older version left behind.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use cx_blueprint::{
    access::Caller,
    feedback::record::{FeedbackInput, FeedbackRecordInput, record},
    judgement::rebuild_period_sums,
    number::CompensatedSum,
};
use entity::{
    employee_answer, employee_cell, employee_receipt, feedback, id::TouchpointId, kpi, kpi_period,
    measurement, scenario, source, words::FeedbackScale,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryOrder};

use crate::world::World;

/// The last step before employees' answers were told in cells.
const BEFORE_CELLS: &str = "m20261126_000019_since";

/// A journey of customers and one of employees, with a KPI on the relationship that answers feed, and one at the
/// touchpoint of employees that they feed no more.
const ORGANISATION: &str = "
INSERT INTO account (id, key, name, service, role, created_at, version) VALUES
    ({40}, 'pulse', 'Pulse', {true}, 'MEMBER', {at}, 1);
INSERT INTO department (id, key, name, kind, created_at, version) VALUES ({1}, 'hr', 'HR', 'INTERNAL', {at}, 1);
INSERT INTO persona (id, key, name, subject, context, created_at, version) VALUES
    ({2}, 'customer', 'Customer', 'CUSTOMER', '[]', {at}, 1), ({3}, 'employee', 'Employee', 'EMPLOYEE', '[]', {at}, 1);
INSERT INTO blueprint (id, key, title, subject, state, status, visibility, persona_id, owner_department_id, created_at,
    version, revision, published_number) VALUES
    ({4}, 'buying', 'Buying', 'CUSTOMER', 'CURRENT', 'PUBLISHED', 'ORGANISATION', {2}, {1}, {at}, 1, 1, 1),
    ({5}, 'working', 'Working', 'EMPLOYEE', 'CURRENT', 'PUBLISHED', 'ORGANISATION', {3}, {1}, {at}, 1, 1, 1);
INSERT INTO phase (id, blueprint_id, key, name, position, stage, created_at, version) VALUES
    ({6}, {5}, 'start', 'Start', 1, 'BEFORE', {at}, 1);
INSERT INTO touchpoint (id, blueprint_id, phase_id, key, name, position, lane, usage, moment_of_truth, essential, basis,
    evidence, systems, created_at, version) VALUES
    ({7}, {5}, {6}, 'E01', 'First day', 1, 'FRONTSTAGE', 'USED', FALSE, FALSE, 'ASSUMED', '[]', '[]', {at}, 1),
    ({13}, {5}, {6}, 'E02', 'First week', 2, 'FRONTSTAGE', 'USED', FALSE, FALSE, 'ASSUMED', '[]', '[]', {at}, 1);
INSERT INTO kpi (id, key, name, kpi_type, unit, decimals, direction, aggregation, cadence, owner_department_id,
    sensitivity, scope, created_at, version, fed_by_feedback) VALUES
    ({8}, 'whole', 'Whole', 'CSAT', 'SCALE_1_5', 1, 'HIGHER', 'AVERAGE', 'MONTHLY', {1}, 'OPEN', 'RELATIONSHIP', {at}, 1, TRUE),
    ({9}, 'first-day', 'First day', 'CSAT', 'SCALE_1_5', 1, 'HIGHER', 'AVERAGE', 'MONTHLY', {1}, 'OPEN', 'TRANSACTIONAL', {at}, 1, FALSE),
    ({14}, 'asked', 'Asked', 'CSAT', 'SCALE_1_5', 1, 'HIGHER', 'AVERAGE', 'MONTHLY', {1}, 'OPEN', 'RELATIONSHIP', {at}, 1, FALSE);
INSERT INTO kpi_link (id, kpi_id, blueprint_id, created_at, version) VALUES
    ({10}, {8}, {4}, {at}, 1), ({11}, {8}, {5}, {at}, 1), ({12}, {9}, {5}, {at}, 1),
    ({15}, {14}, {4}, {at}, 1);
";

const ANSWERS: &str = "
INSERT INTO feedback (id, subject, scale, score, answer_group, blueprint_id, touchpoint_id, answered_at, answered_on,
    recorded_at, external_id, recorded_by_account_id) VALUES
    ({20}, 'EMPLOYEE', 'CSAT', 5, 'SATISFIED', {5}, {7}, {at}, '2025-10-01', {at}, 'pulse-1', {40}),
    ({21}, 'EMPLOYEE', 'CSAT', 4, 'SATISFIED', {5}, {7}, {at}, '2025-10-01', {at}, 'pulse-2', NULL),
    ({22}, 'EMPLOYEE', 'CSAT', 3, 'INDIFFERENT', {5}, {7}, {at}, '2025-10-02', {at}, 'erased:17', {40}),
    ({23}, 'EMPLOYEE', 'CSAT', 2, 'DISSATISFIED', {5}, {7}, {at}, '2025-10-02', {at}, NULL, NULL),
    ({24}, 'EMPLOYEE', 'CSAT', 1, 'DISSATISFIED', {5}, {7}, {at}, '2025-10-02', {at}, NULL, NULL),
    ({29}, 'EMPLOYEE', 'CSAT', 1, 'DISSATISFIED', {5}, {7}, {at}, '2025-10-03', {at}, NULL, NULL),
    ({25}, 'EMPLOYEE', 'CSAT', 1, 'DISSATISFIED', {5}, NULL, {at}, '2025-10-05', {at}, NULL, NULL),
    ({28}, 'EMPLOYEE', 'CSAT', 2, 'DISSATISFIED', {5}, {13}, {at}, '2025-10-05', {at}, NULL, NULL),
    ({19}, 'EMPLOYEE', 'CSAT', 2, 'DISSATISFIED', {5}, {13}, {at}, '2025-10-06', {at}, NULL, NULL),
    ({18}, 'EMPLOYEE', 'CSAT', 2, 'DISSATISFIED', {5}, {13}, {at}, '2025-10-06', {at}, NULL, NULL),
    ({17}, 'EMPLOYEE', 'CSAT', 2, 'DISSATISFIED', {5}, {13}, {at}, '2025-10-06', {at}, NULL, NULL),
    ({26}, 'CUSTOMER', 'CSAT', 5, 'SATISFIED', {4}, NULL, {at}, '2025-10-05', {at}, 'order-1', NULL),
    ({27}, 'CUSTOMER', 'CSAT', 4, 'SATISFIED', {4}, NULL, {at}, '2025-10-06', {at}, 'order-2', NULL);
INSERT INTO measurement (id, kpi_id, touchpoint_id, measured_on, value, sample_size, source, recorded_at, superseded_by_id) VALUES
    ({30}, {8}, NULL, '2025-10-05', 3, 2, 'feedback', {at}, NULL),
    ({31}, {8}, NULL, '2025-10-06', 4, 1, 'feedback', {at}, NULL),
    ({32}, {9}, {7}, '2025-10-01', 5, 1, 'feedback', {at}, {33}),
    ({33}, {9}, {7}, '2025-10-01', 4.5, 2, 'feedback', {at}, NULL),
    ({34}, {9}, {7}, '2025-10-02', 3.3, 40, 'by hand', {at}, {35}),
    ({35}, {9}, {7}, '2025-10-02', 2, 3, 'feedback', {at}, NULL),
    ({36}, {9}, {7}, '2025-10-03', 3.5, 40, 'by hand', {at}, {37}),
    ({37}, {9}, {7}, '2025-10-03', 1, 1, 'feedback', {at}, {38}),
    ({38}, {9}, {7}, '2025-10-03', 3.6, 41, 'by hand', {later}, NULL),
    ({41}, {14}, NULL, '2025-10-05', 4.9, 1, 'feedback', {at}, NULL),
    ({42}, {9}, {13}, '2025-10-05', 4.8, 40, 'feedback', {at}, NULL),
    ({43}, {9}, {13}, '2025-10-06', 4.7, NULL, 'feedback', {at}, NULL);
";

/// Runs these statements; a number in braces stands for the id of that number.
async fn run(db: &DatabaseConnection, text: &str) {
    let postgres = db.get_database_backend() == DbBackend::Postgres;
    let mut sql = text
        .replace("{at}", "'2025-10-31T12:00:00+00:00'")
        .replace("{true}", if postgres { "TRUE" } else { "1" })
        .replace("{later}", "'2025-10-31T13:00:00+00:00'");
    for number in 0..70 {
        let hex = format!("{number:032x}");
        let id = format!("{}'{hex}'", if postgres { "" } else { "X" });
        sql = sql.replace(&format!("{{{number}}}"), &id);
    }
    db.execute_unprepared(&sql).await.expect("it is said");
}

/// What is measured in force: on which day, by whom, and what.
async fn in_force(db: &DatabaseConnection) -> Vec<(String, Option<String>, f64)> {
    let rows = measurement::Entity::find()
        .order_by_asc(measurement::Column::MeasuredOn)
        .order_by_asc(measurement::Column::Id)
        .all(db)
        .await
        .expect("what was measured");
    let rows = rows
        .into_iter()
        .filter(|row| row.superseded_by_id.is_none());
    rows.map(|row| (row.measured_on.to_string(), row.source, row.value))
        .collect()
}

#[tokio::test]
async fn single_days_of_employees_go_and_their_answers_wait_for_a_cell() {
    let world = World::before(BEFORE_CELLS).await;
    let db = &world.store.migration_connection().clone();
    run(db, ORGANISATION).await;
    run(db, ANSWERS).await;
    migration::apply_pending_steps(db)
        .await
        .expect("the upgrade");
    let by_hand = || Some("by hand".to_owned());
    let fed = || Some("feedback".to_owned());
    let kept = [
        ("2025-10-02".to_owned(), by_hand(), 3.3),
        ("2025-10-03".to_owned(), by_hand(), 3.6),
        ("2025-10-05".to_owned(), fed(), 4.9),
        ("2025-10-05".to_owned(), fed(), 4.8),
        ("2025-10-06".to_owned(), fed(), 4.0),
        ("2025-10-06".to_owned(), fed(), 4.7),
    ];
    assert_eq!(in_force(db).await, kept);
    let all = measurement::Entity::find().all(db).await.expect("rows");
    assert_eq!(all.len(), 7, "what was recorded by hand stays: {all:?}");
    assert_eq!(
        feedback::Entity::find().all(db).await.expect("rows").len(),
        2
    );

    world.close_months().await;
    let cells = employee_cell::Entity::find().all(db).await.expect("cells");
    let [cell] = cells.as_slice() else {
        panic!("one place has five: {cells:?}");
    };
    let month = |month| NaiveDate::from_ymd_opt(2025, month, 1).expect("a month");
    assert_eq!((cell.from_day, cell.to_day), (month(10), month(11)));
    assert_eq!(
        (
            cell.satisfied,
            cell.indifferent,
            cell.dissatisfied,
            cell.score_sum
        ),
        (2, 1, 3, 16)
    );
    let waiting = employee_answer::Entity::find().all(db).await.expect("rows");
    assert_eq!(waiting.len(), 5, "too few at two places: {waiting:?}");
    let measured = [("2025-10-05".to_owned(), fed(), 5.0)];
    let measured = [&kept[..4], &measured, &kept[4..]].concat();
    assert_eq!(in_force(db).await, measured, "of customers alone");
}

#[tokio::test]
async fn an_answer_that_is_sent_again_after_the_upgrade_counts_once() {
    let world = World::before(BEFORE_CELLS).await;
    let db = &world.store.migration_connection().clone();
    run(db, ORGANISATION).await;
    run(db, ANSWERS).await;
    migration::apply_pending_steps(db)
        .await
        .expect("the upgrade");
    let receipts = employee_receipt::Entity::find().all(db).await;
    let receipts = receipts.expect("receipts").into_iter();
    let receipts: BTreeSet<String> = receipts.map(|row| row.digest).collect();
    let kept = [
        // HMAC-SHA256 of "pulse-1" with the 16 bytes of the account's id, and of "pulse-2" with no key.
        "erased:f5ed5245dcaa76b7f8a121b9800a2a89c21200027f85ea2c54279da2f99ea5d7",
        "erased:a117ca8df45639d1466a82002b2ba07c24663648113bb127f26d116293711775",
        "erased:17",
    ];
    assert_eq!(receipts, kept.map(str::to_owned).into());
    let operator = Caller::operator(world.store.clone(), world.clock.clone(), "feedbackRecord");
    let said = |external: &str| FeedbackInput {
        met_on: None,
        cause: None,
        external_id: Some(external.to_owned()),
        scale: FeedbackScale::Csat,
        score: 4,
        touchpoint_id: Some(TouchpointId(uuid::Uuid::from_u128(7)).to_string().into()),
        blueprint_id: None,
        persona_id: None,
        answered_on: Some(world.clock.day_of_moment(world.clock.now()).into()),
        answered_at: None,
        respondent: None,
        contact: None,
        comment: None,
        channel_id: None,
        segment_id: None,
    };
    let feedback = vec![said("pulse-2"), said("pulse-3")];
    let done = record(&operator, FeedbackRecordInput { feedback }).await;
    let done = done.expect("it is recorded");
    assert_eq!((done.recorded, done.unchanged), (1, 1));
}

/// KPIs of every cadence, `k0` to `k4`.
const OF_EVERY_CADENCE: &str = "
INSERT INTO channel (id, key, name, medium, created_at, version) VALUES ({42}, 'phone', 'Phone', 'PHONE', {at}, 1);
INSERT INTO kpi (id, key, name, kpi_type, unit, decimals, direction, aggregation, cadence, owner_department_id,
    sensitivity, scope, created_at, version, fed_by_feedback) VALUES
    ({43}, 'k0', 'K', 'OTHER', 'PERCENT', 1, 'HIGHER', 'RATIO', 'DAILY', {1}, 'OPEN', 'TRANSACTIONAL', {at}, 1, FALSE),
    ({44}, 'k1', 'K', 'OTHER', 'PERCENT', 1, 'HIGHER', 'SUM', 'WEEKLY', {1}, 'OPEN', 'TRANSACTIONAL', {at}, 1, FALSE),
    ({45}, 'k2', 'K', 'OTHER', 'PERCENT', 1, 'HIGHER', 'LAST', 'MONTHLY', {1}, 'OPEN', 'TRANSACTIONAL', {at}, 1, FALSE),
    ({46}, 'k3', 'K', 'OTHER', 'PERCENT', 1, 'HIGHER', 'AVERAGE', 'QUARTERLY', {1}, 'OPEN', 'TRANSACTIONAL', {at}, 1, FALSE),
    ({47}, 'k4', 'K', 'OTHER', 'PERCENT', 1, 'HIGHER', 'AVERAGE', 'YEARLY', {1}, 'OPEN', 'TRANSACTIONAL', {at}, 1, FALSE);
";

/// The last step before the sums of periods were kept.
const BEFORE_SUMS: &str = "m20261129_000027_cells";

/// Sums as they are told: in 15 digits.
async fn sums(db: &DatabaseConnection) -> Vec<String> {
    use kpi_period::Column::{ChannelId, KpiId, PeriodStart, TouchpointId};
    let rows = kpi_period::Entity::find()
        .order_by_asc(KpiId)
        .order_by_asc(TouchpointId)
        .order_by_asc(PeriodStart)
        .order_by_asc(ChannelId)
        .all(db)
        .await
        .expect("sums");
    let rows = rows.into_iter().map(|row| {
        let total = |sum, lost| CompensatedSum::from_numbers((sum, lost)).total();
        let row = kpi_period::Model {
            value_sum: total(row.value_sum, row.value_lost),
            weighted_sum: total(row.weighted_sum, row.weighted_lost),
            numerator_sum: total(row.numerator_sum, row.numerator_lost),
            denominator_sum: total(row.denominator_sum, row.denominator_lost),
            value_lost: 0.0,
            weighted_lost: 0.0,
            numerator_lost: 0.0,
            denominator_lost: 0.0,
            ..row
        };
        format!("{row:?}")
    });
    rows.collect()
}

#[tokio::test]
async fn what_was_measured_before_is_added_up_as_what_comes_after() {
    let world = World::before(BEFORE_SUMS).await;
    let db = &world.store.migration_connection().clone();
    run(db, ORGANISATION).await;
    run(db, OF_EVERY_CADENCE).await;
    let mut first = NaiveDate::from_ymd_opt(2024, 11, 20).expect("a day");
    let mut rows = Vec::new();
    for at in 0..120_u128 {
        for kpi in 43..48 {
            let id = uuid::Uuid::from_u128(1_000 + at * 10 + kpi)
                .simple()
                .to_string();
            let id = match db.get_database_backend() {
                DbBackend::Postgres => format!("'{id}'"),
                _ => format!("X'{id}'"),
            };
            let (value, denominator) = (0.1 * (at % 7) as f64, 1 + at % 3);
            let numerator = if at % 5 == 0 {
                "NULL".to_owned()
            } else {
                format!("{}", 0.3 * value)
            };
            let sample = if at % 4 == 0 {
                "NULL".to_owned()
            } else {
                format!("{}", 1 + at % 6)
            };
            let touchpoint = if at % 2 == 0 { "NULL" } else { "{7}" };
            let channel = if at % 3 == 0 { "{42}" } else { "NULL" };
            rows.push(format!(
                "({id}, {{{kpi}}}, {touchpoint}, {channel}, '{first}', {value}, {numerator}, {denominator}, {sample}, {{at}})"
            ));
        }
        first = first + chrono::Days::new(1);
    }
    let insert = format!(
        "INSERT INTO measurement (id, kpi_id, touchpoint_id, channel_id, measured_on, value, numerator, denominator, \
         sample_size, recorded_at) VALUES {}",
        rows.join(", ")
    );
    run(db, &insert).await;
    migration::apply_pending_steps(db)
        .await
        .expect("the upgrade");
    let before = sums(db).await;
    assert!(before.len() > 200, "{} sums", before.len());
    for kpi in kpi::Entity::find().all(db).await.expect("KPIs") {
        rebuild_period_sums(db, &kpi)
            .await
            .expect("they are added up");
    }
    assert_eq!(sums(db).await, before);
}

/// The last step before names were told apart in all scripts.
const BEFORE_ALIKE: &str = "m20261130_000029_newest";

#[tokio::test]
async fn names_that_are_alike_by_now_get_a_number() {
    let world = World::before(BEFORE_ALIKE).await;
    let db = &world.store.migration_connection().clone();
    run(db, ORGANISATION).await;
    let alike = "
        INSERT INTO scenario (id, blueprint_id, name, kind, created_at, version) VALUES
            ({30}, {5}, 'Ærlig kunde', 'HAPPY', {at}, 1), ({31}, {5}, 'Usual', 'HAPPY', {at}, 1),
            ({32}, {4}, 'ærlig kunde', 'HAPPY', {at}, 1);
        INSERT INTO source (id, blueprint_id, title, kind, created_at, version) VALUES
            ({33}, {5}, 'Øre', 'OTHER', {at}, 1);";
    run(db, alike).await;
    // A locale of PostgreSQL may have refused them: then there is nothing alike to mend.
    let later = "
        INSERT INTO scenario (id, blueprint_id, name, kind, created_at, version) VALUES
            ({34}, {5}, 'ærlig KUNDE', 'HAPPY', {at}, 1);
        INSERT INTO source (id, blueprint_id, title, kind, created_at, version) VALUES
            ({35}, {5}, 'øre', 'OTHER', {at}, 1);";
    let alike = db.get_database_backend() == DbBackend::Sqlite;
    if alike {
        run(db, later).await;
    }
    migration::apply_pending_steps(db)
        .await
        .expect("the upgrade");
    let names = scenario::Entity::find()
        .order_by_asc(scenario::Column::Id)
        .all(db)
        .await
        .expect("rows");
    let names: Vec<(String, i32)> = names
        .into_iter()
        .map(|row| (row.name, row.version))
        .collect();
    let told: Vec<(&str, i32)> = names
        .iter()
        .map(|(name, version)| (name.as_str(), *version))
        .collect();
    let kept = [
        ("Ærlig kunde", 1),
        ("Usual", 1),
        ("ærlig kunde", 1),
        ("ærlig KUNDE (2)", 2),
    ];
    assert_eq!(told, kept[..if alike { 4 } else { 3 }]);
    let titles = source::Entity::find()
        .order_by_asc(source::Column::Id)
        .all(db)
        .await
        .expect("rows");
    let titles: Vec<String> = titles.into_iter().map(|row| row.title).collect();
    assert_eq!(titles, ["Øre", "øre (2)"][..if alike { 2 } else { 1 }]);
}

const ACTS: &str = "
UPDATE kpi SET fed_by_feedback = TRUE WHERE id = {8};
INSERT INTO feedback (id, subject, scale, score, answer_group, blueprint_id, answered_at, answered_on, recorded_at) VALUES
    ({20}, 'CUSTOMER', 'CSAT', 5, 'SATISFIED', {4}, {at}, '2025-10-05', {at});
INSERT INTO audit_event (id, at, last_at, repeats, actor_kind, actor_account_id, action, outcome, subject_type, subject_id,
    blueprint_id, before, after) VALUES
    ({50}, {at}, {at}, 1, 'ACCOUNT', {40}, 'touchpointCreate', 'DONE', 'Touchpoint', {7}, {5}, NULL, '{\"version\":1}'),
    ({51}, {later}, {later}, 1, 'ACCOUNT', {60}, 'touchpointRename', 'DONE', 'Touchpoint', {7}, {5}, '{}', '{}'),
    ({52}, {later}, {later}, 1, 'ACCOUNT', {60}, 'touchpointUpdate', 'DONE', 'Touchpoint', {13}, {5}, NULL, '{\"channelIds\":[]}'),
    ({53}, {later}, {later}, 1, 'ACCOUNT', {60}, 'touchpointRename', 'FORBIDDEN', 'Touchpoint', {13}, {5}, NULL, NULL),
    ({54}, {at}, {at}, 1, 'ACCOUNT', {60}, 'phaseRename', 'DONE', 'Phase', {6}, {5}, '{}', '{}');
";

#[tokio::test]
async fn who_made_what_is_taken_from_the_log_and_fed_kpis_stay_fed() {
    use entity::row_edit;
    let world = World::before(BEFORE_SUMS).await;
    let db = &world.store.migration_connection().clone();
    run(db, ORGANISATION).await;
    let second = "INSERT INTO account (id, key, name, service, role, created_at, version) VALUES
        ({60}, 'second', 'Second', {true}, 'MEMBER', {at}, 1);";
    run(db, second).await;
    run(db, ACTS).await;
    migration::apply_pending_steps(db)
        .await
        .expect("the upgrade");
    let id = uuid::Uuid::from_u128;
    let edits = row_edit::Entity::find().order_by_asc(row_edit::Column::SubjectId);
    let edits = edits.all(db).await.expect("edits").into_iter();
    let edits: Vec<_> = edits
        .map(|row| {
            (
                row.subject_id,
                row.created_by_id.map(|id| id.0),
                row.updated_by_id.map(|id| id.0),
            )
        })
        .collect();
    assert_eq!(
        edits,
        [
            (id(6), None, Some(id(60))),
            (id(7), Some(id(40)), Some(id(60))),
        ]
    );
    let kpis = kpi::Entity::find()
        .order_by_asc(kpi::Column::Id)
        .all(db)
        .await
        .expect("KPIs");
    let day = NaiveDate::from_ymd_opt(2025, 10, 5);
    let fed: Vec<_> = kpis.iter().map(|kpi| kpi.fed_from).collect();
    assert_eq!(fed, [day, None, None]);
}
