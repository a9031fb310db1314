//! Documents that are wrong: each is told in sentences with the places of its faults, and nothing of it is written.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};

use crate::{
    document::{IMPORT, document, known, rental, with},
    world::{Actor, World, read},
};

/// The lists of a document.
const LISTS: [&str; 11] = [
    "phases",
    "touchpoints",
    "transitions",
    "responsibilities",
    "kpiLinks",
    "scenarios",
    "sources",
    "insights",
    "promises",
    "evaluations",
    "improvements",
];

/// What was said against a document: place, code and sentence of each fault.
async fn told(actor: &Actor<'_>, document: &Value) -> Vec<(String, String, String)> {
    let answer = actor.tries(IMPORT, json!({ "document": document })).await;
    assert_eq!(answer["changes"], json!([]));
    let faults = answer["userErrors"].as_array().expect("faults").iter();
    faults
        .map(|fault| {
            let path = fault["field"].as_array().expect("a path").iter();
            let path: Vec<&str> = path.map(|part| part.as_str().expect("a part")).collect();
            let word = |field: &str| fault[field].as_str().expect("a word").to_owned();
            (path.join("."), word("code"), word("message"))
        })
        .collect()
}

/// The places and codes alone, in order.
async fn places(actor: &Actor<'_>, document: &Value) -> Vec<String> {
    let mut places: Vec<String> = told(actor, document)
        .await
        .into_iter()
        .map(|(path, code, _)| format!("{path} {code}"))
        .collect();
    places.sort();
    places
}

/// A journey with something in each of its lists, as it is written out; and a place in it of every kind.
async fn whole(actor: &Actor<'_>) -> (Value, Vec<String>) {
    actor.does(IMPORT, known()).await;
    let mut whole = document(actor, "bp-rental").await;
    for list in LISTS {
        let parts = whole[list].as_array_mut().expect("a list");
        assert!(!parts.is_empty(), "{list}");
        parts.truncate(2);
    }
    let mut places = Vec::new();
    walk(&whole, "", &mut places);
    (whole, places)
}

fn walk(value: &Value, path: &str, places: &mut Vec<String>) {
    let below = |name: &str| format!("{path}/{name}");
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| walk(value, &below(name), places)),
        Value::Array(list) => list
            .iter()
            .take(1)
            .for_each(|value| walk(value, &below("0"), places)),
        _ => {}
    }
    if !path.is_empty() {
        places.push(path.to_owned());
    }
}

#[tokio::test]
async fn a_wrong_type_at_any_place_is_told_with_the_place() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let (whole, places) = whole(&ann).await;
    let before = document(&ann, "bp-rental").await;
    assert!(places.len() > 100, "every field of every list");
    for place in places {
        let mut wrong = whole.clone();
        let here = wrong.pointer_mut(&place).expect("a place");
        // No field takes this, whatever it takes.
        *here = json!({ "nothing": ["of", "the", "kind"] });
        let faults = told(&ann, &wrong).await;
        // A part that is something else altogether lacks what it needs besides.
        let (missing, other): (Vec<_>, Vec<_>) = faults
            .iter()
            .partition(|(_, _, sentence)| sentence.ends_with(" is missing."));
        let first = other.first().or(missing.first());
        let Some((path, code, sentence)) = first.filter(|_| other.len() <= 1) else {
            panic!("{place}: {faults:?}");
        };
        let place = place.trim_start_matches('/').replace('/', ".");
        assert!(
            path.starts_with(&place),
            "{place} is wrong, and {path}: {sentence}"
        );
        assert_eq!(code, "INVALID", "{place}");
        assert!(sentence.ends_with('.') && sentence.len() > 10, "{sentence}");
    }
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn every_field_that_is_missing_is_told_with_its_place() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let (whole, _) = whole(&ann).await;
    let mut missing = Vec::new();
    for list in LISTS {
        // Each field that a part cannot be without, all of them at once, beside a sound part.
        let mut bare = json!({ "format": whole["format"], "key": whole["key"] });
        bare[list] = json!([whole[list][0], {}, {}]);
        let faults = told(&ann, &bare).await;
        assert!(!faults.is_empty(), "{list}: something is needed");
        let (second, third): (Vec<_>, Vec<_>) = faults
            .iter()
            .partition(|(path, _, _)| path.starts_with(&format!("{list}.1.")));
        let field =
            |fault: &&(String, String, String)| fault.0.rsplit('.').next().map(str::to_owned);
        let fields: Vec<_> = second.iter().filter_map(field).collect();
        assert_eq!(
            fields,
            third.iter().filter_map(field).collect::<Vec<_>>(),
            "{list}"
        );
        for (path, code, sentence) in &faults {
            let field = path.rsplit('.').next().expect("a field");
            assert_eq!(
                sentence,
                &format!("The field `{field}` is missing."),
                "{path}"
            );
            assert_eq!(code, "INVALID");
        }
        // One at a time, the same are told.
        for (name, _) in whole[list][0].as_object().expect("a part") {
            let mut without = bare.clone();
            without[list] = json!([whole[list][0]]);
            without[list][0]
                .as_object_mut()
                .expect("a part")
                .remove(name);
            let input = json!({ "document": without, "dryRun": true });
            let lacks = ann.tries(IMPORT, input).await["userErrors"].to_string();
            let is_told = lacks.contains(" is missing.");
            assert_eq!(is_told, fields.contains(name), "{list}.{name}: {lacks}");
        }
        missing.extend(fields.into_iter().map(|field| format!("{list}.{field}")));
    }
    assert!(missing.len() >= 14, "{missing:?}");
}

