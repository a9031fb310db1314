//! Holds the values in a document against the types of the places where they stand.

use async_graphql::parser::types::{BaseType, Type};
use async_graphql_value::ConstValue;

use super::{
    Validator, find_repeated,
    walk::{Scope, VariableUsage, and_those_it_has},
};
use crate::{
    ast::{LiteralNode, LiteralValue, Word},
    convert::convert_literal,
    rejection::InputPathPart,
    schema::{InputField, InputType, NamedType, named},
};

/// What is known of the place of a value.
#[derive(Clone, Copy, Default)]
pub(super) struct ValuePlace<'t> {
    ty: Option<&'t Type>,
    has_default: bool,
    is_one_of: bool,
    /// Whether null may stand here whatever the type says: in a list that one scalar takes.
    takes_null: bool,
    /// Whether a value around it was refused already: variables are still looked for.
    is_refused: bool,
}

impl<'t> ValuePlace<'t> {
    pub(super) fn of_type(ty: Option<&'t Type>) -> Self {
        Self {
            ty,
            ..Self::default()
        }
    }
}

impl ValuePlace<'_> {
    /// The type that a variable here has to fit.
    fn type_of_variable(&self) -> Option<Type> {
        let ty = self.ty.cloned();
        ty.map(|ty| Type {
            nullable: ty.nullable || self.takes_null,
            ..ty
        })
    }
}

impl<'t> From<Option<&'t InputField>> for ValuePlace<'t> {
    fn from(field: Option<&'t InputField>) -> Self {
        Self {
            ty: field.map(|field| &field.ty),
            has_default: field.is_some_and(|field| field.has_default),
            ..Self::default()
        }
    }
}

impl<'d> Validator<'d> {
    pub(super) fn check_literal(
        &mut self,
        literal: &'d LiteralNode<'d>,
        place: ValuePlace<'_>,
        path: &mut Vec<InputPathPart>,
        scope: &mut Scope<'d>,
    ) {
        match &literal.value {
            LiteralValue::Variable(name) => scope.usages.push(VariableUsage {
                name,
                pos: literal.pos,
                ty: place.type_of_variable(),
                has_default: place.has_default,
                is_one_of: place.is_one_of,
            }),
            LiteralValue::List(items) => {
                let mut inside = ValuePlace {
                    is_refused: place.is_refused,
                    ..ValuePlace::of_type(place.ty)
                };
                match place.ty.map(|ty| &ty.base) {
                    Some(BaseType::List(item)) => inside.ty = Some(item),
                    Some(BaseType::Named(_)) => {
                        self.check_leaf(literal, place, path);
                        (inside.takes_null, inside.is_refused) = (true, true);
                    }
                    None => {}
                }
                for (at, item) in items.iter().enumerate() {
                    path.push(InputPathPart::Index(at));
                    self.check_literal(item, inside, path, scope);
                    path.pop();
                }
            }
            LiteralValue::Object(fields) => {
                self.check_object(literal, fields, place, path, scope);
            }
            LiteralValue::Null => {
                if place.ty.is_some_and(|ty| !ty.nullable) {
                    self.refuse_value(literal, place, path, "A value is required, not null.");
                }
            }
            _ => self.check_leaf(literal, place, path),
        }
    }

    fn check_object(
        &mut self,
        literal: &LiteralNode<'d>,
        fields: &'d [(Word<'d>, LiteralNode<'d>)],
        place: ValuePlace<'_>,
        path: &mut Vec<InputPathPart>,
        scope: &mut Scope<'d>,
    ) {
        for name in find_repeated(fields.iter().map(|(name, _)| *name)) {
            path.push(InputPathPart::Name(name.text.to_owned()));
            self.add_in_input(path, name.pos, || "The field is given twice.".to_owned());
            path.pop();
        }
        let name = place.ty.map(named);
        let input = match name.and_then(|name| self.schema.get(name)) {
            Some(NamedType::Input(input)) => Some(input),
            Some(_) => {
                self.check_leaf(literal, place, path);
                None
            }
            None => None,
        };
        for (name, value) in fields {
            path.push(InputPathPart::Name(name.text.to_owned()));
            let known = input.and_then(|input| input.field(name.text));
            if let (Some(input), None, false) = (input, known, place.is_refused) {
                self.add_in_input(path, name.pos, || no_such_field(&input.fields));
            }
            let inside = ValuePlace {
                is_one_of: input.is_some_and(|input| input.is_one_of),
                is_refused: place.is_refused || known.is_none(),
                ..ValuePlace::from(known)
            };
            self.check_literal(value, inside, path, scope);
            path.pop();
        }
        if let Some(input) = input {
            self.check_required_fields(literal, input, fields, place, path);
        }
    }

    fn check_required_fields(
        &mut self,
        literal: &LiteralNode<'d>,
        input: &InputType,
        fields: &[(Word<'d>, LiteralNode<'d>)],
        place: ValuePlace<'_>,
        path: &mut Vec<InputPathPart>,
    ) {
        for required in input.fields.iter().filter(|field| field.is_required()) {
            if fields.iter().all(|(name, _)| required.name != name.text) {
                path.push(InputPathPart::Name(required.name.to_string()));
                self.refuse_value(literal, place, path, "A value is required.");
                path.pop();
            }
        }
        let is_null =
            |(_, value): &(Word<'d>, LiteralNode<'d>)| matches!(value.value, LiteralValue::Null);
        if input.is_one_of && (fields.len() != 1 || fields.iter().any(is_null)) {
            self.refuse_value(literal, place, path, &one_of_fields(&input.fields));
        }
    }

    /// Holds what is not taken apart against a scalar or an enum.
    fn check_leaf(
        &mut self,
        literal: &LiteralNode<'d>,
        place: ValuePlace<'_>,
        path: &[InputPathPart],
    ) {
        let Some(ty) = place.ty.map(named).filter(|_| !place.is_refused) else {
            return;
        };
        let refused = match self.schema.get(ty) {
            Some(NamedType::Scalar(parser)) => {
                // A variable inside a scalar is not known yet.
                let value =
                    convert_literal(literal).into_const_with(|_| Ok::<_, ()>(ConstValue::Null));
                value.map_or(None, |value| parser(&value).err())
            }
            Some(NamedType::Enum(values)) => match &literal.value {
                LiteralValue::Enum(value) if values.iter().any(|known| known == value) => None,
                _ => Some(one_of_these(values)),
            },
            Some(NamedType::Input(_)) => Some("An object in braces is expected.".to_owned()),
            _ => None,
        };
        if let Some(sentence) = refused {
            self.refuse_value(literal, place, path, &sentence);
        }
    }

    fn refuse_value(
        &mut self,
        literal: &LiteralNode<'d>,
        place: ValuePlace<'_>,
        path: &[InputPathPart],
        sentence: &str,
    ) {
        if !place.is_refused {
            self.add_in_input(path, literal.pos, || sentence.to_owned());
        }
    }
}

/// What is said of a field that an input does not have.
pub(crate) fn no_such_field(known: &[InputField]) -> String {
    format!("There is no such field{}", and_those_it_has(known))
}

/// What is said of an input of which one field is given.
pub(crate) fn one_of_fields(known: &[InputField]) -> String {
    let names: Vec<String> = known
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    format!("Give exactly one of {}, and not null.", names.join(", "))
}

/// What an enum takes.
pub(crate) fn one_of_these(values: &[async_graphql::Name]) -> String {
    let names: Vec<&str> = values.iter().map(|name| name.as_str()).collect();
    format!("One of these is expected: {}.", names.join(", "))
}
