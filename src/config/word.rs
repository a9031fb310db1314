//! Words of closed lists, as the command line spells them.

/// The word that is spelled like this, however its letters are cased.
pub(super) fn parse_known_word<W: Copy>(
    all: &[W],
    spelled: impl Fn(W) -> &'static str,
    text: &str,
) -> Result<W, String> {
    let found = all
        .iter()
        .find(|word| spelled(**word).eq_ignore_ascii_case(text));
    let known = || all.iter().map(|word| spelled(*word)).collect::<Vec<_>>();
    found
        .copied()
        .ok_or_else(|| format!("one of {}", known().join(", ")))
}
