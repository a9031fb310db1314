//! The document of one blueprint, version 1: everything that people say in it, by keys and natural keys. Ids,
//! versions, values of KPIs and the history of responsibilities are not in it.

use chrono::NaiveDate;
use entity::words::{
    Basis, BlueprintState, End, ImprovementState, Initiator, InsightKind, Lane, Messages,
    PromiseState, ResponsibilityStatus, Role, ScenarioKind, SourceKind, Stage, Subject,
    TransitionKind, Usage, Verdict, Visibility,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bounds::{Listed, day, day_or_none, few, few_objects, perhaps_day, steps},
    diff::{self, Change},
    merge::{self, Places},
    part::{Identity, Part, Perhaps, Said, Telling, camel},
    read::Kind,
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
pub const MOST_TIES: u64 = 40 * MOST_TOUCHPOINTS;

parts! {
    /// A column group, in order.
    Phase or SaidPhase, "phase", ordered: true, repeats: false,
    told by {
        /// Its key, unique in the blueprint.
        key: String,
    }
    says {
        /// Its name.
        name: String,
        /// Where it stands relative to what the customer came for.
        stage: Stage,
        /// What the customer wants to reach in it.
        customer_goal: Option<String> = None,
        /// What to ask there.
        prompt: Option<String> = None,
    }

    /// A step, in order within its phase.
    Touchpoint or SaidTouchpoint, "touchpoint", ordered: true, repeats: false,
    told by {
        /// Its key, unique in the blueprint.
        key: String,
    }
    says {
        /// The key of its phase.
        phase: String,
        /// Its name.
        name: String,
        /// Who acts in it.
        lane: Lane,
        /// What the customer does.
        customer_action: Option<String> = None,
        /// The keys of its channels, in order.
        #[serde(deserialize_with = "few")]
        channels: Vec<String> = Vec::new(),
        /// The keys of the segments that it is for, in order; none means everybody.
        #[serde(deserialize_with = "few")]
        audience: Vec<String> = Vec::new(),
        /// Who starts it.
        initiator: Option<Initiator> = None,
        /// How often a month a persona is contacted here.
        contacts_per_month: Option<f64> = None,
        /// What the customer feels, from −2 to 2.
        emotion: Option<i32> = None,
        /// What the employee feels, from −2 to 2.
        employee_emotion: Option<i32> = None,
        /// How much it matters to the customer, from 1 to 5.
        importance_customer: Option<i32> = None,
        /// How much it matters to the organisation, from 1 to 5.
        importance_organisation: Option<i32> = None,
        /// Whether it is used.
        usage: Usage = Usage::Unknown,
        /// Why it is not used.
        usage_reason: Option<String> = None,
        /// Whether the customer decides here to stay or to leave.
        moment_of_truth: bool = false,
        /// Whether it belongs to the smallest useful map.
        essential: bool = false,
        /// How many minutes it should take.
        expected_minutes: Option<i32> = None,
        /// How it is known.
        basis: Basis = Basis::Assumed,
        /// What the customer holds or sees.
        #[serde(deserialize_with = "few_objects")]
        evidence: Vec<Evidence> = Vec::new(),
        /// The systems that it runs on.
        #[serde(deserialize_with = "few")]
        systems: Vec<String> = Vec::new(),
        /// A note.
        note: Option<String> = None,
    }

    /// A way from one touchpoint to another, or from or to an end of the graph.
    Transition or SaidTransition, "transition", ordered: false, repeats: false,
    told by {
        /// The key of the touchpoint that it leads from; null where it leads from an end.
        #[serde(default)]
        from: Option<String>,
        /// The key of the touchpoint that it leads to; null where it leads to an end.
        #[serde(default)]
        to: Option<String>,
        /// The end of the graph, where one side is null.
        #[serde(default)]
        end: Option<End>,
        /// What kind of way it is.
        kind: TransitionKind,
    }
    says {
        /// When it is taken.
        condition: Option<String> = None,
        /// The longest acceptable wait, in minutes.
        max_wait_minutes: Option<i32> = None,
        /// How it is known.
        basis: Basis = Basis::Assumed,
    }

    /// A role of a department at a touchpoint.
    Responsibility or SaidResponsibility, "responsibility", ordered: false, repeats: false,
    told by {
        /// The key of the touchpoint.
        touchpoint: String,
        /// The key of the department.
        department: String,
        /// Which role.
        role: Role,
    }
    says {
        /// PROPOSED or ACCEPTED; absent keeps what is there, and a new one is PROPOSED. What is ACCEPTED is in force at
        /// once from a CX manager without a seat at or above the department, and is listed for its leads until they
        /// confirm or end it; from others it arrives as a proposal.
        status: ResponsibilityStatus = ResponsibilityStatus::Proposed,
        /// What the department does.
        #[serde(deserialize_with = "few")]
        tasks: Vec<String> = Vec::new(),
        /// The key of the person who does it.
        person: Option<String> = None,
    }

    /// A KPI that judges a touchpoint, a phase, or with neither the whole blueprint.
    KpiLink or SaidKpiLink, "KPI link", ordered: false, repeats: false,
    told by {
        /// The key of the touchpoint.
        #[serde(default)]
        touchpoint: Option<String>,
        /// The key of the phase.
        #[serde(default)]
        phase: Option<String>,
        /// The key of the KPI.
        kpi: String,
        /// The first day on which it judges; null for since ever.
        #[serde(default, deserialize_with = "day_or_none")]
        valid_from: Option<NaiveDate>,
    }
    says {
        /// The first day on which it no longer does; null for until further notice.
        #[serde(deserialize_with = "perhaps_day")]
        valid_to: Option<NaiveDate> = None,
        /// How much it counts beside others, for display only.
        weight: Option<f64> = None,
    }

    /// A named way through the journey.
    Scenario or SaidScenario, "scenario", ordered: false, repeats: false,
    told by {
        /// Its name, unique in the blueprint.
        name: String,
    }
    says {
        /// What kind of way it is.
        kind: ScenarioKind,
        /// A note.
        note: Option<String> = None,
        /// The keys of its touchpoints, in order.
        #[serde(deserialize_with = "steps")]
        touchpoints: Vec<String> = Vec::new(),
    }

    /// Where something is known from.
    Source or SaidSource, "source", ordered: false, repeats: false,
    told by {
        /// Its title, unique in the blueprint.
        title: String,
    }
    says {
        /// What kind of source it is.
        kind: SourceKind,
        /// The day on which it was taken.
        #[serde(deserialize_with = "perhaps_day")]
        held_on: Option<NaiveDate> = None,
        /// How many took part.
        sample_size: Option<i32> = None,
        /// Where to find it: an http or https address.
        link: Option<String> = None,
        /// A note.
        note: Option<String> = None,
    }

    /// What is known at a touchpoint, of a phase, or with neither of the whole.
    Insight or SaidInsight, "insight", ordered: false, repeats: false,
    told by {
        /// Its key, unique in the blueprint.
        key: String,
    }
    says {
        /// The key of the touchpoint.
        touchpoint: Option<String> = None,
        /// The key of the phase.
        phase: Option<String> = None,
        /// What kind of knowledge it is.
        kind: InsightKind,
        /// What is known.
        text: String,
        /// Whether the text is what somebody said, word for word.
        quote: bool = false,
        /// The key of the persona that it is known of; null for all.
        persona: Option<String> = None,
        /// How it is known; OBSERVED only with a source.
        basis: Basis = Basis::Assumed,
        /// The titles of the sources that it rests on, in order.
        #[serde(deserialize_with = "few")]
        sources: Vec<String> = Vec::new(),
        /// Of a QUESTION: why, and why that.
        #[serde(deserialize_with = "few")]
        whys: Vec<String> = Vec::new(),
        /// Of an INFORMATION_NEED: what answers it.
        answer: Option<String> = None,
        /// Of a QUESTION: the key of the insight that answers it.
        answered_by: Option<String> = None,
    }

    /// What customers are promised.
    Promise or SaidPromise, "promise", ordered: false, repeats: false,
    told by {
        /// Its key, unique in the blueprint.
        key: String,
    }
    says {
        /// The key of the touchpoint where it is made; fixed.
        touchpoint: String,
        /// What is promised.
        text: String,
        /// Whether it is kept.
        state: PromiseState = PromiseState::Unknown,
        /// The keys of the touchpoints that deliver it, in order.
        #[serde(deserialize_with = "few")]
        delivered_at: Vec<String> = Vec::new(),
    }

    /// A trial of a touchpoint against the persona's needs.
    Evaluation or SaidEvaluation, "evaluation", ordered: false, repeats: true,
    told by {
        /// The key of the touchpoint.
        touchpoint: String,
        /// The day of the trial.
        #[serde(deserialize_with = "day")]
        held_on: NaiveDate,
        /// The key of the account of who tried it.
        #[serde(default)]
        by_account: Option<String>,
        /// The name of who tried it, where they have no account.
        #[serde(default)]
        by_name: Option<String>,
    }
    says {
        /// Whether its messages fit with those elsewhere; null where nobody looked.
        messages: Option<Messages> = None,
        /// Of CONFLICTING messages: the key of the touchpoint that says something else.
        conflicts_with: Option<String> = None,
        /// Of CONFLICTING messages: what is in conflict.
        conflict: Option<String> = None,
        /// What was found, need by need.
        #[serde(deserialize_with = "few_objects")]
        verdicts: Vec<NeedVerdict> = Vec::new(),
        /// A note.
        note: Option<String> = None,
    }

    /// What is to become better, or has.
    Improvement or SaidImprovement, "improvement", ordered: false, repeats: false,
    told by {
        /// Its key, unique in the blueprint.
        key: String,
    }
    says {
        /// Its title.
        title: String,
        /// What is to be done.
        description: Option<String> = None,
        /// The key of the department that takes care of it.
        owner_department: String,
        /// How much it helps, from 1 to 5.
        impact: Option<i32> = None,
        /// How much it takes, from 1 to 5.
        effort: Option<i32> = None,
        /// Where it stands.
        state: ImprovementState = ImprovementState::Proposed,
        /// What came of it; said once it is DONE or DROPPED.
        result: Option<String> = None,
        /// The day on which it should be done.
        #[serde(deserialize_with = "perhaps_day")]
        target_on: Option<NaiveDate> = None,
        /// The keys of the touchpoints that it is about, in order.
        #[serde(deserialize_with = "few")]
        touchpoints: Vec<String> = Vec::new(),
        /// The keys of the KPIs that tell whether it works, in order.
        #[serde(deserialize_with = "few")]
        kpis: Vec<String> = Vec::new(),
    }
}

document! {
    says {
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
        #[serde(deserialize_with = "few")]
        secondary_personas: Vec<String> = Vec::new(),
        /// The key of the department that owns it.
        owner_department: String,
        /// When it should be looked at again.
        #[serde(deserialize_with = "perhaps_day")]
        next_review_on: Option<NaiveDate> = None,
    }
    lists {
        /// The phases, in order.
        phases of Phase or SaidPhase, at most MOST_PHASES;
        /// The touchpoints, in order.
        touchpoints of Touchpoint or SaidTouchpoint, at most MOST_TOUCHPOINTS;
        /// The transitions.
        transitions of Transition or SaidTransition, at most MOST_TRANSITIONS;
        /// Who answers for what, and who is asked to.
        responsibilities of Responsibility or SaidResponsibility, at most MOST_TIES;
        /// What is judged by which KPI.
        kpi_links of KpiLink or SaidKpiLink, at most MOST_TIES;
        /// The named ways through.
        scenarios of Scenario or SaidScenario, at most MOST_SCENARIOS;
        /// Where things are known from.
        sources of Source or SaidSource, at most MOST_SOURCES;
        /// What is known.
        insights of Insight or SaidInsight, at most MOST_INSIGHTS;
        /// What customers are promised.
        promises of Promise or SaidPromise, at most MOST_PROMISES;
        /// How people found touchpoints when they tried them.
        evaluations of Evaluation or SaidEvaluation, at most MOST_EVALUATIONS;
        /// What is to become better.
        improvements of Improvement or SaidImprovement, at most MOST_IMPROVEMENTS;
    }
}

impl Kind for SaidDocument {
    const FORMAT: &'static str = FORMAT;

    fn format(&self) -> &str {
        &self.format
    }
}

/// How a touchpoint meets a need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "verdict")]
pub struct NeedVerdict {
    /// The need of the persona, in its own words.
    pub need: String,
    /// Whether it is met.
    pub verdict: Verdict,
}

/// Something that the customer holds or sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "evidence")]
pub struct Evidence {
    /// What it is.
    pub label: String,
    /// Where to find it: an http or https address.
    #[serde(default)]
    pub link: Option<String>,
}
