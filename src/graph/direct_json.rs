//! Direct JSON: the inside of a blueprint, written straight from the rows on the canvas.
//!
//! A canvas of a large blueprint is some thirty thousand fields of the answer. Resolvers make an object, a future and a
//! node of a tree for each of them, and drop them again. So the list of phases, and that of transitions, is a
//! [`DirectJsonList`], whose `resolve` goes three steps:
//!
//! 1. **Plan.** The selections are looked up once, by type and not by row: `ObjectPlan::new` makes a closure for each
//!    field ([`DirectObject::field_writer`]), nested as the document is.
//! 2. **Write.** The plan runs over the rows and writes keys and values into one buffer, a [`JsonWriter`].
//! 3. **Splice.** The text travels to the answer as a binary value, which no field of the schema is otherwise, and
//!    [`write_response`] copies it as it is.
//!
//! A plan is all or nothing. Where the document asks for anything that is not on the canvas, has a directive that is
//! left over, or asks for the list at two places that are to be merged, there is no plan and the resolvers answer as if
//! this file were not there. Both ways give the same bytes, which `tests/it/drawn.rs` compares. The other
//! thing that holds them together is a list, in the tests below, of every field that only resolvers answer: a field
//! that is added to the schema has to be decided upon.
//!
//! A written answer spends the request's budget by its bytes, where a resolved one spends it object by object.

mod direct_field;
mod fields;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, QueryPathSegment, ServerResult, Value,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
    registry::Registry,
};
use bytes::Bytes;
use entity::id::Id;
use serde::Serialize;

use crate::{
    access::Caller,
    canvas::Canvas,
    department::load_parent_by_department,
    json::JsonWriter,
    meter::{BudgetChargedList, locate_error_at_field, metered_list},
    responsibility::parties::Parents,
};

/// Bytes of an answer that cost one step of the budget of computing.
const BYTES_PER_STEP: u64 = 16;

/// A list of objects of a canvas, answered as direct JSON where there is a plan and by resolvers where there is none.
pub struct DirectJsonList<T: CanvasRowObject> {
    canvas: Arc<Canvas>,
    rows: fn(&Canvas) -> &[T::Row],
}

/// An object of the API whose row a canvas holds.
pub trait CanvasRowObject: OutputType + Sized {
    /// Its row.
    type Row: Sync + 'static;

    /// The object for the resolvers.
    fn to_object(row: &Self::Row, canvas: &Arc<Canvas>) -> Self;
}

impl<T: CanvasRowObject> DirectJsonList<T> {
    /// The rows that `rows` picks from a canvas.
    pub fn new(canvas: &Arc<Canvas>, rows: fn(&Canvas) -> &[T::Row]) -> Self {
        Self {
            canvas: Arc::clone(canvas),
            rows,
        }
    }
}

impl<T: CanvasRowObject> DirectJsonList<T>
where
    for<'c> CanvasRow<'c, T::Row>: DirectObject<'c>,
{
    async fn try_write(&self, ctx: &ContextSelectionSet<'_>) -> Option<Bytes> {
        if is_key_asked_twice(ctx) {
            return None;
        }
        let asked = Selections {
            sets: vec![&ctx.item.node],
            fragments: &ctx.query_env.fragments,
        };
        let caller = ctx.data_opt::<Caller>()?;
        // One more statement, and only for those who lead: what anybody else may do follows from their own roles.
        let parents = if asked.mentions_field("viewerPermissions")
            && !caller.directly_led_departments().is_empty()
        {
            // Where it cannot be read the resolvers answer, and tell so.
            load_parent_by_department(caller.connection()).await.ok()?
        } else {
            Parents::new()
        };
        let plan = ObjectPlan::new(&asked)?;
        let context = WriteContext {
            canvas: &self.canvas,
            caller,
            parents: &parents,
        };
        let mut out = JsonWriter::default();
        let rows = (self.rows)(&self.canvas);
        out.list('[', rows, ']', |row, out| {
            plan.write_object(CanvasRow { context, row }, out)
        });
        out.finish().ok().map(Bytes::from)
    }
}

impl<T: CanvasRowObject> OutputType for DirectJsonList<T>
where
    for<'c> CanvasRow<'c, T::Row>: DirectObject<'c>,
{
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        if let Some(json) = self.try_write(ctx).await {
            if let Some(caller) = ctx.data_opt::<Caller>() {
                let bytes = json.len() as u64;
                locate_error_at_field(field, caller.budget.spend(bytes / BYTES_PER_STEP))?;
                locate_error_at_field(field, caller.budget.count_answer_bytes(bytes))?;
            }
            return Ok(Value::Binary(json));
        }
        let rows = (self.rows)(&self.canvas).iter();
        let parts: BudgetChargedList<T> =
            metered_list(rows.map(|row| T::to_object(row, &self.canvas)));
        parts.resolve(ctx, field).await
    }
}

