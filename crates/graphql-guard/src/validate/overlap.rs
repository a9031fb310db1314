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
    rejection::{Rejection, RejectionKind},
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
}

pub(super) fn check_overlapping_fields(validator: &mut Validator<'_>) -> Result<(), Rejection> {
    let document = validator.document;
    let mut checker = OverlapChecker {
        validator,
        steps: 0,
        alike: HashSet::new(),
        same: HashSet::new(),
        told: HashSet::new(),
    };
    for operation in &document.operations {
        let root = checker.validator.schema.root(operation.kind);
        let fields = checker.collect(&[(&operation.selections, root)])?;
        checker.check_shapes(&fields)?;
        checker.check_sameness(&fields)?;
    }
    Ok(())
}

impl<'d> OverlapChecker<'_, 'd> {
    fn spend(&mut self, steps: usize) -> Result<(), Rejection> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > MOST_STEPS {
            true => Err(Rejection::new(
                RejectionKind::TooComplex,
                "The document gives too many fields the same name to tell whether they go together.",
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
        let known = parent.and_then(|parent| schema.field(parent, field.name.text));
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

    fn check_shapes(&mut self, fields: &[FieldSite<'d>]) -> Result<(), Rejection> {
        self.spend(fields.len())?;
        if fields.is_empty() || !self.alike.insert(set_of(fields)) {
            return Ok(());
        }
        for group in group_by_response_name(fields) {
            let first = group[0];
            for other in &group[1..] {
                if let (Some(one), Some(two)) = (first.ty, other.ty)
                    && self.do_types_conflict(one, two)
                {
                    self.tell(*other, &format!("one is `{one}`, the other `{two}`"));
                }
            }
            let below = self.collect_below(&group)?;
            self.check_shapes(&below)?;
        }
        Ok(())
    }

    fn check_sameness(&mut self, fields: &[FieldSite<'d>]) -> Result<(), Rejection> {
        self.spend(fields.len())?;
        if fields.is_empty() || !self.same.insert(set_of(fields)) {
            return Ok(());
        }
        for group in group_by_response_name(fields) {
            for group in self.group_by_object(&group) {
                self.spend(group.len())?;
                let first = group[0];
                for other in &group[1..] {
                    if first.field.name.text != other.field.name.text {
                        let fields = (first.field.name.text, other.field.name.text);
                        self.tell(
                            *other,
                            &format!("one is `{}`, the other `{}`", fields.0, fields.1),
                        );
                    } else if !are_arguments_alike(&first.field.arguments, &other.field.arguments) {
                        self.tell(*other, "they have different arguments");
                    }
                }
                let below = self.collect_below(&group)?;
                self.check_sameness(&below)?;
            }
        }
        Ok(())
    }

    /// Fields that can be of one object: those of each type of object, with those of interfaces and unions.
    fn group_by_object(&self, fields: &[FieldSite<'d>]) -> Vec<Vec<FieldSite<'d>>> {
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
            return vec![of_any];
        }
        let groups = of_object.into_values().map(|mut group| {
            group.extend(of_any.iter().copied());
            group
        });
        groups.collect()
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

    fn tell(&mut self, site: FieldSite<'d>, why: &str) {
        if self.told.insert(std::ptr::from_ref(site.field).addr()) {
            let name = site.field.response_name();
            let pos = site.field.alias.unwrap_or(site.field.name).pos;
            let message = format!(
                "Two fields are answered as `{name}`, and {why}: give one of them an alias."
            );
            self.validator.add(pos, message);
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

fn are_arguments_alike(one: &[Argument<'_>], other: &[Argument<'_>]) -> bool {
    let find = |name: &str| other.iter().find(|argument| argument.name.text == name);
    one.len() == other.len()
        && one.iter().all(|argument| {
            find(argument.name.text)
                .is_some_and(|other| argument.value.value.is_written_like(&other.value.value))
        })
}
