//! Copies that are kept by what changed alone: after whatever is done they are what a whole pull gives, or the feed
//! says that they cannot be.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use entity::{
    blueprint, department, kpi, kpi_link, kpi_target, measurement, phase, responsibility,
    touchpoint,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::YEAR;
use crate::{
    facts::{LINK, RECORD},
    ids::Ids,
    world::{Actor, World},
};

/// All days on which something is measured, today among them.
const DAYS: &str = "from=2025-01-01&to=2030-01-01";

/// A copy of a dataset that somebody keeps.
struct Copy<'w> {
    actor: Actor<'w>,
    path: String,
    rows: BTreeMap<String, Vec<Value>>,
    mark: String,
    /// How many rows came with the last pull.
    came: usize,
    /// How often everything had to be pulled again.
    again: usize,
    /// Whether they may pull nothing any more.
    ended: bool,
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn by_measurement(rows: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for row in rows {
        let id = row["measurement_id"].as_str().expect("an id").to_owned();
        all.entry(id).or_default().push(row);
    }
    all
}

impl<'w> Copy<'w> {
    async fn of(actor: Actor<'w>, dataset: &str, asked: &str) -> Self {
        let path = format!("/bi/v1/{dataset}.ndjson?{DAYS}{asked}");
        let mut copy = Self {
            actor,
            path,
            rows: BTreeMap::new(),
            mark: String::new(),
            came: 0,
            again: 0,
            ended: false,
        };
        copy.pull_all().await;
        copy
    }

    async fn pull_all(&mut self) {
        let answer = self.actor.feeds(&self.path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self.mark = answer.header("updated-until").to_owned();
        assert!(!self.mark.is_empty());
        self.rows = by_measurement(lines(answer.text()));
    }

    /// Pulls what changed, in pages of this size or at once.
    async fn catch_up(&mut self, limit: Option<u32>) -> Result<(), String> {
        let mut next = format!("{}&updated_since={}", self.path, self.mark);
        if let Some(limit) = limit {
            next = format!("{next}&limit={limit}");
        }
        let (mut rows, mut mark) = (Vec::new(), None);
        loop {
            let answer = self.actor.feeds(&next).await;
            if answer.status == StatusCode::GONE {
                let (code, message) = answer.told();
                assert_eq!(code, "PULL_AGAIN");
                assert!(message.ends_with("Pull everything again, without `updated_since`."));
                return Err(message);
            }
            if answer.status == StatusCode::FORBIDDEN {
                self.ended = true;
                return Err(answer.told().1);
            }
            assert_eq!(answer.status, StatusCode::OK, "{next}: {}", answer.text());
            rows.extend(lines(answer.text()));
            let until = answer.header("updated-until");
            assert_eq!(
                until.is_empty(),
                mark.is_some(),
                "the first page alone says it"
            );
            mark = mark.or(Some(until.to_owned()));
            let link = answer.header("link");
            match link.trim_start_matches('<').split_once(">; rel=\"next\"") {
                Some((address, _)) => next = address.to_owned(),
                None => break,
            }
        }
        self.came = rows.len();
        for id in by_measurement(rows.clone()).keys() {
            self.rows.remove(id);
        }
        let mut there: Vec<Value> = Vec::new();
        for mut row in rows {
            let told = row.as_object_mut().expect("a row");
            let deleted = told.remove("is_deleted").expect("whether it is gone");
            if deleted == json!(false) {
                there.push(row);
                continue;
            }
            told.retain(|_, cell| !cell.is_null());
            let names: Vec<&String> = told.keys().collect();
            assert_eq!(names, ["measured_on", "measurement_id"], "ids and day only");
        }
        self.rows.extend(by_measurement(there));
        self.mark = mark.expect("where it stood");
        Ok(())
    }

    /// The copy is what a whole pull gives, or was refused and begins anew.
    async fn check(&mut self, act: &str, limit: Option<u32>) -> bool {
        let refused = self.catch_up(limit).await.is_err();
        if self.ended {
            return false;
        }
        if refused {
            self.again += 1;
            self.pull_all().await;
            return false;
        }
        let whole = by_measurement(self.actor.lines(&self.path).await);
        assert_eq!(
            self.rows, whole,
            "{} after {act}: {}",
            self.actor.login, self.path
        );
        true
    }
}

/// Something that is done: its name, its input's type and what goes in.
type Act = (&'static str, &'static str, Value);

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        let (times, plus) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(times).wrapping_add(plus);
        usize::try_from(self.0 >> 33).expect("small") % below
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.next(all.len())]
    }
}

