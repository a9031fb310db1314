//! The document of a whole organisation, version 1: what it may say. It holds no passwords and no history.

use chrono::NaiveDate;
use entity::words::{
    Aggregation, Basis, BlueprintState, BlueprintStatus, Cadence, DepartmentKind, DepartmentRole,
    Direction, End, Initiator, KpiScope, KpiType, Lane, Medium, OrganisationRole,
    ResponsibilityStatus, Role, Sensitivity, Stage, Subject, TransitionKind, Unit, Usage,
    Visibility,
};
use serde::Deserialize;

/// The format that this program reads.
pub const FORMAT: &str = "cx-blueprint/organisation@1";

macro_rules! document {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            pub struct $name {
                $($(#[$attribute])* pub $field: $type,)*
            }
        )*
    };
}

document! {
    /// Everything. Order in the document is position and order of creation.
    Organisation {
        format: String,
        departments: Vec<Department>,
        #[serde(default)]
        accounts: Vec<Account>,
        #[serde(default)]
        channels: Vec<Channel>,
        #[serde(default)]
        segments: Vec<Segment>,
        #[serde(default)]
        personas: Vec<Persona>,
        #[serde(default)]
        blueprints: Vec<Blueprint>,
        #[serde(default)]
        kpis: Vec<Kpi>,
        #[serde(default)]
        proposals: Vec<Proposal>,
    }

    /// A department; its parent by key.
    Department {
        key: String,
        name: String,
        kind: DepartmentKind,
        parent: Option<String>,
    }

    /// An account with its memberships.
    Account {
        key: String,
        name: String,
        role: OrganisationRole,
        #[serde(default)]
        service: bool,
        #[serde(default)]
        memberships: Vec<Membership>,
    }

    /// A role in a department.
    Membership {
        department: String,
        role: DepartmentRole,
    }

    /// A channel.
    Channel {
        key: String,
        name: String,
        medium: Medium,
    }

    /// A segment.
    Segment {
        key: String,
        dimension: String,
        value: String,
    }

    /// A persona; its segments by key.
    Persona {
        key: String,
        name: String,
        subject: Subject,
        #[serde(default)]
        context: Vec<String>,
        max_contacts_per_month: Option<i32>,
        #[serde(default)]
        needs: Vec<String>,
        #[serde(default)]
        segments: Vec<String>,
    }

    /// A blueprint with all that is in it.
    Blueprint {
        key: String,
        title: String,
        subject: Subject,
        state: BlueprintState,
        status: BlueprintStatus,
        visibility: Visibility,
        persona: String,
        owner_department: String,
        next_review_on: Option<NaiveDate>,
        phases: Vec<Phase>,
        #[serde(default)]
        touchpoints: Vec<Touchpoint>,
        #[serde(default)]
        transitions: Vec<Transition>,
    }

    /// A phase.
    Phase {
        key: String,
        name: String,
        stage: Stage,
        customer_goal: Option<String>,
    }

    /// A touchpoint; its phase, channels and audience by key.
    Touchpoint {
        key: String,
        phase: String,
        name: String,
        lane: Lane,
        #[serde(default)]
        channels: Vec<String>,
        #[serde(default)]
        audience: Vec<String>,
        customer_action: Option<String>,
        initiator: Option<Initiator>,
        contacts_per_month: Option<f64>,
        emotion: Option<i32>,
        employee_emotion: Option<i32>,
        importance_customer: Option<i32>,
        importance_organisation: Option<i32>,
        usage: Usage,
        usage_reason: Option<String>,
        #[serde(default)]
        moment_of_truth: bool,
        #[serde(default)]
        essential: bool,
        expected_minutes: Option<i32>,
        basis: Basis,
        note: Option<String>,
        #[serde(default)]
        responsibilities: Vec<Responsibility>,
    }

    /// A role that a department holds, since ever.
    Responsibility {
        department: String,
        role: Role,
        #[serde(default)]
        tasks: Vec<String>,
    }

    /// A transition; its touchpoints by key.
    Transition {
        kind: TransitionKind,
        from: Option<String>,
        to: Option<String>,
        end: Option<End>,
        condition: Option<String>,
        basis: Basis,
    }

    /// A KPI with its targets, links and measurements.
    Kpi {
        key: String,
        name: String,
        description: Option<String>,
        r#type: KpiType,
        unit: Unit,
        currency: Option<String>,
        decimals: i32,
        direction: Direction,
        aggregation: Aggregation,
        cadence: Cadence,
        owner_department: String,
        sensitivity: Sensitivity,
        scope: KpiScope,
        #[serde(default)]
        targets: Vec<Target>,
        #[serde(default)]
        links: Vec<Place>,
        #[serde(default)]
        measurements: Vec<Measurement>,
    }

    /// A target from a day on.
    Target {
        valid_from: NaiveDate,
        value: Option<f64>,
        warning: Option<f64>,
    }

    /// A touchpoint, a phase or a whole blueprint, by keys.
    Place {
        blueprint: String,
        phase: Option<String>,
        touchpoint: Option<String>,
    }

    /// A value of a day.
    Measurement {
        measured_on: NaiveDate,
        value: f64,
        numerator: Option<f64>,
        denominator: Option<f64>,
        sample_size: Option<i32>,
        source: Option<String>,
    }

    /// A proposal, open or declined.
    Proposal {
        blueprint: String,
        touchpoint: String,
        role: Role,
        department: String,
        proposed_by_department: Option<String>,
        status: ResponsibilityStatus,
    }
}
