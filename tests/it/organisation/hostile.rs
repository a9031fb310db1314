//! What people write through the API, however odd, comes out of documents and sheets as it went in: the organisation's
//! document through another database, a blueprint's document and its sheet through the blueprint itself.

use serde_json::{Value, json};

use super::{again, exported};
use crate::{
    ids::Ids,
    world::{Actor, World},
};

/// What spreadsheets, documents and readers of lists could take for something else.
const ODD: &[&str] = &[
    "null",
    "~",
    "true",
    "-",
    "1e5",
    "007",
    "=1+1",
    "+45 12",
    "@here",
    "-1",
    "'",
    "''",
    "\"",
    "\\\"",
    "a,b",
    "a;b",
    "a; b; c",
    "a|b",
    "sales",
    "sales!",
    "sales; buyer!",
    "!",
    "(none)",
    "[x]",
    "{\"a\":1}",
    "# no comment",
    "A\tB",
    "two\nlines",
    "\u{a0}wide\u{a0}",
    "Æbleskiver på Ærø",
    "Straße",
    "İstanbul",
    "ﬁre",
    "ＦＵＬＬ",
    "Ἀθῆναι",
    "Кафе",
    "会議",
    "שלום",
    "مرحبا",
    "กำ",
    "👩‍👩‍👧‍👦",
    "🇩🇰",
    "e\u{301}clair",
    "q\u{323}\u{307}",
    "\u{202b}turned",
    "zero\u{200b}width",
    "<script>alert(1)</script>",
    "%00",
    "${x}",
    "../..",
    "a → b",
    "2025-03-04",
    "12:30",
    "T1",
    "T1 ",
    "t1",
    "open/T1",
    "\u{1f600}",
    "…",
    "–",
    "0.1",
    "١٢٣",
    "line\r\nfeed",
    "ends with space ",
];

/// A generator of numbers (SplitMix64): the same seed tells the same story.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).expect("it fits")
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn text(&mut self) -> String {
        match self.below(3) {
            0 => self.pick(ODD).to_owned(),
            1 => format!("{} {}", self.pick(ODD), self.pick(ODD)),
            _ => format!("{}{}", self.pick(ODD), self.below(1_000)),
        }
    }

    fn texts(&mut self, most: usize) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| self.text()).collect()
    }

    fn maybe(&mut self) -> Option<String> {
        (self.below(2) == 0).then(|| self.text())
    }

    fn some(&mut self, of: &[String]) -> Vec<String> {
        of.iter().filter(|_| self.below(2) == 0).cloned().collect()
    }

    fn one(&mut self, of: &[String]) -> Option<String> {
        (!of.is_empty()).then(|| of[self.below(of.len())].clone())
    }
}

/// What was made, by the name of its mutation.
struct Writer<'w> {
    actor: Actor<'w>,
    made: std::collections::BTreeMap<&'static str, Vec<String>>,
    refused: Vec<String>,
}

impl Writer<'_> {
    /// Does a mutation; what the API refuses, such as a name that is there already, is left out.
    async fn makes(&mut self, mutation: &'static str, field: &str, input: Value) -> Option<String> {
        let name = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
        let document = format!(
            "mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {field} {{ id }} userErrors {{ field message }} }} }}"
        );
        let answer = self.actor.tries(&document, input.clone()).await;
        let Some(id) = answer[field]["id"].as_str() else {
            self.refused
                .push(format!("{mutation} {input}: {}", answer["userErrors"]));
            return None;
        };
        self.made.entry(mutation).or_default().push(id.to_owned());
        Some(id.to_owned())
    }

    fn of(&self, mutation: &str) -> Vec<String> {
        self.made.get(mutation).cloned().unwrap_or_default()
    }
}

