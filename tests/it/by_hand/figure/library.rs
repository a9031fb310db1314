//! A KPI of the desk in the library: made, measured and asked about through the API.

use chrono::{Days, Duration, NaiveDate};
use serde_json::{Value, json};

use crate::{
    by_hand::LIBRARY,
    facts::{LINK, RECORD},
    ids::Ids,
    kpi::TARGET,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { message } } }";

const FIGURE: &str = "fragment Figure on KpiFigure {
    value n periodStart periodEnd state place periodsSince isDecided target { value }
    running { value n periodStart pace } parts { value n state channel { key } target { value } } }";

/// The day after all that is in the document of the library.
const OPENING: &str = "2025-04-01";

/// A KPI of the desk, which judges the whole blueprint, FETCH and RETURN.
pub struct LibraryKpi {
    pub world: World,
    ids: Ids,
    id: String,
    pub key: String,
    grain: &'static str,
}

impl LibraryKpi {
    /// In the library as it is when it opens, with a second channel.
    pub async fn new(settings: &Value, targets: &[Value]) -> Self {
        let world = World::new().await;
        comes_to(&world, OPENING);
        let mut document: Value = serde_json::from_str(LIBRARY).expect("JSON");
        document["organisation"]["channels"]
            .as_array_mut()
            .expect("channels")
            .push(json!({ "key": "WEB", "name": "Web", "medium": "WEB" }));
        world
            .load(&document.to_string())
            .await
            .expect("the document loads");
        let ids = Ids::of(&world).await;
        let lead = world.sign_in("desk-lead").await;
        let mut input = json!({ "name": settings["key"], "type": "OTHER", "unit": "MINUTES", "direction": "LOWER",
            "aggregation": "AVERAGE", "cadence": "MONTHLY", "ownerDepartmentId": ids["desk"] });
        for (field, value) in settings.as_object().expect("settings") {
            input[field] = value.clone();
        }
        let grain = match input["cadence"].as_str() {
            Some("WEEKLY") => "WEEK",
            Some("MONTHLY") => "MONTH",
            Some("QUARTERLY") => "QUARTER",
            other => panic!("no case has {other:?}"),
        };
        let made = lead.does(CREATE, input).await;
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        let (id, key) = (word(&made["kpi"]["id"]), word(&settings["key"]));
        for (place, at) in [
            ("blueprintId", "borrow"),
            ("touchpointId", "fetch"),
            ("touchpointId", "return"),
        ] {
            lead.does(LINK, json!({ "kpiId": id, place: ids[at] }))
                .await;
        }
        for target in targets {
            lead.does(TARGET, with_ids(&id, &ids, target)).await;
        }
        Self {
            world,
            ids,
            id,
            key,
            grain,
        }
    }

    pub async fn records(&self, measured: &[Value]) {
        let with_ids = |one: &Value| with_ids(&self.id, &self.ids, one);
        let measured: Vec<Value> = measured.iter().map(with_ids).collect();
        let lead = self.world.sign_in_anew("desk-lead").await;
        lead.does(RECORD, json!({ "measurements": measured })).await;
    }