#[tokio::test]
async fn whole_numbers_may_be_written_with_a_fraction_of_nothing() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let emotion =
        |number: Value| rental(json!({ "touchpoints": [{ "key": "R02", "emotion": number }] }));
    for whole in [json!(2.0), json!(-1e0), json!(-0.0)] {
        ann.does(IMPORT, emotion(whole.clone())).await;
        let now = document(&ann, "bp-rental").await;
        let touchpoints = now["touchpoints"].as_array().expect("touchpoints").iter();
        let said = touchpoints
            .clone()
            .find(|one| one["key"] == "R02")
            .expect("R02");
        assert_eq!(
            said["emotion"].as_f64(),
            whole.as_f64().map(|zero| zero + 0.0),
            "{whole}"
        );
    }
    for other in [json!(2.5), json!(1e300)] {
        let document = emotion(other)["document"].take();
        assert_eq!(
            places(&ann, &document).await,
            ["touchpoints.0.emotion INVALID"]
        );
    }
}

#[tokio::test]
async fn days_outside_of_the_calendar_are_told() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for day in ["0000-01-01", "1899-12-31", "3000-01-01", "9999-12-31"] {
        let wrong = rental(json!({
            "nextReviewOn": day,
            "sources": [{ "title": "of old", "kind": "INTERVIEW", "heldOn": day, "planned": true }],
            "improvements": [{ "key": "N9", "title": "x", "ownerDepartment": "r-station", "targetOn": day }],
        }));
        assert_eq!(
            places(&ann, &wrong["document"]).await,
            [
                "improvements.0.targetOn INVALID",
                "nextReviewOn INVALID",
                "sources.0.heldOn INVALID"
            ],
            "{day}"
        );
    }
}

