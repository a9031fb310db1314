//! Keys that are made from names, for rows that give none.

use sha2::{Digest, Sha256};

use crate::{document::catalogue::fold_key, text::make_key_from_name};

/// A key that is to be made from a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MadeKey {
    /// The name, in small letters.
    folded_name: String,
    /// The key, where nothing with another name has it.
    pub base: String,
    /// The key as versions before made it, which what is kept may have.
    base_before: String,
}

/// Something with a key and a name that is kept in a blueprint.
#[derive(Clone, Debug)]
pub(super) struct KeptThing {
    pub key: String,
    pub name: String,
    pub is_archived: bool,
}

/// What is kept in a blueprint, archived or not.
#[derive(Debug, Default)]
pub(super) struct KeptThings {
    pub touchpoints: Vec<KeptThing>,
    pub phases: Vec<KeptThing>,
}

/// A key that stands in the table, and the name of what it is for, where that is known; both in small letters.
pub(super) struct TakenKey {
    pub key: String,
    pub name: Option<String>,
}

/// What a made key comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ChosenKey {
    /// The row means what another row of the table means: its number among those.
    SameAs(usize),
    /// The key.
    Own(String),
}

impl MadeKey {
    pub(super) fn from_name(name: &str) -> Self {
        Self {
            folded_name: fold_key(name),
            base: make_key_from_name(name),
            base_before: make_key_as_before(name),
        }
    }

    /// Chooses the key: of the same thing in the table, or of the same thing that is kept, live rather than archived; else
    /// one that is nothing else's. The same is what has the same name, and the base for a key, or the base with a mark;
    /// `by_name_alone` takes any key.
    pub(super) fn choose(
        &self,
        kept: &[KeptThing],
        taken: &[TakenKey],
        by_name_alone: bool,
    ) -> ChosenKey {
        let is_named_alike = |key: &str| by_name_alone || self.is_base_or_marked(key);
        let is_same = |other: &TakenKey| {
            other.name.as_ref() == Some(&self.folded_name) && is_named_alike(&other.key)
        };
        if let Some(at) = taken.iter().position(is_same) {
            return ChosenKey::SameAs(at);
        }
        let at_key = |key: &str| taken.iter().position(|other| other.key == key);
        let own = kept.iter().filter(|thing| {
            fold_key(&thing.name) == self.folded_name && is_named_alike(&fold_key(&thing.key))
        });
        // Where the table gives that key another name, the thing is renamed, and this is another.
        let own = own.filter(|thing| {
            let at = at_key(&fold_key(&thing.key));
            at.is_none_or(|at| taken[at].name.is_none())
        });
        if let Some(thing) = own.min_by_key(|thing| (thing.is_archived, thing.key != self.base)) {
            return match at_key(&fold_key(&thing.key)) {
                Some(at) => ChosenKey::SameAs(at),
                None => ChosenKey::Own(thing.key.clone()),
            };
        }
        let is_kept = |key: &str| kept.iter().any(|thing| fold_key(&thing.key) == key);
        let free = self.candidates().find(|key| {
            let folded = fold_key(key);
            !is_kept(&folded) && at_key(&folded).is_none()
        });
        ChosenKey::Own(free.unwrap_or_else(|| self.base.clone()))
    }

