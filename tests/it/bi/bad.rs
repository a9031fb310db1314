//! What no client of ours would send, face by face: a sentence comes back and never a fault of ours, and it is taken by
//! both databases where it is no fault at all.

mod graphql;

use super::{Answer, YEAR};
use crate::{
    odata::{IN_YEAR, encoded},
    world::World,
};

/// So many times the same, with this between.
fn many(one: &str, between: &str, times: usize) -> String {
    vec![one; times].join(between)
}

/// That an answer is a sentence with these words, or rows where there are none to say.
fn says(answer: &Answer, words: &str, asked: &str) {
    let asked: String = asked.chars().take(80).collect();
    let told = match words {
        "" => 200,
        _ => 400,
    };
    assert_eq!(answer.status.as_u16(), told, "{asked}: {}", answer.text());
    if told == 400 {
        let (code, message) = answer.told();
        assert_eq!(code, "BAD_USER_INPUT", "{asked}");
        assert!(message.contains(words), "{asked}: {message}");
        assert!(message.len() < 1_500, "{asked}: it repeats what was sent");
    }
}

#[tokio::test]
async fn no_parameter_of_a_feed_is_too_strange_for_a_sentence() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let (day, once) = ("is a day such as 2026-11-22.", "is sent once.");
    let years = "A day lies between the years 1900 and 2999.";
    let (limit, cursor) = (
        "`limit` has to be a number from 1",
        "is not a cursor of this list",
    );
    let (unknown, most) = ("does not take every parameter", "at most 1000 values");
    for (asked, words) in [
        // Days that there are not.
        ("from=2025-02-30&to=2025-04-01", day),
        ("from=99999-01-01&to=99999-02-01", day),
        ("from=-0001-01-01&to=2025-02-01", day),
        ("from=NaN&to=Infinity", day),
        ("from=2025-01-01T00:00:00Z&to=2025-02-01", day),
        ("from=0000-01-01&to=0001-01-01", years),
        ("from=9999-01-01&to=9999-12-31", years),
        ("from=2025-04-01&to=2025-01-01", "`from` lies after `to`."),
        // Numbers that there are not.
        (&format!("{YEAR}&limit=-1"), limit),
        (&format!("{YEAR}&limit=1e3"), limit),
        (&format!("{YEAR}&limit=NaN"), limit),
        (&format!("{YEAR}&limit={}", "9".repeat(400)), limit),
        // What stands there twice, or is not known.
        (&format!("{YEAR}&from=2025-01-01"), once),
        (&format!("{YEAR}&after=AAAA&after=AAAA"), once),
        (&format!("{YEAR}&columns=value,value"), "more than once"),
        (&format!("{YEAR}&columns="), "`columns` are some of"),
        (&format!("{YEAR}&%FF=1"), unknown),
        (&format!("{YEAR}&%EF%BB%BFkpi=PRICE"), unknown),
        // What is no text, or text with more than one sees.
        (&format!("{YEAR}&kpi=%FF%FE,%ED%A0%80,%C0%AF,%"), ""),
        (&format!("{YEAR}&kpi=%EF%BB%BFPRICE"), ""),
        (&format!("{YEAR}&after=%00"), cursor),
        (&format!("{YEAR}&after={}", "A".repeat(60_000)), cursor),
        // As long as an address may be.
        (&format!("{YEAR}&kpi={}", many("a", ",", 30_000)), most),
        (&format!("{YEAR}&unit={}", many("", ",", 60_000)), most),
        (&format!("{YEAR}&{}", many("kpi=a", "&", 10_000)), most),
        (&format!("{YEAR}&kpi={}", many("a", ",", 997)), ""),
    ] {
        let path = format!("/bi/v1/kpi_facts.csv?{asked}");
        says(&analyst.feeds(&path).await, words, asked);
    }
}

