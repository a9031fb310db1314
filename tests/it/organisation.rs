//! A whole organisation as one document: out, into an empty database and out again it is the same text, whatever has
//! happened to it, and its facts are the same rows.

mod hostile;
mod older;

use cx_blueprint::{
    access::Caller,
    document::{
        format,
        organisation::{self, OrganisationImportOptions, OrganisationInput},
    },
    error::Error,
};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

fn operator(world: &World) -> Caller {
    Caller::operator(world.store.clone(), world.clock.clone(), "test")
}

async fn exported(world: &World) -> String {
    let written = organisation::export_organisation(&operator(world)).await;
    serde_json::to_string_pretty(&written.expect("it is written out")).expect("JSON")
}

async fn loads(world: &World, text: &str, dry_run: bool) -> Result<(), Error> {
    let said: OrganisationInput = format::parse_document(text)?;
    organisation::import_organisation(
        &operator(world),
        &said,
        OrganisationImportOptions { dry_run },
    )
    .await
}

/// The document, into an empty database and out again.
async fn again(text: &str) -> (World, String) {
    let other = World::new().await;
    let loaded = loads(&other, text, false).await;
    loaded.unwrap_or_else(|error| panic!("{error:?} of {text}"));
    let text = exported(&other).await;
    (other, text)
}

/// Every fault, with its place.
fn faults(error: Error) -> Vec<String> {
    let faults = error.into_user_errors().expect("faults of the document");
    let told = faults
        .into_iter()
        .map(|fault| format!("{}: {}", fault.field.join("."), fault.message));
    told.collect()
}

/// The rows of facts by keys, in no order.
async fn facts(actor: &Actor<'_>) -> Vec<String> {
    let document = "query($after: String) { kpiFacts(first: 200, after: $after) { pageInfo { hasNextPage endCursor } nodes {
        kpiKey measuredOn value target state blueprintKey phaseName touchpointKey departmentKey role rowWeight } } }";
    let mut rows = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = actor.ask(document, json!({ "after": after })).await["kpiFacts"].take();
        let nodes = page["nodes"].as_array().expect("rows").iter();
        rows.extend(nodes.map(ToString::to_string));
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    rows.sort();
    rows
}

/// An ADMIN and an analyst in a database that holds an organisation and nobody.
async fn analyst(world: &World) -> Actor<'_> {
    use cx_blueprint::account::{self, AccountCreateInput};
    let input = AccountCreateInput {
        id: None,
        key: Some("somebody".to_owned()),
        name: "Somebody".to_owned(),
        role: entity::words::OrganisationRole::Analyst,
        service: false,
        password: Some(crate::world::PASSWORD.to_owned()),
    };
    account::create(&operator(world), input)
        .await
        .expect("an account");
    world.sign_in_anew("somebody").await
}

#[tokio::test]
async fn the_demo_comes_out_as_it_went_in_and_gives_the_same_facts() {
    let world = World::demo().await;
    let text = exported(&world).await;
    let (other, twice) = again(&text).await;
    assert_eq!(text, twice);
    for person in ["ann-cx", "jon-lead-aftersales"] {
        assert!(!text.contains(person), "no people: {person}");
    }
    let bea = world.sign_in("bea-analyst").await;
    let rows = facts(&bea).await;
    assert_eq!(rows.len(), 360);
    assert_eq!(rows, facts(&analyst(&other).await).await);
}

