//! What the tables refuse whatever the program does: every rule of the schema is tried with rows that
//! keep it and rows that break it.

use entity::{
    audit_event, audit_event_department, blueprint, blueprint_persona, channel, department, id::Id,
    kpi_grant, kpi_link, measurement, membership, persona, phase, responsibility, segment,
    touchpoint, touchpoint_channel, touchpoint_segment, transition, words::*,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, Iterable, QueryFilter, TransactionTrait, sea_query::Expr,
};
use serde_json::json;

use super::rows::{FOREIGN_KEY, Seed, UNIQUE, add, instant, new, refused};

#[tokio::test]
async fn a_key_is_used_once_whatever_its_case() {
    let s = &Seed::plant().await;
    let key = || "seed".to_owned();
    s.breaks_unique("account_key", but!(s.account(), key = key()))
        .await;
    s.breaks_unique("department_key", but!(s.department(), key = key()))
        .await;
    s.breaks_unique("segment_key", but!(s.segment(), key = key()))
        .await;
    s.breaks_unique("channel_key", but!(s.channel(), key = key()))
        .await;
    s.breaks_unique("persona_key", but!(s.persona(), key = key()))
        .await;
    s.breaks_unique(
        "template_key",
        but!(s.template(), key = "Six-Phases".to_owned()),
    )
    .await;
    s.breaks_unique("blueprint_key", but!(s.blueprint(), key = key()))
        .await;
    s.breaks_unique("kpi_key", but!(s.kpi(), key = key())).await;
    s.breaks_unique("phase_key", but!(s.phase(), key = key()))
        .await;
    s.breaks_unique("touchpoint_key", but!(s.touchpoint(), key = key()))
        .await;
    // The same key in another blueprint is another thing.
    let elsewhere = but!(s.phase(), key = "P-elsewhere".to_owned());
    s.takes(elsewhere.clone()).await;
    s.takes(but!(
        elsewhere,
        id = new(),
        blueprint_id = s.other_blueprint
    ))
    .await;
}

#[tokio::test]
async fn scales_are_kept() {
    let s = &Seed::plant().await;

    macro_rules! only {
        ($row:ident, $field:ident, $good:expr, $bad:expr) => {
            for good in $good {
                s.takes(but!(s.$row(), $field = good.into())).await;
            }
            for bad in $bad {
                s.breaks_check(stringify!($field), but!(s.$row(), $field = bad.into()))
                    .await;
            }
        };
    }
    only!(touchpoint, emotion, [-2, 2], [-3, 3]);
    only!(touchpoint, employee_emotion, [-2, 2], [-3, 3]);
    only!(touchpoint, importance_customer, [1, 5], [0, 6]);
    only!(touchpoint, importance_organisation, [1, 5], [0, 6]);
    only!(touchpoint, contacts_per_month, [0.0, 0.5], [-0.5]);
    only!(touchpoint, expected_minutes, [0], [-1]);
    only!(touchpoint, position, [1], [0]);
    only!(touchpoint, version, [1], [0]);
    only!(phase, position, [1], [0]);
    only!(persona, max_contacts_per_month, [0], [-1]);
    only!(blueprint, revision, [1], [0]);
    only!(transition, max_wait_minutes, [0], [-1]);
    only!(kpi, decimals, [0, 6], [-1, 7]);
    only!(audit_event, repeats, [1], [0]);
    only!(measurement, sample_size, [1], [0]);

    let currency = |unit, currency: Option<&str>| {
        but!(s.kpi(), unit = unit, currency = currency.map(str::to_owned))
    };
    s.takes(currency(Unit::Currency, Some("EUR"))).await;
    s.breaks_check("kpi_currency", currency(Unit::Currency, None))
        .await;
    s.breaks_check("kpi_currency", currency(Unit::Percent, Some("EUR")))
        .await;
}

