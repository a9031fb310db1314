//! Sheets: the touchpoints of a blueprint in a spreadsheet, out and in again.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    document::document,
    ids::Ids,
    world::{Actor, World},
};

const IMPORT: &str =
    "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) {
    blueprint { key revision }
    changes { kind part identity field before after }
    userErrors { code field message }
} }";

const DIALECTS: [&str; 2] = ["COMMA", "EXCEL_DA"];

pub async fn sheet(actor: &Actor<'_>, key: &str, dialect: &str) -> String {
    let ask = "query($key: String!, $dialect: SheetDialect) { blueprint(by: { key: $key }) { sheet(dialect: $dialect) } }";
    let answer = actor
        .ask(ask, json!({ "key": key, "dialect": dialect }))
        .await;
    answer["blueprint"]["sheet"]
        .as_str()
        .expect("a sheet")
        .to_owned()
}

fn into(key: &str, csv: &str) -> Value {
    json!({ "blueprint": { "key": key }, "csv": csv })
}

/// Imports a sheet into the open blueprint of the small organisation, and tells the changes, each on a line.
async fn told(actor: &Actor<'_>, input: Value) -> Vec<String> {
    let done = actor.does(IMPORT, input).await;
    let changes = done["changes"].as_array().expect("changes").iter();
    let line = |change: &Value| {
        let word = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
        let what = format!("{} {} {}", word("kind"), word("part"), word("identity"));
        match change["field"].as_str() {
            Some(field) => format!("{what} {field}: {} → {}", change["before"], change["after"]),
            None => what,
        }
    };
    changes.map(line).collect()
}

/// The faults of a sheet: code, path and sentence.
async fn faults(actor: &Actor<'_>, csv: &str) -> Vec<String> {
    let answer = actor.tries(IMPORT, into("open", csv)).await;
    let errors = answer["userErrors"].as_array().expect("errors").iter();
    let line = |error: &Value| {
        let path: Vec<&str> = error["field"]
            .as_array()
            .expect("a path")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        format!(
            "{} {} {}",
            error["code"].as_str().expect("a code"),
            path.join("."),
            error["message"].as_str().expect("a sentence")
        )
    };
    errors.map(line).collect()
}

#[tokio::test]
async fn what_goes_out_comes_in_again_and_changes_nothing() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for key in [
        "bp-member",
        "bp-rental",
        "bp-flight",
        "bp-aftermarket",
        "bp-employee",
    ] {
        let before = document(&ann, key).await;
        for dialect in DIALECTS {
            let csv = sheet(&ann, key, dialect).await;
            let rows = before["touchpoints"].as_array().expect("touchpoints").len();
            assert!(csv.matches("\r\n").count() > rows, "{csv}");
            let mut input = into(key, &csv);
            input["prune"] = json!(true);
            let again = ann.does(IMPORT, input).await;
            assert_eq!(again["changes"], json!([]), "{key} {dialect}");
            assert_eq!(
                again["blueprint"]["revision"],
                json!(1),
                "nothing was touched"
            );
        }
        assert_eq!(document(&ann, key).await, before);
    }
}

#[tokio::test]
async fn a_dialect_is_written_as_its_spreadsheet_expects() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let row = "key,name,contactsPerMonth,emotion\nT2,=1+1 is two,0.5,-2\n".replace("=1", "'=1");
    boss.does(IMPORT, into("open", &row)).await;
    let comma = sheet(&boss, "open", "COMMA").await;
    assert!(comma.starts_with("phase,phaseName,stage,key,name,lane,"));
    assert!(comma.contains("\r\nbefore,Before,BEFORE,T2,'=1+1 is two,FRONTSTAGE,,PHONE | WEB,,,0.5,-2,,5,,USED,,no,no,,OBSERVED,,,,sales,sales,finance,\r\n"), "{comma}");
    let danish = sheet(&boss, "open", "EXCEL_DA").await;
    assert!(danish.starts_with("\u{feff}phase;phaseName;"));
    assert!(
        danish.contains(";T2;'=1+1 is two;FRONTSTAGE;;PHONE | WEB;;;0,5;-2;;5;"),
        "{danish}"
    );
}

