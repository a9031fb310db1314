//! Data flows one way through the house: no room imports one further to the right, and nothing but the door
//! touches what is behind it.

use std::{fs, path::Path};

/// From left to right; a room imports only from its left. Rooms in one entry may import one another.
const ORDER: &[&[&str]] = &[
    &["error", "policy", "id", "clock", "workers"],
    &["compute"],
    &[
        "database",
        "scalar",
        "input",
        "sheet",
        "order",
        "statement",
        "token",
        "index",
    ],
    &["access", "audit"],
    &["meter", "batch"],
    &["page", "payload"],
    &["intake"],
    &["judgement"],
    &["canvas"],
    &["account"],
    &["department"],
    &["persona"],
    &["blueprint"],
    &["template"],
    &["touchpoint"],
    &["scenario"],
    &["responsibility"],
    &["kpi"],
    &["insight"],
    &["promise", "evaluation", "improvement"],
    &["feedback"],
    &["finding"],
    &["config"],
    &["search"],
    &["reorganise"],
    &["document", "generate"],
    &["publication"],
    &["bi"],
    &["picture"],
    &["graph"],
    &["http"],
];

fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            let name = path
                .strip_prefix(root)
                .expect("below src")
                .display()
                .to_string();
            found.push((name, fs::read_to_string(&path).expect("a source")));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    found
}

fn room(path: &str) -> String {
    path.split(['/', '.']).next().unwrap_or_default().to_owned()
}

fn place(room: &str) -> Option<usize> {
    ORDER.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a source names as `crate::room`, also inside braces of one `use crate::{…}`.
fn imports(source: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 1 && (c.is_alphanumeric() || c == '_') {
                    word.push(c);
                } else if !word.is_empty() && (c == ',' || c == ':' || depth == 0) {
                    rooms.push(std::mem::take(&mut word));
                    // What follows a path up to the comma names things inside the room.
                    if c == ':' {
                        word.push('#');
                    }
                } else if c == ',' {
                    word.clear();
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            rooms.push(
                rest.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    rooms.retain(|room| !room.starts_with('#'));
    rooms
}

#[test]
fn every_room_has_its_place() {
    for (path, _) in all() {
        let room = room(&path);
        assert!(
            place(&room).is_some() || room == "lib" || room == "main",
            "{path} is in no room of the order"
        );
    }
}

#[test]
fn no_room_imports_one_further_to_the_right() {
    for (path, source) in all() {
        let from = room(&path);
        let Some(here) = place(&from) else { continue };
        for to in imports(&source) {
            if let Some(there) = place(&to) {
                assert!(
                    there <= here,
                    "{path} imports {to}, which is further to the right"
                );
            }
        }
    }
}

/// The words of a source, names taken apart at nothing but what cannot stand in one.
fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[test]
fn only_the_door_reaches_the_pools() {
    for (path, source) in all() {
        let room = room(&path);
        let inside =
            ["access", "database", "audit", "main", "account", "http"].contains(&room.as_str());
        assert!(
            inside || !words(&source).any(|word| word == "store"),
            "{path} reaches for the store; it has to go through the door"
        );
    }
}

#[test]
fn every_file_says_in_one_sentence_which_room_it_is() {
    for (path, source) in all() {
        assert!(
            source.starts_with("//! "),
            "{path} does not begin with a sentence about itself"
        );
    }
}