#[tokio::test]
async fn numbers_are_finite() {
    let s = &Seed::plant().await;
    macro_rules! finite {
        ($($row:ident.$field:ident)*) => {
            $(
                s.takes(but!(s.$row(), $field = f64::MAX.into())).await;
                for bad in [f64::INFINITY, f64::NEG_INFINITY] {
                    s.breaks_check("", but!(s.$row(), $field = bad.into())).await;
                }
            )*
        };
    }
    finite!(kpi_target.value kpi_link.weight measurement.value touchpoint.contacts_per_month);
    let elsewhere = || but!(s.measurement(), touchpoint_id = Some(s.touchpoint));
    let next = || but!(s.kpi_target(), valid_from = s.day.succ_opt().unwrap());
    for bad in [f64::INFINITY, f64::NEG_INFINITY] {
        s.breaks_check("", but!(elsewhere(), numerator = Some(bad)))
            .await;
        s.breaks_check("", but!(elsewhere(), denominator = Some(bad)))
            .await;
        s.breaks_check("", but!(next(), warning = Some(bad))).await;
    }
    // PostgreSQL keeps NaN and sorts it above everything, SQLite makes it NULL.
    let nan = add(&s.db, but!(elsewhere(), value = f64::NAN)).await;
    assert!(nan.is_err());
}

#[tokio::test]
async fn an_employee_answers_on_a_scale_and_five_are_a_cell() {
    let s = &Seed::plant().await;
    s.takes(s.employee_answer()).await;
    let asked_of_customers = but!(s.employee_answer(), scale = FeedbackScale::Nps);
    s.breaks_check("employee_answer_on_scale", asked_of_customers)
        .await;
    let beyond = but!(s.employee_answer(), score = 11);
    s.breaks_check("employee_answer_on_scale", beyond).await;
    let nowhere = but!(s.employee_answer(), blueprint_id = None);
    s.breaks_check("employee_answer_in_blueprint", nowhere)
        .await;
    s.takes(s.employee_cell()).await;
    let four = but!(s.employee_cell(), satisfied = 2);
    s.breaks_check("employee_cell_of_five", four).await;
    let never = but!(s.employee_cell(), to_day = s.day);
    s.breaks_check("employee_cell_block", never).await;
    let nowhere = but!(s.employee_cell(), blueprint_id = None);
    s.breaks_check("employee_cell_in_blueprint", nowhere).await;
}

#[tokio::test]
async fn an_answer_lies_on_its_scale_and_is_a_customers() {
    let s = &Seed::plant().await;
    let unnamed = || but!(s.feedback(), respondent = None);
    s.takes(s.feedback()).await;
    for (scale, lowest, highest) in [
        (FeedbackScale::Nps, 0, 10),
        (FeedbackScale::Enps, 0, 10),
        (FeedbackScale::Csat, 1, 5),
        (FeedbackScale::Ces, 1, 7),
    ] {
        for score in [lowest, highest] {
            s.takes(but!(unnamed(), scale = scale, score = score)).await;
        }
        for score in [lowest - 1, highest + 1] {
            let beyond = but!(unnamed(), scale = scale, score = score);
            s.breaks_check("feedback_on_scale", beyond).await;
        }
    }
    let employee = but!(unnamed(), subject = Subject::Employee);
    s.breaks_check("feedback_of_customers", employee).await;
    let erased = but!(s.feedback(), erased_at = Some(s.at));
    s.breaks_check("feedback_erased", erased).await;
    let nowhere = but!(s.feedback(), blueprint_id = None);
    s.breaks_check("feedback_in_blueprint", nowhere).await;
    let elsewhere = but!(s.feedback(), blueprint_id = Some(s.other_blueprint));
    s.breaks_foreign_key(elsewhere).await;
    let known = || but!(s.feedback(), external_id = Some("survey-1".to_owned()));
    s.takes(known()).await;
    s.breaks_unique("feedback", known()).await;
}

#[tokio::test]
async fn nothing_joins_two_blueprints() {
    let s = &Seed::plant().await;
    let blueprint_id = s.other_blueprint;
    s.breaks_foreign_key(but!(s.touchpoint(), blueprint_id = blueprint_id))
        .await;
    s.breaks_foreign_key(but!(s.transition_in(), blueprint_id = blueprint_id))
        .await;
    s.breaks_foreign_key(but!(s.transition(), blueprint_id = blueprint_id))
        .await;
    s.breaks_foreign_key(but!(s.responsibility(), blueprint_id = blueprint_id))
        .await;
    s.breaks_foreign_key(but!(
        s.kpi_link(),
        blueprint_id = blueprint_id,
        touchpoint_id = Some(s.touchpoint)
    ))
    .await;
    s.breaks_foreign_key(but!(
        s.kpi_link(),
        blueprint_id = blueprint_id,
        phase_id = Some(s.phase)
    ))
    .await;
    s.takes(but!(s.kpi_link(), blueprint_id = blueprint_id))
        .await;
    s.takes(but!(s.kpi_link(), phase_id = Some(s.phase))).await;
    s.takes(but!(s.kpi_link(), touchpoint_id = Some(s.touchpoint)))
        .await;
}