/// Texts as people write them at their worst.
fn awkward() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "=HYPERLINK(\"x\")",
        "+45",
        "-",
        "@",
        "'",
        "\"",
        "\"\"",
        "\n",
        "\r\n",
        "\t",
        ",",
        ";",
        "|",
        "\\",
        "<b>",
        ">",
        "?",
        " ",
        "Ærø",
        "ø",
        "å",
        "ä",
        "ö",
        "日",
        "𝄞",
        "1,5",
        "1.5",
    ]);
    // The domain takes blanks off the ends of texts, and control characters but these nowhere.
    prop::collection::vec(piece, 1..6)
        .prop_map(|pieces| format!("{}x", pieces.concat()).trim().to_owned())
}

#[tokio::test]
async fn awkward_texts_survive_a_spreadsheet_to_the_letter() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { userErrors { field message } } }";
    let mut runner = TestRunner::deterministic();
    let mut text = || awkward().new_tree(&mut runner).expect("a text").current();
    for round in 0..24 {
        let on_a_line = |text: String| text.replace(['\n', '\r'], " ");
        let touchpoint = json!({
            "key": "R02", "name": on_a_line(text()), "customerAction": text(), "usageReason": text(), "note": text(),
            "systems": [text(), text()], "contactsPerMonth": f64::from(round) / 7.0,
            "evidence": [
                { "label": on_a_line(text()), "link": null },
                { "label": on_a_line(text()), "link": format!("https://example.org/{}", text()) },
            ],
        });
        let said = json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "bp-rental", "touchpoints": [touchpoint] } });
        ann.does(import, said).await;
        let before = document(&ann, "bp-rental").await;
        for dialect in DIALECTS {
            let csv = sheet(&ann, "bp-rental", dialect).await;
            assert_eq!(
                told(&ann, into("bp-rental", &csv)).await,
                Vec::<String>::new(),
                "{csv}"
            );
            let cleared = "key,name,customerAction,usageReason,note,systems,contactsPerMonth,evidence\nR02,-,,,,,,\n";
            ann.does(IMPORT, into("bp-rental", cleared)).await;
            ann.does(IMPORT, into("bp-rental", &csv)).await;
            assert_eq!(document(&ann, "bp-rental").await, before, "{csv}");
        }
    }
}

#[tokio::test]
async fn an_absent_column_keeps_and_an_empty_cell_clears() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let csv = "Key;EMOTION;channels;consulted;moment of truth\nt2;;web;;ja\n";
    let mut complete = into("open", csv);
    complete["complete"] = json!(["CONSULTED"]);
    assert_eq!(
        told(&boss, complete.clone()).await,
        [
            "CHANGED touchpoint T2 channels: [\"PHONE\",\"WEB\"] → [\"WEB\"]",
            "CHANGED touchpoint T2 emotion: -1 → null",
            "CHANGED touchpoint T2 momentOfTruth: false → true",
            "REMOVED responsibility T2 finance CONSULTED",
        ]
    );
    assert_eq!(
        told(&boss, complete).await,
        Vec::<String>::new(),
        "twice is once"
    );
}

#[tokio::test]
async fn a_sheet_without_keys_makes_phases_and_touchpoints_where_its_rows_stand() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let csv = "phase,phase name,stage,name,lane,accountable,responsible\n\
               before,,,Reads a leaflet,customer,,\n\
               ,Wait and see,goal,Gets a reminder,BACKSTAGE,service!,service! | courier?\n";
    assert_eq!(
        told(&boss, into("open", csv)).await,
        [
            "ADDED phase wait-and-see",
            "ADDED touchpoint reads-a-leaflet",
            "ADDED touchpoint gets-a-reminder",
            "ADDED responsibility gets-a-reminder courier RESPONSIBLE",
            "ADDED responsibility gets-a-reminder service ACCOUNTABLE",
            "ADDED responsibility gets-a-reminder service RESPONSIBLE",
        ]
    );
    let after = document(&boss, "open").await;
    let keys = |list: &str| -> Vec<String> {
        let parts = after[list].as_array().expect("a list").iter();
        parts
            .map(|part| part["key"].as_str().expect("a key").to_owned())
            .collect()
    };
    assert_eq!(keys("phases"), ["before", "wait-and-see", "goal", "after"]);
    let status = |department: &str, role: &str| {
        let held = after["responsibilities"].as_array().expect("a list").iter();
        let mut held = held.filter(|part| part["touchpoint"] == "gets-a-reminder");
        let found = held.find(|part| part["department"] == department && part["role"] == role);
        found.expect("it is there")["status"].clone()
    };
    assert_eq!(status("service", "ACCOUNTABLE"), json!("ACCEPTED"));
    assert_eq!(status("courier", "RESPONSIBLE"), json!("PROPOSED"));
    assert_eq!(
        told(&boss, into("open", csv)).await,
        Vec::<String>::new(),
        "twice is once"
    );
}

