//! Every typed id and its prefix. An id is a UUIDv7, stored as the database's own UUID and shown as
//! prefix and 32 hex digits (`tch_0198…`): the same text in GraphQL, documents and exports.

use std::{fmt, str::FromStr};

use sea_orm::{DbErr, DeriveValueType, TryFromU64, sqlx};
use uuid::Uuid;

use crate::read::{FromCell, RawCell};

/// What every typed id can do.
pub trait Id:
    Copy + Ord + fmt::Debug + fmt::Display + FromStr<Err = NotAnId> + From<Uuid> + Send + Sync + 'static
{
    /// The letters before the underscore.
    const PREFIX: &'static str;

    /// The bare UUID, without the type.
    fn uuid(self) -> Uuid;
}

/// The text is not an id of the wanted type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId {
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not an id of the form {}_ and 32 hexadecimal digits",
            self.prefix
        )
    }
}

impl std::error::Error for NotAnId {}

/// The id in a text with this prefix; for whoever knows the prefix and not the type.
pub fn parse_with_prefix(text: &str, prefix: &'static str) -> Result<Uuid, NotAnId> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| {
            hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or(NotAnId { prefix })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal,)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
            pub struct $name(pub Uuid);

            impl Id for $name {
                const PREFIX: &'static str = $prefix;

                fn uuid(self) -> Uuid {
                    self.0
                }
            }

            impl From<Uuid> for $name {
                fn from(uuid: Uuid) -> Self {
                    Self(uuid)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!($prefix, "_{}"), self.0.simple())
                }
            }

            impl FromStr for $name {
                type Err = NotAnId;

                fn from_str(text: &str) -> Result<Self, NotAnId> {
                    parse_with_prefix(text, $prefix).map(Self)
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }

            impl FromCell for $name {
                fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self> {
                    Uuid::from_cell(cell).map(Self)
                }
            }

            impl TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                    Err(DbErr::ConvertFromU64(stringify!($name)))
                }
            }
        )*

        /// Every prefix, in the order of this file.
        pub const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

ids! {
    /// A person's or a service's way in.
    AccountId = "acc",
    /// What an account sees of itself, by the account's UUID.
    ViewerId = "vwr",
    /// An account's role in a department.
    MembershipId = "mbr",
    /// A signed-in device.
    SessionId = "ses",
    /// A program's way in, instead of a password.
    ServiceTokenId = "tok",
    /// A unit that delivers.
    DepartmentId = "dep",
    /// An archetype whose journey it is.
    PersonaId = "per",
    /// One need of a persona.
    NeedId = "ned",
    /// A real group of people.
    SegmentId = "seg",
    /// A way in which people meet.
    ChannelId = "chn",
    /// One journey of one main persona.
    BlueprintId = "blu",
    /// What blueprints can begin with.
    TemplateId = "tpl",
    /// A column group of a blueprint.
    PhaseId = "pha",
    /// One step of a journey.
    TouchpointId = "tch",
    /// An edge of the journey graph.
    TransitionId = "trn",
    /// A named way through a journey.
    ScenarioId = "scn",
    /// Where something is known from.
    SourceId = "src",
    /// What is known at a place of a journey.
    InsightId = "ins",
    /// A publication of a blueprint, or what was kept of it.
    PublicationId = "pub",
    /// What customers are promised at a touchpoint.
    PromiseId = "prm",
    /// A trial of a touchpoint against the persona's needs.
    EvaluationId = "evl",
    /// What is to become better.
    ImprovementId = "imp",
    /// Touchpoint × department × role.
    ResponsibilityId = "rsp",
    /// What is measured.
    KpiId = "kpi",
    /// An answer of a customer.
    FeedbackId = "fbk",
    /// What is done about an answer.
    FollowUpId = "fup",
    /// What to do about the answers of one group.
    PlaybookId = "plb",
    RoutingRuleId = "rou",
    /// What a KPI should reach from a day on.
    KpiTargetId = "tgt",
    /// What a KPI judges.
    KpiLinkId = "lnk",
    /// Who may see a confidential KPI.
    KpiGrantId = "grt",
    /// A value of a KPI on a day.
    MeasurementId = "msr",
    /// Something that a blueprint gets wrong: what it is about, hashed.
    FindingId = "fnd",
    /// That something on which findings hang was changed.
    MarkId = "mrk",
    /// Who did what to what.
    AuditEventId = "aud",
}