#[tokio::test]
async fn a_transition_joins_two_touchpoints_or_one_and_an_end() {
    let s = &Seed::plant().await;
    let (one, two) = (Some(s.touchpoint), Some(s.second_touchpoint));
    let edge = |from, end, to| {
        but!(
            s.transition(),
            from_touchpoint_id = from,
            end = end,
            to_touchpoint_id = to
        )
    };
    for legal in [
        edge(one, None, two),
        edge(two, None, one),
        edge(None, Some(End::Start), one),
        edge(None, Some(End::Competitor), one),
        edge(one, Some(End::Competitor), None),
        edge(one, Some(End::Exit), None),
    ] {
        s.takes(legal).await;
    }
    for (rule, illegal) in [
        ("transition_leads_elsewhere", edge(one, None, one)),
        ("transition_has_a_touchpoint", edge(None, None, None)),
        (
            "transition_has_a_touchpoint",
            edge(None, Some(End::Competitor), None),
        ),
        ("transition_has_an_end", edge(one, None, None)),
        ("transition_has_an_end", edge(None, None, one)),
        (
            "transition_has_an_end",
            edge(one, Some(End::Competitor), two),
        ),
        (
            "transition_starts_from_nowhere",
            edge(one, Some(End::Start), None),
        ),
        (
            "transition_exits_to_nowhere",
            edge(None, Some(End::Exit), one),
        ),
    ] {
        s.breaks_check(rule, illegal).await;
    }
}

#[tokio::test]
async fn no_transition_is_there_twice() {
    let s = &Seed::plant().await;
    let across = || {
        but!(
            s.transition(),
            end = None,
            to_touchpoint_id = Some(s.second_touchpoint)
        )
    };
    for edge in [
        &across as &dyn Fn() -> transition::Model,
        &|| s.transition_in(),
        &|| s.transition(),
    ] {
        s.takes(edge()).await;
        s.breaks_unique("", edge()).await;
        s.takes(but!(edge(), kind = TransitionKind::Branch)).await;
    }
}

#[tokio::test]
async fn a_touchpoint_has_one_accepted_accountable_and_a_history_of_them() {
    let s = &Seed::plant().await;
    let accountable = |department_id, status| {
        but!(
            s.responsibility(),
            role = Role::Accountable,
            department_id = department_id,
            status = status
        )
    };
    s.takes(accountable(s.department, ResponsibilityStatus::Ended))
        .await;
    s.takes(accountable(s.department, ResponsibilityStatus::Ended))
        .await;
    s.takes(accountable(s.department, ResponsibilityStatus::Accepted))
        .await;
    s.breaks_unique(
        "responsibility_one_accountable",
        accountable(s.second_department, ResponsibilityStatus::Accepted),
    )
    .await;
    s.takes(accountable(
        s.second_department,
        ResponsibilityStatus::Proposed,
    ))
    .await;
    let accept = responsibility::Entity::update_many()
        .col_expr(
            responsibility::Column::Status,
            Expr::value(ResponsibilityStatus::Accepted),
        )
        .filter(responsibility::Column::DepartmentId.eq(s.second_department))
        .exec(&s.db)
        .await;
    refused(UNIQUE, "responsibility_one_accountable", accept);
    s.takes(but!(
        accountable(s.department, ResponsibilityStatus::Accepted),
        touchpoint_id = s.second_touchpoint
    ))
    .await;
}

