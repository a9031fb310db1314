//! What the parts of a document are made of: the form that is written out, which says everything, and the form
//! that is read, which may leave out anything but what tells a part from its neighbours. It knows no blueprint.

use std::borrow::Cow;

use chrono::NaiveDate;
use entity::words::{End, Role, TransitionKind};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

/// What tells a part from its neighbours of the same kind: its natural key, however its letters are cased.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub Vec<String>);

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = self.0.iter().filter(|part| !part.is_empty());
        let said: Vec<&str> = said.map(String::as_str).collect();
        f.write_str(&said.join(" "))
    }
}

/// A part of a document as it is written out.
pub trait DocumentPart: Clone + PartialEq + Serialize {
    /// What is read of it.
    type Patch: PartPatch<Part = Self>;
    /// What a person calls it.
    const NOUN: &'static str;
    /// Whether its order means something; otherwise it is written in the order of identities.
    const ORDERED: bool;
    /// Whether there may be several with the same identity.
    const REPEATS: bool;

    /// What tells it from the others.
    fn identity(&self) -> Identity;
}

/// A part of a document as it is read: anything but its identity may be absent.
pub trait PartPatch {
    /// What it becomes.
    type Part: DocumentPart<Patch = Self>;

    /// What tells it from the others.
    fn identity(&self) -> Identity;

    /// The part as it becomes: what is absent stays as it is, or as it begins; or the fields that it lacks.
    fn onto(self, current: Option<&Self::Part>) -> Result<Self::Part, Vec<&'static str>>;
}

/// A field that may be absent, which is another thing than null.
#[derive(Clone, Debug)]
pub struct PatchField<T>(pub Option<T>);

impl<T> Default for PatchField<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PatchField<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|said| Self(Some(said)))
    }
}

impl<T: JsonSchema> JsonSchema for PatchField<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A field as a part of an identity.
pub(super) trait IdentityField {
    fn identity_text(&self) -> String;
}

impl IdentityField for String {
    fn identity_text(&self) -> String {
        self.trim().to_lowercase()
    }
}

impl<T: IdentityField> IdentityField for Option<T> {
    fn identity_text(&self) -> String {
        self.as_ref()
            .map_or_else(String::new, IdentityField::identity_text)
    }
}

impl IdentityField for NaiveDate {
    fn identity_text(&self) -> String {
        self.to_string()
    }
}

macro_rules! identity_words {
    ($($word:ident)*) => {
        $(impl IdentityField for $word {
            fn identity_text(&self) -> String {
                self.as_str().to_owned()
            }
        })*
    };
}

identity_words!(Role TransitionKind End);

