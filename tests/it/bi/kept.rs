//! Rows that are put together in memory are those that SQL selects, whatever was written last and wherever.

use serde_json::{Value, json};

use super::in_camels;
use crate::{
    facts::{LINK, RECORD},
    handshake::{ACCEPT, END, PROPOSE},
    ids::Ids,
    kpi, publication, series, touchpoint,
    world::World,
};

const RENAME: &str = "mutation($input: DepartmentUpdateInput!) { departmentUpdate(input: $input) { userErrors { message } } }";

/// Two servers on one database, written to in turns.
struct Beside {
    servers: [World; 2],
    writes: usize,
    rows: Vec<Value>,
}

impl Beside {
    /// Does something on one of them.
    async fn does(&mut self, login: &str, mutation: &str, input: Value) -> Value {
        let writer = &self.servers[self.writes % 2];
        self.writes += 1;
        writer.sign_in(login).await.does(mutation, input).await
    }

    /// The same, and finds that it shows on both, and on a third that has kept nothing.
    async fn shows(&mut self, login: &str, mutation: &str, input: Value) -> Value {
        let done = self.does(login, mutation, input).await;
        let rows = self.pulled().await;
        assert_ne!(rows, self.rows, "{mutation} changes some row");
        self.rows = rows;
        done
    }

    async fn pulled(&self) -> Vec<Value> {
        let [one, other] = &self.servers;
        let today = one.clock.day_of_moment(one.clock.now());
        let (from, to) = ("2025-01-01", today.succ_opt().expect("a tomorrow"));
        let feed = format!("/bi/v1/kpi_facts.ndjson?from={from}&to={to}");
        let fresh = one.beside().await;
        let mut all = Vec::new();
        for login in ["cx-manager", "treasurer", "analyst"] {
            let actor = one.sign_in(login).await;
            let selected = actor.pulls(json!({ "from": from, "to": to }), 200).await;
            for server in [one, other, &fresh] {
                let lines = server.sign_in(login).await.lines(&feed).await;
                let lines: Vec<Value> = lines.iter().map(in_camels).collect();
                assert_eq!(lines, selected, "{login}");
            }
            all.extend(selected);
        }
        all
    }
}

#[tokio::test]
async fn every_write_shows_at_once_on_two_servers_and_one_that_has_just_begun() {
    let one = World::small().await;
    let ids = Ids::of(&one).await;
    let today = one.clock.day_of_moment(one.clock.now());
    let mut beside = Beside {
        servers: [one.beside().await, one],
        writes: 0,
        rows: Vec::new(),
    };
    let at = |id: &Value| json!({ "id": id, "expectedVersion": 1 });
    let with = |id: &Value, field: &str, value: Value| {
        let mut input = at(id);
        input[field] = value;
        input
    };
    let cx = "cx-manager";
    for value in [1.0, 2.0] {
        let value = json!({ "kpiId": ids["PRICE"], "measuredOn": today, "value": value });
        let recorded = json!({ "measurements": [value] });
        beside.shows(cx, RECORD, recorded).await;
    }
    let target = json!({ "kpiId": ids["PRICE"], "validFrom": today, "value": 5 });
    beside.shows(cx, kpi::TARGET, target).await;
    let link = |place: &str, id: &str| json!({ "kpiId": ids["PRICE"], place: ids[id] });
    beside.shows(cx, LINK, link("phaseId", "open/after")).await;
    let made = beside.shows(cx, LINK, link("touchpointId", "T3")).await;
    let ended = with(&made["link"]["id"], "validTo", json!(today));
    beside.shows(cx, kpi::LINK_UPDATE, ended).await;
    let offer = |touchpoint: &str| json!({ "touchpointId": ids[touchpoint], "departmentId": ids["service"], "role": "RESPONSIBLE" });
    let offered = beside.does("lead", PROPOSE, offer("T2")).await;
    let held = &offered["responsibility"]["id"];
    beside.shows("neighbour", ACCEPT, at(held)).await;
    let ended = json!({ "id": held, "expectedVersion": 2 });
    beside.shows("neighbour", END, ended).await;
    // Nobody sees what is linked and held in a draft before that is published.
    let offered = beside.does("lead", PROPOSE, offer("D1")).await;
    let held = at(&offered["responsibility"]["id"]);
    beside.does("neighbour", ACCEPT, held).await;
    beside.does(cx, LINK, link("touchpointId", "D1")).await;
    for (login, mutation, key, field, value) in [
        (cx, publication::PUBLISH, "draft", "label", json!("first")),
        (cx, kpi::UPDATE, "PRICE", "name", json!("Days")),
        ("admin", RENAME, "finance", "name", json!("Money")),
        (cx, touchpoint::RENAME, "T2", "name", json!("Asks")),
    ] {
        beside
            .shows(login, mutation, with(&json!(ids[key]), field, value))
            .await;
    }
}

#[tokio::test]
async fn many_rows_are_those_of_sql() {
    let world = World::small().await;
    series::held::prepare(&world).await;
    let days = "measured_on+ge+2025-01-01+and+measured_on+lt+2026-01-01";
    let mut most = 0;
    for login in ["cx-manager", "analyst", "neighbour"] {
        let actor = world.sign_in(login).await;
        let lines = actor
            .lines(&format!("/bi/v1/kpi_facts.ndjson?{}", super::YEAR))
            .await;
        let selected = format!("kpi_facts?$filter={days}&$orderby=measured_on");
        let (selected, _) = actor.odata_rows(&selected, 10_000).await;
        assert!(lines == selected, "{login}");
        most = most.max(lines.len());
    }
    assert!(most > 1_000, "{most} rows are no more than a batch");
}
