//! Whether fields that are answered under one name can be answered together.
//!
//! Fields of one name have to be alike in shape, whatever object they are of; and fields that can be of one object have
//! to be the same field with the same arguments. What stands below fields of one name is put together and looked at in
//! the same two ways. Sets of fields that were looked at are not looked at again, and the work is bounded: a small
//! document can have very many such sets.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_graphql::{
    Name,
    parser::types::{BaseType, Type},
};

use super::Validator;
use crate::{
    ast::{Argument, Field, Selection, SelectionList},
    rejection::{Rejection, RejectionKind, RequestFault},
    schema::{NamedType, SchemaTypes, named},
};

/// Most fields that are looked at, each counted in every set that it is in.
const MOST_STEPS: usize = 200_000;

/// A field, and what the schema says of it.
#[derive(Clone, Copy)]
struct FieldSite<'d> {
    field: &'d Field<'d>,
    parent: Option<&'d Name>,
    ty: Option<&'d Type>,
}

/// Which fields a set has, by where they lie in memory.
type FieldSet = Vec<usize>;

struct OverlapChecker<'v, 'd> {
    validator: &'v mut Validator<'d>,
    steps: usize,
    alike: HashSet<FieldSet>,
    same: HashSet<FieldSet>,
    told: HashSet<usize>,
    /// The arguments of fields, each way of writing them by a number.
    arguments: HashMap<String, usize>,
    written: HashMap<usize, usize>,
}

pub(super) fn check_overlapping_fields(validator: &mut Validator<'_>) -> Result<(), Rejection> {
    let document = validator.document;
    let mut checker = OverlapChecker {
        validator,
        steps: 0,
        alike: HashSet::new(),
        same: HashSet::new(),
        told: HashSet::new(),
        arguments: HashMap::new(),
        written: HashMap::new(),
    };
    for operation in &document.operations {
        let root = checker.validator.schema.root(operation.kind);
        let fields = checker.collect(&[(&operation.selections, root)])?;
        checker.check_shapes(fields.clone())?;
        checker.check_sameness(fields)?;
    }
    Ok(())
}

