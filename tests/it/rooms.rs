//! The order of the house, as `src/lib.rs` tells it: rooms import only from those above them, no file reaches itself by
//! way of others, nothing but the door touches what is behind it, and a type's name is given once.

mod circles;
mod source;

use std::collections::BTreeMap;

use self::{
    circles::circles,
    source::{Source, read_crate, read_folders, read_workspace},
};

/// Lines a file has at the most.
const LONGEST: usize = 600;

/// Type names that stand more than once, each with its reason.
const NAMED_TWICE: &[(&str, &str)] = &[];

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
fn no_file_reaches_itself_by_its_imports() {
    let sources = read_crate();
    let imports: Vec<_> = sources
        .iter()
        .map(|source| source.imports(&sources))
        .collect();
    let mut found = Vec::new();
    for circle in circles(&imports) {
        for &file in &circle {
            let within = imports[file].iter().filter(|to| circle.contains(to));
            let within =
                within.map(|&to| format!("{} imports {}", sources[file].path, sources[to].path));
            found.extend(within);
        }
        found.push(String::new());
    }
    assert!(
        found.is_empty(),
        "files that import one another:\n{}",
        found.join("\n")
    );
}

#[test]
fn a_type_name_is_given_once() {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in read_workspace() {
        for name in source.types() {
            named.entry(name).or_default().push(source.path.clone());
        }
    }
    for (name, reason) in NAMED_TWICE {
        let times = named.get(*name).map_or(0, Vec::len);
        assert!(
            times > 1,
            "{name} stands {times} times: it is no exception any more ({reason})"
        );
    }
    let twice = named.iter().filter(|(name, paths)| {
        paths.len() > 1 && !NAMED_TWICE.iter().any(|(exception, _)| exception == name)
    });
    let twice: Vec<String> = twice
        .map(|(name, paths)| format!("{name}: {}", paths.join(", ")))
        .collect();
    assert!(
        twice.is_empty(),
        "names of several types:\n{}",
        twice.join("\n")
    );
}

#[test]
fn no_file_is_longer_than_can_be_read_at_once() {
    let mut sources = read_workspace();
    sources.extend(read_folders(&["tests", "bench", "fuzz/src"]));
    let lines = |source: &Source| source.text.lines().count();
    let long = sources.iter().filter(|source| lines(source) > LONGEST);
    let long: Vec<String> = long
        .map(|source| format!("{} has {} lines", source.path, lines(source)))
        .collect();
    assert!(
        long.is_empty(),
        "files of more than {LONGEST} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn only_the_door_reaches_the_pools() {
    for source in read_crate() {
        let inside = [
            "access",
            "audit",
            "database",
            "main",
            "account",
            "http",
            "background",
        ];
        assert!(
            inside.contains(&source.room()) || !source.words().any(|word| word == "Store"),
            "{} reaches for the store; it has to go through the door",
            source.path
        );
    }
}

#[test]
fn every_file_begins_with_a_sentence_about_itself() {
    for source in read_workspace() {
        assert!(
            source.text.starts_with("//! "),
            "{} does not begin with a sentence about itself",
            source.path
        );
    }
}
