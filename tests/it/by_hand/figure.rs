//! The current figure in the library: a KPI of the desk is measured over some days, and what that comes to on each of
//! them was worked out with a pencil.
//!
//! A figure in words: value, n, first day, day after the last one, target, state, place, and how many periods have
//! passed since. Then what `runs` beside it: value, n, first day, pace. Or `decided`. And its parts: channel, value, n,
//! target, state.

mod library;

use serde_json::{Value, json};

use self::library::{FigureCase, LibraryKpi, comes_to};

const CORRECT: &str =
    "mutation($input: KpiMeasurementCorrectInput!) { kpiMeasurementCorrect(input: $input) {
    measurement { id } userErrors { message } } }";

/// A running month counts with as many answers as the KPI asks for, three, and half of those of the newest ended month
/// that has any: of the eight of March, since April has none.
#[tokio::test]
async fn a_running_month_counts_at_exactly_half_of_the_last_one_that_was_measured() {
    FigureCase {
        kpi: json!({ "key": "HALF", "minimumSample": 3 }),
        targets: &[json!({ "validFrom": "2025-01-01", "value": 8 })],
        measured: &[
            json!({ "measuredOn": "2025-03-20", "value": 12, "sampleSize": 8 }),
            json!({ "measuredOn": "2025-05-02", "value": 6, "sampleSize": 2 }),
            json!({ "measuredOn": "2025-05-05", "value": 9, "sampleSize": 1 }),
            json!({ "measuredOn": "2025-05-06", "value": 3, "sampleSize": 1 }),
        ],
        figures: &[
            // Two are less than three: March, since whose end April has passed.
            (
                "2025-05-02",
                "12 8 2025-03-01 2025-04-01 8 MISSED WHOLE 1 runs 6 2 2025-05-01 -",
            ),
            // Three are three, and less than four; (2 × 6 + 9) / 3.
            (
                "2025-05-05",
                "12 8 2025-03-01 2025-04-01 8 MISSED WHOLE 1 runs 7 3 2025-05-01 -",
            ),
            // Four are half of eight; (2 × 6 + 9 + 3) / 4.
            ("2025-05-06", "6 4 2025-05-01 2025-06-01 8 MET WHOLE 0"),
        ],
    }
    .holds()
    .await;
}

/// On its last day a period has ended, and what has ended need not reach half of the one before. 4 May is a Sunday.
#[tokio::test]
async fn a_week_has_ended_on_its_sunday() {
    FigureCase {
        kpi: json!({ "key": "WEEK", "cadence": "WEEKLY", "minimumSample": 3 }),
        targets: &[json!({ "validFrom": "2025-01-01", "value": 8 })],
        measured: &[
            json!({ "measuredOn": "2025-04-15", "value": 12, "sampleSize": 8 }),
            json!({ "measuredOn": "2025-04-30", "value": 6, "sampleSize": 3 }),
        ],
        figures: &[
            // Three are less than half of eight; since then the week from the 21st has passed.
            (
                "2025-05-03",
                "12 8 2025-04-14 2025-04-21 8 MISSED WHOLE 1 runs 6 3 2025-04-28 -",
            ),
            ("2025-05-04", "6 3 2025-04-28 2025-05-05 8 MET WHOLE 0"),
        ],
    }
    .holds()
    .await;
}