#[tokio::test]
async fn keys_that_lead_nowhere_are_told_all_at_once() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    ann.does(IMPORT, known()).await;
    let before = document(&ann, "bp-rental").await;
    let x = "no-such";
    let wrong = rental(json!({
        "persona": x, "ownerDepartment": x, "secondaryPersonas": [x],
        "touchpoints": [{ "key": "R02", "phase": x, "channels": ["WEB", x], "audience": [x] }],
        "transitions": [{ "from": x, "to": "R03", "kind": "LOOP" }, { "from": "R03", "to": x, "kind": "LOOP" }],
        "responsibilities": [{ "touchpoint": x, "department": x, "role": "INFORMED", "person": x }],
        "kpiLinks": [{ "touchpoint": x, "kpi": x }, { "phase": x, "kpi": "KB3" }],
        "scenarios": [{ "name": "Never", "kind": "VARIANT", "touchpoints": ["R02", x] }],
        "insights": [
            { "key": "Q9", "kind": "QUESTION", "text": "?", "touchpoint": x, "answeredBy": x, "sources": [x], "persona": x },
            { "key": "Q8", "kind": "QUESTION", "text": "?", "phase": x },
        ],
        "promises": [{ "key": "P9", "touchpoint": x, "text": "a car", "deliveredAt": ["R02", x] }],
        "evaluations": [{ "touchpoint": x, "heldOn": "2025-01-01", "byAccount": x, "conflictsWith": x,
                          "verdicts": [{ "need": x, "verdict": "MEETS" }] }],
        "improvements": [{ "key": "N9", "title": "x", "ownerDepartment": x, "touchpoints": [x], "kpis": [x] }],
    }));
    let mut expected = [
        "persona",
        "ownerDepartment",
        "secondaryPersonas.0",
        "touchpoints.0.phase",
        "touchpoints.0.channels.1",
        "touchpoints.0.audience.0",
        "transitions.0.from",
        "transitions.1.to",
        "responsibilities.0.touchpoint",
        "responsibilities.0.department",
        "responsibilities.0.person",
        "kpiLinks.0.touchpoint",
        "kpiLinks.0.kpi",
        "kpiLinks.1.phase",
        "scenarios.0.touchpoints.1",
        "insights.0.touchpoint",
        "insights.0.answeredBy",
        "insights.0.sources.0",
        "insights.0.persona",
        "insights.1.phase",
        "promises.0.touchpoint",
        "promises.0.deliveredAt.1",
        "evaluations.0.touchpoint",
        "evaluations.0.byAccount",
        "evaluations.0.conflictsWith",
        "evaluations.0.verdicts.0.need",
        "improvements.0.ownerDepartment",
        "improvements.0.touchpoints.0",
        "improvements.0.kpis.0",
    ]
    .map(|path| format!("{path} NOT_FOUND"));
    expected.sort();
    let mut faults = places(&ann, &wrong["document"]).await;
    // What hangs on a touchpoint that is not there is not judged further, but for where it stands.
    faults.retain(|fault| fault.ends_with("NOT_FOUND"));
    assert_eq!(faults, expected);
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn what_is_there_twice_is_told_where_it_may_not_be() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let (whole, _) = whole(&ann).await;
    let before = document(&ann, "bp-rental").await;
    for list in LISTS {
        let first = whole[list][0].clone();
        let mut again = first.clone();
        if let Some(key) = first["key"].as_str() {
            again["key"] = json!(format!(" {} ", key.to_uppercase()));
        }
        let mut twice = json!({ "format": whole["format"], "key": whole["key"] });
        twice[list] = json!([first, again]);
        if list == "evaluations" {
            // One trial may be as another.
            let input = json!({ "document": twice, "dryRun": true });
            assert!(count(&ann.does(IMPORT, input).await) > 0, "{list}");
        } else {
            assert_eq!(
                places(&ann, &twice).await,
                [format!("{list}.1 DUPLICATE")],
                "{list}"
            );
        }
        assert_eq!(document(&ann, "bp-rental").await, before);
    }
}

fn count(answer: &Value) -> usize {
    answer["changes"].as_array().expect("changes").len()
}