/// Writes some of everything that a document holds.
async fn write(writer: &mut Writer<'_>, ids: &Ids, dice: &mut Dice) {
    let own = |key: &str| ids[key].clone();
    for _ in 0..3 {
        let input = json!({ "name": dice.text(), "medium": dice.pick(&["PHONE", "WEB", "OTHER"]) });
        writer.makes("channelCreate", "channel", input).await;
        let input = json!({ "dimension": dice.text(), "value": dice.text() });
        writer.makes("segmentCreate", "segment", input).await;
    }
    let mut channels = writer.of("channelCreate");
    channels.push(own("WEB"));
    let mut segments = writer.of("segmentCreate");
    segments.push(own("young"));
    let departments = [own("sales"), own("service")];
    for group in ["SATISFIED", "DISSATISFIED"] {
        let input = json!({ "group": group, "text": dice.text(), "dueDays": dice.below(9), "followUpPercent": dice.below(101) });
        writer.makes("playbookSet", "playbook", input).await;
    }
    for _ in 0..3 {
        let input = json!({ "segmentId": dice.one(&segments), "channelId": dice.one(&channels),
            "cause": dice.pick(&["PRICE", "OTHER"]), "departmentId": departments[dice.below(2)] });
        writer.makes("routingRuleSet", "routingRule", input).await;
    }
    for _ in 0..2 {
        let phases: Vec<Value> = (0..=dice.below(3))
            .map(|_| json!({ "name": dice.text(), "stage": "BEFORE", "prompt": dice.text(), "customerGoal": dice.maybe() }))
            .collect();
        let input = json!({ "name": dice.text(), "description": dice.maybe(), "subjects": ["CUSTOMER"],
            "lenses": ["NEED", "PAIN"], "phases": phases });
        writer.makes("templateCreate", "template", input).await;
        let needs: Vec<Value> = dice
            .texts(2)
            .into_iter()
            .map(|text| json!({ "text": text }))
            .collect();
        let input = json!({ "name": dice.text(), "context": dice.texts(2), "needs": needs, "segmentIds": dice.some(&segments) });
        writer.makes("personaCreate", "persona", input).await;
        let input = json!({ "name": dice.text(), "description": dice.maybe(), "type": "OTHER", "unit": "COUNT",
            "direction": "HIGHER", "ownerDepartmentId": own("sales") });
        if let Some(kpi) = writer.makes("kpiCreate", "kpi", input).await {
            let target = json!({ "kpiId": kpi, "validFrom": "2025-01-01", "value": 0.1, "channelId": dice.one(&channels) });
            writer.makes("kpiTargetSet", "target", target).await;
        }
    }
    let mut personas = writer.of("personaCreate");
    personas.push(own("buyer"));
    for template in writer.of("templateCreate") {
        let input = json!({ "template": { "id": template }, "title": dice.text(), "personaId": dice.one(&personas),
            "ownerDepartmentId": own("sales") });
        writer
            .makes("blueprintFromTemplate", "blueprint", input)
            .await;
    }
    let mut blueprints = writer.of("blueprintFromTemplate");
    blueprints.push(own("open"));
    for blueprint in blueprints {
        draw(
            writer,
            (&blueprint, &channels, &segments),
            &departments,
            dice,
        )
        .await;
    }
}

