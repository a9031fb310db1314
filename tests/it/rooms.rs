//! The order of the house, as `src/lib.rs` tells it: rooms import only from those above them, and nothing but the door
//! touches what is behind it.

mod source;

use self::source::{Source, read_crate};

/// The rooms in the order of the `mod` lines of `lib.rs`.
fn order(sources: &[Source]) -> Vec<String> {
    let lib = sources.iter().find(|source| source.path == "lib.rs");
    let lines = lib.expect("lib.rs").text.lines();
    let rooms = lines.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    rooms.map(str::to_owned).collect()
}

#[test]
fn no_room_imports_one_below_it() {
    let sources = read_crate();
    let order = order(&sources);
    let floor = |room: &str| order.iter().position(|known| known == room);
    let mut wrong = Vec::new();
    for source in &sources {
        if ["lib", "main"].contains(&source.room()) {
            continue;
        }
        let own = floor(source.room());
        assert!(own.is_some(), "{} is in no room of lib.rs", source.path);
        for import in source.imports(&sources) {
            if floor(sources[import].room()) > own {
                wrong.push(format!("{} imports {}", source.path, sources[import].path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports of a room further down:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_door_reaches_the_pools() {
    for source in read_crate() {
        let inside = [
            "access",
            "account",
            "audit",
            "background",
            "database",
            "http",
            "main",
        ];
        assert!(
            inside.contains(&source.room()) || !source.words().any(|word| word == "Store"),
            "{} reaches for the database's Store; it has to go through the door",
            source.path
        );
    }
}

#[test]
fn every_file_begins_with_a_sentence_about_itself() {
    for source in read_crate() {
        assert!(
            source.text.starts_with("//! "),
            "{} does not begin with a sentence about itself",
            source.path
        );
    }
}