    /// Asserts today's figure at a touchpoint, or as a whole, wherever it is told.
    pub async fn is_today(&self, day: &str, place: &str, expected: &str) {
        let analyst = self.world.sign_in_anew("analyst").await;
        let document = format!(
            "query($key: String!) {{ kpi(by: {{ key: $key }}) {{ current {{ ...Figure }}
                links(first: 10) {{ nodes {{ touchpoint {{ key }} state current {{ ...Figure }} }} }} }} }} {FIGURE}"
        );
        let answer = analyst.ask(&document, json!({ "key": self.key })).await;
        let what = format!("{} at {place:?} on {day}", self.key);
        if place.is_empty() {
            assert_eq!(in_words(&answer["kpi"]["current"]), expected, "{what}");
        }
        let links = answer["kpi"]["links"]["nodes"].as_array().expect("links");
        let link = links
            .iter()
            .find(|link| link["touchpoint"]["key"].as_str().unwrap_or_default() == place);
        let link = link.expect("a link");
        let figure = &link["current"];
        assert_eq!(in_words(figure), expected, "{what} by its link");
        assert_eq!(link["state"], figure["state"], "{what}");
        let row = self.flat_row(&analyst, place, figure).await;
        assert_eq!(in_words(&row), expected, "{what} in kpi_current");
        self.is_in_series(&analyst, day, place, figure).await;
    }

    /// Asserts the figure as a whole on a day that is today or was.
    pub async fn was(&self, day: &str, expected: &str) {
        let analyst = self.world.sign_in_anew("analyst").await;
        let document = format!(
            "query($key: String!, $day: Date) {{ kpi(by: {{ key: $key }}) {{
                state(asOf: $day) target(asOf: $day) {{ value }} current(asOf: $day) {{ ...Figure }} }} }} {FIGURE}"
        );
        let variables = json!({ "key": self.key, "day": day });
        let kpi = analyst.ask(&document, variables).await["kpi"].take();
        let what = format!("{} as of {day}", self.key);
        let figure = &kpi["current"];
        assert_eq!(in_words(figure), expected, "{what}");
        assert_eq!(kpi["state"], figure["state"], "{what}");
        assert_eq!(kpi["target"]["value"], figure["target"]["value"], "{what}");
        let list = "query($states: [KpiState!], $day: Date) {
            kpis(first: 200, filter: { states: $states, asOf: $day }) { nodes { key } } }";
        let variables = json!({ "states": [figure["state"]], "day": day });
        let answer = analyst.ask(list, variables).await;
        let listed = answer["kpis"]["nodes"].as_array().expect("nodes");
        assert!(listed.contains(&json!({ "key": self.key })), "{what}");
        self.is_in_series(&analyst, day, "", figure).await;
    }

    /// Its row of today's figures, in the fields of a figure; what a row does not tell is that of the figure.
    async fn flat_row(&self, analyst: &Actor<'_>, place: &str, figure: &Value) -> Value {
        let mut rows = analyst.lines("/bi/v1/kpi_current.ndjson").await;
        rows.retain(|row| {
            row["kpi_key"] == self.key.as_str()
                && row["touchpoint_key"].as_str().unwrap_or_default() == place
        });
        let [row] = rows.as_slice() else {
            panic!("{} at {place:?}: {rows:?}", self.key);
        };
        let running = (!row["running_start"].is_null()).then(|| {
            json!({ "value": row["running_value"], "n": row["running_n"], "periodStart": row["running_start"],
                "pace": figure["running"]["pace"] })
        });
        json!({ "value": row["value"], "n": row["n"], "periodStart": row["period_start"],
            "periodEnd": row["period_end"], "target": { "value": row["target"] }, "state": row["state"],
            "place": row["place"], "isDecided": row["is_decided"], "running": running,
            "periodsSince": figure["periodsSince"], "parts": figure["parts"] })
    }

    /// Asserts that a figure is the point of its period in the series up to the day; and its parts those by channel.
    async fn is_in_series(&self, analyst: &Actor<'_>, day: &str, place: &str, figure: &Value) {
        let what = format!("series of {} at {place:?} up to {day}", self.key);
        let after = (day.parse::<NaiveDate>().expect("a day") + Days::new(1)).to_string();
        let end = figure["periodEnd"].as_str().unwrap_or(&after);
        let start = figure["periodStart"].as_str().unwrap_or("2025-01-01");
        let mut input = json!({ "kpis": [self.key], "dimensions": ["KPI"], "grain": self.grain,
            "timeRange": { "from": start, "to": after.as_str().min(end) } });
        if !place.is_empty() {
            input["dimensions"] = json!(["KPI", "TOUCHPOINT"]);
            input["filter"] = json!({ "touchpointKeys": [place], "blueprintKeys": ["borrow"] });
        }
        let points = analyst.series(input.clone(), 50).await;
        if figure["state"] == "NO_DATA" {
            assert!(points.is_empty(), "{what}: {points:?}");
            return;
        }
        let fields = ["periodStart", "periodEnd", "value", "target", "state"];
        let points: Vec<String> = points
            .iter()
            .map(|point| words(fields.map(|field| &point[field])))
            .collect();
        let target = &figure["target"]["value"];
        let point = words(fields.map(|field| match field {
            "target" => target,
            _ => &figure[field],
        }));
        assert_eq!(points, [point], "{what}");
        let parts = figure["parts"].as_array().expect("parts");
        if parts.is_empty() {
            return;
        }
        input["dimensions"] = json!(["KPI", "CHANNEL"]);
        let points = analyst.series(input, 50).await;
        let told = |part: &Value, channel: &Value, target: &Value| {
            words([channel, &part["value"], target, &part["state"]])
        };
        let points = points
            .iter()
            .map(|point| told(point, &point["channelKey"], &point["target"]));
        let parts = parts
            .iter()
            .map(|part| told(part, &part["channel"]["key"], &part["target"]["value"]));
        assert_eq!(sorted(points), sorted(parts), "{what} by channel");
    }
}

