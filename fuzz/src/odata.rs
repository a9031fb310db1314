//! What stands behind the question mark of a request for OData, against every dataset, up to where the database would
//! be asked: read or refused in sentences, and written as SQL for both databases.

#![no_main]

mod bound;

use cx_blueprint::{
    bi::{catalogue, model::dataset::Dataset},
    http::{
        bi::params::QueryPairs,
        odata::options::{self, ResourceKind},
    },
    statement::SqlBuilder,
};
use libfuzzer_sys::fuzz_target;
use odata_filter::{Literal, MAX_BYTES, join_sentences, parse_filter, parse_key};
use sea_orm::DbBackend;

/// Longest refusal, in bytes: every sentence there is, with the names of all columns in some.
const REFUSAL: usize = 20_000;
/// Most places for values in a statement: SQLite has 32,766 of them.
const VALUES: usize = 32_000;

fuzz_target!(|text: &str| {
    bound::within(text.len() * catalogue::ALL.len(), || {
        let sent = options::parse_query_pairs(text);
        for dataset in catalogue::ALL.iter().copied() {
            asked(dataset, &sent);
        }
        filter(text);
        if let Some((_, key)) = parse_key(text) {
            for dataset in catalogue::ALL.iter().copied() {
                read(dataset, ResourceKind::Row(&key), &Vec::new());
            }
        }
    });
});

fn asked(dataset: &'static Dataset, sent: &QueryPairs) {
    for subject in [
        ResourceKind::Rows,
        ResourceKind::Count,
        ResourceKind::Row(&Literal::Null),
    ] {
        read(dataset, subject, sent);
    }
}

fn read(dataset: &'static Dataset, subject: ResourceKind<'_>, sent: &QueryPairs) {
    let asked = match options::parse_options(dataset, subject, sent) {
        Ok(asked) => asked,
        Err(faults) => {
            let sentence = join_sentences(&faults);
            assert!((10..REFUSAL).contains(&sentence.len()), "{sentence}");
            return;
        }
    };
    assert!(asked.shown > 0 && asked.shown <= asked.query.columns.len());
    assert!(asked.query.days.len() <= cx_blueprint::bi::model::days::MOST_DAYS);
    assert!(
        asked.query.after.is_none() || asked.query.after_values.len() == asked.query.order.len()
    );
    for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
        let statement = asked
            .query
            .filter
            .append_to_sql(SqlBuilder::new(backend, ""))
            .statement();
        let values = statement.values.map_or(0, |values| values.0.len());
        assert!(values < VALUES, "{values} values");
    }
}

/// What is read says the same once it is written; NaN alone is not equal to itself.
fn filter(text: &str) {
    if let Ok(expression) = parse_filter(text) {
        let written = expression.to_string();
        if written.len() <= MAX_BYTES {
            let again = parse_filter(&written).unwrap_or_else(|fault| panic!("{fault:?}: {written}"));
            assert!(again == expression || written.contains("NaN"), "{written}");
        }
    }
}
