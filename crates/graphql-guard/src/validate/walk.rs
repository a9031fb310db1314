//! Walks the selections of operations and fragments beside the types of the schema: fields, arguments, directives and
//! conditions.

use async_graphql::{
    Name, Pos,
    parser::types::{DirectiveLocation, OperationType, Type},
};

use super::{Validator, find_repeated};
use crate::{
    ast::{Argument, Directive, Field, Fragment, Operation, Selection, SelectionList, Word},
    rejection::InputPathPart,
    schema::{InputField, named},
};

/// The uses of variables in an operation or a fragment.
#[derive(Default)]
pub(super) struct Scope<'d> {
    pub usages: Vec<VariableUsage<'d>>,
}

/// A place where a variable is used.
pub(super) struct VariableUsage<'d> {
    pub name: &'d str,
    pub pos: Pos,
    /// The type of the place, where that is known.
    pub ty: Option<Type>,
    pub has_default: bool,
    /// Whether it is the one field of an object of which one is given.
    pub is_one_of: bool,
}

impl<'d> Validator<'d> {
    pub(super) fn check_operation(&mut self, operation: &'d Operation<'d>) -> Scope<'d> {
        let mut scope = Scope::default();
        let location = match operation.kind {
            OperationType::Query => DirectiveLocation::Query,
            OperationType::Mutation => DirectiveLocation::Mutation,
            OperationType::Subscription => DirectiveLocation::Subscription,
        };
        self.check_directives(&operation.directives, location, &mut scope);
        self.check_variable_definitions(operation, &mut scope);
        let root = self.schema.root(operation.kind);
        self.check_selections(&operation.selections, root, &mut scope);
        scope
    }

    pub(super) fn check_fragment(&mut self, fragment: &'d Fragment<'d>) -> Scope<'d> {
        let mut scope = Scope::default();
        let location = DirectiveLocation::FragmentDefinition;
        self.check_directives(&fragment.directives, location, &mut scope);
        let on = self.check_condition(fragment.on);
        self.check_selections(&fragment.selections, on, &mut scope);
        scope
    }

    /// The type that a fragment is on, if it can have fields.
    fn check_condition(&mut self, on: Word<'d>) -> Option<&'d Name> {
        let Some((name, ty)) = self.schema.get_entry(on.text) else {
            self.add(on.pos, format!("The schema has no type `{}`.", on.text));
            return None;
        };
        if !ty.is_composite() {
            let message = format!("`{name}` has no fields: a fragment cannot be on it.");
            self.add(on.pos, message);
            return None;
        }
        Some(name)
    }

    fn check_selections(
        &mut self,
        selections: &'d SelectionList<'d>,
        parent: Option<&'d Name>,
        scope: &mut Scope<'d>,
    ) {
        for selection in &selections.items {
            match selection {
                Selection::Field(field) => self.check_field(field, parent, scope),
                Selection::Spread { name, directives } => {
                    self.check_directives(directives, DirectiveLocation::FragmentSpread, scope);
                    let on = self.fragments.get(name.text).map(|fragment| fragment.on);
                    let on = on.and_then(|on| self.schema.get_entry(on.text));
                    let on = on.filter(|(_, ty)| ty.is_composite());
                    self.check_overlap(on.map(|(on, _)| on), parent, name.pos);
                }
                Selection::Inline {
                    pos,
                    on,
                    directives,
                    selections,
                } => {
                    self.check_directives(directives, DirectiveLocation::InlineFragment, scope);
                    let inside = match on {
                        Some(on) => self.check_condition(*on),
                        None => parent,
                    };
                    self.check_overlap(inside, parent, *pos);
                    self.check_selections(selections, inside, scope);
                }
            }
        }
    }

    /// Whether a fragment can ever match where it stands.
    fn check_overlap(&mut self, on: Option<&Name>, parent: Option<&Name>, pos: Pos) {
        if let (Some(on), Some(parent)) = (on, parent)
            && !self.schema.do_overlap(on, parent)
        {
            let message =
                format!("What is `{parent}` is never `{on}`: the fragment matches nothing.");
            self.add(pos, message);
        }
    }

    fn check_field(
        &mut self,
        field: &'d Field<'d>,
        parent: Option<&'d Name>,
        scope: &mut Scope<'d>,
    ) {
        let name = field.name;
        let known = parent.and_then(|parent| self.schema.field(parent, name.text));
        if let (Some(parent), None) = (parent, known) {
            let message = format!("The type `{parent}` has no field `{}`.", name.text);
            self.add(name.pos, message);
        }
        self.check_directives(&field.directives, DirectiveLocation::Field, scope);
        let arguments = known.map(|known| known.arguments.as_slice());
        let what = format!("The field `{}`", name.text);
        self.check_arguments((&what, name.pos), &field.arguments, arguments, scope);
        let ty = known.map(|known| named(&known.ty));
        let entry = ty.and_then(|ty| self.schema.get_entry(ty));
        match (&field.selections, entry) {
            (Some(selections), Some((ty, entry))) if entry.is_leaf() => {
                let message = format!("The field `{}` is `{ty}`, which has no fields.", name.text);
                self.add(selections.pos, message);
            }
            (None, Some((ty, entry))) if entry.is_composite() => {
                let message = format!(
                    "The field `{}` is `{ty}`: say which of its fields, as in `{} {{ … }}`.",
                    name.text, name.text
                );
                self.add(name.pos, message);
            }
            _ => {}
        }
        if let Some(selections) = &field.selections {
            let inside = entry.filter(|(_, entry)| entry.is_composite());
            self.check_selections(selections, inside.map(|(ty, _)| ty), scope);
        }
    }

    pub(super) fn check_directives(
        &mut self,
        directives: &'d [Directive<'d>],
        location: DirectiveLocation,
        scope: &mut Scope<'d>,
    ) {
        for directive in directives {
            let name = directive.name;
            let known = self.schema.directive(name.text);
            match known {
                None => self.add(
                    name.pos,
                    format!("The schema has no directive `@{}`.", name.text),
                ),
                Some(known) if !known.locations.contains(&location) => {
                    self.add(name.pos, format!("`@{}` does not belong here.", name.text));
                }
                Some(_) => {}
            }
            let arguments = known.map(|known| known.arguments.as_slice());
            let what = format!("`@{}`", name.text);
            self.check_arguments((&what, name.pos), &directive.arguments, arguments, scope);
        }
        let names = directives.iter().map(|directive| directive.name);
        for name in find_repeated(names) {
            if self.schema.directive(name.text).is_some() {
                self.add(name.pos, format!("`@{}` is given twice.", name.text));
            }
        }
    }

    fn check_arguments(
        &mut self,
        (what, pos): (&str, Pos),
        arguments: &'d [Argument<'d>],
        known: Option<&'d [InputField]>,
        scope: &mut Scope<'d>,
    ) {
        for name in find_repeated(arguments.iter().map(|argument| argument.name)) {
            let message = format!("{what} has the argument `{}` twice.", name.text);
            self.add(name.pos, message);
        }
        for argument in arguments {
            let name = argument.name;
            let field = known.and_then(|known| known.iter().find(|field| field.name == name.text));
            if let (Some(known), None) = (known, field) {
                let message = format!(
                    "{what} has no argument `{}`{}",
                    name.text,
                    and_those_it_has(known)
                );
                self.add(name.pos, message);
            }
            let mut path = vec![InputPathPart::Name(name.text.to_owned())];
            self.check_literal(&argument.value, field.into(), &mut path, scope);
        }
        for field in known
            .unwrap_or_default()
            .iter()
            .filter(|field| field.is_required())
        {
            if arguments
                .iter()
                .all(|argument| field.name != argument.name.text)
            {
                let message = format!("{what} needs the argument `{}`.", field.name);
                self.add(pos, message);
            }
        }
    }
}

/// The end of a sentence about a name that is not among these.
pub(super) fn and_those_it_has(known: &[InputField]) -> String {
    let names: Vec<String> = known
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    match names.is_empty() {
        true => ".".to_owned(),
        false => format!(": it has {}.", names.join(", ")),
    }
}
