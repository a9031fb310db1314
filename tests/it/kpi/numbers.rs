//! Numbers are told as they were recorded, computed without a trace of binary fractions, and never too large to add up.

use serde_json::{Value, json};

use super::{CREATE, TARGET, counts};
use crate::{ids::Ids, world::World};

const SERIES: &str = "query($input: KpiSeriesInput!) { kpiSeries(input: $input) { nodes { value state numerator denominator } } }";

#[tokio::test]
async fn what_comes_to_its_target_exactly_meets_it() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    for (key, aggregation, target, values, expected) in [
        ("AVG", "AVERAGE", 0.2, [0.1, 0.2, 0.3], 0.2),
        ("SUM", "SUM", 0.6, [0.1, 0.2, 0.3], 0.6),
        ("LARGE", "SUM", 0.3, [1e15, 0.3, -1e15], 0.3),
    ] {
        let made = json!({ "key": key, "name": key, "type": "OTHER", "unit": "CURRENCY", "currency": "DKK",
            "decimals": 1, "direction": "LOWER", "aggregation": aggregation, "cadence": "DAILY",
            "ownerDepartmentId": ids["sales"], "scope": "TRANSACTIONAL" });
        let kpi = cx.does(CREATE, made).await["kpi"]["id"].clone();
        let measurements: Vec<Value> = values
            .iter()
            .zip(1..)
            .map(|(value, day)| json!({ "kpiId": kpi, "measuredOn": format!("2025-03-0{day}"), "value": value }))
            .collect();
        assert_eq!(counts(&cx.records(json!(measurements)).await), [3, 0, 0]);
        // Of a sum every day has its share of the target.
        let of_day = if aggregation == "SUM" {
            target / 3.0
        } else {
            target
        };
        cx.does(
            TARGET,
            json!({ "kpiId": kpi, "validFrom": "2025-01-01", "value": of_day }),
        )
        .await;
        let range = json!({ "from": "2025-03-01", "to": "2025-04-01" });
        let asked = json!({ "kpis": [key], "grain": "MONTH", "timeRange": range });
        let answer = cx.ask(SERIES, json!({ "input": asked })).await;
        let point = &answer["kpiSeries"]["nodes"][0];
        assert_eq!(
            (&point["value"], &point["state"]),
            (&json!(expected), &json!("MET")),
            "{answer}"
        );
        let feed =
            format!("/bi/v1/kpi_series.csv?grain=month&from=2025-03-01&to=2025-04-01&kpi={key}");
        let answer = cx.feeds(&feed).await;
        let text = answer.text();
        assert!(text.contains(&format!(",{expected},")), "{text}");
    }
}

/// Every question about a day is refused for a year that people cannot have meant, and no answer has a day without
/// four digits.
#[tokio::test]
async fn days_have_years_of_four_digits() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let told = "A day lies between the years 1900 and 2999.";
    for day in ["1899-12-31", "3000-01-01", "9999-12-31"] {
        for asked in [
            "kpi(by: { key: \"PRICE\" }) { trend(asOf: DAY) { points { periodEnd } } }",
            "kpi(by: { key: \"PRICE\" }) { latest(asOf: DAY) { value } }",
            "kpi(by: { key: \"PRICE\" }) { freshness(asOf: DAY) { state } }",
            "kpis(filter: { states: [MET], asOf: DAY }) { nodes { id } }",
            "department(by: { key: \"sales\" }) { scorecard(asOf: DAY) { kpis } }",
            "department(by: { key: \"sales\" }) { kpis(asOf: DAY) { nodes { id } } }",
            "blueprint(by: { key: \"open\" }) { findings(asOf: DAY) { findings { code } } }",
            "kpiSeries(input: { grain: MONTH, timeRange: { from: DAY, to: DAY } }) { nodes { value } }",
        ] {
            let document = format!("{{ {} }}", asked.replace("DAY", &format!("\"{day}\"")));
            let answer = cx.send(&document, json!({})).await;
            let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains(told), "{document}: {answer}");
        }
        for path in [
            format!("/bi/v1/dates.csv?from={day}&to={day}"),
            format!("/bi/v1/kpi_series.csv?grain=year&from={day}&to={day}"),
            format!("/blueprints/open.svg?asOf={day}"),
        ] {
            let answer = cx.feeds(&path).await;
            assert_eq!(answer.status, 400, "{path}");
            assert!(answer.text().contains(told), "{path}: {}", answer.text());
        }
    }
    let last =
        "{ kpi(by: { key: \"PRICE\" }) { trend(asOf: \"2999-12-31\") { points { periodEnd } } } }";
    let answer = cx.ask(last, json!({})).await;
    let points = answer["kpi"]["trend"]["points"].as_array().expect("points");
    assert_eq!(points.last().expect("a point")["periodEnd"], "3000-01-01");
}

#[tokio::test]
async fn a_number_comes_back_as_it_was_sent() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let made = json!({ "key": "EXACT", "name": "Exact", "type": "OTHER", "unit": "CURRENCY", "currency": "DKK",
        "direction": "HIGHER", "aggregation": "LAST", "cadence": "DAILY", "ownerDepartmentId": ids["sales"],
        "scope": "TRANSACTIONAL" });
    let kpi = cx.does(CREATE, made).await["kpi"]["id"].clone();
    let kpi = kpi.as_str().expect("an id");
    for number in [
        "62.572030410805404",
        "31.645569620253166",
        "0.1",
        "5e-324",
        "-999999999999999.9",
        "123456789.12345679",
    ] {
        let value: f64 = number.parse().expect("a number");
        let sent = json!([{ "kpiId": kpi, "measuredOn": "2025-03-01", "value": value }]);
        let counted = counts(&cx.records(sent).await);
        assert_eq!(counted[2], 0, "{number}");
        // The same in the document itself, and in a sheet.
        let literal = format!(
            "mutation {{ kpiMeasurementsRecord(input: {{ measurements: [{{ kpiId: \"{kpi}\", measuredOn: \"2025-03-01\",
                value: {number} }}] }}) {{ recorded corrected unchanged userErrors {{ field message code reason }} }} }}"
        );
        let answer = cx.ask(&literal, json!({})).await;
        assert_eq!(
            counts(&answer["kpiMeasurementsRecord"]),
            [0, 0, 1],
            "{number}"
        );
        let sheet = format!("kpi,measured_on,value\nEXACT,2025-03-01,{number}\n");
        assert_eq!(cx.brings("", sheet).await, [1, 0, 0, 1], "{number}");
        let asked = "{ kpi(by: { key: \"EXACT\" }) { latest(asOf: \"2025-03-01\") { value } } }";
        let answer = cx.ask(asked, json!({})).await;
        assert_eq!(
            answer["kpi"]["latest"]["value"].as_f64(),
            Some(value),
            "{number}"
        );
    }
    for number in [1.1e15, -1e16, 1.7e308] {
        let sent = json!([{ "kpiId": kpi, "measuredOn": "2025-03-02", "value": number }]);
        let faults = cx.faults(sent).await;
        assert_eq!(
            faults,
            ["measurements.0.value INVALID OUT_OF_RANGE"],
            "{number}"
        );
        let aimed = json!({ "kpiId": kpi, "validFrom": "2025-01-01", "value": number });
        let answer = cx.tries(TARGET, aimed).await;
        assert_eq!(
            super::faults(&answer),
            ["value INVALID OUT_OF_RANGE"],
            "{number}"
        );
    }
}