/// Shares are what their numerators come to over their denominators, which are n; the target of a period is the one on
/// its last day.
#[tokio::test]
async fn a_quarter_of_unequal_shares_stands_on_the_first_day_of_the_next() {
    let share = |day: &str, numerator: i32, denominator: i32, value: i32| json!({ "measuredOn": day, "value": value, "numerator": numerator, "denominator": denominator });
    FigureCase {
        kpi: json!({ "key": "QUARTER", "unit": "PERCENT", "direction": "HIGHER", "aggregation": "RATIO",
            "cadence": "QUARTERLY" }),
        targets: &[
            json!({ "validFrom": "2025-01-01", "value": 60 }),
            json!({ "validFrom": "2025-07-01", "value": 50 }),
        ],
        measured: &[
            share("2025-04-12", 18, 20, 90),
            share("2025-06-20", 24, 60, 40),
            share("2025-07-01", 5, 5, 100),
        ],
        figures: &[
            // It runs, with nothing before it.
            ("2025-06-19", "90 20 2025-04-01 2025-07-01 60 MET WHOLE 0"),
            // (18 + 24) / (20 + 60), and not the 65 of an average of shares, which would meet the 60.
            (
                "2025-06-30",
                "52.5 80 2025-04-01 2025-07-01 60 MISSED WHOLE 0",
            ),
            // Five are less than half of eighty; by the target that begins today the old quarter is not judged.
            (
                "2025-07-01",
                "52.5 80 2025-04-01 2025-07-01 60 MISSED WHOLE 0 runs 100 5 2025-07-01 -",
            ),
        ],
    }
    .holds()
    .await;
}

/// The targets of two channels.
fn targets_of_parts() -> [Value; 2] {
    [
        json!({ "validFrom": "2025-01-01", "value": 30, "channel": "PHONE" }),
        json!({ "validFrom": "2025-01-01", "value": 60, "warning": 45, "channel": "WEB" }),
    ]
}

/// The last values of channels are no value of the whole, nor is that of the only channel that has one. A target of a
/// channel judges this part, and never the whole.
#[tokio::test]
async fn one_channel_is_not_the_whole() {
    FigureCase {
        kpi: json!({ "key": "PARTS", "unit": "COUNT", "direction": "HIGHER", "aggregation": "LAST" }),
        targets: &targets_of_parts(),
        measured: &[
            json!({ "measuredOn": "2025-04-30", "value": 30, "channel": "PHONE" }),
            json!({ "measuredOn": "2025-04-30", "value": 50, "channel": "WEB" }),
            json!({ "measuredOn": "2025-05-20", "value": 29, "channel": "PHONE" }),
            json!({ "measuredOn": "2025-06-02", "value": 51, "channel": "WEB" }),
            json!({ "measuredOn": "2025-06-05", "value": 90 }),
        ],
        figures: &[
            (
                "2025-04-30",
                "- 2 2025-04-01 2025-05-01 - BY_PART_ONLY WHOLE 0, PHONE 30 1 30 MET, WEB 50 1 60 AT_RISK",
            ),
            // One value is enough to count: neither is April the figure, nor does its 50 stay.
            (
                "2025-05-31",
                "- 1 2025-05-01 2025-06-01 - BY_PART_ONLY WHOLE 0, PHONE 29 1 30 MISSED",
            ),
            // The whole has a value, and the channel's counts no more.
            (
                "2025-06-05",
                "90 1 2025-06-01 2025-07-01 - NO_TARGET WHOLE 0",
            ),
        ],
    }
    .holds()
    .await;
}

/// Where they add up, the whole is the sum of those that have a value in the period. A month of last values need not
/// reach half of the one before.
#[tokio::test]
async fn channels_add_up_to_what_was_measured_in_the_period() {
    let mut targets = targets_of_parts().to_vec();
    targets.push(json!({ "validFrom": "2025-01-01", "value": 75 }));
    FigureCase {
        kpi: json!({ "key": "ADDED", "unit": "COUNT", "direction": "HIGHER", "aggregation": "LAST",
            "acrossParts": "SUM" }),
        targets: &targets,
        measured: &[
            json!({ "measuredOn": "2025-04-30", "value": 30, "channel": "PHONE" }),
            json!({ "measuredOn": "2025-04-30", "value": 50, "channel": "WEB" }),
            json!({ "measuredOn": "2025-05-20", "value": 29, "channel": "PHONE" }),
            json!({ "measuredOn": "2025-06-02", "value": 51, "channel": "WEB" }),
        ],
        figures: &[
            // 30 + 50 meets 75, though the 50 does not meet its own 60.
            (
                "2025-04-30",
                "80 2 2025-04-01 2025-05-01 75 MET WHOLE 0, PHONE 30 1 30 MET, WEB 50 1 60 AT_RISK",
            ),
            (
                "2025-05-31",
                "29 1 2025-05-01 2025-06-01 75 MISSED WHOLE 0, PHONE 29 1 30 MISSED",
            ),
            (
                "2025-06-02",
                "51 1 2025-06-01 2025-07-01 75 MISSED WHOLE 0, WEB 51 1 60 AT_RISK",
            ),
        ],
    }
    .holds()
    .await;
}

