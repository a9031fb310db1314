//! Taken twice: a sheet or a document of a part of a blueprint, in any order and from phase to phase, says where
//! things are to be. Taken once more it changes nothing.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    document::document,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
    changes { kind part identity } userErrors { code field message } } }";
const SHEET: &str =
    "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) {
    changes { kind part identity } userErrors { code field message } } }";
const PHASES: [&str; 3] = ["a", "b", "c"];
const STEPS: usize = 8;

/// Steps in the order of their rows, each with its phase.
type Rows = Vec<(usize, usize)>;

/// Some of the steps in any order, each in any phase.
fn rows(from: usize) -> impl Strategy<Value = Rows> {
    let steps: Vec<usize> = (0..STEPS).collect();
    let phases = prop::collection::vec(0..PHASES.len(), STEPS);
    (
        prop::sample::subsequence(steps, from..=STEPS).prop_shuffle(),
        phases,
    )
        .prop_map(|(steps, phases)| steps.into_iter().zip(phases).collect())
}

fn steps_document(key: &str, rows: &Rows, whole: bool) -> Value {
    let step = |(step, phase): &(usize, usize)| {
        let mut part = json!({ "key": format!("k{step}"), "phase": PHASES[*phase] });
        if whole {
            part["name"] = json!(format!("Step {step}"));
            part["lane"] = json!("CUSTOMER");
        }
        part
    };
    let steps: Vec<Value> = rows.iter().map(step).collect();
    json!({ "format": "cx-blueprint/blueprint@1", "key": key, "touchpoints": steps })
}

async fn changes(actor: &Actor<'_>, how: &str, input: &Value) -> Value {
    actor.does(how, input.clone()).await["changes"].take()
}

#[tokio::test]
async fn what_moves_steps_between_phases_moves_them_once() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let open = document(&boss, "open").await;
    let mut runner = TestRunner::deterministic();
    let mut draw = |from| rows(from).new_tree(&mut runner).expect("rows").current();
    for case in 0..10 {
        let key = format!("case-{case}");
        let phases = PHASES.map(|key| json!({ "key": key, "name": key, "stage": "GOAL" }));
        let mut whole = steps_document(&key, &draw(STEPS), true);
        for (field, value) in [
            ("title", json!(key)),
            ("persona", open["persona"].clone()),
            ("ownerDepartment", open["ownerDepartment"].clone()),
            ("phases", json!(phases)),
        ] {
            whole[field] = value;
        }
        boss.does(CREATE, json!({ "document": whole })).await;
        for _ in 0..3 {
            let some = draw(1);
            let csv: Vec<String> = some
                .iter()
                .map(|(step, phase)| format!("k{step},{}\n", PHASES[*phase]))
                .collect();
            let csv = format!("key,phase\n{}", csv.concat());
            let sheet = json!({ "blueprint": { "key": key }, "csv": csv });
            changes(&boss, SHEET, &sheet).await;
            assert_eq!(changes(&boss, SHEET, &sheet).await, json!([]), "{csv}");
            // A document that says the same finds nothing to move either.
            let same = json!({ "document": steps_document(&key, &some, false) });
            assert_eq!(changes(&boss, CREATE, &same).await, json!([]), "{csv}");
            let other = json!({ "document": steps_document(&key, &draw(1), false) });
            changes(&boss, CREATE, &other).await;
            assert_eq!(changes(&boss, CREATE, &other).await, json!([]), "{other}");
        }
    }
}