#[tokio::test]
async fn what_has_happened_to_an_organisation_comes_along() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    live(&ann, &ids).await;
    let text = exported(&world).await;
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let rental = document["blueprints"]
        .as_array()
        .expect("blueprints")
        .iter()
        .find(|one| one["document"]["key"] == "bp-rental")
        .expect("the rental");
    let of = |status: &str| {
        let held = rental["responsibilities"].as_array().expect("handshakes");
        held.iter().filter(|held| held["status"] == status).count()
    };
    assert!(of("ENDED") > 0 && of("DECLINED") > 0, "history is there");
    assert_eq!(rental["publications"].as_array().map(Vec::len), Some(2));
    let copy = document["blueprints"].as_array().and_then(|all| all.last());
    let copied_from = &copy.expect("a copy")["copiedFrom"];
    assert_eq!(copied_from["blueprint"], "bp-rental");
    assert_eq!(copied_from["touchpoints"]["R01"], "R01");
    let (other, twice) = again(&text).await;
    assert_eq!(text, twice);
    let (rows, same) = (facts(&ann).await, facts(&analyst(&other).await).await);
    let differ = |left: &[String], right: &[String]| {
        let only = left.iter().filter(|row| !right.contains(row));
        only.cloned().collect::<Vec<_>>()
    };
    assert_eq!(differ(&rows, &same), differ(&same, &rows));
    assert_eq!(rows.len(), same.len());
}

/// Some of everything that can happen to an organisation.
async fn live(ann: &Actor<'_>, ids: &Ids) {
    let propose =
        "mutation($input: ResponsibilityProposeInput!) { responsibilityPropose(input: $input) {
        responsibility { id version } userErrors { code message } } }";
    let accept = "mutation($input: ResponsibilityAcceptInput!) { responsibilityAccept(input: $input) { userErrors { code message } } }";
    let decline = "mutation($input: ResponsibilityDeclineInput!) { responsibilityDecline(input: $input) { userErrors { code message } } }";
    let offer = |department: &str| json!({ "touchpointId": ids["R07"], "departmentId": ids[department], "role": "ACCOUNTABLE", "tasks": ["calls back"] });
    for (department, answer) in [
        ("r-support", accept),
        ("r-fleet", accept),
        ("r-web", decline),
    ] {
        let hal = ann.world.sign_in("hal-cx").await;
        let made = hal.does(propose, offer(department)).await["responsibility"].take();
        let mut input = json!({ "id": made["id"], "expectedVersion": made["version"] });
        if answer == decline {
            input["reason"] = json!("not ours, says \"web\"");
        }
        ann.does(answer, input).await;
    }
    ann.does(propose, offer("r-station")).await;
    let publish = "mutation($input: BlueprintPublishInput!) { blueprintPublish(input: $input) { userErrors { code message } } }";
    ann.does(
        publish,
        json!({ "id": ids["bp-rental"], "expectedVersion": 1, "label": "Second" }),
    )
    .await;
    let rename = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { code } } }";
    ann.does(
        rename,
        json!({ "id": ids["R02"], "expectedVersion": 1, "name": "=Compares, «carefully»\u{a0}" }),
    )
    .await;
    let copy = "mutation($input: BlueprintCopyInput!) { blueprintCopy(input: $input) { userErrors { code } } }";
    ann.does(
        copy,
        json!({ "blueprintId": ids["bp-rental"], "title": "I rent, one day" }),
    )
    .await;
    let tried = "mutation($input: EvaluationCreateInput!) { evaluationCreate(input: $input) { userErrors { code } } }";
    ann.does(
        tried,
        json!({ "touchpointId": ids["R03"], "heldOn": "2025-03-01", "byName": "Åse Ærlig" }),
    )
    .await;
    let record = "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { userErrors { code message } } }";
    let value = |on: &str, value: f64| json!({ "kpiId": ids["KR1"], "touchpointId": ids["R03"], "measuredOn": on, "value": value, "source": "till" });
    ann.does(
        record,
        json!({ "measurements": [value("2025-02-01", 12.5)] }),
    )
    .await;
    ann.does(
        record,
        json!({ "measurements": [value("2025-02-01", 0.1), value("2025-02-02", 1e-9)] }),
    )
    .await;
    let archive =
        "mutation($input: AtVersionInput!) { kpiArchive(input: $input) { userErrors { code } } }";
    ann.does(archive, json!({ "id": ids["KE1"], "expectedVersion": 1 }))
        .await;
}