async fn act(world: &World, ids: &Ids, dice: &mut Dice, which: usize) -> Option<Act> {
    let db = world.db();
    let day = format!("2025-0{}-1{}", 1 + dice.next(6), dice.next(9));
    let number = 1 + dice.next(1_000_000);
    macro_rules! any {
        ($table:ident, $filter:expr) => {{
            let all = $table::Entity::find().filter($filter);
            let all = all
                .order_by_asc($table::Column::Id)
                .all(&db)
                .await
                .expect("rows");
            if all.is_empty() {
                return None;
            }
            dice.of(&all).clone()
        }};
    }
    let at_version = |id: String, version: i32| json!({ "id": id, "expectedVersion": version });
    let with = |mut base: Value, more: Value| {
        let more = more.as_object().expect("fields").clone();
        base.as_object_mut().expect("fields").extend(more);
        base
    };
    let open_kpi = kpi::Column::FedFrom.is_null();
    Some(match which {
        0 => {
            let kpi = any!(kpi, open_kpi);
            let place = [None, Some("T1"), Some("T2"), Some("C1"), Some("D1")];
            let place = dice.of(&place).map(|key| ids[key].clone());
            let today = world.clock.day_of_moment(world.clock.now()).to_string();
            let day = dice.of(&[day, today]).clone();
            let value = json!({ "kpiId": kpi.id.to_string(), "measuredOn": day, "value": number, "touchpointId": place });
            (
                "kpiMeasurementsRecord",
                "KpiMeasurementsRecordInput",
                json!({ "measurements": [value] }),
            )
        }
        1 => {
            let was = any!(measurement, measurement::Column::SupersededById.is_null());
            let input = json!({ "measurementId": was.id.to_string(), "value": number });
            ("kpiMeasurementCorrect", "KpiMeasurementCorrectInput", input)
        }
        2 => {
            let kpi = any!(kpi, open_kpi);
            let input =
                json!({ "kpiId": kpi.id.to_string(), "validFrom": day, "value": number % 5 });
            ("kpiTargetSet", "KpiTargetSetInput", input)
        }
        22 => {
            let target = any!(kpi_target, kpi_target::Column::ValidFrom.is_not_null());
            let input = json!({
                "kpiId": target.kpi_id.to_string(), "validFrom": target.valid_from.to_string(), "value": number % 7,
                "expectedVersion": target.version,
            });
            ("kpiTargetSet", "KpiTargetSetInput", input)
        }
        23 => {
            let target = any!(kpi_target, kpi_target::Column::ValidFrom.is_not_null());
            (
                "kpiTargetDelete",
                "AtVersionInput",
                at_version(target.id.to_string(), target.version),
            )
        }
        3 => {
            let kpi = any!(kpi, open_kpi);
            let name = json!({ "name": format!("KPI {number}") });
            (
                "kpiUpdate",
                "KpiUpdateInput",
                with(at_version(kpi.id.to_string(), kpi.version), name),
            )
        }
        4 => {
            let kpi = any!(kpi, open_kpi);
            let (field, key) = *dice.of(&[
                ("touchpointId", "T1"),
                ("touchpointId", "T3"),
                ("phaseId", "open/after"),
                ("blueprintId", "closed"),
                ("touchpointId", "D1"),
            ]);
            let input = json!({ "kpiId": kpi.id.to_string(), field: ids[key], "validFrom": day });
            ("kpiLinkCreate", "KpiLinkCreateInput", input)
        }
        5 => {
            let link = any!(kpi_link, kpi_link::Column::Id.is_not_null());
            let end = dice
                .of(&[Value::Null, Value::Null, json!("2025-12-01")])
                .clone();
            let to = json!({ "validTo": end, "validFrom": day });
            (
                "kpiLinkUpdate",
                "KpiLinkUpdateInput",
                with(at_version(link.id.to_string(), link.version), to),
            )
        }
        6 => {
            let link = any!(kpi_link, kpi_link::Column::Version.gt(1));
            (
                "kpiLinkDelete",
                "AtVersionInput",
                at_version(link.id.to_string(), link.version),
            )
        }
        7 => {
            let touchpoint = any!(touchpoint, touchpoint::Column::ArchivedAt.is_null());
            let name = json!({ "name": format!("Step {number}") });
            (
                "touchpointRename",
                "TouchpointRenameInput",
                with(
                    at_version(touchpoint.id.to_string(), touchpoint.version),
                    name,
                ),
            )
        }
        8 => {
            let phase = any!(phase, phase::Column::ArchivedAt.is_null());
            let name = json!({ "name": format!("Phase {number}") });
            (
                "phaseUpdate",
                "PhaseUpdateInput",
                with(at_version(phase.id.to_string(), phase.version), name),
            )
        }
        9 => {
            let department = any!(department, department::Column::ArchivedAt.is_null());
            let name = json!({ "name": format!("Department {number}") });
            (
                "departmentUpdate",
                "DepartmentUpdateInput",
                with(
                    at_version(department.id.to_string(), department.version),
                    name,
                ),
            )
        }
        10 => {
            let touchpoint = any!(touchpoint, touchpoint::Column::ArchivedAt.is_null());
            let department = any!(department, department::Column::ArchivedAt.is_null());
            let role = *dice.of(&["RESPONSIBLE", "CONSULTED", "ACCOUNTABLE"]);
            let input = json!({ "touchpointId": touchpoint.id.to_string(), "departmentId": department.id.to_string(), "role": role });
            ("responsibilityPropose", "ResponsibilityProposeInput", input)
        }
        11 => {
            let proposed = any!(
                responsibility,
                responsibility::Column::Status.eq("PROPOSED")
            );
            (
                "responsibilityAccept",
                "ResponsibilityAcceptInput",
                at_version(proposed.id.to_string(), proposed.version),
            )
        }
        12 => {
            let held = any!(
                responsibility,
                responsibility::Column::Status.eq("ACCEPTED")
            );
            (
                "responsibilityEnd",
                "ResponsibilityDeclineInput",
                at_version(held.id.to_string(), held.version),
            )
        }
        13 => {
            let draft = any!(blueprint, blueprint::Column::Status.eq("DRAFT"));
            (
                "blueprintPublish",
                "BlueprintPublishInput",
                at_version(draft.id.to_string(), draft.version),
            )
        }
        14 => {
            let one = any!(blueprint, blueprint::Column::Status.ne("ARCHIVED"));
            let to = json!({ "visibility": *dice.of(&["ORGANISATION", "PARTICIPANTS"]), "title": format!("Journey {number}") });
            (
                "blueprintUpdate",
                "BlueprintUpdateInput",
                with(at_version(one.id.to_string(), one.version), to),
            )
        }
        15 => {
            let kpi = any!(kpi, open_kpi);
            let to = json!({ "sensitivity": *dice.of(&["OPEN", "CONFIDENTIAL"]) });
            (
                "kpiUpdate",
                "KpiUpdateInput",
                with(at_version(kpi.id.to_string(), kpi.version), to),
            )
        }
        16 => {
            let answer = json!({ "externalId": format!("x{number}"), "scale": "NPS", "score": number % 11, "touchpointId": ids["T2"], "answeredOn": day });
            (
                "feedbackRecord",
                "FeedbackRecordInput",
                json!({ "feedback": [answer] }),
            )
        }
        17 => {
            let touchpoint = any!(touchpoint, touchpoint::Column::ArchivedAt.is_null());
            let phase = any!(
                phase,
                phase::Column::BlueprintId.eq(touchpoint.blueprint_id)
            );
            let to = json!({ "phaseId": phase.id.to_string() });
            (
                "touchpointMove",
                "TouchpointMoveInput",
                with(
                    at_version(touchpoint.id.to_string(), touchpoint.version),
                    to,
                ),
            )
        }
        18 => {
            let one = any!(touchpoint, touchpoint::Column::ArchivedAt.is_null());
            let note = json!({ "note": format!("Note {number}") });
            (
                "touchpointUpdate",
                "TouchpointUpdateInput",
                with(at_version(one.id.to_string(), one.version), note),
            )
        }
        19 if dice.next(2) > 0 => return None,
        19 => {
            let one = any!(touchpoint, touchpoint::Column::ArchivedAt.is_null());
            (
                "touchpointArchive",
                "AtVersionInput",
                at_version(one.id.to_string(), one.version),
            )
        }
        20 => {
            let gone = any!(department, department::Column::ArchivedAt.is_null());
            let heir = any!(department, department::Column::ArchivedAt.is_null());
            let input = json!({ "departments": [at_version(gone.id.to_string(), gone.version)], "successorId": heir.id.to_string() });
            ("departmentMerge", "DepartmentMergeInput", input)
        }
        _ => {
            let one = any!(blueprint, blueprint::Column::Status.eq("PUBLISHED"));
            (
                "blueprintArchive",
                "AtVersionInput",
                at_version(one.id.to_string(), one.version),
            )
        }
    })
}