/// Whether the document asks twice for the key that is being resolved, somewhere on its path. Two answers for one key
/// are merged field by field, which finished text cannot be.
fn is_key_asked_twice(ctx: &ContextSelectionSet<'_>) -> bool {
    let mut path = Vec::new();
    let mut node = ctx.path_node.as_ref();
    while let Some(here) = node {
        if let QueryPathSegment::Name(name) = here.segment {
            path.push(name);
        }
        node = here.parent;
    }
    let mut asked = Selections {
        sets: vec![&ctx.query_env.operation.node.selection_set.node],
        fragments: &ctx.query_env.fragments,
    };
    for name in path.into_iter().rev() {
        let mut sets = Vec::new();
        for set in &asked.sets {
            asked.find_sets_of_key(set, name, &mut sets);
        }
        if sets.len() != 1 {
            return true;
        }
        asked.sets = sets;
    }
    false
}

/// The selections of an object: those of all fields that share its place in the answer.
pub struct Selections<'q> {
    sets: Vec<&'q SelectionSet>,
    fragments: &'q HashMap<Name, Positioned<FragmentDefinition>>,
}

/// One key of an object in the answer.
struct ResponseField<'q> {
    /// The alias, or the name of the field.
    key: &'q str,
    name: &'q str,
    asked: Selections<'q>,
}

impl<'q> Selections<'q> {
    /// The keys of an object of this type, in the order of the answer; nothing where only resolvers can tell.
    fn response_fields(&self, of_type: &str) -> Option<Vec<ResponseField<'q>>> {
        let mut fields = Vec::new();
        for set in &self.sets {
            self.add_fields_of_set(set, of_type, &mut fields)?;
        }
        Some(fields)
    }

    fn add_fields_of_set(
        &self,
        set: &'q SelectionSet,
        of_type: &str,
        fields: &mut Vec<ResponseField<'q>>,
    ) -> Option<()> {
        for selection in &set.items {
            // @skip and @include are gone by now; any other directive would mean something that is not known here.
            if !selection.node.directives().is_empty() {
                return None;
            }
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    let inner = &field.node.selection_set.node;
                    match fields.iter_mut().find(|field| field.key == key) {
                        Some(field) => field.asked.sets.push(inner),
                        None => fields.push(ResponseField {
                            key,
                            name: &field.node.name.node,
                            asked: Selections {
                                sets: vec![inner],
                                fragments: self.fragments,
                            },
                        }),
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => (
                    fragment.node.type_condition.as_ref(),
                    &fragment.node.selection_set.node,
                ),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.node.fragment_name.node)?;
                    (
                        Some(&fragment.node.type_condition),
                        &fragment.node.selection_set.node,
                    )
                }
            };
            if condition.is_some_and(|condition| condition.node.on.node != of_type) {
                return None;
            }
            self.add_fields_of_set(inner, of_type, fields)?;
        }
        Some(())
    }

    /// Whether a field of this name is asked for anywhere inside.
    fn mentions_field(&self, name: &str) -> bool {
        self.sets
            .iter()
            .any(|set| self.set_mentions_field(set, name))
    }

    fn set_mentions_field(&self, set: &SelectionSet, name: &str) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                field.node.name.node == name
                    || self.set_mentions_field(&field.node.selection_set.node, name)
            }
            Selection::InlineFragment(fragment) => {
                self.set_mentions_field(&fragment.node.selection_set.node, name)
            }
            Selection::FragmentSpread(spread) => self
                .fragments
                .get(&spread.node.fragment_name.node)
                .is_some_and(|fragment| {
                    self.set_mentions_field(&fragment.node.selection_set.node, name)
                }),
        })
    }

    /// Finds the selections of a set for one key, whatever the type.
    fn find_sets_of_key(
        &self,
        set: &'q SelectionSet,
        key: &str,
        found: &mut Vec<&'q SelectionSet>,
    ) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.response_key().node == key => {
                    found.push(&field.node.selection_set.node);
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => {
                    self.find_sets_of_key(&fragment.node.selection_set.node, key, found);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.find_sets_of_key(&fragment.node.selection_set.node, key, found);
                    }
                }
            }
        }
    }
}