#[tokio::test]
async fn no_number_in_odata_is_too_large_and_no_option_is_sent_twice() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let most = u64::MAX;
    let (top, once) = ("`$top` is a whole number", "is sent once.");
    let skip = top.replace("top", "skip");
    for (asked, words) in [
        (&*format!("$top={most}"), ""),
        (&format!("$skip={most}&$top={most}&$count=true"), ""),
        (&format!("$top={most}0"), top),
        ("$top=1e3", top),
        ("$top=", top),
        ("$top=NaN", top),
        ("$skip=-0", &skip),
        ("$top=1&$top=1", once),
        ("%24top=1&$top=1", once),
        ("$filter=true&$filter=true", once),
        ("$select=depth&$select=depth", once),
        ("$orderby=depth&$orderby=depth", once),
        ("$count=true&$count=true", once),
        ("$format=json&$format=json", once),
        (&many("$top=1", "&", 9_000), "at most 50 options"),
        ("%EF%BB%BF$top=1", "does not take every option"),
    ] {
        let answer = analyst.odata(&format!("departments?{asked}"), &[]).await;
        says(&answer, words, asked);
    }
    // What is computed and what is streamed are skipped as far.
    let facts = format!("kpi_facts?$filter={}&", encoded(IN_YEAR));
    for set in ["findings?", &facts] {
        let asked = format!("{set}$skip={most}&$top={most}&$count=true");
        let page = analyst.odata_json(&asked).await;
        assert_eq!(page["value"], serde_json::json!([]), "{set}");
        assert!(page["@odata.count"].as_u64().is_some_and(|all| all > 0));
    }
}

#[tokio::test]
async fn no_option_of_odata_is_too_deep_too_long_or_too_strange() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let departments = |text: &str| format!("departments?$filter={}", encoded(text));
    let dates = |text: &str| format!("dates?$filter={}", encoded(text));
    let facts = |text: &str| {
        let text = format!("{IN_YEAR} and {text}");
        format!("kpi_facts?$count=true&$filter={}", encoded(&text))
    };
    let keys = |times| format!("kpi_key in ({})", many("''", ",", times));
    let (deep, no_day) = ("50 brackets deep", "neither a number, nor a day");
    let alike = many("depth", ",", 9_000);
    let any = many("true", " or ", 501);
    let token = format!("kpis?$skiptoken={}", "A".repeat(50_000));
    for (asked, words) in [
        // Deep and long.
        (departments(&"(".repeat(30_000)), deep),
        (departments(&"not ".repeat(8_000)), deep),
        (departments(&any), "at most 500 conditions"),
        (departments(&"x".repeat(40_000)), "at most 32768 bytes"),
        (format!("departments?$select={alike}"), ""),
        (format!("departments?$orderby={alike}"), ""),
        (facts(&keys(8_000)), ""),
        (token, "`$skiptoken` is none"),
        // What is no number and no day.
        (facts("value gt NaN"), ""),
        (facts("value lt INF and value gt -INF"), ""),
        (facts("value gt 1e999"), ""),
        (facts("sample_size gt 1e300"), ""),
        (departments("depth gt 99999999999999999999"), ""),
        (dates("day ge 2025-02-30"), no_day),
        (dates("day ge 99999-01-01"), no_day),
        (dates("year(day) eq 1e9"), "a year such as 2025"),
        (dates("day ge 2025-04-01 and day lt 2025-01-01"), ""),
        // What is no text, or text with more than one sees.
        ("kpis?$filter=%FF%FE".to_owned(), "has no meaning there"),
        ("kpis?$filter=kpi_key+eq+'%ED%A0%80'".to_owned(), ""),
        ("kpis?$filter=kpi_key+eq+'%EF%BB%BFPRICE'".to_owned(), ""),
        ("kpis?$filter=kpi_key+eq+'%00'".to_owned(), "NUL"),
    ] {
        says(&analyst.odata(&asked, &[]).await, words, &asked);
    }
}