    fn is_base_or_marked(&self, key: &str) -> bool {
        let bases = [&self.base, &self.base_before];
        bases.iter().any(|base| {
            let rest = key.strip_prefix(base.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }

    /// The keys that it may become, in this order: the base, and then the base with a mark of the name.
    fn candidates(&self) -> impl Iterator<Item = String> {
        let marked = (0_u32..).map(|turn| {
            let digest = Sha256::digest(format!("{turn} {}", self.folded_name));
            let mark: String = digest
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("{}-{mark}", self.base)
        });
        std::iter::once(self.base.clone()).chain(marked)
    }
}

/// The key of a name as it was made before names of every script were written in Latin letters.
fn make_key_as_before(name: &str) -> String {
    let mut key = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => key.push(c),
            'æ' | 'ä' => key.push_str("ae"),
            'ø' | 'ö' => key.push_str("oe"),
            'å' => key.push_str("aa"),
            'ü' => key.push_str("ue"),
            'ß' => key.push_str("ss"),
            'é' | 'è' | 'ê' => key.push('e'),
            _ if !key.is_empty() && !key.ends_with('-') => key.push('-'),
            _ => {}
        }
        if key.len() >= 40 {
            break;
        }
    }
    match key.trim_end_matches('-') {
        "" => "x".to_owned(),
        key => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(things: &[(&str, &str, bool)]) -> Vec<KeptThing> {
        let things = things.iter().map(|(key, name, is_archived)| KeptThing {
            key: (*key).to_owned(),
            name: (*name).to_owned(),
            is_archived: *is_archived,
        });
        things.collect()
    }

    fn taken(keys: &[(&str, Option<&str>)]) -> Vec<TakenKey> {
        let keys = keys.iter().map(|(key, name)| TakenKey {
            key: (*key).to_owned(),
            name: name.map(str::to_owned),
        });
        keys.collect()
    }

    fn own(key: &str) -> ChosenKey {
        ChosenKey::Own(key.to_owned())
    }

    #[test]
    fn what_was_made_before_is_met_by_the_key_that_it_got_then() {
        for (name, key) in [
            ("España", "espa-a"),
            ("Rabat 100 €", "rabat-100"),
            ("予約", "x"),
            ("予約する", "x-1f2e3d4c"),
            (
                "Kunden ringer til kundeservice om en faø",
                "kunden-ringer-til-kundeservice-om-en-faoe",
            ),
        ] {
            let made = MadeKey::from_name(name);
            let kept = kept(&[(key, name, false)]);
            assert_eq!(made.choose(&kept, &[], false), own(key), "{name}");
        }
    }

    #[test]
    fn the_same_thing_is_met_by_its_name_and_another_never() {
        let made = MadeKey::from_name("Says so!");
        assert_eq!(made.choose(&[], &[], false), own("says-so"));
        // Of the same name, live before archived, and before a key that is free.
        let marked = kept(&[("Says-So-1a2b3c4d", " says SO! ", false)]);
        assert_eq!(made.choose(&marked, &[], false), own("Says-So-1a2b3c4d"));
        let both = kept(&[
            ("says-so", "Says so!", true),
            ("says-so-9f3a11bc", "Says so!", false),
        ]);
        assert_eq!(made.choose(&both, &[], false), own("says-so-9f3a11bc"));
        assert_eq!(made.choose(&both[..1], &[], false), own("says-so"));
        // Of another name, archived or not: a key of its own, the same each time.
        let other = kept(&[("says-so", "Something else", true)]);
        let ChosenKey::Own(key) = made.choose(&other, &[], false) else {
            panic!("it is the same as nothing");
        };
        assert!(key.starts_with("says-so-"), "{key}");
        assert_eq!(made.choose(&other, &[], false), own(&key));
        let again = kept(&[
            ("says-so", "Something else", true),
            (&key, "Says so!", false),
        ]);
        assert_eq!(made.choose(&again, &[], false), own(&key));
        // A name alone does not make it the same, unless that is asked for.
        let elsewhere = kept(&[("p1", "Says so!", false)]);
        assert_eq!(made.choose(&elsewhere, &[], false), own("says-so"));
        assert_eq!(made.choose(&elsewhere, &[], true), own("p1"));
    }

    #[test]
    fn keys_of_the_table_count_as_those_that_are_kept() {
        let made = MadeKey::from_name("Says so!");
        let same = taken(&[
            ("t1", Some("first")),
            ("says-so-1a2b3c4d", Some("says so!")),
        ]);
        assert_eq!(made.choose(&[], &same, false), ChosenKey::SameAs(1));
        let other = taken(&[("says-so", Some("other"))]);
        let ChosenKey::Own(key) = made.choose(&[], &other, false) else {
            panic!("it is the same as nothing");
        };
        assert_ne!(key, "says-so");
        // A key without a name is of what has it; with another name, that thing is renamed and this is another.
        let there = kept(&[("says-so", "Says so!", false)]);
        assert_eq!(
            made.choose(&there, &taken(&[("says-so", None)]), false),
            ChosenKey::SameAs(0)
        );
        let ChosenKey::Own(key) = made.choose(&there, &other, false) else {
            panic!("it is the same as nothing");
        };
        assert_ne!(key, "says-so");
    }
}
