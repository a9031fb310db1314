//! The words that storage and API spell alike: one enum, one spelling, one description each.
//!
//! They carry async-graphql's `Enum` and the schema of documents beside the storage derive. Nothing else of GraphQL
//! lives in this crate: an enum cannot leak a column, and 40 mirrored enums would only add a place to disagree.

/// One of a few words, for code that serves all of them.
pub trait StoredWord: Copy + Sized + 'static {
    /// Every word, in the order of its enum.
    const ALL: &'static [Self];

    /// The word as it is stored and sent.
    fn as_str(self) -> &'static str;

    /// Every word as it is stored and sent.
    #[must_use]
    fn texts() -> Vec<&'static str> {
        Self::ALL.iter().map(|word| word.as_str()).collect()
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(
                Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
                Serialize, Deserialize, EnumIter, DeriveActiveEnum, Enum, JsonSchema,
            )]
            #[sea_orm(rs_type = "String", db_type = "Text")]
            pub enum $name {
                $(
                    $(#[$vdoc])*
                    #[sea_orm(string_value = $text)]
                    #[serde(rename = $text)]
                    #[graphql(name = $text)]
                    $variant,
                )*
            }

            impl $name {
                /// Every word, in the order of its enum.
                pub const ALL: &[Self] = &[$(Self::$variant),*];

                /// Every word as it is stored and sent.
                #[must_use]
                pub fn texts() -> Vec<&'static str> {
                    Self::ALL.iter().map(|word| word.as_str()).collect()
                }

                /// The word that is stored and sent like this.
                #[must_use]
                pub fn from_name(text: &str) -> Option<Self> {
                    match text {
                        $($text => Some(Self::$variant),)*
                        _ => None,
                    }
                }

                /// The word as it is stored and sent.
                #[must_use]
                pub const fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $text,)*
                    }
                }
            }

            impl StoredWord for $name {
                const ALL: &'static [Self] = Self::ALL;

                fn as_str(self) -> &'static str {
                    Self::as_str(self)
                }
            }

            impl FromCell for $name {
                fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self> {
                    read::read_word(cell, Self::from_name)
                }
            }
        )*
    };
}

mod blueprint;
mod insight;
mod kpi;
mod organisation;

pub use self::{blueprint::*, insight::*, kpi::*, organisation::*};