#[tokio::test]
async fn a_department_holds_or_is_offered_a_role_once() {
    let s = &Seed::plant().await;
    let with = |role, status| but!(s.responsibility(), role = role, status = status);
    s.takes(with(Role::Consulted, ResponsibilityStatus::Declined))
        .await;
    s.takes(with(Role::Consulted, ResponsibilityStatus::Declined))
        .await;
    s.takes(with(Role::Consulted, ResponsibilityStatus::Proposed))
        .await;
    s.breaks_unique(
        "responsibility_once",
        with(Role::Consulted, ResponsibilityStatus::Proposed),
    )
    .await;
    s.breaks_unique(
        "responsibility_once",
        with(Role::Consulted, ResponsibilityStatus::Accepted),
    )
    .await;
    s.takes(with(Role::Informed, ResponsibilityStatus::Accepted))
        .await;

    let (from, to) = (
        instant("2025-01-02T00:00:00.5Z"),
        instant("2025-01-02T00:00:00Z"),
    );
    s.breaks_check(
        "responsibility_period",
        but!(
            with(Role::Responsible, ResponsibilityStatus::Ended),
            valid_from = Some(from),
            valid_to = Some(to)
        ),
    )
    .await;
    s.takes(but!(
        with(Role::Responsible, ResponsibilityStatus::Ended),
        valid_from = Some(to),
        valid_to = Some(to)
    ))
    .await;
}

#[tokio::test]
async fn a_measurement_has_one_value_on_a_day_empty_equal_to_empty() {
    let s = &Seed::plant().await;
    for shape in 0..8 {
        let row = || {
            but!(
                s.measurement(),
                touchpoint_id = (shape & 1 != 0).then_some(s.touchpoint),
                channel_id = (shape & 2 != 0).then_some(s.channel),
                segment_id = (shape & 4 != 0).then_some(s.segment)
            )
        };
        s.takes(row()).await;
        s.breaks_unique("", row()).await;
        s.takes(but!(row(), measured_on = s.day.succ_opt().unwrap()))
            .await;
    }
}