/// Sets the clock to noon of a day, unless it is that day.
pub fn comes_to(world: &World, day: &str) {
    let (day, now): (NaiveDate, _) = (day.parse().expect("a day"), world.clock.now());
    if world.clock.day_of_moment(now) != day {
        let noon = world.clock.end_of_day(day) - Duration::hours(12);
        world.clock.advance(noon - now);
    }
}

/// An input about a KPI, with ids in the place of keys.
fn with_ids(kpi: &str, ids: &Ids, said: &Value) -> Value {
    let mut input = json!({ "kpiId": kpi });
    for (word, value) in said.as_object().expect("an object") {
        match word.as_str() {
            "channel" | "touchpoint" => {
                input[format!("{word}Id")] = json!(ids[value.as_str().expect("a key")]);
            }
            _ => input[word] = value.clone(),
        }
    }
    input
}

fn words<const MANY: usize>(fields: [&Value; MANY]) -> String {
    let word = |field: &Value| match field {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        _ => "-".to_owned(),
    };
    fields.map(word).join(" ")
}

fn sorted(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

/// A figure in the words of the cases.
fn in_words(figure: &Value) -> String {
    let mut told = words([
        &figure["value"],
        &figure["n"],
        &figure["periodStart"],
        &figure["periodEnd"],
        &figure["target"]["value"],
        &figure["state"],
        &figure["place"],
        &figure["periodsSince"],
    ]);
    let running = &figure["running"];
    if !running.is_null() {
        let fields = ["value", "n", "periodStart", "pace"].map(|field| &running[field]);
        told.push_str(&format!(" runs {}", words(fields)));
    }
    if figure["isDecided"] == json!(true) {
        told.push_str(" decided");
    }
    let parts = figure["parts"].as_array().expect("parts").iter();
    let parts = parts.map(|part| {
        let (channel, target) = (&part["channel"]["key"], &part["target"]["value"]);
        words([channel, &part["value"], &part["n"], target, &part["state"]])
    });
    for part in sorted(parts) {
        told.push_str(&format!(", {part}"));
    }
    told
}

/// A KPI, its targets, what is measured, and the figures by the days on which somebody asks for them: as a whole, or
/// `at` a touchpoint.
pub struct FigureCase<'a> {
    pub kpi: Value,
    pub targets: &'a [Value],
    pub measured: &'a [Value],
    pub figures: &'a [(&'a str, &'a str)],
}

impl FigureCase<'_> {
    /// Lets the days come, on each of which somebody records what was measured by then, and asks; and looks back on them
    /// from the last.
    pub async fn holds(self) {
        let kpi = LibraryKpi::new(&self.kpi, self.targets).await;
        let mut unrecorded = self.measured.to_vec();
        for (asked, expected) in self.figures {
            let (day, place) = asked.split_once(" at ").unwrap_or((asked, ""));
            comes_to(&kpi.world, day);
            let is_due = |one: &Value| one["measuredOn"].as_str().expect("a day") <= day;
            let (due, later): (Vec<Value>, _) = unrecorded.into_iter().partition(is_due);
            unrecorded = later;
            if !due.is_empty() {
                kpi.records(&due).await;
            }
            kpi.is_today(day, place, expected).await;
        }
        assert!(
            unrecorded.is_empty(),
            "measured after the last day: {unrecorded:?}"
        );
        for (day, expected) in self.figures {
            if !day.contains(" at ") {
                kpi.was(day, expected).await;
            }
        }
    }
}