/// The canvas that is drawn, and who it is drawn for.
#[derive(Clone, Copy)]
pub struct WriteContext<'c> {
    canvas: &'c Canvas,
    caller: &'c Caller,
    /// The tree of departments; empty where no `viewerPermissions` are asked for.
    parents: &'c Parents,
}

/// A row in its context.
pub struct CanvasRow<'c, R> {
    context: WriteContext<'c>,
    row: &'c R,
}

impl<R> Clone for CanvasRow<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for CanvasRow<'_, R> {}

impl<'c, R> CanvasRow<'c, R> {
    /// Another row in the same context.
    fn with_row<S>(self, row: &'c S) -> CanvasRow<'c, S> {
        CanvasRow {
            context: self.context,
            row,
        }
    }
}

/// Writes the value of one field of a part.
pub type FieldWriter<'c, P> = Box<dyn Fn(P, &mut JsonWriter) + 'c>;

/// A part of a canvas that is shown as an object of the API.
pub trait DirectObject<'c>: Copy + 'c {
    /// The object's type.
    const TYPE: &'static str;

    /// The writer of a field; nothing where the field leads off the canvas.
    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>>;
}

/// The plan of an object: its keys as JSON (`"key":`), each with the writer of its value.
struct ObjectPlan<'c, P>(Vec<(String, FieldWriter<'c, P>)>);

impl<'c, P: DirectObject<'c>> ObjectPlan<'c, P> {
    fn new(asked: &Selections<'_>) -> Option<Self> {
        let fields = asked.response_fields(P::TYPE)?.into_iter();
        let fields = fields.map(|field| {
            let writer = match field.name {
                "__typename" => value_field_writer(|_| P::TYPE),
                name => P::field_writer(name, &field.asked),
            };
            Some((format!("\"{}\":", field.key), writer?))
        });
        fields.collect::<Option<_>>().map(Self)
    }

    fn write_object(&self, part: P, out: &mut JsonWriter) {
        out.list('{', &self.0, '}', |(key, field), out| {
            out.raw(key);
            field(part, out);
        });
    }
}

/// A field with a value of its own.
fn value_field_writer<'c, P, V: Serialize>(
    value: impl Fn(P) -> V + 'c,
) -> Option<FieldWriter<'c, P>> {
    Some(Box::new(move |part, out| out.value(&value(part))))
}

/// A field that is an id.
fn id_field_writer<'c, P, I: Id>(id: impl Fn(P) -> I + 'c) -> Option<FieldWriter<'c, P>> {
    Some(Box::new(move |part, out| out.id(id(part))))
}

/// A field that leads to an object, or to nothing.
fn object_field_writer<'c, P, Q>(
    asked: &Selections<'_>,
    object: impl Fn(P) -> Option<Q> + 'c,
) -> Option<FieldWriter<'c, P>>
where
    Q: DirectObject<'c>,
{
    let plan = ObjectPlan::new(asked)?;
    Some(Box::new(move |part, out| match object(part) {
        Some(object) => plan.write_object(object, out),
        None => out.raw("null"),
    }))
}

/// A field that leads to a list of objects.
fn list_field_writer<'c, P, Q, I>(
    asked: &Selections<'_>,
    objects: impl Fn(P) -> I + 'c,
) -> Option<FieldWriter<'c, P>>
where
    Q: DirectObject<'c>,
    I: IntoIterator<Item = Q>,
{
    let plan = ObjectPlan::new(asked)?;
    Some(Box::new(move |part, out| {
        out.list('[', objects(part), ']', |object, out| {
            plan.write_object(object, out)
        });
    }))
}

/// Writes an answer as JSON, appended to what is given; finished text in it is copied as it is.
pub fn write_response(value: &Value, before: Vec<u8>) -> serde_json::Result<Vec<u8>> {
    let mut out = JsonWriter::appending_to(before);
    write_value(value, &mut out);
    out.finish()
}