#[tokio::test]
async fn an_organisation_is_loaded_whole_or_not_at_all() {
    let world = World::new().await;
    let text = exported(&World::small().await).await;
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let bad = |change: &dyn Fn(&mut Value)| {
        let mut document = document.clone();
        change(&mut document);
        document.to_string()
    };
    let nothing = exported(&world).await;
    let cases: [(&str, String, &[&str]); 13] = [
        (
            "another kind",
            bad(&|it| it["format"] = json!("cx-blueprint/blueprint@1")),
            &["format: This reads"],
        ),
        (
            "an unknown field",
            bad(&|it| it["rows"] = json!([])),
            &["rows: There is no field `rows`; there are `format`, "],
        ),
        (
            "a wrong type",
            bad(&|it| it["kpis"][0]["decimals"] = json!("two")),
            &[
                "kpis.0.decimals: This takes a whole number from -2147483648 to 2147483647, not \"two\".",
            ],
        ),
        (
            "a second 60",
            bad(&|it| it["departments"][0]["archivedAt"] = json!("2016-12-31T23:59:60Z")),
            &["departments.0.archivedAt: This is not a moment such as 2026-11-22T09:30:00Z"],
        ),
        (
            "a day that only some programs read",
            bad(&|it| it["kpis"][0]["targets"][0]["validFrom"] = json!("+2025-01-01")),
            &["kpis.0.targets.0.validFrom: This is not a day such as 2026-11-22"],
        ),
        (
            "a circle",
            bad(&|it| it["departments"][0]["parent"] = it["departments"][2]["key"].clone()),
            &[
                "departments.0.parent: A department cannot",
                "departments.1.parent",
                "departments.2.parent",
            ],
        ),
        (
            "a key twice",
            bad(&|it| it["channels"][1]["key"] = it["channels"][0]["key"].clone()),
            &["channels.1.key: The key \"PHONE\" is taken at channels.0.key."],
        ),
        (
            "a warning on the better side",
            bad(&|it| it["kpis"][0]["targets"][0]["warning"] = json!(0)),
            &["kpis.0.targets.0.warning"],
        ),
        (
            "a day to come",
            bad(&|it| it["kpis"][0]["measurements"][0]["measuredOn"] = json!("2999-01-01")),
            &["kpis.0.measurements.0.measuredOn"],
        ),
        (
            "no such channel",
            bad(&|it| it["kpis"][0]["measurements"][0]["channel"] = json!("FAX")),
            &["kpis.0.measurements.0.channel: There is no channel \"FAX\""],
        ),
        (
            "two accountable at once, and a step that is not there",
            bad(&|it| {
                let held = it["blueprints"][0]["responsibilities"]
                    .as_array_mut()
                    .expect("handshakes");
                let mut second = held
                    .iter()
                    .find(|held| held["role"] == "ACCOUNTABLE" && held["status"] == "ACCEPTED")
                    .expect("one")
                    .clone();
                second["department"] = json!("board");
                held.push(second);
                it["blueprints"][1]["document"]["transitions"] =
                    json!([{ "from": "nowhere", "end": "EXIT", "kind": "EXIT" }]);
            }),
            &[
                "One department is accountable at a time",
                "blueprints.1.document.transitions.0.from",
            ],
        ),
        (
            "an end without a moment",
            bad(&|it| it["blueprints"][0]["responsibilities"][0]["status"] = json!("ENDED")),
            &[
                "blueprints.0.responsibilities.0.validTo: A responsibility that has ENDED needs its end.",
            ],
        ),
        (
            "a blueprint twice",
            bad(&|it| {
                it["blueprints"][1]["document"]["key"] =
                    it["blueprints"][0]["document"]["key"].clone()
            }),
            &["blueprints.1.document.key"],
        ),
    ];
    for (what, text, expected) in cases {
        let error = loads(&world, &text, false).await.expect_err(what);
        let told = faults(error).join("\n");
        for sentence in expected {
            assert!(told.contains(sentence), "{what}: {told}");
        }
        assert_eq!(
            exported(&world).await,
            nothing,
            "{what} leaves nothing behind"
        );
    }
    loads(&world, &text, true).await.expect("it would load");
    assert_eq!(exported(&world).await, nothing, "a dry run keeps nothing");
    loads(&world, &text, false).await.expect("it loads");
    let told = faults(loads(&world, &text, false).await.expect_err("not twice"));
    assert!(told[0].contains("is not empty"), "{told:?}");
}