/// A value weighs as much as its sample, and one without as much as 1. At the target it is met, at the warning level at
/// risk.
#[tokio::test]
async fn a_mean_of_unequal_samples_lies_exactly_at_its_levels() {
    FigureCase {
        kpi: json!({ "key": "LEVELS" }),
        targets: &[json!({ "validFrom": "2025-01-01", "value": 10, "warning": 12 })],
        measured: &[
            json!({ "measuredOn": "2025-04-08", "value": 10, "sampleSize": 3 }),
            json!({ "measuredOn": "2025-04-09", "value": 18 }),
            json!({ "measuredOn": "2025-04-10", "value": 2, "sampleSize": 1 }),
            json!({ "measuredOn": "2025-04-11", "value": 14.2, "sampleSize": 5 }),
        ],
        figures: &[
            ("2025-04-08", "10 3 2025-04-01 2025-05-01 10 MET WHOLE 0"),
            // (3 × 10 + 18) / 4, and not the 14 of a plain mean, nor the 10 without the one of which n is unknown.
            (
                "2025-04-09",
                "12 4 2025-04-01 2025-05-01 10 AT_RISK WHOLE 0",
            ),
            // (48 + 2) / 5.
            ("2025-04-10", "10 5 2025-04-01 2025-05-01 10 MET WHOLE 0"),
            // (50 + 5 × 14.2) / 10.
            (
                "2025-04-11",
                "12.1 10 2025-04-01 2025-05-01 10 MISSED WHOLE 0",
            ),
        ],
    }
    .holds()
    .await;
}

/// The target is the one in force on the last day of the figure's own period that is not after the day that is asked
/// about.
#[tokio::test]
async fn a_figure_is_judged_by_the_target_of_its_own_period() {
    FigureCase {
        kpi: json!({ "key": "TARGETS" }),
        targets: &[
            json!({ "validFrom": "2025-06-01", "value": 5 }),
            json!({ "validFrom": "2025-07-16", "value": 8 }),
            json!({ "validFrom": "2025-08-01", "value": 4 }),
        ],
        measured: &[
            json!({ "measuredOn": "2025-05-10", "value": 3 }),
            json!({ "measuredOn": "2025-07-10", "value": 6 }),
        ],
        figures: &[
            ("2025-05-09", "- 0 - - - NO_DATA - -"),
            // The 5 of June judge no month before: not on a day of June, and not when June has passed unmeasured.
            (
                "2025-06-20",
                "3 1 2025-05-01 2025-06-01 - NO_TARGET WHOLE 0",
            ),
            (
                "2025-06-30",
                "3 1 2025-05-01 2025-06-01 - NO_TARGET WHOLE 1",
            ),
            // July runs, and the same value is judged by the target of today.
            ("2025-07-15", "6 1 2025-07-01 2025-08-01 5 MISSED WHOLE 0"),
            ("2025-07-16", "6 1 2025-07-01 2025-08-01 8 MET WHOLE 0"),
            // It has ended with 8 in force, whatever is aimed at in August.
            ("2025-08-01", "6 1 2025-07-01 2025-08-01 8 MET WHOLE 0"),
        ],
    }
    .holds()
    .await;
}

