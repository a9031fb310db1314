//! Told apart: whatever the faces tell of employees' answers, before and after each of them, no combination of it rests
//! on fewer than five people, and before a month is over nothing tells that anybody has answered in it. What a figure
//! rests on is found from outside: each person in turn answers otherwise, or not at all, and the figures that change
//! are theirs.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World, said},
};

/// Arithmetic is done modulo this prime, 2⁶¹ − 1.
const PRIME: u128 = (1 << 61) - 1;
/// So few people are never told alone.
const FEWEST: usize = 5;
const PEOPLE: usize = 14;
const PLACES: usize = 2;
/// Months in which people answer; behind them comes one in which nobody does.
const MONTHS: usize = 3;
/// Who looks: somebody who only reads, a CONTRIBUTOR, and, as the most that both of them together could be shown, those
/// who see everything that is told of answers.
const EYES: [&str; 4] = ["eva-viewer", "dan-contrib-campus", "ann-cx", "bea-analyst"];

/// Who answers what, where and in which month.
#[derive(Clone, Copy, Debug)]
struct Answer {
    place: usize,
    score: i64,
    month: usize,
}

/// When something was told: in a month, after the answer of a person, or before any.
type When = (usize, Option<usize>);

/// What was told, by when and what was asked.
type Told = BTreeMap<(When, String), Value>;

const FIGURES: &str = "{ answers csat satisfied dissatisfied alike withheld }";
const RECORD: &str = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) { userErrors { code } } }";
const FEED: &str = "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) { kpi { version } userErrors { code } } }";
const LINK: &str = "mutation($input: KpiLinkCreateInput!) { kpiLinkCreate(input: $input) { link { id version } userErrors { code } } }";
const UNLINK: &str =
    "mutation($input: AtVersionInput!) { kpiLinkDelete(input: $input) { userErrors { code } } }";

/// What there is to look at.
struct Scene {
    journey: String,
    places: Vec<String>,
    kpi: String,
}