const ACTS: usize = 24;
/// Acts that take much away: they come last.
const HARSH: [usize; 2] = [20, 21];
/// The copies that look after each act, so that each act is told for itself: the analyst's and the one of everything.
const ALWAYS: [usize; 2] = [0, 8];

#[tokio::test]
async fn a_copy_kept_by_what_changed_is_a_whole_pull() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let narrowed = |login| world.with_token(login, &["BI"], &["finance"]);
    let manager = world.sign_in("cx-manager").await;
    // A draft that can be published, in which something is judged.
    let alone = json!({ "id": ids["D1"], "expectedVersion": 1, "lane": "CUSTOMER" });
    let lane = "mutation($input: TouchpointLaneChangeInput!) { touchpointLaneChange(input: $input) { userErrors { message } } }";
    manager.does(lane, alone).await;
    let judged = json!({ "kpiId": ids["PRICE"], "touchpointId": ids["D1"] });
    manager.does(LINK, judged).await;
    // Who holds a role shows on the days from then on: there must be values of today.
    let today = world.clock.day_of_moment(world.clock.now()).to_string();
    let kpis = kpi::Entity::find().filter(kpi::Column::FedFrom.is_null());
    let kpis = kpis.all(&world.db()).await.expect("KPIs").into_iter();
    let values: Vec<Value> = kpis
        .map(|kpi| json!({ "kpiId": kpi.id.to_string(), "measuredOn": today, "value": 0.5 }))
        .collect();
    manager
        .does(RECORD, json!({ "measurements": values }))
        .await;
    let mut copies = Vec::new();
    for dataset in ["kpi_facts", "kpi_measurements"] {
        let analyst = world.sign_in("analyst").await;
        copies.push(Copy::of(analyst, dataset, "").await);
        copies.push(Copy::of(world.sign_in("lead").await, dataset, "").await);
        copies.push(Copy::of(narrowed("chair").await, dataset, "").await);
        let cx = world.sign_in("cx-manager").await;
        copies.push(Copy::of(cx, dataset, "&state=MISSED").await);
    }
    copies.push(
        Copy::of(
            world.sign_in("cx-manager").await,
            "kpi_facts",
            "&uncounted=true",
        )
        .await,
    );
    let actors = [
        world.sign_in("cx-manager").await,
        world.sign_in("admin").await,
    ];
    let mut dice = Dice(11);
    let (mut done, mut caught_up) = ([0; ACTS], 0);
    let gentle = (0..ACTS).filter(|act| !HARSH.contains(act));
    let turns = gentle.cycle().take(220);
    for which in turns.chain(HARSH.into_iter().cycle().take(12)) {
        let Some((name, of, input)) = act(&world, &ids, &mut dice, which).await else {
            continue;
        };
        let document = format!(
            "mutation($input: {of}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}"
        );
        let actor = &actors[usize::from(name.starts_with("department"))];
        let errors = actor.tries(&document, input).await;
        if errors["userErrors"] != json!([]) {
            continue;
        }
        done[which] += 1;
        // The others look now and then, after several.
        let several = dice.next(3) > 0 && which != 13 && !HARSH.contains(&which);
        let looking = |at: usize| !several || ALWAYS.contains(&at);
        let looking = copies.iter_mut().enumerate().filter(|(at, _)| looking(*at));
        for (_, copy) in looking.filter(|(_, copy)| !copy.ended) {
            let limit = [None, Some(1), Some(3)][dice.next(3)];
            caught_up += usize::from(copy.check(name, limit).await);
        }
    }
    let again: Vec<usize> = copies.iter().map(|copy| copy.again).collect();
    eprintln!("done {done:?}, caught up {caught_up}, pulled again {again:?}");
    assert!(done.iter().all(|times| *times > 0), "{done:?}");
    assert!(
        caught_up > 10 * again.iter().sum::<usize>(),
        "{caught_up} {again:?}"
    );
}

