//! What a document would cost: weighs each fragment once however often it is spread, and refuses excess.

use std::collections::HashMap;

use async_graphql::{
    Pos, Positioned, Variables,
    parser::types::{Directive, Field, OperationType, Selection, SelectionSet},
};

use crate::{
    convert::{ConvertedOperation, Fragments},
    limits::Limits,
    rejection::{Rejection, RejectionKind},
    size::VariableSizes,
};

/// The lists of introspection that lead from types to types again.
const WINDING: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// A selection set with every fragment written out. Sums saturate: a bomb is merely very heavy.
#[derive(Clone, Copy, Default)]
struct Weight {
    depth: usize,
    levels: usize,
    fields: usize,
    /// Fields of the set itself, not of those below.
    breadth: usize,
    aliases: usize,
    directives: usize,
    /// Values in the arguments of the set itself, and of those below.
    values: usize,
    values_below: usize,
    /// Winding lists inside one another.
    winding: usize,
}

impl Weight {
    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.levels = self.levels.max(other.levels);
        self.fields = self.fields.saturating_add(other.fields);
        self.breadth = self.breadth.saturating_add(other.breadth);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.values = self.values.saturating_add(other.values);
        self.values_below = self.values_below.saturating_add(other.values_below);
        self.winding = self.winding.max(other.winding);
    }
}

pub(crate) fn check_weight(
    converted: &ConvertedOperation,
    variables: &Variables,
    limits: &Limits,
) -> Result<(), Rejection> {
    let operation = &converted.operation.node;
    let mut weigher = DocumentWeigher {
        fragments: &converted.fragments,
        limits,
        sizes: VariableSizes::new(variables),
        known: HashMap::new(),
    };
    let mut weight = weigher.weigh_selection_set(&operation.selection_set, 0)?;
    weight.add(weigher.weigh_directives(&operation.directives)?);
    for variable in &operation.variable_definitions {
        weight.add(weigher.weigh_directives(&variable.node.directives)?);
    }

    let variables = operation.variable_definitions.len();
    require_within_limit(variables, limits.variables, "variables")?;
    require_within_limit(weight.depth, limits.depth, "levels of fields")?;
    require_within_limit(weight.breadth, limits.root_fields, "fields at its root")?;
    require_within_limit(weight.fields, limits.fields, "fields")?;
    require_within_limit(weight.aliases, limits.aliases, "aliases")?;
    require_within_limit(weight.directives, limits.directives, "directives")?;
    let values = match operation.ty {
        OperationType::Query => limits.values_of_query,
        OperationType::Mutation | OperationType::Subscription => limits.values,
    };
    require_within_limit(weight.values, values, "values in arguments")?;
    require_within_limit(
        weight.values_below,
        limits.values_below,
        "values in arguments below its root",
    )
}

fn require_within_limit(found: usize, limit: usize, what: &str) -> Result<(), Rejection> {
    if found <= limit {
        return Ok(());
    }
    let message = format!(
        "With its fragments written out, the operation has more than {limit} {what}, the most allowed."
    );
    Err(Rejection::new(RejectionKind::TooComplex, message))
}

struct DocumentWeigher<'a> {
    fragments: &'a Fragments,
    limits: &'a Limits,
    sizes: VariableSizes<'a>,
    /// The fragments that were weighed. They go in no circles: such a document is not converted.
    known: HashMap<&'a str, Weight>,
}

impl<'a> DocumentWeigher<'a> {
    /// `level` counts the sets around this one, and so bounds the recursion.
    fn weigh_selection_set(
        &mut self,
        set: &'a Positioned<SelectionSet>,
        level: usize,
    ) -> Result<Weight, Rejection> {
        self.check_level(level, set.pos)?;
        let mut sum = Weight::default();
        for selection in &set.node.items {
            let part = match &selection.node {
                Selection::Field(field) => self.weigh_field(field, level)?,
                Selection::InlineFragment(inline) => one_level_deeper(
                    self.weigh_selection_set(&inline.node.selection_set, level + 1)?,
                ),
                Selection::FragmentSpread(spread) => {
                    self.weigh_fragment(&spread.node.fragment_name.node, spread.pos, level + 1)?
                }
            };
            sum.add(part);
            sum.add(self.weigh_directives(selection.node.directives())?);
        }
        Ok(sum)
    }

    fn weigh_field(
        &mut self,
        field: &'a Positioned<Field>,
        level: usize,
    ) -> Result<Weight, Rejection> {
        self.check_argument_count(field.node.arguments.len(), field.pos)?;
        let mut weight = Weight::default();
        if !field.node.selection_set.node.items.is_empty() {
            weight =
                one_level_deeper(self.weigh_selection_set(&field.node.selection_set, level + 1)?);
        }
        let name = field.node.name.node.as_str();
        if matches!(name, "__schema" | "__type") && weight.winding > 1 {
            let message = "Introspection may go from types to types once, not again and again.";
            return Err(Rejection::new(RejectionKind::TooComplex, message).at_location(field.pos));
        }
        weight.depth += 1;
        weight.fields = weight.fields.saturating_add(1);
        weight.breadth = 1;
        weight.values_below = weight.values_below.saturating_add(weight.values);
        weight.values = self.sizes.size_of_arguments(&field.node.arguments);
        weight.aliases = weight
            .aliases
            .saturating_add(usize::from(field.node.alias.is_some()));
        weight.winding += usize::from(WINDING.contains(&name));
        Ok(weight)
    }

    fn weigh_fragment(
        &mut self,
        name: &'a str,
        pos: Pos,
        level: usize,
    ) -> Result<Weight, Rejection> {
        if let Some(weight) = self.known.get(name) {
            self.check_level(level.saturating_add(weight.levels), pos)?;
            return Ok(*weight);
        }
        let Some(fragment) = self.fragments.get(name) else {
            return Ok(Weight::default());
        };
        let mut weight =
            one_level_deeper(self.weigh_selection_set(&fragment.node.selection_set, level)?);
        weight.add(self.weigh_directives(&fragment.node.directives)?);
        self.known.insert(name, weight);
        Ok(weight)
    }

    fn check_level(&self, level: usize, pos: Pos) -> Result<(), Rejection> {
        if level <= self.limits.levels {
            return Ok(());
        }
        let message = format!(
            "The operation nests selections and fragments deeper than {}, the most allowed.",
            self.limits.levels
        );
        Err(Rejection::new(RejectionKind::TooComplex, message).at_location(pos))
    }

    fn weigh_directives(&self, directives: &[Positioned<Directive>]) -> Result<Weight, Rejection> {
        let mut weight = Weight {
            directives: directives.len(),
            ..Weight::default()
        };
        for directive in directives {
            let arguments = &directive.node.arguments;
            self.check_argument_count(arguments.len(), directive.pos)?;
            weight.values = weight
                .values
                .saturating_add(self.sizes.size_of_arguments(arguments));
        }
        Ok(weight)
    }

    fn check_argument_count(&self, count: usize, pos: Pos) -> Result<(), Rejection> {
        if count <= self.limits.arguments {
            return Ok(());
        }
        let message = format!(
            "A field or directive has more than {} arguments, the most allowed.",
            self.limits.arguments
        );
        Err(Rejection::new(RejectionKind::TooComplex, message).at_location(pos))
    }
}

/// The same weight, seen from one set further out.
fn one_level_deeper(mut weight: Weight) -> Weight {
    weight.levels = weight.levels.saturating_add(1);
    weight
}
