//! Sets that are opened by their names, and series that a filter does not change.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use cx_blueprint::bi::catalogue;
use serde_json::Value;

use super::encoded;
use crate::{bi::YEAR, world::World};

/// Whatever a program asks for first, the bare name of a set, is answered.
#[tokio::test]
async fn every_set_opens_by_its_name() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    for dataset in catalogue::ALL {
        let name = dataset.name;
        for path in [
            name.to_owned(),
            format!("{name}?$top=1000"),
            format!("{name}/$count"),
        ] {
            let answer = bea.odata(&path, &[]).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        }
        let (rows, _) = bea.odata_rows(name, 1_000).await;
        let lines = bea.lines(&format!("/bi/v1/{name}.ndjson")).await;
        assert_eq!(rows, lines, "{name}");
    }
    let all = bea.lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}")).await;
    let opened = bea.lines("/bi/v1/kpi_facts.ndjson").await;
    assert_eq!(
        (opened.len(), &opened),
        (360, &all),
        "everything that was measured"
    );
    let dates = bea.lines("/bi/v1/dates.ndjson").await;
    let today = world.clock.day_of_moment(world.clock.now()).to_string();
    let first = all
        .iter()
        .filter_map(|row| row["measured_on"].as_str())
        .min();
    assert_eq!(dates[0]["day"].as_str(), first);
    assert_eq!(dates.last().expect("a day")["day"], today.as_str());
}

/// A filter on `period_start` chooses periods, and reads each of them whole.
#[tokio::test]
async fn a_filter_never_changes_the_values_of_a_series() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let days = "period_start ge 2024-01-01 and period_start lt 2027-01-01";
    for (set, options) in [
        ("kpi_series", "&grain=quarter&by=kpi,touchpoint"),
        ("kpi_series", ""),
        ("kpi_series_month", ""),
        ("kpi_series_month", "&by=kpi,touchpoint"),
        ("kpi_series_quarter", "&by=kpi,department"),
        ("kpi_series_year", ""),
    ] {
        let rows = async |filter: &str| {
            let (rows, _) = bea
                .odata_rows(&format!("{set}?$filter={}{options}", encoded(filter)), 500)
                .await;
            rows
        };
        let all = rows(days).await;
        assert!(all.len() > 10, "{set}{options}: {}", all.len());
        let starts: BTreeSet<&str> = all
            .iter()
            .filter_map(|row| row["period_start"].as_str())
            .collect();
        let starts: Vec<&str> = starts.into_iter().collect();
        let (first, last) = (starts[0], starts[starts.len() - 1]);
        let listed = starts.join(",");
        let beyond = last[..8].to_owned() + "15";
        for (filter, chosen) in [
            (format!("period_start eq {last}"), vec![last]),
            (format!("period_start in ({listed})"), starts.clone()),
            (
                format!("period_start ge {first} and period_start le {last}"),
                starts.clone(),
            ),
            (
                format!("period_start ge {first} and period_start lt {last}"),
                starts[..starts.len() - 1].to_vec(),
            ),
            (
                format!("period_start gt {first} and period_start le {beyond}"),
                starts[1..].to_vec(),
            ),
            (format!("period_start ge {first}"), starts.clone()),
            (
                format!("period_start eq {first} or period_start eq {last}"),
                vec![first, last],
            ),
            (
                format!("period_start gt {last} and period_start lt {last}"),
                vec![],
            ),
        ] {
            let found = rows(&filter).await;
            let chosen =
                |row: &&Value| chosen.contains(&row["period_start"].as_str().expect("a day"));
            let expected: Vec<Value> = all.iter().filter(chosen).cloned().collect();
            assert_eq!(found, expected, "{set}{options}: {filter}");
        }
    }
}
