//! The two forms of a part of a document: the part that is written out is complete; the patch that is read may leave
//! out anything but the natural key. It knows no blueprint.

use std::borrow::Cow;

use chrono::NaiveDate;
use entity::words::{End, Role, TransitionKind};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::fold_key;

/// The natural key of a part among those of its kind: the texts of its natural key fields, keys in small letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NaturalKey(pub Vec<String>);

impl std::fmt::Display for NaturalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts = self.0.iter().filter(|text| !text.is_empty());
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        f.write_str(&texts.join(" "))
    }
}

/// A part of a document as it is written out.
pub trait DocumentPart: Clone + PartialEq + Serialize {
    /// The form that is read.
    type Patch: PartPatch<Part = Self>;
    /// Its name in faults and reports.
    const NOUN: &'static str;
    /// Whether people arrange these parts; others are written in the order of their natural keys.
    const ORDERED: bool;
    /// Whether several may have the same natural key.
    const REPEATS: bool;

    /// Its natural key.
    fn natural_key(&self) -> NaturalKey;

    /// Its natural key as people wrote it, for reports.
    fn identity(&self) -> String;

    /// The key of what people arrange it within; none for parts that stand in one row.
    fn arranged_within(&self) -> Option<String>;
}

/// A part of a document as it is read: anything but its natural key may be absent.
pub trait PartPatch {
    /// The part that it changes or makes.
    type Part: DocumentPart<Patch = Self>;

    /// Its natural key.
    fn natural_key(&self) -> NaturalKey;

    /// The part that `current`, or a new one, becomes: an absent field stays as it is, or takes its initial value.
    ///
    /// # Errors
    /// The names of the fields that a new part lacks.
    fn apply_to(self, current: Option<&Self::Part>) -> Result<Self::Part, Vec<&'static str>>;
}

/// A field of a patch that may be absent, which says something else than null: an absent field keeps its value.
#[derive(Clone, Debug)]
pub struct PatchField<T>(pub Option<T>);

