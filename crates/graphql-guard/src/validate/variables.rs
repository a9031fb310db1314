//! The variables of an operation: how they are defined, and whether their types fit where they are used.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{BaseType, DirectiveLocation, Type};

use super::{
    Validator, VariablesInNeed, find_repeated,
    values::ValuePlace,
    walk::{Scope, VariableUsage},
};
use crate::{
    ast::{LiteralValue, Operation, TypeReference, Variable, Word},
    convert::convert_type,
    rejection::{InputPathPart, RequestFault},
    schema::named,
};

impl<'d> Validator<'d> {
    pub(super) fn check_variable_definitions(
        &mut self,
        operation: &'d Operation<'d>,
        scope: &mut Scope<'d>,
    ) {
        let variables = &operation.variables;
        for name in find_repeated(variables.iter().map(|variable| variable.name)) {
            self.add(
                name.pos,
                format!("The variable `${}` is defined twice.", name.text),
            );
        }
        for variable in variables {
            let location = DirectiveLocation::VariableDefinition;
            self.check_directives(&variable.directives, location, scope);
            let name = name_of(&variable.ty);
            match self.schema.get(name.text) {
                None => self.add(name.pos, format!("The schema has no type `{}`.", name.text)),
                Some(ty) if !ty.is_input() => {
                    let message = format!(
                        "The variable `${}` cannot be `{}`, which is no input.",
                        variable.name.text, name.text
                    );
                    self.add(name.pos, message);
                }
                Some(_) => {}
            }
        }
        self.check_defaults(operation);
    }

    fn check_defaults(&mut self, operation: &'d Operation<'d>) {
        for variable in &operation.variables {
            let Some(default) = &variable.default else {
                continue;
            };
            let ty = convert_type(&variable.ty);
            let is_input = self.schema.get(named(&ty)).is_some_and(|ty| ty.is_input());
            let place = ValuePlace::of_type(is_input.then_some(&ty));
            let mut path = vec![InputPathPart::Name(variable.name.text.to_owned())];
            // A constant uses no variables.
            self.check_literal(default, place, &mut path, &mut Scope::default());
        }
    }

    /// Holds the uses of variables against their definitions. Gives those that may not be null where they are used.
    pub(super) fn check_variable_usages<'u>(
        &mut self,
        operation: &'d Operation<'d>,
        usages: impl Iterator<Item = &'u VariableUsage<'d>>,
    ) -> VariablesInNeed<'d>
    where
        'd: 'u,
    {
        let variables = operation.variables.iter();
        let known: HashMap<&str, DefinedVariable> = variables
            .map(|variable| (variable.name.text, DefinedVariable::new(variable)))
            .collect();
        let (mut used, mut in_need) = (HashSet::new(), VariablesInNeed::new());
        for usage in usages {
            used.insert(usage.name);
            let Some(DefinedVariable { ty, has_value }) = known.get(usage.name) else {
                let of = operation
                    .name
                    .map_or_else(String::new, |name| format!(" `{}`", name.text));
                self.push(|| {
                    let message = format!(
                        "The operation{of} does not define the variable `${}`.",
                        usage.name
                    );
                    RequestFault {
                        locations: vec![usage.pos, operation.pos],
                        ..RequestFault::new(message)
                    }
                });
                continue;
            };
            let Some(place) = usage
                .ty
                .as_ref()
                .filter(|_| self.schema.get(named(ty)).is_some())
            else {
                continue;
            };
            if !fits(ty, *has_value, place, usage.has_default) {
                self.push(|| {
                    let message = format!(
                        "The variable `${}` is `{ty}`, and `{place}` is expected where it is used.",
                        usage.name
                    );
                    RequestFault::at(message, usage.pos)
                });
            } else if ty.nullable && (!place.nullable || usage.is_one_of) {
                *in_need.entry(usage.name).or_insert(false) |= usage.is_one_of;
            }
        }
        for variable in &operation.variables {
            let name = variable.name;
            if !used.contains(name.text) {
                self.add(
                    name.pos,
                    format!("The variable `${}` is never used.", name.text),
                );
            }
        }
        in_need
    }
}

/// What the definition of a variable says of its values.
struct DefinedVariable {
    ty: Type,
    /// Whether it has a default that is not null.
    has_value: bool,
}

impl DefinedVariable {
    fn new(variable: &Variable<'_>) -> Self {
        let default = variable.default.as_ref().map(|literal| &literal.value);
        Self {
            ty: convert_type(&variable.ty),
            has_value: default.is_some_and(|value| !matches!(value, LiteralValue::Null)),
        }
    }
}

/// Whether a variable of a type may stand in a place.
fn fits(ty: &Type, has_value: bool, place: &Type, place_has_default: bool) -> bool {
    if place.nullable || !ty.nullable {
        return is_subtype(ty, place);
    }
    let nullable = Type {
        nullable: true,
        ..place.clone()
    };
    (has_value || place_has_default) && is_subtype(ty, &nullable)
}

/// Whether each value of a type is one of another type.
fn is_subtype(ty: &Type, of: &Type) -> bool {
    let same_base = match (&ty.base, &of.base) {
        (BaseType::Named(one), BaseType::Named(other)) => one == other,
        (BaseType::List(one), BaseType::List(other)) => is_subtype(one, other),
        _ => false,
    };
    same_base && (of.nullable || !ty.nullable)
}

fn name_of<'d>(ty: &TypeReference<'d>) -> Word<'d> {
    match ty {
        TypeReference::Named(name) => *name,
        TypeReference::List(inside) | TypeReference::NonNull(inside) => name_of(inside),
    }
}
