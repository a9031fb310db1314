//! Odd texts: operators, other scripts, and texts too long to show.

use serde_json::json;

use super::{NOTE, SEARCH, found, notes, search, shown};
use crate::{ids::Ids, world::World};

#[tokio::test]
async fn operators_are_plain_words_and_odd_texts_are_no_fault_of_ours() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let texts = [
        "near or not",
        "Наука 数学 ελλάς",
        "x²½ ﬁne \u{1f6a2} İstanbul",
        "100% _under_ a\\b 'quoted' \"twice\"",
    ];
    notes(&cx, "blueprintId", &ids["open"], &texts).await;
    for (text, there) in [
        ("NEAR(", &texts[..1]),
        ("\"near\" OR \"or\"", &texts[..1]),
        ("near AND not", &[]),
        ("NOT near", &texts[..1]),
        ("near -not", &texts[..1]),
        ("nea*", &texts[..1]),
        ("^near : not", &texts[..1]),
        ("words:near", &[]),
        ("near' & !'or", &texts[..1]),
        ("near:*B | x", &[]),
        ("%", &[]),
        ("100%", &texts[3..]),
        ("_under_", &texts[3..]),
        ("_nder", &[]),
        ("a\\b", &texts[3..]),
        ("' quot", &texts[3..]),
        ("twice\"\"", &texts[3..]),
        ("НАУ", &texts[1..2]),
        ("наука 数", &texts[1..2]),
        ("ΕΛΛΆΣ", &texts[1..2]),
        ("x2 fine istanbul", &texts[2..3]),
        ("\u{0}ISTANBUL\u{0}", &texts[2..3]),
        ("i\u{307}st", &texts[2..3]),
        ("\u{202e}\u{feff}near\u{ad}", &texts[..1]),
    ] {
        let answer = cx
            .send(SEARCH, json!({ "text": text, "kinds": ["INSIGHT"] }))
            .await;
        let nodes = answer["data"]["search"]["nodes"]
            .as_array()
            .unwrap_or_else(|| panic!("{text}: {answer}"))
            .iter();
        let names: Vec<&str> = nodes
            .map(|hit| hit["node"]["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(names, there, "{text}");
    }
    for (text, sentence) in [
        ("x".repeat(101), "`text` is longer than 100 characters."),
        (
            "1 2 3 4 5 6 7 8 9".to_owned(),
            "`text` has 9 words; at most 8 are allowed.",
        ),
    ] {
        let answer = cx.send(SEARCH, json!({ "text": text })).await;
        assert_eq!(answer["errors"][0]["message"], sentence);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    // Whoever types has to begin somewhere.
    let begun = "query($text: String!) { viewer { account { key } }
        search(text: $text) { totalCount nodes { kind } pageInfo { hasNextPage endCursor } } }";
    for text in ["", "?", "\"", " \u{0} \u{1f6a2} ", "\u{200b}"] {
        let answer = cx.send(begun, json!({ "text": text })).await;
        let nothing = json!({ "totalCount": 0, "nodes": [],
            "pageInfo": { "hasNextPage": false, "endCursor": null } });
        assert_eq!(answer["data"]["search"], nothing, "{answer}");
        assert_eq!(answer["data"]["viewer"]["account"]["key"], "cx-manager");
    }
    let long = "y".repeat(60);
    notes(&cx, "blueprintId", &ids["open"], &[&long]).await;
    assert_eq!(
        found(&cx, &"y".repeat(90)).await,
        [long],
        "40 letters of a word count"
    );
}

#[tokio::test]
async fn long_texts_are_shown_around_the_first_word_found_and_huge_ones_are_taken() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let text = format!(
        "{}Århus & Århus{}",
        "før ".repeat(100),
        " <b>nå</b>".repeat(100)
    );
    notes(&cx, "blueprintId", &ids["open"], &[&text]).await;
    let there = search(&cx, json!({ "text": "aarhus" })).await;
    let expected = format!(
        "text: …{}[Århus] & [Århus]{}…",
        "før ".repeat(10),
        " <b>nå</b>".repeat(10) + " <b>nå<"
    );
    assert_eq!(shown(&there["nodes"][0]), [expected]);

    // As many whys as there may be, each as long as it may be, every word another.
    let mut words = (0..).map(|number| format!("ж{number:05}{}", "щ".repeat(33)));
    let whys: Vec<String> = (0..50)
        .map(|_| words.by_ref().take(12).collect::<Vec<_>>().join(" "))
        .collect();
    cx.does(
        NOTE,
        json!({ "blueprintId": ids["open"], "kind": "QUESTION", "text": "Hugest", "whys": whys }),
    )
    .await;
    assert_eq!(found(&cx, "hugest ж00590").await, ["Hugest"]);
}
