//! Every mutation by everybody: done, refused, or nothing there. A mutation that is not listed here fails the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use cx_blueprint::graph;
use entity::{
    account, blueprint, channel, department, follow_up, kpi, kpi_grant, kpi_link, kpi_target,
    measurement, membership, persona, phase, publication, responsibility, segment, session,
    template, touchpoint, transition,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{golden, world::World};

#[rustfmt::skip]
pub const ACTORS: &[&str] = &[
    "stranger", "viewer", "contributor", "lead", "neighbour", "chair", "partner", "analyst", "auditor", "cx-manager", "admin",
];

/// A mutation with an input in which `@kind key` stands for an id, and what has to be done before it.
pub struct Case {
    pub mutation: &'static str,
    about: &'static str,
    pub input: Value,
    pub before: Vec<(&'static str, &'static str, Value)>,
}

fn case(mutation: &'static str, about: &'static str, input: Value) -> Case {
    Case {
        mutation,
        about,
        input,
        before: Vec::new(),
    }
}

impl Case {
    /// What a line of the table begins with.
    pub fn name(&self) -> String {
        format!("{} {}", self.mutation, self.about)
            .trim_end()
            .to_owned()
    }

    fn after(mut self, actor: &'static str, mutation: &'static str, input: Value) -> Self {
        self.before.push((actor, mutation, input));
        self
    }
}

fn at(id: &str, version: i32) -> Value {
    json!({ "id": id, "expectedVersion": version })
}

/// A source whose id is known beforehand.
fn calls() -> Value {
    json!({ "id": "@source calls", "blueprintId": "@blueprint open", "title": "Calls", "kind": "CALL_LISTENING" })
}

/// An insight whose id is known beforehand.
fn pain() -> Value {
    json!({ "id": "@insight pain", "touchpointId": "@touchpoint T2", "kind": "PAIN", "text": "It hurts" })
}

/// A promise whose id is known beforehand.
fn on_time() -> Value {
    json!({ "id": "@promise on-time", "touchpointId": "@touchpoint T2", "text": "On time" })
}

/// An evaluation whose id is known beforehand.
fn tried() -> Value {
    json!({ "id": "@evaluation tried", "touchpointId": "@touchpoint T2", "heldOn": "2025-03-01", "byName": "A shopper" })
}

/// An improvement of sales whose id is known beforehand.
fn faster() -> Value {
    json!({ "id": "@improvement faster", "blueprintId": "@blueprint open", "title": "Faster", "ownerDepartmentId": "@department sales" })
}

/// An answer of a customer at T2, where sales is accountable.
fn answered() -> Value {
    json!({ "feedback": [{ "scale": "NPS", "score": 3, "touchpointId": "@touchpoint T2", "answeredOn": "2025-03-04", "respondent": "customer-17" }] })
}

/// A scenario whose id is known beforehand.
fn usual() -> Value {
    json!({ "id": "@scenario usual", "blueprintId": "@blueprint open", "name": "As usual", "kind": "HAPPY", "touchpointIds": ["@touchpoint T1"] })
}

/// A blueprint of sales that begins with the six phases.
fn from_six() -> Value {
    json!({ "template": { "id": "@template six-phases" }, "title": "New", "personaId": "@persona buyer", "ownerDepartmentId": "@department sales" })
}

fn with(mut input: Value, more: Value) -> Value {
    let Value::Object(more) = more else {
        panic!("an object")
    };
    more.into_iter()
        .for_each(|(key, value)| input[key.as_str()] = value);
    input
}

#[rustfmt::skip]
pub fn cases() -> Vec<Case> {
    let account = |name: &str| json!({ "name": name, "password": "a long enough one" });
    let offer = |touchpoint: &str, department: &str, role: &str| json!({ "touchpointId": touchpoint, "departmentId": department, "role": role });
    vec![
        case("accountCreate", "anybody", account("New")),
        case("accountUpdate", "another's name", with(at("@account viewer", 1), json!({ "name": "Renamed" }))),
        case("accountUpdate", "another's role", with(at("@account stranger", 1), json!({ "role": "AUDITOR" }))),
        case("accountDeactivate", "another", at("@account viewer", 1)),
        case("accountReactivate", "another", at("@account robot", 2)).after("admin", "accountDeactivate", at("@account robot", 1)),
        case("accountPasswordReset", "another's", with(at("@account viewer", 1), json!({ "password": "a long enough one" }))),
        case("passwordChange", "one's own, the old one wrong", json!({ "currentPassword": "wrong", "newPassword": "a long enough one" })),
        case("sessionEnd", "another's", json!({ "id": "@session admin" })),
        case("serviceTokenCreate", "for the analyst", json!({ "accountId": "@account analyst", "name": "Report", "scopes": ["BI"] })),
        case("serviceTokenRevoke", "of the analyst", json!({ "id": "@token report" })).after("admin", "serviceTokenCreate",
            json!({ "id": "@token report", "accountId": "@account analyst", "name": "Report", "scopes": ["BI"] })),
        case("departmentCreate", "at the top", json!({ "name": "New" })),
        case("departmentUpdate", "sales", with(at("@department sales", 1), json!({ "name": "Renamed" }))),
        case("departmentMove", "sales-north to service", with(at("@department sales-north", 1), json!({ "parentId": "@department service" }))),
        case("departmentArchive", "finance to service", with(at("@department finance", 1), json!({ "successorId": "@department service" }))),
        case("departmentMerge", "service and finance to sales", json!({ "departments": [at("@department service", 1), at("@department finance", 1)], "successorId": "@department sales" })),
        case("departmentUnarchive", "finance", at("@department finance", 2))
            .after("admin", "departmentArchive", with(at("@department finance", 1), json!({ "successorId": "@department service" }))),
        case("membershipGrant", "a viewer of sales", json!({ "accountId": "@account stranger", "departmentId": "@department sales", "role": "VIEWER" })),
        case("membershipGrant", "a lead of sales", json!({ "accountId": "@account stranger", "departmentId": "@department sales", "role": "LEAD" })),
        case("membershipRevoke", "the viewer of sales", json!({ "id": "@membership viewer" })),
        case("personaCreate", "", json!({ "name": "New" })),
        case("personaUpdate", "buyer", with(at("@persona buyer", 1), json!({ "name": "Renamed" }))),
        case("personaArchive", "colleague", at("@persona colleague", 1)),
        case("personaUnarchive", "colleague", at("@persona colleague", 2)).after("cx-manager", "personaArchive", at("@persona colleague", 1)),
        case("segmentCreate", "", json!({ "dimension": "MARKET", "value": "B2B" })),
        case("segmentUpdate", "young", with(at("@segment young", 1), json!({ "value": "OLD" }))),
        case("segmentDelete", "young, in use", at("@segment young", 1)),
        case("channelCreate", "", json!({ "name": "Pigeon", "medium": "OTHER" })),
        case("channelUpdate", "PHONE", with(at("@channel PHONE", 1), json!({ "name": "Telephone" }))),
        case("channelDelete", "PHONE, in use", at("@channel PHONE", 1)),
        case("templateCreate", "", json!({ "name": "New", "subjects": ["CUSTOMER"], "phases": [{ "name": "First", "stage": "GOAL", "prompt": "What now?" }] })),
        case("templateUpdate", "six-phases", with(at("@template six-phases", 1), json!({ "name": "Renamed" }))),
        case("templateDelete", "six-phases", at("@template six-phases", 1)),
        case("templateDelete", "six-phases, in use", at("@template six-phases", 1)).after("cx-manager", "blueprintFromTemplate", from_six()),
        case("blueprintFromTemplate", "for sales", from_six()),
        case("blueprintFromTemplate", "for service", with(from_six(), json!({ "ownerDepartmentId": "@department service" }))),
        case("blueprintCreate", "for sales", json!({ "title": "New", "personaId": "@persona buyer", "ownerDepartmentId": "@department sales" })),
        case("blueprintUpdate", "open, of sales", with(at("@blueprint open", 1), json!({ "title": "Renamed" }))),
        case("blueprintUpdate", "closed, of service", with(at("@blueprint closed", 1), json!({ "title": "Renamed" }))),
        case("blueprintUpdate", "draft, of sales", with(at("@blueprint draft", 1), json!({ "title": "Renamed" }))),
        case("blueprintOwnerChange", "open to service", with(at("@blueprint open", 1), json!({ "ownerDepartmentId": "@department service" }))),
        case("blueprintSubmit", "draft, of sales", at("@blueprint draft", 1)),
        case("blueprintSendBack", "draft, in review", at("@blueprint draft", 2)).after("lead", "blueprintSubmit", at("@blueprint draft", 1)),
        case("blueprintPublish", "draft, of sales", at("@blueprint draft", 1))
            .after("cx-manager", "findingDismiss", json!({ "blueprintId": "@blueprint draft", "fingerprint": "@finding draft NOBODY_RESPONSIBLE", "reason": "known" })),
        case("blueprintRestore", "open, of sales", with(at("@blueprint open", 1), json!({ "publicationId": "@publication open" }))),
        case("blueprintRestore", "closed, of service", with(at("@blueprint closed", 1), json!({ "publicationId": "@publication closed" }))),
        case("blueprintCopy", "open, of sales", json!({ "blueprintId": "@blueprint open", "title": "Some day" })),
        case("blueprintCopy", "closed, of service", json!({ "blueprintId": "@blueprint closed", "title": "Some day" })),
        case("blueprintImport", "open, of sales", json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "open", "title": "Renamed" } })),
        case("blueprintImport", "closed, of service", json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "closed", "title": "Renamed" } })),
        case("blueprintImport", "new, of sales", json!({ "document": {
            "format": "cx-blueprint/blueprint@1", "key": "new", "title": "New", "persona": "buyer", "ownerDepartment": "sales" } })),
        case("blueprintSheetImport", "open, of sales", json!({ "blueprint": { "key": "open" }, "csv": "key,note\nT1,new\n" })),
        case("blueprintSheetImport", "closed, of service", json!({ "blueprint": { "key": "closed" }, "csv": "key,note\nC1,new\n" })),
        case("blueprintArchive", "open, of sales", at("@blueprint open", 1)),
        case("blueprintUnarchive", "open, of sales", at("@blueprint open", 2)).after("cx-manager", "blueprintArchive", at("@blueprint open", 1)),
        case("blueprintDelete", "draft, of sales", at("@blueprint draft", 1)),
        case("phaseCreate", "in open", json!({ "blueprintId": "@blueprint open", "name": "New", "stage": "AFTER" })),
        case("phaseUpdate", "in open", with(at("@phase before", 1), json!({ "name": "Renamed" }))),
        case("phaseMove", "in open", with(at("@phase before", 1), json!({ "afterId": "@phase after" }))),
        case("phaseArchive", "in open, not empty", at("@phase before", 1)),
        case("phaseUnarchive", "in open, not archived", at("@phase before", 1)),
        case("touchpointCreate", "in open", json!({ "phaseId": "@phase goal", "name": "New", "lane": "SUPPORT" })),
        case("touchpointUpdate", "T2, by sales", with(at("@touchpoint T2", 1), json!({ "note": "new" }))),
        case("touchpointUpdate", "T3, by service", with(at("@touchpoint T3", 1), json!({ "note": "new" }))),
        case("touchpointUpdate", "C1, closed", with(at("@touchpoint C1", 1), json!({ "note": "new" }))),
        case("touchpointRename", "T2, by sales", with(at("@touchpoint T2", 1), json!({ "name": "Renamed" }))),
        case("touchpointLaneChange", "T2, by sales", with(at("@touchpoint T2", 1), json!({ "lane": "SUPPORT" }))),
        case("touchpointsUpdate", "text of T2", json!({ "touchpoints": [with(at("@touchpoint T2", 1), json!({ "note": "new" }))] })),
        case("touchpointsUpdate", "text of T2 and T3", json!({ "touchpoints": [
            with(at("@touchpoint T2", 1), json!({ "note": "new" })), with(at("@touchpoint T3", 1), json!({ "note": "new" }))] })),
        case("touchpointsUpdate", "text and lane of T2", json!({ "touchpoints": [with(at("@touchpoint T2", 1), json!({ "note": "new", "lane": "BACKSTAGE" }))] })),
        case("touchpointsUpdate", "C1, closed", json!({ "touchpoints": [with(at("@touchpoint C1", 1), json!({ "note": "new" }))] })),
        case("touchpointMove", "T2, by sales", with(at("@touchpoint T2", 1), json!({ "phaseId": "@phase after" }))),
        case("touchpointArchive", "T2, by sales", at("@touchpoint T2", 1)),
        case("touchpointUnarchive", "T2, by sales", at("@touchpoint T2", 2)).after("cx-manager", "touchpointArchive", at("@touchpoint T2", 1)),
        case("transitionCreate", "in open", json!({ "blueprintId": "@blueprint open", "kind": "SKIP", "fromId": "@touchpoint T1", "toId": "@touchpoint T5" })),
        case("transitionUpdate", "in open", with(at("@transition LOOP", 1), json!({ "condition": "if late" }))),
        case("transitionDelete", "in open", at("@transition LOOP", 1)),
        case("scenarioCreate", "in open", json!({ "blueprintId": "@blueprint open", "name": "New", "kind": "HAPPY", "touchpointIds": ["@touchpoint T1", "@touchpoint T2"] })),
        case("scenarioUpdate", "in open", with(at("@scenario usual", 1), json!({ "name": "Renamed" })))
            .after("cx-manager", "scenarioCreate", usual()),
        case("scenarioDelete", "in open", at("@scenario usual", 1)).after("cx-manager", "scenarioCreate", usual()),
        case("sourceCreate", "in open", json!({ "blueprintId": "@blueprint open", "title": "New", "kind": "SURVEY" })),
        case("sourceUpdate", "in open", with(at("@source calls", 1), json!({ "title": "Renamed" }))).after("cx-manager", "sourceCreate", calls()),
        case("sourceDelete", "in open", at("@source calls", 1)).after("cx-manager", "sourceCreate", calls()),
        case("insightCreate", "at T2, by sales", json!({ "touchpointId": "@touchpoint T2", "kind": "PAIN", "text": "new" })),
        case("insightCreate", "at T3, by service", json!({ "touchpointId": "@touchpoint T3", "kind": "PAIN", "text": "new" })),
        case("insightCreate", "of open", json!({ "blueprintId": "@blueprint open", "kind": "PAIN", "text": "new" })),
        case("insightCreate", "at C1, closed", json!({ "touchpointId": "@touchpoint C1", "kind": "PAIN", "text": "new" })),
        case("insightUpdate", "at T2, by sales", with(at("@insight pain", 1), json!({ "text": "changed" }))).after("cx-manager", "insightCreate", pain()),
        case("insightDelete", "at T2, by sales", at("@insight pain", 1)).after("cx-manager", "insightCreate", pain()),
        case("promiseCreate", "at T2, by sales", json!({ "touchpointId": "@touchpoint T2", "text": "new", "deliveredAtIds": ["@touchpoint T3"] })),
        case("promiseCreate", "at C1, closed", json!({ "touchpointId": "@touchpoint C1", "text": "new" })),
        case("promiseUpdate", "at T2, by sales", with(at("@promise on-time", 1), json!({ "state": "KEPT" }))).after("cx-manager", "promiseCreate", on_time()),
        case("promiseDelete", "at T2, by sales", at("@promise on-time", 1)).after("cx-manager", "promiseCreate", on_time()),
        case("evaluationCreate", "at T2, by sales", json!({ "touchpointId": "@touchpoint T2", "heldOn": "2025-03-01", "byAccountId": "@account lead",
            "messages": "CONFLICTING", "conflictsWithId": "@touchpoint T3", "conflict": "another price" })),
        case("evaluationCreate", "at C1, closed", json!({ "touchpointId": "@touchpoint C1", "heldOn": "2025-03-01", "byName": "A shopper" })),
        case("evaluationUpdate", "at T2, by sales", with(at("@evaluation tried", 1), json!({ "note": "new" }))).after("cx-manager", "evaluationCreate", tried()),
        case("evaluationDelete", "at T2, by sales", at("@evaluation tried", 1)).after("cx-manager", "evaluationCreate", tried()),
        case("improvementCreate", "of sales", json!({ "blueprintId": "@blueprint open", "title": "New", "ownerDepartmentId": "@department sales",
            "touchpointIds": ["@touchpoint T3"], "kpiIds": ["@kpi PRICE"] })),
        case("improvementCreate", "of service in closed", json!({ "blueprintId": "@blueprint closed", "title": "New", "ownerDepartmentId": "@department service" })),
        case("improvementUpdate", "of sales", with(at("@improvement faster", 1), json!({ "state": "PLANNED" }))).after("cx-manager", "improvementCreate", faster()),
        case("improvementUpdate", "of sales to service", with(at("@improvement faster", 1), json!({ "ownerDepartmentId": "@department service" })))
            .after("cx-manager", "improvementCreate", faster()),
        case("improvementDelete", "of sales", at("@improvement faster", 1)).after("cx-manager", "improvementCreate", faster()),
        case("feedbackRecord", "at T2, by sales", answered()),
        case("feedbackRecord", "at T3, by service", json!({ "feedback": [{ "scale": "CES", "score": 3, "touchpointId": "@touchpoint T3", "answeredOn": "2025-03-04" }] })),
        case("feedbackRecord", "at C1, closed", json!({ "feedback": [{ "scale": "CES", "score": 3, "touchpointId": "@touchpoint C1", "answeredOn": "2025-03-04" }] })),
        case("feedbackRecord", "on the relationship", json!({ "feedback": [{ "scale": "NPS", "score": 3, "answeredOn": "2025-03-04" }] })),
        case("followUpUpdate", "at T2, of sales", with(at("@follow-up", 1), json!({ "state": "CONTACTED" }))).after("cx-manager", "feedbackRecord", answered()),
        case("followUpAssign", "at T2, of sales", with(at("@follow-up", 1), json!({ "assigneeId": "@account contributor" }))).after("cx-manager", "feedbackRecord", answered()),
        case("followUpsHandOver", "at T2, of sales", json!({ "followUps": [at("@follow-up", 1)], "departmentId": "@department service" }))
            .after("cx-manager", "feedbackRecord", answered()),
        case("routingRuleSet", "", json!({ "cause": "PRICE", "departmentId": "@department sales" })),
        case("routingRuleDelete", "", at("@rule price", 1))
            .after("cx-manager", "routingRuleSet", json!({ "id": "@rule price", "cause": "PRICE", "departmentId": "@department sales" })),
        case("playbookSet", "", json!({ "group": "DISSATISFIED", "text": "Call", "dueDays": 1 })),
        case("respondentErase", "who answered at T2", json!({ "respondent": "customer-17" })).after("cx-manager", "feedbackRecord", answered()),
        case("findingDismiss", "a warning at T2, of sales", json!({ "blueprintId": "@blueprint open", "fingerprint": "@finding open IMPORTANT_AND_NEGATIVE", "reason": "known" })),
        case("findingDismiss", "an error at T5, of sales", json!({ "blueprintId": "@blueprint open", "fingerprint": "@finding open NOBODY_ACCOUNTABLE", "reason": "known" })),
        case("findingReopen", "a warning at T2, of sales", json!({ "blueprintId": "@blueprint open", "fingerprint": "@finding open IMPORTANT_AND_NEGATIVE" }))
            .after("lead", "findingDismiss", json!({ "blueprintId": "@blueprint open", "fingerprint": "@finding open IMPORTANT_AND_NEGATIVE", "reason": "known" })),
        case("responsibilityPropose", "T2 to service", offer("@touchpoint T2", "@department service", "INFORMED")),
        case("responsibilityPropose", "C1, closed", offer("@touchpoint C1", "@department service", "INFORMED")),
        case("responsibilitiesPropose", "T2 to service, twice", json!({ "proposals": [
            offer("@touchpoint T2", "@department service", "INFORMED"), offer("@touchpoint T2", "@department service", "CONSULTED")] })),
        case("responsibilitiesPropose", "T2 and C1, closed", json!({ "proposals": [
            offer("@touchpoint T2", "@department service", "INFORMED"), offer("@touchpoint C1", "@department service", "INFORMED")] })),
        case("responsibilitiesAccept", "service to sales", json!({ "proposals": [at("@proposal sales", 1)] })),
        case("responsibilityAccept", "service to sales", at("@proposal sales", 1)),
        case("responsibilityDecline", "service to sales", at("@proposal sales", 1)),
        case("responsibilityWithdraw", "service to sales", at("@proposal sales", 1)),
        case("responsibilityEnd", "sales RESPONSIBLE for T2", at("@held T2 sales RESPONSIBLE", 1)),
        case("responsibilityEnd", "sales ACCOUNTABLE for T2", at("@held T2 sales ACCOUNTABLE", 1)),
        case("responsibilityConfirm", "sales INFORMED at T1, given unasked", at("@unasked", 1)).after("cx-manager", "blueprintImport",
            json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "open",
                "responsibilities": [{ "touchpoint": "T1", "department": "sales", "role": "INFORMED", "status": "ACCEPTED" }] } })),
        case("responsibilityUpdate", "sales RESPONSIBLE for T2", with(at("@held T2 sales RESPONSIBLE", 1), json!({ "tasks": ["new"] }))),
        case("kpiCreate", "of sales", json!({ "name": "New", "type": "COST", "unit": "COUNT", "direction": "LOWER", "aggregation": "SUM",
            "cadence": "MONTHLY", "ownerDepartmentId": "@department sales", "scope": "TRANSACTIONAL" })),
        case("kpiUpdate", "PRICE, of sales", with(at("@kpi PRICE", 1), json!({ "name": "Renamed" }))),
        case("kpiUpdate", "SECRET, of service", with(at("@kpi SECRET", 1), json!({ "name": "Renamed" }))),
        case("kpiOwnerChange", "PRICE to service", with(at("@kpi PRICE", 1), json!({ "ownerDepartmentId": "@department service" }))),
        case("kpiArchive", "PRICE, of sales", at("@kpi PRICE", 1)),
        case("kpiUnarchive", "PRICE, of sales", at("@kpi PRICE", 2)).after("cx-manager", "kpiArchive", at("@kpi PRICE", 1)),
        case("kpiTargetSet", "PRICE, of sales", json!({ "kpiId": "@kpi PRICE", "validFrom": "2025-06-01", "value": 1.0 })),
        case("kpiTargetSet", "SECRET, of service", json!({ "kpiId": "@kpi SECRET", "validFrom": "2025-06-01", "value": 1.0 })),
        case("kpiTargetDelete", "PRICE, of sales", at("@target PRICE", 1)),
        case("kpiTargetDelete", "SECRET, of service", at("@target SECRET", 1)),
        case("kpiLinkCreate", "PRICE to T4", json!({ "kpiId": "@kpi PRICE", "touchpointId": "@touchpoint T4" })),
        case("kpiLinkCreate", "PRICE to C1, closed", json!({ "kpiId": "@kpi PRICE", "touchpointId": "@touchpoint C1" })),
        case("kpiLinkUpdate", "PRICE at T2", with(at("@link PRICE", 1), json!({ "weight": 2.0 }))),
        case("kpiLinkDelete", "PRICE at T2", at("@link PRICE", 1)),
        case("kpiGrantCreate", "SECRET to the analyst", json!({ "kpiId": "@kpi SECRET", "accountId": "@account analyst" })),
        case("kpiGrantDelete", "SECRET from the analyst", json!({ "id": "@grant SECRET" }))
            .after("cx-manager", "kpiGrantCreate", json!({ "id": "grt_019ab0000000700080000000000000aa", "kpiId": "@kpi SECRET", "accountId": "@account analyst" })),
        case("kpiMeasurementsRecord", "PRICE, of sales", json!({ "measurements": [{ "kpiId": "@kpi PRICE", "measuredOn": "2025-04-30", "value": 1.0 }] })),
        case("kpiMeasurementsRecord", "SECRET, of service", json!({ "measurements": [{ "kpiId": "@kpi SECRET", "measuredOn": "2025-04-30", "value": 1.0 }] })),
        case("kpiMeasurementCorrect", "PRICE, of sales", json!({ "measurementId": "@measurement PRICE", "value": 9.0 })),
        case("kpiMeasurementCorrect", "SECRET, of service", json!({ "measurementId": "@measurement SECRET", "value": 9.0 })),
    ]
}

