//! Arguments and mutations: none makes more work than it pays for.

use super::*;

/// Input types of the schema with their fields and their words.
struct Inputs(Value);

impl Inputs {
    async fn of(actor: &Actor<'_>) -> Self {
        let query = "{ __schema { types { name isOneOf enumValues { name } inputFields { name
            type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
        Self(actor.ask(query, json!({})).await)
    }

    fn named(&self, name: &str) -> &Value {
        let mut types = self.0["__schema"]["types"]
            .as_array()
            .expect("types")
            .iter();
        types.find(|one| one["name"] == name).expect("a type")
    }

    /// The longest value of a type that is a sensible one: all fields of an input, as many elements as `many`.
    fn longest(&self, of: &Value, ids: &Ids, many: usize) -> Value {
        let (name, _, list) = inner(of);
        let one = |at: usize| match name {
            "ID" => {
                let id = ids.touchpoints[at % ids.touchpoints.len()].trim_matches('"');
                json!(id)
            }
            "String" => json!(format!("step {at}")),
            "Int" => json!(20),
            "Float" => json!(0.5),
            "Boolean" => json!(true),
            "Date" => json!("2026-01-01"),
            "DateTime" => json!("2026-01-01T00:00:00Z"),
            _ => self.object(self.named(name), ids, (many, at)),
        };
        match list {
            true => (0..many).map(one).collect(),
            false => one(0),
        }
    }

    fn object(&self, of: &Value, ids: &Ids, (many, at): (usize, usize)) -> Value {
        if let Some(words) = of["enumValues"].as_array() {
            return words[at % words.len()]["name"].clone();
        }
        let fields = of["inputFields"].as_array().into_iter().flatten();
        let most = if of["isOneOf"] == true { 1 } else { usize::MAX };
        let fields = fields.take(most).map(|field| {
            let name = field["name"].as_str().expect("a name");
            (name.to_owned(), self.longest(&field["type"], ids, many))
        });
        Value::Object(fields.collect())
    }
}

/// The type of an argument as it is written.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&of["ofType"])),
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().expect("a name").to_owned(),
    }
}

/// Every argument of every root, as long as a document of 32 KiB lets it be and under many names: what a filter makes
/// of a statement is paid for too.
#[tokio::test]
async fn no_argument_makes_more_work_than_it_pays_for() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let (schema, inputs, ids) = (
        Schema::of(&cx).await,
        Inputs::of(&cx).await,
        Ids::of(&cx).await,
    );
    let (mut asked, mut answered) = (0, 0);
    for root in schema.all_fields("Query") {
        let name = root["name"].as_str().expect("a name");
        let inside = match target(&schema, root) {
            Some(of) if inner(&root["type"]).0 == of => format!("{{ {} }}", leaves(&schema, of)),
            Some(of) => format!("{{ nodes {{ {} }} }}", leaves(&schema, of)),
            None => match inner(&root["type"]).1 {
                "SCALAR" | "ENUM" => String::new(),
                _ => "{ __typename }".to_owned(),
            },
        };
        let args = root["args"].as_array().expect("arguments");
        for arg in args {
            let of = arg["name"].as_str().expect("a name");
            let rest = needed(root).into_iter().filter(|other| other["name"] != of);
            let rest = rest.map(|other| {
                let name = other["name"].as_str().expect("a name");
                format!(
                    ", {name}: {}",
                    ids.argument(root["name"].as_str().expect("a name"), other)
                )
            });
            let rest: String = rest.collect();
            for (many, names) in [(1, 1), (400, 1), (400, 10)] {
                let all = times(names, |_| format!("{name}({of}: $long{rest}) {inside}"));
                let query = format!("query($long: {}) {{ {all} }}", written(&arg["type"]));
                let long = inputs.longest(&arg["type"], &ids, many);
                let cost = spent(&world, &query, json!({ "long": long })).await;
                cost.is_bounded(&query);
                asked += 1;
                answered += usize::from(!cost.refused);
            }
        }
    }
    assert!(
        asked > 150 && answered > asked / 3,
        "{answered} of {asked} were answered"
    );
}

/// What mutations read is paid for, also where they change nothing: under many names, each reads again.
#[tokio::test]
async fn no_mutation_does_more_than_it_was_charged_or_sent() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let ids = Ids::of(&cx).await;
    let document = dense("dense");
    let sheet = cx
        .ask("{ blueprint(by: { key: \"dense\" }) { sheet } }", json!({}))
        .await;
    let answers = |many: usize| -> Value {
        let answers = (0..many).map(|at| {
            let touchpoint = ids.touchpoints[at % ids.touchpoints.len()].trim_matches('"');
            json!({ "touchpointId": touchpoint, "scale": "CSAT", "score": 4, "answeredOn": "2025-03-01",
                "externalId": format!("{many}-{at}"), "respondent": format!("r{at}") })
        });
        answers.collect()
    };
    let import = json!({ "document": document, "dryRun": true });
    let sheet = json!({ "blueprint": { "key": "dense" }, "csv": sheet["blueprint"]["sheet"], "dryRun": true });
    for (name, of, input, rows) in [
        ("blueprintImport", "BlueprintImportInput", import, 2_000),
        (
            "blueprintSheetImport",
            "BlueprintSheetImportInput",
            sheet,
            500,
        ),
        (
            "feedbackRecord",
            "FeedbackRecordInput",
            json!({ "feedback": answers(1_000) }),
            1_000,
        ),
    ] {
        for many in [1, 30] {
            let all = times(many, |_| {
                format!("{name}(input: $input) {{ userErrors {{ code }} }}")
            });
            let query = format!("mutation($input: {of}!) {{ {all} }}");
            let cost = spent(&world, &query, json!({ "input": input })).await;
            assert!(cost.steps <= 2 * STEPS, "{} steps: {query}", cost.steps);
            let most = cost.steps / STATEMENT + rows;
            assert!(
                cost.statements <= most,
                "{} statements for {} steps: {query}",
                cost.statements,
                cost.steps
            );
        }
    }
}