impl Scene {
    /// A KPI fed by what is answered in the journey of employees.
    async fn set(world: &World) -> Self {
        let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(world).await);
        let journey =
            "{ blueprint(by: { key: \"bp-employee\" }) { id phases { touchpoints { id } } } }";
        let journey = ann.ask(journey, json!({})).await["blueprint"].take();
        let phases = journey["phases"].as_array().expect("phases").iter();
        let places =
            phases.flat_map(|phase| phase["touchpoints"].as_array().expect("steps").clone());
        let id = |one: &Value| one["id"].as_str().expect("an id").to_owned();
        let create = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { code } } }";
        let input = json!({ "key": "fed", "name": "fed", "type": "CSAT", "unit": "SCALE_1_5", "aggregation": "AVERAGE",
            "direction": "HIGHER", "ownerDepartmentId": ids["b-hr"], "cadence": "MONTHLY" });
        let scene = Self {
            journey: id(&journey),
            places: places.take(PLACES).map(|one| id(&one)).collect(),
            kpi: id(&ann.does(create, input).await["kpi"]),
        };
        scene.link(&ann).await;
        let feed = json!({ "id": scene.kpi, "expectedVersion": 1, "fedFrom": "2020-01-01" });
        ann.does(FEED, feed).await;
        scene
    }

    async fn link(&self, ann: &Actor<'_>) -> Value {
        let link = json!({ "kpiId": self.kpi, "blueprintId": self.journey });
        ann.does(LINK, link).await["link"].take()
    }

    /// Lets the KPI judge something else for a while: what it counted before and counts again could be subtracted.
    async fn relink(&self, ann: &Actor<'_>) {
        let links = "query($id: ID!) { node(id: $id) { ... on Kpi { version links { nodes { id version } } } } }";
        let kpi = ann.ask(links, json!({ "id": self.kpi })).await["node"].take();
        let link = &kpi["links"]["nodes"][0];
        let version = |one: &Value| one["version"].clone();
        ann.does(
            UNLINK,
            json!({ "id": link["id"], "expectedVersion": version(link) }),
        )
        .await;
        let once = json!({ "kpiId": self.kpi, "touchpointId": self.places[0] });
        let once = ann.does(LINK, once).await["link"].take();
        ann.does(
            UNLINK,
            json!({ "id": once["id"], "expectedVersion": version(&once) }),
        )
        .await;
        let mut kpi = kpi;
        for from in [Value::Null, json!("2020-01-01")] {
            let feed = json!({ "id": self.kpi, "expectedVersion": version(&kpi), "fedFrom": from });
            kpi = ann.does(FEED, feed).await["kpi"].take();
        }
        self.link(ann).await;
    }

    /// What the API tells of answers, windows and superseded values among it.
    async fn ask(&self, actor: &Actor<'_>, when: When, told: &mut Told) {
        let today = actor.world.clock.now().date_naive();
        let mut documents: Vec<String> = self.places.iter().map(|at| windows(at, today)).collect();
        documents.push(self.figures());
        for (at, asked) in documents.into_iter().enumerate() {
            let answer = actor.ask(&format!("{{ {asked} }}"), json!({})).await;
            for (field, figure) in answer.as_object().expect("fields") {
                let face = format!("{} {at} {field}", actor.login);
                told.insert((when, face), figure.clone());
            }
        }
    }

    fn figures(&self) -> String {
        let Self { journey, kpi, .. } = self;
        format!(
            "all: feedbackSummary {FIGURES} journey: feedbackSummary(filter: {{ blueprintId: \"{journey}\" }}) {FIGURES}
            kpi: node(id: \"{kpi}\") {{ ... on Kpi {{ state latest {{ value sampleSize }}
                measurements(first: 100, includeSuperseded: true) {{ nodes {{
                    measuredOn value sampleSize touchpoint {{ key }} superseded }} }} }} }}
            blueprint(by: {{ key: \"bp-employee\" }}) {{ findings {{ findings {{ code sentence severity }} }} }}"
        )
    }

    /// What those who pull flat rows are told.
    async fn pull(&self, actor: &Actor<'_>, when: When, told: &mut Told) {
        let today = actor.world.clock.now().date_naive();
        let (from, to) = (today - Duration::days(400), today + Duration::days(40));
        let series = format!(
            "{{ kpiSeries(input: {{ kpis: [\"fed\"], grain: MONTH,
                timeRange: {{ from: \"{from}\", to: \"{to}\" }} }}) {{ nodes {{ value numerator denominator }} }} }}"
        );
        let series = actor.ask(&series, json!({})).await;
        told.insert((when, "series".to_owned()), series);
        for (face, columns) in [
            ("kpi_measurements", "measured_on,value,sample_size,state"),
            ("feedback", "scale,score,answered_on"),
        ] {
            let only = if face == "feedback" { "" } else { "&kpi=fed" };
            let path = format!("/bi/v1/{face}.ndjson?columns={columns}{only}");
            let rows = actor.lines(&path).await;
            told.insert((when, format!("{} {face}", actor.login)), json!(rows));
        }
    }

    async fn look(&self, eyes: &[Actor<'_>], when: When, told: &mut Told) {
        for actor in eyes {
            self.ask(actor, when, told).await;
            if actor.login == "bea-analyst" {
                self.pull(actor, when, told).await;
            }
        }
    }
}

/// What is asked of one place.
fn windows(place: &str, today: NaiveDate) -> String {
    let place = format!("touchpointId: \"{place}\"");
    let mut asked = format!(
        "at: feedbackSummary(filter: {{ {place} }}) {FIGURES}
        group: feedbackSummary(filter: {{ {place}, groups: [SATISFIED] }}) {FIGURES} "
    );
    for days in [1, 20, 40, 62] {
        let day = today - Duration::days(days);
        for end in ["from", "to"] {
            asked += &format!(
                "{end}{days}: feedbackSummary(filter: {{ {place}, {end}: \"{day}\" }}) {FIGURES} "
            );
        }
    }
    asked
}

/// What is told where these people answer.
async fn run(answers: &[(usize, Answer)]) -> Told {
    let world = World::demo().await;
    let scene = Scene::set(&world).await;
    let mut told = Told::new();
    for month in 0..=MONTHS {
        world.close_months().await;
        let mut eyes = Vec::new();
        for login in EYES {
            eyes.push(world.sign_in_anew(login).await);
        }
        scene.look(&eyes, (month, None), &mut told).await;
        let (ann, most) = (&eyes[2], &eyes[2..]);
        for (person, answer) in answers.iter().filter(|(_, answer)| answer.month == month) {
            // What comes in while a clock is behind, or is told under an earlier day, joins no month that has closed.
            let behind = Duration::days(if person.is_multiple_of(3) { 25 } else { 0 });
            let today = (world.clock.now() - behind).date_naive().to_string();
            let said = json!({ "scale": "CSAT", "score": answer.score, "touchpointId": scene.places[answer.place], "answeredOn": today });
            ann.does(RECORD, json!({ "feedback": [said] })).await;
            scene.look(most, (month, Some(*person)), &mut told).await;
        }
        if month == MONTHS {
            scene.relink(ann).await;
            scene.look(&eyes, (month, Some(PEOPLE)), &mut told).await;
        }
        world.clock.advance(Duration::days(31));
    }
    told
}

/// The rank of these rows, as far as these columns go.
fn rank(rows: &[Vec<u128>], columns: &[usize]) -> usize {
    let mut rows: Vec<Vec<u128>> = rows
        .iter()
        .map(|row| columns.iter().map(|at| row[*at]).collect())
        .collect();
    let mut rank = 0;
    for column in 0..columns.len() {
        let Some(pivot) = (rank..rows.len()).find(|at| rows[*at][column] != 0) else {
            continue;
        };
        rows.swap(rank, pivot);
        let inverse = power(rows[rank][column], PRIME - 2);
        let leading: Vec<u128> = rows[rank].iter().map(|one| one * inverse % PRIME).collect();
        for row in rows.iter_mut().skip(rank + 1) {
            let times = row[column];
            for (one, other) in row.iter_mut().zip(&leading) {
                *one = (*one + PRIME - times * other % PRIME) % PRIME;
            }
        }
        rank += 1;
    }
    rank
}

fn power(mut base: u128, mut exponent: u128) -> u128 {
    let mut power = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    power
}

/// The fewest people that a combination of the rows rests on, where they are fewer than five; for whoever knows what
/// some of them answered, where fewer than those who make up the five are left.
fn told_apart(rows: &[Vec<u128>], people: usize, known: &[usize]) -> Option<Vec<usize>> {
    let others: Vec<usize> = (0..people).filter(|one| !known.contains(one)).collect();
    let all = rank(rows, &others);
    (1_u32..1 << others.len())
        .filter(|few| (few.count_ones() as usize) < FEWEST - known.len())
        .map(|few| {
            let those = others.iter().enumerate();
            let those = those.filter(|(at, _)| few >> at & 1 == 1);
            those.map(|(_, one)| *one).collect::<Vec<_>>()
        })
        .find(|few| {
            let rest = others.iter().copied().filter(|one| !few.contains(one));
            rank(rows, &rest.collect::<Vec<_>>()) < all
        })
}

#[test]
fn a_difference_that_isolates_somebody_is_found() {
    let five = vec![1, 1, 1, 1, 1, 0];
    let six = vec![1; 6];
    assert_eq!(told_apart(std::slice::from_ref(&five), 6, &[]), None);
    assert_eq!(told_apart(std::slice::from_ref(&five), 6, &[0, 1]), None);
    let four = vec![0, 1, 1, 1, 1, 0];
    assert_eq!(told_apart(&[four], 6, &[1]), Some(vec![2, 3, 4]));
    assert_eq!(told_apart(&[five, six], 6, &[]), Some(vec![5]));
}

fn cases() -> u8 {
    said("TOLD_APART_CASES").unwrap_or(1)
}

/// People who answer by chance, the same in every run: in even cases all at one place within two months.
fn people(case: u8) -> Vec<(usize, Answer)> {
    let (places, months) = if case.is_multiple_of(2) {
        (1, 2)
    } else {
        (PLACES, MONTHS)
    };
    let mut state = u64::from(case) + 1;
    // Knuth's MMIX generator.
    let mut below = |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    let mut answer = || Answer {
        place: below(places),
        score: below(5) as i64 + 1,
        month: below(months),
    };
    (0..PEOPLE).map(|person| (person, answer())).collect()
}

#[tokio::test]
async fn no_combination_of_what_is_told_rests_on_fewer_than_five() {
    for case in 0..cases() {
        let answers = people(case);
        let told = run(&answers).await;
        let mut rests: BTreeMap<&(When, String), Vec<u128>> = BTreeMap::new();
        for person in 0..PEOPLE {
            let mut otherwise = answers.clone();
            let score = &mut otherwise[person].1.score;
            *score = if *score > 3 { 2 } else { 5 };
            let other = run(&otherwise).await;
            for (asked, figure) in &told {
                let row = rests.entry(asked).or_insert_with(|| vec![0; PEOPLE]);
                row[person] = u128::from(other.get(asked) != Some(figure));
            }
        }
        let mut rows: Vec<Vec<u128>> = rests.into_values().filter(|row| row.contains(&1)).collect();
        rows.sort_unstable();
        rows.dedup();
        assert!(
            !rows.is_empty(),
            "case {case}: nothing was told at all of {answers:?}"
        );
        let mut known: Vec<Vec<usize>> = vec![vec![]];
        known.extend((0..PEOPLE).map(|one| vec![one]));
        known.extend((1..PEOPLE).flat_map(|two| (0..two).map(move |one| vec![one, two])));
        for known in known {
            assert_eq!(
                told_apart(&rows, PEOPLE, &known),
                None,
                "case {case}: {known:?} are known of {answers:?} {rows:?}"
            );
        }
    }
}

#[tokio::test]
async fn in_the_running_month_nothing_tells_that_somebody_has_answered() {
    for case in 0..cases() {
        let answers = people(case);
        let told = run(&answers).await;
        for month in 0..MONTHS {
            let nobody: Vec<_> = answers
                .iter()
                .filter(|(_, answer)| answer.month != month)
                .copied()
                .collect();
            let other = run(&nobody).await;
            let before: BTreeMap<_, _> = other
                .iter()
                .filter(|(((at, _), _), _)| *at <= month)
                .collect();
            for (((at, person), face), figure) in &told {
                // Where a month is over, its first look is what all later ones of it tell.
                let same = person.filter(|_| *at != month);
                if *at <= month {
                    let other = before.get(&((*at, same), face.clone())).copied();
                    assert_eq!(other, Some(figure), "case {case}, {at} {person:?}: {face}");
                }
            }
        }
    }
}

#[tokio::test]
async fn that_somebody_has_answered_is_told_by_their_cell_alone() {
    let answer = |person: usize| Answer {
        place: 0,
        score: (person % 5) as i64 + 1,
        month: match person {
            0 => 0,
            1..=6 => 1,
            _ => 2,
        },
    };
    let answers: Vec<(usize, Answer)> =
        (0..PEOPLE).map(|person| (person, answer(person))).collect();
    let told = run(&answers).await;
    // The first answers a month before anybody else; the other is one of six.
    for person in [0, 1] {
        let mut otherwise = answers.clone();
        otherwise[person].1.score = 6 - otherwise[person].1.score;
        let otherwise = run(&otherwise).await;
        let mut without = answers.clone();
        without.remove(person);
        let without = run(&without).await;
        let mut shown = 0;
        for (asked, figure) in told.iter().filter(|((when, _), _)| when.1 != Some(person)) {
            let by_presence = without.get(asked) != Some(figure);
            let by_score = otherwise.get(asked) != Some(figure);
            assert!(
                !by_presence || by_score,
                "{person}: {asked:?} {figure} {:?}",
                without.get(asked)
            );
            shown += usize::from(by_score);
        }
        assert!(shown > 0, "{person} is in a cell that is told");
    }
}