/// The id of everything in the small organisation, by what a case calls it.
pub async fn ids(world: &World) -> BTreeMap<String, String> {
    let db = world.db();
    let mut ids = BTreeMap::new();
    macro_rules! keyed {
        ($($entity:ident $kind:literal,)*) => {
            $(for row in $entity::Entity::find().all(&db).await.expect("rows") {
                ids.insert(format!("@{} {}", $kind, row.key), row.id.to_string());
            })*
        };
    }
    keyed! {
        account "account", department "department", persona "persona", segment "segment", channel "channel",
        template "template", blueprint "blueprint", phase "phase", touchpoint "touchpoint", kpi "kpi",
    }
    let names: BTreeMap<String, String> = ids
        .iter()
        .map(|(name, id)| (id.clone(), name.clone()))
        .collect();
    let key = |id: String| {
        names[&id]
            .split_once(' ')
            .expect("a kind and a key")
            .1
            .to_owned()
    };
    for row in membership::Entity::find()
        .all(&db)
        .await
        .expect("memberships")
    {
        ids.insert(
            format!("@membership {}", key(row.account_id.to_string())),
            row.id.to_string(),
        );
    }
    for row in session::Entity::find().all(&db).await.expect("sessions") {
        ids.insert(
            format!("@session {}", key(row.account_id.to_string())),
            row.id.to_string(),
        );
    }
    for row in transition::Entity::find()
        .all(&db)
        .await
        .expect("transitions")
    {
        ids.insert(
            format!("@transition {}", row.kind.as_str()),
            row.id.to_string(),
        );
    }
    for row in responsibility::Entity::find()
        .all(&db)
        .await
        .expect("responsibilities")
    {
        let (touchpoint, department) = (
            key(row.touchpoint_id.to_string()),
            key(row.department_id.to_string()),
        );
        let name = match row.status {
            entity::words::ResponsibilityStatus::Proposed => format!("@proposal {department}"),
            _ => format!("@held {touchpoint} {department} {}", row.role.as_str()),
        };
        ids.insert(name, row.id.to_string());
    }
    for row in publication::Entity::find()
        .all(&db)
        .await
        .expect("publications")
    {
        ids.insert(
            format!("@publication {}", key(row.blueprint_id.to_string())),
            row.id.to_string(),
        );
    }
    for row in kpi_target::Entity::find().all(&db).await.expect("targets") {
        ids.insert(
            format!("@target {}", key(row.kpi_id.to_string())),
            row.id.to_string(),
        );
    }
    for row in kpi_link::Entity::find().all(&db).await.expect("links") {
        ids.insert(
            format!("@link {}", key(row.kpi_id.to_string())),
            row.id.to_string(),
        );
    }
    for row in measurement::Entity::find()
        .all(&db)
        .await
        .expect("measurements")
    {
        ids.insert(
            format!("@measurement {}", key(row.kpi_id.to_string())),
            row.id.to_string(),
        );
    }
    for row in kpi_grant::Entity::find().all(&db).await.expect("grants") {
        ids.insert(
            format!("@grant {}", key(row.kpi_id.to_string())),
            row.id.to_string(),
        );
    }
    ids.insert(
        "@source calls".to_owned(),
        "src_019ab0000000700080000000000000ac".to_owned(),
    );
    ids.insert(
        "@insight pain".to_owned(),
        "ins_019ab0000000700080000000000000ad".to_owned(),
    );
    let findings = "query($key: String!) { blueprint(by: { key: $key }) {
        findings { findings { code fingerprint } } } }";
    let manager = world.sign_in("cx-manager").await;
    for blueprint in ["open", "draft"] {
        let answer = manager.ask(findings, json!({ "key": blueprint })).await;
        let found = answer["blueprint"]["findings"]["findings"].as_array();
        for finding in found.expect("findings") {
            let text = |field: &str| finding[field].as_str().expect("a text").to_owned();
            let name = format!("@finding {blueprint} {}", text("code"));
            ids.insert(name, text("fingerprint"));
        }
    }
    for (name, id) in [
        ("@token report", "tok_019ab0000000700080000000000000b1"),
        ("@follow-up", "fup_019ab0000000700080000000000000b1"),
        ("@rule price", "rou_019ab0000000700080000000000000b3"),
        ("@unasked", "rsp_019ab0000000700080000000000000b2"),
        ("@promise on-time", "prm_019ab0000000700080000000000000ae"),
        ("@evaluation tried", "evl_019ab0000000700080000000000000af"),
        (
            "@improvement faster",
            "imp_019ab0000000700080000000000000b0",
        ),
    ] {
        ids.insert(name.to_owned(), id.to_owned());
    }
    ids.insert(
        "@scenario usual".to_owned(),
        "scn_019ab0000000700080000000000000ab".to_owned(),
    );
    ids.insert(
        "@grant SECRET".to_owned(),
        "grt_019ab0000000700080000000000000aa".to_owned(),
    );
    ids
}

