//! Texts that are kept in the repository and compared; UPDATE_GOLDENS=1 accepts what is new.

use std::{fs, path::PathBuf};

/// Compares a text with the kept one, by its path from the root of the project.
#[expect(
    clippy::disallowed_methods,
    reason = "a person accepts new goldens by setting a variable"
)]
pub fn compare(path: &str, actual: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        fs::write(&file, actual).expect("the golden can be written");
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if kept == actual {
        return;
    }
    let differing = kept
        .lines()
        .zip(actual.lines())
        .position(|(kept, actual)| kept != actual);
    let at = differing.unwrap_or_else(|| kept.lines().count().min(actual.lines().count()));
    panic!(
        "{path} differs at line {}.\n  kept:   {}\n  actual: {}\nLook at the change; UPDATE_GOLDENS=1 accepts it.",
        at + 1,
        kept.lines().nth(at).unwrap_or("(nothing)"),
        actual.lines().nth(at).unwrap_or("(nothing)"),
    );
}