/// Draws a blueprint further.
async fn draw(
    writer: &mut Writer<'_>,
    (blueprint, channels, segments): (&str, &[String], &[String]),
    departments: &[String],
    dice: &mut Dice,
) {
    let mut steps = Vec::new();
    for _ in 0..2 {
        let input = json!({ "blueprintId": blueprint, "name": dice.text(), "stage": "GOAL", "customerGoal": dice.maybe(),
            "prompt": dice.maybe(), "timing": dice.maybe(), "segmentIds": dice.some(segments) });
        let Some(phase) = writer.makes("phaseCreate", "phase", input).await else {
            continue;
        };
        for _ in 0..3 {
            let evidence: Vec<Value> = dice
                .texts(2)
                .into_iter()
                .map(|label| json!({ "label": label }))
                .collect();
            let input = json!({ "phaseId": phase, "name": dice.text(), "lane": dice.pick(&["CUSTOMER", "FRONTSTAGE", "SUPPORT"]),
                "note": dice.maybe(), "customerAction": dice.maybe(), "systems": dice.texts(2), "evidence": evidence,
                "channelIds": dice.some(channels), "audienceSegmentIds": dice.some(segments),
                "usage": "NOT_USED", "usageReason": dice.maybe() });
            if let Some(step) = writer.makes("touchpointCreate", "touchpoint", input).await {
                for role in ["RESPONSIBLE", "CONSULTED"] {
                    let input = json!({ "touchpointId": step, "departmentId": departments[dice.below(2)], "role": role,
                        "note": dice.maybe(), "tasks": dice.texts(2) });
                    writer
                        .makes("responsibilityPropose", "responsibility", input)
                        .await;
                }
                steps.push(step);
            }
        }
        let input = json!({ "phaseId": phase, "kind": "NEED", "text": dice.text(), "whys": dice.texts(2), "answer": dice.maybe() });
        writer.makes("insightCreate", "insight", input).await;
    }
    let source = json!({ "blueprintId": blueprint, "kind": "INTERVIEW", "title": dice.text(), "heldOn": "2025-02-03", "note": dice.maybe() });
    writer.makes("sourceCreate", "source", source).await;
    let improvement = json!({ "blueprintId": blueprint, "title": dice.text(), "description": dice.maybe(),
        "ownerDepartmentId": departments[0], "touchpointIds": dice.some(&steps) });
    writer
        .makes("improvementCreate", "improvement", improvement)
        .await;
    for pair in steps.windows(2) {
        let input = json!({ "blueprintId": blueprint, "fromId": pair[0], "toId": pair[1], "kind": "ADVANCE", "condition": dice.maybe() });
        writer.makes("transitionCreate", "transition", input).await;
        let input =
            json!({ "touchpointId": pair[0], "text": dice.text(), "deliveredAtIds": [pair[1]] });
        writer.makes("promiseCreate", "promise", input).await;
        let input = json!({ "touchpointId": pair[0], "heldOn": "2025-03-01", "byName": dice.text(), "note": dice.maybe() });
        writer.makes("evaluationCreate", "evaluation", input).await;
    }
    if !steps.is_empty() {
        let input = json!({ "blueprintId": blueprint, "name": dice.text(), "kind": "HAPPY", "note": dice.maybe(), "touchpointIds": steps });
        writer.makes("scenarioCreate", "scenario", input).await;
    }
}

/// What importing a blueprint's own document and its own sheets would change, which is nothing.
async fn changes_of_reading_itself(actor: &Actor<'_>, id: &str) -> Vec<String> {
    let asked = "query($by: By!) { blueprint(by: $by) { document excel: sheet(dialect: EXCEL_DA) plain: sheet } }";
    let told = actor.ask(asked, json!({ "by": { "id": id } })).await["blueprint"].take();
    let changes = "changes { kind part identity field before after } userErrors { field message }";
    let import = format!(
        "mutation($input: BlueprintImportInput!) {{ blueprintImport(input: $input) {{ {changes} }} }}"
    );
    let input = json!({ "document": told["document"], "dryRun": true, "prune": true });
    let mut read = vec![actor.tries(&import, input).await];
    let import = format!(
        "mutation($input: BlueprintSheetImportInput!) {{ blueprintSheetImport(input: $input) {{ {changes} }} }}"
    );
    for sheet in ["excel", "plain"] {
        let input =
            json!({ "blueprint": { "id": id }, "csv": told[sheet], "dryRun": true, "prune": true });
        read.push(actor.tries(&import, input).await);
    }
    let wrong = |read: &Value| read["changes"] != json!([]) || read["userErrors"] != json!([]);
    read.iter()
        .filter(|read| wrong(read))
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn what_people_write_comes_out_as_it_went_in() {
    let mut made = std::collections::BTreeMap::new();
    for seed in 0..6 {
        let world = World::small().await;
        let ids = Ids::of(&world).await;
        let actor = world.sign_in("cx-manager").await;
        let mut writer = Writer {
            actor,
            made: Default::default(),
            refused: Vec::new(),
        };
        write(&mut writer, &ids, &mut Dice(seed)).await;
        let text = exported(&world).await;
        let (_, twice) = again(&text).await;
        assert_eq!(text, twice, "seed {seed}");
        let mut blueprints = writer.of("blueprintFromTemplate");
        blueprints.push(ids["open"].clone());
        for id in &blueprints {
            let changed = changes_of_reading_itself(&writer.actor, id).await;
            assert!(changed.is_empty(), "seed {seed}: {changed:#?}");
        }
        for (mutation, ids) in &writer.made {
            *made.entry(*mutation).or_insert(0) += ids.len();
        }
        // Alike names and the like; most of what is odd is written.
        let written: usize = writer.made.values().map(Vec::len).sum();
        assert!(written > 4 * writer.refused.len(), "{:#?}", writer.refused);
    }
    assert!(
        made.len() >= 17 && made.values().all(|count| *count >= 5),
        "{made:?}"
    );
}