/// The ids of what was made before a case and no client makes: a follow-up, and what an import gives.
pub async fn follow_ups(world: &World) -> BTreeMap<String, String> {
    let rows = follow_up::Entity::find().all(&world.db()).await;
    let rows = rows.expect("follow-ups").into_iter();
    let follow_ups = rows.map(|row| ("@follow-up".to_owned(), row.id.to_string()));
    let given = responsibility::Entity::find()
        .filter(responsibility::Column::Unasked.eq(true))
        .all(&world.db())
        .await;
    let given = given.expect("responsibilities").into_iter();
    let given = given.map(|row| ("@unasked".to_owned(), row.id.to_string()));
    follow_ups.chain(given).collect()
}

pub fn filled(input: &Value, ids: &BTreeMap<String, String>) -> Value {
    match input {
        Value::String(name) if name.starts_with('@') => {
            json!(ids.get(name).unwrap_or_else(|| panic!("{name} is there")))
        }
        Value::Array(values) => values.iter().map(|value| filled(value, ids)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), filled(value, ids)))
            .collect(),
        other => other.clone(),
    }
}

/// The mutations of the schema, each with the type of its input.
pub fn mutations() -> BTreeMap<String, String> {
    let sdl = graph::schema_sdl();
    let body = sdl
        .split("\ntype Mutation {")
        .nth(1)
        .expect("mutations")
        .split("\n}")
        .next()
        .expect("an end");
    // An argument stands on a line of its own, below its description.
    let mut mutation = "";
    let mut inputs = BTreeMap::new();
    for line in body.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix('(') {
            mutation = name;
        } else if let Some(input) = line.strip_prefix("input: ") {
            inputs.insert(mutation.to_owned(), input.to_owned());
        }
    }
    inputs
}

