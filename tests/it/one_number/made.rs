//! Random KPIs, made through the API as people make them.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::{
    MAKE,
    oracle::{Dice, MEASURED_DAYS, Measured, Random, Target},
};
use crate::{
    facts::{LINK, RECORD},
    ids::Ids,
    kpi::TARGET,
    world::Actor,
};

pub async fn makes_random(
    cx: &Actor<'_>,
    ids: &Ids,
    at: usize,
    first: NaiveDate,
    dice: &mut Dice,
) -> Random {
    let aggregation = dice.one_of(&["AVERAGE", "SUM", "RATIO", "LAST"]);
    let cadence = dice.one_of(&[
        "DAILY",
        "WEEKLY",
        "MONTHLY",
        "MONTHLY",
        "QUARTERLY",
        "YEARLY",
    ]);
    let (higher, minimum) = (dice.below(2) == 0, dice.one_of(&[1, 1, 3, 10]));
    let adds = aggregation == "LAST" && dice.below(2) == 0;
    let key = format!("K{at}");
    let mut input = json!({ "key": key, "name": format!("Number {at}"), "type": "OTHER", "unit": "CURRENCY",
        "currency": "DKK", "decimals": 2, "aggregation": aggregation, "cadence": cadence,
        "direction": if higher { "HIGHER" } else { "LOWER" }, "ownerDepartmentId": ids["sales"],
        "minimumSample": minimum, "acrossParts": if adds { "SUM" } else { "NONE" } });
    if aggregation == "RATIO" {
        input["unit"] = json!("PERCENT");
        input["currency"] = Value::Null;
    }
    let id = cx.does(MAKE, input).await["kpi"]["id"].clone();
    let mut targets = Vec::new();
    for (channel, day) in [("", 0), ("", 60), ("", 125), ("PHONE", 20), ("WEB", 90)] {
        if dice.below(3) == 0 {
            continue;
        }
        let from = first + Days::new(day);
        let value = (dice.below(5) > 0).then(|| dice.below(90) as f64);
        let warning = value.filter(|_| dice.below(2) == 0);
        let warning = warning.map(|value| if higher { value - 10.0 } else { value + 10.0 });
        let channel_id = (!channel.is_empty()).then(|| ids[channel].clone());
        let target = json!({ "kpiId": id, "channelId": channel_id, "validFrom": from.to_string(), "value": value,
            "warning": warning });
        cx.does(TARGET, target).await;
        targets.push(Target {
            channel,
            from,
            value,
            warning,
        });
    }
    let places = dice.one_of(&[
        &["", "T2", "T3", "D1"][..],
        &["T2", "T3"],
        &["", "T2"],
        &[""],
    ]);
    let channels = dice.one_of(&[&["", "", "PHONE", "WEB"][..], &["PHONE", "WEB"], &[""]]);
    let segments = dice.one_of(&[&["", "", "young"][..], &[""]]);
    let (mut measured, mut seen): (Vec<Measured>, _) = (Vec::new(), BTreeSet::new());
    for _ in 0..dice.one_of(&[2, 8, 30]) {
        let day = first + Days::new(dice.below(MEASURED_DAYS + 1) as u64);
        let (place, channel, segment) = (
            dice.one_of(places),
            dice.one_of(channels),
            dice.one_of(segments),
        );
        if !seen.insert((day, place, channel, segment)) {
            continue;
        }
        let denominator = dice.below(9) as f64 + 1.0;
        let numerator = dice.below(denominator as usize + 1) as f64;
        let parts =
            (aggregation == "RATIO" && dice.below(12) > 0).then_some((numerator, denominator));
        let value = match aggregation {
            "RATIO" => 100.0 * numerator / denominator,
            _ => dice.below(60) as f64 - dice.one_of(&[0.0, 0.0, 5.0]),
        };
        measured.push(Measured {
            day,
            place,
            channel,
            segment,
            value,
            parts,
            sample: (dice.below(3) > 0).then_some(denominator),
        });
    }
    let id_of = |key: &str| (!key.is_empty()).then(|| ids[key].clone());
    let sent: Vec<Value> = measured
        .iter()
        .map(|one| {
            json!({ "kpiId": id, "measuredOn": one.day.to_string(), "touchpointId": id_of(one.place),
                "channelId": id_of(one.channel), "segmentId": id_of(one.segment), "value": one.value,
                "numerator": one.parts.map(|parts| parts.0), "denominator": one.parts.map(|parts| parts.1),
                "sampleSize": one.sample.map(|sample| sample as i64) })
        })
        .collect();
    // Some first with other values, which the second corrects.
    let wrong: Vec<Value> = sent
        .iter()
        .filter(|_| aggregation != "RATIO" && dice.below(3) == 0)
        .map(|one| {
            let mut one = one.clone();
            one["value"] = json!(7.5);
            one
        })
        .collect();
    for batch in [wrong, sent] {
        cx.does(RECORD, json!({ "measurements": batch })).await;
    }
    for (place, key) in [
        ("touchpointId", "T2"),
        ("touchpointId", "T3"),
        ("blueprintId", "open"),
    ] {
        cx.does(LINK, json!({ "kpiId": id, place: ids[key] })).await;
    }
    Random {
        key,
        id: id.as_str().expect("an id").to_owned(),
        aggregation,
        cadence,
        higher,
        minimum: minimum.into(),
        adds,
        targets,
        measured,
    }
}