#[tokio::test]
async fn nothing_leads_to_or_answers_itself_or_in_a_circle() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    ann.does(IMPORT, known()).await;
    let before = document(&ann, "bp-rental").await;
    let asks = |key: &str, answer: &str| json!({ "key": key, "kind": "QUESTION", "text": key, "answeredBy": answer });
    let wrong = rental(json!({
        "transitions": [{ "from": "R02", "to": "r02", "kind": "LOOP" }],
        "promises": [{ "key": "P1", "touchpoint": "R03" }],
        "evaluations": [{ "touchpoint": "R02", "heldOn": "2025-01-01", "byName": "x", "messages": "CONFLICTING",
                          "conflictsWith": "R02", "conflict": "?" }],
        "insights": [asks("z", "Z"), asks("a", "b"), asks("b", "c"), asks("c", "A"), asks("d", "a"), asks("e", "A1")],
    }));
    assert_eq!(
        places(&ann, &wrong["document"]).await,
        [
            "evaluations.0.conflictsWith INVALID",
            "insights.0.answeredBy INVALID",
            "insights.1.answeredBy INVALID",
            "promises.0 INVALID",
            "transitions.0.to INVALID",
        ]
    );
    assert_eq!(document(&ann, "bp-rental").await, before);
    let half = [
        json!({ "key": "b", "kind": "QUESTION", "text": "b" }),
        asks("a", "b"),
    ];
    ann.does(IMPORT, rental(json!({ "insights": half }))).await;
    let before = document(&ann, "bp-rental").await;
    let closed = rental(json!({ "insights": [asks("b", "a")] }));
    let faults = told(&ann, &closed["document"]).await;
    assert_eq!(faults.len(), 1, "a circle is told once: {faults:?}");
    assert!(faults[0].2.contains("in a circle"), "{faults:?}");
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn numbers_days_and_texts_out_of_range_are_told() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let touchpoint = |field: &str, value: Value| {
        let mut part = json!({ "key": "R02" });
        part[field] = value;
        rental(json!({ "touchpoints": [part] }))["document"].clone()
    };
    for (field, value) in [
        ("emotion", json!(-3)),
        ("emotion", json!(1.5)),
        ("emotion", json!(i64::MAX)),
        ("employeeEmotion", json!(3)),
        ("importanceCustomer", json!(0)),
        ("importanceOrganisation", json!(6)),
        ("contactsPerMonth", json!(-0.5)),
        ("contactsPerMonth", json!("NaN")),
        ("contactsPerMonth", json!("1e3")),
        ("expectedMinutes", json!(-1)),
        ("expectedMinutes", json!(2_147_483_648_u32)),
        ("name", json!("x".repeat(10_000))),
        ("name", json!("one\nline")),
        ("name", json!("a\u{0}b")),
        ("note", json!("\u{1b}[31m")),
        ("note", json!("x".repeat(4_001))),
        ("systems", json!(vec!["x"; 51])),
        ("systems", json!(vec!["x"; 5_000])),
        ("momentOfTruth", json!("yes")),
    ] {
        let faults = told(&ann, &touchpoint(field, value.clone())).await;
        let place = format!("touchpoints.0.{field}");
        assert!(
            faults.iter().any(|(path, ..)| *path == place),
            "{place}: {value} {faults:?}"
        );
    }
    let mut fresh = before.clone();
    for key in [
        "x".repeat(10_000),
        "a b".to_owned(),
        "\u{0}".to_owned(),
        "ø".to_owned(),
        String::new(),
    ] {
        fresh["key"] = json!(key);
        let faults = told(&ann, &fresh).await;
        assert!(faults.iter().any(|(path, ..)| path == "key"), "{faults:?}");
    }
    for day in [
        "2026-02-30",
        "2026-1-2",
        "+12026-01-01",
        "-0001-01-01",
        "262142-12-31",
        "today",
        "",
    ] {
        for (list, part) in [
            ("nextReviewOn", json!(day)),
            (
                "sources",
                json!([{ "title": "x", "kind": "SURVEY", "heldOn": day }]),
            ),
            (
                "kpiLinks",
                json!([{ "touchpoint": "R02", "kpi": "KB3", "validFrom": day }]),
            ),
            (
                "evaluations",
                json!([{ "touchpoint": "R02", "heldOn": day, "byName": "x" }]),
            ),
        ] {
            let mut wrong = rental(json!({}))["document"].clone();
            wrong[list] = part;
            let faults = told(&ann, &wrong).await;
            assert!(
                faults[0].2.contains("not a day"),
                "{day} in {list}: {faults:?}"
            );
        }
    }
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn formulas_of_spreadsheets_are_kept_as_the_texts_that_they_are() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for formula in [
        "=1+1",
        "+41 44",
        "-2",
        "@SUM(A1)",
        "=HYPERLINK(\"https://x\",\"y\")",
        "'=quoted",
        "\u{feff}=1",
        "<b>&amp;",
    ] {
        let said = rental(json!({
            "touchpoints": [{ "key": "R02", "name": formula, "note": formula, "systems": [formula] }],
        }));
        ann.does(IMPORT, said.clone()).await;
        let rental = document(&ann, "bp-rental").await;
        let kept = &rental["touchpoints"][1];
        assert_eq!(
            (&kept["name"], &kept["note"], &kept["systems"][0]),
            (&json!(formula), &json!(formula), &json!(formula))
        );
        let again = json!({ "document": rental, "prune": true });
        assert_eq!(ann.does(IMPORT, again).await["changes"], json!([]));
    }
}

