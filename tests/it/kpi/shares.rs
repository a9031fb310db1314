//! Shares: the value agrees with numerator and denominator, or is left out and follows from them, whichever way it comes.

use super::*;

async fn make(actor: &Actor<'_>, key: &str, unit: &str, aggregation: &str) -> Value {
    let owner = "{ department(by: { key: \"sales\" }) { id } }";
    let owner = actor.ask(owner, json!({})).await["department"]["id"].take();
    let kpi = json!({ "key": key, "name": key, "type": "OTHER", "unit": unit, "direction": "HIGHER",
        "aggregation": aggregation, "cadence": "MONTHLY", "ownerDepartmentId": owner, "scope": "TRANSACTIONAL" });
    actor.does(CREATE, kpi).await["kpi"].take()
}

async fn values(actor: &Actor<'_>, key: &str) -> Vec<Option<f64>> {
    let kpi = actor.kpi(key, Value::Null).await;
    let nodes = kpi["measurements"]["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["value"].as_f64()).collect()
}

fn of(kpi: &Value, day: &str, figures: &Value) -> Value {
    let mut measured = json!({ "kpiId": kpi["id"], "measuredOn": day });
    let all = measured.as_object_mut().expect("an object");
    all.extend(figures.as_object().expect("figures").clone());
    measured
}

#[tokio::test]
async fn the_value_follows_from_its_parts_or_agrees_with_them() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    for (key, unit, aggregation, half) in [
        ("SHARE", "PERCENT", "RATIO", 50.0),
        ("RATE", "RATIO", "AVERAGE", 0.5),
        ("MINUTES", "MINUTES", "RATIO", 0.5),
    ] {
        let kpi = make(&cx, key, unit, aggregation).await;
        let parts = |day, value: Value| {
            of(
                &kpi,
                day,
                &json!({ "value": value, "numerator": 5, "denominator": 10 }),
            )
        };
        let sent = json!([
            parts("2025-03-01", Value::Null),
            parts("2025-03-02", json!(half)),
            of(
                &kpi,
                "2025-03-03",
                &json!({ "numerator": 5, "denominator": 10 })
            ),
            of(&kpi, "2025-03-04", &json!({ "value": 0.25 })),
        ]);
        assert_eq!(counts(&cx.records(sent.clone()).await), [4, 0, 0], "{key}");
        assert_eq!(counts(&cx.records(sent).await), [0, 0, 4], "{key}");
        let half_thrice = [half, half, half].map(Some);
        assert_eq!(
            values(&cx, key).await,
            [&half_thrice[..], &[Some(0.25)]].concat(),
            "{key}"
        );
        let wrong = cx
            .faults(json!([
                parts("2025-03-05", json!(12)),
                parts("2025-03-06", json!(half + 0.001)),
                of(&kpi, "2025-03-07", &json!({})),
                of(
                    &kpi,
                    "2025-03-08",
                    &json!({ "value": null, "numerator": 5 })
                ),
                of(&kpi, "2025-03-09", &json!({ "denominator": 10 })),
                of(
                    &kpi,
                    "2025-03-10",
                    &json!({ "numerator": 5, "denominator": 0 })
                ),
            ]))
            .await;
        assert_eq!(
            wrong,
            [
                "measurements.0.value INVALID OUT_OF_RANGE",
                "measurements.1.value INVALID OUT_OF_RANGE",
                "measurements.2.value REQUIRED -",
                "measurements.3.denominator REQUIRED -",
                "measurements.4.numerator REQUIRED -",
                "measurements.5.denominator INVALID OUT_OF_RANGE",
            ],
            "{key}"
        );
        // By the sheet, also without a column of values.
        let sheet = format!(
            "kpi,measured_on,numerator,denominator\n{key},2025-03-01,5,10\n{key},2025-03-05,1,4\n"
        );
        assert_eq!(cx.brings("", sheet).await, [2, 1, 0, 1], "{key}");
        let sheet = format!(
            "kpi,measured_on,value,numerator,denominator\n{key},2025-03-06,,1,4\n{key},2025-03-07,12,5,10\n{key},2025-03-08,,,\n"
        );
        let told = cx.errs(sheet).await;
        let instead = format!(
            "Line 3, column C (value): Numerator and denominator come to {half}: give that, or leave the value out."
        );
        let neither = "Line 4, column C (value): Give the value, or numerator and denominator.";
        assert_eq!(told, [&*instead, neither], "{key}");
        let none = cx
            .errs(format!("kpi,measured_on,numerator\n{key},2025-03-06,1\n"))
            .await;
        assert!(none[0].contains("There is no column \"value\""), "{none:?}");
        // One share has one value, in whichever way a sender rounds: it is no correction of itself.
        let rounded = |value: f64| {
            json!([of(
                &kpi,
                "2025-03-11",
                &json!({ "value": value, "numerator": 7, "denominator": 100 })
            )])
        };
        let exact = half * 2.0 * 0.07;
        assert_eq!(
            counts(&cx.records(rounded(exact + 1e-15)).await),
            [1, 0, 0],
            "{key}"
        );
        assert_eq!(
            counts(&cx.records(rounded(exact - 1e-15)).await),
            [0, 0, 1],
            "{key}"
        );
        let sent = json!([of(
            &kpi,
            "2025-03-11",
            &json!({ "numerator": 7, "denominator": 100 })
        )]);
        assert_eq!(counts(&cx.records(sent).await), [0, 0, 1], "{key}");
        let told = cx.kpi(key, Value::Null).await["latest"]["value"].as_f64();
        assert_eq!(told, Some(half * 2.0 * 7.0 / 100.0), "{key}");
        // A correction by its parts alone.
        let latest = cx.kpi(key, Value::Null).await["latest"]["id"].take();
        let corrected = json!({ "measurementId": latest, "numerator": 5, "denominator": 10 });
        let corrected = cx.does(CORRECT, corrected).await;
        assert_eq!(
            corrected["measurement"]["value"].as_f64(),
            Some(half),
            "{key}"
        );
        let again = json!({ "measurementId": corrected["measurement"]["id"], "value": 12, "numerator": 5, "denominator": 10 });
        assert_eq!(
            faults(&cx.tries(CORRECT, again).await),
            ["value INVALID OUT_OF_RANGE"],
            "{key}"
        );
    }
}

