//! What clients say of touchpoints: the inputs, and how their fields are read with all their faults.

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};
use entity::{
    id::{ChannelId, SegmentId},
    touchpoint,
    words::Lane,
};
use sea_orm::ActiveValue;

use crate::{
    fields::{
        api::ApiField,
        kinds::{self, EvidenceItems},
        touchpoint::touchpoint_fields,
    },
    input::{Faults, list_if_given, set_if_given},
};

/// Makes the input of the described fields, and reads it.
macro_rules! text_input {
    ([] $({ $(
        $(#[doc = $doc:literal])? $(#[shown = $_shown:literal] #[given = $given:literal])?
        $field:ident $name:literal: $kind:ty { $($_facts:tt)* }
    )* })*) => {
        /// What a touchpoint says of itself.
        #[derive(Default, InputObject)]
        pub struct TouchpointText {
            $($(
                $(#[doc = $doc])? $(#[doc = $given])?
                pub $field: MaybeUndefined<<$kind as ApiField>::Input>,
            )*)*
            /// Its channels, in order; replaces the list.
            pub channel_ids: MaybeUndefined<Vec<ID>>,
            /// The segments that it is for, in order; empty for everybody; replaces the list.
            pub audience_segment_ids: MaybeUndefined<Vec<ID>>,
        }

        impl TouchpointText {
            /// In a new touchpoint nothing is stored that null could clear: it says nothing.
            pub(super) fn with_null_as_absent(self) -> Self {
                Self {
                    $($($field: null_as_absent(self.$field),)*)*
                    channel_ids: null_as_absent(self.channel_ids),
                    audience_segment_ids: null_as_absent(self.audience_segment_ids),
                }
            }

            /// The columns that change, with every fault in their values.
            fn columns(&self, faults: &mut Faults) -> touchpoint::ActiveModel {
                touchpoint::ActiveModel {
                    $($($field: <$kind as ApiField>::change_from_input(&self.$field, $name, faults),)*)*
                    ..Default::default()
                }
            }
        }

        /// A new touchpoint's columns: where nothing is said of a field, it begins as its kind does.
        pub(super) fn with_initial_values(text: touchpoint::ActiveModel) -> touchpoint::ActiveModel {
            touchpoint::ActiveModel {
                $($($field: <$kind as ApiField>::change_or_initial(text.$field),)*)*
                ..text
            }
        }
    };
}
touchpoint_fields!(text_input);

/// A piece of physical evidence: something that the customer holds or sees.
#[derive(Clone, InputObject, SimpleObject)]
#[graphql(input_name = "EvidenceInput", name = "Evidence")]
pub struct EvidenceInput {
    /// Its name.
    pub label: String,
    /// An http or https address.
    pub link: Option<String>,
}

/// A new touchpoint, at the end of a phase or after another touchpoint. Null is as absent, but for `afterId`.
#[derive(InputObject)]
pub struct TouchpointCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the phase to create it in.
    pub phase_id: ID,
    /// Key, unique in the blueprint; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// The lane: the party that acts in it.
    pub lane: Lane,
    /// Id of the touchpoint after which to place it; absent: the end of the phase, null: its beginning.
    pub after_id: MaybeUndefined<ID>,
    /// What it says of itself.
    #[graphql(flatten)]
    pub text: TouchpointText,
}

/// Changes to a touchpoint's descriptive fields. Absent fields stay as they are; null clears, or is REQUIRED where
/// there is always a value.
#[derive(InputObject)]
pub struct TouchpointUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// What it says of itself.
    #[graphql(flatten)]
    pub text: TouchpointText,
}

/// The renaming of a touchpoint.
#[derive(InputObject)]
pub struct TouchpointRenameInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: String,
}

/// The move of a touchpoint.
#[derive(InputObject)]
pub struct TouchpointMoveInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// Id of the phase to move it to; absent: its current phase.
    pub phase_id: MaybeUndefined<ID>,
    /// Id of the touchpoint after which to place it; absent: the end of the phase, null: its beginning.
    pub after_id: MaybeUndefined<ID>,
}

/// The move of a touchpoint to another lane.
#[derive(InputObject)]
pub struct TouchpointLaneChangeInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new lane.
    pub lane: Lane,
}

/// Changes to one of several touchpoints. Absent fields stay as they are; null clears, or is REQUIRED where there is
/// always a value.
#[derive(InputObject)]
pub struct TouchpointChangeInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name; the key stays.
    pub name: MaybeUndefined<String>,
    /// The new lane.
    pub lane: MaybeUndefined<Lane>,
    /// Id of the phase to move it to. Where this and `afterId` are absent, it stays in its place.
    pub phase_id: MaybeUndefined<ID>,
    /// Id of the touchpoint after which to place it, as the changes before this one in the list leave it; null: the
    /// beginning of the phase. Absent: the end of the phase where `phaseId` is given.
    pub after_id: MaybeUndefined<ID>,
    /// What it says of itself.
    #[graphql(flatten)]
    pub text: TouchpointText,
}

/// Changes to several touchpoints in one act.
#[derive(InputObject)]
pub struct TouchpointsUpdateInput {
    /// The touchpoints, at most 200, each once; moves are done in this order.
    pub touchpoints: Vec<TouchpointChangeInput>,
}

/// The lists that belong to a touchpoint, where they are to be replaced.
#[derive(Default)]
pub(super) struct TouchpointLists {
    pub channels: Option<Vec<ChannelId>>,
    pub audience: Option<Vec<SegmentId>>,
}

impl TouchpointText {
    /// Reads the columns and the lists that change, with every fault in them.
    pub(super) fn read(&self, faults: &mut Faults) -> (touchpoint::ActiveModel, TouchpointLists) {
        let row = self.columns(faults);
        let channels = list_if_given(&self.channel_ids);
        let channels = channels.map(|ids| faults.parse_ids("channelIds", ids));
        let audience = list_if_given(&self.audience_segment_ids);
        let audience = audience.map(|ids| faults.parse_ids("audienceSegmentIds", ids));
        (row, TouchpointLists { channels, audience })
    }
}

fn null_as_absent<T>(field: MaybeUndefined<T>) -> MaybeUndefined<T> {
    match field {
        MaybeUndefined::Null => MaybeUndefined::Undefined,
        field => field,
    }
}

impl ApiField for EvidenceItems {
    type Input = Vec<EvidenceInput>;
    type Output = Vec<EvidenceInput>;

    fn change_from_input(
        input: &MaybeUndefined<Self::Input>,
        path: &str,
        faults: &mut Faults,
    ) -> ActiveValue<Self::Stored> {
        set_if_given(list_if_given(input), |items| {
            let items = items.iter();
            let items = items.map(|item| (&*item.label, item.link.as_deref()));
            Self::check(items, path, faults)
        })
    }

    fn to_output(stored: Self::Stored) -> Self::Output {
        let items = stored.0.into_iter();
        items
            .map(|item| EvidenceInput {
                label: item.label,
                link: item.link,
            })
            .collect()
    }
}
