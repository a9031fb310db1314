//! What a `$filter` says, what it means, and that nothing that is sent does any harm.

use chrono::NaiveDate;
use odata_filter::{
    Fault, Literal, MAX_CONDITIONS, MAX_DEPTH, all_are_unsupported, join_sentences, parse_filter,
};
use proptest::{collection::vec, prelude::*, sample::select};
use sea_orm::DbBackend;

use super::{
    bind,
    options::{self, ResourceKind},
    range,
};
use crate::{
    bi::{
        catalogue,
        datasets::{facts::KPI_FACTS, findings::FINDINGS, journey::TOUCHPOINTS, kpis::KPIS},
        model::{dataset::Dataset, days::DayRange},
    },
    statement::SqlBuilder,
};

/// Words as a `$filter` has them, in whatever order.
fn filter_words() -> impl Strategy<Value = String> {
    let words = vec![
        "and",
        "or",
        "not",
        "(",
        ")",
        ",",
        "in",
        "eq",
        "ge",
        "'a'",
        "'",
        "5",
        "-",
        "2025-03-01",
        "kpi_key",
        "value",
        "contains(",
        "year(",
        "null",
        "true",
        "/",
        "$it",
        "@a",
        "add",
        "2025-03-01T00:00:00 01:00",
    ];
    vec(select(words), 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_in_a_short_sentence(text in prop_oneof![any::<String>(), filter_words()]) {
        for dataset in catalogue::ALL.iter().copied() {
            for sent in [&text, &format!("$filter={text}"), &format!("$orderby={text}&$select={text}&$skiptoken={text}")] {
                let sent = options::parse_query_pairs(sent);
                for subject in [ResourceKind::Rows, ResourceKind::Count, ResourceKind::Row(&Literal::String(text.clone()))] {
                    if let Err(faults) = options::parse_options(dataset, subject, &sent) {
                        let sentence = join_sentences(&faults);
                        prop_assert!((10..10_000).contains(&sentence.len()), "{}", sentence);
                    }
                }
            }
        }
    }
}

fn meant(dataset: &Dataset, text: &str) -> Result<(String, DayRange), Vec<Fault>> {
    let expression = parse_filter(text).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let filter = bind::translate_filter_expression(dataset, &expression, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let written = filter
        .append_to_sql(SqlBuilder::new(DbBackend::Postgres, ""))
        .statement();
    let day = dataset.day.and_then(|day| dataset.column(day));
    let days = day.map(|day| range::day_range_implied_by_filter(&filter, day));
    Ok((written.to_string(), days.unwrap_or_default()))
}

fn sql(dataset: &Dataset, text: &str) -> String {
    meant(dataset, text).expect(text).0
}

#[test]
fn filters_mean_what_odata_says() {
    for (text, wanted) in [
        ("value gt 5", "(value > 5)"),
        ("5 lt value", "(value > 5)"),
        ("sample_size le 7", "(sample_size <= 7)"),
        ("sample_size gt 2.5", "(sample_size > 2.5)"),
        (
            "value eq INF or value lt -1e3",
            "((value IN (inf)) OR (value < -1000))",
        ),
        ("value eq NaN", "(1 = 0)"),
        ("value ne NaN", "(1 = 1)"),
        ("target eq null", "(target IS NULL)"),
        ("target ne null", "NOT (target IS NULL)"),
        ("target ge null", "(target IS NULL)"),
        ("target gt null", "(1 = 0)"),
        ("null eq target", "(target IS NULL)"),
        ("not (value gt 5)", "NOT COALESCE(value > 5, FALSE)"),
        ("kpi_name eq 'it''s'", r"(kpi_name = E'it\'s')"),
        ("state in ('MET','MISSED')", "(state IN ('MET', 'MISSED'))"),
        (
            "state eq 'MET' or state eq 'MISSED'",
            "(state IN ('MET', 'MISSED'))",
        ),
        (
            "target in (null,1)",
            "((target IN (1)) OR (target IS NULL))",
        ),
        ("is_delivering", "(is_delivering = TRUE)"),
        (
            "not is_delivering",
            "NOT COALESCE(is_delivering = TRUE, FALSE)",
        ),
        (
            "is_delivering eq false and true",
            "((is_delivering = FALSE) AND (1 = 1))",
        ),
        (
            "(value gt 5) eq false",
            "COALESCE(NOT COALESCE(value > 5, FALSE), FALSE)",
        ),
        ("(value) gt (5)", "(value > 5)"),
        ("kpi_id ne ''", "(1 = 1)"),
        ("kpi_id eq 'kpi'", "(1 = 0)"),
        ("contains(kpi_name,'a')", "(strpos(kpi_name, 'a') > 0)"),
        (
            "startswith(kpi_name,'Ål') eq true",
            "COALESCE((substr(kpi_name, 1, 2) = 'Ål'), FALSE)",
        ),
        (
            "not endswith(kpi_name,'x')",
            "NOT (length(kpi_name) >= 1 AND substr(kpi_name, length(kpi_name) - 1 + 1) = 'x')",
        ),
        (
            "year(measured_on) eq 2025",
            "((measured_on >= '2025-01-01') AND (measured_on < '2026-01-01'))",
        ),
        (
            "month(measured_on) eq 3",
            "(CAST(extract(month FROM measured_on) AS integer) = 3)",
        ),
        (
            "not (day(measured_on) gt 30)",
            "NOT COALESCE(CAST(extract(day FROM measured_on) AS integer) > 30, FALSE)",
        ),
        ("length(kpi_name) ge 5", "(length(kpi_name) >= 5)"),
        (
            "contains(tolower(kpi_name),tolower('ÆB'))",
            "(strpos(replace(lower(kpi_name COLLATE \"C\"), 'Æ', 'æ'), 'æb') > 0)",
        ),
        (
            "toupper(kpi_name) in ('A','b')",
            "((upper(kpi_name COLLATE \"C\") = 'A') OR (1 = 0))",
        ),
        (
            "measured_on eq 2025-03-01T00:00:00.000Z",
            "(measured_on = '2025-03-01')",
        ),
        (
            "value gt 1 and value lt 2 or value eq 3",
            "((value IN (3)) OR ((value > 1) AND (value < 2)))",
        ),
    ] {
        assert_eq!(sql(&KPI_FACTS, text), wanted, "{text}");
    }
    for text in [
        "created_at ge 2025-03-01T01:00:00+01:00",
        "created_at ge 2025-03-01T01:00:00 01:00",
        "created_at ge 2025-03-01T00:00Z",
    ] {
        let wanted = sql(&KPIS, "created_at ge 2025-03-01T00:00:00.000Z");
        assert_eq!(sql(&KPIS, text), wanted, "{text}");
    }
}

#[test]
fn what_cannot_be_right_is_told_apart_from_what_is_not_offered() {
    let deep = format!("{}value gt 5{}", "(".repeat(100_000), ")".repeat(100_000));
    let deep_enough_to_read = format!(
        "{}value gt 5{}",
        "(".repeat(MAX_DEPTH + 1),
        ")".repeat(MAX_DEPTH + 1)
    );
    let many = vec!["value gt 5"; MAX_CONDITIONS + 1].join(" or ");
    let nots = "not ".repeat(MAX_DEPTH + 1);
    let inside = format!("{}x", "contains(".repeat(MAX_DEPTH + 1));
    for (text, offered, says) in [
        ("", true, "a column, a value or an opening bracket"),
        ("value", true, "neither true nor false by itself"),
        ("value gt", true, "At letter 9"),
        ("value gt 5 5", true, "`and`, `or` or the end"),
        ("value gt 'x'", true, "`value` is compared with a number"),
        ("measured_on eq '2025-03-01'", true, "without quotes"),
        (
            "measured_on eq 2025-02-30",
            true,
            "neither a number, nor a day",
        ),
        ("measured_on eq 2025-03-01T00:00:01Z", true, "a day such as"),
        ("state eq MET", false, "compares one column with values"),
        ("state eq 5", true, "a text in quotes"),
        ("is_delivering eq 'true'", true, "true or false"),
        ("kpi_id gt 'x'", true, "an id in quotes"),
        ("colour eq 'red'", true, "no column of kpi_facts"),
        ("kpi_name eq 'x", true, "has no end"),
        ("kpi_name eq 'a\0'", true, "NUL"),
        ("value in ()", true, "something else in it than values"),
        ("value eq 1 eq 2", true, "something else than true or false"),
        ("value % 2", true, "no meaning there"),
        ("year(value) eq 2025", true, "takes a day or a moment"),
        ("year(measured_on) eq 99999", true, "such as 2025"),
        ("contains(value,'5')", true, "is no text"),
        (&deep, true, "at most 32768 bytes"),
        (&deep_enough_to_read, true, "50 brackets deep"),
        (&nots, true, "50 brackets deep"),
        (&inside, true, "50 brackets deep"),
        (&many, true, "at most 500 conditions"),
        ("contains(kpi_id,'5')", false, "is an id"),
        (
            "trim(kpi_name) eq 'x'",
            false,
            "contains, startswith, endswith, year, month",
        ),
        ("tolower(kpi_name) gt 'x'", false, "eq, ne and in alone"),
        ("tolower(value) eq 'x'", true, "takes a text"),
        ("month(value) eq 3", true, "takes a day or a moment"),
        ("length(value) eq null", true, "takes a text"),
        ("date(created) eq 5", true, "no column of kpi_facts"),
        (
            "contains(year(measured_on),'x')",
            false,
            "a column, as it is or in one case",
        ),
        ("value add 1 gt 2", false, "does not calculate"),
        ("value gt target", false, "compares one column with values"),
        ("1 eq 1", false, "compares one column with values"),
        ("kpi/name eq 'x'", false, "Rows lead nowhere"),
        ("rows/any(r:r/value gt 5)", false, "Rows lead nowhere"),
        ("value gt @least", false, "parameter aliases"),
        ("value gt duration'P1D'", false, "duration"),
    ] {
        let faults = meant(&KPI_FACTS, text).expect_err(says);
        let sentence = join_sentences(&faults);
        let shown: String = text.chars().take(40).collect();
        assert_eq!(
            !all_are_unsupported(&faults),
            offered,
            "{shown}: {sentence}"
        );
        assert!(sentence.contains(says), "{shown}: {sentence}");
    }
    let both = meant(&KPI_FACTS, "value gt 'x' and colour eq 1").expect_err("two faults");
    assert_eq!(both.len(), 2);
}

#[test]
fn the_days_follow_from_what_holds_for_every_row() {
    let day = |text: &str| Some(text.parse().expect("a day"));
    for (text, from, to) in [
        (
            "measured_on ge 2025-03-01 and measured_on lt 2025-04-01",
            day("2025-03-01"),
            day("2025-04-01"),
        ),
        (
            "(measured_on gt 2025-03-01) and ((measured_on le 2025-03-31))",
            day("2025-03-02"),
            day("2025-04-01"),
        ),
        (
            "measured_on eq 2025-03-01 and value gt 5",
            day("2025-03-01"),
            day("2025-03-02"),
        ),
        (
            "2025-03-01 le measured_on and 2025-04-01 gt measured_on",
            day("2025-03-01"),
            day("2025-04-01"),
        ),
        (
            "measured_on in (2025-03-05,2025-03-01)",
            day("2025-03-01"),
            day("2025-03-06"),
        ),
        (
            "year(measured_on) eq 2025 and measured_on lt 2025-04-01",
            day("2025-01-01"),
            day("2025-04-01"),
        ),
        ("measured_on ge 2025-03-01", day("2025-03-01"), None),
        (
            "measured_on ge 2025-03-01 or measured_on lt 2025-04-01",
            None,
            None,
        ),
        (
            "not (measured_on lt 2025-03-01) and measured_on le 2025-03-01",
            None,
            day("2025-03-02"),
        ),
        ("value gt 5", None, None),
    ] {
        let (_, days) = meant(&KPI_FACTS, text).expect(text);
        assert_eq!(days, DayRange { from, to }, "{text}");
    }
}

#[test]
fn options_are_held_to_what_they_may_be() {
    for (sent, status, says) in [
        ("$top=-1", 400, "`$top` is a whole number"),
        ("$skip=%2B1", 400, "`$skip` is a whole number"),
        ("$top=99999999999999999999", 400, "`$top` is a whole number"),
        ("$count=yes", 400, "`$count` is true or false"),
        ("$top=1&$top=2", 400, "`$top` is sent once."),
        ("$select=kpi_key,colour", 400, "`$select` takes kpi_id"),
        ("$select=", 400, "`$select` takes kpi_id"),
        ("$select=kpi/name", 501, "columns alone"),
        ("$orderby=tolower(kpi_key)", 501, "columns alone"),
        ("$orderby=kpi_key up", 400, "asc or desc"),
        ("$skiptoken=AAAA", 400, "`$skiptoken` is none"),
        ("$expand=links", 501, "$expand is not offered"),
        (
            "$apply=aggregate($count as n)",
            501,
            "$apply is not offered",
        ),
        ("$search=x", 501, "$search is not offered"),
        ("$compute=value as v", 501, "$compute is not offered"),
        ("$index=1", 501, "no others"),
        ("@a=1", 501, "Parameter aliases"),
        ("filter=x", 400, "it takes $select"),
        ("uncounted=true", 400, "it takes $select"),
        ("$expand=x&$top=x", 400, "$expand is not offered"),
    ] {
        let read =
            options::parse_options(&KPIS, ResourceKind::Rows, &options::parse_query_pairs(sent));
        let faults = read.err().expect(sent);
        let sentence = join_sentences(&faults);
        assert_eq!(
            all_are_unsupported(&faults),
            status == 501,
            "{sent}: {sentence}"
        );
        assert!(sentence.contains(says), "{sent}: {sentence}");
    }
    let sent = options::parse_query_pairs(
        "%24select=kpi_key%2C+kpi_id,kpi_key&$orderby=direction+desc&$top=3&$count=true",
    );
    let asked = options::parse_options(&KPIS, ResourceKind::Rows, &sent).expect("it is right");
    let names: Vec<&str> = asked.query.columns.iter().map(|one| one.name).collect();
    assert_eq!(names, ["kpi_key", "kpi_id", "direction"]);
    assert_eq!(
        (asked.shown, asked.chosen, asked.count, asked.top),
        (2, true, true, Some(3))
    );
    let facts = options::parse_options(
        &KPI_FACTS,
        ResourceKind::Rows,
        &options::parse_query_pairs("$filter=value+gt+5+and+measured_on+ge+2025-03-01"),
    );
    let facts = facts.unwrap_or_else(|faults| panic!("{}", join_sentences(&faults)));
    let from = NaiveDate::from_ymd_opt(2025, 3, 1);
    assert_eq!(facts.query.range, DayRange { from, to: None });
    assert!(
        facts.query.days.is_empty(),
        "the other end is not known yet"
    );
    for dataset in [&FINDINGS, &TOUCHPOINTS] {
        let drafts = options::parse_options(
            dataset,
            ResourceKind::Count,
            &options::parse_query_pairs("uncounted=true&$top=1"),
        );
        assert!(drafts.expect("it is right").query.include_drafts);
    }
}
