//! Told apart: whatever the faces tell of employees' answers, before and after each of them, no combination of it rests
//! on fewer than five people. What a figure rests on is found from outside: each person in turn answers otherwise, and
//! the figures that change are theirs.

use std::collections::BTreeMap;

use cx_blueprint::{access::Caller, kpi::fed};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

/// Arithmetic is done modulo this prime, 2⁶¹ − 1.
const PRIME: u128 = (1 << 61) - 1;
/// So few people are never told alone.
const FEWEST: usize = 5;
const PEOPLE: usize = 16;
const PLACES: usize = 2;

/// Who answers what, where and in which month.
#[derive(Clone, Copy, Debug)]
struct Answer {
    place: usize,
    score: i64,
    month: usize,
}

/// What was told, by what was asked and when.
type Told = BTreeMap<String, Value>;

const RECORD: &str = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) { userErrors { code } } }";

/// All faces that tell of employees' answers at a touchpoint, windows and superseded values among them.
async fn look(actor: &Actor<'_>, places: &[String], kpi: &str, when: usize, told: &mut Told) {
    let figures = "{ answers csat satisfied dissatisfied alike }";
    let today = actor.world.clock.now().date_naive();
    for (at, place) in places.iter().enumerate() {
        let mut asked =
            format!("at: feedbackSummary(filter: {{ touchpointId: \"{place}\" }}) {figures} ");
        for days in [1, 20, 40] {
            let day = today - chrono::Duration::days(days);
            asked += &format!(
                "from{days}: feedbackSummary(filter: {{ touchpointId: \"{place}\", from: \"{day}\" }}) {figures} "
            );
            asked += &format!(
                "to{days}: feedbackSummary(filter: {{ touchpointId: \"{place}\", to: \"{day}\" }}) {figures} "
            );
        }
        asked += &format!("node(id: \"{place}\") {{ ... on Touchpoint {{ feedback {figures} }} }}");
        let answer = actor.ask(&format!("{{ {asked} }}"), json!({})).await;
        for (field, figure) in answer.as_object().expect("fields") {
            told.insert(format!("{when} {at} {field}"), figure.clone());
        }
    }
    let fed = format!("{{ feedbackSummary {figures} node(id: \"{kpi}\") {{ ... on Kpi {{ measurements(first: 100, includeSuperseded: true) {{
        nodes {{ measuredOn value sampleSize touchpoint {{ key }} superseded }} }} }} }} }}");
    let mut answer = actor.ask(&fed, json!({})).await;
    told.insert(format!("{when} summary"), answer["feedbackSummary"].take());
    let nodes = answer["node"]["measurements"]["nodes"]
        .as_array()
        .expect("nodes")
        .clone();
    for (at, node) in nodes.into_iter().enumerate() {
        told.insert(format!("{when} fed {at}"), node);
    }
}

/// What is told where these people answer.
async fn run(answers: &[Answer]) -> Told {
    let world = World::demo().await;
    let ids = Ids::of(&world).await;
    let ann = world.sign_in("ann-cx").await;
    let journey =
        "{ blueprint(by: { key: \"bp-employee\" }) { id phases { touchpoints { id } } } }";
    let journey = ann.ask(journey, json!({})).await["blueprint"].take();
    let touchpoints = journey["phases"].as_array().expect("phases").iter();
    let touchpoints =
        touchpoints.flat_map(|phase| phase["touchpoints"].as_array().expect("steps").clone());
    let places: Vec<String> = touchpoints
        .take(PLACES)
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect();
    let create = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { code } } }";
    let input = json!({ "name": "fed", "type": "CSAT", "unit": "SCALE_1_5", "aggregation": "AVERAGE", "direction": "HIGHER",
        "ownerDepartmentId": ids["b-hr"] });
    let kpi = ann.does(create, input).await["kpi"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let link = "mutation($input: KpiLinkCreateInput!) { kpiLinkCreate(input: $input) { userErrors { code } } }";
    ann.does(link, json!({ "kpiId": kpi, "blueprintId": journey["id"] }))
        .await;
    let feed =
        "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) { userErrors { code } } }";
    ann.does(
        feed,
        json!({ "id": kpi, "expectedVersion": 1, "fedByFeedback": true }),
    )
    .await;
    let mut told = Told::new();
    let mut when = 0;
    // In the last month nobody answers, and what closed before it is told.
    for month in 0..4 {
        let ann = world.sign_in_anew("ann-cx").await;
        let operator =
            Caller::operator(world.store.clone(), world.clock.clone(), "feedbackMeasure");
        fed::renew(&operator, &mut None)
            .await
            .expect("closed months are measured");
        look(&ann, &places, &kpi, when, &mut told).await;
        when += 1;
        for answer in answers.iter().filter(|answer| answer.month == month) {
            let today = world.clock.now().date_naive().to_string();
            let said = json!({ "scale": "CSAT", "score": answer.score, "touchpointId": places[answer.place], "answeredOn": today });
            ann.does(RECORD, json!({ "feedback": [said] })).await;
            look(&ann, &places, &kpi, when, &mut told).await;
            when += 1;
        }
        world.clock.advance(chrono::Duration::days(31));
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

/// The fewest people that a combination of the rows rests on, where they are fewer than five.
fn told_apart(rows: &[Vec<u128>], people: usize) -> Option<Vec<usize>> {
    let everybody: Vec<usize> = (0..people).collect();
    let all = rank(rows, &everybody);
    (1_u32..1 << people)
        .filter(|few| (few.count_ones() as usize) < FEWEST)
        .map(|few| {
            everybody
                .iter()
                .copied()
                .filter(|one| few >> one & 1 == 1)
                .collect::<Vec<_>>()
        })
        .find(|few| {
            let rest: Vec<usize> = everybody
                .iter()
                .copied()
                .filter(|one| !few.contains(one))
                .collect();
            rank(rows, &rest) < all
        })
}

#[test]
fn a_difference_that_isolates_somebody_is_found() {
    let five = vec![1, 1, 1, 1, 1, 0];
    let six = vec![1; 6];
    assert_eq!(told_apart(std::slice::from_ref(&five), 6), None);
    assert_eq!(told_apart(&[five, six], 6), Some(vec![5]));
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is said in the environment"
)]
fn cases() -> u8 {
    std::env::var("TOLD_APART_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(1)
}

#[tokio::test]
async fn no_combination_of_what_is_told_rests_on_fewer_than_five() {
    for case in 0..cases() {
        let mut state = u64::from(case) + 1;
        // Knuth's MMIX generator: the same answers in every run.
        let mut below = |most: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as u32) % most
        };
        let answers: Vec<Answer> = (0..PEOPLE)
            .map(|_| Answer {
                place: below(PLACES as u32) as usize,
                score: i64::from(below(5)) + 1,
                month: (below(5) / 2).min(2) as usize,
            })
            .collect();
        let told = run(&answers).await;
        let mut rests: BTreeMap<&String, Vec<u128>> = BTreeMap::new();
        for person in 0..PEOPLE {
            let mut otherwise = answers.clone();
            otherwise[person].score = if otherwise[person].score > 3 { 2 } else { 5 };
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
        assert_eq!(
            told_apart(&rows, PEOPLE),
            None,
            "case {case}: {answers:?} {rows:?}"
        );
    }
}