/// Defines both forms of parts: `told by` are the fields of the identity; of the others, those with a value begin
/// with it, and those without are needed for a new part.
macro_rules! parts {
    ($(
        $(#[$doc:meta])*
        $name:ident or $said:ident, $noun:literal, ordered: $ordered:literal, repeats: $repeats:literal,
        told by {
            $($(#[$tdoc:meta])* $telling:ident: $ttype:ty,)*
        }
        says {
            $($(#[$fdoc:meta])* $field:ident: $type:ty $(= $begins:expr)?,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$tdoc])* pub $telling: $ttype,)*
            $($(#[$fdoc])* pub $field: $type,)*
        }

        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[schemars(rename = $noun)]
        pub struct $said {
            $($(#[$tdoc])* pub $telling: $ttype,)*
            $($(#[$fdoc])* #[serde(default)] pub $field: PatchField<$type>,)*
        }

        impl DocumentPart for $name {
            type Patch = $said;
            const NOUN: &'static str = $noun;
            const ORDERED: bool = $ordered;
            const REPEATS: bool = $repeats;

            fn identity(&self) -> Identity {
                Identity(vec![$(IdentityField::identity_text(&self.$telling)),*])
            }
        }

        impl PartPatch for $said {
            type Part = $name;

            fn identity(&self) -> Identity {
                Identity(vec![$(IdentityField::identity_text(&self.$telling)),*])
            }

            fn onto(self, current: Option<&$name>) -> Result<$name, Vec<&'static str>> {
                let mut lacking = Vec::new();
                $(
                    let $field = self.$field.0.or_else(|| current.map(|now| now.$field.clone()));
                    $(let $field = $field.or_else(|| Some($begins));)?
                    if $field.is_none() {
                        lacking.push(stringify!($field));
                    }
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok($name {
                        // The spelling that is kept stays: a key is the same however its letters are cased.
                        $($telling: current.map_or(self.$telling, |now| now.$telling.clone()),)*
                        $($field,)*
                    }),
                    _ => Err(lacking),
                }
            }
        }
    )*};
}

/// Defines both forms of a whole document: its own fields, and its lists of parts.
macro_rules! document {
    (
        says { $($(#[$fdoc:meta])* $field:ident: $type:ty $(= $begins:expr)?,)* }
        lists { $($(#[$ldoc:meta])* $list:ident of $part:ident or $said:ident, at most $most:expr;)* }
    ) => {
        /// A blueprint as it is written out.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Document {
            /// The format.
            pub format: String,
            /// Its key, unique in the organisation.
            pub key: String,
            $($(#[$fdoc])* pub $field: $type,)*
            $($(#[$ldoc])* pub $list: Vec<$part>,)*
        }

        /// A service blueprint, or what is to change in one.
        ///
        /// Whatever is absent stays as it is. A list that is there changes what it names; the rest of it stays too,
        /// unless the import is asked to prune.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[schemars(rename = "blueprint")]
        pub struct DocumentPatch {
            /// The format: `cx-blueprint/blueprint@1`.
            pub format: String,
            /// Its key, unique in the organisation: of a blueprint that is there, or of a new one.
            pub key: String,
            $($(#[$fdoc])* #[serde(default)] pub $field: PatchField<$type>,)*
            $($(#[$ldoc])* #[serde(default)] pub $list: PatchList<$said, { $most }>,)*
        }

        impl Document {
            /// The parts of its lists.
            #[must_use]
            pub fn parts(&self) -> usize {
                [$(self.$list.len(),)*].into_iter().sum()
            }

            /// The document that this one becomes by what is said; `prune` removes what a list that is there does
            /// not name. Nothing where something is lacking, which the faults tell.
            pub(super) fn merged(
                current: Option<&Self>,
                said: DocumentPatch,
                prune: bool,
                (places, faults): (&mut SourceMap, &mut Faults),
            ) -> Option<Self> {
                let mut lacking = Vec::new();
                $(
                    let $field = said.$field.0.or_else(|| current.map(|now| now.$field.clone()));
                    $(let $field = $field.or_else(|| Some($begins));)?
                    if $field.is_none() {
                        lacking.push(stringify!($field));
                    }
                )*
                merge::lacks("", "blueprint", &lacking, faults);
                $(
                    let now = current.map_or(&[][..], |now| &now.$list);
                    let name = camel(stringify!($list));
                    let listed = merge::few_enough(&name, said.$list.0, $most, faults);
                    let $list = merge::list(&name, now, listed, prune, (&mut *places, &mut *faults));
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) => Some(Self {
                        format: FORMAT.to_owned(),
                        key: current.map_or(said.key, |now| now.key.clone()),
                        $($field,)*
                        $($list: $list?,)*
                    }),
                    _ => None,
                }
            }

            /// Its lists, with how many parts they hold and how many they may hold.
            pub(super) fn lists(&self) -> impl Iterator<Item = (String, usize, u64)> {
                [$((camel(stringify!($list)), self.$list.len(), $most),)*].into_iter()
            }

            /// What differs from this one to another.
            #[must_use]
            pub fn differs(&self, after: &Self) -> Vec<DocumentChange> {
                let mut changes = Vec::new();
                diff::fields(&self.key, &[
                    $((stringify!($field), diff::json(&self.$field), diff::json(&after.$field)),)*
                ], &mut changes);
                $(diff::list(&self.$list, &after.$list, &mut changes);)*
                changes
            }

            /// The same without any of its parts.
            #[must_use]
            pub(super) fn emptied(&self) -> Self {
                Self {
                    $($list: Vec::new(),)*
                    ..self.clone()
                }
            }

            /// Puts into the order of identities what has no order of its own, so that the same blueprint is the
            /// same text.
            #[must_use]
            pub(super) fn sorted(mut self) -> Self {
                $(if !$part::ORDERED {
                    self.$list.sort_by_cached_key(DocumentPart::identity);
                })*
                self
            }
        }
    };
}

/// A name of a field as documents spell it.
pub(super) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut high = false;
    for c in name.chars() {
        match c {
            '_' => high = true,
            c if std::mem::take(&mut high) => camel.push(c.to_ascii_uppercase()),
            c => camel.push(c),
        }
    }
    camel
}