#[tokio::test]
async fn what_follows_from_a_fault_is_no_fault_of_its_own() {
    let world = World::new().await;
    let text = exported(&World::small().await).await;
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    let bad = document["blueprints"]
        .as_array_mut()
        .expect("blueprints")
        .iter_mut()
        .find(|one| one["document"]["key"] == "open")
        .expect("the journey");
    bad["document"]["title"] = json!("");
    for key in ["T1", "T2", "T3"] {
        let measured = json!({ "measuredOn": "2025-01-05", "value": 1, "blueprint": "open", "touchpoint": key });
        document["kpis"][0]["measurements"]
            .as_array_mut()
            .expect("measurements")
            .push(measured);
    }
    let told = faults(
        loads(&world, &document.to_string(), false)
            .await
            .expect_err("no title"),
    );
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(".document.title"), "{told:?}");
}

/// A sequence of numbers that is the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }

    fn often(&mut self) -> bool {
        self.below(3) > 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn text(&mut self) -> String {
        let awkward = [
            "Å \"quoted\" name",
            "=1+1",
            "a, b; c | d",
            "line",
            "Ærø \u{1f600}",
            "'apostrophe",
            "tab\tin it",
            "e\u{301}",
        ];
        format!("{} {}", self.pick(&awkward), self.below(1_000))
    }

    fn moment(&mut self, year: i32) -> String {
        let (month, day) = (1 + self.below(12), 1 + self.below(28));
        format!(
            "{year}-{month:02}-{day:02}T{:02}:00:00.{:06}Z",
            self.below(24),
            self.below(1_000_000)
        )
    }

    fn number(&mut self) -> f64 {
        [0.1, -3.75, 1e-9, 12_345.678, 0.0, 1e15, 2.0 / 3.0][self.below(7)]
    }
}

/// An organisation made at random, as a document.
fn made(seed: u64) -> Value {
    let dice = &mut Dice(seed.wrapping_mul(7_919) + 17);
    let keys = |prefix: &str, count: usize| {
        (0..count)
            .map(|at| format!("{prefix}{at}"))
            .collect::<Vec<_>>()
    };
    let departments = keys("d", 2 + dice.below(6));
    // A parent may come behind its child: whoever has a higher number may be above.
    let said = departments.iter().enumerate().map(|(at, key)| {
        let parent = (at + 1 < departments.len() && dice.often()).then(|| departments[at + 1 + dice.below(departments.len() - at - 1)].clone());
        json!({ "key": key, "name": dice.text(), "kind": dice.pick(&["INTERNAL", "PARTNER"]), "parent": parent })
    });
    let mut said: Vec<Value> = said.collect();
    let gone = departments.len();
    let archived_at = dice.moment(2024);
    said.push(json!({ "key": format!("d{gone}"), "name": dice.text(), "kind": "INTERNAL", "successor": "d0", "archivedAt": archived_at }));
    let channels = keys("c", dice.below(4));
    let segments = keys("s", dice.below(3));
    let personas = keys("p", 1 + dice.below(3));
    let blueprints = keys("b", dice.below(4));
    let steps: Vec<Vec<String>> = blueprints
        .iter()
        .map(|_| keys("t", dice.below(6)))
        .collect();
    let kpis: Vec<Value> = keys("k", dice.below(5))
        .iter()
        .map(|key| {
            kpi(
                dice,
                key,
                &departments,
                (&channels, &segments),
                (&blueprints, &steps),
            )
        })
        .collect();
    json!({
        "format": organisation::FORMAT,
        "departments": said,
        "channels": channels.iter().map(|key| json!({ "key": key, "name": dice.text(), "medium": dice.pick(&["PHONE", "WEB", "OTHER"]) })).collect::<Vec<_>>(),
        "segments": segments.iter().map(|key| json!({ "key": key, "dimension": dice.text(), "value": dice.text() })).collect::<Vec<_>>(),
        "personas": personas.iter().map(|key| json!({
            "key": key, "name": dice.text(), "subject": "CUSTOMER", "context": [dice.text()], "needs": [dice.text(), dice.text()],
            "segments": segments, "maxContactsPerMonth": dice.often().then_some(3),
            "archivedAt": (!dice.often()).then(|| dice.moment(2025)),
        })).collect::<Vec<_>>(),
        "blueprints": blueprints.iter().zip(&steps).enumerate().map(|(at, (key, steps))| {
            blueprint(dice, key, steps, (&departments, &personas), (&kpis, &channels), at)
        }).collect::<Vec<_>>(),
        "kpis": kpis,
    })
}