impl<'d> OverlapChecker<'_, 'd> {
    fn spend(&mut self, steps: usize) -> Result<(), Rejection> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > MOST_STEPS {
            true => Err(Rejection::new(
                RejectionKind::TooComplex,
                "The document is too large to tell whether its fields go together.",
            )),
            false => Ok(()),
        }
    }

    /// The fields of some selections, with their fragments written out.
    fn collect(
        &mut self,
        selections: &[(&'d SelectionList<'d>, Option<&'d Name>)],
    ) -> Result<Vec<FieldSite<'d>>, Rejection> {
        let (mut fields, mut spread) = (Vec::new(), HashSet::new());
        let mut waiting: Vec<_> = selections.iter().rev().copied().collect();
        while let Some((selections, parent)) = waiting.pop() {
            self.spend(selections.items.len())?;
            let mut inside = Vec::new();
            for selection in &selections.items {
                match selection {
                    Selection::Field(field) => fields.push(self.site_of(field, parent)),
                    Selection::Inline { on, selections, .. } => {
                        let on = on.map_or(parent, |on| self.composite(on.text));
                        inside.push((selections, on));
                    }
                    Selection::Spread { name, .. } => {
                        if spread.insert(name.text)
                            && let Some(fragment) = self.validator.fragments.get(name.text)
                        {
                            inside.push((&fragment.selections, self.composite(fragment.on.text)));
                        }
                    }
                }
            }
            waiting.extend(inside.into_iter().rev());
        }
        Ok(fields)
    }

    fn site_of(&self, field: &'d Field<'d>, parent: Option<&'d Name>) -> FieldSite<'d> {
        let schema: &'d SchemaTypes = self.validator.schema;
        // graphql-js knows no type of `__typename` here.
        let parent_with_type = parent.filter(|_| field.name.text != "__typename");
        let known = parent_with_type.and_then(|parent| schema.field(parent, field.name.text));
        FieldSite {
            field,
            parent,
            ty: known.map(|known| &known.ty),
        }
    }

    fn composite(&self, name: &str) -> Option<&'d Name> {
        let schema: &'d SchemaTypes = self.validator.schema;
        let entry = schema.get_entry(name);
        entry
            .filter(|(_, ty)| ty.is_composite())
            .map(|(name, _)| name)
    }

    /// What stands below some fields, put together.
    fn collect_below(&mut self, fields: &[FieldSite<'d>]) -> Result<Vec<FieldSite<'d>>, Rejection> {
        let below = fields.iter().filter_map(|site| {
            let parent = site.ty.and_then(|ty| self.composite(named(ty)));
            Some((site.field.selections.as_ref()?, parent))
        });
        self.collect(&below.collect::<Vec<_>>())
    }

    /// Walks with a list of its own instead of recursing: a document may be one long chain of fragments.
    fn check_shapes(&mut self, fields: Vec<FieldSite<'d>>) -> Result<(), Rejection> {
        let mut waiting = vec![fields];
        while let Some(fields) = waiting.pop() {
            self.spend(fields.len())?;
            if fields.is_empty() || !self.alike.insert(set_of(&fields)) {
                continue;
            }
            for group in group_by_response_name(&fields) {
                let first = group[0];
                for other in &group[1..] {
                    if let (Some(one), Some(two)) = (first.ty, other.ty)
                        && self.do_types_conflict(one, two)
                    {
                        let why = format!("one is `{one}`, the other `{two}`");
                        self.tell((first, *other), &why);
                    }
                }
                waiting.push(self.collect_below(&group)?);
            }
        }
        Ok(())
    }

    fn check_sameness(&mut self, fields: Vec<FieldSite<'d>>) -> Result<(), Rejection> {
        let mut waiting = vec![fields];
        while let Some(fields) = waiting.pop() {
            self.spend(fields.len())?;
            if fields.is_empty() || !self.same.insert(set_of(&fields)) {
                continue;
            }
            for group in group_by_response_name(&fields) {
                for group in self.group_by_object(&group)? {
                    self.check_group(&group);
                    waiting.push(self.collect_below(&group)?);
                }
            }
        }
        Ok(())
    }

    /// Fields of one name that can be of one object.
    fn check_group(&mut self, group: &[FieldSite<'d>]) {
        let first = group[0];
        for other in &group[1..] {
            let names = (first.field.name.text, other.field.name.text);
            if names.0 != names.1 {
                let why = format!("one is `{}`, the other `{}`", names.0, names.1);
                self.tell((first, *other), &why);
            } else if self.written_arguments(first.field) != self.written_arguments(other.field) {
                self.tell((first, *other), "they have different arguments");
            }
        }
    }

    /// The number of the way in which a field's arguments are written, the order of names aside.
    fn written_arguments(&mut self, field: &'d Field<'d>) -> usize {
        let at = std::ptr::from_ref(field).addr();
        if let Some(written) = self.written.get(&at) {
            return *written;
        }
        let mut arguments: Vec<&Argument<'_>> = field.arguments.iter().collect();
        arguments.sort_by_key(|argument| argument.name.text);
        let mut text = String::new();
        for argument in arguments {
            text.push_str(argument.name.text);
            text.push(':');
            argument.value.value.write(&mut text);
        }
        let next = self.arguments.len();
        let written = *self.arguments.entry(text).or_insert(next);
        self.written.insert(at, written);
        written
    }

    /// Fields that can be of one object: those of each type of object, with those of interfaces and unions.
    fn group_by_object(
        &mut self,
        fields: &[FieldSite<'d>],
    ) -> Result<Vec<Vec<FieldSite<'d>>>, Rejection> {
        let schema = self.validator.schema;
        let mut of_any = Vec::new();
        let mut of_object: BTreeMap<&str, Vec<FieldSite<'d>>> = BTreeMap::new();
        for site in fields {
            let parent = site.parent.map(|parent| (parent, schema.get(parent)));
            match parent {
                Some((parent, Some(NamedType::Object(_)))) => {
                    of_object.entry(parent).or_default().push(*site);
                }
                _ => of_any.push(*site),
            }
        }
        if of_object.is_empty() {
            return Ok(vec![of_any]);
        }
        self.spend(of_any.len().saturating_mul(of_object.len()))?;
        let groups = of_object.into_values().map(|mut group| {
            group.extend(of_any.iter().copied());
            group
        });
        Ok(groups.collect())
    }

    fn do_types_conflict(&self, one: &Type, other: &Type) -> bool {
        if one.nullable != other.nullable {
            return true;
        }
        match (&one.base, &other.base) {
            (BaseType::List(one), BaseType::List(other)) => self.do_types_conflict(one, other),
            (BaseType::Named(one), BaseType::Named(other)) => {
                let is_leaf = |name| {
                    self.validator
                        .schema
                        .get(name)
                        .is_some_and(NamedType::is_leaf)
                };
                one != other && (is_leaf(one) || is_leaf(other))
            }
            _ => true,
        }
    }

    fn tell(&mut self, (first, other): (FieldSite<'d>, FieldSite<'d>), why: &str) {
        if self.told.insert(std::ptr::from_ref(other.field).addr()) {
            let name = other.field.response_name();
            let pos_of = |site: FieldSite<'d>| site.field.alias.unwrap_or(site.field.name).pos;
            self.validator.push(|| RequestFault {
                locations: vec![pos_of(other), pos_of(first)],
                ..RequestFault::new(format!(
                    "Two fields are answered as `{name}`, and {why}: give one of them another alias."
                ))
            });
        }
    }
}

fn set_of(fields: &[FieldSite<'_>]) -> FieldSet {
    let mut set: FieldSet = fields
        .iter()
        .map(|site| std::ptr::from_ref(site.field).addr())
        .collect();
    set.sort_unstable();
    set.dedup();
    set
}

fn group_by_response_name<'d>(fields: &[FieldSite<'d>]) -> Vec<Vec<FieldSite<'d>>> {
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<FieldSite<'d>>> = Vec::new();
    for site in fields {
        let at = *at.entry(site.field.response_name()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(*site),
            None => groups.push(vec![*site]),
        }
    }
    groups
}