#[tokio::test]
async fn a_correction_comes_once_the_first_value_has_made_room() {
    let s = &Seed::plant().await;
    s.takes(s.measurement()).await;
    for _ in 0..2 {
        let correction = s.measurement();
        let transaction = s.db.begin().await.unwrap();
        measurement::Entity::update_many()
            .col_expr(
                measurement::Column::SupersededById,
                Expr::value(correction.id),
            )
            .filter(measurement::Column::SupersededById.is_null())
            .exec(&transaction)
            .await
            .unwrap();
        add(&transaction, correction).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let all = measurement::Entity::find().all(&s.db).await.unwrap();
    assert_eq!(all.len(), 3);

    let nobody = but!(s.measurement(), superseded_by_id = Some(new()));
    s.breaks_foreign_key(nobody).await;
}

#[tokio::test]
async fn a_kpi_has_one_target_a_day_and_links_judge_one_thing() {
    let s = &Seed::plant().await;
    s.takes(s.kpi_target()).await;
    s.breaks_unique("", s.kpi_target()).await;

    let next = s.day.succ_opt();
    s.breaks_check(
        "kpi_link_judges_one",
        but!(
            s.kpi_link(),
            phase_id = Some(s.phase),
            touchpoint_id = Some(s.touchpoint)
        ),
    )
    .await;
    s.breaks_check(
        "kpi_link_period",
        but!(
            s.kpi_link(),
            valid_from = Some(s.day),
            valid_to = Some(s.day)
        ),
    )
    .await;
    s.breaks_check(
        "kpi_link_period",
        but!(s.kpi_link(), valid_from = next, valid_to = Some(s.day)),
    )
    .await;
    for (valid_from, valid_to) in [
        (None, None),
        (Some(s.day), next),
        (None, next),
        (Some(s.day), None),
    ] {
        s.takes(but!(
            s.kpi_link(),
            valid_from = valid_from,
            valid_to = valid_to
        ))
        .await;
    }

    let grant = || kpi_grant::Model {
        id: new(),
        kpi_id: s.kpi,
        account_id: s.account,
        created_at: s.at,
    };
    s.takes(grant()).await;
    s.breaks_unique("", grant()).await;
    let member = |role| membership::Model {
        id: new(),
        account_id: s.account,
        department_id: s.department,
        role,
        created_at: s.at,
    };
    s.takes(member(DepartmentRole::Lead)).await;
    s.breaks_unique("", member(DepartmentRole::Viewer)).await;
}

#[tokio::test]
async fn a_draft_goes_with_all_that_lies_in_it_and_nothing_else_goes() {
    let s = &Seed::plant().await;
    let held = s.responsibility();
    s.takes(held.clone()).await;
    s.takes(but!(
        s.responsibility(),
        replaces_id = Some(held.id),
        department_id = s.second_department
    ))
    .await;
    s.takes(s.transition_in()).await;
    s.takes(but!(
        s.transition(),
        end = None,
        to_touchpoint_id = Some(s.second_touchpoint)
    ))
    .await;
    s.takes(but!(s.kpi_link(), touchpoint_id = Some(s.touchpoint)))
        .await;
    s.takes(but!(s.kpi_link(), phase_id = Some(s.phase))).await;
    s.takes(touchpoint_channel::Model {
        touchpoint_id: s.touchpoint,
        channel_id: s.channel,
        position: 1,
    })
    .await;
    s.takes(touchpoint_segment::Model {
        touchpoint_id: s.touchpoint,
        segment_id: s.segment,
        position: 1,
    })
    .await;
    s.takes(blueprint_persona::Model {
        blueprint_id: s.blueprint,
        persona_id: s.persona,
        position: 1,
    })
    .await;

    macro_rules! in_use {
        ($($table:ident $id:expr,)*) => {
            $(refused(FOREIGN_KEY, "", $table::Entity::delete_by_id($id).exec(&s.db).await);)*
        };
    }
    in_use! {
        persona s.persona,
        channel s.channel,
        segment s.segment,
        department s.department,
        phase s.phase,
        touchpoint s.touchpoint,
        responsibility held.id,
    }

    let measured = but!(s.measurement(), touchpoint_id = Some(s.touchpoint));
    s.takes(measured.clone()).await;
    in_use!(blueprint s.blueprint,);
    measurement::Entity::delete_by_id(measured.id)
        .exec(&s.db)
        .await
        .unwrap();

    blueprint::Entity::delete_by_id(s.blueprint)
        .exec(&s.db)
        .await
        .unwrap();
    macro_rules! gone {
        ($($table:ident)*) => {
            $(assert_eq!($table::Entity::find().all(&s.db).await.unwrap(), []);)*
        };
    }
    gone!(phase touchpoint transition responsibility kpi_link);
    gone!(touchpoint_channel touchpoint_segment blueprint_persona);
    let other = blueprint::Entity::find_by_id(s.other_blueprint);
    assert!(other.one(&s.db).await.unwrap().is_some());
}

#[tokio::test]
async fn the_audit_log_can_be_counted_up_and_nothing_more() {
    use audit_event::Column;

    let s = &Seed::plant().await;
    let event = s.audit_event();
    let later = instant("2025-01-02T00:00:00Z");
    s.takes(event.clone()).await;
    s.takes(audit_event_department::Model {
        audit_event_id: event.id,
        department_id: s.department,
    })
    .await;

    for column in Column::iter() {
        let other = match column {
            Column::Repeats => Expr::col(column).add(1),
            Column::LastAt => Expr::value(later),
            Column::At => Expr::value(instant("2024-12-31T00:00:00Z")),
            Column::ActorAccountId => Expr::value(s.account),
            Column::Id | Column::ActorTokenId | Column::SubjectId | Column::BlueprintId => {
                Expr::value(s.persona.uuid())
            }
            Column::Before | Column::After => Expr::value(json!({ "changed": true })),
            _ => Expr::value("CHANGED"),
        };
        let update = audit_event::Entity::update_many()
            .col_expr(column, other)
            .filter(Column::Id.eq(event.id));
        match update.exec(&s.db).await {
            Ok(_) => assert!(
                matches!(column, Column::Repeats | Column::LastAt),
                "{column:?}"
            ),
            Err(error) => assert!(
                error.to_string().contains("append-only"),
                "{column:?}: {error}"
            ),
        }
    }
    let delete = audit_event::Entity::delete_many().exec(&s.db).await;
    assert!(delete.unwrap_err().to_string().contains("append-only"));
    let kept = audit_event::Entity::find_by_id(event.id).one(&s.db).await;
    assert_eq!(
        kept.unwrap(),
        Some(but!(event, repeats = 2, last_at = later))
    );
}