pub async fn outcome(
    world: &World,
    actor: &str,
    mutation: &str,
    input_type: &str,
    input: Value,
) -> String {
    let document = format!(
        "mutation($input: {input_type}) {{ {mutation}(input: $input) {{ userErrors {{ code reason message }} }} }}"
    );
    let answer = world
        .sign_in(actor)
        .await
        .send(&document, json!({ "input": input }))
        .await;
    assert!(
        answer.get("errors").is_none(),
        "{actor} {mutation}: {answer}"
    );
    let errors = answer["data"][mutation]["userErrors"]
        .as_array()
        .expect("user errors");
    match errors.first() {
        None => "done".to_owned(),
        Some(error) => error["code"].as_str().expect("a code").to_lowercase(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_by_everybody() {
    let mutations = mutations();
    let cases = cases();
    let listed: BTreeSet<&str> = cases.iter().map(|case| case.mutation).collect();
    let missing: Vec<&String> = mutations
        .keys()
        .filter(|name| !listed.contains(name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "not in the table of refusals: {missing:?}"
    );
    let mut page = String::from(
        "Every mutation by everybody in the small organisation of the tests. done: it was done; forbidden: one may see it\n\
         and not do this; not_found: it looks as if there were nothing; any other word: allowed, and refused for what was asked.\n\n",
    );
    let _ = writeln!(
        page,
        "{:<64}{}",
        "",
        ACTORS
            .iter()
            .map(|actor| format!("{actor:<12}"))
            .collect::<String>()
            .trim_end()
    );
    let ids = ids(&World::small().await).await;
    let mut untouched = None;
    for case in &cases {
        let mut line = format!("{:<64}", case.name());
        let mut world = None;
        for actor in ACTORS {
            let fresh = match world.take() {
                Some(world) => world,
                None => prepared(case, &mutations, &ids, &mut untouched).await,
            };
            let mut ids = ids.clone();
            ids.extend(follow_ups(&fresh).await);
            let input = filled(&case.input, &ids);
            let outcome = outcome(
                &fresh,
                actor,
                case.mutation,
                &mutations[case.mutation],
                input,
            )
            .await;
            // What was refused has changed nothing, so the next one may try in the same world.
            if outcome != "done" {
                world = Some(fresh);
            }
            let _ = write!(line, "{outcome:<12}");
        }
        untouched = world.filter(|_| case.before.is_empty());
        let _ = writeln!(page, "{}", line.trim_end());
    }
    golden::compare("tests/it/refusals.txt", &page);
}

/// A world in which what comes before a case is done: the one in which nothing was done, if there is one.
pub async fn prepared(
    case: &Case,
    mutations: &BTreeMap<String, String>,
    ids: &BTreeMap<String, String>,
    untouched: &mut Option<World>,
) -> World {
    let world = match untouched.take() {
        Some(world) => world,
        None => World::small().await,
    };
    for (actor, mutation, input) in &case.before {
        let done = outcome(
            &world,
            actor,
            mutation,
            &mutations[*mutation],
            filled(input, ids),
        )
        .await;
        assert_eq!(done, "done", "{mutation} before {}", case.mutation);
    }
    world
}