/// A sum that runs goes well or not by the target's share of the days that are gone, within 5 % of that share; once past
/// the target it is decided.
#[tokio::test]
async fn a_sum_goes_at_a_pace_until_it_is_decided_or_its_month_is_over() {
    FigureCase {
        kpi: json!({ "key": "PACE", "unit": "COUNT", "direction": "HIGHER", "aggregation": "SUM" }),
        targets: &[
            json!({ "validFrom": "2025-01-01", "value": 300 }),
            json!({ "validFrom": "2025-06-26", "value": 400 }),
        ],
        measured: &[
            json!({ "measuredOn": "2025-05-31", "value": 310 }),
            json!({ "measuredOn": "2025-06-03", "value": 60 }),
            json!({ "measuredOn": "2025-06-12", "value": 65 }),
            json!({ "measuredOn": "2025-06-20", "value": 87 }),
            json!({ "measuredOn": "2025-06-25", "value": 94 }),
        ],
        figures: &[
            // 60 + 65 of the 300 × 12 / 30 = 120 that are due: 4 % more.
            (
                "2025-06-12",
                "310 1 2025-05-01 2025-06-01 300 MET WHOLE 0 runs 125 2 2025-06-01 ON",
            ),
            // Of 130: 4 % less.
            (
                "2025-06-13",
                "310 1 2025-05-01 2025-06-01 300 MET WHOLE 0 runs 125 2 2025-06-01 ON",
            ),
            // Of 140: 11 % less.
            (
                "2025-06-14",
                "310 1 2025-05-01 2025-06-01 300 MET WHOLE 0 runs 125 2 2025-06-01 BEHIND",
            ),
            // 125 + 87 of 200: 6 % more than is due, though only 4 % of the target.
            (
                "2025-06-20",
                "310 1 2025-05-01 2025-06-01 300 MET WHOLE 0 runs 212 3 2025-06-01 AHEAD",
            ),
            // 212 + 94 are more than 300, and nothing below zero was measured.
            (
                "2025-06-25",
                "306 4 2025-06-01 2025-07-01 300 MET WHOLE 0 decided",
            ),
            // Not more than 400, of which 400 × 26 / 30 = 346.7 are due. May is still judged by its own target.
            (
                "2025-06-26",
                "310 1 2025-05-01 2025-06-01 300 MET WHOLE 0 runs 306 4 2025-06-01 BEHIND",
            ),
            (
                "2025-06-30",
                "306 4 2025-06-01 2025-07-01 400 MISSED WHOLE 0",
            ),
        ],
    }
    .holds()
    .await;
    // Where less is better, the target itself still meets it, and one more is past it.
    FigureCase {
        kpi: json!({ "key": "LOST", "unit": "COUNT", "aggregation": "SUM" }),
        targets: &[json!({ "validFrom": "2025-01-01", "value": 40 })],
        measured: &[
            json!({ "measuredOn": "2025-04-28", "value": 35 }),
            json!({ "measuredOn": "2025-05-12", "value": 40 }),
            json!({ "measuredOn": "2025-05-13", "value": 1 }),
        ],
        figures: &[
            // 40 where 40 × 12 / 31 = 15.5 would have been the share.
            (
                "2025-05-12",
                "35 1 2025-04-01 2025-05-01 40 MET WHOLE 0 runs 40 1 2025-05-01 BEHIND",
            ),
            (
                "2025-05-13",
                "41 2 2025-05-01 2025-06-01 40 MISSED WHOLE 0 decided",
            ),
        ],
    }
    .holds()
    .await;
}

