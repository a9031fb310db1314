//! The migrations and the entities agree, and rows come back from the tables as they went in.

#[macro_use]
mod rows;
mod rules;

use std::collections::BTreeSet;

use entity::{
    account, audit_event, audit_event_department, bi_login, bi_reach, blueprint, blueprint_persona,
    channel, department, employee_answer, employee_cell, employee_month, employee_receipt,
    evaluation, evaluation_verdict, feedback, finding, finding_mark, finding_renewal, follow_up,
    id::Id,
    improvement, improvement_kpi, improvement_touchpoint, insight, insight_source,
    json::{Evidence, EvidenceList, Texts},
    kpi, kpi_grant, kpi_link, kpi_period, kpi_target, measurement, membership, persona,
    persona_need, persona_segment, phase, phase_segment, playbook, promise, promise_delivery,
    publication, refresh_token, responsibility, routing_rule, row_edit, scenario, scenario_step,
    search_stale, search_text, segment, service_token, service_token_department, session,
    sign_in_origin, sign_in_throttle, source, template, touchpoint, touchpoint_channel,
    touchpoint_segment, transition,
    words::*,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityName, EntityTrait, IdenStatic, Iterable,
    QueryFilter, QueryOrder, Statement,
};
use serde_json::json;

use self::rows::{Seed, instant, new};
use crate::world::World;

macro_rules! every_entity {
    ($do:ident) => {
        $do!(
            account audit_event audit_event_department bi_login bi_reach blueprint blueprint_persona channel
            department employee_answer employee_cell employee_month employee_receipt evaluation evaluation_verdict feedback finding finding_mark finding_renewal follow_up improvement improvement_kpi improvement_touchpoint
            insight insight_source kpi kpi_grant kpi_link kpi_period kpi_target measurement membership persona
            persona_need persona_segment phase phase_segment playbook promise promise_delivery publication refresh_token responsibility routing_rule row_edit scenario scenario_step search_stale search_text
            segment service_token service_token_department session source
            sign_in_origin sign_in_throttle template touchpoint touchpoint_channel touchpoint_segment transition
        )
    };
}

#[tokio::test]
async fn every_entity_selects_cleanly_from_a_fresh_database() {
    let world = World::new().await;
    let db = &world.db().clone();
    macro_rules! select {
        ($($table:ident)*) => {
            $($table::Entity::find().all(db).await.expect(stringify!($table));)*
        };
    }
    every_entity!(select);
}

#[tokio::test]
async fn tables_and_entities_agree_on_every_column_and_on_what_may_be_empty() {
    let world = World::new().await;
    let db = &world.db().clone();
    let mut described = BTreeSet::new();
    macro_rules! describe {
        ($($table:ident)*) => {
            $(for column in $table::Column::iter() {
                described.insert((
                    $table::Entity.table_name().to_owned(),
                    column.as_str().to_owned(),
                    column.def().is_null(),
                ));
            })*
        };
    }
    every_entity!(describe);

    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text, column_name::text, is_nullable = 'YES' AS may_be_empty
             FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name NOT IN ('fixed_row', 'seaql_migrations')"
        }
        _ => {
            "SELECT m.name AS table_name, c.name AS column_name, c.\"notnull\" = 0 AS may_be_empty
             FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT IN ('fixed_row', 'seaql_migrations')
                 -- The full-text index, with the tables that it keeps for itself.
                 AND m.name NOT LIKE 'search\\_index%' ESCAPE '\\'"
        }
    };
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let made: BTreeSet<(String, String, bool)> = db
        .query_all_raw(statement)
        .await
        .unwrap()
        .into_iter()
        .map(|row| {
            (
                row.try_get("", "table_name").unwrap(),
                row.try_get("", "column_name").unwrap(),
                row.try_get("", "may_be_empty").unwrap(),
            )
        })
        .collect();
    let apart: Vec<_> = made.symmetric_difference(&described).collect();
    assert!(apart.is_empty(), "{apart:#?}");
}

