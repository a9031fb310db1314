//! Measurements: recorded in batches, all or none, and corrected.

use super::*;

#[tokio::test]
async fn a_batch_is_recorded_once_however_often_it_is_sent() {
    let world = World::small().await;
    let (ids, contributor) = (Ids::of(&world).await, world.sign_in("contributor").await);
    let price = &ids["PRICE"];
    let batch = json!([
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 1.5, "source": "diary", "sampleSize": 12 },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "touchpointId": ids["T2"] },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "channelId": ids["PHONE"] },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "channelId": ids["PHONE"], "segmentId": ids["young"] },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "touchpointId": ids["T2"], "channelId": ids["WEB"], "segmentId": ids["young"] },
        { "kpiId": price, "measuredOn": "2025-03-31", "value": 1.5 },
        { "kpiId": price, "measuredOn": "2025-02-28", "value": 2.25 },
    ]);
    assert_eq!(counts(&contributor.records(batch.clone()).await), [5, 1, 1]);
    let kept = measured(&world).await;
    assert_eq!(counts(&contributor.records(batch.clone()).await), [0, 0, 7]);
    assert_eq!(measured(&world).await, kept);
    let mut other = batch.clone();
    other[0]["source"] = json!("logbook");
    other[4]["value"] = json!(3);
    assert_eq!(counts(&contributor.records(other).await), [0, 2, 5]);
    let kpi = contributor.kpi("PRICE", json!("2025-02-28")).await;
    assert_eq!(
        (&kpi["latest"]["value"], &kpi["state"]),
        (&json!(2.25), &json!("AT_RISK"))
    );
    assert_eq!(
        (
            &kpi["measurements"]["totalCount"],
            &kpi["all"]["totalCount"]
        ),
        (&json!(8), &json!(11))
    );
    let days: Vec<&Value> = kpi["measurements"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| &node["measuredOn"])
        .collect();
    assert!(days.is_sorted_by_key(|day| day.to_string()), "{days:?}");
    let now = contributor.kpi("PRICE", Value::Null).await;
    assert_eq!(
        now["latest"]["value"], 1.5,
        "a part is not the value of the whole"
    );
    assert_eq!(
        now["links"]["nodes"][0]["latest"]["value"], 2.0,
        "at a touchpoint the value there counts"
    );
}

#[tokio::test]
async fn every_fault_of_a_batch_is_told_at_once() {
    let world = World::small().await;
    let (ids, contributor) = (Ids::of(&world).await, world.sign_in("contributor").await);
    let price = &ids["PRICE"];
    let before = measured(&world).await;
    let wrong = contributor
        .faults(json!([
            { "kpiId": price, "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": "kpi_01980000000070008000000000000009", "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": price, "measuredOn": "2999-01-01", "value": -1, "sampleSize": 0 },
            { "kpiId": price, "measuredOn": "1899-12-31", "value": 1, "numerator": 1, "denominator": 0 },
            { "kpiId": price, "measuredOn": "2025-05-31", "value": 2 },
            { "kpiId": "tch_1", "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": price, "touchpointId": ids["C1"], "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": price, "channelId": "chn_01980000000070008000000000000009", "segmentId": "x", "measuredOn": "2025-05-31", "value": 1 },
        ]))
        .await;
    let mut expected = vec![
        "measurements.1.kpiId NOT_FOUND -",
        "measurements.2.measuredOn INVALID IN_FUTURE",
        "measurements.2.sampleSize INVALID OUT_OF_RANGE",
        "measurements.2.value INVALID OUT_OF_RANGE",
        "measurements.3.denominator INVALID OUT_OF_RANGE",
        "measurements.3.measuredOn INVALID OUT_OF_RANGE",
        "measurements.4 DUPLICATE -",
        "measurements.5.kpiId INVALID -",
        "measurements.6.touchpointId NOT_FOUND -",
        "measurements.7.channelId NOT_FOUND -",
        "measurements.7.segmentId INVALID -",
    ];
    let mut wrong = wrong;
    wrong.sort();
    expected.sort_unstable();
    assert_eq!(wrong, expected);
    assert_eq!(measured(&world).await, before);
}