#[tokio::test]
async fn what_is_no_share_has_a_value_of_its_own() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let kpi = make(&cx, "MEAN", "PERCENT", "AVERAGE").await;
    let parts = json!({ "value": 12, "numerator": 5, "denominator": 10 });
    let sent = json!([of(&kpi, "2025-03-01", &parts)]);
    assert_eq!(counts(&cx.records(sent).await), [1, 0, 0]);
    let sent = json!([of(
        &kpi,
        "2025-03-02",
        &json!({ "numerator": 5, "denominator": 10 })
    )]);
    assert_eq!(cx.faults(sent).await, ["measurements.0.value REQUIRED -"]);
    let told = cx
        .errs("kpi,measured_on,numerator,denominator\nMEAN,2025-03-02,5,10\n")
        .await;
    assert_eq!(told, ["Line 2, value: Give the value."]);
    // Nor does it become one while its values say otherwise.
    let share = |kpi: &Value| json!({ "id": kpi["id"], "expectedVersion": kpi["version"], "aggregation": "RATIO" });
    let refused = cx.tries(UPDATE, share(&kpi)).await;
    assert_eq!(
        faults(&refused),
        ["aggregation CONFLICT FIXED_BY_MEASUREMENTS"]
    );
    for figures in [
        json!({ "value": 12, "numerator": 5 }),
        json!({ "value": 12, "denominator": 10 }),
    ] {
        let sent = json!([of(&kpi, "2025-03-01", &figures)]);
        assert_eq!(counts(&cx.records(sent).await), [0, 1, 0]);
        let refused = cx.tries(UPDATE, share(&kpi)).await;
        assert_eq!(
            faults(&refused),
            ["aggregation CONFLICT FIXED_BY_MEASUREMENTS"],
            "{figures}"
        );
    }
    for figures in [
        json!({ "value": 12 }),
        json!({ "value": 100.0 / 3.0, "numerator": 1, "denominator": 3 }),
        json!({ "value": 0, "numerator": 0, "denominator": 3 }),
    ] {
        let sent = json!([of(&kpi, "2025-03-01", &figures)]);
        cx.records(sent).await;
        let now = cx.kpi("MEAN", Value::Null).await;
        cx.does(UPDATE, share(&now)).await;
        let now = cx.kpi("MEAN", Value::Null).await;
        let back =
            json!({ "id": now["id"], "expectedVersion": now["version"], "aggregation": "AVERAGE" });
        cx.does(UPDATE, back).await;
    }
}