#[tokio::test]
async fn rows_are_in_order_phases_keep_theirs_and_pruning_archives_what_no_row_names() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let csv = "key,phase\nT5,after\nT3,goal\nT2,before\nT1,before\n";
    let moved = told(&boss, into("open", csv)).await;
    assert_eq!(moved, ["MOVED touchpoint T2"]);
    let mut input = into("open", csv);
    input["prune"] = json!(true);
    assert!(
        told(&boss, input)
            .await
            .contains(&"REMOVED touchpoint T4".to_owned())
    );
    let after = document(&boss, "open").await;
    assert_eq!(after["phases"].as_array().expect("phases").len(), 3);
}

#[tokio::test]
async fn a_takeover_ends_the_holder_from_a_manager_and_is_a_proposal_from_a_lead() {
    let world = World::small().await;
    let (lead, boss) = (
        world.sign_in("lead").await,
        world.sign_in("cx-manager").await,
    );
    let csv = "key,accountable\nT2,service!\n";
    assert_eq!(
        told(&lead, into("open", csv)).await,
        ["ADDED responsibility T2 service ACCOUNTABLE"]
    );
    assert!(
        sheet(&lead, "open", "COMMA")
            .await
            .contains("sales | service?,sales,finance")
    );
    assert_eq!(
        told(&lead, into("open", csv)).await,
        Vec::<String>::new(),
        "it is asked already"
    );
    let mut cleared = into("open", "key,consulted\nT2,\n");
    cleared["complete"] = json!(["CONSULTED"]);
    assert_eq!(
        lead.refused(IMPORT, cleared).await,
        ["FORBIDDEN"],
        "ending what others hold is not a lead's"
    );
    assert_eq!(
        told(&boss, into("open", csv)).await,
        ["HANDED_OVER touchpoint T2 accountable: \"sales\" → \"service\""]
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_all_at_once_by_line_and_column_and_nothing_is_written() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let before = document(&boss, "open").await;
    let cells = "key,name,lane,phase,emotion,essential,accountable\n\
                 T1,,ROOF,before,1.5,perhaps,\n\
                 T2,\"=cmd|' /C calc'!A0\",FRONTSTAGE,before,,,sales! | service!\n\
                 t1,Again,CUSTOMER,before,,,\n\
                 ,,CUSTOMER,before,,,\n";
    assert_eq!(
        faults(&boss, cells).await,
        [
            "REQUIRED 2.name Line 2, column B (name): This cannot be empty.",
            "INVALID 2.lane Line 2, column C (lane): \"ROOF\" is not one of CUSTOMER, FRONTSTAGE, BACKSTAGE, SUPPORT.",
            "INVALID 2.emotion Line 2, column E (emotion): \"1.5\" is not a whole number.",
            "INVALID 2.essential Line 2, column F (essential): \"perhaps\" is not yes or no.",
            "INVALID 3.name Line 3, column B (name): This is a formula. Write its value, or for a text that begins with = put an apostrophe before it.",
            "CONFLICT 3.accountable Line 3, column G (accountable): One department is accountable at a touchpoint: only one key has an exclamation mark after it.",
            "DUPLICATE 4.key Line 4, column A (key): The touchpoint t1 is on line 2 already.",
            "REQUIRED 5.key Line 5, column A (key): A touchpoint needs a key, or a name to make one from.",
        ]
    );
    let rules = "key,name,phase,channels,emotion,accountable,note\n\
                 T1,\"Two\nlines\",before,PIGEON,3,,\n\
                 T2,Asks,nowhere,,,nobody,\n\
                 a b,New,before,,,,\n";
    assert_eq!(
        faults(&boss, rules).await,
        [
            "REQUIRED 4.phaseName Line 4 (row 3), phaseName: A new phase needs this.",
            "REQUIRED 4.stage Line 4 (row 3), stage: A new phase needs this.",
            "REQUIRED 5.lane Line 5 (row 4), lane: A new touchpoint needs this.",
        ],
        "what lacks something is told first, as nothing can be looked up in half a sheet"
    );
    let rules = rules
        .replace("nowhere", "before")
        .replace("a b,New", "T3,New");
    assert_eq!(
        faults(&boss, &rules).await,
        [
            "INVALID 2.name Line 2, column B (name): This has to be a single line.",
            "NOT_FOUND 2.channels Line 2, column D (channels): There is no channel \"PIGEON\".",
            "INVALID 2.emotion Line 2, column E (emotion): This lies outside its scale from -2 to 2.",
            "NOT_FOUND 4.accountable Line 4 (row 3), column F (accountable): There is no department \"nobody\".",
        ]
    );
    let long = format!("key,note\nT1,{}\n", "x".repeat(4_001));
    assert_eq!(
        faults(&boss, &long).await,
        ["TOO_LONG 2.note Line 2, column B (note): This is longer than 4000 characters."]
    );
    let headings = faults(&boss, "key,titel,key\nT1,x,T1\n").await;
    assert!(headings[0].starts_with(
        "INVALID 1 Line 1, column B: There is no column \"titel\". The columns are phase, "
    ));
    assert_eq!(
        headings[1],
        "DUPLICATE 1 Line 1, column C: The column key is there twice."
    );
    // A heading that is none, as when a quotation mark is missing, is not told back whole.
    let heading = format!("\"{}\",name\na\"b,x\n", "key\n".repeat(900));
    let told = faults(&boss, &heading).await;
    assert!(
        told[0].contains("quotation mark") && told[0].len() < 400,
        "{told:?}"
    );
    let many = format!("key,name\n{}", "x,y\n".repeat(501));
    assert_eq!(
        faults(&boss, &many).await,
        ["LIMIT_EXCEEDED 502 Line 502: There are more than 500 rows."]
    );
    let open = faults(&boss, "key,name\nT1,\"never closed\nT2,x\n").await;
    assert_eq!(
        open,
        [
            "INVALID 2.name Line 2, column B (name): The quotation mark that begins this cell is never closed."
        ]
    );
    assert_eq!(document(&boss, "open").await, before);
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_a_stale_revision_conflicts_and_one_event_tells_an_import() {
    let world = World::small().await;
    let (boss, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let before = document(&boss, "open").await;
    let mut input = json!({ "blueprint": { "id": ids["open"] }, "csv": "key,note,systems\nT1,a,x | y\nT2,b,\n" });
    input["dryRun"] = json!(true);
    let dry = told(&boss, input.clone()).await;
    assert_eq!(document(&boss, "open").await, before);
    input["dryRun"] = json!(false);
    input["expectedRevision"] = json!(7);
    assert_eq!(boss.refused(IMPORT, input.clone()).await, ["CONFLICT"]);
    input["expectedRevision"] = json!(1);
    assert_eq!(told(&boss, input).await, dry);
    let events = crate::document::entity_events(&world, &ids["open"]).await;
    assert_eq!(events, ["blueprintSheetImport"]);
    assert_eq!(
        boss.refused(IMPORT, into("nothing", "key\nT1\n")).await,
        ["NOT_FOUND"]
    );
}

#[tokio::test]
async fn a_row_without_a_key_never_overwrites_a_step_with_another_name() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let names = [
        "Kunden ringer til kundeservice om en faktura der er forkert",
        "Kunden ringer til kundeservice om en faktura der mangler",
    ];
    let row = |name: &str, note: &str| {
        format!(
            "phase,phase name,stage,name,lane,note\n,Something new,GOAL,{name},FRONTSTAGE,{note}\n"
        )
    };
    let one = told(&boss, into("open", &row(names[0], "one"))).await;
    assert_eq!(
        one,
        [
            "ADDED phase something-new",
            "ADDED touchpoint kunden-ringer-til-kundeservice-om-en-fak",
        ]
    );
    let other = told(&boss, into("open", &row(names[1], "two"))).await;
    let [added] = other.as_slice() else {
        panic!("{other:?}")
    };
    let base = "ADDED touchpoint kunden-ringer-til-kundeservice-om-en-fak-";
    assert!(added.starts_with(base), "{added}");
    for (name, note) in names.into_iter().zip(["one", "two"]) {
        let again = told(&boss, into("open", &row(name, note))).await;
        assert_eq!(
            again,
            Vec::<String>::new(),
            "the same sheet meets its own step"
        );
    }
    // In one sheet, whichever comes first, and beside a given key.
    let both = "phase,key,name,lane\nbefore,,Says so!,CUSTOMER\nbefore,,Says so?,CUSTOMER\nbefore,says-so,Something else,CUSTOMER\n";
    let added = told(&boss, into("open", both)).await;
    assert_eq!(added.len(), 3, "{added:?}");
    assert_eq!(added[2], "ADDED touchpoint says-so");
    assert!(
        added[..2]
            .iter()
            .all(|line| line.starts_with("ADDED touchpoint says-so-")),
        "{added:?}"
    );
    assert_eq!(told(&boss, into("open", both)).await, Vec::<String>::new());
    // What is archived keeps its key, and is not brought back by another's name.
    let ids = crate::ids::Ids::of(&world).await;
    let archive = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) { userErrors { message } } }";
    boss.does(
        archive,
        json!({ "id": ids["says-so"], "expectedVersion": 1 }),
    )
    .await;
    let third = "phase,key,name,lane\nbefore,,Says so,CUSTOMER\n";
    let added = told(&boss, into("open", third)).await;
    assert!(
        added.len() == 1 && added[0].starts_with("ADDED touchpoint says-so-"),
        "{added:?}"
    );
    let twice = "phase,key,name,lane\nbefore,,Twice,CUSTOMER\nbefore,,Twice,CUSTOMER\n";
    assert_eq!(
        faults(&boss, twice).await,
        ["DUPLICATE 3.key Line 3, column B (key): The touchpoint twice is on line 2 already."]
    );
    // A phase with another name that makes the same key is another phase.
    let phases = "phase,phase name,stage,name,lane\n,After all!,AFTER,Goes,CUSTOMER\n,After all?,AFTER,Comes,CUSTOMER\n";
    let added = told(&boss, into("open", phases)).await;
    assert_eq!(
        added
            .iter()
            .filter(|line| line.starts_with("ADDED phase after-all"))
            .count(),
        2,
        "{added:?}"
    );
    assert_eq!(
        told(&boss, into("open", phases)).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn rows_of_one_phase_meet_and_those_of_another_do_not() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let phases = |lines: &[String]| -> Vec<String> {
        let named = lines.iter().filter(|line| line.contains(" phase "));
        named.cloned().collect()
    };
    // A key without a name has the name that is kept.
    let beside = "phase,phase name,stage,name,lane,responsible\nbefore,,,A step,CUSTOMER,\n,Before!,BEFORE,Another step,FRONTSTAGE,service\n";
    let added = told(&boss, into("open", beside)).await;
    let named = phases(&added);
    assert!(
        named.len() == 1 && named[0].starts_with("ADDED phase before-"),
        "{added:?}"
    );
    assert!(
        added.contains(&"ADDED responsibility another-step service RESPONSIBLE".to_owned()),
        "{added:?}"
    );
    assert_eq!(
        told(&boss, into("open", beside)).await,
        Vec::<String>::new()
    );
    // Whichever row comes first, and with blanks.
    let rows = [
        ",Later on!,AFTER,Goes,CUSTOMER",
        "later-on,Later on?,AFTER,Comes,CUSTOMER",
        "later-on,,,Stays,CUSTOMER",
        ", Later on? ,AFTER,Sits,CUSTOMER",
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let world = World::small().await;
        let boss = world.sign_in("cx-manager").await;
        let lines: Vec<&str> = order.iter().map(|at| rows[*at]).collect();
        let csv = format!("phase,phase name,stage,name,lane\n{}\n", lines.join("\n"));
        let mut input = into("open", &csv);
        input["dryRun"] = json!(true);
        let first = phases(&told(&boss, input).await);
        assert_eq!(first.len(), 2, "{csv}: {first:?}");
        told(&boss, into("open", &csv)).await;
        let there = document(&boss, "open").await;
        let of = |name: &str| -> String {
            let mut steps = there["touchpoints"].as_array().expect("steps").iter();
            let step = steps.find(|step| step["name"] == name).expect("a step");
            step["phase"].as_str().expect("a key").to_owned()
        };
        assert_eq!(
            (of("Comes"), of("Stays"), of("Sits")),
            ("later-on".into(), "later-on".into(), "later-on".into()),
            "{csv}"
        );
        assert_ne!(of("Goes"), "later-on", "{csv}");
    }
    // Its name alone names a phase, whatever its key.
    let by_name = "phase,phase name,stage,name,lane\n,Before,BEFORE,By name,CUSTOMER\n";
    assert_eq!(
        told(&boss, into("open", by_name)).await,
        ["ADDED touchpoint by-name"]
    );
    let twice = "phase,key,name,lane\nbefore,,Twice,CUSTOMER\nbefore,twice,\"twice \",CUSTOMER\n";
    assert_eq!(
        faults(&boss, twice).await,
        ["DUPLICATE 3.key Line 3, column B (key): The touchpoint twice is on line 2 already."]
    );
}