impl<T> Default for PatchField<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Clone> PatchField<T> {
    /// The value that a field has after the patch: as the patch says, else as it is, else as it begins. One without any
    /// of them is noted as lacking, under its name.
    pub(super) fn or_current(
        self,
        current: Option<&T>,
        initial: impl FnOnce() -> Option<T>,
        (name, lacking): (&'static str, &mut Vec<&'static str>),
    ) -> Option<T> {
        let value = self.0.or_else(|| current.cloned()).or_else(initial);
        if value.is_none() {
            lacking.push(name);
        }
        value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PatchField<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
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

/// A field of a natural key.
pub(super) trait NaturalKeyField {
    /// Its text as people wrote it; empty where there is none.
    fn written(&self) -> String;

    /// Its text in the natural key: equal texts are the same key.
    fn natural_key_text(&self) -> String {
        self.written()
    }
}

impl NaturalKeyField for String {
    fn written(&self) -> String {
        self.trim().to_owned()
    }

    fn natural_key_text(&self) -> String {
        fold_key(self)
    }
}

impl<T: NaturalKeyField> NaturalKeyField for Option<T> {
    fn written(&self) -> String {
        self.as_ref()
            .map_or_else(String::new, NaturalKeyField::written)
    }

    fn natural_key_text(&self) -> String {
        self.as_ref()
            .map_or_else(String::new, NaturalKeyField::natural_key_text)
    }
}

impl NaturalKeyField for NaiveDate {
    fn written(&self) -> String {
        self.to_string()
    }
}

macro_rules! natural_key_words {
    ($($word:ident)*) => {
        $(impl NaturalKeyField for $word {
            fn written(&self) -> String {
                self.as_str().to_owned()
            }
        })*
    };
}

natural_key_words!(Role TransitionKind End);

/// Defines both forms of a kind of part. `natural_key` are the fields by which it is recognised. Of the `fields`, those
/// with `= value` begin with it where a new part leaves them out; those without are required of a new part.
macro_rules! parts {
    ($(
        $(#[$doc:meta])*
        $name:ident or $patch:ident, $noun:literal, ordered: $ordered:literal $(within $within:ident)?, repeats: $repeats:literal,
        natural_key {
            $($(#[$key_doc:meta])* $key:ident: $key_type:ty,)*
        }
        fields {
            $($(#[$fdoc:meta])* $field:ident: $type:ty $(= $initial:expr)?,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$key_doc])* pub $key: $key_type,)*
            $($(#[$fdoc])* pub $field: $type,)*
        }

        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[schemars(rename = $noun)]
        pub struct $patch {
            $($(#[$key_doc])* pub $key: $key_type,)*
            $($(#[$fdoc])* #[serde(default)] pub $field: PatchField<$type>,)*
        }

        impl DocumentPart for $name {
            type Patch = $patch;
            const NOUN: &'static str = $noun;
            const ORDERED: bool = $ordered;
            const REPEATS: bool = $repeats;

            fn natural_key(&self) -> NaturalKey {
                NaturalKey(vec![$(NaturalKeyField::natural_key_text(&self.$key)),*])
            }

            fn identity(&self) -> String {
                NaturalKey(vec![$(NaturalKeyField::written(&self.$key)),*]).to_string()
            }

            fn arranged_within(&self) -> Option<String> {
                [$(fold_key(&self.$within))?].into_iter().next()
            }
        }

        impl PartPatch for $patch {
            type Part = $name;

            fn natural_key(&self) -> NaturalKey {
                NaturalKey(vec![$(NaturalKeyField::natural_key_text(&self.$key)),*])
            }

            fn apply_to(self, current: Option<&$name>) -> Result<$name, Vec<&'static str>> {
                let mut lacking = Vec::new();
                $(
                    let $field = self.$field.or_current(
                        current.map(|now| &now.$field),
                        || [$($initial)?].into_iter().next(),
                        (stringify!($field), &mut lacking),
                    );
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok($name {
                        // The spelling that is kept stays: a key is the same however its letters are cased.
                        $($key: current.map_or(self.$key, |now| now.$key.clone()),)*
                        $($field,)*
                    }),
                    _ => Err(lacking),
                }
            }
        }
    )*};
}

/// Defines both forms of a document and what depends on the type of each list: merging and comparing. Everything else
/// walks `lists`.
macro_rules! document {
    (
        fields { $($(#[$fdoc:meta])* $field:ident: $type:ty $(= $initial:expr)?,)* }
        lists { $($(#[$ldoc:meta])* $list:ident of $part:ident or $patch:ident, at most $most:expr;)* }
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
        pub struct BlueprintDocumentPatch {
            /// The format: `cx-blueprint/blueprint@1`.
            pub format: String,
            /// Its key, unique in the organisation: of a blueprint that is there, or of a new one.
            pub key: String,
            $($(#[$fdoc])* #[serde(default)] pub $field: PatchField<$type>,)*
            $($(#[$ldoc])* #[serde(default)] pub $list: PatchList<$patch, { $most }>,)*
        }

        impl Document {
            /// Its lists, each with its name and the most parts that it may hold.
            pub(super) fn lists(&self) -> Vec<(String, u64, &dyn PartList)> {
                vec![$((camel_case(stringify!($list)), $most, &self.$list as &dyn PartList),)*]
            }

            /// Its lists, to be changed, each with its name.
            pub(super) fn lists_mut(&mut self) -> Vec<(String, &mut dyn PartList)> {
                vec![$((camel_case(stringify!($list)), &mut self.$list as &mut dyn PartList),)*]
            }

            /// The document that `current`, or a new one, becomes by a patch; `prune` removes what a list of the patch
            /// does not name. None where something is lacking, which the faults say.
            pub(super) fn merge(
                current: Option<&Self>,
                patch: BlueprintDocumentPatch,
                prune: bool,
                (part_positions, faults): (&mut InputPartIndexes, &mut Faults),
            ) -> Option<Self> {
                let mut lacking = Vec::new();
                $(
                    let $field = patch.$field.or_current(
                        current.map(|now| &now.$field),
                        || [$($initial)?].into_iter().next(),
                        (stringify!($field), &mut lacking),
                    );
                )*
                merge::add_required_faults("", "blueprint", &lacking, faults);
                $(
                    let now = current.map_or(&[][..], |now| &now.$list);
                    let name = camel_case(stringify!($list));
                    let places = (&mut *part_positions, &mut *faults);
                    let $list = merge::merge_list((&name, $most), now, patch.$list.0, prune, places);
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) => Some(Self {
                        format: FORMAT.to_owned(),
                        key: current.map_or(patch.key, |now| now.key.clone()),
                        $($field,)*
                        $($list: $list?,)*
                    }),
                    _ => None,
                }
            }

            /// The changes from this document to another.
            #[must_use]
            pub fn diff(&self, after: &Self) -> Vec<DocumentChange> {
                let mut changes = Vec::new();
                diff::add_field_changes(&self.key, &[
                    $((stringify!($field), diff::to_json(&self.$field), diff::to_json(&after.$field)),)*
                ], &mut changes);
                $(diff::add_list_changes(&self.$list, &after.$list, &mut changes);)*
                changes
            }
        }

        impl BlueprintDocumentPatch {
            /// Drops what names something that does not exist, as each reference declares.
            pub(super) fn drop_missing_references(&mut self, exists: Exists<'_>) {
                self.drop_missing_keys(exists);
                $(if let Some(list) = &mut self.$list.0 {
                    list.retain_mut(|part| part.drop_missing_keys(exists));
                })*
            }
        }
    };
}

/// The name of a field in camel case, as documents spell it.
pub(super) fn camel_case(name: &str) -> String {
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
