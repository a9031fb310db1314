//! References: the fields by which parts name other things by key. Each kind of part declares its own once
//! (`references!`); pruning, restoring, renaming and looking up all walk that declaration.

use std::collections::{BTreeMap, BTreeSet};

use super::part::PatchField;

/// The kind of thing that a key in a document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceTarget {
    // Inside the blueprint.
    Phase,
    Touchpoint,
    /// By its title.
    Source,
    Insight,
    // Outside of it.
    Department,
    Persona,
    /// A need of the main persona, by its words.
    Need,
    Channel,
    Segment,
    Kpi,
    Account,
}

impl ReferenceTarget {
    /// What "There is no …" calls it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Phase => "phase in this blueprint",
            Self::Touchpoint => "touchpoint in this blueprint",
            Self::Source => "source in this blueprint",
            Self::Insight => "insight in this blueprint",
            Self::Department => "department",
            Self::Persona => "persona",
            Self::Need => "such need of the persona:",
            Self::Channel => "channel",
            Self::Segment => "segment",
            Self::Kpi => "KPI",
            Self::Account => "account",
        }
    }
}

/// Keys in small letters, by what they name.
pub(crate) type ReferencedKeys = BTreeMap<ReferenceTarget, BTreeSet<String>>;

/// What becomes of a part when something that a field of it names is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnMissing {
    /// The part goes too: without it the part says nothing.
    RemovePart,
    /// The key goes, the part stays.
    DropKey,
    /// Nothing goes: resolving the document reports the key.
    Report,
}

/// Whether a thing of this kind with this key, however it is spelled, exists.
pub(super) type Exists<'f> = &'f dyn Fn(ReferenceTarget, &str) -> bool;

/// A field that holds the keys of other things: one, perhaps one, or several.
pub(super) trait ReferenceField {
    /// Its keys, in order.
    fn keys(&self) -> Vec<&String>;

    /// Its keys, to be renamed.
    fn keys_mut(&mut self) -> Vec<&mut String>;

    /// Drops the keys that are not to be kept; false where the field cannot be without its key, and has it still.
    fn retain_keys(&mut self, keep: &dyn Fn(&str) -> bool) -> bool;
}

impl ReferenceField for String {
    fn keys(&self) -> Vec<&String> {
        vec![self]
    }

    fn keys_mut(&mut self) -> Vec<&mut String> {
        vec![self]
    }

    fn retain_keys(&mut self, keep: &dyn Fn(&str) -> bool) -> bool {
        keep(self)
    }
}

impl<F: ReferenceField> ReferenceField for Option<F> {
    fn keys(&self) -> Vec<&String> {
        self.iter().flat_map(ReferenceField::keys).collect()
    }

    fn keys_mut(&mut self) -> Vec<&mut String> {
        self.iter_mut().flat_map(ReferenceField::keys_mut).collect()
    }

    fn retain_keys(&mut self, keep: &dyn Fn(&str) -> bool) -> bool {
        // An optional field without its key is simply empty: only a required one takes its part along.
        if self.as_mut().is_some_and(|field| !field.retain_keys(keep)) {
            *self = None;
        }
        true
    }
}

impl<F: ReferenceField> ReferenceField for Vec<F> {
    fn keys(&self) -> Vec<&String> {
        self.iter().flat_map(ReferenceField::keys).collect()
    }

    fn keys_mut(&mut self) -> Vec<&mut String> {
        self.iter_mut().flat_map(ReferenceField::keys_mut).collect()
    }

    fn retain_keys(&mut self, keep: &dyn Fn(&str) -> bool) -> bool {
        self.retain_mut(|field| field.retain_keys(keep));
        true
    }
}

/// A field of a patch refers to what its value refers to. A required one that loses its key becomes absent, so the
/// current value stays.
impl<F: ReferenceField> ReferenceField for PatchField<F> {
    fn keys(&self) -> Vec<&String> {
        self.0.keys()
    }

    fn keys_mut(&mut self) -> Vec<&mut String> {
        self.0.keys_mut()
    }

    fn retain_keys(&mut self, keep: &dyn Fn(&str) -> bool) -> bool {
        self.0.retain_keys(keep)
    }
}

/// A field that names something, what it names, and what becomes of its part when that is gone.
pub(super) struct ReferenceDeclaration<F> {
    pub target: ReferenceTarget,
    pub on_missing: OnMissing,
    pub field: F,
}

/// Something with fields that name other things: a part, its patch, or a document itself.
pub(super) trait References {
    /// The fields; none by default.
    fn references(&self) -> Vec<ReferenceDeclaration<&dyn ReferenceField>> {
        Vec::new()
    }

    /// The fields, to be changed.
    fn references_mut(&mut self) -> Vec<ReferenceDeclaration<&mut dyn ReferenceField>> {
        Vec::new()
    }

    /// Drops keys of what does not exist, as each field declares; false where the whole part is to go.
    fn drop_missing_keys(&mut self, exists: Exists<'_>) -> bool {
        self.references_mut().into_iter().all(|reference| {
            let keep = |key: &str| exists(reference.target, key);
            match reference.on_missing {
                OnMissing::RemovePart => reference.field.keys().iter().all(|key| keep(key)),
                OnMissing::DropKey => {
                    reference.field.retain_keys(&keep);
                    true
                }
                OnMissing::Report => true,
            }
        })
    }
}

/// Declares the references of a part and of its patch: `field => target, what happens where that is gone`.
macro_rules! references {
    ($part:ident or $patch:ident { $($fields:tt)* }) => {
        references!(@of $part { $($fields)* });
        references!(@of $patch { $($fields)* });
    };
    (@of $part:ident { $($field:ident => $target:ident, $on_missing:ident;)* }) => {
        // A block of its own, so that who declares references need import nothing.
        const _: () = {
            use $crate::document::reference::{
                OnMissing, ReferenceDeclaration, ReferenceField, ReferenceTarget, References,
            };

            impl References for $part {
                fn references(&self) -> Vec<ReferenceDeclaration<&dyn ReferenceField>> {
                    vec![$(ReferenceDeclaration {
                        target: ReferenceTarget::$target,
                        on_missing: OnMissing::$on_missing,
                        field: &self.$field as &dyn ReferenceField,
                    }),*]
                }

                fn references_mut(&mut self) -> Vec<ReferenceDeclaration<&mut dyn ReferenceField>> {
                    vec![$(ReferenceDeclaration {
                        target: ReferenceTarget::$target,
                        on_missing: OnMissing::$on_missing,
                        field: &mut self.$field as &mut dyn ReferenceField,
                    }),*]
                }
            }
        };
    };
}