fn kpi(
    dice: &mut Dice,
    key: &str,
    departments: &[String],
    (channels, segments): (&[String], &[String]),
    (blueprints, steps): (&[String], &[Vec<String>]),
) -> Value {
    let share = !dice.often();
    let any = |dice: &mut Dice, of: &[String]| {
        (dice.often() && !of.is_empty()).then(|| of[dice.below(of.len())].clone())
    };
    let measurements: Vec<Value> = (0..dice.below(6))
        .map(|at| {
            let blueprint = dice.below(blueprints.len());
            let touchpoint = steps.get(blueprint).and_then(|steps| any(dice, steps));
            let mut value =
                json!({ "measuredOn": format!("2025-01-{:02}", at + 1), "value": dice.number() });
            if let Some(touchpoint) = touchpoint {
                value["blueprint"] = json!(blueprints[blueprint]);
                value["touchpoint"] = json!(touchpoint);
            }
            if let Some(channel) = any(dice, channels) {
                value["channel"] = json!(channel);
            }
            if let Some(segment) = any(dice, segments) {
                value["segment"] = json!(segment);
            }
            if share {
                (value["numerator"], value["denominator"]) = (json!(1), json!(4));
                value["value"] = json!(25);
            }
            value
        })
        .collect();
    json!({
        "key": key, "name": dice.text(), "description": dice.often().then(|| dice.text()), "type": "OTHER",
        "unit": if share { "PERCENT" } else { "SCORE" }, "decimals": dice.below(4), "direction": dice.pick(&["HIGHER", "LOWER"]),
        "aggregation": if share { "RATIO" } else { dice.pick(&["LAST", "AVERAGE", "SUM"]) },
        "cadence": "DAILY", "ownerDepartment": departments[dice.below(departments.len())],
        "sensitivity": dice.pick(&["OPEN", "CONFIDENTIAL"]), "scope": "TRANSACTIONAL",
        "targets": [{ "validFrom": "2024-01-01", "value": dice.number() }, { "validFrom": "2025-01-03" }],
        "archivedAt": (!dice.often()).then(|| dice.moment(2025)), "measurements": measurements,
    })
}