#[tokio::test]
async fn one_kpi_that_is_not_ones_own_refuses_the_whole_batch() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let batch = json!([
        { "kpiId": ids["PRICE"], "measuredOn": "2025-05-31", "value": 1 },
        { "kpiId": ids["SECRET"], "measuredOn": "2025-05-31", "value": 1 },
    ]);
    let before = measured(&world).await;
    for login in [
        "stranger",
        "viewer",
        "contributor",
        "lead",
        "neighbour",
        "analyst",
        "auditor",
        "admin",
    ] {
        let actor = world.sign_in(login).await;
        assert_eq!(
            actor.faults(batch.clone()).await,
            [" FORBIDDEN -"],
            "{login}"
        );
    }
    assert_eq!(measured(&world).await, before);
    assert_eq!(
        counts(&world.sign_in("chair").await.records(batch).await),
        [2, 0, 0]
    );
    let events = audit_event::Entity::find()
        .filter(audit_event::Column::Action.eq("kpiMeasurementsRecord"))
        .all(&world.db())
        .await
        .expect("events");
    let done: Vec<_> = events
        .iter()
        .filter(|event| {
            event
                .after
                .as_ref()
                .is_some_and(|body| body.get("recorded").is_some())
        })
        .collect();
    assert_eq!(done.len(), 1, "one event for the batch");
}

#[tokio::test]
async fn a_thousand_measurements_take_as_many_statements_as_one() {
    let world = World::small().await;
    let (ids, cx) = (Ids::of(&world).await, world.sign_in("cx-manager").await);
    let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day");
    let days = |count: u64, value: f64| -> Value {
        (0..count).map(|day| json!({ "kpiId": ids["PRICE"], "measuredOn": first + chrono::Days::new(day), "value": value })).collect()
    };
    let statements = async |batch: Value, expected: [i64; 3]| {
        let before = world.store.statement_count();
        assert_eq!(counts(&cx.records(batch).await), expected);
        world.store.statement_count() - before
    };
    let one = statements(days(1, 1.0), [1, 0, 0]).await;
    assert_eq!(statements(days(1_000, 1.0), [999, 0, 1]).await, one);
    let corrected = statements(days(1_000, 2.0), [0, 1_000, 0]).await;
    assert_eq!(corrected, one + 1, "and one that makes room");
    let many = days(1_001, 1.0);
    assert_eq!(cx.faults(many).await, ["measurements LIMIT_EXCEEDED -"]);
}

#[tokio::test]
async fn two_batches_at_once_leave_one_value_in_force() {
    let world = World::small().await;
    let (ids, cx) = (Ids::of(&world).await, world.sign_in("cx-manager").await);
    let batch = |value: f64| {
        json!([
            { "kpiId": ids["PRICE"], "measuredOn": "2025-06-30", "value": value },
            { "kpiId": ids["SECRET"], "measuredOn": "2025-06-30", "value": value },
        ])
    };
    let turned = |value: f64| {
        let batch = batch(value);
        json!([batch[1], batch[0]])
    };
    let answers = futures_util::future::join_all([
        cx.records(batch(1.0)),
        cx.records(turned(2.0)),
        cx.records(batch(3.0)),
        cx.records(turned(4.0)),
    ])
    .await;
    let sums = answers.iter().map(counts).fold([0, 0, 0], |sum, next| {
        [sum[0] + next[0], sum[1] + next[1], sum[2] + next[2]]
    });
    assert_eq!(sums, [2, 6, 0]);
    let in_force = measurement::Entity::find()
        .filter(measurement::Column::SupersededById.is_null())
        .filter(measurement::Column::MeasuredOn.eq(chrono::NaiveDate::from_ymd_opt(2025, 6, 30)))
        .count(&world.db())
        .await
        .expect("a count");
    assert_eq!(in_force, 2);
}