#[tokio::test]
async fn of_very_many_faults_the_first_are_told_and_how_many_there_are_besides() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let many: Vec<Value> = (0..400)
        .map(|number| json!({ "key": format!("n{number}"), "phase": "nowhere", "name": "", "lane": "CUSTOMER" }))
        .collect();
    let mut wrong = rental(json!({ "touchpoints": many }))["document"].clone();
    let faults = told(&ann, &wrong).await;
    assert_eq!(faults.len(), 201);
    let (path, code, sentence) = &faults[200];
    assert_eq!((path.as_str(), code.as_str()), ("", "LIMIT_EXCEEDED"));
    assert!(sentence.contains("more are not listed"), "{sentence}");
    // One fault at the very end of much that is right is told as any other.
    let good: Vec<Value> = (0..480)
        .map(|number| json!({ "key": format!("n{number}"), "phase": "r1", "name": "x", "lane": "CUSTOMER" }))
        .collect();
    wrong["touchpoints"] = json!(good);
    wrong["improvements"] = json!([{ "key": "N9", "title": "x", "ownerDepartment": "nobody" }]);
    assert_eq!(
        places(&ann, &wrong).await,
        ["improvements.0.ownerDepartment NOT_FOUND"]
    );
    wrong["touchpoints"]
        .as_array_mut()
        .expect("a list")
        .extend(many);
    wrong["transitions"] = json!([{ "from": "n0", "to": "n1", "kind": "ADVANCE" }]);
    assert_eq!(
        places(&ann, &wrong).await,
        ["touchpoints LIMIT_EXCEEDED"],
        "and not that those of its touchpoints are missing"
    );
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn all_faults_of_a_documents_shape_are_told_at_once() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let wrong = rental(json!({
        "title": 5,
        "rows": [],
        "phases": [
            { "key": "r1", "name": [], "stage": "GOAL" },
            "a phase",
            { "key": "r2", "name": "two", "stage": "SOMEWHEN" },
            { "key": "r3", "names": "three" },
        ],
        "touchpoints": [{ "key": "R01", "momentOfTruth": "yes", "emotion": "good" }],
        "sources": [{ "title": "One", "heldOn": "yesterday" }],
    }))["document"]
        .clone();
    let places = places(&ann, &wrong).await;
    assert_eq!(
        places,
        [
            "phases.0.name INVALID",
            "phases.1 INVALID",
            "phases.2.stage INVALID",
            "phases.3.names INVALID",
            "rows INVALID",
            "sources.0.heldOn INVALID",
            "title INVALID",
            "touchpoints.0.emotion INVALID",
            "touchpoints.0.momentOfTruth INVALID",
        ]
    );
}

/// Sends bytes as the body of a request of GraphQL, and gives the status and the sentence of the answer.
async fn posted(actor: &Actor<'_>, body: String) -> (StatusCode, String) {
    let request = Request::post("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {}", actor.token))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/graphql-response+json")
        .body(Body::from(body))
        .expect("a request");
    let (status, answer) = read(actor.world.send(request).await).await;
    let sentence = answer["errors"][0]["message"].as_str().unwrap_or_default();
    (status, sentence.to_owned())
}

#[tokio::test]
async fn what_is_too_large_too_deep_or_no_json_does_not_even_begin() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let body = |document: &str| {
        let query = serde_json::to_string(IMPORT).expect("a text");
        format!(
            r#"{{ "query": {query}, "variables": {{ "input": {{ "document": {document} }} }} }}"#
        )
    };
    let titled = |title: &str| {
        body(&format!(
            r#"{{ "format": "cx-blueprint/blueprint@1", "key": "bp-rental", "title": {title} }}"#
        ))
    };
    let large = titled(&format!("\"{}\"", "x".repeat(50 << 20)));
    let (status, sentence) = posted(&ann, large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{sentence}");
    assert!(sentence.ends_with('.'), "{sentence}");
    for wrong in [
        titled(&"[".repeat(100_000)),
        titled(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        titled(&"{\"a\":".repeat(50_000)),
        titled("NaN"),
        titled("1e999"),
        titled("\"\\ud800\""),
        titled("\"\u{1}\""),
        titled("\"x"),
    ] {
        let (status, sentence) = posted(&ann, wrong.clone()).await;
        let wrong: String = wrong
            .chars()
            .skip(wrong.len().min(600) - 60)
            .take(60)
            .collect();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {sentence}");
        assert!(sentence.len() > 10, "{wrong}: {sentence}");
    }
    let deep = with(rental(json!({})), "dryRun", json!(true));
    ann.does(IMPORT, deep).await;
    assert_eq!(document(&ann, "bp-rental").await, before);
}
