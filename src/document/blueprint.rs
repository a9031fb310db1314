//! The document of one blueprint, version 1: everything that people say in it, by keys and natural keys. Ids,
//! versions, values of KPIs and the history of responsibilities are not in it.

use chrono::NaiveDate;
use entity::words::{BlueprintState, Subject, Visibility};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::parts::{
    evaluation::{EvaluationPart, EvaluationPatch},
    improvement::{ImprovementPart, ImprovementPatch},
    insight::{InsightPart, InsightPatch},
    kpi_link::{KpiLinkPart, KpiLinkPatch},
    phase::{PhasePart, PhasePatch},
    promise::{PromisePart, PromisePatch},
    responsibility::{ResponsibilityPart, ResponsibilityPatch},
    scenario::{ScenarioPart, ScenarioPatch},
    source::{SourcePart, SourcePatch},
    touchpoint::{TouchpointPart, TouchpointPatch},
    transition::{TransitionPart, TransitionPatch},
};
use super::{
    bounds::{PatchList, read_optional_day, read_short_list},
    diff::{self, DocumentChange},
    format::DocumentFormat,
    list::PartList,
    merge::{self, InputPartIndexes},
    part::{PatchField, camel_case},
    reference::{Exists, References},
};
use crate::{
    blueprint::{MOST_PHASES, MOST_TOUCHPOINTS, MOST_TRANSITIONS},
    evaluation::MOST_EVALUATIONS,
    improvement::MOST_IMPROVEMENTS,
    input::Faults,
    insight::{MOST_INSIGHTS, source::MOST_SOURCES},
    promise::MOST_PROMISES,
    scenario::MOST_SCENARIOS,
};

/// The format of a blueprint's document that this program reads and writes.
pub const FORMAT: &str = "cx-blueprint/blueprint@1";

/// Responsibilities, and links of KPIs, that a document names at the most: 40 for each touchpoint there may be.
const MOST_TIES: u64 = 40 * MOST_TOUCHPOINTS;

document! {
    fields {
        /// The title, as the persona would say it.
        title: String,
        /// Whose journey it is; fixed once it is made.
        subject: Subject = Subject::Customer,
        /// As it is, or as it should become; fixed once it is made.
        state: BlueprintState = BlueprintState::Current,
        /// Who may read it once it is published.
        visibility: Visibility = Visibility::Organisation,
        /// The key of the main persona.
        persona: String,
        /// The keys of the further personas, in order.
        #[serde(deserialize_with = "read_short_list")]
        secondary_personas: Vec<String> = Vec::new(),
        /// The key of the department that owns it.
        owner_department: String,
        /// When it should be looked at again.
        #[serde(deserialize_with = "read_optional_day")]
        next_review_on: Option<NaiveDate> = None,
    }
    lists {
        /// The phases, in order.
        phases of PhasePart or PhasePatch, at most MOST_PHASES;
        /// The touchpoints, in order.
        touchpoints of TouchpointPart or TouchpointPatch, at most MOST_TOUCHPOINTS;
        /// The transitions.
        transitions of TransitionPart or TransitionPatch, at most MOST_TRANSITIONS;
        /// Who answers for what, and who is asked to.
        responsibilities of ResponsibilityPart or ResponsibilityPatch, at most MOST_TIES;
        /// What is judged by which KPI.
        kpi_links of KpiLinkPart or KpiLinkPatch, at most MOST_TIES;
        /// The named ways through.
        scenarios of ScenarioPart or ScenarioPatch, at most MOST_SCENARIOS;
        /// Where things are known from.
        sources of SourcePart or SourcePatch, at most MOST_SOURCES;
        /// What is known.
        insights of InsightPart or InsightPatch, at most MOST_INSIGHTS;
        /// What customers are promised.
        promises of PromisePart or PromisePatch, at most MOST_PROMISES;
        /// How people found touchpoints when they tried them.
        evaluations of EvaluationPart or EvaluationPatch, at most MOST_EVALUATIONS;
        /// What is to become better.
        improvements of ImprovementPart or ImprovementPatch, at most MOST_IMPROVEMENTS;
    }
}

references! { Document or BlueprintDocumentPatch {
    persona => Persona, DropKey;
    secondary_personas => Persona, DropKey;
    owner_department => Department, Report;
}}

impl DocumentFormat for BlueprintDocumentPatch {
    const FORMAT: &'static str = FORMAT;

    fn format(&self) -> &str {
        &self.format
    }
}