fn write_value(value: &Value, out: &mut JsonWriter) {
    match value {
        Value::Binary(drawn) => out.bytes().extend_from_slice(drawn),
        Value::List(items) => out.list('[', items, ']', write_value),
        Value::Object(fields) => out.list('{', fields, '}', |(key, field), out| {
            out.value(key);
            out.raw(":");
            write_value(field, out);
        }),
        leaf => out.value(leaf),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{
        parse_query, parse_schema,
        types::{DocumentOperations, TypeKind, TypeSystemDefinition},
    };
    use entity::{
        channel, department, json::Evidence, kpi, kpi_target, measurement, phase, responsibility,
        touchpoint, transition,
    };

    use super::{fields::DirectKpiLink, *};
    use crate::{graph, judgement::CurrentFigure};

    /// Plans what a document's root field asks, as if it led to this type.
    fn planned<P: DirectObject<'static>>(document: &str, path: &[&str]) -> bool {
        let document = parse_query(document).expect("a document");
        let DocumentOperations::Multiple(operations) = &document.operations else {
            panic!("an operation without a name");
        };
        let operation = operations.values().next().expect("an operation");
        let mut asked = Selections {
            sets: vec![&operation.node.selection_set.node],
            fragments: &document.fragments,
        };
        for name in path {
            let mut found = Vec::new();
            asked.find_sets_of_key(asked.sets[0], name, &mut found);
            asked.sets = found;
        }
        ObjectPlan::<P>::new(&asked).is_some()
    }

    #[test]
    fn the_picture_of_a_blueprint_is_drawn_whole() {
        let canvas = include_str!("../../bench/canvas/canvas.graphql");
        assert!(planned::<CanvasRow<'_, phase::Model>>(
            canvas,
            &["blueprint", "phases"]
        ));
        assert!(planned::<CanvasRow<'_, transition::Model>>(
            canvas,
            &["blueprint", "transitions"]
        ));
    }

    /// The fields of a type that only resolvers answer.
    fn resolved<P: DirectObject<'static>>() -> Vec<String> {
        let schema = parse_schema(graph::schema_sdl()).expect("a schema");
        let of_type = schema
            .definitions
            .into_iter()
            .find_map(|known| match known {
                TypeSystemDefinition::Type(known) if known.node.name.node == P::TYPE => {
                    Some(known.node)
                }
                _ => None,
            });
        let TypeKind::Object(object) = of_type.expect("the type").kind else {
            panic!("{} is no object", P::TYPE);
        };
        let names = object.fields.into_iter().map(|field| field.node.name.node);
        names
            .filter(|name| {
                let fragments = HashMap::new();
                let asked = Selections {
                    sets: Vec::new(),
                    fragments: &fragments,
                };
                // Who made and changed an object is asked off the canvas for every type that has it.
                !matches!(name.as_str(), "createdBy" | "updatedAt" | "updatedBy")
                    && P::field_writer(name, &asked).is_none()
            })
            .map(|name| format!("{}.{name}", P::TYPE))
            .collect()
    }

    #[test]
    fn only_what_leads_off_the_canvas_is_resolved() {
        let resolved = [
            resolved::<CanvasRow<'_, phase::Model>>(),
            resolved::<CanvasRow<'_, touchpoint::Model>>(),
            resolved::<CanvasRow<'_, Evidence>>(),
            resolved::<CanvasRow<'_, transition::Model>>(),
            resolved::<CanvasRow<'_, channel::Model>>(),
            resolved::<CanvasRow<'_, responsibility::Model>>(),
            resolved::<CanvasRow<'_, department::Model>>(),
            resolved::<DirectKpiLink<'_>>(),
            resolved::<CanvasRow<'_, CurrentFigure>>(),
            resolved::<CanvasRow<'_, kpi::Model>>(),
            resolved::<CanvasRow<'_, kpi_target::Model>>(),
            resolved::<CanvasRow<'_, measurement::Model>>(),
        ];
        let expected = "\
            Phase.blueprint Phase.copiedFrom Phase.insights Phase.segments \
            Touchpoint.audience Touchpoint.blueprint Touchpoint.copiedFrom Touchpoint.delivers Touchpoint.evaluations \
            Touchpoint.feedback Touchpoint.insights Touchpoint.promises \
            Responsibility.awaits Responsibility.decidedByAccount Responsibility.handedOverByAccount \
            Responsibility.person Responsibility.proposedBy Responsibility.proposedByAccount \
            Responsibility.replaces Responsibility.resumes \
            Department.awaitingAnswer Department.children Department.givenUnasked Department.improvements Department.kpis Department.members \
            Department.openCases Department.parent Department.proposals Department.responsibilities Department.scorecard Department.successor \
            KpiLink.blueprint KpiLink.phase KpiLink.touchpoint \
            KpiFigure.parts KpiFigure.running \
            Kpi.current Kpi.freshness Kpi.grants Kpi.history Kpi.improvements Kpi.latest Kpi.links Kpi.measurements Kpi.ownerDepartment Kpi.state Kpi.target \
            Kpi.targets Kpi.trend Kpi.valuesVisible Kpi.viewerPermissions \
            KpiTarget.channel KpiTarget.kpi KpiTarget.segment \
            Measurement.channel Measurement.kpi Measurement.segment Measurement.supersededBy \
            Measurement.touchpoint";
        assert_eq!(resolved.concat().join(" "), expected);
    }
}