#[tokio::test]
async fn one_new_value_is_told_alone_and_an_import_is_refused() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let mut copy = Copy::of(world.sign_in("analyst").await, "kpi_facts", "").await;
    let value = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-05-05", "value": 0.25 });
    cx.does(RECORD, json!({ "measurements": [value] })).await;
    assert!(copy.check("one value", None).await);
    let one = copy
        .rows
        .values()
        .find(|rows| rows[0]["measured_on"] == "2025-05-05");
    assert_eq!(copy.came, one.expect("its rows").len());
    assert!(copy.check("nothing", None).await);
    assert_eq!(copy.came, 0);
    let other = World::small().await;
    let elsewhere = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-05-06", "value": 0.5 });
    let manager = other.sign_in("cx-manager").await;
    manager
        .does(RECORD, json!({ "measurements": [elsewhere] }))
        .await;
    let stranger = Copy::of(other.sign_in("analyst").await, "kpi_facts", "").await;
    copy.mark = stranger.mark;
    assert!(
        copy.catch_up(None).await.is_err(),
        "another database's mark"
    );
}

#[tokio::test]
async fn whoever_may_see_something_else_now_pulls_everything_again() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let (cx, admin) = (
        world.sign_in("cx-manager").await,
        world.sign_in("admin").await,
    );
    let there = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-05-05", "value": 0.25, "touchpointId": ids["C1"] });
    cx.does(RECORD, json!({ "measurements": [there] })).await;
    let close = "mutation($input: BlueprintUpdateInput!) { blueprintUpdate(input: $input) { userErrors { message } } }";
    let closed =
        |version, to| json!({ "id": ids["closed"], "expectedVersion": version, "visibility": to });
    cx.does(close, closed(1, "ORGANISATION")).await;
    let mut copies = Vec::new();
    for login in ["analyst", "lead", "neighbour", "treasurer"] {
        copies.push(Copy::of(world.sign_in(login).await, "kpi_measurements", "").await);
    }
    cx.does(close, closed(2, "PARTICIPANTS")).await;
    let mut again = Vec::new();
    for copy in &mut copies {
        if !copy.check("its blueprint was closed", None).await {
            again.push(copy.actor.login.clone());
        }
    }
    assert_eq!(again, ["lead", "treasurer"], "who does not take part in it");
    let lead = &mut copies[1];
    let more = json!({ "accountId": ids["lead"], "departmentId": ids["finance"], "role": "LEAD" });
    let grant = "mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) { userErrors { message } } }";
    admin.does(grant, more).await;
    let refused = lead.catch_up(None).await.expect_err("more rows");
    assert!(refused.starts_with("Your permissions have changed since."));
    assert!(copies[0].check("somebody else leads more", None).await);
}

#[tokio::test]
async fn what_changed_is_asked_for_where_that_is_known() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    for (path, says) in [
        (
            format!("kpi_facts.csv?{YEAR}&updated_since=2025-01-01"),
            "of an earlier answer",
        ),
        ("kpis.csv?updated_since=AAAA".to_owned(), "it takes columns"),
        (
            "kpi_measurements.csv?columns=value&updated_since=AAAA".to_owned(),
            "have measurement_id among them",
        ),
    ] {
        let answer = analyst.feeds(&format!("/bi/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.told().1.contains(says), "{}", answer.text());
    }
}