#[tokio::test]
async fn a_migrated_database_has_nothing_pending_and_bears_migrating_again() {
    let world = World::new().await;
    let db = &world.db().clone();
    assert_eq!(
        migration::pending_steps(db).await.unwrap(),
        Vec::<String>::new()
    );
    migration::apply_pending_steps(db).await.unwrap();
}

#[tokio::test]
async fn rows_come_back_as_they_went_in() {
    let s = &Seed::plant().await;
    s.comes_back(s.account()).await;
    s.comes_back(but!(
        s.account(),
        password_hash = Some("$argon2id$v=19$…".to_owned()),
        archived_at = Some(instant("2025-03-31T23:59:59.999999Z")),
        service = true,
        role = OrganisationRole::CxManager
    ))
    .await;
    s.comes_back(s.touchpoint()).await;
    s.comes_back(but!(
        s.touchpoint(),
        customer_action = Some("Opens the letter „sofort“ 📬".to_owned()),
        initiator = Some(Initiator::Organisation),
        contacts_per_month = Some(0.1),
        emotion = Some(-2),
        employee_emotion = Some(2),
        importance_customer = Some(1),
        importance_organisation = Some(5),
        usage_reason = Some(String::new()),
        moment_of_truth = true,
        essential = true,
        expected_minutes = Some(0),
        evidence = EvidenceList(vec![Evidence {
            label: "Letter".to_owned(),
            link: Some("https://example.org/letter".to_owned()),
        }]),
        systems = Texts(vec!["CRM".to_owned(), "\"quoted\"".to_owned()])
    ))
    .await;
    s.comes_back(s.measurement()).await;
    s.comes_back(but!(
        s.measurement(),
        touchpoint_id = Some(s.touchpoint),
        channel_id = Some(s.channel),
        segment_id = Some(s.segment),
        // What decimals and short floats would lose.
        value = 0.1 + 0.2,
        numerator = Some(-f64::MAX),
        denominator = Some(f64::MIN_POSITIVE),
        sample_size = Some(i32::MAX),
        recorded_by_account_id = Some(s.account)
    ))
    .await;
    s.comes_back(s.audit_event()).await;
    s.comes_back(but!(
        s.audit_event(),
        actor_account_id = Some(s.account),
        subject_id = Some(s.touchpoint.uuid()),
        blueprint_id = Some(new()),
        before = Some(json!(null)),
        after = Some(json!({ "name": "Grüße", "position": 2, "weight": 0.5, "gone": null })),
        repeats = 7,
        last_at = instant("2025-01-01T09:00:00.000001Z")
    ))
    .await;
    s.comes_back(s.template()).await;
    s.comes_back(s.responsibility()).await;
    s.comes_back(s.kpi_link()).await;
    s.comes_back(refresh_token::Model {
        hash: vec![0, 255, 39, 34],
        session_id: s.session,
        issued_at: s.at,
        rotated_at: None,
    })
    .await;
}

#[tokio::test]
async fn instants_sort_in_the_database_as_they_do_in_time() {
    let s = &Seed::plant().await;
    let mut all = Vec::new();
    for text in [
        "2030-01-01T09:00:00Z",
        "2030-01-01T09:00:00.000001Z",
        "2030-01-01T09:00:00.001Z",
        "2030-01-01T09:00:00.001001Z",
        "2030-01-01T09:00:00.01Z",
        "2030-01-01T09:00:01Z",
    ] {
        let event = but!(s.audit_event(), at = instant(text), last_at = instant(text));
        all.push(event.at);
        s.takes(event).await;
    }
    for (place, at) in all.iter().enumerate() {
        let later: Vec<_> = audit_event::Entity::find()
            .filter(audit_event::Column::At.gte(*at))
            .order_by_asc(audit_event::Column::At)
            .all(&s.db)
            .await
            .unwrap()
            .into_iter()
            .map(|event| event.at)
            .collect();
        assert_eq!(later, all[place..]);
    }
}