/// At a touchpoint a month is its own where it has any values there, however few, and else that of the whole; which month
/// counts is seen in those. At RETURN nothing was measured.
#[tokio::test]
async fn a_touchpoint_looks_at_its_own_months_and_those_of_the_whole_in_between() {
    FigureCase {
        kpi: json!({ "key": "PLACES", "minimumSample": 3 }),
        targets: &[json!({ "validFrom": "2025-01-01", "value": 8 })],
        measured: &[
            json!({ "measuredOn": "2025-03-20", "value": 9, "sampleSize": 4 }),
            json!({ "measuredOn": "2025-03-20", "value": 4, "sampleSize": 6, "touchpoint": "fetch" }),
            json!({ "measuredOn": "2025-04-10", "value": 5, "sampleSize": 10 }),
            json!({ "measuredOn": "2025-04-10", "value": 7, "sampleSize": 1, "touchpoint": "fetch" }),
            json!({ "measuredOn": "2025-05-02", "value": 20, "sampleSize": 4 }),
        ],
        figures: &[
            // One is less than three, and ten elsewhere are not its own: March.
            (
                "2025-04-29 at fetch",
                "4 6 2025-03-01 2025-04-01 8 MET TOUCHPOINT 0 runs 7 1 2025-04-01 -",
            ),
            // April has ended: it does not run any more, and has passed since March.
            (
                "2025-04-30 at fetch",
                "4 6 2025-03-01 2025-04-01 8 MET TOUCHPOINT 1",
            ),
            (
                "2025-04-30 at return",
                "5 10 2025-04-01 2025-05-01 8 MET WHOLE 0",
            ),
            ("2025-04-30", "5 10 2025-04-01 2025-05-01 8 MET WHOLE 0"),
            // Of May only the whole is known. Its four are less than half of the ten of April as a whole.
            (
                "2025-05-02",
                "5 10 2025-04-01 2025-05-01 8 MET WHOLE 0 runs 20 4 2025-05-01 -",
            ),
            (
                "2025-05-02 at return",
                "5 10 2025-04-01 2025-05-01 8 MET WHOLE 0 runs 20 4 2025-05-01 -",
            ),
            // But more than half of the one at FETCH.
            (
                "2025-05-02 at fetch",
                "20 4 2025-05-01 2025-06-01 8 MISSED WHOLE 0",
            ),
        ],
    }
    .holds()
    .await;
}

/// What was corrected counts no more, neither by its value nor by its sample; a look back shows what was true on the day,
/// and not what was known then.
#[tokio::test]
async fn a_correction_is_true_of_the_day_that_it_corrects() {
    let targets = [json!({ "validFrom": "2025-01-01", "value": 4 })];
    let kpi = LibraryKpi::new(&json!({ "key": "MISTYPED" }), &targets).await;
    comes_to(&kpi.world, "2025-04-08");
    kpi.records(&[
        json!({ "measuredOn": "2025-04-07", "value": 30, "sampleSize": 2 }),
        json!({ "measuredOn": "2025-04-08", "value": 5, "sampleSize": 2 }),
    ])
    .await;
    // (2 × 30 + 2 × 5) / 4.
    let mistyped = "17.5 4 2025-04-01 2025-05-01 4 MISSED WHOLE 0";
    kpi.is_today("2025-04-08", "", mistyped).await;

    // The 30 of two was a 3 of six.
    comes_to(&kpi.world, "2025-04-09");
    let lead = kpi.world.sign_in_anew("desk-lead").await;
    let measurements = "query($key: String!) { kpi(by: { key: $key }) { measurements(to: \"2025-04-08\") { nodes { id value } } } }";
    let answer = lead.ask(measurements, json!({ "key": kpi.key })).await;
    let wrong = &answer["kpi"]["measurements"]["nodes"][0];
    assert_eq!(wrong["value"], json!(30.0));
    let right = json!({ "measurementId": wrong["id"], "value": 3, "sampleSize": 6 });
    lead.does(CORRECT, right).await;
    // (6 × 3 + 2 × 5) / 8.
    let corrected = "3.5 8 2025-04-01 2025-05-01 4 MET WHOLE 0";
    kpi.is_today("2025-04-09", "", corrected).await;
    for day in ["2025-04-09", "2025-04-08"] {
        kpi.was(day, corrected).await;
    }

    // Another value of the same day corrects it too.
    comes_to(&kpi.world, "2025-04-10");
    kpi.records(&[json!({ "measuredOn": "2025-04-08", "value": 9, "sampleSize": 2 })])
        .await;
    // (6 × 3 + 2 × 9) / 8.
    let again = "4.5 8 2025-04-01 2025-05-01 4 MISSED WHOLE 0";
    kpi.is_today("2025-04-10", "", again).await;
    for day in ["2025-04-10", "2025-04-08"] {
        kpi.was(day, again).await;
    }
    kpi.was("2025-04-07", "3 6 2025-04-01 2025-05-01 4 MET WHOLE 0")
        .await;
}