#[tokio::test]
async fn a_correction_keeps_what_it_does_not_name() {
    const FIGURES: &str = "mutation($input: KpiMeasurementCorrectInput!) { kpiMeasurementCorrect(input: $input) {
        measurement { id value numerator denominator sampleSize source } userErrors { field message code reason } } }";
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let owner = cx
        .ask("{ department(by: { key: \"sales\" }) { id } }", json!({}))
        .await;
    let kpi = |key: &str, aggregation: &str| {
        json!({ "key": key, "name": key, "type": "OTHER", "unit": "PERCENT", "direction": "HIGHER", "cadence": "MONTHLY",
            "aggregation": aggregation, "ownerDepartmentId": owner["department"]["id"], "scope": "TRANSACTIONAL" })
    };
    let mean = cx.does(CREATE, kpi("MEAN", "AVERAGE")).await["kpi"]["id"].take();
    let share = cx.does(CREATE, kpi("SHARE", "RATIO")).await["kpi"]["id"].take();
    let sent = json!([
        { "kpiId": mean, "measuredOn": "2025-03-01", "value": 12, "sampleSize": 40, "source": "a survey" },
        { "kpiId": share, "measuredOn": "2025-03-01", "numerator": 5, "denominator": 10, "sampleSize": 10 },
    ]);
    cx.records(sent).await;
    for (key, changes) in [
        (
            "MEAN",
            vec![
                (
                    json!({ "value": 12.5 }),
                    json!([12.5, null, null, 40, "a survey"]),
                ),
                (
                    json!({ "source": "another" }),
                    json!([12.5, null, null, 40, "another"]),
                ),
                (
                    json!({ "sampleSize": null, "source": null }),
                    json!([12.5, null, null, null, null]),
                ),
            ],
        ),
        (
            "SHARE",
            vec![
                (
                    json!({ "numerator": 6 }),
                    json!([60.0, 6.0, 10.0, 10, null]),
                ),
                (
                    json!({ "denominator": 12 }),
                    json!([50.0, 6.0, 12.0, 10, null]),
                ),
                (
                    json!({ "sampleSize": 12 }),
                    json!([50.0, 6.0, 12.0, 12, null]),
                ),
                (
                    json!({ "value": 55, "numerator": null, "denominator": null }),
                    json!([55.0, null, null, 12, null]),
                ),
            ],
        ),
    ] {
        let mut id = cx.kpi(key, Value::Null).await["latest"]["id"].take();
        for (change, becomes) in changes {
            let mut input = change.clone();
            input["measurementId"] = id;
            let mut now = cx.does(FIGURES, input).await["measurement"].take();
            let figures = ["value", "numerator", "denominator", "sampleSize", "source"];
            let figures: Vec<Value> = figures.map(|field| now[field].take()).to_vec();
            assert_eq!(json!(figures), becomes, "{key}: {change}");
            id = now["id"].take();
        }
        let valueless = json!({ "measurementId": id, "value": null });
        assert_eq!(
            faults(&cx.tries(CORRECT, valueless).await),
            ["value REQUIRED -"],
            "{key}"
        );
    }
    let half = cx.kpi("SHARE", Value::Null).await["latest"]["id"].take();
    let apart = json!({ "measurementId": half, "value": 55, "numerator": 5, "denominator": 10 });
    assert_eq!(
        faults(&cx.tries(CORRECT, apart).await),
        ["value INVALID OUT_OF_RANGE"]
    );
}

#[tokio::test]
async fn a_correction_keeps_what_it_corrects() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let kpi = lead.kpi("PRICE", json!("2025-03-31")).await;
    let wrong = &kpi["latest"]["id"];
    let correct = json!({ "measurementId": wrong, "value": 0.5, "id": "msr_01980000000070008000000000000001" });
    for login in ["viewer", "neighbour", "auditor"] {
        assert_eq!(
            world
                .sign_in(login)
                .await
                .refused(CORRECT, correct.clone())
                .await,
            ["FORBIDDEN"],
            "{login}"
        );
    }
    let corrected = lead.does(CORRECT, correct.clone()).await;
    assert_eq!(
        lead.does(CORRECT, correct).await,
        corrected,
        "a retry changes nothing"
    );
    assert_eq!(lead.kpi("PRICE", json!("2025-03-31")).await["state"], "MET");
    let again = lead
        .tries(CORRECT, json!({ "measurementId": wrong, "value": 3 }))
        .await;
    assert_eq!(faults(&again), ["measurementId CONFLICT NOT_IN_FORCE"]);
    assert_eq!(again["measurement"]["id"], corrected["measurement"]["id"]);
    let less = json!({ "measurementId": corrected["measurement"]["id"], "value": -1 });
    assert_eq!(
        faults(&lead.tries(CORRECT, less).await),
        ["value INVALID OUT_OF_RANGE"]
    );
    let old = lead
        .ask(
            "query($id: ID!) { measurement(id: $id) { value superseded supersededBy { id } } }",
            json!({ "id": wrong }),
        )
        .await;
    assert_eq!(
        old["measurement"]["supersededBy"],
        json!({ "id": corrected["measurement"]["id"] })
    );
    let secret = world
        .sign_in("cx-manager")
        .await
        .kpi("SECRET", Value::Null)
        .await["latest"]["id"]
        .take();
    let unseen = json!({ "measurementId": secret, "value": 1 });
    assert_eq!(
        faults(&lead.tries(CORRECT, unseen).await),
        ["measurementId NOT_FOUND -"]
    );
    assert_eq!(
        kpi::Entity::find()
            .count(&world.db())
            .await
            .expect("a count"),
        2
    );
}