fn blueprint(
    dice: &mut Dice,
    key: &str,
    steps: &[String],
    (departments, personas): (&[String], &[String]),
    (kpis, channels): (&[Value], &[String]),
    at: usize,
) -> Value {
    let owner = &departments[dice.below(departments.len())];
    let touchpoints: Vec<Value> = steps
        .iter()
        .map(|key| json!({ "key": key, "phase": dice.pick(&["one", "two"]), "name": dice.text(), "lane": dice.pick(&["CUSTOMER", "FRONTSTAGE", "SUPPORT"]),
            "channels": channels.iter().take(2).collect::<Vec<_>>(), "note": dice.often().then(|| dice.text()), "emotion": dice.below(3) }))
        .collect();
    let document = json!({
        "format": "cx-blueprint/blueprint@1", "key": key, "title": dice.text(), "ownerDepartment": owner,
        "persona": personas[dice.below(personas.len())],
        "phases": [{ "key": "one", "name": dice.text(), "stage": "BEFORE" }, { "key": "two", "name": dice.text(), "stage": "GOAL" }],
        "touchpoints": touchpoints,
        "transitions": steps.windows(2).map(|pair| json!({ "from": pair[0], "to": pair[1], "kind": "ADVANCE", "condition": dice.often().then(|| dice.text()) })).collect::<Vec<_>>(),
        "kpiLinks": steps.iter().zip(kpis).map(|(step, kpi)| json!({ "kpi": kpi["key"], "touchpoint": step, "validFrom": "2025-01-02" })).collect::<Vec<_>>(),
    });
    let mut responsibilities = Vec::new();
    for step in steps {
        let mut spells = vec![];
        for year in [2022, 2023, 2024] {
            let department = &departments[dice.below(departments.len())];
            spells.push((department, dice.moment(year)));
        }
        for (number, (department, from)) in spells.iter().enumerate() {
            let to = spells.get(number + 1).map(|(_, to)| to);
            responsibilities.push(json!({
                "touchpoint": step, "department": department, "role": "ACCOUNTABLE", "tasks": [dice.text()], "proposedAt": from, "decidedAt": from,
                "validFrom": (number > 0).then_some(from), "validTo": to, "status": if to.is_some() { "ENDED" } else { "ACCEPTED" },
                "replaces": number.checked_sub(1).map(|before| spells[before].0),
            }));
        }
        let (asked, note) = (&departments[dice.below(departments.len())], dice.text());
        responsibilities.push(json!({ "touchpoint": step, "department": asked, "role": "CONSULTED", "status": dice.pick(&["PROPOSED", "DECLINED"]),
            "proposedByDepartment": owner, "note": note, "reason": Value::Null, "proposedAt": dice.moment(2025) }));
    }
    let mut first = document.clone();
    first["title"] = json!(dice.text());
    let publications = match dice.below(3) {
        0 => json!([]),
        1 => {
            json!([{ "number": 1, "label": dice.text(), "madeAt": "2025-02-01T00:00:00Z", "document": first }])
        }
        _ => json!([
            { "number": 1, "madeAt": "2025-02-01T00:00:00Z", "document": first },
            { "madeAt": "2025-02-02T00:00:00.000001Z", "document": first },
            { "number": 2, "label": dice.text(), "madeAt": "2025-02-03T00:00:00Z", "document": document },
        ]),
    };
    let copied_from =
        (at > 0 && dice.often()).then(|| json!({ "blueprint": "b0", "phases": { "one": "two" } }));
    let status = match publications.as_array().map(Vec::len) {
        Some(0) => dice.pick(&["DRAFT", "IN_REVIEW", "PUBLISHED"]),
        _ => "PUBLISHED",
    };
    json!({ "status": status, "archivedAt": (!dice.often()).then(|| dice.moment(2025)), "copiedFrom": copied_from,
        "publications": publications, "responsibilities": responsibilities, "document": document })
}

#[tokio::test]
async fn any_organisation_comes_out_as_it_went_in() {
    let (mut blueprints, mut measured, mut copies) = (0, 0, 0);
    for seed in 0..24 {
        let (_, text) = again(&made(seed).to_string()).await;
        let (_, twice) = again(&text).await;
        assert_eq!(text, twice, "seed {seed}");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        for one in document["blueprints"].as_array().expect("blueprints") {
            blueprints += 1;
            copies += usize::from(!one["copiedFrom"].is_null());
        }
        for kpi in document["kpis"].as_array().expect("KPIs") {
            measured += kpi["measurements"].as_array().map_or(0, Vec::len);
        }
    }
    assert!(
        blueprints > 20 && measured > 50 && copies > 5,
        "{blueprints} {measured} {copies}"
    );
}
