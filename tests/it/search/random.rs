//! Search against trying everything: random texts, random questions, and a search that is nothing but loops.

use cx_blueprint::index;
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;

use super::{NOTE, SEARCH};
use crate::{
    ids::Ids,
    world::{Actor, World},
};

/// Words that begin alike, in spellings that meet.
const WORDS: &[&str] = &[
    "Århus",
    "aarhus",
    "ARHUS",
    "Aar",
    "å",
    "a",
    "aa",
    "Ærø",
    "aero",
    "arø",
    "Köln",
    "koeln",
    "ko",
    "kolner",
    "price",
    "prices",
    "PRICELESS",
    "p",
    "near",
    "OR",
    "not",
    "Grüße",
    "gruss",
    "7",
    "70",
    "Ελλάς",
    "été",
    "poem",
    "pom",
];

/// What stands between words.
const GAPS: &[&str] = &[" ", ", ", "-", "\n", " * ", "\"", ":", "()"];

fn text(words: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    let word = proptest::sample::select(WORDS);
    let gap = proptest::sample::select(GAPS);
    vec((word, gap), words).prop_map(|parts| {
        parts
            .into_iter()
            .map(|(word, gap)| format!("{word}{gap}"))
            .collect()
    })
}

/// Folds by its own, plainer rules, which are enough for the words above.
fn folded(text: &str) -> Vec<String> {
    let mut plain = text.to_lowercase();
    for (letter, stands_for) in [
        ("å", "a"),
        ("æ", "ae"),
        ("ä", "ae"),
        ("ø", "o"),
        ("ö", "o"),
        ("ü", "u"),
        ("ß", "ss"),
        ("é", "e"),
        ("ά", "α"),
        ("ς", "σ"),
    ] {
        plain = plain.replace(letter, stands_for);
    }
    for long in ["aa", "ae", "oe", "ue"] {
        while plain.contains(long) {
            plain = plain.replace(long, &long[..1]);
        }
    }
    let words = plain.split(|letter: char| !letter.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

struct Note {
    id: String,
    text: String,
    whys: Vec<String>,
}

/// Every insight that somebody may see, by the list that has nothing to do with search.
async fn readable(actor: &Actor<'_>) -> Vec<Note> {
    let mut answer = actor
        .ask(
            "{ insights(first: 200) { nodes { id text whys } } }",
            json!({}),
        )
        .await;
    let notes = answer["insights"]["nodes"].take();
    let notes = notes.as_array().expect("insights").iter();
    notes
        .map(|note| Note {
            id: note["id"].as_str().expect("an id").to_owned(),
            text: note["text"].as_str().expect("a text").to_owned(),
            whys: note["whys"]
                .as_array()
                .expect("whys")
                .iter()
                .map(|why| why.as_str().expect("a why").to_owned())
                .collect(),
        })
        .collect()
}

/// How far a note is from a question; nothing where one of the words is nowhere.
fn distance(note: &Note, question: &[String]) -> Option<(usize, usize)> {
    let title = folded(&note.text);
    let all: Vec<String> = title
        .iter()
        .cloned()
        .chain(note.whys.iter().flat_map(|why| folded(why)))
        .collect();
    let mut sum = 0;
    for word in question {
        let begins = |other: &String| other.starts_with(word.as_str());
        sum += if title.contains(word) {
            0
        } else if title.iter().any(begins) {
            1
        } else if all.contains(word) {
            2
        } else if all.iter().any(begins) {
            3
        } else {
            return None;
        };
    }
    let length = title.iter().map(|word| word.chars().count() + 1).sum();
    Some((sum, length))
}

fn by_loops(notes: &[Note], question: &str) -> Vec<String> {
    let mut words = folded(question);
    words.sort_unstable();
    words.dedup();
    let mut found: Vec<_> = notes
        .iter()
        .filter_map(|note| Some((distance(note, &words)?, &note.id)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, id)| id.clone()).collect()
}

#[tokio::test]
async fn what_is_found_is_what_trying_everything_finds_for_everybody() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let mut some = |strategy: &dyn Fn() -> BoxedStrategy<String>| {
        strategy().new_tree(&mut runner).expect("a text").current()
    };
    for number in 0..80 {
        let place = ["open", "closed", "draft", "future"][number % 4];
        let whys: Vec<String> = (0..number % 3)
            .map(|_| some(&|| text(1..=3).boxed()))
            .collect();
        let input = json!({ "blueprintId": ids[place], "kind": "QUESTION", "text": some(&|| text(1..=4).boxed()), "whys": whys });
        cx.does(NOTE, input).await;
    }
    let (mut hits, mut nothing) = (0, 0);
    for login in ["stranger", "lead", "neighbour", "partner", "auditor"] {
        let actor = world.sign_in(login).await;
        let notes = readable(&actor).await;
        for _ in 0..60 {
            let whole = some(&|| text(1..=3).boxed());
            let cut = whole.chars().count().div_ceil(2);
            for question in [whole.clone(), whole.chars().take(cut).collect()] {
                let variables = json!({ "text": question, "kinds": ["INSIGHT"], "first": 200 });
                let answer = actor.ask(SEARCH, variables).await["search"].take();
                let found = answer["nodes"].as_array().expect("nodes").iter();
                let found: Vec<&str> = found
                    .map(|hit| hit["node"]["id"].as_str().expect("an id"))
                    .collect();
                let expected = by_loops(&notes, &question);
                assert_eq!(found, expected, "{login}: {question:?}");
                assert_eq!(answer["totalCount"], json!(expected.len()));
                hits += expected.len();
                nothing += usize::from(expected.is_empty());
            }
        }
    }
    assert!(
        hits > 1_000 && nothing > 30,
        "{hits} hits, {nothing} questions without"
    );
}

#[test]
fn the_plainer_rules_fold_as_the_others_do() {
    for word in WORDS {
        let theirs: Vec<String> = index::split_words(word).map(|word| word.folded).collect();
        assert_eq!(folded(word), theirs, "{word}");
    }
}
